"""Change a file by cutting out and putting in: every byte that is not touched stays as it was."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_REST = re.compile(rb"[ \t]*(?:<!--(?:(?!-->).)*-->[ \t]*)*(?=\r?\n)", re.DOTALL)
"""What may follow an element on its line: comments."""


@dataclass(slots=True)
class Splices:
    """Edits to a file, made all at once; they must not overlap."""

    data: bytes
    edits: list[tuple[int, int, bytes]] = field(default_factory=list)

    def replace(self, start: int, end: int, new: bytes) -> None:
        """Put bytes in the place of others."""
        self.edits.append((start, end, new))

    def insert(self, at: int, new: bytes) -> None:
        """Put bytes in."""
        self.edits.append((at, at, new))

    def remove_lines(self, start: int, end: int) -> bool:
        """Take an element out, with the rest of its line where it stands alone on it; say whether it does."""
        begin = start
        while begin > 0 and self.data[begin - 1 : begin] in (b" ", b"\t"):
            begin -= 1
        after = end
        while after < len(self.data) and self.data[after : after + 1] in (b" ", b"\t", b"\r"):
            after += 1
        alone = begin == 0 or self.data[begin - 1 : begin] == b"\n"
        alone = alone and self.data[after : after + 1] == b"\n"
        self.edits.append((begin, after + 1, b"") if alone else (start, end, b""))
        return alone

    def result(self) -> bytes:
        """Give the file with every edit made."""
        out = bytearray()
        at = 0
        for start, end, new in sorted(self.edits, key=lambda edit: (edit[0], edit[1])):
            out += self.data[at:start] + new
            at = max(at, end)
        return bytes(out + self.data[at:])


def change_elements(
    splices: Splices,
    elements: Sequence[tuple[int, int]],
    keep: Sequence[bool],
    fresh: Sequence[str],
    inside: int,
    pad: str,
) -> None:
    """Take elements of a list out and put others in behind the last one; comments stay where they are.

    Args:
        splices: the edits to the file, XML.
        elements: where each element of the list begins and ends, in their order.
        keep: which of them stay.
        fresh: the new ones.
        inside: where the list begins, for one without elements.
        pad: the indentation of an element.
    """
    data, newline = splices.data, newline_of(splices.data).decode()
    alone = False
    for (start, end), stays in zip(elements, keep, strict=True):
        if not stays:
            alone = splices.remove_lines(start, end)
    if not fresh:
        return
    at = inside
    if elements:
        rest = _REST.match(data, elements[-1][1])
        at = rest.end() if rest is not None else elements[-1][1]
    lines = [f"{newline}{pad}{text}" for text in fresh]
    if elements and not keep[-1] and alone:
        lines = [line.removeprefix(newline) + newline for line in lines]
        at = data.find(b"\n", at) + 1 or at
    splices.insert(at, "".join(lines).encode())


def newline_of(data: bytes) -> bytes:
    """Give the line ending a file uses."""
    return b"\r\n" if b"\r\n" in data else b"\n"


def indent_of(data: bytes, at: int) -> bytes:
    """Give the white space in front of a position, if nothing else stands before it on its line."""
    begin = data.rfind(b"\n", 0, at) + 1
    head = data[begin:at]
    return head if not head.strip() else b""
