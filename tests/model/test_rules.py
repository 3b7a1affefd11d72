"""The acceptance rule as a value: equal where it demands the same, and one sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.model.names import Cover
from rotator.model.pins import Pin, PinKind
from rotator.model.rules import Base, Clause, Combine, Expiry, Fallback, LocalRoots, Mode, PathUse, Rule, Scope
from tests.minting import instant, pin

A, B = pin("a"), pin("b")
ANY = Clause(scope=Scope.ANY, pins=frozenset({A, B}))


def test_rules_that_demand_the_same_are_equal_and_hash_alike() -> None:
    one = Rule(clauses=(Clause(scope=Scope.ANY, pins=frozenset([A, B])),))
    other = Rule(clauses=(Clause(scope=Scope.ANY, pins=frozenset([B, A])),))
    assert one == other
    assert len({one, other}) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"clauses": ()},
        {"mode": Mode.REPORT_ONLY},
        {"path": PathUse.LEAF},
        {"base": Base.NONE},
        {"local_roots": LocalRoots.BYPASS},
        {"expiry": Expiry.at(instant("2027-01-01"))},
        {"rejected": "x"},
        {"forbidden": frozenset({A})},
    ],
    ids=lambda change: next(iter(change)),
)
def test_rules_that_differ_in_anything_are_not_equal(change: dict[str, object]) -> None:
    rule = Rule(clauses=(ANY,))
    assert replace(rule, **change) != rule  # type: ignore[arg-type]  # each a field of the rule


def test_a_rule_knows_all_its_pins() -> None:
    rule = Rule(clauses=(Clause(scope=Scope.LEAF, pins=frozenset({A})), Clause(scope=Scope.CA, pins=frozenset({B}))))
    assert rule.pins == {A, B}


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (Rule(), "unpinned: no pins"),
        (Rule(listed=False), "unpinned: the host is not listed"),
        (Rule(listed=False, no_host=Fallback.CLOSED), "refused: the host is not listed"),
        (Rule(rejected="a pin of 31 bytes"), "refuses every connection: a pin of 31 bytes"),
        (Rule(clauses=(ANY,)), "any of 2 keys anywhere in the path"),
        (Rule(clauses=(Clause(scope=Scope.LEAF, pins=frozenset({A})),)), "exactly 1 key as the server's own key"),
        (
            Rule(
                clauses=(
                    Clause(scope=Scope.LEAF, pins=frozenset({A})),
                    Clause(scope=Scope.CA, pins=frozenset({B})),
                )
            ),
            "exactly 1 key as the server's own key and exactly 1 key above the leaf",
        ),
        (Rule(clauses=(Clause(scope=Scope.ANY, pins=frozenset()),)), "no key can match anywhere in the path"),
        (
            Rule(clauses=(replace(ANY, dead=frozenset({"x"})),)),
            "any of 2 keys anywhere in the path (1 more can never match)",
        ),
        (Rule(clauses=(ANY,), path=PathUse.SENT), "any of 2 keys among what is sent"),
        (Rule(clauses=(ANY,), mode=Mode.REPORT_ONLY), "any of 2 keys anywhere in the path, reported only"),
        (
            Rule(clauses=(ANY,), system_roots=LocalRoots.BYPASS),
            "any of 2 keys anywhere in the path; the system's roots bypass it",
        ),
        (
            Rule(clauses=(ANY,), system_roots=LocalRoots.UNTRUSTED),
            "any of 2 keys anywhere in the path; the system's roots are not trusted",
        ),
        (Rule(clauses=(ANY,), base=Base.NONE), "any of 2 keys anywhere in the path, nothing else checked"),
        (Rule(clauses=(ANY,), base=Base.NO_HOST), "any of 2 keys anywhere in the path, the host name not checked"),
        (Rule(clauses=(ANY,), combine=Combine.PATH_OR_PIN), "any of 2 keys anywhere in the path, or a trusted path"),
        (
            Rule(clauses=(ANY,), forbidden=frozenset({A})),
            "any of 2 keys anywhere in the path, and none of 1 forbidden key",
        ),
        (
            Rule(clauses=(ANY,), expiry=Expiry.at(instant("2027-01-01"))),
            "any of 2 keys anywhere in the path, until 2027-01-01, then open",
        ),
        (
            Rule(clauses=(ANY,), expiry=Expiry.at(instant("2027-01-01"), closed=True)),
            "any of 2 keys anywhere in the path, until 2027-01-01, then closed",
        ),
        (
            Rule(clauses=(ANY,), local_roots=LocalRoots.BYPASS),
            "any of 2 keys anywhere in the path; local roots bypass it",
        ),
        (
            Rule(clauses=(Clause(scope=Scope.LEAF, pins=frozenset({Pin(PinKind.CERT_SHA256, bytes(32))})),)),
            "exactly 1 certificate as the server's own",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_the_sentence_says_what_the_rule_demands(rule: Rule, sentence: str) -> None:
    assert rule.sentence == sentence


ONE = Clause(scope=Scope.LEAF, pins=frozenset({A}))


def test_a_rule_without_pins_says_what_comes_after_it_and_beside_it() -> None:
    """A child entry that hides its parent's pins gives way to them at its end; another platform may read pins."""
    pinned = Rule(clauses=(ONE,))
    hidden = Rule(listed=False, expiry=Expiry.at(instant("2027-01-01")), after=pinned)
    assert hidden.sentence == f"unpinned: the host is not listed, until 2027-01-01, then {pinned.sentence}"
    beside = Rule(other=pinned)
    assert beside.sentence == f"unpinned: no pins; read otherwise by some clients: {pinned.sentence}"


def test_of_many_ends_the_first_and_the_last_are_said() -> None:
    rule: Rule | None = None
    for year in range(2060, 2029, -1):
        rule = Rule(clauses=(ONE,), expiry=Expiry.at(instant(f"{year}-01-01"), closed=True), after=rule)
    assert rule is not None
    assert rule.sentence.count("until") == 4
    assert rule.sentence.endswith("then step by step fewer, at last " + rule.readings[-1].sentence)
    assert rule.sentence.endswith("until 2060-01-01, then closed")


def test_covers_sort_and_compare_as_values() -> None:
    assert sorted([Cover("b"), Cover("a")]) == [Cover("a"), Cover("b")]
