"""How clients come to run a newer release: the curve, the mix of people on a version, and where they are later.

People update quickly, slowly or never. Each group leaves a version like a clock without memory, so where somebody is
at a time depends on his group alone: he runs release u or a newer one as soon as he has moved since u was there for
him. A roll-out makes a release there for one part after another; a floor moves its reach of those who stand below it.

Shares are from 0 to 1, times are days. The model and the evidence for the presets stand in `docs/adoption.md`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Mix = tuple[float, float, float]
"""The shares of quick updaters, slow ones, and those who never update; they add up to 1."""
Ramp = tuple[tuple[float, float], ...]
"""A roll-out: from each day on, the share of clients a release is there for."""

AT_ONCE: Ramp = ((0.0, 1.0),)
ROLLOUTS: Mapping[str, Ramp] = {
    "at-once": AT_ONCE,
    "staged-7d": ((0.0, 0.01), (1.0, 0.05), (3.0, 0.20), (7.0, 1.0)),
    # Apple's phased release by its day 1 to 7: developer.apple.com/help/app-store-connect, "Release in phases".
    "apple-phased": ((0.0, 0.01), (1.0, 0.02), (2.0, 0.05), (3.0, 0.10), (4.0, 0.20), (5.0, 0.50), (6.0, 1.0)),
}
#: How steeply a floor is heeded: what is left of its reach falls to e^-3 by the end of its days, and ends there.
FLOOR_STEEPNESS = 3.0
_FINEST = 1 / 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How fast the clients of an app update.

    Attributes:
        fast, slow: shares of quick and slow updaters; the rest never updates.
        fast_days, slow_days: the time constants of both, in days.
        done_days: everybody who moves at all has moved by then; None: nobody can tell.
    """

    fast: float
    slow: float
    fast_days: float
    slow_days: float
    done_days: float | None = None

    @property
    def never(self) -> float:
        """Give the share that never updates."""
        return max(0.0, 1.0 - self.fast - self.slow)

    @property
    def plateau(self) -> float:
        """Give the share that updates in the end."""
        return min(1.0, self.fast + self.slow)

    @property
    def mix(self) -> Mix:
        """Give the three shares."""
        return (self.fast, self.slow, self.never)

    def moved(self, days: float) -> float:
        """Give the share that has moved so many days after a release was there for everybody: F(t)."""
        return sum(share * self.gone(group, days) for group, share in enumerate(self.mix))

    def gone(self, group: int, days: float) -> float:
        """Give the share of one group that has moved after some days."""
        if days <= 0 or group == NEVER:
            return 0.0
        if self.done_days is not None and days >= self.done_days:
            return 1.0
        return -math.expm1(-days / (self.fast_days if group == FAST else self.slow_days))

    def days_until(self, share: float, ramp: Ramp = AT_ONCE) -> float | None:
        """Give the days until a share has moved; None where it never does.

        The inverse of F, with a roll-out before it. Exact to about a minute and a half, rounded up.
        """
        if share <= 0:
            return 0.0
        limit = self.plateau * (ramp[-1][1] if ramp else 0.0)
        if share > limit - 1e-12:
            # A plateau is reached only where everybody moves by a day; elsewhere it is only come near to.
            if self.done_days is None or share > limit + 1e-12:
                return None
            return ramp[-1][0] + self.done_days
        high = 1.0
        while self.arrived(high, ramp) < share:
            high *= 2
            if high > 1 << 20:
                return None
        low = 0.0
        while high - low > _FINEST:
            middle = (low + high) / 2
            low, high = (low, middle) if self.arrived(middle, ramp) >= share else (middle, high)
        return high

    def arrived(self, days: float, ramp: Ramp) -> float:
        """Give the share of everybody that has moved some days after a release began to roll out."""
        return sum(share * self.reached(group, days, ramp) for group, share in enumerate(self.mix))

    def reached(self, group: int, days: float, ramp: Ramp, since: float = 0.0) -> float:
        """Give the share of a group that has moved to a release.

        Args:
            group: which.
            days: time since the release began to roll out.
            ramp: how it rolled out.
            since: the day of the roll-out at which all who are asked about still had not moved.
        """
        return sum(part * self.gone(group, days - max(day, since)) for day, part in parts_of(ramp))


