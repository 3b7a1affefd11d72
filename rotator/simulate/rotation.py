"""Rotating a pinset: promoting a backup, dropping keys that are gone, and why that may be refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rotator.errors import Problem, UnsafeError, UsageError
from rotator.model.edits import Change, Edit, Plain, SetValue
from rotator.model.names import Reach, did_you_mean
from rotator.model.pins import spki_pin
from rotator.model.policy import App, Pinset, Policy
from rotator.simulate.inventory import Inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What promoting a key does to the pinsets of a policy.

    Attributes:
        change: the edits, under one name.
        pinsets: names of the pinsets to export, the new ones included.
        notes: what a person should know before shipping.
        unsafe: why it must not be shipped, one sentence each.
    """

    change: Change
    pinsets: tuple[str, ...]
    notes: tuple[str, ...] = ()
    unsafe: tuple[str, ...] = ()

    def refuse(self) -> None:
        """Refuse an unsafe rotation.

        Raises:
            UnsafeError: with every reason.
        """
        if self.unsafe:
            raise UnsafeError(
                "refused: " + "; ".join(self.unsafe) + "\n  hint: --override REASON goes on, and the report keeps it"
            )


def promote(
    inventory: Inventory, key: str, *, today: date, drop: Iterable[str] = (), pinsets: Iterable[str] = ()
) -> Rotation:
    """Make a backup the primary, in every pinset that has it.

    The old primary stays pinned, as a backup, until the servers have moved; keys that are compromised, lost or
    destroyed, and those in `drop`, are taken out. Where that changes the pins of a pinset that releases have
    shipped with, a new pinset is made for the next release, because what has shipped cannot be changed.

    Args:
        inventory: the policy with everything looked up.
        key: the backup to promote.
        today: the day recorded for keys that are dropped.
        drop: keys known to be compromised now.
        pinsets: promote in these only; none for all that have the key as a backup or primary.

    Raises:
        UsageError: no pinset has this key.
    """
    policy = inventory.policy
    dropped = list(dict.fromkeys(drop))
    for name in (key, *dropped):
        if name not in policy.keys:
            raise UsageError(Problem("no key has this name", value=name, hint=did_you_mean(name, policy.keys)))
    chosen = list(pinsets) or [n for n, p in policy.pinsets.items() if key in p.keys]
    if not chosen:
        raise UsageError(
            Problem(
                "no pinset has this key",
                value=key,
                expected="a backup of a pinset",
                hint="add it to backups and ship that first: clients accept only what they carry",
            )
        )
    work = _Work(inventory, key, today, set(dropped))
    current = current_pinsets(policy, today) if not pinsets else set(chosen)
    for name in chosen:
        if name in current or not current & set(chosen) or not work.changes_pins(name):
            work.pinset(name, policy.pinsets[name])
        else:
            work.notes.append(f"{name} is only in releases that have shipped: it stays as it is")
    edits: list[Edit] = []
    for name in dropped:
        if policy.keys[name].status == "active":
            edits += [
                SetValue(("keys", name, "status"), "compromised"),
                SetValue(("keys", name, "since"), today),
            ]
    title = f"promote {key}" + (f", drop {', '.join(dropped)}" if dropped else "")
    return Rotation(
        change=Change(title, (*edits, *work.edits)),
        pinsets=tuple(work.exported),
        notes=tuple(work.notes),
        unsafe=tuple(dict.fromkeys(work.unsafe)),
    )


