"""Instants, days, and how wide the start of a local day is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from rotator.errors import UsageError
from rotator.model.when import (
    BEGINNING,
    FOREVER,
    as_instant,
    iso,
    local_midnight,
    parse_duration,
    parse_instant,
    plus,
    show,
    start_of,
)


def test_a_local_midnight_is_26_hours_wide() -> None:
    """Worked example 10 of the planning notes."""
    first, last = local_midnight(date(2026, 12, 31))
    assert first == datetime(2026, 12, 30, 10, tzinfo=UTC)
    assert last == datetime(2026, 12, 31, 12, tzinfo=UTC)
    assert last - first == timedelta(hours=26)


@pytest.mark.parametrize("day", [date(1, 1, 1), date(9999, 12, 31)])
def test_the_ends_of_the_calendar_do_not_overflow(day: date) -> None:
    first, last = local_midnight(day)
    assert BEGINNING <= first <= last <= FOREVER


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-27", datetime(2026, 11, 27, tzinfo=UTC)),
        (" 2026-11-27 ", datetime(2026, 11, 27, tzinfo=UTC)),
        ("2026-11-27T17:30Z", datetime(2026, 11, 27, 17, 30, tzinfo=UTC)),
        ("2026-11-27T17:30", datetime(2026, 11, 27, 17, 30, tzinfo=UTC)),
        ("2026-11-27 17:30:15", datetime(2026, 11, 27, 17, 30, 15, tzinfo=UTC)),
        ("2026-11-27T17:30:00+01:00", datetime(2026, 11, 27, 16, 30, tzinfo=UTC)),
        ("2026-11-27t17:30z", datetime(2026, 11, 27, 17, 30, tzinfo=UTC)),
        ("2026-11-27T17:30:00.123Z", datetime(2026, 11, 27, 17, 30, tzinfo=UTC)),
    ],
)
def test_dates_and_instants_are_read_as_utc(text: str, instant: datetime) -> None:
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-02-30",
        "2026-13-01",
        "27.11.2026",
        "2026-11-27T25:00",
        "2026-11-27T",
        "0001-01-01T00:00+14:00",
    ],
)
def test_what_is_no_instant_is_an_error_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="2026-11-27T17:30Z"):
        parse_instant(text)


@pytest.mark.parametrize(("text", "hours"), [("24h", 24), ("5d", 120), ("0h", 0), (" 1d ", 24)])
def test_durations(text: str, hours: int) -> None:
    assert parse_duration(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "24", "5w", "-1h", "1.5d", "h", "999999d"])
def test_what_is_no_duration_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match="24h or 5d"):
        parse_duration(text)


def test_midnight_is_shown_as_a_date_and_other_instants_to_the_minute() -> None:
    assert show(datetime(2026, 11, 27, tzinfo=UTC)) == "2026-11-27"
    assert show(datetime(2026, 11, 27, 1, 2, tzinfo=UTC)) == "2026-11-27T01:02Z"
    assert show(datetime(2026, 11, 27, 1, 2, 3, tzinfo=UTC)) == "2026-11-27T01:02:03Z"
    assert iso(datetime(2026, 11, 27, tzinfo=UTC)) == "2026-11-27T00:00:00Z"


def test_what_is_shown_is_read_back() -> None:
    for instant in (start_of(date(2026, 11, 27)), datetime(2026, 11, 27, 1, 2, 3, tzinfo=UTC)):
        assert parse_instant(show(instant)) == instant
        assert parse_instant(iso(instant)) == instant


def test_toml_dates_and_times_become_instants() -> None:
    assert as_instant(date(2026, 1, 2)) == datetime(2026, 1, 2, tzinfo=UTC)
    assert as_instant(datetime(2026, 1, 2, 3)) == datetime(2026, 1, 2, 3, tzinfo=UTC)  # noqa: DTZ001 - TOML local time
    east = timezone(timedelta(hours=14))
    assert as_instant(datetime(2026, 1, 2, 3, tzinfo=east)) == datetime(2026, 1, 1, 13, tzinfo=UTC)
    assert as_instant(datetime(1, 1, 1, tzinfo=east)) == BEGINNING


def test_adding_never_leaves_the_calendar() -> None:
    assert plus(FOREVER, timedelta(days=1)) == FOREVER
    assert plus(BEGINNING, timedelta(days=-1)) == BEGINNING
    assert plus(BEGINNING, timedelta(days=1)).day == 2


def test_every_year_is_shown_with_four_digits() -> None:
    early = datetime(999, 3, 4, tzinfo=UTC)
    assert (show(early), iso(early)) == ("0999-03-04", "0999-03-04T00:00:00Z")
    assert show(BEGINNING + timedelta(minutes=5)) == "0001-01-01T00:05Z"
    assert show(BEGINNING + timedelta(seconds=5)) == "0001-01-01T00:00:05Z"
    assert parse_instant(show(early)) == early