FAST, SLOW, NEVER = 0, 1, 2
GROUPS = (FAST, SLOW, NEVER)

#: Judgement calls bracketed by published figures, no measurements: `docs/adoption.md` names them.
PRESETS: Mapping[str, Curve] = {
    "fast": Curve(fast=0.75, fast_days=2.5, slow=0.20, slow_days=25),
    "typical": Curve(fast=0.45, fast_days=2.5, slow=0.43, slow_days=45),
    "slow": Curve(fast=0.30, fast_days=3, slow=0.45, slow_days=60),
    "deploy": Curve(fast=1.0, fast_days=0.25, slow=0.0, slow_days=1, done_days=1),
}


def parts_of(ramp: Ramp) -> Iterable[tuple[float, float]]:
    """Give each day of a roll-out with the part of the clients that the release is there for from then on."""
    before = 0.0
    for day, share in ramp:
        if share > before:
            yield day, share - before
            before = share


def mix_on(
    curve: Curve, *, newest_for: float | None, since: float = 0.0, new_installs: float = 0.0, fresh_days: float = 0.0
) -> Mix:
    """Give the mix of people on a version, who are no fresh sample: the quick ones have left an old one.

    Each group weighs what it is of all, times the part of it that came while the version was the newest, times the
    part of that which is still there since its successor came. Who never updates came by a fresh install only.

    Args:
        curve: how fast clients update.
        newest_for: the days for which the version was, or is, the newest; None for the oldest one that is known, on
            which everybody was.
        since: the days since its successor came; 0 for the newest.
        new_installs: the monthly share of clients that are fresh installs.
        fresh_days: the days in which it was what people installed.
    """
    fresh = min(1.0, new_installs * fresh_days / 30)
    weights = []
    # On the day a version comes out nobody has come yet, and who comes first comes at the rate of his group.
    shortest = _FINEST if newest_for is not None and newest_for <= 0 and not since else 0.0
    for group, share in enumerate(curve.mix):
        came = 1.0 if newest_for is None else min(1.0, curve.gone(group, max(newest_for, shortest)) + fresh)
        weights.append(share * came * (1.0 - curve.gone(group, since)))
    whole = sum(weights)
    if whole <= 0:
        # Nobody can be left there by this curve, yet somebody was counted: those are the ones who stay.
        return (0.0, 0.0, 1.0)
    fast, slow, never = (weight / whole for weight in weights)
    return (fast, slow, never)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A release as a curve sees it.

    Attributes:
        rank: its place among the releases of the app, older ones lower.
        at: the day on which it began to roll out, counted from the day of the counts; below 0 for one that was out.
        ramp: how it rolls out.
    """

    rank: int
    at: float
    ramp: Ramp = AT_ONCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A floor as a curve sees it.

    Attributes:
        rank: the release below which nobody shall be.
        at: the day from which it holds, counted from the day of the counts.
        reach: the share of those who can move that it moves.
        days: by when it has moved them.
        hard: who stays below is locked out.
    """

    rank: int
    at: float
    reach: float
    days: float
    hard: bool

    def heeded(self, day: float, there: float = -math.inf) -> float:
        """Give the share of those who can move that it has moved by a day; `there` is when they could begin."""
        begun = max(self.at, there)
        if day < begun:
            return 0.0
        part = (day - begun) / self.days if self.days > 0 else 1.0
        if part >= 1:
            return self.reach
        return self.reach * math.expm1(-FLOOR_STEEPNESS * part) / math.expm1(-FLOOR_STEEPNESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where the people of one version are at a time.

    Attributes:
        on: the share on each release, by rank; they add up to 1.
        locked: the share that a hard floor has locked out, by rank: people who do not move.
    """

    on: Mapping[int, float]
    locked: Mapping[int, float]


def where(curve: Curve, mix: Mix, start: int, launches: Sequence[Launch], pushes: Sequence[Push], day: float) -> Where:
    """Say where people are who ran a release on the day of the counts.

    Whether somebody heeds floors is his own way and has nothing to do with how quickly he updates: who leaves one
    unheeded leaves every other one of no more reach unheeded too, so floors in a row do not add up.

    Args:
        curve: how fast they update.
        mix: what they are made of.
        start: the rank of what they ran.
        launches: the releases that they can run, and no others; earlier ones than theirs do not matter.
        pushes: floors, of which those count that stand above the release.
        day: days since the counts, from 0.
    """
    newer = ahead(start, launches)
    marks = [sum(share * moved_to(curve, group, launch, day) for group, share in enumerate(mix)) for launch in newer]
    for index in range(len(marks) - 2, -1, -1):
        marks[index] = max(marks[index], marks[index + 1])
    ranks = [start, *(launch.rank for launch in newer)]
    by_themselves = [max(0.0, here - after) for here, after in pairwise([1.0, *marks, 0.0])]
    floors = [_Raised.of(push, newer, day) for push in pushes if push.at <= day and push.rank > start]
    if not floors:
        return Where(on=dict(zip(ranks, by_themselves, strict=True)), locked={})
    on, locked = dict.fromkeys(ranks, 0.0), dict.fromkeys(ranks, 0.0)
    cuts = sorted({0.0, 1.0}.union(*(floor.cuts for floor in floors)))
    for low, high in pairwise(cuts):
        # Everybody between two cuts heeds the same floors; the lower, the more readily.
        for rank, share in zip(ranks, by_themselves, strict=True):
            there = max(rank, *(floor.lands(rank, low) for floor in floors))
            on[there] += share * (high - low)
            if any(_locks(floor, there, low, floors) for floor in floors):
                locked[there] += share * (high - low)
    return Where(on=on, locked={rank: min(share, on[rank]) for rank, share in locked.items() if share > 0})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Raised:
    """A floor on a day.

    Attributes:
        push: the floor.
        on: where it lands, by rank: the share of those below it that have come there, and that will with what is
            rolled out by now.
    """

    push: Push
    on: tuple[tuple[int, float, float], ...]

    @classmethod
    def of(cls, push: Push, newer: Sequence[Launch], day: float) -> _Raised:
        """Say what a floor has done by a day: it lands on releases that are out, else on the first that comes."""
        above = [launch for launch in newer if launch.rank >= push.rank]
        landing = [launch for launch in above if launch.at <= push.at] or above[:1]
        return cls(
            push=push,
            on=tuple(
                (
                    launch.rank,
                    sum(part * push.heeded(day, launch.at + begun) for begun, part in parts_of(launch.ramp)),
                    sum(part * push.reach for begun, part in parts_of(launch.ramp) if launch.at + begun <= day),
                )
                for launch in landing
            ),
        )

    @property
    def cuts(self) -> set[float]:
        """Give where people begin to differ in what they do about it."""
        return {min(1.0, share) for _, *shares in self.on for share in shares}

    def lands(self, rank: int, ease: float) -> int:
        """Give the rank on which it has put somebody; his own where it has not."""
        if rank >= self.push.rank:
            return rank
        return max((there for there, done, _ in self.on if ease < done), default=rank)

    def will_land(self, rank: int, ease: float) -> int:
        """Give the rank on which it will put somebody; his own where it will not."""
        if rank >= self.push.rank:
            return rank
        return max((there for there, _, sure in self.on if ease < sure), default=rank)


def _locks(floor: _Raised, rank: int, ease: float, floors: Sequence[_Raised]) -> bool:
    """Say whether a hard floor stands above somebody whom no floor will lift over it."""
    if not floor.push.hard or rank >= floor.push.rank:
        return False
    return all(other.will_land(rank, ease) < floor.push.rank for other in floors)


def ahead(start: int, launches: Sequence[Launch]) -> list[Launch]:
    """Give the releases that people can come to run, oldest first: the newest that is out for all, and later ones."""
    newer = sorted((launch for launch in launches if launch.rank > start), key=lambda launch: (launch.at, launch.rank))
    out = [launch for launch in newer if launch.at + (launch.ramp[-1][0] if launch.ramp else 0.0) <= 0]
    best = max(out, key=lambda launch: launch.rank, default=None)
    kept: list[Launch] = [] if best is None else [best]
    for launch in newer:
        if launch.rank > (kept[-1].rank if kept else start):
            kept.append(launch)
    return kept


def moved_to(curve: Curve, group: int, launch: Launch, day: float) -> float:
    """Give the share of a group that runs a release or a newer one; who did not when they were counted starts then."""
    return curve.reached(group, day - launch.at, launch.ramp, since=max(0.0, -launch.at))
