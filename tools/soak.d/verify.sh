# shellcheck shell=bash
# tools/soak verify: the audit at scale: messages made up as they are judged, and none is kept.
#
# usage: tools/soak verify [--messages N] [--memory-mib N]
#
#   --messages N     default: 10000000
#   --memory-mib N   the audit's cap, default 512: above it there is no verdict, and that is a failure
#
# example:
#   tools/soak verify --messages 20000000

soak() {
  local messages=10000000 memory_mib=512 directory line code=0
  while (($# > 0)); do
    (($# > 1)) || die 2 "$1 needs a value; try --help"
    [[ "$2" =~ ^[0-9]+$ ]] || die 2 "$1 $2: not a number"
    case "$1" in
      --messages) messages="$2" ;;
      --memory-mib) memory_mib="$2" ;;
      *) die 2 "unknown argument '$1'; try --help" ;;
    esac
    shift 2
  done
  "$root/tools/build" --target verify-scale >&2 || die 3 "it could not be built"
  directory="$("$root/tools/build" --print-directory)"
  line="$("$directory/tests/history/verify-scale" "--messages=$messages" \
    "--memory-mib=$memory_mib" | tail -n 1)" || code=$?
  note "$line"
  # "verify-scale: N messages, RATE/s, peak RSS N MiB, VERDICT"
  local judged rate
  read -r _ judged _ rate _ <<<"$line"
  if ((code == 0)); then
    printf 'verify: %s done, 0 failed, %s seed 0\n' "$judged" "$rate"
  else
    printf 'verify: %s done, 1 failed, %s seed 0\n' "$judged" "$rate"
    return 1
  fi
}
