"""A dated rotation: from the words of a command line or a screen to a plan."""

from __future__ import annotations

from datetime import datetime

from rotator.errors import Problem, UnsafeError, UsageError
from rotator.plan.making import make_plan
from rotator.plan.values import Goal, Plan
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
