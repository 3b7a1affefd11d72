"""Read a file of user counts as it comes: told by content, never by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from types import ModuleType

from rotator.errors import InputError, shorten
from rotator.files.counts import app_sessions, app_store_page, google_analytics, own, play_bulk, play_page
from rotator.files.counts.table import source_of
from rotator.files.counts.text import decode
from rotator.model.counting import Reading

#: The first that recognises a file reads it.
FORMATS: tuple[ModuleType, ...] = (play_bulk, play_page, app_sessions, app_store_page, google_analytics, own)
WHERE = (
    "Play Console > Download reports > Statistics > Installs, the file ending in _app_version.csv",
    "Play Console > Statistics > Install base by app version > Export report",
    "App Store Connect > Analytics Reports API > App Sessions, the monthly one",
    "App Store Connect > Analytics > Metrics > Active Devices by App Version > export",
    "Google Analytics or Firebase > Tech details > App version > Download CSV",
    "a CSV with app, version, os and clients",
)
"""The kinds that are known, each with the way to it."""


def recognised(data: bytes, file: str, today: date) -> bool:
    """Say whether a file is of a kind that is known; see `read_counts`."""
    try:
        text, forms = decode(data, file)
        source = source_of(text, file, forms, today)
    except InputError:
        return False
    return any(module.recognise(source) for module in FORMATS)


def read_counts(data: bytes, file: str, today: date, columns: Mapping[str, str] | None = None) -> list[Reading]:
    """Read a file of counts.

    Args:
        data: what it holds.
        file: its name as given.
        today: the day of the import.
        columns: the names of its columns by what they hold, where a person named them.

    Returns:
        One reading for each app in it.

    Raises:
        InputError: it is none of the known kinds, or cannot be used.
    """
    text, forms = decode(data, file)
    source = source_of(text, file, forms, today)
    if columns:
        found = own.read(source, columns)
    else:
        module = next((module for module in FORMATS if module.recognise(source)), None)
        if module is None:
            raise InputError(
                source.problem(
                    "is no file of user counts that is known",
                    path=f"row {source.rows[0][0]}",
                    value=shorten(",".join(source.first), 100),
                    expected="one of:\n    " + "\n    ".join(WHERE),
                    hint="--columns version=NAME,clients=NAME reads any other table",
                )
            )
        found = module.read(source)
    if not found:
        raise InputError(source.problem("holds no number of clients"))
    shown = f" ({', '.join(forms)})" if forms else ""
    return [replace(reading, title=reading.title + shown) for reading in found]
