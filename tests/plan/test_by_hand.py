"""Formulas and invariants of a whole plan against numbers that were worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from rotator.plan.values import Goal
from tests.desk import Desk
from tests.plan.planning import NOW, SWAP, app, day, plan, policy, server, step

BRISK = "{ never = 0.0, fast = 0.6, fast_days = 2.0, slow_days = 12 }"
""".6 e^(-t/2) + .4 e^(-t/12) are left after t days."""
FIVE = "break_budget = 0.05\nreview_days = 0\nsafety_days = 3\ndeploy_days = 1\nrollback_days = 14\n"


def test_need_ready_serve_drop_and_destroy(desk: Desk) -> None:
    """.4 e^(-t/12) = .05 on day 24.95: 25; served 3 later; dropped 1 + 14 after; .0005 on day 80.2: destroyed on 81.

    Counts hold for the whole of their day, and a release that is handed in today is there today.
    """
    assert math.isclose(12 * math.log(0.4 / 0.05), 24.95, abs_tol=0.01)
    assert math.isclose(12 * math.log(0.4 / 0.0005), 80.2, abs_tol=0.05)
    releases = '{ version = "1.0", released = 2026-05-01, clients = 1_000_000 }'
    found = plan(desk, policy(app(adoption=BRISK, releases=releases), limits=FIVE))
    days = {s.action: (s.planned - NOW.date()).days for s in found.steps if s.planned is not None}
    assert days == {"ship": 0, "observe": 25, "serve": 28, "drop": 43, "destroy": 81}


def test_the_last_day_to_ship_is_counted_back_from_the_deadline(desk: Desk) -> None:
    """By 2027-03-01: deployed in 1 day, so served on 02-28, ready 3 before that, handed in 25 before that: 01-31."""
    releases = '{ version = "1.0", released = 2026-05-01, clients = 1_000_000 }'
    found = plan(desk, policy(app(adoption=BRISK, releases=releases), limits=FIVE), replace(SWAP, by=day("2027-03-01")))
    assert step(found, "serve").latest == day("2027-02-28")
    assert step(found, "observe").latest == day("2027-02-25")
    assert step(found, "ship").latest == day("2027-01-31")
    # Slack is the smallest of latest less planned: 2027-02-28 less 2026-12-18.
    assert found.slack == 72


def test_the_last_day_to_ship_before_an_authority_is_distrusted(desk: Desk) -> None:
    """Today's chain is accepted until 2027-03-01, when its root is distrusted; b is served from another one."""
    more = (
        '[[calendar]]\ndate = 2027-03-01\nevent = "ca-distrust:root"\n'
        '[authorities.other-root]\ncertificate = "other-root.pem"\n[chains.b-other]\nleaf = "b"\n'
        'issuers = ["other-ica", "other-root"]\n[authorities.other-ica]\ncertificate = "other-ica.pem"\n'
    )
    text = policy(app(adoption=BRISK), limits=FIVE, more=more).replace(
        'roots = ["root"]', 'roots = ["root", "other-root"]'
    )
    found = plan(desk, text, Goal(chain="b-other"))
    assert found.deadline is not None
    assert found.deadline[0] == day("2027-03-01")
    assert step(found, "serve").latest == day("2027-02-28")
    assert step(found, "ship").latest == day("2027-01-31")


def test_the_pace_of_a_key_and_the_keys_to_ship_ahead(desk: Desk) -> None:
    """W = 25 days to move 95 % and 3 of safety; a new key each 10 days needs 3 ahead; never below 1 + 14 days."""
    renewing = policy(app(adoption=BRISK), limits=FIVE).replace(
        'serves = "a-chain"\n[trust]', 'serves = "a-chain"\nrenew_days = 10\nrenew_key = "new"\n[trust]'
    )
    pace = plan(desk, renewing).pace
    assert pace is not None
    assert (round(pace.longest or 0), round(pace.least or 0)) == (28, 28)
    assert pace.ahead == (("api", 10, 3),)
    fast = plan(desk, policy(app(adoption='"deploy"'), limits=FIVE)).pace
    assert fast is not None
    assert fast.least == 15


