"""Change the pins inside the value of a `Public-Key-Pins` header; every other directive stays as it is written."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rotator.model.pins import Pin, decode_strict, is_canonical, spki_pin

_SEGMENT = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|[^;])*""")


def changed(value: str, pins: Sequence[Pin], *, max_age: int | None, subdomains: bool) -> str:
    """Give the value with other pins.

    Args:
        value: the value as it stands.
        pins: the pins it shall have.
        max_age: the seconds it shall say; None leaves them, or what is there of them, alone.
        subdomains: whether it shall include subdomains.
    """
    left = {pin: f'pin-sha256="{pin.text[7:]}"' for pin in pins}
    segments: list[str] = []
    at: int | None = None
    ages = 0
    for segment in _segments(value):
        name, _, text = segment.partition("=")
        name = name.strip().lower()
        if name == "pin-sha256":
            at = len(segments) if at is None else at
            pin = _pin(text)
            if pin is None or left.pop(pin, None) is None:
                continue
            at = len(segments) + 1
        elif name == "max-age":
            ages += 1
            if max_age is not None and (ages > 1 or text.strip().strip('"') != str(max_age)):
                if ages > 1:
                    continue
                segments.append(f"{segment[: len(segment) - len(segment.lstrip())]}max-age={max_age}")
                continue
        elif name == "includesubdomains":
            if not subdomains:
                continue
            subdomains = False
        segments.append(segment)
    if max_age is not None and not ages:
        segments.insert(0, f"max-age={max_age}")
        at = None if at is None else at + 1
    at = len(segments) if at is None else at
    segments[at:at] = [f" {text}" for text in left.values()]
    if subdomains:
        segments.append(" includeSubDomains")
    return ";".join(segments).strip()


def _segments(value: str) -> list[str]:
    found: list[str] = []
    at = 0
    while at <= len(value):
        match = _SEGMENT.match(value, at)
        end = match.end() if match is not None else len(value)
        found.append(value[at:end])
        at = end + 1
    return [segment for segment in found if segment.strip()]


def _pin(text: str) -> Pin | None:
    body = text.strip().strip('"')
    digest = decode_strict(body) if is_canonical(body) else None
    return spki_pin(digest) if digest is not None else None
