"""Which connections are alike in a world: a unit is one answer for all of them, a group is units judged in one go."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

import numpy as np

from rotator.model.pki import TrustStore
from rotator.simulate.attacks import Attack
from rotator.simulate.cohorts import Cohort
from rotator.simulate.engine.codes import Flags, Indexes
from rotator.simulate.engine.rulebook import RuleBook
from rotator.simulate.fleet import Connection, Fleet
from rotator.simulate.scene import Scene
from rotator.simulate.world import World


@dataclass(frozen=True, kw_only=True)
class Group:
    """Units of one host and one trust store with as many mechanisms each.

    Attributes:
        number: its own number, never given again.
        host: the host's label.
        store: what the clients trust.
        rules: by DNS name: the numbers of rules in the book of that name, a row for each unit.
        units: the places of its units among all units.
        cut: which of them a floor cuts off.
        meant: by attack on some cohorts only: which of them it can reach.
    """

    number: int
    host: str
    store: TrustStore
    rules: dict[str, Indexes]
    units: Indexes
    cut: Flags
    meant: dict[Attack, Flags]


@dataclass(frozen=True, kw_only=True)
class Units:
    """Everybody, by unit.

    Attributes:
        of: by connection, the place of its unit.
        size: how many units there are.
        groups: those that are judged together.
        alone: those that the judge is asked about one by one, each with a connection.
    """

    of: Indexes
    size: int
    groups: tuple[Group, ...]
    alone: tuple[tuple[int, Connection], ...]


@dataclass
class _Draft:
    host: str
    rules: dict[str, list[tuple[int, ...]]]
    store: TrustStore
    units: list[int] = field(default_factory=list)
    cut: list[bool] = field(default_factory=list)
    meant: list[tuple[bool, ...]] = field(default_factory=list)


class Sorter:
    """Puts the connections of a fleet into units, anew only where a world treats them otherwise."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.books: dict[tuple[str, str], RuleBook] = {}
        self._known: dict[Hashable, Units] = {}
        self._rules: dict[int, tuple[object, tuple[tuple[int, ...], ...]]] = {}
        self._groups = 0

    def units(self, scene: Scene) -> Units:
        """Give the units in a world."""
        world = scene.world
        if world.hostile:  # what clients took from an attacker hangs on everything before
            return _Sorting(self, scene).units()
        key = _features(world)
        if key not in self._known:
            self._known[key] = _Sorting(self, scene).units()
        return self._known[key]

    def numbers(self, connection: Connection) -> tuple[tuple[int, ...], ...]:
        """Give the numbers of the rules of a connection, by name and mechanism."""
        known = self._rules.get(id(connection.rules))
        if known is None:
            found = []
            for name, rules in connection.rules.items():
                book = self.books.setdefault((connection.host, name), RuleBook())
                found.append(tuple(book.number(rule) for rule in rules))
            known = self._rules[id(connection.rules)] = connection.rules, tuple(found)
        return known[1]

    def next_group(self) -> int:
        """Give a number for a group."""
        self._groups += 1
        return self._groups


def _features(world: World) -> Hashable:
    """Give all of a world that tells connections apart which are alike otherwise."""
    attacks = tuple(a for a in world.attacks if a.cohort is not None)
    any_ca = frozenset(h for a in world.attacks if a.any_ca for h in (a.hosts or ("",)))
    return world.wrong, world.published, world.local_roots, world.distrusted_by, world.floors, attacks, any_ca


