"""Edits of a policy, as values: keys, pinsets, chains, releases and events added or changed, shipped pinsets kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from rotator.errors import Problem, UsageError
from rotator.model.edits import Change, Edit, Insert, Plain, SetValue
from rotator.model.names import did_you_mean
from rotator.model.policy import App, Pinset, Policy
from rotator.model.versions import order
from rotator.simulate.inventory import Inventory
from rotator.simulate.rotation import Rotation, as_table, current_pinsets, next_name, repointed
from rotator.simulate.standard import served_keys

ROLES = ("primary", "backup", "none")
STATUSES = ("destroyed", "lost", "compromised")


def add_key(policy: Policy, name: str, source: str, value: str, *, custody: str = "", proved: date | None = None,
            pinset: str = "", today: date) -> Rotation:  # fmt: skip
    """Add a key of ours; with a pinset, as its backup.

    Args:
        policy: the policy.
        name: what the key is to be called.
        source: `certificate`, `public_key`, `csr` or `spki`: where its public half is known from.
        value: the path of the file, or the digest.
        custody: how it is kept.
        proved: the day possession of it was proved.
        pinset: the pinset that takes it as a backup.
        today: the day that tells what has shipped.

    Raises:
        UsageError: the name is taken, or there is no such pinset.
    """
    free_name(name, (*policy.keys, *policy.authorities), "name")
    row: dict[str, Plain] = {source: value}
    if custody:
        row["custody"] = custody
    if proved is not None:
        row["proved"] = proved
    edits: list[Edit] = [SetValue(("keys", name), row, inline=True)]
    notes: tuple[str, ...] = ()
    pinsets: tuple[str, ...] = ()
    if pinset:
        _known(pinset, policy.pinsets, "pinset")
        old = policy.pinsets[pinset]
        more, target, notes = _changed(policy, pinset, old.primary, (*old.backups, name), today)
        edits += more
        pinsets = (target,)
    return Rotation(change=Change(f"add key {name}", tuple(edits)), pinsets=pinsets, notes=notes)


def retire_key(inventory: Inventory, name: str, status: str, today: date) -> Rotation:
    """Record that a key is gone. What has shipped with it stays as it is; what still ships goes on without it.

    Raises:
        UsageError: there is no such key, or it is gone already.
    """
    policy = inventory.policy
    _known(name, policy.keys, "key")
    if policy.keys[name].status == status:
        raise UsageError(Problem(f"is {status} already", path="key", value=name))
    edits: list[Edit] = [SetValue(("keys", name, "status"), status), SetValue(("keys", name, "since"), today)]
    notes: list[str] = []
    pinsets: list[str] = []
    for pinset in sorted(current_pinsets(policy, today) & policy.pinsets.keys()):
        held = policy.pinsets[pinset]
        if name in held.backups and name not in held.primary:
            left = [k for k in held.backups if k != name]
            more, target, said = _changed(policy, pinset, held.primary, left, today)
            edits += more
            notes += said
            pinsets.append(target)
    notes += [f"{pinset}: {name} is its primary still: promote a backup" for pinset, held in policy.pinsets.items()
              if name in held.primary]  # fmt: skip
    hosts = served_keys(inventory).get(name, [])
    unsafe = (f"{name} is served by {', '.join(hosts)}",) if hosts and status == "destroyed" else ()
    title = f"mark {name} {status}"
    return Rotation(change=Change(title, tuple(edits)), pinsets=tuple(pinsets), notes=tuple(notes), unsafe=unsafe)


def set_role(policy: Policy, pinset: str, key: str, role: str, today: date) -> Rotation:
    """Give a key a role in a pinset: primary beside others, backup, or none.

    Where that changes the pins of a pinset that has shipped, a new one is made for the next release.

    Raises:
        UsageError: a name is not known, the role is what it is, or no primary would be left.
    """
    _known(pinset, policy.pinsets, "pinset")
    _known(key, policy.keys, "key")
    held = policy.pinsets[pinset]
    primary = [k for k in held.primary if k != key]
    backups = [k for k in held.backups if k != key]
    if role == "primary":
        primary.append(key)
    elif role == "backup":
        backups.append(key)
    if (tuple(primary), tuple(backups)) == (held.primary, held.backups):
        raise UsageError(Problem(f"has this role in {pinset} already", path="role", value=role))
    if not primary and not held.authorities and not held.certificates:
        hint = f"make another key the primary of {pinset} first"
        raise UsageError(Problem("no primary would be left", path="role", value=key, hint=hint))
    edits, target, notes = _changed(policy, pinset, primary, backups, today)
    what = f"take {key} out of {pinset}" if role == "none" else f"make {key} {role} of {pinset}"
    return Rotation(change=Change(what, tuple(edits)), pinsets=(target,), notes=notes)


def add_pinset(policy: Policy, name: str, *, primary: Sequence[str], backups: Sequence[str] = (),
               authorities: Sequence[str] = (), covers: Sequence[str] = (), expires: date | None = None,
               replaces: str = "", today: date) -> Rotation:  # fmt: skip
    """Compose a new pinset; where it replaces one, exports and releases to come use it from now on.

    Raises:
        UsageError: the name is taken, a key or an authority is not known, or it would hold nothing.
    """
    free_name(name, policy.pinsets, "name")
    for field, names, known in (
        ("primary", primary, policy.keys),
        ("backups", backups, policy.keys),
        ("authorities", authorities, policy.authorities),
    ):
        for one in names:
            _known(one, known, field)
    twice = set(primary) & set(backups)
    if twice:
        raise UsageError(Problem("is a primary already", path="backups", value=", ".join(sorted(twice))))
    if not primary and not authorities:
        raise UsageError(Problem("would hold nothing", path="primary", expected="a key, or an authority"))
    table: dict[str, Plain] = {}
    if primary:
        table["primary"] = primary[0] if len(primary) == 1 else list(primary)
    for field, values in (("backups", backups), ("authorities", authorities), ("covers", covers)):
        if values:
            table[field] = list(values)
    if expires is not None:
        table["expires"] = expires
    edits: list[Edit] = [SetValue(("pinsets", name), table)]
    notes = []
    if len(primary) + len(backups) + len(authorities) == 1:
        notes.append(f"{name} holds one pin: add a backup before it ships")
    if replaces:
        _known(replaces, policy.pinsets, "replaces")
        edits += repointed(policy, replaces, name, today)
        notes.append(f"{replaces} stays for the releases that have shipped with it")
    return Rotation(change=Change(f"add pinset {name}", tuple(edits)), pinsets=(name,), notes=tuple(notes))


def add_chain(policy: Policy, name: str, *, leaf: str, issuers: Sequence[str], not_before: date,
              lifetime_days: int) -> Rotation:  # fmt: skip
    """Add a planned chain.

    Args:
        policy: the policy.
        name: what the chain is to be called.
        leaf: the key it is for, "" for a key that nobody pins.
        issuers: authorities from the issuer of the leaf up to the root.
        not_before: the first day of the leaf certificate.
        lifetime_days: how long that lasts.

    Raises:
        UsageError: the name is taken, or another is not known.
    """
    free_name(name, policy.chains, "name")
    if leaf:
        _known(leaf, policy.keys, "leaf")
    for issuer in issuers:
        _known(issuer, policy.authorities, "issuers")
    if not issuers:
        raise UsageError(Problem("names nobody", path="issuers", expected="the issuing authority, up to the root"))
    row: dict[str, Plain] = {"leaf": leaf} if leaf else {}
    row |= {"issuers": list(issuers), "not_before": not_before, "lifetime_days": lifetime_days}
    return Rotation(change=Change(f"plan chain {name}", (SetValue(("chains", name), row, inline=True),)), pinsets=())


def add_release(policy: Policy, app: str, version: str, *, released: date, pinset: str = "",
                clients: int | None = None) -> Rotation:  # fmt: skip
    """Add a release of an app, where its date and version belong in the list.

    Raises:
        UsageError: the app or the pinset is not known, or it has this version already.
    """
    _known(app, policy.apps, "app")
    own = policy.apps[app]
    if any(version in (release.version, *release.also) for release in own.releases):
        raise UsageError(Problem(f"{app} has it already", path="version", value=version))
    row: dict[str, Plain] = {"version": version, "released": released}
    if pinset:
        _known(pinset, policy.pinsets, "pinset")
        if own.pinset.get("") != pinset:
            row["pinset"] = pinset
    if clients is not None:
        row["clients"] = clients
    where = ("apps", app, "releases")
    edit: Edit = SetValue(where, [row]) if not own.releases else Insert((*where, _place(own, version, released)), row)
    return Rotation(change=Change(f"add release {app} {version}", (edit,)), pinsets=())


def add_event(policy: Policy, event: str, at: date | datetime, *, action: bool = False, scenario: str = "",
              note: str = "") -> Rotation:  # fmt: skip
    """Put an event or an action into the calendar, or into a scenario, which is made where it does not exist."""
    row: dict[str, Plain] = {"date": at, "action" if action else "event": event}
    if note:
        row["note"] = note
    where: tuple[str, ...] = ("scenarios", scenario) if scenario else ("calendar",)
    rows = policy.scenarios.get(scenario, ()) if scenario else policy.calendar
    edit: Edit = Insert((*where, len(rows)), row) if rows else SetValue(where, [row])
    what = f"scenario {scenario}" if scenario else "the calendar"
    return Rotation(change=Change(f"add {event} to {what}", (edit,)), pinsets=())


def free_name(name: str, taken: Iterable[str], path: str) -> None:
    """Refuse a name that something else has."""
    if name in taken:
        raise UsageError(Problem("this name is taken", path=path, value=name))


def _known(name: str, known: Iterable[str], path: str) -> None:
    names = list(known)
    if name not in names:
        raise UsageError(Problem("not known", path=path, value=name, hint=did_you_mean(name, names)))


def _changed(
    policy: Policy, name: str, primary: Sequence[str], backups: Sequence[str], today: date
) -> tuple[list[Edit], str, tuple[str, ...]]:
    """Change the keys of a pinset: in place, or as a new one where other pins have shipped."""
    held = policy.pinsets[name]
    if set(held.keys) != {*primary, *backups} and held.delivery == "release" and _has_shipped(policy, name, today):
        target = next_name(name, policy.pinsets)
        edits: list[Edit] = [SetValue(("pinsets", target), _table(held, primary, backups))]
        note = f"{name} has shipped and stays as it is; {target} is for the next release"
        return [*edits, *repointed(policy, name, target, today)], target, (note,)
    edits = []
    if tuple(primary) != held.primary:
        edits.append(SetValue(("pinsets", name, "primary"), primary[0] if len(primary) == 1 else list(primary)))
    if tuple(backups) != held.backups:
        edits.append(SetValue(("pinsets", name, "backups"), list(backups)))
    return edits, name, ()


def _has_shipped(policy: Policy, pinset: str, today: date) -> bool:
    for app in policy.apps.values():
        if not app.releases and pinset in app.pinset.values():
            return True
        for release in app.releases:
            used = app.pinset if release.pinset is None else release.pinset
            if pinset in used.values() and (release.released is None or release.released <= today):
                return True
    return False


def _table(held: Pinset, primary: Sequence[str], backups: Sequence[str]) -> dict[str, Plain]:
    table = {name: value for name, value in as_table(held).items() if name not in ("primary", "backups")}
    first: dict[str, Plain] = {}
    if primary:
        first["primary"] = primary[0] if len(primary) == 1 else list(primary)
    if backups:
        first["backups"] = list(backups)
    return first | table


def _place(app: App, version: str, released: date) -> int:
    ages = [(release.released or date.min, order(release.version)) for release in app.releases]
    own = (released, order(version))
    falling = len(ages) < 2 or ages[0] >= ages[-1]
    return next((i for i, age in enumerate(ages) if (age < own if falling else age > own)), len(ages))
