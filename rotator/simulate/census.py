"""From what files of counts say to the clients of each release: mapped, scaled, spread, and every loss told.

Nothing here guesses in silence: a version the policy does not know is dropped by name, unlike counts are refused, and
what is scaled or assumed says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from rotator.errors import InputError, Problem
from rotator.model.counting import Reading, Tally, merged
from rotator.model.policy import App, Count, Policy, Release
from rotator.simulate.cohorts import UNSEEN, add
from rotator.simulate.matching import Matched, platform_of
from rotator.simulate.spreading import Clients, Counted, Spread, whole
from rotator.simulate.tables import FleetRow

OPT_IN_DOUBT = 0.02
"""How far a share of new users who agree may be from that of all users, to both sides; assumed."""
Range = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What a person says beside the files.

    Attributes:
        unit: what is counted, in place of what the file says.
        opt_in: the share of users who are counted at all.
        scale: what to multiply by.
        total: all clients by version or hidden, where no file says it.
        builds: version codes by version, to be written into the policy.
        count_unknown: count versions that the policy does not know among those unseen, instead of dropping them.
    """

    unit: str = ""
    opt_in: Range | None = None
    scale: Range | None = None
    total: int | None = None
    builds: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    count_unknown: bool = False


@dataclass(frozen=True, kw_only=True)
class AppCensus:
    """The clients of one app.

    Attributes:
        app: its name in the policy.
        readings: the files used.
        unused: files that are older than the one used, or the same again.
        source, unit, basis, day: as in the policy's `counts`.
        spread: whether the clients of each trust store are `measured` or `assumed`.
        opt_in: the share the numbers were scaled by; None where they were not.
        releases: every release, in the order of the policy.
        unseen: clients of versions that the store hides, before and after.
        unknown: versions that no release has, with their clients and what may be meant.
        stuck: clients whose system is too old for the newest release; None when nobody knows.
        stuck_for: that release and the system it needs, for people.
        table: the same as rows of a fleet table.
        notes: what a person should know.
        builds: version codes to write into the policy, by release.
    """

    app: str
    readings: tuple[Reading, ...]
    unused: tuple[Reading, ...]
    source: str
    unit: str
    basis: str
    day: date | None
    spread: str
    opt_in: Range | None
    releases: tuple[Counted, ...]
    unseen: tuple[Count | None, Count | None]
    unknown: tuple[tuple[str, Count, str], ...]
    stuck: Count | None
    stuck_for: str
    table: tuple[FleetRow, ...]
    notes: tuple[str, ...]
    builds: Mapping[int, tuple[int, ...]]

    @property
    def before(self) -> Count | None:
        """Give all clients as the policy has them; None when a number is not known."""
        parts = [r.before for r in self.releases if r.before is not None or not r.later]
        return _sum([*parts, self.unseen[0] or Count(low=0, high=0)])

    @property
    def after(self) -> Count | None:
        """Give all clients as they will be."""
        parts = [r.after for r in self.releases if r.after is not None or not r.later]
        return _sum([*parts, self.unseen[1] or Count(low=0, high=0)])

    @property
    def lost(self) -> Count:
        """Add up the clients of versions that no release has, those counted as unseen too."""
        return add(count for _, count, _ in self.unknown)


def _sum(parts: Iterable[Clients | None]) -> Count | None:
    known = list(parts)
    return None if None in known else add(whole(part) for part in known if part is not None)


def take(policy: Policy, matched: Matched, stated: Stated) -> AppCensus:
    """Count the clients of one app.

    Args:
        policy: the policy.
        matched: the files about one app.
        stated: what a person says beside them.

    Raises:
        InputError: a version code belongs to two releases.
    """
    return _Work(policy, matched, stated).run()


