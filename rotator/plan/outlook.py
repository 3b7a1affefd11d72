"""Who accepts what is served, who does not, and how many they are, on every day to come.

A future is what hosts serve from now on. Each is judged once for every stretch of time in which no verdict can change;
people are laid over it by the adoption curve. Certificates that end are taken to be renewed with the same key, so that
what a plan breaks is never hidden behind what would have ended anyway.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from rotator.model.adoption import Curve
from rotator.model.policy import Count
from rotator.model.when import DAY, plus, start_of
from rotator.plan.draft import scopes
from rotator.simulate.cohorts import Cohort
from rotator.simulate.engine.engine import Engine
from rotator.simulate.fleet import Connection, Fleet, fleet_of, resized
from rotator.simulate.grammar import Occurrence, parse_event
from rotator.simulate.impact import BROKEN, EXPOSED, Impact, Judging
from rotator.simulate.inventory import Inventory
from rotator.simulate.populations import FloorAt, Forecast, floor_at, floors_of, forecast
from rotator.simulate.question import Picture, expiries
from rotator.simulate.timeline import Happening, Timeline, happenings, with_ended_pinsets
from rotator.simulate.totals import Total, total_of
from rotator.simulate.world import World

WEEK = timedelta(days=7)
MOST_RENEWALS = 60
"""Renewals that are played for one host: more than a year of weekly ones."""
_CHANGES_CHAIN = ("serve", "renew", "ca-change", "intermediate-swap", "algorithm-change")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A time in which no verdict changes.

    Attributes:
        at: its first instant.
        broken, exposed: the connections that are, each with whether that is certain.
        impact: the answer in full.
    """

    at: datetime
    broken: Mapping[int, bool]
    exposed: Mapping[int, bool]
    impact: Impact


@dataclass(frozen=True, kw_only=True)
class Future:
    """What comes when hosts serve something from now on."""

    stretches: tuple[Stretch, ...]

    def at(self, instant: datetime) -> Stretch:
        """Give the stretch an instant lies in."""
        starts = [stretch.at for stretch in self.stretches]
        return self.stretches[max(0, bisect_right(starts, instant) - 1)]

    def between(self, start: datetime, end: datetime) -> Sequence[Stretch]:
        """Give the stretches of a time, the one it begins in among them."""
        first = self.at(start)
        return [first, *(s for s in self.stretches if start < s.at <= end)]


