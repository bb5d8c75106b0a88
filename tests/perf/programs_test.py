"""tests/perf/programs_test.py: guards what becomes of a program that fails, or prints what it should not."""

import json
import os
import tempfile
import unittest
from pathlib import Path

import generator
from lib import lines, programs
from lib.figures import Program

PAIR = next(generator.pairs(generator.of(1), 0.5, count=1))


class Run(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def run_script(self, script, **more):
        path = Path(self.directory.name) / "program"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return programs.run(Program("throughput", ("F4",)), path, dict(os.environ), **more)

    def test_lines_are_taken_as_they_come(self):
        seen, how = self.run_script(f"echo '{json.dumps(PAIR)}'; echo; echo progress >&2; exit 0")
        self.assertEqual(seen, [PAIR])
        self.assertEqual(how["name"], "throughput")

    def test_flags_are_handed_on(self):
        void = '{\\"kind\\":\\"void\\",\\"figure\\":\\"F4\\",\\"variant\\":\\"\\",\\"reason\\":\\"$*\\"}'
        seen, _ = self.run_script(f'echo "{void}"', quick=True, pairs=5)
        self.assertEqual(seen[0]["reason"], "--quick --pairs 5")

    def test_one_that_fails_is_an_error_with_its_code(self):
        with self.assertRaisesRegex(programs.ProgramError, "throughput ended with 3"):
            self.run_script(f"echo '{json.dumps(PAIR)}'; exit 3")

    def test_one_that_prints_something_else_is_an_error(self):
        with self.assertRaisesRegex(programs.ProgramError, "not JSON"):
            self.run_script("echo hello")


class Lines(unittest.TestCase):
    def test_what_is_missing_or_wrong_is_refused(self):
        for change, why in (({"kind": "pear"}, "kind"), ({"ours": "fast"}, "ours"), ({"better": "larger"}, "better"),
                            ({"baseline": 0}, "ratio"), ({"pair": True}, "pair"), ({"variant": None}, "variant")):
            with self.assertRaisesRegex(lines.LineError, why):
                lines.parse(json.dumps({**PAIR, **change}))

    def test_edges_that_do_not_ascend_are_refused(self):
        histogram = {"kind": "histogram", "figure": "F5", "variant": "", "series": "ours", "unit": "ns"}
        with self.assertRaisesRegex(lines.LineError, "ascend"):
            lines.parse(json.dumps({**histogram, "buckets": [[20, 1], [10, 1]]}))

    def test_all_that_the_generator_makes_is_understood(self):
        source = generator.of(1)
        made = [*generator.pairs(source, 1), *generator.samples(source, 10, parts=("a", "b")), generator.count(0),
                generator.histogram(source, 100, "ours"), generator.series(source, "acked", 10), generator.fault()]
        for line in made:
            self.assertEqual(lines.parse(json.dumps(line)), line)


if __name__ == "__main__":
    unittest.main()
