"""Every kind of file is told by content, and its traps are seen: what is used, what is dropped, and why."""

from __future__ import annotations

import gzip
import zipfile
from datetime import date
from io import BytesIO

import pytest

from rotator.errors import InputError
from rotator.files.counts.own import columns_of
from rotator.files.counts.reader import FORMATS, WHERE, read_counts
from rotator.model.counting import DEVICES_30, Reading
from tests.files.counts import making
from tests.files.counts.making import TODAY, play_bulk, play_page, session, sessions


def read(data: bytes | str, **columns: str) -> Reading:
    """Read a file with one app in it; everything read is used or told as dropped."""
    data = data.encode() if isinstance(data, str) else data
    (reading,) = read_counts(data, "counts.csv", TODAY, columns or None)
    assert reading.read == reading.used + sum(d.clients for d in reading.dropped)
    return reading


def used(reading: Reading) -> dict[str, int]:
    """Give the clients by version, or by system where there are no versions."""
    return {tally.label or tally.os: tally.clients.high for tally in reading.tallies}


def reasons(reading: Reading) -> dict[str, tuple[int, int]]:
    """Give the rows and clients dropped by reason."""
    return {d.reason: (d.rows, d.clients) for d in reading.dropped}


def refused(data: bytes | str, **columns: str) -> str:
    with pytest.raises(InputError) as caught:
        read(data, **columns)
    return str(caught.value)


# --- Play, monthly ----------------------------------------------------------------------------------------------------

BULK = play_bulk(
    ("2026-11-18", 70400, "1000"),
    ("2026-11-18", 70200, "500"),
    ("2026-11-19", 70400, "1,100"),
    ("2026-11-19", 70200, "490"),
    ("2026-11-19", 60800, ""),
)


@pytest.mark.parametrize(
    ("data", "forms"),
    [
        (BULK, " (UTF-16)"),
        (gzip.compress(BULK, mtime=0), " (gzip, UTF-16)"),
        (BULK.decode("utf-16").encode("utf-16-be"), " (UTF-16)"),
        (BULK.decode("utf-16").encode("utf-16-le"), " (UTF-16)"),
        (BULK.decode("utf-16").encode(), ""),
        (BULK.decode("utf-16").encode("utf-8-sig"), ""),
        (BULK.decode("utf-16").replace("\r\n", "\n").replace("Package Name", "Package name").encode(), ""),
    ],
)
def test_play_comes_in_every_form_and_means_the_same(data: bytes, forms: str) -> None:
    found = read(data)
    assert found.title == "Play Console, monthly report by app version" + forms
    assert (found.kind, found.unit, found.day) == ("play-bulk", DEVICES_30, date(2026, 11, 19))
    assert used(found) == {"70400": 1100, "70200": 490}
    assert reasons(found) == {
        "another day than the one used": (2, 1500),
        "nothing reported (a blank is not zero)": (1, 0),
    }


def test_a_day_that_is_still_counted_is_passed_over() -> None:
    found = read(play_bulk(("2026-11-19", 1, 100), ("2026-11-20", 1, 3)))
    assert found.day == date(2026, 11, 19)
    assert any("2026-11-20 is not complete" in note for note in found.notes)
    found = read(play_bulk(("2026-11-19", 1, 100), ("2026-11-22", 1, 99)))
    assert found.day == date(2026, 11, 19)
    assert any("2026-11-22 may not be complete" in note for note in found.notes)


def test_an_older_file_of_play_has_another_column() -> None:
    text = BULK.decode("utf-16").replace("Active Device Installs", "Current Device Installs")
    assert read(text).unit == "current device installs"


def test_a_column_of_zeros_is_not_taken() -> None:
    rows = [("2026-11-19", "com.shop", 1, 0, 50), ("2026-11-19", "com.shop", 2, 0, 60)]
    head = ("Date", "Package Name", "App Version Code", "Active Device Installs", "Current Device Installs")
    assert used(read(making.rows(head, *rows))) == {"1": 50, "2": 60}
    assert "all are blank or zero" in refused(making.rows(head, ("2026-11-19", "com.shop", 1, 0, 0)))


def test_two_packages_in_one_file_are_two_readings() -> None:
    both = play_bulk(("2026-11-19", 1, 5)).decode("utf-16") + "2026-11-19,com.other,1,9,7,0\r\n"
    found = read_counts(both.encode(), "x.csv", TODAY)
    assert [(r.app, r.used) for r in found] == [("com.other", 7), ("com.shop", 5)]


