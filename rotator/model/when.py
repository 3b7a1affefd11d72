"""Instants and days in UTC: parsing, showing, and the bounds of a device-local day."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from rotator.errors import Problem, UsageError

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
FOREVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
#: A local midnight comes first at UTC+14 and last at UTC-12, so "the start of a local day" is 26 hours wide.
EASTERNMOST = timedelta(hours=14)
WESTERNMOST = timedelta(hours=12)

_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(Z|z|[+-]\d{2}:\d{2})?)?")
_DURATION = re.compile(r"(\d{1,5})([hd])")


def start_of(day: date) -> datetime:
    """Give 00:00 UTC of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def first_day(instant: datetime) -> date:
    """Give the first day that starts at an instant or after it."""
    day = instant.date()
    return day if instant == start_of(day) or day == date.max else day + DAY


def as_instant(value: date | datetime) -> datetime:
    """Turn a TOML date or date-time into a UTC instant; a date is its 00:00, a naive time is UTC."""
    if not isinstance(value, datetime):
        return start_of(value)
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:  # year 1 or 9999 pushed over the edge by its offset
        return value.replace(tzinfo=UTC)


def parse_instant(text: str) -> datetime:
    """Read `2026-11-27`, `2026-11-27T17:30Z` or `2026-11-27T17:30:00+01:00`; no zone means UTC.

    Raises:
        UsageError: the text is not a date or an instant.
    """
    match = _INSTANT.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError  # noqa: TRY301 - one message for every unreadable instant
        day, hour, minute, second, zone = match.groups()
        if hour is None:
            return start_of(date.fromisoformat(day))
        zone = {"Z": "+00:00", "z": "+00:00", None: "+00:00"}.get(zone, zone)
        return datetime.fromisoformat(f"{day}T{hour}:{minute}:{second or '00'}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            Problem(
                "not a date or an instant",
                value=text,
                expected="a date such as 2026-11-27 or an instant such as 2026-11-27T17:30Z",
            )
        ) from None


def parse_duration(text: str) -> timedelta:
    """Read `24h` or `5d`.

    Raises:
        UsageError: the text is not a number of hours or days.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise UsageError(Problem("not a duration", value=text, expected="hours or days, such as 24h or 5d"))
    return int(match[1]) * (HOUR if match[2] == "h" else DAY)


def show(instant: datetime) -> str:
    """Show an instant as `2026-11-27` at midnight, else `2026-11-27T17:30Z` (seconds when there are any)."""
    if instant.hour == instant.minute == instant.second == 0:
        return instant.date().isoformat()
    return f"{instant.date()}T{instant:%H:%MZ}" if instant.second == 0 else iso(instant)


def iso(instant: datetime) -> str:
    """Give the full ISO 8601 form of an instant, in UTC, for JSON."""
    # strftime gives the year 999 three digits on some systems.
    return f"{instant.date()}T{instant:%H:%M:%SZ}"


def plus(instant: datetime, delta: timedelta) -> datetime:
    """Add a duration without ever leaving the calendar."""
    try:
        return instant + delta
    except OverflowError:
        return FOREVER if delta > timedelta() else BEGINNING


def local_midnight(day: date) -> tuple[datetime, datetime]:
    """Give the first and the last instant at which a day begins somewhere (UTC+14 and UTC-12)."""
    midnight = start_of(day)
    return plus(midnight, -EASTERNMOST), plus(midnight, WESTERNMOST)
