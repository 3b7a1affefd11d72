"""`rotator report`: what was kept."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from rotator.cli.console import Console
from rotator.errors import Problem, UsageError
from rotator.files.store import SIDE_SUFFIX
from rotator.model.when import parse_instant
from rotator.report.document import Document, Paragraph, Table
from rotator.report.text import render
from rotator.workflows import reports
from rotator.workflows.comparing import at_day, compare


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """List, show or compare."""
    del environ
    policies, ids = _targets(asked.targets)
    if asked.action == "list":
        return _list(policies, asked, console)
    if asked.action == "diff":
        return _diff(policies, ids, asked, console)
    if len(ids) != 1:
        raise UsageError(Problem("one report is shown at a time", expected="rotator report show [POLICY] ID"))
    return _show(policies, ids[0], asked, console)


def _targets(words: list[str]) -> tuple[list[str], list[str]]:
    """Tell policies from ids; without a policy every one whose reports lie in this folder is meant."""
    policies = [word for word in words if word.endswith(".toml") or Path(word).is_file()]
    ids = [word for word in words if word not in policies]
    if not policies:
        folders = sorted(Path().glob(f"*{SIDE_SUFFIX}"))
        policies = [folder.with_suffix(".toml").as_posix() for folder in folders]
    return policies, ids


def _list(policies: list[str], asked: argparse.Namespace, console: Console) -> int:
    rows = []
    for policy in policies:
        found, problems = reports.all_reports(policy)
        for problem in problems:
            console.talk(f"error: {problem}")
        rows += [(policy, report) for report in found]
    if asked.json:
        console.json(
            [
                {
                    "id": r.id,
                    "kind": r.kind,
                    "made": r.made,
                    "title": r.title,
                    "policy": r.policy,
                    "override": r.override or None,
                    "file": policy,
                }
                for policy, r in rows
            ]
        )
        return 0
    lines = tuple((r.made, r.kind, r.id, r.title) for _, r in rows)
    table = Table(("made", "kind", "id", "title"), lines, wide="title")
    blocks = (table,) if rows else (Paragraph("No reports yet: simulate and export keep them."),)
    console.result(render(Document(f"{len(rows)} report{'' if len(rows) == 1 else 's'}", blocks), width=100))
    return 0


def _show(policies: list[str], name: str, asked: argparse.Namespace, console: Console) -> int:
    report = _one(policies, name)
    if asked.at:
        document = at_day(report, parse_instant(asked.at).date())
        console.result(render(document, ascii_only=console.ascii_only))
        return 0
    form = "json" if asked.json else asked.format
    console.result(reports.render(report, form, ascii_only=console.ascii_only))
    return 0


def _diff(policies: list[str], ids: list[str], asked: argparse.Namespace, console: Console) -> int:
    if len(ids) != 2:
        raise UsageError(Problem("two reports are compared", expected="rotator report diff [POLICY] ID ID"))
    document = compare(*(_one(policies, name) for name in ids))
    if asked.json:
        console.json(document.to_json())
    else:
        console.result(render(document, width=100, ascii_only=console.ascii_only))
    return 0


def _one(policies: list[str], name: str) -> reports.Report:
    """Find a report of any of some policies."""
    problem: UsageError | None = None
    for policy in policies:
        try:
            return reports.one(policy, name)
        except UsageError as error:
            problem = error
    raise problem or UsageError(Problem("no report is kept here", expected="rotator report show POLICY ID"))
