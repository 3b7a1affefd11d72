"""Fleet tables: columns by name, and every bad cell told by row and column."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rotator.errors import InputError
from rotator.files.fleet_table import read_fleet
from rotator.model.policy import Count
from rotator.simulate.tables import FleetRow
from tests.desk import BASE, Desk, app


def read(folder: Path, data: str | bytes) -> tuple[FleetRow, ...]:
    """Read a table."""
    path = folder / "fleet.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_fleet(str(path))


def one(clients: int, app_name: str = "shop", version: str = "7.2", os: str = "34") -> FleetRow:
    """Make a row."""
    return FleetRow(app=app_name, version=version, os=os, clients=Count(low=clients, high=clients))


@pytest.mark.parametrize(
    "data",
    [
        "app,version,os,clients\nshop,7.2,34,10\n",
        "clients,os,version,app\n10,34,7.2,shop\n",
        " App , VERSION ,os,clients\n shop , 7.2 , 34 , 10 \n",
        "app,version,os,clients\r\nshop,7.2,34,10\r\n",
        "\ufeffapp,version,os,clients\nshop,7.2,34,10",
        'app,version,os,clients\n"shop","7.2","34","10"\n\n,,,\n',
        "app,version,os,clients,date,unit\nshop,7.2,34,10,2026-11-20,devices\n",
        "app,version,os,low,high\nshop,7.2,34,10,10\n",
        "app,version,os,clients\nshop,7.2,34,1_0\n",
    ],
    ids=["plain", "other order", "spaces and case", "CRLF", "BOM", "quoted, blank rows", "more", "range", "underscore"],
)
def test_columns_are_found_by_name(tmp_path: Path, data: str) -> None:
    assert tuple(replace(row, day=None, unit="") for row in read(tmp_path, data)) == (one(10),)


def test_the_newest_date_of_each_app_counts(tmp_path: Path) -> None:
    rows = read(
        tmp_path,
        "app,version,clients,date\nshop,7.2,5,2026-11-01\nshop,7.2,9,2026-11-20\nshop,7.1,4,2026-11-01\njob,,3,\n",
    )
    assert [(row.app, row.version, row.clients.high) for row in rows] == [("shop", "7.2", 9), ("job", "", 3)]


def test_unlike_units_of_one_app_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unlike units"):
        read(tmp_path, "app,version,clients,unit\nshop,7.2,5,devices\nshop,7.1,9,users\n")


def test_version_and_os_may_be_left_out(tmp_path: Path) -> None:
    assert read(tmp_path, "app,clients\njob,3\n") == (one(3, "job", "", ""),)


def test_text_is_data(tmp_path: Path) -> None:
    (row,) = read(tmp_path, 'app,version,clients\n"sh,op",=1+1,3\n')
    assert (row.app, row.version) == ("sh,op", "=1+1")


@pytest.mark.parametrize(
    ("data", "path", "word"),
    [
        ("app,version,clients\nshop,7.2,many\n", "row 2, column clients", "not a whole number (found many)"),
        ("app,clients,date\nshop,1,soon\n", "row 2, column date", "not a date (found soon)"),
        ("app,version,clients\nshop,7.2,1.5\n", "row 2, column clients", "digits only"),
        ("app,version,clients\nshop,7.2,-1\n", "row 2, column clients", "not a whole number"),
        ("app,version,clients\nshop,7.2,٣\n", "row 2, column clients", "not a whole number"),
        ("app,version,clients\nshop,7.2,\n", "row 2, column clients", "not a whole number"),
        ("app,version,clients\nshop,7.2,1234567890123456\n", "row 2, column clients", "not a whole number"),
        ("app,low,high\nshop,1,x\n", "row 2, column high", "not a whole number"),
        ("app,low,high\nshop,9,3\n", "row 2", "low is above high"),
        ("app,version,clients\n,7.2,3\n", "row 2", "app is empty"),
        ("app,version,clients\nshop,7.2\n", "row 2", "2 instead of 3"),
        ("app,version,clients\nshop,7.2,3,4\n", "row 2", "4 instead of 3"),
        ("ap,version,clients\n", "row 1", "did you mean app?"),
        ("app,version\n", "row 1", "the header lacks a column"),
        ("app,low\n", "row 1", "the header lacks a column"),
        ("", "row 1", "the header lacks a column"),
        ('app,version,clients\nshop,"7.2,3\n', "row 2", "is not CSV"),
        (b"app,version,clients\n\xff,7,3\n", "", "is not UTF-8 text"),
    ],
)
def test_a_bad_cell_is_told_by_row_and_column(tmp_path: Path, data: str | bytes, path: str, word: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, data)
    fitting = [p for p in caught.value.problems if p.path == path and word in str(p)]
    assert fitting, str(caught.value)
    assert fitting[0].file.endswith("fleet.csv")


def test_all_bad_rows_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, "app,version,clients\nshop,1,x\nshop,2,3\n,3,3\nshop,4\n")
    assert [p.path for p in caught.value.problems] == ["row 2, column clients", "row 4", "row 5"]


def test_a_policy_tells_the_mistakes_of_its_table(desk: Desk) -> None:
    desk.file("fleet.csv", "app,version,clients\nshop,1,x\n")
    (only,) = desk.problems(BASE + app("shop", clients="") + '[fleet]\nfile = "fleet.csv"\n')
    assert only.path == "row 2, column clients"
    (gone,) = desk.problems(BASE + app("shop", clients="") + '[fleet]\nfile = "none.csv"\n')
    assert gone.path == "fleet.file"
