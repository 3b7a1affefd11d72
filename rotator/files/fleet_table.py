"""Fleet tables as CSV: `app`, `version`, `os` and `clients`, by column name, in any order."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from rotator.errors import InputError, Problem
from rotator.files.policy_toml import read_bytes
from rotator.model.names import did_you_mean
from rotator.model.policy import Count
from rotator.simulate.fleet import FleetRow

COLUMNS = ("app", "version", "os", "clients", "low", "high", "date", "unit")


def read_fleet(file: str, *, place: str = "") -> tuple[FleetRow, ...]:
    """Read a fleet table.

    Args:
        file: a CSV file with a header row; `clients`, or `low` and `high`, are whole numbers.
        place: the TOML path that named it, for messages.

    Raises:
        InputError: with every row and column that cannot be used.
    """
    data = read_bytes(file, place=place)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(Problem("is not UTF-8 text", file=file, path=place, expected="CSV")) from None
    problems: list[Problem] = []
    rows = list(_rows(text, file, problems))
    if problems:
        raise InputError(problems)
    return tuple(rows)


def _rows(text: str, file: str, problems: list[Problem]) -> Iterator[FleetRow]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        wrong = [name for name in header if name not in COLUMNS]
        problems += [
            Problem("unknown column", file=file, path="row 1", value=n, hint=did_you_mean(n, COLUMNS)) for n in wrong
        ]
        if "app" not in header or not ("clients" in header or {"low", "high"} <= set(header)):
            problems.append(
                Problem("the header lacks a column", file=file, path="row 1", expected="app, version, clients")
            )
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
                yield FleetRow(app=row["app"], version=row.get("version", ""), os=row.get("os", ""), clients=count)
    except csv.Error as error:
        problems.append(Problem(f"is not CSV: {error}", file=file, path=f"row {reader.line_num}"))


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
