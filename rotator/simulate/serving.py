"""What hosts serve, and how it changes: chains that are served, renewals, other issuers, other key types."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from rotator.errors import Problem, UsageError
from rotator.model.names import canonical
from rotator.model.pki import Certificate, Chain, may_have_issued, planned_certificate, unknown_key
from rotator.model.when import plus, show
from rotator.simulate.grammar import Occurrence
from rotator.simulate.inventory import Inventory
from rotator.simulate.pinsets import KeyIdentity, identity_of, key_identity
from rotator.simulate.world import Offer, World


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
    """Every place of the host gets a new certificate, with the same key or a new one.

    Without a variant the policy's `renew_key` says which; where it says nothing a new key, the worse, is taken. The
    issuer is the same unless the host has an issuer pool: then any of the pool may sign, and nobody can know which.
    """
    host = host_label(inventory, event.parts[0])
    stated = inventory.policy.hosts[host].renew_key
    variant = event.parts[1] or f"{stated or 'new'}-key"
    offers: list[Offer] = []
    notes: list[str] = []
    for number, offer in enumerate(_one_of_each_choice(world.served[host])):
        members = issuers_at_renewal(inventory, host, offer.chain)
        for name, above, note in members:
            chain = renewed(world, inventory, host, offer.chain, variant, above)
            choice = f"{offer.place} {number}" if len(members) > 1 else ""
            offers.append(Offer(place=offer.place, chain=chain, choice=choice))
            notes += [note, f"{name} or another of the issuer pool of {host} signs the renewal" if choice else ""]
    if not event.parts[1] and stated is None:
        notes.append(f"renew_key of {host} is not stated: a renewal with a new key is assumed, the worse")
    if any(offer.choice for offer in offers):
        pool = ", ".join(inventory.policy.hosts[host].issuer_pool)
        notes = [note for note in notes if not note.endswith("signs the renewal")]
        notes.append(f"any of the issuer pool of {host} may sign the renewal: {pool}; the worst counts")
    return world.with_offers(host, tuple(offers)).noting(*notes)


def _one_of_each_choice(offers: tuple[Offer, ...]) -> list[Offer]:
    """Leave one of the chains of which one comes to be: what is renewed next is that one, whichever it was."""
    chosen = {offer.choice: offer for offer in reversed(offers) if offer.choice}
    return [offer for offer in offers if not offer.choice or chosen[offer.choice] is offer]


Above = tuple[Certificate, ...]
"""The certificates that are sent above a leaf; the first one's key signs it, the rest lead to a root."""


def issuers_at_renewal(inventory: Inventory, host: str, chain: Chain) -> list[tuple[str, Above | None, str]]:
    """Give who may sign the next certificate of a host.

    Returns:
        The name of each, what is sent above the leaf then (None for what is sent today), and what was assumed.
    """
    pool = inventory.policy.hosts[host].issuer_pool
    if not pool:
        return [("the same issuer", None, "")]
    return [(name, *above_of(inventory, name, chain)) for name in pool]


def above_of(inventory: Inventory, authority: str, today: Chain) -> tuple[Above | None, str]:
    """Give the certificates from an authority upwards as they would be sent, None where it is today's issuer.

    A root signs a leaf itself and is not sent. Of several certificates of an intermediate the one that leads where
    today's chain leads is taken. An intermediate that is known by its key alone is taken to stand under the key that
    signed today's intermediate.

    Returns:
        The certificates, and what was assumed.
    """
    own = inventory.authorities[authority]
    keys = {c.spki for c in own}
    if today.leaf.signer in keys:
        return None, ""
    known = [c for c in inventory.certificates_of(keys) if not c.self_signed]
    leads = {c.signer for c in today.sent} | {c.spki for c in today.sent}
    if not known:
        if own and not own[0].planned:
            return (own[0],), ""
        issuer = next((c.signer for c in today.sent[1:] if c.signer), today.leaf.signer)
        above = inventory.certificates_of({issuer}) if issuer is not None else ()
        if not above:
            return own[:1], ""
        made = planned_certificate(
            identity=f"authority {authority} under {above[0].sha256.hex()}",
            spki=own[0].spki,
            subject=authority,
            common_name=authority,
            issuer=above[0],
            ca=True,
        )
        return (made,), f"assumed: {authority} is signed by {inventory.name_of(above[0])}, as today's issuer is"
    path = [next((c for c in known if c.signer in leads), known[0])]
    while True:
        here = path[-1]
        higher = [c for c in inventory.certificates_of({here.signer or b""}) if may_have_issued(c, here)]
        fresh = [c for c in higher if c not in path and not c.self_signed]
        ends = any(c.self_signed for c in higher)
        sent_today = [c for c in fresh if c in today.sent]
        if sent_today or (fresh and not ends):
            path.append((sent_today or fresh)[0])
            continue
        return tuple(path), ""


