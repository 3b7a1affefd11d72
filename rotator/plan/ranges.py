"""Dates as ranges: the same plan at several probabilities, and what a verdict hangs on that turns between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from rotator.plan.chance import HIGH, LOW, MIDDLE, Chance, is_open
from rotator.plan.dating import Dated
from rotator.plan.planner import Draft
from rotator.plan.values import Blocked, Span, Step

Dates = Callable[[Draft], Dated]
"""Finds the dates of a plan in the making."""


@dataclass(frozen=True, kw_only=True)
class Ranges:
    """What a plan comes to at the probabilities of a range.

    Attributes:
        open: whether anything is open at all; where nothing is, all are the same.
        low, middle, high: the dates that a tenth, half and nine tenths of the samples keep.
        expected: the dates if all goes as the curves say.
    """

    open: bool
    low: Dated
    middle: Dated
    high: Dated
    expected: Dated

    def span(self, of: Callable[[Dated], date | None]) -> Span | None:
        """Give a day of the plan as a range; None where nothing is open."""
        if not self.open:
            return None
        days = sorted(of(one) or date.max for one in (self.low, self.middle, self.high))
        return Span(**dict(zip(("p10", "p50", "p90"), (None if d == date.max else d for d in days), strict=True)))

    def at_best(self, draft: Draft) -> tuple[float | None, float | None, float | None]:
        """Give the share that accepts the new chain at best: as expected, in the worst tenth, in the best tenth."""
        last = min(draft.limit, draft.end)
        shares = [one.swap.best(draft.today, last)[1] for one in (self.expected, self.high, self.low)]
        # The segment that is in the way may be another one; the range is of the expected one.
        own = shares[0]
        same = [w.accepting if (w.app, w.trust) == (own.app, own.trust) else None for w in shares]
        return same[0], same[1], same[2]


def ranges_of(draft: Draft, found: Dated, dates: Dates) -> Ranges:
    """Find the dates of a plan at the probabilities of a range.

    Args:
        draft: the plan in the making, at the probability with which its dates hold.
        found: its dates.
        dates: how dates are found.
    """
    if not _doubts(draft, found):
        return Ranges(open=False, low=found, middle=found, high=found, expected=found)
    held = draft.chance.holds
    low, middle, high = (found if q == held else dates(draft.with_chance(Chance(holds=q))) for q in (LOW, MIDDLE, HIGH))
    expected = dates(draft.with_chance(Chance()))
    return Ranges(open=True, low=low, middle=middle, high=high, expected=expected)


def _doubts(draft: Draft, found: Dated) -> list[tuple[str, str]]:
    """Give what is open of a plan, with the one datum that would settle it; the app in the way first."""
    apps = [c.app for c in found.ships.carriers] + list(dict.fromkeys(c.app for c in found.swap.outlook.fleet.cohorts))
    first = [found.weighed.app] if found.weighed.app is not None else []
    doubts = []
    for name in dict.fromkeys([*first, *apps]):
        app = draft.policy.apps[name]
        if is_open(draft.expected(name)) and app.releases:
            more = "a later day" if app.adoption is not None and app.adoption.preset == "fitted" else "two days"
            text = f'how fast {name} updates: counts of {more} (rotator fleet), then adoption = "fitted"'
            doubts.append((f"app:{name}", text))
    said = {name for name, app in draft.policy.apps.items() if any(f.reach is not None for f in app.floors)}
    assumed = [floor.app for floor in found.floors if floor.app not in said]
    if assumed:
        text = f"what a floor of {assumed[0]} reaches: reach of its last one (apps.{assumed[0]}.floors)"
        doubts.append(("floors", text))
    late = [c.app for c in found.ships.carriers if draft.review(c.app) and draft.expected(c.app).done_days is None]
    if late:
        doubts.append(("reviews", f"how long a review of {late[0]} takes (apps.{late[0]}.review_days)"))
    return doubts


def settling(draft: Draft, found: Dated, ranges: Ranges, dates: Dates) -> str:
    """Name the one datum that would settle a plan that only a part of the range has; "" where none, or all, has."""
    if found.serve is not None or (ranges.low.serve is None and ranges.expected.serve is None):
        return ""
    every = _doubts(draft, found)
    for what, text in every:
        if dates(draft.with_chance(draft.chance.but(what))).serve is not None:
            return text
    return every[0][1]


def with_ranges(steps: tuple[Step, ...], draft: Draft, ranges: Ranges, blocked: Blocked | None) -> tuple[Step, ...]:
    """Give the steps with their days as ranges, and the one that is unsure marked."""

    def spanned(step: Step) -> Step:
        span = None
        if step.action == "serve" or (step.action == "observe" and not draft.target.served):
            span = ranges.span(lambda one: one.serve)
        elif step.action == "observe":
            span = ranges.span(lambda one: one.ready if one.serve is not None else None)
        elif step.action == "drop" and step.earliest is not None and step.planned is not None:
            serve = ranges.high.serve if draft.chance.holds == HIGH else None
            gap = None if serve is None else step.planned - serve
            span = None if gap is None else ranges.span(lambda one: _later(one.serve, gap))
        unsure = blocked.unsure if blocked is not None and step.number == blocked.step else ""
        return replace(step, span=span, unsure=unsure)

    return tuple(spanned(step) for step in steps)


def _later(day: date | None, gap: timedelta) -> date | None:
    return None if day is None else day + gap
