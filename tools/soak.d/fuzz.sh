# tools/soak fuzz: libFuzzer with ASan and UBSan over every target of tests/fuzz.
#
# usage: tools/soak fuzz [--seconds N] [--target NAME] [--seed S]
#
#   --seconds N     for all targets together; default: 300
#   --target NAME   only this one: audit, config, copy, position, recovery, redis or rows
#   --seed S        libFuzzer's; default: of this moment
#
# It begins with tests/fuzz/corpus; what is found on the way is kept under build/fuzz, and so is an
# input that fails (its name is on stderr; build/fuzz/tests/fuzz/fuzz_NAME FILE runs it again).

# shellcheck shell=bash

build_fuzzers() {
  need_packages build fuzz
  mkdir -p "$root/build/fuzz"
  if ! cmake -S "$root" -B "$root/build/fuzz" -G Ninja -DCMAKE_CXX_COMPILER=clang++-16 \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSPILLWAY_BUILD_BENCH=OFF \
    -DSPILLWAY_SANITIZE=fuzzer-no-link,address,undefined >"$root/build/fuzz/configure.log" 2>&1; then
    cat "$root/build/fuzz/configure.log" >&2
    die 3 "CMake could not configure build/fuzz (its output is above)"
  fi
  cmake --build "$root/build/fuzz" --target libfuzzer >&2 || die 3 "the fuzzers do not build (above)"
}

# Prints how many inputs libFuzzer says it has run.
fuzz_one() { # NAME SECONDS SEED
  local name="$1" found="$root/build/fuzz/corpus/$1" log="$root/build/fuzz/$1.log" code=0
  mkdir -p "$found"
  "$root/build/fuzz/tests/fuzz/fuzz_$name" -seed="$3" -max_total_time="$2" -max_len=4096 \
    -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 -artifact_prefix="$root/build/fuzz/$name-" \
    "$found" "$root/tests/fuzz/corpus/$name" >"$log" 2>&1 || code=$?
  sed -n 's/^stat::number_of_executed_units: *//p' "$log"
  if ((code != 0)); then
    tail -n 40 "$log" >&2
    return 1
  fi
}

soak() {
  local seconds=300 seed="$EPOCHSECONDS" names=(audit config copy position recovery redis rows)
  local name units done_count=0 failed=0 from
  while (($# > 0)); do
    case "$1" in
      --seconds | --seed)
        [[ "${2:-}" =~ ^[0-9]+$ ]] || die 2 "$1 needs a number; try --help"
        if [[ "$1" == --seed ]]; then seed="$2"; else seconds="$2"; fi
        ;;
      --target)
        [[ " ${names[*]} " == *" ${2:-?} "* ]] || die 2 "--target takes one of: ${names[*]}"
        names=("$2")
        ;;
      *) die 2 "unknown argument '$1'; try --help" ;;
    esac
    shift 2
  done
  build_fuzzers
  from="$EPOCHSECONDS"
  for name in "${names[@]}"; do
    note "== $name"
    units="$(fuzz_one "$name" "$((seconds / ${#names[@]} + 1))" "$seed")" || failed=$((failed + 1))
    done_count=$((done_count + ${units:-0}))
  done
  printf 'fuzz: %d done, %d failed, %d/s, seed %s\n' "$done_count" "$failed" \
    $((done_count / (EPOCHSECONDS - from + 1))) "$seed"
  ((failed == 0))
}