def test_example_9_thirty_machines_of_two_million_and_thirty(desk: Desk) -> None:
    """0.0015 % of the fleet, all of their segment: refused, but where they are below the noise floor of the fleet."""
    phones = app(adoption='"deploy"', releases='{ version = "1.0", released = 2026-05-01, clients = 2_000_000 }')
    text = policy(
        phones,
        server("ledger", "aiohttp", pinset="whole", clients="clients = 30"),
        pinsets='[pinsets.whole]\ncertificates = "a-chain"\n',
        limits="break_budget = 0.005\nreview_days = 0\n",
    )
    found = plan(desk, text)
    assert not found.never
    assert any(t.startswith("small-segment: 30 of ledger") for t in found.findings)
    heeded = plan(desk, text.replace("[limits]\n", "[limits]\nnoise_floor = 0.00001\n"))
    assert heeded.blocked is not None
    assert (heeded.blocked.segment, heeded.blocked.invariant) == ("ledger", "I2")
    assert (heeded.blocked.left.low, heeded.blocked.left.high) == (30, 30)


# --- policies that are made to go wrong ------------------------------------------------------------------------------


def test_one_of_two_apps_that_never_follows_makes_it_never(desk: Desk) -> None:
    """The 1,000 of 10,000 are 9 % of everybody and all of their own: the segment is named, not the fleet."""
    still = "{ never = 1.0, fast = 0.0, fast_days = 2.0, slow_days = 12 }"
    many = '{ version = "1.0", released = 2026-05-01, clients = 10_000 }'
    found = plan(desk, policy(app(adoption='"deploy"', releases=many), app("still", adoption=still)))
    assert found.blocked is not None
    assert found.blocked.segment == "still"
    assert found.at_best == 0.0


def test_a_spare_that_is_kept_with_what_is_served_next_is_none(desk: Desk) -> None:
    """I7: c is to be the spare of b; in the same safe one theft takes both."""
    apart = policy(app(adoption='"deploy"'))
    together = apart.replace('custody = "vault"', 'custody = "safe"')
    assert any("I7" in text and "kept with the primary" in text for text in plan(desk, together).findings)
    assert not any("kept with the primary" in text for text in plan(desk, apart).findings)


def test_a_pin_on_an_authority_that_is_distrusted_before_the_swap_carries_nobody_over_it(desk: Desk) -> None:
    """The app pins the CA and so accepts any key from it; from its distrust on nobody accepts today's chain."""
    by_ca = policy(
        app(adoption='"deploy"').replace('pinset = "p"', 'pinset = "ca"'), pinsets='[pinsets.ca]\nauthorities = "ica"\n'
    )
    plain = plan(desk, by_ca, Goal(to="b", from_="a"))
    assert step(plain, "serve").planned == NOW.date()
    gone = by_ca + '[[calendar]]\ndate = 2026-12-20\nevent = "ca-distrust:root"\n'
    late = plan(desk, gone, Goal(to="b", from_="a"))
    assert late.deadline is None or late.deadline[0] == day("2026-12-20")
    # The same CA certifies b: serving it saves nobody from the distrust, and breaks nobody who is not broken by it.
    assert late.replayed == ()
    assert late.exits == () or all(way.done is None or way.done >= NOW.date() for way in late.exits)


@pytest.mark.parametrize("mechanism", ["trustkit-ios", "okhttp", "android-nsc"])
def test_a_freeze_that_never_ends_is_never(desk: Desk, mechanism: str) -> None:
    frozen = f'[[freeze]]\nfrom = 2026-11-01\nto = {(NOW + timedelta(days=4000)):%Y-%m-%d}\nwhat = ["serve"]\n'
    found = plan(desk, policy(app(mechanism=mechanism, adoption='"deploy"'), more=frozen))
    assert found.never
