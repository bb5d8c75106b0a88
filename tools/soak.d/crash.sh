# tools/soak crash: kills a service at any instruction, starts it again on its journal, and judges
# what Kafka was given.
#
# usage: tools/soak crash [--kills N] [--seed S]
#
#   --kills N   default: 5000
#   --seed S    default: of this moment
#
# No server is needed: tests/crash says how. A finding is a line on stderr, with the seed and the run
# that shows it; kills at a named point come again with the seed, those at a moment may not.

# shellcheck shell=bash

soak() {
  local kills=5000 seed="$EPOCHSECONDS"
  while (($# > 0)); do
    case "$1" in
      --kills) kills="${2:-}" ;;
      --seed) seed="${2:-}" ;;
      *) die 2 "unknown argument '$1'; try --help" ;;
    esac
    [[ "${2:-}" =~ ^[0-9]+$ ]] || die 2 "$1 needs a number; try --help"
    shift 2
  done
  "$root/tools/build" --target crash_soak || exit 3
  "$root/build/release/tests/crash/crash_soak" "$kills" "$seed"
}
