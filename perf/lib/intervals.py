"""perf/lib/intervals.py: how sure a median or a percentile is.

No shape of the noise is assumed. The interval of a quantile comes from the order of the values alone
(the number of values below it is binomial); that of a quotient of two medians from a bootstrap.
"""

import functools
import math
import random
import statistics
from collections import Counter
from typing import NamedTuple

DRAWS = 20_000
SEED = 20_260_101


class Interval(NamedTuple):
    """`low` to `high`; an end that the values cannot bound is infinite."""

    low: float
    high: float
    confidence: float


def quantile(values, fraction):
    """The smallest value that `fraction` of all do not exceed: one that was measured."""
    ordered = sorted(values)
    return ordered[max(1, math.ceil(fraction * len(ordered))) - 1]


@functools.lru_cache(maxsize=256)
def _below(count, fraction):
    """P(at most k of `count` values lie below the quantile), for k = 0 … count."""
    chances = [math.comb(count, k) * fraction**k * (1 - fraction) ** (count - k) for k in range(count + 1)]
    total, sums = 0.0, []
    for chance in chances:
        total += chance
        sums.append(min(1.0, total))
    return sums


def quantile_interval(values, fraction, confidence=0.95):
    """The exact interval of a quantile, from the order of the values.

    Each side may miss with half of 1 - confidence. Where even the smallest, or the largest, value
    misses more often than that, this end is infinite: no value says where the quantile ends.
    """
    ordered = sorted(values)
    count = len(ordered)
    miss = (1 - confidence) / 2
    sums = _below(count, fraction)
    # [x(i), x(j)] with 1-based ranks: P(below < i) and P(below >= j) are the two misses.
    low = max((i for i in range(count + 1) if i == 0 or sums[i - 1] <= miss), default=0)
    high = min((j for j in range(1, count + 2) if j == count + 1 or 1 - sums[j - 1] <= miss), default=count + 1)
    covered = (1.0 if high == count + 1 else sums[high - 1]) - (0.0 if low == 0 else sums[low - 1])
    return Interval(ordered[low - 1] if low > 0 else -math.inf,
                    ordered[high - 1] if high <= count else math.inf, covered)


def median_interval(values, confidence=0.95):
    """The exact interval of the median. Needs 6 values for 95 %, 8 for 99 %."""
    return quantile_interval(values, 0.5, confidence)


@functools.lru_cache(maxsize=64)
def _median_places(count, seed):
    """Of DRAWS samples with replacement from `count` sorted values: the two places that are the middle.

    The k-th smallest of the places drawn is the k-th smallest of as many uniform numbers, scaled, so
    two numbers are drawn for each sample, not `count`.
    """
    source = random.Random(f"{seed} {count}")
    lower = (count + 1) // 2  # rank of the lower middle value
    places = []
    for _ in range(DRAWS):
        first = source.betavariate(lower, count + 1 - lower)
        second = first if count % 2 else first + (1 - first) * source.betavariate(1, count - lower)
        places.append((min(count - 1, int(first * count)), min(count - 1, int(second * count))))
    return places


@functools.lru_cache(maxsize=64)
def _drawn_pairs(new_count, old_count, seed):
    """How often each pair of two medians' places is drawn: few differ, so few quotients are formed."""
    return Counter(zip(_median_places(new_count, seed), _median_places(old_count, seed + 1)))


def bootstrap_quotient(new, old, confidence=0.95, seed=SEED):
    """median(new) / median(old): its bootstrap interval over DRAWS draws of both, always the same ones."""
    new, old = sorted(new), sorted(old)
    drawn = sorted(((new[a] + new[b]) / (old[c] + old[d]), times)
                   for ((a, b), (c, d)), times in _drawn_pairs(len(new), len(old), seed).items())
    skipped = math.floor(DRAWS * (1 - confidence) / 2)
    return Interval(_value_after(skipped, drawn), _value_after(skipped, reversed(drawn)), confidence)


def _value_after(skipped, drawn):
    for value, times in drawn:
        skipped -= times
        if skipped < 0:
            return value
    raise ValueError("nothing was drawn")


def quotient(new, old):
    return statistics.median(new) / statistics.median(old)
