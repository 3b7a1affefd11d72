"""What losing one or two things does, and whether our servers have an answer."""

from __future__ import annotations

from datetime import datetime

from rotator.model.progress import Progress
from rotator.plan.resilience import with_safety
from rotator.simulate.budget import beyond
from rotator.simulate.drill import Drill, Loss, drill
from rotator.simulate.question import Picture
from rotator.workflows.simulating import calendar


def drilled(picture: Picture, now: datetime, progress: Progress | None = None) -> Drill:
    """Play every loss and every pair at an instant, the policy's calendar played.

    Raises:
        CancelledError: whoever listens gave it up.
    """
    own = calendar(picture.policy)
    return with_safety(picture, drill(picture, now, own, progress), now, own, progress)


def unanswered(drill: Drill) -> list[Loss]:
    """Give the single losses that break more users than the budget allows and that our servers cannot answer."""
    budget = drill.inventory.policy.limits.break_budget
    return [loss for loss in drill.losses.alone if loss.response is None and beyond(loss.broken, budget)]
