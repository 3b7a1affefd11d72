"""Dates that hold with a confidence: the curve at a probability, days as ranges, and what is unsure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.model.adoption import PRESETS, Curve
from rotator.model.doubt import Fitted
from rotator.plan.chance import Chance, curve_at
from rotator.plan.sampling import Train, draw, first_day
from rotator.plan.values import Goal
from tests.desk import Desk
from tests.plan.planning import FAST, LIMITS, SWAP, app, day, plan, policy, step

PRESET = app(adoption='"fast"')
WIDE = "break_budget = 0.3\nreview_days = 0\nsafety_days = 0\n"


@pytest.mark.parametrize("name", ["fast", "typical", "slow"])
@pytest.mark.parametrize("holds", [0.1, 0.5, 0.9])
def test_its_days_are_the_quantiles_of_the_samples(name: str, holds: float) -> None:
    """Within a tenth of the days of 10,000 samples of another seed, up to near the plateau."""
    curve, own = PRESETS[name], curve_at(PRESETS[name], holds)
    drawn = draw(curve, Train(), samples=10_000, seed=7)
    for share in (0.3, 0.5, 0.7, 0.8, 0.9):
        if share > 0.97 * own.plateau:
            continue
        wanted, found = first_day(drawn, Train(), share, holds), own.days_until(share)
        assert wanted is not None
        assert found == pytest.approx(wanted, rel=0.1, abs=0.2)


@pytest.mark.parametrize("name", ["fast", "typical", "slow"])
def test_a_date_that_has_to_hold_is_no_earlier_than_the_samples_have_it(name: str) -> None:
    curve, own = PRESETS[name], curve_at(PRESETS[name], 0.9)
    drawn = draw(curve, Train(), samples=10_000, seed=7)
    for share in (0.3, 0.4, 0.5, 0.6):
        wanted, found = first_day(drawn, Train(), share, 0.9), own.days_until(share)
        if wanted is not None and found is not None:
            assert found >= wanted * 0.98 - 0.2


def test_more_confidence_is_never_earlier() -> None:
    for name in ("fast", "typical", "slow"):
        for share in (0.2, 0.4, 0.6):
            days = [curve_at(PRESETS[name], q).days_until(share) or 1e9 for q in (0.1, 0.5, 0.8, 0.9, 0.95)]
            assert days == sorted(days)


def test_what_nothing_is_open_of_stays_as_it_is() -> None:
    own = Curve(fast=0.6, slow=0.3, fast_days=2, slow_days=30)
    assert curve_at(own, 0.9) == own
    assert curve_at(PRESETS["deploy"], 0.9) == PRESETS["deploy"]


def test_a_fit_is_as_open_as_its_plateaus() -> None:
    ends = [Curve(fast=0.5, slow=slow, fast_days=2, slow_days=30) for slow in (0.3, 0.35, 0.4, 0.45)]
    fit = Fitted(
        fast=0.5, slow=0.4, fast_days=2, slow_days=30, days=(day("2026-01-01"),), points=3, error=0.01,
        plateau_low=0.8, plateau_high=0.95, family=tuple(ends),
    )  # fmt: skip
    # Uniform over 0.8 to 0.95: the lowest tenth ends at 0.815.
    assert curve_at(fit, 0.9).plateau == pytest.approx(0.815, abs=0.003)
    assert curve_at(fit, 0.1).plateau == pytest.approx(0.935, abs=0.003)


def test_floors_and_reviews_take_the_same_place_in_their_ranges() -> None:
    """Of 0.60 to 0.95 nine tenths hold 0.635; of a review of 2 days done twice, 1.8 days."""
    chance = Chance(holds=0.9)
    assert chance.reach(0.82) == pytest.approx(0.635)
    assert chance.slip(2.0) == pytest.approx(1.8)
    assert Chance().reach(0.82) == 0.82
    assert Chance().slip(2.0) == 0.0
    assert chance.but("floors").reach(0.82) == 0.82


# --- plans -----------------------------------------------------------------------------------------------------------


def test_a_plan_is_dated_for_its_confidence_and_says_its_range(desk: Desk) -> None:
    """70 % of `fast`: 5.3 days as expected; the samples have 3.3, 5.6 and 10.1 days."""
    found = plan(desk, policy(PRESET, limits=WIDE))
    serve = step(found, "serve")
    assert serve.span is not None
    assert (serve.span.p10, serve.span.p50, serve.span.p90) == (day("2026-11-24"), day("2026-11-26"), day("2026-12-01"))
    assert serve.planned == day("2026-12-01")
    assert found.replayed == ()
    assert found.confidence == 0.9


def test_less_confidence_is_earlier(desk: Desk) -> None:
    found = plan(desk, policy(PRESET, limits=f"{WIDE}confidence = 0.5\n"))
    assert step(found, "serve").planned == day("2026-11-26")


def test_numbers_of_ones_own_have_no_range(desk: Desk) -> None:
    found = plan(desk, policy(app(), limits=WIDE))
    assert step(found, "serve").span is None


def test_a_release_may_be_late_by_a_second_review(desk: Desk) -> None:
    limits = WIDE.replace("review_days = 0", "review_days = 10")
    found = plan(desk, policy(app(), limits=limits))
    serve = step(found, "serve")
    # 5.3 days of the curve, 10 of review and 0.1, 0.5 and 0.9 times 10 of delay: the next whole day of each.
    assert serve.span is not None
    assert (serve.span.p10, serve.span.p50, serve.span.p90) == (day("2026-12-07"), day("2026-12-11"), day("2026-12-15"))


def test_what_turns_inside_its_range_is_unsure_counts_as_bad_and_names_the_datum(desk: Desk) -> None:
    """92 % of `fast` are there as expected, and the plateau of the worst tenth is 91.9 %: never."""
    found = plan(desk, policy(PRESET, limits=LIMITS.replace("0.05", "0.08")))
    assert found.never
    assert found.blocked is not None
    assert found.blocked.unsure.startswith("how fast shop updates: counts of two days")
    assert found.blocked.expected == day("2027-01-10")
    assert step(found, "serve").unsure
    assert found.at_best == pytest.approx(0.95, abs=0.001)
    assert found.best_low == pytest.approx(0.919, abs=0.002)
    assert found.best_high == pytest.approx(0.969, abs=0.002)


def test_what_no_sample_has_is_not_unsure(desk: Desk) -> None:
    found = plan(desk, policy(PRESET, limits=LIMITS.replace("0.05", "0.005")))
    assert found.never
    assert found.blocked is not None
    assert not found.blocked.unsure


def test_a_floor_that_nobody_measured_is_what_a_plan_may_hang_on(desk: Desk) -> None:
    """Of 20 % never, 82 % heed it: 3.6 % are left, and at 63.5 % 7.3 %."""
    own = app(adoption="{ never = 0.2, fast = 0.7, fast_days = 2, slow_days = 5 }")
    taken = replace(SWAP, take=("floor",))
    found = plan(desk, policy(own), taken)
    assert found.blocked is not None
    assert found.blocked.unsure.startswith("what a floor of shop reaches")
    said = '\n[[apps.shop.floors]]\nversion = "1.0"\ndate = 2026-08-01\nreach = 0.82\nreach_days = 7\n'
    assert not plan(desk, policy(own + said), taken).never


def test_an_app_without_a_curve_is_as_open_as_the_preset_it_is_given(desk: Desk) -> None:
    without = app().replace(f"adoption = {FAST}\n", "")
    assert "adoption" not in without
    found = plan(desk, policy(without, limits=LIMITS.replace("0.05", "0.3")), Goal(to="b", from_="a"))
    assert found.blocked is None
    assert step(found, "serve").span is not None
