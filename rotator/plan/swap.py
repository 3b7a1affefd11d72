"""The first day on which a chain can be served without breaking more users than the budget allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from rotator.model.progress import heed
from rotator.model.when import start_of
from rotator.plan.outlook import Future, Outlook, instant_of
from rotator.simulate.cohorts import Cohort
from rotator.simulate.explain import why_refused
from rotator.simulate.grammar import Occurrence
from rotator.simulate.totals import Total, by_cohort, total_of

_MOMENT = timedelta(microseconds=1)
NOBODY = Total(low=0, high=0, share=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What serving from a day on breaks.

    Attributes:
        ok: whether it keeps every budget.
        invariant: `I2` or `I3`, whichever is in the way, or is the nearest to it.
        segment: the segment that is in the way, or is the nearest to it.
        broken: the users of that segment that our steps break at any time.
        budget: the share that may.
        whole: the users of all segments together that they break.
        hits: the connections that they break.
        app, trust: the segment in parts; None for all.
    """

    ok: bool
    invariant: str
    segment: str
    broken: Total
    budget: float
    whole: Total
    hits: Mapping[datetime, Mapping[int, bool]]
    app: str | None = None
    trust: str | None = None

    @property
    def accepting(self) -> float | None:
        """Give the share of the segment that is not broken by us."""
        return None if self.broken.share is None else 1.0 - self.broken.share


