"""What every cohort sees on every host at one instant, and the totals over clients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from rotator.model.names import canonical
from rotator.model.pins import PinKind
from rotator.model.pki import Certificate, TrustStore, planned_certificate, unknown_key
from rotator.model.rules import Base, Rule
from rotator.model.verdicts import REFUSAL_ORDER, Reason, Verdict, verdict_of
from rotator.simulate.fleet import Connection, Fleet
from rotator.simulate.inventory import DEFAULT_TRUST, Inventory
from rotator.simulate.judge import judge
from rotator.simulate.judgement import Judgement, Side, Situation
from rotator.simulate.totals import Total, rest_of, total_of
from rotator.simulate.world import Attack, World


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
    """

    judgement: Judgement
    mechanism: str
    name: str
    place: str = ""
    chain: str = ""
    attack: Attack | None = None


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
    """

    connection: Connection
    at: datetime
    verdict: Verdict
    ours: Answer
    attacker: Answer | None
    unsure: bool

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
        return total_of(self.fleet, hits(r for r in self.rows if r.verdict in verdicts), app, trust)

    @property
    def broken(self) -> Total:
        """Count clients that are refused by our own server on any host."""
        return self.total(Verdict.BREAKS, Verdict.LOST)

    @property
    def exposed(self) -> Total:
        """Count clients that accept the attacker on any host."""
        return self.total(Verdict.EXPOSED, Verdict.LOST)

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


def hits(rows: Iterable[Row]) -> dict[int, bool]:
    """Give the connections of some rows, each with whether its answer is certain."""
    return {id(row.connection): not row.unsure for row in rows}


@dataclass
class Judges:
    """Judges connections, each distinct question once."""

    inventory: Inventory
    memo: dict[tuple[Rule, tuple[Certificate, ...], str, str, Situation, Side], Judgement] = field(default_factory=dict)

    def impact(self, fleet: Fleet, world: World, at: datetime) -> Impact:
        """Judge every connection of a fleet in a world at an instant."""
        situation = world.situation(at, self.inventory)
        presented = [(attack, tuple(world.presented(attack, self.inventory))) for attack in world.attacks]
        rows = [self._row(connection, world, situation, presented) for connection in fleet.connections]
        rows.sort(key=lambda row: (row.verdict.rank, -_size(row.connection)))
        return Impact(at=at, world=world, rows=tuple(rows), fleet=fleet)

    def _row(
        self,
        connection: Connection,
        world: World,
        situation: Situation,
        presented: Sequence[tuple[Attack, tuple[tuple[Certificate, ...], ...]]],
    ) -> Row:
        ours = _worst(self._ours(connection, world, situation))
        attacker = _best(self._attacker(connection, situation, presented))
        accepted = attacker is not None and attacker.judgement.accepted
        verdict = verdict_of(
            ours_accepted=ours.judgement.accepted,
            pin_in_force=ours.judgement.pin_in_force,
            attacker_accepted=accepted,
        )
        unsure = ours.judgement.unsure or (attacker is not None and accepted and attacker.judgement.unsure)
        return Row(
            connection=connection,
            at=situation.at,
            verdict=verdict,
            ours=ours,
            attacker=attacker,
            unsure=unsure,
        )

    def _ours(self, connection: Connection, world: World, situation: Situation) -> Iterator[Answer]:
        """Give one answer for each name and each chain in each place: all mechanisms together."""
        offers = world.served.get(connection.host, ())
        for name, rules in connection.rules.items():
            if not offers:
                yield self._together(connection, rules, (), name, situation, Side.OURS)
            for offer in offers:
                sent = offer.chain.sent
                if any(offer.chain.leaf.matches(key) for key in world.lost):
                    sent = ()
                answer = self._together(connection, rules, sent, name, situation, Side.OURS)
                yield Answer(
                    judgement=answer.judgement,
                    mechanism=answer.mechanism,
                    name=name,
                    place=offer.place,
                    chain=offer.chain.name,
                )

    def _attacker(
        self,
        connection: Connection,
        situation: Situation,
        presented: Sequence[tuple[Attack, tuple[tuple[Certificate, ...], ...]]],
    ) -> Iterator[Answer]:
        for attack, chains in presented:
            for name, rules in connection.rules.items():
                for sent in (*chains, *_self_made(attack, rules, name)):
                    answer = self._together(connection, rules, sent, name, situation, Side.ATTACKER)
                    yield Answer(
                        judgement=answer.judgement,
                        mechanism=answer.mechanism,
                        name=name,
                        chain=attack.subject,
                        attack=attack,
                    )

    def _together(
        self,
        connection: Connection,
        rules: tuple[Rule, ...],
        sent: tuple[Certificate, ...],
        name: str,
        situation: Situation,
        side: Side,
    ) -> Answer:
        """Ask all mechanisms of a connection: one that refuses refuses for all, one with a pin in force pins."""
        trust = self.inventory.trust.get(connection.cohort.trust, self.inventory.trust[DEFAULT_TRUST])
        answers = [
            Answer(
                judgement=self._judge(rule, sent, name, trust, situation, side),
                mechanism=mechanism,
                name=name,
            )
            for mechanism, rule in zip(connection.mechanisms, rules, strict=True)
        ]
        refused = [a for a in answers if not a.judgement.accepted]
        if refused:
            sure = [a for a in refused if not a.judgement.unsure]
            first = min(sure or refused, key=_order)
            in_force = any(a.judgement.pin_in_force for a in answers)
            return replace(first, judgement=replace(first.judgement, pin_in_force=in_force))
        pinned = [a for a in answers if a.judgement.pin_in_force]
        first = (pinned or answers)[0]
        unsure = any(a.judgement.unsure for a in answers)
        return replace(first, judgement=replace(first.judgement, unsure=unsure))

    def _judge(
        self,
        rule: Rule,
        sent: tuple[Certificate, ...],
        name: str,
        trust: TrustStore,
        situation: Situation,
        side: Side,
    ) -> Judgement:
        key = (rule, sent, name, trust.name, situation, side)
        if key not in self.memo:
            proxied = self._intercepted(sent, name, trust, situation, side) if trust.intercepted_by else None
            if isinstance(proxied, Judgement):
                self.memo[key] = proxied
            else:
                self.memo[key] = judge(rule, proxied or sent, canonical(name), trust, situation, side)
        return self.memo[key]

    def _intercepted(
        self,
        sent: tuple[Certificate, ...],
        name: str,
        trust: TrustStore,
        situation: Situation,
        side: Side,
    ) -> tuple[Certificate, ...] | Judgement:
        """Give what a client behind an inspecting proxy sees: the proxy's chain, if it accepts what it is sent."""
        assert trust.intercepted_by is not None  # noqa: S101 - asked by the caller
        behind = judge(Rule(), sent, canonical(name), trust, situation, side)
        if not behind.accepted:
            return behind
        leaf = planned_certificate(
            identity=f"{name} re-signed by {trust.intercepted_by.label}",
            spki=unknown_key(f"proxy leaf {trust.name}"),
            subject=f"{name} re-signed",
            issuer=trust.intercepted_by,
            dns_names=(name,),
        )
        return (leaf,)