class _Sorting:
    """One pass over the connections."""

    def __init__(self, sorter: Sorter, scene: Scene) -> None:
        self.sorter = sorter
        self.scene = scene
        self.attacks = tuple(a for a in scene.world.attacks if a.cohort is not None)
        self.any_ca = [a for a in scene.world.attacks if a.any_ca]
        self.places: dict[Hashable, int] = {}
        self.drafts: dict[Hashable, _Draft] = {}
        self.alone: list[tuple[int, Connection]] = []
        self.of_cohort: dict[int, tuple[TrustStore, bool, tuple[bool, ...]]] = {}
        self.changed: dict[Hashable, tuple[tuple[int, ...], ...]] = {}

    def units(self) -> Units:
        of = np.fromiter(
            (self._unit(c) for c in self.sorter.fleet.connections), np.int64, len(self.sorter.fleet.connections)
        )
        return Units(of=of, size=len(self.places), groups=tuple(self._groups()), alone=tuple(self.alone))

    def _unit(self, connection: Connection) -> int:
        key = self._key(connection)
        if key in self.places:
            return self.places[key]
        place = self.places[key] = len(self.places)
        if connection.instead or any(attack.reaches(connection.host) for attack in self.any_ca):
            self.alone.append((place, connection))
            return place
        host, store, numbers, cut, meant = key
        names = tuple(connection.rules)
        group = (host, store, len(numbers[0]) if numbers else 0)
        draft = self.drafts.get(group)
        if draft is None:
            draft = self.drafts[group] = _Draft(host, {name: [] for name in names}, self._who(connection.cohort)[0])
        for name, own in zip(names, numbers, strict=True):
            draft.rules[name].append(own)
        draft.units.append(place)
        draft.cut.append(cut)
        draft.meant.append(meant)
        return place

    def _key(self, connection: Connection) -> tuple[str, str, tuple[tuple[int, ...], ...], bool, tuple[bool, ...]]:
        """Give everything about a connection that an answer may hang on."""
        store, cut, meant = self._who(connection.cohort)
        if connection.instead:
            each = tuple(self._key(one) for one in connection.instead)
            return connection.host, "", each, cut, meant  # type: ignore[return-value]  # told apart by the empty name
        return connection.host, store.name, self._numbers(connection), cut, meant

    def _who(self, cohort: Cohort) -> tuple[TrustStore, bool, tuple[bool, ...]]:
        """Give what a cohort trusts, whether it is cut off, and which attacks can reach it."""
        if id(cohort) not in self.of_cohort:
            scene = self.scene
            self.of_cohort[id(cohort)] = (
                scene.in_force.store(cohort),
                bool(scene.world.floors) and scene.cuts_off(cohort),
                tuple(scene.is_meant(attack, cohort) for attack in self.attacks),
            )
        return self.of_cohort[id(cohort)]

    def _numbers(self, connection: Connection) -> tuple[tuple[int, ...], ...]:
        """Give the numbers of the rules that are in force."""
        shipped = self.sorter.numbers(connection)
        key = self._changes(connection, shipped)
        if key is None:
            return shipped
        if key not in self.changed:
            self.changed[key] = self.sorter.numbers(self.scene.in_force.connection(connection))
        return self.changed[key]

    def _changes(self, connection: Connection, shipped: tuple[tuple[int, ...], ...]) -> Hashable | None:
        """Give what the rules in force hang on beside those that were shipped; None where those are in force."""
        world, cohort = self.scene.world, connection.cohort
        if any(host == connection.host for host, _ in world.hostile):
            return connection.index, cohort.release
        wrong = any(source in world.wrong for source in connection.sources)
        if self.scene.in_force.live(connection):
            own = (cohort.app, cohort.release, connection.beside, cohort.offline)
            return connection.host, shipped, connection.sources, connection.channels, own
        return (connection.host, shipped, connection.sources) if wrong else None

    def _groups(self) -> Iterator[Group]:
        for draft in self.drafts.values():
            meant = np.array(draft.meant, np.bool_).reshape(len(draft.units), len(self.attacks))
            yield Group(
                number=self.sorter.next_group(),
                host=draft.host,
                store=draft.store,
                rules={name: np.array(rows, np.int64) for name, rows in draft.rules.items()},
                units=np.array(draft.units, np.int64),
                cut=np.array(draft.cut, np.bool_),
                meant={attack: meant[:, column] for column, attack in enumerate(self.attacks)},
            )
