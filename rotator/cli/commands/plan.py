"""`rotator plan`: the dated rotation, or NEVER with the ways out."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import date

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.errors import InputError, Problem, UsageError
from rotator.files import plans
from rotator.model.when import parse_instant
from rotator.plan.values import Goal
from rotator.report.plan import to_document, to_json
from rotator.report.text import render
from rotator.workflows import reports
from rotator.workflows.opening import open_policy
from rotator.workflows.planning import over_time, pair_of, plan


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Print the plan and keep it as a report; 1 where there is none, or where it is late."""
    at = now(environ)
    goal = Goal(
        to=asked.to or "",
        from_=asked.from_ or "",
        chain=asked.ca or "",
        pinset=asked.pinset or "",
        algorithm=asked.algorithm or "",
        pin_to=asked.pin_to or "",
        hosts=tuple(asked.host),
        by=parse_instant(asked.by).date() if asked.by else None,
        take=tuple(part for text in asked.take for part in text.replace("+", ",").split(",") if part),
        reason=asked.override or "",
        moved=tuple(_moved(text) for text in asked.move),
        also=tuple(pair_of(text) for text in asked.also),
    )
    picture = open_policy(asked.policy, at.date())
    made = plan(picture, goal, at)
    points = over_time(picture, goal, at) if asked.curve else None
    document = to_document(made, points)
    # What is to be kept is kept before anything is printed: a reader that goes away loses nothing.
    if not asked.no_report:
        policy = {"name": picture.policy.name, "sha256": picture.digest}
        report = reports.make("plan", goal.text, at, policy, document, to_json(made, points), made.accepted)
        try:
            reports.keep(asked.policy, report)
            console.talk(f"kept as report {report.id}")
        except InputError as error:
            console.talk(f"no report kept: {error}")
    if asked.write and made.replayed:
        console.talk("the plan is not kept: the replay does not agree with it")
    elif asked.write:
        console.talk(f"the plan is kept as {plans.keep(asked.policy, made).id}: rotator status {asked.policy}")
    if asked.json:
        console.json(to_json(made, points))
    else:
        console.result(render(document))
    late = any(finding.startswith(("late: ", "unknown: ")) for finding in made.findings)
    late = late or (made.slack is not None and made.slack < 0)
    return 1 if made.never or made.replayed or late else 0


def _moved(text: str) -> tuple[int, date]:
    step, equals, day = text.partition("=")
    if not equals or not step.isascii() or not step.isdigit() or len(step) > 4:
        raise UsageError(Problem("not a step and its day", value=text, expected="STEP=DATE, such as 2=2027-02-01"))
    return int(step), parse_instant(day).date()