def _self_made(attack: Attack, rules: tuple[Rule, ...], name: str) -> Iterator[tuple[Certificate, ...]]:
    """Give the certificate that whoever holds a key signs with it: enough where nothing but pins is checked."""
    if attack.key.kind is PinKind.SPKI_SHA256 and any(rule.base in (Base.NONE, Base.TOFU) for rule in rules):
        identity = f"{attack.subject} self-signed for {name}"
        yield (
            planned_certificate(
                identity=identity, spki=attack.key.digest, subject=attack.subject, issuer=None, dns_names=(name,)
            ),
        )


def _order(answer: Answer) -> int:
    return REFUSAL_ORDER.index(answer.judgement.reason)


def _size(connection: Connection) -> float:
    clients = connection.clients
    return clients.high if clients is not None else 0


def _worst(answers: Iterable[Answer]) -> Answer:
    """Give the worst answer for our chain: refused before unpinned before pinned."""
    found = list(answers)
    refused = [a for a in found if not a.judgement.accepted]
    if refused:
        sure = [a for a in refused if not a.judgement.unsure]
        return min(sure or refused, key=_order)
    return next((a for a in found if not a.judgement.pin_in_force), found[0])


def _best(answers: Iterable[Answer]) -> Answer | None:
    """Give the best answer for the attacker: accepted for certain, accepted, else the refusal nearest to acceptance."""
    found = list(answers)
    accepted = [a for a in found if a.judgement.accepted]
    if accepted:
        return next((a for a in accepted if not a.judgement.unsure), accepted[0])
    return max(found, key=_order, default=None)


def day_totals(impacts: Iterable[Impact], fleet: Fleet) -> dict[str, Total]:
    """Count clients over a day: broken, exposed and unpinned at any instant of it."""
    found: dict[str, dict[int, bool]] = {"broken": {}, "exposed": {}, "unpinned": {}}
    for impact in impacts:
        for row in impact.rows:
            for name, hit in (
                ("broken", row.verdict.is_broken),
                ("exposed", row.verdict.is_exposed),
                ("unpinned", row.is_unpinned),
            ):
                if hit:
                    key = id(row.connection)
                    found[name][key] = found[name].get(key, False) or not row.unsure
    return {name: total_of(fleet, connections) for name, connections in found.items()}
