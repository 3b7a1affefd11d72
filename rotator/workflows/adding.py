"""Releases that are new, put into a policy that is there: what stands in it stays, comments and order too."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from rotator.files.policy_edit import apply
from rotator.files.policy_toml import read_bytes
from rotator.files.policy_write import Section, render, table_name
from rotator.files.roots import bundle_names, mozilla_bundle
from rotator.files.store import all_or_nothing, current, keep_old, locked, write
from rotator.mechanisms.base import PinConfig
from rotator.mechanisms.registry import mechanism as known_mechanism
from rotator.model.edits import Edit, Insert, Plain, SetValue
from rotator.model.names import is_host_name
from rotator.model.pins import junk_reason
from rotator.model.policy import App, Release
from rotator.model.versions import order
from rotator.simulate.question import Picture
from rotator.workflows.importing import Names
from rotator.workflows.inputs import Given, NewRelease, pin_file_of
from rotator.workflows.naming import known_keys
from rotator.workflows.opening import open_policy, reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A policy with new releases.

    Attributes:
        path: its file.
        text: what it holds now.
        difference: the lines that changed, as `diff -u` shows them; none where nothing was new.
        releases: the releases that came.
        notes: what is to be said about it.
        before: what the file held.
        side_files: shipped files that come out of git, and where they are kept beside the policy.
    """

    path: Path
    text: str
    difference: tuple[str, ...]
    releases: tuple[NewRelease, ...]
    notes: tuple[str, ...]
    before: bytes
    side_files: tuple[tuple[Path, bytes], ...] = ()

    @property
    def changed(self) -> bool:
        """Say whether anything is new."""
        return bool(self.difference)


def add(policy: str, found: Sequence[Given], today: date) -> Added:
    """Put shipped files that the policy does not know yet into it, each as a release; see `plan_add`."""
    added = plan_add(policy, found, today)
    write_added(added, today)
    return added


def plan_add(policy: str, found: Sequence[Given], today: date) -> Added:
    """Work out what putting shipped files into a policy means; nothing is written.

    Args:
        policy: the policy file.
        found: shipped files with app, version and date.
        today: the day findings about them are judged on.

    Raises:
        InputError: the policy or a file cannot be used.
    """
    before = read_bytes(policy)
    text = before.decode("utf-8-sig")
    work = _Adding(policy, open_policy(policy, today, text), today)
    for given in found:
        work.take(given)
    after = apply(text, [*work.keys(), *work.edits], policy)
    after = "\n".join([after.rstrip("\n") + "\n", *work.sections()]) if work.fresh else after
    if after != text and not work.files:
        open_policy(policy, today, after)
    changed = difflib.unified_diff(text.splitlines(), after.splitlines(), policy, policy, lineterm="", n=1)
    return Added(
        path=Path(policy),
        text=after,
        difference=tuple(changed),
        releases=tuple(work.releases),
        notes=tuple(dict.fromkeys([*work.notes, *work.strangers()])),
        before=before,
        side_files=tuple(work.files),
    )


def write_added(added: Added, today: date) -> None:
    """Write exactly what was shown, all of it or nothing; what the policy held before is kept.

    Raises:
        InputError: the policy could not be used with it, or changed since it was shown, or cannot be written.
    """
    if added.changed:
        policy = str(added.path)
        with locked(policy), all_or_nothing(added.side_files):
            open_policy(policy, today, added.text)
            keep_old(policy, added.path, added.before)
            write(added.path, added.text.encode(), expected=added.before)


