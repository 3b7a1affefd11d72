"""What two versions of a policy say differently, and what that does to users: for the review of a change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, TypeAlias

from rotator.model.findings import Finding, Severity
from rotator.model.pins import Pin
from rotator.model.policy import Policy
from rotator.model.versions import order
from rotator.model.when import show
from rotator.simulate.impact import BROKEN, EXPOSED, Impact, Row, hits
from rotator.simulate.inventory import Inventory
from rotator.simulate.standard import IfRow
from rotator.simulate.totals import Total, total_of

TODAY = "today"
_INDEX = re.compile(r"^apps\.(?P<app>.+?)\.releases\[(?P<index>\d+)\]")
#: What of each table a reviewer wants to see when it changes; limits and overrides come on their own.
WATCHED: Mapping[str, tuple[str, ...]] = {
    "keys": ("status", "custody", "proved"),
    "hosts": ("names", "serves", "control", "renew_key", "renew_days", "issuer_pool", "other_clients"),
    "pinsets": ("primary", "backups", "authorities", "certificates", "covers", "mode", "combine", "delivery", "stale"),
    "apps": (
        "mechanism",
        "hosts",
        "trust",
        "break_budget",
        "floors",
        "adoption",
        "beside",
        "counts",
        "unseen",
        "cleartext",
        "review_days",
        "rollout",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a policy with everything computed that is compared.

    Attributes:
        inventory: the policy with everything looked up.
        today: the answer with nothing happening.
        drill: the five rows of the standard drill.
        findings: what a check found.
        dates: the dates ahead, each with what happens.
    """

    inventory: Inventory
    today: Impact
    drill: tuple[IfRow, ...]
    findings: tuple[Finding, ...]
    dates: tuple[tuple[date, str], ...]

    @property
    def policy(self) -> Policy:
        """Give the policy."""
        return self.inventory.policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A value that changed; None where there is none before or after."""

    path: str
    before: str | None
    after: str | None
    looser: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drilled:
    """One row of the drill, before and after.

    Attributes:
        kind, label: the row, and what happens in it after the change.
        before, after: clients broken and exposed.
        newly_broken, newly_exposed: clients that are now and were not.
        who: their apps and versions.
    """

    kind: str
    label: str
    before: tuple[Total, Total]
    after: tuple[Total, Total]
    newly_broken: Total
    newly_exposed: Total
    who: tuple[str, ...]

    @property
    def worse(self) -> bool:
        """Say whether anybody is broken or exposed who was not; nobody knows how many counts as somebody."""
        return not (self.newly_broken.none and self.newly_exposed.none)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinChange:
    """Pins that versions of an app gained and lost."""

    app: str
    versions: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    release: str = ""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Everything that is different."""

    limits: tuple[Changed, ...]
    overrides: tuple[Changed, ...]
    drill: tuple[Drilled, ...]
    pins: tuple[PinChange, ...]
    changed: tuple[Changed, ...]
    dates: tuple[Changed, ...]
    new: tuple[Finding, ...]
    gone: tuple[Finding, ...]

    @property
    def worse(self) -> bool:
        """Say whether the change makes anything worse: users newly broken or exposed, or a new warning or error."""
        return any(row.worse for row in self.drill) or bool(self.alarming)

    @property
    def alarming(self) -> tuple[Finding, ...]:
        """Give the new findings from warning up."""
        return tuple(f for f in self.new if f.severity.rank <= Severity.WARNING.rank)

    @property
    def empty(self) -> bool:
        """Say whether there is nothing to see."""
        lists = (self.limits, self.overrides, self.pins, self.changed, self.dates, self.new, self.gone)
        return not any(lists) and not any(row.worse or row.before != row.after for row in self.drill)


def difference(base: Version, now: Version) -> Difference:
    """Compare two versions of a policy, judged at the same instant."""
    new, gone = _findings(base, now)
    return Difference(
        limits=tuple(_limits(base.policy, now.policy)),
        overrides=tuple(_overrides(base.policy, now.policy)),
        drill=tuple(_drill(base, now)),
        pins=tuple(_pins(base.inventory, now.inventory)),
        changed=tuple(_changed(base.policy, now.policy)),
        dates=tuple(_dates(base, now)),
        new=new,
        gone=gone,
    )


