"""App Store Connect's Analytics Reports: App Sessions, and the report of those who opted in.

Source: developer.apple.com/documentation/analytics-reports (app-sessions, app-store-opt-in, privacy,
data-completeness-corrections). Only users who agreed are counted, rows under five devices are left out, a day is
complete after five, and a report made later replaces an earlier one of the same date.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from rotator.errors import InputError
from rotator.files.counts.table import Source, Table, newest_complete, table_of
from rotator.model.counting import Reading, Tally, dropped, merged
from rotator.model.policy import Count

KIND = "app-sessions"
LAG_DAYS = 5
DEVICES = "unique devices"
_ID = "app apple identifier"
#: What tells the rows of one instance apart; whichever of them the file has.
_DIMENSIONS = (
    "app version",
    "device",
    "platform version",
    "source type",
    "source info",
    "campaign",
    "page type",
    "page title",
    "app download date",
    "territory",
)


def recognise(source: Source) -> bool:
    """Say whether it is one of Apple's analytics reports, by its header."""
    return any(" ".join(cell.lower().split()) == _ID for cell in source.first)


def read(source: Source) -> list[Reading]:
    """Read the newest complete date of each app.

    Raises:
        InputError: it is another report, such as installations, which says what happened and not who is there.
    """
    table = table_of(source)
    if "date" not in table.columns:
        raise InputError(source.problem("has no column Date", value=", ".join(source.first[:6]), expected="Date"))
    if {"downloading users", "users opting-in"} <= set(table.columns):
        return _opt_in(table)
    if "event" in table.columns or "app version" not in table.columns or DEVICES not in table.columns:
        flow = "event" in table.columns
        raise InputError(
            source.problem(
                "counts what happened, not who is there" if flow else "is a report without versions and devices",
                value=", ".join(source.first[:6]),
                expected="the report App Sessions, with App Version and Unique Devices",
            )
        )
    days = table.days("date")
    apps = sorted({cells[_ID] for _, cells in table.rows})
    found = [_app(table, app, days) for app in apps]
    table.finish()
    return [reading for reading in found if reading is not None]


def _app(table: Table, app: str, days: dict[int, date]) -> Reading | None:
    numbers = table.numbers(DEVICES)
    processed = table.days("processing date") if "processing date" in table.columns else {}
    mine = [(number, cells) for number, cells in table.rows if cells[_ID] == app and number in days]
    latest: dict[date, date] = {}
    for number, _ in mine:
        if number in processed:
            latest[days[number]] = max(latest.get(days[number], date.min), processed[number])
    out: list[tuple[str, int]] = []
    rows: list[tuple[date, Tally, tuple[str, ...]]] = []
    for number, cells in mine:
        clients = table.whole(numbers, number, cells, DEVICES)
        day = days[number]
        if clients is None:
            out.append(("nothing reported (a blank is not zero)", 0))
        elif number in processed and processed[number] != latest[day]:
            out.append(("replaced by a report made later", clients))
        else:
            tally = Tally(
                version=cells["app version"],
                os=cells.get("platform version", ""),
                clients=Count(low=clients, high=clients),
            )
            rows.append((day, tally, tuple(cells[name] for name in _DIMENSIONS if name in cells)))
    if not rows:
        return None
    sums: dict[date, int] = {}
    for day, tally, _ in rows:
        sums[day] = sums.get(day, 0) + tally.clients.high
    day, notes = newest_complete(sums, table.source.today, LAG_DAYS)
    out += [("another day than the one used", t.clients.high) for own, t, _ in rows if own != day]
    for own, tally, _ in rows:
        if own == day and not tally.version:
            out.append(("no version given", tally.clients.high))
    period, said = _period(sorted(sums))
    label = next((cells.get("app name", "") for _, cells in mine), "") or app
    return Reading(
        file=table.source.file,
        kind=KIND,
        title="App Store Connect, App Sessions",
        source="app-store-connect",
        platform="ios",
        app=label,
        unit=f"active devices, {period}",
        day=_last_of_month(day) if period == "30 days" else day,
        rows=len(mine),
        read=sum(sums.values()) + sum(n for reason, n in out if reason.startswith("replaced")),
        tallies=merged(t for own, t, _ in rows if own == day and t.version),
        dropped=dropped(out),
        opted_in=True,
        keys=frozenset(key for own, _, key in rows if own == day),
        processed=latest.get(day),
        notes=(
            *said,
            "rows under five devices are left out, and a device that falls into several rows counts in each",
            *notes,
        ),
    )


def _period(days: list[date]) -> tuple[str, tuple[str, ...]]:
    """Tell what one date of the file stands for, by the distance between dates."""
    gaps = [(after - before).days for before, after in pairwise(days)]
    if gaps:
        shortest = min(gaps)
        return ("30 days" if shortest >= 28 else "7 days" if shortest >= 7 else "1 day"), ()
    if days[0].day == 1:
        return "30 days", ("taken for the monthly report: its one date is the first of a month",)
    return "1 day", ("taken for a daily report: it has one date; --unit says otherwise",)


def _last_of_month(day: date) -> date:
    """Give the day a monthly number is of: Apple writes the first of the month."""
    if day.day != 1:
        return day
    return (day + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def _opt_in(table: Table) -> list[Reading]:
    """Read the share of new users who agree to be counted, from the lowest to the highest date."""
    days = table.days("date")
    numbers = table.numbers("downloading users", "users opting-in")
    found = []
    for app in sorted({cells[_ID] for _, cells in table.rows}):
        by_day: dict[date, tuple[int, int]] = {}
        label, rows = app, 0
        for number, cells in table.rows:
            if cells[_ID] != app or number not in days:
                continue
            rows, label = rows + 1, cells.get("app name", "") or app
            all_users = table.whole(numbers, number, cells, "downloading users")
            some = table.whole(numbers, number, cells, "users opting-in")
            if all_users is not None and some is not None:
                before = by_day.get(days[number], (0, 0))
                by_day[days[number]] = (before[0] + all_users, before[1] + some)
        shares = [min(1.0, some / whole) for whole, some in by_day.values() if whole and some]
        if not shares:
            continue
        found.append(
            Reading(
                file=table.source.file,
                kind="app-store-opt-in",
                title="App Store Connect, App Store Opt-in",
                source="app-store-connect",
                platform="ios",
                app=label,
                unit="share of new users who agree to be counted",
                day=max(by_day),
                rows=rows,
                opt_in=(min(shares), max(shares)),
                notes=("it is about new users only, so the share of all users is not known as closely",),
            )
        )
    table.finish()
    if not found:
        raise InputError(table.source.problem("holds no share of users who opted in"))
    return found
