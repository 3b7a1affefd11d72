"""How sure a curve is: the spread that is stated for a preset, and what a fit to counts leaves open.

Numbers that a policy states of its own are taken at their word. `docs/adoption.md` documents the spreads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import product

from rotator.model.adoption import PRESETS, Curve

NEVER_SPREAD = (0.5, 1.75)
"""Of a preset, the never share is from half of what it says to 1.75 times it."""
FAST_SPREAD = (0.75, 1.25)
"""And the quick share, from three quarters to five quarters."""
DAYS_SPREAD = (1 / 1.5, 1.5)
"""And both times, from two thirds to one and a half times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted(Curve):
    """A curve that was fitted to counts of several days.

    Attributes:
        days: the days of the counts.
        points: how many shares it was fitted to.
        error: by how much it is off them, as a root mean square of shares.
        plateau_low, plateau_high: what the counts leave open of the share that updates in the end.
        family: the best curve for each plateau from low to high.
        tested_on: what it was tested on without having seen it; "" where there was nothing.
        test_error: by how much it was off there, as a mean of absolute differences of shares.
    """

    days: tuple[date, ...]
    points: int
    error: float
    plateau_low: float
    plateau_high: float
    family: tuple[Curve, ...]
    tested_on: str = ""
    test_error: float = 0.0

    @property
    def said(self) -> str:
        """Say what it stands on, and by how much it was off."""
        told = f"fitted to counts of {len(self.days)} days from {self.days[0]} to {self.days[-1]}"
        if self.tested_on:
            told += f", off by {100 * self.test_error:.1f} points on {self.tested_on}, which it was not shown"
        return f"{told}; {_percent(self.plateau_low)} to {_percent(self.plateau_high)} update in the end"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def is_preset(curve: Curve) -> bool:
    """Say whether a curve is a preset that has a spread; `deploy` is what we do ourselves."""
    return any(preset == curve for preset in PRESETS.values()) and curve.done_days is None


def preset_within(curve: Curve, never: float, fast: float, fast_days: float, slow_days: float) -> Curve:
    """Give a curve of the spread of a preset by its factors on each number; the slow are the rest."""
    share_never = min(1.0, curve.never * never)
    share_fast = min(1.0 - share_never, curve.fast * fast)
    return replace(
        curve,
        fast=share_fast,
        slow=max(0.0, 1.0 - share_never - share_fast),
        fast_days=curve.fast_days * fast_days,
        slow_days=curve.slow_days * slow_days,
    )


def extremes(curve: Curve) -> Sequence[Curve]:
    """Give curves between which the truth is taken to lie: the curve itself, and the ends of what is open."""
    if isinstance(curve, Fitted):
        return (curve, *curve.family)
    if not is_preset(curve):
        return (curve,)
    ends: Iterable[tuple[float, float, float, float]] = product(NEVER_SPREAD, FAST_SPREAD, DAYS_SPREAD, DAYS_SPREAD)
    return (curve, *(preset_within(curve, *factors) for factors in ends))
