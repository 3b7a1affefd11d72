"""Numbers and dates of many countries; a blank is not zero."""

from __future__ import annotations

from datetime import date

import pytest

from rotator.files.counts.cells import Dates, Numbers, read_date


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("0", 0),
        ("1234", 1234),
        ("1,234", 1234),
        ("1,234,567", 1234567),
        ("12,34,567", 1234567),
        ("1.234", 1234),
        ("1.234.567", 1234567),
        ("1\u00a0234", 1234),
        ("1\u202f234", 1234),
        ("1'234", 1234),
        ("1234.0", 1234),
        ("1,234.0", 1234),
        ("1.234,0", 1234),
        ("12.5", 13),
        ("  7 ", 7),
    ],
)
def test_a_count_is_read_in_every_way_it_is_written(cell: str, value: int) -> None:
    assert Numbers([cell]).whole(cell) == value


def test_one_cell_with_a_decimal_point_tells_how_the_others_are_meant() -> None:
    assert Numbers(["1.234", "12"]).whole("1.234") == 1234
    assert Numbers(["1.234", "12.0"]).whole("1.234") == 1


@pytest.mark.parametrize("cell", ["", " ", "-", "\u2013", "\u2014", "N/A", "null"])
def test_nothing_reported_is_not_zero(cell: str) -> None:
    assert Numbers([cell]).whole(cell) is None


@pytest.mark.parametrize("cell", ["many", "-5", "12 %", "1e6", "٣", "1,2,3", "9" * 16, "0x10"])
def test_what_is_no_count_is_refused(cell: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - it carries no words; the table says where
        Numbers([cell]).whole(cell)


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-17",
        "20260617",
        "2026/6/17",
        "17 Jun 2026",
        "Jun 17, 2026",
        "June 17, 2026",
        "17. Juni 2026",
        "17 juin 2026",
        "17 de junho de 2026",
        "6/17/26",
        "17.06.2026",
        "17.6.26",
    ],
)
def test_a_date_is_read_in_every_way_it_is_written(text: str) -> None:
    assert read_date(text) == date(2026, 6, 17) or Dates([text]).read(text) == date(2026, 6, 17)


@pytest.mark.parametrize("text", ["", "2026", "17 Foo 2026", "2026-13-01", "13/13/26", "32 Jun 2026", "juju 1, 2026"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert read_date(text) is None
    assert Dates([text]).read(text) is None


def test_a_column_tells_whether_days_or_months_come_first() -> None:
    """Days in a row lie together in one order and months apart in the other."""
    assert Dates(["11/2/26", "11/3/26"]).read("11/2/26") == date(2026, 11, 2)
    assert Dates(["2/11/26", "3/11/26"]).read("2/11/26") == date(2026, 11, 2)
    assert Dates(["2/11/26", "14/11/26"]).read("2/11/26") == date(2026, 11, 2)
    assert not Dates(["2/11/26"]).sure
    assert Dates(["2/11/26", "3/11/26"]).sure
