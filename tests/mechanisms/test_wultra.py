"""Wultra dynamic pinning: certificates found by their own common name, signed, and closed at the end."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256

from rotator.errors import InputError
from rotator.mechanisms.base import PinConfig
from rotator.mechanisms.wultra import MECHANISM as WULTRA
from rotator.mechanisms.wultra import MOST_PHASES
from rotator.model.rules import Fallback, LocalRoots, PathUse
from rotator.model.verdicts import Reason
from tests.desk import API, BASE, KEYS, PKI, TOP, Desk, app
from tests.judging import CONTEXT, ICA, LEAF, OTHER_CA, ROGUE_ROOT, ROOT, Scene, findings, read, reason
from tests.minting import Minted, instant, key, mint, public_pem

#: 2027-06-30 00:00 UTC.
ENDS = 1_814_313_600
NAMED = mint("example.com", ICA, key_name="leaf", names=["example.com", "www.example.com"])
RENEWED = mint(
    "example.com", ICA, key_name="leaf", names=["example.com"], not_before="2026-11-02", not_after="2027-10-30"
)
NAMELESS = mint("", ICA, key_name="leaf", names=["example.com"])
SERVED = Scene(sent=(NAMED, ICA))


def entry(minted: Minted, name: str = "example.com", expires: object = ENDS, **more: object) -> dict[str, object]:
    """Write one fingerprint."""
    digest = base64.b64encode(hashlib.sha256(minted.der).digest()).decode()
    return {"name": name, "fingerprint": digest, "expires": expires, **more}


def store(*entries: object) -> str:
    """Write the JSON."""
    return json.dumps({"timestamp": 1_604_853_448, "fingerprints": list(entries)})


def test_the_leafs_certificate_matches_under_its_own_common_name() -> None:
    assert reason(WULTRA, store(entry(NAMED)), scene=SERVED) is Reason.PIN_MATCHED
    assert reason(WULTRA, store(entry(ICA)), scene=SERVED) is Reason.PIN_MISMATCH


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example.com", Reason.PIN_MATCHED),
        ("www.example.com", Reason.PIN_MISMATCH),
        ("Example.com", Reason.PIN_MISMATCH),
        ("*.example.com", Reason.PIN_MISMATCH),
    ],
)
def test_names_are_compared_with_the_certificate_not_with_the_host(name: str, expected: Reason) -> None:
    """The host asked for is www.example.com throughout; the certificate's common name is example.com."""
    assert reason(WULTRA, store(entry(NAMED, name)), "www.example.com", SERVED) is expected


def test_a_wildcard_certificate_needs_the_wildcard_as_name() -> None:
    wild = mint("*.example.com", ICA, key_name="leaf", names=["*.example.com"])
    scene = Scene(sent=(wild, ICA))
    assert reason(WULTRA, store(entry(wild, "*.example.com")), "a.example.com", scene) is Reason.PIN_MATCHED
    assert reason(WULTRA, store(entry(wild, "a.example.com")), "a.example.com", scene) is Reason.PIN_MISMATCH


def test_a_certificate_without_a_common_name_never_validates() -> None:
    text = store(entry(NAMELESS), entry(NAMELESS, "leaf"))
    assert reason(WULTRA, text, scene=Scene(sent=(NAMELESS, ICA))) is Reason.PIN_MISMATCH
    assert "common-name" in findings(WULTRA, text)


def test_a_renewal_with_the_same_key_breaks_unless_its_entry_came_first() -> None:
    renewed = Scene(sent=(RENEWED, ICA))
    assert reason(WULTRA, store(entry(NAMED)), scene=renewed) is Reason.PIN_MISMATCH
    assert reason(WULTRA, store(entry(NAMED), entry(RENEWED)), scene=renewed) is Reason.PIN_MATCHED
    assert "certificate-pin" in findings(WULTRA, store(entry(NAMED)))


@pytest.mark.parametrize(
    ("at", "expected"), [("2027-06-29T23:59:59", Reason.PIN_MATCHED), ("2027-06-30", Reason.PINS_EXPIRED)]
)
def test_an_entry_that_ended_refuses(at: str, expected: Reason) -> None:
    """Vector 38: the host has not changed, and clients break."""
    assert reason(WULTRA, store(entry(NAMED)), scene=replace(SERVED, at=instant(at))) is expected


