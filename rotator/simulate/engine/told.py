"""An answer of the engine in the form of the judge's: totals from columns, each row made when somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import overload

import numpy as np

from rotator.model.progress import heed
from rotator.model.verdicts import Reason, Verdict
from rotator.simulate.engine import codes as c
from rotator.simulate.engine.codes import Codes, Indexes
from rotator.simulate.engine.counting import Census
from rotator.simulate.engine.sight import Sight
from rotator.simulate.fleet import Connection, Fleet
from rotator.simulate.impact import Glance, Group, Impact, Row, Who, sight_words, who_of
from rotator.simulate.scene import CHUNK, Scene
from rotator.simulate.totals import Total

_RANKS = {verdict: rank for rank, verdict in enumerate(c.VERDICTS)}


class Rows(Sequence[Row]):
    """All rows in the order of an impact, each judged when it is looked at."""

    def __init__(self, sight: Sight, fleet: Fleet, scene: Callable[[], Scene]) -> None:
        """Keep what is needed to make them; `scene` gives the judge's view of the world."""
        self._sight = sight
        self._fleet = fleet
        self._scene = scene
        self._made: dict[int, Row] = {}

    @cached_property
    def order(self) -> Indexes:
        """Give the connection of each row."""
        sight = self._sight
        by_size = sight.census.by_size()
        ranks, out = sight.ranks[sight.units][by_size], sight.out[by_size]
        return np.concatenate([by_size[(ranks == rank) & out] for rank in range(len(c.VERDICTS))])

    @cached_property
    def _judged(self) -> Scene:
        return self._scene()

    def __len__(self) -> int:
        """Give how many there are."""
        return int(self._sight.out.sum()) if "order" not in self.__dict__ else len(self.order)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        """Give a row, or some."""
        if isinstance(index, slice):
            return [self._row(place) for place in self.order[index].tolist()]
        return self._row(int(self.order[index]))

    def __iter__(self) -> Iterator[Row]:
        """Give one after the other."""
        of = len(self)
        for number, place in enumerate(self.order.tolist()):
            if number % CHUNK == 0:
                heed("telling why", number, of if of > CHUNK else 0)
            yield self._row(place)

    def _row(self, connection: int) -> Row:
        if connection not in self._made:
            self._made[connection] = self._judged.row(self._fleet.connections[connection])
        return self._made[connection]

    def of(self, connection: int) -> Row:
        """Give the row of a connection."""
        return self._row(connection)


@dataclass(frozen=True, kw_only=True)
class Told(Impact):
    """An impact in columns.

    Attributes:
        sight: what everybody sees.
        sized: gives everybody in the sizes of a fleet.
    """

    sight: Sight
    sized: Callable[[Fleet], Census]

    @cached_property
    def _counted(self) -> Sight:
        """Give the same in the sizes of this fleet: a day counts what it finds as of its own time."""
        census = self.sized(self.fleet)
        return self.sight if census is self.sight.census else replace(self.sight, census=census)

    @property
    def _order(self) -> Indexes:
        assert isinstance(self.rows, Rows)  # noqa: S101 - made with it
        return self.rows.order

    @cached_property
    def _ranks(self) -> Codes:
        """Give the rank of each connection's verdict; beyond all of them where nobody has it yet."""
        found: Codes = np.where(self.sight.out, self.sight.ranks[self.sight.units], len(c.VERDICTS)).astype(np.uint8)
        return found

    def total(self, *verdicts: Verdict, app: str | None = None, trust: str | None = None) -> Total:
        """Count clients that see one of some verdicts on any host they use: all, or of an app, or of a store of it."""
        return self._counted.total(*verdicts, app=app, trust=trust)

    def hit(self, *verdicts: Verdict) -> dict[int, bool]:
        """Give the connections that see one of some verdicts, each with whether it is certain that it does."""
        found = self.sight.hits(*verdicts)
        places = np.flatnonzero(found.hit)
        return dict(zip(places.tolist(), found.sure[places].tolist(), strict=True))

    def counted(self, total: str) -> Iterator[tuple[Connection, bool]]:
        """Give the connections behind a total, each with whether it is certain; for `ok` those that are not well."""
        found = self.sight.behind(total)
        for place in np.flatnonzero(found.hit).tolist():
            yield self.fleet.connections[place], bool(found.sure[place])

    @cached_property
    def broken(self) -> Total:
        """Count clients that are refused by our own server on any host."""
        return self._counted.broken

    @cached_property
    def exposed(self) -> Total:
        """Count clients that accept the attacker on any host."""
        return self._counted.exposed

    @cached_property
    def lost(self) -> Total:
        """Count clients for which both hold on one host."""
        return self._counted.lost

    @cached_property
    def unpinned(self) -> Total:
        """Count clients that use any host without a pin in force, whatever the verdict."""
        return self._counted.unpinned

    @cached_property
    def ok(self) -> Total:
        """Count clients for which every host is well."""
        return self._counted.ok

    @property
    def hosts(self) -> frozenset[str]:
        """Give the hosts that anybody uses."""
        return self.sight.census.hosts_of(self.sight.out)

    @property
    def in_doubt(self) -> bool:
        """Say whether any row turns on what nobody can know."""
        return bool((self.sight.outcome.unsure[self.sight.units] & self.sight.out).any())

    @property
    def exposed_by(self) -> frozenset[Reason]:
        """Give every way in which an attacker is accepted."""
        exposed = self._ranks <= _RANKS[Verdict.EXPOSED]
        told = np.unique(self.sight.outcome.told[self.sight.units[exposed]]).tolist()
        return frozenset(c.REASONS[reason] for reason in told)

    @property
    def largest_break(self) -> Row | None:
        """Give the row of most clients that are refused by our own server, the first of them; None where none is."""
        assert isinstance(self.rows, Rows)  # noqa: S101 - made with it
        broken = (self._ranks == _RANKS[Verdict.LOST]) | (self._ranks == _RANKS[Verdict.BREAKS])
        if not broken.any():
            return None
        order = self._order[broken[self._order]]
        return self.rows.of(int(order[self.sight.census.sizes()[order].argmax()]))

    def count(self, verdict: Verdict) -> int:
        """Count rows as totals do: those that break or are exposed with the lost ones, those without any pin."""
        if verdict is Verdict.UNPINNED:
            return int(self.sight.unpinned_hits.hit.sum())
        wanted = {verdict, Verdict.LOST} if verdict in (Verdict.BREAKS, Verdict.EXPOSED) else {verdict}
        return int(self.sight.hits(*wanted).hit.sum())

    def glance(self, index: int) -> Glance:
        """Give what a row says without its why."""
        place = int(self._order[index])
        unsure = bool(self.sight.outcome.unsure[self.sight.units[place]])
        return Glance(self.fleet.connections[place], c.VERDICTS[self._ranks[place]], unsure)

    def groups(self) -> Cohorts:
        """Give the cohorts, those with the worst verdict first, and each once; a group is made when it is asked for."""
        return Cohorts(self._order, self.sight.census)

    def words(self, *, each: bool) -> Sequence[str]:
        """Give what a filter looks into, for each of `groups`; cohorts that see the same are put in words once."""
        census, ranks = self.sight.census, self._ranks
        width, starts = np.dtype(np.int64).itemsize, census.starts.tolist()
        seen = (census.host * len(c.VERDICTS) + np.minimum(ranks, len(c.VERDICTS) - 1)).astype(np.int64).tobytes()
        known: dict[bytes, str] = {}
        found, names = [], census.names
        for cohort in self.groups().places:
            own = seen[starts[cohort] * width : starts[cohort + 1] * width]
            if own not in known:
                pairs = (divmod(code, len(c.VERDICTS)) for code in np.frombuffer(own, np.int64).tolist())
                known[own] = sight_words([(census.hosts[host], c.VERDICTS[rank]) for host, rank in pairs], each=each)
            found.append(f"{names[cohort]} {known[own]}")
        return found

    def worst_of(self) -> Mapping[Who, Verdict]:
        """Give the worst verdict of each cohort."""
        return Worst(self._ranks, self.sight.census)


