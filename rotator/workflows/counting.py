"""Take user counts from files of the stores into a policy: first shown, then written."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from rotator.errors import InputError, Problem, UnsafeError, UsageError
from rotator.files.counts.reader import read_counts
from rotator.files.fleet_table import read_history
from rotator.files.policy_toml import read_bytes
from rotator.files.store import current, digest, keep_old, locked, write
from rotator.model.counting import Reading
from rotator.model.edits import Change, Edit, Plain, SetValue
from rotator.model.policy import Count, Policy
from rotator.report import counting as said
from rotator.report.counting import LastImport
from rotator.report.document import Document
from rotator.simulate.census import AppCensus, Stated, take
from rotator.simulate.cohorts import add
from rotator.simulate.matching import match
from rotator.simulate.question import Picture
from rotator.simulate.spreading import Clients
from rotator.simulate.tables import FleetRow
from rotator.workflows.changing import edited
from rotator.workflows.inputs import Given
from rotator.workflows.opening import open_policy
from rotator.workflows.pinset_files import FileChange, home_of
from rotator.workflows.remembering import history_file

COLUMNS = ("app", "version", "os", "low", "high", "date", "unit")


@dataclass(frozen=True, kw_only=True)
class Import:
    """Everything an import would do, as shown before it is done.

    Attributes:
        picture: the policy it starts from.
        apps: the count of each app.
        files: the policy or its fleet file, then the record of counts of each app.
        last: what was imported before, by app.
        refused: why it is refused, each with what would help.
    """

    picture: Picture
    apps: tuple[AppCensus, ...]
    files: tuple[FileChange, ...]
    last: Mapping[str, LastImport]
    refused: tuple[Problem, ...] = ()

    @property
    def beyond(self) -> tuple[str, ...]:
        """Say which apps have more clients of unknown versions than the policy calls noise."""
        floor = self.picture.policy.limits.noise_floor
        return tuple(
            f"{app.app}: {app.lost.high:,} clients run versions that the policy does not know"
            for app in self.apps
            if app.unknown and app.lost.high > floor * sum(t.used for t in app.readings)
        )

    def refuse(self) -> None:
        """Refuse what must not be added.

        Raises:
            UnsafeError: with every reason.
        """
        if self.refused:
            raise UnsafeError("\n".join(f"refused: {problem}" for problem in self.refused))


def plan_import(
    file: str,
    picture: Picture,
    inputs: Sequence[Given],
    stated: Stated,
    columns: Mapping[str, str] | None,
    now: datetime,
) -> Import:
    """Work out what files of counts mean for a policy; nothing is written.

    Args:
        file: the policy file.
        picture: the policy, open.
        inputs: the files, each with the app a person named for it.
        stated: what a person says beside them.
        columns: the names of columns by what they hold, for a table of no known kind.
        now: the instant of the import.

    Raises:
        UsageError: what was said cannot be meant for several apps.
        InputError: a file cannot be used, or cannot be matched with an app.
    """
    policy = picture.policy
    labelled = [
        (given.app, _dated(reading, now.date()))
        for given in inputs
        for reading in read_counts(given.data, given.file, now.date(), columns)
    ]
    matched = match(policy, labelled, stated.builds)
    if len(matched) > 1 and (stated.unit or stated.scale or stated.total is not None):
        raise UsageError(
            Problem(
                "--unit, --scale and --total are about one app",
                value=", ".join(m.app for m in matched),
                hint="import the files of each app by themselves",
            )
        )
    if stated.opt_in is not None and not any(r.opted_in for m in matched for r in m.counts):
        raise UsageError(
            Problem("--opt-in is about devices that agreed to be counted", expected="a file of the App Store")
        )
    apps = tuple(take(policy, found, stated) for found in matched)
    _no_such_version(policy, apps, stated)
    return Import(
        picture=picture,
        apps=apps,
        files=tuple(_files(file, picture, apps, now)),
        last={app.app: found for app in apps if (found := _last(file, app)) is not None},
        refused=(*_nothing_known(apps), *_unlike(policy, apps)),
    )


def _dated(reading: Reading, today: date) -> Reading:
    if reading.day is not None:
        return reading
    return replace(reading, day=today, notes=(*reading.notes, "assumed: of today, since the file says no day"))


def _no_such_version(policy: Policy, apps: Sequence[AppCensus], stated: Stated) -> None:
    known = {v for app in apps for r in policy.apps[app.app].releases for v in (r.version, *r.also)}
    wrong = [version for version in stated.builds if version not in known]
    if wrong:
        raise UsageError([Problem("no release has this version", path="--builds", value=version) for version in wrong])


def _nothing_known(apps: Sequence[AppCensus]) -> Iterator[Problem]:
    """Refuse files of which no version is in the policy: they would say that nobody is left."""
    for app in apps:
        if not any(row.seen for row in app.releases):
            hint = said.codes_to_say([app]) or "add the releases with what they pin"
            yield Problem(f"no version of the file is a release of {app.app}", hint=hint)


def _unlike(policy: Policy, apps: Sequence[AppCensus]) -> Iterator[Problem]:
    """Refuse counts that cannot be added to those of the other apps, where they could be before."""
    counted = {app.app: app.unit for app in apps}
    before = {name: app.counts.unit for name, app in policy.apps.items() if app.counts and app.counts.unit}
    after = {name: unit for name, unit in {**before, **counted}.items() if unit}
    if len(set(after.values())) > 1 and set(after.values()) != set(before.values()):
        told = "; ".join(f"{name} in {unit}" for name, unit in after.items())
        hint = "--opt-in LOW-HIGH scales opted-in devices; --scale LOW-HIGH with --unit scales anything, as assumed"
        yield Problem(f"unlike units are never added: {told}", hint=hint)


# --- what is written --------------------------------------------------------------------------------------------------


def _files(file: str, picture: Picture, apps: Sequence[AppCensus], now: datetime) -> Iterator[FileChange]:
    home = home_of(file)
    edits = [edit for app in apps for edit in _edits(file, picture.policy, app)]
    old = read_bytes(file)
    new = edited(file, old, [Change("counts", tuple(edits))]) if edits else old
    if edits:
        open_policy(file, now.date(), new.decode("utf-8-sig"))
    yield FileChange(path=home / Path(file).name, what="the updated policy", home=home, old=old, new=new)
    if picture.policy.fleet is not None:
        names = {app.app for app in apps}
        rows = [row for row in read_history(picture.policy.fleet) if row.app not in names]
        target = Path(picture.policy.fleet)
        text = _csv([*(row for app in apps for row in app.table), *rows])
        yield FileChange(path=target, what="the fleet table", home=home, old=current(target), new=text)
    for app in apps:
        target = history_file(file, app.app)
        rows = [row for row in _history(target) if row.day != app.day]
        order = sorted([*rows, *app.table], key=lambda row: row.day or date.min)
        yield FileChange(path=target, what="counts over time", home=home, old=current(target), new=_csv(order))


def _history(path: Path) -> tuple[FleetRow, ...]:
    return read_history(str(path)) if current(path) is not None else ()


def _last(file: str, app: AppCensus) -> LastImport | None:
    rows = _history(history_file(file, app.app))
    days = [row.day for row in rows if row.day is not None]
    if not days:
        return None
    newest = max(days)
    found: dict[str, Count] = {}
    for row in rows:
        if row.day == newest:
            found[row.version] = add((found.get(row.version, Count(low=0, high=0)), row.clients))
    return LastImport(day=newest, clients=found)


def _csv(rows: Iterable[FleetRow]) -> bytes:
    out = io.StringIO(newline="")
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(COLUMNS)
    for row in rows:
        day = "" if row.day is None else row.day.isoformat()
        lines.writerow((row.app, row.version, row.os, row.clients.low, row.clients.high, day, row.unit))
    return out.getvalue().encode()


def _edits(file: str, policy: Policy, app: AppCensus) -> Iterator[Edit]:
    """Give the edits of one app: only what changes."""
    here = ("apps", app.app)
    for index, codes in app.builds.items():
        yield SetValue((*here, "releases", index, "builds"), list(codes))
    if policy.fleet is None:
        for row in app.releases:
            if row.after is not None and row.after != row.before:
                place = ("clients",) if row.index < 0 else ("releases", row.index, "clients")
                yield SetValue((*here, *place), _plain(row.after), inline=True)
        before, after = app.unseen
        if after is not None and after != before and (after.high or before is not None):
            yield SetValue((*here, "unseen"), _plain(after), inline=True)
    own = policy.apps[app.app].counts
    wanted = _counts(file, app)
    if app.spread == "measured" and (own is None or own.spread == "measured"):
        del wanted["spread"]
    if own is None:
        yield SetValue((*here, "counts"), wanted, inline=True)
    else:
        known: dict[str, object] = {
            name: getattr(own, name) for name in ("source", "unit", "basis", "spread", "date", "opt_in")
        }
        known["file"] = None if own.file is None else Path(os.path.relpath(own.file, home_of(file))).as_posix()
        for key, value in wanted.items():
            if known[key] != value:
                yield SetValue((*here, "counts", key), value)
    if policy.measured is None and app.day is not None:
        yield SetValue(("measured",), app.day)


def _counts(file: str, app: AppCensus) -> dict[str, Plain]:
    """Give where the numbers came from, as the policy writes it."""
    first = min((r.file for r in app.readings if r.by_version and r.file != "-"), default="")
    path = Path(os.path.relpath(os.path.realpath(first), os.path.realpath(home_of(file)))).as_posix() if first else ""
    found: dict[str, Plain | None] = {
        "source": app.source,
        "unit": app.unit or None,
        "basis": app.basis,
        "date": app.day,
        "spread": app.spread,
        "file": path or None,
        "opt_in": None if app.opt_in is None else round(sum(app.opt_in) / 2, 4),
    }
    return {key: value for key, value in found.items() if value is not None}


def _plain(clients: Clients) -> Plain:
    if isinstance(clients, Count):
        return clients.high if clients.exact else {"low": clients.low, "high": clients.high}
    return {name: _plain(count) for name, count in clients.items()}


def write_import(file: str, plan: Import, *, keep: bool = True) -> list[Path]:
    """Write exactly what was shown; what a file held before is kept, unless nobody has seen it yet.

    Raises:
        UnsafeError: it is refused.
        InputError: a file changed since it was shown, or cannot be written.
    """
    plan.refuse()
    written: list[Path] = []
    with locked(file):
        for change in plan.files:
            if current(Path(os.path.realpath(change.path))) != change.old:
                raise InputError(Problem("changed since it was shown, so nothing was written", file=str(change.path)))
        for change in plan.files:
            if change.changed:
                if change.old is not None and keep:
                    keep_old(file, change.path, change.old)
                write(change.path, change.new, expected=change.old)
                written.append(change.path)
    return written


# --- how it is shown --------------------------------------------------------------------------------------------------


def to_json(plan: Import, *, written: bool) -> dict[str, object]:
    """Give an import as plain JSON values."""
    return {
        "schema": 1,
        "policy": {"name": plan.picture.policy.name, "sha256": plan.picture.digest},
        "apps": [said.to_json(app, plan.last.get(app.app)) for app in plan.apps],
        "files": [
            {
                "path": str(change.path),
                "what": change.what,
                "change": {"+": "new", "~": "changed", "=": "same"}[change.sign],
                "sha256": digest(change.new),
            }
            for change in plan.files
        ],
        "refused": [{"what": problem.message, "hint": problem.hint} for problem in plan.refused],
        "beyond": list(plan.beyond),
        "written": written,
    }


def to_document(plan: Import) -> Document:
    """Write an import for people."""
    record = {history_file(plan.picture.policy.file, app.app).name for app in plan.apps}
    diffs = [
        (change.shown, change.diff())
        for change in plan.files
        if change.changed and not (change.what == "counts over time" and change.path.name in record)
    ]
    refused = [f"Refused: {problem.message}." for problem in plan.refused]
    return said.to_document(plan.picture.policy.name, plan.apps, plan.last, refused, [] if refused else diffs)
