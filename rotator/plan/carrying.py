"""How pins reach the clients of an app: by a release, a channel of their own, the server's headers, or the DNS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rotator.mechanisms.base import Channel, Context
from rotator.model.policy import Pinset
from rotator.model.when import plus
from rotator.plan.draft import Pins, changed, is_for, newest_of
from rotator.plan.timing import dns_wait
from rotator.simulate.demands import channel_of
from rotator.simulate.grammar import Occurrence
from rotator.simulate.inventory import Enforced, Inventory
from rotator.simulate.rotation import next_name

HEADER_DAYS = 60.0
"""How long a header with pins is kept where nobody says: the most that RFC 7469 (4.1) has browsers keep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Pins that reach clients without a release.

    Attributes:
        app: whose.
        name: what the new set of pins is called.
        channel: the way they go.
        at: when they are published.
        wait: the days until no client that is reached holds the old ones.
        offline: the share of clients that they never reach.
        pins: what the pins become.
    """

    app: str
    name: str
    channel: Channel
    at: datetime
    wait: float
    offline: float
    pins: Pins = field(hash=False)

    @property
    def done(self) -> datetime:
        """Give the instant from which every client that is reached has the new pins."""
        return plus(self.at, timedelta(days=self.wait))

    @property
    def action(self) -> Occurrence:
        """Write it as the action that publishes."""
        return Occurrence(id="publish", parts=(self.app, self.name), at=self.at, action=True)


def pinning(inventory: Inventory, app: str, names: Sequence[str]) -> list[Enforced]:
    """Give what the newest release of an app enforces with pins on any of some names."""
    own = inventory.policy.apps[app]
    newest = newest_of(own)
    index = next((i for i, release in enumerate(own.releases) if release is newest), -1)
    items = inventory.enforced.get((app, index), ())
    return [item for item in items if any(is_for(entry, names) for entry in item.config.entries)]


def obstacles(inventory: Inventory, app: str, pins: Pins, context: Context) -> Iterator[str]:
    """Say why the clients of an app cannot be given some pins; nothing where they can."""
    for item in pinning(inventory, app, pins.every_name):
        problem = changed(inventory.mechanisms[item.mechanism], item, pins, context)[1]
        if problem:
            yield problem


def by_release(inventory: Inventory, app: str, names: Sequence[str]) -> bool:
    """Say whether a release brings the pins of an app, or some of them."""
    channels = {channel_of(inventory, item) for item in pinning(inventory, app, names)}
    return Channel.RELEASE in channels


def publications(inventory: Inventory, app: str, pins: Pins, at: datetime) -> Iterator[Publication]:
    """Give what has to be published for an app, beside any release: one for all ways, as slow as the slowest."""
    items = list(pinning(inventory, app, pins.every_name))
    ways = [(channel_of(inventory, item), item) for item in items]
    ways = [(channel, item) for channel, item in ways if channel is not Channel.RELEASE]
    if not ways:
        return
    waits = [(_wait(inventory, app, channel, item, pins.every_name), channel) for channel, item in ways]
    wait, channel = max(waits, key=lambda pair: pair[0])
    sets = [inventory.policy.pinsets[item.source] for _, item in ways if item.source in inventory.policy.pinsets]
    source = next((item.source for _, item in ways if item.source in inventory.policy.pinsets), app)
    yield Publication(
        app=app,
        name=next_name(source, inventory.policy.pinsets),
        channel=channel,
        at=at,
        wait=wait,
        offline=max((pinset.offline_share for pinset in sets if pinset.delivery == "live"), default=0.0),
        pins=pins,
    )


def _wait(inventory: Inventory, app: str, channel: Channel, item: Enforced, names: Sequence[str]) -> float:
    """Give the days until no client that is reached holds what was published before."""
    pinset = inventory.policy.pinsets.get(item.source)
    kept = [e.lifetime_seconds for e in item.config.entries if is_for(e, names) and e.lifetime_seconds is not None]
    if channel is Channel.LIVE:
        return (pinset.refresh_days or 0.0) if pinset is not None else 0.0
    if channel is Channel.HEADER:
        own = pinset.max_age_days if pinset is not None else None
        return max((seconds / 86_400 for seconds in kept), default=HEADER_DAYS if own is None else own)
    hosts = (inventory.policy.hosts[label] for label in inventory.policy.hosts_of(app))
    kept += [host.dane.ttl_seconds for host in hosts if host.dane is not None]
    return dns_wait(max(kept, default=3600))


def as_published(inventory: Inventory) -> Inventory:
    """Give the inventory in which clients have what was published last, to publish something more on top."""
    enforced = dict(inventory.enforced)
    for own, name in sorted(inventory.everywhere):
        for (index, beside), items in inventory.published[own, name].items():
            if beside < 0:
                enforced[own, index] = items
    return replace(inventory, enforced=enforced)


def with_publications(inventory: Inventory, made: Iterable[Publication], before: Inventory | None = None) -> Inventory:
    """Give the inventory in which pins can be published: what each release would enforce with them.

    Args:
        inventory: the inventory.
        made: what is published.
        before: what clients have then; None for the inventory as it is.
    """
    base = before or inventory
    published = dict(inventory.published)
    pinsets = dict(inventory.policy.pinsets)
    for own in made:
        pinsets[own.name] = Pinset(delivery="live", refresh_days=own.wait, offline_share=own.offline)
        tables = {(index, -1): items for (app, index), items in base.enforced.items() if app == own.app}
        besides = {index: items for (app, index), items in inventory.beside.items() if app == own.app}
        tables |= {(index, number): items for index, _ in tuple(tables) for number, items in besides.items()}
        published[own.app, own.name] = {
            key: tuple(_published(inventory, item, own.pins) for item in items) for key, items in tables.items()
        }
    if len(published) == len(inventory.published):
        return inventory
    everywhere = inventory.everywhere | (published.keys() - inventory.published.keys())
    policy = replace(inventory.policy, pinsets=pinsets)
    return replace(inventory, policy=policy, published=published, everywhere=everywhere)


def with_published(inventory: Inventory, made: Iterable[Publication]) -> Inventory:
    """Give the inventory in which pins are published one after the other, each on top of those before."""
    for own in made:
        inventory = with_room(with_publications(inventory, [own], as_published(inventory)))
    return inventory


def with_room(inventory: Inventory) -> Inventory:
    """Give the inventory in which releases that came after something was published have what they shipped with."""
    published = {key: dict(tables) for key, tables in inventory.published.items()}
    for key in inventory.everywhere:
        for (app, index), items in inventory.enforced.items():
            if app == key[0]:
                published[key].setdefault((index, -1), items)
        for (app, number), items in inventory.beside.items():
            for index, _ in tuple(published[key]) if app == key[0] else ():
                published[key].setdefault((index, number), items)
    return replace(inventory, published=published)


def _published(inventory: Inventory, item: Enforced, pins: Pins) -> Enforced:
    config = changed(inventory.mechanisms[item.mechanism], item, pins)[0]
    return item if config == item.config else replace(item, config=config)
