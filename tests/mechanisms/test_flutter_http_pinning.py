"""Flutter http_certificate_pinning: leaf certificates, checked on a connection of their own."""

from __future__ import annotations

import hashlib
import json

import pytest

from rotator.errors import InputError
from rotator.mechanisms.flutter_http_pinning import MECHANISM as FLUTTER
from rotator.model.pins import Pin, PinKind
from rotator.model.rules import BadConfig, LocalRoots, PathUse
from rotator.model.verdicts import Reason
from rotator.simulate.judgement import Side
from tests.judging import CONTEXT, ICA, LEAF, OTHER_CA, ROGUE_ROOT, ROOT, Scene, findings, read, reason, refused, spec
from tests.minting import mint

SHA256 = hashlib.sha256(LEAF.der).hexdigest()
SHA1 = hashlib.sha1(LEAF.der, usedforsecurity=False).hexdigest()
WRONG = "00" * 32
PIN = Pin(PinKind.CERT_SHA256, bytes.fromhex(SHA256))
RENEWED = mint("leaf", ICA, names=["example.com"], not_before="2026-11-02", not_after="2027-10-30")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SHA256, Reason.PIN_MATCHED),
        (SHA1, Reason.PIN_MATCHED),
        (f"{WRONG}\n{SHA256}\n", Reason.PIN_MATCHED),
        (WRONG, Reason.PIN_MISMATCH),
        (hashlib.sha256(ICA.der).hexdigest(), Reason.PIN_MISMATCH),
        (" ".join(SHA256[i : i + 2] for i in range(0, 64, 2)).upper(), Reason.PIN_MATCHED),
        (":".join(SHA256[i : i + 2] for i in range(0, 64, 2)), Reason.PIN_MATCHED),
    ],
    ids=["SHA-256", "SHA-1", "any of a list", "wrong", "intermediate", "spaces, capitals", "colons"],
)
def test_any_of_the_list_matches_the_leaf(text: str, expected: Reason) -> None:
    assert reason(FLUTTER, text) is expected


def test_the_probe_does_not_bind_the_connection_that_carries_the_data() -> None:
    """Somebody in between lets the probe through and takes the request, with any trusted certificate."""
    rule = FLUTTER.rule(read(FLUTTER, SHA256), "example.com")
    theirs = Scene(sent=OTHER_CA, roots=(ROOT, ROGUE_ROOT), side=Side.ATTACKER).judge(rule)
    assert theirs.accepted
    assert not theirs.pin_in_force
    assert not Scene(sent=OTHER_CA, roots=(ROOT,), side=Side.ATTACKER).judge(rule).accepted
    assert rule.probe
    assert "probe-only" in findings(FLUTTER, SHA256)


def test_our_own_server_must_pass_the_probe() -> None:
    assert reason(FLUTTER, SHA256, scene=Scene(sent=(RENEWED, ICA))) is Reason.PIN_MISMATCH
    assert reason(FLUTTER, SHA256, scene=Scene(roots=(ROGUE_ROOT,))) is Reason.NO_PATH
    assert reason(FLUTTER, SHA256, "other.test") is Reason.NAME_MISMATCH


@pytest.mark.parametrize("text", ["", "# none\n", "[]", '[{"pins": []}]'])
def test_an_empty_list_refuses_every_request(text: str) -> None:
    assert refused(FLUTTER, text).consequence is BadConfig.ALL_TLS_FAILS


@pytest.mark.parametrize("bad", ["abcd", "zz" * 32, SHA256 + "00", hashlib.md5(b"", usedforsecurity=False).hexdigest()])
def test_what_is_no_digest_never_matches_and_leaves_the_others_alone(bad: str) -> None:
    assert reason(FLUTTER, f"{bad}\n{SHA256}\n") is Reason.PIN_MATCHED
    assert reason(FLUTTER, bad) is Reason.PIN_MISMATCH
    assert bad in findings(FLUTTER, f"{bad}\n{SHA256}\n")["pin-never-matches"].message


def test_an_edit_of_rows_changes_the_hosts_of_the_pinset_alone() -> None:
    rows = json.dumps([{"host": "example.com", "pins": [WRONG]}, {"host": "z.test", "pins": [WRONG]}]).encode()
    wanted = FLUTTER.from_pinset(spec("example.com", "new.test", keys=(), certificates=(PIN,)))
    config = read(FLUTTER, FLUTTER.edit(rows, wanted, CONTEXT))
    assert {e.covers[0].name: [p.digest.hex() for p in e.pins] for e in config.entries} == {
        "example.com": [SHA256],
        "z.test": [WRONG],
        "new.test": [SHA256],
    }


def test_an_edit_of_rows_for_every_host_changes_them_all() -> None:
    rows = json.dumps([{"pattern": "<debug>", "pins": [WRONG]}, {"pattern": "<release>", "pins": [WRONG]}]).encode()
    new = json.loads(FLUTTER.edit(rows, FLUTTER.from_pinset(spec(keys=(), certificates=(PIN,))), CONTEXT))
    assert [row["pins"] for row in new] == [[SHA256], [SHA256]]


def test_every_host_called_is_checked_and_rows_may_name_theirs() -> None:
    assert reason(FLUTTER, WRONG, "a.example.com") is Reason.PIN_MISMATCH
    rows = json.dumps([{"pattern": "example.com", "pins": [SHA256]}, {"host": "a.example.com", "pins": [WRONG]}])
    assert reason(FLUTTER, rows) is Reason.PIN_MATCHED
    assert reason(FLUTTER, rows, "a.example.com") is Reason.PIN_MISMATCH
    assert reason(FLUTTER, rows, "example.com", Scene(sent=(RENEWED, ICA))) is Reason.PIN_MISMATCH
    plain = json.dumps([{"pattern": "<any flavour>", "allowedSHAFingerprints": [SHA256]}])
    assert reason(FLUTTER, plain) is Reason.PIN_MATCHED


def test_what_it_means_is_told() -> None:
    assert {"probe-only", "certificate-pin", "single-pin"} <= set(findings(FLUTTER, SHA256))
    assert "weak-digest" in findings(FLUTTER, SHA1)


def test_axes_are_those_of_the_table() -> None:
    rule = FLUTTER.rule(read(FLUTTER, SHA256), "example.com")
    assert (rule.path, rule.local_roots, rule.expiry) == (PathUse.LEAF, LocalRoots.ENFORCE, None)


@pytest.mark.parametrize("data", [b'{"x": 1}', b"[1]", b'[{"pins": [1]}]', b"\xff\xfe", b"[" * 5000])
def test_what_is_no_such_file_is_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError):
        read(FLUTTER, data)
