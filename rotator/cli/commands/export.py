"""`rotator export`: the next pinsets, the updated policy, the report."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.report.text import render
from rotator.workflows.exporting import Asked, left_out, plan_export, staged, to_document, to_json, write_export
from rotator.workflows.opening import open_policy


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Show the files and, where a place to write was named, write exactly those."""
    at = now(environ)
    picture = open_policy(asked.policy, at.date())
    question = Asked(
        promote=asked.promote,
        plan=asked.plan,
        step=asked.step,
        drop=tuple(asked.drop),
        into=tuple(asked.into),
        override=asked.override.strip(),
    )
    export = plan_export(asked.policy, picture, question, at)
    if asked.leave_out:
        export = staged(export, left_out(export, asked.leave_out))
    writing = bool(asked.into) or asked.write
    if asked.json:
        console.json({**to_json(export), "written": writing and not (export.unsafe and not export.override)})
    else:
        console.result(render(to_document(export, diffs=not writing)))
    export.refuse()
    if not writing:
        console.talk("nothing was written: --into DIR writes there, --write over the policy's own files")
        return 0
    written, report = write_export(asked.policy, export, at)
    for path in written:
        console.talk(f"written: {path}")
    console.talk(f"kept as report {report.id}")
    return 0
