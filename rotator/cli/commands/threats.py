"""`rotator threats`: what each kind of pin protects against, and what ordinary maintenance breaks."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.report.text import render
from rotator.report.threats import to_document, to_json
from rotator.workflows.opening import open_policy
from rotator.workflows.threatening import threats_of


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Print the grid."""
    at = now(environ)
    picture = open_policy(asked.policy, at.date())
    grid = threats_of(picture, asked.host, at, asked.mechanism)
    if asked.json:
        console.json(to_json(grid, picture.inventory))
    else:
        console.result(render(to_document(grid, picture.inventory)))
    return 0
