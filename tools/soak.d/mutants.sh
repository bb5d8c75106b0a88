# tools/soak mutants: bugs put in on purpose, one at a time; the simulation must find each of them.
#
# usage: tools/soak mutants [NAME]... [--seconds N] [--first-seed S] [--jobs N] [--within N]
#
#   NAME             of a file of tests/sim/mutants, with or without its number; default: all
#   --seconds N      of seeds for each, at most; default: 60
#   --first-seed S   default: 1
#   --jobs N         mutants at a time, each in a copy of its own; default: 2
#   --within N       once the copies are built, none is begun after so many seconds; which come first
#                    changes with the commit
#
# The copies are under build/mutants: there a patch is applied, what it changes is built, and seeds
# are run until one fails. A mutant that lives on is a failure, and so is a patch that does not
# apply. What a line of progress names is the promise that broke first.

# shellcheck shell=bash

mutants="$root/tests/sim/mutants"

# Always a new one: the times of a former copy's files say nothing about what was built of them.
prepare_copy() { # COPY
  local copy="$1"
  mkdir -p "$copy/unpatched"
  cp -R "$root"/{src,tests,tools,include,CMakeLists.txt,CMakePresets.json,LICENSE} "$copy" &&
    "$copy/tools/build" --jobs 1 --target sim >"$copy/build.log" 2>&1
}

# Prints the name, what became of it, the promise and the number of seeds.
try_mutant() { # COPY NAME SECONDS FIRST_SEED
  local copy="$1" name="$2" seconds="$3" first="$4" patch_file="$mutants/$2.patch" promise seed
  local log="$copy/$2.log"
  # A file that is not there any more is one that the patch does not apply to.
  files_of "$patch_file" | (cd "$copy" && xargs cp --parents -t unpatched) 2>"$log" || true
  if ! patch --quiet --strip=1 --forward --no-backup-if-mismatch --directory="$copy" \
    <"$patch_file" >>"$log" 2>&1; then
    printf '%s does-not-apply - 0\n' "$name"
    restore "$copy" "$patch_file"
    return
  fi
  if ! cmake --build "$copy/build/release" -j 1 --target sim >"$log" 2>&1; then
    printf '%s does-not-build - 0\n' "$name"
  else
    timeout $((seconds + 60)) "$copy/build/release/tests/sim/sim" --seconds "$seconds" \
      --seeds 100000000 --first-seed "$first" >"$log" 2>&1 || true
    promise="$(awk '$1 == "FAIL" { print $2; exit }' "$log")"
    seed="$(sed -n 's/.*replay: sim --seed \([0-9]*\).*/\1/p' "$log" | head -n 1)"
    if [[ -n "$promise" ]]; then
      printf '%s found %s %d\n' "$name" "$promise" $((seed - first + 1))
    else
      printf '%s lives - %d\n' "$name" "$(awk '/^sim: / { print $2 }' "$log")"
    fi
  fi
  restore "$copy" "$patch_file"
}

# The files that a patch names.
files_of() { # PATCH_FILE
  sed -n 's|^+++ b/||p' "$1"
}

# With the time of now: what was built of the patched ones is not theirs.
restore() { # COPY PATCH_FILE
  local file
  while read -r file; do
    [[ ! -e "$1/unpatched/$file" ]] || cp "$1/unpatched/$file" "$1/$file"
    rm -f "$1/$file".{rej,orig}
  done < <(files_of "$2")
}

try_all() { # COPY SECONDS FIRST_SEED WITHIN NAME...
  local copy="$1" seconds="$2" first="$3" within="$4" name from
  shift 4
  if ! prepare_copy "$copy"; then
    cat "$copy/build.log" >&2
    return 1
  fi
  from="$EPOCHSECONDS"
  for name in "$@"; do
    ((EPOCHSECONDS - from < within)) || break
    try_mutant "$copy" "$name" "$seconds" "$first" | tee -a "$copy/results" >&2
  done
}

# Begins with another one at each commit, so that a part of them comes to all in the end.
in_turn() { # NAME...
  local commit turn
  commit="$(git -C "$root" rev-parse --short=7 HEAD 2>/dev/null)" || commit=0
  turn=$((16#$commit % $#))
  printf '%s\n' "${@:turn + 1}" "${@:1:turn}"
}

soak() {
  local seconds=60 first=1 jobs=2 within=1000000000 from="$EPOCHREALTIME"
  local wanted=() names=() own=() pids=() name found job i code=0
  while (($# > 0)); do
    case "$1" in
      --seconds | --first-seed | --jobs | --within)
        [[ "${2:-}" =~ ^[1-9][0-9]*$ ]] || die 2 "$1 needs a number; try --help"
        case "$1" in
          --seconds) seconds="$2" ;;
          --first-seed) first="$2" ;;
          --jobs) jobs="$2" ;;
          --within) within="$2" ;;
        esac
        shift
        ;;
      -*) die 2 "unknown argument '$1'; try --help" ;;
      *) wanted+=("$1") ;;
    esac
    shift
  done
  ((${#wanted[@]} > 0)) || wanted=('*')
  for name in "${wanted[@]}"; do
    found=''
    for i in "$mutants"/*.patch; do
      i="$(basename "$i" .patch)"
      # shellcheck disable=SC2053
      [[ "$i" == $name || "${i#[0-9][0-9]-}" == $name ]] || continue
      found=yes
      names+=("$i")
    done
    [[ -n "$found" ]] || die 2 "no mutant is named '$name'; see tests/sim/mutants"
  done
  mapfile -t names < <(in_turn "${names[@]}")
  need_packages build
  rm -rf "$root/build/mutants"
  for ((job = 0; job < jobs; ++job)); do
    own=()
    for ((i = job; i < ${#names[@]}; i += jobs)); do own+=("${names[i]}"); done
    mkdir -p "$root/build/mutants/$job"
    # What one copy has compiled serves the other (ccache, if it is there).
    CCACHE_BASEDIR="$root/build/mutants/$job" CCACHE_NOHASHDIR=true \
      try_all "$root/build/mutants/$job" "$seconds" "$first" "$within" "${own[@]}" &
    pids+=($!)
  done
  for i in "${pids[@]}"; do wait "$i" || code=3; done
  ((code == 0)) || die 3 'the simulation could not be built (above)'
  find "$root/build/mutants" -mindepth 2 -name results -exec cat {} + | sort >"$root/build/mutants/results"
  awk -v seconds="$(seconds_since "$from")" -v seed="$first" '
    $2 == "found" { found += 1; next }
    { failed += 1 }
    END {
      printf "mutants: %d done, %d failed, %.2f/s, seed %d\n", found, failed,
        (found + failed) / seconds, seed
      exit failed != 0
    }' "$root/build/mutants/results"
}
