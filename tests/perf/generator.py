"""tests/perf/generator.py: lines as the measuring programs print them, made of seeded noise."""

import math
import random

from lib.measured import Measured


def noisy(source, centre, spread):
    """Log-normal about `centre`, and one in twenty disturbed: a third to twice as much again."""
    value = centre * math.exp(source.gauss(0, spread))
    return value * source.uniform(1.3, 3) if source.random() < 0.05 else value


def pairs(source, ratio, count=30, spread=0.01, figure="F1", metric="publish() p50", variant="200 B, paced 50 k/s",
          better="less", unit="ns", baseline=200.0, steal=0.0):
    """Ours is `ratio` times the baseline. Both drift together, and each has noise of its own."""
    drift = 1.0
    for number in range(count):
        drift *= math.exp(source.gauss(0, 0.05))
        theirs = noisy(source, baseline * drift, spread)
        yield {"kind": "pair", "figure": figure, "metric": metric, "unit": unit, "better": better,
               "variant": variant, "ours": ratio * noisy(source, baseline * drift, spread), "baseline": theirs,
               "pair": number, "order": "AB" if number % 2 == 0 else "BA", "steal": steal}


def noise_pairs(source, metric="publish() p50", **more):
    return pairs(source, 1.0, metric="noise: " + metric, **more)


def samples(source, centre, count=50, spread=0.2, figure="F8", metric="failover", variant="SIGKILL", unit="ms",
            parts=()):
    for run in range(count):
        values = {part: noisy(source, centre / max(1, len(parts)), spread) for part in parts}
        yield {"kind": "sample", "figure": figure, "metric": metric, "unit": unit, "better": "less", "variant": variant,
               "value": sum(values.values()) if parts else noisy(source, centre, spread), "run": run,
               **({"parts": values} if parts else {})}


def count(value, metric="allocations per publish", limit=0, figure="F3", variant="healthy"):
    return {"kind": "count", "figure": figure, "metric": metric, "unit": "1", "variant": variant,
            "value": value, "limit": limit}


def histogram(source, centre, series, figure="F5", variant="10 k/s", counted=100_000, spread=0.3, tail=1.5):
    """Most about `centre` ns, one in fifty in a long tail."""
    buckets = {}
    for _ in range(counted // 50):
        is_tail = source.random() < 0.02
        value = int(centre * math.exp(source.gauss(1 if is_tail else 0, tail if is_tail else spread)))
        buckets[value] = buckets.get(value, 0) + 50
    return {"kind": "histogram", "figure": figure, "variant": variant, "series": series, "unit": "ns",
            "buckets": [[edge, buckets[edge]] for edge in sorted(buckets)]}


def series(source, name, rate, figure="F8", variant="SIGKILL", steps=120, gap=(30, 60), unit="msg/s"):
    values = [0.0 if gap[0] <= step < gap[1] else rate * source.uniform(0.95, 1.05) for step in range(steps)]
    return {"kind": "series", "figure": figure, "variant": variant, "series": name, "unit": unit,
            "step_s": 0.1, "values": values}


def fault(label="Kafka killed", figure="F8", variant="SIGKILL", begin=3.0, end=6.0):
    return {"kind": "fault", "figure": figure, "variant": variant, "label": label, "from_s": begin, "to_s": end}


def measured(*lines):
    found = Measured()
    for line in lines:
        found.add("generator", line)
    return found


def of(seed):
    return random.Random(seed)
