"""Sweeps: many configurations on many hosts in many scenarios over many days, for clients without end.

For rules that are nothing but pins: a client accepts a chain that it trusts and that has one of its pins, on the leaf
or anywhere in it. Everything is said in numbers: pins, trust stores, configurations. Cohorts are read once, to be added
up by class; after that nothing depends on how many there are. Time comes as curves, one for each kind of release: the
weights of days are sizes by curves, never cohorts by days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rotator.model.progress import Progress, Silent
from rotator.simulate.engine.codes import Flags, Indexes

Weights = NDArray[np.float64]
Masks = NDArray[np.uint64]
WORD = 64
CHUNK = 16
"""Hosts between two reports of progress."""


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
        return cls(np.bincount(classes, clients, wide).astype(np.float64).reshape(shape), curves)


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


def sweep(people: People, hosts: Sequence[HostSweep], progress: Progress | None = None) -> Swept:
    """Judge every distinct pinset in every distinct situation, and count.

    Args:
        people: everybody.
        hosts: what is asked.
        progress: hears how far it is, and may give it up.
    """
    listening = progress or Silent()
    _, stores, kinds = people.sizes.shape
    flat = people.sizes.reshape(len(people.sizes), stores * kinds)
    found = Swept(people.curves, people.sizes.sum(axis=(0, 1)))
    for number, host in enumerate(hosts):
        if number % CHUNK == 0:
            listening.step(number, len(hosts), "sweep")
        weights = _by_pinset(host, flat).reshape(len(host.pinsets) * stores, kinds)
        chains: dict[ChainMask, int] = {}
        for ours, theirs in host.situations:
            chains.setdefault(ours, len(chains))
            if theirs is not None:
                chains.setdefault(theirs, len(chains))
        taken = _accepts(host.pinsets, list(chains), stores).reshape(len(chains), -1).astype(np.float64) @ weights
        none = np.zeros(kinds)
        found.accepted.append(np.array([taken[chains[ours]] for ours, _ in host.situations]))
        found.exposed.append(np.array([none if own is None else taken[chains[own]] for _, own in host.situations]))
        found.scenarios.append(host.scenarios)
    return found


def _by_pinset(host: HostSweep, flat: Weights) -> Weights:
    """Add configurations up that have the same pinset for a host."""
    order = np.argsort(host.configured, kind="stable")
    sorted_ = host.configured[order]
    firsts = np.flatnonzero(np.append(True, sorted_[1:] != sorted_[:-1]))
    found = np.zeros((len(host.pinsets), flat.shape[1]))
    found[sorted_[firsts]] = np.add.reduceat(flat[order], firsts, axis=0)
    return found


def _accepts(pinsets: Sequence[PinMask], chains: Sequence[ChainMask], stores: int) -> Flags:
    """Say of every chain, pinset and trust store whether the client accepts."""
    # Pins that no chain has can match nothing, and pins that no pinset has are asked by nobody.
    on_chains = sorted({pin for chain in chains for pin in chain.any | chain.leaf})
    bits = {pin: place for place, pin in enumerate(on_chains)}
    words = max(1, -(-len(bits) // WORD))
    leaf, any_ = _masks([own.leaf for own in pinsets], bits, words), _masks([own.any for own in pinsets], bits, words)
    chain_leaf, chain_any = (
        _masks([own.leaf for own in chains], bits, words),
        _masks([own.any for own in chains], bits, words),
    )
    hit = np.asarray((leaf[None] & chain_leaf[:, None] | any_[None] & chain_any[:, None]).any(axis=2))
    trusted = np.zeros((len(chains), stores), np.bool_)
    for row, chain in enumerate(chains):
        trusted[row, list(chain.trusted_by)] = True
    found: Flags = hit[:, :, None] & trusted[:, None, :]
    return found


def _masks(sets: Sequence[frozenset[int]], bits: Mapping[int, int], words: int) -> Masks:
    if words == 1:
        known = bits.keys()
        return np.array([[sum(1 << bits[pin] for pin in own & known)] for own in sets], np.uint64).reshape(len(sets), 1)
    found = np.zeros((len(sets), words), np.uint64)
    for row, own in enumerate(sets):
        for pin in own & bits.keys():
            found[row, bits[pin] // WORD] |= np.uint64(1 << bits[pin] % WORD)
    return found
