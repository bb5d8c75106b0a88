"""perf/lib/machine.py: the machine, the versions and the checkout: what a figure hangs on."""

import os
import platform
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def cpu_ticks():
    """(stolen, all) since the machine started."""
    ticks = [int(text) for text in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return ticks[7], sum(ticks)


class Steal:
    """The share of the CPUs' time that the host took from the machine since this was made."""

    def __init__(self):
        self._stolen, self._all = cpu_ticks()

    def share(self):
        stolen, all_ticks = cpu_ticks()
        return (stolen - self._stolen) / max(1, all_ticks - self._all)


def machine():
    return {
        "cpu": _first(r"model name\s*:\s*(.+)", "/proc/cpuinfo") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(_first(r"MemTotal:\s*(\d+)", "/proc/meminfo") or 0) / 2**20, 1),
        "kernel": platform.release(),
        "clock_source": _read("/sys/devices/system/clocksource/clocksource0/current_clocksource") or "unknown",
        "system": _first(r'PRETTY_NAME="(.+)"', "/etc/os-release") or platform.system(),
    }


def versions(build_directory):
    """Of clients, compiler and flags, as the program and the build directory tell; servers', as the stack has them."""
    found = {}
    program = build_directory / "spillway"
    if program.exists():
        for line in _output(program, "version").splitlines():
            name, _, version = line.strip().partition(" ")
            if version:
                found[name] = version.strip()
    cache = build_directory / "CMakeCache.txt"
    compiler = _first(r"CMAKE_CXX_COMPILER:\w+=(.+)", cache)
    if compiler:
        found["compiler"] = _output(compiler, "--version").split("\n")[0]
    kind = _first(r"CMAKE_BUILD_TYPE:\w+=(.+)", cache) or ""
    flags = [_first(rf"CMAKE_CXX_FLAGS{suffix}:\w+=(.+)", cache) for suffix in ("", "_" + kind.upper())]
    found["flags"] = " ".join(filter(None, flags))
    return found


def server_versions(environment, own_stack):
    """Of the servers that are up; Kafka tells no client its version, so only our own stack's is known."""
    found = {}
    postgres, redis = environment.get("SPILLWAY_POSTGRES"), environment.get("SPILLWAY_REDIS")
    if postgres:
        found["PostgreSQL"] = _output("psql", postgres, "-AtXc", "show server_version").strip()
    if redis:
        information = _output("redis-cli", "-u", redis, "info", "server")
        match = re.search(r"redis_version:(\S+)", information)
        found["Redis"] = match.group(1) if match else ""
    if own_stack:
        found["Kafka"] = _first(r"<version>(4[^<]*)<", ROOT / "tools" / "stack.d" / "pom.xml") or ""
    return {name: version for name, version in found.items() if version}


def checkout():
    """The commit, and whether files differ from it."""
    git = ("git", "-C", ROOT)
    return {"commit": _output(*git, "rev-parse", "HEAD").strip() or "unknown",
            "dirty": bool(_output(*git, "status", "--porcelain", "--untracked-files=no").strip())}


def _output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30).stdout
    except OSError:
        return ""


def _read(path):
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _first(pattern, path):
    found = re.search(pattern, _read(path))
    return found.group(1).strip() if found else None
