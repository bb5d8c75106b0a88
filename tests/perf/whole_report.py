"""tests/perf/whole_report.py: a report that has one of everything; run by itself, it writes report.html."""

import sys
from pathlib import Path

import generator
from lib import html, report
from lib.figures import FIGURES
from lib.verdicts import judge

MACHINE = {"cpu": "A processor", "cores": 2, "memory_gib": 8.0, "kernel": "6.1.0", "clock_source": "tsc",
           "system": "Debian GNU/Linux 12"}
RUN = {"commit": "0123456789abcdef", "dirty": True, "start": "2026-01-02T03:04:05+00:00",
       "command": "perf/run --pairs 30", "quick": False, "seconds": 1_830, "steal": 0.003, "load": 1.7,
       "programs": [], "failed": {}}


def lines(seed=7):
    source = generator.of(seed)
    for metric, ratio, theirs in (("publish() p50", 0.42, 210.0), ("publish() p99", 0.12, 3_400.0)):
        yield from generator.pairs(source, ratio, metric=metric, baseline=theirs, spread=0.04)
        yield from generator.noise_pairs(source, metric, baseline=theirs, spread=0.04)
        yield from generator.pairs(source, ratio / 1.6, metric=metric, figure="F2", baseline=1.6 * theirs, spread=0.04)
    for kind in ("allocations", "locks", "system calls"):
        for path in ("healthy", "spilling"):
            yield generator.count(0, f"{kind} per publish", variant=path)
    for variant, ratio in (("200 B, position header on both", 0.985), ("200 B, header on ours only", 0.88)):
        yield from generator.pairs(source, ratio, 30, 0.03, "F4", "acked throughput", variant, "more", "msg/s",
                                   430_000.0)
    yield from generator.pairs(source, 1.08, 30, 0.03, "F4", "CPU per acked message", "200 B", baseline=1_450.0)
    for payload in (64, 256, 1_024, 4_096, 16_384, 65_536):
        yield from generator.pairs(source, 1.0, 9, 0.02, "F15", "acked throughput",
                                   f"1 lane, {payload} B, 1 partition, header on both", "more", "msg/s",
                                   5e8 / (900 + payload))
    for publishers in (1, 2, 4, 8, 16):
        yield from generator.pairs(source, 0.45, 9, 0.02, "F14", "ns per publish", f"{publishers} publishers",
                                   baseline=240.0 * publishers**0.6)
    for rate, load in (("10 k/s", 1), ("50 k/s", 1.3), ("100 k/s", 2.6), ("200 k/s", 9)):
        yield generator.histogram(source, 210_000 * load, "ours", variant=rate)
        yield generator.histogram(source, 160_000 * load, "baseline", variant=rate)
    yield from generator.samples(source, 14, parts=("detect", "COPY of the held", "COPY of the rest"))
    yield from ({**line, "baseline": 150} for line in generator.samples(source, 165, variant="SIGSTOP", spread=0.02))
    yield generator.series(source, "acked", 20_000)
    yield generator.series(source, "publish() p99", 900, gap=(0, 0), unit="ns")
    yield generator.fault()
    yield {"kind": "void", "figure": "F5", "variant": "400 k/s", "reason": "rate not held: 310,000/s of 400,000/s"}
    yield {"kind": "settings", "spillway": {"lanes.count": "1", "postgres.conninfo": "host=127.0.0.1"}}


def made(seed=7):
    """The report, its rows, and what was measured."""
    measured = generator.measured(*lines(seed))
    rows = judge(measured, list(FIGURES), MACHINE["cores"], {"F9": "there is no program recovery"})
    return report.make(RUN, MACHINE, {"librdkafka": "2.0.2", "PostgreSQL": "15.8"}, measured, rows), rows, measured


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(html.page(*made()), encoding="utf-8")
