"""Property lists, XML and binary, as plain values; and the plist XML that Rotator writes."""

from __future__ import annotations

import plistlib
from collections.abc import Mapping, Sequence
from typing import Any

from rotator.errors import InputError, Problem
from rotator.mechanisms.shared import xmltree
from rotator.mechanisms.shared.xmltree import escape
from rotator.model.names import Cover, Reach

MAX_DEPTH = 64
MAX_VALUES = 200_000


def load(data: bytes, subject: str) -> dict[str, Any]:
    """Read a property list whose root is a dictionary.

    Raises:
        InputError: it is not a property list, not a dictionary, or nested absurdly deep.
    """
    expected = "a property list whose root is a dictionary"
    if not data.startswith(b"bplist"):
        try:
            xmltree.parse(data, expected)  # bounds the nesting before plistlib walks it
        except InputError as error:
            problems = [
                Problem(p.message, file=subject, expected=p.expected, hint="the app does not build with this file")
                for p in error.problems
            ]
            raise InputError(problems) from None
    try:
        root = plistlib.loads(data)
        _measure(root)
    except Exception as error:  # noqa: BLE001 - a broken binary list provokes many kinds, none of them documented
        reason = str(error).strip() or type(error).__name__
        raise InputError(
            Problem(f"is not a readable property list: {reason}", file=subject, expected=expected)
        ) from None
    if not isinstance(root, dict):
        raise InputError(Problem("the root is not a dictionary", file=subject, expected=expected))
    return root


def _measure(value: object, depth: int = 0, left: list[int] | None = None) -> None:
    """Refuse what is nested too deep or, as a binary list can be, larger than its file by naming parts again."""
    left = [MAX_VALUES] if left is None else left
    left[0] -= 1
    if depth > MAX_DEPTH or left[0] < 0:
        raise ValueError("nested too deep or too large")
    if isinstance(value, dict):
        for key, entry in value.items():
            if not isinstance(key, str):
                raise TypeError("a key is not a text")
            _measure(entry, depth + 1, left)
    elif isinstance(value, list):
        for entry in value:
            _measure(entry, depth + 1, left)


def find_key(value: object, key: str, path: str = "") -> list[tuple[str, object]]:
    """Find a key anywhere in a property list: pairs of its path and its value, outermost first."""
    found = []
    if isinstance(value, dict):
        for name, entry in value.items():
            where = f"{path}/{name}" if path else str(name)
            if name == key:
                found.append((where, entry))
            found += find_key(entry, key, where)
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            found += find_key(entry, key, f"{path}[{index}]")
    return found


def cleartext(security: object) -> tuple[tuple[Cover | None, bool | None], ...]:
    """Give what `NSAppTransportSecurity` says of loads without TLS, everywhere (None) and by domain.

    A domain under `NSExceptionDomains` is exempt from what holds for all others: it refuses unless it says otherwise.
    """
    if not isinstance(security, dict):
        return ()
    everywhere = security.get("NSAllowsArbitraryLoads") is True
    found: list[tuple[Cover | None, bool | None]] = [(None, True)] if everywhere else []
    domains = security.get("NSExceptionDomains")
    for name, value in domains.items() if isinstance(domains, dict) else ():
        if isinstance(value, dict):
            allowed = value.get("NSExceptionAllowsInsecureHTTPLoads") is True
            deep = value.get("NSIncludesSubdomains") is True
            if allowed or everywhere:
                found.append((Cover(name.lower(), Reach.ALL if deep else Reach.EXACT), allowed))
    return tuple(found)


def dump(root: Mapping[str, Any]) -> bytes:
    """Write a property list as XML, keys in the order given, tabs as Xcode writes them."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
        '<plist version="1.0">',
        *lines_of(root, 0),
        "</plist>",
    ]
    return ("\n".join(lines) + "\n").encode()


def lines_of(value: object, depth: int) -> list[str]:
    """Give the lines of one value at a depth of indentation."""
    pad = "\t" * depth
    if isinstance(value, bool):
        return [f"{pad}<{str(value).lower()}/>"]
    if isinstance(value, str):
        return [f"{pad}<string>{escape(value)}</string>"]
    if isinstance(value, Mapping):
        if not value:
            return [f"{pad}<dict/>"]
        lines = [f"{pad}<dict>"]
        for key, entry in value.items():
            lines += [f"{pad}\t<key>{escape(key)}</key>", *lines_of(entry, depth + 1)]
        return [*lines, f"{pad}</dict>"]
    if isinstance(value, Sequence):
        inner = [line for entry in value for line in lines_of(entry, depth + 1)]
        return [f"{pad}<array>", *inner, f"{pad}</array>"] if inner else [f"{pad}<array/>"]
    return [f"{pad}<integer>{value}</integer>"]
