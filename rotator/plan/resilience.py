"""How long a loss lasts: from which day on its answer keeps all but the budget served, and nobody exposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from rotator.model.progress import Progress, Silent
from rotator.model.when import DAY, plus
from rotator.plan.outlook import Future, Outlook, outlook
from rotator.plan.planner import ASSUMED
from rotator.simulate.drill import Drill, Loss
from rotator.simulate.grammar import Occurrence, parse_action, parse_event
from rotator.simulate.question import Picture

STEP = 7
"""Days between two looks, until the week is found in which it ends; within it every day is looked at."""

PAIRS = 10
"""Pairs that are told when they are over, the worst: each costs as much as a single loss, and there are many."""


def with_safety(
    picture: Picture,
    drill: Drill,
    now: datetime,
    calendar: Sequence[Occurrence] = (),
    progress: Progress | None = None,
) -> Drill:
    """Give a drill in which every single loss, and the worst pairs, say from which day on they are over.

    Pairs that are no worse than either of their two have no day of their own, nor those after the first `PAIRS`.

    A loss is over on the first day from which, for the rest of the horizon, the clients that it breaks are no more than
    the budget and those that it exposes no more than the noise floor, with the answer served from now on (I12). Clients
    update by themselves, by their app's curve; builds without a stolen pin are no part of it.
    """
    days = picture.policy.limits.horizon_days
    view = outlook(picture, picture.inventory, calendar, now=now, days=days, shipped={}, otherwise=ASSUMED)
    none = view.future()
    hears = progress or Silent()
    asked = [*drill.losses.alone, *drill.losses.worse(PAIRS)[1]]
    found: dict[tuple[str, ...], date] = {}
    for number, loss in enumerate(asked):
        hears.step(number, len(asked), "until it is safe")
        day = _safe_on(view, none, loss)
        if day is not None:
            found[loss.events] = day
    return replace(drill, losses=drill.losses.safe(found))


def _safe_on(view: Outlook, none: Future, loss: Loss) -> date | None:
    """Give the first day from which a loss is over; None: not inside the horizon, or nothing answers it."""
    today = view.now.date()
    if loss.badness[0] == 0:
        return today
    if loss.response is None:
        return None
    happens = [replace(parse_event(text), at=view.now) for text in loss.events]
    answer = [replace(parse_action(text), at=view.now) for text in loss.response or ()]
    future = view.future((*happens, *answer))
    instants = sorted({*(s.at for own in (none, future) for s in own.stretches), *_weeks(view)}, reverse=True)
    bad = next((at for at in instants if at <= view.end and not _over(view, none, future, at)), None)
    if bad is None:
        return today
    after = [at for at in instants if at > bad]
    if not after:
        return None
    day = bad.date()
    while plus(bad, DAY) <= after[-1] and not _over(view, none, future, bad):
        bad, day = plus(bad, DAY), day + timedelta(days=1)
    return max(day, today) if _over(view, none, future, bad) else after[-1].date()


def _weeks(view: Outlook) -> list[datetime]:
    whole = (view.end - view.now) // DAY
    return [plus(view.now, timedelta(days=number)) for number in range(0, whole + 1, STEP)]


def _over(view: Outlook, none: Future, future: Future, at: datetime) -> bool:
    """Say whether what a loss breaks and exposes at an instant is small enough."""
    without, own, limits = none.at(at), future.at(at), view.inventory.policy.limits
    broken = {index: sure for index, sure in own.broken.items() if index not in without.broken}
    exposed = {index: sure for index, sure in own.exposed.items() if index not in without.exposed}
    for app, trust in view.scopes() if broken or exposed else ():
        for hits, limit in ((broken, view.budget(app)), (exposed, limits.noise_floor)):
            total = view.total(at, hits, app, trust)
            if not total.none and (total.share is None or total.share > limit):
                return False
    return True
