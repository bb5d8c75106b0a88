"""perf/lib/adapters.py: programs of bench/ and tests/ that carry figures: how each is run, and its output as lines."""

import json
import re

OURS, PRODUCE, PRODUCEV = "spillway:publish", "baseline:rd_kafka_produce", "baseline:rd_kafka_producev"
AGAIN = "spillway:(rd_kafka_produce)"

# bench/publish_bench's case → the variant it is here; figures by baseline.
VARIANTS = {
    "call, at 50k": "200 B, paced 50 k/s",
    "call, free": "200 B, as fast as it can",
    "64 calls, free": "200 B, mean of 64 calls",
}


class AdapterError(RuntimeError):
    """The program ran, and its output is not what it was."""


def publish_bench_arguments(quick, pairs, out):
    """Only what carries a figure. Each repetition is one side of a pair; their order is random."""
    cases = ["call, at 50k"] if quick else [*VARIANTS, "publishers [248]", "payload .*", "headers [18]"]
    wanted = f"^({'|'.join(cases)}|noise, at 50k)/({OURS}|baseline:.*|spillway:.rd_kafka_produce.)/"
    return [f"--benchmark_filter={wanted}", f"--benchmark_repetitions={pairs}",
            "--benchmark_enable_random_interleaving=true", f"--benchmark_out={out}", "--benchmark_out_format=json"]


def publish_bench(text):
    """Google Benchmark's report as pairs: the n-th repetition of ours with the n-th of a baseline."""
    runs = {}
    for run in json.loads(text)["benchmarks"]:
        if run.get("error_occurred"):
            raise AdapterError(f"{run['name']}: {run['error_message']}")
        if run["run_type"] == "iteration":
            case, side = run["name"].split("/")[:2]
            runs[case, side, run["repetition_index"]] = run
    for (case, side, repetition), run in sorted(runs.items()):
        if not side.startswith("spillway:"):
            continue
        for baseline, figure in ((PRODUCE, "F1"), (PRODUCEV, "F2")):
            other = runs.get((case, baseline, repetition))
            if other is not None:
                yield from _pairs_of(case, figure, repetition, run, other)
    yield from _header_slopes(runs)


def _pairs_of(case, figure, repetition, run, other):
    is_noise = case.startswith("noise")
    variant = VARIANTS["call, at 50k"] if is_noise else VARIANTS.get(case, case)
    for quantile in ("p50", "p99"):
        if other[quantile] <= 0:
            continue  # below one step of the processor's counter
        metric = f"publish() {quantile}"
        yield {"kind": "pair", "figure": figure, "metric": f"noise: {metric}" if is_noise else metric, "unit": "ns",
               "better": "less", "variant": variant, "ours": run[quantile], "baseline": other[quantile],
               "pair": repetition, "order": "random"}


def _header_slopes(runs):
    """What each of seven more headers costs; producev() has one at least."""
    for repetition in sorted(repetition for case, side, repetition in runs if (case, side) == ("headers 8", OURS)):
        slopes = [(runs["headers 8", side, repetition]["p50"] - runs["headers 1", side, repetition]["p50"]) / 7
                  for side in (OURS, PRODUCEV)]
        if slopes[1] > 0:
            yield {"kind": "pair", "figure": "F16", "metric": "ns per header", "unit": "ns", "better": "less",
                   "variant": "200 B, 1 to 8 headers", "ours": slopes[0], "baseline": slopes[1],
                   "pair": repetition, "order": "random"}


COUNTED = {"allocations": "allocations per publish", "locks": "locks per publish",
           "system_calls": "system calls per publish"}
PATHS = {"HealthyPath": "healthy", "LanesSpill": "spilling"}


def publish_cost_test_arguments(_quick, _pairs, out):
    return [f"--gtest_output=json:{out}"]


def publish_cost_test(text):
    """GoogleTest's report: what each test recorded of its million calls."""
    for suite in json.loads(text)["testsuites"]:
        for test in suite["testsuite"]:
            variant = next((name for part, name in PATHS.items() if re.search(part, test["name"])), None)
            if variant is None:
                continue
            for name, metric in COUNTED.items():
                if name not in test:
                    raise AdapterError(f"{test['name']} has no '{name}'")
                yield {"kind": "count", "figure": "F3", "metric": metric, "unit": "of 1,000,000 calls",
                       "variant": variant, "value": int(test[name]), "limit": 0}
