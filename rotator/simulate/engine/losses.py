"""Losses of one thing or two in columns: what each comes to, put in order, and made when somebody looks at it.

What one of two losses hits is counted by `rotator.simulate.engine.pairs`; of clients that use some hosts in shares only
the parts are joined as `rotator.simulate.totals` joins them, and pairs that were judged together count as judged.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date
from typing import overload

import numpy as np
from numpy.typing import NDArray

from rotator.simulate.drill import Loss
from rotator.simulate.engine.codes import Flags, Indexes
from rotator.simulate.engine.counting import Census, Hits
from rotator.simulate.engine.pairs import Counts, Pairs, Sets
from rotator.simulate.totals import Total

LOW = 0
"""The column of sums that counts what is certain; all others count what may be."""
_NOTHING = np.zeros((0, 3), np.int64)


@dataclass(frozen=True, slots=True)
class _Added:
    """What losses hit that is not hit without them: loss and connection, beside one another."""

    loss: Indexes
    connection: Indexes

    @classmethod
    def beyond(cls, base: Flags, alone: Sequence[Flags]) -> _Added:
        """Compare losses with what is without them."""
        found = [np.flatnonzero(own & ~base) for own in alone]
        losses = np.repeat(np.arange(len(found)), [len(own) for own in found])
        return cls(losses, np.concatenate(found) if found else np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True)
class _Part:
    """What some losses hit of a cohort, as places among its connections; what is hit without them is in it."""

    before: frozenset[int]
    hit: frozenset[int]
    losses: tuple[int, ...]


class Unions:
    """What one of two losses comes to, or both: sums of `Census.sums`, for every pair."""

    def __init__(self, census: Census, none: Hits, alone: Sequence[Hits]) -> None:
        """Count.

        Args:
            census: everybody.
            none: who is hit without any loss.
            alone: who is hit after each; those without it among them.
        """
        self.census = census
        self.size = len(alone)
        self.none = census.sums(none)
        self.alone = np.array([census.sums(own) for own in alone], np.int64).reshape(self.size, len(self.none))
        hit = _Added.beyond(none.hit, [own.hit for own in alone])
        sure = _Added.beyond(none.sure, [own.sure for own in alone])
        shared = {False: self._shared(hit, none.hit), True: self._shared(sure, none.sure)}
        self._pairs = [self._counted(column, *shared[column == LOW]) for column in range(len(self.none))]
        self._together: dict[int, Counts] = {}
        self._keys = np.zeros(0, np.int64)
        self._sums = np.zeros((0, len(self.none)), np.int64)

    def together(self, found: Mapping[tuple[int, int], Hits]) -> None:
        """Take what pairs hit that were judged together."""
        self._together |= {min(i, j) * self.size + max(i, j): self.census.sums(own) for (i, j), own in found.items()}
        self._keys = np.array(sorted(self._together), np.int64)
        rows = [self._together[key] for key in self._keys.tolist()]
        self._sums = np.array(rows, np.int64).reshape(len(rows), len(self.none))

    def rows(self, begin: int, end: int) -> Counts:
        """Give the sums of the pairs of some losses with every loss: by loss, by loss, by column."""
        found = np.stack([pairs.rows(begin, end) for pairs in self._pairs], axis=2) + self.none
        first, last = np.searchsorted(self._keys, [begin * self.size, end * self.size]).tolist()
        i, j = np.divmod(self._keys[first:last], self.size)
        found[i - begin, j] = self._sums[first:last]
        return found

    def pair(self, i: int, j: int) -> Total:
        """Count the clients that a pair hits."""
        known = self._together.get(min(i, j) * self.size + max(i, j))
        if known is None:
            each = np.array([i]), np.array([j])
            known = self.none + np.array([int(pairs.either(*each)[0]) for pairs in self._pairs])
        return self.census.told(known)

    def one(self, i: int) -> Total:
        """Count the clients that a loss hits."""
        return self.census.told(self.alone[i])

    def badness(self, sums: Counts) -> NDArray[np.float64]:
        """Give the upper numbers of sums; without end where nobody knows."""
        return np.where(self.census.is_unknown(sums), np.inf, sums[..., 1].astype(np.float64))

    def _shared(self, added: _Added, base: Flags) -> tuple[Sets, Indexes, list[tuple[Indexes, list[_Part]]]]:
        """Sort cohorts by the losses that hit them: those that are hit as a whole, and parts of the others."""
        census = self.census
        cohorts = census.cohort_of[added.connection]
        whole = census.whole[cohorts]
        touched = np.zeros(len(census.cohorts), np.bool_)
        touched[census.cohort_of[np.flatnonzero(base)]] = True
        use = whole & ~touched[cohorts]
        keys = np.unique(cohorts[use] * self.size + added.loss[use])
        owner, losses = np.divmod(keys, self.size)
        present, starts = np.unique(owner, return_index=True)
        sets = Sets(np.append(starts, len(owner)).astype(np.int64), losses)
        return sets, present, self._parts(_Added(added.loss[~whole], added.connection[~whole]), base)

    def _parts(self, added: _Added, base: Flags) -> list[tuple[Indexes, list[_Part]]]:
        """Sort cohorts of which losses hit parts: those alike, with what each loss hits of them."""
        census = self.census
        own: dict[int, dict[int, list[int]]] = {}
        for loss, connection in zip(added.loss.tolist(), added.connection.tolist(), strict=True):
            cohort = int(census.cohort_of[connection])
            own.setdefault(cohort, {}).setdefault(loss, []).append(connection - int(census.starts[cohort]))
        alike: dict[Hashable, list[int]] = {}
        drafts: dict[Hashable, tuple[frozenset[int], dict[int, list[int]]]] = {}
        for cohort, by_loss in own.items():
            begin, end = census.starts[cohort : cohort + 2].tolist()
            before = frozenset(np.flatnonzero(base[begin:end]).tolist())
            key: Hashable = (census.alike(cohort), before, tuple((loss, tuple(hit)) for loss, hit in by_loss.items()))
            alike.setdefault(key, []).append(cohort)
            drafts[key] = before, by_loss
        found = []
        for key, members in alike.items():
            before, by_loss = drafts[key]
            by_hit: dict[frozenset[int], list[int]] = {}
            for loss, hit in by_loss.items():
                by_hit.setdefault(before | frozenset(hit), []).append(loss)
            parts = [_Part(before, frozenset(), ())]
            parts += [_Part(before, own, tuple(losses)) for own, losses in by_hit.items()]
            found.append((np.array(members, np.int64), parts))
        return found

    def _counted(self, column: int, sets: Sets, present: Indexes, shares: list[tuple[Indexes, list[_Part]]]) -> Pairs:
        weights = self.census.weights(column)[present] if len(present) else np.zeros(0, np.int64)
        extra = [_NOTHING]
        for cohorts, parts in shares:
            extra += self._joined(column, cohorts, parts)
        pairs = Pairs(sets, weights, self.size, np.concatenate(extra))
        # Shares of cohorts are no part of the sets: what a loss comes to alone is known.
        pairs.one = self.alone[:, column] - self.none[column]
        return pairs

    def _joined(self, column: int, cohorts: Indexes, parts: list[_Part]) -> Iterator[Counts]:
        """Give for pairs of losses that hit parts of cohorts what they hit more than the sum of both; mostly less."""
        base = self.census.part(column, cohorts, parts[0].before)
        alone = [self.census.part(column, cohorts, part.hit) - base for part in parts[1:]]
        for a, (one, first) in enumerate(zip(parts[1:], alone, strict=True)):
            for other, second in zip(parts[1 + a :], alone[a:], strict=True):
                more = self.census.part(column, cohorts, one.hit | other.hit) - base - first - second
                i, j = np.meshgrid(np.array(one.losses), np.array(other.losses), indexing="ij")
                keep = i < j if one is other else np.ones_like(i, np.bool_)
                if more and keep.any():
                    pair = np.stack([np.minimum(i, j)[keep], np.maximum(i, j)[keep]], axis=1)
                    yield np.column_stack([pair, np.full(len(pair), more, np.int64)])


Answer = Callable[[Sequence[int]], "tuple[str, ...] | None"]
"""Gives what our servers answer one or two losses with."""
_CELLS = 4_000_000
"""Numbers looked at between two reports of progress."""


class Losses(Sequence[Loss]):
    """Every single loss and every pair, worst first; each is made when somebody looks at it."""

    def __init__(
        self, events: Sequence[str], broken: Unions, exposed: Unions, answer: Answer, heed: Callable[[], None]
    ) -> None:
        """Put them in order: by clients broken or exposed, then by those broken, single losses before pairs.

        Args:
            events: what can be lost.
            broken: whom losses break.
            exposed: whom they expose.
            answer: gives the answer to losses, by place.
            heed: is called between chunks.
        """
        self.events = events
        self._broken, self._exposed, self._answer = broken, exposed, answer
        self._size = len(events)
        self._safe: Mapping[tuple[str, ...], date] = {}
        self._order, self._worse = self._sorted(heed)

    def __len__(self) -> int:
        """Give how many there are."""
        return len(self._order)

    @overload
    def __getitem__(self, index: int) -> Loss: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Loss]: ...
    def __getitem__(self, index: int | slice) -> Loss | Sequence[Loss]:
        """Give a loss, or some."""
        if isinstance(index, slice):
            return [self._loss(key) for key in self._order[index].tolist()]
        return self._loss(int(self._order[index]))

    def __iter__(self) -> Iterator[Loss]:
        """Give one after the other."""
        return map(self._loss, self._order.tolist())

    @property
    def alone(self) -> list[Loss]:
        """Give the single losses."""
        i, j = np.divmod(self._order, max(1, self._size))
        return [self._loss(key) for key in self._order[i == j].tolist()]

    def worse(self, count: int | None = None) -> tuple[int, list[Loss]]:
        """Give how many pairs are worse than each of their two, and the first of these."""
        return len(self._worse), [self._loss(key) for key in self._worse[:count].tolist()]

    def safe(self, days: Mapping[tuple[str, ...], date]) -> Losses:
        """Give the same with the day from which losses are over, by their events; the others have none."""
        found = copy(self)
        found._safe = days  # noqa: SLF001 - losses as well
        return found

    def _loss(self, key: int) -> Loss:
        i, j = divmod(key, self._size)
        pair = i != j
        own = (i, j) if pair else (i,)
        events = tuple(self.events[n] for n in own)
        return Loss(
            events=events,
            broken=self._broken.pair(i, j) if pair else self._broken.one(i),
            exposed=self._exposed.pair(i, j) if pair else self._exposed.one(i),
            response=self._answer(own),
            safe_on=self._safe.get(events),
        )

    def _sorted(self, heed: Callable[[], None]) -> tuple[Indexes, Indexes]:
        size = self._size
        broken, exposed = self._broken.badness(self._broken.alone), self._exposed.badness(self._exposed.alone)
        sums, breaks = [broken + exposed], [broken]
        keys, worse = [np.arange(size) * (size + 1)], [np.zeros(size, np.bool_)]
        step = max(1, _CELLS // max(1, size * len(self._broken.none)))
        for begin in range(0, size, step):
            heed()
            end = min(size, begin + step)
            i, j = np.nonzero(np.arange(begin, end)[:, None] < np.arange(size)[None, :])
            own = self._broken.badness(self._broken.rows(begin, end))[i, j]
            both = own + self._exposed.badness(self._exposed.rows(begin, end))[i, j]
            i += begin
            more = np.ones(len(i), np.bool_)
            for one in (i, j):
                more &= (both > sums[0][one]) | ((both == sums[0][one]) & (own > broken[one]))
            sums.append(both)
            breaks.append(own)
            keys.append(i * size + j)
            worse.append(more)
        every, added = np.concatenate(keys), np.concatenate(worse)
        # Single losses come first, and pairs in their order: a stable sort keeps that.
        order = np.lexsort((np.arange(len(every)) >= size, -np.concatenate(breaks), -np.concatenate(sums)))
        return every[order], every[order][added[order]]
