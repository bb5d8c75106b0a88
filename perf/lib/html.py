"""perf/lib/html.py: report.html: one file that explains itself and needs nothing beside it.

The order is the reader's: what came out (here), how it looks (gallery.py), what it was measured on. Each
section appears when there is something to show.
"""

from collections import defaultdict
from html import escape
from pathlib import Path

from lib import gallery, svg
from lib.figures import FIGURES, QUESTIONS
from lib.measured import STEAL_MAX
from lib.table import judged_value, mark_of, number, quantity, title_of
from lib.verdicts import NOT_JUDGED, noise_of

STYLE = Path(__file__).with_name("style.css")
CLASSES = {"stretch": "stretch", "met": "met", "MISSED": "missed", NOT_JUDGED: "none"}


def page(report, rows, measured):
    commit = escape(report["run"]["commit"][:10])
    body = [_header(report, rows), _verdicts(rows), *gallery.sections(measured, rows), _basis(report, measured)]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Spillway, measured: {commit}</title>
<style>
{STYLE.read_text(encoding='utf-8')}</style>
</head>
<body>
<main>
{chr(10).join(body)}
</main>
</body>
</html>
"""


# ---- What came out ----------------------------------------------------------------------------------

TALLY_COLOURS = {"stretch": "var(--stretch)", "met": "var(--met)", "MISSED": "var(--missed)", NOT_JUDGED: "var(--line)"}


def _header(report, rows):
    run, machine = report["run"], report["machine"]
    marked = [row for row in rows if row.target is not None]
    counts = {verdict: sum(row.verdict == verdict for row in marked) for verdict in CLASSES}
    shown = {verdict: count for verdict, count in counts.items() if count}
    bar = "".join(f'<span style="flex:{count};background:{TALLY_COLOURS[verdict]}"></span>'
                  for verdict, count in shown.items())
    key = "".join(f'<li><i style="background:{TALLY_COLOURS[verdict]}"></i>{count} {verdict}</li>'
                  for verdict, count in shown.items())
    commit = escape(run["commit"][:10]) + (", with changes" if run["dirty"] else "")
    return f"""<header>
