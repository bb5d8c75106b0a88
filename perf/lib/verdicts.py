"""perf/lib/verdicts.py: what was measured against the marks: one row for each thing that is said.

A row without a mark is shown, and not judged; a mark without a row is a row that says why.
"""

import math
import re
import statistics
from collections import defaultdict
from dataclasses import asdict, dataclass, field

from lib import histograms, intervals
from lib.figures import FIGURES, MARKS, Mark
from lib.measured import DROPPED_SHARE_MAX

NOT_JUDGED = "not judged"
FRACTIONS = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "p50 added": 0.5, "p99 added": 0.99}
SHOWN_UNMARKED = ("ratio", "p50", "p99", "count")
# The size that a sample's variant names, and the rest of it.
SIZE = re.compile(r"\bbacklog of ([\d,]+) rows\b")
NS = {"ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9}


@dataclass
class Row:
    figure: str
    metric: str
    variant: str
    statistic: str           # as in figures.Mark
    unit: str                # of ours and the baseline
    better: str
    ours: float | None = None
    baseline: float | None = None
    value: float | None = None  # what is judged: a ratio, a difference, a percentile, a count
    value_unit: str = ""        # "" for a ratio
    low: float | None = None
    high: float | None = None
    count: int = 0              # values behind it
    target: float | None = None
    stretch: float | None = None
    verdict: str = NOT_JUDGED
    why: str = ""               # it is not judged, or what else is to be said
    is_pictured: bool = False   # and is not listed, unless a mark is set for it
    noise: float | None = None  # |A/A ratio - 1|, the end of its interval that is further from 1
    values: list = field(default_factory=list, repr=False)  # for the picture: ratios, or samples

    @property
    def key(self):
        return self.figure, self.metric, self.variant, self.statistic

    def as_json(self):
        kept = {name: value for name, value in asdict(self).items() if name != "values"}
        return {name: None if isinstance(value, float) and math.isinf(value) else value
                for name, value in kept.items()}


def judge(measured, figures, cores, unmeasured=None):
    """Every row of the figures asked for, in their order. `unmeasured`: figure → why nothing was seen."""
    rows = [*_pair_rows(measured), *_sample_rows(measured), *_growth_rows(measured), *_histogram_rows(measured),
            *_count_rows(measured)]
    rows = [row for row in rows if row.figure in figures]
    for row in rows:
        row.why = row.why or _void_reason(row, measured)
    judged = []
    for mark in MARKS:
        if mark.figure not in figures:
            continue
        fitting = [row for row in rows if mark.fits(*row.key[:3]) and row.statistic == mark.statistic]
        for row in fitting:
            _grade(row, mark, cores)
        if not fitting:
            judged.append(_missing(mark, measured, (unmeasured or {}).get(mark.figure, "nothing of it was printed")))
    for row in rows:
        if row.statistic == "count" and row.target is None and row.baseline is not None:
            _grade(row, Mark(row.figure, row.metric, "count", row.better, row.baseline), cores)
    marked = {row.key[:3] for row in rows if row.target is not None}
    judged += [row for row in rows if row.target is not None
               or row.key[:3] not in marked and row.statistic in SHOWN_UNMARKED and not row.is_pictured]
    order = list(FIGURES)
    return sorted(judged, key=lambda row: (order.index(row.figure), row.verdict == NOT_JUDGED))


def _grade(row, mark, cores):
    row.target, row.stretch, row.better = mark.target, mark.stretch, mark.better
    if mark.unit and row.value_unit and mark.unit != row.value_unit:
        scale = NS[row.value_unit] / NS[mark.unit]
        for name in ("value", "low", "high"):
            if getattr(row, name) is not None:
                setattr(row, name, getattr(row, name) * scale)
        row.values = [value * scale for value in row.values]
        row.value_unit = mark.unit
    if row.why:
        return
    if cores < mark.cores_min:
        row.why = f"needs {mark.cores_min} cores, and there are {cores}"
        return
    row.verdict = mark.grade(row.value)
    if row.low is not None and row.low < mark.target < row.high:
        row.why = "the interval crosses the mark"


def _missing(mark, measured, why):
    name = _plain(mark.metric)
    reason = next((line["reason"] for line in measured.lines["void"] if line["figure"] == mark.figure), why)
    return Row(mark.figure, name, _plain(mark.variant), mark.statistic, mark.unit, mark.better,
               value_unit=mark.unit, target=mark.target, stretch=mark.stretch, why=reason)


def _plain(pattern):
    return re.sub(r"[\^$\\\[\]]", "", pattern).replace("|", " or ")


def _void_reason(row, measured):
    """A slice that does not count is not among the values; too many of them, and the rest does not either."""
    reasons = measured.void_reasons(row.figure, row.variant)
    if not reasons or len(reasons) <= DROPPED_SHARE_MAX * (row.count + len(reasons)):
        return ""
    return f"{len(reasons)} void: {reasons[0]}"


# ---- Rows of what was printed ---------------------------------------------------------------------

def _pair_rows(measured):
    noise = {key: noise_of(pairs) for key, (pairs, _) in measured.noise_pairs().items() if pairs}
    for (figure, metric, variant), (pairs, dropped) in measured.pairs().items():
        everything = pairs + dropped
        unit, better = everything[0]["unit"], everything[0]["better"]
        row = Row(figure, metric, variant, "ratio", unit, better, count=len(pairs))
        if len(dropped) > DROPPED_SHARE_MAX * len(everything):
            row.why = f"{len(dropped)} of {len(everything)} pairs lost to steal"
        if not pairs:
            yield row
            continue
        row.noise = noise.get((figure, metric, variant))
        row.ours = statistics.median(pair["ours"] for pair in pairs)
        row.baseline = statistics.median(pair["baseline"] for pair in pairs)
        row.values = [pair["ours"] / pair["baseline"] for pair in pairs]
        _take_median(row)
        yield row
        if unit in NS:
            added = Row(figure, metric, variant, "added", unit, "less", row.ours, row.baseline, count=len(pairs),
                        value_unit=unit, why=row.why,
                        values=[pair["ours"] - pair["baseline"] for pair in pairs])
            _take_median(added)
            if any(mark.statistic == "added" and mark.fits(*added.key[:3]) for mark in MARKS):
                yield added


def noise_of(pairs):
    """How far from 1 a ratio can be that is 1, by the A/A pairs."""
    interval = intervals.median_interval([pair["ours"] / pair["baseline"] for pair in pairs])
    ends = [end for end in interval[:2] if math.isfinite(end)]
    return max((abs(end - 1) for end in ends), default=math.inf)


def _take_median(row):
    row.value = statistics.median(row.values)
    row.low, row.high, _ = intervals.median_interval(row.values)


def _sample_rows(measured):
    for (figure, metric, variant), samples in measured.samples().items():
        unit, better = samples[0]["unit"], samples[0]["better"]
        values = [sample["value"] for sample in samples]
        beside = [sample for sample in samples if sample.get("baseline", 0) > 0]
        baseline = statistics.median(sample["baseline"] for sample in beside) if beside else None
        shared = {"ours": statistics.median(values), "baseline": baseline, "count": len(values)}
        for statistic in ("p50", "p99"):
            row = Row(figure, metric, variant, statistic, unit, better, **shared, value_unit=unit, values=values)
            _take_quantile(row)
            yield row
        if not beside:
            continue
        for statistic in ("p50 added", "p99 added"):
            added = Row(figure, metric, variant, statistic, unit, better, **shared, value_unit=unit,
                        values=[_above_baseline(sample) for sample in beside])
            _take_quantile(added)
            yield added
        ratio = Row(figure, metric, variant, "ratio", unit, better, **shared,
                    values=[sample["value"] / sample["baseline"] for sample in beside])
        _take_median(ratio)
        yield ratio


def _above_baseline(sample):
    """What a failover's COPY takes at best is in its baseline; its mark is over the silence alone."""
    return sample["value"] - sample["baseline"] + sample.get("parts", {}).get("naked COPY", 0)


def _growth_rows(measured):
    """Of samples whose variant names a size: the largest against the smallest."""
    found = defaultdict(dict)
    for (figure, metric, variant), samples in measured.samples().items():
        size = SIZE.search(variant)
        if size:
            rest = SIZE.sub("", variant).strip(" ,;")
            found[figure, metric, rest][int(size[1].replace(",", ""))] = samples
    for (figure, metric, rest), sizes in found.items():
        small, large = min(sizes), max(sizes)
        if small == large:
            continue
        values = [[sample["value"] for sample in sizes[size]] for size in (large, small)]
        row = Row(figure, metric, f"{large:,} rows to {small:,} rows" + (f", {rest}" if rest else ""), "growth",
                  sizes[small][0]["unit"], "less", *map(statistics.median, values), count=sum(map(len, values)))
        row.value = intervals.quotient(*values)
        row.low, row.high, _ = intervals.bootstrap_quotient(*values)
        yield row


def _take_quantile(row):
    fraction = FRACTIONS[row.statistic]
    row.value = intervals.quantile(row.values, fraction)
    row.low, row.high, _ = intervals.quantile_interval(row.values, fraction)


def _histogram_rows(measured):
    for (figure, metric, variant), (unit, sides) in measured.histograms().items():
        name = metric or FIGURES[figure].title
        ours, baseline = sides.get("ours"), sides.get("baseline")
        if not ours:
            continue
        for statistic in ("p50", "p99", "p999"):
            row = Row(figure, name, variant, statistic, unit, "less", value_unit=unit, is_pictured=True,
                      count=histograms.total(ours))
            row.ours = row.value = histograms.percentile(ours, FRACTIONS[statistic])
            row.baseline = histograms.percentile(baseline, FRACTIONS[statistic]) if baseline else None
            needed = histograms.SAMPLES_MIN[FRACTIONS[statistic]]
            if row.count < needed:
                row.why = f"{row.count:,} values, and {100 * FRACTIONS[statistic]:g} % wants {needed:,}"
            yield row


def _count_rows(measured):
    for (figure, metric, variant), counts in measured.counts().items():
        largest = max(counts, key=lambda count: count["value"])
        row = Row(figure, metric, variant, "count", largest["unit"], "less", ours=largest["value"],
                  baseline=largest.get("limit"), value=largest["value"], value_unit=largest["unit"], count=len(counts))
        yield row
