"""perf/lib: what perf/run, ab and compare share: statistics, the marks, the report."""
