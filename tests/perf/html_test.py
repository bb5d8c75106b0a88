"""tests/perf/html_test.py: guards that report.html needs nothing beside it, and says what was measured."""

import re
import unittest
from html.parser import HTMLParser

import generator
import whole_report
from lib import html, report
from lib.figures import FIGURES
from lib.verdicts import judge

BYTES_MAX = 1_000_000
VOID_TAGS = {"meta", "line", "path", "circle", "rect", "br"}
# Everything by which a page has something fetched, run or followed.
REFERENCE = re.compile(r"""\b(src|href|srcset|action|data|poster|background|xlink:href|formaction)\s*=|url\(|@import
                           |<(script|iframe|object|embed|img|link|base|form|use|foreignObject)\b|\bon\w+\s*=\s*["']
                           |https?:|//[a-z]""", re.IGNORECASE | re.VERBOSE)


class Outline(HTMLParser):
    """Tags that are open when they should not be, and the texts of headings."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.headings, self.drawn = [], [], [], []
        self._in_heading = False

    def handle_starttag(self, tag, attrs):
        if tag == "svg":
            self.drawn.append(dict(attrs).get("viewbox"))
        if tag not in VOID_TAGS:
            self.open.append(tag)
        self._in_heading = tag == "h2"

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append((tag, self.getpos()))
        self._in_heading = False

    def handle_data(self, data):
        if self._in_heading:
            self.headings.append(data)


def page_of(*lines, run=None):
    measured = generator.measured(*lines)
    rows = judge(measured, list(FIGURES), 2)
    made = report.make({**whole_report.RUN, **(run or {})}, whole_report.MACHINE, {}, measured, rows)
    return html.page(made, rows, measured)


class ThePage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.report, cls.rows, cls.measured = whole_report.made()
        cls.page = html.page(cls.report, cls.rows, cls.measured)

    def test_refers_to_nothing_outside_itself(self):
        found = REFERENCE.search(self.page)
        self.assertIsNone(found, found and self.page[max(0, found.start() - 80):found.end() + 80])

    def test_a_reference_would_be_found(self):
        for reference in ('<img src="a.png">', "<script>", "@import 'a.css'", "background: url(a.png)", '<a href="#x">',
                          "https:", '<b onclick="x()">', '<link rel="icon">', "//cdn"):
            self.assertIsNotNone(REFERENCE.search(reference), reference)

    def test_is_below_a_megabyte(self):
        self.assertLess(len(self.page.encode()), BYTES_MAX)

    def test_follows_the_readers_light_or_dark(self):
        self.assertIn("prefers-color-scheme: dark", self.page)
        colours = re.findall(r'(?:fill|stroke)="#', self.page)
        self.assertEqual(colours, [])  # each by class: one that is written out stays as it is in the dark

    def test_is_well_formed_and_has_each_section_once(self):
        outline = Outline()
        outline.feed(self.page)
        self.assertEqual((outline.wrong, outline.open), ([], []))
        self.assertEqual(outline.headings, [
            "The verdicts", "To the last percent", "Latency against load", "While something is broken",
            "Ours to the baseline's", "How it grows", "Run by run", "The machine, and how to do it again"])

    def test_nothing_drawn_is_no_number(self):
        self.assertIsNone(re.search(r'"[^"<>]*\b(nan|inf)\b[^"<>]*"', self.page))

    def test_each_verdict_is_in_it(self):
        for verdict in ("stretch", "met", "MISSED", "not judged"):
            self.assertRegex(self.page, rf'<td class="verdict \w+">{verdict}')
        missed = sum(row.verdict == "MISSED" for row in self.rows)
        self.assertEqual(self.page.count('<td class="verdict missed">'), missed)

    def test_says_how_to_do_it_again(self):
        self.assertIn("perf/run --pairs 30", self.page)
        self.assertIn("0123456789", self.page)

    def test_a_large_run_stays_small(self):
        source = generator.of(1)
        lines = [generator.histogram(source, 1e5 * n, side, variant=f"{n} k/s", counted=400_000)
                 for n in range(1, 41) for side in ("ours", "baseline")]
        lines += [line for n in range(60) for line in generator.pairs(source, 1.1, 200, variant=f"{n} B")]
        self.assertLess(len(page_of(*lines).encode()), BYTES_MAX)


class WhatIsNotThere(unittest.TestCase):
    def test_makes_no_section(self):
        page = page_of()
        self.assertIn("Nothing was judged", page)
        self.assertNotIn("<h2>Run by run", page)

    def test_one_of_anything_is_drawn(self):
        source = generator.of(1)
        page = page_of(*generator.pairs(source, 0.5, count=1), *generator.samples(source, 10, count=3),
                       {"kind": "histogram", "figure": "F5", "variant": "1 k/s", "series": "ours", "unit": "ns",
                        "buckets": [[0, 1], [5, 1]]},
                       generator.series(source, "acked", 0, steps=1))
        self.assertIn("Run by run", page)


class Texts(unittest.TestCase):
    def test_what_a_program_says_is_no_markup(self):
        hostile = '<script>alert("x")</script>'
        page = page_of(*generator.pairs(generator.of(1), 0.5, variant=hostile),
                       *generator.samples(generator.of(1), 5, variant=hostile, parts=(hostile,)),
                       {"kind": "void", "figure": "F5", "variant": hostile, "reason": hostile},
                       generator.series(generator.of(1), hostile, 5, variant=hostile),
                       generator.fault(hostile, variant=hostile),
                       {"kind": "settings", hostile: hostile}, run={"command": hostile, "failed": {hostile: hostile}})
        self.assertNotIn("<script", page)


if __name__ == "__main__":
    unittest.main()
