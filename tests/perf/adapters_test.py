"""tests/perf/adapters_test.py: guards that other programs' reports become the lines they stand for."""

import json
import unittest

from lib import adapters, lines


def bench_run(case, side, repetition, p50, p99=500.0, **more):
    return {"name": f"{case}/{side}/iterations:25000/manual_time/threads:1", "run_type": "iteration",
            "repetition_index": repetition, "p50": p50, "p99": p99, **more}


def bench_report(*runs):
    return json.dumps({"benchmarks": runs})


class PublishBench(unittest.TestCase):
    def test_pairs_the_repetitions_of_ours_and_each_baseline(self):
        case = "call, at 50k"
        found = list(adapters.publish_bench(bench_report(
            bench_run(case, adapters.PRODUCE, 1, 220.0), bench_run(case, adapters.OURS, 0, 100.0),
            bench_run(case, adapters.OURS, 1, 110.0), bench_run(case, adapters.PRODUCE, 0, 200.0),
            bench_run(case, adapters.PRODUCEV, 0, 400.0))))
        p50 = [(line["figure"], line["pair"], line["ours"], line["baseline"]) for line in found
               if line["metric"] == "publish() p50"]
        self.assertEqual(p50, [("F1", 0, 100.0, 200.0), ("F2", 0, 100.0, 400.0), ("F1", 1, 110.0, 220.0)])
        self.assertEqual({line["variant"] for line in found}, {"200 B, paced 50 k/s"})
        for line in found:
            self.assertEqual(lines.parse(json.dumps(line)), line)

    def test_the_baseline_against_itself_is_the_noise_of_the_paced_calls(self):
        found = list(adapters.publish_bench(bench_report(
            bench_run("noise, at 50k", adapters.AGAIN, 0, 200.0),
            bench_run("noise, at 50k", adapters.PRODUCE, 0, 210.0))))
        self.assertEqual([(line["metric"], line["variant"]) for line in found],
                         [(f"noise: publish() {quantile}", "200 B, paced 50 k/s") for quantile in ("p50", "p99")])

    def test_headers_cost_what_seven_more_of_them_do(self):
        found = list(adapters.publish_bench(bench_report(
            bench_run("headers 1", adapters.OURS, 0, 100.0), bench_run("headers 8", adapters.OURS, 0, 170.0),
            bench_run("headers 1", adapters.PRODUCEV, 0, 400.0), bench_run("headers 8", adapters.PRODUCEV, 0, 750.0))))
        slopes = [(line["ours"], line["baseline"]) for line in found if line["figure"] == "F16"]
        self.assertEqual(slopes, [(10.0, 50.0)])

    def test_a_failed_benchmark_is_an_error(self):
        failed = bench_run("call, at 50k", adapters.OURS, 0, 0.0, error_occurred=True,
                           error_message="3 calls were refused")
        with self.assertRaisesRegex(adapters.AdapterError, "3 calls were refused"):
            list(adapters.publish_bench(bench_report(failed)))


class PublishCostTest(unittest.TestCase):
    @staticmethod
    def report(*tests):
        return json.dumps({"testsuites": [{"testsuite": list(tests)}]})

    def test_counts_what_each_path_does(self):
        text = self.report(
            {"name": "CountsWhatAThreadDoes"},
            {"name": "IsNoAllocationNoLockAndNoSystemCallOnTheHealthyPath",
             "allocations": "0", "locks": "0", "system_calls": "0"},
            {"name": "IsTheSameWhileTheLanesSpill", "allocations": "2", "locks": "0", "system_calls": "0"})
        found = [(line["variant"], line["metric"], line["value"]) for line in adapters.publish_cost_test(text)]
        self.assertIn(("healthy", "allocations per publish", 0), found)
        self.assertIn(("spilling", "allocations per publish", 2), found)
        self.assertEqual(len(found), 6)

    def test_a_count_that_is_not_there_is_an_error(self):
        with self.assertRaisesRegex(adapters.AdapterError, "locks"):
            list(adapters.publish_cost_test(self.report({"name": "LanesSpill", "allocations": "0"})))


if __name__ == "__main__":
    unittest.main()
