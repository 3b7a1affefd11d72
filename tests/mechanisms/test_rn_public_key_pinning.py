"""react-native-ssl-public-key-pinning: one map, read by TrustKit on iOS and by OkHttp on Android."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rotator.errors import InputError
from rotator.mechanisms.rn_public_key_pinning import MECHANISM as RN
from rotator.mechanisms.rn_public_key_pinning import android_rule, ios_rule
from rotator.model.names import Cover, Reach
from rotator.model.rules import BadConfig, LocalRoots, Revocation
from rotator.model.verdicts import Reason
from rotator.simulate.judgement import Side
from tests.judging import CONTEXT, OTHER_CA, ROGUE_ROOT, ROOT, Scene, findings, pins_for, read, reason, refused, spec
from tests.minting import instant, mint, pin, pin_b64, pin_text, root


def domain(*names: str, below: bool = False, **more: object) -> dict[str, Any]:
    """Write a domain."""
    return {"includeSubdomains": below, "publicKeyHashes": [pin_b64(name) for name in names], **more}


def domains(**given: dict[str, Any]) -> str:
    """Write the map; `__` in a name stands for a dot."""
    return json.dumps({name.replace("__", "."): value for name, value in given.items()})


GOOD = domains(example__com=domain("leaf", "b"))


@pytest.mark.parametrize("name", ["leaf", "ica", "root"])
def test_any_certificate_of_the_path_matches_on_both(name: str) -> None:
    judgement = Scene().judge(RN.rule(read(RN, domains(example__com=domain(name, "b"))), "example.com"))
    assert (judgement.reason, judgement.unsure) == (Reason.PIN_MATCHED, False)


@pytest.mark.parametrize(
    ("host", "covered"),
    [("example.com", True), ("a.example.com", True), ("b.a.example.com", True), ("badexample.com", False)],
)
def test_subdomains_reach_any_depth(host: str, *, covered: bool) -> None:
    assert bool(pins_for(RN, domains(example__com=domain("leaf", "b", below=True)), host)) is covered
    assert bool(pins_for(RN, GOOD, host)) is (host == "example.com")


def test_android_adds_entries_up_and_ios_takes_the_most_specific() -> None:
    """A pin that only the parent has is accepted on Android and refused on iOS."""
    text = domains(example__com=domain("leaf", "b", below=True), a__example__com=domain("x", "y"))
    config = read(RN, text)
    assert android_rule(RN, config, "a.example.com").pins == {pin(name) for name in ("leaf", "b", "x", "y")}
    assert ios_rule(RN, config, "a.example.com").pins == {pin("x"), pin("y")}
    judgement = Scene().judge(RN.rule(config, "a.example.com"), "a.example.com")
    assert (judgement.accepted, judgement.unsure) == (False, True)
    assert "platforms-differ" in findings(RN, text)


def test_the_difference_is_told_whichever_parent_brings_it() -> None:
    text = domains(
        a__example__com=domain("x", "y", below=True),
        example__com=domain("leaf", "b", below=True),
        b__a__example__com=domain("x", "y"),
    )
    told = [f for f in RN.parse(text.encode(), CONTEXT).findings if f.id == "platforms-differ"]
    assert {finding.subject.partition(": ")[2] for finding in told} == {"a.example.com", "b.a.example.com"}
    same = domains(example__com=domain("x", "y", below=True), a__example__com=domain("x", "y"))
    assert "platforms-differ" not in findings(RN, same)


def test_ios_refuses_keys_that_trustkit_cannot_handle() -> None:
    top = root("odd-root")
    odd = mint("odd", top, curve="p521", names=["example.com"])
    scene = Scene(sent=(odd,), roots=(top,))
    judgement = scene.judge(RN.rule(read(RN, domains(example__com=domain("odd-root", "b"))), "example.com"))
    assert judgement.accepted
    middle = mint("middle", top, curve="p521", ca=True)
    leaf = mint("leaf", middle, names=["example.com"])
    scene = Scene(sent=(leaf, middle), roots=(top,))
    judgement = scene.judge(RN.rule(read(RN, GOOD), "example.com"))
    assert (judgement.accepted, judgement.unsure) == (False, True)


@pytest.mark.parametrize(
    ("at", "expected"), [("2026-11-30T23:59:59", Reason.PIN_MISMATCH), ("2026-12-01", Reason.PINS_EXPIRED)]
)
def test_pins_end_at_utc_midnight_and_then_let_through(at: str, expected: Reason) -> None:
    text = domains(example__com=domain("x", "b", expirationDate="2026-12-01"))
    assert reason(RN, text, scene=Scene(at=instant(at))) is expected
    assert "expiry-read-once" in findings(RN, text)


def test_on_android_each_entry_ends_by_itself() -> None:
    text = domains(
        example__com=domain("leaf", "b", below=True, expirationDate="2026-12-01"),
        a__example__com=domain("x", "y", expirationDate="2027-12-01"),
    )
    rule = android_rule(RN, read(RN, text), "a.example.com")
    assert Scene().judge(rule, "a.example.com").reason is Reason.PIN_MATCHED
    later = Scene(at=instant("2026-12-02"))
    assert later.judge(rule, "a.example.com").reason is Reason.PIN_MISMATCH
    assert reason(RN, text, "b.example.com", Scene(at=instant("2026-12-02"))) is Reason.PINS_EXPIRED


@pytest.mark.parametrize(
    "value",
    [
        domain("leaf"),
        domain("leaf", "leaf"),
        {"publicKeyHashes": []},
        {},
        3,
        {"publicKeyHashes": [pin_text("leaf"), pin_text("b")]},
        {"publicKeyHashes": [pin_b64("leaf"), "AAAA"]},
        {"publicKeyHashes": [pin_b64("leaf"), 4]},
        domain("leaf", "b", expirationDate="30-06-2027"),
        domain("leaf", "b", expirationDate="2027-02-30"),
        domain("leaf", "b", expirationDate=1),
    ],
    ids=[
        "one",
        "one twice",
        "none",
        "no hashes",
        "no map",
        "sha256/ in front",
        "short",
        "number",
        "odd date",
        "no such day",
        "date as number",
    ],
)
def test_what_it_throws_at_on_ios(value: object) -> None:
    error = refused(RN, json.dumps({"example.com": value}))
    assert error.consequence is BadConfig.CRASH
    assert error.problems[0].path == "example.com"


def test_a_prefix_is_named_as_the_mistake() -> None:
    with pytest.raises(InputError, match="leave out the sha256/ in front"):
        read(RN, json.dumps({"example.com": {"publicKeyHashes": [pin_text("leaf"), pin_text("b")]}}))


@pytest.mark.parametrize(("name", "below"), [("localhost", False), ("host.invalidtld", False), ("com", True)])
def test_names_are_those_trustkit_takes(name: str, *, below: bool) -> None:
    assert refused(RN, json.dumps({name: domain("leaf", "b", below=below)})).consequence is BadConfig.CRASH


def test_local_roots_do_not_bypass_pins() -> None:
    local = Scene(sent=OTHER_CA, local=(ROGUE_ROOT,))
    assert reason(RN, GOOD, scene=local) is Reason.PIN_MISMATCH
    rule = RN.rule(read(RN, GOOD), "example.com")
    assert rule.local_roots is LocalRoots.ENFORCE
    attacker = Scene(sent=OTHER_CA, roots=(ROOT, ROGUE_ROOT), side=Side.ATTACKER)
    assert not attacker.judge(rule).accepted


def test_revocation_is_each_platforms() -> None:
    rule = RN.rule(read(RN, GOOD), "example.com")
    assert rule.revocation is Revocation.NONE
    assert rule.other is not None
    assert rule.other.revocation is Revocation.SOFT


def test_a_map_with_one_hash_is_refused_before_it_is_written() -> None:
    assert RN.refuse(RN.from_pinset(spec(keys=("a",))), CONTEXT)
    assert not RN.refuse(RN.from_pinset(spec()), CONTEXT)


@pytest.mark.parametrize(
    ("cover", "refused"),
    [
        (Cover("api.shop.example"), True),
        (Cover("localhost"), True),
        (Cover("co.uk", Reach.ALL), True),
        (Cover("co.uk"), False),
        (Cover("api.example.com", Reach.ALL), False),
    ],
)
def test_a_pinset_whose_name_the_file_could_not_hold_is_refused_as_well(cover: Cover, *, refused: bool) -> None:
    """The registry of public suffixes is asked of a pinset's names too: on iOS it throws."""
    assert bool(RN.refuse(RN.from_pinset(spec(cover)), CONTEXT)) is refused


@pytest.mark.parametrize("data", [b"text", b"[]", b"[1]", b'"x"', b"\xff\xfe", b"{" * 5000])
def test_what_is_no_such_file_is_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError):
        read(RN, data)


def test_rows_as_lists_out_of_code_are_written_are_read_too() -> None:
    text = json.dumps({"pattern": "example.com", "pins": [pin_b64("leaf"), pin_b64("b")], "expiration": "2027-01-01"})
    config = read(RN, text)
    assert pins_for(RN, config, "example.com") == {pin("leaf"), pin("b")}
    assert config.entries[0].expires is not None