class _Work:
    """The count of one app in progress."""

    def __init__(self, policy: Policy, matched: Matched, stated: Stated) -> None:
        self.policy, self.matched, self.stated = policy, matched, stated
        self.app: App = policy.apps[matched.app]
        self.releases: list[Release | None] = list(self.app.releases) or [None]
        self.notes: list[str] = list(matched.notes)
        self.first = matched.counts[0]
        self.builds: dict[int, tuple[int, ...]] = {}
        self.day = self.first.day
        self.platform = self.first.platform or platform_of(self.app) or "android"

    def run(self) -> AppCensus:
        opt_in = self._opt_in()
        factor = _times(_inverse(opt_in), self.stated.scale)
        tallies = [_scaled(tally, factor) for reading in self.matched.counts for tally in reading.tallies]
        by_release, unknown = self._mapped(merged(tallies))
        releases = self._releases(by_release)
        unseen = self._unseen(unknown, factor)
        spread = Spread(self.policy, self.app, self.matched.systems, self.platform)
        releases = spread.over(releases, by_release)
        stuck, needs = spread.stuck(by_release)
        self.notes += spread.notes
        unit = self.stated.unit or self.first.unit
        if self.first.opted_in and opt_in is None and not self.stated.scale and not unit.startswith("opted-in"):
            unit = f"opted-in {unit}"
        return AppCensus(
            app=self.matched.app,
            readings=self.matched.readings,
            unused=self.matched.unused,
            source=self.first.source,
            unit=unit,
            basis="measured" if factor is None else "scaled",
            day=self.day,
            spread="assumed" if spread.assumed else "measured",
            opt_in=opt_in,
            releases=tuple(releases),
            unseen=unseen,
            unknown=unknown,
            stuck=stuck,
            stuck_for=needs,
            table=tuple(self._table(releases, by_release, unseen[1], unit)),
            notes=tuple(dict.fromkeys(self.notes)),
            builds=self.builds,
        )

    # --- scaling -----------------------------------------------------------------------------------------------

    def _opt_in(self) -> Range | None:
        """Give the share of users who are counted at all, with its doubt."""
        if not self.first.opted_in:
            return None
        if self.stated.opt_in is not None:
            return self.stated.opt_in
        reported = next((r.opt_in for r in self.matched.readings if r.opt_in is not None), None)
        own = self.app.counts.opt_in if self.app.counts else None
        found = reported or ((own, own) if own is not None else None)
        if found is None:
            return None
        self.notes.append(f"assumed: the share of users who agreed is within {OPT_IN_DOUBT:.0%} of {_percent(found)}")
        return max(0.005, found[0] - OPT_IN_DOUBT), min(1.0, found[1] + OPT_IN_DOUBT)

    # --- versions ----------------------------------------------------------------------------------------------

    def _mapped(self, tallies: Sequence[Tally]) -> tuple[dict[int, list[Tally]], tuple[tuple[str, Count, str], ...]]:
        """Give the tallies of each release, and the versions that no release has."""
        names, codes = self._names(), self._codes()
        found: dict[int, list[Tally]] = {}
        unknown: dict[str, Count] = {}
        for tally in tallies:
            if self.releases == [None]:
                index: int | None = -1
            elif tally.build is not None:
                index = codes.get(tally.build)
            else:
                version = tally.version.removeprefix("v")
                index = names.get(tally.version, names.get(version))
                if index is None and version.isascii() and version.isdigit():
                    index = codes.get(int(version))
            if index is None:
                unknown[tally.label] = add((unknown.get(tally.label, Count(low=0, high=0)), tally.clients))
            else:
                found.setdefault(index, []).append(tally)
        rows = sorted(unknown.items(), key=lambda item: (-item[1].high, item[0]))
        return found, tuple((label, count, self._meant(label)) for label, count in rows)

    def _names(self) -> dict[str, int]:
        return {
            version: index
            for index, release in enumerate(self.releases)
            if release is not None
            for version in (release.version, *release.also)
        }

    def _codes(self) -> dict[int, int]:
        """Give the release of each version code, those of the policy and those that a person named."""
        names = self._names()
        found: dict[int, int] = {}
        for index, release in enumerate(self.releases):
            own = release.builds if release is not None else ()
            new = tuple(
                code
                for version, codes in self.stated.builds.items()
                if names.get(version) == index
                for code in codes
                if code not in own
            )
            if new:
                self.builds[index] = (*own, *new)
            for code in (*own, *new):
                if found.setdefault(code, index) != index:
                    other = self.releases[found[code]]
                    raise InputError(
                        Problem(
                            "this version code belongs to two releases",
                            file=self.policy.file,
                            path=f"apps.{self.matched.app}.releases[{index}].builds",
                            value=str(code),
                            hint=f"{other.version if other else ''} has it too",
                        )
                    )
        return found

    def _meant(self, label: str) -> str:
        """Say which version a code is of, where it is made of the version's numbers as usual: 70200 of 7.2.0."""
        for version in self._names():
            parts = version.split(".")
            if label.isdigit() and len(parts) <= 3 and all(part.isdigit() for part in parts):
                padded = [*map(int, parts), 0, 0][:3]
                codes = (padded[0] * 10_000 + padded[1] * 100 + padded[2], int("".join(map(str, padded))))
                if int(label) in codes:
                    return version
        return ""

    def _later(self, counted: Counted) -> bool:
        """Say whether a release went out after the clients were counted."""
        release = self.releases[counted.index]
        return bool(release and release.released and self.day and release.released > self.day)

    def _releases(self, by_release: Mapping[int, Sequence[Tally]]) -> list[Counted]:
        """Count each release; one that the files do not show is not nobody."""
        shown = [add(t.clients for t in tallies) for tallies in by_release.values()]
        smallest = min((count.high for count in shown if count.high), default=0)
        found = []
        for position, release in enumerate(self.releases):
            index = position if release is not None else -1
            before = self.app.clients if release is None else release.clients
            counted = Counted(
                index=index,
                version=release.version if release else "-",
                before=before,
                after=add(t.clients for t in by_release[index]) if index in by_release else None,
                seen=index in by_release,
            )
            if not counted.seen and self._later(counted):
                counted = replace(counted, later=True)
            elif not counted.seen:
                counted = replace(counted, after=self._absent(counted, smallest))
            found.append(counted)
        return found

    def _absent(self, counted: Counted, smallest: int) -> Clients | None:
        """Give what a release has that no file shows: stores leave small rows out, so it is not nobody."""
        missing = f"{counted.version} is not in the file"
        if self._total() is not None:
            self.notes.append(f"{missing}: its clients are among those {UNSEEN}")
            return Count(low=0, high=0)
        if counted.before is not None:
            self.notes.append(f"{missing}, and stores leave small rows out: from none to as many as before")
            return (
                Count(low=0, high=counted.before.high)
                if isinstance(counted.before, Count)
                else {name: Count(low=0, high=count.high) for name, count in counted.before.items()}
            )
        if self.first.chosen:
            self.notes.append(f"{counted.version} is not among the versions picked: not known")
            return None
        self.notes.append(f"{missing}: assumed to have no more than the smallest version shown ({smallest:,})")
        return Count(low=0, high=smallest)

    def _total(self) -> int | None:
        """Give all clients by the store's own count of the same day and unit."""
        if self.stated.total is not None:
            return self.stated.total
        own = [r.total for r in self.matched.counts if r.total is not None]
        beside = [
            r.total
            for r in self.matched.totals
            if r.total is not None and (r.day, r.unit) == (self.day, self.first.unit)
        ]
        return max([*own, *beside], default=None)

    def _unseen(
        self, unknown: Sequence[tuple[str, Count, str]], factor: Range | None
    ) -> tuple[Count | None, Count | None]:
        """Give the clients that the store counts and does not show by version, before and after."""
        before, total = self.app.unseen, self._total()
        if self.releases == [None]:
            return None, None
        found: Count | None = None
        if total is not None:
            shown = sum(t.clients.high for reading in self.matched.counts for t in reading.tallies)
            if shown > total:
                self.notes.append(f"the versions add up to {shown:,}, more than the {total:,} of the whole app")
            found = _by(Count(low=max(0, total - shown), high=max(0, total - shown)), factor)
        elif before is not None:
            found = Count(low=0, high=before.high)
            self.notes.append(f"{UNSEEN}: no file says how many, so from none to as many as before")
        for reading in self.matched.totals:
            if (reading.day, reading.unit) != (self.day, self.first.unit):
                self.notes.append(f"{reading.file} is of another day or unit and gives no total")
        if self.stated.count_unknown and unknown:
            hidden = found if found is not None and total is not None else Count(low=0, high=0)
            found = add([hidden, *(count for _, count, _ in unknown)])
        return before, found

    # --- rows --------------------------------------------------------------------------------------------------

    def _table(
        self,
        releases: Sequence[Counted],
        by_release: Mapping[int, Sequence[Tally]],
        unseen: Count | None,
        unit: str,
    ) -> Iterable[FleetRow]:
        def row(version: str, os: str, clients: Count) -> FleetRow:
            return FleetRow(app=self.matched.app, version=version, os=os, clients=clients, day=self.day, unit=unit)

        for counted in releases:
            version = "" if counted.index < 0 else counted.version
            by_os: dict[str, Count] = {}
            for tally in by_release.get(counted.index, ()):
                by_os[tally.os] = add((by_os.get(tally.os, Count(low=0, high=0)), tally.clients))
            if counted.seen:
                yield from (row(version, os, by_os[os]) for os in sorted(by_os))
            elif counted.after is not None:
                yield row(version, "", whole(counted.after))
        if unseen is not None:
            yield row(UNSEEN, "", unseen)


def _scaled(tally: Tally, factor: Range | None) -> Tally:
    return tally if factor is None else replace(tally, clients=_by(tally.clients, factor))


def _by(count: Count, factor: Range | None) -> Count:
    if factor is None:
        return count
    return Count(low=math.floor(count.low * factor[0] + 1e-9), high=math.ceil(count.high * factor[1] - 1e-9))


def _inverse(share: Range | None) -> Range | None:
    return None if share is None else (1 / share[1], 1 / share[0])


def _times(one: Range | None, other: Range | None) -> Range | None:
    if one is None or other is None:
        return one or other
    return one[0] * other[0], one[1] * other[1]


def _percent(share: Range) -> str:
    return f"{share[0]:.1%}" if share[0] == share[1] else f"{share[0]:.1%}-{share[1]:.1%}"
