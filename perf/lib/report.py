"""perf/lib/report.py: report.json: written by perf/run, read by perf/compare."""

import json
from pathlib import Path

from lib.figures import FIGURES
from lib.measured import KEPT, Measured
from lib.verdicts import judge

SCHEMA = 1
SECTIONS = ("run", "machine", "versions", "settings", "measured", "rows")


class ReportError(ValueError):
    """No report, or of another schema."""


def make(run, machine, versions, measured, rows):
    dropped = [pair for _, pairs in measured.pairs().values() for pair in pairs]
    return {"schema": SCHEMA, "run": run, "machine": machine, "versions": versions, "settings": measured.settings,
            "rows": [row.as_json() for row in rows], "dropped": dropped, "measured": measured.lines}


def write(path, report):
    Path(path).write_text(json.dumps(report, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")


def read(path):
    try:
        report = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise ReportError(f"{path} is no JSON: {error}") from None
    if not isinstance(report, dict) or report.get("schema") != SCHEMA:
        seen = report.get("schema") if isinstance(report, dict) else None
        raise ReportError(f"{path} is of schema {seen}, and this reads {SCHEMA}; measure again with perf/run")
    missing = [name for name in SECTIONS if name not in report]
    missing += [kind for kind in KEPT if kind not in report.get("measured", {})]
    if missing:
        raise ReportError(f"{path} has no {', '.join(missing)}; measure again with perf/run")
    return report


def judged_rows(report):
    """Its rows judged anew: by the marks of today, with the values that are behind them."""
    measured = Measured.from_report(report)
    return judge(measured, list(FIGURES), report["machine"]["cores"])
