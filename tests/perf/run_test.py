"""tests/perf/run_test.py: guards perf/run's exit codes, its lines, and that both reports are written."""

import contextlib
import importlib.machinery
import importlib.util
import io
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import generator
from lib import programs, report

RUN = Path(__file__).resolve().parents[2] / "perf" / "run"


def load_run():
    loader = importlib.machinery.SourceFileLoader("perf_run", str(RUN))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("perf_run", loader))
    loader.exec_module(module)
    return module


class Run(unittest.TestCase):
    """With programs that are not built: each prints what the test says."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.out = Path(self.directory.name) / "out"

    def perf_run(self, lines, *arguments):
        """(exit code, stdout). `lines`: program → its lines, or an exception."""
        module = load_run()

        def run(program, *_):
            printed = lines[program.name]
            if isinstance(printed, Exception):
                raise printed
            return list(printed), {"name": program.name, "seconds": 1.0, "steal": 0.0}

        replaced = {"build": lambda _: Path(self.directory.name), "run": run,
                    "Servers": lambda _: contextlib.nullcontext(programs.Servers(are_needed=False))}
        printed = io.StringIO()
        command = ["run", *arguments, "--out", str(self.out)]
        with mock.patch.multiple(module, **replaced), mock.patch("sys.argv", command), \
                contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
            return module.main(), printed.getvalue()

    QUICK = {"publish_cost_test": [generator.count(0)]}

    def test_what_is_met_is_0_and_in_both_reports(self):
        pairs = list(generator.pairs(generator.of(1), 0.3))
        code, printed = self.perf_run({**self.QUICK, "publish_bench": pairs}, "--quick")
        self.assertEqual(code, 0)
        self.assertRegex(printed, r"F1 +publish\(\) p50; 200 B, paced 50 k/s .* stretch\n")
        self.assertRegex(printed, r"\n2 met, 0 missed, \d+ not judged")
        made = report.read(self.out / "report.json")
        self.assertEqual(len(made["measured"]["pair"]), len(pairs))
        self.assertEqual(made["run"]["command"].split()[:2], ["perf/run", "--quick"])
        self.assertIn("</html>", (self.out / "report.html").read_text())

    def test_a_missed_mark_is_1(self):
        code, printed = self.perf_run({**self.QUICK, "publish_bench": generator.pairs(generator.of(1), 0.9)}, "--quick")
        self.assertEqual(code, 1)
        self.assertIn("MISSED", printed)

    def test_only_the_figures_asked_for_are_told(self):
        pairs = [*generator.pairs(generator.of(1), 0.9), *generator.pairs(generator.of(1), 0.1, figure="F2")]
        code, printed = self.perf_run({"publish_bench": pairs}, "--figures", "f2")
        self.assertEqual(code, 0)
        self.assertNotIn("F1", printed)

    def test_a_program_that_fails_is_3_and_the_others_are_reported(self):
        failed = programs.ProgramError("it ended with 3")
        code, printed = self.perf_run({**self.QUICK, "publish_bench": failed}, "--quick")
        self.assertEqual(code, 3)
        self.assertIn("not judged: it ended with 3", printed)
        self.assertEqual(len(report.read(self.out / "report.json")["measured"]["count"]), 1)

    def test_wrong_arguments_are_2(self):
        for arguments in (["--figures", "F0"], ["--figures", ""], ["--pairs", "0"], ["--what"]):
            with self.assertRaises(SystemExit) as ended:
                self.perf_run({}, *arguments)
            self.assertEqual(ended.exception.code, 2, arguments)


if __name__ == "__main__":
    unittest.main()
