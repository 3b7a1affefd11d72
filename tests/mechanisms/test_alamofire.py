"""Alamofire `ServerTrustManager`: exact hosts, keys or certificates of bundled files, and closed for the rest."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rotator.errors import InputError
from rotator.files.pem import decode
from rotator.mechanisms.alamofire import MECHANISM as ALAMOFIRE
from rotator.mechanisms.base import Parsed, PinConfig
from rotator.model.names import Cover, Reach
from rotator.model.pins import Pin, PinKind
from rotator.model.rules import Fallback, LocalRoots, Revocation
from rotator.model.verdicts import Reason
from tests.judging import CONTEXT, ICA, LEAF, OTHER_CA, ROGUE_ROOT, ROOT, Scene, findings, read, reason, spec
from tests.minting import Minted, mint, pin, pin_text, values

RENEWED = mint("leaf", ICA, names=["example.com"], not_before="2026-11-02", not_after="2027-10-30")


def rows(*pins: object, host: object = "example.com") -> str:
    """Write one evaluator."""
    return json.dumps({"rows": [{"host": host, "pins": list(pins)}]})


def certificate(minted: Minted) -> str:
    """Write a pin on a whole certificate."""
    return Pin(PinKind.CERT_SHA256, values(minted)[0].sha256).text


def bundled(data: bytes) -> Parsed:
    """Read a file of the bundle."""
    return ALAMOFIRE.parse(data, replace(CONTEXT, decode=decode))


@pytest.mark.parametrize("name", ["leaf", "ica", "root"])
def test_public_keys_match_anywhere_in_the_evaluated_chain(name: str) -> None:
    assert reason(ALAMOFIRE, rows(pin_text(name))) is Reason.PIN_MATCHED


@pytest.mark.parametrize("minted", [LEAF, ICA, ROOT], ids=["leaf", "ica", "root"])
def test_pinned_certificates_match_anywhere_byte_for_byte(minted: Minted) -> None:
    assert reason(ALAMOFIRE, rows(certificate(minted))) is Reason.PIN_MATCHED


def test_a_byte_order_mark_is_passed_over() -> None:
    data = b"\xef\xbb\xbf" + json.dumps([{"host": "example.com", "pins": [pin_text("leaf")]}]).encode()
    assert reason(ALAMOFIRE, data) is Reason.PIN_MATCHED
    assert ALAMOFIRE.edit(data, read(ALAMOFIRE, data), CONTEXT) == data


@pytest.mark.parametrize(
    ("text", "expected"),
    [(rows(certificate(LEAF)), Reason.PIN_MISMATCH), (rows(pin_text("leaf")), Reason.PIN_MATCHED)],
    ids=["certificate", "key"],
)
def test_a_renewal_with_the_same_key(text: str, expected: Reason) -> None:
    assert reason(ALAMOFIRE, text, scene=Scene(sent=(RENEWED, ICA))) is expected


@pytest.mark.parametrize("host", ["other.test", "a.example.com"])
def test_a_host_that_is_not_listed_is_refused(host: str) -> None:
    text = rows(pin_text("leaf"))
    assert reason(ALAMOFIRE, text, host) is Reason.HOST_NOT_LISTED
    rule = ALAMOFIRE.rule(read(ALAMOFIRE, text), host)
    assert rule.no_host is Fallback.CLOSED
    assert not Scene().judge(rule, host).accepted


@pytest.mark.parametrize("name", ["Example.COM", "example.com."])
def test_names_are_compared_to_the_letter(name: str) -> None:
    """They are keys of a Swift dictionary, and a host is lower case without a last dot."""
    text = json.dumps({"rows": [{"host": name, "pins": [pin_text("leaf")]}]})
    assert reason(ALAMOFIRE, text) is Reason.HOST_NOT_LISTED
    assert "domain-never-matches" in findings(ALAMOFIRE, text)


def test_a_manager_of_no_host_refuses_every_host() -> None:
    """No configuration at all is no manager, and refuses nobody."""
    below = ALAMOFIRE.from_pinset(spec(Cover("example.com", Reach.ONLY_ONE)))
    for config in (read(ALAMOFIRE, '{"rows": []}'), below):
        answer = Scene().judge(ALAMOFIRE.rule(config, "example.com"))
        assert (answer.accepted, answer.reason) == (False, Reason.HOST_NOT_LISTED)
    assert Scene().judge(ALAMOFIRE.rule(PinConfig(), "example.com")).accepted


def test_no_certificate_fails() -> None:
    assert reason(ALAMOFIRE, rows()) is Reason.PIN_MISMATCH


@pytest.mark.parametrize(
    ("scene", "host", "expected"),
    [
        (Scene(roots=(ROGUE_ROOT,)), "example.com", Reason.NO_PATH),
        (Scene(), "other.test", Reason.NAME_MISMATCH),
        (Scene(sent=OTHER_CA, local=(ROGUE_ROOT,)), "example.com", Reason.PIN_MISMATCH),
        (Scene(sent=(*OTHER_CA, ICA, ROOT), roots=(ROOT, ROGUE_ROOT)), "example.com", Reason.PIN_MISMATCH),
    ],
    ids=["unknown root", "another name", "local root", "padded"],
)
def test_default_validation_and_the_name_are_checked_too(scene: Scene, host: str, expected: Reason) -> None:
    assert reason(ALAMOFIRE, rows(pin_text("leaf"), pin_text("root"), host=host), host, scene) is expected


def test_bundled_files_are_read_as_keys_and_their_hosts_stand_in_the_code() -> None:
    for data in (LEAF.der, LEAF.pem, LEAF.pem + ICA.pem):
        found = bundled(data)
        assert pin("leaf") in found.config.entries[0].pins
        assert {"key-or-certificate", "hosts-in-code"} <= {finding.id for finding in found.findings}
    assert Scene().judge(ALAMOFIRE.rule(bundled(LEAF.der).config, "example.com")).reason is Reason.PIN_MATCHED


def test_axes_are_those_of_the_table() -> None:
    rule = ALAMOFIRE.rule(read(ALAMOFIRE, rows(pin_text("leaf"))), "example.com")
    assert (rule.local_roots, rule.expiry, rule.revocation) == (LocalRoots.ENFORCE, None, Revocation.SOFT)
    assert "single-pin" in findings(ALAMOFIRE, rows(pin_text("leaf")))


@pytest.mark.parametrize(
    "data", [b"", b"\x30\x03\x02\x01\x00", b"text", b'[{"host": 1, "pins": []}]', b'[{"host": "a.b"}]', b"{" * 5000]
)
def test_what_is_no_such_file_is_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError):
        bundled(data)
