"""perf/lib/table.py: values and tables as people read them on a terminal."""

import math

NS_STEPS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns"))
TO_NS = {"ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9}


def number(value, is_round=False):
    """Three digits, thousands grouped; of a round one, such as a mark, no more than it has."""
    if value is None or math.isinf(value):
        return "∞" if value else "-"
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if is_round:
        return f"{value:g}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def quantity(value, unit, is_round=False):
    """Times in the unit that suits them, everything else in its own."""
    if value is None:
        return "-"
    if math.isinf(value):
        return "∞"
    if unit in TO_NS and value:
        ns = value * TO_NS[unit]
        step, name = next(((step, name) for step, name in NS_STEPS if abs(ns) >= step), NS_STEPS[-1])
        return f"{number(ns / step, is_round)} {name}"
    return f"{number(value, is_round)} {unit}" if unit not in ("", "1") else number(value, is_round)


def judged_value(row):
    """The value that is judged, and its interval."""
    if row.value is None:
        return "-"
    text = quantity(row.value, row.value_unit)
    if row.low is None:
        return text
    low = "0" if math.isinf(row.low) else quantity(row.low, row.value_unit)
    return f"{text} ({low} to {quantity(row.high, row.value_unit)})"


def mark_of(row):
    if row.target is None:
        return "-"
    return f"{'≤' if row.better == 'less' else '≥'} {quantity(row.target, row.value_unit, is_round=True)}"


def title_of(row):
    """What was measured, where, by which statistic."""
    statistic = {"ratio": "", "count": "", "growth": "", "p999": ", p99.9"}.get(row.statistic, ", " + row.statistic)
    return f"{row.metric}{statistic}" + (f"; {row.variant}" if row.variant else "")


def rows_as_text(rows):
    table = [("", "what", "ours", "baseline", "judged by", "mark", "verdict")]
    for row in rows:
        verdict = row.verdict + (f": {row.why}" if row.why else "")
        baseline = "-" if row.statistic == "count" else quantity(row.baseline, row.unit)
        table.append((row.figure, title_of(row), quantity(row.ours, row.unit), baseline,
                      judged_value(row), mark_of(row), verdict))
    return aligned(table)


def aligned(lines):
    table = list(lines)
    widths = [max(map(len, column)) for column in zip(*table)]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in table)


def change_rows(changes, judged=True):
    yield "", "what", "old", "new", "times worse", "margin", "verdict" if judged else ""
    for change in changes:
        figure, metric, variant = change.key
        interval = f" ({number(change.low)} to {number(change.high)})" if change.low != change.high else ""
        yield (figure, metric + (f"; {variant}" if variant else ""), number(change.old), number(change.new),
               number(change.times) + interval, f"{100 * change.margin:.1f} %", change.verdict if judged else "")
