"""App Store Connect's web page, Metrics > by App Version > export: a preamble, then one row a day.

The preamble, the first column and the words behind each version are in the language of the account, so nothing is
recognised by its words: the table begins at the first row that only rows with a date follow.
"""

from __future__ import annotations

import re
from datetime import date

from rotator.errors import InputError
from rotator.files.counts.cells import Dates, read_date
from rotator.files.counts.table import Source, newest_complete, table_of
from rotator.model.counting import Dropped, Reading, Tally, merged
from rotator.model.policy import Count

KIND = "app-store-page"
LAG_DAYS = 2
#: How many rows may stand before the table.
MOST_PREAMBLE = 12
_SERIES = re.compile(r"[vV]?(?P<version>\d[\w.+-]*) +(?P<metric>\S.*)")


def recognise(source: Source) -> bool:
    """Say whether it is one of them: rows before a table of which any column is a version and a metric."""
    header = _header(source)
    return header is not None and any(_SERIES.fullmatch(cell) for cell in source.rows[header][1][1:])


def _header(source: Source) -> int | None:
    for index, (_, cells) in enumerate(source.rows[:MOST_PREAMBLE]):
        following = [row[0] for _, row in source.rows[index + 1 : index + 40]]
        if len(cells) > 1 and following and all(_is_date(cell) for cell in following) and not _is_date(cells[0]):
            return index
    return None


def _is_date(cell: str) -> bool:
    return read_date(cell) is not None or Dates([cell]).read(cell) is not None


def read(source: Source) -> list[Reading]:
    """Read the newest complete day.

    Raises:
        InputError: its columns count different things.
    """
    header = _header(source)
    assert header is not None  # noqa: S101 - recognised
    table = table_of(source, header)
    written = dict(zip(table.columns, source.rows[header][1], strict=True))
    found = {name: _SERIES.fullmatch(text) for name, text in written.items() if name != table.columns[0]}
    series = {name: match for name, match in found.items() if match is not None}
    metrics = sorted({match["metric"] for match in series.values()})
    if len(metrics) != 1:
        raise InputError(
            source.problem("counts clients in several ways", value="; ".join(metrics), hint="export one metric")
        )
    days = table.days(table.columns[0])
    numbers = table.numbers(*found)
    cells: dict[tuple[date, str], int] = {}
    blank = 0
    for number, row in table.rows:
        for name in found:
            value = table.whole(numbers, number, row, name)
            if value is None:
                blank += 1
            elif number in days:
                cells[days[number], name] = cells.get((days[number], name), 0) + value
    table.finish()
    if not cells:
        raise InputError(source.problem("holds no number", hint="choose a longer time on the page"))
    sums: dict[date, int] = {}
    for (day, _), value in cells.items():
        sums[day] = sums.get(day, 0) + value
    day, notes = newest_complete(sums, source.today, LAG_DAYS)
    out = [Dropped(reason="nothing reported (a blank is not zero)", rows=blank)] if blank else []
    older = [(d, v) for (d, _), v in cells.items() if d != day]
    if older:
        rows = len({d for d, _ in older})
        out.append(Dropped(reason="another day than the one used", rows=rows, clients=sum(v for _, v in older)))
    other = {name: v for (d, name), v in cells.items() if d == day and name not in series}
    if other:
        shown = ", ".join(sorted(written[name] for name in other))
        out.append(Dropped(reason=f"no version: {shown}", rows=len(other), clients=sum(other.values())))
    if not table.sure_of_dates:
        notes = (*notes, "dates read as month/day/year; nothing in the file tells")
    unit, said = _unit(metrics[0])
    return [
        Reading(
            file=source.file,
            kind=KIND,
            title="App Store Connect, Metrics page",
            source="app-store-connect",
            platform="ios",
            app=source.rows[0][1][1] if header and len(source.rows[0][1]) > 1 else "",
            unit=unit,
            day=day,
            rows=len(table.rows),
            read=sum(cells.values()),
            tallies=merged(
                Tally(version=series[name]["version"], clients=Count(low=v, high=v))
                for (d, name), v in cells.items()
                if d == day and name in series
            ),
            dropped=tuple(out),
            opted_in=True,
            chosen=True,
            notes=(*said, "only users who agreed are counted", *notes),
        )
    ]


def _unit(metric: str) -> tuple[str, tuple[str, ...]]:
    """Take the unit from the words of the header; a metric of 30 days says so in digits in every language."""
    if re.search(r"(?<!\d)30(?!\d)", metric):
        return "active devices, 30 days", (f"took the metric {metric}",)
    if metric.lower() == "active devices":
        return "active devices, 1 day", ("took Active Devices: those of one day",)
    return metric.lower(), (f"took the metric {metric} as the unit",)
