# tools/stack.d/process.sh: starting, finding and signalling the stack's processes. Sourced by tools/stack.
#
# A server is remembered as "PID START BOOT" in .stack/run/SERVER.pid: START is the kernel's start time
# of the process, BOOT the id of this boot. A signal is sent only while all three are still true, so a
# recycled pid never costs a foreign process its life.
#
# Each server, and whatever it forks, also inherits an flock on .stack/run/SERVER.lock. While any of
# them lives, a second server on the same data directory cannot start, whatever the pid file says.

# shellcheck shell=bash

boot_id="$(</proc/sys/kernel/random/boot_id)"

# Prints the start time of a process; fails when there is none.
start_time_of() { # PID
  local stat
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
  read -r -a stat <<<"${stat##*) }" # The name before it may hold blanks and brackets.
  [[ "${stat[0]}" != [ZX] ]] || return 1 # dead, and its parent has not looked yet
  printf '%s' "${stat[19]}"
}

# Prints the server's pid while that process lives; fails otherwise.
pid_of() { # SERVER
  local pid start boot
  read -r pid start boot 2>/dev/null <"$run_dir/$1.pid" || return 1
  [[ "$boot" == "$boot_id" && "$(start_time_of "$pid")" == "$start" ]] || return 1
  printf '%s' "$pid"
}

is_alive() { pid_of "$1" >/dev/null; }

# True while the server's main process is stopped by SIGSTOP.
is_paused() { # SERVER
  local pid stat
  pid="$(pid_of "$1")" || return 1
  read -r stat 2>/dev/null <"/proc/$pid/stat" || return 1
  [[ "${stat##*) }" == T* ]]
}

# Prints the pids whose parent is PID. /proc rather than ps, which a small machine may lack.
children_of() { # PID
  local file stat
  for file in /proc/[0-9]*/stat; do
    read -r stat 2>/dev/null <"$file" || continue
    if [[ "${stat##*) }" == ?" $1 "* ]]; then printf '%s\n' "${stat%% *}"; fi
  done
}

# Signals the server's main process and all that it has forked; fails when it does not live.
# The main process is stopped first, so that it cannot fork while its children are listed.
signal_all() { # SERVER SIGNAL
  local pid children
  pid="$(pid_of "$1")" || return 1
  kill -STOP "$pid"
  mapfile -t children < <(children_of "$pid")
  kill "-$2" "$pid" "${children[@]}" 2>/dev/null || true
}

# The way back from STOP: the children before the main process, which would miss their signals.
continue_all() { # SERVER
  local pid children
  pid="$(pid_of "$1")" || return 1
  mapfile -t children < <(children_of "$pid")
  kill -CONT "${children[@]}" "$pid" 2>/dev/null || true
}

# Starts COMMAND as a process of its own session: no inherited terminal, pipe or descriptor but the
# server's lock. Refuses while one lives.
launch() { # SERVER COMMAND...
  local server="$1" log="$log_dir/$1.log" pid start
  shift
  (
    exec 8>"$run_dir/$server.lock"
    flock -n 8 || exit 75
    for fd in "/proc/$BASHPID/fd/"*; do
      fd="${fd##*/}"
      if ((fd > 2 && fd != 8)); then eval "exec $fd>&-"; fi
    done
    cd / # where every user may be
    exec setsid "$@" </dev/null >>"$log" 2>&1
  ) &
  pid=$!
  start="$(start_time_of "$pid")" || start=gone
  printf '%s %s %s\n' "$pid" "$start" "$boot_id" >"$run_dir/$server.pid.new"
  mv "$run_dir/$server.pid.new" "$run_dir/$server.pid"
  disown "$pid" 2>/dev/null || true
}

# Waits until nothing holds the server's lock any more; fails after SECONDS.
wait_until_gone() { # SERVER SECONDS
  flock -w "$2" "$run_dir/$1.lock" true 2>/dev/null
}

# Runs a test every 20 ms until it succeeds; fails after SECONDS, or at once when the server dies.
wait_until() { # SERVER SECONDS TEST...
  local server="$1" deadline=$((${EPOCHREALTIME/[.,]/} + $2 * 1000000))
  shift 2
  until "$@"; do
    is_alive "$server" || return 1
    ((${EPOCHREALTIME/[.,]/} < deadline)) || return 1
    sleep 0.02
  done
}

# True when something listens on the port of 127.0.0.1. A connection, closed at once.
port_answers() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# True when nothing of this machine has bound the port (IPv4 or IPv6), whatever the state.
port_is_free() { # PORT
  local hex
  printf -v hex ':%04X' "$1"
  ! awk -v want="$hex" '$2 ~ want "$" && $4 == "0A" { found = 1 } END { exit !found }' \
    /proc/net/tcp /proc/net/tcp6 2>/dev/null
}
