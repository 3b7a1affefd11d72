"""What holds of every plan, whatever the policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rotator.errors import UsageError
from rotator.model import policy as p
from rotator.plan.making import put_together
from rotator.plan.values import Goal, Plan
from rotator.workflows.simulating import calendar
from tests.property.planning import ALL_OF_THEM, NOW, TODAY, goals, planned, policies, with_limits
from tests.property.strategies import picture

quick = settings(max_examples=300 if ALL_OF_THEM else 75, suppress_health_check=list(HealthCheck))


def made(policy: p.Policy, goal: Goal) -> Plan:
    """Plan; a goal that means nothing on a policy tells nothing."""
    try:
        return planned(policy, goal)
    except UsageError:
        assume(False)  # noqa: FBT003 - how hypothesis has it
        raise


def day(found: Plan) -> date:
    """Give the day on which the new chain is served, or its pins are carried; the last of all days for NEVER."""
    if found.never:
        return date.max
    serves = [s.planned for s in found.steps if s.action == "serve" and s.planned is not None]
    return max(serves or [s.planned for s in found.steps if s.action == "observe" and s.planned], default=date.min)


@quick
@given(policy=policies(), goal=goals)
def test_the_planner_never_yields_what_the_replay_rejects(policy: p.Policy, goal: Goal) -> None:
    found = made(policy, goal)
    assert found.replayed == ()


@quick
@given(policy=policies(), goal=goals, more=st.integers(1, 20))
def test_a_longer_margin_never_completes_earlier(policy: p.Policy, goal: Goal, more: int) -> None:
    short, long = made(policy, goal), made(with_limits(policy, safety_days=policy.limits.safety_days + more), goal)
    assert day(long) >= day(short)


@quick
@given(policy=policies(), goal=goals, more=st.sampled_from([0.001, 0.05, 0.3]))
def test_more_budget_never_completes_later(policy: p.Policy, goal: Goal, more: float) -> None:
    little, much = made(policy, goal), made(with_limits(policy, break_budget=policy.limits.break_budget + more), goal)
    assert day(much) <= day(little)


@quick
@given(policy=policies(), goal=goals)
def test_the_day_is_the_first_one_of_all_that_keeps_the_budgets(policy: p.Policy, goal: Goal) -> None:
    """Every day is weighed, where the planner halves times in which it takes breakage to shrink only."""
    try:
        found = put_together(picture(policy), goal, NOW, calendar(policy)).found
    except UsageError:
        assume(False)  # noqa: FBT003 - how hypothesis has it
    start = TODAY
    days = (start + timedelta(days=n) for n in range(policy.limits.horizon_days + 1))
    assert found.swap.first(start, start + timedelta(days=policy.limits.horizon_days)) == next(
        (own for own in days if found.swap.weigh(own).ok), None
    )


@quick
@given(policy=policies(), goal=goals)
def test_without_clients_every_plan_is_safe(policy: p.Policy, goal: Goal) -> None:
    none = p.Count(low=0, high=0)
    apps = {
        name: replace(
            app,
            clients=None if app.releases else none,
            releases=tuple(replace(release, clients=none) for release in app.releases),
        )
        for name, app in policy.apps.items()
    }
    # Nothing may be served in a freeze that lasts as long as the horizon, nor before a chain begins.
    found = made(replace(with_limits(policy, horizon_days=120), apps=apps), goal)
    assert not found.never
    assert found.replayed == ()
