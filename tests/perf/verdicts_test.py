"""tests/perf/verdicts_test.py: guards what is called met, stretch, MISSED, and when nothing is judged."""

import unittest

import generator
from lib.figures import FIGURES, MARKS, PROGRAMS, programs_for
from lib.verdicts import NOT_JUDGED, judge


def row_of(lines, figure, statistic="ratio", cores=2, unmeasured=None):
    rows = judge(generator.measured(*lines), [figure], cores, unmeasured)
    return next(row for row in rows if row.statistic == statistic and row.value is not None)


class Ratios(unittest.TestCase):
    def test_are_graded_by_their_median(self):
        for ratio, verdict in ((0.3, "stretch"), (0.45, "met"), (0.6, "MISSED")):
            row = row_of(generator.pairs(generator.of(1), ratio), "F1")
            self.assertEqual(row.verdict, verdict)
            self.assertAlmostEqual(row.value, ratio, delta=0.02)
            self.assertLess(row.low, row.value)
            self.assertGreater(row.high, row.value)
            self.assertEqual(row.why, "")

    def test_of_a_rate_more_is_better(self):
        for ratio, verdict in ((1.05, "stretch"), (0.98, "met"), (0.9, "MISSED")):
            lines = generator.pairs(generator.of(1), ratio, figure="F4", metric="acked throughput",
                                    variant="200 B, position header on both", better="more", unit="msg/s", spread=0.001)
            self.assertEqual(row_of(lines, "F4").verdict, verdict)

    def test_whose_interval_crosses_the_mark_say_so(self):
        row = row_of(generator.pairs(generator.of(1), 0.499, spread=0.1), "F1")
        self.assertEqual(row.why, "the interval crosses the mark")

    def test_without_a_mark_are_shown(self):
        row = row_of(generator.pairs(generator.of(1), 2.0, variant="64 kB"), "F1")
        self.assertEqual(row.verdict, NOT_JUDGED)
        self.assertAlmostEqual(row.value, 2, delta=0.1)

    def test_know_the_noise_of_the_baseline_against_itself(self):
        source = generator.of(1)
        lines = [*generator.pairs(source, 0.4), *generator.noise_pairs(source, spread=0.05)]
        row = row_of(lines, "F1")
        self.assertGreater(row.noise, 0.005)
        self.assertLess(row.noise, 0.1)

    def test_of_times_are_also_differences(self):
        lines = list(generator.pairs(generator.of(1), 1.5, figure="F5", metric="latency p50",
                                     variant="50 % of maximum", baseline=100_000.0, spread=0.001))
        row = row_of(lines, "F5", "added")
        self.assertEqual(row.verdict, "met")
        self.assertAlmostEqual(row.value, 50_000, delta=10_000)


class DroppedPairs(unittest.TestCase):
    def stolen(self, count):
        source = generator.of(1)
        return [*generator.pairs(source, 0.3, count=30 - count),
                *generator.pairs(source, 30.0, count=count, steal=0.1)]

    def test_do_not_count(self):
        row = row_of(self.stolen(5), "F1")
        self.assertEqual((row.count, row.verdict), (25, "stretch"))
        self.assertLess(row.value, 0.35)

    def test_void_what_has_lost_too_many(self):
        row = row_of(self.stolen(7), "F1")
        self.assertEqual((row.verdict, row.why), (NOT_JUDGED, "7 of 30 pairs lost to steal"))


class Samples(unittest.TestCase):
    def test_are_judged_by_their_percentile(self):
        lines = list(generator.samples(generator.of(1), 12))
        row = row_of(lines, "F8", "p99")
        self.assertEqual(row.value, max(line["value"] for line in lines))
        self.assertEqual(row.verdict, "met" if row.value > 25 else "stretch")

    def test_one_late_failover_in_fifty_misses_the_mark(self):
        lines = list(generator.samples(generator.of(1), 12))
        lines[20]["value"] = 51
        self.assertEqual(row_of(lines, "F8", "p99").verdict, "MISSED")

    def test_beside_a_baseline_are_judged_by_what_they_add(self):
        lines = [{**line, "value": min(line["value"], 120), "baseline": 100}
                 for line in generator.samples(generator.of(1), 112, variant="SIGSTOP", spread=0.01)]
        row = row_of(lines, "F8", "p99 added")
        self.assertEqual(row.verdict, "met")
        self.assertLessEqual(row.value, 20)

    def test_of_a_failover_are_not_given_the_naked_copy_on_top(self):
        lines = [{**line, "value": 120, "baseline": 100, "parts": {"naked COPY": 6}}
                 for line in generator.samples(generator.of(1), 1, variant="SIGSTOP")]
        row = row_of(lines, "F8", "p99 added")
        self.assertEqual((row.value, row.verdict), (26, "MISSED"))

    def test_of_two_sizes_are_judged_by_how_they_grow(self):
        source = generator.of(1)
        lines = [line for size, cost in ((1_000, 10), (100_000, 50), (1_000_000, 11))
                 for line in generator.samples(source, cost, 5, 0.01, "F11", "one row relayed",
                                               f"backlog of {size} rows, statistics as they are", "us")]
        row = row_of(lines, "F11", "growth")
        self.assertAlmostEqual(row.value, 1.1, delta=0.05)
        self.assertEqual(row.verdict, "met")
        self.assertEqual(row.variant, "1,000,000 rows to 1,000 rows, statistics as they are")


