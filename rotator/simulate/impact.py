"""What every cohort sees on every host at one instant, and the totals over clients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from rotator.model.verdicts import Reason, Verdict
from rotator.simulate.attacks import Attack
from rotator.simulate.fleet import Connection, Fleet
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


@dataclass(frozen=True, kw_only=True)
class Impact:
    """The whole answer at an instant: rows, worst first."""

    at: datetime
    world: World
    rows: tuple[Row, ...]
    fleet: Fleet

    def total(self, *verdicts: Verdict, app: str | None = None, trust: str | None = None) -> Total:
        """Count clients that see one of some verdicts on any host they use: all, or of an app, or of a store of it."""
        return total_of(self.fleet, hits((r for r in self.rows if r.verdict in verdicts), *verdicts), app, trust)

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