@dataclass(kw_only=True)
class Outlook:
    """Everything a plan is weighed by.

    Attributes:
        inventory: the policy, planned releases among its own.
        people: where its clients are at any time.
        calendar: what happens in any case.
        now, end: the first and the last instant that are looked at.
        quiet: the outlook without any release of the plan; None for that one itself.
        bases: by app and version of a release of the plan, the version it is made from.
    """

    inventory: Inventory
    people: Forecast
    calendar: tuple[Occurrence, ...]
    now: datetime
    end: datetime
    judges: Judging
    quiet: Outlook | None = None
    bases: Mapping[tuple[str, str], str] = field(default_factory=dict)
    _baseline: Future | None = None
    _most: dict[tuple[Cohort, datetime], Count | None] = field(default_factory=dict)
    _futures: dict[tuple[Occurrence, ...], Future] = field(default_factory=dict)
    _scopes: list[tuple[str | None, str | None]] = field(default_factory=list)

    @property
    def fleet(self) -> Fleet:
        """Give the fleet as a structure; its clients are those of the day of the counts."""
        return self.people.fleet

    def take_judged(self, other: Outlook) -> None:
        """Share what another outlook has judged, one that differs in the dates of releases alone."""
        self._futures = other._futures

    def baseline(self) -> Future:
        """Give the future without any step of ours, told of the connections of this fleet.

        Who will run a release of the plan is taken to be where those are who run what it is made from: a release that
        breaks its users is a step of ours.
        """
        if self.quiet is None:
            return self.future()
        if self._baseline is None:
            twins = self._twins()
            self._baseline = Future(
                stretches=tuple(
                    replace(
                        s,
                        broken={i: s.broken[t] for i, t in twins.items() if t in s.broken},
                        exposed={i: s.exposed[t] for i, t in twins.items() if t in s.exposed},
                    )
                    for s in self.quiet.future().stretches
                )
            )
        return self._baseline

    def _twins(self) -> dict[int, int]:
        """Give for each connection the one it would be without our releases, where there is one."""
        assert self.quiet is not None  # noqa: S101 - asked by the caller
        there: dict[tuple[object, ...], int] = {}
        for connection in self.quiet.fleet.connections:
            there.setdefault(_twin(connection, connection.cohort.version), connection.index)
        found = {}
        for connection in self.fleet.connections:
            cohort = connection.cohort
            base = self.bases.get((cohort.app, cohort.version), cohort.version)
            twin = there.get(_twin(connection, base))
            if twin is not None:
                found[connection.index] = twin
        return found

    def future(self, served: Sequence[Occurrence] = ()) -> Future:
        """Judge what comes when some hosts serve something else from now on, or nothing does."""
        key = tuple(served)
        if key not in self._futures:
            self._futures[key] = self._judged(key)
        return self._futures[key]

    def _judged(self, served: tuple[Occurrence, ...]) -> Future:
        order = self.order(served)
        inventory = with_ended_pinsets(self.inventory, order)
        timeline = Timeline(inventory, order)
        found = []
        for at in timeline.instants(self.now, self.end, expiries(self.fleet, inventory)):
            impact = self.judges.impact(self.fleet, timeline.world_at(at), at)
            found.append(
                Stretch(
                    at=at,
                    broken=impact.hit(*BROKEN),
                    exposed=impact.hit(*EXPOSED),
                    impact=impact,
                )
            )
        return Future(stretches=tuple(found))

    def order(self, served: Sequence[Occurrence]) -> tuple[Happening, ...]:
        """Put what happens in order: the calendar, what is served, and renewals with the same key in time."""
        policy = self.inventory.policy
        played = [*self.calendar, *served]
        order = happenings(played, self.now, policy)
        for host in policy.hosts:
            for _ in range(MOST_RENEWALS):
                renewal = self._renewal(host, order)
                if renewal is None:
                    break
                played.append(renewal)
                order = happenings(played, self.now, policy)
        return order

    def _renewal(self, host: str, order: tuple[Happening, ...]) -> Occurrence | None:
        """Give the first renewal of a host that nothing in an order takes care of."""
        timeline = Timeline(self.inventory, order)
        changes = sorted(
            {h.at for h in order if h.occurrence.id in _CHANGES_CHAIN and self._is_for(h.occurrence, host)} | {self.now}
        )
        for number, at in enumerate(changes):
            if at < self.now and number + 1 < len(changes) and changes[number + 1] <= self.now:
                continue
            world: World = timeline.world_at(max(at, self.now))
            leaves = [offer.chain.leaf for offer in world.served.get(host, ())]
            ends = min((leaf.not_after for leaf in leaves), default=self.end)
            after = changes[number + 1] if number + 1 < len(changes) else self.end
            if ends < min(after, self.end):
                when = max(plus(ends, -DAY), at, self.now)
                if when in changes and when == at and at > self.now:
                    return None
                return parse_event(f"renew:{host}:same-key@{when:%Y-%m-%dT%H:%M:%SZ}")
        return None

    def _is_for(self, occurrence: Occurrence, host: str) -> bool:
        return self.inventory.policy.host_label(occurrence.parts[0]) == host

    # --- counting ----------------------------------------------------------------------------------------------

    def scopes(self) -> list[tuple[str | None, str | None]]:
        """Give the fleet, and each segment that is no smaller than the noise floor."""
        if not self._scopes:
            sizes: dict[tuple[str, str], int] = {}
            for cohort, count in self.people.sizes(self.now).items():
                key = (cohort.app, cohort.trust)
                sizes[key] = sizes.get(key, 0) + (count.high if count is not None else 0)
            found = scopes(sizes, self.inventory.policy.limits.noise_floor, mixed=self.fleet.mixed)
            self._scopes = found
        return self._scopes

    def budget(self, app: str | None) -> float:
        """Give the share of users that a plan may break, of all or of an app."""
        own = self.inventory.policy.apps[app].break_budget if app is not None else None
        return self.inventory.policy.limits.break_budget if own is None else own

    def total(
        self, at: datetime, connections: Mapping[int, bool], app: str | None = None, trust: str | None = None
    ) -> Total:
        """Count the clients behind some connections at an instant."""
        return total_of(self.people.fleet_at(self.people.settled(at)), connections, app, trust)

    def standing(self, at: datetime, future: Future) -> tuple[Total, Total]:
        """Count who is broken and who is exposed at an instant of a future."""
        stretch = future.at(at)
        return self.total(at, stretch.broken), self.total(at, stretch.exposed)

    def ours(self, old: Future, new: Future, start: datetime, end: datetime) -> dict[datetime, dict[int, bool]]:
        """Give the connections that a change breaks, at the instant from which each is broken by it.

        Args:
            old: the future without the change.
            new: the one with it.
            start: when it is made.
            end: the last instant that is looked at.
        """
        found: dict[datetime, dict[int, bool]] = {}
        seen: set[int] = set()
        bounds = sorted({start, *(s.at for future in (old, new) for s in future.stretches if start < s.at <= end)})
        for at in bounds:
            before, after = old.at(at).broken, new.at(at).broken
            fresh = {index: sure for index, sure in after.items() if index not in before and index not in seen}
            if fresh:
                found[at] = fresh
                seen |= set(fresh)
        return found

    def once(self, broken: Mapping[datetime, Mapping[int, bool]]) -> Fleet:
        """Give the fleet in which every cohort has the clients that are ever hit, to count each of them once.

        People only leave old releases, so those on one when it is hit are all it ever hits. On a release that still
        grows the day counts on which it is largest, and those who came to it are taken off where they came from: people
        of an app and trust store are never more than they are.
        """
        first: dict[Cohort, datetime] = {}
        for at in sorted(broken):
            for index in broken[at]:
                first.setdefault(self.fleet.connections[index].cohort, at)
        start = min(broken, default=self.now)
        there = self.people.sizes(self.people.settled(start))
        sizes = dict(there)
        for cohort, at in first.items():
            sizes[cohort] = self._largest(cohort, at)
        grown = {(c.app, c.trust) for c in first if _high(sizes[c]) > _high(there[c])}
        for app, trust in grown:
            sizes |= _no_more(sizes, {c: n for c, n in there.items() if (c.app, c.trust) == (app, trust)}, set(first))
        cohorts = self.fleet.cohorts
        return resized(self.fleet, self.people.places, lambda place: sizes[cohorts[place]])

    def _largest(self, cohort: Cohort, since: datetime) -> Count | None:
        """Give the clients of a cohort when it is largest from an instant on."""
        if (cohort, since) not in self._most:
            # Weeks are counted from the start of the plan, so that every cohort is looked at on the same days.
            ahead = (self.now + WEEK * n for n in range(1, (self.end - self.now) // WEEK + 1))
            instants = [since, *(at for at in ahead if since < at < self.end), self.end]
            counts = [self._count(cohort, at) for at in instants]
            highs = [count.high for count in counts if count is not None]
            if highs and counts[0] is not None and max(highs) > counts[0].high:
                top = instants[highs.index(max(highs))]
                near = (top + timedelta(days=n) for n in range(-6, 7))
                counts += [self._count(cohort, at) for at in near if since <= at <= self.end]
            known = [count for count in counts if count is not None]
            low, high = max((c.low for c in known), default=0), max((c.high for c in known), default=0)
            self._most[cohort, since] = Count(low=low, high=high) if len(known) == len(counts) else None
        return self._most[cohort, since]

    def _count(self, cohort: Cohort, at: datetime) -> Count | None:
        return self.people.sizes(self.people.settled(at))[cohort]


def _high(count: Count | None) -> int:
    return 0 if count is None else count.high


def _no_more(
    sizes: Mapping[Cohort, Count | None], there: Mapping[Cohort, Count | None], hit: Collection[Cohort]
) -> dict[Cohort, Count | None]:
    """Give the people of a segment so that they are as many as there are: those who are hit, and the rest of them.

    Args:
        sizes: those who are ever hit, for cohorts that are.
        there: the people of the segment at the start.
        hit: the cohorts that are hit.
    """
    if any(count is None for count in there.values()) or any(sizes[c] is None for c in there):
        return {}
    left = sum(map(_high, there.values()))
    found: dict[Cohort, Count | None] = {}
    # Whoever is on a version when it is hit stays counted there; those who come to a newer one later are the same.
    for cohort in sorted((c for c in there if c in hit), key=lambda c: _high(sizes[c]) > _high(there[c])):
        found[cohort] = _at_most(sizes[cohort], left)
        left -= _high(found[cohort])
    for cohort in sorted((c for c in there if c not in hit), key=lambda c: _high(there[c])):
        found[cohort] = _at_most(there[cohort], left)
        left -= _high(found[cohort])
    return found


def _at_most(count: Count | None, most: int) -> Count:
    high = min(_high(count), max(0, most))
    return Count(low=min(high, 0 if count is None else count.low), high=high)


def _twin(connection: Connection, version: str) -> tuple[object, ...]:
    cohort = connection.cohort
    # Whom published pins do not reach were among all others, with the same pins, before any were published.
    return (cohort.app, version, cohort.trust, connection.host, connection.beside)


def outlook(
    picture: Picture,
    inventory: Inventory,
    calendar: Sequence[Occurrence],
    *,
    now: datetime,
    days: int,
    shipped: Mapping[tuple[str, str], datetime],
    floors: Sequence[FloorAt] = (),
    otherwise: Curve,
    offline: Mapping[str, float] | None = None,
    instead: Mapping[str, Curve] | None = None,
) -> Outlook:
    """Make the outlook of a policy.

    Args:
        picture: everything read.
        inventory: the policy with planned releases.
        calendar: what happens in any case.
        now: the instant of the session.
        days: how far it looks ahead.
        shipped: when planned releases reach the first clients.
        floors: those that the plan raises.
        otherwise: the curve of apps that name none.
        offline: by app, the share of clients that published pins do not reach.
        instead: curves that stand in the place of those that apps have.
    """
    policy = inventory.policy
    named = [*floors_of(policy), *(o for o in calendar if o.id == "floor" and o.at is not None)]
    every = (*(floor_at(o) for o in named), *floors)
    moving = {name for name, app in policy.apps.items() if app.releases}
    fleet = fleet_of(
        inventory,
        picture.table,
        offline=offline,
        moving=moving,
        floored={f.app for f in every if f.hard and f.app in moving},
    )
    people = forecast(
        policy,
        fleet,
        now=now.date(),
        shipped=shipped,
        floors=every,
        fitted=picture.fitted,
        otherwise=otherwise,
        instead=instead,
    )
    played = (*calendar, *floors_of(policy))
    return Outlook(
        inventory=inventory,
        people=people,
        calendar=tuple(played),
        now=now,
        end=start_of(now.date()) + timedelta(days=days),
        judges=Engine(inventory, people.fleet),
    )


def as_action(floor: FloorAt) -> Occurrence:
    """Write a floor as the action that raises it."""
    return Occurrence(
        id="floor",
        parts=(floor.app, floor.version),
        options=(
            ("mode", "hard" if floor.hard else "soft"),
            ("reach", f"{floor.reach:g}"),
            ("reach-days", f"{floor.days:g}d"),
        ),
        at=floor.at,
        action=True,
    )


def instant_of(day: date, now: datetime) -> datetime:
    """Give the instant at which something of a day is done: its start, or now for today."""
    return max(start_of(day), now)
