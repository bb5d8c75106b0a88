"""tests/perf/histograms_test.py: guards that percentiles of merged histograms are never below the truth."""

import unittest

import generator
from lib import histograms


class Merged(unittest.TestCase):
    def test_counts_of_one_edge_are_added(self):
        self.assertEqual(histograms.merged([[[10, 1], [20, 2]], [[20, 3], [30, 4]]]), [[10, 1], [20, 5], [30, 4]])

    def test_percentiles_are_upper_edges(self):
        buckets = [[10, 50], [20, 49], [30, 1]]
        self.assertEqual(histograms.percentile(buckets, 0.5), 10)
        self.assertEqual(histograms.percentile(buckets, 0.99), 20)
        self.assertEqual(histograms.percentile(buckets, 0.999), 30)
        with self.assertRaises(ValueError):
            histograms.percentile([], 0.5)

    def test_are_not_means_of_percentiles(self):
        quick, slow = [[10, 9_900], [11, 100]], [[10, 90], [1_000, 10]]
        self.assertEqual(histograms.percentile(histograms.merged([quick, slow]), 0.99), 11)


class Curve(unittest.TestCase):
    def test_ascends_to_the_last_value_with_few_points(self):
        buckets = generator.histogram(generator.of(1), 5_000, "ours")["buckets"]
        drawn = histograms.curve(buckets)
        self.assertEqual(drawn, sorted(drawn))
        self.assertEqual(drawn[-1], (1.0, buckets[-1][0]))
        self.assertLess(len(drawn), 250)
        for fraction in (0.5, 0.99):
            edge = next(edge for seen, edge in drawn if seen >= fraction)
            self.assertAlmostEqual(edge / histograms.percentile(buckets, fraction), 1, delta=0.05)


if __name__ == "__main__":
    unittest.main()
