"""Fleet tables of millions of rows, read in columns: plain CSV split here, Parquet by arro3.

A CSV file that is not plain and regular in every row is left to the reader that looks at each cell, and says what is
wrong.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from rotator.errors import InputError, Problem
from rotator.files.fleet_table import PARQUET, wrong_header
from rotator.model.progress import CancelledError, Progress
from rotator.simulate.tables import FleetTable

if TYPE_CHECKING:
    from rotator.simulate.engine.columns import Gathering

TOLD = 20
"""Bad cells that are told one by one."""
NUMBERS = ("clients", "low", "high")


def read_large(data: bytes, file: str, place: str, progress: Progress) -> FleetTable | None:
    """Read a table in columns; None where a CSV file has to be looked at cell by cell.

    Raises:
        InputError: with rows and columns that cannot be used, or the lack of a reader.
    """
    from rotator.simulate.engine.columns import Gathering

    gathered = Gathering()
    if data[:4] == PARQUET:
        _parquet(data, file, place, gathered, progress)
    elif not _csv(data, gathered, progress):
        return None
    units = gathered.units()
    problems = [
        Problem("is counted in unlike units", file=file, path=app, value="; ".join(sorted(found)))
        for app, found in units.items()
        if len(found) > 1
    ]
    if problems:
        raise InputError(problems)
    return gathered.table()


# --- CSV --------------------------------------------------------------------------------------------------------------


def _csv(data: bytes, gathered: Gathering, progress: Progress) -> bool:
    """Read a CSV file as long as every row is plain and as it should be."""
    from rotator.simulate.engine.columns import MOST_DIGITS
    from rotator.simulate.engine.scanning import scan

    data = data.removeprefix(codecs.BOM_UTF8)
    first, _, rest = data.partition(b"\n")
    try:
        header = [name.strip().lower() for name in next(csv.reader([first.decode().rstrip("\r")], strict=True), [])]
        if wrong_header(header, "", "") or len(set(header)) < len(header):
            return False
        counted = ("clients",) if "clients" in header else ("low", "high")
        read = 0
        for cells in scan(rest, len(header)):
            progress.step(read, len(rest), "reading the fleet table")
            if cells is None:
                return False
            read += len(cells.block)
            for place, name in enumerate(header):
                if name not in NUMBERS:
                    gathered.coded(name, *cells.texts(place))
                elif name in counted:
                    numbers = cells.whole_numbers(place, MOST_DIGITS)
                    if numbers is None:
                        return False
                    gathered.counts(name, numbers)
    except (UnicodeDecodeError, csv.Error):
        return False
    regular = bool(read) and "" not in gathered.known("app") and all(map(_is_day, gathered.known("date")))
    return regular and (counted == ("clients",) or not gathered.above("low", "high"))


def _is_day(text: str) -> bool:
    try:
        return not text or (date.fromisoformat(text).isoformat() == text)
    except ValueError:
        return False


# --- Parquet ----------------------------------------------------------------------------------------------------------


def _parquet(data: bytes, file: str, place: str, gathered: Gathering, progress: Progress) -> None:
    """Read a Parquet file.

    Raises:
        InputError: arro3 is not installed, or the file has rows or columns that cannot be used.
    """
    try:
        from arro3.core import Table  # noqa: F401 - the error below is for all of it
        from arro3.io import read_parquet
    except ImportError:
        raise InputError(
            Problem("is a Parquet file, and no reader of them is installed", file=file, path=place,
                    hint="pip install 'rotator[parquet]', or give CSV")
        ) from None  # fmt: skip
    if not _is_whole(data):
        raise InputError(Problem("cannot be read as Parquet: it is cut off", file=file, path=place))
    try:
        reader = read_parquet(io.BytesIO(data), batch_size=65_536)
        header = [name.lower() for name in reader.schema.names]
        problems, done = wrong_header(header, file, "columns"), 0
        for batch in () if problems else reader:
            progress.step(done, 0, "reading the fleet table")
            for name, column in zip(header, batch.columns, strict=True):
                _take(gathered, name, column, file, done, problems)
            done += batch.num_rows
            if len(problems) >= TOLD:
                break
    except (CancelledError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 - where arro3 panics it raises what is no Exception
        raise InputError(Problem(f"cannot be read as Parquet: {error}", file=file, path=place)) from None
    if not (done or problems):
        raise InputError(Problem("has no rows", file=file, path=place))
    problems += _wrong_cells(gathered, header, file) if not problems else []
    if problems:
        raise InputError(problems[:TOLD])


def _is_whole(data: bytes) -> bool:
    """Say whether a Parquet file ends as it should: with a footer, its length and the mark."""
    return data[-4:] == PARQUET and 0 < int.from_bytes(data[-8:-4], "little") <= len(data) - 12


def _take(gathered: Gathering, name: str, column: Any, file: str, done: int, problems: list[Problem]) -> None:  # noqa: ANN401 - an Arrow array
    """Take one column of one batch; what is left out is "", but for counts."""
    if name in NUMBERS:
        if "Int" not in str(column.type):
            problems.append(_cell("not whole numbers", file, done, name, str(column.type), "integers"))
        elif column.null_count:
            first = column.to_pylist().index(None)
            problems.append(_cell("no number", file, done + first, name, None, "a whole number"))
        else:
            gathered.counts(name, column.to_numpy())
        return
    texts = _coded(column)
    if texts is None:
        gathered.texts(name, ["" if value is None else str(value) for value in column.to_pylist()])
    else:
        gathered.coded(name, *texts)


def _coded(column: Any) -> tuple[Any, Sequence[str]] | None:  # noqa: ANN401 - an Arrow array
    """Give a column of texts as places in a list of different texts; None where it is none."""
    from arro3.compute import dictionary_encode
    from arro3.core import dictionary_dictionary, dictionary_indices

    kind = str(column.type)
    if column.null_count or "Utf8" not in kind:
        return None
    encoded = column if "Dictionary" in kind else dictionary_encode(column)
    return dictionary_indices(encoded).to_numpy(), dictionary_dictionary(encoded).to_pylist()


def _wrong_cells(gathered: Gathering, header: Sequence[str], file: str) -> list[Problem]:
    """Say what no row may hold: no app, dates that are none, counts that are none."""
    found = [_cell("app is empty", file, row, "app", None, "") for row in gathered.where("app", "")[:TOLD]]
    for text in gathered.known("date"):
        if not _is_day(text):
            where = gathered.where("date", text)[0]
            found.append(_cell("not a date", file, where, "date", text, "a date such as 2026-11-20"))
    for name in [name for name in NUMBERS if name in header]:
        found += [_cell("not a number of clients", file, r, name, None, "") for r in gathered.bad_counts(name)[:TOLD]]
    if "clients" not in header and not found:
        found += [
            _cell("low is above high", file, row, "low", None, "") for row in gathered.above("low", "high")[:TOLD]
        ]
    return found


def _cell(message: str, file: str, row: int, column: str, value: str | None, expected: str) -> Problem:
    return Problem(message, file=file, path=f"row {row + 1}, column {column}", value=value, expected=expected)
