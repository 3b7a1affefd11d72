"""`rotator drill`: every single loss and every pair, against what is held today."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.model.progress import Heard
from rotator.report.drill import to_document, to_json
from rotator.report.text import render
from rotator.workflows.drilling import drilled, unanswered
from rotator.workflows.opening import open_policy


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Print the losses; 1 where a single one is beyond the budget and nothing our servers have answers it."""
    at = now(environ)
    picture = open_policy(asked.policy, at.date())
    found = drilled(picture, at, Heard())
    if asked.json:
        console.json(to_json(found, every=asked.all))
    else:
        console.result(render(to_document(found, every=asked.all)))
    return 1 if unanswered(found) else 0
