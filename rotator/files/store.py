"""Writing: whole or not at all, never over a file that changed meanwhile, the old one kept beside the policy."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rotator.errors import InputError, Problem

SIDE_SUFFIX = ".rotator"


def side_folder(policy: str) -> Path:
    """Give the folder beside a policy in which Rotator keeps what it learns: `NAME.rotator`."""
    path = Path(policy)
    return path.with_name(path.stem + SIDE_SUFFIX)


def digest(data: bytes) -> str:
    """Give the SHA-256 of bytes as hex."""
    return hashlib.sha256(data).hexdigest()


def current(path: Path) -> bytes | None:
    """Give what a file holds now; None when there is none.

    Raises:
        InputError: it is there and cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _problem(path, error) from None


def write(path: Path, data: bytes, *, expected: bytes | None, private: bool = False) -> None:
    """Replace a file atomically, if it still holds what was shown.

    Args:
        path: the file; where it is a link, the file it leads to is replaced.
        data: what it is to hold.
        expected: what it held when the person saw the change; None when there was no file.
        private: a file that is new can be read by its owner alone, and so can a folder that is made for it.

    Raises:
        InputError: it changed since, or cannot be written; nothing was written then.
    """
    target = Path(os.path.realpath(path))
    if current(target) != expected:
        raise InputError(
            Problem(
                "changed since it was read, so nothing was written",
                file=str(path),
                hint="look at the change again, then write",
            )
        )
    try:
        if private and not target.parent.exists():
            target.parent.parent.mkdir(parents=True, exist_ok=True)
            target.parent.mkdir(mode=0o700, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fresh = 0o600 if private else 0o666 & ~_umask()
            mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else fresh
            Path(temporary).chmod(mode)
            Path(temporary).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        raise _problem(path, error) from None


def clear_leftovers(path: Path) -> None:
    """Take away what programs left beside a file that were killed while they wrote it; call it where none can write."""
    target = Path(os.path.realpath(path))
    name = re.compile(re.escape(f".{target.name}.") + "[a-z0-9_]{8}")
    with contextlib.suppress(OSError):
        for other in target.parent.iterdir():
            if name.fullmatch(other.name):
                other.unlink()


@contextlib.contextmanager
def all_or_nothing(files: Sequence[tuple[Path, bytes]]) -> Iterator[None]:
    """Write new files, and take them away again if what follows fails; one that holds the same already stays.

    Raises:
        InputError: a file is there and holds something else, or cannot be written.
    """
    made: list[Path] = []
    try:
        for path, data in files:
            if current(path) != data:
                write(path, data, expected=None)
                made.append(path)
        yield
    except BaseException:
        for path in made:
            with contextlib.suppress(OSError):
                path.unlink()
        raise


def keep_old(policy: str, path: Path, data: bytes) -> Path:
    """Keep what a file held before it is replaced, under the policy's side folder, by its digest."""
    folder = side_folder(policy) / "replaced"
    kept = folder / f"{digest(data)[:12]}-{path.name}"
    if not kept.exists():
        write(kept, data, expected=None)
    return kept


@contextlib.contextmanager
def locked(policy: str) -> Iterator[None]:
    """Hold the policy's lock, so that two programs do not write at once.

    Raises:
        InputError: another program holds it, or the folder cannot be written.
    """
    folder = side_folder(policy)
    lock = folder / "lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise _problem(lock, error) from None
    try:
        _take(handle, lock)
        yield
    finally:
        os.close(handle)


def hold(lock: Path) -> int:
    """Make a lock file and hold it until the handle that is given is closed, or the program ends in any way.

    Raises:
        InputError: it cannot be made, or another program holds it.
    """
    try:
        lock.parent.parent.mkdir(parents=True, exist_ok=True)
        lock.parent.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _problem(lock, error) from None
    try:
        _take(handle, lock)
    except BaseException:
        os.close(handle)
        raise
    return handle


def is_held(lock: Path) -> bool:
    """Say whether a program that lives holds a lock file."""
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        _take(handle, lock)
    except InputError:
        return True
    finally:
        os.close(handle)
    return False


def _take(handle: int, lock: Path) -> None:
    try:
        import fcntl
    except ImportError:  # pragma: no cover - Windows: the check of what the file held remains
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise InputError(
            Problem("another Rotator is writing here", file=str(lock), hint="close it, or wait until it is done")
        ) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _problem(path: Path, error: OSError) -> InputError:
    return InputError(Problem(f"cannot be written or read: {(error.strerror or str(error)).lower()}", file=str(path)))
