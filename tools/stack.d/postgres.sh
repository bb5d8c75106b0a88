# tools/stack.d/postgres.sh: the stack's PostgreSQL 15. Sourced by tools/stack.
#
# postgres refuses to run as root. As root it runs as the user postgres, whom the checkout's parents
# may shut out; then the data lies in a directory of its own below /var/tmp, and .stack/postgres is a
# link to it. As anybody else it runs as that user, in .stack/postgres.

# shellcheck shell=bash

postgres_bin=/usr/lib/postgresql/15/bin
postgres_user=postgres # the database's superuser, whoever runs it; from 127.0.0.1 without a password

# Put before a command. setpriv does not fork: the pid that is remembered is the server's.
as_postgres=()
if ((EUID == 0)); then
  as_postgres=(setpriv --reuid=postgres --regid=postgres --init-groups --reset-env --)
fi

# Makes the data directory, once.
postgres_prepare() {
  local data
  [[ -x "$postgres_bin/postgres" ]] || die 3 "no $postgres_bin/postgres: tools/lib/deps.sh stack"
  [[ ! -e "$state_dir/postgres/ready" ]] || return 0
  postgres_wipe
  if ((EUID == 0)) && ! "${as_postgres[@]}" test -x "$state_dir" 2>/dev/null; then
    data="$(mktemp -d /var/tmp/spillway-postgres-XXXXXX)"
    ln -s "$data" "$state_dir/postgres"
    note "user postgres cannot enter $state_dir: its data is in $data"
  else
    data="$state_dir/postgres"
    mkdir -p "$data"
  fi
  if ((EUID == 0)); then chown postgres: "$data"; fi
  chmod 700 "$data"
  # --no-sync: the data of a test stack need not outlive the machine; a killed server loses nothing.
  (cd / && "${as_postgres[@]}" "$postgres_bin/initdb" -D "$data/data" -A trust -U "$postgres_user" \
    -E UTF8 --locale=C.UTF-8 --no-sync --no-instructions) >>"$log_dir/postgres.log" 2>&1 ||
    server_failed postgres "initdb failed"
  touch "$data/ready"
}

postgres_launch() {
  local data
  postgres_prepare
  data="$(readlink -f "$state_dir/postgres")/data"
  # No unix socket: its path would be too long for a deep checkout.
  # Ours is dead (launch would refuse otherwise), so a left pid file names nobody, or a stranger.
  if wait_until_gone postgres 0; then rm -f "$data/postmaster.pid"; fi
  launch postgres "${as_postgres[@]}" "$postgres_bin/postgres" -D "$data" \
    -p "$SPILLWAY_STACK_POSTGRES_PORT" \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c logging_collector=off -c log_line_prefix='%m [%p] '
}

postgres_ready() {
  "$postgres_bin/pg_isready" -q -h 127.0.0.1 -p "$SPILLWAY_STACK_POSTGRES_PORT" \
    -U "$postgres_user" -d postgres -t 1
}

# Once it answers: the database. CREATE DATABASE costs 50 ms, so only when it is not there.
postgres_after_start() {
  local data
  data="$(readlink -f "$state_dir/postgres")"
  [[ ! -e "$data/database" ]] || return 0
  "$postgres_bin/createdb" -h 127.0.0.1 -p "$SPILLWAY_STACK_POSTGRES_PORT" -U "$postgres_user" \
    spillway >>"$log_dir/postgres.log" 2>&1 || server_failed postgres "createdb failed"
  touch "$data/database"
}

postgres_stop_signal=INT # fast: sessions are ended, no crash recovery at the next start

postgres_wipe() {
  local data
  if [[ -L "$state_dir/postgres" ]]; then
    data="$(readlink "$state_dir/postgres")"
    if [[ "$data" == /var/tmp/spillway-postgres-* ]]; then rm -rf "$data"; fi
  fi
  rm -rf "$state_dir/postgres"
}