def test_entries_drop_out_one_by_one() -> None:
    text = store(entry(NAMED, expires=ENDS - 86_400 * 100), entry(RENEWED))
    rule = WULTRA.rule(read(WULTRA, text), "example.com")
    before, after = instant("2027-01-01"), instant("2027-05-01")
    assert replace(SERVED, at=before).judge(rule).reason is Reason.PIN_MATCHED
    assert not replace(SERVED, at=after).judge(rule).accepted
    assert Scene(sent=(RENEWED, ICA), at=after).judge(rule).reason is Reason.PIN_MATCHED
    assert not Scene(sent=(RENEWED, ICA), at=instant("2027-06-30")).judge(rule).accepted


def test_a_thousand_ends_are_judged_and_said() -> None:
    """The first entry of all and the last are judged exactly; in between which are left may be unsure."""
    day = 86_400
    rows = [{**entry(NAMED), "fingerprint": _digest(i), "expires": ENDS + i * day} for i in range(1, 999)]
    rule = WULTRA.rule(read(WULTRA, store(*rows, entry(RENEWED, expires=ENDS + 1000 * day))), "example.com")
    assert len(rule.readings) <= MOST_PHASES
    assert len(rule.sentence) < 1000
    assert len(rule.pins) == 999
    renewed = Scene(sent=(mint("example.com", ICA, key_name="leaf", names=["example.com"]), ICA))
    for at, expected in (("2026-12-01", Reason.PIN_MISMATCH), ("2031-01-01", Reason.PINS_EXPIRED)):
        judgement = replace(renewed, at=instant(at)).judge(rule)
        assert (judgement.reason, judgement.unsure) == (expected, False)
    assert Scene(sent=(RENEWED, ICA), at=instant("2027-07-20")).judge(rule).reason is Reason.PIN_MATCHED


def test_a_certificate_of_one_among_many_ends_is_unsure_near_its_end() -> None:
    day = 86_400
    rows = [{**entry(NAMED), "fingerprint": _digest(i), "expires": ENDS - 200 * day + i * day} for i in range(200)]
    rows[0]["fingerprint"] = entry(NAMED)["fingerprint"]
    rule = WULTRA.rule(read(WULTRA, store(*rows)), "example.com")
    near = replace(SERVED, at=instant("2026-12-14")).judge(rule)
    assert (near.accepted, near.unsure) == (False, True)
    assert replace(SERVED, at=instant("2026-12-11")).judge(rule).reason is Reason.PIN_MATCHED
    late = replace(SERVED, at=instant("2027-01-14")).judge(rule)
    assert (late.accepted, late.unsure) == (False, False)


