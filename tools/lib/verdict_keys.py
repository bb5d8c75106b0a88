#!/usr/bin/env python3
# tools/lib/verdict_keys.py: what clang-tidy's verdict of each source hangs on, as a key.
#
# usage: tools/lib/verdict_keys.py ROOT BUILD_DIRECTORY [FILE...]
#
# Prints KEY FILE, a line for each source of ours that the build compiles, or for these only. The key is a hash of the
# checks, of the file's commands, and of the file and our headers that it includes, as ninja noted them
# when it compiled them. Of what it has not compiled yet nobody knows the headers: that key is `unknown`.

import functools
import hashlib
import json
import pathlib
import re
import subprocess
import sys


@functools.cache
def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_includes(build):
    """Object file, as ninja names it → paths of what it was made from."""
    noted = subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True, capture_output=True, text=True)
    includes = {}
    for line in noted.stdout.splitlines():
        if line.startswith(" "):
            includes[target].append((build / line.strip()).resolve())
        elif ": #deps" in line:
            target = line.split(":")[0]
            includes[target] = []
    return includes


def is_ours(path, root, build):
    return path.is_relative_to(root) and not path.is_relative_to(build) and path.is_file()


def checks_of(source, root):
    settings = (directory / ".clang-tidy" for directory in source.parents if directory.is_relative_to(root))
    return [path for path in settings if path.exists()]


def key_of(source, commands, includes, root, build):
    objects = [re.search(r" -o (\S+)", command).group(1) for command in commands]
    if any(name not in includes for name in objects):
        return "unknown"
    headers = {path for name in objects for path in includes[name] if is_ours(path, root, build)}
    parts = commands + [f"{path} {digest(path)}" for path in sorted(headers | {source, *checks_of(source, root)})]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def main():
    root, build, *wanted = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    commands = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["file"]).resolve()
        if source.suffix == ".cpp" and is_ours(source, root, build):
            commands.setdefault(source, []).append(entry["command"])
    for source in wanted:
        if source not in commands:
            sys.exit(f"{source} is not compiled in {build}")
    includes = read_includes(build)
    for source in wanted or sorted(commands):
        print(key_of(source, sorted(commands[source]), includes, root, build), source)


main()
