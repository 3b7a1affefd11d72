"""`rotator simulate`: who breaks and who is exposed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.errors import InputError
from rotator.model.when import parse_instant, show
from rotator.report.simulation import to_document, to_json
from rotator.report.text import render
from rotator.simulate.budget import breaches
from rotator.workflows import reports
from rotator.workflows.opening import open_policy
from rotator.workflows.simulating import Asked, simulate


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Print the answer and keep it; 1 where it is beyond the budgets."""
    at = now(environ)
    question = Asked(
        events=tuple(asked.events),
        scenario=asked.scenario,
        serve=tuple(asked.serve),
        at=parse_instant(asked.at) if asked.at else None,
        until=parse_instant(asked.until) if asked.until else None,
    )
    picture = open_policy(asked.policy, at.date())
    answer = simulate(picture, question, at)
    document = to_document(answer)
    if asked.json:
        console.json(to_json(answer, rows=not asked.totals))
    else:
        console.result(render(document))
    if answer.question.occurrences and not asked.no_report:
        about = asked.scenario or "-".join(o.text for o in answer.question.occurrences)
        policy = {"name": picture.policy.name, "sha256": picture.digest}
        report = reports.make("simulate", about, at, policy, document, to_json(answer))
        try:
            reports.keep(asked.policy, report)
            console.talk(f"kept as report {report.id}")
        except InputError as error:
            console.talk(f"no report kept: {error}")
    for impact in (answer.impact, *answer.window):
        beyond = list(breaches(impact, answer.inventory))
        for line in beyond:
            console.talk(f"beyond budget at {show(impact.at)}: {line}")
        if beyond:
            return 1
    return 0
