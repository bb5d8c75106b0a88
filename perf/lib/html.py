"""perf/lib/html.py: report.html: one file that explains itself and needs nothing beside it.

The order is the reader's: what came out, then how it looks, then what it was measured on. Each section
appears when there is something to show.
"""

import re
import statistics
from collections import defaultdict
from html import escape
from pathlib import Path

from lib import histograms, svg
from lib.figures import FIGURES, QUESTIONS
from lib.measured import STEAL_MAX
from lib.table import judged_value, mark_of, number, quantity, title_of
from lib.verdicts import NOT_JUDGED, noise_of

STYLE = Path(__file__).with_name("style.css")
CLASSES = {"stretch": "stretch", "met": "met", "MISSED": "missed", NOT_JUDGED: "none"}
NOT_SHOWN = 160  # a chart for each of more histograms than that would not be looked at


def page(report, rows, measured):
    run = report["run"]
    body = [_header(report, rows), _verdicts(rows), _percentiles(measured), _load(measured), _timelines(measured),
            _ratios(rows), _scaling(measured), _samples(measured, rows), _basis(report, measured)]
    return ("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            f"<title>Spillway, measured: {escape(run['commit'][:10])}</title>\n"
            f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n<main>\n"
            + "\n".join(filter(None, body)) + "\n</main>\n</body>\n</html>\n")


def section(title, introduction, content):
    return f"<section>\n<h2>{title}</h2>\n<p class=\"soft\">{introduction}</p>\n{content}\n</section>"


def figure(title, picture, caption="", class_=""):
    class_ = f' class="{class_}"' if class_ else ""
    note = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f"<figure{class_}><h3>{escape(title)}</h3>{picture}{note}</figure>"


# ---- What came out ----------------------------------------------------------------------------------

def _header(report, rows):
    run, machine = report["run"], report["machine"]
    counts = {verdict: sum(row.verdict == verdict for row in rows) for verdict in CLASSES}
    judged = counts["stretch"] + counts["met"] + counts["MISSED"]
    missed = counts["MISSED"]
    if not judged:
        lead = "Nothing was judged: the rows below say why."
    elif missed:
        lead = (f"Of {judged} marks, {judged - missed} are met and "
                f"<strong>{missed} {'is' if missed == 1 else 'are'} missed</strong>.")
    else:
        lead = f"All {judged} marks that were judged are met, {counts['stretch']} of them by the harder one too."
    kinds = (("stretch", "var(--stretch)"), ("met", "var(--met)"), ("MISSED", "var(--missed)"),
             (NOT_JUDGED, "var(--line)"))
    bar = "".join(f'<span style="flex:{counts[name]};background:{colour}"></span>' for name, colour in kinds if counts[name])
    key = "".join(f'<li><i style="background:{colour}"></i>{counts[name]} {name}</li>' for name, colour in kinds if counts[name])
    commit = escape(run["commit"][:10]) + (", with changes" if run["dirty"] else "")
    return (f"<header>\n<h1>Spillway, measured</h1>\n<p class=\"lead\">{lead}</p>\n"
            f"<div class=\"tally\">{bar}</div>\n<ul class=\"key\">{key}</ul>\n"
            f"<p class=\"note\" style=\"margin-top:14px\">Commit {commit}, {escape(run['start'])}; "
            f"{escape(machine['cpu'])}, {machine['cores']} cores, {machine['memory_gib']} GiB, {escape(machine['system'])}. "
            "Every baseline ran beside ours, in turns, on the same machine.</p>\n</header>")


def _verdicts(rows):
    parts = []
    for question in QUESTIONS:
        here = [row for row in rows if FIGURES[row.figure].question == question]
        judged = [row for row in here if row.target is not None]
        others = [row for row in here if row.target is None]
        if not here:
            continue
        parts.append(f'<tr class="question"><th colspan="7">{question}</th></tr>')
        parts += [_row(row) for row in judged]
        if others:
            several = "".join(f"<tr><td class=\"id\">{row.figure}</td><td>{escape(title_of(row))}</td>"
                              f"<td class=\"n\">{_ours(row)}</td><td class=\"n\">{_baseline(row)}</td>"
                              f"<td class=\"n\">{judged_value(row)}</td></tr>" for row in others)
            parts.append(f'<tr><td></td><td colspan="6"><details><summary>{len(others)} more, without a mark</summary>'
                         f'<table><tr><th></th><th></th><th class="n">Spillway</th><th class="n">baseline</th>'
                         f'<th class="n">ratio or value</th></tr>{several}</table></details></td></tr>')
    heading = ('<tr><th></th><th></th><th class="n ours">Spillway</th><th class="n baseline">baseline</th>'
               '<th>better ← the mark → worse</th><th class="n">judged: value (interval), mark</th><th>verdict</th></tr>')
    return section("The verdicts",
                   "The upright line is the mark, the same place in each row; left of it is better, to eight times. "
                   "The dot is the median of the pairs, or the percentile named; the bar about it the exact 95 % interval; "
                   "the dashed line the harder mark (stretch).",
                   f'<div class="scroll"><table>{heading}{"".join(parts)}</table></div>')


