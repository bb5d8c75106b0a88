#!/usr/bin/env bash
# tools/lib/deps.sh [GROUP...]: installs the Debian packages that are missing. GROUPs: build stack test
# fuzz librdkafka toxiproxy (without one: the first three). Asks dpkg once; when nothing is missing, that
# is all.
#
#   tools/lib/deps.sh              everything
#   tools/lib/deps.sh stack        what tools/stack needs
#
# Also sourced by its neighbours, for need_packages.

# shellcheck source=tools/lib/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

build_packages=(
  g++ cmake ninja-build pkg-config ccache git python3
  librdkafka-dev libpq-dev libhiredis-dev libconcurrentqueue-dev libmimalloc-dev libbenchmark-dev
  libspdlog-dev libgtest-dev libgmock-dev libtomlplusplus-dev libcli11-dev prometheus-cpp-dev
  librapidcheck-dev nlohmann-json3-dev libcpp-httplib-dev)
stack_packages=(postgresql-15 redis-server openjdk-17-jre-headless maven kcat util-linux)
# To build another librdkafka from Debian's source package.
librdkafka_packages=(dpkg-dev patch xz-utils zlib1g-dev libssl-dev libsasl2-dev liblz4-dev libzstd-dev)
# To build toxiproxy, where no Go is installed.
toxiproxy_packages=(golang-go)
test_packages=(clang-format-16 clang-tidy-16 strace spin)
# For tools/soak fuzz.
fuzz_packages=(clang-16 libclang-rt-16-dev)

# Prints those of the packages that dpkg does not report as installed.
missing_packages() { # PACKAGE...
  local name status
  local -A installed=()
  while read -r name status; do
    if [[ "$status" == installed ]]; then installed["${name%%:*}"]=1; fi
  done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
  for name in "$@"; do
    [[ -n "${installed[$name]:-}" ]] || printf '%s\n' "$name"
  done
}

# A package that brings a server starts it, unless policy-rc.d says no. One of the machine's own is
# left alone; ours is there only while apt-get runs.
forbid_service_starts() {
  [[ ! -e /usr/sbin/policy-rc.d ]] || return 0
  printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
  as_root chmod 755 /usr/sbin/policy-rc.d
  trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
}

run_apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@"
}

install_packages() ( # PACKAGE...; a subshell, so that its trap is its own
  local log
  log="$(mktemp)"
  forbid_service_starts
  # Fresh lists first, unless all can be had from those that are there.
  if ! run_apt_get install --no-install-recommends --download-only -y "$@" >"$log" 2>&1; then
    run_apt_get update >"$log" 2>&1 || { cat "$log" >&2; die 3 "apt-get update failed (above)"; }
  fi
  if ! run_apt_get install --no-install-recommends -y "$@" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    die 3 "apt-get could not install: $* (the end of its output is above)"
  fi
  rm -f "$log"
)

# Installs what is missing of the groups. Quiet and quick (one dpkg-query) when nothing is.
need_packages() { # GROUP...
  local group wanted=() missing=() from="$EPOCHREALTIME"
  for group in "$@"; do
    case "$group" in
      build) wanted+=("${build_packages[@]}") ;;
      stack) wanted+=("${stack_packages[@]}") ;;
      test) wanted+=("${test_packages[@]}") ;;
      fuzz) wanted+=("${fuzz_packages[@]}") ;;
      librdkafka) wanted+=("${librdkafka_packages[@]}") ;;
      toxiproxy) wanted+=("${toxiproxy_packages[@]}") ;;
      *) die 2 "unknown group of packages: $group (build, stack, test, fuzz, librdkafka, toxiproxy)" ;;
    esac
  done
  command -v dpkg-query >/dev/null ||
    die 3 "not a Debian system: install by hand what ${BASH_SOURCE[0]} lists"
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  ((${#missing[@]} > 0)) || return 0
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  install_packages "${missing[@]}"
  say "installed in $(seconds_since "$from") s"
}

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then
  set -euo pipefail
  case "${1:-}" in
    -h | --help) print_help "$0" ;;
    '') need_packages build stack test ;;
    *) need_packages "$@" ;;
  esac
fi
