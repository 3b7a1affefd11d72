"""Numbers and dates as stores write them for people of many countries."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

#: Blank and these say that nothing was reported, which is not zero.
NOTHING = frozenset({"", "-", "\u2013", "\u2014", "\u2212", "n/a", "na", "null", "none", "(not set)"})
_SPACES = str.maketrans("", "", "\u00a0\u202f\u2009 '\u2019_")
_POINT = re.compile(r"\d+\.\d{1,2}|\d{4,}\.\d+|\d+,\d{3}\.\d+|\d+\.\d{4,}")
_COMMA = re.compile(r"\d+,\d{1,2}|\d{4,},\d+|\d+\.\d{3},\d+|\d+,\d{4,}")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{2,3})*,\d{3}|\d{1,3}(?:\.\d{3})+")
_DIGITS = 15

_MONTHS = (
    ("jan", "ene", "gen"),
    ("feb", "fev", "fév"),
    ("mar", "mär", "mrz"),
    ("apr", "abr", "avr"),
    ("may", "mai", "mag"),
    ("jun", "juin", "giu"),
    ("jul", "juil", "lug"),
    ("aug", "ago", "aoû", "aou"),
    ("sep", "set"),
    ("oct", "okt", "out", "ott"),
    ("nov",),
    ("dec", "dez", "déc", "dic"),
)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})|(\d{4})(\d{2})(\d{2})")
_NUMBERS = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{2}|\d{4})\.?")
_DAY_FIRST = re.compile(r"(\d{1,2})\.?(?: de)?[ -]([^\W\d_]{3,12})\.?(?: de)?,?[ -](\d{4})")
_MONTH_FIRST = re.compile(r"([^\W\d_]{3,12})\.? (\d{1,2}),? (\d{4})")


class Numbers:
    """How the numbers of one file are written: what its point and its comma mean."""

    def __init__(self, cells: Iterable[str]) -> None:
        """Learn it from every cell; where nothing tells, points and commas group thousands."""
        plain = [cell.strip().translate(_SPACES) for cell in cells]
        self.point = any(_POINT.fullmatch(cell) for cell in plain)
        self.comma = not self.point and any(_COMMA.fullmatch(cell) for cell in plain)

    def whole(self, cell: str) -> int | None:
        """Give a count; None where nothing was reported.

        Raises:
            ValueError: it is no number, or below zero.
        """
        text = cell.strip()
        if text.lower() in NOTHING:
            return None
        text = text.translate(_SPACES)
        if not text.isascii():
            raise ValueError
        if self.point or self.comma:
            text = text.replace(",", "") if self.point else text.replace(".", "").replace(",", ".")
        elif _GROUPED.fullmatch(text):
            text = text.replace(",", "").replace(".", "")
        before, _, after = text.partition(".")
        if not before.isdigit() or len(before) > _DIGITS or (after and not after.isdigit()):
            raise ValueError
        # Some exports give counts as decimals, all of them whole in fact.
        return int(before) + int(bool(after) and after[0] >= "5")


class Dates:
    """How the dates of one column are written."""

    def __init__(self, cells: Iterable[str]) -> None:
        """Learn whether days or months come first: the order in which all are dates, and lie closest together."""
        texts = {cell.strip() for cell in cells if _NUMBERS.fullmatch(cell.strip())}
        spans = {}
        for first in (True, False):
            days = [_from_numbers(text, day_first=first) for text in texts]
            if days and all(days):
                known = [day for day in days if day is not None]
                spans[first] = (max(known) - min(known)).days
        dotted = any("." in text for text in texts)
        self.sure = not texts or dotted or len(spans) < 2 or spans[True] != spans[False]
        self.day_first = dotted or (True in spans and (False not in spans or spans[True] < spans[False]))

    def read(self, cell: str) -> date | None:
        """Give a date; None where it is none."""
        text = cell.strip()
        if _NUMBERS.fullmatch(text):
            return _from_numbers(text, day_first=self.day_first)
        return read_date(text)


def read_date(cell: str) -> date | None:
    """Give a date that is written so that it can be read in one way only, else month first; None where it is none."""
    text = " ".join(cell.split())
    found = _YEAR_FIRST.fullmatch(text)
    if found is not None:
        year, month, day = found.groups()[:3] if found[1] else found.groups()[3:]
        return _made(int(year), int(month), int(day))
    if _NUMBERS.fullmatch(text):
        return _from_numbers(text, day_first="." in text)
    found = _DAY_FIRST.fullmatch(text)
    if found is not None:
        return _made(int(found[3]), _month(found[2]), int(found[1]))
    found = _MONTH_FIRST.fullmatch(text)
    return _made(int(found[3]), _month(found[1]), int(found[2])) if found is not None else None


def _from_numbers(text: str, *, day_first: bool) -> date | None:
    found = _NUMBERS.fullmatch(text)
    if found is None:
        return None
    day, month = (found[1], found[3]) if day_first else (found[3], found[1])
    year = int(found[4]) + (2000 if len(found[4]) == 2 else 0)
    return _made(year, int(month), int(day))


def _month(name: str) -> int:
    lowered = name.lower()
    hits = [n for n, starts in enumerate(_MONTHS, 1) if any(lowered.startswith(start) for start in starts)]
    return hits[0] if len(hits) == 1 else 0


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
