"""The policy as it will be: releases that are planned, each made from one that is there with some pins changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from rotator.mechanisms.base import Context, Entry, Mechanism, PinConfig, PinList, PinsetSpec
from rotator.model.names import Cover
from rotator.model.pins import Pin, PinKind, spki_pin
from rotator.model.pki import Certificate, Chain
from rotator.model.policy import App, Count, Policy, Release
from rotator.model.rules import Mode, Scope
from rotator.model.versions import order as version_order
from rotator.simulate.cohorts import NO_VERSION
from rotator.simulate.inventory import Enforced, Inventory, KeyFacts

ANY_SYSTEM = "1"
"""A system that every device has: older than all that anybody uses."""
CUTOVER = "coordinated-cutover-only"
"""What a client is that cannot carry the old and the new pin at once: it and the servers change together."""
PLANNING = Context(subject="plan", today=date.min)
"""What a mechanism knows of outside when nothing better is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """What the pins of a release become, for the names of some hosts.

    Attributes:
        names: the DNS names.
        key: the key that is added; None for none.
        chain: the chain it is served with, whose authorities are added where a list of authorities must match.
        spare: another key that is added, to be held ready; None for none.
        drop: pins that are taken out.
        only: the pins that stand in the place of all others; None to keep those there are.
        also: what they become for the names of other hosts, by the same release.
    """

    names: tuple[str, ...]
    key: KeyFacts | None = None
    chain: Chain | None = None
    spare: KeyFacts | None = None
    drop: frozenset[Pin] = frozenset()
    only: PinsetSpec | None = field(default=None, hash=False)
    also: tuple[Pins, ...] = ()

    @property
    def every(self) -> tuple[Pins, ...]:
        """Give what the pins become, host by host."""
        return (self, *self.also)

    @property
    def every_name(self) -> tuple[str, ...]:
        """Give the DNS names of all hosts whose pins change."""
        return tuple(dict.fromkeys(name for own in self.every for name in own.names))

    @property
    def drops(self) -> bool:
        """Say whether any pins are taken out."""
        return any(own.drop for own in self.every)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A release that is planned.

    Attributes:
        app: whose.
        version: its version.
        base: the version it is made from.
        pins: what its pins become.
        min_os: the oldest system it runs on, where that differs from its base's; "" for any.
        at: when it reaches the first clients.
    """

    app: str
    version: str
    base: str
    pins: Pins
    at: datetime
    min_os: str | None = None


def with_carriers(inventory: Inventory, carriers: Iterable[Carrier]) -> Inventory:
    """Give the inventory with planned releases; nobody runs them yet.

    One that the policy names for a day to come is changed in its place, and keeps what it says of systems.
    """
    for carrier in carriers:
        inventory = _with_carrier(inventory, carrier)
    return inventory


def _with_carrier(inventory: Inventory, carrier: Carrier) -> Inventory:
    policy = with_releases(inventory.policy, carrier.app)
    enforced = dict(inventory.enforced)
    if not inventory.policy.apps[carrier.app].releases:
        enforced[carrier.app, 0] = enforced.get((carrier.app, -1), ())
    app = policy.apps[carrier.app]
    base = next(i for i, r in enumerate(app.releases) if carrier.base in (r.version, *r.also))
    there = next((i for i, r in enumerate(app.releases) if r.version == carrier.version), None)
    release = replace(
        app.releases[base] if there is None else app.releases[there],
        version=carrier.version,
        released=carrier.at.date(),
        clients=Count(low=0, high=0),
    )
    if there is None:
        release = replace(release, also=(), builds=())
    if carrier.min_os is not None:
        release = replace(release, min_os=carrier.min_os or ANY_SYSTEM)
    index = len(app.releases) if there is None else there
    releases = (*app.releases[:index], release, *app.releases[index + 1 :])
    enforced[carrier.app, index] = tuple(
        replace(item, config=changed(inventory.mechanisms[item.mechanism], item, carrier.pins)[0], from_file=False)
        if item.mechanism in inventory.mechanisms
        else item
        for item in enforced.get((carrier.app, base if there is None else there), ())
    )
    changed_app = replace(app, releases=releases)
    return replace(inventory, policy=replace(policy, apps={**policy.apps, carrier.app: changed_app}), enforced=enforced)


def with_releases(policy: Policy, name: str) -> Policy:
    """Give the policy in which an app has releases: one that names none is its only one."""
    app = policy.apps[name]
    if app.releases:
        return policy
    only = Release(version=NO_VERSION, also=("",), clients=app.clients)
    return replace(policy, apps={**policy.apps, name: replace(app, releases=(only,), clients=None)})


def changed(mechanism: Mechanism, item: Enforced, pins: Pins, context: Context = PLANNING) -> tuple[PinConfig, str]:
    """Give a configuration with the pins of the entries for some names changed, and why its client cannot take it.

    Args:
        mechanism: the client technology.
        item: what is enforced today.
        pins: what the pins become.
        context: what the mechanism needs to say whether it refuses.

    Returns:
        The configuration, and "" or why it must never be shipped: clients that hold one value, that compare
        certificates which do not exist yet, that cannot say such pins, or that refuse what comes out.
    """
    entries, problem = item.config.entries, ""
    for own in pins.every:
        entries, why = _entries(mechanism, entries, own)
        problem = problem or why
    config = replace(item.config, entries=entries)
    room = mechanism.most_pins
    if not problem and room is not None and any(len(set(entry.pins)) > room for entry in config.pinned):
        problem = f"{CUTOVER}: {mechanism.id} holds {_values(room)}, so no release carries the old and the new one"
    fewest = mechanism.fewest_pins
    if not problem and any(e.mode is Mode.ENFORCE and len(set(e.pins)) < fewest for e in config.pinned):
        problem = f"config-rejected: {mechanism.id} refuses fewer than {fewest} pins"
    if not problem:
        refused = mechanism.refuse(config, context)
        problem = f"config-rejected: {mechanism.id} refuses it: {refused}" if refused else ""
    if not problem and config.rejected:
        problem = f"config-rejected: {mechanism.id} refuses the file this release is made from: {config.rejected}"
    return config, problem


def _entries(mechanism: Mechanism, entries: Iterable[Entry], pins: Pins) -> tuple[tuple[Entry, ...], str]:
    """Give entries with the pins of those for the names of some hosts changed, and why one cannot be."""
    found: list[Entry] = []
    problem = ""
    for entry in entries:
        if not is_for(entry, pins.names):
            found.append(entry)
            continue
        fresh, why = _only(mechanism, entry, pins) if pins.only is not None else _more(mechanism, entry, pins)
        problem = problem or why
        found += [new for new in fresh if new not in found]
    return tuple(found), problem


def _values(room: int) -> str:
    return "one value" if room == 1 else f"{room} values"


def is_for(entry: Entry, names: Sequence[str]) -> bool:
    """Say whether an entry pins any of some names."""
    return bool(entry.lists) and (not entry.covers or any(c.matches(name) for c in entry.covers for name in names))


def _only(mechanism: Mechanism, entry: Entry, pins: Pins) -> tuple[list[Entry], str]:
    """Give an entry with other pins, in the lists that its client keeps them in."""
    assert pins.only is not None  # noqa: S101 - asked by the caller
    spec = pins.only
    if not (spec.keys or spec.authorities or spec.certificates):
        return [replace(entry, lists=())], ""
    covers = entry.covers or tuple(Cover(name) for name in pins.names)
    made = mechanism.from_pinset(replace(spec, covers=covers, expires=entry.expires, mode=entry.mode)).pinned
    said = {pin for new in made for pin in new.pins}
    if not said:
        return [entry], f"unsayable: {mechanism.id} cannot say such pins"
    if mechanism.most_pins is not None and len(spec.keys) + len(spec.authorities) > len(said):
        room = _values(mechanism.most_pins)
        return [entry], f"{CUTOVER}: {mechanism.id} holds {room}, so no release carries the old and the new one"
    return [replace(entry, lists=new.lists, usage=new.usage) for new in made], ""


def _more(mechanism: Mechanism, entry: Entry, pins: Pins) -> tuple[list[Entry], str]:
    """Give an entry with a pin more, and without those that are dropped."""
    fresh = replace(entry, lists=tuple(_list(own, pins) for own in entry.lists))
    if pins.key is not None and set(fresh.pins) <= set(entry.pins):
        kinds = {pin.kind for pin in entry.pins}
        there = {pin for kind in kinds for pin in pins_of_key(pins.key, pins.chain, kind)}
        scopes = {own.scope for own in entry.lists}
        if kinds and all(kind.of_certificate for kind in kinds) and not there:
            return [fresh], (
                f"{CUTOVER}: {mechanism.id} compares whole certificates, and the next one does not exist yet: "
                "issue it first, then plan again"
            )
        if scopes != {Scope.CA} and not there & set(entry.pins):
            return [fresh], f"unsayable: the new key is not known in the form that {mechanism.id} compares"
    return [fresh], ""


def _list(own: PinList, pins: Pins) -> PinList:
    kept = tuple(pin for pin in own.pins if pin not in pins.drop)
    kinds = list(dict.fromkeys(pin.kind for pin in own.pins)) or [PinKind.SPKI_SHA256]
    added: list[Pin] = []
    if own.scope in (Scope.LEAF, Scope.ANY) and pins.key is not None:
        keys = [key for key in (pins.key, pins.spare) if key is not None]
        added += [pin for key in keys for kind in kinds for pin in pins_of_key(key, pins.chain, kind)]
    elif own.scope is Scope.CA and pins.chain is not None:
        above = [c.signer for c in pins.chain.sent if c.signer is not None]
        issuers = [spki_pin(spki) for spki in above[-1:]]
        added += [pin for pin in issuers if not {spki_pin(s) for s in above} & set(kept)]
    return replace(own, pins=(*kept, *(pin for pin in dict.fromkeys(added) if pin not in kept)))


def pins_of_key(key: KeyFacts, chain: Chain | None, kind: PinKind) -> list[Pin]:
    """Give the pins on a key of a kind; none where the kind is of certificates and no certificate exists yet."""
    if kind.of_certificate:
        leaf = chain.leaf if chain is not None and not chain.planned and chain.leaf.matches(key.pin) else None
        return [Pin(kind, digest_of(leaf, kind))] if leaf is not None and digest_of(leaf, kind) else []
    digest = {
        PinKind.SPKI_SHA256: key.pin.digest if key.pin.kind is PinKind.SPKI_SHA256 else b"",
        PinKind.SPKI_SHA1: key.spki_sha1,
        PinKind.SPKI_SHA512: key.spki_sha512,
        PinKind.RAW: key.raw,
    }[kind]
    return [Pin(kind, digest)] if digest else []


def digest_of(leaf: Certificate, kind: PinKind) -> bytes:
    """Give the digest of a whole certificate that pins of a kind hold; empty where it is not known."""
    return {
        PinKind.CERT_SHA256: leaf.sha256,
        PinKind.CERT_SHA1: leaf.sha1,
        PinKind.CERT_MD5: leaf.md5,
        PinKind.CERT_SHA512: leaf.sha512,
    }.get(kind, b"")


def newest_of(app: App) -> Release | None:
    """Give the newest release of an app, those to come among them."""
    return max(app.releases, key=lambda release: version_order(release.version), default=None)


def next_version(app: App, taken: Iterable[str] = ()) -> str:
    """Give a version for the release after the newest: its second number goes up."""
    newest = newest_of(app)
    parts = (newest.version if newest is not None and newest.version != NO_VERSION else "1.0").split(".")
    numbers = [i for i, part in enumerate(parts) if part.isdigit()]
    used = {*taken, *(version for release in app.releases for version in (release.version, *release.also))}
    place = numbers[min(1, len(numbers) - 1)] if numbers else -1
    while True:
        if place < 0:
            parts.append("1")
            place = len(parts) - 1
        else:
            parts[place] = str(int(parts[place]) + 1)
            parts[place + 1 :] = ["0" if part.isdigit() else part for part in parts[place + 1 :]]
        if ".".join(parts) not in used:
            return ".".join(parts)


def scopes(
    sizes: Mapping[tuple[str, str], int], noise_floor: float, *, mixed: bool = False
) -> list[tuple[str | None, str | None]]:
    """Give what is judged on its own: everybody, each app, each trust store of one with several; no tiny ones.

    Args:
        sizes: clients by app and trust store.
        noise_floor: the share of all below which a segment does not count alone.
        mixed: apps are counted in unlike units, so that they cannot be added: each counts alone, and only alone.
    """
    whole = 0 if mixed else sum(sizes.values())
    apps = {app: [s for (a, s) in sizes if a == app] for app, _ in sizes}
    found: list[tuple[str | None, str | None]] = [] if mixed else [(None, None)]
    for app, stores in apps.items():
        own = {store: sizes[app, store] for store in stores}
        parts: list[tuple[str | None, int]] = [(None, sum(own.values()))]
        parts += list(own.items()) if len(own) > 1 else []
        found += [(app, store) for store, size in parts if not whole or size / whole >= noise_floor]
    return found
