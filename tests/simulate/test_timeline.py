"""The order of what happens, and at which instants verdicts can change."""

from __future__ import annotations

import pytest

from rotator.errors import UsageError
from rotator.mechanisms.base import Entry, PinConfig
from rotator.model.policy import Policy, TimelineRow
from rotator.simulate.grammar import parse_action, parse_event
from rotator.simulate.inventory import Enforced, Inventory
from rotator.simulate.timeline import Timeline, from_row, happenings, with_ended_pinsets
from tests.desk import BASE, NOW, Desk, app
from tests.minting import instant

DAY = "@2026-12-01"


def test_at_one_instant_expiry_trust_revocation_attack_then_our_action() -> None:
    events = [
        parse_action(f"serve:api:b{DAY}"),
        parse_event(f"renew:api:same-key{DAY}"),
        parse_event(f"key-compromise:a{DAY}"),
        parse_event(f"key-loss:a{DAY}"),
        parse_action(f"revoke:a-chain{DAY}"),
        parse_event(f"revoke:api?clock=0h{DAY}"),
        parse_event(f"ca-distrust:root{DAY}"),
        parse_event(f"pins-expire:p{DAY}"),
        parse_event(f"expire:a-chain{DAY}"),
    ]
    order = [h.occurrence.form.order.name for h in happenings(events, NOW)]
    assert order == ["EXPIRY"] * 2 + ["TRUST"] + ["REVOCATION"] * 2 + ["ATTACK"] * 2 + ["ACTION"] * 2


def test_of_things_alike_at_one_instant_the_first_written_comes_first() -> None:
    events = [parse_event(f"{name}:a{DAY}") for name in ("key-loss", "key-compromise", "key-loss")]
    assert [h.occurrence.id for h in happenings(events, NOW)] == ["key-loss", "key-compromise", "key-loss"]


def test_a_revocation_takes_effect_at_the_end_of_its_clock_and_ours_at_once() -> None:
    texts = {"revoke:api": 24, "revoke:api?clock=5d": 120, "revoke:api?clock=0h": 0}
    for text, hours in texts.items():
        *announced, effect = happenings([parse_event(text + DAY)], NOW)
        assert (effect.at - instant("2026-12-01")).total_seconds() == hours * 3600
        assert [(h.at, h.announced) for h in announced] == ([(instant("2026-12-01"), True)] if hours else [])
    (ours,) = happenings([parse_action("revoke:a-chain" + DAY)], NOW)
    assert ours.at == instant("2026-12-01")


def test_what_names_no_instant_happens_at_the_default() -> None:
    (only,) = happenings([parse_event("key-loss:a")], NOW)
    assert only.at == only.occurrence.at == NOW


def test_a_row_gives_its_date_unless_the_text_has_one() -> None:
    date = instant("2026-12-01")
    assert from_row(TimelineRow(date=date.date(), event="key-loss:a")).at == date
    assert from_row(TimelineRow(date=date, event="key-loss:a@2027-01-01")).at == instant("2027-01-01")
    assert from_row(TimelineRow(date=date, action="serve:api:b")).action


@pytest.mark.parametrize(
    ("own", "ends"), [(None, "2026-12-01"), ("2027-06-30", "2026-12-01"), ("2026-11-30", "2026-11-30")]
)
def test_pins_expire_early_but_never_later_than_their_own_date(own: str | None, ends: str) -> None:
    config = PinConfig(entries=(Entry(expires=instant(own) if own else None),))
    items = [Enforced(mechanism="okhttp", config=config, source=s, from_file=f) for s, f in (("p", False), ("p", True))]
    order = happenings([parse_event(f"pins-expire:p{DAY}")], NOW)
    found = with_ended_pinsets(Inventory(policy=Policy(), enforced={("shop", 0): tuple(items)}), order)
    cut, shipped = found.enforced["shop", 0]
    assert cut.config.entries[0].expires == instant(ends)
    assert shipped == items[1]


def test_the_instants_are_those_of_events_ends_and_begins(desk: Desk) -> None:
    picture = desk.open(BASE + app("shop"))
    order = happenings([parse_event(f"key-loss:a{DAY}")], NOW)
    timeline = Timeline(picture.inventory, order)
    found = timeline.instants(NOW, instant("2027-12-01"), [instant("2027-01-01")])
    assert list(found) == sorted(found)
    assert found[0] == NOW
    for text in ("2026-12-01", "2027-01-01", "2027-09-30T00:00:01"):
        assert instant(text) in found
    assert instant("2040-01-01T00:00:01") not in found


def test_the_world_holds_everything_up_to_and_including_an_instant(desk: Desk) -> None:
    picture = desk.open(BASE + app("shop"))
    timeline = Timeline(picture.inventory, happenings([parse_event(f"key-loss:a{DAY}")], NOW))
    assert timeline.world_at(instant("2026-11-30T23:59:59")).lost == frozenset()
    assert timeline.world_at(instant("2026-12-01")).lost == {picture.inventory.keys["a"].pin}


def test_unknown_names_are_told_all_at_once(desk: Desk) -> None:
    with pytest.raises(UsageError) as caught:
        desk.ask(BASE + app("shop"), "key-loss:x", "renew:y")
    assert len(caught.value.problems) == 2
