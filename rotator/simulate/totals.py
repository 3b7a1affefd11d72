"""Counting clients: each once, with the range where numbers or answers are not certain."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rotator.simulate.cohorts import Cohort
from rotator.simulate.fleet import Connection, Fleet


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """Clients and their share.

    Attributes:
        low, high: how many; None when a number is not known.
        share: the upper number as a share of all; None when it is not known.
    """

    low: int | None
    high: int | None
    share: float | None

    @property
    def none(self) -> bool:
        """Say whether it is nobody for certain."""
        return self.high == 0


def rest_of(fleet: Fleet, connections: Mapping[int, bool]) -> Total:
    """Count the clients that use none of some connections; see `total_of`."""
    whole = fleet.population
    if whole is None:
        return Total(low=None, high=None, share=None)
    low = high = 0
    for cohort, group in by_cohort(fleet.connections):
        least = union(_by_host(c for c in group if connections.get(c.index)))[0]
        most = union(_by_host(c for c in group if c.index in connections))[1]
        if cohort.clients is not None:
            low += cohort.clients.low - math.ceil(cohort.clients.low * most - 1e-9)
            high += cohort.clients.high - math.floor(cohort.clients.high * least + 1e-9)
    return Total(low=low, high=high, share=share_of(high, whole.high))


def by_cohort(connections: Sequence[Connection]) -> Iterator[tuple[Cohort, list[Connection]]]:
    """Group connections, which stand in the order of their cohorts."""
    group: list[Connection] = []
    for connection in connections:
        if group and group[0].cohort is not connection.cohort:
            yield group[0].cohort, group
            group = []
        group.append(connection)
    if group:
        yield group[0].cohort, group


def _by_host(connections: Iterable[Connection]) -> list[float]:
    """Give the share of a cohort that uses each host; connections beside one another are those of the same clients."""
    shares: dict[str, float] = {}
    for connection in connections:
        shares[connection.host] = max(shares.get(connection.host, 0.0), connection.share)
    return list(shares.values())


def union(shares: Sequence[float]) -> tuple[float, float]:
    """Give the least and the most of a cohort that uses any of some hosts, when only each share is known."""
    if not shares:
        return 0.0, 0.0
    return max(shares), min(1.0, sum(shares))


def total_of(fleet: Fleet, connections: Mapping[int, bool], app: str | None = None, trust: str | None = None) -> Total:
    """Count the clients behind some connections, each once.

    Args:
        fleet: everybody.
        connections: index of each connection, and whether it is certain; the uncertain count in the upper
            number only.
        app: count, and take shares, within this app only.
        trust: the same for one trust store.
    """
    if not connections:
        return Total(low=0, high=0, share=0.0)
    low = high = rest = 0
    unknown_hit = unknown = False
    units: set[str] = set()
    for place, group in fleet.groups:
        cohort = group[0].cohort
        if (app is not None and cohort.app != app) or (trust is not None and cohort.trust != trust):
            continue
        clients = fleet.clients(place)
        hit = [c for c in group if c.index in connections]
        if not hit:
            unknown = unknown or clients is None
            rest += clients.low if clients is not None else 0
            continue
        least = union(_by_host(c for c in hit if connections[c.index]))[0]
        most = union(_by_host(hit))[1]
        if clients is None:
            unknown = True
            unknown_hit = unknown_hit or most > 0
            continue
        if most > 0:
            units.add(cohort.unit)
        low += math.floor(clients.low * least + 1e-9)
        high += math.ceil(clients.high * most - 1e-9)
        rest += clients.low - math.ceil(clients.low * most - 1e-9)
    if unknown_hit or (len(units) > 1 and fleet.mixed):
        return Total(low=None, high=None, share=None)
    if high == 0:
        return Total(low=0, high=0, share=0.0)
    shareless = unknown or (app is None and fleet.mixed)
    return Total(low=low, high=high, share=None if shareless else share_of(high, high + rest))


def share_of(part: int, whole: int) -> float:
    """Give a share; the share of nobody is 0."""
    return part / whole if whole else 0.0
