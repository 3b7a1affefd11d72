"""Fleet tables: how many clients run which version on which operating system."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from rotator.model.policy import Count


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRow:
    """One row of a fleet table: clients of a version of an app, by operating system where that is known."""

    app: str
    version: str
    os: str
    clients: Count
    day: date | None = None
    unit: str = ""


class FleetTable:
    """Clients by app, version and operating system; rows that are the same in these are one count."""

    def __init__(self, rows: Iterable[FleetRow] = ()) -> None:
        """Add rows up."""
        self._counts: dict[tuple[str, str], dict[str, Count]] = {}
        self._unit: dict[str, str] = {}
        for row in rows:
            own = self._counts.setdefault((row.app, row.version), {})
            before = own.get(row.os)
            own[row.os] = (
                row.clients
                if before is None
                else Count(low=before.low + row.clients.low, high=before.high + row.clients.high)
            )
            self._unit[row.app] = self._unit.get(row.app) or row.unit

    def __len__(self) -> int:
        """Give how many versions on how many systems there are."""
        return sum(map(len, self._counts.values()))

    def unit(self, app: str) -> str:
        """Give what an app is counted in; "" where nothing says it."""
        return self._unit.get(app, "")

    def counts(self, app: str, versions: Collection[str]) -> Iterator[tuple[str, Count]]:
        """Give the clients of some versions of an app by operating system."""
        for version in versions:
            yield from self._counts.get((app, version), {}).items()
