"""Shares over time in text cells, in Unicode and in ASCII: for screens and for text alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rotator.report.document import percent
from rotator.report.text import cells, pad

EIGHTHS = " ▁▂▃▄▅▆▇█"
ASCII_STEPS = " .:#"
LEFT = 8
"""Cells of the scale on the left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One thing over time.

    Attributes:
        name: a word for it.
        style: the name of its style, that of a verdict or "".
        values: a share for each column of time, from 0 to 1; None where it is not known.
        assumed: it stands on what nobody measured; its name says so.
    """

    name: str
    style: str
    values: tuple[float | None, ...]
    assumed: bool = False


def columns(values: Sequence[float | None], width: int) -> list[float | None]:
    """Give a value for each cell of a width: the highest of those that fall into it, as bad news counts."""
    if not values or width < 1:
        return []
    found: list[float | None] = []
    for cell in range(width):
        begin = cell * len(values) // width
        end = max(begin + 1, (cell + 1) * len(values) // width)
        own = [value for value in values[begin:end] if value is not None]
        found.append(max(own) if own else None)
    return found


def area(values: Sequence[float | None], height: int, top: float, *, ascii_only: bool) -> list[str]:
    """Draw values as a filled area of some lines, the highest line first; `?` at the foot where one is not known."""
    steps = ASCII_STEPS if ascii_only else EIGHTHS
    full = len(steps) - 1
    lines = []
    for line in range(height - 1, -1, -1):
        text = ""
        for value in values:
            if value is None:
                text += "?" if line == 0 else " "
                continue
            filled = 0.0 if top <= 0 else value / top * height - line
            # What is not nothing is seen, however little it is.
            least = 1 if value > 0 and line == 0 else 0
            text += steps[max(least, min(full, round(filled * full)))]
        lines.append(text)
    return lines


def nice_top(values: Sequence[float | None]) -> float:
    """Give a round share at or above all values: 1, 2 or 5 times a power of ten."""
    highest = max((value for value in values if value is not None), default=0.0)
    if highest <= 0:
        return 0.01
    size = 1e-6
    while size < 1:
        for step in (1, 2, 5):
            if step * size >= highest - 1e-12:
                return min(1.0, step * size)
        size *= 10
    return 1.0


def stretched(ruler: str, room: int) -> str:
    """Give a ruler in more or fewer cells: its words keep their beginning where that falls."""
    found = [" "] * room
    at = 0
    while at < len(ruler):
        if ruler[at] == " ":
            at += 1
            continue
        end = at
        while end < len(ruler) and ruler[end] != " ":
            end += 1
        word, place = ruler[at:end], at * room // max(1, len(ruler))
        if place + cells(word) <= room and all(c == " " for c in found[max(0, place - 1) : place + len(word)]):
            found[place : place + len(word)] = word
        at = end
    return "".join(found)


def drawn(one: Series, ruler: str, *, width: int, height: int, ascii_only: bool) -> tuple[str, ...]:
    """Draw one thing over time as lines of text, with its scale and its axis."""
    room = max(8, width - LEFT - 1)
    values = columns(one.values, room)
    top = nice_top(values)
    lines = []
    drawing = area(values, height, top, ascii_only=ascii_only)
    for place, line in enumerate(drawing):
        label = percent(top) if place == 0 else "0 %" if place == len(drawing) - 1 else ""
        lines.append(pad(label, LEFT - 1, right=True) + " " + line)
    return (*lines, " " * LEFT + stretched(ruler, room))
