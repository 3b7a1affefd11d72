"""`rotator new`: a first policy from what people have."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.errors import Problem, UsageError
from rotator.workflows.creating import create
from rotator.workflows.inputs import read_input


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Write the policy and say what to do next."""
    stdin = None
    if any(word == "-" or word.endswith("=-") for word in asked.inputs):
        stdin = sys.stdin.buffer.read(16 * 1024 * 1024)
    inputs = [read_input(word, stdin) for word in asked.inputs]
    created = create(asked.policy, inputs, now(environ).date(), dict(_pair(text) for text in asked.app))
    if asked.json:
        console.json({"schema": 1, "policy": str(created.path), "toml": created.text, "notes": list(created.notes)})
    else:
        console.result(created.text)
    for note in created.notes:
        console.talk(f"note: {note}")
    console.talk(f"written: {created.path}. Next: rotator check {created.path}, then rotator {created.path}")
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, equals, mechanism = text.partition("=")
    if not (name and equals and mechanism):
        raise UsageError(Problem("not an app", value=text, expected="--app NAME=MECHANISM"))
    return name, mechanism
