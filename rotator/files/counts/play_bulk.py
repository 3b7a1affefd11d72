"""Google Play's monthly reports: a row for each day and version code, UTF-16, sometimes packed.

Source: support.google.com/googleplay/android-developer/answer/6135870, Statistics > Installs. The report by version
has codes and no names; a blank cell means that nothing was reported.
"""

from __future__ import annotations

from datetime import date

from rotator.errors import InputError
from rotator.files.counts.cells import Numbers
from rotator.files.counts.table import Source, Table, newest_complete, table_of
from rotator.model.counting import DEVICES_30, Dropped, Reading, Tally, dropped, merged
from rotator.model.policy import Count

KIND = "play-bulk"
LAG_DAYS = 2
#: Columns that count clients now, best first; Play fills some of the others with zeros.
METRICS = {
    "active device installs": DEVICES_30,
    "current device installs": "current device installs",
    "current user installs": "current user installs",
}
VERSION, SYSTEM = "app version code", "android os version"
_SMALLEST_LEVEL = 19
OTHERS = ("country", "device", "language", "carrier", "tablets", "app version")


def recognise(source: Source) -> bool:
    """Say whether it is one of them, by its header."""
    names = {" ".join(cell.lower().split()) for cell in source.first}
    return {"date", "package name"} <= names and bool(names & (METRICS.keys() | {"daily device installs"}))


def read(source: Source) -> list[Reading]:
    """Read the newest complete day of each package.

    Raises:
        InputError: it is by country or the like, or nothing in it counts clients.
    """
    table = table_of(source)
    dimension = next((name for name in (VERSION, SYSTEM) if name in table.columns), "")
    other = next((name for name in OTHERS if name in table.columns), "")
    if other and not dimension:
        raise InputError(
            source.problem(
                f"counts clients by {other}, not by version",
                expected="the file whose name ends in _app_version.csv, _os_version.csv or _overview.csv",
            )
        )
    days = table.days("date")
    columns = [name for name in METRICS if name in table.columns]
    numbers = table.numbers(*columns) if columns else Numbers(())
    metric = next((name for name in columns if any(_reported(numbers, c[name]) for _, c in table.rows)), "")
    if not metric:
        table.finish()
        raise InputError(
            source.problem(
                "has no column with clients in it: all are blank or zero",
                expected=" or ".join(name.title() for name in METRICS),
            )
        )
    packages = sorted({cells["package name"] for _, cells in table.rows})
    found = [_package(table, name, dimension, metric, numbers, days) for name in packages]
    table.finish()
    return [reading for reading in found if reading is not None]


def _reported(numbers: Numbers, cell: str) -> bool:
    try:
        return bool(numbers.whole(cell))
    except ValueError:
        return True


def _package(
    table: Table, package: str, dimension: str, metric: str, numbers: Numbers, days: dict[int, date]
) -> Reading | None:
    rows = []
    out: list[tuple[str, int]] = []
    for number, cells in table.rows:
        if cells["package name"] != package or number not in days:
            continue
        clients = table.whole(numbers, number, cells, metric)
        if clients is None:
            out.append(("nothing reported (a blank is not zero)", 0))
        else:
            rows.append((days[number], number, cells.get(dimension, ""), clients))
    if not rows:
        return None
    sums: dict[date, int] = {}
    for day, _, _, clients in rows:
        sums[day] = sums.get(day, 0) + clients
    day, notes = newest_complete(sums, table.source.today, LAG_DAYS)
    tallies = []
    total = 0
    for own, number, label, clients in rows:
        if own != day:
            out.append(("another day than the one used", clients))
            continue
        total += clients
        tally = _tally(table, number, dimension, label, clients)
        if tally is not None:
            tallies.append(tally)
    whole = dimension == ""
    return Reading(
        file=table.source.file,
        kind=KIND if dimension == VERSION else f"{KIND}-os" if dimension else f"{KIND}-total",
        title="Play Console, monthly report "
        + ("by app version" if dimension == VERSION else "by Android version" if dimension else "of the whole app"),
        source="play-console",
        platform="android",
        app=package,
        unit=METRICS[metric],
        day=day,
        rows=sum(1 for _, cells in table.rows if cells["package name"] == package),
        read=sum(sums.values()),
        tallies=() if whole else merged(tallies),
        dropped=(
            *dropped(out),
            *([Dropped(reason="the total, not a version", rows=1, clients=total)] if whole else []),
        ),
        total=total if whole else None,
        notes=(f"took the column {metric.title()}", *notes),
    )


def _tally(table: Table, number: int, dimension: str, label: str, clients: int) -> Tally | None:
    if dimension != VERSION:
        # A small bare number is a version such as 9; API levels of devices alive are larger.
        bare = label.isascii() and label.isdigit() and int(label[:4]) < _SMALLEST_LEVEL
        return Tally(os=f"Android {label}" if bare else label, clients=Count(low=clients, high=clients))
    if label.isascii() and label.isdigit() and len(label) <= 12:
        return Tally(build=int(label), clients=Count(low=clients, high=clients))
    table.problems.append(
        table.source.problem(
            "not a version code", path=f"row {number}, column {VERSION}", value=label, expected="a whole number"
        )
    )
    return None
