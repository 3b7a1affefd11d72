"""What every cohort sees on every host at one instant, and the totals over clients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rotator.model.verdicts import Reason, Verdict
from rotator.simulate.attacks import Attack
from rotator.simulate.cohorts import Cohort
from rotator.simulate.fleet import Connection, Fleet
from rotator.simulate.inventory import Inventory
from rotator.simulate.judgement import Judgement
from rotator.simulate.totals import Total, rest_of, total_of
from rotator.simulate.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One of the two questions answered for a connection.

    Attributes:
        judgement: what decided.
        mechanism: the mechanism it was decided by.
        name: the DNS name it was decided on.
        place: the place that serves the chain, "" for the host itself.
        chain: the chain's name, or the attack's subject.
        attack: what the attacker used; None for our own chain.
        choice: this is one of several that may come to be.
    """

    judgement: Judgement
    mechanism: str
    name: str
    place: str = ""
    chain: str = ""
    attack: Attack | None = None
    choice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one cohort sees on one host.

    Attributes:
        connection: who, where, through what.
        at: the instant.
        verdict: the answer in one word.
        ours: how our own chain fares.
        attacker: how the attacker fares; None where there is none, or nothing it could present.
        unsure: the answer turns inside what nobody can know, and is the worse one.
        through: which of the connections that it may be decided on our chain; None where it is certain.
    """

    connection: Connection
    at: datetime
    verdict: Verdict
    ours: Answer
    attacker: Answer | None
    unsure: bool
    through: Connection | None = None

    @property
    def judged(self) -> Connection:
        """Give the connection whose rules decided on our chain."""
        return self.through or self.connection

    @property
    def reason(self) -> Reason:
        """Say why our chain is accepted or refused."""
        return self.ours.judgement.reason

    @property
    def attacker_reason(self) -> Reason | None:
        """Say why the attacker is accepted or refused."""
        if self.attacker is None:
            return None
        if self.attacker.judgement.accepted and self.attacker.attack is not None:
            return self.attacker.attack.kind
        return self.attacker.judgement.reason

    @property
    def pin_in_force(self) -> bool:
        """Say whether a pin was demanded of our connection."""
        return self.ours.judgement.pin_in_force

    def is_sure(self, *verdicts: Verdict) -> bool:
        """Say whether it is certain that one of some verdicts holds; each question has doubts of its own."""
        ours = not self.ours.judgement.unsure
        theirs = self.attacker is None or not self.attacker.judgement.unsure
        if verdicts and all(verdict.is_broken for verdict in verdicts) and Verdict.BREAKS in verdicts:
            return ours
        if verdicts and all(verdict.is_exposed for verdict in verdicts) and Verdict.EXPOSED in verdicts:
            return theirs
        return not self.unsure

    @property
    def is_unpinned(self) -> bool:
        """Say whether the connection goes without a pin; a configuration that is rejected makes none."""
        return not self.pin_in_force and self.reason is not Reason.CONFIG_REJECTED


Who = tuple[str, str, str]
"""App, version and trust store: what stays the same of a cohort from one answer to the next."""


def who_of(cohort: Cohort) -> Who:
    """Give who a cohort is."""
    return (cohort.app, cohort.version, cohort.trust)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One cohort in an answer: the indexes of its rows, the worst first."""

    who: Who
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Glance:
    """A row without the why."""

    connection: Connection
    verdict: Verdict
    unsure: bool


class Groups(Protocol):
    """The cohorts of an answer in its order."""

    def __len__(self) -> int:
        """Give how many there are."""

    def __getitem__(self, index: int) -> Group:
        """Give one."""

    def __iter__(self) -> Iterator[Group]:
        """Give one after the other."""

    def find(self, who: Who) -> int:
        """Give the place of the first that is somebody, -1 where none is."""


class GroupList(list[Group]):
    """All of them, made at once."""

    def find(self, who: Who) -> int:
        """Give the place of the first that is somebody, -1 where none is."""
        return next((n for n, group in enumerate(self) if group.who == who), -1)


