"""The world at an instant: what is served, trusted, revoked and attackable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from rotator.model.pins import Pin
from rotator.model.pki import Certificate, Chain
from rotator.model.verdicts import Reason
from rotator.model.when import BEGINNING, as_instant
from rotator.simulate.attacks import Attack, existing
from rotator.simulate.grammar import Occurrence
from rotator.simulate.inventory import Inventory
from rotator.simulate.judgement import Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One chain that one place of a host serves.

    Attributes:
        place: "" for the host itself, else the edge's name.
        chain: the chain.
        choice: what it is a choice of, where only one of several offers comes to be and nobody can know which.
    """

    place: str
    chain: Chain
    choice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRoot:
    """A root that a user or an enterprise installed on the devices of some clients.

    Attributes:
        cohort: app, version and trust store of the clients, "" for all of them.
        root: the root.
        intercepts: a proxy re-signs everything under it.
    """

    cohort: tuple[str, str, str]
    root: Certificate
    intercepts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Live pins that were published: some clients have them at once, everybody who is reached when it is `done`."""

    app: str
    pinset: str
    since: datetime
    done: bool


@dataclass(frozen=True, kw_only=True)
class World:
    """What holds at an instant; events and actions turn one world into the next.

    Attributes:
        at: the instant of the last thing that happened.
        served: what each host serves, in all its places.
        changed: when a host was last made to serve something else, by its label.
        issued: chains that came to exist and are in no file: what an attacker with their key can present as well.
        lost: keys that cannot be served any more.
        distrusted: see `rotator.model.paths.Conditions`.
        distrusted_by: the same where one trust store alone does it, with its name in front.
        ended: certificates that ended before their time.
        revoked: certificates whose revocation is out.
        announced: revocations that are announced and not out, with the certificates they are of.
        attacks: what the attacker holds.
        hostile: by host, since when an attacker writes the pins that clients take from outside.
        earlier: the worlds before this one since an attacker first wrote pins: what clients took then, they keep.
        local_roots: roots that were installed on devices.
        wrong: pinsets whose pins match nothing.
        published: live pins, the latest last.
        floors: by app, the versions below which clients are made to update.
        notes: what was assumed on the way.
    """

    at: datetime
    served: Mapping[str, tuple[Offer, ...]]
    changed: Mapping[str, datetime] = field(default_factory=dict)
    issued: tuple[Chain, ...] = ()
    lost: frozenset[Pin] = frozenset()
    distrusted: frozenset[tuple[bytes, datetime | None]] = frozenset()
    distrusted_by: frozenset[tuple[str, bytes, datetime | None]] = frozenset()
    ended: frozenset[bytes] = frozenset()
    revoked: frozenset[bytes] = frozenset()
    announced: tuple[tuple[Occurrence, frozenset[bytes]], ...] = ()
    attacks: tuple[Attack, ...] = ()
    hostile: tuple[tuple[str, datetime], ...] = ()
    earlier: tuple[World, ...] = ()
    local_roots: tuple[LocalRoot, ...] = ()
    wrong: frozenset[str] = frozenset()
    published: tuple[Published, ...] = ()
    floors: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def situation(self, at: datetime, inventory: Inventory) -> Situation:
        """Give what the judge needs to know at an instant until which nothing else happens."""
        return Situation(
            at=at,
            distrusted=self.distrusted,
            ended=self.ended,
            revoked=self.revoked,
            extra=inventory.extra,
        )

    def moved_to(self, at: datetime) -> World:
        """Give the world in which something happens at an instant; what happens at once makes one world."""
        if not self.hostile or at <= self.at:
            return replace(self, at=at)
        return replace(self, at=at, earlier=(*self.earlier, replace(self, earlier=())))

    def with_offers(self, host: str, offers: tuple[Offer, ...]) -> World:
        """Give the world in which a host serves something else; planned chains come to exist by being served."""
        issued = {chain: chain for chain in self.issued}
        for offer in offers:
            if offer.chain.planned:
                issued[offer.chain] = _same_issued(issued.get(offer.chain), offer.chain)
        return replace(
            self,
            served={**self.served, host: offers},
            changed={**self.changed, host: self.at},
            issued=tuple(issued.values()),
        )

    def noting(self, *notes: str) -> World:
        """Give the world with something more assumed."""
        fresh = tuple(note for note in dict.fromkeys(notes) if note and note not in self.notes)
        return replace(self, notes=(*self.notes, *fresh)) if fresh else self

    def attacked(self, attack: Attack) -> World:
        """Give the world in which an attacker holds something more."""
        return self if attack in self.attacks else replace(self, attacks=(*self.attacks, attack))

    def uncertified(self, inventory: Inventory) -> tuple[str, ...]:
        """Give the stolen keys for which no certificate exists and the attacker gets none."""
        if any(attack.issues and attack.cohort is None for attack in self.attacks):
            return ()
        stolen = dict.fromkeys((a.subject, a.key) for a in self.attacks if a.kind is Reason.KEY_STOLEN)
        return tuple(name for name, key in stolen if key and next(existing(inventory, self.issued, key), None) is None)

    def live(self, app: str) -> tuple[Published, ...]:
        """Give the live pins that some client of an app may have by now, oldest first; none: nothing was published."""
        own = [p for p in self.published if p.app == app]
        return tuple(own[max((n for n, p in enumerate(own) if p.done), default=0) :])


def _same_issued(known: Chain | None, chain: Chain) -> Chain:
    """Give one certificate that does for every place where it is served: all their names, the latest end."""
    if known is None:
        return chain
    leaf = replace(
        chain.leaf,
        dns_names=tuple(dict.fromkeys((*known.leaf.dns_names, *chain.leaf.dns_names))),
        not_before=min(known.leaf.not_before, chain.leaf.not_before),
        not_after=max(known.leaf.not_after, chain.leaf.not_after),
    )
    return replace(chain, sent=(leaf, *chain.sent[1:]))


def first_world(inventory: Inventory, at: datetime) -> World:
    """Give the world as the policy states it."""
    policy = inventory.policy
    world = World(at=at, served={})
    for label, host in policy.hosts.items():
        offers = [Offer(place="", chain=inventory.chains[name]) for name in host.serves if name in inventory.chains]
        offers += [
            Offer(place=edge.name, chain=inventory.chains[name])
            for edge in host.edges
            for name in edge.serves
            if name in inventory.chains
        ]
        world = world.with_offers(label, tuple(offers))
    return as_marked(replace(world, changed={}), inventory, at)


def as_marked(world: World, inventory: Inventory, at: datetime) -> World:
    """Give the world with what the policy says became of keys by an instant: gone, or held by an attacker."""
    for name, since in marked_since(inventory):
        pin = inventory.keys[name].pin
        if since > at:
            continue
        if inventory.policy.keys[name].status == "compromised":
            world = world.attacked(Attack(kind=Reason.KEY_STOLEN, key=pin, subject=name, since=since))
        else:
            world = replace(world, lost=world.lost | {pin})
    return world


def marked_since(inventory: Inventory) -> Iterator[tuple[str, datetime]]:
    """Give each key that the policy marks as compromised, lost or destroyed, and since when; without a day, ever."""
    for name, key in inventory.policy.keys.items():
        if key.status != "active":
            yield name, as_instant(key.since) if key.since is not None else BEGINNING
