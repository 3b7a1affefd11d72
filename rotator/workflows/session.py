"""A planning session as a value: the policy as read, edits not yet written, and the way back and forth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rotator.errors import InputError, Problem, UnsafeError, UsageError
from rotator.files.policy_toml import parse_toml, read_bytes
from rotator.files.store import clear_leftovers, current, digest, keep_old, locked, side_folder, write
from rotator.model.edits import Change, Edit, Insert, SetValue
from rotator.simulate.question import Picture
from rotator.simulate.rotation import Rotation, promote
from rotator.workflows.changing import edited
from rotator.workflows.opening import open_policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One named edit: what it does and is said about it, and the text before and after it."""

    rotation: Rotation
    before: bytes
    after: bytes

    @property
    def title(self) -> str:
        """Give its name, as the history shows it."""
        return self.rotation.change.title


@dataclass(frozen=True, kw_only=True)
class Session:
    """Where a person stands.

    Attributes:
        file: the policy file.
        now: the instant of the session.
        saved: the picture of what the file holds.
        picture: the picture with every edit made.
        saved_text, text: the bytes of both.
        past: edits made, oldest first; those that are saved can be taken back too.
        future: edits taken back, the next to redo first.
        saved_past: the edits that had been made when the file was written last.
    """

    file: str
    now: datetime
    saved: Picture
    picture: Picture
    saved_text: bytes
    text: bytes
    past: tuple[Step, ...] = ()
    future: tuple[Step, ...] = ()
    saved_past: tuple[Step, ...] = ()

    @property
    def dirty(self) -> bool:
        """Say whether there is anything to write."""
        return self.text != self.saved_text

    @property
    def pending(self) -> tuple[Rotation, ...]:
        """Give what was done since the file was written last; a saved edit that was taken back is one too."""
        shared = 0
        for mine, theirs in zip(self.past, self.saved_past, strict=False):
            if mine is not theirs:
                break
            shared += 1
        back = [_take_back(step) for step in reversed(self.saved_past[shared:])]
        return (*back, *(step.rotation for step in self.past[shared:]))

    @property
    def unsafe(self) -> tuple[str, ...]:
        """Give the reasons why the edits must not be written unasked."""
        return tuple(dict.fromkeys(reason for rotation in self.pending for reason in rotation.unsafe))


def _take_back(step: Step) -> Rotation:
    return Rotation(change=Change(f"take back: {step.title}", ()), pinsets=step.rotation.pinsets)


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
    return _make(session, rotation, edited(session.file, session.text, [rotation.change]))


def make_text(session: Session, text: bytes, title: str, of: tuple[Rotation, ...] = ()) -> Session:
    """Make an edit of the whole text, as an editor does; `of` are edits that it stands for.

    Raises:
        InputError: the policy could not be used with it; nothing is changed then.
    """
    rotation = Rotation(
        change=Change(title, ()),
        pinsets=tuple(name for other in of for name in other.pinsets),
        notes=tuple(note for other in of for note in other.notes),
        unsafe=tuple(reason for other in of for reason in other.unsafe),
    )
    return _make(session, rotation, text)


def _make(session: Session, rotation: Rotation, text: bytes) -> Session:
    if text == session.text:
        raise UsageError(Problem("nothing changes", value=rotation.change.title))
    step = Step(rotation=rotation, before=session.text, after=text)
    return _at(session, text, past=(*session.past, step), future=())


def undo(session: Session) -> Session:
    """Take the last edit back; nothing happens where there is none."""
    return go(session, len(session.past) - 1)


def redo(session: Session) -> Session:
    """Make the edit again that was taken back last; nothing happens where there is none."""
    return go(session, len(session.past) + 1)


def go(session: Session, made: int) -> Session:
    """Go to the point of the history where some number of edits is made; nothing happens where there is none."""
    steps = (*session.past, *session.future)
    if made == len(session.past) or not 0 <= made <= len(steps):
        return session
    text = steps[made].before if made < len(steps) else steps[-1].after
    return _at(session, text, past=steps[:made], future=steps[made:])


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


