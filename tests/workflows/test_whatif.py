"""The knobs of What-if: every event can be turned to, every part of it, and each is answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotator.model.when import parse_instant
from rotator.simulate.grammar import EVENTS
from rotator.simulate.question import Picture
from rotator.workflows.opening import open_policy
from rotator.workflows.possible import part_choices, usual_events
from rotator.workflows.whatif import WhatIf, answer, knobs, settle, turn

NOW = parse_instant("2026-11-23T09:00Z")
POLICY = Path(__file__).parents[2] / "policies" / "storefront.toml"


@pytest.fixture(scope="module")
def picture() -> Picture:
    """Give the sample of a shop."""
    return open_policy(str(POLICY), NOW.date())


def test_every_event_can_be_turned_to(picture: Picture) -> None:
    state, seen = settle(WhatIf(), picture), []
    for _ in usual_events(picture):
        seen.append(state.event)
        state = turn(state, picture, "event", 1)
    names = usual_events(picture)
    start = names.index(seen[0])
    assert seen == [*names[start:], *names[:start]]
    assert state.event == seen[0]


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_is_answered_for_what_its_parts_can_be(picture: Picture, event: str) -> None:
    state = settle(WhatIf(event=event), picture)
    for index, kind in enumerate(EVENTS[event].parts):
        for choice in part_choices(kind, picture)[:4]:
            parts = [*state.parts]
            parts[index] = choice
            asked = settle(WhatIf(event=event, parts=tuple(parts)), picture)
            assert asked.parts[index] == choice
            found = answer(asked, picture, NOW)
            assert found.question.occurrences[0].text.startswith(event)
            assert found.impact.rows


@pytest.mark.parametrize("event", [name for name, form in EVENTS.items() if form.options])
def test_every_option_but_dates_is_a_knob(picture: Picture, event: str) -> None:
    state = settle(WhatIf(event=event), picture)
    shown = {knob.id for knob in knobs(state, picture, NOW)}
    for name, kind in EVENTS[event].options.items():
        assert (f"option:{name}" in shown) == (kind != "date")


def test_a_distrust_is_by_every_store_or_by_one(picture: Picture) -> None:
    state = settle(WhatIf(event="ca-distrust"), picture)
    assert "all stores" in {knob.value for knob in knobs(state, picture, NOW)}
    one = turn(state, picture, "option:trust", 1)
    assert dict(one.options)["trust"] in picture.inventory.trust
    assert (
        answer(one, picture, NOW).question.occurrences[0].text.partition("@")[0].endswith(f"?trust={one.options[0][1]}")
    )
    assert turn(one, picture, "option:trust", -1).options == ()


def test_what_is_left_out_of_a_mistake_is_a_ca_that_nobody_pins(picture: Picture) -> None:
    state = settle(WhatIf(event="mis-issue"), picture)
    state = turn(state, picture, "part1", -1)
    assert state.parts[1] == ""
    assert "nobody pins" in {knob.value for knob in knobs(state, picture, NOW) if knob.id == "part1"}.pop()
