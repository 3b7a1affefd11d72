"""A stored plan against reality: what was seen, what may be done today, and a proposal where things moved."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from rotator.errors import Problem, RotatorError, UsageError
from rotator.files import plans, seen
from rotator.files.sightings import history_of
from rotator.plan.making import make_plan
from rotator.plan.progress import Seen, Status, differences, status_of
from rotator.simulate.question import Picture
from rotator.workflows.simulating import calendar


def status(file: str, picture: Picture, now: datetime, *, plan: str = "") -> Status:
    """Set a stored plan against what is known by now, and propose another one where dates moved.

    Args:
        file: the policy file.
        picture: the policy as it is today.
        now: the instant of the session.
        plan: the plan's id, the start of it or its file; "" for the newest.

    Raises:
        UsageError: there is no such plan.
        InputError: a file is damaged.
    """
    stored = plans.one(file, plan)
    found = status_of(
        stored.plan,
        stored.id,
        picture.inventory,
        now,
        said=seen.said_of(file, stored.id),
        sightings=history_of(file, tuple(picture.material.certificates)),
        digests={"policy": picture.digest},
    )
    if all(line.state == "done" for line in found.lines):
        return found
    try:
        proposal = make_plan(picture, replace(stored.plan.goal, moved=()), now, calendar(picture.policy))
    except RotatorError as error:
        return replace(found, notes=(f"the same goal cannot be planned on today's policy: {error}",))
    done = {(line.step.action, line.step.app or line.step.subject) for line in found.lines if line.state == "done"}
    moved = tuple(m for m in differences(stored.plan, proposal) if (m.action, m.subject) not in done)
    return replace(found, proposal=proposal, moved=moved)


def mark(file: str, now: datetime, *, step: int, share: str, evidence: str, by: str, plan: str = "") -> str:
    """Keep that somebody saw a step done; the plan itself stays as it is.

    Returns:
        The id of the plan.

    Raises:
        UsageError: the plan has no such step, or the share is none.
        InputError: the evidence cannot be read, or the record cannot be written.
    """
    stored = plans.one(file, plan)
    if step not in {own.number for own in stored.plan.steps}:
        known = ", ".join(str(own.number) for own in stored.plan.steps)
        raise UsageError(Problem("the plan has no such step", value=str(step), expected=known))
    name, sha256 = seen.evidence(evidence) if evidence else ("", "")
    entry = Seen(step=step, at=now, share=_share(share), evidence=name, sha256=sha256, by=by.strip())
    seen.add(file, stored.id, entry)
    return stored.id


def _share(text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise UsageError(Problem("not a share", value=text, expected="a share from 0 to 1, or such as 99.5%"))
    return value
