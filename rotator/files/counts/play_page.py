"""Google Play's Statistics page, Export report: one row a day, one column for each metric and version.

Source: support.google.com/googleplay/android-developer/answer/139628 and exports people published. Columns read
`Install base (All devices, Unique devices, Per interval, Daily): 239`; the page shows the versions somebody picked.
"""

from __future__ import annotations

import re
from datetime import date

from rotator.errors import InputError
from rotator.files.counts.table import Source, newest_complete, table_of
from rotator.model.counting import Dropped, Reading, Tally, merged
from rotator.model.policy import Count

KIND = "play-page"
LAG_DAYS = 2
_COLUMN = re.compile(r"(?P<metric>[^():]+?) ?\((?P<how>[^()]*)\): ?(?P<value>.+)")
_CODE = re.compile(r"(?P<code>\d{1,12})(?: ?\((?P<name>[^()]+)\))?")
_NAMED = re.compile(r"(?P<name>\d+(?:\.[\w-]+)+) ?(?:\((?P<code>\d{1,12})\))?")
_ALL = re.compile(r"all\b.*", re.IGNORECASE)
_SYSTEM = re.compile(r"android\b.*", re.IGNORECASE)
#: Metrics that count who is there, not what happened.
STOCK = ("active devices", "install base", "installed audience", "monthly active users", "daily active users")


def recognise(source: Source) -> bool:
    """Say whether it is one of them: any column has a metric, how it was counted, and a value."""
    return len(source.first) > 1 and any(_COLUMN.fullmatch(cell) for cell in source.first[1:])


def read(source: Source) -> list[Reading]:
    """Read the newest complete day of the first metric that counts clients.

    Raises:
        InputError: no column counts clients, or two metrics do.
    """
    table = table_of(source)
    # The header as it is written: names of versions may hold capitals.
    written = dict(zip(table.columns, source.first, strict=True))
    found = {name: _COLUMN.fullmatch(text) for name, text in written.items()}
    series = {name: match for name, match in found.items() if match and match["metric"].strip().lower() in STOCK}
    metrics = sorted({_unit(match) for match in series.values()})
    if len(metrics) != 1:
        raise InputError(
            source.problem(
                "counts clients in several ways" if metrics else "has no column that counts clients",
                value="; ".join(metrics) or None,
                expected="one of: " + ", ".join(STOCK),
                hint="choose one metric on the page and export again",
            )
        )
    days = table.days(table.columns[0])
    numbers = table.numbers(*series)
    cells: dict[tuple[date, str], int] = {}
    blank = 0
    for number, row in table.rows:
        for name in series:
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
    tallies, total, out = _columns({n: v for (d, n), v in cells.items() if d == day}, series)
    older = [(d, v) for (d, _), v in cells.items() if d != day]
    if older:
        out.append(
            Dropped(
                reason="another day than the one used",
                rows=len({d for d, _ in older}),
                clients=sum(v for _, v in older),
            )
        )
    if blank:
        out.append(Dropped(reason="nothing reported (a blank is not zero)", rows=blank))
    if not table.sure_of_dates:
        notes = (*notes, "dates read as month/day/year; nothing in the file tells")
    return [
        Reading(
            file=source.file,
            kind=KIND,
            title="Play Console, Statistics page",
            source="play-console",
            platform="android",
            unit=metrics[0],
            day=day,
            rows=len(table.rows),
            read=sum(cells.values()),
            tallies=merged(tallies),
            dropped=tuple(out),
            total=total,
            chosen=True,
            notes=("the page shows the versions that were picked on it", *notes),
        )
    ]


def _columns(cells: dict[str, int], series: dict[str, re.Match[str]]) -> tuple[list[Tally], int | None, list[Dropped]]:
    """Tell columns of versions, of systems and of everybody apart."""
    tallies: list[Tally] = []
    out: list[Dropped] = []
    total: int | None = None
    for name, value in cells.items():
        label = series[name]["value"].strip()
        count = Count(low=value, high=value)
        code, named = _CODE.fullmatch(label), _NAMED.fullmatch(label)
        if code is not None:
            tallies.append(Tally(build=int(code["code"]), clients=count))
        elif named is not None and named["code"]:
            tallies.append(Tally(build=int(named["code"]), clients=count))
        elif named is not None:
            tallies.append(Tally(version=named["name"], clients=count))
        elif _SYSTEM.fullmatch(label):
            tallies.append(Tally(os=label, clients=count))
        elif _ALL.fullmatch(label):
            total = max(total or 0, value)
            out.append(Dropped(reason="the total, not a version", rows=1, clients=value))
        else:
            out.append(Dropped(reason=f"neither a version nor a system: {label}", rows=1, clients=value))
    if any(t.label for t in tallies) and not all(t.label for t in tallies):
        systems = [t for t in tallies if not t.label]
        out.append(
            Dropped(reason="by system beside versions", rows=len(systems), clients=sum(t.clients.high for t in systems))
        )
        tallies = [t for t in tallies if t.label]
    return tallies, total, out


def _unit(match: re.Match[str]) -> str:
    metric = match["metric"].strip().lower()
    parts = [part.strip().lower() for part in match["how"].split(",")]
    period = next((part for part in parts if part in ("daily", "weekly", "monthly", "28 days", "30 days")), "")
    who = next((part.removeprefix("unique ") for part in parts if part.startswith("unique ")), "")
    shown = f"{metric} ({who})" if who and who not in metric else metric
    return f"{shown}, {period}" if period and period not in metric else shown
