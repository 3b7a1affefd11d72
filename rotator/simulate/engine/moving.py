"""Clients that move, in columns: how releases are taken up once for each curve, whatever the number of cohorts.

Sizes are low-rank: those of a cohort are what was counted, times what its kind of people has done by an instant. Kinds
are few (an app, its curve, the releases ahead), instants are some; cohorts by instants are never written down. Every
count is rounded as `rotator.simulate.populations` rounds it, to the last client.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rotator.model.adoption import Launch, ahead, moved_to
from rotator.model.policy import Count
from rotator.simulate.cohorts import Cohort, Standing, spread
from rotator.simulate.engine.codes import Flags, Indexes
from rotator.simulate.fleet import Fleet, resized
from rotator.simulate.populations import Forecast, Source

Shares = NDArray[np.float64]
KEPT = 4_000_000
"""Sizes kept for instants that are asked about again, over all instants."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """The clients of each cohort, in the order of the fleet; where not `known`, the others say nothing."""

    low: Indexes
    high: Indexes
    known: Flags

    def count(self, place: int) -> Count | None:
        """Give the clients of one."""
        return Count(low=int(self.low[place]), high=int(self.high[place])) if self.known[place] else None


@dataclass(frozen=True, kw_only=True, eq=False)
class SizedFleet(Fleet):
    """A fleet in the sizes of an instant, with these in columns."""

    sizes: Sizes
    unlike: bool

    @property
    def population(self) -> Count | None:
        """Give all clients; None when a number is not known, or when they are counted in unlike units."""
        own = self.sizes
        if not len(own.low) or self.unlike or not own.known.all():
            return None
        return Count(low=int(own.low.sum()), high=int(own.high.sum()))

    @property
    def mixed(self) -> bool:
        """Say whether apps are counted in unlike units."""
        return self.unlike


@dataclass
class _Kind:
    """People of one app who move by one curve to the same releases.

    Attributes:
        sources: who.
        low, high: their clients when they were counted.
        mixes: what they are made of, a row each.
        newer: the releases ahead, the next first.
        targets: by place among the releases (theirs first) and by standing: where each of them comes to be.
    """

    sources: list[Source]
    newer: tuple[Launch, ...]
    low: Indexes = field(init=False)
    high: Indexes = field(init=False)
    mixes: Shares = field(init=False)
    targets: dict[int, Indexes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        clients = [source.cohort.clients or Count(low=0, high=0) for source in self.sources]
        self.low = np.array([count.low for count in clients], np.int64)
        self.high = np.array([count.high for count in clients], np.int64)
        self.mixes = np.array([source.mix for source in self.sources], np.float64)


class Moves:
    """The clients of a forecast at any instant, in columns."""

    def __init__(self, people: Forecast) -> None:
        """Sort who moves.

        Args:
            people: the forecast.
        """
        self.people = people
        cohorts = people.fleet.cohorts
        self._place = {cohort: place for place, cohort in enumerate(cohorts)}
        counts = [cohort.clients for cohort in cohorts]
        self._low = np.array([0 if count is None else count.low for count in counts], np.int64)
        self._high = np.array([0 if count is None else count.high for count in counts], np.int64)
        self._known = np.array([count is not None for count in counts], np.bool_)
        self._kinds: list[_Kind] = []
        self._single: list[Source] = []
        self._sort()
        self._fleets: dict[datetime, Fleet] = {}
        self._unlike = people.fleet.mixed

    def _sort(self) -> None:
        found: dict[Hashable, _Kind] = {}
        for source in self.people.sources:
            clients = source.cohort.clients
            if clients is None:
                continue
            place = self._place[source.cohort]
            self._low[place] = self._high[place] = 0
            if not clients.high:
                continue
            if self.people.pushes(source.cohort.app):
                self._single.append(source)
                continue
            newer = tuple(ahead(source.rank, source.launches))
            kind = found.setdefault((source.cohort.app, source.curve, newer), _Kind([], newer))
            kind.sources.append(source)
        for kind in found.values():
            kind.__post_init__()
            self._kinds.append(kind)

    def fleet_at(self, at: datetime) -> Fleet:
        """Give the fleet of an instant: the same cohorts in the same order, with the clients of then."""
        if not self.people.sources:
            return self.people.fleet
        at = self.people.settled(at)
        if at not in self._fleets:
            if len(self._fleets) >= max(8, KEPT // max(1, len(self._low))):
                self._fleets.pop(next(iter(self._fleets)))
            sizes = self.sizes(at)
            fleet = resized(self.people.fleet, self.people.places, sizes.count)
            self._fleets[at] = SizedFleet(
                cohorts=fleet.cohorts,
                connections=fleet.connections,
                base=fleet.base,
                sizes=sizes,
                unlike=self._unlike,
            )
        return self._fleets[at]

    def sizes(self, at: datetime) -> Sizes:
        """Give the clients of each cohort at an instant."""
        low, high = self._low.copy(), self._high.copy()
        for kind in self._kinds:
            shares = _shares(kind, self.people.day(kind.sources[0].cohort.app, at))
            lows, highs = apportioned(kind.low, kind.high, shares)
            for column in range(shares.shape[1]):
                targets = self._targets(kind, column)
                np.add.at(low, targets, lows[:, column])
                np.add.at(high, targets, highs[:, column])
        for source in self._single:
            for target, count in self.people.moved(source, at):
                place = self._place[target]
                low[place] += count.low
                high[place] += count.high
        low[~self._known] = high[~self._known] = 0
        return Sizes(low, high, self._known)

    def _targets(self, kind: _Kind, column: int) -> Indexes:
        """Give where the people of a kind come to be by the release that a column is of."""
        if column not in kind.targets:
            target: Callable[[Cohort, int, Standing], Cohort] = self.people.target
            kind.targets[column] = np.array(
                [
                    self._place[
                        target(
                            source.cohort,
                            source.rank if column == 0 else kind.newer[column - 1].rank,
                            Standing.MOVES,
                        )
                    ]
                    for source in kind.sources
                ],
                np.int64,
            )
        return kind.targets[column]


def _shares(kind: _Kind, day: float) -> Shares:
    """Give the share of each source on its own release and on each newer one: as `adoption.where` says it."""
    curve = kind.sources[0].curve
    size = len(kind.sources)
    marks: list[Shares] = []
    for launch in kind.newer:
        whole: Shares = np.zeros(size)
        for group in range(kind.mixes.shape[1]):
            whole = whole + kind.mixes[:, group] * moved_to(curve, group, launch, day)
        marks.append(whole)
    for index in range(len(marks) - 2, -1, -1):
        marks[index] = np.maximum(marks[index], marks[index + 1])
    found = [np.maximum(0.0, here - after) for here, after in pairwise([np.ones(size), *marks, np.zeros(size)])]
    return np.stack(found, axis=1)


def apportioned(low: Indexes, high: Indexes, shares: Shares) -> tuple[Indexes, Indexes]:
    """Split counts by shares, a row each, as `cohorts.spread` does; a share of 0 takes no part."""
    lows, highs = _in_turn(low, shares), _in_turn(high, shares)
    for row in np.flatnonzero((lows > highs).any(axis=1)).tolist():
        # A larger whole gave a part less by one: that is mended row by row.
        own = np.flatnonzero(shares[row] > 0).tolist()
        counts = spread(Count(low=int(low[row]), high=int(high[row])), shares[row, own].tolist())
        for place, count in zip(own, counts, strict=True):
            lows[row, place], highs[row, place] = count.low, count.high
    return lows, highs


def _in_turn(totals: Indexes, shares: Shares) -> Indexes:
    marks = np.floor(totals[:, None] * np.cumsum(shares, axis=1) + 0.5).astype(np.int64)
    # Those who are left over are on the last release that anybody comes to, as everybody is somewhere.
    last = shares.shape[1] - 1 - (shares[:, ::-1] > 0).argmax(axis=1)
    behind = np.arange(shares.shape[1])[None, :] >= last[:, None]
    marks = np.where(behind, totals[:, None], np.minimum(marks, totals[:, None]))
    return np.diff(marks, axis=1, prepend=0)
