"""perf/lib/measured.py: everything that the programs of a run have printed, by kind.

The lines stay as they are: report.json holds them, and a report that is read again judges the same.
"""

from collections import defaultdict

from lib import histograms

STEAL_MAX = 0.02           # of a slice's time; more, and the pair is dropped
DROPPED_SHARE_MAX = 0.20   # of a row's pairs; more, and the row is not judged
NOISE_PREFIX = "noise: "
KEPT = ("pair", "sample", "count", "histogram", "series", "fault", "void")


class Measured:
    """Lines by kind. `settings` is by program."""

    def __init__(self):
        self.lines = {kind: [] for kind in KEPT}
        self.settings = {}

    @classmethod
    def from_report(cls, report):
        measured = cls()
        measured.settings = report["settings"]
        for kind in KEPT:
            measured.lines[kind] = report["measured"][kind]
        return measured

    def add(self, program, line):
        if line["kind"] == "settings":
            self.settings[program] = {name: value for name, value in line.items() if name != "kind"}
            return
        kept = {name: value for name, value in line.items() if name != "kind"}
        if line["kind"] == "count":
            kept.setdefault("variant", "")
        self.lines[line["kind"]].append(kept)

    def only(self, figures):
        """Without what belongs to other figures."""
        for kind, lines in self.lines.items():
            self.lines[kind] = [line for line in lines if line["figure"] in figures]

    # ---- Pairs ------------------------------------------------------------------------------------

    def pairs(self):
        """(figure, metric, variant) → (pairs that count, pairs that were dropped), without A/A."""
        return self._pairs(lambda metric: not metric.startswith(NOISE_PREFIX))

    def noise_pairs(self):
        """The same of the A/A pairs, under the metric's own name."""
        return {(figure, metric.removeprefix(NOISE_PREFIX), variant): pairs
                for (figure, metric, variant), pairs
                in self._pairs(lambda metric: metric.startswith(NOISE_PREFIX)).items()}

    def _pairs(self, is_wanted):
        found = defaultdict(lambda: ([], []))
        for pair in self.lines["pair"]:
            if is_wanted(pair["metric"]):
                stolen = pair.get("steal", 0) > STEAL_MAX
                found[key_of(pair)][1 if stolen else 0].append(pair)
        return dict(found)

    # ---- The others -------------------------------------------------------------------------------

    def samples(self):
        return _by_key(self.lines["sample"])

    def counts(self):
        return _by_key(self.lines["count"])

    def histograms(self):
        """(figure, metric or "", variant) → side → unit, merged buckets."""
        found = defaultdict(lambda: defaultdict(list))
        units = {}
        for line in self.lines["histogram"]:
            key = (line["figure"], line.get("metric", ""), line["variant"])
            found[key][line["series"]].append(line["buckets"])
            units[key] = line["unit"]
        return {key: (units[key], {side: histograms.merged(several) for side, several in sides.items()})
                for key, sides in found.items()}

    def void_reasons(self, figure, variant):
        return [line["reason"] for line in self.lines["void"]
                if line["figure"] == figure and line["variant"] in ("", variant)]


def key_of(line):
    return line["figure"], line["metric"], line["variant"]


def _by_key(lines):
    found = defaultdict(list)
    for line in lines:
        found[key_of(line)].append(line)
    return dict(found)
