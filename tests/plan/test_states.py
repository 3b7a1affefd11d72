"""The states of pins and keys, first match first."""

from __future__ import annotations

from datetime import date

import pytest

from rotator.plan.states import Carried, PinState, Sureness, key_state, pin_state

TODAY = date(2026, 11, 20)


def state(
    *,
    newest: bool = True,
    has: float | None = 0.5,
    accepting: float | None = 0.5,
    plateau: float | None = 1.0,
    seen: date | None = None,
) -> tuple[PinState, Sureness]:
    """Give the state with a budget of 5 %, a noise floor of 0.05 % and sightings that hold for 14 days."""
    held = Carried(newest=newest, has=has, accepting=accepting, plateau=plateau, seen=seen)
    return pin_state(held, budget=0.05, noise_floor=0.0005, today=TODAY, sighting_days=14)


def test_a_pin_is_hidden_when_the_newest_release_lacks_it_and_nobody_has_it() -> None:
    assert state(newest=False, has=0.0005)[0] is PinState.HIDDEN


def test_a_pin_that_some_still_have_is_unretentive() -> None:
    assert state(newest=False, has=0.0006)[0] is PinState.UNRETENTIVE
    assert state(newest=False, has=1.0, accepting=1.0)[0] is PinState.UNRETENTIVE


def test_a_pin_is_omnipresent_from_one_less_the_budget_on() -> None:
    assert state(accepting=0.95)[0] is PinState.OMNIPRESENT
    assert state(accepting=0.9499)[0] is PinState.RUMOURED


def test_a_pin_whose_curve_ends_too_low_is_stranded() -> None:
    assert state(accepting=0.5, plateau=0.94)[0] is PinState.STRANDED
    assert state(accepting=0.5, plateau=0.95)[0] is PinState.RUMOURED


def test_enough_that_accept_today_count_more_than_a_low_end_of_the_curve() -> None:
    assert state(accepting=0.95, plateau=0.5)[0] is PinState.OMNIPRESENT


@pytest.mark.parametrize("newest", [True, False])
def test_what_nobody_knows_is_never_good_enough(newest: bool) -> None:  # noqa: FBT001 - two cases
    found = state(newest=newest, has=None, accepting=None, plateau=None)[0]
    assert found is (PinState.RUMOURED if newest else PinState.UNRETENTIVE)


def test_a_state_is_confirmed_by_a_sighting_younger_than_the_limit() -> None:
    assert state(seen=date(2026, 11, 7))[1] is Sureness.CONFIRMED
    assert state(seen=date(2026, 11, 6))[1] is Sureness.PROJECTED
    assert state(seen=date(2026, 11, 21))[1] is Sureness.PROJECTED


def test_a_key_is_rumoured_while_some_edges_serve_it() -> None:
    places = ["", "eu", "dr"]
    assert key_state([], places) is PinState.HIDDEN
    assert key_state(["eu"], places) is PinState.RUMOURED
    assert key_state(places, places) is PinState.OMNIPRESENT
    assert key_state(["dr"], places, leaving=True) is PinState.UNRETENTIVE
