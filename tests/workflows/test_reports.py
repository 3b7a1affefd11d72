"""Reports: immutable records beside the policy, found by id, its beginning, or `last`."""

from __future__ import annotations

import json

import pytest

from rotator.errors import InputError, UsageError
from rotator.report.document import Document, Heading, Paragraph, Table
from rotator.workflows import reports
from tests.cli.conftest import Run, run
from tests.desk import BASE, NOW, Desk, app
from tests.minting import instant

__all__ = ["run"]
POLICY = {"name": "shop", "sha256": "0" * 64}
DOCUMENT = Document("shop: x", (Heading("a"), Paragraph("b", strong=True), Table(("c",), (("d",),), ("c",), "c")))


def made(about: str = "key-loss:a", at: str = "2026-11-23T09:00:00", override: str = "") -> reports.Report:
    """Make a report."""
    return reports.make("simulate", about, instant(at), POLICY, DOCUMENT, {"about": about}, override)


def test_the_id_says_the_day_and_what_and_follows_from_the_answer() -> None:
    one, again, later = made(), made(at="2026-11-23T17:00:00"), made(at="2026-11-24")
    assert one.id.startswith("2026-11-23-key-loss-a-")
    assert one.id == again.id
    assert later.id.removeprefix("2026-11-24") == one.id.removeprefix("2026-11-23")
    assert made(override="because").id != one.id


def test_an_id_is_a_file_name_whatever_it_is_about() -> None:
    for about in ("../../x", "a/b\\c:\n\x00", "ä" * 300, ""):
        assert len(made(about).id) < 80
        assert "/" not in made(about).id
        assert made(about).id.isascii()


def test_a_report_is_kept_once_and_never_changed(desk: Desk) -> None:
    file = desk.policy(BASE)
    path = reports.keep(file, made())
    before = path.read_bytes()
    reports.keep(file, made(at="2026-11-23T18:00:00"))
    assert path.read_bytes() == before
    assert len(list(path.parent.iterdir())) == 1


def test_what_is_kept_is_read_back_whole(desk: Desk) -> None:
    file = desk.policy(BASE)
    report = made(override="because")
    reports.keep(file, report)
    assert reports.one(file, report.id) == report


def test_newest_first_and_found_by_beginning_end_and_last(desk: Desk) -> None:
    file = desk.policy(BASE)
    old, new = made(), made("renew:api", "2026-11-24")
    for report in (old, new):
        reports.keep(file, report)
    found, problems = reports.all_reports(file)
    assert [r.id for r in found] == [new.id, old.id]
    assert problems == []
    assert reports.one(file, "last").id == new.id
    assert reports.one(file, old.id[:14]).id == old.id
    assert reports.one(file, old.id[-8:]).id == old.id
    with pytest.raises(UsageError, match="several reports begin like this"):
        reports.one(file, "2026-11-2")
    with pytest.raises(UsageError, match="did you mean"):
        reports.one(file, old.id[:-1] + "x")
    with pytest.raises(UsageError, match="no report has this id"):
        reports.one(file, "")


@pytest.mark.parametrize("name", ["../policy", "..", "/etc/passwd", "a/../b", "\x00"])
def test_an_id_never_leaves_the_folder(desk: Desk, name: str) -> None:
    file = desk.policy(BASE)
    with pytest.raises(UsageError):
        reports.one(file, name)


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", "{}", '{"kind": 1}', "[" * 9999, '{"document": {"blocks": [{"kind": "x"}]}}']
)
def test_a_damaged_report_is_told_and_does_not_hide_the_others(desk: Desk, damage: str) -> None:
    file = desk.policy(BASE)
    path = reports.keep(file, made())
    path.with_name("bad.json").write_text(damage)
    found, problems = reports.all_reports(file)
    assert [r.id for r in found] == [made().id]
    assert len(problems) == 1
    with pytest.raises(InputError, match="is not a report"):
        reports.one(file, "bad")


def test_simulate_keeps_what_was_asked_and_answered(desk: Desk, run: Run) -> None:
    desk.policy(BASE + app("shop"))
    first = run("simulate", "policy.toml", "key-compromise:a", "--json")
    again = run("simulate", "policy.toml", "key-compromise:a")
    assert first.err == again.err
    (kept,) = (desk.folder / "policy.rotator/reports").iterdir()
    data = json.loads(kept.read_text())
    assert data["answer"] == first.json
    assert data["made"] == "2026-11-23T09:00:00Z"
    assert data["policy"]["sha256"] == first.json["policy"]["sha256"]
    assert data["title"].startswith("policy: key-compromise:a, at ")


@pytest.mark.parametrize(
    ("form", "head"), [("text", "policy: "), ("md", "# policy: "), ("html", "<!doctype html>"), ("json", "{")]
)
def test_a_report_is_shown_in_every_form(desk: Desk, run: Run, form: str, head: str) -> None:
    desk.policy(BASE + app("shop"))
    run("simulate", "policy.toml", "key-compromise:a")
    ran = run("report", "show", "policy.toml", "last", "--format", form)
    assert ran.code == 0
    assert ran.out.startswith(head)
    assert "EXPOSED" in ran.out.upper()
    assert run("report", "show", "last", "--format", form).out == ran.out


def test_reports_of_the_folder_are_listed_without_naming_policies(desk: Desk, run: Run) -> None:
    for name in ("one.toml", "two.toml"):
        desk.policy(BASE + app("shop"), name)
        run("simulate", name, "key-loss:a")
    listed = run("report", "list")
    assert listed.out.startswith("2 reports")
    assert run("report", "list", "one.toml").out.startswith("1 report\n")
    desk.policy(BASE, "three.toml")
    assert "No reports yet" in run("report", "list", "three.toml").out


def test_a_damaged_report_is_told_in_the_list(desk: Desk, run: Run) -> None:
    desk.policy(BASE + app("shop"))
    run("simulate", "policy.toml", "key-loss:a")
    desk.file("policy.rotator/reports/bad.json", "{")
    listed = run("report", "list", "policy.toml")
    assert listed.code == 0
    assert listed.out.startswith("1 report\n")
    assert "is not a report" in listed.err


def test_exports_are_kept_too(desk: Desk, run: Run) -> None:
    desk.policy(BASE + app("shop"))
    assert run("export", "policy.toml", "--promote", "b", "--into", "out").code == 0
    (row,) = run("report", "list", "policy.toml", "--json").json
    assert (row["kind"], row["override"]) == ("export", None)
    assert row["id"].startswith(f"{NOW:%Y-%m-%d}-promote-b-")
