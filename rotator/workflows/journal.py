"""The journal: edits that are not saved, kept beside the policy, so that a crash or a lost line loses none of them.

Each running planner keeps a file of its own in `NAME.rotator/unsaved/`, written whole or not at all, readable by its
owner alone, and holds a lock beside it while it lives. A file whose lock nobody holds was left behind: it is offered
again. A file that a later program wrote in a way this one does not know is left alone.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rotator.errors import InputError, Problem
from rotator.files.policy_toml import read_bytes
from rotator.files.store import clear_leftovers, current, hold, is_held, side_folder, write
from rotator.model.edits import Change, Edit, Insert, Part, Plain, Remove, SetValue
from rotator.simulate.rotation import Rotation
from rotator.workflows.session import Session, make_text, replay

SCHEMA = 1
FOLDER = "unsaved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Edits that were left behind.

    Attributes:
        path: the file of the journal.
        made: when the last of them was made.
        base: what the policy held before them.
        edits: the edits, oldest first.
        text: what the policy held with all of them.
        same: whether the policy still is what they were made on.
    """

    path: Path
    made: datetime
    base: bytes
    edits: tuple[Rotation, ...]
    text: bytes
    same: bool


class Journal:
    """The journal of one running planner."""

    def __init__(self, file: str, now: datetime) -> None:
        """Begin; nothing is written until there is an edit.

        Args:
            file: the policy.
            now: the instant, for the name of the file.
        """
        self.folder = side_folder(file) / FOLDER
        self.path = self.folder / f"{now:%Y%m%dT%H%M%S}-{os.getpid()}.json"
        self._lock: int | None = None
        self._kept: bytes | None = None

    def keep(self, session: Session, now: datetime) -> None:
        """Keep the edits of a session that are not saved; where all are, the file goes away.

        Raises:
            InputError: it cannot be written.
        """
        if not session.dirty:
            self.forget()
            return
        if self._lock is None:
            self._lock = hold(self.path.with_suffix(".lock"))
        data = _written(session, now)
        # Whatever happened to the file meanwhile, what this planner knows is the truth about its own edits.
        write(self.path, data, expected=current(self.path), private=True)
        self._kept = data

    def scratch(self) -> Path:
        """Give the file in which an editor works on the text."""
        return self.path.with_suffix(".toml")

    def forget(self) -> None:
        """Take the journal away."""
        if self._kept is not None:
            with contextlib.suppress(OSError):
                self.path.unlink()
            self._kept = None
        if self._lock is not None:
            with contextlib.suppress(OSError):
                self.path.with_suffix(".lock").unlink()
            os.close(self._lock)
            self._lock = None
            with contextlib.suppress(OSError):
                self.folder.rmdir()


def left_behind(session: Session) -> tuple[list[Left], list[Problem]]:
    """Find edits that a planner left behind, the newest first.

    Edits that the policy holds by now are no longer of use, and are cleared away.

    Returns:
        The edits, and what is wrong with journals that cannot be read.
    """
    folder = side_folder(session.file) / FOLDER
    found: list[Left] = []
    problems: list[Problem] = []
    try:
        paths = sorted(folder.glob("*.json"))
    except OSError:
        return [], []
    for path in paths:
        if is_held(path.with_suffix(".lock")):
            continue
        clear_leftovers(path)
        try:
            left = _read(path, session)
        except InputError as error:
            problems += error.problems
            continue
        if left.text == session.saved_text:
            discard(left)
        else:
            found.append(left)
    for path in sorted(folder.glob("*.toml")):
        if not path.name.startswith("mine-") and not is_held(path.with_suffix(".lock")):
            problems.append(Problem("text of an editor that was not taken over", file=str(path)))
    return sorted(found, key=lambda left: left.made, reverse=True), problems


def lay_out(path: Path, text: bytes) -> None:
    """Write the text for an editor, readable by its owner alone.

    Raises:
        InputError: it cannot be written.
    """
    write(path, text, expected=current(path), private=True)


def read_back(path: Path) -> bytes:
    """Read what an editor left.

    Raises:
        InputError: it cannot be read.
    """
    return read_bytes(str(path))


