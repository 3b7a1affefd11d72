"""Measuring: medians with their spread, ratios, and how a cost grows."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of one piece of work: the median of some runs, the least and the most; scaled up from a sample or not."""

    median: float
    least: float
    most: float
    runs: int
    scaled: float = 1.0

    def shown(self) -> str:
        """Show it with its spread."""
        sampled = f", 1/{self.scaled:,.0f} of it run" if self.scaled > 1 else ""
        return f"{seconds(self.median)} ({seconds(self.least)}-{seconds(self.most)}, n={self.runs}{sampled})"


def seconds(value: float) -> str:
    """Show a time in the unit that fits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= size:
            return f"{value / size:,.3g} {unit}" if value / size < 1000 else f"{value / size:,.0f} {unit}"
    return f"{value * 1e9:.3g} ns"


def measure(work: Callable[[], object], runs: int = 5, scaled: float = 1.0, fewest: float = 0.0) -> Measured:
    """Time a piece of work.

    Args:
        work: what is timed.
        runs: how often, after one run that does not count where it is short.
        scaled: what the time is to be multiplied by, where only a part is run.
        fewest: seconds that one timed run lasts at least: short work is repeated in it.
    """
    first = _once(work, 1)
    times = 1 if not fewest or first >= fewest else math.ceil(fewest / max(first, 1e-7))
    found = [_once(work, times) / times * scaled for _ in range(runs if first < 20 else 1)]
    return Measured(statistics.median(found), min(found), max(found), len(found), scaled)


def _once(work: Callable[[], object], times: int) -> float:
    gc.collect()
    begun = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - begun


def exponent(sizes: Sequence[float], times: Sequence[float]) -> float:
    """Fit the power with which a cost grows: the slope of a line through logarithms."""
    x, y = [math.log(size) for size in sizes], [math.log(time_) for time_ in times]
    mean_x, mean_y = statistics.fmean(x), statistics.fmean(y)
    up = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return up / sum((a - mean_x) ** 2 for a in x)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: a piece of work, an alternative, their ratio, and the target."""

    work: str
    ours: str
    against: str
    ratio: str
    target: str = ""
    met: bool | None = None


def line(
    work: str, ours: Measured, name: str, theirs: Measured, *, least: float | None = None, most: float | None = None
) -> Line:
    """Compare a piece of work with an alternative.

    Args:
        work: what it is.
        ours: how long it takes.
        name: the alternative.
        theirs: how long that takes.
        least: the alternative is to take at least as many times as long.
        most: ours is to take at most as many times as long.
    """
    if most is not None:
        ratio = ours.median / theirs.median
        return Line(work, ours.shown(), f"{name}: {theirs.shown()}", f"{ratio:.3g}", f"<= {most:g}", ratio <= most)
    ratio = theirs.median / ours.median
    target, met = (f">= {least:,g}", ratio >= least) if least is not None else ("", None)
    return Line(work, ours.shown(), f"{name}: {theirs.shown()}", f"{ratio:,.3g} x", target, met)
