"""Giving the attacker more never lowers exposure, and never mends or breaks our own servers."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given

from rotator.model.policy import Policy
from rotator.simulate.grammar import Occurrence
from rotator.simulate.impact import Row
from tests.property.asking import answer
from tests.property.strategies import ATTACKS, happenings, instants, policies


def key(row: Row) -> tuple[str, str, str]:
    """Give what makes a row this one."""
    return row.connection.cohort.name, row.connection.host, row.connection.note


@given(policy=policies(known=False), world=happenings(), more=happenings(ATTACKS), at=instants)
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
