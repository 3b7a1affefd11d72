"""What each event and action does to a world: one function each, its id in `PLAYED`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from rotator.errors import Problem, UsageError
from rotator.model.names import canonical
from rotator.model.pki import Certificate, Chain, may_have_issued, unknown_key
from rotator.model.verdicts import Reason
from rotator.model.when import DAY, parse_instant, plus, show, start_of
from rotator.simulate.grammar import Occurrence
from rotator.simulate.inventory import Inventory
from rotator.simulate.pinsets import KeyIdentity, identity_of, key_identity
from rotator.simulate.world import Attack, Offer, World

Play = Callable[[World, Occurrence, Inventory], World]


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
    attack = Attack(kind=Reason.KEY_STOLEN, key=facts.pin, subject=name, certified=certified)
    world = replace(world, attacks=(*world.attacks, attack))
    if next(world.presented(attack, inventory), None) is None:
        return world.noting(
            f"needs-certificate: no certificate for {name} exists yet, so no client that checks one accepts it so far; "
            f"key-compromise:{name}?certified=yes plays that a CA issues one"
        )
    return world


def _certified(world: World, inventory: Inventory, name: str, identity: KeyIdentity) -> list[Chain]:
    """Make the chains an attacker gets certified: one under each issuer of today, for the hosts that pin the key."""
    chains = []
    for host in _hosts_pinning(inventory, name):
        for offer in world.served.get(host, ()):
            leaf = _reissued(offer.chain.leaf, identity, name, world.at, inventory, host, "certification")
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


def _reissued(
    old: Certificate,
    identity: KeyIdentity,
    subject: str,
    at: datetime,
    inventory: Inventory,
    host: str,
    purpose: str,
) -> Certificate:
    """Make the certificate the same issuer would give for a key: same names, same lifetime, from now on."""
    what = f"{purpose} of {subject} for {host} in place of {old.sha256.hex()}"
    names = dict.fromkeys((*old.dns_names, *inventory.policy.host_names(host)))
    return replace(
        old,
        **identity,
        sha256=unknown_key(f"certificate {what} at {show(at)}"),
        subject=subject,
        sha1=b"",
        md5=b"",
        sha512=b"",
        not_before=at,
        not_after=plus(at, old.not_after - old.not_before),
        dns_names=tuple(names),
        has_names=True,
        serial=0,
        planned=True,
    )


def key_loss(world: World, event: Occurrence, inventory: Inventory) -> World:
    """The key can no longer be served: what still serves it is down until something else is served."""
    return replace(world, lost=world.lost | {inventory.keys[event.parts[0]].pin})


def serve(world: World, event: Occurrence, inventory: Inventory) -> World:
    """The host serves a chain, or a key, from then on, in all its places.

    A key is served with the chain the policy has for it; where there is none today's issuer is assumed.
    """
    host = host_label(inventory, event.parts[0])
    chain, note = chain_to_serve(world, inventory, host, event.parts[1])
    places = dict.fromkeys(offer.place for offer in world.served[host]) or {"": None}
    world = world.with_offers(host, tuple(Offer(place=place, chain=chain) for place in places))
    return world.noting(note)


def ca_change(world: World, event: Occurrence, inventory: Inventory) -> World:
    """The host serves another chain from then on."""
    return serve(world, event, inventory)


def renew(world: World, event: Occurrence, inventory: Inventory) -> World:
    """Every place of the host gets a new certificate from the same issuer, with the same key or a new one.

    Without a variant the policy's `renew_key` says which; where it says nothing a new key, the worse, is taken.
    """
    host = host_label(inventory, event.parts[0])
    variant = event.parts[1] or f"{inventory.policy.hosts[host].renew_key or 'new'}-key"
    offers = []
    for offer in world.served[host]:
        old = offer.chain.leaf
        identity = identity_of(old)
        if variant == "new-key":
            fresh = key_identity(None, f"renewal of {offer.chain.name} at {show(world.at)}")
            identity = KeyIdentity(**{**fresh, "key_type": old.key_type})
        subject = "a new key" if variant == "new-key" else inventory.name_of(old)
        leaf = _reissued(old, identity, subject, world.at, inventory, host, f"renewal {variant}")
        chain = Chain(name=f"{offer.chain.name} renewed", sent=(leaf, *offer.chain.sent[1:]), planned=True)
        offers.append(Offer(place=offer.place, chain=chain))
    note = (
        ""
        if event.parts[1] or inventory.policy.hosts[host].renew_key
        else (f"renew_key of {host} is not stated: a renewal with a new key is assumed, the worse")
    )
    return world.with_offers(host, tuple(offers)).noting(note)


def revoke(world: World, event: Occurrence, inventory: Inventory) -> World:
    """The CA's revocation is out: clients that check it refuse the certificates, all others do not notice.

    Revoked is what was served when the CA announced it: a certificate issued since then is another one.
    """
    leaves = dict(world.announced).get(event) or _leaves(world, event.parts[0], inventory)
    return replace(world, revoked=world.revoked | leaves)


def announce(world: World, event: Occurrence, inventory: Inventory, at: datetime) -> World:
    """A CA says which certificates it is going to revoke; so far nothing changes."""
    return replace(world, at=at, announced=(*world.announced, (event, _leaves(world, event.parts[0], inventory))))


def _leaves(world: World, name: str, inventory: Inventory) -> frozenset[bytes]:
    """Give the certificates of a chain, or those that a host serves."""
    if name in inventory.chains:
        return frozenset({inventory.chains[name].leaf.sha256})
    return frozenset(offer.chain.leaf.sha256 for offer in world.served[host_label(inventory, name)])


def expire(world: World, event: Occurrence, inventory: Inventory) -> World:
    """A chain's leaf has ended and nobody renewed it; or the certificates of a CA key have, all or by one issuer."""
    name, _, issuer = event.parts[0].partition("/")
    if name in inventory.chains:
        return replace(world, ended=world.ended | {inventory.chains[name].leaf.sha256})
    own = inventory.authorities[name]
    known = [c for chain in inventory.chains.values() for c in chain.sent if any(c.spki == o.spki for o in own)]
    if issuer:
        keys = {c.spki for c in inventory.authorities[issuer]}
        ended = {c.sha256 for c in (*own, *known) if c.signer in keys and not c.self_signed}
    else:
        anchors = [c for store in inventory.trust.values() for c in (*store.roots, *store.local_roots)]
        ended = {c.sha256 for c in (*own, *known, *anchors) if any(c.spki == o.spki for o in own)}
    return replace(world, ended=world.ended | ended)


