"""A response to an emergency hour by hour: what each version sees, and how many are broken and exposed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotator.model.verdicts import Verdict
from rotator.model.when import show
from rotator.plan.alarm import Emergency, Group, Weighed
from rotator.plan.emergency import groups_of
from rotator.plan.weighing import seen_at
from rotator.report.document import percent
from rotator.report.emergency import instant
from rotator.report.responses import few
from rotator.simulate.impact import Impact
from rotator.simulate.totals import Total
from rotator.workflows.course import Mark

Version = tuple[str, str]
"""An app and a version of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """A response on an axis of time.

    Attributes:
        strips: for each version the worst that any client of it sees in each cell; None where nobody is there.
        broken, exposed: the share of users at the beginning of each cell; None where that is not known.
    """

    strips: Mapping[Version, tuple[Verdict | None, ...]]
    broken: tuple[float | None, ...]
    exposed: tuple[float | None, ...]


def hours(own: Weighed, start: datetime, unit: timedelta, width: int) -> Hours:
    """Put a response on an axis of some cells."""
    window = own.answer.window or (own.answer.impact,)
    worst = [_worst(impact) for impact in window]
    cells = [_in_force(window, start + unit * cell, start + unit * (cell + 1)) for cell in range(width)]
    names = dict.fromkeys(name for verdicts in worst for name in verdicts)
    known: dict[range, dict[Version, Verdict]] = {}
    for places in dict.fromkeys(cells):
        own_worst: dict[Version, Verdict] = {}
        for place in places:
            for name, verdict in worst[place].items():
                other = own_worst.get(name)
                own_worst[name] = verdict if other is None else min(verdict, other, key=lambda one: one.rank)
        known[places] = own_worst
    totals = [seen_at(own, start + unit * cell)[1:] for cell in range(width)]
    return Hours(
        strips={name: tuple(known[places].get(name) for places in cells) for name in names},
        broken=tuple(total.share for total, _ in totals),
        exposed=tuple(total.share for _, total in totals),
    )


def _worst(impact: Impact) -> dict[Version, Verdict]:
    found: dict[Version, Verdict] = {}
    for row in impact.rows:
        cohort = row.connection.cohort
        name = (cohort.app, cohort.version)
        if name not in found or row.verdict.rank < found[name].rank:
            found[name] = row.verdict
    return found


def _in_force(window: tuple[Impact, ...], begin: datetime, end: datetime) -> range:
    """Give the places of the answers that hold at any time of a span; the first one holds before it too."""
    starts = [impact.at for impact in window]
    first = max((n for n, at in enumerate(starts) if at <= begin), default=0)
    last = max((n for n, at in enumerate(starts) if at < end), default=first)
    return range(first, last + 1)


def versions(own: Weighed, found: Emergency) -> tuple[Group, ...]:
    """Give who is hit by a response that is not the recommended one, as `found.groups` gives them of that one."""
    return tuple(groups_of(own, found.until))


def turns(own: Weighed) -> list[Mark]:
    """Give the instants at which a response changes anything, in order, each with what is done then."""
    done: dict[datetime, list[str]] = {}
    for action in own.response.occurrences:
        if action.at is not None:
            done.setdefault(action.at, []).append(action.text)
    for build in own.response.releases:
        done.setdefault(build.at, []).append(f"{build.app} {build.version} is out")
    for impact in own.answer.window[1:]:
        done.setdefault(impact.at, [])
    return [Mark(at, ", ".join(what) or f"verdicts change at {show(at)}") for at, what in sorted(done.items())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """When users begin to be broken, and when exposure ends; None: not inside the horizon."""

    broken_from: datetime | None
    exposed_until: datetime | None
    still: Total


def clocks(own: Weighed) -> Clocks:
    """Read the clocks of a response."""
    window = own.answer.window or (own.answer.impact,)
    broken = next((impact.at for impact in window if not impact.broken.none), None)
    open_at = [impact.at for impact in window if not impact.exposed.none]
    ends = next((i.at for i in window if not open_at or i.at > open_at[-1]), None) if own.exposed_last.none else None
    return Clocks(broken_from=broken, exposed_until=ends, still=own.exposed_last)


def said_clocks(own: Clocks, found: Emergency) -> str:
    """Say when users begin to be broken under a response, and when exposure ends."""
    if own.broken_from is None:
        broken = "Nobody is broken"
    else:
        broken = "Broken already" if own.broken_from <= found.now else f"Broken from {instant(own.broken_from)}"
    if own.exposed_until is not None:
        return f"{broken}; exposure ends by {instant(own.exposed_until)}."
    return f"{broken}; still exposed on {found.until:%-d %b}: {few(own.still)} ({percent(own.still.share)})."
