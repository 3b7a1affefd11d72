"""Which app each file of counts is about, and which of several files counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from rotator.errors import InputError, Problem, UsageError
from rotator.model.names import did_you_mean
from rotator.model.policy import App, Policy, Release
from rotator.model.systems import System, parse_system

if TYPE_CHECKING:
    from rotator.model.counting import Reading

#: Mechanisms that one platform alone has.
PLATFORMS = {
    "android-nsc": "android",
    "trustkit-android": "android",
    "apple-ats": "ios",
    "trustkit-ios": "ios",
    "alamofire": "ios",
    "afnetworking": "ios",
}


@dataclass(frozen=True, kw_only=True)
class Matched:
    """The files about one app.

    Attributes:
        app: its name in the policy.
        counts: the files whose versions count: one, or several parts of one report.
        totals: files with the clients of the whole app.
        systems: files with clients by system alone.
        readings: all files that are used.
        unused: older files, and the same again.
        notes: what a person should know.
    """

    app: str
    counts: tuple[Reading, ...]
    totals: tuple[Reading, ...]
    systems: tuple[Reading, ...]
    readings: tuple[Reading, ...]
    unused: tuple[Reading, ...]
    notes: tuple[str, ...] = ()


def platform_of(app: App) -> str:
    """Give `android` or `ios` where an app's mechanisms tell, else ""."""
    found = {PLATFORMS[name] for name in app.mechanism if name in PLATFORMS}
    return found.pop() if len(found) == 1 else ""


def newest_release(app: App) -> Release | None:
    """Give the release that went out last, or will; the first in the file where no dates tell."""
    dated = [release for release in app.releases if release.released is not None]
    if dated:
        return max(dated, key=lambda release: release.released or date.min)
    return app.releases[0] if app.releases else None


def newest_need(app: App, platform: str) -> tuple[str, System] | None:
    """Give the release that needs the newest system, and that system; None where no release says what it needs.

    A release that says nothing needs no less than those before it.
    """
    newest = newest_release(app)
    own = [(r.version, parse_system(r.min_os or app.min_os or "", platform)) for r in app.releases]
    known = [(name, system) for name, system in own if system is not None and system.platform == platform]
    if not known:
        return None
    return max(known, key=lambda pair: (pair[1], newest is not None and pair[0] == newest.version))


def match(
    policy: Policy, labelled: Sequence[tuple[str, Reading]], builds: Mapping[str, tuple[int, ...]]
) -> tuple[Matched, ...]:
    """Find the app of each file, and choose among files about the same app; the order of the files does not matter.

    Args:
        policy: the policy.
        labelled: each file with the app a person named for it, "" where nobody did.
        builds: version codes that a person named, by version.

    Raises:
        InputError: a file could be about several apps, or two files count one app in different ways.
    """
    by_app: dict[str, list[Reading]] = {}
    problems: list[Problem] = []
    waiting: list[Reading] = []
    for label, reading in labelled:
        try:
            app = _app_of(policy, label, reading, builds)
        except InputError as error:
            problems += error.problems
            continue
        if app:
            by_app.setdefault(app, []).append(reading)
        else:
            waiting.append(reading)
    # Files without versions say no app by themselves: they belong to the one whose versions the same source counts.
    for reading in waiting:
        named = {a for a, found in by_app.items() if any(_same_app(reading, other) for other in found)}
        if len(named) == 1:
            by_app[named.pop()].append(reading)
        else:
            problems.append(_which(reading, sorted(named) or list(policy.apps)))
    if problems:
        raise InputError(problems)
    return tuple(_chosen(app, by_app[app]) for app in policy.apps if app in by_app)


def _same_app(one: Reading, other: Reading) -> bool:
    return other.by_version and one.source == other.source and (not one.app or not other.app or one.app == other.app)