def save(session: Session) -> Session:
    """Write the edits into the policy file: atomically, what it held kept beside it.

    Raises:
        UnsafeError: an edit may only be written against a refusal, with a reason: that is what Export is for.
        InputError: the file changed since it was read, or cannot be written; it is left as it is.
    """
    _refuse_unsafe(session)
    return _put(session, session.saved_text) if session.dirty else session


def save_over(session: Session) -> Session:
    """Write the edits over a file that changed since it was read, as the person asked; what it held is kept.

    Raises:
        UnsafeError: an edit may only be written against a refusal.
        InputError: the file cannot be read or written.
    """
    theirs = current(Path(session.file))
    if theirs == session.text:
        return written(session, session.text)
    _refuse_unsafe(session)
    return _put(session, theirs)


def _refuse_unsafe(session: Session) -> None:
    if session.unsafe:
        raise UnsafeError("refused: " + "; ".join(session.unsafe) + "\n  hint: Export goes on with a written reason")


def _put(session: Session, over: bytes | None) -> Session:
    """Write the text over what the file holds, which is kept; None where somebody took the file away."""
    path = Path(session.file)
    with locked(session.file):
        clear_leftovers(path)
        if over is not None:
            keep_old(session.file, path, over)
        write(path, session.text, expected=over)
    return written(session, session.text)


def written(session: Session, text: bytes) -> Session:
    """Give the session after its edits were written; they can still be taken back, as edits."""
    return replace(session, saved=session.picture, saved_text=text, text=text, saved_past=session.past)


def changed_on_disk(session: Session) -> bool:
    """Say whether the file holds something else than what was read or written last.

    Raises:
        InputError: it cannot be read.
    """
    return current(Path(session.file)) != session.saved_text


def reread(session: Session, now: datetime) -> Session:
    """Read the file again and make the edits that are not saved on top of it.

    Raises:
        InputError: the file cannot be used, or an edit does not fit it any more; with every one that does not.
    """
    fresh = start(session.file, now)
    return replay(fresh, session.pending, session.saved_text, session.text)


def replay(fresh: Session, edits: tuple[Rotation, ...], base: bytes, text: bytes) -> Session:
    """Make edits again on a session that was opened anew.

    An edit of a place that somebody else changed meanwhile does not fit: what they wrote is not undone unseen.

    Args:
        fresh: the session.
        edits: named edits; one without places, of an editor, cannot be made on another text.
        base: what the policy held before them.
        text: what the policy held with all of them.

    Raises:
        InputError: an edit does not fit; with every one that does not.
    """
    problems: list[Problem] = []
    mine, theirs = parse_toml(base, fresh.file), parse_toml(fresh.text, fresh.file)
    for rotation in edits:
        touched = [edit.where for edit in rotation.change.edits if _place(mine, edit) != _place(theirs, edit)]
        if touched:
            what = f"{rotation.change.title}: somebody else changed this too"
            problems.append(Problem(what, file=fresh.file, path=touched[0]))
            continue
        if not rotation.change.edits:
            problems.append(Problem(f"{rotation.change.title}: was made on another text", file=fresh.file))
            continue
        try:
            fresh = make(fresh, rotation)
        except UsageError:
            continue
        except InputError as error:
            what = rotation.change.title
            problems += [Problem(f"{what}: {p.message}", file=p.file, path=p.path) for p in error.problems]
    if problems and fresh.text != text:
        raise InputError(problems)
    return fresh


def _place(document: Mapping[str, Any], edit: Edit) -> object:
    """Give what stands where an edit is made: in a list the whole row, and the whole list where a row comes in."""
    path = edit.path[:-1] if isinstance(edit, Insert) else edit.path
    here: Any = document
    for part in path:
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            return None
        if isinstance(part, int):
            return here
    return here


def keep_mine(session: Session) -> Path:
    """Keep the text with the edits beside the policy, in a file that only its owner can read.

    Raises:
        InputError: it cannot be written.
    """
    target = side_folder(session.file) / "unsaved" / f"mine-{digest(session.text)[:12]}.toml"
    if current(target) is None:
        write(target, session.text, expected=None, private=True)
    return target


def _at(session: Session, text: bytes, *, past: tuple[Step, ...], future: tuple[Step, ...]) -> Session:
    picture = open_policy(session.file, session.now.date(), text.decode("utf-8-sig"))
    return replace(session, picture=picture, text=text, past=past, future=future)
