"""Sweeps: many configurations on many hosts in many scenarios over many days, for clients without end.

For rules that are nothing but pins: a client accepts a chain that it trusts and that has one of its pins, on the leaf
or anywhere in it. Everything is said in numbers: pins, trust stores, configurations. Cohorts are read once, to be added
up by class; after that nothing depends on how many there are. Time comes as curves, one for each kind of release: the
weights of days are sizes by curves, never cohorts by days.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain as chain_of

import numpy as np
from numpy.typing import NDArray

from rotator.model.progress import Progress, Silent
from rotator.simulate.engine.codes import Flags, Indexes

Weights = NDArray[np.float64]
Masks = NDArray[np.uint64]
WORD = 64
CHUNK = 16
"""Hosts between two reports of progress."""
PART = 500_000
"""Cohorts added up at once."""


@dataclass(frozen=True, slots=True)
class PinMask:
    """One pinset of a host: pins that count on the leaf, pins that count anywhere in the chain."""

    leaf: frozenset[int]
    any: frozenset[int]


@dataclass(frozen=True, slots=True)
class ChainMask:
    """One chain: the pins its leaf matches, those that any of its certificates matches, and who trusts it."""

    leaf: frozenset[int]
    any: frozenset[int]
    trusted_by: frozenset[int]


@dataclass(frozen=True, slots=True)
class HostSweep:
    """What is asked of one host.

    Attributes:
        pinsets: its distinct pinsets.
        configured: by configuration, the pinset it has for this host.
        situations: the distinct pairs of chains: ours, and the attacker's or None.
        scenarios: by scenario, the periods of it: the day from which on, and the situation.
    """

    pinsets: Sequence[PinMask]
    configured: Indexes
    situations: Sequence[tuple[ChainMask, ChainMask | None]]
    scenarios: Sequence[Sequence[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class People:
    """All cohorts, added up by class.

    Attributes:
        sizes: clients by configuration, trust store and curve.
        curves: by curve and day, the share of its clients that are still there.
    """

    sizes: Weights
    curves: Weights

    @classmethod
    def of(cls, classes: Indexes, clients: NDArray[np.float64], shape: tuple[int, int, int], curves: Weights) -> People:
        """Read cohorts once.

        Args:
            classes: by cohort, configuration, trust store and curve in one number, the last counting fastest.
            clients: by cohort, its size.
            shape: how many of each there are.
            curves: see above.
        """
        wide = shape[0] * shape[1] * shape[2]
        return cls(_added(classes, clients, wide).reshape(shape), curves)


def _added(classes: Indexes, clients: NDArray[np.float64], wide: int) -> Weights:
    """Add clients up by class, in parts that stay in the cache, by two threads where there are many."""
    size = max(PART, 4 * wide)  # each part costs as much again as there are classes
    if len(classes) < 4 * size:
        return np.bincount(classes, clients, wide).astype(np.float64, copy=False)

    def part(begin: int, end: int) -> Weights:
        found = np.zeros(wide)
        for first in range(begin, end, size):
            own = slice(first, min(first + size, end))
            found += np.bincount(classes[own], clients[own], wide)
        return found

    half = len(classes) // 2
    with ThreadPoolExecutor(1) as other:
        rest = other.submit(part, half, len(classes))
        return part(0, half) + rest.result()


@dataclass
class Swept:
    """What a sweep found, kept small.

    Attributes:
        accepted: by host: clients by situation, curve: those our chain is accepted by.
        exposed: the same for the attacker's.
        scenarios: by host, as asked.
        curves: by curve and day.
        everybody: clients by curve.
    """

    curves: Weights
    everybody: Weights
    accepted: list[Weights] = field(default_factory=list)
    exposed: list[Weights] = field(default_factory=list)
    scenarios: list[Sequence[Sequence[tuple[int, int]]]] = field(default_factory=list)

    def by_situation(self, host: int) -> tuple[Weights, Weights]:
        """Give clients broken and exposed on a host: by situation and day."""
        broken = self.everybody - self.accepted[host]
        return broken @ self.curves, self.exposed[host] @ self.curves

    def by_scenario(self, host: int) -> tuple[Weights, Weights]:
        """Give clients broken and exposed on a host: by scenario and day."""
        days = self.curves.shape[1]
        broken, exposed = self.by_situation(host)
        place = np.empty((len(self.scenarios[host]), days), np.int64)
        for row, periods in enumerate(self.scenarios[host]):
            for begin, situation in periods:
                place[row, begin:] = situation
        every = np.arange(days)
        return broken[place, every], exposed[place, every]


def sweep(
    people: People,
    hosts: Sequence[HostSweep],
    progress: Progress | None = None,
    compiled: Sequence[Compiled] | None = None,
) -> Swept:
    """Judge every distinct pinset in every distinct situation, and count.

    Args:
        people: everybody.
        hosts: what is asked.
        progress: hears how far it is, and may give it up.
        compiled: the hosts' pinsets, where they were compiled before.
    """
    listening = progress or Silent()
    configurations, stores, kinds = people.sizes.shape
    flat = people.sizes.reshape(configurations, stores * kinds)
    everybody = np.ones(configurations * stores) @ people.sizes.reshape(-1, kinds)
    found = Swept(people.curves, everybody)
    for begin in range(0, len(hosts), CHUNK):
        listening.step(begin, len(hosts), "sweep")
        some = hosts[begin : begin + CHUNK]
        ready = [Compiled.of(host) for host in some] if compiled is None else compiled[begin : begin + CHUNK]
        # One product for all of them: what each chain is taken by, in every trust store, before trust is asked.
        bits = [own.hits().take(host.configured, axis=1) for own, host in zip(ready, some, strict=True)]
        taken = (np.concatenate(bits).astype(np.float64) @ flat).reshape(-1, stores, kinds)
        trusted = np.concatenate([own.trusted(stores) for own in ready])
        counted = np.einsum("cs,csk->ck", trusted, taken)
        first = 0
        for own, host in zip(ready, some, strict=True):
            end = first + len(own.chains)
            rows = np.concatenate([counted[first:end], np.zeros((1, kinds))])
            found.accepted.append(rows[own.ours])
            found.exposed.append(rows[own.theirs])
            found.scenarios.append(host.scenarios)
            first = end
    return found


@dataclass(frozen=True, slots=True)
class Compiled:
    """The pinsets of a host as bits, the chains that are asked about, each once, and where situations have them.

    Attributes:
        chains: the chains.
        ours, theirs: by situation, the place of its chain; the place behind all of them where there is none.
    """

    chains: tuple[ChainMask, ...]
    ours: Indexes
    theirs: Indexes
    leaf: Masks
    any: Masks
    chain_leaf: Masks
    chain_any: Masks

    @classmethod
    def of(cls, host: HostSweep) -> Compiled:
        """Compile the pinsets of a host: once, for as long as its pinsets and chains stay the same."""
        places: dict[ChainMask | None, int] = {}
        for pair in host.situations:
            for chain in pair:
                if chain is not None:
                    places.setdefault(chain, len(places))
        chains = tuple(chain for chain in places if chain is not None)
        places[None] = len(chains)
        # Pins that no chain has can match nothing.
        live = np.array(sorted({pin for chain in chains for pin in chain.any | chain.leaf}), np.int64)
        masks = _masks(
            [
                *(own.leaf for own in host.pinsets),
                *(own.any for own in host.pinsets),
                *(own.leaf for own in chains),
                *(own.any for own in chains),
            ],
            live,
        )
        size, end = len(host.pinsets), 2 * len(host.pinsets) + len(chains)
        return cls(
            chains,
            np.array([places[ours] for ours, _ in host.situations], np.int64),
            np.array([places[theirs] for _, theirs in host.situations], np.int64),
            masks[:size],
            masks[size : 2 * size],
            masks[2 * size : end],
            masks[end:],
        )

    def hits(self) -> Flags:
        """Say of every chain and pinset whether the chain has a pin of it."""
        found = self.leaf[None] & self.chain_leaf[:, None]
        found |= self.any[None] & self.chain_any[:, None]
        hit: Flags = found[:, :, 0] != 0 if found.shape[2] == 1 else (found != 0).any(axis=2)
        return hit

    def trusted(self, stores: int) -> Weights:
        """Give for every chain and trust store 1 where it is trusted, else 0."""
        rows = [[float(store in chain.trusted_by) for store in range(stores)] for chain in self.chains]
        return np.array(rows, np.float64).reshape(len(rows), stores)


def _masks(sets: Sequence[frozenset[int]], live: Indexes) -> Masks:
    """Write sets of pins as bits, those that are live in order; others are left out."""
    lengths = np.fromiter(map(len, sets), np.int64, len(sets))
    pins = np.fromiter(chain_of.from_iterable(sets), np.int64, int(lengths.sum()))
    found = np.zeros((len(sets), max(1, -(-len(live) // WORD))), np.uint64)
    if not len(pins) or not len(live):
        return found
    place = np.minimum(np.searchsorted(live, pins), len(live) - 1)
    bit = np.left_shift(np.uint64(1), (place % WORD).astype(np.uint64))
    bit[live[place] != pins] = 0
    full = np.flatnonzero(lengths)
    starts = (np.cumsum(lengths) - lengths)[full]
    for word in range(found.shape[1]):
        own = bit if found.shape[1] == 1 else np.where(place // WORD == word, bit, np.uint64(0))
        found[full, word] = np.bitwise_or.reduceat(own, starts)
    return found
