"""What can be done when a key may be stolen: what is served and when, floors, builds without the pin, live pins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from rotator.mechanisms.base import Channel, PinsetSpec
from rotator.model.names import Cover
from rotator.model.pins import Pin, PinKind, spki_pin
from rotator.model.pki import Chain
from rotator.model.policy import Release
from rotator.model.versions import order as version_order
from rotator.model.when import DAY, HOUR, plus, start_of
from rotator.plan.alarm import Alarm
from rotator.plan.carrying import Publication, as_published, pinning, publications, with_published
from rotator.plan.draft import Carrier, Pins, changed, digest_of, newest_of, next_version, pins_of_key, with_releases
from rotator.simulate.grammar import Occurrence
from rotator.simulate.impact import Impact
from rotator.simulate.inventory import Enforced, Inventory, KeyFacts
from rotator.simulate.populations import FLOOR_DAYS, FLOOR_REACH
from rotator.simulate.question import Picture, Question, ask
from rotator.simulate.roads import ramp_of
from rotator.simulate.standard import backups_of

MARGIN = 2 * HOUR
"""Time that is left between a swap and the end of the CA's clock: every place must serve it, pooled connections end."""
ISSUANCE = 1 * HOUR
"""Time that a CA is given to certify a key where the policy names none (`lead_hours`)."""
NEW_KEY = "a new key"
_KINDS = tuple(PinKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A floor that is raised: where, on which version, from when on."""

    app: str
    version: str
    at: datetime
    hard: bool = False


@dataclass(kw_only=True)
class Choices:
    """Everything that can be done, made of the policy.

    Attributes:
        picture: everything read.
        alarm: what happened.
        events: the same as events.
        calendar: what happens in any case.
        now, ends: the instant, and the end of the CA's clock.
        reach: the share that a floor moves, where the policy states none.
        unbuildable: apps of which no build without the pin can be made, and why.
    """

    picture: Picture
    alarm: Alarm
    events: tuple[Occurrence, ...]
    calendar: tuple[Occurrence, ...]
    now: datetime
    ends: datetime
    reach: float | None = None
    unbuildable: dict[str, str] = field(default_factory=dict)
    _impacts: dict[tuple[str, datetime], Impact] = field(default_factory=dict)

    # --- what is served ----------------------------------------------------------------------------------------

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """Give what could be served instead: chains and keys of the backups, else of a key that is made now."""
        if not self.alarm.hosts:
            return ("",)
        inventory, policy = self.picture.inventory, self.picture.policy
        found: list[str] = []
        for key in self._spares():
            pin = inventory.keys[key].pin
            names = [name for host in self.alarm.hosts for name in policy.host_names(host)]
            made = [c for c in inventory.chains.values() if c.leaf.matches(pin)]
            found += [c.name for c in made if all(c.leaf.covers(n) for n in names)]
            if not any(not c.planned for c in made):
                found.append(key)
        return tuple(dict.fromkeys(found)) or (NEW_KEY,)

    def _spares(self) -> list[str]:
        inventory, policy = self.picture.inventory, self.picture.policy
        backups = backups_of(inventory, self.alarm.key)
        held = [key for pinset in policy.pinsets.values() for key in pinset.keys]
        others = [k for k in dict.fromkeys(held) if policy.keys[k].status == "active" and k != self.alarm.key]
        return backups or others

    def lead(self, target: str) -> timedelta:
        """Give the time until a target can be served: none where its certificate is at hand."""
        inventory, policy = self.picture.inventory, self.picture.policy
        chain = inventory.chains.get(target)
        if chain is not None and not chain.planned and chain.leaf.valid_at(self.now):
            return timedelta()
        if chain is None and target in inventory.keys:
            own = inventory.key_certificates.get(target)
            if own is not None and own.leaf.valid_at(self.now):
                return timedelta()
        plan = policy.chains.get(target)
        hours = plan.lead_hours if plan is not None else None
        return ISSUANCE if hours is None else timedelta(hours=hours)

    def at_once(self, target: str) -> datetime:
        """Give the first time to serve a target, on the full hour where it has to be made first."""
        lead = self.lead(target)
        return self.now if not lead else hour(plus(self.now, lead), up=True)

    def late(self, target: str) -> datetime:
        """Give the last time to serve a target: the margin before the CA's clock ends."""
        return max(hour(plus(self.ends, -MARGIN), up=False), self.at_once(target))

    def serves(self, target: str, at: datetime | None) -> tuple[Occurrence, ...]:
        """Serve a target on all hosts."""
        if at is None or not target:
            return ()
        if target == NEW_KEY:
            return tuple(Occurrence(id="renew", parts=(host, "new-key"), at=at) for host in self.alarm.hosts)
        return tuple(Occurrence(id="serve", parts=(host, target), at=at, action=True) for host in self.alarm.hosts)

    def impact(self, target: str, at: datetime) -> Impact:
        """Say what serving a target does, as clients are."""
        if (target, at) not in self._impacts:
            question = Question(occurrences=(*self.events, *self.serves(target, at)), at=at)
            self._impacts[target, at] = ask(self.picture, question, self.calendar).impact
        return self._impacts[target, at]

    # --- floors and builds -------------------------------------------------------------------------------------

    def floors(self, target: str) -> tuple[Push, ...]:
        """Give the floors that help now: on the oldest version from which on every release accepts the target."""
        impact = self.impact(target, self.at_once(target))
        found = []
        for name, app in self.picture.policy.apps.items():
            out = self._out(name)
            taken = self._taken(impact, name)
            if app.adoption is None or len(out) < 2 or not taken:
                continue
            good = len(out)
            while good > 0 and taken.get(out[good - 1].version, False):
                good -= 1
            broken = any(taken.get(release.version) is False for release in out[:good])
            if good < len(out) and broken:
                found.append(Push(app=name, version=out[good].version, at=self.now))
        return tuple(found)

    def _out(self, name: str) -> list[Release]:
        """Give the releases that are out, oldest first."""
        releases = self.picture.policy.apps[name].releases
        out = [r for r in releases if r.released is None or r.released <= self.now.date()]
        return sorted(out, key=lambda release: version_order(release.version))

    def _taken(self, impact: Impact, name: str) -> dict[str, bool]:
        """Give for each version that uses our hosts whether it, or some of its clients, take what is served."""
        found: dict[str, bool] = {}
        for row in impact.rows:
            cohort = row.connection.cohort
            if cohort.app == name and row.connection.host in self.alarm.hosts:
                found[cohort.version] = found.get(cohort.version, False) or not row.verdict.is_broken
        return found

    @cached_property
    def gone(self) -> frozenset[Pin]:
        """Give every pin on the stolen key and its certificates."""
        inventory = self.picture.inventory
        facts = inventory.keys[self.alarm.key]
        chains = [c for c in inventory.chains.values() if c.leaf.matches(facts.pin)]
        found = {pin for kind in _KINDS if not kind.of_certificate for pin in pins_of_key(facts, None, kind)}
        found |= {
            Pin(kind, digest)
            for c in chains
            for kind in _KINDS
            if kind.of_certificate and (digest := digest_of(c.leaf, kind))
        }
        return frozenset(found | {facts.pin})

    def builds(self, target: str, swap: datetime | None) -> tuple[Carrier, ...]:
        """Give a release of each app whose newest one pins the stolen key, without it and with what is served."""
        chain = self._chain(target, swap)
        key = self.picture.inventory.key_of(chain.leaf) if chain is not None else None
        names = tuple(n for host in self._pinned_hosts() for n in self.picture.policy.host_names(host))
        found = []
        for name, app in self.picture.policy.apps.items():
            newest = newest_of(app)
            out = self._out(name)
            base = out[-1].version if out else newest.version if newest is not None else "-"
            if app.adoption is None or not self._pins(name, base):
                continue
            review = self.picture.policy.limits.review_days if app.review_days is None else app.review_days
            # A build without the pin refuses the old chain, so it waits for the swap; roll-outs count from a midnight.
            at = max(plus(self.now, timedelta(days=review)), swap or self.now)
            at = at if at == start_of(at.date()) else plus(start_of(at.date()), DAY)
            fresh = None
            if chain is not None and key is None:
                covers = tuple(Cover(host) for host in names)
                fresh = PinsetSpec(name=NEW_KEY, covers=covers, keys=(spki_pin(chain.leaf.spki),))
            pins = Pins(
                names=names,
                key=self.picture.inventory.keys.get(key or ""),
                chain=chain,
                drop=self.gone,
                only=fresh,
            )
            why = next(filter(None, (self._refused(item, pins) for item in self._enforced(name, base))), "")
            if why:
                self.unbuildable[name] = why
                continue
            found.append(Carrier(app=name, version=next_version(app), base=base, pins=pins, at=at))
        return tuple(found)

    def _chain(self, target: str, swap: datetime | None) -> Chain | None:
        """Give the chain that is served in the end."""
        impact = self.impact(target, swap or self.now)
        offers = impact.world.served.get(self.alarm.hosts[0], ()) if self.alarm.hosts else ()
        return offers[0].chain if offers else None

    def live(self, target: str, swap: datetime | None) -> tuple[Publication, ...]:
        """Give the live pins to publish: at once what is served next, and without the stolen key once it is served.

        Where nothing is served anew, they lose the stolen key at once.
        """
        names = tuple(n for host in self._pinned_hosts() for n in self.picture.policy.host_names(host))
        chain = self._chain(target, swap)
        key = self.picture.inventory.keys.get(self.picture.inventory.key_of(chain.leaf) or "") if chain else None
        if chain is not None and key is None:
            key = KeyFacts(pin=spki_pin(chain.leaf.spki))
        found: list[Publication] = []
        for name in self.picture.policy.apps:
            inventory = self.picture.inventory
            for drop, at in ((frozenset[Pin](), self.now), (self.gone, swap or self.now)):
                own = self._publication(inventory, name, Pins(names=names, key=key, chain=chain, drop=drop), at)
                if own is not None:
                    found.append(own)
                    inventory = with_published(inventory, [own])
        return tuple(found)

    def _publication(self, inventory: Inventory, name: str, pins: Pins, at: datetime) -> Publication | None:
        """Give live pins as they are published on top of what clients have; None where that changes nothing."""
        there = as_published(inventory)
        items = pinning(there, name, pins.names)
        made = [changed(inventory.mechanisms[item.mechanism], item, pins) for item in items]
        if all(config == item.config for item, (config, _) in zip(items, made, strict=True)):
            return None
        if any(why or not config.pinned for config, why in made):
            return None  # clients refuse it, or it would leave them without any pin
        own = next(publications(there, name, pins, at), None)
        return own if own is not None and own.channel is Channel.LIVE else None

    def coming(self) -> list[tuple[str, Release]]:
        """Give the releases that the policy names for a day to come and that still pin the stolen key."""
        apps = self.picture.policy.apps.items()
        later = ((n, r) for n, app in apps for r in app.releases if r.released and r.released > self.now.date())
        return [(name, release) for name, release in later if self._pins(name, release.version)]

    def _pinned_hosts(self) -> tuple[str, ...]:
        return self.alarm.hosts or tuple(h for h, host in self.picture.policy.hosts.items() if host.control == "ours")

    def _pins(self, name: str, version: str) -> bool:
        """Say whether a release pins the stolen key."""
        items = self._enforced(name, version)
        return any(self.gone & set(entry.pins) for item in items for entry in item.config.entries)

    def _enforced(self, name: str, version: str) -> tuple[Enforced, ...]:
        """Give what a release enforces."""
        inventory = self.picture.inventory
        releases = with_releases(inventory.policy, name).apps[name].releases
        index = next((i for i, r in enumerate(releases) if version in (r.version, *r.also)), -1)
        return inventory.enforced.get((name, index), inventory.enforced.get((name, -1), ()))

    def _refused(self, item: Enforced, pins: Pins) -> str:
        """Say why a client cannot take a build with other pins; "" where it can."""
        mechanism = self.picture.inventory.mechanisms.get(item.mechanism)
        return "" if mechanism is None else changed(mechanism, item, pins)[1]

    def pushes(self, builds: Sequence[Carrier], *, hard: bool = False) -> tuple[Push, ...]:
        """Raise floors on the new builds, once they are there for everybody."""
        found = []
        for build in builds:
            own = self.picture.policy.apps[build.app].adoption
            if own is not None and own.preset == "deploy":
                continue  # we deploy it ourselves: there is nobody to push
            ramp = ramp_of(self.picture.policy.apps[build.app])
            days = math.ceil(ramp[-1][0]) if ramp else 0
            at = plus(build.at, timedelta(days=days))
            found.append(Push(app=build.app, version=build.version, at=at, hard=hard))
        return tuple(found)

    def as_actions(self, pushes: Sequence[Push]) -> tuple[Occurrence, ...]:
        """Write floors as actions; how many they reach is what the policy says of the app's last floor, or assumed."""
        found = []
        for push in pushes:
            known = next((f for f in reversed(self.picture.policy.apps[push.app].floors) if f.reach is not None), None)
            reach = self.reach or (known.reach if known is not None else None) or FLOOR_REACH
            days = (known.reach_days if known is not None else None) or FLOOR_DAYS
            options = (
                ("mode", "hard" if push.hard else "soft"),
                ("reach", f"{reach:g}"),
                ("reach-days", f"{days:g}d"),
            )
            found.append(
                Occurrence(id="floor", parts=(push.app, push.version), options=options, at=push.at, action=True)
            )
        return tuple(found)


def hour(at: datetime, *, up: bool) -> datetime:
    """Give the full hour an instant lies in, or the next one where it is none."""
    full = at.replace(minute=0, second=0, microsecond=0)
    return plus(full, HOUR) if up and full < at else full
