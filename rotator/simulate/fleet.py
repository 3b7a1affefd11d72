"""The connections of the clients: which hosts each cohort uses, with the rules on each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import overload

from rotator.mechanisms.base import Channel
from rotator.model.policy import Count, Policy
from rotator.model.progress import heed
from rotator.model.rules import Rule
from rotator.simulate.cohorts import (
    NO_RELEASE,
    UNSEEN_RELEASE,
    Cohort,
    Standing,
    add,
    cohorts_of,
    releases_out,
    split,
)
from rotator.simulate.demands import channel_of, rule_of
from rotator.simulate.inventory import Enforced, Inventory
from rotator.simulate.running import can_run
from rotator.simulate.tables import FleetTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What one cohort uses one host through.

    Attributes:
        cohort: who.
        host: the host's label.
        share: the share of the cohort that uses it.
        mechanisms: the ids of what guards it; all must accept.
        rules: by DNS name of the host: the rule of each mechanism, in the same order.
        note: what the policy says of a connection beside the pinned ones.
        index: its place in the fleet.
        sources: for each mechanism the pinset its pins are from, "" where they are from a file.
        channels: for each mechanism the way by which its pins come.
        beside: index among the connections beside the pinned ones, -1 for a pinned one.
        instead: the connections it may really be, where the release is not known; the worst of them counts.
    """

    cohort: Cohort
    host: str
    share: float
    mechanisms: tuple[str, ...]
    rules: Mapping[str, tuple[Rule, ...]]
    note: str = ""
    index: int = 0
    sources: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    beside: int = -1
    instead: tuple[Connection, ...] = ()

    @property
    def demands(self) -> tuple[str, ...]:
        """Say in a sentence for each mechanism what it demands of the host, every different one once."""
        found = (
            f"{mechanism}: {rule.sentence}"
            for rules in self.rules.values()
            for mechanism, rule in zip(self.mechanisms, rules, strict=True)
        )
        return tuple(dict.fromkeys(found))

    @property
    def clients(self) -> Count | None:
        """Give the clients of the cohort that use the host; None when their number is not known."""
        whole = self.cohort.clients
        if whole is None or self.share == 1:
            return whole
        return Count(low=round(whole.low * self.share), high=round(whole.high * self.share))


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """All cohorts and their connections, in the order of the policy.

    Attributes:
        cohorts, connections: they.
        base: the fleet that this one is, in other sizes; None where it is none.
    """

    cohorts: Sequence[Cohort]
    connections: Sequence[Connection]
    base: Fleet | None = field(default=None, compare=False, repr=False)

    @cached_property
    def groups(self) -> Sequence[tuple[int, tuple[Connection, ...]]]:
        """Give the place of each cohort that connects to anything, with its connections, in the sizes of the base."""
        if self.base is not None:
            return self.base.groups
        places = {id(cohort): place for place, cohort in enumerate(self.cohorts)}
        by_cohort = groupby(self.connections, key=lambda connection: places[id(connection.cohort)])
        return [(place, tuple(group)) for place, group in by_cohort]

    def clients(self, place: int) -> Count | None:
        """Give the clients of the cohort at a place."""
        own = self.cohorts
        return own.clients(place) if isinstance(own, _Cohorts) else own[place].clients

    @property
    def population(self) -> Count | None:
        """Give all clients; None when a number is not known, or when they are counted in unlike units."""
        counts = [cohort.clients for cohort in self.cohorts]
        if not counts or self.mixed or any(count is None for count in counts):
            return None
        return add(count for count in counts if count is not None)

    @cached_property
    def mixed(self) -> bool:
        """Say whether apps are counted in unlike units, which cannot be added."""
        if self.base is not None:
            return self.base.mixed
        return len({cohort.unit for cohort in self.cohorts if cohort.unit}) > 1


