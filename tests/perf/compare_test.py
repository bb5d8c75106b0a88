"""tests/perf/compare_test.py: guards perf/compare's exit codes, and what it does not compare."""

import copy
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import generator
from lib import report

COMPARE = Path(__file__).resolve().parents[2] / "perf" / "compare"
MACHINE = {"cpu": "one", "cores": 2, "memory_gib": 8.0, "kernel": "6.1", "clock_source": "tsc", "system": "Debian 12"}


def report_of(ratio, seed, spread=0.005):
    measured = generator.measured(*generator.pairs(generator.of(seed), ratio, spread=spread))
    settings = {"kafka.bootstrap_servers": f"127.0.0.1:{seed}", "lanes.count": "1"}
    measured.settings = {"throughput": {"spillway": settings}}
    return report.make({"commit": "1a2b3c4"}, MACHINE, {"librdkafka": "2.0.2", "spillway": f"0.{seed}"}, measured, [])


class Compare(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def compare(self, old, new, *flags):
        paths = []
        for name, content in (("old", old), ("new", new)):
            paths.append(Path(self.directory.name) / f"{name}.json")
            paths[-1].write_text(content if isinstance(content, str) else json.dumps(content))
        return subprocess.run([sys.executable, COMPARE, *flags, *paths], capture_output=True, text=True, check=False)

    def test_the_same_is_0_and_a_slowdown_1(self):
        ran = self.compare(report_of(0.4, 1), report_of(0.4, 2))
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertIn("same", ran.stdout)
        ran = self.compare(report_of(0.4, 1), report_of(0.5, 2))
        self.assertEqual(ran.returncode, 1)
        self.assertIn("REGRESSION", ran.stdout)

    def test_usage_is_2(self):
        self.assertEqual(self.compare(report_of(0.4, 1), report_of(0.4, 2), "--acros", "--what").returncode, 2)

    def test_what_is_no_report_is_3_and_says_the_way_out(self):
        for broken in ("{", "[]", '{"schema": 0}', '{"schema": 1}'):
            ran = self.compare(broken, report_of(0.4, 2))
            self.assertEqual(ran.returncode, 3, broken)
            self.assertIn("old.json", ran.stderr)

    def test_other_machines_and_settings_are_3_unless_across(self):
        for change in (("machine", "cpu"), ("versions", "librdkafka"), ("settings", "lanes.count")):
            new = copy.deepcopy(report_of(0.5, 2))
            place = new["settings"]["throughput"]["spillway"] if change[0] == "settings" else new[change[0]]
            place[change[1]] = "another"
            ran = self.compare(report_of(0.4, 1), new)
            self.assertEqual(ran.returncode, 3, change)
            self.assertIn(change[1], ran.stderr)
            ran = self.compare(report_of(0.4, 1), new, "--across")
            self.assertEqual(ran.returncode, 0, change)
            self.assertNotIn("REGRESSION", ran.stdout)

    def test_too_much_noise_is_4(self):
        ran = self.compare(report_of(0.4, 1, 0.3), report_of(0.4, 2, 0.3))
        self.assertEqual(ran.returncode, 4)

    def test_nothing_in_common_is_3(self):
        other = report.make({}, MACHINE, {"librdkafka": "2.0.2", "spillway": "1"}, generator.measured(), [])
        other["settings"] = report_of(0.4, 2)["settings"]
        self.assertEqual(self.compare(report_of(0.4, 1), other).returncode, 3)


if __name__ == "__main__":
    unittest.main()