def _limits(base: Policy, now: Policy) -> Iterator[Changed]:
    """Give changed limits; a larger budget or a shorter safety is looser."""
    for entry in fields(base.limits):
        old, new = getattr(base.limits, entry.name), getattr(now.limits, entry.name)
        if old != new:
            grows = entry.name in ("break_budget", "exposure_budget", "noise_floor", "key_max_days", "proof_days")
            grows = grows or entry.name == "sighting_days"
            looser = (new is None or (old is not None and new > old)) if grows else old is not None and new < old
            yield Changed(path=f"limits.{entry.name}", before=_text(old), after=_text(new), looser=bool(looser))


def _overrides(base: Policy, now: Policy) -> Iterator[Changed]:
    def rows(policy: Policy) -> dict[str, str]:
        return {
            f"allow {row.finding}"
            + (f" on {_named(row.subject, policy)}" if row.subject else " everywhere"): row.reason
            + (f", until {row.until}" if row.until else ", without an end")
            for row in policy.allow
        }

    for change in _both(rows(base), rows(now)):
        yield Changed(path=change.path, before=change.before, after=change.after, looser=change.after is not None)


def _drill(base: Version, now: Version) -> Iterator[Drilled]:
    olds = {TODAY: base.today, **{row.kind: row.impact for row in base.drill}}
    news = [(TODAY, "today, with nothing happening", now.today)]
    news += [(row.kind, row.label, row.impact) for row in now.drill]
    for kind, label, impact in news:
        old = olds[kind]
        broken = _newly(old, impact, "is_broken")
        exposed = _newly(old, impact, "is_exposed")
        yield Drilled(
            kind=kind,
            label=label,
            before=(old.broken, old.exposed),
            after=(impact.broken, impact.exposed),
            newly_broken=total_of(impact.fleet, hits(broken, *BROKEN)),
            newly_exposed=total_of(impact.fleet, hits(exposed, *EXPOSED)),
            who=tuple(dict.fromkeys(row.connection.cohort.name for row in (*broken, *exposed) if _counts(row))),
        )


def _counts(row: Row) -> bool:
    clients = row.connection.clients
    return clients is None or clients.high > 0


def _newly(old: Impact, new: Impact, question: str) -> list[Row]:
    """Give the rows that are bad now and were not; a version that is new is held against the newest one before it."""
    before = {_who(row): getattr(row.verdict, question) for row in old.rows}
    newest: dict[tuple[str, str, str, str], tuple[Any, bool]] = {}
    for row in old.rows:
        app, version, *rest = _who(row)
        key = (app, rest[0], rest[1], rest[2])
        rank = order(version)
        bad = getattr(row.verdict, question)
        if key not in newest or rank > newest[key][0]:
            newest[key] = (rank, bad)
        elif rank == newest[key][0]:
            newest[key] = (rank, newest[key][1] or bad)
    found = []
    for row in new.rows:
        app, version, trust, host, note = _who(row)
        known = before.get((app, version, trust, host, note))
        if known is None:
            known = newest.get((app, trust, host, note), (None, False))[1]
        if getattr(row.verdict, question) and not known:
            found.append(row)
    return found


def _who(row: Row) -> tuple[str, str, str, str, str]:
    cohort = row.connection.cohort
    return cohort.app, cohort.version, cohort.trust, row.connection.host, row.connection.note


def _pins(base: Inventory, now: Inventory) -> Iterator[PinChange]:
    old, new = _carried(base), _carried(now)
    groups: dict[tuple[str, tuple[str, ...], tuple[str, ...], str], list[str]] = {}
    for app, version in dict.fromkeys([*old, *new]):
        before, after = old.get((app, version)), new.get((app, version))
        release = "new" if before is None else "gone" if after is None else ""
        added, removed = _told(after or {}, before or {}), _told(before or {}, after or {})
        if added or removed or release:
            groups.setdefault((app, added, removed, release), []).append(version)
    for (app, added, removed, release), versions in groups.items():
        yield PinChange(app=app, versions=tuple(versions), added=added, removed=removed, release=release)


Carried: TypeAlias = dict[Pin, tuple[str, dict[str, None]]]
"""What a version carries: each pin with what it is called and the names it is for."""


def _told(own: Carried, other: Carried) -> tuple[str, ...]:
    """Name the pins that only one version carries, with the names they are for where the other has some of them.

    A pin that is called what another pin is called there is told with its digest.
    """
    called = {name for pin, (name, _) in other.items() if pin not in own}
    found = []
    for pin, (name, covers) in own.items():
        shown = f"{name} ({pin.text[:18]}...)" if name in called else name
        if pin not in other:
            found.append(shown)
        elif more := [cover for cover in covers if cover not in other[pin][1]]:
            found.append(f"{shown} for {', '.join(more)}")
    return tuple(found)


