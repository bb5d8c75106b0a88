# tools/lib/stack.sh: the stack for as long as a script needs it. Sourced after deps.sh, never run.
#
# Gives: start_stack [SERVER]..., stop_stack. Put `trap stop_stack EXIT` before the first.

# shellcheck shell=bash

started_stack=''

# Starts the stack unless it is up, and the servers named (toxiproxy) besides; exports its addresses.
start_stack() { # [SERVER]...
  local server exports
  if ! "$root/tools/stack" status >/dev/null 2>&1; then
    started_stack=yes
    step "start the stack" "$root/tools/stack" up --fresh || exit 3
  fi
  for server in "$@"; do
    step "start $server" "$root/tools/stack" start "$server" || exit 3
  done
  exports="$("$root/tools/stack" env)"
  eval "$exports"
  export SPILLWAY_STACK="$root/tools/stack"
}

# Ends it, unless it was up before.
stop_stack() {
  [[ -n "$started_stack" ]] || return 0
  started_stack=''
  "$root/tools/stack" down || true
}
