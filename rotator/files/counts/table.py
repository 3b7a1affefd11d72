"""A file of counts as rows of cells, and what all formats do with them: columns by name, the newest complete day."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

from rotator.errors import InputError, Problem, shorten
from rotator.files.counts.cells import Dates, Numbers

MOST_ROWS = 1_000_000
#: A day with less than this part of the day before it is still being counted.
PARTIAL = 0.5


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file, not yet recognised.

    Attributes:
        file: its name as given.
        forms: in what form it came, such as `gzip`.
        lines: comment and preamble lines that are no table are among the rows.
        rows: every row as cells, in file order, with its number.
        today: the day of the import; days that a source still completes are counted from it.
    """

    file: str
    forms: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    today: date

    @property
    def first(self) -> tuple[str, ...]:
        """Give the first row."""
        return self.rows[0][1] if self.rows else ()

    def problem(
        self, message: str, *, path: str = "", value: object = None, expected: str = "", hint: str = ""
    ) -> Problem:
        """Make a problem of this file."""
        return Problem(message, file=self.file, path=path, value=value, expected=expected, hint=hint)


def source_of(text: str, file: str, forms: tuple[str, ...], today: date) -> Source:
    """Split a text into rows.

    Raises:
        InputError: it is not CSV or TSV, or has too many rows.
    """
    rows: list[tuple[int, tuple[str, ...]]] = []
    # Cells repeat over and over: keeping each text once makes large reports small.
    once: dict[str, str] = {}
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                plain = (cell.strip().strip("\ufeff") for cell in cells)
                rows.append((reader.line_num, tuple(once.setdefault(cell, cell) for cell in plain)))
            if len(rows) > MOST_ROWS:
                raise InputError(Problem(f"has more than {MOST_ROWS:,} rows", file=file))
    except csv.Error as error:
        raise InputError(Problem(f"is not CSV: {error}", file=file, path=f"row {reader.line_num}")) from None
    if not rows:
        raise InputError(Problem("is empty", file=file, expected="a CSV or TSV of user counts"))
    return Source(file=file, forms=forms, rows=tuple(rows), today=today)


def _delimiter(text: str) -> str:
    """Choose what splits the first lines best; semicolons stand where commas are the decimal sign."""
    head = [line for line in text[:20_000].splitlines() if line.strip() and not line.startswith("#")][:12]
    counts = {sign: max((line.count(sign) for line in head), default=0) for sign in "\t;,"}
    if counts["\t"]:
        return "\t"
    return ";" if counts[";"] and not any("," in line and ";" not in line for line in head) else ","


class Row(Mapping[str, str]):
    """One row, its cells by column."""

    __slots__ = ("cells", "places")

    def __init__(self, cells: tuple[str, ...], places: Mapping[str, int]) -> None:
        """Keep the cells, and the place of each column, which all rows share."""
        self.cells, self.places = cells, places

    def __getitem__(self, column: str) -> str:
        return self.cells[self.places[column]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


@dataclass(kw_only=True)
class Table:
    """The rows under a header, by the header's names in lower case.

    Attributes:
        columns: the names in order.
        rows: number and cells by name; a row of another length is a problem.
    """

    source: Source
    columns: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, str]], ...]
    problems: list[Problem] = field(default_factory=list)

    def finish(self) -> None:
        """Refuse the file where any cell could not be read.

        Raises:
            InputError: with every problem found, the first 20 of many.
        """
        if self.problems:
            more = len(self.problems) - 20
            rest = [self.source.problem(f"{more} more problems of this kind")] if more > 0 else []
            raise InputError([*self.problems[:20], *rest])

    def whole(self, numbers: Numbers, number: int, cells: Mapping[str, str], column: str) -> int | None:
        """Give a count; None where nothing was reported, or where it is no number, which is a problem then."""
        try:
            return numbers.whole(cells[column])
        except ValueError:
            self.problems.append(
                self.source.problem(
                    "not a number of clients",
                    path=f"row {number}, column {shorten(column, 40)}",
                    value=shorten(cells[column], 40),
                    expected="a whole number",
                )
            )
            return None

    def numbers(self, *columns: str) -> Numbers:
        """Learn how the numbers of some columns are written."""
        return Numbers(cells[column] for _, cells in self.rows for column in columns)

    def days(self, column: str) -> dict[int, date]:
        """Give the date of each row by its number; a row without one is a problem."""
        dates = Dates(cells[column] for _, cells in self.rows)
        found = {}
        for number, cells in self.rows:
            day = dates.read(cells[column])
            if day is None:
                self.problems.append(
                    self.source.problem(
                        "not a date",
                        path=f"row {number}, column {shorten(column, 40)}",
                        value=shorten(cells[column], 40),
                        expected="a date such as 2026-11-20",
                    )
                )
            else:
                found[number] = day
        self.sure_of_dates = dates.sure
        return found

    sure_of_dates: bool = True


def table_of(source: Source, header: int = 0, *, one_of_many: bool = False) -> Table:
    """Read the rows under a header.

    Args:
        source: the file.
        header: the index of the header's row.
        one_of_many: whether the table ends at a blank line or at a row of another length, since others may follow.
    """
    before, names = source.rows[header]
    columns = _unique([" ".join(name.lower().split()) for name in names])
    places = {name: place for place, name in enumerate(columns)}
    table = Table(source=source, columns=columns, rows=())
    rows = []
    for number, cells in source.rows[header + 1 :]:
        filled = cells[: len(columns)] if not any(cells[len(columns) :]) else cells
        if cells[0].startswith("#") or (one_of_many and (len(filled) != len(columns) or number > before + 1)):
            break
        before = number
        if len(filled) != len(columns):
            table.problems.append(
                source.problem(
                    "has another number of cells than the header",
                    path=f"row {number}",
                    value=f"{len(cells)} instead of {len(columns)}",
                )
            )
            continue
        rows.append((number, Row(filled, places)))
    table.rows = tuple(rows)
    return table


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Tell columns of the same name apart, so that none hides another."""
    found: list[str] = []
    for name in names:
        copy = 2
        shown = name
        while shown in found:
            shown, copy = f"{name} #{copy}", copy + 1
        found.append(shown)
    return tuple(found)


def newest_complete(sums: Mapping[date, int], today: date, lag: int) -> tuple[date, tuple[str, ...]]:
    """Choose the day to use: the newest that is complete.

    Args:
        sums: the clients of each day that has any number.
        today: the day of the import.
        lag: how many days the source takes to complete a day.

    Returns:
        The day, and why newer ones were passed over.
    """
    days = sorted(sums, reverse=True)
    notes = []
    for day, before in pairwise(days):
        if day > today:
            notes.append(f"{day} lies in the future")
        elif day > today - timedelta(days=lag):
            notes.append(f"{day} may not be complete: the source takes {lag} days")
        elif sums[day] < PARTIAL * sums[before]:
            notes.append(f"{day} is not complete: it has {sums[day]:,} clients, the day before {sums[before]:,}")
        else:
            return day, tuple(notes)
    last = days[-1]
    if last > today - timedelta(days=lag):
        notes.append(f"{last} may not be complete, and there is no other day")
    return last, tuple(notes)


def choose(columns: Iterable[str], *wanted: str) -> str | None:
    """Give the first of some columns that is there."""
    known = set(columns)
    return next((name for name in wanted if name in known), None)
