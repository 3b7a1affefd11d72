"""Our own table, `app,version,os,clients` with `low`, `high`, `date` and `unit`, and any other with named columns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from rotator.errors import InputError, Problem, UsageError
from rotator.files.counts.cells import Numbers
from rotator.files.counts.table import Source, Table, newest_complete, table_of
from rotator.model.counting import Reading, Tally, dropped, merged
from rotator.model.names import did_you_mean
from rotator.model.policy import Count

KIND = "own"
ROLES = ("app", "version", "code", "os", "clients", "low", "high", "date", "unit")


def recognise(source: Source) -> bool:
    """Say whether the header has our names."""
    names = {" ".join(cell.lower().split()) for cell in source.first}
    return bool(names & {"app", "version", "code"}) and ("clients" in names or {"low", "high"} <= names)


def columns_of(texts: list[str]) -> dict[str, str]:
    """Read `--columns version=App version,clients=Users`.

    Raises:
        UsageError: a role is unknown, or there is none for the clients.
    """
    found: dict[str, str] = {}
    for text in ",".join(texts).split(","):
        role, equals, name = (part.strip() for part in text.partition("="))
        if role not in ROLES or not equals or not name:
            raise UsageError(
                Problem(
                    "not a column",
                    value=text,
                    expected=f"--columns version=NAME,clients=NAME; one of {', '.join(ROLES)}",
                    hint=did_you_mean(role, ROLES),
                )
            )
        found[role] = " ".join(name.lower().split())
    if not ("clients" in found or {"low", "high"} <= found.keys()) or not found.keys() & {"version", "code", "os"}:
        raise UsageError(Problem("not enough columns", expected="--columns version=NAME,clients=NAME"))
    return found


def read(source: Source, columns: Mapping[str, str] | None = None) -> list[Reading]:
    """Read the newest day of each app.

    Args:
        source: the file.
        columns: the names of its columns by what they hold; None for our own names.

    Raises:
        InputError: a column is not there, or a cell cannot be used.
    """
    header = 0
    while columns and header + 1 < len(source.rows) and source.rows[header][1][0].startswith("#"):
        header += 1
    table = table_of(source, header)
    roles = dict(columns) if columns else {role: role for role in ROLES if role in table.columns}
    missing = [name for name in roles.values() if name not in table.columns]
    if missing:
        raise InputError(
            [
                source.problem(
                    "has no such column",
                    value=name,
                    expected=", ".join(table.columns[:12]),
                    hint=did_you_mean(name, table.columns),
                )
                for name in missing
            ]
        )
    days = table.days(roles["date"]) if "date" in roles else {}
    column = roles.get("app", "")
    apps = sorted({cells[column] for _, cells in table.rows}) if column else [""]
    found = [_app(table, app, roles, days, named=columns is None) for app in apps]
    table.finish()
    return [reading for reading in found if reading is not None]


def _app(table: Table, app: str, roles: Mapping[str, str], days: dict[int, date], *, named: bool) -> Reading | None:
    low, high = (roles.get("low", ""), roles.get("high", "")) if "clients" not in roles else (roles["clients"],) * 2
    numbers = table.numbers(*{low, high})
    rows: list[tuple[date | None, Tally, str]] = []
    out: list[tuple[str, int]] = []
    count = 0
    for number, cells in table.rows:
        if roles.get("app") and cells[roles["app"]] != app:
            continue
        count += 1
        tally = _tally(table, numbers, number, cells, roles, (low, high))
        if tally is None:
            out.append(("nothing reported (a blank is not zero)", 0))
        else:
            rows.append((days.get(number), tally, cells[roles["unit"]] if "unit" in roles else ""))
    if not rows:
        return None
    sums: dict[date, int] = {}
    for day, tally, _ in rows:
        if day is not None:
            sums[day] = sums.get(day, 0) + tally.clients.high
    day, notes = newest_complete(sums, table.source.today, 0) if sums else (None, ())
    used = [(tally, unit) for own, tally, unit in rows if own == day]
    out += [("another day than the one used", tally.clients.high) for own, tally, _ in rows if own != day]
    units = sorted({unit for _, unit in used if unit})
    if len(units) > 1:
        table.problems.append(table.source.problem("counts clients in unlike units", value="; ".join(units)))
    return Reading(
        file=table.source.file,
        kind=KIND if named else "columns",
        title="our own table" if named else "a table with the columns named by hand",
        source="own" if named else "by hand",
        app=app,
        named=named and bool(app),
        unit=units[0] if units else "",
        day=day,
        rows=count,
        read=sum(tally.clients.high for _, tally, _ in rows),
        tallies=merged(tally for tally, _ in used),
        dropped=dropped(out),
        notes=notes,
    )


def _tally(
    table: Table,
    numbers: Numbers,
    number: int,
    cells: Mapping[str, str],
    roles: Mapping[str, str],
    ends: tuple[str, str],
) -> Tally | None:
    low = table.whole(numbers, number, cells, ends[0])
    high = low if ends[0] == ends[1] else table.whole(numbers, number, cells, ends[1])
    if low is None or high is None:
        return None
    if low > high:
        table.problems.append(table.source.problem("low is above high", path=f"row {number}"))
        return None
    code = cells[roles["code"]] if "code" in roles else ""
    if code and not (code.isascii() and code.isdigit() and len(code) <= 12):
        table.problems.append(
            table.source.problem("not a version code", path=f"row {number}", value=code, expected="a whole number")
        )
        return None
    return Tally(
        version=cells[roles["version"]] if "version" in roles else "",
        build=int(code) if code and not cells.get(roles.get("version", ""), "") else None,
        os=cells[roles["os"]] if "os" in roles else "",
        clients=Count(low=low, high=high),
    )
