"""Every single loss and every pair: of our keys, and of the authorities, against what is held today.

A pair is judged as a world of its own only where the two can have to do with one another: a stolen key that a taken CA
certifies, a distrust that ends what another loss began, two distrusts that close two ways. All other pairs hit whom
either hits alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from rotator.model.pins import Pin, PinKind
from rotator.model.pki import Certificate
from rotator.model.progress import Progress, Silent
from rotator.model.when import as_instant
from rotator.simulate.asked import as_asked
from rotator.simulate.fleet import Fleet
from rotator.simulate.grammar import Occurrence
from rotator.simulate.impact import BROKEN, EXPOSED
from rotator.simulate.inventory import Inventory
from rotator.simulate.populations import floors_of
from rotator.simulate.question import Picture
from rotator.simulate.standard import backups_of, served_keys
from rotator.simulate.timeline import Timeline, happenings
from rotator.simulate.totals import Total
from rotator.simulate.world import World

if TYPE_CHECKING:
    from rotator.simulate.engine.counting import Hits
    from rotator.simulate.engine.engine import Engine
    from rotator.simulate.engine.losses import Losses

LOST, STOLEN, DISTRUSTED, TAKEN = "key-loss", "key-compromise", "ca-distrust", "ca-compromise"
CHUNK = 64
"""Pairs between two reports of progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """One thing lost, or two.

    Attributes:
        events: what happens, as the command line writes it.
        broken, exposed: clients then, before anybody answers.
        response: what our servers answer with; none where nothing of ours is served, None where nothing helps.
        safe_on: the day from which it is over with that answer; None where nobody says, or not inside the horizon.
    """

    events: tuple[str, ...]
    broken: Total
    exposed: Total
    response: tuple[str, ...] | None
    safe_on: date | None = None

    @property
    def badness(self) -> tuple[float, float]:
        """Give what losses are put in order by: clients broken or exposed, then those broken; unknown is most."""
        broken, exposed = (float("inf") if t.high is None else float(t.high) for t in (self.broken, self.exposed))
        return broken + exposed, broken


@dataclass(frozen=True, kw_only=True)
class Drill:
    """All losses, worst first, each made when it is looked at, and what is broken and exposed without any."""

    at: datetime
    inventory: Inventory
    broken: Total
    exposed: Total
    losses: Losses


def drill(
    picture: Picture, now: datetime, calendar: Sequence[Occurrence] = (), progress: Progress | None = None
) -> Drill:
    """Play every single loss and every pair at an instant.

    Args:
        picture: everything read.
        now: the instant.
        calendar: what happens in any case.
        progress: hears how far it is, and may give it up.
    """
    return _Drilling(picture, now, calendar, progress or Silent()).run()


def possible(inventory: Inventory, now: datetime) -> list[Occurrence]:
    """Give every single loss there can be: of keys that are not gone, and of authorities that stand for something."""
    found = []
    for name, key in inventory.policy.keys.items():
        gone = key.status != "active" and (key.since is None or as_instant(key.since) <= now)
        if not gone:
            found += [Occurrence(id=LOST, parts=(name,)), Occurrence(id=STOLEN, parts=(name,))]
    for name, own in inventory.authorities.items():
        if own:
            found += [Occurrence(id=DISTRUSTED, parts=(name,)), Occurrence(id=TAKEN, parts=(name,))]
    return found