@dataclass(kw_only=True)
class Swap:
    """Weighs the days on which something else could be served.

    Attributes:
        outlook: people and worlds to come.
        served: what is served instead, as actions without a time.
        floors: floors that the plan raises, and pins that it publishes, as actions.
        deploy: days until every edge is over.
        spared: cohorts that keep being served what they accept, by a host of their own.
        losses: whether a loss beyond the budget is accepted.
        behind: connections that count as broken wherever they are: of a goal that changes pins and serves nothing new,
            those that do not carry them.
        arrivals: by connection of a release of the plan that drops pins, when it reaches the first clients.
    """

    outlook: Outlook
    served: tuple[Occurrence, ...]
    floors: tuple[Occurrence, ...] = ()
    deploy: float = 1.0
    spared: frozenset[Cohort] = frozenset()
    losses: bool = False
    behind: frozenset[int] = frozenset()
    arrivals: Mapping[int, datetime] = field(default_factory=dict)

    @property
    def old(self) -> Future:
        """Give the future without any step of ours."""
        return self.outlook.baseline()

    @property
    def waiting(self) -> Future:
        """Give the future with our releases, floors and published pins, and nothing else served."""
        return self.outlook.future(self.floors)

    @property
    def new(self) -> Future:
        """Give the future in which the new chain is served from now on."""
        return self.outlook.future((*self.floors, *self.served))

    def weigh(self, day: date) -> Weighed:
        """Say what serving from a day on breaks, everybody counted once over the whole plan."""
        heed(f"weighing {day}")
        view = self.outlook
        at = instant_of(day, view.now)
        broken = self.meanwhile(at)
        for since, fresh in view.ours(self.old, self.new, at, view.end).items():
            broken[since] = {**broken.get(since, {}), **fresh}
        if self.behind:
            broken[at] = {**broken.get(at, {}), **dict.fromkeys(self.behind, True)}
        broken = {since: self.unspared(fresh) for since, fresh in broken.items()}
        hits = {index: sure for fresh in broken.values() for index, sure in fresh.items()}
        fleet = view.once(broken)
        both = self._both(at)
        found = []
        for app, trust in view.scopes():
            budget = view.budget(app)
            found.append((total_of(fleet, hits, app, trust), budget, "I2", app, trust))
            found.append((*both(app, trust), "I3", app, trust))
        nobody = (NOBODY, 0.0, "I2", None, None)
        total, budget, invariant, app, trust = max(
            found or [nobody], key=lambda f: (excess(f[0], f[1]), f[2] == "I2", f[3] is not None)
        )
        whole = total_of(fleet, hits)
        if invariant == "I3" and excess(total, budget) > 0:
            whole = view.total(at, self._either(at))
        return Weighed(
            ok=self.losses or all(excess(total, budget) <= 0 for total, budget, *_ in found),
            invariant=invariant,
            segment=segment_name(app, trust),
            broken=total,
            budget=budget,
            whole=whole,
            hits=broken,
            app=app,
            trust=trust,
        )

    def unheeded(self, day: date) -> Iterator[tuple[str, Total]]:
        """Give the segments that are too small to count alone and that serving on a day breaks beyond their budget."""
        view, weighed = self.outlook, self.weigh(day)
        fleet = view.once(weighed.hits)
        hits = {index: sure for fresh in weighed.hits.values() for index, sure in fresh.items()}
        counted = set(view.scopes())
        heeded = {app for app, _ in counted}
        stores = {app: {c.trust for c in fleet.cohorts if c.app == app} for app in {c.app for c in fleet.cohorts}}
        small: list[tuple[str, str | None]] = [(app, None) for app in stores if app not in heeded]
        small += [(app, t) for app in stores if app in heeded and len(stores[app]) > 1 for t in stores[app]]
        for app, trust in sorted(small, key=lambda pair: (pair[0], pair[1] or "")):
            if (app, trust) not in counted:
                total = total_of(fleet, hits, app, trust)
                if excess(total, view.budget(app)) > 0:
                    yield segment_name(app, trust), total

    def swapped(self, connections: Mapping[int, bool]) -> Mapping[int, bool]:
        """Give those of some connections that are on hosts whose chain is swapped; what others serve is not ours."""
        hosts = {action.parts[0] for action in self.served}
        own = self.outlook.fleet.connections
        return {index: sure for index, sure in connections.items() if own[index].host in hosts}

    def unspared(self, connections: Mapping[int, bool]) -> Mapping[int, bool]:
        """Leave out those who keep being served what they accept."""
        kept = self.outlook.fleet.connections
        return {index: sure for index, sure in connections.items() if kept[index].cohort not in self.spared}

    def _both(self, at: datetime) -> Callable[[str | None, str | None], tuple[Total, float]]:
        """Weigh who does not accept both chains while edges go over, against who does not accept today's (I3)."""
        view, either = self.outlook, self._either(at)
        today = self.swapped(self.old.at(view.now).broken)

        def weigh(app: str | None, trust: str | None) -> tuple[Total, float]:
            refused = view.total(view.now, today, app, trust).share
            return view.total(at, either, app, trust), max(view.budget(app), refused or 0.0)

        return weigh

    def _either(self, at: datetime) -> Mapping[int, bool]:
        """Give the connections that do not accept both chains while edges go over."""
        until = at + timedelta(days=self.deploy)
        either: dict[int, bool] = {}
        for stretch in (*self.waiting.between(at, until), *self.new.between(at, until)):
            # At its end every edge is over: what becomes of the old chain from then on is no matter.
            if stretch.at < max(until, at + _MOMENT):
                either |= self.swapped(self.unspared(stretch.broken))
        return self.there(either, until)

    def meanwhile(self, at: datetime) -> dict[datetime, Mapping[int, bool]]:
        """Give whom our releases, floors and published pins break before an instant, from when on."""
        found = self.outlook.ours(self.old, self.waiting, self.outlook.now, at)
        return {since: self.there(fresh, at) for since, fresh in found.items()}

    def there(self, connections: Mapping[int, bool], until: datetime) -> Mapping[int, bool]:
        """Leave out those of releases that reach nobody by an instant: they never meet what was served before."""
        if not self.arrivals:
            return connections
        return {i: sure for i, sure in connections.items() if i not in self.arrivals or self.arrivals[i] < until}

    def first(self, start: date, end: date) -> date | None:
        """Give the first day from a start on which serving keeps every budget; None where none does.

        Between two instants at which verdicts change fewer and fewer users are broken, as old releases only lose
        users, so the first day of such a time is found by halving.
        """
        for first, last in self._times(start, end):
            if self.weigh(last).ok:
                return self._first_of(first, last)
        return None

    def _first_of(self, low: date, high: date) -> date:
        while low < high:
            middle = low + (high - low) // 2
            if self.weigh(middle).ok:
                high = middle
            else:
                low = middle + timedelta(days=1)
        return low

    def best(self, start: date, end: date) -> tuple[date, Weighed]:
        """Give the day on which serving comes nearest to keeping the budget."""
        days = [high for _, high in self._times(start, end)] or [end]
        weighed = [(day, self.weigh(day)) for day in days]
        return min(weighed, key=lambda pair: (excess(pair[1].broken, pair[1].budget), *_size(pair[1].whole), pair[0]))

    def _times(self, start: date, end: date) -> Iterator[tuple[date, date]]:
        """Give the first and the last day of each time in which no verdict changes, nor one while edges go over."""
        bounds = {start}
        for future in (self.old, self.new, self.waiting):
            for stretch in future.stretches:
                ahead = stretch.at - timedelta(days=self.deploy)
                for day in (stretch.at.date(), stretch.at.date() + timedelta(days=1)):
                    if start < day <= end and start_of(day) >= stretch.at:
                        bounds.add(day)
                for day in (ahead.date(), ahead.date() + timedelta(days=1)):
                    if start < day <= end:
                        bounds.add(day)
        days = sorted(bounds)
        for day, after in zip(days, [*days[1:], end + timedelta(days=1)], strict=True):
            yield day, after - timedelta(days=1)

    def who(self, day: date, most: int = 5) -> tuple[str, ...]:
        """Name the cohorts that serving on a day breaks, the largest first."""
        broken = self._in_the_way(day)
        hits = {index for fresh in broken.values() for index in fresh}
        fleet = self.outlook.once(broken)
        found: list[tuple[int, str]] = []
        for cohort, group in by_cohort(fleet.connections):
            size = cohort.clients.high if cohort.clients is not None else 0
            if any(c.index in hits for c in group) and (size or cohort.clients is None):
                found.append((size, f"{cohort.name} {size:,}" if cohort.clients is not None else f"{cohort.name} ?"))
        names = [name for _, name in sorted(found, reverse=True)]
        return tuple(names[:most] + ([f"{len(names) - most} more"] if len(names) > most else []))

    def why(self, day: date, most: int = 3) -> tuple[str, ...]:
        """Say why those refuse whom serving on a day breaks: a sentence for each reason, the most frequent first."""
        broken = self._in_the_way(day)
        fleet = self.outlook.once(broken)
        reasons: dict[str, set[int]] = {}
        for since, fresh in broken.items():
            left = set(fresh)
            for future in (self.new, self.waiting):
                for row in future.at(since).impact.rows:
                    index = row.connection.index
                    if index in left and row.verdict.is_broken:
                        left.discard(index)
                        reasons.setdefault(why_refused(row, self.outlook.inventory), set()).add(index)
        counted = [(total_of(fleet, dict.fromkeys(own, True)), text) for text, own in reasons.items()]
        ordered = sorted(counted, key=lambda pair: (-(pair[0].high or 0), pair[1]))
        told = [text if t.high is None else f"{text} ({t.high:,})" for t, text in ordered if t.high != 0]
        return tuple(told[:most] + ([f"{len(told) - most} more reasons"] if len(told) > most else []))

    def _in_the_way(self, day: date) -> Mapping[datetime, Mapping[int, bool]]:
        """Give whom serving on a day breaks, or who does not accept both chains where that is what is in the way."""
        weighed = self.weigh(day)
        if weighed.invariant != "I3":
            return weighed.hits
        at = instant_of(day, self.outlook.now)
        return {at: self._either(at)}


def _size(total: Total) -> tuple[bool, int]:
    # Nobody is left to break where all were broken before by something else: no day to aim at.
    return total.none, -1 if total.high is None else total.high


def excess(total: Total, budget: float) -> float:
    """Give by how much a share is beyond its budget; what nobody knows is beyond every one."""
    if total.none:
        return -budget - 1e-12
    return 2.0 if total.share is None else total.share - budget - 1e-12


def segment_name(app: str | None, trust: str | None) -> str:
    """Name a segment; everybody is the fleet."""
    return "fleet" if app is None else f"{app} ({trust})" if trust else app


def next_free(day: date, busy: Sequence[tuple[date, date]]) -> date:
    """Give the first day from a day on that lies in no freeze; both ends of a freeze belong to it."""
    while True:
        freeze = next((f for f in busy if f[0] <= day <= f[1]), None)
        if freeze is None:
            return day
        day = freeze[1] + timedelta(days=1)
