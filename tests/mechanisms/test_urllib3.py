"""urllib3 `assert_fingerprint`: one digest of the leaf certificate; the name is no longer checked."""

from __future__ import annotations

import hashlib

import pytest

from rotator.errors import InputError
from rotator.mechanisms.custom import Custom
from rotator.mechanisms.urllib3 import MECHANISM as URLLIB3
from rotator.model.pins import PinKind
from rotator.model.policy import CustomMechanism
from rotator.model.rules import BadConfig, Base, Builder, LocalRoots
from rotator.model.verdicts import Reason
from tests.judging import CONTEXT, ICA, LEAF, OTHER_CA, ROGUE_ROOT, ROOT, Scene, findings, read, reason, refused, spec
from tests.minting import mint, values

SHA256 = hashlib.sha256(LEAF.der).hexdigest()
WRONG = hashlib.sha256(b"wrong").hexdigest()
SPACED = " ".join(SHA256[i : i + 2] for i in range(0, 64, 2))
RENEWED = mint("leaf", ICA, names=["example.com"], not_before="2026-11-02", not_after="2027-10-30")


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_the_length_tells_the_digest(algorithm: str) -> None:
    text = hashlib.new(algorithm, LEAF.der, usedforsecurity=False).hexdigest()
    assert reason(URLLIB3, text) is Reason.PIN_MATCHED
    assert reason(URLLIB3, "0" * len(text)) is Reason.PIN_MISMATCH
    assert ("weak-digest" in findings(URLLIB3, text)) is (algorithm != "sha256")


@pytest.mark.parametrize(
    "spelt",
    [
        SHA256.upper(),
        ":".join(SHA256[i : i + 2] for i in range(0, 64, 2)),
        f'"{SHA256}"\n',
        f"# production\n{SHA256}  # until spring\n",
    ],
    ids=["capitals", "colons", "quotes", "comments"],
)
def test_spellings_of_one_value(spelt: str) -> None:
    assert reason(URLLIB3, spelt) is Reason.PIN_MATCHED


def test_a_renewal_with_the_same_key_breaks() -> None:
    """Vector 32."""
    assert reason(URLLIB3, SHA256, scene=Scene(sent=(RENEWED, ICA))) is Reason.PIN_MISMATCH
    assert "certificate-pin" in findings(URLLIB3, SHA256)


def test_the_host_name_is_no_longer_checked() -> None:
    assert reason(URLLIB3, SHA256, "other.test") is Reason.PIN_MATCHED
    assert URLLIB3.rule(read(URLLIB3, SHA256), "x").base is Base.NO_HOST


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        (Scene(roots=(ROGUE_ROOT,)), Reason.NO_PATH),
        (Scene(sent=(mint("leaf", ROOT, names=["example.com"], not_after="2026-11-01"),)), Reason.CHAIN_EXPIRED),
        (Scene(sent=OTHER_CA, roots=(ROOT, ROGUE_ROOT)), Reason.PIN_MISMATCH),
        (Scene(sent=OTHER_CA, local=(ROGUE_ROOT,)), Reason.PIN_MISMATCH),
    ],
    ids=["unknown root", "ended", "another CA", "local root"],
)
def test_the_path_is_still_checked(scene: Scene, expected: Reason) -> None:
    pinned = hashlib.sha256(scene.sent[0].der).hexdigest() if expected is Reason.CHAIN_EXPIRED else SHA256
    assert reason(URLLIB3, pinned, scene=scene) is expected


def test_cert_none_leaves_the_fingerprint_alone() -> None:
    own = Custom("nocert", CustomMechanism(like="urllib3", axes={"base": "none"}))
    rule = own.rule(read(URLLIB3, SHA256), "other.test")
    assert Scene(roots=(ROGUE_ROOT,)).judge(rule).reason is Reason.PIN_MATCHED


@pytest.mark.parametrize("text", ["", "\n", '""', "# nothing\n"])
def test_an_empty_value_switches_the_pin_off(text: str) -> None:
    assert reason(URLLIB3, text) is Reason.NO_PINS
    assert "empty-fingerprint" in findings(URLLIB3, text)


def test_without_a_fingerprint_the_name_is_checked() -> None:
    assert reason(URLLIB3, "", "other.test") is Reason.NAME_MISMATCH


@pytest.mark.parametrize(
    "text", [SHA256[:-2], "zz" * 32, SHA256 + "00", f"{SHA256}\n{WRONG}\n", f"{SHA256};{WRONG}", SPACED]
)
def test_any_other_value_fails_every_connection(text: str) -> None:
    assert refused(URLLIB3, text).consequence is BadConfig.ALL_TLS_FAILS


def test_an_export_mends_a_digest_with_spaces() -> None:
    data = f"# web\n{SPACED}\n".encode()
    assert URLLIB3.edit(data, read(URLLIB3, SHA256), CONTEXT) == f"# web\n{SHA256}\n".encode()


def test_there_is_room_for_one_value() -> None:
    pins = tuple(read(URLLIB3, text).entries[0].pins[0] for text in (SHA256, WRONG))
    config = URLLIB3.from_pinset(spec(keys=(), certificates=pins))
    assert [pin.kind for pin in config.entries[0].pins] == [PinKind.CERT_SHA256]
    assert "coordinated-cutover-only" in dict(URLLIB3.losses(spec(keys=(), certificates=pins)))
    assert not URLLIB3.refuse(config, CONTEXT)


def test_axes_are_those_of_the_table() -> None:
    rule = URLLIB3.rule(read(URLLIB3, SHA256), "anything.test")
    assert (rule.builder, rule.local_roots, rule.expiry) == (Builder.FIRST_ISSUER, LocalRoots.ENFORCE, None)
    assert rule.pins == {read(URLLIB3, SHA256).entries[0].pins[0]}
    assert values(LEAF)[0].sha256.hex() == SHA256


def test_bytes_that_are_no_text_are_an_input_error() -> None:
    with pytest.raises(InputError):
        read(URLLIB3, b"\xff\xfe")
