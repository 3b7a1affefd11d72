"""Read a git repository through git itself: its tags, the paths of a commit, and what files held.

Nothing of the repository is run: no hook, no filter, no text conversion, no pager and no transport, and only commands
that read. Words go to git one by one, without a shell, and every call has an end.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rotator.errors import InputError, Problem, UsageError

TIMEOUT_SECONDS = 60
MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_TAGS = 5_000
_QUIET = (
    "--no-pager",
    "--no-replace-objects",
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "protocol.allow=never"),
    *("-c", "core.quotePath=false"),
)
_REGULAR = ("100644", "100755", "100664")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A tag: its name, the commit it leads to, and when that was committed."""

    name: str
    commit: str
    date: datetime


def tags(repository: str) -> tuple[Tag, ...]:
    """Give every tag that leads to a commit.

    Raises:
        InputError: this is no repository, or git is not here or does not answer.
    """
    own = "%(objecttype)%00%(objectname)%00%(committerdate:unix)"
    peeled = "%(*objecttype)%00%(*objectname)%00%(*committerdate:unix)"
    said = _git(repository, "for-each-ref", f"--format=%(refname:strip=2)%00{own}%00{peeled}", "refs/tags")
    found = []
    for line in said.decode("utf-8", "replace").splitlines()[:MAX_TAGS]:
        name, *rest = line.split("\0")
        if len(rest) != 6:
            continue
        kind, commit, when = rest[3:] if rest[3] else rest[:3]
        if kind == "commit" and re.fullmatch(r"-?\d{1,11}", when):
            found.append(Tag(name=name, commit=commit, date=_instant(int(when))))
    return tuple(found)


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(max(0, seconds), UTC)


def commit_of(repository: str, name: str) -> str:
    """Give the commit that a branch, a tag or a commit's own name leads to.

    Raises:
        InputError: there is none of this name.
    """
    if not name or name.startswith("-") or "\0" in name:
        raise UsageError(Problem("not a name that git knows", value=name))
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    try:
        said = _git(repository, *words)
    except InputError:
        top(repository)
        raise InputError(Problem("git knows no commit by this name", file=repository, value=name)) from None
    return said.decode("ascii", "replace").split()[-1]


def top(folder: str) -> Path:
    """Give the top of the working tree that a folder lies in.

    Raises:
        InputError: it lies in none.
    """
    return Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel").rstrip(b"\n")))


def paths(repository: str, commit: str) -> dict[str, str]:
    """Give every regular file of a commit by its path from the top, with the name of what it held; no link is one."""
    found = {}
    for row in _git(repository, "ls-tree", "-r", "-z", "-l", "--full-tree", commit).split(b"\0"):
        facts, _, path = row.partition(b"\t")
        mode, _, blob, size = (*facts.decode("ascii", "replace").split(), "", "", "", "")[:4]
        if mode in _REGULAR and size.isdigit() and int(size) <= MAX_FILE_BYTES:
            found[path.decode("utf-8", "surrogateescape")] = blob
    return found


def contents(repository: str, blobs: Iterable[str]) -> dict[str, bytes]:
    """Give what some files held, by the names `paths` gave.

    Raises:
        InputError: git does not have one of them.
    """
    wanted = list(dict.fromkeys(blobs))
    said = _git(repository, "cat-file", "--batch", data="".join(f"{blob}\n" for blob in wanted).encode())
    found, at = {}, 0
    for blob in wanted:
        end = said.find(b"\n", at)
        words = said[at : max(end, 0)].split()
        if len(words) != 3 or words[1] != b"blob":
            raise InputError(Problem("git does not have what a file held", file=repository, value=blob))
        start = end + 1
        found[blob] = said[start : start + int(words[2])]
        at = start + int(words[2]) + 1
    return found


def _git(repository: str, *words: str, data: bytes = b"") -> bytes:
    program = shutil.which("git")
    if program is None:
        raise InputError(Problem("git is not installed", file=repository, hint="give the files themselves"))
    if "\0" in repository:
        raise UsageError(Problem("not a path", value=repository))
    try:
        done = subprocess.run(  # noqa: S603 - words one by one, no shell, a fixed program
            [program, "-C", repository, *_QUIET, *words],
            input=data,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
            env=_environment(os.environ),
        )
    except subprocess.TimeoutExpired:
        raise InputError(Problem(f"git gave no answer in {TIMEOUT_SECONDS} seconds", file=repository)) from None
    except OSError as error:
        raise InputError(Problem(f"git could not be run: {error.strerror or error}", file=repository)) from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it gave no reason"]
        reason = lines[0].removeprefix("fatal: ").rstrip(".")
        raise InputError(Problem(f"git refuses: {reason[:1].lower()}{reason[1:]}", file=repository))
    return done.stdout


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """Leave out what would point git elsewhere or make it run or fetch something; its words stay English."""
    kept = {name: value for name, value in own.items() if not name.startswith(("GIT_", "LC_")) and name != "LANGUAGE"}
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"}
