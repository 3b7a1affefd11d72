"""`rotator new`: a first policy from what people have, and later the releases that came since."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.errors import InputError, Problem, UsageError
from rotator.mechanisms.registry import mechanism as known_mechanism
from rotator.report.shipped import to_document
from rotator.report.text import render
from rotator.workflows.adding import Added, add
from rotator.workflows.creating import create
from rotator.workflows.inputs import Given, NewRelease, read_input
from rotator.workflows.shipped_files import Harvest, Wanted, from_folder, from_git


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Write the policy and say what to do next; 1 where all that was found are pins in code that nobody confirmed."""
    today = now(environ).date()
    apps = dict(_pair(text, "not an app", "--app NAME=MECHANISM") for text in asked.app)
    harvest = _harvest(asked)
    there = harvest is not None and Path(asked.policy).exists()
    inputs = [] if there else _inputs(asked)
    if harvest is None:
        harvest = Harvest()
    elif there:
        return _add(asked, harvest, today, console)
    if harvest.in_code and not harvest.given and not inputs:
        return _ask(asked, harvest, console)
    if not harvest.given and harvest.notes and not inputs:
        raise InputError([Problem(note) for note in harvest.notes])
    created = create(asked.policy, [*inputs, *harvest.given], today, apps)
    notes = [*harvest.notes, *created.notes]
    if asked.json:
        console.json(_json(asked.policy, created.text, notes, harvest, [NewRelease.of(g) for g in harvest.given]))
    else:
        console.result(created.text)
    _talk(console, notes, harvest)
    console.talk(f"written: {created.path}. Next: rotator check {created.path}, then rotator {created.path}")
    return 0


def _inputs(asked: argparse.Namespace) -> list[Given]:
    stdin = None
    if any(word == "-" or word.endswith("=-") for word in asked.inputs):
        stdin = sys.stdin.buffer.read(16 * 1024 * 1024)
    return [read_input(word, stdin) for word in asked.inputs]


def _harvest(asked: argparse.Namespace) -> Harvest | None:
    """Find shipped files where any are asked for."""
    if asked.from_git is None and asked.from_folder is None:
        for option, given in (("--path", asked.path), ("--take", asked.take)):
            if given:
                raise UsageError(Problem(f"{option} needs --from-git or --from-folder", value=given[0]))
        return None
    if asked.from_git is not None and asked.from_folder is not None:
        raise UsageError(Problem("--from-git and --from-folder at once", expected="one of them; run it twice"))
    take = dict(_pair(text, "not a host and its mechanism", "--take HOST=MECHANISM") for text in asked.take)
    for name in take.values():
        known_mechanism(name)
    wanted = [Wanted.of(text) for text in asked.path]
    base = Path(asked.policy).resolve().parent
    if asked.from_folder is not None:
        return from_folder(asked.from_folder, wanted, take, base)
    if not wanted:
        raise UsageError(Problem("which files shipped?", expected="--path GLOB, as **/network_security_config.xml"))
    repository, tags = asked.from_git
    return from_git(repository, tags, wanted, take, base)


def _add(asked: argparse.Namespace, harvest: Harvest, today: date, console: Console) -> int:
    added: Added = add(asked.policy, harvest.given, today)
    notes = [*harvest.notes, *added.notes, *(f"{word}: left alone, the policy is there" for word in asked.inputs)]
    if asked.json:
        console.json(_json(asked.policy, added.text, notes, harvest, added.releases))
    elif added.difference:
        console.result("\n".join(added.difference))
    _talk(console, notes, harvest)
    many = len(added.releases)
    console.talk(
        f"{added.path}: {many} new release{'' if many == 1 else 's'}" if many else f"{added.path}: nothing new"
    )
    return 0


def _ask(asked: argparse.Namespace, harvest: Harvest, console: Console) -> int:
    """Show pins in code and write nothing."""
    if asked.json:
        console.json(_json(asked.policy, None, harvest.notes, harvest, ()))
    else:
        console.result(render(to_document([found.to_json() for found in harvest.in_code])))
    _talk(console, harvest.notes, Harvest())
    console.talk("nothing written: pins in code are taken only for hosts that --take HOST=MECHANISM names")
    return 1


def _json(
    policy: str,
    toml: str | None,
    notes: list[str] | tuple[str, ...],
    harvest: Harvest,
    releases: list[NewRelease] | tuple[NewRelease, ...],
) -> dict[str, object]:
    return {
        "schema": 1,
        "policy": policy,
        "toml": toml,
        "notes": list(notes),
        "releases": [release.to_json() for release in releases],
        "candidates": [found.to_json() for found in harvest.in_code],
    }


def _talk(console: Console, notes: list[str] | tuple[str, ...], harvest: Harvest) -> None:
    for note in notes:
        console.talk(f"note: {note}")
    if harvest.in_code:
        console.talk(render(to_document([found.to_json() for found in harvest.in_code])).rstrip("\n"))


def _pair(text: str, wrong: str, expected: str) -> tuple[str, str]:
    name, equals, mechanism = text.rpartition("=")
    if not (name and equals and mechanism):
        raise UsageError(Problem(wrong, value=text, expected=expected))
    return name, mechanism
