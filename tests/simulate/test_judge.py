"""The judge: one rule, one chain, one client; accepted or refused, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.model.paths import Conditions
from rotator.model.pins import Pin, PinKind
from rotator.model.pki import Certificate, TrustStore
from rotator.model.rules import (
    Base,
    Builder,
    Clause,
    Expiry,
    Fallback,
    LocalRoots,
    Mode,
    PathUse,
    Revocation,
    Rule,
    Scope,
)
from rotator.model.verdicts import Reason
from rotator.simulate.judge import judge
from rotator.simulate.judgement import Judgement, Side, Situation
from tests.desk import NOW
from tests.minting import Minted, instant, intermediate, mint, pin, root, values

HOST = "api.example.com"
ROOT, OTHER, ROGUE = root("root"), root("other"), root("rogue")
ICA, ROGUE_ICA = intermediate("ica", ROOT), intermediate("rogue-ica", ROGUE)
CROSS = intermediate("root", OTHER, key_name="root")
LEAF = mint("leaf", ICA, names=[HOST])
ENDED = mint("leaf", ICA, names=[HOST], not_after="2026-11-01")
EARLY = mint("leaf", ICA, names=[HOST], not_before="2027-01-01", not_after="2027-03-01")
ELSEWHERE = mint("leaf", ICA, names=["www.example.com"])
FAKE = mint("fake", ROGUE_ICA, names=[HOST])
EVERY = (ROOT, OTHER, ROGUE, ICA, ROGUE_ICA, CROSS, LEAF, ENDED, EARLY, ELSEWHERE, FAKE)
KNOWN: dict[Minted, Certificate] = dict(zip(EVERY, values(*EVERY), strict=True))
RIGHT = Rule(clauses=(Clause(scope=Scope.ANY, pins=frozenset({pin("leaf")})),))
WRONG = Rule(clauses=(Clause(scope=Scope.ANY, pins=frozenset({pin("nobody")})),))


def situation(**changes: object) -> Situation:
    """Give now, with some changes."""
    return replace(Situation(at=NOW), **changes)  # type: ignore[arg-type]  # each a field of it


def judged(
    rule: Rule,
    *sent: Minted,
    host: str = HOST,
    roots: tuple[Minted, ...] = (ROOT,),
    local: tuple[Minted, ...] = (),
    now: Situation | None = None,
    side: Side = Side.OURS,
    key_types: frozenset[str] | None = None,
) -> Judgement:
    """Judge a chain."""
    trust = TrustStore(
        name="t",
        roots=tuple(KNOWN[r] for r in roots),
        local_roots=tuple(KNOWN[r] for r in local),
        key_types=key_types,
    )
    return judge(rule, tuple(KNOWN[m] for m in sent), host, trust, now or situation(), side)


def sha256(minted: Minted) -> bytes:
    """Give the digest of a certificate."""
    return KNOWN[minted].sha256


def test_a_match_names_the_pin_the_certificate_and_the_path() -> None:
    found = judged(RIGHT, LEAF, ICA)
    assert (found.accepted, found.reason, found.pin_in_force) == (True, Reason.PIN_MATCHED, True)
    assert found.pin == pin("leaf")
    assert found.certificate == KNOWN[LEAF]
    assert found.path is not None
    assert found.path.text == "leaf > ica > root"


GONE = {"revoked": frozenset({sha256(LEAF)})}
HARD = replace(RIGHT, revocation=Revocation.HARD)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (judged(RIGHT), Reason.NOT_SERVED),
        (judged(replace(RIGHT, rejected="bad file"), LEAF, ICA), Reason.CONFIG_REJECTED),
        (
            judged(RIGHT, LEAF, ICA, now=situation(distrusted=frozenset({(KNOWN[ROOT].spki, None)}))),
            Reason.ROOT_DISTRUSTED,
        ),
        (judged(RIGHT, ENDED, ICA), Reason.CHAIN_EXPIRED),
        (judged(RIGHT, EARLY, ICA), Reason.CHAIN_EXPIRED),
        (judged(RIGHT, LEAF, ICA, now=situation(ended=frozenset({sha256(ICA)}))), Reason.CHAIN_EXPIRED),
        (judged(HARD, LEAF, ICA, now=situation(**GONE)), Reason.REVOKED),
        (judged(RIGHT, ELSEWHERE, ICA), Reason.NAME_MISMATCH),
        (judged(RIGHT, LEAF, ICA, roots=(OTHER,)), Reason.NO_PATH),
        (judged(RIGHT, LEAF, ICA, key_types=frozenset({"rsa"})), Reason.KEY_TYPE_UNSUPPORTED),
        (judged(WRONG, LEAF, ICA), Reason.PIN_MISMATCH),
        (judged(Rule(listed=False, no_host=Fallback.CLOSED), LEAF, ICA), Reason.HOST_NOT_LISTED),
    ],
    ids=lambda value: str(value) if isinstance(value, Reason) else "",
)
def test_one_thing_wrong_is_the_reason(found: Judgement, reason: Reason) -> None:
    assert (found.accepted, found.reason) == (False, reason)


#: What goes wrong, in the order in which it is the reason.
TROUBLES = ("not-served", "config-rejected", "root-distrusted", "chain-expired", "revoked", "name-mismatch")


@pytest.mark.parametrize("first", range(len(TROUBLES)))
def test_of_several_things_wrong_the_first_is_the_reason(first: int) -> None:
    """Everything from one trouble on goes wrong at once, a wrong pin always among it."""
    now = TROUBLES[first:]
    rule = replace(WRONG, revocation=Revocation.HARD, rejected="bad file" if "config-rejected" in now else "")
    leaf = ENDED if "chain-expired" in now else LEAF
    found = judged(
        rule,
        *(() if "not-served" in now else (leaf, ICA)),
        host="x.test",
        now=situation(
            distrusted=frozenset({(KNOWN[ROOT].spki, None)}) if "root-distrusted" in now else frozenset(),
            revoked=frozenset({sha256(leaf)}) if "revoked" in now else frozenset(),
        ),
    )
    assert found.reason == TROUBLES[first]


def test_a_wrong_name_comes_before_no_path_and_both_before_a_wrong_pin() -> None:
    assert judged(WRONG, LEAF, ICA, roots=(OTHER,), host="x.test").reason is Reason.NAME_MISMATCH
    assert judged(WRONG, LEAF, ICA, roots=(OTHER,)).reason is Reason.NO_PATH


def test_distrust_and_an_end_at_once_are_distrust() -> None:
    gone = situation(distrusted=frozenset({(KNOWN[ROOT].spki, None)}))
    assert judged(RIGHT, ENDED, ICA, now=gone).reason is Reason.ROOT_DISTRUSTED


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (Rule(), Reason.NO_PINS),
        (Rule(listed=False), Reason.HOST_NOT_LISTED),
        (replace(WRONG, system_roots=LocalRoots.BYPASS), Reason.NO_PINS),
        (replace(WRONG, mode=Mode.REPORT_ONLY), Reason.REPORT_ONLY),
        (replace(RIGHT, mode=Mode.REPORT_ONLY), Reason.REPORT_ONLY),
        (replace(WRONG, expiry=Expiry.at(NOW)), Reason.PINS_EXPIRED),
    ],
    ids=["none", "not listed", "off", "reported", "reported match", "ended"],
)
def test_without_a_pin_in_force_a_valid_path_is_enough(rule: Rule, reason: Reason) -> None:
    found = judged(rule, LEAF, ICA)
    assert (found.accepted, found.reason, found.pin_in_force) == (True, reason, False)
    assert not judged(rule, LEAF, ICA, roots=(OTHER,)).accepted


# --- expiry -----------------------------------------------------------------------------------------------------

WIDE = Expiry(instant("2026-12-30T10:00:00"), instant("2026-12-31T12:00:00"))


@pytest.mark.parametrize(
    ("at", "wrong_pin", "right_pin", "attacker"),
    [
        ("2026-12-30T09:59:59", (False, False, True), (True, False, True), (False, False)),
        ("2026-12-30T10:00:00", (False, True, True), (True, False, False), (True, True)),
        ("2026-12-31T11:59:59", (False, True, True), (True, False, False), (True, True)),
        ("2026-12-31T12:00:00", (True, False, False), (True, False, False), (True, False)),
    ],
)
def test_between_the_first_and_the_last_local_midnight_the_worse_counts_on_each_side(
    at: str, wrong_pin: tuple[bool, bool, bool], right_pin: tuple[bool, bool, bool], attacker: tuple[bool, bool]
) -> None:
    """Accepted, unsure and pin in force; worked example 10."""
    now = situation(at=instant(at))
    ours = [judged(replace(rule, expiry=WIDE), LEAF, ICA, now=now) for rule in (WRONG, RIGHT)]
    assert [(j.accepted, j.unsure, j.pin_in_force) for j in ours] == [wrong_pin, right_pin]
    other = judged(replace(WRONG, expiry=WIDE), LEAF, ICA, now=now, side=Side.ATTACKER)
    assert (other.accepted, other.unsure) == attacker


def test_pins_that_end_closed_refuse_everybody_afterwards() -> None:
    rule = replace(RIGHT, expiry=Expiry.at(NOW, closed=True))
    for side in Side:
        found = judged(rule, LEAF, ICA, side=side)
        assert (found.accepted, found.reason, found.unsure) == (False, Reason.PINS_EXPIRED, False)


def test_pins_that_end_closed_at_local_midnight_break_with_the_first_device() -> None:
    rule = replace(RIGHT, expiry=replace(WIDE, closed=True))
    now = situation(at=instant("2026-12-30T10:00:00"))
    ours, attacker = (judged(rule, LEAF, ICA, now=now, side=side) for side in Side)
    assert (ours.accepted, ours.unsure) == (False, True)
    assert (attacker.accepted, attacker.unsure) == (True, True)


def test_a_closed_end_does_not_excuse_a_rejected_configuration() -> None:
    rule = replace(RIGHT, rejected="bad file", expiry=Expiry.at(NOW, closed=True))
    assert judged(rule, LEAF, ICA).reason is Reason.CONFIG_REJECTED


# --- local roots ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("local_roots", "accepted", "reason"),
    [
        (LocalRoots.ENFORCE, False, Reason.PIN_MISMATCH),
        (LocalRoots.BYPASS, True, Reason.LOCAL_ROOT_BYPASS),
        (LocalRoots.UNTRUSTED, False, Reason.NO_PATH),
    ],
)
def test_what_a_local_root_does(local_roots: LocalRoots, reason: Reason, *, accepted: bool) -> None:
    found = judged(replace(RIGHT, local_roots=local_roots), FAKE, ROGUE_ICA, local=(ROGUE,))
    assert (found.accepted, found.reason, found.pin_in_force) == (accepted, reason, not accepted)


def test_a_bypass_is_for_paths_that_end_at_a_local_root_only() -> None:
    rule = replace(WRONG, local_roots=LocalRoots.BYPASS)
    assert judged(rule, LEAF, ICA, local=(ROGUE,)).reason is Reason.PIN_MISMATCH


# --- revocation -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("revocation", "ours", "attacker"),
    [
        (Revocation.NONE, (True, False), True),
        (Revocation.SOFT, (False, True), True),
        (Revocation.LIST, (False, False), False),
        (Revocation.HARD, (False, False), False),
    ],
)
def test_revocation_stops_who_checks_it_and_soft_checks_count_as_the_worse(
    revocation: Revocation, ours: tuple[bool, bool], *, attacker: bool
) -> None:
    rule = replace(RIGHT, revocation=revocation)
    found = judged(rule, LEAF, ICA, now=situation(**GONE))
    assert (found.accepted, found.unsure) == ours
    assert judged(rule, LEAF, ICA, now=situation(**GONE), side=Side.ATTACKER).accepted is attacker


def test_a_revoked_intermediate_counts_too() -> None:
    assert judged(HARD, LEAF, ICA, now=situation(revoked=frozenset({sha256(ICA)}))).reason is Reason.REVOKED


def test_pins_never_see_revocation() -> None:
    assert judged(RIGHT, LEAF, ICA, now=situation(**GONE)).reason is Reason.PIN_MATCHED


def test_a_soft_check_beside_a_wrong_pin_is_certain() -> None:
    found = judged(replace(WRONG, revocation=Revocation.SOFT), LEAF, ICA, now=situation(**GONE))
    assert (found.accepted, found.unsure) == (False, False)


# --- base, scope, path ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "sent", "host", "accepted"),
    [
        (Base.FULL, ELSEWHERE, HOST, False),
        (Base.NO_HOST, ELSEWHERE, HOST, True),
        (Base.NO_HOST, ENDED, HOST, False),
        (Base.NONE, ENDED, "x.test", True),
        (Base.TOFU, ENDED, "x.test", True),
        (Base.NONE, FAKE, HOST, False),
    ],
)
def test_what_is_still_checked_beside_the_pins(base: Base, sent: Minted, host: str, *, accepted: bool) -> None:
    assert judged(replace(RIGHT, base=base), sent, ICA, host=host, roots=(ROOT,)).accepted is accepted


def test_a_client_that_checks_nothing_accepts_an_ended_certificate_of_a_stolen_key() -> None:
    found = judged(replace(RIGHT, base=Base.NONE), ENDED, side=Side.ATTACKER, roots=())
    assert found.accepted


def test_a_client_that_checks_nothing_and_pins_nothing_accepts_everything() -> None:
    assert judged(Rule(base=Base.NONE), FAKE, roots=()).accepted


@pytest.mark.parametrize(
    ("scope", "name", "accepted"),
    [
        (Scope.LEAF, "leaf", True),
        (Scope.LEAF, "ica", False),
        (Scope.CA, "leaf", False),
        (Scope.CA, "ica", True),
        (Scope.CA, "root", True),
        (Scope.ANY, "leaf", True),
        (Scope.ANY, "root", True),
        (Scope.ANY, "other", False),
    ],
)
def test_scopes(scope: Scope, name: str, *, accepted: bool) -> None:
    rule = Rule(clauses=(Clause(scope=scope, pins=frozenset({pin(name)})),))
    assert judged(rule, LEAF, ICA).accepted is accepted


def test_every_clause_must_match() -> None:
    def both(leaf: str, ca: str) -> Rule:
        return Rule(
            clauses=(
                Clause(scope=Scope.LEAF, pins=frozenset({pin(leaf)})),
                Clause(scope=Scope.CA, pins=frozenset({pin(ca)})),
            )
        )

    assert judged(both("leaf", "root"), LEAF, ICA).accepted
    assert not judged(both("leaf", "x"), LEAF, ICA).accepted
    assert not judged(both("x", "root"), LEAF, ICA).accepted


def test_a_forbidden_key_refuses_whatever_else_matches() -> None:
    found = judged(replace(RIGHT, forbidden=frozenset({pin("ica")})), LEAF, ICA)
    assert (found.reason, found.certificate) == (Reason.PIN_MISMATCH, KNOWN[ICA])
    blocklist = Rule(forbidden=frozenset({pin("ica")}))
    assert not judged(blocklist, LEAF, ICA).accepted


def test_a_list_without_usable_pins_refuses_everything() -> None:
    assert judged(Rule(clauses=(Clause(scope=Scope.ANY, pins=frozenset()),)), LEAF, ICA).accepted is False


def test_a_client_that_looks_for_another_path_finds_the_pinned_one() -> None:
    rule = Rule(clauses=(Clause(scope=Scope.ANY, pins=frozenset({pin("other")})),))
    sent, roots = (LEAF, ICA, CROSS), (ROOT, OTHER)
    assert not judged(rule, *sent, roots=roots).accepted
    trust_other = judged(replace(rule, path=PathUse.ANY), *sent, roots=(OTHER,))
    assert trust_other.accepted


def test_only_attackers_are_given_certificates_that_clients_may_have_cached() -> None:
    """Ours must not hang on luck; but where a cached certificate would help, the answer is not certain."""
    cached = situation(extra=(KNOWN[ICA],))
    ours, attacker = (judged(RIGHT, LEAF, now=cached, side=side) for side in Side)
    assert (ours.reason, ours.unsure) == (Reason.NO_PATH, True)
    assert attacker.accepted
    assert not judged(replace(RIGHT, builder=Builder.FIRST_ISSUER), LEAF, now=cached).unsure


def test_a_key_type_is_handled_by_name_or_by_family() -> None:
    for types, accepted in ((("ec-p256",), True), (("ec",), True), (("rsa",), False), (("rsa-2048", "ec"), True)):
        assert judged(RIGHT, LEAF, ICA, key_types=frozenset(types)).accepted is accepted


def test_a_key_that_cannot_be_served_still_says_whether_a_pin_is_in_force() -> None:
    assert judged(RIGHT).pin_in_force
    assert not judged(Rule()).pin_in_force
    assert not judged(replace(RIGHT, mode=Mode.REPORT_ONLY)).pin_in_force
    assert not judged(replace(RIGHT, expiry=Expiry.at(NOW))).pin_in_force


def test_conditions_give_up_time_and_distrust_one_by_one() -> None:
    strict = Conditions(at=NOW, distrusted=frozenset({(b"x", None)}), ended=frozenset({b"y"}))
    assert strict.without_time().at is None
    assert strict.without_time().ended == frozenset()
    assert strict.without_distrust().distrusted == frozenset()
    assert strict.without_distrust().at == NOW


def test_the_table_of_section_6_pins_at_each_level() -> None:
    """Renewal, a new key, another intermediate and mis-issuance against leaf, intermediate, root and certificate."""
    swap = intermediate("ica-2", ROOT)
    same, fresh, moved, issued = (
        mint("leaf", ICA, names=[HOST], not_before="2026-11-02", not_after="2027-10-01"),
        mint("leaf-2", ICA, names=[HOST]),
        mint("leaf", swap, names=[HOST], not_before="2026-11-03", not_after="2027-10-02"),
        mint("attacker", ICA, names=[HOST]),
    )
    every = (*EVERY, swap, same, fresh, moved, issued)
    known = dict(zip(every, values(*every), strict=True))
    trust = TrustStore(name="t", roots=(known[ROOT],))

    def accepts(found: Pin, *sent: Minted) -> bool:
        rule = Rule(clauses=(Clause(scope=Scope.ANY, pins=frozenset({found})),))
        return judge(rule, tuple(known[m] for m in sent), HOST, trust, situation(), Side.OURS).accepted

    levels = [pin("leaf"), pin("ica"), pin("root"), Pin(PinKind.CERT_SHA256, known[LEAF].sha256)]
    table = {
        "renewal, same key": [accepts(p, same, ICA) for p in levels],
        "renewal, new key": [accepts(p, fresh, ICA) for p in levels],
        "another intermediate": [accepts(p, moved, swap) for p in levels],
        "mis-issued by the pinned CA": [accepts(p, issued, ICA) for p in levels],
        "as it is": [accepts(p, LEAF, ICA) for p in levels],
    }
    assert table == {
        "renewal, same key": [True, True, True, False],
        "renewal, new key": [False, True, True, False],
        "another intermediate": [True, False, True, False],
        "mis-issued by the pinned CA": [False, True, True, False],
        "as it is": [True, True, True, True],
    }
