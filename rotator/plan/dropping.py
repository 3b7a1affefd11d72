"""The end of a rotation: releases without the old pins, a fresh spare with them, and the end of the old key."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from rotator.mechanisms.base import Context
from rotator.model.pins import Pin
from rotator.model.when import first_day, plus, start_of
from rotator.plan.carrying import Publication, as_published, by_release, obstacles, pinning, publications
from rotator.plan.dating import Dated
from rotator.plan.draft import Carrier, Pins, newest_of, next_version
from rotator.plan.outlook import instant_of
from rotator.plan.planner import Draft
from rotator.plan.ships import Together
from rotator.plan.swap import next_free
from rotator.plan.target import served_now
from rotator.plan.values import Binding, Step
from rotator.simulate.grammar import Occurrence
from rotator.simulate.inventory import Inventory


@dataclass(frozen=True, kw_only=True)
class Drops:
    """What ends a rotation.

    Attributes:
        steps: in order, numbered from 1.
        carriers: the releases without the old pins.
        published: what is published without them.
        findings: why some of it cannot be.
    """

    steps: tuple[Step, ...] = ()
    carriers: tuple[Carrier, ...] = ()
    published: tuple[Publication, ...] = ()
    findings: tuple[str, ...] = ()


def drops_of(draft: Draft, found: Dated, refills: Sequence[str]) -> Drops:
    """Plan what is dropped once the new chain is served everywhere (I4, I8, I11)."""
    if not draft.target.drop:
        return Drops()
    return _Dropping(draft, found, refills).all()


def together_of(draft: Draft, found: Dated, refills: Sequence[str]) -> Together | None:
    """Say which releases may drop the old pins as they bring the new ones; None where no release may."""
    return _Dropping(draft, found, refills).together() if draft.target.drop else None


class _Dropping:
    def __init__(self, draft: Draft, found: Dated, refills: Sequence[str]) -> None:
        self.draft, self.found, self.refills = draft, found, tuple(refills)
        self.kept = {key: own for key in draft.target.drop if (own := self._elsewhere(key))}
        self.keys = tuple(key for key in draft.target.drop if key not in self.kept)
        self.inventory = as_published(found.swap.outlook.inventory)
        self.old = frozenset(pin for key in self.keys for pin in pins_on(self.inventory, key))
        limits = draft.policy.limits
        self.gone = all(draft.policy.keys[key].status == "compromised" for key in self.keys)
        self.wait = limits.deploy_days + (0 if self.gone else limits.rollback_days)
        self.first = None if found.serve is None else found.serve + timedelta(days=math.ceil(self.wait))
        self.carriers: list[Carrier] = []
        self.published: list[Publication] = []
        self.findings: list[str] = []

    def all(self) -> Drops:
        """Give the releases, then the destruction."""
        for key, others in self.kept.items():
            self.findings.append(
                f"I4: {', '.join(others)} still serves {key}: its pins and the key stay until that has changed"
            )
        if not self.keys:
            return Drops(findings=tuple(self.findings))
        steps = [self._with_what_is_new(carrier) for carrier in self.found.ships.first() if carrier.pins.drops]
        steps += [step for name in self.draft.policy.apps if self._holds(name) for step in self._drop(name)]
        day = None if self.first is None else self._unneeded(self.first)
        steps += [self._destroy(key, day) for key in self.keys]
        return Drops(
            steps=tuple(steps),
            carriers=tuple(self.carriers),
            published=tuple(self.published),
            findings=tuple(self.findings),
        )

    def together(self) -> Together | None:
        """Say which releases may drop the old pins as they bring the new ones; None where no release may.

        Nobody goes back to a stolen key, so that its pins go as soon as the new chain is served everywhere. A release
        that reaches people by then, or that has to wait no longer for it than deploying takes, is one for both.
        """
        if not self.gone or self.first is None or self.kept:
            return None
        limits, ships = self.draft.policy.limits, self.found.ships
        apps = {}
        for carrier in ships.first():
            name = carrier.app
            least = plus(start_of(self.first), -timedelta(days=self.draft.review(name)))
            waits = (first_day(least) - ships.days[name]).days
            mixed = any(own.app == name for own in ships.published)
            if mixed or waits > math.ceil(limits.deploy_days) or not self._holds(name):
                continue
            refills, why = self._spares(name)
            if not why:
                apps[name] = refills
        if not apps:
            return None
        return Together(apps=apps, since=start_of(self.first), drop=self.old)

    def _elsewhere(self, key: str) -> list[str]:
        policy, inventory = self.draft.policy, self.draft.picture.inventory
        rest = [label for label in policy.hosts if label not in self.draft.target.hosts]
        return [label for label in rest if key in set(served_now(inventory, label))]

    def _pins(self, refills: Sequence[str]) -> Pins:
        keys = self.inventory.keys
        found = []
        for own, refill in zip(self.draft.target.exchanges, refills, strict=True):
            # A pinset that accepts the new chain without its key gets that too: what is left must not be spares alone.
            key, spare = keys.get(own.key), keys.get(refill)
            fresh = (key, spare) if key is not None else (spare, None)
            found.append(Pins(names=own.names, key=fresh[0], chain=own.chain, spare=fresh[1], drop=self.old))
        return replace(found[0], also=tuple(found[1:]))

    def _holds(self, name: str) -> bool:
        """Say whether the newest release of an app, or the one that is planned, pins an old key."""
        return bool(self._held(name))

    def _held(self, name: str) -> tuple[str, ...]:
        """Give the old keys that the newest release of an app, or the one that is planned, pins."""
        items = pinning(self.inventory, name, self.draft.target.names)
        pins = {pin for item in items for entry in item.config.entries for pin in entry.pins}
        return tuple(key for key in self.keys if pins & pins_on(self.inventory, key))

    def _brought(self, keys: Sequence[str], refills: Sequence[str]) -> tuple[str, ...]:
        """Give the fresh spares that come where some keys go: those of the same exchanges."""
        exchanges = zip(self.draft.target.exchanges, refills, strict=True)
        return tuple(refill for own, refill in exchanges if refill and set(own.drop) & set(keys))

    def _drop(self, name: str) -> Iterator[Step]:
        draft, limits = self.draft, self.draft.policy.limits
        if draft.unable(name):
            return
        keys = self._held(name)
        refills, why = self._spares(name)
        if why:
            self.findings.append(f"{name} keeps {' and '.join(keys)}: {why[0]}")
            return
        pins = self._pins(refills)
        brought = self._brought(keys, refills)
        day = None if self.first is None else next_free(self.first, draft.frozen("ship"))
        released = by_release(self.inventory, name, draft.target.names)
        app = self.inventory.policy.apps[name]
        version, later = next_version(app) if released else "", ""
        if released and day is not None:
            newest = newest_of(app)
            at = plus(instant_of(day, draft.now), timedelta(days=draft.review(name)))
            base = newest.version if newest is not None else "-"
            trains = draft.trains(draft.policy.apps[name], start_of(first_day(at)))
            if trains:
                version, day = trains[0][0], draft.handed_in(name, trains[0][1], day)
                later = "".join(f", and {own}" for own, _ in trains[1:])
            self.carriers += [
                Carrier(app=name, version=v, base=v if trains else base, pins=pins, at=arrival)
                for v, arrival in trains or [(version, at)]
            ]
        made = list(publications(self.inventory, name, pins, instant_of(day or draft.today, draft.now)))
        self.published += made if day is not None else []
        sets = [own.name for own in made]
        subject = f"{name} {version or sets[0]}"
        spare = f", with {' and '.join(brought)} as the spare" if brought else ""
        with_ = f", publish {', '.join(sets)}" if released and sets else ""
        yield Step(
            number=0,
            action="drop",
            subject=subject,
            title=f"{'ship' if released else 'publish'} {subject} without {' and '.join(keys)}{spare}{later}{with_}",
            earliest=self.first,
            planned=day,
            binding=Binding(
                invariant="I4",
                segment=name,
                formula=f"{self._served} + {limits.deploy_days:g} deploy"
                + ("" if self.gone else f" + {limits.rollback_days:g} rollback"),
            ),
            undo=f"ship {name} with {' and '.join(keys)} again: those who have updated refuse it until then",
            proof=f"{subject} in the store" if released else f"{subject} as clients fetch it",
            occurrences=tuple(own.action for own in made) if day is not None else (),
            app=name,
            version=version,
            pinset=sets[0] if sets else "",
            adds=brought,
            drops=keys,
            names=draft.target.names_of((*brought, *keys), self.refills),
        )

    @property
    def _served(self) -> str:
        return f"served since {self.found.serve}" if self.found.serve is not None else "served (no day for that yet)"

    def _with_what_is_new(self, carrier: Carrier) -> Step:
        """Tell a release that brings the new pins and drops the old ones."""
        ships, target = self.found.ships, self.draft.target
        key = " and ".join(self.keys)
        pairs = zip(target.exchanges, self.refills, carrier.pins.every, strict=True)
        adds = [k for own, spare, pins in pairs for k in (own.key, spare if pins.spare is not None else "") if k]
        later = "".join(f", and {version}" for version in ships.later(carrier.app))
        day = ships.days[carrier.app]
        return Step(
            number=0,
            action="drop",
            subject=f"{carrier.app} {carrier.version}",
            title=f"ship {carrier.app} {carrier.version} with {' and '.join(adds)}, without {key}{later}",
            earliest=day,
            planned=day,
            binding=Binding(
                invariant="I4",
                segment=carrier.app,
                formula=f"reaches people on {carrier.at:%Y-%m-%d}, {self._served} + "
                f"{self.draft.policy.limits.deploy_days:g} deploy: one release for both",
            ),
            undo=f"halt the roll-out: who has updated refuses {key}, which nothing serves any more",
            proof=f"{carrier.app} {carrier.version} in the store",
            app=carrier.app,
            version=carrier.version,
            adds=tuple(adds),
            drops=self.keys,
            names=target.names_of((*adds, *self.keys), self.refills),
        )

    def _spares(self, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Give the fresh spares that a release without the old pins brings, and why there can be no such release."""
        context = replace(self.draft.picture.context, subject=f"apps.{name}", today=self.draft.today)
        bare = ("",) * len(self.refills)
        refills = bare if self._refused(name, self.refills, context=context) else self.refills
        return refills, self._refused(name, refills, context=context)

    def _refused(self, name: str, refills: Sequence[str], *, context: Context) -> tuple[str, ...]:
        return tuple(obstacles(self.inventory, name, self._pins(refills), context))

    def _destroy(self, key: str, day: date | None) -> Step:
        limits = self.draft.policy.limits
        return Step(
            number=0,
            action="destroy",
            subject=key,
            title=f"destroy {key}",
            earliest=day,
            planned=day,
            binding=Binding(
                invariant="I11",
                segment="fleet",
                formula=f"first day from which at most {limits.noise_floor:.2%} accept nothing but {key}",
            ),
            undo="none: keep it until nobody needs it",
            proof="the record of its destruction",
            occurrences=(Occurrence(id="destroy", parts=(key,), action=True, at=start_of(day)),) if day else (),
        )

    def _unneeded(self, first: date) -> date | None:
        """Give the first day from which never more users than the noise floor accept nothing but the old key."""
        day, last = self.draft.end, None
        while day >= first and self._few(day):
            last, day = day, day - timedelta(days=1)
        return last

    def _few(self, day: date) -> bool:
        view, floor = self.found.swap.outlook, self.draft.policy.limits.noise_floor
        at = instant_of(day, view.now)
        for new in self.found.swap.new.between(at, plus(at, timedelta(days=1))):
            old = self.found.swap.old.at(max(at, new.at))
            only = {i: sure for i, sure in new.broken.items() if i not in old.broken}
            for app, trust in view.scopes():
                total = view.total(at, only, app, trust)
                if not total.none and (total.share is None or total.share > floor):
                    return False
        return True


def pins_on(inventory: Inventory, key: str) -> frozenset[Pin]:
    """Give every pin that is held and stands for a key: its digests, and the certificates that are made for it."""
    facts = inventory.keys[key]
    leaves = [c.leaf for c in inventory.chains.values() if c.leaf.matches(facts.pin)]
    held = {p for items in inventory.enforced.values() for i in items for e in i.config.entries for p in e.pins}
    known = {facts.pin.digest, facts.spki_sha1, facts.spki_sha512, facts.raw} - {b""}
    return frozenset(p for p in held if p.digest in known or any(leaf.matches(p) for leaf in leaves))
