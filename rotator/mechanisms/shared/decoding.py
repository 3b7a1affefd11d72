"""Base64 as the decoders of three platforms read it; each gives None where its client reports an error."""

from __future__ import annotations

import base64
import binascii

_VALUES = {char: index for index, char in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}


def android(text: str) -> bytes | None:
    """Decode as `android.util.Base64` with default flags.

    Characters outside the alphabet are skipped, missing padding is accepted; a misplaced or a single `=`
    and a lone last character are errors.
    """
    state = value = 0
    out = bytearray()
    for char in text:
        if char == "=":
            if state not in (2, 3, 4):
                return None
            if state != 4:
                out += (value >> 4).to_bytes(1, "big") if state == 2 else (value >> 2).to_bytes(2, "big")
            state = 4 if state == 2 else 5
            continue
        digit = _VALUES.get(char)
        if digit is None:
            continue
        if state >= 4:
            return None
        value = digit if state == 0 else (value << 6) | digit
        state = (state + 1) % 4
        if state == 0:
            out += value.to_bytes(3, "big")
    if state in (1, 4):
        return None
    if state in (2, 3):
        out += (value >> 4).to_bytes(1, "big") if state == 2 else (value >> 2).to_bytes(2, "big")
    return bytes(out)


def okio(text: str) -> bytes | None:
    """Decode as Okio's `decodeBase64`.

    Trailing padding and white space go; standard and URL-safe characters are both read, white space inside is
    skipped; any other character and a lone last one are errors.
    """
    body = text.rstrip("=\n\r \t")
    digits = []
    for char in body:
        if char in "\n\r \t":
            continue
        digit = _VALUES.get({"-": "+", "_": "/"}.get(char, char))
        if digit is None:
            return None
        digits.append(digit)
    if len(digits) % 4 == 1:
        return None
    bits = "".join(f"{digit:06b}" for digit in digits)
    whole = len(bits) // 8
    return bytes(int(bits[8 * i : 8 * i + 8], 2) for i in range(whole))


def apple(text: str) -> bytes | None:
    """Decode as `NSData(base64Encoded:)` without options: padded standard base64 and nothing else."""
    if not text.isascii():
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
