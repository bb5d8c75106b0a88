# tools/soak model: walks every state of the model of a stream (tests/model), with more records than
# the tests do, and of its wrong variants.
#
# usage: tools/soak model [--records 3|4] [--memory-mb N]
#
#   --records N     default: 4
#   --memory-mb N   the walk's memory at most; default: 4096
#
# What is counted as done are states.

# shellcheck shell=bash

soak() {
  local arguments=(--records 4 --memory-mb 4096) lines code=0 from="$EPOCHSECONDS" states failed
  need_packages build test
  lines="$("$root/tests/model/check" "${arguments[@]}" "$@")" || code=$?
  ((code < 2)) || exit "$code"
  say "$lines"
  states="$(awk '{ sum += $2 } END { printf "%.0f", sum }' <<<"$lines")"
  failed="$(grep -cv ' ok$' <<<"$lines" || true)"
  printf 'model: %d done, %d failed, %d/s, seed -\n' "$states" "$failed" \
    $((states / (EPOCHSECONDS - from + 1)))
  return "$code"
}
