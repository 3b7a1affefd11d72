"""Clients by operating system: joint with versions where a file has both, else the worst that one mix allows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from rotator.model.counting import Reading, Tally, merged
from rotator.model.policy import App, Count, Policy, Release
from rotator.model.systems import System, parse_system
from rotator.simulate.cohorts import add, split, store_of
from rotator.simulate.matching import newest_need

Clients = Count | Mapping[str, Count]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The clients of one release, before and after.

    Attributes:
        index: its place in the policy, -1 for an app without releases.
        version: its version.
        before, after: its clients, or by trust store; None when nobody knows.
        seen: whether the files show it.
        later: whether it went out after the clients were counted, so that nobody runs it in these numbers.
    """

    index: int
    version: str
    before: Clients | None
    after: Clients | None
    seen: bool
    later: bool = False


def whole(clients: Clients) -> Count:
    """Give the clients of all trust stores together."""
    return clients if isinstance(clients, Count) else add(clients.values())


@dataclass(kw_only=False)
class Spread:
    """The systems of one app's clients.

    Attributes:
        policy, app: whose clients.
        systems: files with clients by system alone.
        platform: what a bare number is of.
        notes: what was assumed.
        assumed: whether the clients of trust stores stand on an assumption.
    """

    policy: Policy
    app: App
    systems: tuple[Reading, ...]
    platform: str
    notes: list[str] = field(default_factory=list)
    assumed: bool = False

    def over(self, releases: Sequence[Counted], tallies: Mapping[int, Sequence[Tally]]) -> list[Counted]:
        """Give the clients of each release by trust store, where the app has several.

        Args:
            releases: the releases with all their clients.
            tallies: what files say of each, by its index.
        """
        if all(len(self._stores(counted)) < 2 for counted in releases):
            return list(releases)
        if any(tally.os for found in tallies.values() for tally in found):
            return [
                replace(c, after=self._by_store(tallies[c.index], self._stores(c))) if c.seen else c for c in releases
            ]
        self.assumed = True
        if self.systems:
            return self._worst(releases)
        return [self._as_before(counted) if counted.seen else counted for counted in releases]

    def stuck(self, tallies: Mapping[int, Sequence[Tally]]) -> tuple[Count | None, str]:
        """Count the clients whose system is too old for the newest release, and say what it needs."""
        need = newest_need(self.app, self.platform)
        if need is None:
            return None, "no release says its min_os"
        name, needed = need
        found = [t for own in tallies.values() for t in own]
        if any(t.os for t in found):
            return add(t.clients for t in found if _older(t.os, needed, self.platform)), f"{name} needs {needed.text}"
        mix = self._mix()
        if not mix:
            return None, f"{name} needs {needed.text}; no file says which systems people have"
        share = sum(part for os, part in mix.items() if _older(os, needed, self.platform))
        every = add(t.clients for t in found)
        few = Count(low=math.floor(every.low * share + 1e-9), high=math.ceil(every.high * share - 1e-9))
        return few, f"{name} needs {needed.text}"

    def _stores(self, counted: Counted) -> dict[str, float]:
        release = self.app.releases[counted.index] if counted.index >= 0 else None
        return dict(release.trust if release is not None and release.trust is not None else self.app.trust)

    def _by_store(self, tallies: Sequence[Tally], shares: Mapping[str, float]) -> Clients:
        """Add up by trust store; a system that no store names is split by the shares of the policy."""
        if len(shares) < 2:
            return add(tally.clients for tally in tallies)
        listed = {name: self.policy.trust[name].os for name in shares}
        found = dict.fromkeys(shares, Count(low=0, high=0))
        for tally in tallies:
            store = store_of(tally.os, listed, self.platform)
            if store is None:
                self.assumed = True
                shown = tally.os or "clients without a system"
                self.notes.append(f"assumed: no trust store names {shown}, split by the shares of the policy")
            for name, count in (split(tally.clients, shares) if store is None else {store: tally.clients}).items():
                found[name] = add((found[name], count))
        return found

    def _as_before(self, counted: Counted) -> Counted:
        """Split as the policy did; without such a split the shares of the policy do it later."""
        after = counted.after
        if not isinstance(counted.before, Mapping) or not isinstance(after, Count):
            return counted
        old = add(counted.before.values()).high
        if not old:
            return counted
        self.notes.append("assumed: the share of each trust store is as it was")
        return replace(counted, after=split(after, {name: count.high / old for name, count in counted.before.items()}))

    def _worst(self, releases: Sequence[Counted]) -> list[Counted]:
        """Spread one mix of systems over the releases: the newest system on the newest release.

        That leaves the oldest systems to the oldest releases, which is the worst that the mix allows for them.
        """
        self.notes.append("assumed: one mix of systems for all versions, the newest on the newest version")
        order = sorted((c for c in releases if c.seen), key=self._age, reverse=True)
        total = sum(whole(c.after).high for c in order if c.after is not None)
        mix = self._mix()
        sizes = split(Count(low=total, high=total), mix)
        waiting = [(name, sizes[name].high) for name in mix]
        found: dict[int, Clients] = {}
        for counted in order:
            size = whole(counted.after or Count(low=0, high=0))
            taken: list[Tally] = []
            rest = size.high
            while rest and waiting:
                name, left = waiting.pop(0)
                some = min(rest, left)
                taken.append(Tally(os=name, clients=Count(low=some, high=some)))
                rest -= some
                if left > some:
                    waiting.insert(0, (name, left - some))
            by_store = self._by_store(taken, self._stores(counted))
            found[counted.index] = size if isinstance(by_store, Count) else _narrowed(by_store, size)
        return [replace(c, after=found[c.index]) if c.index in found else c for c in releases]

    def _mix(self) -> dict[str, float]:
        """Give the share of each system, newest first; those that cannot be read stand last, as the oldest."""
        counts = {t.os: t.clients.high for t in merged(t for r in self.systems for t in r.tallies)}
        total = sum(counts.values())

        def version(name: str) -> tuple[int, ...]:
            system = parse_system(name, self.platform)
            return system.version if system is not None else ()

        return {name: counts[name] / total for name in sorted(counts, key=version, reverse=True)} if total else {}

    def _age(self, counted: Counted) -> tuple[date, tuple[int, ...]]:
        """Order releases by the day they went out, then by the numbers of their versions."""
        release: Release | None = self.app.releases[counted.index] if counted.index >= 0 else None
        numbers = tuple(int(part) for part in counted.version.replace("-", ".").split(".") if part.isdecimal())
        return (release.released if release and release.released else date.min), numbers


def _older(os: str, needed: System, platform: str) -> bool:
    system = parse_system(os, platform)
    return system is not None and system.older(needed)


def _narrowed(by_store: Mapping[str, Count], size: Count) -> dict[str, Count]:
    """Bring the low ends down, so that they add up to the low end of the whole."""
    if size.exact or not size.high:
        return dict(by_store)
    lows = split(Count(low=size.low, high=size.low), {name: c.high / size.high for name, c in by_store.items()})
    return {name: Count(low=min(lows[name].high, count.high), high=count.high) for name, count in by_store.items()}
