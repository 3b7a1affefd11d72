"""Monte Carlo over what a curve leaves open, a floor's reach and a release's slip: dates and coverage as quantiles.

Everything is drawn from a seed that is an argument, so the same question has the same answer. numpy is loaded when
something is sampled. A share that is reached in fewer samples than a quantile asks for makes that quantile None: NEVER
is counted, not left out.

The share that has moved is a sum of exponentials, and on a grid of whole days each of them goes on by one factor a day.
So the table of all days needs no exponential per day, and neither its number of releases nor of roll-out steps matters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from rotator.model.adoption import AT_ONCE, FLOOR_STEEPNESS, Curve, Ramp, parts_of
from rotator.model.doubt import DAYS_SPREAD, FAST_SPREAD, NEVER_SPREAD, Fitted, is_preset

if TYPE_CHECKING:
    import numpy as np

    Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

SAMPLES = 10_000
REACH_SPREAD = (0.60, 0.95)
"""The reach of a floor about which nobody said anything."""
HORIZON = 3650.0
"""Days after which a share that was not reached counts as never reached."""
_QUANTILES = (0.1, 0.5, 0.9)
_FINE = 1 / 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """Three quantiles; None where fewer samples than that come to it at all."""

    p10: float | None
    p50: float | None
    p90: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forced:
    """A floor that is sampled: from which day on, over how many, and how far from and to it reaches."""

    at: float
    days: float = 7.0
    reach: tuple[float, float] = REACH_SPREAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """What covers: releases on their days, each from the day it begins to roll out.

    Attributes:
        launches: the day of each release, oldest first, and whether it is one that covers.
        ramp: how each rolls out.
        slip: from and to how many days all of them are late.
        forced: a floor, where there is one.
    """

    launches: Sequence[tuple[float, bool]] = ((0.0, True),)
    ramp: Ramp = AT_ONCE
    slip: tuple[float, float] = (0.0, 0.0)
    forced: Forced | None = None

    def steps(self) -> list[tuple[float, float]]:
        """Give days with what a share that moves from each of them adds to coverage."""
        found = []
        before = False
        for day, covers in self.launches:
            if covers != before:
                found += [(day + later, part * (1.0 if covers else -1.0)) for later, part in parts_of(self.ramp)]
            before = covers
        return sorted(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Samples of everything, one array each."""

    fast: Numbers
    slow: Numbers
    fast_days: Numbers
    slow_days: Numbers
    slip: Numbers
    reach: Numbers


def draw(curve: Curve, train: Train, *, samples: int = SAMPLES, seed: int) -> Draws:
    """Draw samples.

    A preset is drawn from its stated spread, a fit from the plateaus that its counts leave open, numbers that a policy
    states are taken at their word; slip and reach are uniform.

    Args:
        curve: the curve.
        train: whose slip and floor are drawn.
        samples: how many, from 1.
        seed: of the generator.
    """
    import numpy as np

    generator = np.random.default_rng(seed)
    unit = generator.random((6, samples))
    low, high = train.slip
    reach = train.forced.reach if train.forced is not None else (0.0, 0.0)
    rest = {"slip": low + (high - low) * unit[4], "reach": reach[0] + (reach[1] - reach[0]) * unit[5]}
    if isinstance(curve, Fitted) and len(curve.family) > 1:
        place = unit[0] * (len(curve.family) - 1)
        grid = np.arange(len(curve.family))
        own = {
            name: np.interp(place, grid, [getattr(one, name) for one in curve.family])
            for name in ("fast", "slow", "fast_days", "slow_days")
        }
        return Draws(**own, **rest)
    if is_preset(curve):
        never = np.minimum(1.0, curve.never * _between(unit[0], NEVER_SPREAD))
        fast = np.minimum(1.0 - never, curve.fast * _between(unit[1], FAST_SPREAD))
        times = [np.exp(_between(u, (math.log(DAYS_SPREAD[0]), math.log(DAYS_SPREAD[1])))) for u in unit[2:4]]
        return Draws(
            fast=fast,
            slow=1.0 - never - fast,
            fast_days=curve.fast_days * times[0],
            slow_days=curve.slow_days * times[1],
            **rest,
        )
    same = np.ones(samples)
    return Draws(
        fast=curve.fast * same,
        slow=curve.slow * same,
        fast_days=curve.fast_days * same,
        slow_days=curve.slow_days * same,
        **rest,
    )


def _between(unit: Numbers, bounds: tuple[float, float]) -> Numbers:
    return bounds[0] + (bounds[1] - bounds[0]) * unit


