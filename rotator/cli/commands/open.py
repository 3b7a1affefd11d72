"""`rotator POLICY`: the planner on a terminal, else the summary; one that is not there is begun on screen."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Mapping
from datetime import datetime

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.workflows.opening import open_policy


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Open the planner, after a guided start where there is no policy yet; else print the page."""
    at = now(environ)
    # In a browser the library draws through a driver that the server names; there is no terminal then.
    terminal = bool(environ.get("TEXTUAL_DRIVER")) or (
        sys.stdout.isatty() and sys.stdin.isatty() and environ.get("TERM", "dumb") != "dumb"
    )
    if terminal and not (asked.summary or asked.json):
        # Nothing made while the planner starts is garbage: it is not looked for until the first screen is drawn.
        gc.disable()
        from rotator.tui.app import run_planner

        return run_planner(
            asked.policy,
            at,
            ascii_only=asked.ascii or (console.ascii_only and not environ.get("TEXTUAL_DRIVER")),
            no_color=asked.no_color,
            mouse=not asked.no_mouse,
            keymap=asked.keymap or "",
            listening=console.listening,
        )
    with console.listening():
        return _page(asked, at, console)


def _page(asked: argparse.Namespace, at: datetime, console: Console) -> int:
    """Print the summary."""
    picture = open_policy(asked.policy, at.date())
    if asked.json:
        from rotator.cli.commands import check

        return check.report(asked.policy, picture, at, console, fail_on="warning", baseline=None, as_json=True)
    from rotator.report.summary import render
    from rotator.workflows.summarizing import summarize

    summary = summarize(picture, at, asked.policy)
    console.result(render(summary))
    return int(bool(summary.to_do))
