"""The releases of an app in order, and which of them people on each can come to run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rotator.model.adoption import AT_ONCE, ROLLOUTS, Curve, Launch, Mix, Ramp, mix_on
from rotator.model.policy import App, Policy
from rotator.model.systems import System
from rotator.model.versions import order as version_order
from rotator.model.when import start_of
from rotator.simulate.cohorts import Cohort
from rotator.simulate.matching import platform_of
from rotator.simulate.running import Running


def ramp_of(app: App) -> Ramp:
    """Give how a release of an app rolls out: as the policy says, else as its store does."""
    if isinstance(app.rollout, tuple):
        return tuple(sorted(app.rollout)) or AT_ONCE
    by_store = {"ios": "apple-phased", "android": "staged-7d"}
    return ROLLOUTS[app.rollout or by_store.get(platform_of(app), "at-once")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """The curve by which the clients of an app move.

    Attributes:
        curve: the curve.
        said: what it stands on, for people.
        fitted: whether it was fitted to counts; else it is assumed.
    """

    curve: Curve
    said: str
    fitted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The releases of an app in order.

    Attributes:
        app: the app.
        ranked: the index of the release at each rank, oldest first.
        days: by rank, the day on which it reached clients, counted from the counts; None where nobody says.
        ramp: how releases roll out.
    """

    app: str
    ranked: tuple[int, ...]
    days: tuple[float | None, ...]
    ramp: Ramp
    new_installs: float

    @classmethod
    def of(cls, name: str, app: App, start: datetime, shipped: Mapping[tuple[str, str], datetime]) -> Line:
        """Put the releases of an app in order, with the day of each counted from an instant."""
        order = sorted(range(len(app.releases)), key=lambda i: (version_order(app.releases[i].version), -i))
        days = []
        for index in order:
            release = app.releases[index]
            out = shipped.get((name, release.version))
            if out is None and release.released is not None:
                out = start_of(release.released)
            days.append(None if out is None else (out - start) / timedelta(days=1))
        return cls(app=name, ranked=tuple(order), days=tuple(days), ramp=ramp_of(app), new_installs=app.new_installs)

    def notes(self, moving: Moving, counted: date | None) -> Iterator[str]:
        """Say what was assumed of the clients of the app."""
        from_ = f"from {counted} " if counted is not None else ""
        yield f"{'' if moving.fitted else 'assumed: '}clients of {self.app} update {from_}by a curve ({moving.said})"
        if any(day is None for day in self.days[:-1]) and moving.curve.never < 1:
            yield (
                f"assumed: clients of {self.app} stay on versions whose `released` is not given, "
                "because nobody can tell how long they have stayed already"
            )

    def mix(self, curve: Curve, rank: int, road: Road) -> Mix:
        """Give the mix on the release of a rank, of people who can run what stands on a road."""
        own = self.days[rank]
        successor, undated = road.first_out[rank], road.undated[rank]
        if successor is None:
            if undated and rank != len(self.days) - 1:
                return (0.0, 0.0, 1.0)
            newest_for = None if own is None or rank == 0 else -own
            return mix_on(
                curve, newest_for=newest_for, new_installs=self.new_installs, fresh_days=max(0.0, -(own or 0.0))
            )
        if own is None:
            return (0.0, 0.0, 1.0)
        newest_for = max(0.0, successor - own) if rank > 0 else None
        return mix_on(
            curve,
            newest_for=newest_for,
            since=-successor,
            new_installs=self.new_installs,
            fresh_days=max(0.0, successor - own),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """The releases that some people can run, as they stand before them.

    Attributes:
        first_out: by rank, the first day on which any newer one was out by the day of the counts; None for none.
        undated: by rank, whether any newer one has no day.
        best: the rank of the newest that is out for all; None for none.
        coming: the ranks of those that are not out for all yet, and have a day.
    """

    first_out: tuple[float | None, ...]
    undated: tuple[bool, ...]
    best: int | None
    coming: tuple[int, ...]


def road_of(line: Line, runs: Sequence[bool]) -> Road:
    """Give the road of people who can run the releases of some ranks."""
    first: list[float | None] = []
    undated: list[bool] = []
    earliest, open_end = None, False
    for rank in range(len(line.days) - 1, -1, -1):
        first.append(earliest)
        undated.append(open_end)
        day = line.days[rank]
        if runs[rank] and day is None:
            open_end = True
        elif runs[rank] and day is not None and day <= 0:
            earliest = day if earliest is None else min(earliest, day)
    dated = [(rank, day) for rank, day in enumerate(line.days) if runs[rank] and day is not None]
    out = [rank for rank, day in dated if day <= 0 and _over(line.ramp, -day)]
    return Road(
        first_out=tuple(reversed(first)),
        undated=tuple(reversed(undated)),
        best=max(out, default=None),
        coming=tuple(rank for rank, day in dated if not (day <= 0 and _over(line.ramp, -day))),
    )


class Roads:
    """The roads of an app, each made once."""

    def __init__(self, policy: Policy, app: App, line: Line) -> None:
        """Begin with the releases of an app in order."""
        self.line = line
        self.rank = {index: rank for rank, index in enumerate(line.ranked)}
        self._running = Running(policy, app)
        self._roads: dict[tuple[System, ...], Road] = {}

    def of(self, cohort: Cohort) -> Road:
        """Give the road of a cohort."""
        systems = self._running.systems(cohort.trust, cohort.release)
        if systems not in self._roads:
            runs = [self._running.runs(systems, index) for index in self.line.ranked]
            self._roads[systems] = road_of(self.line, runs)
        return self._roads[systems]


def launches_of(line: Line, runs: Iterable[int]) -> tuple[Launch, ...]:
    """Give the releases of some ranks whose day is known, as a curve sees them."""
    return tuple(
        Launch(rank=r, at=day, ramp=line.ramp if day > 0 or not _over(line.ramp, -day) else AT_ONCE)
        for r, day in ((r, line.days[r]) for r in runs)
        if day is not None
    )


def _over(ramp: Ramp, days: float) -> bool:
    return not ramp or days >= ramp[-1][0]
