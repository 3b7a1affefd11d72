"""DANE TLSA: what each usage asks for, records that cannot be used, and how zone files are read."""

from __future__ import annotations

import hashlib
import json

import pytest

from rotator.errors import InputError
from rotator.mechanisms.base import PinConfig
from rotator.mechanisms.dane import MECHANISM as DANE
from rotator.model.rules import Builder, Usage
from rotator.model.verdicts import Reason
from rotator.simulate.judgement import Side
from tests.judging import ICA, LEAF, OTHER_CA, ROGUE_ROOT, ROOT, Scene, findings, pins_for, read, reason
from tests.minting import Minted, instant, mint, root, spki_der

SENT_ROOT = Scene(sent=(LEAF, ICA, ROOT))
ENDED = mint("leaf", ICA, names=["example.com"], not_after="2026-11-01")
UNTRUSTED = Scene(roots=(ROGUE_ROOT,))


def data(minted: Minted, selector: int, matching: int) -> str:
    """Give the hexadecimal data of a record."""
    raw = minted.der if selector == 0 else spki_der(minted.key, minted.curve)
    return {0: raw, 1: hashlib.sha256(raw).digest(), 2: hashlib.sha512(raw).digest()}[matching].hex()


def record(
    usage: int, selector: int, matching: int, minted: Minted = LEAF, owner: str = "_443._tcp.example.com."
) -> str:
    """Write one record."""
    return f"{owner} 3600 IN TLSA {usage} {selector} {matching} {data(minted, selector, matching)}\n"


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
def test_whole_certificates_and_keys_in_full_and_by_both_digests(selector: int, matching: int) -> None:
    assert reason(DANE, record(3, selector, matching)) is Reason.PIN_MATCHED
    assert reason(DANE, record(3, selector, matching, ICA)) is Reason.PIN_MISMATCH
    assert reason(DANE, record(0, selector, matching, ROOT)) is Reason.PIN_MATCHED


@pytest.mark.parametrize(
    ("usage", "minted", "scene", "expected"),
    [
        (0, ROOT, Scene(), Reason.PIN_MATCHED),
        (0, ICA, Scene(), Reason.PIN_MATCHED),
        (0, LEAF, Scene(), Reason.PIN_MISMATCH),
        (0, ICA, UNTRUSTED, Reason.NO_PATH),
        (1, LEAF, Scene(), Reason.PIN_MATCHED),
        (1, ICA, Scene(), Reason.PIN_MISMATCH),
        (1, LEAF, UNTRUSTED, Reason.NO_PATH),
        (2, ICA, Scene(), Reason.PIN_MATCHED),
        (2, ICA, UNTRUSTED, Reason.PIN_MATCHED),
        (2, ROOT, Scene(), Reason.PIN_MISMATCH),
        (2, ROOT, SENT_ROOT, Reason.PIN_MATCHED),
        (2, LEAF, Scene(), Reason.PIN_MISMATCH),
        (3, LEAF, UNTRUSTED, Reason.PIN_MATCHED),
        (3, ICA, Scene(), Reason.PIN_MISMATCH),
    ],
)
def test_what_each_usage_matches_and_whether_it_wants_a_trusted_root(
    usage: int, minted: Minted, scene: Scene, expected: Reason
) -> None:
    """Usage 2 finds its CA among what is sent, so the hash of a root that is not sent fails."""
    assert reason(DANE, record(usage, 1, 1, minted), scene=scene) is expected


@pytest.mark.parametrize(
    ("usage", "minted", "expected"),
    [
        (0, ROOT, Reason.CHAIN_EXPIRED),
        (1, ENDED, Reason.CHAIN_EXPIRED),
        (2, ICA, Reason.CHAIN_EXPIRED),
        (3, ENDED, Reason.PIN_MATCHED),
    ],
)
def test_only_usage_3_ignores_the_certificates_end(usage: int, minted: Minted, expected: Reason) -> None:
    """Vector 36: 3 1 1 and an expired certificate, accepted."""
    assert reason(DANE, record(usage, 1, 1, minted), scene=Scene(sent=(ENDED, ICA))) is expected


@pytest.mark.parametrize(("usage", "minted"), [(0, ROOT), (1, LEAF), (2, ICA)])
def test_usages_0_1_and_2_check_the_name(usage: int, minted: Minted) -> None:
    text = record(usage, 1, 1, minted, "_443._tcp.other.test.")
    assert reason(DANE, text, "other.test") is Reason.NAME_MISMATCH


