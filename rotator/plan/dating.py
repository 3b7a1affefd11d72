"""From releases to dates: the first day on which what is new may be served, or NEVER."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

from rotator.model.when import first_day
from rotator.plan.planner import Draft
from rotator.plan.ships import Ships
from rotator.plan.swap import Swap, Weighed, next_free
from rotator.simulate.populations import FloorAt


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """The dates of a plan.

    Attributes:
        ships, floors: what goes out, and what is raised.
        ready: the first day on which the budget would be kept; None: never.
        earliest: the same with safety days; None: never.
        serve: the day that is planned.
        weighed: what serving then breaks, or at best would.
        best: the day that comes nearest, where there is none.
    """

    ships: Ships
    floors: tuple[FloorAt, ...]
    swap: Swap
    ready: date | None
    earliest: date | None
    serve: date | None
    weighed: Weighed
    best: date


def dated(draft: Draft, ships: Ships, floors: tuple[FloorAt, ...] = (), *, serve: date | None = None) -> Dated:
    """Find the first day to serve for some releases and floors.

    Args:
        draft: the plan in the making.
        ships: the releases.
        floors: the floors.
        serve: a day that somebody chose; it counts where it is no earlier than what is safe.
    """
    swap = draft.swap(ships, floors)
    start = draft.today
    planned_chains = (chain for chain in draft.target.chains if chain.planned)
    start = max([start, *(first_day(chain.leaf.not_before) for chain in planned_chains)])
    soonest = start
    if ships.done is not None and not draft.incident:
        # While pins are on their way some clients hold the old ones and some the new: nothing is served before.
        start = max(start, first_day(ships.done))
    ready = swap.first(start, draft.end)
    earliest = planned = None
    if ready is not None:
        waits = ready > soonest
        earliest = ready + timedelta(days=math.ceil(draft.policy.limits.safety_days)) if waits else ready
        planned = _allowed(draft, swap, max(earliest, serve or earliest))
    if planned is None or planned > draft.limit:
        best, weighed = swap.best(start, min(draft.limit, draft.end))
        if planned is not None and planned > draft.limit:
            return Dated(
                ships=ships, floors=floors, swap=swap, ready=ready, earliest=earliest, serve=None,
                weighed=swap.weigh(max(start, draft.limit)), best=best,
            )  # fmt: skip
        return Dated(
            ships=ships, floors=floors, swap=swap, ready=None, earliest=None, serve=None, weighed=weighed, best=best
        )
    return Dated(
        ships=ships,
        floors=floors,
        swap=swap,
        ready=ready,
        earliest=earliest,
        serve=planned,
        weighed=swap.weigh(planned),
        best=planned,
    )


def _allowed(draft: Draft, swap: Swap, day: date) -> date | None:
    """Give the first day from a day on that is free and keeps the budgets."""
    while day <= draft.end:
        free = next_free(day, draft.frozen("serve")) if draft.target.served else day
        found = swap.first(free, draft.end)
        if found is None:
            return None
        if found == free:
            return free
        day = found
    return None
