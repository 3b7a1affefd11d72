"""The formulas of a rotation against numbers worked out by hand, and those of RFC 7583 and 7671 that they follow."""

from __future__ import annotations

import pytest

from rotator.model.adoption import AT_ONCE, PRESETS, Curve, mix_on
from rotator.plan.timing import cadence, days_to, dns_wait, keys_ahead, need, ship_last

TYPICAL = PRESETS["typical"]


def test_need_is_the_share_of_those_who_lack_it_that_must_move() -> None:
    """Of 30 % who lack it 5 % may be left: 25 of 30."""
    assert need(0.05, 0.70) == pytest.approx(0.25 / 0.30)
    assert need(0.05, 0.95) == pytest.approx(0.0)
    assert need(0.05, 0.99) < 0
    assert need(0.0, 0.0) == 1.0


@pytest.mark.parametrize(("days", "share"), [(7, 0.485), (30, 0.659), (90, 0.822), (180, 0.872), (365, 0.880)])
def test_the_typical_curve(days: float, share: float) -> None:
    """F(t) = .45 (1 - e^(-t/2.5)) + .43 (1 - e^(-t/45))."""
    assert TYPICAL.moved(days) == pytest.approx(share, abs=0.0005)


def test_waiting_has_no_answer_above_the_plateau() -> None:
    assert days_to(TYPICAL, AT_ONCE, 0.995) is None
    assert TYPICAL.plateau == pytest.approx(0.88)


def test_an_unpinned_majority_makes_it_day_100() -> None:
    """.833 = .88 - .43 e^(-t/45), so t = 45 ln(.43 / .0467) = 99.9."""
    days = days_to(TYPICAL, AT_ONCE, need(0.05, 0.70))
    assert days is not None
    assert round(days) == 100


def test_who_is_left_on_an_old_version_is_mostly_who_never_updates() -> None:
    """.12 / (.12 + .43 e^(-200/45)) = .960 on the version before; who came to the newest has updated."""
    fast, slow, never = mix_on(TYPICAL, newest_for=None, since=200)
    assert fast == pytest.approx(0, abs=1e-9)
    assert slow == pytest.approx(0.040, abs=5e-4)
    assert never == pytest.approx(0.960, abs=5e-4)
    assert int(38_500 * (1 - never)) in range(1_500, 1_560)
    fast, slow, never = mix_on(TYPICAL, newest_for=200)
    assert fast == pytest.approx(0.514, abs=5e-4)
    assert slow == pytest.approx(0.486, abs=5e-4)
    assert never == 0


def test_a_key_used_after_publication_and_the_time_to_live() -> None:
    """RFC 7583, 3.3.4: Ipub = Dprp + TTL. A cache is a curve on which everybody has moved after the time to live.

    Propagation of 2 hours and a time to live of 1 day: the key may be used 26 hours after it was published.
    """
    cache = Curve(fast=1.0, slow=0.0, fast_days=0.1, slow_days=1, done_days=1.0)
    assert days_to(cache, ((2 / 24, 1.0),), 1.0) == pytest.approx(26 / 24)


def test_two_times_to_live_between_a_record_and_its_key() -> None:
    """RFC 7671, 8.1: with the usual hour, two hours."""
    assert dns_wait(3600) * 24 == pytest.approx(2)
    assert dns_wait(86_400) == 2


def test_the_last_day_to_ship_is_counted_back_from_the_deadline() -> None:
    """Day 200, 1 day to deploy, 100 to move, 3 of safety: day 96."""
    assert ship_last(200, 1, 100, 3) == 96


def test_the_pace_of_keys() -> None:
    """168 days to be carried: 168 with one key ahead, 84 with two; never under deploy + rollback = 15."""
    assert cadence(168, 1, 1, 14) == 168
    assert cadence(168, 2, 1, 14) == 84
    assert cadence(168, 100, 1, 14) == 15


def test_keys_to_ship_ahead_where_every_renewal_makes_one() -> None:
    """47-day certificates renewed every 30 days, 168 days to be carried: 5.6, so 6."""
    assert keys_ahead(168, 30) == 6
    assert keys_ahead(30, 30) == 1
    assert keys_ahead(5, 30) == 1
