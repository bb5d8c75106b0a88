# tools/soak outages: an outage of Kafka makes no copy: kills, hangs and cuts under 20,000 envelopes/s.
#
# usage: tools/soak outages [--rounds N] [--librdkafka=VERSION]
#
#   --rounds N             outages of each of the three kinds; default: 50
#   --librdkafka=VERSION   of the build with that librdkafka
#
# Prints a line for each kind: outages, messages, unmarked copies (there must be none), fatal producer
# errors, and the marked copies that these explain. The last line is: outages: N done, N failed, ...

# shellcheck shell=bash

# shellcheck source=tools/lib/stack.sh
source "$root/tools/lib/stack.sh"

soak() {
  local rounds=50 build_arguments=() directory log code=0 from kinds=3
  while (($# > 0)); do
    case "$1" in
      --rounds)
        [[ "${2:-}" =~ ^[1-9][0-9]*$ ]] || die 2 "--rounds takes a number"
        rounds="$2"
        shift
        ;;
      --librdkafka=*) build_arguments=("$1") ;;
      *) die 2 "unknown argument '$1'; try --help" ;;
    esac
    shift
  done
  "$root/tools/build" "${build_arguments[@]}" --target spillway --target outage_series_test
  directory="$("$root/tools/build" "${build_arguments[@]}" --print-directory)"
  trap stop_stack EXIT
  start_stack toxiproxy
  export SPILLWAY_TEST_ROUNDS="$rounds"
  log="$(mktemp)"
  from="$EPOCHREALTIME"
  "$directory/tests/fault/outage_series_test" >"$log" 2>&1 || code=1
  if ((code != 0)); then cat "$log" >&2; fi
  grep ' outages, ' "$log" || true
  printf 'outages: %d done, %d failed, %s/s, seed -\n' "$((rounds * kinds))" \
    "$(grep -c '^\[  FAILED  \].*ms)$' "$log" || true)" \
    "$(per_second "$((rounds * kinds))" "$(seconds_since "$from")")"
  rm -f "$log"
  return "$code"
}
