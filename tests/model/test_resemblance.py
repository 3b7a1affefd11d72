"""Pins get the names of the keys they are of, and wrong ones that of the key they nearly are of."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.model.pins import Pin, PinKind, b64, spki_pin
from rotator.model.resemblance import KnownKey, KnownKeys
from tests.minting import mint, pin, root, values

OURS = mint("leaf", root("top"), key_name="ours")
(CERTIFICATE,) = values(OURS)
KNOWN = KnownKeys([KnownKey.of(CERTIFICATE, "ours"), KnownKey(name="other", spki=pin("other").digest, ca=True)])
RIGHT = b64(CERTIFICATE.spki)


def changed(text: str, *places: int) -> str:
    """Change characters of a text."""
    letters = list(text)
    for place in places:
        letters[place] = "A" if letters[place] != "A" else "B"
    return "".join(letters)


def test_a_key_is_known_by_every_digest_of_it_and_of_its_certificate() -> None:
    digests = {
        PinKind.SPKI_SHA256: CERTIFICATE.spki,
        PinKind.SPKI_SHA1: CERTIFICATE.spki_sha1,
        PinKind.CERT_SHA256: CERTIFICATE.sha256,
        PinKind.CERT_SHA1: CERTIFICATE.sha1,
    }
    for kind, digest in digests.items():
        found = KNOWN.find(Pin(kind, digest))
        assert found is not None
        assert found.name == "ours", kind
    assert KNOWN.find(pin("nobody")) is None


def test_of_two_names_for_a_key_the_first_counts() -> None:
    both = KnownKeys([KnownKey(name="first", spki=bytes(32)), KnownKey(name="second", spki=bytes(32))])
    found = both.find(spki_pin(bytes(32)))
    assert found is not None
    assert found.name == "first"


@pytest.mark.parametrize(
    ("digest", "how"),
    [
        (CERTIFICATE.sha256, "the hash of its whole certificate"),
        (CERTIFICATE.raw, "the hash of its bare curve point"),
        (base64.b64decode(changed(RIGHT, 20)), "1 character differs"),
        (base64.b64decode(changed(RIGHT, 5, 11, 30)), "3 characters differ"),
        (base64.b64decode(RIGHT.swapcase()[:43] + "="), "letters differ in case"),
        (base64.b64decode(RIGHT[:10] + "x" * 33 + "="), "the first 10 characters are the same"),
    ],
)
def test_a_pin_one_slip_away_is_called_that(digest: bytes, how: str) -> None:
    slip = KNOWN.slip(spki_pin(digest))
    assert slip is not None
    assert (slip.name, slip.right) == ("ours", spki_pin(CERTIFICATE.spki))
    assert how in slip.how


@pytest.mark.parametrize(
    ("text", "how"),
    [
        (RIGHT.rstrip("="), "padding"),
        (RIGHT + "=", "padding"),
        (f"sha-256:{RIGHT}", "spelling"),
        (f"'sha256/{RIGHT}'", "spelling"),
        (RIGHT.lower(), "letters differ in case"),
        (f"{RIGHT};", "something stands behind it"),
        (changed(RIGHT, 42), "1 character differs"),
        (RIGHT[:7] + RIGHT[8:], "1 character"),
        (CERTIFICATE.spki.hex(), "hexadecimal"),
        (":".join(f"{byte:02X}" for byte in CERTIFICATE.spki), "hexadecimal"),
        (CERTIFICATE.sha256.hex(), "the hash of its whole certificate"),
    ],
)
def test_a_text_that_is_no_pin_is_read_for_what_was_meant(text: str, how: str) -> None:
    slip = KNOWN.slip_of_text(text)
    assert slip is not None
    assert slip.name == "ours"
    assert how in slip.how


def test_the_url_safe_alphabet_is_told() -> None:
    digest = next(d for n in range(999) if "+" in b64(d := hashlib.sha256(bytes([n % 256, n // 256])).digest()))
    known = KnownKeys([KnownKey(name="k", spki=digest)])
    slip = known.slip_of_text(base64.urlsafe_b64encode(digest).decode())
    assert slip is not None
    assert slip.how == "the URL-safe alphabet is used"


def test_a_right_pin_a_junk_one_and_a_certificate_pin_are_no_slips() -> None:
    assert KNOWN.slip(spki_pin(CERTIFICATE.spki)) is None
    assert KNOWN.slip(spki_pin(bytes(32))) is None
    assert KNOWN.slip(Pin(PinKind.CERT_SHA256, bytes(range(32)))) is None


@given(st.binary(min_size=32, max_size=32))
def test_a_pin_of_somebody_else_resembles_nothing(digest: bytes) -> None:
    """A digest at random shares neither eight first characters nor all but four with another, but once in 2^48."""
    assert KNOWN.slip(spki_pin(hashlib.sha256(digest).digest())) is None


@given(st.text(max_size=80))
def test_no_text_is_too_odd_to_ask_about(text: str) -> None:
    slip = KNOWN.slip_of_text(text)
    assert slip is None or slip.name in ("ours", "other")
