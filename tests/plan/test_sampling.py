"""Dates and coverage as quantiles: one seed, one answer; NEVER is counted; the table is what each day says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from rotator.model.adoption import AT_ONCE, PRESETS, ROLLOUTS, Curve
from rotator.model.doubt import Fitted
from rotator.plan.sampling import Forced, Quantiles, Train, coverage, dates, draw, first_day

TYPICAL = PRESETS["typical"]
OWN = Curve(fast=0.6, slow=0.3, fast_days=2, slow_days=40)


def test_the_same_seed_gives_the_same_dates_and_another_other_ones() -> None:
    one, same, other = (dates(TYPICAL, AT_ONCE, 0.7, seed=seed, samples=500) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_numbers_that_a_policy_states_are_taken_at_their_word() -> None:
    found = dates(OWN, ROLLOUTS["staged-7d"], 0.8, seed=1, samples=50)
    assert found.p10 == found.p50 == found.p90
    assert found.p50 == pytest.approx(OWN.days_until(0.8, ROLLOUTS["staged-7d"]), abs=0.07)


def test_a_preset_has_its_spread_around_its_own_day() -> None:
    found = dates(TYPICAL, AT_ONCE, 0.7, seed=1)
    day = TYPICAL.days_until(0.7)
    assert found.p10 is not None
    assert found.p50 is not None
    assert found.p90 is not None
    assert day is not None
    assert found.p10 < day < found.p90
    assert found.p10 < found.p50 < found.p90


def test_never_is_counted_and_not_left_out() -> None:
    """About half of the samples of `typical` never come to 0.87, so it has an early date and no late one."""
    found = dates(TYPICAL, AT_ONCE, 0.87, seed=1)
    assert found.p10 is not None
    assert found.p90 is None
    assert dates(TYPICAL, AT_ONCE, 0.995, seed=1) == Quantiles(p10=None, p50=None, p90=None)


def test_nothing_needed_is_there_at_once() -> None:
    assert dates(TYPICAL, AT_ONCE, 0.0, seed=1, samples=10) == Quantiles(p10=0.0, p50=0.0, p90=0.0)


def test_a_slip_moves_dates_by_as_much() -> None:
    still, late = (dates(OWN, AT_ONCE, 0.8, seed=1, samples=500, slip=slip) for slip in ((0.0, 0.0), (10.0, 10.0)))
    assert late.p50 == pytest.approx((still.p50 or 0) + 10, abs=0.1)


def test_a_fleet_that_we_deploy_only_slips() -> None:
    found = dates(PRESETS["deploy"], AT_ONCE, 1.0, seed=1, slip=(0.0, 10.0))
    assert (found.p10, found.p50, found.p90) == (2.0, 6.0, 10.0)


def test_a_floor_makes_a_share_possible_that_waiting_does_not() -> None:
    forced = Forced(at=30, days=5, reach=(0.9, 0.9))
    assert dates(OWN, AT_ONCE, 0.97, seed=1, samples=50).p50 is None
    found = dates(OWN, AT_ONCE, 0.97, seed=1, samples=50, forced=forced)
    assert found.p50 is not None
    assert 30 < found.p50 < 36


def test_more_reach_and_less_need_are_never_later() -> None:
    days = [
        dates(TYPICAL, AT_ONCE, need, seed=3, samples=400, forced=Forced(at=20, reach=(reach, reach))).p90
        for need, reach in ((0.8, 0.9), (0.9, 0.9), (0.9, 0.7))
    ]
    assert days == sorted(days, key=lambda day: (day is None, day))


def test_a_fit_is_drawn_from_the_plateaus_that_its_counts_leave_open() -> None:
    family = tuple(replace(OWN, slow=slow) for slow in (0.1, 0.2, 0.3))
    fitted = Fitted(
        fast=0.6, slow=0.2, fast_days=2, slow_days=40, days=(date(2026, 1, 1), date(2026, 2, 1)), points=4, error=0.0,
        plateau_low=0.7, plateau_high=0.9, family=family,
    )  # fmt: skip
    drawn = draw(fitted, Train(), samples=2000, seed=1)
    plateau = drawn.fast + drawn.slow
    assert 0.7 <= plateau.min() < 0.72
    assert 0.88 < plateau.max() <= 0.9


def test_samples_of_a_preset_are_shares_within_its_spread() -> None:
    drawn = draw(TYPICAL, Train(), samples=5000, seed=1)
    never = 1 - drawn.fast - drawn.slow
    assert (never >= 0.06 - 1e-9).all()
    assert (never <= 0.21 + 1e-9).all()
    assert (drawn.slow >= 0).all()
    assert drawn.fast_days.min() >= 2.5 / 1.5 - 1e-9
    assert drawn.slow_days.max() <= 45 * 1.5 + 1e-9


@pytest.mark.parametrize("slip", [(0.0, 0.0), (0.0, 6.5), (2.0, 3.0)])
@pytest.mark.parametrize("forced", [None, Forced(at=25.0)])
def test_the_table_is_what_each_day_says_by_its_own_exponentials(
    slip: tuple[float, float], forced: Forced | None
) -> None:
    """Releases that cover and such that do not, some out before the first day, each in steps."""
    launches = [(-40.0, True), (-3.0, False), (4.0, True), (20.5, False), (33.0, True)]
    train = Train(launches=launches, ramp=ROLLOUTS["staged-7d"], slip=slip, forced=forced)
    drawn = draw(TYPICAL, train, samples=301, seed=5)
    table = coverage(drawn, train, 60)
    for day in (0, 1, 5, 24, 27, 33, 40, 59):
        whole = np.zeros(301)
        for begun, part in train.steps():
            age = np.maximum(0, day - begun - drawn.slip)
            whole += part * drawn.fast * (1 - np.exp(-age / drawn.fast_days))
            whole += part * drawn.slow * (1 - np.exp(-age / drawn.slow_days))
        if forced is not None and day >= forced.at:
            heeded = (1 - np.exp(-3 * min(1.0, (day - 25) / 7))) / (1 - np.exp(-3))
            whole = 1 - (1 - whole) * (1 - drawn.reach * heeded)
        expected = np.sort(whole)[[30, 150, 270]]
        assert (table[day].p10, table[day].p50, table[day].p90) == pytest.approx(tuple(expected), abs=1e-5), day


def test_the_date_is_the_first_day_on_which_the_table_has_it() -> None:
    train = Train()
    drawn = draw(TYPICAL, train, samples=1001, seed=2)
    table = coverage(drawn, train, 200)
    day = first_day(drawn, train, 0.7, 0.9)
    assert day is not None
    low = [one.p10 or 0.0 for one in table]
    assert low[int(day) - 1] < 0.7 < low[int(day) + 2], "90 % of the samples have it where the low tenth has"
