"""perf/lib/gallery.py: the pictures of report.html, one section for each kind that there is something for."""

import re
import statistics
from collections import defaultdict
from html import escape

from lib import histograms, svg
from lib.figures import FIGURES

PICTURES_MAX = 60  # of one kind: more would not be looked at, and the file stays small
PANELS_MAX = 6


def sections(measured, rows):
    made = (_percentiles(measured), _load(measured), _timelines(measured), _ratios(rows), _scaling(measured),
            _samples(measured, rows))
    return [one for one in made if one]


def section(title, introduction, content):
    return f'<section>\n<h2>{title}</h2>\n<p class="soft">{introduction}</p>\n{content}\n</section>'


def _grid(title, introduction, pictures):
    if not pictures:
        return ""
    return section(title, introduction, f'<div class="grid">{"".join(pictures[:PICTURES_MAX])}</div>')


def _column(title, introduction, pictures):
    return section(title, introduction, "".join(pictures[:PICTURES_MAX])) if pictures else ""


def _figure(title, picture, caption="", is_wide=False):
    note = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    class_ = ' class="wide"' if is_wide else ""
    return f'<figure{class_}><h3>{escape(title)}</h3>{picture}{note}</figure>'


def _title(figure, metric, variant):
    return f"{figure}  {metric or FIGURES[figure].title}" + (f"; {variant}" if variant else "")


# ---- Distributions ----------------------------------------------------------------------------------

def _percentiles(measured):
    pictures = []
    for (figure, metric, variant), (unit, sides) in measured.histograms().items():
        curves = {side: histograms.curve(buckets) for side, buckets in sides.items() if histograms.total(buckets) > 1}
        if curves:
            counted = ", ".join(f"{side} {histograms.total(sides[side]):,}" for side in curves)
            pictures.append(_figure(_title(figure, metric, variant), svg.percentile_curves(curves, unit),
                                    f"{FIGURES[figure].span}; values: {counted}"))
    return _grid("To the last percent",
                 "Each step to the right leaves out nine tenths of what is left: what one in 100, in 1,000, in "
                 "10,000 waits. Time counts from the moment that a call was due, so a stall is charged with all that "
                 "it delays.", pictures)


LOAD = re.compile(r"(\d[\d,.]*) ?(k|M)?(/s| %)")
THOUSANDS = {"k": 1e3, "M": 1e6, None: 1}


def _load(measured):
    lines, units = defaultdict(lambda: defaultdict(list)), {}
    for (figure, metric, variant), (unit, sides) in measured.histograms().items():
        match = LOAD.search(variant)
        if not match:
            continue
        load = float(match[1].replace(",", "")) * THOUSANDS[match[2]]
        key = figure, metric, LOAD.sub("", variant).strip(" ,;"), match[3].strip()
        units[key] = unit
        for side, buckets in sides.items():
            for name, fraction in (("p50", 0.5), ("p99", 0.99)):
                if histograms.total(buckets) >= histograms.SAMPLES_MIN[fraction]:
                    lines[key][side, name].append((load, histograms.percentile(buckets, fraction)))
    pictures = [_figure(_title(*key[:3]), svg.lines_over(several, key[3], units[key]))
                for key, several in lines.items() if _most_points(several) > 1]
    return _grid("Latency against load", "p50 solid, p99 dashed. Where a line bends upwards, its side is at its end.",
                 pictures)


def _most_points(lines):
    return max((len({place for place, _ in points}) for points in lines.values()), default=0)


# ---- Time -------------------------------------------------------------------------------------------

def _timelines(measured):
    series, faults = defaultdict(dict), defaultdict(dict)
    # Of more runs than one, the first: lines that lie on each other show nothing.
    for one in measured.lines["series"]:
        if one["values"]:
            series[one["figure"], one["variant"]].setdefault(one["series"], one)
    for fault in measured.lines["fault"]:
        faults[fault["figure"], fault["variant"]].setdefault(fault["label"], fault)
    pictures = [_figure(_title(figure, "", variant),
                        svg.timeline(list(panels.values())[:PANELS_MAX], list(faults[figure, variant].values())),
                        is_wide=True)
                for (figure, variant), panels in series.items()]
    return _column("While something is broken",
                   "One run of each kind, from its beginning. The shaded time is the fault.", pictures)


