"""Both questions for every unit of a fleet in one world: as the scene asks them, on columns of codes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from rotator.model.pins import Pin
from rotator.model.pki import Certificate, TrustStore
from rotator.model.rules import Cleartext, Rule
from rotator.model.verdicts import Reason
from rotator.simulate.alike import in_sight, pins_on
from rotator.simulate.answers import asks_for_no_path, self_made
from rotator.simulate.attacks import Attack
from rotator.simulate.engine import codes as c
from rotator.simulate.engine.codes import Codes, Flags, Indexes
from rotator.simulate.engine.units import Group, Sorter, Units
from rotator.simulate.fleet import Fleet
from rotator.simulate.impact import Row
from rotator.simulate.inventory import Inventory
from rotator.simulate.judgement import Judgement, Side, Situation
from rotator.simulate.scene import Judges, Scene, in_store
from rotator.simulate.world import World

KEPT = 20_000
"""Answers kept for worlds to come; then all are dropped, so that long searches end in the memory they began with."""
_FORCED = c.code(Reason.FORCED_OUT, accepted=False, unsure=True)
_STRIPPED = c.code(Reason.CLEARTEXT_ALLOWED, accepted=True)

Sent = tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answers of some units: ours, the attacker's, the reason told of it (`NONE`: there is none), and doubt."""

    ours: Codes
    theirs: Codes
    told: Codes
    unsure: Flags

    @classmethod
    def blank(cls, size: int) -> Outcome:
        """Make one to be filled."""
        return cls(
            np.zeros(size, np.uint8),
            np.zeros(size, np.uint8),
            np.full(size, c.NONE, np.uint8),
            np.zeros(size, np.bool_),
        )

    def put(self, where: Indexes, part: Outcome) -> None:
        """Fill in some units."""
        self.ours[where] = part.ours
        self.theirs[where] = part.theirs
        self.told[where] = part.told
        self.unsure[where] = part.unsure

    def put_row(self, where: int, row: Row) -> None:
        """Fill in one unit from a row of the judge."""
        self.ours[where] = c.code_of(row.ours.judgement)
        if row.attacker is not None and row.attacker_reason is not None:
            self.theirs[where] = c.code_of(row.attacker.judgement)
            self.told[where] = c.place_of(row.attacker_reason)
        self.unsure[where] = row.unsure


