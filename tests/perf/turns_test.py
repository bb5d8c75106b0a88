"""tests/perf/turns_test.py: guards that two builds are measured in turns, and what of them is compared."""

import unittest

import generator
from lib import turns, versus

KEY = ("F1", "publish() p50", "200 B, paced 50 k/s")


class Turns(unittest.TestCase):
    def setUp(self):
        self.asked = []

    def measure(self, program, side, slowdown=1.5):
        """The new build is slower; the raw client is the same, and both drift."""
        self.asked.append((program, side))
        drift = 1 + len(self.asked) / 10
        times = slowdown if side == "new" else 1
        return [{"kind": "pair", "figure": KEY[0], "metric": KEY[1], "variant": KEY[2], "unit": "ns", "better": "less",
                 "ours": 100 * times * drift, "baseline": 300 * drift, "pair": 0},
                *generator.pairs(generator.of(1), 1, 1, metric="no mark is set for it"),
                *(generator.pairs(generator.of(1), 1, 1, figure="F2") if side == "old" else [])]

    def test_old_and_new_go_first_by_turns(self):
        turns.take(["one", "two"], self.measure, 2)
        self.assertEqual(self.asked, [("one", "old"), ("one", "new"), ("two", "old"), ("two", "new"),
                                      ("one", "new"), ("one", "old"), ("two", "new"), ("two", "old")])

    def test_what_both_have_and_a_mark_is_set_for_is_compared(self):
        taken, better = turns.take(["one"], self.measure, 8)
        self.assertEqual(list(taken), [KEY])
        self.assertEqual(len(taken[KEY]), 8)
        self.assertEqual(better[KEY], "less")

    def test_a_drift_that_hits_both_alike_is_no_slowdown(self):
        taken, better = turns.take(["one"], lambda *turn: self.measure(*turn, slowdown=1.0), 30)
        self.assertEqual(versus.changes_of_turns(taken, better)[0].verdict, versus.SAME)

    def test_a_slowdown_under_drift_is_found(self):
        taken, better = turns.take(["one"], self.measure, 30)
        change = versus.changes_of_turns(taken, better)[0]
        self.assertEqual(change.verdict, versus.WORSE)
        self.assertAlmostEqual(change.times, 1.5, delta=0.05)

    def test_fewer_turns_than_bound_a_median_are_none(self):
        self.assertEqual(turns.take(["one"], self.measure, 7)[0], {})


if __name__ == "__main__":
    unittest.main()
