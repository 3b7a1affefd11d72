"""The curve of an app at a probability: what is open of it, sampled, as one curve to plan with.

On each day the share that has moved is below this curve in a part of the samples. Shares only grow, so the day on
which it reaches a share is the day by which so many samples have reached it: the dates of a plan made with it hold
with that probability. Floors and late releases take the same place in their own ranges: where people are slow, floors
are taken to reach few and reviews to take long, and all apps are slow together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import lru_cache

from rotator.model.adoption import Curve
from rotator.model.doubt import Fitted, is_preset
from rotator.plan.sampling import REACH_SPREAD, Train, draw

SEED = 1
"""Of everything that is drawn for a plan, so that the same question has the same answer."""
SAMPLES = 4_000
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
"""The probabilities of a range of dates."""
_LAST_DAY = 1500.0
_TRIES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """How bad it goes: the probability with which dates hold, or the expected course.

    Attributes:
        holds: the probability; None for each curve as it stands.
        except_: what goes as expected all the same: `app:NAME`, `floors`, `reviews`; to ask what a verdict hangs on.
    """

    holds: float | None = None
    except_: frozenset[str] = field(default_factory=frozenset)

    def curve(self, name: str, own: Curve) -> Curve:
        """Give the curve of an app."""
        if self.holds is None or f"app:{name}" in self.except_:
            return own
        return curve_at(own, self.holds)

    def reach(self, expected: float) -> float:
        """Give the reach of a floor about which nobody said anything."""
        if self.holds is None or "floors" in self.except_:
            return expected
        low, high = REACH_SPREAD
        return high - (high - low) * self.holds

    def slip(self, review: float) -> float:
        """Give by how many days a release is late: a review that fails once is done twice."""
        return 0.0 if self.holds is None or "reviews" in self.except_ else self.holds * review

    def but(self, *what: str) -> Chance:
        """Give the same with something that goes as expected."""
        return replace(self, except_=self.except_ | {*what})


def is_open(curve: Curve) -> bool:
    """Say whether anything about a curve is open; numbers that a policy states are taken at their word."""
    return is_preset(curve) or (isinstance(curve, Fitted) and len(curve.family) > 1)


def curve_at(curve: Curve, holds: float) -> Curve:
    """Give the curve that is exceeded with a probability on every day; the curve itself where nothing is open of it."""
    return _curve_at(curve, holds) if is_open(curve) else curve


@lru_cache(maxsize=256)
def _curve_at(curve: Curve, holds: float) -> Curve:
    """Fit quick, slow and never to the quantile of the samples of each day, with its own plateau."""
    import numpy as np

    drawn = draw(curve, Train(), samples=SAMPLES, seed=SEED)
    days = np.geomspace(0.25, _LAST_DAY, 80)
    moved = np.array(
        [
            np.quantile(
                -drawn.fast * np.expm1(-day / drawn.fast_days) - drawn.slow * np.expm1(-day / drawn.slow_days),
                1.0 - holds,
            )
            for day in days
        ]
    )
    plateau = float(np.quantile(drawn.fast + drawn.slow, 1.0 - holds))
    # What is asked of it are days, so a share counts for more where days go by and hardly anybody moves.
    weight = 1.0 / (np.gradient(moved, np.log(days)) + 0.01)
    best = (math.inf, 0.0, curve.fast_days, curve.slow_days)
    around = (curve.fast_days, curve.slow_days)
    for width in (2.5, 1.15):
        quick, slow = (np.geomspace(middle / width, middle * width, _TRIES) for middle in around)
        rises = {float(t): -np.expm1(-days / t) for t in (*quick, *slow)}
        for fast_days in map(float, quick):
            for slow_days in map(float, slow):
                if slow_days < 1.5 * fast_days:
                    continue
                steep, flat = rises[fast_days], rises[slow_days]
                gap = (steep - flat) * weight
                rest = (moved - plateau * flat) * weight
                fast = float(np.clip(gap @ rest / max(float(gap @ gap), 1e-12), 0.0, plateau))
                off = float(np.sum((fast * gap - rest) ** 2))
                best = min(best, (off, fast, fast_days, slow_days))
        around = (best[2], best[3])
    _, fast, fast_days, slow_days = best
    if holds > MIDDLE:
        # A date that has to hold is never earlier than the samples have it; times stretch all dates alike.
        shares = plateau * np.linspace(0.05, 0.97, 60)
        rise = fast * -np.expm1(-days / fast_days) + (plateau - fast) * -np.expm1(-days / slow_days)
        stretch = max(1.0, float(np.max(np.interp(shares, moved, days) / np.interp(shares, rise, days))))
        fast_days, slow_days = fast_days * stretch, slow_days * stretch
    return Curve(fast=fast, slow=max(0.0, plateau - fast), fast_days=fast_days, slow_days=slow_days)
