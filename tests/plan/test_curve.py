"""A plan over time, by hand."""

from __future__ import annotations

import math

import pytest

from rotator.plan.curve import Point, curve
from rotator.plan.values import Goal
from rotator.workflows.simulating import calendar
from tests.desk import Desk
from tests.plan.planning import NOW, SWAP, app, day, policy

EIGHT = "break_budget = 0.08\nreview_days = 0\nsafety_days = 4\n"


def points(desk: Desk, text: str, goal: Goal = SWAP) -> dict[str, Point]:
    """Give the points by their day."""
    picture = desk.open(text, NOW.date())
    return {str(p.day): p for p in curve(picture, goal, NOW, calendar(picture.policy))}


def test_coverage_is_the_curve_and_nobody_breaks_before_the_swap(desk: Desk) -> None:
    """A share of .95 - .75 e^(-t/2.5) - .20 e^(-t/25) has moved t days after the release, which is at once."""
    found = points(desk, policy(app(), limits=EIGHT))
    for text, days in (("2026-11-27", 7), ("2026-12-11", 21), ("2027-01-08", 49)):
        moved = 0.95 - 0.75 * math.exp(-days / 2.5) - 0.20 * math.exp(-days / 25)
        assert found[text].coverage == pytest.approx(moved, abs=0.002)
        assert found[text].segment in ("fleet", "shop")
    assert found["2027-01-10"].broken.none
    served = found["2027-01-11"]
    moved = 0.95 - 0.20 * math.exp(-52 / 25)
    assert served.broken.high == pytest.approx(1000 * (1 - moved), abs=2)
    assert served.coverage == pytest.approx(moved, abs=0.002)


def test_every_step_has_its_day_and_the_eve_of_it(desk: Desk) -> None:
    found = points(desk, policy(app(), limits=EIGHT))
    assert {"2026-11-20", "2027-01-10", "2027-01-11", "2027-01-25", "2027-01-26"} <= set(found)
    assert list(found) == sorted(found)
    assert max(found) == str(day("2027-01-26").replace(month=2, day=23))


def test_of_never_it_goes_to_the_horizon_and_nothing_is_served(desk: Desk) -> None:
    found = points(desk, policy(app(adoption="{ never = 0.2, fast = 0.5, fast_days = 2, slow_days = 20 }")))
    assert all(point.broken.none for point in found.values())
    last = found[max(found)]
    assert last.coverage == pytest.approx(0.8, abs=0.001)


def test_unknown_counts_are_no_coverage(desk: Desk) -> None:
    found = points(desk, policy(app(releases='{ version = "1.0", released = 2026-05-01 }')))
    assert {point.coverage for point in found.values()} == {None}
    assert all(point.broken.high is None or point.broken.none for point in found.values())