def test_every_end_of_an_entry_is_an_instant_of_the_timeline(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.file("two.json", store(entry(NAMED, expires=ENDS - 86_400), entry(RENEWED)))
    answer = desk.ask(BASE + app("a", "wultra", pinset="", more='config = "two.json"'), until="2027-07-05")
    assert {instant("2027-06-29"), instant("2027-06-30")} <= {impact.at for impact in answer.window}


def _digest(number: int) -> str:
    return base64.b64encode(hashlib.sha256(b"%d" % number).digest()).decode()


def test_an_unexpired_entry_of_another_name_does_not_help() -> None:
    text = store(entry(NAMED, expires=ENDS - 86_400 * 100), entry(LEAF, "leaf"))
    scene = replace(SERVED, at=instant("2027-05-01"))
    assert not scene.judge(WULTRA.rule(read(WULTRA, text), "example.com")).accepted


@pytest.mark.parametrize("text", [store(), store(entry(LEAF, "leaf"))], ids=["empty", "others only"])
def test_a_name_without_an_entry_is_refused(text: str) -> None:
    assert not SERVED.judge(WULTRA.rule(read(WULTRA, text), "example.com")).accepted


def test_an_empty_store_is_closed() -> None:
    rule = WULTRA.rule(PinConfig(), "example.com")
    assert rule.no_host is Fallback.CLOSED
    assert SERVED.judge(rule).reason is Reason.HOST_NOT_LISTED


@pytest.mark.parametrize(
    ("scene", "host", "expected"),
    [
        (Scene(sent=(NAMED, ICA), roots=(ROGUE_ROOT,)), "example.com", Reason.NO_PATH),
        (SERVED, "other.test", Reason.NAME_MISMATCH),
        (Scene(sent=OTHER_CA, roots=(ROOT, ROGUE_ROOT)), "example.com", Reason.PIN_MISMATCH),
        (Scene(sent=OTHER_CA, local=(ROGUE_ROOT,)), "example.com", Reason.PIN_MISMATCH),
    ],
    ids=["unknown root", "another name", "another CA", "local root"],
)
def test_the_systems_validation_comes_first(scene: Scene, host: str, expected: Reason) -> None:
    assert reason(WULTRA, store(entry(NAMED)), host, scene) is expected


@pytest.mark.parametrize(
    "bad",
    [
        entry(NAMED, expires=None),
        entry(NAMED, expires="soon"),
        entry(NAMED, expires=-(10**15)),
        entry(NAMED, expires=2**60),
        {**entry(NAMED), "fingerprint": "AAAA"},
        {**entry(NAMED), "fingerprint": 3},
        {**entry(NAMED), "name": ""},
        {"name": "example.com"},
        3,
        None,
    ],
)
def test_an_entry_that_does_not_decode_is_dropped(bad: object) -> None:
    text = store(bad, entry(NAMED))
    assert len(read(WULTRA, text).entries) == 1
    assert "entry-dropped" in findings(WULTRA, text)


def test_a_signature_is_over_name_fingerprint_and_end_where_a_key_is_known() -> None:
    good = entry(NAMED)
    message = f"{good['name']}&{good['fingerprint']}&{good['expires']}".encode()
    signature = base64.b64encode(hashlib.sha256(message).digest()).decode()
    context = replace(CONTEXT, verify=lambda data, sign: hashlib.sha256(data).digest() == sign)

    def left(*rows: dict[str, object]) -> int:
        return len(WULTRA.parse(store(*rows).encode(), context).config.entries)

    assert left({**good, "signature": signature}) == 1
    assert left({**good, "signature": signature, "expires": ENDS + 1}) == 0
    assert left({**good, "signature": "AAAA"}) == 0
    assert left(good) == 0
    bad = WULTRA.parse(store(good).encode(), context)
    assert "bad-signature" in {finding.id for finding in bad.findings}
    assert len(read(WULTRA, store(good)).entries) == 1


def test_each_app_checks_with_the_key_that_signs_its_own_pins(tmp_path: Path) -> None:
    """Two apps with two signing keys: the same file is good for the one and empty, so refused, for the other."""
    desk = Desk(tmp_path)
    row = entry(mint(API, ICA, key_name="a"))
    message = f"{row['name']}&{row['fingerprint']}&{row['expires']}".encode()
    digest = base64.b64encode(key("sign-b").sign(message, ECDSA(SHA256()))).decode()
    desk.file("shared.json", store({**row, "signature": digest}))
    for name in ("sign-a", "sign-b"):
        desk.file(f"{name}.pub", public_pem(name))
    signing = "".join(f'{name} = {{ public_key = "{name}.pub" }}\n' for name in ("sign-a", "sign-b"))
    live = '[pinsets.{0}]\nprimary = "a"\nbackups = ["b"]\ndelivery = "live"\nsigned_by = "sign-{0}"\n'
    text = TOP + KEYS + signing + PKI + live.format("a") + live.format("b")
    for name in ("a", "b"):
        text += app(name, "wultra", pinset=name, more='config = "shared.json"')
    enforced = desk.open(text).inventory.enforced
    assert [len(enforced[name, -1][0].config.entries) for name in ("a", "b")] == [0, 1]


def test_its_end_is_told_as_what_it_is() -> None:
    """Pins that end elsewhere let everything through; here they refuse."""
    ahead = findings(WULTRA, store(entry(NAMED)))["fails-closed"]
    assert "2027-06-30" in ahead.message
    over = findings(WULTRA, store(entry(NAMED, expires=ENDS - 86_400 * 300)))
    assert over["fails-closed"].severity > ahead.severity or over["fails-closed"].severity == "error"
    assert "pins-expired" not in over


def test_several_entries_of_a_name_are_no_single_pin() -> None:
    assert "single-pin" in findings(WULTRA, store(entry(NAMED)))
    assert "single-pin" not in findings(WULTRA, store(entry(NAMED), entry(RENEWED)))


def test_axes_are_those_of_the_table() -> None:
    rule = WULTRA.rule(read(WULTRA, store(entry(NAMED))), "example.com")
    assert (rule.path, rule.local_roots) == (PathUse.LEAF, LocalRoots.ENFORCE)
    assert rule.expiry is not None
    assert rule.expiry.closed


@pytest.mark.parametrize("text", ["", "[]", "{", '{"fingerprints": 1}', "{" * 5000])
def test_what_is_no_such_file_is_an_input_error(text: str) -> None:
    with pytest.raises(InputError):
        read(WULTRA, text)
