"""perf/lib/histograms.py: histograms as the programs print them: [[upper edge, count], …]."""

import math
from collections import Counter

# With fewer, a percentile is the story of a few values.
SAMPLES_MIN = {0.5: 20, 0.99: 1_000, 0.999: 1_000_000, 0.9999: 10_000_000}


def merged(histograms):
    """One histogram of all counts, by edge."""
    counts = Counter()
    for buckets in histograms:
        for edge, count in buckets:
            counts[edge] += count
    return [[edge, counts[edge]] for edge in sorted(counts) if counts[edge]]


def total(buckets):
    return sum(count for _, count in buckets)


def percentile(buckets, fraction):
    """The upper edge of the bucket that holds it: never less than the truth."""
    wanted = fraction * total(buckets)
    seen = 0
    for edge, count in buckets:
        seen += count
        if count and seen >= wanted:
            return edge
    raise ValueError("an empty histogram has no percentile")


def curve(buckets, points=120):
    """(fraction, edge) along the distribution: as many points for 0 to 90 % as for 90 to 99 %, and so on."""
    count = total(buckets)
    drawn, seen, last = [], 0, -1.0
    for edge, here in buckets:
        seen += here
        depth = -math.log10(max(count - seen, 0.5) / count)
        if depth - last >= 4 / points or seen == count:
            drawn.append((seen / count, edge))
            last = depth
    return drawn