class _Drilling:
    """One drill."""

    def __init__(self, picture: Picture, now: datetime, calendar: Sequence[Occurrence], progress: Progress) -> None:
        from rotator.simulate.engine.engine import Engine

        self.now = now
        self.calendar = (*floors_of(picture.policy), *calendar)
        self.progress = progress
        order = happenings(self.calendar, now, picture.policy)
        asked = as_asked(picture.inventory, picture.material, picture.context, picture.digest, order)
        self.inventory = asked.inventory
        people = asked.forecast(picture.table, now.date(), fitted=picture.fitted)
        self.engine: Engine = Engine(asked.inventory, people.fleet_at(now))
        self.today = Timeline(self.inventory, order).world_at(now)
        self.events = possible(self.inventory, now)
        self.answers = _Answers(self)

    def run(self) -> Drill:
        """Play all of it."""
        from rotator.simulate.engine.losses import Losses, Unions

        events = self.events
        of = len(events) + len(events) * (len(events) - 1) // 2
        none = self.hits()
        alone: list[tuple[Hits, Hits]] = []
        for number, event in enumerate(events):
            if number % CHUNK == 0:
                self.progress.step(number, of, "single losses")
            alone.append(self.hits(event))
        census = self.engine.sized(self.engine.fleet)
        broken = Unions(census, none[0], [own for own, _ in alone])
        exposed = Unions(census, none[1], [own for _, own in alone])
        together = self._together(_Nearness(self, none, alone), of)
        broken.together({pair: own for pair, (own, _) in together.items()})
        exposed.together({pair: own for pair, (_, own) in together.items()})
        return Drill(
            at=self.now,
            inventory=self.inventory,
            broken=self.engine.total(none[0]),
            exposed=self.engine.total(none[1]),
            losses=Losses(
                [event.text for event in events],
                broken,
                exposed,
                lambda places: self.answers.to([events[place] for place in places]),
                lambda: self.progress.step(of, of, "pairs"),
            ),
        )

    def _together(self, near: _Nearness, of: int) -> dict[tuple[int, int], tuple[Hits, Hits]]:
        """Judge the pairs that have to do with one another."""
        found = {}
        since = CHUNK
        done = len(self.events)
        for i in range(len(self.events)):
            for j in range(i + 1, len(self.events)):
                if since >= CHUNK:
                    self.progress.step(done + j - i - 1, of, "pairs")
                    since = 0
                if near.meet(i, j):
                    since += 1
                    found[i, j] = self.hits(self.events[i], self.events[j])
            done += len(self.events) - i - 1
        return found

    def world(self, *events: Occurrence) -> World:
        """Give the world after some losses."""
        order = happenings((*self.calendar, *events), self.now, self.inventory.policy)
        return Timeline(self.inventory, order).world_at(self.now)

    def hits(self, *events: Occurrence) -> tuple[Hits, Hits]:
        """Judge a world: the connections that are broken and those that are exposed."""
        sight = self.engine.sight(self.world(*events), self.now)
        return sight.hits(*BROKEN), sight.hits(*EXPOSED)


class _Nearness:
    """Which pairs must be judged together, and what all others come to."""

    def __init__(self, drilling: _Drilling, none: tuple[Hits, Hits], alone: Sequence[tuple[Hits, Hits]]) -> None:
        self.drilling = drilling
        self.alone = alone
        self.events = drilling.events
        inventory, world = drilling.inventory, drilling.today
        self.none = none
        # Where only one of several chains comes to be, or something is amiss already, nothing is taken for granted.
        choice = any(offer.choice for offers in world.served.values() for offer in offers)
        changed = world.published or world.wrong or world.hostile or world.local_roots
        self.plain = not (choice or world.attacks or changed)
        self.mends = [any(own.lacks(was) for own, was in zip(hits, none, strict=True)) for hits in alone]
        self.pinned = _pinning(drilling.engine.fleet)
        keys = inventory.keys.items()
        self.pins = {name: ({facts.pin} | _other_pins(inventory, name)) & self.pinned.keys() for name, facts in keys}
        self.under = {name: _keys_above(inventory, world, facts.pin) for name, facts in inventory.keys.items()}

    def meet(self, i: int, j: int) -> bool:
        """Say whether a pair must be judged together; all others hit whom either hits alone."""
        one, other = self.events[i], self.events[j]
        if not self.plain or self.mends[i] or self.mends[j]:
            return True
        if self._certifies(one, other, i) or self._certifies(other, one, j):
            return True
        return self._ends(one, other) or self._ends(other, one)

    def _certifies(self, one: Occurrence, other: Occurrence, place: int) -> bool:
        """Say whether a taken CA may certify a stolen key for anybody whom that key does not expose by itself."""
        if one.id != STOLEN or other.id != TAKEN:
            return False
        sure = self.alone[place][1].sure
        return any(not sure[c] for pin in self.pins[one.parts[0]] for c in self.pinned[pin])

    def _ends(self, one: Occurrence, other: Occurrence) -> bool:
        """Say whether a distrust may end what another loss does."""
        if other.id != DISTRUSTED:
            return False
        if one.id == STOLEN:
            keys = {c.spki for c in self.drilling.inventory.authorities[other.parts[0]]}
            return bool(keys & self.under[one.parts[0]])
        return one.id in (TAKEN, DISTRUSTED)


def _pinning(fleet: Fleet) -> dict[Pin, list[int]]:
    """Give by pin the connections that hold it, those among them that may be any of several releases."""
    found: dict[Pin, dict[int, None]] = {}
    for connection in fleet.connections:
        for each in (connection, *connection.instead):
            for pin in {pin for own in each.rules.values() for rule in own for pin in rule.pins}:
                found.setdefault(pin, {})[connection.index] = None
    return {pin: list(own) for pin, own in found.items()}