def test_play_by_system_and_of_the_whole_app() -> None:
    found = read(play_bulk(("2026-11-19", "Android 14", 90), ("2026-11-19", "7.0", 10), dimension="Android OS Version"))
    assert (found.kind, found.by_version) == ("play-bulk-os", False)
    assert used(found) == {"7.0": 10, "Android 14": 90}
    found = read(making.play_overview(("2026-11-19", 100)))
    assert (found.kind, found.total, found.tallies) == ("play-bulk-total", 100, ())


def test_play_by_country_is_refused_with_the_file_to_take() -> None:
    assert "_app_version.csv" in refused(play_bulk(("2026-11-19", "DE", 5), dimension="Country"))


# --- Play, page -------------------------------------------------------------------------------------------------------


def test_the_page_of_play_with_its_dates_commas_and_dashes() -> None:
    found = read(
        play_page(
            ["70400", "70200 (7.2.0)", "All countries / regions"],
            ("Jun 17, 2026", "1,234", "-", "2,000"),
            ("Jun 18, 2026", "1,235", "100", "2,001"),
        )
    )
    assert (found.kind, found.day, found.unit) == ("play-page", date(2026, 6, 18), "install base (devices), daily")
    assert used(found) == {"70400": 1235, "70200": 100}
    assert found.total == 2001
    assert found.chosen
    assert reasons(found)["nothing reported (a blank is not zero)"] == (1, 0)


def test_the_page_of_play_with_days_first() -> None:
    assert read(play_page(["9"], ("17 Jun 2026", 5), ("18 Jun 2026", 6))).day == date(2026, 6, 18)


def test_two_metrics_of_the_page_are_refused() -> None:
    text = play_page(["9"], ("17 Jun 2026", 5)).decode()
    text = text.replace(",Notes", ",Active devices (All devices): 9").replace("5,", "5,7")
    assert "counts clients in several ways" in refused(text)
    assert "no column that counts clients" in refused(text.replace("Install base", "Crashes").replace("Active d", "D"))


# --- App Store --------------------------------------------------------------------------------------------------------


def test_app_sessions_joins_versions_and_systems() -> None:
    found = read(
        sessions(
            session("2026-10-01", "12.0", "iOS 18.1", 100),
            session("2026-10-01", "12.0", "iOS 18.1", 7, device="iPad"),
            session("2026-10-01", "12.0", "iOS 15.8", 9),
            bom=True,
        )
    )
    assert (found.kind, found.unit, found.opted_in) == ("app-sessions", DEVICES_30, True)
    assert found.day == date(2026, 10, 31), "Apple writes the first of the month"
    assert [(t.version, t.os, t.clients.high) for t in found.tallies] == [
        ("12.0", "iOS 15.8", 9),
        ("12.0", "iOS 18.1", 107),
    ]


def test_the_order_of_apples_columns_is_not_promised() -> None:
    order = (*reversed(making.SESSION_COLUMNS), "Campaign")
    assert used(read(sessions(session("2026-10-01", "12.0", "iOS 18.1", 100), order=order))) == {"12.0": 100}


def test_a_report_made_later_replaces_an_earlier_one() -> None:
    order = ("Processing Date", *making.SESSION_COLUMNS)
    found = read(
        sessions(
            session("2026-11-01", "12.0", "iOS 18.1", 100, processing_date="2026-11-05"),
            session("2026-11-01", "12.0", "iOS 18.1", 104, processing_date="2026-11-07"),
            order=order,
        )
    )
    assert used(found) == {"12.0": 104}
    assert reasons(found) == {"replaced by a report made later": (1, 100)}


@pytest.mark.parametrize(
    ("days", "unit"),
    [
        (("2026-09-01", "2026-10-01"), "active devices, 30 days"),
        (("2026-11-01", "2026-11-08"), "active devices, 7 days"),
        (("2026-11-10", "2026-11-11"), "active devices, 1 day"),
        (("2026-11-10",), "active devices, 1 day"),
    ],
)
def test_dates_of_app_sessions_are_never_added_and_tell_what_they_stand_for(days: tuple[str, ...], unit: str) -> None:
    found = read(sessions(*(session(day, "12.0", "iOS 18.1", 100) for day in days)))
    assert found.unit == unit
    assert found.used == 100


def test_installations_are_no_fleet() -> None:
    head = "Date\tApp Name\tApp Apple Identifier\tEvent\tApp Version\tCounts\tUnique Devices\n"
    assert "what happened, not who is there" in refused(head + "2026-10-01\tShop\t123\tInstall\t12.0\t5\t5\n")


