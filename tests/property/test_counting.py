"""Laws of counting: order does not matter, shares are shares, and a day is as bad as any instant in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from rotator.model.policy import Policy
from rotator.simulate.grammar import Occurrence
from rotator.simulate.impact import Impact
from rotator.simulate.totals import Total
from tests.property.asking import answer
from tests.property.strategies import happenings, instants, policies


def totals(impact: Impact) -> dict[str, Total]:
    """Give all totals of an answer."""
    return {name: getattr(impact, name) for name in ("ok", "unpinned", "broken", "exposed", "lost")}


@given(policy=policies(known=False), events=happenings(), at=instants, seed=st.randoms(use_true_random=False))
def test_the_order_of_apps_and_releases_does_not_matter(
    policy: Policy, events: tuple[Occurrence, ...], at: datetime, seed: Random
) -> None:
    names = list(policy.apps)
    seed.shuffle(names)
    shuffled = {}
    for name in names:
        releases = list(policy.apps[name].releases)
        seed.shuffle(releases)
        shuffled[name] = replace(policy.apps[name], releases=tuple(releases))
    one, other = answer(policy, events, at), answer(replace(policy, apps=shuffled), events, at)
    assert totals(one.impact) == totals(other.impact)

    def rows(impact: Impact) -> set[tuple[str, ...]]:
        return {
            (r.connection.cohort.name, r.connection.host, r.connection.note, r.verdict, r.reason) for r in impact.rows
        }

    assert rows(one.impact) == rows(other.impact)


@given(policy=policies(known=False), events=happenings(), at=instants)
def test_totals_are_ranges_and_shares(policy: Policy, events: tuple[Occurrence, ...], at: datetime) -> None:
    found = answer(policy, events, at)
    population = found.fleet.population
    for name, total in totals(found.impact).items():
        assert (total.low is None) == (total.high is None), name
        if total.low is not None and total.high is not None:
            assert 0 <= total.low <= total.high, name
            if population is not None:
                assert total.high <= population.high
        assert total.share is None or 0 <= total.share <= 1
        assert not total.none or total.share == 0 or population is None
    if population is not None:
        both = found.impact.lost.high or 0
        assert both <= min(found.impact.broken.high or 0, found.impact.exposed.high or 0)
        bad = max(found.impact.broken.high or 0, found.impact.exposed.high or 0)
        assert (found.impact.ok.low or 0) + bad <= population.high
    for row in found.impact.rows:
        assert 0 <= row.connection.share <= 1


@given(policy=policies(), events=happenings(), at=instants, span=st.integers(0, 40), moment=st.integers(0, 86_399))
def test_a_day_is_at_least_as_bad_as_each_instant_in_it(
    policy: Policy, events: tuple[Occurrence, ...], at: datetime, span: int, moment: int
) -> None:
    until = at + timedelta(days=span)
    days = answer(policy, events, at, until).days
    assert [day.day.date() for day in days] == [at.date() + timedelta(days=n) for n in range(span + 1)]
    day = days[span // 2]
    inside = max(at, day.day + timedelta(seconds=moment))
    if inside.date() != day.day.date():
        return
    instant = answer(policy, events, inside).impact
    for name in ("broken", "exposed", "unpinned"):
        total: Total = getattr(instant, name)
        assert (day.totals[name].high or 0) >= (total.high or 0), name
        assert (day.totals[name].low or 0) >= (total.low or 0), name
