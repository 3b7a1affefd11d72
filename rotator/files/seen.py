"""What people said they saw of a plan, kept beside it; entries are only ever added."""

from __future__ import annotations

import json
from pathlib import Path

from rotator.errors import InputError, Problem
from rotator.files.plans import folder_of
from rotator.files.store import current, digest, locked, write
from rotator.plan.progress import Seen
from rotator.plan.stored import plain, typed


def path_of(policy: str, plan: str) -> Path:
    """Give the file of what was seen of a plan."""
    return folder_of(policy) / "seen" / f"{plan}.json"


def said_of(policy: str, plan: str) -> tuple[Seen, ...]:
    """Give what was said about a plan.

    Raises:
        InputError: the file is damaged.
    """
    path = path_of(policy, plan)
    data = current(path)
    if data is None:
        return ()
    try:
        rows = typed(tuple[Seen, ...], json.loads(data), "seen")
    except (ValueError, RecursionError) as error:
        raise InputError(Problem(f"is no record of a plan: {error}", file=str(path))) from None
    assert isinstance(rows, tuple)  # noqa: S101 - as the type says
    return rows


def add(policy: str, plan: str, seen: Seen) -> Path:
    """Add what somebody saw.

    Raises:
        InputError: it cannot be written.
    """
    path = path_of(policy, plan)
    with locked(policy):
        old = current(path)
        rows = [plain(own) for own in (*said_of(policy, plan), seen)]
        write(path, json.dumps(rows, indent=1, ensure_ascii=False).encode() + b"\n", expected=old)
    return path


def evidence(file: str) -> tuple[str, str]:
    """Give the name of a file of evidence and the digest of what it holds.

    Raises:
        InputError: it cannot be read.
    """
    data = current(Path(file))
    if data is None:
        raise InputError(Problem("there is no such file", file=file))
    return Path(file).name, digest(data)
