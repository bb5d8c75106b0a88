"""tests/perf/changes_test.py: guards that the same is called the same, and a slowdown is found."""

import unittest

import generator
from lib import versus

COMPARISONS = 1_000
KEY = ("F1", "publish() p50", "200 B, paced 50 k/s")


def reports(source, slowdown, spread, count=30, figures=1):
    """Two reports; in the second the first figure is `slowdown` times as slow."""
    marked = [(figure, f"publish() {quantile}") for figure in ("F1", "F2") for quantile in ("p50", "p99")][:figures]
    return [generator.measured(*(line for n, (figure, metric) in enumerate(marked)
                                 for line in generator.pairs(source, 0.4 * (times if n == 0 else 1), count, spread,
                                                             figure, metric)))
            for times in (1.0, slowdown)]


def turns(source, slowdown, spread, count=30):
    old = [generator.noisy(source, 100, spread) for _ in range(count)]
    new = [generator.noisy(source, 100 * slowdown, spread) for _ in range(count)]
    raw = [[generator.noisy(source, 300, spread) for _ in range(count)] for _ in range(2)]
    return {KEY: list(zip(old, new, *raw))}


def regressions(comparisons, make, judge):
    return sum(versus.exit_code(judge(make(generator.of(seed)))) == versus.REGRESSION for seed in range(comparisons))


class TwoReports(unittest.TestCase):
    @staticmethod
    def judge(both):
        return versus.changes_between(*both)

    def test_the_same_against_the_same_alarms_in_one_of_a_hundred_at_most(self):
        changes = [self.judge(reports(generator.of(seed), 1.0, 0.05))[0] for seed in range(COMPARISONS)]
        self.assertLessEqual(sum(change.verdict == versus.WORSE for change in changes), COMPARISONS // 100)
        # The margin hides most of them: without it an interval misses the truth about as rarely as it says.
        missed = sum(not change.low <= 1 <= change.high for change in changes)
        self.assertLessEqual(missed, 2 * COMPARISONS // 100)
        self.assertGreater(missed, 0)

    def test_nor_does_it_more_often_when_there_are_more_figures(self):
        found = regressions(COMPARISONS // 4, lambda source: reports(source, 1.0, 0.05, figures=4), self.judge)
        self.assertLessEqual(found, COMPARISONS // 400)

    def test_a_slowdown_of_5_percent_is_found(self):
        # Each side of a pair spreads by 1 %, so a ratio of ratios by 2 %: 60 pairs show what 30 do not.
        found = regressions(COMPARISONS, lambda source: reports(source, 1.05, 0.01, count=60), self.judge)
        self.assertGreaterEqual(found, 0.95 * COMPARISONS)

    def test_one_of_5_percent_in_much_noise_is_not_called_the_same(self):
        changes = versus.changes_between(*reports(generator.of(1), 1.05, 0.2))
        self.assertEqual(versus.exit_code(changes), versus.TOO_NOISY)

    def test_what_became_quicker_is_no_regression(self):
        changes = versus.changes_between(*reports(generator.of(1), 0.8, 0.01))
        self.assertEqual([change.verdict for change in changes], [versus.BETTER])

    def test_of_a_rate_less_is_worse(self):
        source = generator.of(1)
        both = [generator.measured(*generator.pairs(source, ratio, figure="F4", metric="acked throughput",
                                                    variant="position header on both", better="more", unit="msg/s"))
                for ratio in (1.0, 0.9)]
        changes = versus.changes_between(*both)
        self.assertEqual([change.verdict for change in changes], [versus.WORSE])
        self.assertAlmostEqual(changes[0].times, 1 / 0.9, delta=0.02)

    def test_a_difference_within_the_noise_of_the_same_is_none(self):
        source = generator.of(1)
        both = [generator.measured(*generator.pairs(source, ratio), *generator.noise_pairs(source, spread=0.3))
                for ratio in (0.4, 0.42)]
        self.assertEqual(versus.changes_between(*both)[0].verdict, versus.SAME)

    def test_a_count_may_not_rise(self):
        for before, after, metric, verdict in ((0, 1, "allocations per publish", versus.WORSE),
                                               (0, 0, "allocations per publish", versus.SAME),
                                               (300, 305, "instructions per publish", versus.SAME),
                                               (300, 307, "instructions per publish", versus.WORSE)):
            both = [generator.measured(generator.count(value, metric)) for value in (before, after)]
            self.assertEqual([change.verdict for change in versus.changes_between(*both)], [verdict], (before, after))


class TwoBuilds(unittest.TestCase):
    @staticmethod
    def judge(values):
        return versus.changes_of_turns(values, {KEY: "less"})

    def test_the_same_against_the_same_alarms_in_one_of_a_hundred_at_most(self):
        found = regressions(COMPARISONS, lambda source: turns(source, 1.0, 0.05), self.judge)
        self.assertLessEqual(found, COMPARISONS // 100)

    def test_a_slowdown_of_5_percent_is_found(self):
        found = regressions(COMPARISONS, lambda source: turns(source, 1.05, 0.01), self.judge)
        self.assertGreaterEqual(found, 0.95 * COMPARISONS)

    def test_few_turns_say_nothing(self):
        changes = self.judge(turns(generator.of(1), 1.5, 0.01, count=5))
        self.assertEqual(versus.exit_code(changes), versus.TOO_NOISY)


if __name__ == "__main__":
    unittest.main()
