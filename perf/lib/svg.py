"""perf/lib/svg.py: pictures as inline SVG: scales, axes, and the kinds of chart that the report has.

Colours and letters are the style sheet's, by class, so that they follow the reader's light or dark.
"""

import math
from html import escape

from lib.table import TO_NS, judged_value, number, quantity


def tag(name, content="", **attributes):
    text = "".join(f' {key.rstrip("_").replace("_", "-")}="{_short(value)}"' for key, value in attributes.items())
    return f"<{name}{text}>{content}</{name}>" if content else f"<{name}{text}/>"


def _short(value):
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else escape(str(value))


def text(x, y, content, class_=""):
    return tag("text", escape(content), x=x, y=y, class_=class_) if class_ else tag("text", escape(content), x=x, y=y)


def line(x1, y1, x2, y2, class_):
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def path(points, class_):
    drawn = " ".join(f"{'L' if n else 'M'}{x:.1f} {y:.1f}" for n, (x, y) in enumerate(points))
    return tag("path", d=drawn, class_=class_)


def picture(width, height, parts, title):
    return tag("svg", tag("title", escape(title)) + "".join(parts), viewBox=f"0 0 {width} {height}", role="img")


class Scale:
    """Values from `low` to `high` onto `begin` to `end`; outside, they stay at the edge."""

    def __init__(self, low, high, begin, end, is_log=False):
        self.low, self.high, self.begin, self.end, self.is_log = low, high, begin, end, is_log

    def __call__(self, value):
        value = min(max(value, self.low), self.high)
        if self.is_log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)

    def ticks(self):
        if not self.is_log or self.high / self.low < 6:
            step = nice_step((self.high - self.low) / (8 if self.is_log else 4))
            first = math.ceil(self.low / step)
            return [step * n for n in range(first, math.floor(self.high / step + 1e-9) + 1)]
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        many = math.log10(self.high / self.low) > 2
        return [factor * 10.0**decade for decade in decades for factor in ((1,) if many else (1, 2, 5))
                if self.low <= factor * 10.0**decade * (1 + 1e-9) and factor * 10.0**decade <= self.high * (1 + 1e-9)]


