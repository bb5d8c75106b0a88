# tools/stack.d/redis.sh: the stack's Redis: nothing on disk, since a wakeup token is only a hint.
# Sourced by tools/stack.

# shellcheck shell=bash

redis_launch() {
  launch redis redis-server --port "$SPILLWAY_STACK_REDIS_PORT" --bind 127.0.0.1 \
    --save '' --appendonly no --dir "$state_dir" --daemonize no
}

redis_after_start() { :; }

redis_ready() {
  local answer
  exec 6<>"/dev/tcp/127.0.0.1/$SPILLWAY_STACK_REDIS_PORT" || return 1
  printf 'PING\r\n' >&6
  read -r -t 1 answer <&6 || answer=''
  exec 6>&-
  [[ "$answer" == +PONG* ]]
} 2>/dev/null

redis_stop_signal=TERM
redis_wipe() { :; }
