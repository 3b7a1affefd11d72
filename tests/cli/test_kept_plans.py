"""A plan is kept, its steps are seen, its pinsets are exported: from the command line."""

from __future__ import annotations

import json

import pytest

from rotator.cli.console import Console
from tests.cli.conftest import Run
from tests.desk import BASE, Desk, app

LATER = {"ROTATOR_TODAY": "2026-11-24T10:00:00Z"}
TEXT = BASE.replace('backups = ["b"]', 'backups = ["b"]\ncovers = "api.example.com"') + app("shop")


def test_from_a_plan_to_its_steps(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    assert run("status", "policy.toml").code == 2
    kept = run("plan", "policy.toml", "--to", "b", "--write", "--no-report")
    assert (kept.code, "the plan is kept as 2026-11-23-serve-b-" in kept.err) == (0, True)
    assert [step["state"] for step in run("status", "policy.toml", "--json").json["steps"]] == ["waits", "waits"]
    found = run("status", "policy.toml", "--json", environ=LATER)
    assert found.code == 0
    assert [step["state"] for step in found.json["steps"]] == ["may be done", "waits"]
    desk.file("handshake.txt", "seen")
    words = ("status", "policy.toml", "--seen", "1", "--evidence", "handshake.txt", "--by", "ada", "--json")
    step, after = run(*words, environ=LATER).json["steps"]
    assert (step["state"], step["seen"]["by"], step["seen"]["evidence"]) == ("done", "ada", "handshake.txt")
    assert after["state"] == "may be done"
    assert run("status", "policy.toml", "--seen", "9").code == 2
    assert run("status", "policy.toml", "--by", "ada").code == 2
    assert run("export", "policy.toml", "--plan", "2026", "--step", "1").code == 2


def test_counts_since_the_plan_show_that_users_carry_the_pin(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    run("plan", "policy.toml", "--to", "b", "--write", "--no-report")
    desk.policy(TEXT.replace("measured = 2026-11-20", "measured = 2026-11-24"))
    step, after = run("status", "policy.toml", "--json", environ=LATER).json["steps"]
    assert (step["state"], step["seen"]["how"], step["seen"]["share"]) == ("done", "counted", 1.0)
    assert after["state"] == "may be done"
    later = {"ROTATOR_TODAY": "2026-12-09T10:00:00Z"}
    assert run("status", "policy.toml", "--json", environ=later).json["steps"][0]["state"] == "may be done"


def test_the_calendar_is_written(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    run("plan", "policy.toml", "--to", "b", "--write", "--no-report")
    assert run("status", "policy.toml", "--ics", "plan.ics").code == 0
    assert (desk.folder / "plan.ics").read_text().startswith("BEGIN:VCALENDAR")


def test_a_plan_is_written_as_it_is_read(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    run("plan", "policy.toml", "--to", "b", "--write", "--no-report")
    (path,) = (desk.folder / "policy.rotator" / "plans").glob("*.json")
    assert json.loads(path.read_bytes())["goal"]["to"] == "b"


def test_a_reader_that_goes_away_loses_no_plan(desk: Desk, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is kept before anything is printed, so that neither `| head` nor ctrl+c costs anything."""

    def gone(*_: object) -> None:
        raise KeyboardInterrupt

    desk.policy(TEXT)
    monkeypatch.setattr(Console, "result", gone)
    assert run("plan", "policy.toml", "--to", "b", "--write").code == 130
    monkeypatch.undo()
    monkeypatch.chdir(desk.folder)
    assert run("status", "policy.toml", "--json").json["steps"]
    assert "serve b" in run("report", "list", "policy.toml", "--json").out


def test_a_plan_over_time(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    found = run("plan", "policy.toml", "--to", "b", "--curve", "--no-report", "--json").json["curve"]
    assert (found[0]["date"], found[0]["coverage"], found[0]["broken"]["clients"]) == ("2026-11-23", 1.0, 0)
    assert run("plan", "policy.toml", "--to", "b", "--no-report", "--json").json["curve"] is None
    said = run("plan", "policy.toml", "--to", "b", "--curve", "--no-report").out
    assert "OVER TIME" in said
    assert "2026-11-23           100 %  fleet" in said


def test_more_keys_in_a_plan_are_named_in_pairs(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    words = ("plan", "policy.toml", "--to", "b", "--from", "a", "--no-report", "--also")
    wrong = run(*words, "c")
    assert (wrong.code, "not a key and the one in its place" in wrong.err) == (2, True)
    refused = run(*words, "c=nobody")
    assert (refused.code, "no key has this name" in refused.err) == (2, True)
