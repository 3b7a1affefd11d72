"""How an answer goes on: the verdicts over time, where they change, and who they are for, cohort by cohort."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotator.model.when import show
from rotator.simulate.impact import Impact
from rotator.simulate.question import Desk, Picture, over_time
from rotator.simulate.timeline import happenings
from rotator.simulate.totals import Total
from rotator.workflows.simulating import calendar
from rotator.workflows.whatif import WhatIf, question


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happens: when, and what."""

    at: datetime
    what: str


@dataclass(frozen=True, kw_only=True)
class Course:
    """An answer over time.

    Attributes:
        start, end: the window.
        instants: when a verdict may change, the start first.
        impacts: the answer from each of these instants on.
        marks: what happens in the window.
        breaks: the instants at which more clients break or are exposed than just before.
    """

    start: datetime
    end: datetime
    instants: tuple[datetime, ...]
    impacts: tuple[Impact, ...]
    marks: tuple[Mark, ...]
    breaks: tuple[datetime, ...]

    def place(self, at: datetime) -> int:
        """Give the index of the answer that holds at an instant."""
        return max(0, bisect_right(self.instants, at) - 1)

    def at(self, at: datetime) -> Impact:
        """Give the answer that holds at an instant."""
        return self.impacts[self.place(at)]

    def worst_in(self, begin: datetime, end: datetime) -> range:
        """Give the indexes of the answers that hold at any time of a span."""
        last = bisect_right(self.instants, end - timedelta(seconds=1)) - 1
        return range(self.place(begin), max(self.place(begin), last) + 1)


def course(
    state: WhatIf, picture: Picture, now: datetime, start: datetime, end: datetime, desk: Desk | None = None
) -> Course:
    """Play what the knobs ask over a window of time.

    Raises:
        UsageError: it cannot be played on this policy.
    """
    asked = question(state, picture, now)
    own = calendar(picture.policy)
    impacts = over_time(picture, asked, own, start, end, desk)
    instants = tuple(impact.at for impact in impacts)
    order = happenings((*own, *asked.occurrences), asked.default or asked.at, picture.policy)
    marks = tuple(
        Mark(h.at, h.occurrence.text + (" is announced" if h.announced else "")) for h in order if start <= h.at <= end
    )
    breaks = []
    hit = [(impact.broken, impact.exposed) for impact in impacts]
    for before, after, at in zip(hit, hit[1:], instants[1:], strict=False):
        if any(map(_more, before, after)):
            breaks.append(at)
    if not all(total.none for total in hit[0]):
        breaks.insert(0, start)
    return Course(start=start, end=end, instants=instants, impacts=impacts, marks=marks, breaks=tuple(breaks))


def _more(before: Total, after: Total) -> bool:
    size = [float("inf") if total.high is None else total.high for total in (before, after)]
    return size[1] > size[0]


def steps(found: Course) -> list[Mark]:
    """Give everything to stop at: what happens, and where verdicts change without our doing, in order."""
    known = {mark.at for mark in found.marks}
    changes = [Mark(at, f"verdicts change at {show(at)}") for at in found.instants[1:] if at not in known]
    return sorted([*found.marks, *changes], key=lambda mark: mark.at)


def shares(found: Course, marks: Sequence[datetime]) -> tuple[list[float | None], list[float | None]]:
    """Give the shares of clients that are broken, and exposed, at some instants; None where it is not known."""
    known: dict[int, tuple[float | None, float | None]] = {}
    broken, exposed = [], []
    for at in marks:
        place = found.place(at)
        if place not in known:
            impact = found.impacts[place]
            known[place] = (impact.broken.share, impact.exposed.share)
        broken.append(known[place][0])
        exposed.append(known[place][1])
    return broken, exposed
