"""Whose key a pin is, and whose it nearly is: most wrong pins are one slip of hand or of tool away from a right one."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from rotator.model.pins import Pin, PinKind, b64, junk_reason, spki_pin
from rotator.model.pki import Certificate

_PREFIX = 8
"""Two digests have that many first characters in common by chance once in 2^48."""
_WHOLE = 42
"""Characters of a SHA-256 before the last one, whose spare bits get lost."""
_FEW = 4
"""Most characters that differ for it to be called a slip: of 43, two digests have one or two in common by chance."""
_HEX = re.compile(r"[0-9A-Fa-f]{40,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A key somebody has a name for.

    Attributes:
        name: what people call it.
        spki: SHA-256 of its SubjectPublicKeyInfo.
        spki_sha1: the same by SHA-1; empty when not known.
        raw: SHA-256 of the bare point of an elliptic curve; empty for other keys.
        certificates: digests of certificates of the key, by SHA-256 and SHA-1.
        ca: whether it is the key of a CA.
    """

    name: str
    spki: bytes
    spki_sha1: bytes = b""
    raw: bytes = b""
    certificates: tuple[bytes, ...] = ()
    ca: bool = False

    @classmethod
    def of(cls, certificate: Certificate, name: str = "") -> KnownKey:
        """Give the key of a certificate."""
        return cls(
            name=name or certificate.label,
            spki=certificate.spki,
            spki_sha1=certificate.spki_sha1,
            raw=certificate.raw,
            certificates=tuple(digest for digest in (certificate.sha256, certificate.sha1) if digest),
            ca=certificate.ca,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """What a pin nearly is: the key's name, its right pin, and what went wrong in words."""

    name: str
    right: Pin
    how: str


@dataclass
class KnownKeys:
    """Keys to look pins up in.

    Attributes:
        keys: the keys; where one is given twice, its first name counts.
    """

    keys: Iterable[KnownKey] = ()
    _named: dict[Pin, KnownKey] = field(default_factory=dict, init=False)
    _other: dict[bytes, tuple[KnownKey, str]] = field(default_factory=dict, init=False)
    _texts: dict[str, KnownKey] = field(default_factory=dict, init=False)
    _folded: dict[str, str] = field(default_factory=dict, init=False)
    _heads: dict[str, str] = field(default_factory=dict, init=False)
    _parts: dict[tuple[int, str], list[str]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for key in self.keys:
            self.add(key)

    def add(self, key: KnownKey) -> None:
        """Know one more key."""
        self._named.setdefault(spki_pin(key.spki), key)
        if key.spki_sha1:
            self._named.setdefault(spki_pin(key.spki_sha1), key)
        for digest in key.certificates:
            kind = {32: PinKind.CERT_SHA256, 20: PinKind.CERT_SHA1}[len(digest)]
            self._named.setdefault(Pin(kind, digest), key)
            self._other.setdefault(digest, (key, "the hash of its whole certificate instead of its key"))
        if key.raw:
            self._other.setdefault(key.raw, (key, "the hash of its bare curve point instead of its public key info"))
        text = b64(key.spki).rstrip("=")
        if text not in self._texts:
            for part in _parts(text):
                self._parts.setdefault(part, []).append(text)
        self._texts.setdefault(text, key)
        self._folded.setdefault(text[:_WHOLE].casefold(), text)
        self._heads.setdefault(text[:_PREFIX], text)

    def find(self, pin: Pin) -> KnownKey | None:
        """Give the key of a pin on it or on a certificate of it; None when nobody has named it."""
        return self._named.get(pin)

    def slip(self, pin: Pin) -> Slip | None:
        """Say which known key a pin on a key is one slip away from; None when it is known itself, or of none."""
        if pin in self._named or pin.kind.of_certificate or junk_reason(pin.digest) is not None:
            return None
        return self._slip_of(pin.digest, b64(pin.digest))

    def slip_of_text(self, text: str) -> Slip | None:
        """Say which known key a text that is no pin at all was meant to be."""
        body = re.sub(r"\s+", "", text.strip().strip("\"'"))
        body = re.sub(r"^(pin-)?sha-?(1|256)[/=:]+", "", body, flags=re.IGNORECASE)
        bare = body.replace(":", "")
        if _HEX.fullmatch(bare):
            digest = bytes.fromhex(bare) if len(bare) % 2 == 0 else b""
            named = self._named.get(spki_pin(digest)) if len(digest) == 32 else None
            if named is not None:
                return Slip(name=named.name, right=spki_pin(digest), how="its hash in hexadecimal instead of base64")
            return self._slip_of(digest, "")
        plain = body.replace("-", "+").replace("_", "/").rstrip("=")
        key = self._texts.get(plain)
        if key is not None:
            how = "the URL-safe alphabet is used" if plain != body.rstrip("=") else "its padding or spelling is wrong"
            return Slip(name=key.name, right=spki_pin(key.spki), how=how)
        if plain[: _WHOLE + 1] in self._texts:
            return self._told(plain[: _WHOLE + 1], "something stands behind it")
        try:
            digest = base64.b64decode(plain + "=" * (-len(plain) % 4))
        except (binascii.Error, ValueError):
            digest = b""
        return self._slip_of(digest, plain)

    def _slip_of(self, digest: bytes, text: str) -> Slip | None:
        found = self._other.get(digest) if digest else None
        if found is not None:
            key, how = found
            return Slip(name=key.name, right=spki_pin(key.spki), how=how)
        text = text.rstrip("=")
        if len(text) < 2 * _PREFIX:
            return None
        near = self._folded.get(text[:_WHOLE].casefold()) if len(text) > _WHOLE else None
        if near is not None and near[:_WHOLE] != text[:_WHOLE]:
            return self._told(near, "letters differ in case")
        for known in dict.fromkeys(known for part in _parts(text) for known in self._parts.get(part, ())):
            count = _differences(text, known)
            if count is not None:
                return self._told(known, f"{count} character{'s differ' if count > 1 else ' differs'}")
        head = self._heads.get(text[:_PREFIX])
        if head is not None:
            same = next((i for i, (a, b) in enumerate(zip(text, head, strict=False)) if a != b), _PREFIX)
            return self._told(head, f"the first {same} characters are the same, the rest is not")
        return None

    def _told(self, text: str, how: str) -> Slip:
        key = self._texts[text]
        return Slip(name=key.name, right=spki_pin(key.spki), how=how)


def _parts(text: str) -> list[tuple[int, str]]:
    """Cut a text into one part more than may differ, and its end: two that are near share at least one of them."""
    size = len(b64(bytes(32)).rstrip("=")) // (_FEW + 1)
    return [(at, text[at * size : (at + 1) * size]) for at in range(_FEW + 1)] + [(-1, text[-size:])]


def _differences(one: str, other: str) -> int | None:
    """Count the characters in which two texts differ, lost or added ones too; None when they are too many."""
    if abs(len(one) - len(other)) > _FEW:
        return None
    if len(one) == len(other):
        count = 0
        for a, b in zip(one, other, strict=True):
            count += a != b
            if count > _FEW:
                break
        else:
            return count or None
    head = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    left = min(len(one), len(other)) - head
    tail = next((i for i in range(left) if one[-1 - i] != other[-1 - i]), left)
    count = max(len(one), len(other)) - head - tail
    return count if 0 < count <= _FEW else None
