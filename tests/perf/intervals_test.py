"""tests/perf/intervals_test.py: guards how sure a median and a percentile are said to be."""

import math
import statistics
import unittest

import generator
from lib import intervals


class OrderStatistics(unittest.TestCase):
    def test_a_quantile_is_a_value_that_was_measured(self):
        self.assertEqual(intervals.quantile([3, 1, 2], 0.5), 2)
        self.assertEqual(intervals.quantile(range(1, 51), 0.99), 50)
        self.assertEqual(intervals.quantile(range(1, 201), 0.99), 198)

    def test_the_interval_of_a_median_is_that_of_the_tables(self):
        # Known ranks of the 95 % interval: of 30 values the 10th and the 21st, of 50 the 18th and the 33rd.
        self.assertEqual(intervals.median_interval(range(1, 31))[:2], (10, 21))
        self.assertEqual(intervals.median_interval(range(1, 51))[:2], (18, 33))

    def test_its_confidence_is_the_binomial_sum(self):
        low, high, confidence = intervals.median_interval(range(1, 31))
        inside = sum(math.comb(30, k) for k in range(low, high)) / 2**30
        self.assertAlmostEqual(confidence, inside)
        self.assertGreaterEqual(confidence, 0.95)

    def test_too_few_values_bound_nothing(self):
        self.assertEqual(intervals.median_interval([1, 2, 3, 4, 5])[:2], (-math.inf, math.inf))
        self.assertEqual(intervals.median_interval([1, 2, 3, 4, 5, 6])[:2], (1, 6))

    def test_fifty_values_do_not_bound_a_p99_from_above(self):
        low, high, _ = intervals.quantile_interval(range(1, 51), 0.99)
        self.assertEqual((low, high), (48, math.inf))

    def test_it_covers_the_truth_as_often_as_it_says(self):
        source = generator.of(1)
        covered = 0
        for _ in range(2_000):
            low, high, _ = intervals.median_interval([source.gauss(0, 1) for _ in range(30)])
            covered += low <= 0 <= high
        self.assertGreaterEqual(covered, 0.94 * 2_000)
        self.assertLess(covered, 0.985 * 2_000)  # one that is always right says nothing


class Bootstrap(unittest.TestCase):
    def test_is_the_same_each_time(self):
        source = generator.of(2)
        new, old = ([source.gauss(1, 0.02) for _ in range(31)] for _ in range(2))
        self.assertEqual(intervals.bootstrap_quotient(new, old), intervals.bootstrap_quotient(new, old))

    def test_draws_medians_as_a_sample_with_replacement_has_them(self):
        for count in (30, 31):
            source = generator.of(3)
            values = [source.gauss(10, 1) for _ in range(count)]
            plain = sorted(statistics.median(source.choices(values, k=count)) for _ in range(20_000))
            low, high, _ = intervals.bootstrap_quotient(values, [1.0] * count)
            self.assertAlmostEqual(low, plain[500], delta=0.05)
            self.assertAlmostEqual(high, plain[-501], delta=0.05)

    def test_covers_the_truth_as_often_as_it_says(self):
        source = generator.of(4)
        covered = 0
        for _ in range(300):
            new = [source.gauss(1.05, 0.05) for _ in range(30)]
            old = [source.gauss(1.0, 0.05) for _ in range(30)]
            low, high, _ = intervals.bootstrap_quotient(new, old, 0.95)
            covered += low <= 1.05 <= high
        self.assertGreaterEqual(covered, 0.92 * 300)
        self.assertLess(covered, 300)


if __name__ == "__main__":
    unittest.main()
