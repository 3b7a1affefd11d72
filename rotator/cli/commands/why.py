"""`rotator why`: where a number of an answer comes from."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.model.when import parse_instant
from rotator.report.because import to_document, to_json
from rotator.report.text import render
from rotator.workflows.explaining import explain
from rotator.workflows.opening import open_policy
from rotator.workflows.simulating import Asked


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Print where it comes from; 1 where it does not agree with itself, which is a fault of this program."""
    at = now(environ)
    picture = open_policy(asked.policy, at.date())
    question = Asked(
        events=tuple(asked.events),
        scenario=asked.scenario,
        serve=tuple(asked.serve),
        at=parse_instant(asked.at) if asked.at else None,
        until=parse_instant(asked.until) if asked.until else None,
    )
    found = explain(picture, question, asked.path, at)
    if asked.json:
        console.json(to_json(found, {"name": picture.policy.name, "sha256": picture.digest}))
    else:
        console.result(render(to_document(found)))
    return int(not all(agrees for _, agrees in found.checks))