class _Cohorts(Sequence[Cohort]):
    """Cohorts in other sizes, each made when it is looked at, and once."""

    def __init__(self, base: Sequence[Cohort], count: Callable[[int], Count | None]) -> None:
        self._base, self.clients = base, count
        self._made: dict[int, Cohort] = {}

    def __len__(self) -> int:
        return len(self._base)

    @overload
    def __getitem__(self, index: int) -> Cohort: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Cohort]: ...
    def __getitem__(self, index: int | slice) -> Cohort | Sequence[Cohort]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        if place not in self._made:
            self._made[place] = replace(self._base[place], clients=self.clients(place))
        return self._made[place]


class _Connections(Sequence[Connection]):
    """The connections of such cohorts."""

    def __init__(self, base: Sequence[Connection], places: Sequence[int], cohorts: _Cohorts) -> None:
        self._base, self._places, self._cohorts = base, places, cohorts
        self._made: dict[int, Connection] = {}

    def __len__(self) -> int:
        return len(self._base)

    @overload
    def __getitem__(self, index: int) -> Connection: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Connection]: ...
    def __getitem__(self, index: int | slice) -> Connection | Sequence[Connection]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        if place not in self._made:
            self._made[place] = replace(self._base[place], cohort=self._cohorts[self._places[place]])
        return self._made[place]


def places_of(fleet: Fleet) -> list[int]:
    """Give the place of the cohort of each connection."""
    places = {id(cohort): place for place, cohort in enumerate(fleet.cohorts)}
    return [places[id(connection.cohort)] for connection in fleet.connections]


def resized(fleet: Fleet, places: Sequence[int], count: Callable[[int], Count | None]) -> Fleet:
    """Give the same cohorts in the same order, of other sizes.

    Args:
        fleet: everybody.
        places: see `places_of`.
        count: gives the clients of a cohort, by its place.
    """
    cohorts = _Cohorts(fleet.cohorts, count)
    return Fleet(cohorts=cohorts, connections=_Connections(fleet.connections, places, cohorts), base=fleet)


def fleet_of(
    inventory: Inventory,
    table: FleetTable | None = None,
    *,
    shipped: Mapping[tuple[str, str], datetime] | None = None,
    offline: Mapping[str, float] | None = None,
    moving: Collection[str] = (),
    floored: Collection[str] = (),
) -> Fleet:
    """Make the fleet of a policy.

    Args:
        inventory: the policy with everything looked up.
        table: the fleet file, where the policy names one.
        shipped: when releases go out that are asked about, by app and version.
        offline: the share of the clients of an app that live pins do not reach, where live pins are asked about.
        moving: apps whose clients update: each release has a cohort for every trust store of the app then.
        floored: those of them with floors: who stays behind one is a cohort of its own then.
    """
    counts = table or FleetTable()
    cohorts: list[Cohort] = []
    connections: list[Connection] = []
    rules: dict[tuple[Enforced, str, str], Rule] = {}
    for number, app_name in enumerate(inventory.policy.apps):
        heed("counting clients", number, len(inventory.policy.apps))
        every = cohorts_of(inventory, app_name, counts)
        for whole in _with_room(inventory.policy, list(every)) if app_name in moving else every:
            dated = replace(whole, since=(shipped or {}).get((app_name, whole.version)))
            for cohort in _by_reach(inventory, dated, (offline or {}).get(app_name, 0.0)):
                for own in _by_standing(cohort) if app_name in floored and cohort.release >= 0 else (cohort,):
                    cohorts.append(own)
                    connections += _connections(inventory, own, rules)
    numbered = (replace(connection, index=index) for index, connection in enumerate(connections))
    return Fleet(cohorts=tuple(cohorts), connections=tuple(numbered))


def _by_standing(cohort: Cohort) -> Iterator[Cohort]:
    """Tell those who will heed a floor from those who will not; nobody can of a cohort of unknown size."""
    none = Count(low=0, high=0)
    if cohort.clients is None:
        yield cohort
    yield replace(cohort, standing=Standing.MOVES, clients=cohort.clients or none)
    yield replace(cohort, standing=Standing.STAYS, clients=none)


