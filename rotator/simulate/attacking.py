"""What an attacker comes to hold: keys, CAs, certificates, pins, roots on devices, the wire without TLS."""

from __future__ import annotations

from dataclasses import replace

from rotator.mechanisms.base import Channel
from rotator.model.pins import spki_pin
from rotator.model.pki import Certificate, Chain, planned_certificate, unknown_key
from rotator.model.verdicts import Reason
from rotator.simulate.attacks import ANYWHERE, Attack, end_under, public_end
from rotator.simulate.demands import channel_of
from rotator.simulate.grammar import Occurrence
from rotator.simulate.inventory import Inventory
from rotator.simulate.pinsets import KeyIdentity, key_identity
from rotator.simulate.serving import host_label, reissued
from rotator.simulate.world import LocalRoot, World


def key_compromise(world: World, event: Occurrence, inventory: Inventory) -> World:
    """An attacker holds the private key and can present every live certificate for it.

    Swapping the server's key does not end this: only clients without the pin, or the end of the certificates as
    each client checks it. A key without any certificate exposes nobody until a CA certifies it, except clients that
    check nothing but the pin.
    """
    name = event.parts[0]
    facts = inventory.keys[name]
    certified = event.option("certified") == "yes"
    if certified:
        chains = _certified(world, inventory, name, key_identity(facts, name))
        world = replace(world, issued=(*world.issued, *chains))
    attack = Attack(kind=Reason.KEY_STOLEN, key=facts.pin, subject=name, since=world.at, certified=certified)
    return world.attacked(attack)


def _certified(world: World, inventory: Inventory, name: str, identity: KeyIdentity) -> list[Chain]:
    """Make the chains an attacker gets certified: one under each issuer of today, for the hosts that pin the key."""
    chains = []
    for host in _hosts_pinning(inventory, name):
        for offer in world.served.get(host, ()):
            leaf = reissued(offer.chain.leaf, identity, name, world.at, inventory, host, "certification")
            chains.append(Chain(name=f"{name} certified", sent=(leaf, *offer.chain.sent[1:]), planned=True))
    return chains


def _hosts_pinning(inventory: Inventory, name: str) -> list[str]:
    """Give the hosts on which some client pins a key: those it could be served on; all of ours where none does."""
    policy, pin = inventory.policy, inventory.keys[name].pin
    found: set[str] = set()
    for table in (inventory.enforced, inventory.beside):
        for (app, _), enforced in table.items():
            covers = [e.covers for item in enforced for e in item.config.entries if pin in e.pins]
            found |= {
                host
                for host in policy.hosts_of(app)
                for own in covers
                if not own or any(cover.matches(n) for cover in own for n in policy.host_names(host))
            }
    return [h for h, host in policy.hosts.items() if h in found or (not found and host.control == "ours")]


def ca_compromise(world: World, event: Occurrence, inventory: Inventory) -> World:
    """An attacker holds the key of an authority: it signs for every name, dated as it likes, even the CA's own key."""
    name = event.parts[0]
    keys = {c.spki for c in inventory.authorities[name]}
    issuers, nowhere = _signing(inventory, name, keys)
    attack = Attack(
        kind=Reason.CA_COMPROMISED,
        subject=name,
        since=world.at,
        key=spki_pin(issuers[0].spki) if issuers else None,
        issuers=issuers,
        unpinned_ca=nowhere,
        backdated=True,
    )
    return world.attacked(attack).noting(_taken(name) if nowhere else "")


def _signing(inventory: Inventory, name: str, keys: set[bytes]) -> tuple[tuple[Certificate, ...], bool]:
    """Give the certificates an authority signs with, and whether it is known by its key alone.

    One that nothing says the place of is taken to stand under a root that clients trust: that is the worse.
    """
    issuers = inventory.certificates_of(keys)
    stores = inventory.trust.values()
    placed = [
        c for c in issuers if not (c.planned and c.self_signed) or any(s.anchor_for(c) is not None for s in stores)
    ]
    if placed or not issuers:
        return issuers, False
    under = planned_certificate(
        identity=f"{name} under a public root",
        spki=issuers[0].spki,
        subject=issuers[0].subject,
        subject_id=issuers[0].subject_id,
        common_name=issuers[0].common_name,
        issuer=ANYWHERE,
        ca=True,
    )
    return (*issuers, under), True