def carried(
    inventory: Inventory,
    app: str,
    *,
    adds: Iterable[str],
    drops: Iterable[str],
    today: date,
    title: str,
    names: Mapping[str, Sequence[str]] | None = None,
) -> Rotation:
    """Give the pinsets of an app's next release some keys more, and take some out.

    A pinset that a release has shipped with stays as it is, and another one is made from it.

    Args:
        inventory: the policy with everything looked up.
        app: whose next release it is.
        adds: keys that it carries from then on, as backups.
        drops: keys that it does not.
        today: the day on which releases still to come are told from those that are out.
        title: what the edits are for.
        names: by key, the DNS names whose pins it changes; of one that is missing here, all of the app's.

    Raises:
        UsageError: what is added is no key of ours, or the app's pins do not come from a pinset of the policy.
    """
    policy = inventory.policy
    more, less = list(dict.fromkeys(adds)), set(drops)
    for name in (*more, *less):
        if name not in policy.keys:
            raise UsageError(
                Problem("no key of ours, so no pinset can be written with it", value=name, hint="change it by hand")
            )
    current = current_pinsets(policy, today)
    chosen = [n for n in policy.pinsets if n in current and name_in(policy.apps[app], n)]
    if not chosen:
        raise UsageError(
            Problem("its pins come from files of its own, not from a pinset", value=app, hint="change those by hand")
        )
    edits: list[Edit] = []
    exported, notes, unsafe = [], [], []
    taken = set(policy.pinsets)
    for name in chosen:
        own = policy.pinsets[name]
        if not own.keys:
            continue
        mine = {key for key in (*more, *less) if _pins(own, (names or {}).get(key))}
        fresh = [key for key in more if key in mine and key not in own.keys]
        kept = [k for k in own.primary if k not in less & mine]
        spare = [k for k in (*own.backups, *fresh) if k not in less & mine]
        primary = kept or spare[:1]
        backups = [k for k in spare if k not in primary]
        if not primary and not own.authorities:
            unsafe.append(f"{name} would hold no key that can be served")
        if (tuple(primary), tuple(backups)) == (own.primary, own.backups):
            exported.append(name)
            continue
        target = next_name(name, taken)
        taken.add(target)
        table = as_table(own) | {"primary": _one_or_many(primary), "backups": list(backups)}
        edits += [SetValue(("pinsets", target), table), *repointed(policy, name, target, today)]
        notes.append(f"{name} stays as it is for what has shipped; {target} is for the next release")
        exported.append(target)
    return Rotation(
        change=Change(title, tuple(edits)), pinsets=tuple(exported), notes=tuple(notes), unsafe=tuple(unsafe)
    )


def _pins(pinset: Pinset, names: Sequence[str] | None) -> bool:
    """Say whether a pinset is for any of some names; one that names no hosts is for all of its app's."""
    return names is None or pinset.covers is None or any(c.matches(name) for c in pinset.covers for name in names)


class _Work:
    """The rotation in progress."""

    def __init__(self, inventory: Inventory, key: str, today: date, dropped: set[str]) -> None:
        self.inventory = inventory
        self.policy = inventory.policy
        self.key = key
        self.today = today
        self.gone = {n for n, k in self.policy.keys.items() if k.status != "active"} | dropped
        self.edits: list[Edit] = []
        self.exported: list[str] = []
        self.notes: list[str] = []
        self.unsafe: list[str] = []
        self.taken = set(self.policy.pinsets)
        if key in self.gone:
            status = self.policy.keys[key].status
            self.unsafe.append(f"{key} is {'compromised' if status == 'active' else status}")

    def changes_pins(self, name: str) -> bool:
        """Say whether a pinset that has shipped loses a pin, so that another has to be made."""
        return any(k in self.gone for k in self.policy.pinsets[name].keys) and bool(releases_with(self.policy, name))

    def pinset(self, name: str, pinset: Pinset) -> None:
        primary = [self.key]
        backups = [k for k in (*pinset.backups, *pinset.primary) if k != self.key and k not in self.gone]
        leaving = [k for k in pinset.keys if k in self.gone]
        fresh = self.changes_pins(name)
        target = next_name(name, self.taken) if fresh else name
        self.taken.add(target)
        if fresh:
            table = as_table(pinset)
            table |= {"primary": _one_or_many(primary), "backups": list(backups)}
            self.edits.append(SetValue(("pinsets", target), table))
            self.edits += repointed(self.policy, name, target, self.today)
            self.notes.append(
                f"{name} has shipped and stays as it is; {target}, without {', '.join(leaving)}, "
                "is for the next release"
            )
        else:
            self.edits.append(SetValue(("pinsets", name, "primary"), _one_or_many(primary)))
            if backups or pinset.backups:
                self.edits.append(SetValue(("pinsets", name, "backups"), list(backups)))
        if not backups and (not pinset.authorities or pinset.combine == "leaf-and-ca"):
            self.notes.append(f"{target} is left with one pin: add a fresh backup before it ships")
        self.exported.append(target)
        self._check(target, pinset, [*primary, *backups])

    def _check(self, name: str, pinset: Pinset, keys: list[str]) -> None:
        """Refuse a pinset that would accept nothing of what its hosts serve, or will with the promoted key."""
        usable = [k for k in keys if k not in self.gone]
        if not usable and not pinset.authorities:
            self.unsafe.append(f"{name} would hold no key that can be served")
            return
        pins = {self.inventory.keys[k].pin for k in keys}
        pins |= {spki_pin(c.spki) for a in pinset.authorities for c in self.inventory.authorities[a][:1]}
        users = [
            app for app, own in self.policy.apps.items() if any(name_in(own, old) for old in (name, *self._olds(name)))
        ]
        for host in dict.fromkeys(h for app in users for h in self.policy.hosts_of(app)):
            names = self.policy.host_names(host)
            if pinset.covers is not None and not any(c.matches(n) for c in pinset.covers for n in names):
                continue
            for chain in self.policy.hosts[host].serves:
                certificates = self.inventory.chains[chain].sent
                signers = {spki_pin(c.signer) for c in certificates if c.signer}
                if not any(c.matches(pin) for c in certificates for pin in pins) and not signers & pins:
                    self.notes.append(
                        f"serve {self.key} on {host} before a release with {name} reaches anybody: it refuses {chain}"
                    )

    def _olds(self, name: str) -> list[str]:
        """Give the pinsets that an exported one came from."""
        return [old for old in self.policy.pinsets if next_name(old, self.policy.pinsets) == name]