class Histograms(unittest.TestCase):
    # No program prints a failover as a histogram; judged as its samples would be.
    LINE = {"kind": "histogram", "figure": "F8", "metric": "failover", "variant": "SIGKILL", "series": "ours",
            "unit": "ns", "buckets": [[1_000_000, 5_000], [30_000_000, 100]]}

    def test_of_several_slices_are_one_and_judged_in_the_unit_of_the_mark(self):
        row = row_of([self.LINE, self.LINE], "F8", "p99")
        self.assertEqual((row.value, row.value_unit, row.count, row.verdict), (30, "ms", 10_200, "met"))

    def test_with_too_few_values_are_not_judged(self):
        row = row_of([{**self.LINE, "buckets": [[1_000_000, 999]]}], "F8", "p99")
        self.assertEqual((row.verdict, row.why), (NOT_JUDGED, "999 values, and 99 % wants 1,000"))

    def test_without_a_mark_are_pictures_only(self):
        rows = judge(generator.measured({**self.LINE, "figure": "F5"}), ["F5"], 2)
        self.assertEqual([row for row in rows if row.value is not None], [])


class Counts(unittest.TestCase):
    def test_are_judged_by_the_largest(self):
        lines = [generator.count(0), generator.count(1), generator.count(0)]
        self.assertEqual(row_of(lines, "F3", "count").verdict, "MISSED")
        self.assertEqual(row_of(lines[:1], "F3", "count").verdict, "met")

    def test_that_have_no_mark_have_their_limit(self):
        for value, verdict in ((3, "met"), (4, "MISSED")):
            line = generator.count(value, "descriptors left open", limit=3)
            self.assertEqual(row_of([line], "F3", "count").verdict, verdict)


class WhatWasNotMeasured(unittest.TestCase):
    def test_is_a_row_with_its_reason(self):
        rows = judge(generator.measured(), ["F9"], 2, {"F9": "there is no program recovery"})
        self.assertEqual([(row.verdict, row.why) for row in rows], [(NOT_JUDGED, "there is no program recovery")] * 2)

    def test_too_many_void_slices_void_the_others(self):
        void = {"kind": "void", "figure": "F1", "variant": "200 B, paced 50 k/s", "reason": "rate not held"}
        pairs = list(generator.pairs(generator.of(1), 0.3))
        self.assertEqual(row_of([*pairs, *[void] * 7], "F1").verdict, "stretch")
        row = row_of([*pairs, *[void] * 8], "F1")
        self.assertEqual((row.verdict, row.why), (NOT_JUDGED, "8 void: rate not held"))

    def test_what_the_machine_is_too_small_for_is_not_judged(self):
        lines = list(generator.pairs(generator.of(1), 0.5, figure="F15", metric="acked throughput",
                                     variant="4 lanes, 200 B", better="more", unit="msg/s"))
        self.assertEqual(row_of(lines, "F15", cores=2).verdict, NOT_JUDGED)
        self.assertEqual(row_of(lines, "F15", cores=4).verdict, "MISSED")


class TheTable(unittest.TestCase):
    def test_each_mark_is_of_a_figure_that_a_program_carries(self):
        carried = {figure for program in PROGRAMS for figure in program.figures}
        self.assertEqual({mark.figure for mark in MARKS} - carried, set())
        self.assertEqual(carried, set(FIGURES))

    def test_a_stretch_is_harder_than_its_target(self):
        for mark in MARKS:
            if mark.stretch is not None:
                self.assertEqual(mark.stretch < mark.target, mark.better == "less", mark)

    def test_quick_is_what_is_counted_and_the_calls(self):
        self.assertEqual([program.name for program in programs_for([], quick=True)],
                         ["publish_bench", "publish_cost_test"])
        self.assertEqual([program.name for program in programs_for(["F9", "F4"], quick=False)],
                         ["throughput", "recovery"])


if __name__ == "__main__":
    unittest.main()
