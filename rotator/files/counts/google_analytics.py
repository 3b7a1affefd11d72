"""The web export of Google Analytics 4 and Firebase: comment lines, then one row for each app version.

The comments hold `# Start date: YYYYMMDD` and `# End date: YYYYMMDD`; a second table or a total may follow.
"""

from __future__ import annotations

import re
from datetime import date

from rotator.files.counts.cells import read_date
from rotator.files.counts.table import Source, choose, table_of
from rotator.model.counting import Reading, Tally, dropped, merged
from rotator.model.policy import Count

KIND = "google-analytics"
LAG_DAYS = 3
VERSIONS = ("app version", "app_version", "appversion")
USERS = ("active users", "activeusers", "active_users", "total users", "totalusers", "users")
SYSTEMS = ("os with version", "operating system with version", "os version", "operatingsystemwithversion")
_DATE = re.compile(r"#\s*(start|end) date:\s*(\d{8})", re.IGNORECASE)
_TOTAL = ("", "total", "totals", "grand total")


def recognise(source: Source) -> bool:
    """Say whether it is one of them, by a header with both columns, with or without comments in front."""
    return _header(source) is not None


def _header(source: Source) -> int | None:
    for index, (_, cells) in enumerate(source.rows[:40]):
        names = [" ".join(cell.lower().split()) for cell in cells]
        if choose(names, *VERSIONS) and choose(names, *USERS):
            return index
        if not cells[0].startswith("#"):
            return None
    return None


def read(source: Source) -> list[Reading]:
    """Read the one table; its day is the end of the time it covers.

    Raises:
        InputError: a cell is no number.
    """
    header = _header(source)
    assert header is not None  # noqa: S101 - recognised
    dates: dict[str, date] = {}
    for _, comment in source.rows[:header]:
        found = _DATE.match(",".join(comment))
        day = read_date(found[2]) if found is not None else None
        if found is not None and day is not None:
            dates[found[1].lower()] = day
    table = table_of(source, header, one_of_many=True)
    versions, users = choose(table.columns, *VERSIONS), choose(table.columns, *USERS)
    system = choose(table.columns, *SYSTEMS)
    assert versions is not None  # noqa: S101 - recognised
    assert users is not None  # noqa: S101 - recognised
    numbers = table.numbers(users)
    tallies: list[Tally] = []
    out: list[tuple[str, int]] = []
    total: int | None = None
    for number, cells in table.rows:
        clients = table.whole(numbers, number, cells, users)
        label = cells[versions]
        if clients is None:
            out.append(("nothing reported (a blank is not zero)", 0))
        elif label.lower() in _TOTAL:
            total = max(total or 0, clients)
            out.append(("the total, not a version", clients))
        elif label.lower() == "(not set)":
            out.append(("version not set", clients))
        else:
            os = cells[system] if system else ""
            tallies.append(Tally(version=label, os=os, clients=Count(low=clients, high=clients)))
    table.finish()
    start, end = dates.get("start"), dates.get("end")
    span = (end - start).days + 1 if start and end else None
    notes = [f"took the column {users.title()}"]
    if end is None:
        notes.append("the file does not say which days it is of")
    elif (source.today - end).days < LAG_DAYS:
        notes.append(f"{end} may not be complete: the source takes {LAG_DAYS} days")
    unit = f"{users.replace('_', ' ')}, {span} day{'' if span == 1 else 's'}" if span else users
    return [
        Reading(
            file=source.file,
            kind=KIND,
            title="Google Analytics or Firebase, web export",
            source="google-analytics",
            unit=unit,
            day=end,
            rows=len(table.rows),
            read=sum(t.clients.high for t in tallies) + sum(n for _, n in out),
            tallies=merged(tallies),
            dropped=dropped(out),
            total=total,
            notes=tuple(notes),
        )
    ]
