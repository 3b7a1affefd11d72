"""Sightings, kept beside the policy as dated PEM files: what `backtest --history` reads."""

from __future__ import annotations

import base64
import hashlib
import re
import textwrap
from functools import lru_cache
from pathlib import Path

from rotator.errors import InputError, Problem, printable
from rotator.files.store import current, side_folder, write
from rotator.model.when import iso
from rotator.simulate.backtest import Snapshot

FOLDER = "sightings"


def folder_of(policy: str) -> Path:
    """Give the folder of a policy's sightings."""
    return side_folder(policy) / FOLDER


def history_of(policy: str, known: tuple[str, ...]) -> tuple[Snapshot, ...]:
    """Give what was seen before.

    Raises:
        InputError: a file of the record is broken.
    """
    folder = folder_of(policy)
    try:
        found = [(str(path), path.stat()) for path in folder.rglob("*.pem")] if folder.is_dir() else []
    except OSError as error:
        raise InputError(Problem(f"cannot be read: {error.strerror or error}", file=str(folder))) from None
    stamps = tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in found))
    return _read(str(folder), stamps, known) if stamps else ()


@lru_cache(maxsize=4)
def _read(folder: str, _stamps: tuple[tuple[str, int, int], ...], known: tuple[str, ...]) -> tuple[Snapshot, ...]:
    """Read a record once for as long as its files stay the same: a planner asks at every edit."""
    from rotator.files.history import read_history  # certificates are read only where some were seen

    return read_history(folder, known)


def keep(policy: str, snapshot: Snapshot, sent: tuple[bytes, ...], how: str) -> Path:
    """Keep a chain that was seen; the same one at the same instant is kept once.

    Raises:
        InputError: it cannot be written.
    """
    digest = hashlib.sha256(b"".join(sent)).hexdigest()[:8]
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", snapshot.host)
    path = folder_of(policy) / f"{name}__{snapshot.at.date()}T{snapshot.at:%H%MZ}__{digest}.pem"
    head = f"# Rotator saw {printable(snapshot.host)} serve this at {iso(snapshot.at)}, {printable(how)}\n"
    data = (head + "".join(map(_pem, sent))).encode()
    there = current(path)
    if there is None:
        write(path, data, expected=None)
    return path


def _pem(der: bytes) -> str:
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode("ascii"), 64))
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
