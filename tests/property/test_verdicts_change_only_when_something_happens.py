"""Verdicts change only at instants that the timeline names."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta

from hypothesis import given, reject
from hypothesis import strategies as st

from rotator.errors import UsageError
from rotator.model.policy import Policy
from rotator.simulate.grammar import Occurrence
from rotator.simulate.impact import Impact
from rotator.simulate.question import expiries
from rotator.simulate.scene import Judges
from rotator.simulate.timeline import Timeline, happenings
from tests.property.asking import answer
from tests.property.strategies import BEGIN, END, instants, policies
from tests.property.strategies import happenings as drawn


@given(policy=policies(), events=drawn(), at=instants)
def test_between_two_named_instants_nothing_changes(
    policy: Policy, events: tuple[Occurrence, ...], at: datetime
) -> None:
    """Whatever instant is drawn, the answer is that of the named instant before it."""
    found = answer(policy, events, at)
    inventory = found.inventory
    timeline = Timeline(inventory, happenings(events, at, policy))
    fleet = found.fleet
    try:
        named = timeline.instants(BEGIN, END, expiries(fleet, inventory))
    except UsageError:  # what comes later cannot be played
        reject()
    before = named[bisect_right(named, at) - 1]
    judges = Judges(inventory)
    earlier = judges.impact(fleet, timeline.world_at(before), before)

    def rows(impact: Impact) -> list[object]:
        return [(r.connection.cohort, r.connection.host, r.verdict, r.reason, r.unsure) for r in impact.rows]

    assert sorted(map(str, rows(earlier))) == sorted(map(str, rows(found.impact)))


@given(policy=policies(), events=drawn(), at=instants, hours=st.integers(1, 10_000))
def test_the_first_break_is_the_first(policy: Policy, events: tuple[Occurrence, ...], at: datetime, hours: int) -> None:
    until = min(END, at + timedelta(hours=hours))
    found = answer(policy, events, at, until)
    if found.first_break is None:
        assert found.impact.broken.none or found.impact.broken.high == 0
        assert all(not r.verdict.is_broken for r in found.impact.rows)
        return
    assert answer(policy, events, found.first_break.at).impact.rows
    start = min([at, *(h.at for h in happenings(events, at, policy))])
    assert found.first_break.at >= start
    if found.first_break.at > start:
        just_before = found.first_break.at - timedelta(seconds=1)
        assert not any(r.verdict.is_broken for r in answer(policy, events, just_before).impact.rows)
