"""A stored plan against reality: what was seen, what may be done today, and a proposal where things moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from rotator.errors import Problem, RotatorError, UsageError
from rotator.files import plans, seen
from rotator.files.sightings import history_of
from rotator.model.when import DAY, SECOND, plus, start_of
from rotator.plan.inputs import digests_of
from rotator.plan.making import make_plan
from rotator.plan.progress import Seen, Status, differences, status_of
from rotator.plan.values import Plan
from rotator.simulate.budget import beyond
from rotator.simulate.impact import BROKEN, hits
from rotator.simulate.question import Picture, Question, ask
from rotator.simulate.totals import total_of
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
        said=(*seen.said_of(file, stored.id), *_counted(picture, stored.plan, now)),
        sightings=history_of(file, tuple(picture.material.certificates)),
        digests=digests_of(picture),
        fitted=picture.fitted,
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


def _counted(picture: Picture, plan: Plan, now: datetime) -> Iterator[Seen]:
    """Give the steps that look for a share of users, where the newest counts have it: young ones only (I14)."""
    policy = picture.policy
    day = policy.oldest_count
    looks = [step for step in plan.steps if step.action == "observe"]
    if not looks or day is None or (now.date() - day).days > policy.limits.sighting_days or day < plan.made.date():
        return
    at = max(plus(start_of(day), DAY - SECOND), plan.made)
    serves = [replace(o, at=at) for step in plan.steps if step.action == "serve" for o in step.occurrences]
    if not serves:
        return
    own = calendar(policy)
    before = ask(picture, Question(occurrences=(), at=at), own).impact
    after = ask(picture, Question(occurrences=tuple(serves), at=at), own).impact
    known = {row.connection.index for row in before.rows if row.verdict.is_broken}
    fresh = hits((r for r in after.rows if r.verdict.is_broken and r.connection.index not in known), *BROKEN)
    for app in (None, *policy.apps):
        limit = policy.apps[app].break_budget if app is not None else None
        total = total_of(after.fleet, fresh, app)
        if beyond(total, policy.limits.break_budget if limit is None else limit):
            return
    share = total_of(after.fleet, fresh).share
    for step in looks:
        yield Seen(step=step.number, at=start_of(day), how="counted", share=None if share is None else 1 - share)


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
