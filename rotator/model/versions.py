"""Versions: finding one in the name of a tag or a file, and putting them in order."""

from __future__ import annotations

import re

_START = re.compile(r"(?:(?<=[/_@ -])|^)[vVrR]?(?=\d)")
_DOTTED = re.compile(r"\d+\.\d")
_PART = re.compile(r"\d+|[A-Za-z]+")
_TAIL = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]*")


def version_in(name: str) -> tuple[str, str] | None:
    """Find the version in the name of a tag: `v7.2.0`, `release/7.2`, `app-7.2.0-rc1`.

    Returns:
        What stands before it, and the version with everything behind it; None where there is no number. A number with
        a dot in it goes before one without.
    """
    starts = [match for match in _START.finditer(name) if _TAIL.fullmatch(name[match.end() :])]
    if not starts:
        return None
    best = next((match for match in starts if _DOTTED.match(name[match.end() :])), starts[0])
    return name[: best.end()], name[best.end() :]


def order(version: str) -> tuple[tuple[int, int, str], ...]:
    """Give what sorts versions: numbers as numbers, and a word (`rc1`) before the version it leads to."""
    parts = [(1, int(part), "") if part.isdigit() else (-1, 0, part.lower()) for part in _PART.findall(version)]
    numbers = next((at for at, part in enumerate(parts) if part[0] < 0), len(parts))
    kept = numbers
    while kept and parts[kept - 1] == (1, 0, ""):
        kept -= 1
    return (*parts[:kept], *parts[numbers:], (0, 0, ""))