def ca_distrust(world: World, event: Occurrence, inventory: Inventory) -> World:
    """The authority leaves the trust stores: for every certificate, or for those issued after a day."""
    after = event.option("issued-after")
    # What is issued on the day itself stays: the first instant that is gone is the day after's.
    since = plus(start_of(parse_instant(after).date()), DAY) if after else None
    gone = {(c.spki, since) for c in inventory.authorities[event.parts[0]]}
    return replace(world, distrusted=world.distrusted | gone)


def pins_expire(world: World, event: Occurrence, inventory: Inventory) -> World:  # noqa: ARG001
    """The pinset runs out; the rules were made with this end, so the world itself stays as it is."""
    return world


PLAYED: Mapping[tuple[str, bool], Play] = {
    ("key-compromise", False): key_compromise,
    ("key-loss", False): key_loss,
    ("renew", False): renew,
    ("ca-change", False): ca_change,
    ("revoke", False): revoke,
    ("expire", False): expire,
    ("ca-distrust", False): ca_distrust,
    ("pins-expire", False): pins_expire,
    ("serve", True): serve,
    ("revoke", True): revoke,
}
"""What is played, by id and whether it is an action."""


def play(world: World, event: Occurrence, inventory: Inventory, at: datetime) -> World:
    """Let one thing happen.

    Raises:
        UsageError: it is one that is not played.
    """
    function = PLAYED.get((event.id, event.action))
    if function is None:
        raise UsageError(
            Problem(
                f"{event.id} is kept in a policy but not played yet",
                value=event.text,
                expected=", ".join(sorted({name for name, _ in PLAYED})),
            )
        )
    return function(replace(world, at=at), event, inventory)