# ---- Ratios -----------------------------------------------------------------------------------------

def _ratios(rows):
    pictures = []
    for better, title in (("less", "Of costs and times, less is better"), ("more", "Of rates, more is better")):
        paired = [row for row in rows if row.statistic == "ratio" and row.values and row.better == better]
        if paired:
            pictures.append(_figure(title, svg.ratios(paired[:PICTURES_MAX]), is_wide=True))
    return _column("Ours to the baseline's",
                   "Small dots are single pairs of slices, the large one their median, the bar its exact 95 % "
                   "interval, the short upright line the mark. The grey band is the noise: what the baseline against "
                   "itself shows.", pictures)


# ---- Growth -----------------------------------------------------------------------------------------

SIZE = re.compile(r"\b(\d[\d,]*) ?(kB|B|publishers?|lanes?|headers?|partitions?|keys?|rows)\b"
                  r"|\b(publishers|lanes|headers) (\d[\d,]*)\b")


def _sizes_in(variant):
    """Each (number, of what, the rest): "2 lanes, 16 kB" is 2 lanes of ", 16 kB" and 16,000 B of "2 lanes"."""
    for found in SIZE.finditer(variant):
        size, what = (found[1], found[2]) if found[1] else (found[4], found[3])
        rest = ", ".join(part for part in re.split("[,;] ", variant[:found.start()] + variant[found.end():]) if part)
        number = float(size.replace(",", "")) * (1_000 if what == "kB" else 1)
        yield number, "B" if what in ("B", "kB") else what.rstrip("s") + "s", rest


def _scaling(measured):
    lines, units = defaultdict(lambda: defaultdict(list)), {}
    for (figure, metric, variant), (pairs, _) in measured.pairs().items():
        for size, what, rest in _sizes_in(variant) if pairs else ():
            key = figure, metric, rest, what
            units[key] = pairs[0]["unit"]
            for side in ("ours", "baseline"):
                lines[key][side, ""].append((size, statistics.median(pair[side] for pair in pairs)))
    pictures = [_figure(_title(*key[:3]), svg.lines_over(several, key[3], units[key]), units[key])
                for key, several in lines.items() if _most_points(several) > 2]
    return _grid("How it grows", "Both axes are logarithmic: a straight line is a power, a level one no growth at all.",
                 pictures)


# ---- Runs -------------------------------------------------------------------------------------------

def _samples(measured, rows):
    pictures = []
    for key, samples in measured.samples().items():
        if len(samples) < 3:
            continue
        unit = samples[0]["unit"]
        mark = next((row.target for row in rows if row.key == (*key, "p99") and row.value_unit == unit), None)
        drawn = svg.strip([sample["value"] for sample in samples], unit, mark)
        parts = _parts_of(samples)
        if parts:
            drawn += svg.parts_bars(parts, statistics.median(sample["value"] for sample in samples), unit)
        caption = f"{len(samples)} runs; {FIGURES[key[0]].span}"
        pictures.append(_figure(_title(*key), drawn, caption + ("; below, the medians of its parts" if parts else "")))
    return _grid("Run by run",
                 "What happens once in a run is shown for each of them: a mean would hide the one that was late.",
                 pictures)


def _parts_of(samples):
    """The medians of what the values are made of; what a part counts, or compares with, is none."""
    parts = defaultdict(list)
    for sample in samples:
        for name, value in sample.get("parts", {}).items():
            if not name.startswith(("rows", "naked")):
                parts[name].append(value)
    return [(name, statistics.median(values)) for name, values in parts.items()]
