"""Adding a pin to a non-empty, enforced pinset never turns accept into reject; a first pin may."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rotator.mechanisms.base import Mechanism, PinsetSpec
from rotator.mechanisms.registry import KNOWN_IDS, mechanism
from rotator.model.names import Cover
from rotator.model.pins import Pin, PinKind
from rotator.model.pki import Certificate, TrustStore
from rotator.model.policy import Policy
from rotator.model.rules import Base, Builder, Clause, Combine, LocalRoots, PathUse, Revocation, Rule, Scope
from rotator.simulate.judge import judge
from rotator.simulate.judgement import Side, Situation
from tests.minting import pin
from tests.property.asking import answer
from tests.property.strategies import BEGIN, NAMES, PINSETS, certificates, instants, policies

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


#: Where a pin of another kind is no addition to the list that is there, by mechanism: what is added, and why.
OTHER_LIST = {
    "apple-ats": ({"key", "authority"}, "keys and authorities have a list each, and both must match"),
    "afnetworking": ({"key", "authority"}, "whole certificates are compared only where no key is"),
    "alamofire": ({"key", "authority"}, "whole certificates are compared only where no key is"),
    "rn-ssl-pinning": ({"key", "authority"}, "whole certificates are compared only where no key is"),
    "php": ({"key", "authority"}, "there is room for one value, and keys come first"),
    "tofu": ({"key", "authority"}, "one certificate is remembered, and keys come first"),
}
KINDS = ("key", "authority", "certificate")


def wider(spec: PinsetSpec, kind: str, added: Pin) -> PinsetSpec:
    """Add a pin of a kind to a pinset."""
    if kind == "key":
        return replace(spec, keys=(*spec.keys, added))
    if kind == "authority":
        return replace(spec, authorities=(*spec.authorities, added))
    return replace(spec, certificates=(*spec.certificates, Pin(PinKind.CERT_SHA256, added.digest)))


@pytest.mark.parametrize("own", [mechanism(name) for name in KNOWN_IDS if name != "none"], ids=lambda own: own.id)
@given(
    keys=st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True),
    authorities=st.lists(st.sampled_from(["one", "two"]), max_size=1),
    whole=st.booleans(),
    added=st.sampled_from(PINS),
    kind=st.sampled_from(KINDS),
    at=instants,
)
def test_in_every_format(
    own: Mechanism, keys: list[str], authorities: list[str], *, whole: bool, added: Pin, kind: str, at: datetime
) -> None:
    """A pinset that lets our chain through lets it through with one more pin of any kind."""
    chain, trust = certificates()["a-one"], TrustStore(name="t", roots=(ROOTS[0],))
    small = PinsetSpec(
        name="p",
        covers=(Cover(NAMES[0]),),
        keys=tuple(pin(name) for name in keys),
        authorities=tuple(pin(name) for name in authorities),
        certificates=(Pin(PinKind.CERT_SHA256, chain[0].sha256),) if whole else (),
        expires=date(2028, 6, 30),
    )
    assume(own.from_pinset(small).pinned)
    assume(own.id not in OTHER_LIST or kind not in OTHER_LIST[own.id][0] or keys_are_there(own, small, kind))
    large = wider(small, kind, added)
    before, after = (
        judge(own.rule(own.from_pinset(s), NAMES[0]), chain, NAMES[0], trust, Situation(at=at), Side.OURS)
        for s in (small, large)
    )
    assert after.accepted or not before.accepted


def keys_are_there(own: Mechanism, spec: PinsetSpec, kind: str) -> bool:
    """Say whether the list that a pin of a kind goes into holds some already."""
    apple = spec.keys if kind == "key" else spec.authorities
    return bool({"apple-ats": apple, "php": spec.keys, "tofu": spec.keys}.get(own.id, spec.keys or spec.authorities))


@pytest.mark.parametrize("name", OTHER_LIST)
def test_the_exceptions_are_real(name: str) -> None:
    """Each format that is left out above does refuse our chain after an addition of its kind."""
    own, chain = mechanism(name), certificates()["a-one"]
    apple = name == "apple-ats"
    small = PinsetSpec(
        name="p",
        covers=(Cover(NAMES[0]),),
        keys=(pin("a"),) if apple else (),
        certificates=() if apple else (Pin(PinKind.CERT_SHA256, chain[0].sha256),),
    )
    trust = TrustStore(name="t", roots=(ROOTS[0],))
    accepted = [
        judge(own.rule(own.from_pinset(s), NAMES[0]), chain, NAMES[0], trust, Situation(at=BEGIN), Side.OURS).accepted
        for s in (small, wider(small, "authority" if apple else "key", pin("nobody")))
    ]
    assert accepted == [True, False]