<h1>Spillway, measured</h1>
<p class="lead">{_lead(counts)}</p>
<div class="tally">{bar}</div>
<ul class="key">{key}</ul>
<p class="note about">Commit {commit}, {escape(run['start'])}. {escape(machine['cpu'])}, {machine['cores']} cores,
{machine['memory_gib']} GiB, {escape(machine['system'])}. A baseline ran beside ours, in turns, on the same machine.</p>
</header>"""


def _lead(counts):
    judged, missed = sum(counts.values()) - counts[NOT_JUDGED], counts["MISSED"]
    if not judged:
        return "Nothing was judged: the rows below say why."
    if missed:
        return (f"Of {judged} marks that were judged, {judged - missed} are met and "
                f"<strong>{missed} {'is' if missed == 1 else 'are'} missed</strong>.")
    return f"All {judged} marks that were judged are met, {counts['stretch']} of them by the harder one too."


def _verdicts(rows):
    heading = ('<tr><th></th><th></th><th class="n ours">Spillway</th><th class="n baseline">baseline</th>'
               '<th>better ← the mark → worse</th><th class="n">value (interval), mark</th><th>verdict</th></tr>')
    parts = [heading]
    for question in QUESTIONS:
        here = [row for row in rows if FIGURES[row.figure].question == question]
        if not here:
            continue
        parts.append(f'<tr class="question"><th colspan="7">{question}</th></tr>')
        parts += [_row(row) for row in here if row.target is not None and row.value is not None]
        parts += _unseen([row for row in here if row.value is None])
        parts += _unmarked([row for row in here if row.target is None and row.value is not None])
    return gallery.section(
        "The verdicts",
        "The upright line is the mark, in the same place in each row; left of it is better, up to eight times. "
        "The dot is the median of the pairs, or the percentile that is named, and the bar about it its exact "
        "95 % interval. The dashed line is the harder mark (stretch).",
        f'<div class="scroll"><table>{"".join(parts)}</table></div>')


def _row(row):
    class_ = CLASSES[row.verdict]
    name, _, variant = title_of(row).partition("; ")
    why = f'<small class="why">{escape(row.why)}</small>' if row.why else ""
    return (f'<tr><td class="id">{row.figure}</td><td class="what">{escape(name)}<small>{escape(variant)}</small></td>'
            f'<td class="n ours">{_ours(row)}</td><td class="n baseline">{_baseline(row)}</td>'
            f'<td class="picture">{svg.against_mark(row, class_)}</td>'
            f'<td class="n">{escape(judged_value(row))}<small>{escape(mark_of(row))}</small></td>'
            f'<td class="verdict {class_}">{row.verdict}{why}</td></tr>')


def _unseen(rows):
    """Marks that nothing was measured for: together, by why."""
    reasons = defaultdict(list)
    for row in rows:
        reasons[row.figure, row.why].append(f"{title_of(row)} ({mark_of(row)})")
    for (figure, why), names in reasons.items():
        yield (f'<tr><td class="id">{figure}</td><td colspan="5" class="unseen">{escape("; ".join(names))}</td>'
               f'<td class="verdict none">{NOT_JUDGED}<small class="why">{escape(why)}</small></td></tr>')


def _unmarked(rows):
    if not rows:
        return
    listed = "".join(f'<tr><td class="id">{row.figure}</td><td>{escape(title_of(row))}</td>'
                     f'<td class="n ours">{_ours(row)}</td><td class="n baseline">{_baseline(row)}</td>'
                     f'<td class="n">{escape(judged_value(row))}</td></tr>' for row in rows)
    yield (f'<tr><td></td><td colspan="6"><details><summary>{len(rows)} more, without a mark</summary><table><tr>'
           f'<th></th><th></th><th class="n ours">Spillway</th><th class="n baseline">baseline</th>'
           f'<th class="n">value (interval)</th></tr>{listed}</table></details></td></tr>')


def _ours(row):
    return escape(quantity(row.ours, row.unit))


def _baseline(row):
    return "" if row.statistic == "count" or row.baseline is None else escape(quantity(row.baseline, row.unit))


# ---- What it was measured on ------------------------------------------------------------------------

def _basis(report, measured):
    run = report["run"]
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in _facts(report, measured))
    settings = "".join(f"<details><summary>settings of {escape(program)}</summary>"
                       f"<pre>{escape(_settings_text(values))}</pre></details>"
                       for program, values in report["settings"].items())
    return gallery.section(
        "The machine, and how to do it again",
        "Ratios and counts carry over to other machines; absolute times, and tails most of all, do not.",
        f"<dl>{facts}</dl>\n<pre>git checkout {escape(run['commit'][:10])}\n{escape(run['command'])}</pre>\n{settings}"
        '<p class="note">report.json, beside this file, has every pair, sample and histogram. perf/compare OLD.json '
        "NEW.json tells whether something became worse; perf/ab OLD NEW runs two builds in turns, and sees more.</p>")


def _facts(report, measured):
    run, machine = report["run"], report["machine"]
    yield "processor", f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB"
    yield "system", f"{machine['system']}, kernel {machine['kernel']}, clock {machine['clock_source']}"
    yield "while it ran", f"{run['seconds']} s, load {run['load']}, {100 * run['steal']:.1f} % taken by the host"
    yield from report["versions"].items()
    if report["dropped"]:
        yield "dropped", f"{len(report['dropped'])} pairs: the host took more than {100 * STEAL_MAX:g} % of their time"
    noise = [f"{key[1]} ±{100 * noise_of(pairs):.1f} %"
             for key, (pairs, _) in measured.noise_pairs().items() if len(pairs) >= 6]
    if noise:
        yield "noise", "the baseline against itself: " + ", ".join(noise)
    for void in measured.lines["void"]:
        yield "void", f"{void['figure']} {void['variant']}: {void['reason']}"
    for program, why in run["failed"].items():
        yield "failed", f"{program}: {why}"


def _settings_text(values, indent=""):
    lines = []
    for name, value in values.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}", _settings_text(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name} = {number(value) if isinstance(value, float) else value}")
    return "\n".join(lines)
