"""AFNetworking `AFSecurityPolicy`: keys anywhere in the chain, or certificates as the only anchors."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.errors import InputError
from rotator.files.pem import decode
from rotator.mechanisms.afnetworking import MECHANISM as AFN
from rotator.mechanisms.base import PinConfig
from rotator.model.pins import Pin, PinKind
from rotator.model.rules import Base, LocalRoots, Revocation, Scope
from rotator.model.verdicts import Reason
from tests.judging import CONTEXT, ICA, LEAF, OTHER_CA, ROGUE_ROOT, ROOT, Scene, findings, read, reason, spec
from tests.minting import Minted, mint, pin, pin_text, root, values

RENEWED = mint("leaf", ICA, names=["example.com"], not_before="2026-11-02", not_after="2027-10-30")


def certificates(*minted: Minted) -> PinConfig:
    """Bundle certificates for certificate mode."""
    pins = tuple(Pin(PinKind.CERT_SHA256, values(m)[0].sha256) for m in minted)
    return AFN.from_pinset(spec(keys=(), certificates=pins))


@pytest.mark.parametrize("name", ["leaf", "ica", "root"])
def test_public_key_mode_matches_any_key_of_the_chain(name: str) -> None:
    assert reason(AFN, f"{pin_text(name)}  # ours\n") is Reason.PIN_MATCHED
    assert reason(AFN, pin_text("x")) is Reason.PIN_MISMATCH


@pytest.mark.parametrize("minted", [LEAF, ICA, ROOT], ids=["leaf", "ica", "root"])
def test_certificate_mode_takes_a_chain_to_a_pinned_certificate(minted: Minted) -> None:
    scene = Scene(sent=(LEAF, ICA, ROOT))
    assert scene.judge(AFN.rule(certificates(minted), "example.com")).reason is Reason.PIN_MATCHED


def test_certificate_mode_makes_the_pinned_ones_the_only_anchors() -> None:
    """A chain to a trusted root is refused, and one to a root nobody else trusts is accepted."""
    private = root("private")
    own = mint("leaf", private, names=["example.com"])
    rule = AFN.rule(certificates(private), "example.com")
    assert not Scene().judge(rule).accepted
    assert Scene(sent=(own, private)).judge(rule).reason is Reason.PIN_MATCHED
    assert rule.base is Base.ANCHORS_REPLACED
    assert [clause.scope for clause in rule.clauses] == [Scope.ANCHORS]


def test_no_local_root_counts_in_either_mode() -> None:
    local = Scene(sent=OTHER_CA, local=(ROGUE_ROOT,))
    assert not local.judge(AFN.rule(certificates(ROOT), "example.com")).accepted
    assert reason(AFN, pin_text("leaf"), scene=local) is Reason.PIN_MISMATCH


def test_a_renewal_with_the_same_key_breaks_a_pin_on_the_leafs_certificate_alone() -> None:
    scene = Scene(sent=(RENEWED, ICA, ROOT))
    assert not scene.judge(AFN.rule(certificates(LEAF), "example.com")).accepted
    assert scene.judge(AFN.rule(certificates(ROOT), "example.com")).accepted
    assert reason(AFN, pin_text("leaf"), scene=scene) is Reason.PIN_MATCHED


@pytest.mark.parametrize("host", ["example.com", "a.example.com", "other.test"])
def test_the_policy_is_for_every_host_of_the_manager(host: str) -> None:
    assert AFN.rule(read(AFN, pin_text("x")), host).pins == {pin("x")}


def test_the_name_and_the_path_are_checked() -> None:
    assert reason(AFN, pin_text("leaf"), "other.test") is Reason.NAME_MISMATCH
    assert reason(AFN, pin_text("leaf"), scene=Scene(roots=(ROGUE_ROOT,))) is Reason.NO_PATH
    other = mint("leaf", ROOT, names=["other.test"])
    assert Scene(sent=(other, ROOT)).judge(AFN.rule(certificates(ROOT), "example.com")).reason is Reason.NAME_MISMATCH


def test_bundled_files_are_read_as_keys() -> None:
    for data in (LEAF.der, LEAF.pem + ICA.pem):
        found = AFN.parse(data, replace(CONTEXT, decode=decode))
        assert pin("leaf") in found.config.entries[0].pins
        assert "key-or-certificate" in {finding.id for finding in found.findings}


def test_axes_are_those_of_the_table() -> None:
    rule = AFN.rule(read(AFN, pin_text("leaf")), "example.com")
    assert (rule.local_roots, rule.expiry, rule.revocation) == (LocalRoots.ENFORCE, None, Revocation.SOFT)
    assert "single-pin" in findings(AFN, pin_text("leaf"))


@pytest.mark.parametrize("data", [b"words", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\n", b"\x30\x00"])
def test_what_is_no_such_file_is_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError):
        AFN.parse(data, replace(CONTEXT, decode=decode))


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_a_list_without_pins_refuses_everything(text: str) -> None:
    """Public-key mode counts the keys that agree, and none do."""
    assert reason(AFN, text) is Reason.PIN_MISMATCH
    assert set(findings(AFN, text)) == {"empty-list"}
