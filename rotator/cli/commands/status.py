"""`rotator status`: a stored plan against reality; what may be done today."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.errors import Problem, UsageError
from rotator.files.store import current, write
from rotator.report.status import to_document, to_ics, to_json
from rotator.report.text import render
from rotator.workflows.opening import open_policy
from rotator.workflows.progressing import mark, status


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Print the steps against what was seen; 1 where the plan is off."""
    at = now(environ)
    picture = open_policy(asked.policy, at.date())
    if asked.seen is None and (asked.share or asked.evidence or asked.by):
        raise UsageError(Problem("which step was seen?", expected="--seen STEP beside --share, --evidence and --by"))
    if asked.seen is not None:
        plan = mark(
            asked.policy, at, step=asked.seen, share=asked.share, evidence=asked.evidence, by=asked.by, plan=asked.plan
        )
        console.talk(f"step {asked.seen} of {plan} is kept as seen")
    found = status(asked.policy, picture, at, plan=asked.plan)
    name, digest = picture.policy.name, picture.digest
    if asked.json:
        console.json(to_json(found, name, digest))
    else:
        console.result(render(to_document(found, name, digest)))
    if asked.ics:
        path = Path(asked.ics)
        write(path, to_ics(found, name).encode(), expected=current(path))
        console.talk(f"written: {asked.ics}")
    return 1 if found.off else 0
