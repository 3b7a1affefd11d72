"""`rotator observe`: what the hosts really serve."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.files.handshake import Net, Target, internet
from rotator.model.findings import Severity
from rotator.model.sightings import Handshake
from rotator.report.sightings import to_document, to_json
from rotator.report.text import render
from rotator.workflows.observing import Wish, date_hosts, keep, look
from rotator.workflows.opening import open_policy


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Print what was seen and keep it; 1 where any of it is a warning or worse."""
    return observe(asked, console, environ, internet())


def observe(asked: argparse.Namespace, console: Console, environ: Mapping[str, str], net: Net) -> int:
    """Do it on a network."""
    at = now(environ)
    picture = open_policy(asked.policy, at.date())
    wishes = [Wish.of(text, lambda: sys.stdin.buffer.read(16 * 1024 * 1024)) for text in asked.targets]

    def told(target: Target, hand: Handshake) -> None:
        what = hand.fault.words if hand.fault is not None else hand.version
        console.talk(f"{target.name}:{target.port} {hand.address}: {what}".replace(" : ", ": "))

    seen = look(picture, wishes, at, net, asked.timeout, told)
    kept = [] if asked.no_record else keep(asked.policy, seen)
    if asked.write:
        date_hosts(asked.policy, seen, at)
    if asked.json:
        policy = {"name": picture.policy.name, "sha256": picture.digest}
        console.json(to_json(policy, picture.inventory, seen.sightings, seen.findings, seen.agreeing))
    else:
        console.result(render(to_document(picture.inventory, seen.sightings, seen.findings, seen.agreeing)))
    if kept:
        console.talk(f"kept: {len(kept)} in {kept[0].parent}, which backtest --history reads")
    return int(any(finding.severity.rank <= Severity.WARNING.rank for finding in seen.findings))
