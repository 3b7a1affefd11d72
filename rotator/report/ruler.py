"""An axis of time in text cells: how long a cell is, and what is written below it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Unit:
    """How long a cell of time is: its hours, and a word for it."""

    hours: int
    word: str


UNITS = (Unit(1, "hour"), Unit(6, "6 hours"), Unit(24, "day"), Unit(168, "week"), Unit(730, "month"))
WEEK = 3


def ruler(start: datetime, unit: Unit, width: int) -> str:
    """Give the words below an axis: days, months and years where they begin, as far as there is room."""
    text = [" "] * width
    free = 0
    for cell in range(width):
        label = _label(start + timedelta(hours=unit.hours * cell), unit)
        if cell == 0:
            label = f"{start:%-d%b}"
        if label and cell >= free and cell + len(label) <= width:
            text[cell : cell + len(label)] = label
            free = cell + len(label) + 1
    return "".join(text)


def marked(words: str, place: int, mark: str) -> str:
    """Put a mark of one cell on a ruler; a label in its way goes beside it, or away: half a date is another date."""
    begin = words.rfind(" ", 0, place + 1) + 1
    end = words.find(" ", place)
    label = words[begin : end if end >= 0 else len(words)]
    free = words[:begin] + " " * len(label) + words[begin + len(label) :]
    for start in (place + 1, place - len(label)):
        end = start + len(label)
        # A label stands apart from others; the mark may be beside it.
        if start >= 0 and end <= len(words) and not free[max(0, start - 1) : end + 1].strip():
            free = free[:start] + label + free[end:]
            break
    return free[:place] + mark + free[place + 1 :]


def _label(at: datetime, unit: Unit) -> str:
    """Give what begins in a cell, "" for nothing."""
    end = at + timedelta(hours=unit.hours)
    if unit.hours >= 700:
        return f"{end:%Y}" if end.year != at.year else ""
    if unit.hours >= 100:
        return f"{end:%b}" if end.month != at.month else ""
    if unit.hours >= 24:
        return f"{at:%-d%b}" if at.weekday() == 0 else ""
    if at.hour < unit.hours:
        return f"{at:%-d%b}"
    return f"{at.hour:02}h" if at.hour % 6 == 0 and unit.hours == 1 else ""