def test_whether_usage_3_checks_the_name_differs_by_client() -> None:
    """RFC 7671, 5.1 says it is not needed; OpenSSL checks it unless told not to."""
    rule = DANE.rule(read(DANE, record(3, 1, 1, LEAF, "_443._tcp.other.test.")), "other.test")
    ours = Scene().judge(rule, "other.test")
    theirs = Scene(side=Side.ATTACKER).judge(rule, "other.test")
    assert (ours.accepted, ours.unsure, theirs.accepted, theirs.unsure) == (False, True, True, True)


def test_any_record_that_matches_is_enough() -> None:
    text = record(3, 1, 1, ICA) + record(1, 0, 1, ROOT) + record(3, 1, 1)
    assert reason(DANE, text) is Reason.PIN_MATCHED


@pytest.mark.parametrize(
    "line",
    [
        "_443._tcp.example.com. IN TLSA 4 1 1 " + "00" * 32,
        "_443._tcp.example.com. IN TLSA 255 1 1 " + "00" * 32,
        "_443._tcp.example.com. IN TLSA 3 2 1 " + "00" * 32,
        "_443._tcp.example.com. IN TLSA 3 1 3 " + "00" * 32,
        "_443._tcp.example.com. IN TLSA 3 1 1 " + "00" * 31,
        "_443._tcp.example.com. IN TLSA 3 1 2 " + "00" * 32,
        "_443._tcp.example.com. IN TLSA 3 1 1 " + "0" * 63,
    ],
    ids=["usage 4", "usage 255", "selector 2", "matching 3", "short", "SHA-512 of 32 bytes", "odd digits"],
)
def test_records_that_cannot_be_used_refuse_when_there_is_no_other(line: str) -> None:
    assert reason(DANE, line + "\n") is Reason.PIN_MISMATCH
    found = findings(DANE, line + "\n")
    assert {"unusable-record", "no-usable-record"} <= set(found)
    assert "nothing-pinned" not in found
    assert reason(DANE, line + "\n" + record(3, 1, 1)) is Reason.PIN_MATCHED
    assert "no-usable-record" not in findings(DANE, line + "\n" + record(3, 1, 1))


def test_without_records_nothing_is_pinned() -> None:
    assert reason(DANE, record(3, 1, 1, ICA, "_443._tcp.other.test.")) is Reason.HOST_NOT_LISTED
    assert read(DANE, "") == PinConfig()


def test_records_of_a_zone_that_is_not_signed_are_ignored() -> None:
    rule = DANE.as_resolved(DANE.rule(read(DANE, record(3, 1, 1, ICA)), "example.com"), "insecure")
    assert Scene().judge(rule).reason is Reason.NO_PINS
    assert not UNTRUSTED.judge(rule).accepted


@pytest.mark.parametrize(
    ("combination", "renewed_accepted"), [((3, 1, 1), True), ((3, 0, 1), False)], ids=["3 1 1", "3 0 1"]
)
def test_a_renewal_with_the_same_key(combination: tuple[int, int, int], *, renewed_accepted: bool) -> None:
    renewed = mint("leaf", ICA, names=["example.com"], not_before="2026-11-02", not_after="2027-10-30")
    assert (
        reason(DANE, record(*combination), scene=Scene(sent=(renewed, ICA))) is Reason.PIN_MATCHED
    ) is renewed_accepted


def test_2_1_1_on_an_intermediate_breaks_when_it_changes() -> None:
    other = mint("other-ica", ROOT, ca=True)
    moved = mint("leaf", other, names=["example.com"])
    assert reason(DANE, record(2, 1, 1, ICA), scene=Scene(sent=(moved, other))) is Reason.PIN_MISMATCH


def test_a_local_root_is_nothing_to_usages_2_and_3() -> None:
    local = Scene(sent=OTHER_CA, local=(ROGUE_ROOT,))
    for text in (record(2, 1, 1, ICA), record(3, 1, 1), record(0, 1, 1, ROOT)):
        assert reason(DANE, text, scene=local) is Reason.PIN_MISMATCH


def test_padding_does_not_count_for_usage_0_and_ends_nowhere_for_usage_2() -> None:
    padded = Scene(sent=(*OTHER_CA, ICA, ROOT), roots=(ROOT, ROGUE_ROOT))
    assert reason(DANE, record(0, 1, 1, ROOT), scene=padded) is Reason.PIN_MISMATCH
    assert reason(DANE, record(2, 1, 1, ROOT), scene=padded) is Reason.NO_PATH


def test_owners_are_exact() -> None:
    text = record(3, 1, 1)
    assert pins_for(DANE, text, "example.com")
    assert not pins_for(DANE, text, "a.example.com")


@pytest.mark.parametrize(
    "owner", ["_443._tcp.example.com", "_443._TCP.Example.COM.", "*._tcp.example.com.", "_8443._tcp.example.com."]
)
def test_owner_names(owner: str) -> None:
    assert pins_for(DANE, record(3, 1, 1, owner=owner), "example.com")


