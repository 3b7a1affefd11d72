"""Edits to a policy as values: a place and what is to stand there. Named edits make up the history of a session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

Plain: TypeAlias = "str | int | float | bool | date | list[Plain] | dict[str, Plain]"
Part: TypeAlias = "str | int"


@dataclass(frozen=True)
class SetValue:
    """Put a value at a place, which is made where it does not exist; `inline` writes a new table in one line."""

    path: tuple[Part, ...]
    value: Plain
    inline: bool = False

    @property
    def where(self) -> str:
        """Show the place."""
        return _show(self.path)


@dataclass(frozen=True)
class Remove:
    """Take away what stands at a place."""

    path: tuple[Part, ...]

    @property
    def where(self) -> str:
        """Show the place."""
        return _show(self.path)


@dataclass(frozen=True)
class Insert:
    """Put a value into an array, before the item that stands at the index the path ends with."""

    path: tuple[Part, ...]
    value: Plain

    @property
    def where(self) -> str:
        """Show the place."""
        return _show(self.path)


Edit: TypeAlias = SetValue | Remove | Insert


@dataclass(frozen=True)
class Change:
    """Some edits that belong together, under the name the history shows."""

    title: str
    edits: tuple[Edit, ...]


def _show(path: tuple[Part, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
