"""A planning session as a value: the policy as read, edits not yet written, and the way back and forth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from rotator.errors import Problem, UsageError
from rotator.files.policy_toml import read_bytes
from rotator.model.edits import Change, SetValue
from rotator.simulate.question import Picture
from rotator.simulate.rotation import Rotation, promote
from rotator.workflows.exporting import edited
from rotator.workflows.opening import open_policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One named edit: what it does and is said about it, and the text it was made on."""

    rotation: Rotation
    before: bytes


@dataclass(frozen=True, kw_only=True)
class Session:
    """Where a person stands.

    Attributes:
        file: the policy file.
        now: the instant of the session.
        saved: the picture of what the file holds.
        picture: the picture with every edit made.
        saved_text, text: the bytes of both.
        past: edits made, oldest first.
        future: edits taken back, the next to redo first.
    """

    file: str
    now: datetime
    saved: Picture
    picture: Picture
    saved_text: bytes
    text: bytes
    past: tuple[Step, ...] = ()
    future: tuple[Step, ...] = ()

    @property
    def dirty(self) -> bool:
        """Say whether there is anything to write."""
        return self.text != self.saved_text


def start(file: str, now: datetime) -> Session:
    """Open a session on a policy file.

    Raises:
        InputError: the policy cannot be used.
    """
    text = read_bytes(file)
    picture = open_policy(file, now.date(), text.decode("utf-8-sig"))
    return Session(file=file, now=now, saved=picture, picture=picture, saved_text=text, text=text)


def make(session: Session, rotation: Rotation) -> Session:
    """Make an edit; what had been taken back before it is gone.

    Raises:
        InputError: the policy could not be used with it; nothing is changed then.
    """
    text = edited(session.file, session.text, [rotation.change])
    if text == session.text:
        raise UsageError(Problem("nothing changes", value=rotation.change.title))
    step = Step(rotation=rotation, before=session.text)
    return _at(session, text, past=(*session.past, step), future=())


def undo(session: Session) -> Session:
    """Take the last edit back; nothing happens where there is none."""
    if not session.past:
        return session
    last = session.past[-1]
    return _at(session, last.before, past=session.past[:-1], future=(last, *session.future))


def redo(session: Session) -> Session:
    """Make the edit again that was taken back last; nothing happens where there is none."""
    if not session.future:
        return session
    first = session.future[0]
    text = edited(session.file, session.text, [first.rotation.change])
    return _at(session, text, past=(*session.past, first), future=session.future[1:])


def promote_key(session: Session, key: str, drop: tuple[str, ...] = ()) -> tuple[Session, Rotation]:
    """Make a backup the primary in every pinset that has it, and take out keys that are compromised.

    Raises:
        UsageError: no pinset has the key, or it is the primary already.
    """
    rotation = promote(session.picture.inventory, key, today=session.now.date(), drop=drop)
    return make(session, rotation), rotation


def mark_key(session: Session, key: str, status: str) -> Session:
    """Record what became of a key.

    Raises:
        UsageError: it is marked like this already.
    """
    edits = [SetValue(("keys", key, "status"), status)]
    if status != "active":
        edits.append(SetValue(("keys", key, "since"), session.now.date()))
    return make(session, Rotation(change=Change(f"mark {key} {status}", tuple(edits)), pinsets=()))


def written(session: Session, text: bytes) -> Session:
    """Give the session after its edits were written."""
    return replace(session, saved=session.picture, saved_text=text, text=text, past=(), future=())


def _at(session: Session, text: bytes, *, past: tuple[Step, ...], future: tuple[Step, ...]) -> Session:
    picture = open_policy(session.file, session.now.date(), text.decode("utf-8-sig"))
    return replace(session, picture=picture, text=text, past=past, future=future)
