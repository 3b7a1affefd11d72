"""`rotator backtest`: a pinset against recorded chains."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.files.history import read_history
from rotator.report.backtest import to_document, to_json
from rotator.report.text import render
from rotator.simulate.backtest import backtest
from rotator.simulate.fleet import fleet_of
from rotator.workflows.opening import open_policy


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Print what the record says; 1 where a snapshot would have broken clients."""
    picture = open_policy(asked.policy, now(environ).date())
    record = read_history(asked.history, picture.material.certificates)
    result = backtest(picture.inventory, fleet_of(picture.inventory, picture.table), record)
    if asked.json:
        console.json(to_json(result, picture.inventory))
    else:
        console.result(render(to_document(result, picture.inventory)))
    return int(bool(result.breaks))
