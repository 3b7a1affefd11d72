"""`rotator review`: what a change to a policy does."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.report.review import to_json, to_markdown
from rotator.workflows.reviewing import review


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Print the review as Markdown; 1 where the change makes something worse."""
    done = review(asked.policy, asked.base, now(environ))
    if asked.json:
        base = {"name": done.base.policy.name, "sha256": done.base.digest, "ref": asked.base}
        this = {"name": done.now.policy.name, "sha256": done.now.digest}
        console.json(to_json(done.found, base, this, (done.base.policy, done.now.policy)))
    else:
        console.result(to_markdown(done.found, done.base.policy, done.now.policy, asked.base))
    for note in done.notes:
        console.talk(f"note: {note}")
    return int(done.found.worse)
