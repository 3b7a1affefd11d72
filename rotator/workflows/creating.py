"""A first policy out of what people have: chains, keys, requests, shipped pin files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rotator.errors import Problem, UsageError
from rotator.files.store import all_or_nothing, write
from rotator.workflows.drafting import Draft
from rotator.workflows.gathering import Gathered
from rotator.workflows.inputs import Given
from rotator.workflows.opening import open_policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A first policy, and what to say about it.

    Attributes:
        path: its file.
        text: what it holds.
        notes: what was assumed and left out.
        side_files: what was pasted or comes out of git, and where it is kept beside the policy.
    """

    path: Path
    text: str
    notes: tuple[str, ...]
    side_files: tuple[tuple[Path, bytes], ...] = ()


def create(policy: str, inputs: Sequence[Given], today: date, apps: Mapping[str, str] | None = None) -> Created:
    """Write a first policy; see `draft`."""
    created = draft(policy, inputs, today, apps)
    write_draft(created, today)
    return created


def draft(policy: str, inputs: Sequence[Given], today: date, apps: Mapping[str, str] | None = None) -> Created:
    """Work a first policy out; nothing is written.

    Args:
        policy: the file to write; it must not exist.
        inputs: what the user has, told apart by content.
        today: the day findings about shipped files are judged on.
        apps: apps without a shipped file, each with its mechanism.

    Raises:
        UsageError: the file exists, or there is nothing to begin with.
        InputError: an input cannot be used.
    """
    target = Path(policy)
    if target.exists():
        raise UsageError(
            Problem(
                "is there already", file=policy, hint="choose another name; an existing policy is never overwritten"
            )
        )
    if not inputs:
        raise UsageError(
            Problem(
                "nothing to begin with",
                expected="any of: a PEM chain, `openssl s_client -showcerts` output (- reads it), a key or a request, "
                "shipped pin files",
                hint=f"rotator new {policy} fullchain.pem next.csr android:7.2.0=network_security_config.xml",
            )
        )
    gathered = Gathered(target, today)
    for given in inputs:
        gathered.take(given)
    work = Draft(gathered, apps or {})
    text = work.write_up()
    return Created(path=target, text=text, notes=tuple(work.notes), side_files=tuple(gathered.side_files))


def write_draft(created: Created, today: date) -> None:
    """Write a first policy exactly as it was shown, all of it or nothing.

    Raises:
        InputError: it cannot be used or written, or the file came to be meanwhile.
    """
    with all_or_nothing(created.side_files):
        open_policy(str(created.path), today, created.text)
        write(created.path, created.text.encode(), expected=None)
