"""Where real files lie: `ROTATOR_DATA`, or `shared/data` beside a folder above this repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def find() -> Path | None:
    """Give the folder of real data, if it is here."""
    told = os.environ.get("ROTATOR_DATA")
    if told:
        return Path(told) if (Path(told) / "verdicts").is_dir() else None
    for folder in Path(__file__).resolve().parents:
        found = folder / "shared" / "data"
        if (found / "verdicts").is_dir():
            return found
    return None


DATA = find()
needs_data = pytest.mark.skipif(
    DATA is None, reason="no real data here: set ROTATOR_DATA to the folder that holds verdicts/ and real/"
)


def verdicts() -> Path:
    """Give the folder of what real clients said."""
    assert DATA is not None
    return DATA / "verdicts"


def files(kind: str, *patterns: str) -> list[Path]:
    """Give real files of a kind, in order of their names; none where the data is not here."""
    if DATA is None:
        return []
    folder = DATA / "real" / kind
    return sorted(path for pattern in patterns or ("*",) for path in folder.glob(pattern))
