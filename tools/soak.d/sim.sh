#!/usr/bin/env bash
# tools/soak sim: seeds of the simulation, one process for each of two cores.
#
# usage: tools/soak sim [--seeds N] [--hours H] [--first-seed S]
#
#   --seeds N        so many in all; default 20000, and without end when hours are given
#   --hours H        ends after H hours at the latest; may be a fraction
#   --first-seed S   default 1; the second process takes the upper half of the seeds
#
# A seed that fails is printed with the command that runs it again. n clean seeds bound the rate of
# failure by 3/n, at 95 %.

# shellcheck shell=bash

soak() {
  local seeds='' hours='' first=1
  while (($# > 1)); do
    case "$1" in
      --seeds) seeds="$2" ;;
      --hours) hours="$2" ;;
      --first-seed) first="$2" ;;
      *) die 2 "unknown argument '$1'; try --help" ;;
    esac
    shift 2
  done
  (($# == 0)) || die 2 "'$1' needs a value; try --help"
  if [[ -z "$seeds" ]]; then
    if [[ -n "$hours" ]]; then seeds=2000000000; else seeds=20000; fi
  fi
  local limit=()
  [[ -n "$hours" ]] && limit=(--seconds "$(awk -v h="$hours" 'BEGIN { print h * 3600 }')")
  "$root/tools/build" --target sim >&2 || exit 1

  local program half from="$EPOCHREALTIME" scratch code=0
  program="$("$root/tools/build" --print-directory)/tests/sim/sim"
  half=$((seeds / 2))
  scratch="$(mktemp -d)"
  "$program" --seeds "$half" --first-seed "$first" --keep-going "${limit[@]}" \
    >"$scratch/low" &
  local low=$!
  "$program" --seeds $((seeds - half)) --first-seed $((first + half)) --keep-going "${limit[@]}" \
    >"$scratch/high" || code=1
  wait "$low" || code=1
  grep -hv '^sim: ' "$scratch/low" "$scratch/high" >&2 || true
  awk -v seconds="$(seconds_since "$from")" -v seed="$first" '
    /^sim: / { done += $2; failed += $4 }
    END {
      rate = seconds > 0 ? (done + failed) / seconds : 0
      printf "sim: %d done, %d failed, %d/s, seed %d\n", done, failed, rate, seed
    }' "$scratch/low" "$scratch/high"
  rm -r "$scratch"
  return "$code"
}
