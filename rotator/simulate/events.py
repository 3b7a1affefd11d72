"""What each event and action does to a world: one function each, its id in `PLAYED`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from rotator.mechanisms.base import Channel
from rotator.model.when import DAY, parse_instant, plus, start_of
from rotator.simulate.attacking import ca_compromise, hostile_pins, key_compromise, local_root, mis_issue, strip
from rotator.simulate.demands import channel_of
from rotator.simulate.grammar import Occurrence, stores_of
from rotator.simulate.inventory import Inventory
from rotator.simulate.populations import FLOOR_REACH
from rotator.simulate.serving import algorithm_change, ca_change, host_label, intermediate_swap, renew, serve
from rotator.simulate.world import Published, World

Play = Callable[[World, Occurrence, Inventory], World]


def key_loss(world: World, event: Occurrence, inventory: Inventory) -> World:
    """The key can no longer be served: what still serves it is down until something else is served."""
    return replace(world, lost=world.lost | {inventory.keys[event.parts[0]].pin})


def destroy(world: World, event: Occurrence, inventory: Inventory) -> World:
    """We destroy our private key: nothing is served with it any more. A copy that was stolen is as good as before."""
    name = event.parts[0]
    pin = inventory.keys[name].pin
    serving = [host for host, offers in world.served.items() if any(o.chain.leaf.matches(pin) for o in offers)]
    note = f"{name} is destroyed while {', '.join(serving)} serves it" if serving else ""
    return replace(world, lost=world.lost | {pin}).noting(note)


def revoke(world: World, event: Occurrence, inventory: Inventory) -> World:
    """The CA's revocation is out: clients that check it refuse the certificates, all others do not notice.

    Revoked is what was served when the CA announced it: a certificate issued since then is another one.
    """
    leaves = dict(world.announced).get(event) or _leaves(world, event.parts[0], inventory)
    return replace(world, revoked=world.revoked | leaves)


def announce(world: World, event: Occurrence, inventory: Inventory, at: datetime) -> World:
    """Say that something will have happened later.

    A CA says which certificates it is going to revoke: so far nothing changes. Live pins go out: some clients have
    them at once.
    """
    world = world.moved_to(at)
    if event.id == "publish":
        return _publish(world, event, inventory, done=False)
    return replace(world, announced=(*world.announced, (event, _leaves(world, event.parts[0], inventory))))


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
    keys = {c.spki for c in own}
    known = (*inventory.certificates_of(keys), *(c for chain in inventory.chains.values() for c in chain.sent))
    ended = {c.sha256 for c in known if c.spki in keys}
    if issuer:
        signers = {c.spki for c in inventory.authorities[issuer]}
        ended = {c.sha256 for c in known if c.spki in keys and c.signer in signers and not c.self_signed}
    return replace(world, ended=world.ended | ended)


def ca_distrust(world: World, event: Occurrence, inventory: Inventory) -> World:
    """The authority leaves all trust stores or some: for every certificate, or for those issued after a day."""
    after = event.option("issued-after")
    # What is issued on the day itself stays: the first instant that is gone is the day after's.
    since = plus(start_of(parse_instant(after).date()), DAY) if after else None
    gone = {(c.spki, since) for c in inventory.authorities[event.parts[0]]}
    stores = stores_of(event)
    if stores:
        by = {(store, *own) for store in stores for own in gone}
        return replace(world, distrusted_by=world.distrusted_by | by)
    return replace(world, distrusted=world.distrusted | gone)


def pins_expire(world: World, event: Occurrence, inventory: Inventory) -> World:  # noqa: ARG001
    """The pinset runs out; the rules were made with this end, so the world itself stays as it is."""
    return world


def wrong_pin(world: World, event: Occurrence, inventory: Inventory) -> World:
    """The pinset went out with pins that match nothing: whoever carries it is broken where it is enforced."""
    name = event.parts[0]
    files = sorted(
        {
            item.source
            for (app, _), enforced in inventory.enforced.items()
            if name in inventory.policy.apps[app].pinset.values()
            for item in enforced
            if item.from_file
        }
    )
    note = f"clients that shipped with a file of their own are judged by it, not by {name}" if files else ""
    return replace(world, wrong=world.wrong | {name}).noting(note)


def ship(world: World, event: Occurrence, inventory: Inventory) -> World:  # noqa: ARG001 - as all events
    """A release goes out with a pinset; the fleet was made with it, and nobody runs it as long as nobody updates."""
    app, version, pinset = event.parts
    return world.noting(f"assumed: nobody runs {app} {version} yet, which ships {pinset}")


def publish(world: World, event: Occurrence, inventory: Inventory) -> World:
    """Live pins are published: clients that fetch their pins have these once they have refreshed."""
    return _publish(world, event, inventory, done=True)


def _publish(world: World, event: Occurrence, inventory: Inventory, *, done: bool) -> World:
    app, pinset = event.parts
    since = event.at or world.at
    fresh = Published(app=app, pinset=pinset, since=since, done=done)
    known = [p for p in world.published if (p.app, p.pinset, p.since) != (app, pinset, since)]
    place = next((n for n, p in enumerate(world.published) if p not in known), len(known))
    takers = [
        item
        for (name, _), enforced in (*inventory.enforced.items(), *inventory.beside.items())
        if name == app
        for item in enforced
        if channel_of(inventory, item) is Channel.LIVE
    ]
    note = "" if takers else f"no release of {app} takes live pins, so publishing {pinset} changes nothing"
    return replace(world, published=(*known[:place], fresh, *known[place:])).noting(note)


def floor(world: World, event: Occurrence, inventory: Inventory) -> World:
    """Clients below a version are made to update: some do, a hard floor locks the others out, a soft one does not.

    How many do is for the forecast (`rotator.simulate.populations`) to say; where clients stand still, nobody does.
    """
    app, version = event.parts
    still = inventory.policy.apps[app].adoption is None
    reach = event.option("reach") or f"{FLOOR_REACH:g}"
    note = (
        f"a client of {app} below {version} is cut off until it updates, and nobody updates here"
        if still
        else f"the floor of {app} at {version} moves {reach} of those below it who can update"
    )
    if event.option("mode") == "soft":
        return world if still else world.noting(f"assumed: {note}")
    return replace(world, floors=(*world.floors, (app, version))).noting(f"assumed: {note}")


PLAYED: Mapping[tuple[str, bool], Play] = {
    ("key-compromise", False): key_compromise,
    ("key-loss", False): key_loss,
    ("renew", False): renew,
    ("ca-change", False): ca_change,
    ("intermediate-swap", False): intermediate_swap,
    ("ca-compromise", False): ca_compromise,
    ("ca-distrust", False): ca_distrust,
    ("revoke", False): revoke,
    ("expire", False): expire,
    ("mis-issue", False): mis_issue,
    ("hostile-pins", False): hostile_pins,
    ("strip", False): strip,
    ("local-root", False): local_root,
    ("pins-expire", False): pins_expire,
    ("wrong-pin", False): wrong_pin,
    ("algorithm-change", False): algorithm_change,
    ("serve", True): serve,
    ("ship", True): ship,
    ("publish", True): publish,
    ("floor", True): floor,
    ("revoke", True): revoke,
    ("destroy", True): destroy,
}
"""What is played, by id and whether it is an action: everything that the grammar knows."""


def play(world: World, event: Occurrence, inventory: Inventory, at: datetime) -> World:
    """Let one thing happen.

    Raises:
        UsageError: it cannot be played on this policy.
    """
    return PLAYED[event.id, event.action](world.moved_to(at), event, inventory)
