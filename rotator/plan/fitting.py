"""Fit the curve of an app to counts of several days, test it on what it was not shown, and say what stays open.

Where somebody is depends on his group alone, so the share that runs a release or a newer one, so many days after that
came out, is the curve itself, whatever came before and after. Each day of counts gives one such share per release.
For two given times the best shares are those of a least-squares problem in two unknowns, so the times are searched on
a grid and the shares are exact. No numpy: histories are small.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from rotator.model.adoption import FAST, PRESETS, SLOW, Curve, Ramp
from rotator.model.doubt import Fitted
from rotator.model.policy import App
from rotator.simulate.history import DayCount, newer_than_oldest
from rotator.simulate.roads import ramp_of

LEAST_DAYS = 2
"""Days of counts without which nothing is fitted."""
_FAST_DAYS = (0.5, 0.8, 1.2, 1.8, 2.5, 3.5, 5.0, 7.0, 10.0, 14.0)
_SLOW_DAYS = (10.0, 14.0, 20.0, 28.0, 36.0, 45.0, 60.0, 80.0, 110.0, 150.0, 220.0, 320.0, 450.0)
_FINER = (0.85, 0.92, 1.0, 1.08, 1.18)
#: Where counts do not tell times apart, those near a preset are taken: so much is a factor of e in one of them worth.
_PRIOR = 2e-5
#: Shares are not known to better than this, however many clients there are.
_NOISE = 0.01
#: 95 % of a chi-squared variable with one degree of freedom lies below.
_CHI = 3.84
_PLATEAUS = 101
_FAMILY = 9
_OLDEST = 730
_USUAL = PRESETS["typical"]


@dataclass(frozen=True, slots=True)
class Point:
    """A measured share.

    Attributes:
        age: days since the release came out.
        share: of the clients, how many run it or a newer one.
        release: which.
        day: when they were counted.
        fresh: the part of everybody that came by a fresh install since.
    """

    age: float
    share: float
    release: str
    day: date
    fresh: float = 0.0


def points_of(app: App, history: Sequence[DayCount]) -> tuple[Point, ...]:
    """Give every share that counts tell of an app: of each release but the oldest, on each day since it is out."""
    return tuple(
        Point(age, one.at_least(versions), version, one.day, min(1.0, app.new_installs * age / 30))
        for one in history
        for version, released, versions in newer_than_oldest(app)
        if 0 < (age := float((one.day - released).days)) <= _OLDEST
    )


def fit(app: App, history: Sequence[DayCount]) -> Fitted | None:
    """Fit a curve to the counts of an app; None where they are of too few days, or tell of one release only."""
    points = points_of(app, history)
    if len({point.day for point in points}) < LEAST_DAYS:
        return None
    return fit_points(points, ramp_of(app))


def fit_points(points: Sequence[Point], ramp: Ramp) -> Fitted:
    """Fit a curve to measured shares.

    Args:
        points: at least two.
        ramp: how releases roll out.
    """
    best = _best(points, ramp)
    low, high, family = _open(points, ramp, best)
    days = sorted({point.day for point in points})
    tested_on, off = _tested(points, ramp)
    return Fitted(
        fast=best.fast,
        slow=best.slow,
        fast_days=best.fast_days,
        slow_days=best.slow_days,
        days=tuple(days),
        points=len(points),
        error=math.sqrt(best.squares / len(points)),
        plateau_low=low,
        plateau_high=high,
        family=family,
        tested_on=tested_on,
        test_error=off,
    )


def off_by(curve: Curve, points: Sequence[Point], ramp: Ramp) -> float:
    """Give by how much a curve is off measured shares: the mean of the absolute differences."""
    return sum(abs(said(curve, point, ramp) - point.share) for point in points) / len(points)


def said(curve: Curve, point: Point, ramp: Ramp) -> float:
    """Give the share that a curve says for the age of a point."""
    return sum(
        share * min(1.0, curve.reached(group, point.age, ramp) + point.fresh) for group, share in enumerate(curve.mix)
    )


def _tested(points: Sequence[Point], ramp: Ramp) -> tuple[str, float]:
    """Fit without the last release, or else without the last day, and look how far off the fit is there."""
    last = max(points, key=lambda point: (-point.age + point.day.toordinal(), point.release)).release
    for name, hidden in (
        (last, [point for point in points if point.release == last]),
        (f"the counts of {max(p.day for p in points)}", [p for p in points if p.day == max(q.day for q in points)]),
    ):
        rest = [point for point in points if point not in hidden]
        if len(rest) >= 2:
            return name, off_by(_best(rest, ramp).curve, hidden, ramp)
    return "", 0.0


@dataclass(frozen=True, slots=True)
class _Try:
    """A curve and the sum of its squared differences; `cost` counts what is known beforehand too."""

    fast: float
    slow: float
    fast_days: float
    slow_days: float
    squares: float
    cost: float

    @property
    def curve(self) -> Curve:
        return Curve(fast=self.fast, slow=self.slow, fast_days=self.fast_days, slow_days=self.slow_days)


class _Sums:
    """The sums of a least-squares problem in the quick and the slow share, for two given times."""

    def __init__(self, points: Sequence[Point], ramp: Ramp, fast_days: float, slow_days: float) -> None:
        unit = Curve(fast=0.5, slow=0.5, fast_days=fast_days, slow_days=slow_days)
        self.times = (fast_days, slow_days)
        self.ff = self.fs = self.ss = self.fy = self.sy = self.yy = 0.0
        for point in points:
            # Who never updates is there by a fresh install, so each share counts for what it adds to that.
            f = min(1.0, unit.reached(FAST, point.age, ramp) + point.fresh) - point.fresh
            s = min(1.0, unit.reached(SLOW, point.age, ramp) + point.fresh) - point.fresh
            y = point.share - point.fresh
            self.ff += f * f
            self.fs += f * s
            self.ss += s * s
            self.fy += f * y
            self.sy += s * y
            self.yy += y * y
        away = (math.log(fast_days / _USUAL.fast_days), math.log(slow_days / _USUAL.slow_days))
        self.prior = _PRIOR * len(points) * sum(one * one for one in away)

    def trying(self, fast: float, slow: float) -> _Try:
        """Say how far two shares are off."""
        squares = (
            self.ff * fast * fast + self.ss * slow * slow + self.yy
            + 2 * (self.fs * fast * slow - self.fy * fast - self.sy * slow)
        )  # fmt: skip
        squares = max(0.0, squares)
        return _Try(fast, slow, *self.times, squares, squares + self.prior)

    def best(self) -> _Try:
        """Give the best shares that are shares: inside, or on one of the three edges of what is possible."""
        candidates = [self.along(0.0, 1.0, 1.0, -1.0), self.along(0.0, 1.0, 0.0, 0.0), self.along(0.0, 0.0, 0.0, 1.0)]
        whole = self.ff * self.ss - self.fs * self.fs
        if whole > 1e-12:
            fast = (self.fy * self.ss - self.sy * self.fs) / whole
            slow = (self.sy * self.ff - self.fy * self.fs) / whole
            if fast >= 0 and slow >= 0 and fast + slow <= 1:
                candidates.append(self.trying(fast, slow))
        return min(candidates, key=lambda one: one.cost)

    def at(self, plateau: float) -> _Try:
        """Give the best shares that add up to a plateau."""
        return self.along(0.0, 1.0, plateau, -1.0, longest=plateau)

    def along(self, fast: float, by_fast: float, slow: float, by_slow: float, *, longest: float = 1.0) -> _Try:
        """Give the best shares on a line from a pair of them."""
        down = by_fast * (self.ff * fast + self.fs * slow - self.fy) + by_slow * (
            self.fs * fast + self.ss * slow - self.sy
        )
        bend = self.ff * by_fast**2 + 2 * self.fs * by_fast * by_slow + self.ss * by_slow**2
        step = min(longest, max(0.0, -down / bend)) if bend > 1e-15 else 0.0
        return self.trying(fast + step * by_fast, slow + step * by_slow)


def _grid(points: Sequence[Point], ramp: Ramp) -> Iterator[_Sums]:
    for fast_days in _FAST_DAYS:
        for slow_days in _SLOW_DAYS:
            if slow_days >= 2 * fast_days:
                yield _Sums(points, ramp, fast_days, slow_days)


def _best(points: Sequence[Point], ramp: Ramp) -> _Try:
    rough = min((sums.best() for sums in _grid(points, ramp)), key=lambda one: one.cost)
    finer = (_Sums(points, ramp, rough.fast_days * a, rough.slow_days * b).best() for a in _FINER for b in _FINER)
    return min(finer, key=lambda one: one.cost)


def _open(points: Sequence[Point], ramp: Ramp, best: _Try) -> tuple[float, float, tuple[Curve, ...]]:
    """Give the plateaus that the counts do not rule out, with the best curve for each of some of them.

    Shares of one release on several days, and of several releases on one day, are off in the same direction: there
    are no more independent ones than releases and days.
    """
    near = [_Sums(points, ramp, best.fast_days * a, best.slow_days * b) for a in _FINER for b in _FINER]
    every = [*_grid(points, ramp), *near]
    independent = min(len(points), len({p.release for p in points}) + len({p.day for p in points}) - 1)
    noise = max(best.squares / max(1, len(points) - 4), _NOISE**2)
    bound = best.squares + _CHI * noise * len(points) / independent
    kept = []
    for index in range(_PLATEAUS):
        plateau = index / (_PLATEAUS - 1)
        found = min((sums.at(plateau) for sums in every), key=lambda one: one.cost)
        if found.squares <= bound:
            kept.append(found)
    kept = sorted([*kept, best], key=lambda one: one.fast + one.slow)
    family = [kept[round(n * (len(kept) - 1) / (_FAMILY - 1))] for n in range(_FAMILY)]
    low, high = (min(1.0, one.fast + one.slow) for one in (kept[0], kept[-1]))
    return low, high, tuple(dict.fromkeys(one.curve for one in family))
