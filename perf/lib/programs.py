"""perf/lib/programs.py: builds the measuring programs, has the servers ready, and runs them."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lib import adapters, lines
from lib.machine import ROOT, Steal

SERVERS = ("SPILLWAY_KAFKA", "SPILLWAY_POSTGRES", "SPILLWAY_REDIS")
FOLDERS = {"publish_bench": "bench", "publish_cost_test": "tests/integration"}


class ProgramError(RuntimeError):
    """It does not build, or it could not measure."""


def note(text):
    print(text, file=sys.stderr, flush=True)


def source_of(program, root=ROOT):
    return root / FOLDERS.get(program.name, "perf/programs") / f"{program.name}.cpp"


def executable_of(program, build_directory):
    return build_directory / FOLDERS.get(program.name, "perf") / program.name


def target_of(program):
    return program.name if program.name in FOLDERS else f"perf_{program.name}"


def build(programs, root=ROOT):
    """Builds them, and the program that knows the versions; answers with the build directory."""
    return build_target("spillway_program", *(target_of(program) for program in programs), root=root)


def build_target(*targets, root=ROOT):
    tool = root / "tools" / "build"
    wanted = [argument for target in targets for argument in ("--target", target)]
    if subprocess.run([tool, *wanted], stdout=sys.stderr, check=False).returncode != 0:
        raise ProgramError(f"{root}: it does not build")
    printed = subprocess.run([tool, "--print-directory"], capture_output=True, check=True, text=True)
    return Path(printed.stdout.strip())


class Servers:
    """The addresses of Kafka, Postgres and Redis, where they are needed: the caller's, or those of tools/stack,
    which is started when it is not up, and then ended again."""

    def __init__(self, are_needed=True):
        self.environment = {"SPILLWAY_STACK": str(ROOT / "tools" / "stack"), **os.environ}
        self.is_own_stack = False
        self._are_needed = are_needed
        self._started = False

    def __enter__(self):
        if not self._are_needed or all(self.environment.get(name) for name in SERVERS):
            return self
        stack = ROOT / "tools" / "stack"
        if subprocess.run([stack, "status"], capture_output=True, check=False).returncode != 0:
            self._started = True
            if subprocess.run([stack, "up"], stdout=sys.stderr, check=False).returncode != 0:
                self.__exit__()
                raise ProgramError("the servers could not be started; tools/stack says why, above")
        printed = subprocess.run([stack, "env"], capture_output=True, check=True, text=True).stdout
        for line in printed.splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            self.environment[name] = value.strip("'\"")
        self.is_own_stack = True
        return self

    def __exit__(self, *_):
        if self._started:
            subprocess.run([ROOT / "tools" / "stack", "down"], stdout=sys.stderr, check=False)


def run(program, executable, environment, quick=False, pairs=None, more=()):
    """Runs it; answers with its lines, and how it went. Its progress goes to our own stderr."""
    from_time, steal = time.monotonic(), Steal()
    if program.adapter:
        measured = _run_adapted(program, executable, environment, quick, pairs or (12 if quick else 30))
    else:
        command = [executable, *(["--quick"] if quick else []), *(["--pairs", str(pairs)] if pairs else []), *more]
        measured = _run_plain(program, command, environment)
    return measured, {"name": program.name, "seconds": round(time.monotonic() - from_time, 1),
                      "steal": round(steal.share(), 4)}


def _run_plain(program, command, environment):
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as running:
        measured, fault = [], None
        for text in running.stdout:
            try:
                line = lines.parse(text)
            except lines.LineError as error:
                fault = fault or error  # It goes on to its end: it may have servers to put right.
                continue
            if line is not None:
                measured.append(line)
    if running.returncode != 0:
        raise ProgramError(f"{program.name} ended with {running.returncode}")
    if fault:
        raise ProgramError(f"{program.name}: {fault}")
    return measured


def _run_adapted(program, executable, environment, quick, pairs):
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "out.json"
        arguments = getattr(adapters, program.adapter + "_arguments")(quick, pairs, out)
        ran = subprocess.run([executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env=environment, text=True, check=False)
        text = out.read_text() if out.exists() else ""
    if ran.returncode != 0 and not text:
        raise ProgramError(f"{program.name} ended with {ran.returncode}: {(ran.stderr or ran.stdout).strip()[-400:]}")
    try:
        return list(getattr(adapters, program.adapter)(text))
    except (adapters.AdapterError, KeyError, ValueError) as error:
        raise ProgramError(f"{program.name}: {error}") from None
