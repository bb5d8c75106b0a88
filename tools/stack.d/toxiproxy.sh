# tools/stack.d/toxiproxy.sh: the stack's fault injector: one proxy in front of each server, driven over
# HTTP. Not part of `up`: tools/faults starts it. Sourced by tools/stack.
#
# Kafka tells its clients where to connect, so its second listener names the proxy's port.

# shellcheck shell=bash

readonly toxiproxy_version=2.5.0
toxiproxy_program="$root/.deps/toxiproxy-$toxiproxy_version/server"

# From source, by Go's own module proxy settings; all that Go keeps lies in .deps.
toxiproxy_build() {
  local from="$EPOCHREALTIME" work="$root/.deps/toxiproxy-$toxiproxy_version.work"
  [[ ! -x "$toxiproxy_program" ]] || return 0
  command -v go >/dev/null || need_packages toxiproxy
  say "building toxiproxy $toxiproxy_version (half a minute, once)"
  mkdir -p "$work"
  if ! GOFLAGS=-modcacherw GOTOOLCHAIN=local GOPATH="$work/go" GOCACHE="$work/cache" GOBIN="$work/bin" \
    go install "github.com/Shopify/toxiproxy/v2/cmd/server@v$toxiproxy_version" >"$log_dir/go.log" 2>&1; then
    tail -n 5 "$log_dir/go.log" >&2
    die 3 "Go could not build toxiproxy (above; all of it is in $log_dir/go.log). Is the network up, and" \
      "does 'go env GOPROXY' name a proxy that can be reached?"
  fi
  mkdir -p "${toxiproxy_program%/*}"
  mv "$work/bin/server" "$toxiproxy_program"
  rm -rf "$work"
  note "toxiproxy built in $(seconds_since "$from") s"
}

toxiproxy_launch() {
  toxiproxy_build
  cat >"$run_dir/toxiproxy.json" <<EOF
[
  {"name": "kafka", "enabled": true, "listen": "127.0.0.1:$SPILLWAY_STACK_PROXIED_KAFKA_PORT",
   "upstream": "127.0.0.1:$SPILLWAY_STACK_KAFKA_BEHIND_PROXY_PORT"},
  {"name": "postgres", "enabled": true, "listen": "127.0.0.1:$SPILLWAY_STACK_PROXIED_POSTGRES_PORT",
   "upstream": "127.0.0.1:$SPILLWAY_STACK_POSTGRES_PORT"},
  {"name": "redis", "enabled": true, "listen": "127.0.0.1:$SPILLWAY_STACK_PROXIED_REDIS_PORT",
   "upstream": "127.0.0.1:$SPILLWAY_STACK_REDIS_PORT"}
]
EOF
  launch toxiproxy "$toxiproxy_program" -host 127.0.0.1 -port "$SPILLWAY_STACK_TOXIPROXY_PORT" \
    -config "$run_dir/toxiproxy.json"
}

toxiproxy_after_start() { :; }

toxiproxy_ready() {
  port_answers "$SPILLWAY_STACK_TOXIPROXY_PORT" && port_answers "$SPILLWAY_STACK_PROXIED_REDIS_PORT"
}

toxiproxy_stop_signal=TERM
toxiproxy_wipe() { :; }
