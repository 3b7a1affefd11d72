"""Counts of several days: what share ran a release or a newer one, and what a curve makes of the day before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rotator.model.adoption import Curve, where
from rotator.model.policy import App
from rotator.model.versions import order as version_order
from rotator.model.when import start_of
from rotator.simulate.roads import Line, launches_of, road_of
from rotator.simulate.tables import FleetRow


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """The clients of an app on a day, by version.

    Attributes:
        day: when they were counted.
        clients: the middle of each count, of versions that the policy knows.
    """

    day: date
    clients: Mapping[str, float]

    def at_least(self, versions: Sequence[str]) -> float:
        """Give the share of clients on some versions."""
        whole = sum(self.clients.values())
        return sum(self.clients.get(version, 0.0) for version in versions) / whole if whole else 0.0


def day_counts(app: App, rows: Iterable[FleetRow]) -> tuple[DayCount, ...]:
    """Add rows up by day and release, oldest day first; rows without a day, or of no release, are left out."""
    names = {name: release.version for release in app.releases for name in (release.version, *release.also)}
    found: dict[date, dict[str, float]] = {}
    for row in rows:
        version = names.get(row.version)
        if row.day is not None and version is not None:
            own = found.setdefault(row.day, {})
            own[version] = own.get(version, 0.0) + (row.clients.low + row.clients.high) / 2
    return tuple(DayCount(day=day, clients=found[day]) for day in sorted(found) if sum(found[day].values()) > 0)


def newer_than_oldest(app: App) -> list[tuple[str, date, tuple[str, ...]]]:
    """Give each dated release but the oldest, oldest first: its version, its day, and it with every newer one."""
    order = sorted(app.releases, key=lambda release: version_order(release.version))
    return [
        (release.version, release.released, tuple(r.version for r in order[index:]))
        for index, release in enumerate(order)
        if index and release.released is not None
    ]


def foretold(name: str, app: App, curve: Curve, before: DayCount, day: date) -> dict[str, float]:
    """Give the share of each version on a day, as a curve moves the counts of an earlier one."""
    line = Line.of(name, app, start_of(before.day), {})
    road = road_of(line, [True] * len(line.ranked))
    whole = sum(before.clients.values())
    found: dict[str, float] = {}
    for rank, index in enumerate(line.ranked):
        share = before.clients.get(app.releases[index].version, 0.0) / whole
        if share <= 0:
            continue
        ahead = launches_of(line, range(rank + 1, len(line.ranked)))
        there = where(curve, line.mix(curve, rank, road), rank, ahead, (), float((day - before.day).days))
        for to, part in there.on.items():
            version = app.releases[line.ranked[to]].version
            found[version] = found.get(version, 0.0) + share * part
    return found