def nice_step(step):
    """1, 2 or 5 times a power of ten, not below `step`."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))


def log_scale(values, begin, end):
    """With some air about the positive ones."""
    positive = [value for value in values if value > 0]
    low, high = min(positive), max(positive)
    if high / low < 1.5:
        low, high = low / 1.3, high * 1.3
    low, high = low / 1.08, high * 1.08
    return Scale(low, high, begin, end, is_log=True)


def _y_axis(scale, left, right, unit):
    for value in scale.ticks():
        y = scale(value)
        yield line(left, y, right, y, "rule")
        name = quantity(value, unit, is_round=True) if unit in TO_NS else number(value, is_round=True)
        yield text(left - 8, y + 4, name, "end")


# ---- The mark and what was seen: all rows on one axis ----------------------------------------------

MARK_WIDTH, MARK_HEIGHT = 170, 24
MARK_TIMES_MAX = 8  # the axis ends at 8 times better, and at 8 times worse


def against_mark(row, class_):
    """The mark is the line in the middle; left of it is better. The stretch is the dashed one."""
    scale = Scale(1 / MARK_TIMES_MAX, MARK_TIMES_MAX, 6, MARK_WIDTH - 6, is_log=True)
    y = MARK_HEIGHT / 2

    def place(value):
        if value <= 0 and row.target <= 0:
            return scale(1)
        if row.better == "less":
            return scale(max(value / row.target, 1e-9) if row.target > 0 else math.inf)
        return scale(row.target / value if value > 0 else math.inf)

    parts = [line(6, y, MARK_WIDTH - 6, y, "rule"), line(scale(1), 2, scale(1), MARK_HEIGHT - 2, "mark")]
    if row.stretch is not None:
        parts.append(line(place(row.stretch), 5, place(row.stretch), MARK_HEIGHT - 5, "goal"))
    if row.value is not None:
        if row.low is not None and math.isfinite(row.low):
            ends = sorted((place(row.low), place(min(row.high, 1e300))))
            parts.append(line(ends[0], y, ends[1], y, f"whisker s-{class_}"))
        parts.append(tag("circle", cx=place(row.value), cy=y, r=4.5, class_=f"f-{class_}"))
    return picture(MARK_WIDTH, MARK_HEIGHT, parts, "distance to the mark")


# ---- Percentile curves ------------------------------------------------------------------------------

WIDTH, HEIGHT = 380, 240
LEFT, RIGHT, TOP, BOTTOM = 62, 56, 12, 34


def percentile_curves(curves, unit):
    """side → [(fraction, value), …]. As deep into the tail as one value in as many reaches."""
    deepest = max(_depth(points[-2][0] if len(points) > 1 else 0.9) for points in curves.values())
    x = Scale(0, max(2.0, deepest) + 0.4, LEFT, WIDTH - RIGHT)
    y = log_scale([value for points in curves.values() for _, value in points if value > 0], HEIGHT - BOTTOM, TOP)
    parts = list(_y_axis(y, LEFT, WIDTH - RIGHT, unit))
    for fraction in (0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999):
        if _depth(fraction) <= x.high - 0.35:
            at = x(_depth(fraction))
            parts += [line(at, TOP, at, HEIGHT - BOTTOM, "rule"),
                      text(at, HEIGHT - BOTTOM + 17, f"{100 * fraction:g}", "middle")]
    parts += [text(WIDTH - RIGHT, HEIGHT - BOTTOM + 17, "all", "middle"),
              text(WIDTH - RIGHT + 22, HEIGHT - BOTTOM + 17, "%")]
    for side in sorted(curves):  # ours above the baseline's
        drawn = [(x(_depth(fraction)), y(max(value, 1e-9))) for fraction, value in curves[side] if value > 0]
        parts.append(path(drawn, f"curve s-{side}"))
    parts += _end_labels({side: y(max(points[-1][1], 1e-9)) for side, points in curves.items()}, WIDTH - RIGHT + 6)
    return picture(WIDTH, HEIGHT, parts, "percentiles")


def _depth(fraction):
    return -math.log10(max(1 - fraction, 1e-7))


def _end_labels(heights, x):
    """A name beside the end of each line, and never two in one place."""
    last = -math.inf
    for side, y in sorted(heights.items(), key=lambda item: item[1]):
        last = max(y + 4, last + 14)
        yield text(x, last, side, f"{side}-text")


# ---- Lines over something that grows ----------------------------------------------------------------

def lines_over(series, x_name, unit):
    """(side, what) → [(x, value), …]: solid for the first `what`, dashed for the second."""
    every = [point for points in series.values() for point in points]
    places = sorted({place for place, _ in every})
    x = log_scale(places, LEFT, WIDTH - RIGHT)
    x = Scale(places[0], places[-1], LEFT + 6, WIDTH - RIGHT - 6, is_log=True) if places[0] > 0 else x
    y = log_scale([value for _, value in every], HEIGHT - BOTTOM, TOP)
    parts = list(_y_axis(y, LEFT, WIDTH - RIGHT, unit))
    parts += [text(x(place), HEIGHT - BOTTOM + 17, number_short(place), "middle") for place in places]
    parts.append(text(WIDTH - RIGHT + 14, HEIGHT - BOTTOM + 17, x_name))
    kinds = sorted({what for _, what in series})
    for (side, what), points in sorted(series.items()):
        dashed = " dashed" if kinds.index(what) else ""
        parts.append(path([(x(place), y(value)) for place, value in sorted(points)], f"curve s-{side}{dashed}"))
        parts += [tag("circle", cx=x(place), cy=y(value), r=2.6, class_=f"f-{side}") for place, value in points]
    ends = {side: y(max(points)[1]) for (side, what), points in series.items() if what == kinds[-1]}
    parts += _end_labels(ends, WIDTH - RIGHT + 8)
    if len(kinds) > 1:
        for (side, what), points in series.items():
            if side == "ours":
                place, value = min(points)
                parts.append(text(x(place) + 2, y(value) - 7, what, "ours-text"))
    return picture(WIDTH, HEIGHT, parts, f"over {x_name}")


def number_short(value):
    for size, name in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{name}"
    return f"{value:g}"


# ---- A timeline -------------------------------------------------------------------------------------

TIME_WIDTH, PANEL, GAP = 1060, 92, 26


def timeline(series, faults):
    """Panels one above the other on one time axis; what was broken, and when, is shaded through all."""
    seconds = max(len(one["values"]) * one["step_s"] for one in series)
    right = TIME_WIDTH - 20
    x = Scale(0, seconds, 70, right)
    height = len(series) * (PANEL + GAP) + 34
    bottom = height - 30
    parts = []
    for fault in faults:
        begin, end = x(fault["from_s"]), x(fault["to_s"])
        parts += [tag("rect", x=begin, y=16, width=max(1.0, end - begin), height=bottom - 16, class_="f-fault"),
                  text(begin + 4, 12, fault["label"], "fault-text")]
    for n, one in enumerate(series):
        top = 20 + n * (PANEL + GAP) + 12
        high = max([*one["values"], 1e-9])
        y = Scale(0, high * 1.05, top + PANEL - 12, top)
        parts += _y_axis(y, 70, right, one["unit"])
        points = [(x((k + 0.5) * one["step_s"]), y(value)) for k, value in enumerate(one["values"])]
        area = [(points[0][0], y(0)), *points, (points[-1][0], y(0))]
        side = "baseline" if "baseline" in one["series"] or "raw" in one["series"] else "ours"
        parts += [path(area, "f-area") if side == "ours" else "", path(points, f"curve thin s-{side}"),
                  text(70, top - 6, f"{one['series']}, {one['unit']}", "strong")]
    parts += [text(x(value), bottom + 18, number_short(value), "middle") for value in x.ticks()]
    parts.append(text(right + 2, bottom + 18, "s", "end"))
    return picture(TIME_WIDTH, height, parts, "timeline")


# ---- Ratios -----------------------------------------------------------------------------------------

RATIO_LEFT, RATIO_RIGHT, RATIO_ROW = 400, 170, 27


def ratios(rows):
    """All pairs as dots, the median, its interval; the noise of the same against the same is the band about 1."""
    every = [value for row in rows for value in (row.value, 1.0, row.target or 1.0)]
    low, high = min(every) / 1.7, max(every) * 1.7
    x = Scale(low, high, RATIO_LEFT, TIME_WIDTH - RATIO_RIGHT, is_log=True)
    height = RATIO_ROW * len(rows) + 44
    bottom = height - 26
    parts = []
    for value in x.ticks():
        parts += [line(x(value), 18, x(value), bottom, "rule"),
                  text(x(value), bottom + 17, f"{value:g}", "middle")]
    parts += [line(x(1), 14, x(1), bottom, "one"), text(x(1), 10, "as the baseline", "middle")]
    for n, row in enumerate(rows):
        y = 18 + RATIO_ROW * (n + 0.5)
        if row.noise is not None and math.isfinite(row.noise):
            begin, end = x(max(low, 1 - row.noise)), x(1 + row.noise)
            parts.append(tag("rect", x=begin, y=y - 9, width=max(1.0, end - begin), height=18, class_="f-noise"))
        parts.append(text(0, y + 4, _cut(f"{row.figure}  {row.metric}; {row.variant}", 62), "strong"))
        parts += [tag("circle", cx=x(value), cy=y + 5 * math.sin(7.0 * k), r=1.8, class_="dot")
                  for k, value in enumerate(row.values[:60])]
        if row.low is not None:
            parts.append(line(x(max(row.low, low)), y, x(min(row.high, high)), y, "whisker s-ours"))
        if row.target is not None:
            parts.append(line(x(row.target), y - 9, x(row.target), y + 9, "mark"))
        parts += [tag("circle", cx=x(row.value), cy=y, r=4.5, class_="f-ours"),
                  text(TIME_WIDTH - RATIO_RIGHT + 16, y + 4, judged_value(row), "strong")]
    return picture(TIME_WIDTH, height, parts, "ratios")


def _cut(content, most):
    content = content.removesuffix("; ")
    return content if len(content) <= most else content[:most - 1] + "…"


# ---- Samples and what they are made of --------------------------------------------------------------

def strip(values, unit, target):
    """Each run a dot; p50 and p99 are lines, the mark the heavy one."""
    ordered = sorted(values)
    most = max([ordered[-1], target or 0]) * 1.08 or 1
    x = Scale(0, most, LEFT - 50, WIDTH - 16)
    parts = []
    for value in x.ticks():
        parts += [line(x(value), 22, x(value), 84, "rule"),
                  text(x(value), 100, quantity(value, unit, is_round=True), "middle")]
    parts += [tag("circle", cx=x(value), cy=53 + 20 * math.sin(12.9898 * n + 78.2 * value), r=3.2, class_="dot")
              for n, value in enumerate(values)]
    for name, fraction in (("p50", 0.5), ("p99", 0.99)):
        value = ordered[max(1, math.ceil(fraction * len(ordered))) - 1]
        parts += [line(x(value), 22, x(value), 84, "curve thin s-ours"), text(x(value), 16, name, "middle ours-text")]
    if target:
        parts += [line(x(target), 22, x(target), 84, "mark"), text(x(target), 16, "mark", "middle strong")]
    return picture(WIDTH, 106, parts, "each run")


def parts_bars(parts, whole, unit):
    """A bar for each part: one after the other when they add up to the whole, else each from the beginning."""
    follow = sum(value for _, value in parts) <= 1.1 * whole
    x = Scale(0, max(whole, *(value for _, value in parts), 1e-9), 0, WIDTH - 210)
    drawn, begin = [], 0.0
    for n, (name, value) in enumerate(parts):
        y = 4 + 18 * n
        drawn += [text(0, y + 9, _cut(name, 22)),
                  tag("rect", x=140 + x(begin), y=y, width=max(1.0, x(value) - x(0)), height=10, class_="f-ours"),
                  text(WIDTH - 4, y + 9, quantity(value, unit), "end strong")]
        begin += value if follow else 0
    return picture(WIDTH, 8 + 18 * len(parts), drawn, "what it is made of")
