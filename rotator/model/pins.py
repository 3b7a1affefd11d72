"""Pins: what a client compares with. Canonical text, and the pins that can never be anybody's key."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

CANONICAL = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")
"""A SHA-256 digest as every client accepts it: 44 characters whose last two spare bits are zero (RFC 4648, 3.5)."""


class PinKind(StrEnum):
    """The object a pin is a digest of."""

    SPKI_SHA256 = "spki-sha256"
    SPKI_SHA1 = "spki-sha1"
    SPKI_SHA512 = "spki-sha512"
    CERT_SHA256 = "cert-sha256"
    CERT_SHA1 = "cert-sha1"
    CERT_MD5 = "cert-md5"
    CERT_SHA512 = "cert-sha512"
    RAW = "raw"
    """SHA-256 of the key as some clients take it: the SubjectPublicKeyInfo for RSA, the bare point for curves."""

    @property
    def length(self) -> int:
        """Give the length of the digest in bytes."""
        return {"sha512": 64, "sha256": 32, "sha1": 20, "md5": 16}.get(self.rpartition("-")[2], 32)

    @property
    def of_certificate(self) -> bool:
        """Say whether the pin is on a whole certificate, which changes at every renewal."""
        return self.startswith("cert-")


@dataclass(frozen=True, slots=True, order=True)
class Pin:
    """One pin: the kind of object and its digest."""

    kind: PinKind
    digest: bytes

    @property
    def text(self) -> str:
        """Show the pin: `sha256/<canonical base64>` for keys, `cert-sha256:<hex>` for certificates."""
        if self.kind.of_certificate:
            return f"{self.kind}:{self.digest.hex()}"
        return f"{self.kind.partition('-')[2] or 'sha256'}/{b64(self.digest)}"


def spki_pin(digest: bytes) -> Pin:
    """Make a pin on a SubjectPublicKeyInfo from its SHA-256 (32 bytes) or SHA-1 (20 bytes)."""
    return Pin(PinKind.SPKI_SHA1 if len(digest) == 20 else PinKind.SPKI_SHA256, digest)


def b64(digest: bytes) -> str:
    """Give canonical, padded standard base64."""
    return base64.b64encode(digest).decode("ascii")


def is_canonical(text: str) -> bool:
    """Say whether a text is the one spelling of a SHA-256 digest that text-comparing clients match."""
    return CANONICAL.fullmatch(text) is not None


def decode_strict(text: str) -> bytes | None:
    """Decode padded standard base64 with nothing else in it; None when it is not that.

    Spare bits of the last character may be set, as every decoder at hand allows.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def parse_spki(text: str) -> Pin | None:
    """Read `sha256/<base64>` or `sha1/<base64>` of a policy file; None when it is not a whole digest."""
    kind, _, body = text.partition("/")
    digest = decode_strict(body)
    if digest is None or {"sha256": 32, "sha1": 20}.get(kind) != len(digest):
        return None
    return spki_pin(digest)


_EMPTY_DIGESTS = {
    hashlib.sha256(data).digest(): what
    for data, what in ((b"", "nothing at all"), (b"\n", "a single line feed"), (b"\r\n", "an empty line"))
}


def junk_reason(digest: bytes) -> str | None:
    """Say why a digest cannot be that of any key, or None when nothing speaks against it.

    Looks for the SHA-256 of empty input (a pipeline whose first command failed), bytes or base64 text that
    repeat, and readable words: a digest of a real key is none of these except by a chance below 2^-100.
    """
    if digest in _EMPTY_DIGESTS:
        return f"it is the SHA-256 of {_EMPTY_DIGESTS[digest]}"
    if digest and len(set(digest)) <= 2:
        return "its bytes repeat"
    text = b64(digest).rstrip("=")
    if text and max(text.count(char) for char in set(text)) >= len(text) - 4:
        return f"its text repeats {text[0]!r}"
    body = text[:-1]  # the last character lost its spare bits when the text that was typed was decoded
    for period in (2, 3, 4, 5, 6, 8, 10):
        if len(body) > 3 * period and body == (body[:period] * len(body))[: len(body)]:
            return f"its text repeats {text[:period]!r}"
    if _RUN.search(text):
        return "its text is the alphabet"
    if digest and all(32 <= byte < 127 for byte in digest):
        return "its bytes are readable text"
    return None


_RUN = re.compile(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ|abcdefghijklmnopqrstuvwxyz|ABCDEFGHIJKLMNOP|abcdefghijklmnop|0123456789012345"
)
