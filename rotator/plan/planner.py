"""A plan in the making: what is to be carried by which releases, how fast, and what serving it is weighed by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import repeat

from rotator.mechanisms.base import Entry
from rotator.model.adoption import PRESETS, Curve
from rotator.model.pins import Pin
from rotator.model.policy import App, Policy
from rotator.model.rules import Scope
from rotator.model.versions import order as version_order
from rotator.model.when import first_day, plus, start_of
from rotator.plan.carrying import (
    Publication,
    by_release,
    obstacles,
    pinning,
    publications,
    with_publications,
)
from rotator.plan.chance import Chance
from rotator.plan.draft import Carrier, Pins, changed, is_for, newest_of, next_version, with_carriers, with_releases
from rotator.plan.outlook import Outlook, as_action, instant_of, outlook
from rotator.plan.ships import Ships, Together
from rotator.plan.swap import Swap, next_free
from rotator.plan.target import Target, target_of
from rotator.plan.values import Goal
from rotator.simulate.asked import as_asked
from rotator.simulate.cohorts import UNSEEN_RELEASE, Cohort
from rotator.simulate.grammar import Occurrence
from rotator.simulate.inventory import Inventory
from rotator.simulate.populations import FLOOR_DAYS, FLOOR_REACH, FloorAt, curve_of
from rotator.simulate.question import Picture
from rotator.simulate.roads import ramp_of
from rotator.simulate.running import can_run
from rotator.simulate.timeline import happenings

ASSUMED = PRESETS["typical"]
"""The curve of apps that name none (`product.md`: typical, marked assumed, in a plan)."""


@dataclass(kw_only=True)
class Draft:
    """A plan in the making.

    Attributes:
        picture, goal, now, calendar: as asked.
        target: the goal, looked up.
        taken: the ways out that are taken.
        offline: by app, the share of clients that pins which the calendar publishes do not reach.
        chance: the probability with which the dates hold.
    """

    picture: Picture
    goal: Goal
    now: datetime
    calendar: tuple[Occurrence, ...]
    target: Target
    taken: frozenset[str] = frozenset()
    offline: Mapping[str, float] = field(default_factory=dict)
    otherwise: Curve = ASSUMED
    horizon: int = 0
    chance: Chance = field(default_factory=Chance)
    _judged: dict[tuple[object, ...], Outlook] = field(default_factory=dict)
    _unable: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _views: dict[tuple[object, ...], Outlook] = field(default_factory=dict)

    @property
    def policy(self) -> Policy:
        """Give the policy."""
        return self.picture.policy

    @property
    def today(self) -> date:
        """Give the day of the session."""
        return self.now.date()

    @property
    def end(self) -> date:
        """Give the last day that is looked at."""
        days = self.horizon or self.policy.limits.horizon_days
        last = self.today + timedelta(days=days)
        return last if self.goal.by is None else max(last, self.goal.by)

    @property
    def limit(self) -> date:
        """Give the last day by which the new chain must be served."""
        if self.goal.by is None:
            return self.end
        return self.goal.by - timedelta(days=math.ceil(self.policy.limits.deploy_days))

    @property
    def incident(self) -> tuple[str, ...]:
        """Give the keys on their way out that are stolen or lost: budgets hold no answer to that back (I2, I3)."""
        keys = dict.fromkeys((*self.target.drop, *self.target.old))
        return tuple(name for name in keys if self.policy.keys[name].status in ("compromised", "lost"))

    def frozen(self, what: str) -> list[tuple[date, date]]:
        """Give the times in which nothing is shipped, or served."""
        return [(f.from_, f.to) for f in self.policy.freeze if what in f.what]

    def review(self, app: str) -> float:
        """Give the days from handing a release in to the first clients."""
        own = self.policy.apps[app].review_days
        return self.policy.limits.review_days if own is None else own

    @property
    def curves(self) -> dict[str, Curve]:
        """Give the curve of each app at the probability with which dates hold."""
        return {name: self.chance.curve(name, self.expected(name)) for name in self.policy.apps}

    def expected(self, name: str) -> Curve:
        """Give the curve of an app as it stands."""
        return curve_of(self.policy.apps[name], self.picture.fitted.get(name), self.otherwise) or self.otherwise

    def slip(self, name: str) -> float:
        """Give by how many days a release of an app is late; what we deploy ourselves is not."""
        return 0.0 if self.expected(name).done_days is not None else self.chance.slip(self.review(name))

    def with_chance(self, chance: Chance) -> Draft:
        """Give the same plan in the making at another probability; verdicts that were judged are kept."""
        return replace(self, chance=chance, _views={})

    def view(self, ships: Ships | None = None, floors: tuple[FloorAt, ...] = ()) -> Outlook:
        """Make the outlook with some releases and floors."""
        carriers = ships.carriers if ships is not None else ()
        published = ships.published if ships is not None else ()
        key = (carriers, published, floors)
        if key not in self._views:
            inventory = with_carriers(self.picture.inventory, carriers)
            policy = inventory.policy
            for name in policy.apps:
                policy = with_releases(policy, name)
            enforced = dict(inventory.enforced)
            for name, app in inventory.policy.apps.items():
                if not app.releases:
                    enforced[name, 0] = enforced.get((name, -1), ())
            inventory = with_publications(replace(inventory, policy=policy, enforced=enforced), published)
            self._views[key] = outlook(
                self.picture,
                inventory,
                self.calendar,
                now=self.now,
                days=(self.end - self.today).days,
                shipped=ships.arrivals if ships is not None else {},
                floors=floors,
                otherwise=self.otherwise,
                offline={**self.offline, **{own.app: own.offline for own in published}},
                instead=self.curves,
            )
            if ships is not None or floors:
                self._views[key].quiet = self.view()
                self._views[key].bases = {(c.app, c.version): c.base for c in carriers}
            # Dates of releases move people and change no verdict, so what was judged for others holds here too.
            kind = (
                tuple((c.app, c.version, c.base, c.pins, c.min_os) for c in carriers),
                published,
                tuple((f.app, f.version, f.at, f.hard) for f in floors),
            )
            other = self._judged.setdefault(kind, self._views[key])
            self._views[key].take_judged(other)
        return self._views[key]

    # --- releases ----------------------------------------------------------------------------------------------

    def lacking(self) -> list[str]:
        """Give the apps whose newest release does not accept what is to be served, or does not carry its pins."""
        view = self.view()
        if self.target.only is not None:
            inventory = view.inventory
            newest = {name: newest_of(app) for name, app in inventory.policy.apps.items() if self._pins(name)}
            places = {
                name: next((n for n, r in enumerate(inventory.policy.apps[name].releases) if r is release), -1)
                for name, release in newest.items()
            }
            return [name for name, place in places.items() if not self._carries(inventory, name, place)]
        future, old = view.future(self.target.served), view.future()
        at = min(max(self.now, *(chain.leaf.not_before for chain in self.target.chains), self.now), view.end)
        refused = {index for index in future.at(at).broken if index not in old.at(at).broken}
        found: dict[str, None] = {}
        for connection in view.fleet.connections:
            app = self.policy.apps[connection.cohort.app]
            if (
                connection.index in refused
                and self._newest(app, connection.cohort)
                and self._releases(connection.cohort.app)
            ):
                found[connection.cohort.app] = None
        return list(found)

    def stuck(self, name: str) -> bool:
        """Say whether some users of an app have a system that is too old for its newest release."""
        app = self.policy.apps[name]
        if not app.releases:
            return False
        own = [cohort for cohort in self.view().fleet.cohorts if cohort.app == name and cohort.release >= 0]
        newest = max(app.releases, key=lambda release: release.released or date.min)
        return any(not can_run(self.policy, app, cohort, newest) for cohort in own)

    def bridged(self) -> list[str]:
        """Give the apps that get a release for old systems, as a way out that is taken."""
        asked = [n for n in self.policy.apps if f"bridge:{n}" in self.taken]
        return asked + [n for n in self.policy.apps if "bridge" in self.taken and n not in asked and self.stuck(n)]

    def _newest(self, app: App, cohort: Cohort) -> bool:
        newest = newest_of(app)
        return newest is None or cohort.version == newest.version or cohort.release == UNSEEN_RELEASE

    def _releases(self, name: str) -> bool:
        """Say whether an app pins any name that changes, so that other pins may help."""
        return bool(pinning(self._held(name), name, self.target.names))

    def _held(self, name: str) -> Inventory:
        """Give the inventory in which an app without releases has one."""
        inventory = self.picture.inventory
        if self.policy.apps[name].releases:
            return inventory
        policy = with_releases(inventory.policy, name)
        enforced = {**inventory.enforced, (name, 0): inventory.enforced.get((name, -1), ())}
        return replace(inventory, policy=policy, enforced=enforced)

    def unable(self, name: str) -> tuple[str, ...]:
        """Say why an app cannot carry what is new; nothing where it can."""
        if name not in self._unable:
            context = replace(self.picture.context, subject=f"apps.{name}", today=self.today)
            found = obstacles(self._held(name), name, self.new_pins(), context)
            self._unable[name] = tuple(dict.fromkeys(found))
        return self._unable[name]

    def _carries(self, inventory: Inventory, name: str, release: int) -> bool:
        """Say whether a release has the very pins that the goal asks for."""
        items = inventory.enforced.get((name, release), inventory.enforced.get((name, -1), ()))
        for item in items:
            own = [entry for entry in item.config.entries if is_for(entry, self.target.names)]
            mechanism = inventory.mechanisms.get(item.mechanism)
            if not own or mechanism is None:
                continue
            config, why = changed(mechanism, item, self.new_pins())
            fresh = [entry for entry in config.entries if is_for(entry, self.target.names)]
            if why or _said(own) != _said(fresh):
                return False
        return True

    def _pins(self, name: str) -> bool:
        names = self.target.names
        own = [item for (app, _), items in self.picture.inventory.enforced.items() if app == name for item in items]
        return any(is_for(entry, names) for item in own for entry in item.config.entries)

    def ships(
        self, apps: Sequence[str], *, moved: Mapping[str, date] | None = None, together: Together | None = None
    ) -> Ships:
        """Date the releases: each on the first day that is free, on a train where the policy names trains.

        Every later train carries the same, or it would take the new pins away again. What is published goes out the
        same day. An app that cannot carry what is new gets neither.
        """
        carriers: list[Carrier] = []
        days: dict[str, date] = {}
        published: list[Publication] = []
        bridged = self.bridged()
        for name in apps:
            if self.unable(name):
                continue
            held = self._held(name)
            app = held.policy.apps[name]
            asked = (moved or {}).get(name)
            soonest = max(asked or self.today, self.today)
            pins = self.new_pins()
            if together is not None and name in together.apps:
                pins = self.new_pins(together.apps[name], together.drop)
                soonest = max(soonest, first_day(plus(together.since, -timedelta(days=self.review(name)))))
            day = next_free(soonest, self.frozen("ship"))
            days[name] = day
            published += publications(held, name, self.new_pins(), instant_of(day, self.now))
            if not self._by_release(held, name):
                continue
            review = timedelta(days=self.review(name))
            version, arrival = next_version(app), plus(instant_of(day, self.now), review)
            trains = self.trains(app, arrival)
            if trains and asked is None:
                day = self.handed_in(name, trains[0][1], day)
            newest = newest_of(app)
            base = newest.version if newest is not None else "-"
            slip = timedelta(days=self.slip(name))
            carriers += [
                Carrier(
                    app=name,
                    version=version,
                    base=version if trains else base,
                    pins=pins,
                    min_os="" if name in bridged else None,
                    at=plus(arrival, slip),
                )
                for version, arrival in trains or [(version, arrival)]
            ]
            days[name] = day
        return Ships(carriers=tuple(carriers), days=days, published=tuple(published))

    def _by_release(self, held: Inventory, name: str) -> bool:
        return by_release(held, name, self.target.names) or not pinning(held, name, self.target.names)

    def trains(self, app: App, earliest: datetime) -> list[tuple[str, datetime]]:
        """Give the releases that the policy names for days to come, from the first that can still be changed on."""
        coming = [(start_of(r.released), r.version) for r in app.releases if r.released is not None]
        return [(version, at) for at, version in sorted(coming) if self.today < at.date() >= earliest.date()]

    def handed_in(self, name: str, arrival: datetime, earliest: date) -> date:
        """Give the day on which a train is handed in: as late as review allows, before a freeze that day lies in."""
        day = max(earliest, plus(arrival, -timedelta(days=self.review(name))).date())
        while day > earliest and next_free(day, self.frozen("ship")) != day:
            day -= timedelta(days=1)
        return day

    def new_pins(self, spares: Sequence[str] = (), drop: frozenset[Pin] = frozenset()) -> Pins:
        """Give what pins become, host by host, in one release.

        Args:
            spares: the key that comes along as the fresh spare of each exchange; "" for none.
            drop: the pins that are taken out with it.
        """
        keys, only = self.picture.inventory.keys, self.target.only
        first, *more = (
            Pins(names=e.names, key=keys.get(e.key), chain=e.chain, spare=keys.get(spare), drop=drop, only=only)
            for e, spare in zip(self.target.exchanges, spares or repeat(""), strict=False)
        )
        return replace(first, also=tuple(more))

    # --- floors and ways out -----------------------------------------------------------------------------------

    def floors(self, ships: Ships, apps: Sequence[str]) -> tuple[FloorAt, ...]:
        """Give the floors that are raised as a way out: on what carries the new pins, once it is there for all."""
        found = []
        for name in apps:
            app = with_releases(self.policy, name).apps[name]
            carrier = next((c for c in ships.carriers if c.app == name), None)
            version = carrier.version if carrier is not None else self._newest_out(app)
            out = carrier.at if carrier is not None else self.now
            ramp = ramp_of(app)
            at = plus(out, timedelta(days=ramp[-1][0] if ramp and carrier is not None else 0))
            said = [floor.reach for floor in app.floors if floor.reach is not None]
            reach = said[-1] if said else self.chance.reach(FLOOR_REACH)
            found.append(FloorAt(app=name, version=version, at=at, reach=reach, days=FLOOR_DAYS, hard=False))
        return tuple(found)

    def _newest_out(self, app: App) -> str:
        """Give the newest version that people can have by now."""
        out = [r for r in app.releases if r.released is None or r.released <= self.today] or list(app.releases)
        return max(out, key=lambda release: version_order(release.version)).version

    def swap(self, ships: Ships | None, floors: tuple[FloorAt, ...] = ()) -> Swap:
        """Weigh serving the target with some releases and floors."""
        view = self.view(ships, floors)
        spared: frozenset[Cohort] = frozenset()
        served = self.target.served
        behind: frozenset[int] = frozenset()
        if self.target.only is not None:
            served = ()
            ours = {(c.app, c.version) for c in ships.carriers} if ships is not None else set()
            reached = {own.app for own in ships.published} - {app for app, _ in ours} if ships is not None else set()
            apps = {name for name in self.policy.apps if self._pins(name)}
            carried = {
                own: self._carries(view.inventory, *own)
                for own in {(c.app, c.release) for c in view.fleet.cohorts if c.app in apps}
            }
            behind = frozenset(
                c.index
                for c in view.fleet.connections
                if c.cohort.app in apps
                and not carried[c.cohort.app, c.cohort.release]
                and c.host in self.target.hosts
                and (c.cohort.app, c.cohort.version) not in ours
                and (c.cohort.app not in reached or c.cohort.offline)
            )
        dropping = {(c.app, c.version): c.at for c in (ships.carriers if ships is not None else ()) if c.pins.drops}
        arrivals = {
            c.index: dropping[c.cohort.app, c.cohort.version]
            for c in (view.fleet.connections if dropping else ())
            if (c.cohort.app, c.cohort.version) in dropping
        }
        return Swap(
            outlook=view,
            arrivals=arrivals,
            served=served,
            floors=(
                *(as_action(floor) for floor in floors),
                *(own.action for own in (ships.published if ships is not None else ())),
            ),
            deploy=self.policy.limits.deploy_days,
            spared=spared,
            behind=behind,
            losses="accept" in self.taken or bool(self.incident),
        )


def _said(entries: Sequence[Entry]) -> set[tuple[Scope, Pin]]:
    return {(own.scope, pin) for entry in entries for own in entry.lists for pin in own.pins}


def draft_of(picture: Picture, goal: Goal, now: datetime, calendar: Sequence[Occurrence]) -> Draft:
    """Begin a plan.

    Raises:
        UsageError: the goal cannot be looked up.
    """
    order = happenings(calendar, now, picture.policy)
    asked = as_asked(picture.inventory, picture.material, picture.context, picture.digest, order)
    if asked.shipped or asked.inventory.published:
        picture = replace(picture, inventory=asked.inventory, policy=asked.inventory.policy)
    return Draft(
        picture=picture,
        offline=asked.offline,
        goal=goal,
        now=now,
        calendar=tuple(calendar),
        target=target_of(picture.inventory, goal, now),
        taken=frozenset(goal.take),
    )