class Cohorts:
    """The cohorts of an impact in its order."""

    def __init__(self, order: Indexes, census: Census) -> None:
        """Find the first row of each cohort; the connections of a cohort stand beside one another."""
        self._census = census
        self._place = np.full(len(census.cohort_of), len(order), np.int64)
        self._place[order] = np.arange(len(order))
        first = np.minimum.reduceat(self._place, census.starts[:-1]) if len(order) else np.zeros(0, np.int64)
        cohorts = census.cohort_of[order]
        self._cohorts: Indexes = cohorts[first[cohorts] == np.arange(len(order))]
        self._end = len(order)

    @property
    def places(self) -> list[int]:
        """Give the place of each in the census."""
        found: list[int] = self._cohorts.tolist()
        return found

    def __len__(self) -> int:
        """Give how many there are."""
        return len(self._cohorts)

    def __getitem__(self, index: int) -> Group:
        """Give one."""
        return self._group(int(self._cohorts[index]))

    def __iter__(self) -> Iterator[Group]:
        """Give one after the other."""
        return map(self._group, self._cohorts.tolist())

    def _group(self, cohort: int) -> Group:
        begin, end = self._census.starts[cohort : cohort + 2].tolist()
        rows = (place for place in sorted(self._place[begin:end].tolist()) if place < self._end)
        return Group(who=who_of(self._census.cohorts[cohort]), rows=tuple(rows))

    def find(self, who: Who) -> int:
        """Give the place of the first cohort that is somebody, -1 where there is none."""
        own = self._census.cohorts_of(who)
        found = np.flatnonzero(np.isin(self._cohorts, own))
        return int(found[0]) if len(found) else -1


class Worst(Mapping[Who, Verdict]):
    """The worst verdict of each cohort, looked up when it is asked for."""

    def __init__(self, ranks: Codes, census: Census) -> None:
        """Keep the ranks of all connections."""
        self._census = census
        own = np.minimum.reduceat(ranks, census.starts[:-1]) if len(ranks) else ranks
        self._ranks = own.tobytes()

    def __getitem__(self, who: Who) -> Verdict:
        """Give the worst verdict of somebody."""
        rank = min((self._ranks[place] for place in self._census.cohorts_of(who)), default=len(c.VERDICTS))
        if rank == len(c.VERDICTS):
            raise KeyError(who)
        return c.VERDICTS[rank]

    def __iter__(self) -> Iterator[Who]:
        """Give everybody."""
        there = (n for n, rank in enumerate(self._ranks) if rank < len(c.VERDICTS))
        return iter(dict.fromkeys(who_of(self._census.cohorts[n]) for n in there))

    def __len__(self) -> int:
        """Give how many there are."""
        return sum(1 for _ in self)
