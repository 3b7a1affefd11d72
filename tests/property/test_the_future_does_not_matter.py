"""An answer for an instant is the same whenever it is asked: alone, among days, and whatever comes later."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given

from rotator.model.policy import Policy
from rotator.simulate.grammar import Occurrence
from rotator.simulate.impact import Impact
from tests.property.asking import answer
from tests.property.strategies import EVENTS, happenings, instants, policies

#: Those whom live pins do not reach are rows of their own as soon as live pins are asked about.
WORLD = [event for event in EVENTS if not event.startswith("publish")]


def said(impact: Impact) -> dict[tuple[str, str, str], tuple[object, ...]]:
    """Give what is said of each cohort on each host."""
    return {
        (r.connection.cohort.name, r.connection.host, r.connection.note): (
            r.verdict,
            r.reason,
            r.pin_in_force,
            r.unsure,
            r.connection.clients,
        )
        for r in impact.rows
    }


@given(policy=policies(known=False), events=happenings(), at=instants, until=instants)
def test_alone_and_among_days(policy: Policy, events: tuple[Occurrence, ...], at: datetime, until: datetime) -> None:
    alone = answer(policy, events, at).impact
    among = answer(policy, events, at, max(at, until))
    assert said(alone) == said(among.impact)
    for impact in among.window:
        if impact.at == at:
            assert said(impact) == said(alone)


@given(policy=policies(known=False), events=happenings(WORLD), at=instants)
def test_with_and_without_what_comes_later(policy: Policy, events: tuple[Occurrence, ...], at: datetime) -> None:
    so_far = tuple(event for event in events if event.at is not None and event.at <= at)
    assert said(answer(policy, events, at).impact) == said(answer(policy, so_far, at).impact)
