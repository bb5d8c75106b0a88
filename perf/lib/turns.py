"""perf/lib/turns.py: two builds measured in turns, old and new first by turns."""

import statistics
from collections import defaultdict

from lib import versus
from lib.measured import Measured

TURNS_MIN = 8  # fewer cannot bound a median at 99 %


def take(programs, measure, count):
    """`measure(program, side)` → a run's lines, side "old" or "new".

    Answers with key → [(old ours, new ours, old baseline, new baseline), …] and key → which side is better.
    """
    turns, better = defaultdict(list), {}
    for turn in range(count):
        for program in programs:
            seen = {side: _medians(measure(program, side), better)
                    for side in (("old", "new") if turn % 2 == 0 else ("new", "old"))}
            for key in seen["old"].keys() & seen["new"].keys():
                (old, old_raw), (new, new_raw) = seen["old"][key], seen["new"][key]
                turns[key].append((old, new, old_raw, new_raw))
    return {key: turns[key] for key in sorted(turns) if len(turns[key]) >= TURNS_MIN}, better


def _medians(lines, better):
    """key → (ours, baseline) of one run, where a mark is set for it."""
    seen = Measured()
    for line in lines:
        seen.add("", line)
    found = {}
    for key, (pairs, _) in seen.pairs().items():
        if pairs and (versus.is_judged(key, "ratio") or versus.is_judged(key, "added")):
            better[key] = pairs[0]["better"]
            found[key] = tuple(statistics.median(pair[side] for pair in pairs) for side in ("ours", "baseline"))
    return found
