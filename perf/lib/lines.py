"""perf/lib/lines.py: the JSON lines that a measuring program prints, checked; one of them is one thing seen.

Each has a "kind"; what else it must have is in KINDS. A line that is not understood is an error: a
figure that got lost on its way would be one that nobody misses.
"""

import json

NUMBER = (int, float)
SIDES = ("ours", "baseline")

KINDS = {
    "settings": {},
    "pair": {"figure": str, "metric": str, "unit": str, "better": str, "variant": str,
             "ours": NUMBER, "baseline": NUMBER, "pair": int},
    "sample": {"figure": str, "metric": str, "unit": str, "better": str, "variant": str, "value": NUMBER},
    "count": {"figure": str, "metric": str, "unit": str, "value": NUMBER},
    "histogram": {"figure": str, "variant": str, "series": str, "unit": str, "buckets": list},
    "series": {"figure": str, "variant": str, "series": str, "unit": str, "step_s": NUMBER, "values": list},
    "fault": {"figure": str, "variant": str, "label": str, "from_s": NUMBER, "to_s": NUMBER},
    "void": {"figure": str, "variant": str, "reason": str},
}


class LineError(ValueError):
    """A program printed what is not one of its lines."""


def parse(text):
    """The line as a dictionary, or None for an empty one."""
    if not text.strip():
        return None
    try:
        line = json.loads(text)
    except json.JSONDecodeError as error:
        raise LineError(f"not JSON ({error}): {text.strip()[:120]}") from None
    if not isinstance(line, dict) or line.get("kind") not in KINDS:
        raise LineError(f"'kind' is none of {', '.join(KINDS)}: {text.strip()[:120]}")
    _check(line)
    return line


def _check(line):
    kind = line["kind"]
    for name, wanted in KINDS[kind].items():
        value = line.get(name)
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise LineError(f"a {kind}'s '{name}' is {value!r}: {json.dumps(line)[:120]}")
    if "better" in line and line["better"] not in ("less", "more"):
        raise LineError(f"'better' is neither less nor more: {json.dumps(line)[:120]}")
    if kind == "pair" and line["baseline"] <= 0:
        raise LineError(f"a baseline of {line['baseline']} has no ratio: {json.dumps(line)[:120]}")
    if kind == "histogram":
        edges = [edge for edge, _ in line["buckets"]]
        if line["series"] not in SIDES or edges != sorted(edges):
            raise LineError(f"a histogram is ours or the baseline's, its edges ascend: {json.dumps(line)[:120]}")