@dataclass
class _Adding:
    """The additions in the making."""

    policy: str
    picture: Picture
    today: date
    edits: list[Edit] = field(default_factory=list)
    files: list[tuple[Path, bytes]] = field(default_factory=list)
    fresh: dict[str, list[tuple[Given, dict[str, Any]]]] = field(default_factory=dict)
    releases: list[NewRelease] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    strange: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.base = Path(self.policy).resolve().parent
        inventory = self.picture.inventory
        self.names = Names(whose=known_keys((), inventory), bundled=bundle_names(mozilla_bundle()[1]))
        self.names.take(inventory)
        self.order = {name: list(app.releases) for name, app in inventory.policy.apps.items()}

    def take(self, given: Given) -> None:
        """Take one shipped file in."""
        from rotator.files import pem

        pem.refuse_private_key(given.data, given.origin or given.file)
        app = self.picture.policy.apps.get(given.app)
        known = _release(app, given.version) if app is not None else None
        if known is not None:
            self._compare(given, known)
            return
        mechanism = given.mechanism or pin_file_of(given.data)
        parsed = known_mechanism(mechanism).parse(given.data, reading(given.origin or given.file, self.today))
        self._name_pins(parsed.config, given)
        row: dict[str, Any] = {"version": given.version}
        if given.released is not None:
            row["released"] = given.released
        first = self.fresh[given.app][0][1] if given.app in self.fresh else None
        usual = app.mechanism if app is not None else (first["mechanism"],) if first is not None else ()
        if list(usual) != [mechanism]:
            # The file says what one mechanism of the app enforces, and nothing of its others.
            row["mechanism"] = mechanism
        row["config"] = Path(os.path.relpath(os.path.realpath(given.file), self.base)).as_posix()
        given.refuse_another()
        if given.new_file:
            self.files.append((Path(given.file), given.data))
        self.releases.append(NewRelease.of(given))
        if app is None:
            self.fresh.setdefault(given.app, []).append((given, row))
        else:
            self._insert(given, app, row)

    def _compare(self, given: Given, known: Release) -> None:
        """Say where a release that is known shipped another file than the one found."""
        for file in (known.config or {}).values():
            there = current(Path(file))
            if there is not None and there != given.data and len(known.config or {}) == 1:
                what = f"its file in the policy is not the one of {given.origin}; left as it is"
                self.notes.append(f"{given.app} {given.version}: {what}")

    def _name_pins(self, config: PinConfig, given: Given) -> None:
        for entry in config.pinned:
            for pin in entry.pins:
                if junk_reason(pin.digest) is None and not pin.kind.of_certificate:
                    self.names.authority(pin) if self.names.of_ca(pin) else self.names.key(pin)
            for cover in entry.covers:
                policy = self.picture.policy
                hosts = [name for label in policy.hosts for name in policy.host_names(label)]
                if is_host_name(cover.name) and not any(cover.matches(host) for host in hosts):
                    self.strange.setdefault((given.app, cover.name), []).append(given.version)

    def strangers(self) -> Iterator[str]:
        """Say which names are pinned that no host of the policy has, once for all versions of an app."""
        for (app, name), versions in self.strange.items():
            some = ", ".join(versions[-3:]) + (f" and {len(versions) - 3} more" if len(versions) > 3 else "")
            yield f"{app} {some} pins {name}, which is no host of the policy: add it under [hosts] to have it judged"

    def _insert(self, given: Given, app: App, row: dict[str, Plain]) -> None:
        """Put a row where its date and version belong, in the order the list is in."""
        rows = self.order[given.app]
        own = _age(given.released, given.version)
        ages = [_age(release.released, release.version) for release in rows]
        falling = len(ages) < 2 or ages[0] >= ages[-1]
        at = next((i for i, age in enumerate(ages) if (age < own if falling else age > own)), len(ages))
        rows.insert(at, Release(version=given.version, released=given.released))
        where = ("apps", given.app, "releases")
        if len(rows) == 1 and not app.releases:
            self.edits.append(SetValue(where, [row]))
        else:
            self.edits.append(Insert((*where, at), row))

    def keys(self) -> Iterator[Edit]:
        """Give the keys and authorities that have names now and had none."""
        for table in (self.names.authorities_section(), self.names.keys_section()):
            for name, value, _ in table.lines:
                yield SetValue((table.header, name), value, inline=True)

    def sections(self) -> Iterator[str]:
        """Write apps that the policy does not have."""
        for name, rows in self.fresh.items():
            section = Section(table_name("apps", name))
            section.add("mechanism", rows[0][1].pop("mechanism"))
            hosts = list(self.picture.policy.hosts)
            section.add("trust", self._usual_trust())
            section.add("hosts", hosts or None)
            section.add("releases", [row for _, row in reversed(rows)])
            yield render([], [section]).lstrip("\n")

    def _usual_trust(self) -> str | None:
        """Give the trust store that every app of the policy has, where it is the same one."""
        stores = [dict(app.trust) for app in self.picture.policy.apps.values()]
        if not stores or len(stores[0]) != 1 or any(store != stores[0] for store in stores):
            return None
        (name,) = stores[0]
        return name


def _release(app: App, version: str) -> Release | None:
    return next((release for release in app.releases if version in (release.version, *release.also)), None)


def _age(released: date | None, version: str) -> tuple[date, tuple[tuple[int, int, str], ...]]:
    return released or date.min, order(version)
