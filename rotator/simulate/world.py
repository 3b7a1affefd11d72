"""The world at an instant: what is served, trusted, revoked and attackable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from rotator.model.pins import Pin
from rotator.model.pki import Certificate, Chain, unique
from rotator.model.verdicts import Reason
from rotator.simulate.grammar import Occurrence
from rotator.simulate.inventory import Inventory
from rotator.simulate.judgement import Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One chain that one place of a host serves; `place` is "" for the host itself, else the edge's name."""

    place: str
    chain: Chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One thing an attacker can do.

    Attributes:
        kind: the reason given where it works.
        key: a pin on the key the attacker holds.
        subject: its name in the policy.
        certified: a CA certifies the key for the attacker.
    """

    kind: Reason
    key: Pin
    subject: str
    certified: bool = False


@dataclass(frozen=True, kw_only=True)
class World:
    """What holds at an instant; events and actions turn one world into the next.

    Attributes:
        at: the instant of the last thing that happened.
        served: what each host serves, in all its places.
        issued: chains that came to exist and are in no file: what an attacker with their key can present as well.
        lost: keys that cannot be served any more.
        distrusted: see `rotator.model.paths.Conditions`.
        ended: certificates that ended before their time.
        revoked: certificates whose revocation is out.
        announced: revocations that are announced and not out, with the certificates they are of.
        attacks: what the attacker can do.
        notes: what was assumed on the way.
    """

    at: datetime
    served: Mapping[str, tuple[Offer, ...]]
    issued: tuple[Chain, ...] = ()
    lost: frozenset[Pin] = frozenset()
    distrusted: frozenset[tuple[bytes, datetime | None]] = frozenset()
    ended: frozenset[bytes] = frozenset()
    revoked: frozenset[bytes] = frozenset()
    announced: tuple[tuple[Occurrence, frozenset[bytes]], ...] = ()
    attacks: tuple[Attack, ...] = ()
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

    def with_offers(self, host: str, offers: tuple[Offer, ...]) -> World:
        """Give the world in which a host serves something else; planned chains come to exist by being served."""
        issued = {chain: chain for chain in self.issued}
        for offer in offers:
            if offer.chain.planned:
                issued[offer.chain] = _same_issued(issued.get(offer.chain), offer.chain)
        return replace(self, served={**self.served, host: offers}, issued=tuple(issued.values()))

    def noting(self, *notes: str) -> World:
        """Give the world with something more assumed."""
        fresh = tuple(note for note in notes if note and note not in self.notes)
        return replace(self, notes=(*self.notes, *fresh)) if fresh else self

    def presented(self, attack: Attack, inventory: Inventory) -> Iterator[tuple[Certificate, ...]]:
        """Give the chains an attacker can present with what an attack gives them.

        Every certificate that exists for the key, as it was sent and with every other known certificate sent along,
        since those are public.
        """
        exist = (c for c in (*inventory.chains.values(), *inventory.key_certificates.values()) if not c.planned)
        known = (*exist, *self.issued)
        padding = unique(
            certificate
            for source in (
                *(own for own in inventory.authorities.values()),
                *(chain.sent[1:] for chain in known),
                inventory.extra,
            )
            for certificate in source
        )
        for chain in known:
            if chain.leaf.matches(attack.key):
                yield chain.sent
                yield unique((*chain.sent, *padding))


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
    return world
