"""Unions of two: how many clients one of two losses hits, for every pair out of thousands.

A loss hits what has it: `either(i, j) = one(i) + one(j) - both(i, j) + needed(i, j)`, where `both` counts what has the
two and `needed` what neither hits alone. Few pairs have anything in common, so `both` is kept for those alone: the
cost is the sum of squares of what has how many losses, never the square of all losses times the number of clients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rotator.simulate.engine.codes import Flags, Indexes

Counts = NDArray[np.int64]
_LARGEST = 32
"""Losses in one set from which on its pairs are found by one product for all such sets."""


@dataclass(frozen=True, slots=True)
class Sets:
    """Sets of numbers, one after the other: set n is `items[starts[n]:starts[n + 1]]`, sorted, each number once."""

    starts: Indexes
    items: Indexes

    @classmethod
    def of(cls, sets: Sequence[Sequence[int]]) -> Sets:
        """Write sets in columns."""
        starts = np.zeros(len(sets) + 1, np.int64)
        np.cumsum([len(own) for own in sets], out=starts[1:])
        items = np.fromiter((item for own in sets for item in sorted(own)), np.int64, int(starts[-1]))
        return cls(starts, items)

    @classmethod
    def of_flags(cls, flags: Flags) -> Sets:
        """Write the rows of a table as sets of the columns that hold."""
        rows, columns = np.nonzero(flags)
        starts = np.searchsorted(rows, np.arange(len(flags) + 1)).astype(np.int64)
        return cls(starts, columns.astype(np.int64))

    @property
    def lengths(self) -> Indexes:
        """Give how many numbers each set has."""
        return np.diff(self.starts)


class Pairs:
    """Counts of single losses and of every pair of them.

    Attributes:
        size: how many losses there are.
        one: by loss, what it hits alone.
        keys: pairs with something in common, as `i * size + j` with i < j, in order.
        both: what each of these hits twice; negative where a pair hits what neither does alone.
    """

    def __init__(self, sets: Sets, weights: Counts, size: int, needed: ArrayLike = ()) -> None:
        """Count.

        Args:
            sets: the losses that hit each of some clients; each alone is enough.
            weights: how many clients each of them is.
            size: how many losses there are.
            needed: rows of two losses and the clients that they hit only together; below 0 where they hit fewer
                than both add up to.
        """
        self.size = size
        lengths = sets.lengths
        each = np.repeat(weights, lengths)
        self.one: Counts = _sum(sets.items, each, size)
        keys, amounts = [], []
        for length in np.unique(lengths).tolist():
            if length < 2:
                continue
            chosen = np.flatnonzero(lengths == length)
            table = sets.items[sets.starts[chosen][:, None] + np.arange(length)]
            if length >= _LARGEST:
                found, counts = _product(table, weights[chosen], size)
                keys.append(found)
                amounts.append(counts)
                continue
            left, right = np.triu_indices(length, 1)
            keys.append((table[:, left] * size + table[:, right]).ravel())
            amounts.append(np.repeat(weights[chosen], len(left)))
        together = np.asarray(needed, np.int64).reshape(-1, 3)
        if len(together):
            keys.append(together[:, :2].min(axis=1) * size + together[:, :2].max(axis=1))
            amounts.append(-together[:, 2])
        self.keys, self.both = _merge(keys, amounts)

    def either(self, i: Indexes, j: Indexes) -> Counts:
        """Count what one of two losses hits, or both together, for columns of pairs; a loss with itself counts once."""
        low, high = np.minimum(i, j), np.maximum(i, j)
        found = self.one[low] + np.where(low == high, 0, self.one[high])
        if len(self.keys):
            wanted = low * self.size + high
            place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
            found -= np.where(self.keys[place] == wanted, self.both[place], 0)
        return found

    def rows(self, begin: int, end: int) -> Counts:
        """Count for some losses with every loss that comes after them: a row each; the rest of a row says nothing."""
        found = self.one[begin:end, None] + self.one[None, :]
        first, last = np.searchsorted(self.keys, [begin * self.size, end * self.size]).tolist()
        i, j = np.divmod(self.keys[first:last], self.size)
        found[i - begin, j] -= self.both[first:last]
        return found

    def table(self) -> Counts:
        """Count for every pair: a square table; on its diagonal the single losses."""
        found = self.one[:, None] + self.one[None, :]
        i, j = np.divmod(self.keys, self.size)
        found[i, j] -= self.both
        found[j, i] -= self.both
        np.fill_diagonal(found, self.one)
        return found

    def worst(self, count: int) -> list[tuple[int, int, int]]:
        """Give the worst pairs, the worst first, each with what it hits; equal ones in their order.

        No pair without anything in common is looked at whose sum is too small: losses are taken by size.
        """
        order = np.argsort(-self.one, kind="stable")
        take = min(self.size, max(2, int(np.sqrt(2 * count)) + 2))
        while True:
            left, right = np.triu_indices(take, 1)
            keys = np.minimum(order[left], order[right]) * self.size + np.maximum(order[left], order[right])
            keys = np.union1d(keys, self.keys[self.both < 0])
            i, j = np.divmod(keys, self.size)
            values = self.either(i, j)
            best = np.lexsort((keys, -values))[:count]
            # A pair left out has its smaller loss outside, so it is at most the largest and that one together.
            bound = self.one[order[0]] + self.one[order[take]] if take < self.size else -1
            if take == self.size or (len(best) == count and values[best[-1]] > bound):
                return list(zip(i[best].tolist(), j[best].tolist(), values[best].tolist(), strict=True))
            take = min(self.size, take * 2)


class Recoveries:
    """Chains to fall back on: which of them most clients take that stands on neither of two lost things."""

    def __init__(self, stands_on: Sequence[frozenset[int]], coverage: Counts) -> None:
        """Put chains in order of coverage.

        Args:
            stands_on: the losses that each chain does not survive.
            coverage: how many clients take each.
        """
        self.order: Indexes = np.argsort(-coverage, kind="stable")
        wide = max((len(own) for own in stands_on), default=0)
        self._ids = np.full((len(stands_on), wide), -1, np.int64)
        for row, chain in enumerate(self.order.tolist()):
            self._ids[row, : len(stands_on[chain])] = sorted(stands_on[chain])

    def best(self, i: Indexes, j: Indexes) -> Indexes:
        """Give for columns of pairs the best chain that survives both; -1 where none does."""
        found = np.full(len(i), -1, np.int64)
        left = np.arange(len(i))
        for rank, own in enumerate(self._ids):
            if not len(left):
                break
            hit = np.zeros(len(left), np.bool_)
            for one in own.tolist():
                hit |= (i[left] == one) | (j[left] == one)
            found[left[~hit]] = self.order[rank]
            left = left[hit]
        return found


def covering(sets: Sets, weights: Counts, size: int, stands_on: Sequence[Sequence[int]]) -> Counts:
    """Count the clients that take each of some chains: those with a pin on any key that stands in it."""
    pairs = Pairs(sets, weights, size)
    wide = np.array([len(own) for own in stands_on], np.int64)
    found = np.zeros(len(stands_on), np.int64)
    for length in np.unique(wide).tolist():
        chosen = np.flatnonzero(wide == length)
        table = np.array([sorted(stands_on[n]) for n in chosen.tolist()], np.int64).reshape(len(chosen), length)
        if length == 1:
            found[chosen] = pairs.one[table[:, 0]]
        elif length == 2:
            found[chosen] = pairs.either(table[:, 0], table[:, 1])
        elif length:
            found[chosen] = [_taking(sets, weights, row) for row in table]
    return found


def _taking(sets: Sets, weights: Counts, ids: Indexes) -> int:
    held = np.add.reduceat(np.append(np.isin(sets.items, ids), False).astype(np.int64), sets.starts[:-1])
    return int(weights[(held > 0) & (sets.lengths > 0)].sum())


def _sum(places: Indexes, amounts: Counts, size: int) -> Counts:
    """Add amounts up by place: in floats, which hold every count below 2**53."""
    return np.bincount(places, amounts, size).astype(np.int64)


def _product(table: Indexes, weights: Counts, size: int) -> tuple[Indexes, Counts]:
    """Find the pairs in large sets by a matrix product over the losses that are in any of them."""
    present, places = np.unique(table, return_inverse=True)
    flags = np.zeros((len(table), len(present)))
    flags[np.arange(len(table))[:, None], places.reshape(table.shape)] = 1
    both = np.triu((flags * weights[:, None]).T @ flags, 1)
    i, j = np.nonzero(both)
    return present[i] * size + present[j], both[i, j].astype(np.int64)


def _merge(keys: Sequence[Indexes], amounts: Sequence[Counts]) -> tuple[Indexes, Counts]:
    """Add up amounts of equal keys, the keys in order."""
    if not keys:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    every, amount = np.concatenate(keys), np.concatenate(amounts)
    order = np.argsort(every, kind="stable")
    every, amount = every[order], amount[order]
    firsts = np.flatnonzero(np.append(True, every[1:] != every[:-1])) if len(every) else np.zeros(0, np.int64)
    return every[firsts], np.add.reduceat(amount, firsts) if len(every) else amount
