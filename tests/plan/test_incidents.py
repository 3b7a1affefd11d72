"""Plans away from a stolen key, pins that end too soon, and sightings that are too old."""

from __future__ import annotations

from tests.desk import Desk
from tests.plan.planning import LIMITS, app, day, plan, policy, step

STOLEN = 'custody = "hsm", status = "compromised", since = 2026-11-19'


def test_a_stolen_key_is_not_kept_until_the_budget_allows_it(desk: Desk) -> None:
    """Budgets are for our own steps: of 1,000 all break today, and the plan is headed by that."""
    text = policy(app()).replace('custody = "hsm"', STOLEN, 1)
    found = plan(desk, text)
    assert not found.never
    assert step(found, "serve").planned == day("2026-11-20")
    assert "a is compromised" in found.loss
    assert "1,000 users (100.00%)" in found.loss
    assert found.replayed == ()
    # One day to deploy, and nobody rolls back to a stolen key.
    assert step(found, "drop").planned == day("2026-11-21")


def test_one_release_brings_the_new_key_and_drops_the_stolen_one(desk: Desk) -> None:
    """In review for two days, it reaches people when b has been served everywhere for one: nothing waits for another.

    Without review it waits a day for b to be served everywhere, where two releases would be a day apart.
    """
    for review, handed_in in ((2, "2026-11-20"), (0, "2026-11-21")):
        text = policy(app(), limits=LIMITS.replace("review_days = 0", f"review_days = {review}"))
        found = plan(desk, text.replace('custody = "hsm"', STOLEN, 1))
        own = step(found, "drop")
        assert [s.action for s in found.steps] == ["observe", "serve", "drop", "destroy"]
        assert (str(own.planned), own.adds, own.drops) == (handed_in, ("b", "c"), ("a",))
        assert found.replayed == ()


def test_a_swap_that_has_to_wait_leaves_two_releases(desk: Desk) -> None:
    """Frozen until 2026-12-20: b is shipped at once, and a is dropped when b is served."""
    frozen = '[[freeze]]\nfrom = 2026-11-19\nto = 2026-12-20\nwhat = ["serve"]\n'
    found = plan(desk, policy(app(), more=frozen).replace('custody = "hsm"', STOLEN, 1))
    assert [s.action for s in found.steps] == ["ship", "observe", "serve", "drop", "destroy"]
    assert str(step(found, "serve").planned) == "2026-12-21"
    assert str(step(found, "drop").planned) == "2026-12-22"
    assert any(text.startswith("freeze: a is served on until 2026-12-21") for text in found.findings)
    assert found.replayed == ()


def test_a_compromise_is_over_when_nobody_is_exposed_any_more(desk: Desk) -> None:
    """A fifth never update and accept the stolen key until its certificate ends, on 2027-10-01 (I12)."""
    own = app(adoption="{ never = 0.2, fast = 0.8, fast_days = 2, slow_days = 3 }")
    found = plan(desk, policy(own).replace('custody = "hsm"', STOLEN, 1))
    assert any(text.startswith("I12: a is over on 2027-10-01") for text in found.findings)


def test_a_sound_key_has_no_loss(desk: Desk) -> None:
    found = plan(desk, policy(app(adoption='"deploy"')))
    assert found.loss == ""
    assert not any(text.startswith("I12") for text in found.findings)


def test_a_sighting_is_young_when_the_chain_is_served(desk: Desk) -> None:
    """20 days of safety and sightings that hold 14: it is looked at again 13 days before (I14)."""
    limits = LIMITS.replace("0.05", "0.08") + "safety_days = 20\nsighting_days = 14\n"
    found = plan(desk, policy(app(), limits=limits))
    serve, seen = step(found, "serve").planned, step(found, "observe").planned
    assert serve is not None
    assert seen is not None
    assert (serve - seen).days == 13
    assert found.replayed == ()


def test_pins_that_end_before_their_successor_is_carried_are_named(desk: Desk) -> None:
    """The first device drops pins of 2026-12-24 on the day before, at UTC+14; b is carried on 2026-12-25 (I9)."""
    limits = LIMITS.replace("0.05", "0.08")
    ends = "expires = 2026-12-24\n"
    found = plan(desk, policy(app(mechanism="android-nsc"), limits=limits, pinsets=ends))
    late = plan(desk, policy(app(mechanism="android-nsc"), limits=limits, pinsets="expires = 2027-06-01\n"))
    assert "I9: shop android-nsc ends on 2026-12-23, replaced on 2026-12-25" in found.findings
    assert not any(text.startswith("I9: ") for text in late.findings)
    assert found.replayed == ()


def test_states_are_said_of_every_step(desk: Desk) -> None:
    found = plan(desk, policy(app(), limits=LIMITS.replace("0.05", "0.08")))
    assert "pin b in shop: hidden -> rumoured (projected)" in step(found, "ship").states
    assert "key b on servers: hidden -> rumoured -> omnipresent" in step(found, "serve").states
    assert "pin a in shop: omnipresent -> unretentive (projected)" in step(found, "drop").states
