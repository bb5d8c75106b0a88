"""perf/lib/figures.py: what is measured, by which program, and what it should be.

A program measures and judges nothing; a Mark says which of its values is judged, by which statistic,
and from where on it is met. Everything else that a program prints is shown, and not judged.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    name: str
    question: str  # the heading it stands under
    title: str
    span: str      # from where to where


CALL, DELIVERY, OUTAGE, RETURN, OUTBOX, SIZE = (
    "What does a call cost its caller?",
    "What does a delivery cost?",
    "What does an outage cost?",
    "How does it come back?",
    "What does the outbox cost?",
    "How does it grow?")
QUESTIONS = (CALL, DELIVERY, OUTAGE, RETURN, OUTBOX, SIZE)

FIGURES = {figure.name: figure for figure in (
    Figure("F1", CALL, "publish() against rd_kafka_produce()", "call → return"),
    Figure("F2", CALL, "publish() against rd_kafka_producev() with one header", "call → return"),
    Figure("F3", CALL, "What a publish() does besides", "counted over 1,000,000 calls"),
    Figure("F4", DELIVERY, "Acked throughput", "first call → last report, saturated"),
    Figure("F5", DELIVERY, "Latency to Kafka's ack", "the moment due → Kafka's report"),
    Figure("F6", OUTBOX, "Spill throughput", "first row to the writer → last COMMIT"),
    Figure("F7", OUTBOX, "Processing delay of an outbox row", "COMMIT → Kafka's ack for the relay"),
    Figure("F8", OUTAGE, "Failover", "Kafka is gone → all accepted until then is safe"),
    Figure("F9", RETURN, "Recovery, first row", "Kafka's first ack to a warm raw client → first row acked"),
    Figure("F10", RETURN, "Recovery, all", "first row acked → outbox empty, lanes direct"),
    Figure("F11", RETURN, "Drain of a backlog", "first read → last delete"),
    Figure("F12", OUTAGE, "publish() during an outage", "the moment due → return"),
    Figure("F13", SIZE, "Memory for each message in flight", "beyond payload and key"),
    Figure("F14", SIZE, "Publishers side by side", "call → return"),
    Figure("F15", SIZE, "Lanes and payload sizes", "first call → last report, saturated"),
    Figure("F16", CALL, "What a header costs", "slope of the time of a call"),
    Figure("F17", OUTBOX, "What a spilled row costs the database", "its whole life"),
    Figure("soak", SIZE, "Hours under load, with outages", "begin → end"),
)}


@dataclass(frozen=True)
class Mark:
    """Where a figure is met.

    `metric` and `variant` are searched for in what the program prints; statistic:
      ratio    median of the pairs' ours / baseline, or the samples'
      added    median of the pairs' ours - baseline
      p50 p99 p999   of the samples, or of the histogram, that are ours
      p50 added, p99 added   of what the samples are above their baseline
      growth   the samples' median at the largest size by that at the smallest
      count    the largest value counted
    `better` is the side of the target that meets it.
    """

    figure: str
    metric: str
    statistic: str
    better: str
    target: float
    stretch: float | None = None
    variant: str = ""
    unit: str = ""
    cores_min: int = 1

    def fits(self, figure, metric, variant):
        return (figure == self.figure and re.search(self.metric, metric) is not None
                and re.search(self.variant, variant) is not None)

    def grade(self, value):
        """"stretch", "met" or "MISSED"."""
        within = (lambda limit: value <= limit) if self.better == "less" else (lambda limit: value >= limit)
        if self.stretch is not None and within(self.stretch):
            return "stretch"
        return "met" if within(self.target) else "MISSED"


PACED = r"^200 B, paced 50 k/s$"
MARKS = (
    Mark("F1", r"^publish\(\) p50$", "ratio", "less", 0.5, 0.4, PACED),
    Mark("F1", r"^publish\(\) p99$", "ratio", "less", 0.2, 0.1, PACED),
    Mark("F2", r"^publish\(\) p50$", "ratio", "less", 0.4, 0.2, PACED),
    Mark("F2", r"^publish\(\) p99$", "ratio", "less", 0.2, 0.1, PACED),
    Mark("F3", r"^allocations per publish$", "count", "less", 0),
    Mark("F3", r"^locks per publish$", "count", "less", 0),
    Mark("F3", r"^system calls per publish$", "count", "less", 0),
    Mark("F4", r"^acked throughput$", "ratio", "more", 0.97, 1.0, r"header on both"),
    Mark("F4", r"^acked throughput$", "ratio", "more", 0.90, 0.97, r"header on ours"),
    Mark("F4", r"^CPU per acked message$", "ratio", "less", 1.15, 1.0),
    Mark("F5", r"^latency p50$", "added", "less", 100_000, 40_000, r"^50 % of maximum", "ns"),
    Mark("F5", r"^latency p99$", "ratio", "less", 1.5, 1.05, r"^50 % of maximum"),
    Mark("F6", r"^rows spilled$", "ratio", "more", 0.85, 0.95, r"against naked COPY"),
    Mark("F6", r"^rows spilled$", "ratio", "more", 20, 40, r"against one INSERT"),
    Mark("F7", r"^processing delay p50$", "p50", "less", 3, 1.2, r"^relay [^,]*,[^,]*$", "ms"),
    Mark("F7", r"^processing delay p99$", "p50", "less", 10, 5, r"^relay [^,]*,[^,]*$", "ms"),
    Mark("F8", r"^failover$", "p99", "less", 50, 25, r"^SIGKILL", "ms"),
    Mark("F8", r"^failover$", "p99 added", "less", 25, 10, r"^SIGSTOP", "ms"),
    Mark("F9", r"^first row acked", "p50 added", "less", 20, 5, unit="ms"),
    Mark("F9", r"^first row acked", "p99 added", "less", 100, 25, unit="ms"),
    Mark("F10", r"^from the first row acked", "ratio", "less", 1.5, 1.15),
    Mark("F11", r"^drain$", "ratio", "more", 0.5, 0.8, r"against a raw producer"),
    Mark("F11", r"^drain$", "ratio", "more", 5, 10, r"against a SKIP LOCKED poller"),
    Mark("F11", r"^one row relayed$", "growth", "less", 1.2, 1.05),
    Mark("F12", r"^publish\(\) p99\.9$", "ratio", "less", 2, 1.25),
    Mark("F13", r"^bytes per message in flight$", "ratio", "less", 1.3, 1.1),
    Mark("F14", r"^rate, 8 publishers to 1$", "ratio", "more", 0.5, 0.8),
    Mark("F14", r"^CPU per publish$", "ratio", "less", 1.5, 1.2, r"^2 publishers"),
    Mark("F14", r"^CPU per publish$", "ratio", "less", 1.5, 1.2, r"^(4|8) publishers", cores_min=8),
    Mark("F15", r"^acked throughput$", "ratio", "more", 0.95, 1.0, r"^1 lane"),
    Mark("F15", r"^acked throughput$", "ratio", "more", 0.95, 1.0, r"^[2-4] lanes", cores_min=4),
    Mark("F16", r"^ns per header$", "ratio", "less", 0.5, 0.25),
    Mark("F17", r"^transactions for each row spilled$", "p50", "less", 0.05, 0.005),
    Mark("F17", r"^WAL for each row, whole life$", "ratio", "less", 1.6, 1.3, r"against naked COPY"),
)


@dataclass(frozen=True)
class Program:
    """A measuring program: perf/programs/NAME.cpp unless `adapter` says how another's output is read."""

    name: str
    figures: tuple
    needs_stack: bool = True
    quick: bool = False  # part of --quick
    adapter: str = ""    # a function of lib/adapters.py
    only_asked: bool = False  # runs when its figure is named, and not otherwise


PROGRAMS = (
    Program("publish_bench", ("F1", "F2", "F14", "F16"), needs_stack=False, quick=True, adapter="publish_bench"),
    Program("publish_cost_test", ("F3",), quick=True, adapter="publish_cost_test"),
    Program("throughput", ("F4", "F15")),
    Program("latency", ("F5", "F12")),
    Program("failover", ("F8", "F12")),
    Program("recovery", ("F9", "F10")),
    Program("drain", ("F11",)),
    Program("spill", ("F6", "F17")),
    Program("delay", ("F7",)),
    Program("scale", ("F13", "F14", "F15")),
    Program("soak", ("soak",), only_asked=True),
)


def programs_for(figures, quick):
    """Those that carry one of the figures; without figures all, or the quick ones."""
    if figures:
        return [program for program in PROGRAMS if set(program.figures) & set(figures)]
    return [program for program in PROGRAMS if not program.only_asked and (program.quick or not quick)]