def _other_pins(inventory: Inventory, name: str) -> set[Pin]:
    """Give every pin that a certificate of a key would match, as far as its digests are known."""
    facts = inventory.keys[name]
    known = ((PinKind.SPKI_SHA1, facts.spki_sha1), (PinKind.SPKI_SHA512, facts.spki_sha512), (PinKind.RAW, facts.raw))
    found = {Pin(kind, digest) for kind, digest in known if digest}
    return found | {Pin(PinKind.RAW, facts.pin.digest)}


def _keys_above(inventory: Inventory, world: World, key: Pin) -> frozenset[bytes]:
    """Give the keys of every certificate that can come up where a chain for a key is presented."""
    chains = (*inventory.chains.values(), *inventory.key_certificates.values(), *world.issued)
    own = [chain.sent for chain in chains if chain.leaf.matches(key)]
    if not own:
        return frozenset()
    public = [c for certificates in inventory.authorities.values() for c in certificates]
    public += [c for chain in inventory.chains.values() for c in chain.sent[1:]]
    pool = (*(c for sent in own for c in sent), *public, *inventory.extra)
    return frozenset(c.spki for store in inventory.trust.values() for c in store.above(pool))


class _Answers:
    """What our servers answer a loss with: on each host it hits the chain that most clients take and that survives."""

    def __init__(self, drilling: _Drilling) -> None:
        self.drilling = drilling
        self.hosts = {
            label: offers
            for label, offers in drilling.today.served.items()
            if drilling.inventory.policy.hosts[label].control == "ours" and offers
        }
        self.by_key = served_keys(drilling.inventory, drilling.today)
        self.known: dict[str, list[tuple[str, str, frozenset[bytes]]]] = {}

    def to(self, events: Sequence[Occurrence]) -> tuple[str, ...] | None:
        """Give the answer to some losses."""
        inventory = self.drilling.inventory
        keys = {event.parts[0] for event in events if event.id in (LOST, STOLEN)}
        gone = {c.spki for e in events if e.id in (DISTRUSTED, TAKEN) for c in inventory.authorities[e.parts[0]]}
        found = []
        for host in self._hit(keys, events):
            sound = (name for name, key, above in self._chains(host) if key not in keys and not above & gone)
            best = next(sound, None)
            if best is None:
                return None
            found.append(f"serve:{host}:{best}")
        return tuple(found)

    def _hit(self, keys: set[str], events: Sequence[Occurrence]) -> list[str]:
        """Give the hosts of ours that cannot go on as they do."""
        inventory = self.drilling.inventory
        hit = {host for key in keys for host in self.by_key.get(key, ())}
        # A taken CA is no reason to move: what it certified stays as good, and what the attacker gets does not end.
        gone = {c.spki for e in events if e.id == DISTRUSTED for c in inventory.authorities[e.parts[0]]}
        if gone:
            hit |= {host for host, offers in self.hosts.items() if any(gone & _above(o.chain.sent) for o in offers)}
        return [host for host in self.hosts if host in hit]

    def _chains(self, host: str) -> list[tuple[str, str, frozenset[bytes]]]:
        """Give what a host can serve instead, what most clients take first: a name, its key, the keys it stands on."""
        if host not in self.known:
            counted = sorted(self._possible(host), key=lambda row: row[0])
            self.known[host] = [(name, key, above) for _, name, key, above in counted]
        return self.known[host]

    def _possible(self, host: str) -> Iterator[tuple[int, str, str, frozenset[bytes]]]:
        """Give what a host can serve that somebody takes, each with the clients that refuse it."""
        inventory = self.drilling.inventory
        policy = inventory.policy
        served = {offer.chain.name for offer in self.hosts[host]}
        names = {
            name: inventory.key_of(chain.leaf) or ""
            for name, chain in inventory.chains.items()
            if name not in served and any(chain.leaf.covers(dns) for dns in policy.host_names(host))
        }
        now = [key for key, hosts in self.by_key.items() if host in hosts]
        backups = dict.fromkeys(backup for key in now for backup in backups_of(inventory, key))
        for what, key in (*names.items(), *((backup, backup) for backup in backups)):
            world = self.drilling.world(Occurrence(id="serve", parts=(host, what), action=True))
            sight = self.drilling.engine.sight(world, self.drilling.now)
            refusing, using = self.drilling.engine.clients_of(host, sight.hits(*BROKEN))
            if refusing < using:
                yield refusing, what, key, _above(world.served[host][0].chain.sent)


def _above(sent: Sequence[Certificate]) -> frozenset[bytes]:
    """Give the keys that stand above a leaf: those of what is sent with it and those that signed them."""
    return frozenset({*(c.spki for c in sent[1:]), *(c.signer for c in sent if c.signer is not None)})
