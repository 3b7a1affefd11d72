"""Large fleet tables: the same counts as cell by cell, the same errors, and Parquet beside CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.errors import InputError
from rotator.files.fleet_table import LARGE, open_table, read_fleet
from rotator.files.large_tables import read_large
from rotator.model.policy import Count
from rotator.model.progress import CancelledError, Silent
from rotator.simulate.engine import scanning
from rotator.simulate.engine.columns import ColumnTable
from rotator.simulate.tables import FleetTable
from tests.desk import BASE, Desk, app

APPS, SYSTEMS = (
    ("shop", "job", "Ladefläche"),
    ("34", "iOS 18.1", "", "a system with a long name", "another longer name"),
)
versions = st.sampled_from(["1", "2.0", "2.0.1-beta+build.12345678", "12345678", "123456789", " 3 "])
rows = st.lists(
    st.tuples(st.sampled_from(APPS), versions, st.sampled_from(SYSTEMS), st.integers(0, 10**14)),
    min_size=1,
    max_size=60,
)


def csv_of(table: Sequence[tuple[object, ...]], header: str = "app,version,os,clients", end: str = "\n") -> bytes:
    return end.join([header, *(",".join(map(str, row)) for row in table)]).encode() + end.encode()


def counts(table: FleetTable) -> dict[tuple[str, str], dict[str, Count]]:
    every = ("1", "2.0", "2.0.1-beta+build.12345678", "12345678", "123456789", "3", "")
    return {(name, version): dict(table.counts(name, (version,))) for name in APPS for version in every}


def by_cell(folder: Path, data: bytes) -> FleetTable:
    path = folder / "cells.csv"
    path.write_bytes(data)
    return FleetTable(read_fleet(str(path)))


@given(table=rows, end=st.sampled_from(["\n", "\r\n"]), block=st.sampled_from([64, 300, 1 << 20]))
def test_columns_say_what_cells_say(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, str, str, int]], end: str, block: int
) -> None:
    data = csv_of(table, end=end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanning, "BLOCK", block)
        found = read_large(data, "fleet.csv", "", Silent())
    if block == 64 and found is None:
        return  # a row longer than a block
    assert isinstance(found, ColumnTable)
    known = by_cell(tmp_path_factory.mktemp("t"), data)
    assert counts(found) == counts(known)
    assert len(found) == len(known)


def test_texts_that_fall_together_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """With two places for hundreds of versions nearly all of them fall together."""
    monkeypatch.setattr(scanning, "_BUCKETS", 1)
    data = csv_of([("shop", f"7.{n}.0-release-{n % 7}", "34", n) for n in range(500)])
    found = read_large(data, "fleet.csv", "", Silent())
    assert found is not None
    assert all(dict(found.counts("shop", (f"7.{n}.0-release-{n % 7}",)))["34"].high == n for n in range(500))


@pytest.mark.parametrize(
    ("data", "counted"),
    [
        ("app,version,clients,date\nshop,1,5,2026-11-01\nshop,1,9,2026-11-20\njob,1,4,2026-11-01\n", (9, 4)),
        ("app,version,low,high\nshop,1,5,9\njob,1,1,4\n", (9, 4)),
        ("app,version,clients,date\nshop,1,5,2026-11-01\nshop,1,9,2026-11-20\njob,1,4,\n", (9, 4)),
        ("\ufeffapp,version,clients,unit\nshop,1,9,devices\njob,1,4,users", (9, 4)),
    ],
    ids=["dates", "ranges", "a date is missing", "units"],
)
def test_dates_ranges_and_units_count_as_in_a_small_table(tmp_path: Path, data: str, counted: tuple[int, int]) -> None:
    found = read_large(data.encode(), "fleet.csv", "", Silent())
    assert found is not None
    assert tuple(dict(found.counts(name, ("1",)))[""].high for name in ("shop", "job")) == counted
    known = by_cell(tmp_path, data.encode())
    assert (found.unit("shop"), found.unit("job")) == (known.unit("shop"), known.unit("job"))


@pytest.mark.parametrize(
    "row",
    [
        '"shop",1,34,5',
        "shop,1,34",
        "shop,1,34,1_0",
        "shop,1,34,-5",
        "shop,1,34,",
        ",1,34,5",
        "shop,1,34,1234567890123456",
        "\0,1,34,5",
        "shop,1,34,\uff15",
    ],
)
def test_what_is_not_plain_is_left_to_the_reader_of_cells(row: str) -> None:
    assert read_large(csv_of([("shop", "1", "34", 5)]) + row.encode() + b"\n", "fleet.csv", "", Silent()) is None
    assert read_large(b"app,clients\nshop\xff,5\n", "fleet.csv", "", Silent()) is None


def test_a_bad_cell_of_a_large_file_is_told_by_row_and_column(tmp_path: Path) -> None:
    table = [("shop", f"{n}", "34", n) for n in range(60_000)]
    path = tmp_path / "fleet.csv"
    path.write_bytes(csv_of([*table, ("shop", "x", "34", "many")]))
    assert path.stat().st_size > LARGE
    with pytest.raises(InputError, match=r"row 60002, column clients: not a whole number \(found many\)"):
        open_table(str(path))
    path.write_bytes(csv_of(table))
    assert dict(open_table(str(path)).counts("shop", ("59999",))) == {"34": Count(low=59_999, high=59_999)}


def test_unlike_units_of_one_app_are_refused() -> None:
    with pytest.raises(InputError, match="shop: is counted in unlike units"):
        read_large(b"app,clients,unit\nshop,5,devices\nshop,6,users\n", "fleet.csv", "", Silent())


def test_reading_can_be_given_up() -> None:
    class Impatient:
        def step(self, done: int, of: int, what: str) -> None:
            assert (done, what) == (0, "reading the fleet table")
            assert of >= 0
            raise CancelledError

    for data in (csv_of([("shop", "1", "34", 5)]), parquet({"app": ["shop"], "clients": [1]})):
        with pytest.raises(CancelledError):
            read_large(data, "fleet", "", Impatient())


# --- Parquet ----------------------------------------------------------------------------------------------------------


def parquet(columns: Mapping[str, Sequence[object]]) -> bytes:
    """Write a Parquet file."""
    core, io = pytest.importorskip("arro3.core"), pytest.importorskip("arro3.io")
    from io import BytesIO

    def column(values: Sequence[object]) -> object:
        known = [value for value in values if value is not None]
        kind = core.DataType.int64() if known and isinstance(known[0], int) else core.DataType.utf8()
        kind = core.DataType.float64() if known and isinstance(known[0], float) else kind
        return core.Array(list(values), kind)

    out = BytesIO()
    io.write_parquet(core.Table.from_pydict({name: column(values) for name, values in columns.items()}), out)
    return out.getvalue()


@given(table=rows)
def test_parquet_says_what_csv_says(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, str, str, int]]
) -> None:
    names = ("app", "version", "os", "clients")
    data = parquet(dict(zip(names, map(list, zip(*table, strict=True)), strict=True)))
    found = read_large(data, "fleet.parquet", "", Silent())
    assert found is not None
    assert counts(found) == counts(by_cell(tmp_path_factory.mktemp("t"), csv_of(table)))


def test_parquet_may_leave_texts_out() -> None:
    found = read_large(parquet({"app": ["shop", "shop"], "os": ["34", None], "clients": [1, 2]}), "f", "", Silent())
    assert found is not None
    assert {os: count.high for os, count in found.counts("shop", ("",))} == {"34": 1, "": 2}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"app": ["shop", "shop"], "clients": [1, None]}, "row 2, column clients: no number"),
        ({"app": ["shop", "shop"], "clients": [1, -2]}, "row 2, column clients: not a number of clients"),
        ({"app": ["shop"], "clients": [1.5]}, "column clients: not whole numbers"),
        ({"app": ["shop", ""], "clients": [1, 2]}, "row 2, column app: app is empty"),
        ({"app": ["shop"], "clients": [1], "date": ["soon"]}, "row 1, column date: not a date"),
        ({"app": ["shop", "shop"], "low": [1, 5], "high": [1, 2]}, "row 2, column low: low is above high"),
        ({"app": ["shop"], "client": [1]}, "unknown column"),
        ({"version": ["1"], "clients": [1]}, "lacks a column"),
        ({"app": [], "clients": []}, "has no rows"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_cells_of_parquet_are_told_by_row_and_column(columns: Mapping[str, Sequence[object]], message: str) -> None:
    if not columns.get("app", [1]):
        columns = {"app": columns["app"], "low": [], "high": []}
    with pytest.raises(InputError, match=message):
        read_large(parquet(columns), "fleet.parquet", "", Silent())


def test_a_broken_parquet_file_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("arro3.io")
    path = tmp_path / "fleet.parquet"
    sound = parquet({"app": ["shop"], "clients": [1]})
    for broken in (b"PAR1 and no more", sound[:-9], sound[:40] + b"nonsense" + sound[48:-60] + bytes(52) + sound[-8:]):
        path.write_bytes(broken)
        with pytest.raises(InputError, match="cannot be read as Parquet"):
            open_table(str(path))


def test_without_a_reader_of_parquet_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    data = parquet({"app": ["shop"], "clients": [1]})
    monkeypatch.setitem(__import__("sys").modules, "arro3.io", None)
    with pytest.raises(InputError, match=r"rotator\[parquet\]"):
        read_large(data, "fleet.parquet", "", Silent())


def test_a_policy_takes_its_counts_from_parquet(desk: Desk) -> None:
    desk.folder.joinpath("fleet.parquet").write_bytes(
        parquet({"app": ["shop", "shop"], "version": ["1", "2"], "clients": [7, 5]})
    )
    releases = app("shop", clients="", more='releases = [{ version = "2" }, { version = "1" }]')
    answer = desk.ask(BASE + releases + '[fleet]\nfile = "fleet.parquet"\n')
    assert [c.clients.high for c in answer.fleet.cohorts if c.clients] == [5, 7]
