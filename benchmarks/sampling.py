"""Monte Carlo of dates: the table of all days, and one date by bisection, against chunked numpy."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

from benchmarks.timing import Line, line, measure
from rotator.model.adoption import PRESETS
from rotator.plan.sampling import Draws, Train, coverage, draw, first_day

CHUNK = 500
QUANTILES = (0.1, 0.5, 0.9)


def chunked(drawn: Draws, train: Train, days: int) -> object:
    """Give the same table as people write it: every day of every sample by its own exponentials, chunk by chunk."""
    at = np.arange(days, dtype=np.float64)
    table = np.empty((len(drawn.fast), days))
    for begin in range(0, len(drawn.fast), CHUNK):
        own = slice(begin, begin + CHUNK)
        fast, slow = drawn.fast[own, None], drawn.slow[own, None]
        fast_days, slow_days, slip = drawn.fast_days[own, None], drawn.slow_days[own, None], drawn.slip[own, None]
        whole = np.zeros((len(fast), days))
        for begun, part in train.steps():
            age = np.maximum(0.0, at - begun - slip)
            whole += part * (fast * (1 - np.exp(-age / fast_days)) + slow * (1 - np.exp(-age / slow_days)))
        table[own] = whole
    return np.quantile(table, QUANTILES, axis=0)


def lines(*, quick: bool) -> Iterator[Line]:
    """Measure both."""
    samples, days = (500, 60) if quick else (10_000, 730)
    train = Train(launches=[(index * days / 20, index % 2 == 1) for index in range(20)], slip=(0.0, 5.0))
    drawn = draw(PRESETS["typical"], train, samples=samples, seed=7)
    runs = 1 if quick else 3
    table = measure(lambda: coverage(drawn, train, days), runs=runs)
    other = measure(lambda: chunked(drawn, train, days), runs=runs)
    size = f"{samples:,} samples x {days} days x 20 releases"
    yield line(f"Monte Carlo, {size}", table, "chunked float64 numpy", other, least=2.6)
    one = Train(slip=(0.0, 5.0))
    date = measure(lambda: first_day(drawn, one, 0.8, 0.5), runs=runs)
    yield line("one date by bisection", date, "the full table", table, least=25)


def main() -> int:
    """Print both."""
    for one in lines(quick="--quick" in sys.argv):
        sys.stdout.write(f"{one.work}: {one.ours}; {one.against}; {one.ratio} ({one.target})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