class Jury:
    """Answers for a fleet, each distinct question once over all worlds it is asked about."""

    def __init__(self, inventory: Inventory, fleet: Fleet) -> None:
        self.inventory = inventory
        self.judges = Judges(inventory)
        self.sorter = Sorter(fleet)
        self.codes: dict[Hashable, Codes] = {}
        self.outcomes: dict[Hashable, Outcome] = {}
        self._validity = _Validity(inventory)
        self.asked = 0
        self._views: dict[tuple[Sent, str], _View] = {}
        self._flags: dict[tuple[str, str, int], _RuleFlags] = {}

    def hear(self, world: World, at: datetime) -> tuple[Units, Outcome]:
        """Answer both questions for every unit of a fleet in a world at an instant."""
        if len(self.codes) + len(self.outcomes) > KEPT or len(self.judges.memo) > KEPT:
            self.codes.clear()
            self.outcomes.clear()
            self._views.clear()
            self.judges = Judges(self.inventory)
        scene = Scene(self.judges, world, at)
        units = self.sorter.units(scene)
        whole = Outcome.blank(units.size)
        hearing = _Hearing(self, scene, self._validity.segment(world, at))
        for group in units.groups:
            whole.put(group.units, hearing.outcome(group))
        for place, connection in units.alone:
            whole.put_row(place, scene.row(connection))
        return units, whole

    def view(self, sent: Sent, trust: TrustStore) -> _View:
        """Give what can come up where a chain is presented to a client."""
        key = (sent, trust.name)
        if key not in self._views:
            certificates = in_sight(sent, trust, self.inventory.extra)
            self._views[key] = _View(
                certificates=certificates,
                pins=frozenset(pins_on(certificates)),
                keys=frozenset(one.spki for one in certificates),
                digests=frozenset(one.sha256 for one in certificates),
            )
        return self._views[key]

    def flags(self, host: str, name: str) -> _RuleFlags:
        """Say of the rules for a name what counts beside their pins."""
        book = self.sorter.books[host, name]
        key = (host, name, len(book.rules))
        if key not in self._flags:
            self._flags[key] = _RuleFlags(
                refuses_cleartext=book.flags(lambda r: bool(r.rejected) or r.cleartext is Cleartext.REFUSED),
                may_refuse_it=book.flags(lambda r: r.cleartext is Cleartext.UNKNOWN),
                asks_for_no_path=book.flags(asks_for_no_path),
            )
        return self._flags[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """Every certificate that can come up where a chain is presented, and the pins, keys and digests of them."""

    certificates: Sent
    pins: frozenset[Pin]
    keys: frozenset[bytes]
    digests: frozenset[bytes]

    def when(self, situation: Situation, trust: TrustStore) -> Hashable:
        """Give all of a situation that matters to an answer on this chain."""
        return (
            tuple(one.valid_at(situation.at) for one in self.certificates),
            frozenset(pair for pair in situation.distrusted | trust.distrusted if pair[0] in self.keys),
            situation.ended & self.digests,
            situation.revoked & self.digests,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _RuleFlags:
    """By rule of a book: what counts of it beside what the judge says."""

    refuses_cleartext: Flags
    may_refuse_it: Flags
    asks_for_no_path: Flags


class _Validity:
    """Between which starts and ends of certificates an instant lies: all that paths know of time."""

    def __init__(self, inventory: Inventory) -> None:
        chains = (*inventory.chains.values(), *inventory.key_certificates.values())
        known = {certificate for chain in chains for certificate in chain.sent}
        known |= {*inventory.extra, *(one for own in inventory.authorities.values() for one in own)}
        for store in inventory.trust.values():
            known |= {*store.roots, *store.local_roots}
        self.starts = sorted({one.not_before for one in known})
        self.ends = sorted({one.not_after for one in known})

    def segment(self, world: World, at: datetime) -> Hashable:
        """Give a value that is equal for two instants in a world where the same certificates are valid."""
        fresh = [certificate for chain in world.issued for certificate in chain.sent]
        fresh += [certificate for attack in world.attacks for certificate in attack.issuers]
        return (
            bisect_right(self.starts, at),
            bisect_left(self.ends, at),
            tuple(certificate.valid_at(at) for certificate in fresh),
            tuple(attack.since <= at <= attack.until for attack in world.attacks),
        )


class _Hearing:
    """One world at one instant."""

    def __init__(self, jury: Jury, scene: Scene, segment: Hashable) -> None:
        self.jury = jury
        self.scene = scene
        self.world = scene.world
        self.when = (segment, self.world.distrusted, self.world.ended, self.world.revoked)

    def outcome(self, group: Group) -> Outcome:
        """Answer both questions for a group; nothing is asked again that no knob has touched."""
        world = self.world
        attacks = tuple(attack for attack in world.attacks if attack.reaches(group.host))
        key = (
            group.number,
            self.when,
            tuple(self._period(group.host, name) for name in group.rules),
            world.served.get(group.host, ()),
            world.lost,
            # What one attack gets certified hangs on the keys that others stole.
            (world.attacks, world.issued) if attacks else (),
        )
        found = self.jury.outcomes.get(key)
        if found is None:
            found = self.jury.outcomes[key] = self._judge(group, attacks)
        return found

    def _period(self, host: str, name: str) -> int:
        return self.jury.sorter.books[host, name].period(self.scene.situation.at)

    def _judge(self, group: Group, attacks: tuple[Attack, ...]) -> Outcome:
        ours = c.worst(list(self._ours(group)))
        ours = np.where(group.cut & c.accepted(ours), _FORCED | ours & c.IN_FORCE, ours).astype(np.uint8)
        theirs, told = self._attacker(group, attacks)
        took = c.accepted(theirs)
        return Outcome(ours, theirs, told, c.unsure(ours) | (took & c.unsure(theirs)))

    # --- ours --------------------------------------------------------------------------------------------------

    def _ours(self, group: Group) -> Iterator[Codes]:
        """Give one answer for each name and each chain in each place: all mechanisms together."""
        offers = self.world.served.get(group.host, ())
        for name in group.rules:
            if not offers:
                yield self._together(group, name, (), group.store, Side.OURS)
            choices: dict[str, list[Codes]] = {}
            for number, offer in enumerate(offers):
                lost = any(offer.chain.leaf.matches(key) for key in self.world.lost)
                answer = self._together(group, name, () if lost else offer.chain.sent, group.store, Side.OURS)
                choices.setdefault(offer.choice or f"#{number}", []).append(answer)
            for several in choices.values():
                yield c.worst_of_choice(several)

    def _together(self, group: Group, name: str, sent: Sent, store: TrustStore, side: Side) -> Codes:
        return c.together(self._codes(group.host, name, sent, store, side)[group.rules[name]])

    def _codes(self, host: str, name: str, sent: Sent, store: TrustStore, side: Side) -> Codes:
        """Judge every rule for a name on one chain."""
        book = self.jury.sorter.books[host, name]
        situation, view = in_store(self.scene.situation, store), self.jury.view(sent, store)
        key = (
            host,
            name,
            len(book.rules),
            book.period(situation.at),
            store.name,
            sent,
            side,
            view.when(situation, store),
        )
        found = self.jury.codes.get(key)
        if found is None:

            def judge(rule: Rule) -> Judgement:
                self.jury.asked += 1
                return self.jury.judges.answer(rule, sent, name, store, situation, side)

            found = self.jury.codes[key] = book.codes(situation.at, view.pins, judge)
        return found

    # --- the attacker ------------------------------------------------------------------------------------------

    def _attacker(self, group: Group, attacks: Iterable[Attack]) -> tuple[Codes, Codes]:
        """Give the best answer for the attacker by unit, and the reason that is told of it."""
        size = len(group.units)
        best = _Best(size)
        for attack in attacks:
            meant = group.meant.get(attack, np.ones(size, np.bool_))
            for answer, able in self._with(attack, group):
                best.offer(answer, meant & able, c.place_of(attack.kind))
            if best.settled:
                break
        return best.codes, best.told

    def _with(self, attack: Attack, group: Group) -> Iterator[tuple[Codes, Flags]]:
        """Give what comes of everything an attacker can present, and to whom it can."""
        everybody = np.ones(len(group.units), np.bool_)
        if attack.kind is Reason.CLEARTEXT_ALLOWED:
            for name, rules in group.rules.items():
                flags = self.jury.flags(group.host, name)
                unsure = _any(flags.may_refuse_it[rules])
                answer = np.where(unsure, _STRIPPED | c.UNSURE, _STRIPPED).astype(np.uint8)
                yield answer, ~_any(flags.refuses_cleartext[rules])
            return
        store = self.scene.trusting(attack, group.store)
        for name, rules in group.rules.items():
            for sent in dict.fromkeys(self.scene.chains(attack, group.host, store, name)):
                yield self._together(group, name, sent, store, Side.ATTACKER), everybody
            able = _any(self.jury.flags(group.host, name).asks_for_no_path[rules])
            if able.any():
                for sent in self_made(attack, name):
                    yield self._together(group, name, sent, store, Side.ATTACKER), able


def _any(flags: Flags) -> Flags:
    """Say of each row whether anything in it holds."""
    found: Flags = np.asarray(flags.any(axis=1))
    return found


class _Best:
    """The best answer for the attacker so far, by unit; of answers as good the first one stays."""

    def __init__(self, size: int) -> None:
        self.codes = np.zeros(size, np.uint8)
        self.told = np.full(size, c.NONE, np.uint8)
        self._place = np.full(size, c.NONE, np.uint8)

    def offer(self, answer: Codes, able: Flags, kind: int) -> None:
        """Take an answer where it is better; an attack that succeeds is told by its kind."""
        place = np.where(able, c.BEST[answer], np.uint8(c.NONE))
        better = place < self._place
        if better.any():
            self._place = np.where(better, place, self._place)
            self.codes = np.where(better, answer, self.codes)
            told = np.where(c.accepted(answer), kind, answer >> c.REASON_SHIFT)
            self.told = np.where(better, told, self.told).astype(np.uint8)

    @property
    def settled(self) -> bool:
        """Say whether nothing can be better for anybody."""
        return not self._place.any()