def _carried(inventory: Inventory) -> dict[tuple[str, str], Carried]:
    found: dict[tuple[str, str], Carried] = {}
    for (app, index), enforced in inventory.enforced.items():
        version = inventory.policy.apps[app].releases[index].version if index >= 0 else "-"
        pins = found.setdefault((app, version), {})
        for entry in (entry for item in enforced for entry in item.config.pinned):
            for pin in entry.pins:
                covers = pins.setdefault(pin, (inventory.label(pin), {}))[1]
                covers |= dict.fromkeys([cover.text for cover in entry.covers] or ["every host"])
    return found


def _changed(base: Policy, now: Policy) -> Iterator[Changed]:
    for table, names in WATCHED.items():
        old, new = getattr(base, table), getattr(now, table)
        for name in dict.fromkeys([*old, *new]):
            if name not in old or name not in new:
                yield Changed(
                    path=f"{table}.{name}",
                    before="there" if name in old else None,
                    after="there" if name in new else None,
                )
                continue
            for entry in names:
                before, after = getattr(old[name], entry), getattr(new[name], entry)
                if before != after:
                    yield Changed(path=f"{table}.{name}.{entry}", before=_text(before), after=_text(after))


def _dates(base: Version, now: Version) -> Iterator[Changed]:
    yield from _both(_days(base), _days(now))


def _days(version: Version) -> dict[str, str]:
    """Give every date by what it is."""
    policy = version.policy
    found = {what: day.isoformat() for day, what in version.dates}
    if policy.measured is not None:
        found["counts were measured"] = policy.measured.isoformat()
    for app, own in policy.apps.items():
        for release in own.releases:
            if release.released is not None:
                found[f"{app} {release.version} is released"] = release.released.isoformat()
    for name, pinset in policy.pinsets.items():
        if pinset.expires is not None:
            found[f"pinset {name} ends"] = _text(pinset.expires) or ""
    return found


def _both(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Changed]:
    for path in dict.fromkeys([*old, *new]):
        if old.get(path) != new.get(path):
            yield Changed(path=path, before=old.get(path), after=new.get(path))


def _findings(base: Version, now: Version) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Give the findings that are new, or worse than they were, and those that are gone."""
    old, new = _by_subject(base), _by_subject(now)
    fresh = [f for key, f in new.items() if key not in old or f.severity.rank < old[key].severity.rank]
    return tuple(fresh), tuple(f for key, f in old.items() if key not in new)


def _by_subject(version: Version) -> dict[tuple[str, str], Finding]:
    """Give findings by id and subject, the worst of each; a release is known by its version, not by its place."""
    found: dict[tuple[str, str], Finding] = {}
    for finding in version.findings:
        found.setdefault((finding.id, _named(finding.subject, version.policy)), finding)
    return found


def _named(subject: str, policy: Policy) -> str:
    match = _INDEX.match(subject)
    app = policy.apps.get(match["app"].strip('"')) if match is not None else None
    if match is None or app is None or int(match["index"]) >= len(app.releases):
        return subject
    return f"{match['app']} {app.releases[int(match['index'])].version}{subject[match.end() :]}"


def subject_of(finding: Finding, policy: Policy) -> str:
    """Show what a finding is about, a release by its version."""
    return _named(finding.subject, policy)


def _text(value: object) -> str | None:
    """Show a value in a few words."""
    if value is None:
        return None
    if hasattr(value, "hour"):
        return show(value)  # type: ignore[arg-type]  # only instants have hours
    if isinstance(value, Mapping):
        return ", ".join(f"{key or 'all'} = {_text(entry)}" for key, entry in value.items()) or "nothing"
    if isinstance(value, tuple):
        return ", ".join(_text(entry) or "" for entry in value) or "nothing"
    if hasattr(value, "__dataclass_fields__"):
        named = [(f.name, getattr(value, f.name)) for f in fields(value)]  # type: ignore[arg-type]  # as just seen
        return " ".join(f"{name}={_text(entry)}" for name, entry in named if entry not in (None, "", ()))
    return str(value)


def severities(findings: Iterable[Finding]) -> dict[str, int]:
    """Count findings by severity, the worst first, none of which there are none."""
    own: Sequence[Finding] = tuple(findings)
    counts = {str(s): sum(1 for f in own if f.severity is s) for s in sorted(Severity, key=lambda s: s.rank)}
    return {name: count for name, count in counts.items() if count}
