"""A policy held against an earlier version of itself: from git, with the files it named then, or from a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rotator.checks.difference import Difference, Version, difference
from rotator.errors import InputError, Problem
from rotator.files import git
from rotator.files.policy_toml import file_paths
from rotator.files.store import current
from rotator.simulate.question import Picture
from rotator.simulate.standard import five_rows
from rotator.workflows.checking import check
from rotator.workflows.opening import open_policy
from rotator.workflows.simulating import calendar


@dataclass(frozen=True, kw_only=True)
class Review:
    """A review: both versions, what is different, and what is to be said of how the earlier one was read."""

    base: Picture
    now: Picture
    found: Difference
    notes: tuple[str, ...] = ()


def review(policy: str, base: str, at: datetime) -> Review:
    """Compare a policy with an earlier version, both judged at the same instant.

    Args:
        policy: the policy file as it is now.
        base: a policy file, or anything that git knows a commit by.
        at: the instant.

    Raises:
        InputError: one of the two cannot be read.
    """
    now = open_policy(policy, at.date())
    notes: list[str] = []
    with _there(policy, base, notes) as (path, shown):
        try:
            old = open_policy(str(path), at.date())
            found = difference(_version(old, at, policy), _version(now, at, policy))
        except InputError as error:
            raise InputError([_renamed(problem, str(path), shown) for problem in error.problems]) from None
    return Review(base=old, now=now, found=found, notes=tuple(notes))


def _renamed(problem: Problem, path: str, shown: str) -> Problem:
    """Name a file as git does instead of where it lay for a moment."""
    where = shown if problem.file == path else problem.file
    return Problem(
        problem.message,
        file=where,
        path=problem.path,
        value=problem.value,
        expected=problem.expected,
        hint=problem.hint,
    )


def _version(picture: Picture, at: datetime, policy: str) -> Version:
    """Judge a version; what hosts were seen to serve is what it is, whichever version is asked about."""
    checked = check(picture, at, record_of=policy)
    return Version(
        inventory=checked.baseline.inventory,
        today=checked.baseline.impact,
        drill=five_rows(picture, at, calendar(picture.policy)),
        findings=checked.findings,
        dates=tuple((item.day, item.what) for item in checked.calendar),
    )


@contextmanager
def _there(policy: str, base: str, notes: list[str]) -> Iterator[tuple[Path, str]]:
    """Give the earlier version as a file, with the files it names as they were then beside it."""
    if Path(base).is_file():
        yield Path(base), base
        return
    home = Path(os.path.realpath(policy))
    top = Path(os.path.realpath(git.top(str(home.parent))))
    commit = git.commit_of(str(top), base)
    listed = git.paths(str(top), commit)
    inside = home.relative_to(top).as_posix()
    if inside not in listed:
        raise InputError(
            Problem("has no such file", file=f"{base}:{inside}", hint="a policy that is new has nothing before it")
        )
    with tempfile.TemporaryDirectory(prefix="rotator-") as folder:
        copy = _Copy(Path(os.path.realpath(folder)), top, listed, notes)
        yield copy.take(home), f"{base}:{inside}"


class _Copy:
    """The files of a commit that a policy names, laid out as they lie in the working tree."""

    def __init__(self, folder: Path, top: Path, listed: dict[str, str], notes: list[str]) -> None:
        self.folder, self.top, self.listed, self.notes = folder, top, listed, notes
        self.taken: set[Path] = set()

    def take(self, policy: Path) -> Path:
        """Copy a policy and everything it names; give the copy."""
        copy = self._file(policy)
        data = current(copy)
        if data is None:
            return copy
        for parts, written in file_paths(str(copy), data).items():
            path = Path(os.path.normpath(policy.parent / Path(written).expanduser()))
            if Path(written).expanduser().is_absolute() or path in self.taken:
                continue
            if parts[0] == "include":
                self.take(path)
            else:
                self._file(path)
                self._beside(path)
        return copy

    def _beside(self, path: Path) -> None:
        """Copy the list of keys that belongs to a file of Chromium's."""
        if path.suffix == ".json":
            name = path.name.removesuffix("_pins.json").removesuffix(".json") + ".pins"
            other = path.with_name(name)
            if self._inside(other) in self.listed:
                self._file(other)

    def _file(self, path: Path) -> Path:
        self.taken.add(path)
        copy = self.folder / path.relative_to(path.anchor)
        inside = self._inside(path)
        blob = self.listed.get(inside) if inside is not None else None
        data = git.contents(str(self.top), [blob])[blob] if blob is not None else current(path)
        if blob is None and data is not None:
            self.notes.append(f"{path.name}: git did not have it then, so it is taken as it is now")
        if data is not None:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(data)
        return copy

    def _inside(self, path: Path) -> str | None:
        real = Path(os.path.realpath(path.parent)) / path.name
        return real.relative_to(self.top).as_posix() if real.is_relative_to(self.top) else None