def renewed(
    world: World, inventory: Inventory, host: str, old: Chain, variant: str, above: Above | None = None
) -> Chain:
    """Make the chain that a renewal gives.

    Args:
        world: the world it happens in.
        inventory: the policy with everything looked up.
        host: the host.
        old: the chain it replaces.
        variant: `same-key` or `new-key`.
        above: what is sent above the leaf; None for what is sent today.
    """
    identity, subject = identity_of(old.leaf), inventory.name_of(old.leaf)
    if variant == "new-key":
        fresh = key_identity(None, f"renewal of {old.name} at {show(world.at)}")
        identity, subject = KeyIdentity(**{**fresh, "key_type": old.leaf.key_type}), "a new key"
    issuer = above[0] if above else None
    leaf = reissued(old.leaf, identity, subject, world.at, inventory, host, f"renewal {variant}", issuer)
    sent = old.sent[1:] if above is None else tuple(c for c in above if not c.self_signed)
    name = old.name if above is None else f"{old.name} by {inventory.name_of(above[0])}"
    return Chain(name=f"{name.removesuffix(' renewed')} renewed", sent=(leaf, *sent), planned=True)


def intermediate_swap(world: World, event: Occurrence, inventory: Inventory) -> World:
    """The next renewal of the host comes from another intermediate.

    The key stays unless the policy says that renewals bring a new one, so that what is seen is what the other
    intermediate does.
    """
    host = host_label(inventory, event.parts[0])
    authority = event.parts[1]
    plan = inventory.policy.hosts[host]
    notes = []
    if plan.issuer_pool:
        share = plan.issuer_pool.get(authority)
        if share is None:
            notes.append(f"{authority} is not in the issuer pool of {host}")
        else:
            notes.append(f"{authority} signs a renewal of {host} with a probability of {share:.0%}; here it does")
    if plan.renew_key is None:
        notes.append(f"renew_key of {host} is not stated: the key is taken to stay, only the intermediate changes")
    offers = []
    for offer in world.served[host]:
        above, note = above_of(inventory, authority, offer.chain)
        notes.append(note)
        chain = renewed(world, inventory, host, offer.chain, f"{plan.renew_key or 'same'}-key", above)
        offers.append(Offer(place=offer.place, chain=chain))
    return world.with_offers(host, tuple(offers)).noting(*notes)


def algorithm_change(world: World, event: Occurrence, inventory: Inventory) -> World:
    """The leaf moves to another key type, from the same issuer: a key of ours that is ready, else a new one.

    Ready is an active key of that type that some pinset holds for this purpose; its pin is then in the clients.
    """
    host, kind = host_label(inventory, event.parts[0]), event.parts[1]
    policy = inventory.policy
    pinned = dict.fromkeys(key for pinset in policy.pinsets.values() for key in pinset.keys)
    ready = next((k for k in pinned if policy.keys[k].status == "active" and inventory.keys[k].key_type == kind), None)
    facts = inventory.keys[ready] if ready is not None else None
    subject = ready or f"a new {kind} key"
    offers = []
    for offer in world.served[host]:
        identity = key_identity(facts, f"{kind} key for {offer.chain.name} at {show(world.at)}")
        identity = KeyIdentity(**{**identity, "key_type": kind})
        leaf = reissued(offer.chain.leaf, identity, subject, world.at, inventory, host, f"{kind} certificate")
        chain = Chain(name=f"{offer.chain.name} as {kind}", sent=(leaf, *offer.chain.sent[1:]), planned=True)
        offers.append(Offer(place=offer.place, chain=chain))
    note = (
        f"{ready} is a {kind} key held ready: {host} is taken to serve it"
        if ready is not None
        else f"no active key of a pinset is known to be {kind}: {host} is taken to serve a new one, which nobody pins"
    )
    return world.with_offers(host, tuple(offers)).noting(note)


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
    leaf = reissued(old.leaf, key_identity(facts, name), name, world.at, inventory, host, "first certificate")
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


def reissued(
    old: Certificate,
    identity: KeyIdentity,
    subject: str,
    at: datetime,
    inventory: Inventory,
    host: str,
    purpose: str,
    issuer: Certificate | None = None,
) -> Certificate:
    """Make the certificate an issuer would give for a key: same names, same lifetime, from now on.

    Args:
        old: the certificate in whose place it comes.
        identity: the key.
        subject: the key's name.
        at: when.
        inventory: the policy with everything looked up.
        host: the host it is for.
        purpose: what it is for; with the rest it makes the certificate this one and no other.
        issuer: a certificate of the key that signs; None for the issuer of the old one.
    """
    what = f"{purpose} of {subject} for {host} in place of {old.sha256.hex()}"
    if issuer is not None and issuer.spki != old.signer:
        what += f", by {issuer.sha256.hex()}"
        old = replace(old, issuer=issuer.subject, issuer_id=issuer.subject_id, signer=issuer.spki)
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
