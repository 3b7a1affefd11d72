"""Write a policy from nothing: tables in the usual order, one line for each thing, values by the TOML library."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rotator.errors import printable

_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(slots=True)
class Section:
    """One `[table]`: its header, its lines, and a comment above it.

    A line is a key and its value, with a comment behind it where there is something to say; dictionaries become
    inline tables, lists of dictionaries one line for each.
    """

    header: str
    lines: list[tuple[str, Any, str]] = field(default_factory=list)
    comment: str = ""

    def add(self, key: str, value: Any, comment: str = "") -> None:  # noqa: ANN401 - TOML values
        """Add a line; None is left out."""
        if value is not None:
            self.lines.append((key, value, comment))


def render(top: Sequence[tuple[str, Any]], sections: Iterable[Section], comment: str = "") -> str:
    """Write a whole policy; a section without lines is left out, unless it is nothing but a comment."""
    parts = [_comment(comment) + "".join(f"{key} = {inline(value)}\n" for key, value in top)]
    for section in sections:
        if section.lines or (section.comment and not section.header):
            body = "".join(_line(*line) for line in section.lines)
            header = f"[{section.header}]\n" if section.header else ""
            parts.append(f"{_comment(section.comment)}{header}{body}")
    return "\n".join(parts)


def table_name(*parts: str) -> str:
    """Write the name of a table, its parts quoted where they must be."""
    return ".".join(_key(part) for part in parts)


def inline(value: Any) -> str:  # noqa: ANN401 - TOML values
    """Write a value in one line."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {inline(entry)}" for key, entry in value.items() if entry is not None)
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(inline(entry) for entry in value) + "]"
    import tomli_w

    text = tomli_w.dumps({"v": value}).partition(" = ")[2].strip()
    return _escaped(text) if isinstance(value, str) else text


def _escaped(text: str) -> str:
    """Write what a terminal would obey, or would not show, as an escape of TOML, which means the same."""
    return "".join(
        char if printable(char) == char else f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
        for char in text
    )


def _line(key: str, value: Any, comment: str) -> str:  # noqa: ANN401 - TOML values
    tail = f"  # {_one_line(comment)}" if comment else ""
    if isinstance(value, list) and value and all(isinstance(entry, Mapping) for entry in value):
        rows = "".join(f"  {inline(entry)},\n" for entry in value)
        return f"{_key(key)} = [{tail}\n{rows}]\n"
    return f"{_key(key)} = {inline(value)}{tail}\n"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else inline(key)


def _comment(text: str) -> str:
    return "".join(f"# {_one_line(line)}\n" for line in text.splitlines())


def _one_line(text: str) -> str:
    return printable(text)
