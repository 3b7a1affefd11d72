"""`rotator import`: a shipped pin file to policy TOML."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.model.findings import Severity
from rotator.workflows.importing import import_file
from rotator.workflows.opening import open_policy

MOST_SHOWN = 20
"""Names whose rules are told; lists of browsers have hundreds."""


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Print the policy TOML; findings go to stderr, and 1 where any is a warning or worse."""
    today = now(environ).date()
    inventory = open_policy(asked.policy, today).inventory if asked.policy else None
    imported = import_file(asked.mechanism, asked.file, today, asked.names, inventory)
    if asked.json:
        console.json(
            {
                "schema": 1,
                "toml": imported.toml,
                "findings": [f.to_json() for f in imported.findings],
                "demands": [{"name": name, "rule": rule} for name, rule in imported.demands],
            }
        )
    else:
        console.result(imported.toml)
        for name, rule in imported.demands[:MOST_SHOWN]:
            console.talk(f"{name}: {rule}")
        if len(imported.demands) > MOST_SHOWN:
            console.talk(f"and {len(imported.demands) - MOST_SHOWN} more names: --json lists all")
        for finding in imported.findings:
            hint = f"\n  hint: {finding.hint}" if finding.hint else ""
            console.talk(f"{finding.severity}: {finding.id}: {finding.subject}: {finding.message}{hint}")
    return int(any(f.severity.rank <= Severity.WARNING.rank for f in imported.findings))