def dates(
    curve: Curve,
    ramp: Ramp,
    need: float,
    *,
    seed: int,
    samples: int = SAMPLES,
    slip: tuple[float, float] = (0.0, 0.0),
    forced: Forced | None = None,
) -> Quantiles:
    """Give the day on which a share has moved to a release, counted from when that was to begin to roll out.

    Args:
        curve: how fast clients update.
        ramp: how the release rolls out.
        need: the share.
        seed: of the generator.
        samples: how many are drawn.
        slip: from and to how many days the release is late.
        forced: a floor.
    """
    train = Train(ramp=ramp, slip=slip, forced=forced)
    if curve.done_days is not None:
        late = [low + q * (high - low) for (low, high) in (slip,) for q in _QUANTILES]
        day = curve.days_until(need, ramp)
        return Quantiles(
            **dict(zip(("p10", "p50", "p90"), ((None if day is None else day + s) for s in late), strict=True))
        )
    drawn = draw(curve, train, samples=samples, seed=seed)
    found = [first_day(drawn, train, need, quantile) for quantile in _QUANTILES]
    return Quantiles(p10=found[0], p50=found[1], p90=found[2])


def first_day(drawn: Draws, train: Train, need: float, quantile: float) -> float | None:
    """Give the day by which a share is reached in a part of the samples, by bisection; None where it never is.

    Coverage only grows where releases that cover are followed by such alone, which is what is asked of `train` here.
    """
    import numpy as np

    if need <= 0:
        return 0.0
    steps = train.steps()

    def reached(day: float) -> bool:
        return float(np.mean(_at(drawn, train, steps, day) >= need)) >= quantile

    if not reached(HORIZON):
        return None
    low, high = 0.0, 32.0
    while not reached(high):
        low, high = high, min(HORIZON, high * 2)
    while high - low > _FINE:
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def _at(drawn: Draws, train: Train, steps: Sequence[tuple[float, float]], day: float) -> Numbers:
    """Give the coverage of each sample on a day."""
    import numpy as np

    whole: Numbers = np.zeros(len(drawn.fast))
    for begun, part in steps:
        if day <= begun + train.slip[0]:
            continue
        age = np.maximum(0.0, day - begun - drawn.slip)
        whole -= part * (drawn.fast * np.expm1(-age / drawn.fast_days) + drawn.slow * np.expm1(-age / drawn.slow_days))
    return _forced(whole, train.forced, drawn.reach, day)


def _forced(coverage: Numbers, forced: Forced | None, reach: Numbers, day: float) -> Numbers:
    if forced is None or day < forced.at:
        return coverage
    part = min(1.0, (day - forced.at) / forced.days) if forced.days > 0 else 1.0
    heeded = math.expm1(-FLOOR_STEEPNESS * part) / math.expm1(-FLOOR_STEEPNESS)
    moved: Numbers = 1.0 - (1.0 - coverage) * (1.0 - reach * heeded)
    return moved


def coverage(drawn: Draws, train: Train, days: int) -> list[Quantiles]:
    """Give the coverage of each day from 0 as quantiles: what share of clients runs a release that covers.

    Args:
        drawn: samples.
        train: the releases.
        days: how many days, from 1.
    """
    import numpy as np

    count = len(drawn.fast)
    table = np.empty((days, count), dtype=np.float32)
    fade_fast, fade_slow = np.exp(-1.0 / drawn.fast_days), np.exp(-1.0 / drawn.slow_days)
    # What is left to come of the steps that have begun: quick people, slow ones; and where all that ends.
    fast, slow, end = np.zeros(count), np.zeros(count), np.zeros(count)
    plateau = drawn.fast + drawn.slow
    waiting = train.steps()
    late = bool(train.slip[1])
    for day in range(days):
        fast *= fade_fast
        slow *= fade_slow
        kept = []
        for begun, part in waiting:
            age = day - begun - drawn.slip
            if day < begun + train.slip[0]:
                kept.append((begun, part))
                continue
            # Each sample begins on the first whole day after its own slip; nobody begins twice.
            starts = part * ((age >= 0) & ((age < 1) | (day == 0)))
            fast += starts * drawn.fast * np.exp(-np.maximum(age, 0.0) / drawn.fast_days)
            slow += starts * drawn.slow * np.exp(-np.maximum(age, 0.0) / drawn.slow_days)
            end += starts * plateau
            if late and day < begun + train.slip[1]:
                kept.append((begun, part))
        waiting = kept
        table[day] = _forced(end - fast - slow, train.forced, drawn.reach, day)
    places = [min(count - 1, round(quantile * (count - 1))) for quantile in _QUANTILES]
    table.partition(places, axis=1)
    return [Quantiles(p10=float(row[0]), p50=float(row[1]), p90=float(row[2])) for row in table[:, places]]
