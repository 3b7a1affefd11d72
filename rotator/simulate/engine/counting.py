"""Counting clients in columns: each once, with the range where numbers or answers are not certain.

Clients whose cohorts use the same hosts, in the same shares, through the same units are a class. Where a whole class
is hit or none of it, its sizes are added once, whatever the number of cohorts. Where a share of it is hit, each cohort
is rounded on its own, as `rotator.simulate.totals` does it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rotator.model.policy import Count
from rotator.simulate.engine.codes import Flags, Indexes
from rotator.simulate.engine.moving import SizedFleet
from rotator.simulate.engine.rulebook import instant_number
from rotator.simulate.fleet import Connection, Fleet
from rotator.simulate.impact import Who, who_of
from rotator.simulate.totals import Total, by_cohort, share_of, union

Shares = NDArray[np.float64]
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Hits:
    """Which connections are hit, and which of them for certain."""

    hit: Flags
    sure: Flags

    def __or__(self, other: Hits) -> Hits:
        """Give what is hit at either of two instants."""
        return Hits(self.hit | other.hit, self.sure | other.sure)

    def lacks(self, other: Hits) -> bool:
        """Say whether something of another one is not hit here, or not for certain."""
        return bool((other.hit & ~self.hit).any() or (other.sure & ~self.sure).any())


@dataclass(frozen=True, slots=True)
class _Profile:
    """Cohorts that use as many hosts in the same order and shares.

    Attributes:
        cohorts: their places among those that have connections.
        connections: a row of connections for each.
        shares: host and share of each column.
        whole: every share is 1.
    """

    cohorts: Indexes
    connections: Indexes
    shares: tuple[tuple[str, float], ...]
    whole: bool


class Census:
    """Everybody, with their numbers and the connections they have."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self._by_size: tuple[Indexes, Indexes] | None = None
        groups = list(by_cohort(fleet.connections))
        self.cohorts = [cohort for cohort, _ in groups]
        """Who they are; of how many only a fleet tells."""
        lengths = [len(group) for _, group in groups]
        self.starts: Indexes = np.append(0, np.cumsum(lengths, dtype=np.int64))
        self.mixed = fleet.mixed
        self._base = fleet
        self._size()
        self._names: dict[str, int] = {}
        self.app = self._numbered([c.app for c in self.cohorts])
        self.trust = self._numbered([c.trust for c in self.cohorts])
        self.unit = self._numbered([c.unit for c in self.cohorts])
        self.profiles = _profiles([group for _, group in groups])
        self.cohort_of: Indexes = np.repeat(np.arange(len(groups)), lengths)
        self.share: Shares = np.array([c.share for c in fleet.connections], np.float64)
        since = [0 if c.cohort.since is None else instant_number(c.cohort.since) for c in fleet.connections]
        self._since = np.array(since, np.int64) if any(since) else None
        self._on_host: dict[str, tuple[Indexes, Indexes]] = {}
        self.hosts = list(dict.fromkeys(c.host for c in fleet.connections))
        places = {host: number for number, host in enumerate(self.hosts)}
        self.host: Indexes = np.array([places[c.host] for c in fleet.connections], np.int64)
        self._whos: dict[Who, list[int]] = {}
        self._unions: dict[tuple[tuple[tuple[str, float], ...], bytes], tuple[float, float]] = {}

    @cached_property
    def names(self) -> list[str]:
        """Give what each cohort is called."""
        return [cohort.name for cohort in self.cohorts]

    def cohorts_of(self, who: Who) -> Sequence[int]:
        """Give the places of the cohorts that are somebody."""
        if not self._whos:
            for place, cohort in enumerate(self.cohorts):
                self._whos.setdefault(who_of(cohort), []).append(place)
        return self._whos.get(who, ())

    def hosts_of(self, connections: Flags) -> frozenset[str]:
        """Give the hosts of some connections."""
        found = self.host[connections]
        return frozenset(self.hosts[number] for number in np.unique(found).tolist())

    def by_size(self) -> Indexes:
        """Give all connections, those of most clients first, of as many in their order."""
        if self._by_size is None:
            sizes = np.where(
                self.share == 1, self.high[self.cohort_of], np.rint(self.high[self.cohort_of] * self.share)
            )
            self._by_size = np.argsort(-sizes, kind="stable").astype(np.int64), sizes.astype(np.int64)
        return self._by_size[0]

    def sizes(self) -> Indexes:
        """Give the clients of each connection, 0 where nobody knows."""
        self.by_size()
        assert self._by_size is not None  # noqa: S101 - just made
        return self._by_size[1]

    def _size(self) -> None:
        fleet = self.fleet
        if isinstance(fleet, SizedFleet) and self._places is not None:
            own = fleet.sizes
            self.low, self.high, self.known = own.low[self._places], own.high[self._places], own.known[self._places]
        else:
            clients = [fleet.connections[first].cohort.clients for first in self.starts[:-1].tolist()]
            self.low = np.array([0 if count is None else count.low for count in clients], np.int64)
            self.high = np.array([0 if count is None else count.high for count in clients], np.int64)
            self.known = np.array([count is not None for count in clients], np.bool_)
        self.population: Count | None = fleet.population
        self._by_size = None

    @cached_property
    def _places(self) -> Indexes | None:
        """Give the place in the fleet of each cohort that has connections; None where that is not told."""
        places = {id(cohort): place for place, cohort in enumerate(self._base.cohorts)}
        found = [places.get(id(cohort), -1) for cohort in self.cohorts]
        return None if -1 in found else np.array(found, np.int64)

    def sized(self, fleet: Fleet) -> Census:
        """Give the same people in the numbers of another time: the same cohorts, of other sizes."""
        if fleet is self.fleet:
            return self
        self._places  # noqa: B018 - worked out once for all sizes
        found = copy(self)
        found.fleet = fleet
        found._on_host = {}  # noqa: SLF001 - a census as well
        found._size()  # noqa: SLF001
        return found

    def _numbered(self, names: Sequence[str]) -> Indexes:
        return np.array([self._names.setdefault(name, len(self._names)) for name in names], np.int64)

    def out_at(self, at: datetime) -> Flags:
        """Say of each connection whether anybody has it at an instant."""
        if self._since is None:
            return np.ones(len(self.fleet.connections), np.bool_)
        found: Flags = self._since <= instant_number(at)
        return found

    def total(self, hits: Hits, app: str | None = None, trust: str | None = None) -> Total:
        """Count the clients behind some connections, each once; within an app or a trust store where one is named."""
        inside = self._inside(app, trust)
        shareless = bool((inside & ~self.known).any()) or (app is None and self.mixed)
        return self._told(self._sums(hits, inside), shareless=shareless)

    def sums(self, hits: Hits) -> Indexes:
        """Give what a total is made of, which adds up over cohorts.

        Clients hit for certain; clients that may be hit; the certain clients beside those; cohorts hit of a size that
        nobody knows; where apps are counted in unlike units, the cohorts hit of each unit.
        """
        return self._sums(hits, np.ones(len(self.cohorts), np.bool_))

    def told(self, sums: Indexes) -> Total:
        """Give the total that some sums make."""
        return self._told(sums, shareless=bool((~self.known).any()) or self.mixed)

    def is_unknown(self, sums: Indexes) -> Flags:
        """Say of sums, in the last axis, whether nobody knows how many clients they make."""
        found: Flags = sums[..., 3] > 0
        return found | ((sums[..., 4:] > 0).sum(axis=-1) > 1) if self.mixed else found

    def _sums(self, hits: Hits, inside: Flags) -> Indexes:
        most = np.where(inside, self._shares(hits.hit)[1], 0.0)
        least = np.where(inside, self._shares(hits.sure)[0], 0.0)
        touched, counted = most > 0, inside & self.known
        units = [int((touched & self.known & (self.unit == unit)).sum()) for unit in self._units()]
        return np.array(
            [
                int(_floor(self.low, least).sum()),
                int(_ceil(self.high, most).sum()),
                int((self.low[counted] - _ceil(self.low[counted], most[counted])).sum()),
                int((touched & ~self.known).sum()),
                *units,
            ],
            np.int64,
        )

    def _told(self, sums: Indexes, *, shareless: bool) -> Total:
        if self.is_unknown(sums):
            return Total(low=None, high=None, share=None)
        low, high, rest = sums[:3].tolist()
        if high == 0:
            return Total(low=0, high=0, share=0.0)
        return Total(low=low, high=high, share=None if shareless else share_of(high, high + rest))

    def _units(self) -> Sequence[int]:
        return [int(unit) for unit in np.unique(self.unit)] if self.mixed else ()

    def weights(self, column: int) -> Indexes:
        """Give what each cohort adds to a column of sums where all of it is hit."""
        columns = (self.low, self.high, -self.low, ~self.known, *((self.unit == u) & self.known for u in self._units()))
        found: Indexes = columns[column].astype(np.int64)
        return found

    def part(self, column: int, cohorts: Indexes, hit: frozenset[int]) -> int:
        """Give what cohorts of one profile add to a column of sums where some of their connections are hit.

        Args:
            column: of the sums.
            cohorts: their places.
            hit: the places of what is hit among the connections of each.
        """
        shares = self._profile[int(cohorts[0])].shares
        packed = np.packbits(np.isin(np.arange(len(shares)), list(hit)))
        least, most = self._union(shares, packed)
        low, high, known = self.low[cohorts], self.high[cohorts], self.known[cohorts]
        if column == 0:
            return int(_floor(low, np.array(least)).sum())
        if column == 1:
            return int(_ceil(high, np.array(most)).sum())
        if column == 2:
            return int((low - _ceil(low, np.array(most)))[known].sum())
        return int(self.weights(column)[cohorts].sum()) if most > 0 else 0

    def alike(self, cohort: int) -> Hashable:
        """Give the hosts and shares of a cohort: what `part` asks to be one for all."""
        return self._profile[cohort].shares

    @cached_property
    def whole(self) -> Flags:
        """Say of each cohort whether all of it uses each of its hosts."""
        found = np.zeros(len(self.cohorts), np.bool_)
        for profile in self.profiles:
            found[profile.cohorts] = profile.whole
        return found

    @cached_property
    def _profile(self) -> dict[int, _Profile]:
        return {cohort: profile for profile in self.profiles for cohort in profile.cohorts.tolist()}

    def rest(self, hits: Hits) -> Total:
        """Count the clients that use none of some connections."""
        if self.population is None:
            return Total(low=None, high=None, share=None)
        low = int((self.low - _ceil(self.low, self._shares(hits.hit)[1])).sum())
        high = int((self.high - _floor(self.high, self._shares(hits.sure)[0])).sum())
        return Total(low=low, high=high, share=share_of(high, self.population.high))

    def on_host(self, host: str, hits: Hits) -> tuple[int, int]:
        """Count the clients of a host that are hit, and all of them; those whose number nobody knows count as one."""
        if host not in self._on_host:
            own = [c for c in self.fleet.connections if c.host == host]
            sizes = [1 if c.clients is None else c.clients.high for c in own]
            self._on_host[host] = np.array([c.index for c in own], np.int64), np.array(sizes, np.int64)
        places, clients = self._on_host[host]
        return int(clients[hits.hit[places]].sum()), int(clients.sum())

    def _inside(self, app: str | None, trust: str | None) -> Flags:
        found = np.ones(len(self.cohorts), np.bool_)
        if app is not None:
            found &= self.app == self._names.get(app, -1)
        if trust is not None:
            found &= self.trust == self._names.get(trust, -1)
        return found

    def _shares(self, hit: Flags) -> tuple[Shares, Shares]:
        """Give for each cohort the least and the most of it that uses any of some connections."""
        least = np.zeros(len(self.cohorts))
        most = np.zeros(len(self.cohorts))
        for profile in self.profiles:
            rows = hit[profile.connections]
            if profile.whole:
                least[profile.cohorts] = most[profile.cohorts] = rows.any(axis=1)
                continue
            packed = np.packbits(rows, axis=1)
            alike, places = np.unique(packed, axis=0, return_inverse=True)
            found = np.array([self._union(profile.shares, row) for row in alike]).reshape(len(alike), 2)
            least[profile.cohorts] = found[places.ravel(), 0]
            most[profile.cohorts] = found[places.ravel(), 1]
        return least, most

    def _union(self, used: tuple[tuple[str, float], ...], packed: NDArray[np.uint8]) -> tuple[float, float]:
        key = (used, packed.tobytes())
        if key not in self._unions:
            bits = np.unpackbits(packed, count=len(used)).tolist()
            shares: dict[str, float] = {}
            for (host, share), bit in zip(used, bits, strict=True):
                if bit:
                    shares[host] = max(shares.get(host, 0.0), share)
            self._unions[key] = union(list(shares.values()))
        return self._unions[key]


def _profiles(groups: Sequence[Sequence[Connection]]) -> tuple[_Profile, ...]:
    found: dict[tuple[tuple[str, float], ...], tuple[list[int], list[list[int]]]] = {}
    for number, group in enumerate(groups):
        cohorts, rows = found.setdefault(tuple((c.host, c.share) for c in group), ([], []))
        cohorts.append(number)
        rows.append([c.index for c in group])
    return tuple(
        _Profile(
            np.array(cohorts, np.int64),
            np.array(rows, np.int64),
            shares,
            whole=all(share == 1 for _, share in shares),
        )
        for shares, (cohorts, rows) in found.items()
    )


def _floor(clients: Indexes, share: Shares) -> Indexes:
    found: Indexes = np.floor(clients * share + _ROUNDING).astype(np.int64)
    return found


def _ceil(clients: Indexes, share: Shares) -> Indexes:
    found: Indexes = np.ceil(clients * share - _ROUNDING).astype(np.int64)
    return found
