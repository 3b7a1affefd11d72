"""The second opinion: a plan is played instant by instant, and its word is not taken for anything.

The replay shares the adoption curve with the planner and nothing else: it plays the dated steps in one scenario,
judges every connection at every instant at which a verdict may change and on every day between, lays that day's people
over it, and counts for each cohort the most that were ever broken by the steps. Releases that drop pins are among it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from rotator.model.when import plus, start_of
from rotator.plan.carrying import Publication, as_published, with_publications, with_room
from rotator.plan.dating import Dated
from rotator.plan.draft import Carrier, with_carriers
from rotator.plan.planner import Draft
from rotator.plan.swap import segment_name
from rotator.plan.values import Plan
from rotator.simulate.fleet import Connection, Fleet, fleet_of
from rotator.simulate.grammar import Occurrence
from rotator.simulate.inventory import Inventory
from rotator.simulate.populations import Forecast, floor_at, floors_of, forecast
from rotator.simulate.question import expiries
from rotator.simulate.scene import Judges
from rotator.simulate.timeline import Timeline, with_ended_pinsets
from rotator.simulate.totals import by_cohort, share_of, union

Segment = tuple[str | None, str | None]
PLAYED = ("serve", "floor", "publish")


def replay(
    draft: Draft, plan: Plan, found: Dated, drops: Sequence[Carrier] = (), published: Sequence[Publication] = ()
) -> Iterator[str]:
    """Play a plan and say what it breaks beyond the budget; nothing where it keeps it.

    A plan that is NEVER has no steps on the servers to play, and of a loss that was accepted nothing is asked.

    Args:
        draft: what was asked.
        plan: the plan.
        found: its releases.
        drops: its releases without the old pins.
        published: what it publishes without them.
    """
    if plan.never or "accept" in draft.taken:
        return
    played = _Replay(draft, plan, found, tuple(drops), tuple(published))
    if not draft.incident:
        # The answer to a stolen or lost key is not held back by budgets: its report is headed by the loss.
        yield from played.breakage()
        yield from played.both()
    yield from played.order()
    yield from played.kept()


@dataclass
class _Heads:
    """People of a segment: the most that were hit, and all."""

    hit: float = 0.0
    all: int = 0


class _Replay:
    def __init__(
        self, draft: Draft, plan: Plan, found: Dated, drops: tuple[Carrier, ...], published: tuple[Publication, ...]
    ) -> None:
        self.draft, self.plan = draft, plan
        view = found.swap.outlook
        self.now, self.end = view.now, view.end
        self.ours = (*found.ships.carriers, *drops)
        steps = [o for step in plan.steps for o in step.occurrences if o.id in PLAYED]
        self.serves = [o for o in steps if o.id == "serve"]
        inventory = with_room(with_carriers(view.inventory, drops))
        inventory = with_publications(inventory, published, as_published(inventory))
        view = replace(view, inventory=inventory, _futures={})
        self.orders = {name: view.order(tuple(played)) for name, played in self._lines(steps)}
        self.inventory = with_ended_pinsets(inventory, self.orders["played"])
        self.quiet = with_ended_pinsets(draft.view().inventory, self.orders["quiet"])
        self.people = self._people(self.inventory, steps)
        self.fleet = self.people.fleet
        self.twins = self._twins()
        self.judges = {"quiet": Judges(self.quiet), "own": Judges(self.inventory)}
        self.lines = {
            name: Timeline(self.quiet if name == "quiet" else self.inventory, order)
            for name, order in self.orders.items()
        }
        self.scopes = view.scopes()
        bounds = {
            at
            for name, line in self.lines.items()
            for at in line.instants(self.now, self.end, expiries(self.fleet, self.inventory))
        }
        self.bounds = sorted(bounds | {at for at in self._arrivals() if self.now <= at <= self.end})
        self.hits = {at: self._hits(at) for at in self.bounds}

    @staticmethod
    def _lines(steps: list[Occurrence]) -> Iterator[tuple[str, list[Occurrence]]]:
        yield "quiet", []
        yield "waiting", [o for o in steps if o.id != "serve"]
        yield "played", steps

    def _arrivals(self) -> Iterator[datetime]:
        yield from (carrier.at for carrier in self.ours)
        for action in self.serves:
            if action.at is not None:
                yield plus(action.at, timedelta(days=self.draft.policy.limits.deploy_days))

    def _people(self, inventory: Inventory, steps: Sequence[Occurrence]) -> Forecast:
        """Lay people over the releases, those that drop pins among them, by the adoption curve."""
        draft = self.draft
        named = (*floors_of(inventory.policy), *(o for o in (*draft.calendar, *steps) if o.id == "floor" and o.at))
        floors = tuple(floor_at(o) for o in named)
        moving = {name for name, app in inventory.policy.apps.items() if app.releases}
        offline = dict(draft.offline)
        offline |= {app: inventory.policy.pinsets[name].offline_share for app, name in inventory.everywhere}
        fleet = fleet_of(
            inventory,
            draft.picture.table,
            offline=offline,
            moving=moving,
            floored={f.app for f in floors if f.hard and f.app in moving},
        )
        return forecast(
            inventory.policy,
            fleet,
            now=draft.today,
            shipped={(c.app, c.version): c.at for c in self.ours},
            floors=floors,
            fitted=draft.picture.fitted,
            otherwise=draft.otherwise,
            instead=draft.curves,
        )

    def _twins(self) -> dict[int, int]:
        """Give for each connection the one that the same people would have without any step of ours."""
        self.still: Fleet = self.draft.view().fleet
        bases = {(c.app, c.version): c.base for c in reversed(self.ours)}

        def place(connection: Connection, version: str) -> tuple[object, ...]:
            own = connection.cohort
            return own.app, version, own.trust, connection.host, connection.beside

        there: dict[tuple[object, ...], int] = {}
        for connection in self.still.connections:
            there.setdefault(place(connection, connection.cohort.version), connection.index)
        found = {}
        for connection in self.fleet.connections:
            app, version = connection.cohort.app, connection.cohort.version
            for _ in bases:
                version = bases.get((app, version), version)
            twin = there.get(place(connection, version))
            if twin is not None:
                found[connection.index] = twin
        return found

    def _hits(self, at: datetime) -> dict[str, set[int]]:
        """Give the connections that are broken at an instant: without us, by what is served now, by what was."""
        quiet = self.judges["quiet"].impact(self.still, self.lines["quiet"].world_at(at), at)
        broken = {row.connection.index for row in quiet.rows if row.verdict.is_broken}
        found = {"quiet": {index for index, twin in self.twins.items() if twin in broken}}
        for name in ("waiting", "played"):
            impact = self.judges["own"].impact(self.fleet, self.lines[name].world_at(at), at)
            found[name] = {row.connection.index for row in impact.rows if row.verdict.is_broken}
        return found

    def _then(self, at: datetime) -> dict[str, set[int]]:
        return self.hits[max((b for b in self.bounds if b <= at), default=self.bounds[0])]

    def _count(self, at: datetime, hit: set[int]) -> dict[int, tuple[float, int, str, str]]:
        """Count, for each cohort, who uses any of some connections at an instant, and everybody."""
        fleet = self.people.fleet_at(self.people.settled(at))
        found = {}
        for number, (cohort, group) in enumerate(by_cohort(fleet.connections)):
            size = cohort.clients.high if cohort.clients is not None else 0
            shares = {
                host: max(c.share for c in own)
                for host, own in groupby(
                    sorted((c for c in group if c.index in hit), key=lambda c: c.host), key=lambda c: c.host
                )
            }
            found[number] = (size * union(list(shares.values()))[1], size, cohort.app, cohort.trust)
        return found

    # --- what is judged ----------------------------------------------------------------------------------------

    def breakage(self) -> Iterator[str]:
        """I2 (and I4, I5 where a release does it): users broken by our steps, each once, stay inside the budget."""
        days = [start_of(self.draft.today + timedelta(days=n)) for n in range((self.end - self.now).days + 1)]
        most: dict[int, float] = {}
        first: dict[int, tuple[float, int, str, str]] = {}
        for at in sorted({*self.bounds, *(day for day in days if day > self.now)}):
            then = self._then(at)
            for number, own in self._count(at, then["played"] - then["quiet"]).items():
                first.setdefault(number, own)
                most[number] = max(most.get(number, 0.0), own[0])
        for app, trust in self.scopes:
            heads = _Heads()
            for number, (_, size, own_app, own_trust) in first.items():
                if app in (None, own_app) and trust in (None, own_trust):
                    heads.hit, heads.all = heads.hit + math.ceil(most[number] - 1e-9), heads.all + size
            yield from self._beyond("I2", app, trust, min(heads.hit, heads.all), heads.all, self._budget(app))

    def both(self) -> Iterator[str]:
        """I3: until every edge is over, both chains are accepted, or no fewer accept them than accept today's."""
        hosts = {action.parts[0] for action in self.serves}
        own = {c.index for c in self.people.fleet.connections if c.host in hosts}
        today = self.hits[self.bounds[0]]["quiet"] & own
        for action in self.serves:
            assert action.at is not None  # noqa: S101 - a step of a plan has its day
            until = plus(action.at, timedelta(days=self.draft.policy.limits.deploy_days))
            during = [self._then(action.at), *(h for at, h in self.hits.items() if action.at < at < until)]
            either = set().union(*(h["waiting"] | h["played"] for h in during)) & own
            now, then = self._count(self.now, today), self._count(action.at, either)
            for app, trust in self.scopes:
                was, whole = self._sum(now, app, trust)
                hit, size = self._sum(then, app, trust)
                allowed = max(self._budget(app), share_of(was, whole))
                yield from self._beyond("I3", app, trust, hit, size, allowed)

    def order(self) -> Iterator[str]:
        """I4 and I5: nothing is dropped before the new chain is served everywhere, roll-backs over."""
        limits = self.draft.policy.limits
        served = max((o.at for o in self.serves if o.at is not None), default=None)
        gone = all(self.draft.policy.keys[k].status == "compromised" for k in self.draft.target.drop)
        wait = timedelta(days=limits.deploy_days + (0 if gone else limits.rollback_days))
        for carrier in (own for own in self.ours if own.pins.drops):
            if served is not None and carrier.at < plus(served, wait):
                yield f"I4: {carrier.app} {carrier.version} drops a pin on {carrier.at:%Y-%m-%d}, too early"

    def kept(self) -> Iterator[str]:
        """I11: a key is destroyed only when hardly anybody accepts nothing but it, and nothing serves it."""
        noise = self.draft.policy.limits.noise_floor
        for step in self.plan.steps:
            if step.action != "destroy" or step.planned is None:
                continue
            at = start_of(step.planned)
            pin = self.inventory.keys[step.subject].pin
            for instant in [at, *(b for b in self.bounds if b > at)]:
                world = self.lines["played"].world_at(instant)
                hosts = [h for h, offers in world.served.items() if any(o.chain.leaf.matches(pin) for o in offers)]
                if hosts:
                    yield f"I11: {', '.join(hosts)} serves {step.subject} on {instant:%Y-%m-%d}, after it is destroyed"
                    break
                hits = self._then(instant)
                counted = self._count(instant, hits["played"] - hits["quiet"])
                for app, trust in self.scopes:
                    yield from self._beyond("I11", app, trust, *self._sum(counted, app, trust), noise)

    # --- counting ----------------------------------------------------------------------------------------------

    def _budget(self, app: str | None) -> float:
        own = self.draft.policy.apps[app].break_budget if app is not None else None
        return self.draft.policy.limits.break_budget if own is None else own

    @staticmethod
    def _sum(counted: dict[int, tuple[float, int, str, str]], app: str | None, trust: str | None) -> tuple[int, int]:
        own = [(hit, size) for hit, size, a, t in counted.values() if app in (None, a) and trust in (None, t)]
        return sum(math.ceil(hit - 1e-9) for hit, _ in own), sum(size for _, size in own)

    @staticmethod
    def _beyond(
        invariant: str, app: str | None, trust: str | None, hit: float, whole: int, allowed: float
    ) -> Iterator[str]:
        share = hit / whole if whole else 0.0
        if share > allowed + 1e-9:
            yield (
                f"{invariant}: the replay finds {int(hit):,} of {segment_name(app, trust)} ({share:.2%}) broken, "
                f"{allowed:.2%} is allowed"
            )
