"""The releases of a plan that carry what is new, with the days on which they are handed in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from rotator.model.pins import Pin
from rotator.plan.carrying import Publication
from rotator.plan.draft import Carrier


@dataclass(frozen=True, slots=True, kw_only=True)
class Ships:
    """The releases that carry what is new, and when each is handed in; and what is published without one."""

    carriers: tuple[Carrier, ...]
    days: Mapping[str, date]
    published: tuple[Publication, ...] = ()

    def first(self) -> Iterator[Carrier]:
        """Give the first release of each app that carries what is new."""
        apps = dict.fromkeys(carrier.app for carrier in self.carriers)
        yield from (next(carrier for carrier in self.carriers if carrier.app == app) for app in apps)

    def later(self, app: str) -> list[str]:
        """Give the versions of an app that come after its first one, and carry it too."""
        return [carrier.version for carrier in self.carriers if carrier.app == app][1:]

    @property
    def arrivals(self) -> dict[tuple[str, str], datetime]:
        """Give when each reaches the first clients."""
        return {(carrier.app, carrier.version): carrier.at for carrier in self.carriers}

    @property
    def done(self) -> datetime | None:
        """Give the instant from which no client that is reached holds pins from before they were published."""
        return max((own.done for own in self.published), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Releases that bring the new pins and drop the old ones at once.

    Attributes:
        apps: by app, the keys that each brings as fresh spares, in the order of the goal's exchanges; "" for none.
        since: the first instant at which they may reach clients.
        drop: the pins that they drop.
    """

    apps: Mapping[str, tuple[str, ...]]
    since: datetime
    drop: frozenset[Pin]
