# tools/lib/librdkafka.sh: another librdkafka than the system's, from Debian's source package, in
# .deps/librdkafka-VERSION (lib, include). Sourced by tools/build.
#
# The address of the mirror is the one that this machine's own apt uses; only the suite is another.
# Everything apt keeps for it (lists, cache, sources) lies in .deps too: the system's apt sees nothing.

# shellcheck shell=bash

readonly newer_suite=trixie

# Prints the address of the archive that the system's own release comes from.
system_archive() {
  local codename
  codename="$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")"
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    awk -v release="$codename" '$1 == release { print $2; exit }'
}

# Runs an apt command on the newer suite's sources alone.
private_apt() { # DIRECTORY COMMAND...
  local directory="$1" command="$2" sandbox=()
  shift 2
  # As root, apt would fetch as a user who may not enter this directory.
  if ((EUID == 0)); then sandbox=(-o APT::Sandbox::User=root); fi
  "$command" -qq "${sandbox[@]}" \
    -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$directory/sources" \
    -o Dir::State::Lists="$directory/lists" -o Dir::Cache="$directory/cache" "$@"
}

# Leaves the source tree in DIRECTORY/librdkafka-VERSION.
fetch_librdkafka() { # VERSION DIRECTORY
  local version="$1" directory="$2" archive revision
  archive="$(system_archive)"
  if [[ -z "$archive" ]]; then # no package lists yet
    run_apt_get update
    archive="$(system_archive)"
  fi
  [[ -n "$archive" ]] || die 3 "apt knows no source for this release of Debian"
  mkdir -p "$directory/sources" "$directory/lists/partial" "$directory/cache/archives/partial"
  printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\n' "$archive" "$newer_suite" \
    >"$directory/sources/newer.sources"
  private_apt "$directory" apt-get update
  revision="$(private_apt "$directory" apt-cache showsrc --only-source librdkafka |
    sed -n "s/^Version: \(${version//./\\.}-.*\)/\1/p" | sort -V | head -n 1)"
  [[ -n "$revision" ]] || die 3 "Debian $newer_suite has no librdkafka $version; it has:" \
    "$(private_apt "$directory" apt-cache showsrc --only-source librdkafka | sed -n 's/^Version: //p' | tr '\n' ' ')"
  (cd "$directory" && private_apt "$directory" apt-get source "librdkafka=$revision")
}

build_librdkafka() { # VERSION DIRECTORY PREFIX
  local source="$2/librdkafka-$1"
  fetch_librdkafka "$1" "$2"
  cmake -S "$source" -B "$2/build" -G Ninja \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_INSTALL_PREFIX="$3" -DCMAKE_INSTALL_LIBDIR=lib \
    -DRDKAFKA_BUILD_EXAMPLES=OFF -DRDKAFKA_BUILD_TESTS=OFF -DWITH_CURL=OFF
  cmake --build "$2/build"
  cmake --install "$2/build"
}

# Makes the prefix unless it is there.
need_librdkafka() { # VERSION PREFIX
  local version="$1" prefix="$2" from="$EPOCHREALTIME" log="$root/.deps/librdkafka-$1.log"
  [[ ! -e "$prefix/complete" ]] || return 0
  need_packages build librdkafka
  say "building librdkafka $version from Debian's source package (half a minute)"
  rm -rf "$prefix" "$prefix.work"
  mkdir -p "$prefix.work"
  # A shell of its own: 'set -e' has no effect in a function whose failure is looked at.
  if ! bash -euo pipefail -c '
    source "$1/tools/lib/deps.sh"
    source "$1/tools/lib/librdkafka.sh"
    build_librdkafka "$2" "$3.work" "$3"' librdkafka "$root" "$version" "$prefix" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die 3 "librdkafka $version could not be built (the end of $log is above)"
  fi
  rm -rf "$prefix.work"
  touch "$prefix/complete"
  note "librdkafka $version: $(seconds_since "$from") s"
}
