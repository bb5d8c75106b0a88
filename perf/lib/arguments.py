"""perf/lib/arguments.py: what several commands take, and how a wrong one is refused."""

import argparse

from lib.figures import FIGURES


def figures_of(text):
    """"f1, F4" → the names of figures."""
    known = {name.lower(): name for name in FIGURES}
    wanted = [name.strip().lower() for name in text.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        raise argparse.ArgumentTypeError(f"no figure is named '{', '.join(unknown)}'; there are {', '.join(FIGURES)}")
    return [known[name] for name in wanted]
