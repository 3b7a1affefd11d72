"""Somebody moves the steps of a plan about: whatever is let through loses no invariant that held."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rotator.errors import UnsafePlanError, UsageError
from rotator.model import policy as p
from rotator.plan.gate import OF_SPARES, checked
from rotator.plan.making import make_plan, put_together
from rotator.plan.values import Goal, Plan
from rotator.workflows.simulating import calendar
from tests.property.planning import ALL_OF_THEM, NOW, TODAY, goals, policies
from tests.property.strategies import picture


class MovingSteps(RuleBasedStateMachine):
    """A plan, and the steps that were moved so far."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self.plan: Plan | None = None
        self.moved: dict[int, date] = {}

    @initialize(policy=policies(most=2), goal=goals)
    def plan_it(self, policy: p.Policy, goal: Goal) -> None:
        """Plan on some policy."""
        self.picture, self.calendar, self.goal = picture(policy), calendar(policy), goal
        try:
            self.plan = self.with_steps({})
        except UsageError:
            assume(False)  # noqa: FBT003 - how hypothesis has it
        assume(self.plan.steps)
        self.first = self.plan

    def with_steps(self, moved: dict[int, date]) -> Plan:
        """Plan with steps on days of one's own."""
        goal = replace(self.goal, moved=tuple(sorted(moved.items())))
        return make_plan(self.picture, goal, NOW, self.calendar, ways_out=False)

    @precondition(lambda self: self.plan is not None)
    @rule(pick=st.integers(0, 9), days=st.integers(0, 100))
    def move(self, pick: int, days: int) -> None:
        """Move a step; where that is refused all stays as it was."""
        assert self.plan is not None
        step = self.plan.steps[pick % len(self.plan.steps)]
        asked = {**self.moved, step.number: TODAY + timedelta(days=days)}
        try:
            self.plan = self.with_steps(asked)
        except (UnsafePlanError, UsageError):
            return
        self.moved = asked

    @invariant()
    def nothing_is_lost(self) -> None:
        """What was let through is accepted by the replay and falsifies no invariant; what holds a date holds it."""
        if self.plan is None:
            return
        assert self.plan.replayed == ()
        goal = replace(self.goal, moved=tuple(sorted(self.moved.items())))
        made = put_together(self.picture, goal, NOW, self.calendar)
        lost = checked(made.draft, self.plan, made.found, made.work.drops(made.found))
        assert [(step.title, f.text) for step, f in lost if f.invariant not in OF_SPARES] == []
        for number, day in self.moved.items():
            own = next(step for step in self.plan.steps if step.number == number)
            assert own.planned in (None, day) if self.plan.never else own.planned == day

    @invariant()
    def nothing_is_served_before_it_is_safe(self) -> None:
        """By hand a swap only ever gets later."""
        if self.plan is None or self.plan.never:
            return
        for step, first in zip(self.plan.steps, self.first.steps, strict=True):
            if step.action == "serve" and step.planned is not None and first.planned is not None:
                assert step.planned >= first.planned


MovingSteps.TestCase.settings = settings(
    max_examples=100 if ALL_OF_THEM else 15,
    stateful_step_count=4,
    deadline=None,
    phases=list(Phase) if ALL_OF_THEM else [Phase.generate],
    suppress_health_check=list(HealthCheck),
)
TestMovingSteps = MovingSteps.TestCase