def take_up(path: Path) -> None:
    """Take the text of an editor away."""
    with contextlib.suppress(OSError):
        path.unlink()
    with contextlib.suppress(OSError):
        path.parent.rmdir()


def others_open(session: Session) -> int:
    """Count the planners that have edits of this policy open now."""
    folder = side_folder(session.file) / FOLDER
    try:
        return sum(1 for path in folder.glob("*.lock") if is_held(path))
    except OSError:
        return 0


def restore(session: Session, left: Left) -> Session:
    """Make edits that were left behind on a session that has none.

    Raises:
        InputError: the policy changed since and an edit does not fit any more; with every one that does not.
    """
    if left.same and any(not rotation.change.edits for rotation in left.edits):
        title = "; ".join(rotation.change.title for rotation in left.edits)
        return make_text(session, left.text, title, left.edits)
    return replay(session, left.edits, left.base, left.text)


def discard(left: Left) -> None:
    """Take edits away that were left behind."""
    for path in (left.path, left.path.with_suffix(".lock")):
        with contextlib.suppress(OSError):
            path.unlink()
    with contextlib.suppress(OSError):
        left.path.parent.rmdir()


def _written(session: Session, now: datetime) -> bytes:
    steps = [
        {
            "title": rotation.change.title,
            "edits": [_edit_to_json(edit) for edit in rotation.change.edits],
            "pinsets": list(rotation.pinsets),
            "notes": list(rotation.notes),
            "unsafe": list(rotation.unsafe),
        }
        for rotation in session.pending
    ]
    document = {
        "schema": SCHEMA,
        "made": now.isoformat(),
        "base": session.saved_text.decode(),
        "steps": steps,
        "text": session.text.decode(),
    }
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _read(path: Path, session: Session) -> Left:
    try:
        document = json.loads(current(path) or b"")
        if document["schema"] != SCHEMA:
            raise InputError(Problem("was kept by another release of Rotator", file=str(path)))
        base = str(document["base"]).encode()
        return Left(
            path=path,
            made=datetime.fromisoformat(document["made"]),
            base=base,
            edits=tuple(_rotation(step) for step in document["steps"]),
            text=str(document["text"]).encode(),
            same=base == session.saved_text,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        hint = "delete it, or mend it by hand: `text` holds the policy with the edits"
        problem = Problem(f"edits that were not saved cannot be read: {error}", file=str(path), hint=hint)
        raise InputError(problem) from None


def _rotation(step: dict[str, Any]) -> Rotation:
    edits = tuple(_edit(edit) for edit in step["edits"])
    return Rotation(
        change=Change(str(step["title"]), edits),
        pinsets=tuple(map(str, step["pinsets"])),
        notes=tuple(map(str, step["notes"])),
        unsafe=tuple(map(str, step["unsafe"])),
    )


def _edit_to_json(edit: Edit) -> dict[str, object]:
    if isinstance(edit, Remove):
        return {"remove": list(edit.path)}
    if isinstance(edit, Insert):
        return {"insert": list(edit.path), "value": _to_json(edit.value)}
    return {"set": list(edit.path), "value": _to_json(edit.value), "inline": edit.inline}


def _edit(row: dict[str, Any]) -> Edit:
    if "remove" in row:
        return Remove(_path(row["remove"]))
    if "insert" in row:
        return Insert(_path(row["insert"]), _plain(row["value"]))
    return SetValue(_path(row["set"]), _plain(row["value"]), inline=bool(row["inline"]))


def _path(parts: object) -> tuple[Part, ...]:
    if not isinstance(parts, list) or not all(isinstance(part, str | int) for part in parts):
        raise TypeError("a path is a list of names and numbers")
    return tuple(parts)


def _to_json(value: Plain) -> object:
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    if isinstance(value, list):
        return [_to_json(item) for item in value]
    if isinstance(value, dict):
        return {name: _to_json(item) for name, item in value.items()}
    return value


def _plain(value: object) -> Plain:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        if set(value) == {"$date"}:
            text = str(value["$date"])
            return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, str | int | float | bool):
        return value
    raise TypeError("a value is a text, a number, a date, a list or a table")