def _taken(name: str) -> str:
    return f"assumed: nothing says who signed {name}, so it is taken to stand under a root that clients trust"


def mis_issue(world: World, event: Occurrence, inventory: Inventory) -> World:
    """A CA issues a certificate for the names of a host to an attacker; without an authority one that nobody pins.

    The certificate lives as long as the CA may make it: under public roots no longer than the rules of that day allow.
    """
    host, authority = host_label(inventory, event.parts[0]), event.parts[1]
    if not authority:
        attack = Attack(
            kind=Reason.CA_MISISSUES,
            subject="a public CA that nobody pins",
            since=world.at,
            until=public_end(world.at),
            unpinned_ca=True,
            hosts=(host,),
        )
        return world.attacked(attack)
    issuers, nowhere = _signing(inventory, authority, {c.spki for c in inventory.authorities[authority]})
    attack = Attack(
        kind=Reason.CA_MISISSUES,
        subject=authority,
        since=world.at,
        until=end_under(inventory, issuers, world.at),
        issuers=issuers,
        unpinned_ca=nowhere,
        hosts=(host,),
    )
    return world.attacked(attack).noting(_taken(authority) if nowhere else "")


def hostile_pins(world: World, event: Occurrence, inventory: Inventory) -> World:
    """Whoever controls a host writes the pins that clients take from there, and has any public CA certify it.

    Pins that came with a release stay as they are. Pins from a header are replaced where the client accepts the
    attacker's chain once; live pins and records in the DNS are replaced wherever their channel reaches.
    """
    host = host_label(inventory, event.parts[0])
    attack = Attack(
        kind=Reason.HOSTILE_PINS, subject=host, since=world.at, any_ca=True, unpinned_ca=True, hosts=(host,)
    )
    world = replace(world.attacked(attack), hostile=(*world.hostile, (host, world.at)))
    if _header_is_taken(inventory, host):
        return world.noting(
            f"a client that takes a hostile header for {host} keeps it for as long as the header says: here, for good"
        )
    return world


def _header_is_taken(inventory: Inventory, host: str) -> bool:
    """Say whether some client of a host takes pins from its headers."""
    return any(
        channel_of(inventory, item) is Channel.HEADER
        for (app, _), enforced in (*inventory.enforced.items(), *inventory.beside.items())
        if host in inventory.policy.hosts_of(app)
        for item in enforced
    )


def strip(world: World, event: Occurrence, inventory: Inventory) -> World:
    """TLS is stripped: only clients that take a connection without it are exposed; pins do nothing about it."""
    host = host_label(inventory, event.parts[0])
    attack = Attack(
        kind=Reason.CLEARTEXT_ALLOWED, subject=f"whoever strips TLS of {host}", since=world.at, hosts=(host,)
    )
    return world.attacked(attack)


def local_root(world: World, event: Occurrence, inventory: Inventory) -> World:  # noqa: ARG001 - as all events
    """A user or an enterprise installs a root; whoever holds it can sign for every name.

    With `intercepts=yes` a proxy re-signs everything under it, so that this is what clients see of our servers.
    """
    app, _, rest = event.parts[0].partition("/")
    version, _, trust = rest.partition("/")
    cohort = (app, version, trust)
    subject = f"a local root of {event.parts[0]}"
    root = planned_certificate(identity=subject, spki=unknown_key(subject), subject=subject, issuer=None, ca=True)
    attack = Attack(
        kind=Reason.LOCAL_ROOT_BYPASS,
        subject=subject,
        since=world.at,
        issuers=(root,),
        backdated=True,
        key=spki_pin(root.spki),
        cohort=cohort,
    )
    installed = LocalRoot(cohort=cohort, root=root, intercepts=event.option("intercepts") == "yes")
    return replace(world.attacked(attack), local_roots=(*world.local_roots, installed))