def _app_of(policy: Policy, label: str, reading: Reading, builds: Mapping[str, tuple[int, ...]]) -> str:
    """Find the app of a file by name, then by its version codes and versions, then by platform."""
    for name in (label, reading.app if reading.named else ""):
        if name and name not in policy.apps:
            raise UsageError(
                Problem(
                    "the policy has no such app",
                    file=reading.file,
                    value=name,
                    expected=", ".join(policy.apps),
                    hint=did_you_mean(name, policy.apps),
                )
            )
        if name:
            return name
    platform = [
        name for name, app in policy.apps.items() if not reading.platform or platform_of(app) in (reading.platform, "")
    ]
    hits = [name for name in platform if _knows(policy.apps[name], reading, builds)]
    if len(hits) == 1:
        return hits[0]
    sure = [name for name in hits or platform if reading.platform and platform_of(policy.apps[name])]
    if len(sure) == 1:
        return sure[0]
    if not reading.by_version:
        return ""
    if len(platform) == 1 and not hits:
        return platform[0]
    raise InputError(_which(reading, hits or platform or list(policy.apps)))


def _which(reading: Reading, names: Sequence[str]) -> Problem:
    return Problem(
        "which app is it about?",
        file=reading.file,
        value=reading.app or None,
        expected=" or ".join(f"{name}={reading.file}" for name in names[:4]) or "an app in the policy",
        hint="version codes in builds = [...] of the releases tell" if reading.platform == "android" else "",
    )


def _knows(app: App, reading: Reading, builds: Mapping[str, tuple[int, ...]]) -> bool:
    names = {version for release in app.releases for version in (release.version, *release.also)}
    codes = {code for release in app.releases for code in release.builds}
    codes |= {code for version in names for code in builds.get(version, ())}
    return any(
        tally.build in codes if tally.build is not None else tally.version.removeprefix("v") in names
        for tally in reading.tallies
        if tally.label
    )


def _chosen(app: str, readings: Sequence[Reading]) -> Matched:
    """Choose the newest of the files about one app; different ways of counting are never mixed."""
    distinct = list({_identity(reading): reading for reading in sorted(readings, key=_order)}.values())
    again = [r for r in readings if all(r is not kept for kept in distinct)]
    counts = [r for r in distinct if r.by_version]
    totals = [r for r in distinct if r.total is not None and not r.tallies]
    systems = [r for r in distinct if r.tallies and not r.by_version]
    others = [r for r in distinct if r.opt_in is not None]
    if not counts:
        raise InputError(
            Problem(
                "counts no versions",
                file=distinct[0].file,
                value=distinct[0].title,
                hint="it goes with a file that does; give both",
            )
        )
    ways = sorted({f"{r.title.partition(' (')[0]}, {r.unit or 'unit not said'}" for r in counts})
    if len(ways) > 1:
        raise InputError(
            Problem(
                f"two ways of counting {app}, which are never added",
                file=counts[0].file,
                value="; ".join(ways),
                hint="give one of them",
            )
        )
    used = list(_newest(app, counts))
    mixes = _latest(systems)
    kept = [*used, *_latest(totals), *mixes, *_latest(others)]
    unused = [r for r in (*distinct, *again) if all(r is not k for k in kept)]
    return Matched(
        app=app,
        counts=tuple(used),
        totals=tuple(_latest(totals)),
        systems=tuple(mixes),
        readings=tuple(kept),
        unused=tuple(sorted(unused, key=_order)),
    )


def _newest(app: str, counts: Sequence[Reading]) -> Iterator[Reading]:
    """Give the file of the newest day; the parts of one report together, and of two made later the last."""
    found = _latest(counts)
    last = max((r.processed or date.min for r in found), default=date.min)
    found = [r for r in found if (r.processed or date.min) == last]
    seen: set[tuple[str, ...]] = set()
    for reading in found:
        keys = reading.keys or {(t.version, str(t.build), t.os) for t in reading.tallies}
        if seen & keys:
            raise InputError(
                Problem(
                    f"two files count the same clients of {app} on the same day",
                    file=reading.file,
                    value=str(reading.day),
                    hint="a report made later replaces an earlier one: give the later one alone",
                )
            )
        seen |= keys
        yield reading


def _latest(readings: Sequence[Reading]) -> list[Reading]:
    newest = max((r.day or date.min for r in readings), default=date.min)
    return [r for r in readings if (r.day or date.min) == newest]


def _identity(reading: Reading) -> tuple[object, ...]:
    """Tell files apart by what they say, not by their names."""
    return (reading.kind, reading.app, reading.unit, reading.day, reading.tallies, reading.total, reading.opt_in)


def _order(reading: Reading) -> tuple[object, ...]:
    return (reading.day or date.min, reading.kind, reading.file, str(reading.tallies))
