"""JSON: the keys, types and order that the product notes promise."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.desk import BASE, Desk, app

PINS = '[pinsets.only-a]\nprimary = "a"\n'
TEXT = (
    BASE
    + PINS
    + app("both", clients="{ low = 700, high = 900 }")
    + app("with-a", pinset="only-a", clients="100")
    + app("ios", "apple-ats", clients="10")
)


def total(data: Any) -> None:  # noqa: ANN401 - a JSON value
    """Check the shape of a total."""
    assert set(data) in ({"clients", "share"}, {"clients", "share", "low", "high"})
    assert data["clients"] is None or isinstance(data["clients"], int)
    assert data["share"] is None or 0 <= data["share"] <= 1
    if "high" in data:
        assert data["clients"] == data["high"] >= data["low"]


def test_simulate(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    data = run("simulate", "policy.toml", "key-compromise:a", "serve:api:b", "--json").json
    assert list(data) == [
        "schema",
        "policy",
        "events",
        "at",
        "population",
        "ok",
        "unpinned",
        "broken",
        "exposed",
        "lost",
        "first_break",
        "because",
        "cohorts",
    ]
    assert data["schema"] == 1
    assert data["policy"]["name"] == "policy"
    assert len(data["policy"]["sha256"]) == 64
    assert data["events"] == ["key-compromise:a", "serve:api:b"]
    assert data["at"] == "2026-11-23T09:00:00Z"
    assert data["population"] == 1010
    for name in ("ok", "unpinned", "broken", "exposed", "lost"):
        total(data[name])
    assert data["broken"] == {"clients": 100, "share": pytest.approx(100 / 810)}
    assert data["exposed"] == {"clients": 1010, "share": 1.0, "low": 810, "high": 1010}
    assert data["first_break"] == {"at": "2026-11-23T09:00:00Z", "app": "with-a", "version": "-", "host": "api"}
    assert [row["verdict"] for row in data["cohorts"]] == ["lost", "exposed", "exposed"]


def test_rows(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    rows = run("simulate", "policy.toml", "key-compromise:a", "--json").json["cohorts"]
    (row,) = [row for row in rows if row["app"] == "both"]
    assert row == {
        "app": "both",
        "version": "-",
        "mechanism": ["okhttp"],
        "trust": "ours",
        "host": "api",
        "verdict": "exposed",
        "reason": "pin-matched",
        "attacker_reason": "key-stolen",
        "pin_in_force": True,
        "unsure": False,
        "clients": 900,
        "share": pytest.approx(900 / 1010),
        "demands": ["okhttp: any of 2 keys anywhere in the path"],
        "why": "pin a matches in a > ica > root; whoever holds a is accepted: pin a matches",
        "low": 700,
        "high": 900,
    }


def test_a_row_in_doubt_says_so(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    rows = run("simulate", "policy.toml", "revoke:api?clock=0h", "--json").json["cohorts"]
    assert {row["app"]: row["unsure"] for row in rows} == {"both": False, "with-a": False, "ios": True}


def test_totals_is_the_same_answer_without_rows(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    whole = run("simulate", "policy.toml", "key-loss:a", "--json")
    less = run("simulate", "policy.toml", "key-loss:a", "--json", "--totals")
    data = whole.json
    del data["cohorts"]
    assert less.json == data
    assert less.code == whole.code == 1


def test_days(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    data = run("simulate", "policy.toml", "serve:api:b@2026-11-24", "--until", "2026-11-25", "--json").json
    assert [row["date"] for row in data["days"]] == ["2026-11-23", "2026-11-24", "2026-11-25"]
    for row in data["days"]:
        assert set(row) == {"date", "broken", "exposed", "unpinned"}
        for name in ("broken", "exposed", "unpinned"):
            total(row[name])
    assert [row["broken"]["clients"] for row in data["days"]] == [0, 100, 100]


def test_nothing_that_breaks_is_null(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    assert run("simulate", "policy.toml", "--json").json["first_break"] is None


def test_an_unknown_count_is_null(desk: Desk, run: Run) -> None:
    desk.policy(BASE + app("shop", clients=""))
    data = run("simulate", "policy.toml", "key-loss:a", "--json").json
    assert data["population"] is None
    assert data["broken"] == {"clients": None, "share": None}
    assert data["exposed"] == {"clients": 0, "share": 0.0}
    assert (data["cohorts"][0]["clients"], data["cohorts"][0]["share"]) == (None, None)
    assert any("counts are missing" in note for note in data["because"]["notes"])


def test_check(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    data = run("check", "policy.toml", "--json").json
    assert list(data) == ["schema", "policy", "findings", "calendar"]
    assert {"id", "severity", "subject", "message", "hint"} <= set(data["findings"][0])
    assert {row["severity"] for row in data["findings"]} <= {"info", "warning", "error"}
    parts = {"date", "what", "subject", "fact", "source", "certainty"}
    assert all(set(row) == parts for row in data["calendar"])
    assert run("policy.toml", "--json").json == data


def test_new_import_export_and_report(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    made = run("new", "fresh.toml", "a.pem", "b.csr", "--json").json
    assert set(made) == {"schema", "policy", "toml", "notes", "releases", "candidates"}
    desk.file("pins.json", run("export", "policy.toml", "--json").out and '{"api.example.com": []}')
    assert set(run("import", "okhttp", "pins.json", "--json").json) == {"demands", "findings", "schema", "toml"}
    exported = run("export", "policy.toml", "--promote", "b", "--json").json
    assert exported["written"] is False
    assert {"schema", "policy", "change", "pinsets", "files", "notes", "unsafe", "override", "skipped"} <= set(exported)
    assert {row["change"] for row in exported["files"]} <= {"new", "changed", "same"}
    run("simulate", "policy.toml", "key-loss:a")
    (listed,) = run("report", "list", "policy.toml", "--json").json
    assert set(listed) == {"id", "kind", "made", "title", "policy", "override", "file"}
    shown = run("report", "show", "policy.toml", "last", "--format", "json").json
    assert shown["id"] == listed["id"]
    assert shown["answer"]["broken"]["clients"] == 1010


def test_json_is_one_value_and_nothing_else(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    for words in (
        ("check", "policy.toml"),
        ("simulate", "policy.toml", "key-loss:a"),
        ("export", "policy.toml"),
        ("report", "list", "policy.toml"),
    ):
        ran = run(*words, "--json")
        assert ran.out.endswith("\n")
        assert isinstance(ran.json, dict | list)


def test_drill(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    data = run("drill", "policy.toml", "--json").json
    assert list(data) == ["schema", "policy", "at", "broken", "exposed", "total", "losses"]
    assert data["total"] == len(data["losses"]) == 55
    for loss in data["losses"]:
        assert list(loss) == ["events", "broken", "exposed", "response", "safe_on"]
        total(loss["broken"])
        total(loss["exposed"])
    lost = next(loss for loss in data["losses"] if loss["events"] == ["key-loss:a"])
    assert lost["broken"] == {"clients": 1010, "share": 1.0, "low": 810, "high": 1010}
    assert lost["response"] == ["serve:api:b"]
