"""Fleet tables as CSV or Parquet: `app`, `version`, `os` and `clients`, by column name, in any order.

With a `date`, the rows of each app's newest date count and the older ones are its history.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date

from rotator.errors import InputError, Problem
from rotator.files.policy_toml import read_bytes
from rotator.model.names import did_you_mean
from rotator.model.policy import Count
from rotator.model.progress import Progress, Silent
from rotator.simulate.tables import FleetRow, FleetTable

PARQUET = b"PAR1"
LARGE = 512 * 1024
"""Bytes from which on a table is read in columns."""
COLUMNS = ("app", "version", "os", "clients", "low", "high", "date", "unit")


def read_fleet(file: str, *, place: str = "") -> tuple[FleetRow, ...]:
    """Read a fleet table.

    Args:
        file: a CSV file with a header row; `clients`, or `low` and `high`, are whole numbers, dates ISO 8601.
        place: the TOML path that named it, for messages.

    Raises:
        InputError: with every row and column that cannot be used.
    """
    problems: list[Problem] = []
    rows = _whole(file, place, problems)
    newest: dict[str, date] = {}
    units: dict[str, set[str]] = {}
    for row in rows:
        newest[row.app] = max(newest.get(row.app, date.min), row.day or date.min)
    kept = [row for row in rows if (row.day or date.min) == newest[row.app]]
    for row in kept:
        units.setdefault(row.app, set()).update({row.unit} - {""})
    problems += [
        Problem("is counted in unlike units", file=file, path=app, value="; ".join(sorted(found)))
        for app, found in units.items()
        if len(found) > 1
    ]
    if problems:
        raise InputError(problems)
    return tuple(kept)


def open_table(file: str, *, place: str = "", progress: Progress | None = None) -> FleetTable:
    """Open a fleet table of any size; a large one is read in columns, and its rows are made when they are needed.

    Args:
        file: as `read_fleet` takes it, or a Parquet file with the same columns.
        place: the TOML path that named it, for messages.
        progress: hears how far it is.

    Raises:
        InputError: with every row and column that cannot be used.
    """
    data = read_bytes(file, place=place)
    if data[:4] == PARQUET or len(data) > LARGE:
        from rotator.files.large_tables import read_large

        found = read_large(data, file, place, progress or Silent())
        if found is not None:
            return found
    return FleetTable(read_fleet(file, place=place))


def read_history(file: str) -> tuple[FleetRow, ...]:
    """Read every row of a table, those of older dates too.

    Raises:
        InputError: with every row and column that cannot be used.
    """
    problems: list[Problem] = []
    rows = _whole(file, "", problems)
    if problems:
        raise InputError(problems)
    return tuple(rows)


def _whole(file: str, place: str, problems: list[Problem]) -> list[FleetRow]:
    data = read_bytes(file, place=place)
    if data[:4] == PARQUET:
        raise InputError(Problem("is a Parquet file", file=file, path=place, expected="CSV"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(Problem("is not UTF-8 text", file=file, path=place, expected="CSV")) from None
    return list(_rows(text, file, problems))


def _rows(text: str, file: str, problems: list[Problem]) -> Iterator[FleetRow]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        problems += wrong_header(header, file, "row 1")
        if problems:
            return
        for number, cells in enumerate(reader, 2):
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                problems.append(
                    Problem(
                        "has another number of cells than the header",
                        file=file,
                        path=f"row {number}",
                        value=f"{len(cells)} instead of {len(header)}",
                    )
                )
                continue
            row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            count = _count(row, file, number, problems)
            if not row["app"]:
                problems.append(Problem("app is empty", file=file, path=f"row {number}"))
            elif count is not None:
                yield FleetRow(
                    app=row["app"],
                    version=row.get("version", ""),
                    os=row.get("os", ""),
                    clients=count,
                    day=_day(row, file, number, problems),
                    unit=row.get("unit", ""),
                )
    except csv.Error as error:
        problems.append(Problem(f"is not CSV: {error}", file=file, path=f"row {reader.line_num}"))


def wrong_header(header: Sequence[str], file: str, where: str) -> list[Problem]:
    """Say what is wrong with the names of columns."""
    wrong = [name for name in header if name not in COLUMNS]
    found = [Problem("unknown column", file=file, path=where, value=n, hint=did_you_mean(n, COLUMNS)) for n in wrong]
    if "app" not in header or not ("clients" in header or {"low", "high"} <= set(header)):
        found.append(Problem("the header lacks a column", file=file, path=where, expected="app, version, clients"))
    return found


def _day(row: dict[str, str], file: str, number: int, problems: list[Problem]) -> date | None:
    text = row.get("date", "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        problems.append(
            Problem(
                "not a date",
                file=file,
                path=f"row {number}, column date",
                value=text,
                expected="a date such as 2026-11-20",
            )
        )
        return None


def _count(row: dict[str, str], file: str, number: int, problems: list[Problem]) -> Count | None:
    columns = ("clients", "clients") if "clients" in row else ("low", "high")
    values = []
    for column in columns:
        text = row[column].replace("_", "")
        if not text.isascii() or not text.isdigit() or len(text) > 15:
            problems.append(
                Problem(
                    "not a whole number",
                    file=file,
                    path=f"row {number}, column {column}",
                    value=row[column],
                    expected="digits only",
                )
            )
            return None
        values.append(int(text))
    if values[0] > values[1]:
        problems.append(Problem("low is above high", file=file, path=f"row {number}"))
        return None
    return Count(low=values[0], high=values[1])
