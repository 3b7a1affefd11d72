"""Where a value stands in a file, and the problems found on the way."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from rotator.errors import Problem

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
Json = dict[str, Any]
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class SkipError(Exception):
    """A value that could not be read; its problem is already recorded."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file a value stands, and what is known there.

    Attributes:
        file: the file as the user named it.
        base: the folder that paths in the file start from.
        path: the TOML path.
        problems: where problems are collected.
        known: names that references may use, by kind.
        chain_files: PEM paths that stand where a chain name could, by the text written.
        parts: the keys and indices from the root of the document to here.
        paths: every path of a file that was read, as it is written, by its parts.
    """

    file: str
    base: str
    path: str = ""
    problems: list[Problem] = field(default_factory=list)
    known: Mapping[str, frozenset[str]] = field(default_factory=dict)
    chain_files: dict[str, str] = field(default_factory=dict)
    parts: tuple[str | int, ...] = ()
    paths: dict[tuple[str | int, ...], str] = field(default_factory=dict)

    def child(self, key: str) -> Place:
        """Go to a key of a table."""
        shown = key if _BARE.fullmatch(key) else '"' + key.replace('"', '\\"') + '"'
        return self._at(f"{self.path}.{shown}" if self.path else shown, key)

    def item(self, index: int) -> Place:
        """Go to an item of an array."""
        return self._at(f"{self.path}[{index}]", index)

    def _at(self, path: str, part: str | int) -> Place:
        # Written out: a policy of a thousand releases makes ten thousand of these.
        return Place(
            self.file,
            self.base,
            path,
            self.problems,
            self.known,
            self.chain_files,
            (*self.parts, part),
            self.paths,
        )

    def report(self, message: str, *, value: object = None, expected: str = "", hint: str = "") -> None:
        """Record a problem at this place."""
        self.problems.append(
            Problem(message, file=self.file, path=self.path, value=value, expected=expected, hint=hint)
        )

    def fail(self, message: str, *, value: object = None, expected: str = "", hint: str = "") -> SkipError:
        """Record a problem and give the exception that leaves the value out."""
        self.report(message, value=value, expected=expected, hint=hint)
        return SkipError()

    def resolve(self, path: str) -> str:
        """Make a path of the file absolute, and remember where it stands."""
        self.paths[self.parts] = path
        return os.path.normpath(os.path.join(self.base, os.path.expanduser(path)))  # noqa: PTH111, PTH118


def shown(value: object) -> str:
    """Show a TOML value as it would be written."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "an array"
    return repr(value) if isinstance(value, str) else str(value)
