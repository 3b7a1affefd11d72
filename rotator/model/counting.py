"""What a file of user counts says, before anybody asks which releases of a policy it is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from rotator.model.policy import Count

DEVICES_30 = "active devices, 30 days"
"""The unit that both stores can give: devices seen in the last 30 days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Clients of one version, on one operating system where that is said.

    Attributes:
        version: the version's name, "" where only its code is known, or where clients are counted by system alone.
        build: the version's code; None where the name is known.
        os: the operating system as the file says it, "" where it does not.
        clients: how many.
    """

    version: str = ""
    build: int | None = None
    os: str = ""
    clients: Count

    @property
    def label(self) -> str:
        """Name the version as the file does."""
        return self.version or ("" if self.build is None else str(self.build))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Rows that were read and are not used, and why."""

    reason: str
    rows: int
    clients: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One file of counts as read; every number of it is either in the tallies or among what was dropped.

    Attributes:
        file: its name as given.
        kind: a stable id of the format, such as `play-bulk`.
        title: what it was recognised as, in words.
        source: where such files come from, such as `play-console`.
        platform: `android`, `ios`, or "" where it can be either.
        app: what the file calls the app.
        named: whether that name is one of the policy's own.
        unit: what is counted.
        day: the newest complete day, which the numbers are of; None where the file does not say.
        rows: how many rows were read, those dropped among them.
        read: the sum of every number read.
        tallies: the numbers used.
        dropped: what was left out.
        total: all clients by the file's own count, hidden versions among them; None where it does not say.
        opt_in: the share of users who are counted at all, from low to high, where the file says it.
        opted_in: whether only those who agreed are counted.
        chosen: whether the file shows versions that somebody picked, so that absence says nothing.
        keys: what tells the rows of one instance of a report apart; two instances of a day share some.
        processed: the day the report was made, where it says so; a later one replaces an earlier one.
        notes: what a person should know about these numbers.
    """

    file: str
    kind: str
    title: str
    source: str
    platform: str = ""
    app: str = ""
    named: bool = False
    unit: str = ""
    day: date | None = None
    rows: int = 0
    read: int = 0
    tallies: tuple[Tally, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    total: int | None = None
    opt_in: tuple[float, float] | None = None
    opted_in: bool = False
    chosen: bool = False
    keys: frozenset[tuple[str, ...]] = frozenset()
    processed: date | None = None
    notes: tuple[str, ...] = ()

    @property
    def used(self) -> int:
        """Add up the numbers that are used, the upper ones of ranges."""
        return sum(tally.clients.high for tally in self.tallies)

    @property
    def by_version(self) -> bool:
        """Say whether clients are counted by version."""
        return any(tally.label for tally in self.tallies)


def merged(tallies: Iterable[Tally]) -> tuple[Tally, ...]:
    """Add up tallies of the same version and system, in a settled order."""
    found: dict[tuple[str, int | None, str], Count] = {}
    for tally in tallies:
        key = (tally.version, tally.build, tally.os)
        old = found.get(key, Count(low=0, high=0))
        found[key] = Count(low=old.low + tally.clients.low, high=old.high + tally.clients.high)
    order = sorted(found, key=lambda key: (key[0], -1 if key[1] is None else key[1], key[2]))
    return tuple(Tally(version=k[0], build=k[1], os=k[2], clients=found[k]) for k in order)


def dropped(entries: Iterable[tuple[str, int]]) -> tuple[Dropped, ...]:
    """Add up what was dropped by reason, from reasons and clients of single rows."""
    found: dict[str, tuple[int, int]] = {}
    for reason, clients in entries:
        rows, before = found.get(reason, (0, 0))
        found[reason] = (rows + 1, before + clients)
    return tuple(Dropped(reason=reason, rows=rows, clients=n) for reason, (rows, n) in sorted(found.items()))