def test_a_report_of_apple_without_dates_is_refused() -> None:
    text = sessions(session("2026-10-01", "12.0", "iOS 18.1", 100)).decode()
    assert "has no column Date" in refused(text.replace("Date", "Tag", 1))


def test_the_opt_in_report_gives_a_range() -> None:
    found = read(making.opt_in(("2026-10-01", 1000, 250), ("2026-10-02", 1000, 290)))
    assert found.opt_in == (0.25, 0.29)


def test_a_translated_preamble_is_passed_over() -> None:
    found = read(making.GERMAN_PAGE)
    assert (found.kind, found.app, found.day) == ("app-store-page", "Mein Laden", date(2026, 10, 31))
    assert used(found) == {"12.0": 1240, "11.4": 12}
    assert found.unit == "aktive geräte"
    assert reasons(found)["nothing reported (a blank is not zero)"] == (1, 0)


def test_the_unit_is_in_the_words_of_the_header() -> None:
    assert read(making.ENGLISH_PAGE).unit == DEVICES_30
    assert read(making.ENGLISH_PAGE.replace("Active in last 30 days", "Active Devices")).unit == "active devices, 1 day"


# --- analytics and tables ---------------------------------------------------------------------------------------------


def test_firebase_with_its_comments_totals_and_second_table() -> None:
    found = read(making.FIREBASE)
    assert (found.kind, found.unit, found.day) == ("google-analytics", "active users, 30 days", date(2026, 11, 18))
    assert used(found) == {"9.4.0": 1200}
    assert reasons(found) == {"the total, not a version": (1, 1203), "version not set": (1, 3)}
    assert found.total == 1203


def test_our_own_table() -> None:
    found = read("\ufeffapp,version,os,low,high,date,unit\nshop,7.2,34,10,12,2026-11-20,devices\n")
    assert (found.kind, found.app, found.named, found.unit) == ("own", "shop", True, "devices")
    assert [(t.clients.low, t.clients.high, t.os) for t in found.tallies] == [(10, 12, "34")]
    found = read("version,clients,date\n7.2,10,2026-11-19\n7.2,11,2026-11-20\n7.1,3,2026-11-20\n")
    assert used(found) == {"7.2": 11, "7.1": 3}


def test_any_other_table_with_its_columns_named() -> None:
    found = read(
        "# made by hand\nRelease;Nutzer;Gerät\n9.4;1.234;x\n9.3;12;y\n",
        **columns_of(["version=Release,clients=nutzer"]),
    )
    assert used(found) == {"9.4": 1234, "9.3": 12}
    assert "hint: did you mean users" in refused("release,users\n1,2\n", version="release", clients="user")
    with pytest.raises(InputError, match="not a column"):
        columns_of(["versoin=x"])
    with pytest.raises(InputError, match="not enough columns"):
        columns_of(["version=x"])


# --- what is none of them ---------------------------------------------------------------------------------------------


def test_what_is_not_known_is_told_with_the_way_to_each_kind() -> None:
    told = refused("a,b\n1,2\n")
    assert "found a,b" in told
    assert all(way in told for way in WHERE)
    assert "--columns" in told
    assert len(WHERE) == len(FORMATS)


def zipped() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x.csv", "a")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (zipped(), "is a ZIP archive"),
        (b"\x1f\x8b\x08\x00junk", "cannot be unpacked"),
        (gzip.compress(BULK, mtime=0)[:60], "cannot be unpacked"),
        (b"\xff\xfe\x00", "is not UTF-16 text"),
        (b"version,clients\n\xff,1\n", "is not UTF-8 text"),
        (b"version,clients\nx\0y,1\n", "is no text"),
        (b"version,clients\n7.2\n", "has another number of cells"),
        (b"version,clients\n7.2,many\n", "row 2, column clients: not a number of clients (found many)"),
        (b"version,clients,date\n7.2,1,soon\n", "not a date (found soon)"),
        (b"version,low,high\n7.2,3,1\n", "low is above high"),
        (b"version,clients,unit\n7.2,3,a\n7.1,3,b\n", "unlike units"),
        (b"version,clients\n7.2,-\n", "holds no number of clients"),
        (b"code,clients\nx,1\n", "not a version code"),
        (b'version,clients\n"7.2,1\n', "another number of cells"),
        (play_bulk(("2026-11-19", "seven", 5)), "not a version code"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(data: bytes, word: str) -> None:
    assert word in refused(data)


def test_many_problems_are_told_once() -> None:
    told = refused("version,clients\n" + "7.2,x\n" * 50)
    assert told.count("not a number") == 20
    assert "30 more problems" in told
