"""Giving the attacker more never lowers exposure; what leaves our servers alone never mends or breaks them."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given

from rotator.model.policy import Policy
from rotator.simulate.grammar import Occurrence
from rotator.simulate.impact import Row
from tests.property.asking import answer
from tests.property.strategies import ATTACKS, EVENTS, HOSTILE, happenings, instants, policies

#: Our own steps, and what is said of pins, may well lower exposure; the attacker's world is the rest.
WORLD = [event for event in EVENTS if event not in HOSTILE]


def key(row: Row) -> tuple[str, str, str]:
    """Give what makes a row this one."""
    return row.connection.cohort.name, row.connection.host, row.connection.note


@given(policy=policies(known=False), world=happenings(WORLD), more=happenings(ATTACKS), at=instants)
def test_more_attacks_expose_no_fewer(
    policy: Policy, world: tuple[Occurrence, ...], more: tuple[Occurrence, ...], at: datetime
) -> None:
    less = answer(policy, world, at).impact
    also = answer(policy, (*world, *more), at).impact
    before = {key(row): row for row in less.rows}
    for row in also.rows:
        assert row.verdict.is_exposed or not before[key(row)].verdict.is_exposed
        assert row.verdict.is_broken == before[key(row)].verdict.is_broken
    if less.exposed.high is not None and also.exposed.high is not None:
        assert also.exposed.high >= less.exposed.high
        assert (also.broken.low, also.broken.high) == (less.broken.low, less.broken.high)


@given(policy=policies(known=False), world=happenings(), more=happenings([*ATTACKS, *HOSTILE]), at=instants)
def test_attacks_that_take_our_servers_away_expose_no_fewer_either(
    policy: Policy, world: tuple[Occurrence, ...], more: tuple[Occurrence, ...], at: datetime
) -> None:
    less = answer(policy, world, at).impact
    also = answer(policy, (*world, *more), at).impact
    before = {key(row): row for row in less.rows}
    assert all(row.verdict.is_exposed or not before[key(row)].verdict.is_exposed for row in also.rows)
