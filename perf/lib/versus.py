"""perf/lib/versus.py: whether something became worse: one row for each thing that both sides have.

An interval, never a point, is what is judged: worse means that all of it is worse, by more than the
margin. With k rows each interval holds with 1 - 0.01 / k, so that of 100 comparisons of the same with
the same one alarms at most.
"""

import math
import statistics
from dataclasses import dataclass

from lib import intervals
from lib.figures import MARKS
from lib.verdicts import noise_of

ALARMS = 0.01
MARGIN_MIN = 0.03      # worse by less is nobody's loss
WIDTH_MAX = 0.10       # a wider interval answers nothing
COUNT_TOLERANCE = {"instructions": 0.02}
WORSE, NOISY, SAME, BETTER = "REGRESSION", "too noisy", "same", "better"

NONE, REGRESSION, TOO_NOISY = 0, 1, 4  # exit codes


@dataclass
class Change:
    """`times` is new / old in the direction in which more is worse: 1.05 is 5 % worse."""

    key: tuple
    old: float
    new: float
    times: float
    low: float
    high: float
    margin: float
    verdict: str


def is_judged(key, statistic):
    return any(mark.fits(*key) and mark.statistic == statistic for mark in MARKS)


def _verdict(low, high, margin):
    if low > 1 + margin:
        return WORSE
    if not high - low <= WIDTH_MAX:  # also when an end is infinite
        return NOISY
    return BETTER if high < 1 - margin else SAME


def _change(key, old, new, interval, margin, better):
    low, high = interval[:2]
    times = new / old
    if better == "more":
        times, low, high = 1 / times, 1 / high if math.isfinite(high) else 0.0, 1 / low if low > 0 else math.inf
    return Change(key, old, new, times, low, high, margin, _verdict(low, high, margin))


def confidence_for(rows):
    return 1 - ALARMS / max(1, rows)


# ---- Two reports: the ratios of one against those of the other --------------------------------------

def changes_between(old, new):
    """Of what two reports (Measured) both have pairs of and a mark is set for; and of all that is counted."""
    old_pairs, new_pairs = old.pairs(), new.pairs()
    keys = [key for key in old_pairs if key in new_pairs and old_pairs[key][0] and new_pairs[key][0]
            and (is_judged(key, "ratio") or is_judged(key, "added"))]
    old_noise, new_noise = old.noise_pairs(), new.noise_pairs()
    changes = []
    for key in keys:
        pairs = old_pairs[key][0], new_pairs[key][0]
        old_ratios, new_ratios = ([pair["ours"] / pair["baseline"] for pair in several] for several in pairs)
        noise = [noise_of(found[key][0]) for found in (old_noise, new_noise) if key in found and found[key][0]]
        interval = intervals.bootstrap_quotient(new_ratios, old_ratios, confidence_for(len(keys)))
        changes.append(_change(key, statistics.median(old_ratios), statistics.median(new_ratios), interval,
                               max([MARGIN_MIN, *noise]), pairs[0][0]["better"]))
    return [*changes, *_count_changes(old, new)]


def _count_changes(old, new):
    """A count has no noise: above the old one, and what it is allowed, is worse."""
    largest = [{key: max(line["value"] for line in lines) for key, lines in measured.counts().items()}
               for measured in (old, new)]
    for key in largest[0]:
        if key not in largest[1]:
            continue
        before, after = largest[0][key], largest[1][key]
        tolerance = next((share for word, share in COUNT_TOLERANCE.items() if word in key[1]), 0)
        is_worse = after > before * (1 + tolerance)
        times = after / before if before else (math.inf if after else 1.0)
        yield Change(key, before, after, times, times, times, tolerance,
                     WORSE if is_worse else BETTER if after < before else SAME)


# ---- Two builds: run in turns -----------------------------------------------------------------------

def changes_of_turns(turns, better):
    """`turns`: key → [(old ours, new ours, old baseline, new baseline), …], a turn of both builds each.

    The baseline is the same client in both builds: its own ratio is the noise.
    """
    confidence = confidence_for(len(turns))
    changes = []
    for key, values in turns.items():
        ratios = [new / old for old, new, _, _ in values]
        noise = noise_of([{"ours": new, "baseline": old} for _, _, old, new in values])
        old = statistics.median(value[0] for value in values)
        changes.append(_change(key, old, old * statistics.median(ratios),
                               intervals.median_interval(ratios, confidence),
                               max(MARGIN_MIN, noise if math.isfinite(noise) else 0), better[key]))
    return changes


# ---- What is said -----------------------------------------------------------------------------------

def exit_code(changes):
    verdicts = [change.verdict for change in changes]
    if WORSE in verdicts:
        return REGRESSION
    return TOO_NOISY if NOISY in verdicts else NONE


def differences(old, new):
    """What makes two reports incomparable: (what, old, new)."""
    found = []
    for section in ("machine", "versions", "settings"):
        before, after = (dict(_flat(report[section])) for report in (old, new))
        for name in sorted(before.keys() | after.keys()):
            if name.split(".")[-1] in ADDRESSES or name in ITSELF:
                continue
            if before.get(name) != after.get(name):
                found.append((f"{section}: {name}", before.get(name, "-"), after.get(name, "-")))
    return found


# Where a run finds its servers and files, and Spillway's own version, do not say how it is measured.
ADDRESSES = {"bootstrap_servers", "conninfo", "url", "path", "password_file", "topic", "database", "run", "pairs",
             "quick", "maximum_per_s"}
ITSELF = {"spillway"}


def _flat(value, prefix=""):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, f"{prefix}{name}.")
    else:
        yield prefix.rstrip("."), value
