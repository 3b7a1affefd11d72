"""Steps over DER as it was encoded, where a parser would give it encoded anew."""

from __future__ import annotations


def spki_of(tbs: bytes) -> bytes:
    """Cut the SubjectPublicKeyInfo out of a certificate's signed part (TBSCertificate), as it was encoded.

    Pins are digests of these bytes. `cryptography` gives the key only re-encoded, which differs for odd
    encodings, and not at all for key types it does not know; so the eight fields before it are stepped over.
    """
    at, _ = contents(tbs, 0)
    if tbs[at] == 0xA0:
        at = _end(tbs, at)
    for _field in ("serial", "signature", "issuer", "validity", "subject"):
        at = _end(tbs, at)
    return tbs[at : _end(tbs, at)]


def contents(data: bytes, at: int) -> tuple[int, int]:
    """Give the bounds of the contents of the DER element at a position."""
    length = data[at + 1]
    start = at + 2
    if length >= 0x80:
        size = length & 0x7F
        length = int.from_bytes(data[start : start + size], "big")
        start += size
    return start, start + length


def _end(data: bytes, at: int) -> int:
    return contents(data, at)[1]
