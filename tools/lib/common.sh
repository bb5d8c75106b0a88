# tools/lib/common.sh: what every script of tools/ says and how. Sourced, never run.
#
# Gives: $root (the checkout), say, note, die CODE MESSAGE..., step TITLE COMMAND..., seconds_since,
# per_second.
# Exit codes of all of tools/: 0 done, 1 what was checked failed, 2 usage, 3 a server, a download or
# a package could not be used.

# shellcheck shell=bash

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)"
readonly root

if [[ -t 2 && -z "${NO_COLOR:-}" ]]; then
  bold=$'\e[1m' red=$'\e[31m' dim=$'\e[2m' plain=$'\e[0m'
else
  bold='' red='' dim='' plain=''
fi

# Everything said to a person goes to stderr; stdout is for what a script wants (env, logs, status).
say() { printf '%s\n' "$*" >&2; }
note() { printf '%s%s%s\n' "$dim" "$*" "$plain" >&2; }

die() { # CODE MESSAGE...
  local code="$1"
  shift
  printf '%s%s: %s%s\n' "$red" "${0##*/}" "$*" "$plain" >&2
  exit "$code"
}

# Prints the seconds since $1, a value of $EPOCHREALTIME, with one decimal.
seconds_since() {
  local from="${1/[.,]/}" now="${EPOCHREALTIME/[.,]/}"
  local tenths=$(((now - from + 50000) / 100000))
  printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

# Prints how many a second COUNT in SECONDS are, with two decimals; 0.00 when no time has passed.
per_second() { # COUNT SECONDS
  awk -v n="$1" -v s="$2" 'BEGIN { printf "%.2f", (s > 0) ? n / s : 0 }'
}

# Runs a command under a heading and says how long it took; its failure is the caller's.
step() { # TITLE COMMAND...
  local title="$1" from="$EPOCHREALTIME" code=0
  shift
  say "${bold}== ${title}${plain}"
  "$@" || code=$?
  if ((code == 0)); then
    note "   ${title}: $(seconds_since "$from") s"
  else
    say "${red}   ${title}: failed after $(seconds_since "$from") s (exit code ${code})${plain}"
  fi
  return "$code"
}

# The comment at the top of a script is its help: without the '#', down to the first empty line.
print_help() { # FILE
  sed -n '2,/^$/{s/^# \{0,1\}//p}' "$1"
}

# Runs a command as root: directly, or through sudo when there is one.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die 3 "needs root for: $*; become root, or install sudo"
  fi
}