def current_pinsets(policy: Policy, today: date) -> set[str]:
    """Give the pinsets that releases are still made from: exported, in a release to come, or in an app's newest."""
    found = {export.pinset for export in policy.exports}
    for app in policy.apps.values():
        newest = max(app.releases, key=lambda r: r.released or date.min, default=None)
        if newest is None or newest.pinset is None:
            found |= set(app.pinset.values())
        for release in app.releases:
            if release is newest or (release.released is not None and release.released > today):
                found |= set((release.pinset or {}).values())
    return found


def name_in(app: App, pinset: str) -> bool:
    """Say whether any release of an app uses a pinset."""
    return pinset in app.pinset.values() or any(pinset in (r.pinset or {}).values() for r in app.releases)


def repointed(policy: Policy, old: str, new: str, today: date) -> list[Edit]:
    """Let exports and releases still to come use another pinset."""
    edits: list[Edit] = [
        SetValue(("exports", index, "pinset"), new)
        for index, export in enumerate(policy.exports)
        if export.pinset == old
    ]
    for app_name, app in policy.apps.items():
        for index, release in enumerate(app.releases):
            coming = release.released is not None and release.released > today
            if coming and release.pinset is not None:
                for mechanism, pinset in release.pinset.items():
                    if pinset == old:
                        tail = ("pinset", mechanism) if mechanism else ("pinset",)
                        edits.append(SetValue(("apps", app_name, "releases", index, *tail), new))
    return edits


def releases_with(policy: Policy, pinset: str) -> list[str]:
    """Give the releases that have a pinset, shipped or still to come."""
    found = []
    for app_name, app in policy.apps.items():
        if not app.releases and pinset in app.pinset.values():
            found.append(app_name)
        for release in app.releases:
            table = app.pinset if release.pinset is None else release.pinset
            if pinset in table.values():
                found.append(f"{app_name} {release.version}")
    return found


def next_name(name: str, taken: Iterable[str]) -> str:
    """Give the next name in a row: `mobile-3` becomes `mobile-4`, `mobile` becomes `mobile-2`."""
    names = set(taken)
    match = re.fullmatch(r"(.*?)(\d+)", name)
    stem, number = (match[1], int(match[2])) if match else (f"{name}-", 1)
    while True:
        number += 1
        if f"{stem}{number}" not in names:
            return f"{stem}{number}"


def as_table(pinset: Pinset) -> dict[str, Plain]:
    """Write a pinset as the table it is read from, defaults left out."""
    table: dict[str, Plain] = {}
    for name in ("primary", "backups", "authorities", "certificates"):
        values = list(getattr(pinset, name))
        if values:
            table[name] = _one_or_many(values) if name == "primary" else values
    if pinset.covers is not None:
        table["covers"] = [
            c.name if c.reach is Reach.EXACT else {"name": c.name, "subdomains": _subdomains(c.reach)}
            for c in pinset.covers
        ]
    for name, default in (
        ("expires", None),
        ("mode", "enforce"),
        ("combine", "any"),
        ("delivery", "release"),
        ("refresh_days", None),
        ("offline_share", 0.0),
        ("stale", None),
        ("signed_by", None),
        ("max_age_days", None),
    ):
        value = getattr(pinset, name)
        if value != default:
            table[name] = value
    return table


def _subdomains(reach: Reach) -> Plain:
    return "one-label" if reach is Reach.ONLY_ONE else True


def _one_or_many(values: list[str]) -> Plain:
    return values[0] if len(values) == 1 else list(values)
