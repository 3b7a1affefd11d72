"""`rotator fleet`: shown first, written when asked, refused when unlike; its JSON has a schema."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.cli.conftest import Run
from tests.desk import BASE, Desk
from tests.docs.sources import DOCS
from tests.files.counts import making
from tests.workflows.test_counting import ANDROID, IOS, PLAY, SESSIONS

SCHEMA = json.loads((DOCS / "fleet.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def desk_with_files(desk: Desk) -> Desk:
    """Give a desk with two apps and a file for each."""
    desk.policy(BASE + ANDROID + IOS)
    desk.file("play.csv", PLAY)
    desk.file("sessions.txt.gz", gzip.compress(SESSIONS))
    return desk


def valid(value: object) -> None:
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(value)


def test_it_is_shown_and_nothing_is_written(desk_with_files: Desk, run: Run) -> None:
    before = (desk_with_files.folder / "policy.toml").read_bytes()
    ran = run("fleet", "policy.toml", "play.csv")
    assert ran.code == 0
    for words in ("Play Console, monthly report by app version (UTF-16)", "2026-11-19", "1,550", "+++ b/policy.toml"):
        assert words in ran.out
    assert "--write does it" in ran.err
    assert (desk_with_files.folder / "policy.toml").read_bytes() == before
    assert not (desk_with_files.folder / "policy.rotator").exists()


def test_it_is_written_and_a_second_time_changes_nothing(desk_with_files: Desk, run: Run) -> None:
    words = ("fleet", "policy.toml", "sessions.txt.gz", "play.csv", "--opt-in", "0.25-0.30", "--write")
    assert "written: policy.toml" in run(*words).err.replace(f"{desk_with_files.folder}/", "")
    ran = run(*words)
    assert "Nothing changes." in ran.out
    assert "nothing to write" in ran.err
    users = next(line for line in run("policy.toml").out.splitlines() if line.startswith("  Users"))
    assert "3,910-4,382 active devices, 30 days (measured, scaled" in " ".join(users.split())


def test_a_zeroed_range_is_shown_in_totals(desk_with_files: Desk, run: Run) -> None:
    run("fleet", "policy.toml", "sessions.txt.gz", "play.csv", "--opt-in", "0.25-0.30", "--write")
    data = run("simulate", "policy.toml", "serve:api:b", "--json", "--no-report").json
    assert data["ok"]["low"] == 3910
    assert data["ok"]["high"] == 4382


def test_unlike_units_end_with_3(desk_with_files: Desk, run: Run) -> None:
    ran = run("fleet", "policy.toml", "play.csv", "sessions.txt.gz", "--write")
    assert ran.code == 3
    assert "Refused: unlike units are never added" in ran.out
    assert "hint: --opt-in" in ran.err
    assert "opted-in" not in (desk_with_files.folder / "policy.toml").read_text(encoding="utf-8")


def test_many_clients_of_unknown_versions_end_with_1(desk_with_files: Desk, run: Run) -> None:
    desk_with_files.policy(BASE + ANDROID.replace("builds = [70200], ", ""))
    ran = run("fleet", "policy.toml", "play.csv")
    assert ran.code == 1
    assert "--builds 7.2.0=70200" in ran.out
    assert "400 clients run versions that the policy does not know" in ran.err
    assert run("fleet", "policy.toml", "play.csv", "--builds", "7.2.0=70200").code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("play.csv",),
        ("play.csv", "sessions.txt.gz"),
        ("play.csv", "play.csv"),
        ("sessions.txt.gz", "--opt-in", "0.27"),
        ("play.csv", "--total", "1_600", "--write"),
    ],
    ids=" ".join,
)
def test_json_follows_its_schema(desk_with_files: Desk, run: Run, words: tuple[str, ...]) -> None:
    for _ in range(2):
        data = run("fleet", "policy.toml", *words, "--json").json
        valid(data)
        assert data["written"] is ("--write" in words)


def test_json_tells_every_row(desk_with_files: Desk, run: Run) -> None:
    desk_with_files.policy(BASE + ANDROID.replace("builds = [70200], ", ""))
    (app,) = run("fleet", "policy.toml", "play.csv", "--json").json["apps"]
    (file,) = app["files"]
    assert file["read"] == file["used"] + sum(d["clients"] for d in file["dropped"]) == 1550
    assert app["unknown"] == [{"version": "70200", "clients": 400, "low": 400, "high": 400, "meant": "7.2.0"}]
    assert sum(row["after"]["clients"] for row in app["releases"] if row["in_file"]) == 1150


def test_standard_input_and_columns(desk_with_files: Desk, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Piped:
        buffer = io.BytesIO(b"Release,Users\n7.4.0,12\n7.2.0,3\n")

    monkeypatch.setattr(sys, "stdin", Piped())
    ran = run("fleet", "policy.toml", "shop-android=-", "--columns", "version=Release,clients=Users", "--json")
    (app,) = ran.json["apps"]
    assert [row["after"]["clients"] for row in app["releases"]] == [12, 3, 900]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "no file of counts"),
        (("none.csv",), "cannot be read"),
        (("policy.toml",), "is no file of user counts that is known"),
        (("play.csv", "--opt-in", "2"), "not a number or a range"),
        (("play.csv", "--opt-in", "0.3-0.2"), "not a number or a range"),
        (("play.csv", "--scale", "2"), "what is counted after --scale"),
        (("play.csv", "--builds", "7.2.0"), "not version codes"),
        (("play.csv", "--columns", "x=y"), "not a column"),
        (("play.csv", "--total", "many"), "not a whole number"),
    ],
)
def test_what_cannot_be_understood_ends_with_2(
    desk_with_files: Desk, run: Run, words: tuple[str, ...], told: str
) -> None:
    ran = run("fleet", "policy.toml", *words)
    assert ran.code == 2
    assert told in ran.err
    assert not ran.out


def test_names_in_a_file_drive_no_terminal(desk_with_files: Desk, run: Run) -> None:
    evil = "9\x1b]0;owned\x07\u202e"
    desk_with_files.file("evil.csv", f"version,clients,os\n{evil},5,\x1b[2J\n7.4.0,5,\u2028\n".encode())
    ran = run("fleet", "policy.toml", "shop-android=evil.csv")
    assert "\x1b" not in ran.out + ran.err
    assert "\u202e" not in ran.out + ran.err
    page = making.play_page([evil], ("2026-11-19", 5))
    desk_with_files.file("evil.csv", page)
    ran = run("fleet", "policy.toml", "shop-android=evil.csv")
    assert "\x1b" not in ran.out + ran.err


def test_the_screens_are_not_loaded(desk_with_files: Desk) -> None:
    from tests.cli.test_import_hygiene import loaded

    modules = loaded(Path(desk_with_files.folder), "fleet", "policy.toml", "play.csv")
    assert not {"textual", "rich", "numpy", "sqlite3"} & modules
