"""`rotator now`: the emergency: what to do, at once and in which order."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.errors import InputError
from rotator.report.emergency import to_document, to_json
from rotator.report.text import render
from rotator.workflows import reports
from rotator.workflows.emergency import beyond_budget, emergency
from rotator.workflows.opening import open_policy


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Print the answer and keep it; 1 where even the best of it is beyond the budgets."""
    at = now(environ)
    picture = open_policy(asked.policy, at.date())
    found = emergency(
        picture,
        at,
        revoked=asked.revoked,
        stolen=asked.stolen,
        suspected=asked.key_suspected,
        clock=asked.clock,
    )
    name, limits = picture.policy.name, picture.policy.limits
    document = to_document(found, name, limits.exposure_weight)
    data = to_json(found, name, picture.digest)
    if asked.json:
        console.json(data)
    else:
        console.result(render(document))
    if not asked.no_report:
        policy = {"name": name, "sha256": picture.digest}
        report = reports.make("now", f"now-{found.alarm.said}", at, policy, document, data)
        try:
            reports.keep(asked.policy, report)
            console.talk(f"kept as report {report.id}")
        except InputError as error:
            console.talk(f"no report kept: {error}")
    return 1 if beyond_budget(found, limits) else 0
