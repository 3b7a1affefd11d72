"""Who runs what at a time: the counts of the policy, moved on by each app's curve.

The forecast starts on the day of the counts, which hold for the whole of it. Releases that went out by then say what
people on each version are made of; later ones, and floors, move them. Totals are kept: nobody comes or goes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from rotator.model.adoption import (
    PRESETS,
    Curve,
    Launch,
    Mix,
    Push,
    where,
)
from rotator.model.doubt import Fitted
from rotator.model.policy import App, Count, Policy
from rotator.model.versions import order as version_order
from rotator.model.when import BEGINNING, DAY, start_of
from rotator.simulate.cohorts import UNSEEN_RELEASE, Cohort, Standing, add, spread
from rotator.simulate.fleet import Fleet, places_of, resized
from rotator.simulate.grammar import Occurrence
from rotator.simulate.roads import Line, Moving, Roads, launches_of

FLOOR_REACH = 0.82
FLOOR_DAYS = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorAt:
    """A floor that is raised at an instant.

    Attributes:
        app: whose.
        version: the version below which people are made to update.
        at: from when on.
        reach: the share of those who can update that does.
        days: by when they have.
        hard: who does not is locked out.
    """

    app: str
    version: str
    at: datetime
    reach: float = FLOOR_REACH
    days: float = FLOOR_DAYS
    hard: bool = True


def floors_of(policy: Policy) -> Iterator[Occurrence]:
    """Give the floors that the policy names as actions; the counts know already of those before their day."""
    for name, app in policy.apps.items():
        counted = policy.counted(name)
        for floor in app.floors:
            if counted is not None and floor.date < counted:
                continue
            options = [("mode", floor.mode)]
            if floor.reach is not None:
                options.append(("reach", f"{floor.reach:g}"))
            if floor.reach_days is not None:
                options.append(("reach-days", f"{floor.reach_days:g}d"))
            yield Occurrence(
                id="floor",
                parts=(name, floor.version),
                options=tuple(options),
                at=start_of(floor.date),
                action=True,
            )


def floor_at(occurrence: Occurrence) -> FloorAt:
    """Read the action that raises a floor; what it does not say is assumed.

    Raises:
        ValueError: it has no instant yet.
    """
    if occurrence.at is None:
        message = "a floor is raised at an instant"
        raise ValueError(message)
    reach, days = occurrence.option("reach"), occurrence.option("reach-days")
    return FloorAt(
        app=occurrence.parts[0],
        version=occurrence.parts[1],
        at=occurrence.at,
        reach=FLOOR_REACH if not reach else float(reach),
        days=FLOOR_DAYS if not days else float(days.removesuffix("d")),
        hard=occurrence.option("mode") != "soft",
    )


def moving_of(app: App, fitted: Curve | None = None, otherwise: Curve | None = None) -> Moving | None:
    """Give the curve of an app, with what it stands on; None where it stands still.

    Args:
        app: the app.
        fitted: what was fitted to its counts.
        otherwise: what to take where the policy says nothing, or names a fit that is not there.
    """
    own = app.adoption
    if own is None:
        return None if otherwise is None else Moving(curve=otherwise, said=_named(otherwise))
    if own.preset == "fitted":
        if fitted is not None:
            said = fitted.said if isinstance(fitted, Fitted) else "fitted to its counts"
            return Moving(curve=fitted, said=said, fitted=True)
        curve = otherwise or PRESETS["typical"]
        return Moving(curve=curve, said=f"{_named(curve)}, since nothing could be fitted")
    if own.preset is not None:
        return Moving(curve=PRESETS[own.preset], said=f"preset {own.preset}")
    never, fast = own.never or 0.0, own.fast or 0.0
    curve = Curve(
        fast=fast, slow=max(0.0, 1.0 - never - fast), fast_days=own.fast_days or 1.0, slow_days=own.slow_days or 1.0
    )
    return Moving(curve=curve, said="as the policy states it")


def _named(curve: Curve) -> str:
    return next((f"preset {name}" for name, preset in PRESETS.items() if preset == curve), "a curve of its own")


def curve_of(app: App, fitted: Curve | None = None, otherwise: Curve | None = None) -> Curve | None:
    """Give the curve of an app; None where it stands still."""
    found = moving_of(app, fitted, otherwise)
    return None if found is None else found.curve


@dataclass(frozen=True, slots=True)
class Source:
    """People counted on one version, and how they move."""

    cohort: Cohort
    curve: Curve
    mix: Mix
    launches: tuple[Launch, ...]
    rank: int


@dataclass(kw_only=True)
class Forecast:
    """The clients of a fleet at any instant.

    Attributes:
        fleet: the fleet on the day of the counts, with a cohort for everything that people may come to run.
        notes: what was assumed.
        moving: the curve of each app whose clients move.
        sources: who moves.
        remade: make it anew for one app with another curve; the others stand still then.
    """

    fleet: Fleet
    notes: tuple[str, ...] = ()
    moving: Mapping[str, Moving] = field(default_factory=dict)
    remade: Callable[[str, Curve], Forecast] | None = None
    sources: tuple[Source, ...] = ()
    _starts: Mapping[str, datetime] = field(default_factory=dict)
    _ranks: Mapping[str, Sequence[int]] = field(default_factory=dict)
    _pushes: Mapping[str, tuple[Push, ...]] = field(default_factory=dict)
    _targets: Mapping[tuple[str, int, str, bool, Standing], Cohort] = field(default_factory=dict)
    _still: datetime = BEGINNING
    _memo: dict[datetime, Mapping[Cohort, Count | None]] = field(default_factory=dict)
    _fleets: dict[datetime, Fleet] = field(default_factory=dict)
    _tried: dict[tuple[str, str], Forecast] = field(default_factory=dict)
    _shares: dict[Hashable, Mapping[tuple[int, Standing], float]] = field(default_factory=dict)
    _shares_at: datetime | None = None

    def day(self, app: str, at: datetime) -> float:
        """Give the days from the counts of an app to an instant, 0 within their own day."""
        start = self._starts.get(app, at)
        return 0.0 if at < start + DAY else (at - start) / DAY

    def settled(self, at: datetime) -> datetime:
        """Give an instant that stands for another: the same where nobody moves, or not yet."""
        return at if self._moving_from is not None and at >= self._moving_from else self._still

    @cached_property
    def _moving_from(self) -> datetime | None:
        """Give the morrow of the first counts that anybody moves on from."""
        moved = {source.cohort.app for source in self.sources if source.launches}
        starts = [self._starts[app] for app in moved | {app for app, pushes in self._pushes.items() if pushes}]
        return min(starts) + DAY if starts else None

    def sizes(self, at: datetime) -> Mapping[Cohort, Count | None]:
        """Give the clients of each cohort at an instant."""
        if at not in self._memo:
            self._memo[at] = self._sized(at)
        return self._memo[at]

    def flows(self, at: datetime) -> Iterator[tuple[Cohort, Cohort, Count]]:
        """Give who is where at an instant: those of which cohort, in which one, and how many."""
        sources = {source.cohort for source in self.sources}
        yield from ((c, c, c.clients) for c in self.fleet.cohorts if c not in sources and c.clients is not None)
        for source in self.sources:
            if source.cohort.clients is not None:
                yield from ((source.cohort, *found) for found in self._moved(source, source.cohort.clients, at))

    def tried(self, app: str, name: str, curve: Curve) -> Forecast:
        """Give the forecast of one app with another curve, made once for each name."""
        if (app, name) not in self._tried:
            self._tried[app, name] = self if self.remade is None else self.remade(app, curve)
        return self._tried[app, name]

    def fleet_at(self, at: datetime) -> Fleet:
        """Give the fleet of an instant: the same cohorts in the same order, with the clients of then."""
        if not self.sources:
            return self.fleet
        if at not in self._fleets:
            sizes, cohorts = self.sizes(at), self.fleet.cohorts
            self._fleets[at] = resized(self.fleet, self.places, lambda place: sizes[cohorts[place]])
        return self._fleets[at]

    @cached_property
    def places(self) -> list[int]:
        """Give the place of the cohort of each connection."""
        return places_of(self.fleet)

    def _sized(self, at: datetime) -> Mapping[Cohort, Count | None]:
        found: dict[Cohort, Count | None] = {cohort: cohort.clients for cohort in self.fleet.cohorts}
        for source in self.sources:
            if found[source.cohort] is not None:
                found[source.cohort] = Count(low=0, high=0)
        for source in self.sources:
            clients = source.cohort.clients
            if clients is None or not clients.high:
                continue
            for target, count in self._moved(source, clients, at):
                before = found[target]
                # Where nobody knows how many are there already, nobody knows how many are there then.
                found[target] = None if before is None else add([before, count])
        return found

    def pushes(self, app: str) -> tuple[Push, ...]:
        """Give the floors of an app."""
        return self._pushes.get(app, ())

    def moved(self, source: Source, at: datetime) -> Iterator[tuple[Cohort, Count]]:
        """Give where the people of one source are at an instant, to the last one; nothing where nobody knows."""
        if source.cohort.clients is not None:
            yield from self._moved(source, source.cohort.clients, at)

    def _moved(self, source: Source, clients: Count, at: datetime) -> Iterator[tuple[Cohort, Count]]:
        """Give where the people of one source are, to the last one."""
        own = source.cohort
        parts = self.shares(source, at)
        places = sorted((place for place, part in parts.items() if part > 0), key=lambda place: place[0])
        for (rank, standing), count in zip(places, spread(clients, [parts[p] for p in places]), strict=True):
            yield self.target(own, rank, standing), count

    def shares(self, source: Source, at: datetime) -> Mapping[tuple[int, Standing], float]:
        """Give the share of the people of one source on each release, by rank and by whether a floor locked them out.

        Sources that only differ in their trust store, or in nothing that matters, are asked about once.
        """
        key = (source.cohort.app, source.curve, source.mix, source.launches, source.rank)
        if self._shares_at != at:
            self._shares_at = at
            self._shares.clear()
        if key not in self._shares:
            app = source.cohort.app
            pushes = self._pushes.get(app, ())
            there = where(source.curve, source.mix, source.rank, source.launches, pushes, self.day(app, at))
            parts: dict[tuple[int, Standing], float] = {}
            for rank, share in there.on.items():
                locked = there.locked.get(rank, 0.0)
                parts[rank, Standing.STAYS] = locked
                parts[rank, Standing.MOVES] = max(0.0, share - locked)
            self._shares[key] = parts
        return self._shares[key]

    def target(self, own: Cohort, rank: int, standing: Standing) -> Cohort:
        """Give the cohort that people of another one come to be in."""
        release = self._ranks[own.app][rank]
        target = self._targets.get((own.app, release, own.trust, own.offline, standing))
        return target or self._targets[own.app, release, own.trust, own.offline, own.standing]


def forecast(
    policy: Policy,
    fleet: Fleet,
    *,
    now: date,
    shipped: Mapping[tuple[str, str], datetime] | None = None,
    floors: Iterable[FloorAt] = (),
    fitted: Mapping[str, Curve] | None = None,
    otherwise: Curve | None = None,
    only: tuple[str, Curve] | None = None,
    instead: Mapping[str, Curve] | None = None,
) -> Forecast:
    """Make the forecast of a fleet.

    Args:
        policy: the policy, releases that are asked about among its own.
        fleet: its fleet, made with room for everybody who moves (`fleet_of(..., moving=...)`).
        now: the day of the session, where the policy does not say when clients were counted.
        shipped: when releases that are asked about reach the first clients, by app and version.
        floors: those that are raised, the policy's own among them.
        fitted: curves that were fitted, by app.
        otherwise: the curve of apps that name none; None leaves them as they are.
        only: an app, and the curve by which its clients alone move.
        instead: curves that stand in the place of those that apps have, such as slower ones.
    """
    starts: dict[str, datetime] = {}
    ranks: dict[str, Sequence[int]] = {}
    pushes: dict[str, tuple[Push, ...]] = {}
    sources: list[Source] = []
    notes = list(_standing_still(policy, otherwise))
    floors = tuple(floors)
    moving: dict[str, Moving] = {}
    for name, app in policy.apps.items():
        own = moving_of(app, (fitted or {}).get(name), otherwise)
        if only is not None:
            own = Moving(curve=only[1], said="") if name == only[0] else None
        if own is None or not app.releases:
            continue
        moving[name] = own
        curve = own.curve if instead is None else instead.get(name, own.curve)
        start = start_of(policy.counted(name) or now)
        line = Line.of(name, app, start, shipped or {})
        starts[name], ranks[name] = start, line.ranked
        pushes[name] = tuple(_push(line, app, f, start) for f in floors if f.app == name)
        notes += line.notes(own, policy.counted(name))
        if any(c.app == name and c.release == UNSEEN_RELEASE and c.clients and c.clients.high for c in fleet.cohorts):
            notes.append(f"assumed: clients of {name} on versions that are not shown stay there")
        roads = Roads(policy, app, line)
        sources += [
            _source(cohort, curve, roads)
            for cohort in fleet.cohorts
            if cohort.app == name and cohort.release != UNSEEN_RELEASE and cohort.standing is not Standing.STAYS
        ]
    targets = {(c.app, c.release, c.trust, c.offline, c.standing): c for c in fleet.cohorts}
    return Forecast(
        fleet=fleet,
        notes=tuple(notes),
        moving=moving,
        remade=lambda name, curve: forecast(policy, fleet, now=now, shipped=shipped, floors=floors, only=(name, curve)),
        sources=tuple(sources),
        _starts=starts,
        _ranks=ranks,
        _pushes=pushes,
        _targets=targets,
    )


def _standing_still(policy: Policy, otherwise: Curve | None) -> Iterator[str]:
    """Say which clients stay as they were counted."""
    still = [n for n, app in policy.apps.items() if (app.adoption is None and otherwise is None) or not app.releases]
    days = {policy.counted(name) for name in still}
    if not still:
        return
    day = f"as of {min(d for d in days if d)}" if all(days) else "as the policy states them"
    who = "" if len(still) == len(policy.apps) else f" of {', '.join(still)}"
    yield f"assumed: client counts{who} are frozen {day}; nobody updates here"


def _source(cohort: Cohort, curve: Curve, roads: Roads) -> Source:
    rank, road = roads.rank[cohort.release], roads.of(cohort)
    best = [] if road.best is None or road.best <= rank else [road.best]
    ahead = [*best, *(r for r in road.coming if r > rank)]
    return Source(
        cohort=cohort,
        curve=curve,
        mix=roads.line.mix(curve, rank, road),
        launches=launches_of(roads.line, ahead),
        rank=rank,
    )


def _push(line: Line, app: App, floor: FloorAt, start: datetime) -> Push:
    """Give a floor as a curve sees it: it stands on the first release that is not below its version."""
    own = version_order(floor.version)
    rank = next(
        (r for r, i in enumerate(line.ranked) if version_order(app.releases[i].version) >= own), len(line.ranked)
    )
    return Push(rank=rank, at=(floor.at - start) / DAY, reach=floor.reach, days=floor.days, hard=floor.hard)
