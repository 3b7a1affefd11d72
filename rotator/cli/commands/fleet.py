"""`rotator fleet`: user counts from files of the stores."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.errors import Problem, UsageError
from rotator.files.counts.own import columns_of
from rotator.report.text import render
from rotator.simulate.census import Range, Stated
from rotator.workflows.counting import plan_import, to_document, to_json, write_import
from rotator.workflows.inputs import read_input
from rotator.workflows.opening import open_policy

_RANGE = re.compile(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?")


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Show what the files mean and write it where asked; 1 where many clients run versions nobody knows."""
    at = now(environ)
    if not asked.inputs:
        raise UsageError(Problem("no file of counts", expected="rotator fleet POLICY FILE..."))
    scale = _range("--scale", asked.scale)
    if scale is not None and not asked.unit:
        raise UsageError(Problem("what is counted after --scale?", expected='--unit "active devices, 30 days"'))
    stated = Stated(
        unit=asked.unit.strip(),
        opt_in=_range("--opt-in", asked.opt_in, most=1),
        scale=scale,
        total=asked.total,
        builds=_builds(asked.builds),
        count_unknown=asked.count_unknown,
    )
    columns = columns_of(asked.columns) if asked.columns else None
    picture = open_policy(asked.policy, at.date())
    stdin = sys.stdin.buffer.read() if any(w == "-" or w.endswith("=-") for w in asked.inputs) else None
    inputs = [read_input(word, stdin) for word in asked.inputs]
    plan = plan_import(asked.policy, picture, inputs, stated, columns, at)
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


def _range(option: str, text: str, most: float = 1000) -> Range | None:
    """Read `0.25` or `0.22-0.30`."""
    if not text:
        return None
    found = _RANGE.fullmatch(text.strip())
    low, high = (float(found[1]), float(found[2] or found[1])) if found is not None else (0.0, 0.0)
    if not 0 < low <= high <= most:
        raise UsageError(
            Problem("not a number or a range", path=option, value=text, expected="such as 0.25 or 0.22-0.30")
        )
    return low, high


def _builds(texts: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Read `9.4.0=90400,90410`."""
    found: dict[str, tuple[int, ...]] = {}
    for text in texts:
        version, equals, codes = text.partition("=")
        parts = [part.strip() for part in codes.split(",")]
        if not version or not equals or not all(part.isascii() and part.isdigit() and len(part) < 13 for part in parts):
            raise UsageError(Problem("not version codes", path="--builds", value=text, expected="VERSION=CODE,CODE"))
        found[version] = (*found.get(version, ()), *map(int, parts))
    return found
