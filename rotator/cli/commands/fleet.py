"""`rotator fleet`: user counts from files of the stores."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.errors import Problem, UsageError
from rotator.files.counts.own import columns_of
from rotator.report.text import render
from rotator.workflows.counting import plan_import, to_document, to_json, write_import
from rotator.workflows.inputs import read_input
from rotator.workflows.opening import open_policy
from rotator.workflows.stating import stated


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Show what the files mean and write it where asked; 1 where many clients run versions nobody knows."""
    at = now(environ)
    if not asked.inputs:
        raise UsageError(Problem("no file of counts", expected="rotator fleet POLICY FILE..."))
    said = stated(
        unit=asked.unit,
        opt_in=asked.opt_in,
        scale=asked.scale,
        total=asked.total,
        builds=asked.builds,
        count_unknown=asked.count_unknown,
    )
    columns = columns_of(asked.columns) if asked.columns else None
    picture = open_policy(asked.policy, at.date())
    stdin = sys.stdin.buffer.read() if any(w == "-" or w.endswith("=-") for w in asked.inputs) else None
    inputs = [read_input(word, stdin) for word in asked.inputs]
    plan = plan_import(asked.policy, picture, inputs, said, columns, at)
    if asked.json:
        console.json(to_json(plan, written=asked.write and not plan.refused))
    else:
        console.result(render(to_document(plan)))
    plan.refuse()
    if asked.write:
        written = write_import(asked.policy, plan)
        for path in written:
            console.talk(f"written: {path}")
        if not written:
            console.talk("nothing to write: the policy says so already")
    else:
        console.talk("nothing was written: --write does it")
    for line in plan.beyond:
        console.talk(f"{line}: name their codes with --builds, add the releases, or --count-unknown")
    return int(bool(plan.beyond))
