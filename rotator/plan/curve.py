"""A plan over time: who accepts what is to be served, who is broken and who is exposed, day by day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rotator.plan.closing import Closing
from rotator.plan.making import Made, put_together
from rotator.plan.outlook import Future, Outlook, instant_of
from rotator.plan.swap import segment_name
from rotator.plan.values import Goal
from rotator.simulate.grammar import Occurrence
from rotator.simulate.question import Picture
from rotator.simulate.totals import Total

EVERY = 7
"""Days between two points."""
AFTER = 28
"""Days that are told after the last step of a plan."""
PLAYED = ("serve", "floor", "publish")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """How it stands at the start of a day (today: now), with every step of the plan on its planned day.

    Attributes:
        day: which.
        coverage: acc(S), the share that accepts what is to be served, served or not yet, in the segment where it is
            the smallest; None where counts are unknown.
        segment: that segment; "fleet" for everybody.
        broken, exposed: the clients that are, whoever broke them, over all apps.
    """

    day: date
    coverage: float | None
    segment: str
    broken: Total
    exposed: Total


def curve(
    picture: Picture, goal: Goal, now: datetime, calendar: Sequence[Occurrence] = (), *, every: int = EVERY
) -> tuple[Point, ...]:
    """Give a plan over time: each week, the day of each step and the day before it.

    Of a plan that is NEVER it goes to the horizon: the steps that are possible are played, nothing is served.

    Args:
        picture: the policy with everything read.
        goal: what is to be reached, as for `make_plan`.
        now: the instant of the session.
        calendar: what happens in any case.
        every: days between two points.

    Raises:
        UsageError: the goal names what is not there, or moves what is no step.
        UnsafePlanError: the serve was moved to a day on which it would be unsafe.
    """
    made = put_together(picture, goal, now, calendar)
    drops = made.work.drops(made.found)
    view = Closing(made.draft, made.found, drops).view
    # What is published after the swap without the old pins changes nobody's verdict: the new chain is all they need.
    later = {own.action for own in drops.published}
    played = tuple(o for s in made.plan.steps for o in s.occurrences if o.id in PLAYED and o.at and o not in later)
    swap = made.found.swap
    new, own = view.future((*swap.floors, *swap.served)), view.future(played)
    behind: Mapping[int, bool] = {}
    if view is swap.outlook:
        behind = dict.fromkeys(swap.behind, True)
    return tuple(_point(view, day, new, own, behind) for day in _days(made, every))


def _days(made: Made, every: int) -> Iterator[date]:
    draft = made.draft
    steps = {step.planned for step in made.plan.steps if step.planned is not None}
    last = max(steps, default=draft.end) + timedelta(days=AFTER)
    last = draft.end if made.plan.never else min(last, draft.end)
    days = {draft.today + timedelta(days=n) for n in range(0, (last - draft.today).days + 1, max(1, every))}
    days |= {last, *(day for step in steps for day in (step - timedelta(days=1), step))}
    yield from sorted(day for day in days if draft.today <= day <= last)


def _point(view: Outlook, day: date, new: Future, own: Future, behind: Mapping[int, bool]) -> Point:
    at = instant_of(day, view.now)
    refusing = {**new.at(at).broken, **behind}
    shares: list[tuple[float, str]] = []
    unknown = False
    for app, trust in view.scopes():
        total = view.total(at, refusing, app, trust)
        unknown = unknown or (total.share is None and not total.none)
        shares.append((1.0 - (total.share or 0.0), segment_name(app, trust)))
    coverage, segment = min(shares, default=(1.0, "fleet"), key=lambda pair: pair[0])
    broken, exposed = view.standing(at, own)
    return Point(day=day, coverage=None if unknown else coverage, segment=segment, broken=broken, exposed=exposed)