def _row(row):
    class_ = CLASSES[row.verdict]
    name, _, variant = title_of(row).partition("; ")
    why = f'<small class="why">{escape(row.why)}</small>' if row.why else ""
    picture = svg.against_mark(row, class_) if row.value is not None else ""
    return (f'<tr><td class="id">{row.figure}</td><td>{escape(name)}<small>{escape(variant)}</small></td>'
            f'<td class="n ours">{_ours(row)}</td><td class="n baseline">{_baseline(row)}</td>'
            f'<td style="min-width:180px">{picture}</td>'
            f'<td class="n">{escape(judged_value(row))}<small>{escape(mark_of(row))}</small></td>'
            f'<td class="verdict {class_}">{row.verdict}{why}</td></tr>')


def _ours(row):
    return escape(quantity(row.ours, row.unit))


def _baseline(row):
    return "" if row.statistic == "count" or row.baseline is None else escape(quantity(row.baseline, row.unit))


# ---- How it looks -----------------------------------------------------------------------------------

def _percentiles(measured):
    charts = []
    for (name, metric, variant), (unit, sides) in list(measured.histograms().items())[:NOT_SHOWN]:
        curves = {side: histograms.curve(buckets) for side, buckets in sides.items() if histograms.total(buckets) > 1}
        if not curves:
            continue
        counted = ", ".join(f"{side} {histograms.total(sides[side]):,}" for side in curves)
        charts.append(figure(f"{name}  {metric or FIGURES[name].title}" + (f"; {variant}" if variant else ""),
                             svg.percentile_curves(curves, unit), f"{FIGURES[name].span}; values: {counted}"))
    if not charts:
        return ""
    return section("To the last percent",
                   "Each step to the right leaves out nine tenths of what is left: what one call in 100, in 1,000, in 10,000 "
                   "waits. Time is measured from the moment that a call was due, so a stall counts for all that it delays.",
                   f'<div class="grid">{"".join(charts)}</div>')


LOAD = re.compile(r"(\d[\d,.]*) ?(k|M)?(/s| %)")


def _load(measured):
    found = defaultdict(lambda: defaultdict(list))
    units = {}
    for (name, metric, variant), (unit, sides) in measured.histograms().items():
        match = LOAD.search(variant)
        if not match:
            continue
        load = float(match.group(1).replace(",", "")) * {"k": 1e3, "M": 1e6, None: 1}[match.group(2)]
        key = name, metric or FIGURES[name].title, match.group(3).strip(), LOAD.sub("", variant).strip(" ,;")
        units[key] = unit
        for side, buckets in sides.items():
            for what, fraction in (("p50", 0.5), ("p99", 0.99)):
                if histograms.total(buckets) >= histograms.SAMPLES_MIN[fraction]:
                    found[key][side, what].append((load, histograms.percentile(buckets, fraction)))
    charts = [figure(f"{key[0]}  {key[1]}" + (f"; {key[3]}" if key[3] else ""), svg.lines_over(lines, key[2], units[key]))
              for key, lines in found.items() if max((len(points) for points in lines.values()), default=0) > 1]
    if not charts:
        return ""
    return section("Latency against load", "p50 solid, p99 dashed. Where a line bends upwards, its side runs out of machine.",
                   f'<div class="grid">{"".join(charts)}</div>')


def _timelines(measured):
    series, faults = defaultdict(list), defaultdict(list)
    for one in measured.lines["series"]:
        if one["values"]:
            series[one["figure"], one["variant"]].append(one)
    for fault in measured.lines["fault"]:
        faults[fault["figure"], fault["variant"]].append(fault)
    charts = [figure(f"{name}  {FIGURES[name].title}" + (f"; {variant}" if variant else ""),
                     svg.timeline(_first_of_each(several), _first_of_each_fault(faults[name, variant])), class_="wide")
              for (name, variant), several in series.items()]
    if not charts:
        return ""
    return section("While something is broken", "One run of each kind, from its beginning. The shaded time is the fault.",
                   "".join(charts))


def _first_of_each(several):
    """Of more runs than one, the first: lines that lie on each other show nothing."""
    shown = {}
    for one in several:
        shown.setdefault(one["series"], one)
    return list(shown.values())[:6]


def _first_of_each_fault(faults):
    shown = {}
    for fault in faults:
        shown.setdefault(fault["label"], fault)
    return list(shown.values())


def _ratios(rows):
    paired = [row for row in rows if row.statistic == "ratio" and row.values]
    if not paired:
        return ""
    groups = [("less", "Of costs and times, less is better"), ("more", "Of rates, more is better")]
    charts = [figure(title, svg.ratios([row for row in paired if row.better == better]), class_="wide")
              for better, title in groups if any(row.better == better for row in paired)]
    return section("Ours to the baseline's",
                   "Small dots are single pairs of slices, the large one their median, the bar its exact 95 % interval, the "
                   "short upright line the mark. The grey band is the noise: what the baseline against itself may show.",
                   "".join(charts))


