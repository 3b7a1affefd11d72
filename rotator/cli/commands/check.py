"""`rotator check`: findings and calendar."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.errors import InputError, Problem
from rotator.files.policy_toml import read_bytes
from rotator.model.findings import Finding, Severity
from rotator.report.findings import to_document
from rotator.report.text import render
from rotator.simulate.question import Picture
from rotator.workflows.checking import check
from rotator.workflows.opening import open_policy


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Print what is found; 1 where any of it is as bad as `--fail-on`."""
    at = now(environ)
    picture = open_policy(asked.policy, at.date())
    return report(
        asked.policy,
        picture,
        at,
        console,
        fail_on=asked.fail_on,
        baseline=asked.baseline,
        as_json=asked.json,
        names=asked.names,
    )


def report(
    file: str,
    picture: Picture,
    at: datetime,
    console: Console,
    *,
    fail_on: str,
    baseline: str | None,
    as_json: bool,
    names: Sequence[str] = (),
) -> int:
    """Check a policy that is open and print the outcome."""
    checked = check(picture, at, names)
    known = _baseline(baseline) if baseline else frozenset()
    fresh = [f for f in checked.findings if (f.id, f.subject) not in known]
    if as_json:
        console.json(
            {
                "schema": 1,
                "policy": {"name": picture.policy.name, "sha256": picture.digest},
                "findings": [_json(f, known) for f in checked.findings],
                "calendar": [item.to_json() for item in checked.calendar],
            }
        )
    else:
        dates = [(item.day.isoformat(), item.text) for item in checked.calendar]
        console.result(render(to_document(picture.policy.name, checked.findings, dates, known)))
    if not checked.findings:
        console.talk(f"{file}: nothing found")
    limit = Severity(fail_on).rank
    return int(any(f.severity.rank <= limit for f in fresh))


def _json(finding: Finding, known: frozenset[tuple[str, str]]) -> dict[str, object]:
    row: dict[str, object] = dict(finding.to_json())
    return {**row, "known": (finding.id, finding.subject) in known} if known else row


def _baseline(file: str) -> frozenset[tuple[str, str]]:
    """Read the findings of an earlier `check --json`."""
    try:
        rows = json.loads(read_bytes(file))["findings"]
        return frozenset((str(row["id"]), str(row["subject"])) for row in rows)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(
            Problem("is not the JSON of a check", file=file, hint="rotator check POLICY --json > FILE")
        ) from None
