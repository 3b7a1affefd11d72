"""One world at one instant: what is served, presented and in force, and what every client makes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import pairwise

from rotator.model.names import canonical
from rotator.model.pins import Pin
from rotator.model.pki import Certificate, TrustStore, planned_certificate, unique, unknown_key
from rotator.model.progress import heed
from rotator.model.rules import Rule
from rotator.model.verdicts import Reason, verdict_of
from rotator.model.when import SECOND, plus
from rotator.simulate.alike import Likeness
from rotator.simulate.answers import asks_for_no_path, best, doubted, of_choice, order, self_made, stripped, worst
from rotator.simulate.attacks import ANYWHERE, Attack, existing, got, padding
from rotator.simulate.cohorts import Cohort, Standing
from rotator.simulate.fleet import Connection, Fleet
from rotator.simulate.impact import Answer, Impact, Row, day_hits, day_totals
from rotator.simulate.inforce import InForce, is_of, versions_of
from rotator.simulate.inventory import Inventory
from rotator.simulate.judge import judge
from rotator.simulate.judgement import Judgement, Side, Situation
from rotator.simulate.totals import Total
from rotator.simulate.world import World

CHUNK = 2_000
"""Connections between two reports of progress."""


@dataclass
class Judges:
    """Judges connections, each distinct question once."""

    inventory: Inventory
    memo: dict[Hashable, Judgement] = field(default_factory=dict)
    likeness: Likeness = field(default_factory=Likeness)

    def impact(self, fleet: Fleet, world: World, at: datetime) -> Impact:
        """Judge every connection of a fleet in a world at an instant."""
        scene = Scene(self, world, at)
        rows = []
        of = len(fleet.connections)
        for begin in range(0, of, CHUNK):
            heed("", begin, of if of > CHUNK else 0)
            part = fleet.connections[begin : begin + CHUNK]
            rows += [scene.row(c) for c in part if c.cohort.since is None or c.cohort.since <= at]
        rows.sort(key=lambda row: (row.verdict.rank, -_size(row.connection)))
        return Impact(at=at, world=world, rows=tuple(rows), fleet=fleet)

    def day(self, impacts: Sequence[Impact]) -> Callable[[Fleet], Mapping[str, Total]]:
        """Give what counts, in the sizes of a fleet, those broken, exposed and unpinned at any instant of a day."""
        return partial(day_totals, day_hits(impacts))

    def judge(
        self,
        rule: Rule,
        sent: tuple[Certificate, ...],
        name: str,
        trust: TrustStore,
        situation: Situation,
        side: Side,
    ) -> Judgement:
        """Judge one chain, each distinct question once; see `answer`."""
        key = (self.likeness.key(rule, sent, trust, situation), name, side is Side.OURS)
        found = self.memo.get(key)
        if found is None:
            found = self.memo[key] = self.answer(rule, sent, name, trust, situation, side)
        return found

    def answer(
        self,
        rule: Rule,
        sent: tuple[Certificate, ...],
        name: str,
        trust: TrustStore,
        situation: Situation,
        side: Side,
    ) -> Judgement:
        """Judge one chain, through the proxy where there is one; an attacker may sit on either side of it."""
        situation = in_store(situation, trust)
        proxied = self._intercepted(sent, name, trust, situation, side) if trust.intercepted_by else None
        if isinstance(proxied, Judgement):
            found = proxied
        else:
            found = judge(rule, proxied or sent, canonical(name), trust, situation, side)
        if trust.intercepted_by and side is Side.ATTACKER:
            direct = judge(rule, sent, canonical(name), trust, situation, side)
            found = found if found.accepted and (not found.unsure or not direct.accepted) else direct
        return found

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


def in_store(situation: Situation, trust: TrustStore) -> Situation:
    """Give a situation as a trust store meets it, with what that store alone distrusts."""
    if not trust.distrusted or trust.distrusted <= situation.distrusted:
        return situation
    return replace(situation, distrusted=situation.distrusted | trust.distrusted)


Chains = tuple[tuple[Certificate, ...], ...]


class Scene:
    """One world at one instant: what is served, what can be presented, and what is in force."""

    def __init__(self, judges: Judges, world: World, at: datetime) -> None:
        self.judges = judges
        self.inventory = judges.inventory
        self.world = world
        self.situation = world.situation(at, judges.inventory)
        self.in_force = InForce(judges.inventory, world, self._took_header)
        self.padding = padding(judges.inventory, world.issued) if world.attacks else ()
        self.exist: dict[Pin, Chains] = {}
        self.issued: dict[tuple[object, ...], Chains] = {}
        self.stores: dict[str, TrustStore] = {}
        self.earlier: tuple[Scene, ...] | None = None

    def row(self, shipped: Connection) -> Row:
        """Answer both questions for a connection; of one that may be any of several each has its worst answer."""
        if not shipped.instead:
            return self._row(shipped)
        rows = [self._row(each) for each in shipped.instead]
        first = next((row for row in rows if not row.ours.judgement.accepted), None)
        first = first or next((row for row in rows if not row.pin_in_force), rows[0])
        theirs = next((row.attacker for row in rows if row.verdict.is_exposed), rows[0].attacker)
        ours = doubted(first.ours, {row.ours.judgement.accepted for row in rows})
        attacker = None if theirs is None else doubted(theirs, {row.verdict.is_exposed for row in rows})
        verdict = verdict_of(
            ours_accepted=ours.judgement.accepted,
            pin_in_force=ours.judgement.pin_in_force,
            attacker_accepted=any(row.verdict.is_exposed for row in rows),
        )
        return Row(
            connection=shipped,
            at=self.situation.at,
            verdict=verdict,
            ours=ours,
            attacker=attacker,
            unsure=len({row.verdict for row in rows}) > 1 or any(row.unsure for row in rows),
            through=first.connection,
        )

    def _row(self, shipped: Connection) -> Row:
        connection = self.in_force.connection(shipped)
        trust = self.in_force.store(connection.cohort)
        ours = worst(self._ours(connection, trust))
        if ours.judgement.accepted and self.cuts_off(connection.cohort):
            judgement = replace(ours.judgement, accepted=False, reason=Reason.FORCED_OUT, unsure=True)
            ours = replace(ours, judgement=judgement)
        attacker = best(self._attacker(connection, trust))
        accepted = attacker is not None and attacker.judgement.accepted
        verdict = verdict_of(
            ours_accepted=ours.judgement.accepted,
            pin_in_force=ours.judgement.pin_in_force,
            attacker_accepted=accepted,
        )
        unsure = ours.judgement.unsure or (attacker is not None and accepted and attacker.judgement.unsure)
        return Row(
            connection=connection,
            at=self.situation.at,
            verdict=verdict,
            ours=ours,
            attacker=attacker,
            unsure=unsure,
        )

    def cuts_off(self, cohort: Cohort) -> bool:
        """Say whether a floor stands above the version of a cohort; an app without versions has none below."""
        own = version_key(cohort.version)
        return cohort.standing is not Standing.MOVES and any(
            app == cohort.app and cohort.release >= 0 and own < version_key(version)
            for app, version in self.world.floors
        )

    # --- ours --------------------------------------------------------------------------------------------------

    def _ours(self, connection: Connection, trust: TrustStore) -> Iterator[Answer]:
        """Give one answer for each name and each chain in each place: all mechanisms together."""
        offers = self.world.served.get(connection.host, ())
        for name, rules in connection.rules.items():
            if not offers:
                judgement, mechanism = self._together(connection, rules, (), name, trust, Side.OURS)
                yield Answer(judgement=judgement, mechanism=mechanism, name=name)
            choices: dict[str, list[Answer]] = {}
            for number, offer in enumerate(offers):
                sent = offer.chain.sent
                if any(offer.chain.leaf.matches(key) for key in self.world.lost):
                    sent = ()
                judgement, mechanism = self._together(connection, rules, sent, name, trust, Side.OURS)
                found = Answer(
                    judgement=judgement, mechanism=mechanism, name=name, place=offer.place, chain=offer.chain.name
                )
                choices.setdefault(offer.choice or f"#{number}", []).append(found)
            for several in choices.values():
                yield of_choice(several)

    # --- the attacker ------------------------------------------------------------------------------------------

    def _attacker(self, connection: Connection, trust: TrustStore) -> Iterator[Answer]:
        for attack in self.world.attacks:
            if self.meets(attack, connection):
                yield from self._with(attack, connection, trust)

    def meets(self, attack: Attack, connection: Connection) -> bool:
        """Say whether an attack is about a host and its clients."""
        return self.is_meant(attack, connection.cohort) and attack.reaches(connection.host)

    def is_meant(self, attack: Attack, cohort: Cohort) -> bool:
        """Say whether an attack can reach a cohort, whatever the host."""
        return attack.cohort is None or is_of(cohort, attack.cohort, versions_of(self.inventory, cohort))

    def _with(self, attack: Attack, connection: Connection, trust: TrustStore) -> Iterator[Answer]:
        if attack.kind is Reason.CLEARTEXT_ALLOWED:
            yield from stripped(attack, connection)
            return
        trust = self.trusting(attack, trust)
        for name, rules in connection.rules.items():
            for sent in self._presented(attack, connection, trust, name, rules):
                judgement, mechanism = self._together(connection, rules, sent, name, trust, Side.ATTACKER)
                yield Answer(judgement=judgement, mechanism=mechanism, name=name, chain=attack.subject, attack=attack)

    def trusting(self, attack: Attack, trust: TrustStore) -> TrustStore:
        """Give the trust store with the public CA that nobody pins, where the attack is with it."""
        if not (attack.unpinned_ca and trust.public):
            return trust
        if trust.name not in self.stores:
            self.stores[trust.name] = replace(
                trust, name=f"{trust.name} and another public CA", roots=(*trust.roots, ANYWHERE)
            )
        return self.stores[trust.name]

    def _presented(
        self, attack: Attack, connection: Connection, trust: TrustStore, name: str, rules: tuple[Rule, ...]
    ) -> Iterator[tuple[Certificate, ...]]:
        """Give every chain an attacker can present to a client that asks for a name."""
        pinned = frozenset(pin for rule in rules for pin in rule.pins) if attack.any_ca else frozenset()
        yield from self.chains(attack, connection.host, trust, name, pinned)
        if any(map(asks_for_no_path, rules)):
            yield from self_made(attack, name)

    def chains(
        self, attack: Attack, host: str, trust: TrustStore, name: str, pinned: frozenset[Pin] = frozenset()
    ) -> Iterator[tuple[Certificate, ...]]:
        """Give every chain of a CA that an attacker can present for a name; `pinned` is what it looks for a CA of."""
        if attack.key is not None:
            if attack.key not in self.exist:
                self.exist[attack.key] = tuple(existing(self.inventory, self.world.issued, attack.key))
            yield from self.exist[attack.key]
        if attack.issues:
            key = (attack, name, host, pinned, trust.name if attack.any_ca else "")
            if key not in self.issued:
                issuers = unique(self._issuers(attack, trust, pinned))
                chains = got(attack, self.world.attacks, self.inventory, name, issuers, self.padding)
                self.issued[key] = tuple(chains)
            yield from self.issued[key]

    def _issuers(self, attack: Attack, trust: TrustStore, pinned: frozenset[Pin]) -> Iterator[Certificate]:
        """Give the CA certificates under which an attacker gets certificates."""
        yield from attack.issuers
        if attack.unpinned_ca:
            yield ANYWHERE
        if attack.any_ca:
            held = {
                c.spki
                for name, own in self.inventory.authorities.items()
                if self.inventory.policy.authorities[name].holder == "ours"
                for c in own
            }
            known = (*self.padding, *(root for root in trust.roots if any(root.matches(pin) for pin in pinned)))
            yield from (c for c in known if c.ca and c.spki not in held and c.signer not in held)

    def _took_header(self, shipped: Connection, name: str, number: int) -> bool:
        """Say whether a client took the header of whoever controlled its host, in this world or an earlier one.

        It must accept the connection. Between two happenings pins and certificates only end, so that the first and
        the last instant of each world tell.
        """
        if self.earlier is None:
            worlds = (*self.world.earlier, self.world)
            self.earlier = tuple(
                Scene(self.judges, world, plus(after.at, -SECOND)) for world, after in pairwise(worlds)
            )
        return any(scene.takes_header(shipped, name, number) for scene in (*self.earlier, self))

    def takes_header(self, shipped: Connection, name: str, number: int) -> bool:
        """Say whether a client takes the header of whoever controls its host while this world lasts."""
        rule = self.in_force.carried(shipped, number, shipped.rules[name][number])
        store = self.in_force.store(shipped.cohort)
        since = shipped.cohort.since
        instants = [at for at in dict.fromkeys((self.world.at, self.situation.at)) if since is None or since <= at]
        for attack in self.world.attacks:
            if attack.kind is Reason.HOSTILE_PINS and attack.reaches(shipped.host):
                trust = self.trusting(attack, store)
                for sent in self._presented(attack, shipped, trust, name, (rule,)):
                    for at in instants:
                        then = replace(self.situation, at=at)
                        if self.judges.judge(rule, sent, name, trust, then, Side.ATTACKER).accepted:
                            return True
        return False

    def _together(
        self,
        connection: Connection,
        rules: tuple[Rule, ...],
        sent: tuple[Certificate, ...],
        name: str,
        trust: TrustStore,
        side: Side,
    ) -> tuple[Judgement, str]:
        """Ask all mechanisms of a connection: one that refuses refuses for all, one with a pin in force pins.

        Returns:
            what decided, and the mechanism it was decided by.
        """
        if len(rules) == 1:
            return self.judges.judge(rules[0], sent, name, trust, self.situation, side), connection.mechanisms[0]
        judged = [
            (self.judges.judge(rule, sent, name, trust, self.situation, side), mechanism)
            for mechanism, rule in zip(connection.mechanisms, rules, strict=True)
        ]
        refused = [one for one in judged if not one[0].accepted]
        if refused:
            sure = [one for one in refused if not one[0].unsure]
            found, mechanism = min(sure or refused, key=lambda one: order(one[0]))
            in_force = any(one.pin_in_force for one, _ in judged)
            return (found if found.pin_in_force is in_force else replace(found, pin_in_force=in_force)), mechanism
        found, mechanism = next((one for one in judged if one[0].pin_in_force), judged[0])
        unsure = any(one.unsure for one, _ in judged)
        return (found if found.unsure is unsure else replace(found, unsure=unsure)), mechanism


def version_key(version: str) -> tuple[tuple[int, str], ...]:
    """Give what versions are put in order by: numbers as numbers, words before them."""
    parts = re.findall(r"\d+|[^\d.+_-]+", version)
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)


def _size(connection: Connection) -> float:
    clients = connection.clients
    return clients.high if clients is not None else 0