GROWS = re.compile(r"(?:^|\b)(\d[\d,]*) ?(kB|B|publishers?|lanes?|headers?|rows)\b|\b(publishers|payload|headers) (\d+)")
SIZES = {"kB": 1000}


def _scaling(measured):
    found, units = defaultdict(lambda: defaultdict(list)), {}
    for (name, metric, variant), (pairs, _) in measured.pairs().items():
        match = GROWS.search(variant)
        if not match or not pairs:
            continue
        size = float((match.group(1) or match.group(4)).replace(",", "")) * SIZES.get(match.group(2), 1)
        what = {"payload": "B"}.get(match.group(3)) or (match.group(2) or match.group(3)).rstrip("s").replace("kB", "B")
        key = name, metric, what, GROWS.sub("", variant, count=1).strip(" ,;B")
        units[key] = pairs[0]["unit"]
        for side in ("ours", "baseline"):
            found[key][side, ""].append((size, statistics.median(pair[side] for pair in pairs)))
    charts = [figure(f"{key[0]}  {key[1]}" + (f"; {key[3]}" if key[3] else ""),
                     svg.lines_over(lines, key[2] + ("" if key[2] == "B" else "s"), units[key]), units[key])
              for key, lines in found.items() if len(lines["ours", ""]) > 2]
    if not charts:
        return ""
    return section("How it grows", "Both axes are logarithmic: a straight line is a power, a level one is no growth at all.",
                   f'<div class="grid">{"".join(charts)}</div>')


def _samples(measured, rows):
    charts = []
    for (name, metric, variant), samples in measured.samples().items():
        if len(samples) < 3:
            continue
        unit = samples[0]["unit"]
        target = next((row.target for row in rows if row.key[:3] == (name, metric, variant) and row.statistic == "p99"), None)
        picture = svg.strip([sample["value"] for sample in samples], unit, target)
        pieces = defaultdict(list)
        for sample in samples:
            for part, value in sample.get("parts", {}).items():
                pieces[part].append(value)
        if pieces:
            picture += svg.parts_bar([(part, statistics.median(values)) for part, values in pieces.items()], unit)
        charts.append(figure(f"{name}  {metric}" + (f"; {variant}" if variant else ""), picture,
                             f"{len(samples)} runs; {FIGURES[name].span}" + ("; below: medians of its parts" if pieces else "")))
    if not charts:
        return ""
    return section("Run by run", "What happens once in a run is told for each of them: a mean would hide the one that was late.",
                   f'<div class="grid">{"".join(charts)}</div>')


# ---- What it was measured on ------------------------------------------------------------------------

def _basis(report, measured):
    run, machine = report["run"], report["machine"]
    about = {"processor": f"{machine['cpu']}, {machine['cores']} cores", "memory": f"{machine['memory_gib']} GiB",
             "system": f"{machine['system']}, kernel {machine['kernel']}, clock {machine['clock_source']}",
             "while it ran": f"{run['seconds']} s, load {run['load']}, {100 * run['steal']:.1f} % of the time taken by the host",
             **report["versions"]}
    dropped = len(report["dropped"])
    if dropped:
        about["dropped"] = f"{dropped} pairs, whose slices lost more than {100 * STEAL_MAX:g} % of their time to the host"
    for void in measured.lines["void"]:
        about[f"void, {void['figure']} {void['variant']}"] = void["reason"]
    for program, why in run.get("failed", {}).items():
        about[f"failed, {program}"] = why
    noise = [f"{key[1]} ±{100 * level:.1f} %" for key, level in _noise(measured)]
    if noise:
        about["noise"] = "the baseline against itself: " + ", ".join(noise)
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in about.items())
    command = escape(run["command"])
    settings = "".join(f"<details><summary>settings of {escape(program)}</summary><pre>{escape(_settings_text(values))}</pre></details>"
                       for program, values in report["settings"].items())
    return section("The machine, and how to do it again",
                   "Ratios and counts carry over to other machines; absolute times, and tails most of all, do not.",
                   f"<dl>{listed}</dl>\n<pre>git checkout {escape(run['commit'][:10])}\n{command}</pre>\n{settings}"
                   "<p class=\"note\">report.json, beside this file, has every pair, sample and histogram. "
                   "perf/compare OLD.json NEW.json tells whether something became worse; perf/ab OLD NEW runs two builds in turns.</p>")


def _noise(measured):
    for key, (pairs, _) in measured.noise_pairs().items():
        if len(pairs) >= 6:
            yield key, noise_of(pairs)


def _settings_text(values, indent=""):
    lines = []
    for name, value in values.items():
        if isinstance(value, dict):
            lines.append(f"{indent}{name}")
            lines.append(_settings_text(value, indent + "  "))
        else:
            lines.append(f"{indent}{name} = {value if isinstance(value, str) else number(value) if isinstance(value, float) else value}")
    return "\n".join(lines)
