"""Sweeps against sets counted one by one, and against the judge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.model.pins import spki_pin
from rotator.model.pki import TrustStore, planned_certificate
from rotator.model.progress import CancelledError
from rotator.model.rules import Clause, Rule, Scope
from rotator.simulate.engine.sweep import ChainMask, HostSweep, People, PinMask, sweep
from rotator.simulate.judge import judge
from rotator.simulate.judgement import Side, Situation
from tests.desk import NOW

PINS, STORES, CURVES, DAYS = 90, 2, 2, 7
pins = st.frozensets(st.integers(0, PINS - 1), max_size=6)
pinsets = st.lists(st.builds(PinMask, pins, pins), min_size=1, max_size=6)
chains = st.builds(
    ChainMask, pins, st.frozensets(st.integers(0, PINS - 1), max_size=80), st.frozensets(st.integers(0, 1))
)


@st.composite
def asked(draw: st.DrawFn) -> tuple[HostSweep, int]:
    own = draw(pinsets)
    configurations = draw(st.lists(st.integers(0, len(own) - 1), min_size=1, max_size=8))
    situations = draw(st.lists(st.tuples(chains, st.none() | chains), min_size=1, max_size=4))
    periods = st.lists(st.integers(1, DAYS - 1), max_size=2, unique=True).map(lambda days: [0, *sorted(days)])
    scenarios = [
        [(day, draw(st.integers(0, len(situations) - 1))) for day in draw(periods)]
        for _ in range(draw(st.integers(1, 4)))
    ]
    return HostSweep(own, np.array(configurations, np.int64), situations, scenarios), len(configurations)


def accepts(pinset: PinMask, chain: ChainMask, store: int) -> bool:
    return store in chain.trusted_by and bool(pinset.leaf & chain.leaf or pinset.any & chain.any)


@given(asked(), st.lists(st.tuples(st.integers(0, 31), st.integers(0, 1000)), max_size=30))
def test_a_sweep_counts_what_sets_count(question: tuple[HostSweep, int], cohorts: list[tuple[int, int]]) -> None:
    host, wide = question
    shape = (wide, STORES, CURVES)
    curves = np.array([[1.0] * DAYS, [1 / 2**day for day in range(DAYS)]])
    whole = wide * STORES * CURVES
    classes = np.array([number % whole for number, _ in cohorts], np.int64)
    people = People.of(classes, np.array([float(size) for _, size in cohorts]), shape, curves)
    broken, exposed = sweep(people, [host]).by_scenario(0)
    wanted = np.zeros((2, len(host.scenarios), DAYS))
    for number, size in cohorts:
        config, store, curve = np.unravel_index(number % whole, shape)
        pinset = host.pinsets[host.configured[config]]
        for row, periods in enumerate(host.scenarios):
            for day in range(DAYS):
                ours, theirs = host.situations[[own for begin, own in periods if begin <= day][-1]]
                weight = size * curves[curve, day]
                wanted[0, row, day] += 0 if accepts(pinset, ours, int(store)) else weight
                wanted[1, row, day] += weight if theirs is not None and accepts(pinset, theirs, int(store)) else 0
    np.testing.assert_allclose([broken, exposed], wanted, rtol=1e-12, atol=1e-6)


@given(leaf=st.booleans(), any_=st.booleans(), trusted=st.booleans())
def test_a_sweep_accepts_what_the_judge_accepts(leaf: bool, any_: bool, trusted: bool) -> None:  # noqa: FBT001
    root = planned_certificate(identity="root", spki=b"r" * 32, subject="root", issuer=None, ca=True)
    own = planned_certificate(
        identity="leaf", spki=b"l" * 32, subject="leaf", issuer=root, dns_names=("a.example.com",)
    )
    held = Clause(scope=Scope.ANY if any_ else Scope.LEAF, pins=frozenset({spki_pin(own.spki if leaf else root.spki)}))
    store = TrustStore(name="t", roots=(root,) if trusted else ())
    said = judge(Rule(clauses=(held,)), (own,), "a.example.com", store, Situation(at=NOW), Side.OURS).accepted
    number = frozenset({0 if leaf else 1})
    pinset = PinMask(frozenset(), number) if any_ else PinMask(number, frozenset())
    chain = ChainMask(frozenset({0}), frozenset({0, 1}), frozenset({0} if trusted else ()))
    host = HostSweep([pinset], np.zeros(1, np.int64), [(chain, chain)], [[(0, 0)]])
    found = sweep(People(np.ones((1, 1, 1)), np.ones((1, 1))), [host])
    assert found.by_scenario(0)[0].tolist() == [[0.0 if said else 1.0]]


def test_a_sweep_can_be_given_up() -> None:
    class Impatient:
        def step(self, done: int, of: int, what: str) -> None:
            assert (done, of, what) == (0, 1, "sweep")
            raise CancelledError

    host = HostSweep([PinMask(frozenset(), frozenset())], np.zeros(1, np.int64), [], [])
    with pytest.raises(CancelledError):
        sweep(People(np.ones((1, 1, 1)), np.ones((1, 1))), [host], Impatient())


def test_many_cohorts_are_added_up_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts and halves of any length give the sums of the whole."""
    monkeypatch.setattr("rotator.simulate.engine.sweep.PART", 24)
    rng = np.random.default_rng(3)
    for count in (0, 9, 95, 96, 97, 201):
        classes, clients = rng.integers(0, 6, count), rng.integers(1, 50, count).astype(np.float64)
        sizes = People.of(classes, clients, (3, 1, 2), np.ones((2, 1))).sizes
        assert sizes.ravel().tolist() == [clients[classes == place].sum() for place in range(6)]