def _with_room(policy: Policy, cohorts: Sequence[Cohort]) -> Iterator[Cohort]:
    """Give the cohorts of an app with one for every trust store on every release that runs there: people may come."""
    stores = dict.fromkeys(cohort.trust for cohort in cohorts if cohort.release >= 0)
    for release, group in groupby(cohorts, key=lambda cohort: cohort.release):
        own = list(group)
        yield from own
        there = {cohort.trust for cohort in own}
        for store in stores if release >= 0 else ():
            app = policy.apps[own[0].app]
            coming = replace(own[0], trust=store, clients=Count(low=0, high=0))
            if store not in there and can_run(policy, app, replace(coming, release=NO_RELEASE), app.releases[release]):
                yield coming


def _by_reach(inventory: Inventory, cohort: Cohort, share: float) -> Iterator[Cohort]:
    """Tell those whom live pins do not reach from the others, where a cohort has such pins."""
    own = [cohort.release]
    if cohort.release == UNSEEN_RELEASE:
        own = [index for index, _ in releases_out(inventory, inventory.policy.apps[cohort.app])]
    enforced = (item for index in own for item in inventory.enforced.get((cohort.app, index), ()))
    takes_live = any(channel_of(inventory, item) is Channel.LIVE for item in enforced)
    if not share or not takes_live:
        yield cohort
        return
    parts = split(cohort.clients, {"reached": 1 - share, "offline": share}) if cohort.clients is not None else {}
    yield replace(cohort, clients=parts.get("reached"))
    yield replace(cohort, clients=parts.get("offline"), offline=True)


def _connections(
    inventory: Inventory, cohort: Cohort, rules: dict[tuple[Enforced, str, str], Rule]
) -> Iterator[Connection]:
    policy = inventory.policy
    app = policy.apps[cohort.app]
    if cohort.release == UNSEEN_RELEASE:
        yield from _any_release(inventory, cohort, rules)
        return
    enforced = inventory.enforced.get((cohort.app, cohort.release), ())
    usage = policy.hosts_of(cohort.app)
    for host, share in usage.items():
        yield _connection(inventory, cohort, host, share, enforced, "", rules)
    for index, beside in enumerate(app.beside):
        for host in beside.hosts:
            yield _connection(
                inventory,
                cohort,
                host,
                usage.get(host, 1.0),
                inventory.beside.get((cohort.app, index), ()),
                beside.note or "beside",
                rules,
                beside=index,
            )


def _any_release(
    inventory: Inventory, cohort: Cohort, rules: dict[tuple[Enforced, str, str], Rule]
) -> Iterator[Connection]:
    """Give the connections of clients that may run any release that is out: each with all it may be."""
    each = [
        list(_connections(inventory, replace(cohort, release=index, version=release.version), rules))
        for index, release in releases_out(inventory, inventory.policy.apps[cohort.app])
    ]
    for found in zip(*each, strict=True):
        yield replace(
            found[0],
            cohort=cohort,
            mechanisms=tuple(name for c in found for name in c.mechanisms),
            rules={name: tuple(rule for c in found for rule in c.rules[name]) for name in found[0].rules},
            sources=tuple(source for c in found for source in c.sources),
            channels=tuple(channel for c in found for channel in c.channels),
            instead=found,
        )


def _connection(
    inventory: Inventory,
    cohort: Cohort,
    host: str,
    share: float,
    enforced: Sequence[Enforced],
    note: str,
    rules: dict[tuple[Enforced, str, str], Rule],
    *,
    beside: int = -1,
) -> Connection:
    app = inventory.policy.apps[cohort.app]
    by_name: dict[str, tuple[Rule, ...]] = {}
    for name in inventory.policy.host_names(host):
        by_name[name] = tuple(rule_of(inventory, item, host, name, rules, cleartext=app.cleartext) for item in enforced)
    return Connection(
        cohort=cohort,
        host=host,
        share=share,
        mechanisms=tuple(item.mechanism for item in enforced),
        rules=by_name,
        note=("not reached by live pins" if cohort.offline and not note else note),
        sources=tuple("" if item.from_file else item.source for item in enforced),
        channels=tuple(channel_of(inventory, item) for item in enforced),
        beside=beside,
    )
