"""What a table of lines is made of: columns, lines, lines that are made late, and cells cut to fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import overload

from rotator.errors import printable
from rotator.report.text import cells, pad

KEPT = 2_000
"""Lines that are kept once they were made."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, whether it holds numbers, and when it gives way.

    `give` columns shrink where the screen is narrow, the right-most first, down to `least` cells; a column with
    `drop` goes away before anything shrinks below its least.
    """

    title: str
    right: bool = False
    give: bool = False
    least: int = 6
    drop: int = 0


Parts = tuple[tuple[str, str], ...]
"""A text in parts, each with the name of a style."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row: its cells, and the name of the style of its first cell.

    `parts` gives some of the cells once more, by their number, in parts with styles of their own; no part is cut, so
    such a column must have room.
    """

    cells: tuple[str, ...]
    style: str = ""
    strong: bool = False
    parts: tuple[tuple[int, Parts], ...] = ()


class Lines(Sequence[Line]):
    """Lines that are made as they are looked at: what makes a table of a hundred thousand as quick as one of ten."""

    def __init__(self, count: int, make: Callable[[int], Line]) -> None:
        """Keep how many there are, and how one is made."""
        self._count, self._make = count, make
        self._made: dict[int, Line] = {}

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Line: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Line]: ...

    def __getitem__(self, index: int | slice) -> Line | Sequence[Line]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        place = index % self._count
        if place not in self._made:
            if len(self._made) > KEPT:
                self._made.clear()
            self._made[place] = self._make(place)
        return self._made[place]


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Cut or fill a text to a number of cells; what is cut ends in `~`, and nothing in it is left that is obeyed."""
    text = printable(text)
    if cells(text) <= width:
        return pad(text, width, right=right)
    while text and cells(text) > width - 1:
        text = text[:-1]
    return pad(text + "~", width)
