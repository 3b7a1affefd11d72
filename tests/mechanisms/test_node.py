"""Node `checkServerIdentity` with the documented recipe, which hashes the bare point of elliptic curves."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from rotator.errors import InputError
from rotator.mechanisms.custom import Custom
from rotator.mechanisms.node import MECHANISM as NODE
from rotator.model.pins import Pin, PinKind
from rotator.model.pki import TrustStore
from rotator.model.policy import CustomMechanism
from rotator.model.rules import Builder, LocalRoots, PathUse
from rotator.model.verdicts import Reason
from rotator.simulate.judge import judge
from rotator.simulate.judgement import Side, Situation
from tests.desk import NOW
from tests.judging import ICA, LEAF, OTHER_CA, ROGUE_ROOT, ROOT, Scene, findings, pins_for, read, reason, spec
from tests.minting import mint, pin, pin_b64, values

CHAIN = values(LEAF, ICA, ROOT)


def point() -> str:
    """Give the base64 of what Node's recipe makes of the minted leaf."""
    return base64.b64encode(CHAIN[0].raw).decode()


def rows(*pins: object, host: str | None = "example.com") -> str:
    """Write one row."""
    return json.dumps([{**({"host": host} if host else {}), "pins": list(pins)}])


def test_a_standard_pin_on_an_elliptic_curve_never_matches() -> None:
    """Vector 34: sha256(cert.pubkey) is of the bare point there."""
    assert reason(NODE, rows(pin_b64("leaf"))) is Reason.PIN_MISMATCH
    assert reason(NODE, rows(point())) is Reason.PIN_MATCHED
    assert reason(NODE, rows("sha256/" + point())) is Reason.PIN_MATCHED
    assert "node-raw-point" in findings(NODE, rows(point()))


def test_a_standard_pin_on_an_rsa_key_matches_and_breaks_with_a_change_to_elliptic_curves() -> None:
    """For RSA `cert.pubkey` is the SubjectPublicKeyInfo, so there the digest is the standard one."""
    rsa = replace(CHAIN[0], raw=b"", key_type="rsa-2048")
    rule = NODE.rule(read(NODE, rows(pin_b64("leaf"))), "example.com")
    trust = TrustStore(name="t", roots=(CHAIN[2],))

    def accepted(leaf: object) -> bool:
        sent = (leaf, CHAIN[1])
        return judge(rule, sent, "example.com", trust, Situation(at=NOW), Side.OURS).accepted  # type: ignore[arg-type]  # a certificate

    assert accepted(rsa)
    assert not accepted(CHAIN[0])


@pytest.mark.parametrize("text", [pin_b64("ica"), pin_b64("root")])
def test_only_the_leaf_is_compared(text: str) -> None:
    assert reason(NODE, rows(text)) is Reason.PIN_MISMATCH


@pytest.mark.parametrize(
    ("scene", "host", "expected"),
    [
        (Scene(roots=(ROGUE_ROOT,)), "example.com", Reason.NO_PATH),
        (Scene(), "other.test", Reason.NAME_MISMATCH),
        (Scene(sent=OTHER_CA, local=(ROGUE_ROOT,)), "example.com", Reason.PIN_MISMATCH),
        (
            Scene(sent=(mint("leaf", ROOT, names=["example.com"], not_after="2026-11-01"),)),
            "example.com",
            Reason.CHAIN_EXPIRED,
        ),
        (Scene(sent=(mint("example.com", ROOT, key_name="leaf"),)), "example.com", Reason.PIN_MATCHED),
    ],
    ids=["unknown root", "another name", "local root", "ended", "common name"],
)
def test_it_is_called_after_the_usual_checks(scene: Scene, host: str, expected: Reason) -> None:
    assert reason(NODE, rows(point(), host=None), host, scene) is expected


def test_rows_are_for_their_host_and_one_without_for_every_request() -> None:
    assert pins_for(NODE, rows(point(), host=None), "anything.test")
    assert pins_for(NODE, rows(point()), "example.com")
    assert not pins_for(NODE, rows(point()), "a.example.com")


@pytest.mark.parametrize("text", [point()[:-1], point()[:42] + chr(ord(point()[42]) + 1) + "=", "AAAA", "?", 12])
def test_texts_are_compared_as_they_are(text: object) -> None:
    assert reason(NODE, rows(text)) is Reason.PIN_MISMATCH
    assert "pin-never-matches" in findings(NODE, rows(text))


def test_axes_are_those_of_the_table() -> None:
    rule = NODE.rule(read(NODE, rows(point())), "example.com")
    assert (rule.path, rule.builder, rule.local_roots, rule.expiry) == (
        PathUse.LEAF,
        Builder.FIRST_ISSUER,
        LocalRoots.ENFORCE,
        None,
    )
    assert {p.kind for p in rule.pins} == {PinKind.RAW}


@pytest.mark.parametrize(("object_", "digest"), [("cert-sha256", CHAIN[0].sha256), ("spki-sha256", pin("leaf").digest)])
def test_fingerprint256_and_a_proper_key_digest_are_axes_of_ones_own(object_: str, digest: bytes) -> None:
    own = Custom("own", CustomMechanism(like="node", axes={"object": object_}))
    wanted = Pin(PinKind(object_), digest)
    given = spec(keys=(), certificates=(wanted,)) if wanted.kind.of_certificate else spec(keys=("leaf",))
    assert Scene().judge(own.rule(own.from_pinset(given), "example.com")).reason is Reason.PIN_MATCHED


def test_the_linked_chain_ignores_what_is_only_sent_along() -> None:
    """Walking `issuerCertificate` finds issuers; certificates sent beside the chain are none of them."""
    own = Custom("own", CustomMechanism(like="node", axes={"object": "spki-sha256", "path": "linked", "scope": "any"}))
    rule = own.rule(own.from_pinset(spec(keys=("root",))), "example.com")
    assert Scene().judge(rule).reason is Reason.PIN_MATCHED
    padded = Scene(sent=(*OTHER_CA, ICA, ROOT), roots=(ROOT, ROGUE_ROOT))
    assert padded.judge(rule).reason is Reason.PIN_MISMATCH


@pytest.mark.parametrize("text", ['[{"host": 1, "pins": []}]', '[{"host": "a.b"}]', "[1]", "{", "text"])
def test_what_is_no_such_file_is_an_input_error(text: str) -> None:
    with pytest.raises(InputError):
        read(NODE, text)


def test_a_pinset_of_authorities_alone_refuses_everything() -> None:
    """As in curl: only the leaf is compared, so a list of nothing is left."""
    assert reason(NODE, NODE.from_pinset(spec(keys=(), authorities=("root",)))) is Reason.PIN_MISMATCH
    assert not NODE.from_pinset(spec(keys=())).entries