@dataclass(frozen=True, kw_only=True)
class Impact:
    """The whole answer at an instant: rows, worst first, of alike ones those of most clients."""

    at: datetime
    world: World
    rows: Sequence[Row]
    fleet: Fleet

    def total(self, *verdicts: Verdict, app: str | None = None, trust: str | None = None) -> Total:
        """Count clients that see one of some verdicts on any host they use: all, or of an app, or of a store of it."""
        return total_of(self.fleet, self.hit(*verdicts), app, trust)

    def hit(self, *verdicts: Verdict) -> dict[int, bool]:
        """Give the connections that see one of some verdicts, each with whether it is certain that it does."""
        return hits((row for row in self.rows if row.verdict in verdicts), *verdicts)

    @property
    def broken(self) -> Total:
        """Count clients that are refused by our own server on any host."""
        return self.total(*BROKEN)

    @property
    def exposed(self) -> Total:
        """Count clients that accept the attacker on any host."""
        return self.total(*EXPOSED)

    @property
    def lost(self) -> Total:
        """Count clients for which both hold on one host."""
        return self.total(Verdict.LOST)

    @property
    def unpinned(self) -> Total:
        """Count clients that use any host without a pin in force, whatever the verdict."""
        return total_of(self.fleet, hits(r for r in self.rows if r.is_unpinned))

    @property
    def ok(self) -> Total:
        """Count clients for which every host is well."""
        return rest_of(self.fleet, hits(r for r in self.rows if r.verdict is not Verdict.OK))

    def counted(self, total: str) -> Iterator[tuple[Connection, bool]]:
        """Give the connections behind a total, each with whether it is certain; for `ok` those that are not well."""
        verdicts = {"broken": BROKEN, "exposed": EXPOSED, "lost": (Verdict.LOST,)}.get(total, ())
        for row in self.rows:
            unwell = row.verdict is not Verdict.OK if total == "ok" else row.is_unpinned
            if row.verdict in verdicts if verdicts else unwell:
                yield self.fleet.connections[row.connection.index], row.is_sure(*verdicts)

    @property
    def hosts(self) -> frozenset[str]:
        """Give the hosts that anybody uses."""
        return frozenset(row.connection.host for row in self.rows)

    @property
    def in_doubt(self) -> bool:
        """Say whether any row turns on what nobody can know."""
        return any(row.unsure for row in self.rows)

    @property
    def exposed_by(self) -> frozenset[Reason]:
        """Give every way in which an attacker is accepted."""
        return frozenset(r.attacker_reason for r in self.rows if r.verdict.is_exposed and r.attacker_reason is not None)

    @property
    def largest_break(self) -> Row | None:
        """Give the row of most clients that are refused by our own server, the first of them; None where none is."""
        return max((row for row in self.rows if row.verdict.is_broken), key=_clients, default=None)

    def count(self, verdict: Verdict) -> int:
        """Count rows as totals do: those that break or are exposed with the lost ones, those without any pin."""
        if verdict is Verdict.BREAKS:
            return sum(row.verdict.is_broken for row in self.rows)
        if verdict is Verdict.EXPOSED:
            return sum(row.verdict.is_exposed for row in self.rows)
        if verdict is Verdict.UNPINNED:
            return sum(row.is_unpinned for row in self.rows)
        return sum(row.verdict is verdict for row in self.rows)

    def glance(self, index: int) -> Glance:
        """Give what a row says without its why."""
        row = self.rows[index]
        return Glance(row.connection, row.verdict, row.unsure)

    def groups(self) -> Groups:
        """Give the cohorts, those with the worst verdict first, and each once."""
        found: dict[int, list[int]] = {}
        whos: dict[int, Who] = {}
        for index, row in enumerate(self.rows):
            cohort = row.connection.cohort
            whos.setdefault(id(cohort), who_of(cohort))
            found.setdefault(id(cohort), []).append(index)
        return GroupList(Group(who=whos[key], rows=tuple(rows)) for key, rows in found.items())

    def words(self, *, each: bool) -> Sequence[str]:
        """Give what a filter looks into, for each of `groups`: name, verdict and hosts; with `each` host's verdict."""
        found = []
        for group in self.groups():
            seen = [self.glance(index) for index in group.rows]
            sights = [(one.connection.host, one.verdict) for one in seen]
            found.append(f"{seen[0].connection.cohort.name} {sight_words(sights, each=each)}")
        return found

    def worst_of(self) -> Mapping[Who, Verdict]:
        """Give the worst verdict of each cohort."""
        found: dict[Who, Verdict] = {}
        for row in self.rows:
            found.setdefault(who_of(row.connection.cohort), row.verdict)
        return found


def sight_words(sights: Sequence[tuple[str, Verdict]], *, each: bool) -> str:
    """Give the words of what a cohort sees: each host with its verdict, or the worst verdict and the hosts."""
    if each:
        return " ".join(sorted(f"{host} {verdict}" for host, verdict in sights))
    worst = min((verdict for _, verdict in sights), key=lambda verdict: verdict.rank)
    return " ".join((str(worst), *sorted({host for host, _ in sights})))


class Judging(Protocol):
    """Whoever gives impacts: the judge, or the engine that says the same of large fleets."""

    inventory: Inventory

    def impact(self, fleet: Fleet, world: World, at: datetime) -> Impact:
        """Judge every connection of a fleet in a world at an instant."""

    def day(self, impacts: Sequence[Impact]) -> Callable[[Fleet], Mapping[str, Total]]:
        """Give what counts, in the sizes of a fleet, those broken, exposed and unpinned at any instant of a day."""


def _clients(row: Row) -> float:
    count = row.connection.clients
    return count.high if count is not None else 0


def hits(rows: Iterable[Row], *verdicts: Verdict) -> dict[int, bool]:
    """Give the connections of some rows, each with whether it is certain that it sees one of some verdicts."""
    return {row.connection.index: row.is_sure(*verdicts) for row in rows}


BROKEN = (Verdict.BREAKS, Verdict.LOST)
EXPOSED = (Verdict.EXPOSED, Verdict.LOST)


def day_hits(impacts: Iterable[Impact]) -> dict[str, dict[int, bool]]:
    """Give the connections broken, exposed and unpinned at any instant of a day, and whether that is certain."""
    found: dict[str, dict[int, bool]] = {"broken": {}, "exposed": {}, "unpinned": {}}
    for impact in impacts:
        for row in impact.rows:
            for name, hit, sure in (
                ("broken", row.verdict.is_broken, row.is_sure(*BROKEN)),
                ("exposed", row.verdict.is_exposed, row.is_sure(*EXPOSED)),
                ("unpinned", row.is_unpinned, row.is_sure()),
            ):
                if hit:
                    key = row.connection.index
                    found[name][key] = found[name].get(key, False) or sure
    return found


def day_totals(found: Mapping[str, Mapping[int, bool]], fleet: Fleet) -> dict[str, Total]:
    """Count the clients behind what `day_hits` found."""
    return {name: total_of(fleet, connections) for name, connections in found.items()}
