"""Putting a plan together: its dates and steps, then every check that it has to pass before anybody sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rotator.errors import UnsafePlanError
from rotator.plan.chance import SEED, Chance
from rotator.plan.closing import Closing
from rotator.plan.dating import Dated
from rotator.plan.exits import exits_of
from rotator.plan.gate import OF_SPARES, Moved, check_served, checked, ends_of_pins, moved_by_hand, with_moved
from rotator.plan.inputs import digests_of
from rotator.plan.planner import Draft, draft_of
from rotator.plan.ranges import ranges_of, settling, with_ranges
from rotator.plan.replay import replay
from rotator.plan.steps import Work
from rotator.plan.supply import cadence_of, missing, pace_of
from rotator.plan.values import Exit, Goal, Plan
from rotator.simulate.grammar import Occurrence
from rotator.simulate.question import Picture


def make_plan(
    picture: Picture, goal: Goal, now: datetime, calendar: Sequence[Occurrence] = (), *, ways_out: bool = True
) -> Plan:
    """Plan a rotation.

    Args:
        picture: the policy with everything read.
        goal: what is to be reached.
        now: the instant of the session.
        calendar: what happens in any case.
        ways_out: whether ways out of NEVER are looked for.

    Raises:
        UsageError: the goal names what is not there, or moves what is no step.
        UnsafePlanError: a step that was moved by hand would be unsafe there.
    """
    made = put_together(picture, goal, now, calendar)
    draft, plan, found, work = made.draft, made.plan, made.found, made.work
    plan = _ranged(plan, found, work, made.moved)
    if ways_out and (plan.never or plan.late):
        plan = replace(plan, exits=tuple(_ways_out(plan, found, work)))
    drops = work.drops(found)
    worse = [(f"{f.invariant}: step {step.number}: {f.text}", f) for step, f in checked(draft, plan, found, drops)]
    against = [text for text, f in worse if f.invariant not in OF_SPARES]
    # A spare that is missing is a finding: it stops no plan.
    closing = Closing(draft, found, drops)
    spares = [text for text, f in worse if f.invariant in OF_SPARES]
    plan = replace(
        plan,
        steps=closing.with_states(plan.steps),
        findings=(*plan.findings, *spares, *ends_of_pins(draft, found, drops), *closing.over()),
        loss=closing.loss(),
    )
    against += replay(draft, plan, found, drops.carriers, drops.published)
    if against and goal.moved:
        raise UnsafePlanError("refused: " + "; ".join(against) + "\n  hint: leave the step where it was planned")
    return replace(plan, replayed=tuple(against))


@dataclass(frozen=True, kw_only=True)
class Made:
    """A plan before it was checked, with what it is made of.

    Attributes:
        draft: what was asked.
        plan: its dates and steps.
        found: the releases, floors and the swap behind them.
        work: what its steps are made by.
        moved: the steps that were moved by hand; None where none was.
    """

    draft: Draft
    plan: Plan
    found: Dated
    work: Work
    moved: Moved | None = None


def put_together(picture: Picture, goal: Goal, now: datetime, calendar: Sequence[Occurrence]) -> Made:
    """Date a rotation and put its steps in order; see `make_plan`.

    Raises:
        UsageError: the goal names what is not there, or moves what is no step.
        UnsafePlanError: the serve was moved to a day on which it would be unsafe.
    """
    draft = draft_of(picture, goal, now, calendar).with_chance(Chance(holds=picture.policy.limits.confidence))
    if goal.moved:
        draft = replace(draft, goal=replace(goal, moved=()))
    plan, found, work = _made(draft, None)
    if not goal.moved:
        return Made(draft=draft, plan=plan, found=found, work=work)
    draft = replace(draft, goal=goal)
    moved = moved_by_hand(draft, plan)
    plan, found, work = _made(draft, moved)
    if moved.serve is not None:
        check_served(draft, found, moved.serve)
    plan = replace(plan, steps=with_moved(plan.steps, moved.later))
    return Made(draft=draft, plan=plan, found=found, work=work, moved=moved)


def _ranged(plan: Plan, found: Dated, work: Work, moved: Moved | None) -> Plan:
    """Give a plan with its days as ranges, and what would settle it where a part of the range has one only."""
    draft = work.draft

    def dates(other: Draft) -> Dated:
        return Work(other, apps=work.apps).dates(moved)

    ranges = ranges_of(draft, found, dates)
    blocked = plan.blocked
    if blocked is not None:
        unsure = settling(draft, found, ranges, dates)
        blocked = replace(blocked, unsure=unsure, expected=ranges.expected.serve if unsure else None)
    best = (plan.at_best, plan.at_best, plan.at_best)
    if ranges.open and blocked is not None:
        best = ranges.at_best(draft)
    return replace(
        plan,
        steps=with_ranges(plan.steps, draft, ranges, blocked),
        blocked=blocked,
        at_best=best[0],
        best_low=best[1],
        best_high=best[2],
    )


def _ways_out(plan: Plan, found: Dated, work: Work) -> Iterator[Exit]:
    """Give the ways out of NEVER, and of being late: there the deadline stands as if it had been asked for."""
    draft = work.draft
    if not plan.never and plan.deadline is not None:
        draft = replace(draft, goal=replace(draft.goal, by=plan.deadline[0]))
        found = Work(draft, apps=work.apps).dates()
    yield from exits_of(draft, found, work.apps)


def _made(draft: Draft, moved: Moved | None) -> tuple[Plan, Dated, Work]:
    """Make a plan with the steps where they are as early as it is safe, or where they were moved to."""
    work = Work(draft)
    found = work.dates(moved)
    steps = work.steps(found)
    best = found.swap.weigh(found.best)
    pace = pace_of(draft, found)
    plan = Plan(
        goal=draft.goal,
        made=draft.now,
        digests=digests_of(draft.picture),
        steps=steps,
        at_best=best.accepting,
        blocked=work.blocked(found, steps) if found.serve is None else None,
        deadline=work.deadline(found),
        notes=tuple(dict.fromkeys((*draft.target.assumed, *found.swap.outlook.people.notes))),
        findings=tuple(dict.fromkeys((*work.troubles(found), *missing(draft, work.refills)))),
        cadence=tuple(cadence_of(pace)),
        pace=pace,
        accepted=draft.goal.reason if "accept" in draft.taken else "",
        confidence=draft.chance.holds or draft.policy.limits.confidence,
        seed=SEED,
    )
    return plan, found, work