def host_label(inventory: Inventory, name: str) -> str:
    """Give the label of a host from its label or DNS name.

    Raises:
        UsageError: no host has this name.
    """
    label = inventory.policy.host_label(name) or inventory.policy.host_label(canonical(name))
    if label is None:
        raise UsageError(Problem("no host has this name", value=name))
    return label


def chain_to_serve(world: World, inventory: Inventory, host: str, name: str) -> tuple[Chain, str]:
    """Find or make the chain that serving a chain or a key means.

    Returns:
        The chain, and what was assumed to make it ("" when nothing was).
    """
    if name in inventory.chains:
        return _as_served(inventory.chains[name], world, inventory, host)
    facts = inventory.keys[name]
    wanted = [c for c in inventory.chains.values() if c.leaf.matches(facts.pin)]
    names = inventory.policy.host_names(host)
    own = inventory.key_certificates.get(name)
    exist = [c for c in wanted if not c.planned] + ([own] if own is not None else [])
    live = [c for c in exist if c.leaf.valid_at(world.at) and all(c.leaf.covers(n) for n in names)]
    if live:
        return _with_intermediates(live[0], world.served.get(host, ())), ""
    planned = [c for c in wanted if c.planned]
    if planned:
        return _as_served(planned[0], world, inventory, host)
    today = world.served.get(host) or ()
    if not today:
        raise UsageError(Problem(f"{host} serves nothing, so no issuer can be assumed", value=name))
    old = today[0].chain
    issuer = inventory.name_of(old.sent[1]) if len(old.sent) > 1 else old.leaf.issuer
    leaf = _reissued(old.leaf, key_identity(facts, name), name, world.at, inventory, host, "first certificate")
    note = f"assumed: {name} has no chain in the policy, so {host} is taken to get one from today's issuer, {issuer}"
    return Chain(name=f"{name} assumed", sent=(leaf, *old.sent[1:]), planned=True, assumed=note), note


def _with_intermediates(chain: Chain, today: tuple[Offer, ...]) -> Chain:
    """Complete a lone leaf with the intermediates that are sent today, where they are its issuers."""
    if len(chain.sent) > 1:
        return chain
    for offer in today:
        if len(offer.chain.sent) > 1 and may_have_issued(offer.chain.sent[1], chain.leaf):
            return replace(chain, sent=(chain.leaf, *offer.chain.sent[1:]))
    return chain


def _as_served(chain: Chain, world: World, inventory: Inventory, host: str) -> tuple[Chain, str]:
    """Give a chain as it is at the moment it is served: a planned one is issued by then, for the host's names."""
    if not chain.planned:
        return chain, ""
    plan = inventory.policy.chains.get(chain.name)
    leaf, note = chain.leaf, ""
    late = leaf.not_after < world.at and chain not in world.issued
    if leaf.not_before > world.at or late:
        life = leaf.not_after - leaf.not_before
        leaf = replace(leaf, not_before=world.at, not_after=plus(world.at, life))
        when = "later" if late else "earlier"
        note = f"assumed: {chain.name} is issued by {show(world.at)}, {when} than planned"
    if plan is not None and plan.names is None:
        names = dict.fromkeys((*leaf.dns_names, *inventory.policy.host_names(host)))
        leaf = replace(leaf, dns_names=tuple(names))
    return replace(chain, sent=(leaf, *chain.sent[1:])), note
