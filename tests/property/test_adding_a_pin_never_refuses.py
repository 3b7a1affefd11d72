"""Adding a pin to a non-empty, enforced pinset never turns accept into reject; a first pin may."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hypothesis import assume, given
from hypothesis import strategies as st

from rotator.mechanisms.base import PinsetSpec
from rotator.mechanisms.registry import mechanism
from rotator.model.names import Cover
from rotator.model.pins import Pin
from rotator.model.pki import Certificate, TrustStore
from rotator.model.policy import Policy
from rotator.model.rules import Base, Builder, Clause, Combine, LocalRoots, PathUse, Revocation, Rule, Scope
from rotator.simulate.judge import Side, Situation, judge
from tests.minting import pin
from tests.property.asking import answer
from tests.property.strategies import NAMES, PINSETS, PLAYED, certificates, instants, policies, specs

PINS = [pin(name) for name in ("a", "b", "c", "one", "two", "ica", "other", "nobody")]
CHAINS = [chain for name, chain in certificates().items() if "-" in name]
ROOTS = [certificates()["one"][0], certificates()["two"][0]]
rules = st.builds(
    Rule,
    clauses=st.lists(
        st.builds(
            Clause,
            scope=st.sampled_from([Scope.LEAF, Scope.CA, Scope.ANY]),
            pins=st.frozensets(st.sampled_from(PINS), min_size=1, max_size=3),
        ),
        min_size=1,
        max_size=2,
    ).map(tuple),
    path=st.sampled_from(PathUse),
    builder=st.sampled_from(Builder),
    base=st.sampled_from([Base.FULL, Base.NO_HOST, Base.NONE]),
    combine=st.sampled_from(Combine),
    local_roots=st.sampled_from(LocalRoots),
    revocation=st.sampled_from(Revocation),
    key_types=st.none() | st.just(frozenset({"ec-p256"})),
)


@given(
    rule=rules,
    added=st.sampled_from(PINS),
    which=st.integers(0, 1),
    chain=st.sampled_from(CHAINS),
    host=st.sampled_from(NAMES),
    at=instants,
    store=st.lists(st.sampled_from(ROOTS), min_size=1, max_size=2, unique=True),
    side=st.sampled_from(Side),
)
def test_in_a_rule(
    rule: Rule,
    added: Pin,
    which: int,
    chain: tuple[Certificate, ...],
    host: str,
    at: datetime,
    store: list[Certificate],
    side: Side,
) -> None:
    trust = TrustStore(name="t", roots=tuple(store))
    index = which % len(rule.clauses)
    clauses = list(rule.clauses)
    clauses[index] = replace(clauses[index], pins=clauses[index].pins | {added})
    before = judge(rule, chain, host, trust, Situation(at=at), side)
    after = judge(replace(rule, clauses=tuple(clauses)), chain, host, trust, Situation(at=at), side)
    assert after.accepted or not before.accepted


@given(policy=policies(), at=instants, pinset=st.sampled_from(sorted(PINSETS)), key=st.sampled_from("abc"))
def test_in_a_policy(policy: Policy, at: datetime, pinset: str, key: str) -> None:
    """Whoever was let through before is let through after."""
    own = policy.pinsets[pinset]
    assume(own.keys and key not in own.keys)
    wider = replace(policy, pinsets={**policy.pinsets, pinset: replace(own, backups=(*own.backups, key))})
    before, after = (
        {
            (row.connection.cohort.name, row.connection.host, row.connection.note): row.ours.judgement.accepted
            for row in answer(p, (), at).impact.rows
        }
        for p in (policy, wider)
    )
    assert [name for name in before if before[name] and not after[name]] == []


@given(spec=specs(), at=instants)
def test_in_every_format(spec: PinsetSpec, at: datetime) -> None:
    chain, trust = certificates()["a-one"], TrustStore(name="t", roots=(ROOTS[0],))
    few = (pin("a"), pin("nobody"))
    small = replace(spec, covers=(Cover(NAMES[0]),), keys=few, authorities=(), expires=None)
    large = replace(small, keys=(*few, *spec.keys))
    for own in (mechanism(name) for name in PLAYED[:5]):
        accepted = [
            judge(own.rule(own.from_pinset(s), NAMES[0]), chain, NAMES[0], trust, Situation(at=at), Side.OURS).accepted
            for s in (small, large)
        ]
        assert accepted[1] or not accepted[0], own.id
