"""The question "who breaks, who is exposed?" and its answer as a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from threading import Lock
from types import MappingProxyType

from rotator.mechanisms.base import Context
from rotator.model.adoption import Curve
from rotator.model.policy import Policy
from rotator.model.progress import heed
from rotator.model.when import DAY, FOREVER, SECOND, plus, show, start_of
from rotator.simulate.asked import CHANGING, as_asked
from rotator.simulate.fleet import Fleet
from rotator.simulate.grammar import Occurrence
from rotator.simulate.history import DayCount
from rotator.simulate.impact import Impact, Judging, Row
from rotator.simulate.inventory import Inventory, Material
from rotator.simulate.odds import Odds, renewal_odds
from rotator.simulate.populations import Forecast, floors_of
from rotator.simulate.scene import Judges
from rotator.simulate.serving import host_label
from rotator.simulate.tables import FleetTable
from rotator.simulate.timeline import Happening, Timeline, check_names, happenings
from rotator.simulate.totals import Total
from rotator.simulate.world import World

KEPT = 8
"""Policies put together for some happenings that a desk keeps."""
LARGE = 2_000
"""Connections from which on an answer is quicker by the engine, whose start is dear."""
LARGE_FOR_DAYS = 200
"""The same of answers for days, which look at many instants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything read: what questions are asked of.

    Attributes:
        policy, material, context, digest: as `assemble` takes them.
        inventory: what they make.
        table: rows of the fleet file.
        history: counts of several days, by app.
        fitted: curves that were fitted to those, by app.
    """

    policy: Policy
    material: Material
    context: Context
    digest: str
    inventory: Inventory
    table: FleetTable = field(default_factory=FleetTable)
    history: Mapping[str, tuple[DayCount, ...]] = field(default_factory=dict)
    fitted: Mapping[str, Curve] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Ready:
    """What some happenings make of a picture, before anything is played.

    Attributes:
        inventory: the policy as the happenings need it.
        people: its clients at any time.
        judging: gives impacts.
        expiries: every instant at which pins of some client end.
        fleet_at: gives the fleet of an instant: the clients of then.
    """

    inventory: Inventory
    people: Forecast
    judging: Judging
    expiries: frozenset[datetime]
    fleet_at: Callable[[datetime], Fleet]


class Desk:
    """One picture that many questions are asked of: what one answer worked out, the next ones need not."""

    def __init__(self, picture: Picture, *, quick: bool = False, large: int | None = None) -> None:
        """Begin.

        Args:
            picture: everything read.
            quick: judge by the engine, which says what the judge says; it is worth its start where questions are many.
            large: connections from which on it is worth it in any case; without it, never.
        """
        self._large = large
        self.picture = picture
        self._quick = quick
        # Clients move from the day of their counts; where the policy does not say it, from the day asked about.
        self._undated = any(picture.policy.counted(name) is None for name in picture.policy.apps)
        self._ready: dict[object, Ready] = {}
        self.turn = Lock()
        """Held for each instant that is judged: somebody may play time beside whoever turns a knob."""

    def prepare(self, order: Sequence[Happening], now: date) -> Ready:
        """Put together what a question needs; what does not change the policy itself plays no part.

        Raises:
            UsageError: a release is to go out that has.
            InputError: what changes is refused by a client's format.
        """
        changing = tuple(h for h in order if h.occurrence.id in CHANGING)
        key = (changing, now if self._undated else None)
        if key not in self._ready:
            if len(self._ready) >= KEPT:
                self._ready.pop(next(iter(self._ready)))
            self._ready[key] = self._prepared(changing, now)
        return self._ready[key]

    def _prepared(self, order: Sequence[Happening], now: date) -> Ready:
        own = self.picture
        asked = as_asked(own.inventory, own.material, own.context, own.digest, order)
        people = asked.forecast(own.table, now, fitted=own.fitted)
        judging: Judging = Judges(asked.inventory)
        fleet_at = people.fleet_at
        if self._quick or (self._large is not None and len(people.fleet.connections) >= self._large):
            from rotator.simulate.engine.engine import Engine
            from rotator.simulate.engine.moving import Moves

            judging = Engine(asked.inventory, people.fleet)
            fleet_at = Moves(people).fleet_at
        return Ready(
            inventory=asked.inventory,
            people=people,
            judging=judging,
            expiries=frozenset(expiries(people.fleet, asked.inventory)),
            fleet_at=fleet_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked.

    Attributes:
        occurrences: events and actions, those of a scenario among them; the policy's calendar comes in any case.
        at: the instant the answer is for.
        until: the end of the days asked for; None for no days.
        default: the instant of occurrences that name none.
    """

    occurrences: tuple[Occurrence, ...]
    at: datetime
    until: datetime | None = None
    default: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstBreak:
    """The first break in the time asked about."""

    at: datetime
    row: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day of the answer: the worst instant in it, with the answer at each instant at which it may change."""

    day: datetime
    totals: Mapping[str, Total]
    impacts: tuple[Impact, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Who breaks and who is exposed.

    Attributes:
        impact: the answer at the instant asked about.
        first_break: the first break from the first thing asked about to the end of the window.
        days: the worst of each day, where days were asked for.
        window: the answer at every instant of those days at which it may change.
        odds: what the issuer pools of hosts that are renewed do, the likeliest break first.
    """

    question: Question
    inventory: Inventory
    fleet: Fleet
    impact: Impact
    people: Forecast
    later: tuple[Happening, ...] = ()
    first_break: FirstBreak | None = None
    days: tuple[Day, ...] = ()
    window: tuple[Impact, ...] = ()
    odds: tuple[Odds, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what was assumed to get here."""
        notes = [
            f"needs-certificate: no certificate for {name} exists yet, so no client that checks one accepts it so far; "
            f"key-compromise:{name}?certified=yes plays that a CA issues one"
            for name in self.impact.world.uncertified(self.inventory)
        ]
        notes += [*self.impact.world.notes, *_came_without(self.inventory, self.fleet)]
        at = show(self.impact.at)
        notes += [f"not yet at {at}: {h.occurrence.text} takes effect at {show(h.at)}" for h in self.later]
        if self.fleet.population is None:
            notes.append(f"{_why_unknown(self.fleet)}: verdicts are by version, totals are unknown")
        return (*notes, *self.people.notes)


def ask(
    picture: Picture,
    question: Question,
    calendar: Sequence[Occurrence] = (),
    start: World | None = None,
    desk: Desk | None = None,
    *,
    daily: bool = True,
) -> Answer:
    """Answer a question.

    Args:
        picture: everything read.
        question: what is asked.
        calendar: what happens in any case.
        start: the world before all of it; without it, the one that the policy states.
        desk: what was worked out for questions before this one; without it everything is worked out anew.
        daily: whether the days of a window are told too.

    Raises:
        UsageError: an occurrence names nothing in the policy, or cannot be played on it.
        InputError: pinsets as they are asked about are refused by a client's format.
    """
    played = _Played(picture, question, calendar, start, desk)
    ready, impact = played.ready, played.impact_at(question.at)
    fleet = impact.fleet
    begin = min([question.at, *(h.at for h in played.order if h.occurrence in _asked(question))])
    end = question.at if question.until is None else plus(start_of(question.until.date()), DAY - SECOND)
    instants = played.instants(begin, max(end, question.at))
    segments = list(played.along(instants, {question.at: impact}))
    return Answer(
        question=question,
        inventory=ready.inventory,
        fleet=fleet,
        impact=impact,
        first_break=_first_break(segments),
        days=_days(question, segments, ready) if daily and question.until is not None else (),
        window=tuple(impact for at, impact in segments if at >= question.at) if question.until is not None else (),
        later=tuple(h for h in played.order if h.at > question.at and h.occurrence in _asked(question)),
        people=ready.people,
        odds=_odds(ready.judging, fleet, Timeline(ready.inventory, (), start).world_at(question.at), question),
    )


def over_time(
    picture: Picture,
    question: Question,
    calendar: Sequence[Occurrence],
    begin: datetime,
    end: datetime,
    desk: Desk | None = None,
) -> tuple[Impact, ...]:
    """Give the answer at each instant of a window at which it may change, its start included; errors are as of `ask`.

    Args:
        picture: everything read.
        question: what is asked; its own instants play no part.
        calendar: what happens in any case.
        begin: the start of the window.
        end: its end.
        desk: what was worked out for questions before this one.
    """
    played = _Played(
        picture, replace(question, at=begin, default=question.default or question.at), calendar, None, desk
    )
    return tuple(impact for _, impact in played.along(played.instants(begin, end)))


class _Played:
    """What happens, in order, on everything it needs."""

    def __init__(
        self,
        picture: Picture,
        question: Question,
        calendar: Sequence[Occurrence],
        start: World | None,
        desk: Desk | None,
    ) -> None:
        occurrences = (*floors_of(picture.policy), *calendar, *question.occurrences)
        check_names(occurrences, picture.policy)
        self.order = happenings(occurrences, question.default or question.at, picture.policy)
        large = LARGE if question.until is None else LARGE_FOR_DAYS
        self.desk = desk or Desk(picture, large=large)
        with self.desk.turn:
            self.ready = self.desk.prepare(self.order, question.at.date())
        self.timeline = Timeline(self.ready.inventory, self.order, start)

    def impact_at(self, at: datetime) -> Impact:
        with self.desk.turn:
            return self.ready.judging.impact(self.ready.fleet_at(at), self.timeline.world_at(at), at)

    def along(
        self, instants: Sequence[datetime], known: Mapping[datetime, Impact] = MappingProxyType({})
    ) -> Iterator[tuple[datetime, Impact]]:
        for number, at in enumerate(instants):
            heed("judging", number, len(instants))
            yield at, known[at] if at in known else self.impact_at(at)

    def instants(self, begin: datetime, end: datetime) -> tuple[datetime, ...]:
        return self.timeline.instants(begin, end, self.ready.expiries)


def _came_without(inventory: Inventory, fleet: Fleet) -> Iterator[str]:
    """Say of each trust store in use which public roots its systems came without, and how that is known."""
    used = {cohort.trust for cohort in fleet.cohorts}
    for store, entries in inventory.lacking.items():
        if store not in used or not entries:
            continue
        published = [entry.root.label for entry in entries if entry.certainty == "published"]
        young = len(entries) - len(published)
        parts = [", ".join(published)] if published else []
        parts += [f"{young} roots younger than the system"] if young else []
        yield f"assumed: {store} trusts the Mozilla bundle without {' and '.join(parts)}"


def _odds(judges: Judging, fleet: Fleet, today: World, question: Question) -> tuple[Odds, ...]:
    """Ask what the pools of hosts do whose renewal is asked about, as things stand before it."""
    asked = [o.parts[0] for o in question.occurrences if o.id in ("renew", "intermediate-swap")]
    hosts = dict.fromkeys(host_label(judges.inventory, name) for name in asked)
    return tuple(odds for host in hosts for odds in renewal_odds(judges, fleet, today, question.at, host))


def _why_unknown(fleet: Fleet) -> str:
    return "the apps are counted in unlike units, which are not added" if fleet.mixed else "counts are missing"


def _asked(question: Question) -> set[Occurrence]:
    default = question.default or question.at
    return {o if o.at is not None else replace(o, at=default) for o in question.occurrences}


def expiries(fleet: Fleet, inventory: Inventory) -> set[datetime]:
    """Give every instant at which pins of some client end: those it has, and live ones that are published."""
    known = {id(own): own for c in fleet.connections for own in c.rules.values()}
    ends = {reading.expiry for own in known.values() for rule in own for reading in rule.readings}
    ends |= {
        inventory.mechanisms[item.mechanism].expiry(entry.expires)
        for by_release in inventory.published.values()
        for items in by_release.values()
        for item in items
        for entry in item.config.entries
    }
    return {instant for end in ends if end is not None for instant in (end.first, end.last)}


def _first_break(segments: Sequence[tuple[datetime, Impact]]) -> FirstBreak | None:
    for at, impact in segments:
        row = impact.largest_break
        if row is not None:
            return FirstBreak(at=at, row=row)
    return None


def _days(question: Question, segments: Sequence[tuple[datetime, Impact]], ready: Ready) -> tuple[Day, ...]:
    """Give the worst of each day from the day of the question to the last one asked for."""
    assert question.until is not None  # noqa: S101 - asked by the caller
    day = start_of(question.at.date())
    found = []
    people = ready.people
    counts: dict[tuple[int, ...], Callable[[Fleet], Mapping[str, Total]]] = {}
    known: dict[tuple[tuple[int, ...], datetime], Mapping[str, Total]] = {}
    while day <= question.until:
        begin, end = max(day, question.at), plus(day, DAY)
        before = [i for i, (at, _) in enumerate(segments) if at <= begin][-1:]
        inside = [i for i, (at, _) in enumerate(segments) if begin < at < end]
        key = tuple(before + inside)
        if key not in counts:
            counts[key] = ready.judging.day([segments[i][1] for i in key])
        settled = people.settled(begin)
        then = ready.fleet_at(settled)
        if (key, settled) not in known:
            known[key, settled] = counts[key](then)
        impacts = tuple(replace(segments[i][1], fleet=then) for i in key)
        found.append(Day(day=day, totals=known[key, settled], impacts=impacts))
        if day.date() == FOREVER.date():
            break
        day = plus(day, DAY)
    return tuple(found)
