"""A dated rotation: from the words of a command line or a screen to a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from rotator.errors import Problem, UnsafeError, UsageError
from rotator.plan.curve import Point, curve
from rotator.plan.making import make_plan
from rotator.plan.target import served_now, used_hosts
from rotator.plan.values import Goal, Plan
from rotator.report.ruler import Unit, ruler
from rotator.simulate.question import Picture
from rotator.workflows.simulating import calendar


def plan(picture: Picture, goal: Goal, now: datetime) -> Plan:
    """Plan a rotation.

    Raises:
        UsageError: the goal names what is not there.
        UnsafeError: a loss beyond the budget has no reason, or a step was moved to where it is unsafe.
    """
    if "accept" in goal.take and not goal.reason.strip():
        raise UnsafeError(
            "refused: a loss beyond the budget is accepted with a written reason only\n"
            "  hint: --override REASON goes on, and the report keeps it"
        )
    if goal.reason and "accept" not in goal.take:
        raise UsageError(
            Problem(
                "a reason is for a loss that is accepted", value=goal.reason, hint="--take accept --override REASON"
            )
        )
    return make_plan(picture, goal, now, calendar(picture.policy))


def over_time(picture: Picture, goal: Goal, now: datetime) -> tuple[Point, ...]:
    """Tell a plan over time: who accepts what is to be served, who is broken and who is exposed; see `curve`."""
    return curve(picture, goal, now, calendar(picture.policy))


def usual_goals(picture: Picture) -> list[Goal]:
    """Give the goals that can be asked for at once: each key that could be served, in the place of one that is.

    The spares of the pinsets come first, as that is what they are held for; then the same keys with nothing to go.
    """
    inventory = picture.inventory
    policy = picture.policy
    served = list(dict.fromkeys(key for host in used_hosts(policy) for key in served_now(inventory, host)))
    pinned = [key for pinset in policy.pinsets.values() for key in pinset.keys]
    free = [
        key
        for key in dict.fromkeys((*pinned, *policy.keys))
        if key in inventory.keys and key not in served and policy.keys[key].status == "active"
    ]
    return [*(Goal(to=new, from_=old) for new in free for old in served), *(Goal(to=new) for new in free)]


def pair_of(text: str) -> tuple[str, str]:
    """Read `OLD=NEW`: a key that goes, and the one that takes its place.

    Raises:
        UsageError: it is no such pair.
    """
    old, equals, new = (part.strip() for part in text.partition("="))
    if not (old and equals and new):
        raise UsageError(Problem("not a key and the one in its place", value=text, expected="OLD=NEW"))
    return old, new


PLAYED = ("floor", "bridge", "accept", "chain")
"""Ways out that change the dates of a plan; what the others ask for is done outside of it."""


def can_take(way: str) -> bool:
    """Say whether a plan is another with this way out."""
    return all(part.partition(":")[0] in PLAYED for part in way.split("+"))


def with_way(goal: Goal, way: str, reason: str = "") -> Goal:
    """Give a goal with a way out taken, or left again where it is taken already; `a+b` are two that go together."""
    parts = way.split("+")
    if set(parts) <= set(goal.take):
        take = tuple(one for one in goal.take if one not in parts)
        return replace(goal, take=take, reason=goal.reason if "accept" in take else "")
    return replace(goal, take=tuple(dict.fromkeys((*goal.take, *parts))), reason=reason or goal.reason)


def with_step(goal: Goal, number: int, day: date) -> Goal:
    """Give a goal with a step moved to a day."""
    return replace(goal, moved=tuple(sorted({**dict(goal.moved), number: day}.items())))


STRIP = {"ship": "P", "publish": "P", "floor": "F", "observe": "s", "serve": "C", "drop": "D", "revoke": "R",
         "destroy": "X"}  # fmt: skip
"""The letter of each kind of step on an axis of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The steps of a plan on an axis of time: its letters, the words below, and the cell of each step by its number."""

    letters: str
    ruler: str
    cell: Mapping[int, int]


def axis(plan: Plan, width: int) -> Axis:
    """Put the days of a plan on an axis of some cells; `|` is the day by which it is due."""
    start = plan.made.date()
    deadline = plan.deadline[0] if plan.deadline is not None else None
    days = [day for step in plan.steps for day in (step.planned, step.latest) if day is not None]
    days += [day for day in (deadline, plan.goal.by) if day is not None]
    span = max((day - start).days for day in (*days, start + timedelta(days=LEAST_DAYS)))
    each = max(1, -(-(span + 1) // max(1, width)))
    letters, cell = [" "] * width, {}
    due = plan.goal.by or deadline
    if due is not None and due >= start:
        letters[(due - start).days // each] = "|"
    for step in plan.steps:
        if step.planned is not None and step.planned >= start:
            cell[step.number] = (step.planned - start).days // each
            letters[cell[step.number]] = STRIP.get(step.action, "?")
    below = ruler(plan.made, Unit(24 * each, "days"), width)
    return Axis(letters="".join(letters), ruler=below, cell=cell)


LEAST_DAYS = 180
"""Days that an axis of a plan shows at least."""
