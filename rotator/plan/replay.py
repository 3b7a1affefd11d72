"""The second opinion: a plan is played instant by instant, and its word is not taken for anything.

The replay shares the adoption curve with the planner and nothing else: it plays the steps at their dates in one
scenario, judges every connection at every instant at which a verdict may change, lays that day's people over it, and
counts for each cohort the most that were ever broken by the steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from rotator.model.when import start_of
from rotator.plan.planner import Dated, Draft
from rotator.plan.swap import segment_name
from rotator.plan.values import Plan
from rotator.simulate.grammar import Occurrence
from rotator.simulate.question import expiries
from rotator.simulate.scene import Judges
from rotator.simulate.timeline import Timeline
from rotator.simulate.totals import by_cohort, share_of, union


def replay(draft: Draft, plan: Plan, found: Dated) -> Iterator[str]:
    """Play a plan and say what it breaks beyond the budget; nothing where it keeps it.

    A plan that is NEVER has no steps on the servers to play.
    """
    if plan.never or "accept" in draft.taken:
        return
    view = found.swap.outlook
    steps = [o for step in plan.steps for o in step.occurrences if o.id in ("serve", "floor")]
    worst = _worst(draft, found, steps)
    for app, trust in view.scopes():
        broken = sum(high for (a, t), (high, _) in worst.items() if app in (None, a) and trust in (None, t))
        whole = sum(size for (a, t), (_, size) in worst.items() if app in (None, a) and trust in (None, t))
        budget = view.budget(app)
        if share_of(broken, whole) > budget + 1e-9:
            yield (
                f"the replay breaks {broken:,} of {segment_name(app, trust)} "
                f"({share_of(broken, whole):.2%}), the budget is {budget:.2%}"
            )


def _worst(draft: Draft, found: Dated, steps: list[Occurrence]) -> dict[tuple[str, str], tuple[int, int]]:
    """Count, for each app and trust store, users that the steps break at any time, and all of them."""
    view = found.swap.outlook
    inventory, people = view.inventory, view.people
    quiet, played = view.order(()), view.order(tuple(steps))
    judges = Judges(inventory)
    lines = [Timeline(inventory, order) for order in (quiet, played)]
    bounds = sorted({at for line in lines for at in line.instants(view.now, view.end, expiries(view.fleet, inventory))})
    days = {start_of(draft.today + timedelta(days=n)) for n in range((draft.end - draft.today).days + 1)}
    most: dict[int, float] = {}
    sizes: dict[int, int] = {}
    broken: set[int] = set()
    for at in sorted({*bounds, *(day for day in days if day > view.now)}):
        if at in bounds:
            without, with_ = (judges.impact(people.fleet, line.world_at(at), at) for line in lines)
            already = {row.connection.index for row in without.rows if row.verdict.is_broken}
            broken = {
                r.connection.index for r in with_.rows if r.verdict.is_broken and r.connection.index not in already
            }
        now = people.fleet_at(people.settled(at))
        for number, (cohort, group) in enumerate(by_cohort(now.connections)):
            size = cohort.clients.high if cohort.clients is not None else 0
            sizes.setdefault(number, size)
            hit = {c.host: c.share for c in group if c.index in broken}
            most[number] = max(most.get(number, 0.0), size * union(list(hit.values()))[1])
    found_: dict[tuple[str, str], tuple[int, int]] = {}
    for number, (cohort, _) in enumerate(by_cohort(people.fleet.connections)):
        high, size = found_.get((cohort.app, cohort.trust), (0, 0))
        found_[cohort.app, cohort.trust] = (high + int(most.get(number, 0) + 0.5), size + sizes.get(number, 0))
    return found_
