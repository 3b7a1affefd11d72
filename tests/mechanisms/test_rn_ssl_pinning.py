"""react-native-ssl-pinning: bundled certificates as the only anchors, or keys with pkPinning; platforms differ."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rotator.errors import InputError
from rotator.files.pem import decode
from rotator.mechanisms.base import PinConfig
from rotator.mechanisms.rn_ssl_pinning import MECHANISM as RN
from rotator.model.pins import Pin, PinKind
from rotator.model.rules import BadConfig, Base
from rotator.model.verdicts import Reason
from tests.judging import (
    CONTEXT,
    ICA,
    LEAF,
    OTHER_CA,
    ROGUE_ROOT,
    ROOT,
    Scene,
    findings,
    pins_for,
    read,
    reason,
    refused,
    spec,
)
from tests.minting import Minted, mint, pin, pin_b64, pin_text, root, values


def rows(*rows: dict[str, object]) -> str:
    """Write calls."""
    return json.dumps({"rows": list(rows)})


def keys(host: str, *names: str) -> dict[str, object]:
    """Write a call with pkPinning."""
    return {"host": host, "certs": [pin_text(name) for name in names], "pkPinning": True}


def bundled(data: bytes) -> PinConfig:
    """Read a certificate of the bundle."""
    return RN.parse(data, replace(CONTEXT, decode=decode)).config


@pytest.mark.parametrize("name", ["leaf", "ica", "root"])
def test_with_pk_pinning_any_key_of_the_path_matches(name: str) -> None:
    assert reason(RN, rows(keys("example.com", name))) is Reason.PIN_MATCHED
    assert reason(RN, rows(keys("example.com", "x"))) is Reason.PIN_MISMATCH


def test_names_are_exact() -> None:
    text = rows(keys("example.com", "x"))
    assert not pins_for(RN, text, "a.example.com")
    assert not pins_for(RN, text, "other.test")


def test_ios_takes_the_keys_of_the_whole_bundle_and_ignores_the_list() -> None:
    """A list that leaves our key out breaks on Android and not on iOS, where another call brought it."""
    text = rows(keys("example.com", "x"), keys("other.test", "leaf"))
    judgement = Scene().judge(RN.rule(read(RN, text), "example.com"))
    assert (judgement.accepted, judgement.unsure) == (False, True)
    assert "platforms-differ" in findings(RN, text)


def certificates(*minted: Minted) -> PinConfig:
    """Bundle certificates."""
    pins = tuple(Pin(PinKind.CERT_SHA256, values(m)[0].sha256) for m in minted)
    return RN.from_pinset(spec(keys=(), certificates=pins))


def test_without_it_only_the_bundled_certificates_are_anchors() -> None:
    private = root("private")
    own = mint("leaf", private, names=["example.com"])
    rule = RN.rule(certificates(private), "example.com")
    assert rule.base is Base.ANCHORS_REPLACED
    assert not Scene().judge(rule).accepted
    assert Scene(sent=(own, private)).judge(rule).reason is Reason.PIN_MATCHED


@pytest.mark.parametrize("data", [ROOT.der, ROOT.pem], ids=["DER", "PEM"])
def test_a_bundled_file_is_read_as_an_anchor(data: bytes) -> None:
    rule = RN.rule(bundled(data), "example.com")
    assert Scene(sent=(LEAF, ICA, ROOT)).judge(rule).reason is Reason.PIN_MATCHED
    assert not Scene(sent=OTHER_CA, roots=(ROOT, ROGUE_ROOT)).judge(rule).accepted


def test_a_bundled_leaf_outlives_a_renewal_on_android_and_not_on_ios() -> None:
    """Android takes the key for its anchor, iOS compares bytes."""
    config = bundled(LEAF.der)
    served = Scene().judge(RN.rule(config, "example.com"))
    assert (served.reason, served.unsure) == (Reason.PIN_MATCHED, False)
    renewed = Scene(sent=(mint("leaf", ICA, names=["example.com"], not_after="2027-10-30"), ICA))
    after = renewed.judge(RN.rule(config, "example.com"))
    assert (after.accepted, after.unsure) == (False, True)
    android = replace(RN.rule(config, "example.com"), other=None)
    assert renewed.judge(android).reason is Reason.PIN_MATCHED


def test_a_bundled_certificate_counts_once() -> None:
    found = RN.parse(LEAF.der, replace(CONTEXT, decode=decode)).findings
    assert "single-pin" in {finding.id for finding in found}


@pytest.mark.parametrize("text", [pin_b64("leaf"), f"cert-sha256:{values(LEAF)[0].sha256.hex()}", "cert1"])
def test_a_pin_that_okhttp_throws_at_makes_every_call_fail(text: str) -> None:
    row = {"host": "example.com", "certs": [pin_text("leaf"), text], "pkPinning": True}
    assert refused(RN, rows(row)).consequence is BadConfig.ALL_TLS_FAILS


def test_an_export_mends_it() -> None:
    data = rows({"host": "example.com", "certs": [pin_b64("leaf")], "pkPinning": True}).encode()
    config = RN.from_pinset(spec("example.com", keys=("leaf",)))
    assert read(RN, RN.edit(data, config, CONTEXT)).entries == config.entries


def test_local_roots_do_not_help() -> None:
    local = Scene(sent=OTHER_CA, local=(ROGUE_ROOT,))
    assert reason(RN, rows(keys("example.com", "leaf")), scene=local) is Reason.PIN_MISMATCH
    assert not local.judge(RN.rule(certificates(ROOT), "example.com")).accepted


def test_disable_all_security_accepts_everything_and_is_an_error() -> None:
    text = rows({**keys("example.com", "leaf"), "disableAllSecurity": True}, keys("a.example.com", "leaf"))
    scene = Scene(sent=(mint("x", ROGUE_ROOT, names=["other.test"], not_after="2026-11-01"),), roots=())
    assert scene.judge(RN.rule(read(RN, text), "example.com")).accepted
    assert not scene.judge(RN.rule(read(RN, text), "a.example.com"), "a.example.com").accepted
    assert "security-disabled" in findings(RN, text)


def test_changed_pins_need_a_restart() -> None:
    assert "restart-needed" in findings(RN, rows(keys("example.com", "leaf")))


def test_names_of_bundled_files_are_not_pins() -> None:
    for names in (["cert1"], [pin_text("leaf")], [certificates(LEAF).entries[0].pins[0].text, "cert1"]):
        with pytest.raises(InputError, match="bundle"):
            read(RN, rows({"host": "example.com", "certs": names}))


def test_without_pk_pinning_the_certificates_of_a_pinset_are_read_as_they_were_written() -> None:
    config = certificates(LEAF)
    assert RN.rule(read(RN, RN.render(config)), "example.com") == RN.rule(config, "example.com")


def test_certificates_are_written_with_the_keys_that_android_compares() -> None:
    whole = Pin(PinKind.CERT_SHA256, values(LEAF)[0].sha256)
    known = replace(spec(keys=(), certificates=(whole,)), also={(whole, PinKind.SPKI_SHA256): pin("leaf")})
    config = RN.from_pinset(known)
    assert read(RN, RN.render(config)).entries == config.entries
    android = RN.rule(config, "example.com")
    assert {p for clause in android.clauses for p in clause.pins} == {pin("leaf")}
    assert android.other is not None
    assert {p for clause in android.other.clauses for p in clause.pins} == {whole}


def test_a_pin_that_is_no_digest_never_matches() -> None:
    text = rows({"host": "example.com", "certs": ["sha256/AAAA"], "pkPinning": True})
    assert reason(RN, text) is Reason.PIN_MISMATCH
    assert "pin-never-matches" in findings(RN, text)
    assert pins_for(RN, rows(keys("example.com", "leaf")), "example.com") == {pin("leaf")}


@pytest.mark.parametrize("data", [b"", b"text", b'[{"host": 1, "pins": []}]', b'[{"host": "a.b"}]', b"{", b"\x30\x00"])
def test_what_is_no_such_file_is_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError):
        bundled(data)
