"""Pins: the one spelling, and what is nobody's key."""

from __future__ import annotations

import base64
import hashlib

import pytest

from rotator.model.pins import Pin, PinKind, b64, decode_strict, is_canonical, junk_reason, parse_spki, spki_pin

DIGEST = hashlib.sha256(b"a key").digest()
TEXT = base64.b64encode(DIGEST).decode()


def test_every_digest_has_exactly_one_canonical_spelling() -> None:
    """Of the 64 last characters that decode to 32 bytes with spare bits, 16 are canonical."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    good = [char for char in alphabet if is_canonical(TEXT[:42] + char + "=")]
    assert "".join(sorted(good)) == "".join(sorted("AEIMQUYcgkosw048"))
    assert all(b64(base64.b64decode(TEXT[:42] + char + "=")) == TEXT[:42] + char + "=" for char in good)


@pytest.mark.parametrize(
    "text",
    [
        TEXT[:-1],
        TEXT + "=",
        TEXT[:-1] + "A",
        " " + TEXT,
        TEXT + "\n",
        TEXT.replace("=", ""),
        "-" + TEXT[1:],
        "sha256/" + TEXT,
        "",
    ],
)
def test_any_other_spelling_is_not_canonical(text: str) -> None:
    assert not is_canonical(text)


@pytest.mark.parametrize(
    ("digest", "word"),
    [
        (bytes(32), "repeat"),
        (b"\xff" * 32, "repeat"),
        (b"\x00\xff" * 16, "repeat"),
        (base64.b64decode("B" * 43 + "="), "repeat"),
        (base64.b64decode("BBBB" * 10 + "BBA="), "repeats"),
        (base64.b64decode("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="), "repeat"),
        (base64.b64decode("YWJj" * 10 + "YWI="), "repeats"),
        (base64.b64decode("deadbeef" * 5 + "dea="), "repeats"),
        (base64.b64decode("xyzzy" * 8 + "xyw="), "repeats"),
        (hashlib.sha256(b"").digest(), "nothing at all"),
        (hashlib.sha256(b"\n").digest(), "line feed"),
        (hashlib.sha256(b"\r\n").digest(), "empty line"),
        (base64.b64decode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopo="), "alphabet"),
        (b"this-is-a-placeholder-not-a-hash", "readable"),
    ],
)
def test_digests_that_are_no_keys_are_told_with_the_reason(digest: bytes, word: str) -> None:
    assert len(digest) == 32
    assert word in (junk_reason(digest) or "")


def test_real_digests_are_not_called_junk() -> None:
    digests = [hashlib.sha256(f"key {number}".encode()).digest() for number in range(2000)]
    assert [digest for digest in digests if junk_reason(digest) is not None] == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"sha256/{TEXT}", PinKind.SPKI_SHA256),
        (f"sha1/{base64.b64encode(bytes(range(20))).decode()}", PinKind.SPKI_SHA1),
    ],
)
def test_a_pin_of_the_policy_file_is_read_and_shown_the_same(text: str, kind: PinKind) -> None:
    pin = parse_spki(text)
    assert pin is not None
    assert pin.kind is kind
    assert pin.text == text


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"sha256//{TEXT}",
        f"sha512/{TEXT}",
        f"sha1/{TEXT}",
        f"sha256/{TEXT[:-1]}",
        f"sha256/{TEXT[:20]}====",
        "sha256/",
        "sha256/" + base64.b64encode(bytes(31)).decode(),
        f"sha256/{TEXT} ",
        f"SHA256/{TEXT}",
    ],
)
def test_what_is_no_whole_digest_is_no_pin(text: str) -> None:
    assert parse_spki(text) is None


def test_strict_decoding_allows_spare_bits_and_nothing_else() -> None:
    spare = TEXT[:42] + "l" + "="
    assert decode_strict(spare) is not None
    assert decode_strict(TEXT[:-1]) is None
    assert decode_strict(TEXT[:20] + "\n" + TEXT[20:]) is None
    assert decode_strict("café") is None


def test_kinds_know_their_length_and_whether_a_renewal_changes_them() -> None:
    assert [kind.length for kind in PinKind] == [32, 20, 64, 32, 20, 16, 64, 32]
    assert [kind for kind in PinKind if kind.of_certificate] == [
        PinKind.CERT_SHA256,
        PinKind.CERT_SHA1,
        PinKind.CERT_MD5,
        PinKind.CERT_SHA512,
    ]


def test_a_certificate_pin_is_shown_as_hex() -> None:
    assert Pin(PinKind.CERT_SHA256, b"\x01\xab" * 16).text == "cert-sha256:" + "01ab" * 16
    assert spki_pin(bytes(20)).kind is PinKind.SPKI_SHA1
