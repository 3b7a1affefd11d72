"""Losses in columns: what one of two hits is what the census counts of both, whatever the shares, counts and units."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rotator.model.policy import Policy
from rotator.simulate.engine.counting import Census, Hits
from rotator.simulate.engine.losses import Losses, Unions
from rotator.simulate.fleet import fleet_of
from tests.desk import BASE, Desk, app
from tests.property.strategies import picture, policies

MORE_HOSTS = '[hosts.two]\nnames = ["two.example.com"]\nserves = "a-chain"\n'


def drawn(data: st.DataObject, size: int) -> Hits:
    hit = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), np.bool_)
    sure = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), np.bool_)
    return Hits(hit, hit & sure)


def hold(census: Census, data: st.DataObject) -> None:
    """Hold every loss and pair against the census, and their order against the badness of each."""
    size = len(census.fleet.connections)
    none = drawn(data, size)
    own = [none | drawn(data, size) for _ in range(4)]
    unions = Unions(census, none, own)
    for i, j in combinations(range(4), 2):
        assert unions.pair(i, j) == census.total(own[i] | own[j])
    assert [unions.one(i) for i in range(4)] == [census.total(hits) for hits in own]
    judged = drawn(data, size)
    unions.together({(1, 3): judged})
    assert unions.pair(1, 3) == census.total(judged)
    other = Unions(census, none, own[::-1])
    losses = Losses("abcd", unions, other, lambda _: (), lambda: None)
    assert len(losses) == 10
    expected = [
        *(((name,), unions.one(n), other.one(n)) for n, name in enumerate("abcd")),
        *((("abcd"[i], "abcd"[j]), unions.pair(i, j), other.pair(i, j)) for i, j in combinations(range(4), 2)),
    ]
    assert sorted((x.events, x.broken, x.exposed) for x in losses) == sorted(expected)
    order = [(*(-n for n in loss.badness), len(loss.events)) for loss in losses]
    assert order == sorted(order)
    alone = {loss.events[0]: loss.badness for loss in losses.alone}
    more = [x for x in losses if len(x.events) == 2 and all(x.badness > alone[event] for event in x.events)]
    assert losses.worse() == (len(more), more)
    assert losses.worse(1) == (len(more), more[:1])


@settings(max_examples=40)
@given(policies(known=False), st.data())
def test_pairs_of_losses_come_to_what_the_census_counts(policy: Policy, data: st.DataObject) -> None:
    own = picture(policy)
    hold(Census(fleet_of(own.inventory, own.table)), data)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_shares_ranges_unknown_counts_and_unlike_units(desk: Desk, data: st.DataObject) -> None:
    counts = ["1001", "{ low = 7, high = 1003 }", "", "33"]
    more = ["hosts = { api = 0.3, two = 0.41 }", "hosts = { api = 0.3, two = 1.0 }", "", 'unit = "devices"']
    apps = [app(f"app-{n}", clients=data.draw(st.sampled_from(counts)), more=own) for n, own in enumerate(more[:3])]
    hold(Census(fleet_of(desk.open(BASE + MORE_HOSTS + "".join(apps)).inventory)), data)
