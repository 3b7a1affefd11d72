"""Every invariant on states written by hand: where it holds, where it does not, and where it is not asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from rotator.plan.invariants import INVARIANTS, worse
from rotator.plan.states import Days, Drop, Ending, Held, Part, Phase, Spare, State

TODAY = date(2026, 11, 20)
GOOD = Spare(name="b", proved=date(2026, 11, 1))
NOTHING = State(today=TODAY)


def says(name: str, state: State) -> tuple[bool, float, str]:
    """Give whether an invariant holds, by how much, and where it is the tightest."""
    found = INVARIANTS[name](state)
    return found.holds, round(found.by, 6), found.segment


@pytest.mark.parametrize("name", INVARIANTS)
def test_all_hold_where_nothing_is(name: str) -> None:
    assert says(name, NOTHING)[0]


# --- I1, I7: spares ----------------------------------------------------------------------------------------------


def pinned(*spares: Spare, single: bool = False) -> State:
    return replace(NOTHING, pinsets=(Held(name="shop", spares=spares, single=single),))


def test_i1_wants_a_real_backup() -> None:
    assert says("I1", pinned(GOOD))[0]
    assert says("I1", pinned()) == (False, -1.0, "shop")


@pytest.mark.parametrize(
    "bad",
    [
        replace(GOOD, proved=None),
        replace(GOOD, proved=date(2025, 11, 19)),
        replace(GOOD, exists=False),
        replace(GOOD, apart=False),
        replace(GOOD, certified=False),
    ],
)
def test_i7_what_is_no_capability_is_no_backup(bad: Spare) -> None:
    """Proved 366 days ago is too long ago, 365 is not; kept with the primary it goes with it."""
    assert not says("I1", pinned(bad))[0]
    assert says("I7", pinned(bad)) == (False, -1.0, "shop")
    assert says("I7", pinned(replace(GOOD, proved=date(2025, 11, 20))))[0]
    assert says("I1", pinned(bad, GOOD))[0]


@pytest.mark.parametrize("bad", [replace(GOOD, sound=False), replace(GOOD, outside=False)])
def test_i1_a_stolen_or_served_pin_is_no_spare(bad: Spare) -> None:
    assert not says("I1", pinned(bad))[0]


def test_i7_unknown_custody_still_counts() -> None:
    assert says("I1", pinned(replace(GOOD, apart=None)))[0]


def test_i1_is_not_asked_after_a_promotion_nor_of_clients_that_hold_one_value() -> None:
    assert INVARIANTS["I1"](replace(pinned(), promoted=True)).suspended
    assert says("I1", pinned(single=True))[0]


# --- I2 ------------------------------------------------------------------------------------------------------------


def parts(**more: object) -> State:
    fleet = Part(name="fleet", budget=0.05)
    return replace(NOTHING, parts=(fleet, replace(fleet, name="shop", **more)))  # type: ignore[arg-type]


def test_i2_every_segment_keeps_its_budget() -> None:
    assert says("I2", parts(broken=0.05)) == (True, 0.0, "shop")
    assert says("I2", parts(broken=0.06)) == (False, -0.01, "shop")


def test_i2_what_nobody_knows_cannot_be_called_safe() -> None:
    found = INVARIANTS["I2"](parts(broken=None))
    assert not found.holds
    assert "cannot say safe" in found.text


def test_i2_is_not_asked_of_tiny_segments_nor_of_the_answer_to_an_incident() -> None:
    """30 of 2,000,030 are below the noise floor: they are named, they do not hold the plan up."""
    assert says("I2", parts(broken=1.0, counted=False))[0]
    assert INVARIANTS["I2"](replace(parts(broken=1.0), incident=True)).suspended


# --- I3, I5 --------------------------------------------------------------------------------------------------------


def test_i3_a_swap_starts_when_enough_accept_the_new_chain() -> None:
    state = parts(accepting=0.94, both=0.96)
    assert says("I3", replace(state, phase=Phase.STARTS)) == (False, -0.01, "shop")
    assert says("I3", replace(state, phase=Phase.UNDER_WAY))[0], "who accepts is asked at the start"
    assert says("I3", replace(state, phase=Phase.NONE))[0]


def test_i3_until_it_is_over_enough_accept_both_or_no_fewer_than_today() -> None:
    state = replace(parts(accepting=1.0, both=0.90), phase=Phase.UNDER_WAY)
    assert says("I3", state) == (False, -0.05, "shop")
    fewer = replace(parts(accepting=0.9, both=0.90, today=0.90), phase=Phase.UNDER_WAY)
    assert says("I3", fewer)[0]
    assert says("I3", replace(state, phase=Phase.OVER))[0]


def test_i3_is_not_asked_where_clients_hold_one_value_nor_in_an_incident() -> None:
    state = replace(parts(accepting=0.0, both=0.0, single=True), phase=Phase.STARTS)
    assert says("I3", state)[0]
    assert INVARIANTS["I3"](replace(parts(both=0.0), phase=Phase.STARTS, incident=True)).suspended


def test_i5_no_swap_starts_while_a_dropping_release_is_on_its_way() -> None:
    state = replace(parts(without=0.5), phase=Phase.STARTS)
    assert says("I5", state) == (False, -0.45, "shop")
    assert says("I5", replace(state, phase=Phase.OVER))[0]
    assert says("I5", replace(parts(without=0.95), phase=Phase.STARTS))[0]
    assert says("I5", replace(parts(without=0.5, single=True), phase=Phase.STARTS))[0]


# --- I4, I8 --------------------------------------------------------------------------------------------------------


def dropping(**more: bool) -> State:
    return replace(NOTHING, drops=(Drop(name="shop 2.0", **more),))


def test_i4_an_old_pin_goes_when_what_survives_is_served_everywhere() -> None:
    assert says("I4", dropping())[0]
    assert not says("I4", dropping(everywhere=False))[0]
    assert not says("I4", dropping(survives=False))[0]


def test_i4_leaf_to_ca_of_the_same_chain_may_go_early() -> None:
    assert says("I4", dropping(everywhere=False, same_chain=True))[0]


def test_i8_the_release_that_drops_brings_a_spare() -> None:
    assert says("I8", dropping(refilled=False)) == (False, -1.0, "shop 2.0")


# --- I9, I10 -------------------------------------------------------------------------------------------------------


def ending(*, opens: bool, replaced: date | None, dies: date | None = None) -> State:
    own = Ending(name="p", ends=date(2027, 3, 1), opens=opens, replaced=replaced, dies=dies)
    return replace(NOTHING, endings=(own,))


@pytest.mark.parametrize("opens", [True, False])
def test_i9_pins_outlast_their_replacement(opens: bool) -> None:  # noqa: FBT001 - two cases
    assert says("I9", ending(opens=opens, replaced=date(2027, 2, 1))) == (True, 28.0, "p")
    assert says("I9", ending(opens=opens, replaced=date(2027, 3, 2))) == (False, -1.0, "p")
    assert not says("I9", ending(opens=opens, replaced=None))[0]


def test_i9_pins_that_open_end_before_the_pinned_thing_dies() -> None:
    early, late = date(2027, 2, 1), date(2027, 4, 1)
    assert not says("I9", ending(opens=True, replaced=early, dies=early))[0]
    assert says("I9", ending(opens=True, replaced=early, dies=late))[0]
    assert says("I9", ending(opens=False, replaced=early, dies=early))[0]


def test_i10_an_authority_is_good_until_its_end() -> None:
    relied = Held(name="shop", relied=(("ca", date(2026, 11, 30)), ("other", None)))
    assert says("I10", replace(NOTHING, pinsets=(relied,))) == (True, 10.0, "shop")
    assert not says("I10", replace(NOTHING, today=date(2026, 11, 30), pinsets=(relied,)))[0]


def test_i10_a_pinned_authority_is_a_spare_until_its_end() -> None:
    own = Spare(name="ca", authority=True, until=date(2026, 11, 21))
    assert says("I1", pinned(own))[0]
    assert not says("I1", replace(pinned(own), today=date(2026, 11, 21)))[0]


# --- I11, I12, I14 -------------------------------------------------------------------------------------------------


def test_i11_a_key_is_destroyed_when_hardly_anybody_needs_it() -> None:
    state = parts(only={"a": 0.0006})
    assert says("I11", state)[0]
    assert says("I11", replace(state, destroyed=frozenset("a"))) == (False, -0.0001, "shop")
    assert says("I11", replace(parts(only={"a": 0.0005}), destroyed=frozenset("a")))[0]
    assert not says("I11", replace(parts(only={"a": None}), destroyed=frozenset("a")))[0]


def test_i12_a_compromise_is_over_when_nobody_is_exposed_any_more() -> None:
    state = parts(exposed=0.001)
    assert says("I12", state)[0]
    assert says("I12", replace(state, stolen=frozenset("a"))) == (False, -0.0005, "shop")


def test_i14_nothing_is_done_without_a_sighting() -> None:
    def seen(day: date | None) -> State:
        return replace(NOTHING, claimed={"serve b": day})

    assert says("I14", seen(date(2026, 11, 7))) == (True, 1.0, "serve b")
    assert not says("I14", seen(date(2026, 11, 6)))[0]
    assert not says("I14", seen(None))[0]


# --- I6 ------------------------------------------------------------------------------------------------------------


def names(before: State, after: State, **more: object) -> list[str]:
    return [finding.invariant for finding in worse(before, after, **more)]  # type: ignore[arg-type]


def test_i6_a_step_may_not_falsify_what_holds() -> None:
    assert names(parts(broken=0.0), parts(broken=0.06)) == ["I2"]
    assert names(parts(broken=0.0), parts(broken=0.05)) == []


def test_i6_a_step_may_not_worsen_what_does_not_hold() -> None:
    """What events did is not the step's fault; adding to it is."""
    assert names(parts(broken=0.10), parts(broken=0.10)) == []
    assert names(parts(broken=0.10), parts(broken=0.09)) == []
    assert names(parts(broken=0.10), parts(broken=0.11)) == ["I2"]


def test_i6_a_step_may_not_cost_more_user_days_than_the_best_other_answer() -> None:
    """100 broken against 10 exposed: allowed from a weight of 10 on."""
    state = parts()
    cost, rest = Days(broken=100), Days(exposed=10)
    assert names(state, state, with_=cost, without=rest, weight=1.0) == ["I6"]
    assert names(state, state, with_=cost, without=rest, weight=10.0) == []
