"""`rotator new`: a first policy from what people have, and later the releases that came since."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from rotator.cli.clock import now
from rotator.cli.console import Console
from rotator.errors import InputError, Problem, UsageError
from rotator.files.counts.reader import read_counts
from rotator.files.policy_toml import read_bytes
from rotator.mechanisms.registry import mechanism as known_mechanism
from rotator.report.counting import codes_to_say, read_lines
from rotator.report.shipped import to_document
from rotator.report.text import render
from rotator.simulate.census import Stated
from rotator.workflows.adding import Added, add
from rotator.workflows.counting import Import, plan_import, write_import
from rotator.workflows.creating import create
from rotator.workflows.inputs import Given, NewRelease, is_counts, read_input
from rotator.workflows.opening import open_policy
from rotator.workflows.shipped_files import Harvest, Wanted, from_folder, from_git


def run(asked: argparse.Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Write the policy and say what to do next; 1 where something that was given is not in it and needs a person."""
    at = now(environ)
    today = at.date()
    apps = dict(_pair(text, "not an app", "--app NAME=MECHANISM") for text in asked.app)
    harvest = _harvest(asked)
    there = harvest is not None and Path(asked.policy).exists()
    harvest = harvest or Harvest()
    if there:
        return _add(asked, harvest, at, console)
    inputs, counts = _inputs(asked.inputs, today)
    if harvest.in_code and not harvest.given and not inputs:
        return _ask(asked, harvest, console)
    if not harvest.given and harvest.notes and not inputs:
        raise InputError([Problem(note) for note in harvest.notes])
    created = create(asked.policy, [*inputs, *harvest.given], today, apps)
    counted = _count(asked.policy, counts, at, keep=False)
    text = created.text if counted is None else read_bytes(asked.policy).decode()
    notes = [*harvest.notes, *created.notes]
    if asked.json:
        releases = [NewRelease.of(g) for g in harvest.given]
        console.json(_json(asked.policy, text, [*notes, *_told(counted)], harvest, releases))
    else:
        console.result(text)
    _talk(console, notes, harvest)
    code = _talk_counts(asked.policy, counts, counted, console)
    console.talk(f"written: {created.path}. Next: rotator check {created.path}, then rotator {created.path}")
    return code


def _inputs(words: Sequence[str], today: date) -> tuple[list[Given], list[Given]]:
    """Read what was given, files of counts apart from the others; one that is broken stops everything."""
    stdin = None
    if any(word == "-" or word.endswith("=-") for word in words):
        stdin = sys.stdin.buffer.read(16 * 1024 * 1024)
    inputs = [read_input(word, stdin) for word in words]
    counts = [given for given in inputs if is_counts(given, today)]
    for given in counts:
        read_counts(given.data, given.file, today)
    return [given for given in inputs if given not in counts], counts


def _count(policy: str, counts: list[Given], at: datetime, *, keep: bool) -> Import | InputError | None:
    """Take counts into a policy that is written; what speaks against it is for people to settle with `fleet`."""
    if not counts:
        return None
    try:
        plan = plan_import(policy, open_policy(policy, at.date()), counts, Stated(), None, at)
        if not plan.refused:
            write_import(policy, plan, keep=keep)
    except InputError as error:
        return error
    return plan


def _told(counted: Import | InputError | None) -> list[str]:
    """Say in lines what became of the counts."""
    if isinstance(counted, InputError):
        return [f"not counted: {problem}" for problem in counted.problems]
    if counted is None:
        return []
    if counted.refused:
        return [f"not counted: {problem}" for problem in counted.refused]
    return [*read_lines(counted.apps), *counted.beyond]


def _talk_counts(policy: str, counts: list[Given], counted: Import | InputError | None, console: Console) -> int:
    """Say what became of the counts, and what would take those that are not in; 1 where there are any."""
    for line in _told(counted):
        console.talk(line)
    if counted is None:
        return 0
    plan = counted if isinstance(counted, Import) else None
    codes = codes_to_say(plan.apps) if plan is not None else ""
    if plan is None or plan.refused or plan.beyond:
        files = " ".join(f"{given.app}={given.file}" if given.app else given.file for given in counts)
        begin = "when that is settled" if plan is None else "to take them all"
        console.talk(f"{begin}: rotator fleet {policy} {files}{f' {codes}' if codes else ''} --write")
        return 1
    return 0


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


def _add(asked: argparse.Namespace, harvest: Harvest, at: datetime, console: Console) -> int:
    """Add what is new to a policy that is there: releases and counts; what else was given is left alone."""
    files = [word for word in asked.inputs if word != "-" and not word.endswith("=-")]
    inputs, counts = _inputs(files, at.date())
    added: Added = add(asked.policy, harvest.given, at.date())
    counted = _count(asked.policy, counts, at, keep=True)
    text = added.text if counted is None else read_bytes(asked.policy).decode("utf-8-sig")
    names = [*(given.file for given in inputs), *(word for word in asked.inputs if word not in files)]
    left = [f"{name}: left alone, the policy is there" for name in names]
    notes = [*harvest.notes, *added.notes, *left]
    if asked.json:
        console.json(_json(asked.policy, text, [*notes, *_told(counted)], harvest, added.releases))
    elif added.difference:
        console.result("\n".join(added.difference))
    _talk(console, notes, harvest)
    code = _talk_counts(asked.policy, counts, counted, console)
    many = len(added.releases)
    console.talk(
        f"{added.path}: {many} new release{'' if many == 1 else 's'}" if many else f"{added.path}: nothing new"
    )
    return code


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
