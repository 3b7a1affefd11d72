"""aiohttp `Fingerprint`: one SHA-256 of the leaf certificate, and nothing else is checked."""

from __future__ import annotations

import hashlib

import pytest

from rotator.errors import InputError
from rotator.mechanisms.aiohttp import MECHANISM as AIOHTTP
from rotator.model.rules import BadConfig, Base, PathUse
from rotator.model.verdicts import Reason
from rotator.simulate.judgement import Side
from tests.judging import ICA, LEAF, OTHER_CA, ROGUE_ROOT, ROOT, Scene, findings, read, reason, refused
from tests.minting import instant, mint

SHA256 = hashlib.sha256(LEAF.der).hexdigest()
ODD = mint("leaf", ROGUE_ROOT, names=["other.test"], not_after="2026-11-01")
RENEWED = mint("leaf", ICA, names=["example.com"], not_before="2026-11-02", not_after="2027-10-30")


def test_the_right_fingerprint_is_enough_whatever_else_is_wrong() -> None:
    """Vector 33: untrusted, expired, and for another name."""
    scene = Scene(sent=(ODD,), roots=())
    assert reason(AIOHTTP, hashlib.sha256(ODD.der).hexdigest(), scene=scene) is Reason.PIN_MATCHED
    assert AIOHTTP.rule(read(AIOHTTP, SHA256), "x").base is Base.NONE


def test_a_stolen_key_is_accepted_past_its_certificates_end() -> None:
    scene = Scene(at=instant("2040-01-01"), side=Side.ATTACKER)
    assert reason(AIOHTTP, SHA256, scene=scene) is Reason.PIN_MATCHED


@pytest.mark.parametrize(
    "scene",
    [
        Scene(sent=(RENEWED, ICA)),
        Scene(sent=OTHER_CA, roots=(ROOT, ROGUE_ROOT)),
        Scene(sent=OTHER_CA, local=(ROGUE_ROOT,)),
        Scene(sent=(ICA, ROOT)),
    ],
    ids=["renewed with the same key", "another CA", "local root", "another certificate"],
)
def test_any_other_leaf_is_refused(scene: Scene) -> None:
    assert reason(AIOHTTP, SHA256, scene=scene) is Reason.PIN_MISMATCH


def test_certificates_above_the_leaf_never_match() -> None:
    assert reason(AIOHTTP, hashlib.sha256(ICA.der).hexdigest()) is Reason.PIN_MISMATCH
    assert AIOHTTP.rule(read(AIOHTTP, SHA256), "x").path is PathUse.LEAF


@pytest.mark.parametrize(
    "text",
    [
        "",
        SHA256[:32],
        SHA256[:40],
        "zz" * 32,
        f"{SHA256}\n{'00' * 32}",
    ],
    ids=["empty", "MD5", "SHA-1", "not hexadecimal", "two values"],
)
def test_any_other_value_raises(text: str) -> None:
    assert refused(AIOHTTP, text).consequence is BadConfig.CRASH


def test_what_it_leaves_out_is_told() -> None:
    assert {"nothing-else-checked", "certificate-pin"} <= set(findings(AIOHTTP, SHA256))


def test_bytes_that_are_no_text_are_an_input_error() -> None:
    with pytest.raises(InputError):
        read(AIOHTTP, b"\xff\xfe")
