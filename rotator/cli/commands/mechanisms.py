"""`rotator mechanisms`: every client technology and its axes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from rotator.cli.console import Console
from rotator.mechanisms.registry import KNOWN_IDS, mechanism
from rotator.report.mechanisms import page, table, to_json
from rotator.report.text import render


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:  # noqa: ARG001
    """Print the table of all, or the pages of those asked for."""
    found = [mechanism(name) for name in asked.ids or KNOWN_IDS]
    if asked.json:
        console.json(to_json(found))
    elif asked.ids:
        console.result("\n".join(render(page(own)) for own in found))
    else:
        console.result(render(table(found), width=200))
    return 0