def test_an_owner_without_port_and_protocol_is_asked_by_nobody() -> None:
    assert not pins_for(DANE, record(3, 1, 1, owner="example.com."), "example.com")
    assert "odd-owner" in findings(DANE, record(3, 1, 1, owner="example.com."))


def test_zone_lines_in_the_shapes_people_write_them() -> None:
    digest = data(LEAF, 1, 1)
    text = (
        "$ORIGIN example.com.\n; comment\nwww IN A 192.0.2.1\n"
        f"_443._tcp.example.com. IN 3600 TLSA 3 1 1 {digest[:32]} {digest[32:]} ; the key\n"
        f"  IN TLSA 3 1 1 ( {data(ICA, 1, 1).upper()} )\n"
    )
    config = read(DANE, text)
    assert len(config.entries) == 2
    assert {entry.covers for entry in config.entries} == {config.entries[0].covers}
    assert read(DANE, record(3, 1, 1)).entries[0].lifetime_seconds == 3600


@pytest.mark.parametrize(
    ("head", "owner"),
    [
        ("$ORIGIN example.com.", "_443._tcp"),
        ("$ORIGIN com.", "_443._tcp.example"),
        ("$ORIGIN com.\n$ORIGIN example", "_443._tcp"),
        ("$ORIGIN _443._tcp.example.com.", "@"),
        ("$ORIGIN test.", "_443._tcp.example.com."),
    ],
)
def test_names_without_a_dot_at_the_end_are_below_the_origin(head: str, owner: str) -> None:
    text = f"{head}\n{owner} IN TLSA 3 1 1 {data(LEAF, 1, 1)}\n  IN TLSA 3 1 1 {data(ICA, 1, 1)}\n"
    assert len(pins_for(DANE, text, "example.com")) == 2


def test_a_record_over_several_lines_and_the_time_to_live_of_the_zone() -> None:
    digest = data(LEAF, 1, 1)
    text = (
        '$TTL 1h30m\nexample.com. IN TXT "v=(;" ; open (\n_443._tcp.example.com. IN TLSA ( 3 1 ; numbers (\n'
        f" 1 {digest[:32]}\n {digest[32:]} )\n"
    )
    (entry,) = read(DANE, text).entries
    assert entry.lifetime_seconds == 5400
    assert reason(DANE, text) is Reason.PIN_MATCHED
    assert "no-usable-record" not in findings(DANE, text)


@pytest.mark.parametrize(
    "text", ["_443._tcp.x. IN TLSA ( 3 1 1\n00\n", "$ORIGIN\n_443._tcp IN TLSA 3 1 1 00\n", "$TTL\n"]
)
def test_a_zone_that_is_broken_is_an_input_error(text: str) -> None:
    with pytest.raises(InputError, match=r"not closed|says nothing"):
        read(DANE, text)


def test_rows_say_the_same_as_lines() -> None:
    row = {"owner": "_443._tcp.example.com.", "ttl": 3600, "usage": 3, "selector": 1, "matching": 1}
    text = json.dumps({**row, "data": data(LEAF, 1, 1)}) + "\n"
    assert read(DANE, text) == read(DANE, record(3, 1, 1))
    hidden = json.dumps({**row, "data": data(LEAF, 1, 1), "commentedOut": True}) + "\n"
    assert read(DANE, text + hidden) == read(DANE, text)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (record(2, 1, 1, ROOT), "root-must-be-sent"),
        (record(3, 1, 1) + record(3, 0, 1), "mixed-combinations"),
        (record(3, 1, 1), "end-ignored"),
        (record(3, 1, 1), "single-pin"),
    ],
)
def test_what_is_silently_dangerous_is_told(text: str, finding: str) -> None:
    assert finding in findings(DANE, text)


def test_two_records_of_one_combination_are_a_pin_and_its_backup() -> None:
    assert set(findings(DANE, record(3, 1, 1) + record(3, 1, 1, root("next")))) == {"end-ignored"}


def test_axes_are_those_of_the_table() -> None:
    rule = DANE.rule(read(DANE, record(3, 1, 1)), "example.com")
    assert rule.expiry is None
    assert rule.builder is Builder.FIRST_ISSUER
    assert [usage for clause in rule.clauses for usage, _ in clause.records] == [Usage.DANE_EE]
    assert Scene(at=instant("2040-01-01")).judge(rule).accepted


@pytest.mark.parametrize(
    "text", ["words\n", "_443._tcp.x. IN TLSA 3 1\n", '{"usage": 3}\n', '{"usage": "x", "selector": 1}\n', "{\n"]
)
def test_what_is_no_zone_is_an_input_error(text: str) -> None:
    with pytest.raises(InputError):
        read(DANE, text)
