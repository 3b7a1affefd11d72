"""What a person does in a planning session, by keyboard alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from rotator.simulate.grammar import EVENTS
from rotator.tui.app import PlannerApp
from rotator.workflows import reports
from tests.tui.piloting import LARGE, SMALL, copy_of, drive, planner, press, shown


@pytest.fixture
def policy(tmp_path: Path) -> str:
    """Give a copy of the sample policy."""
    return copy_of("storefront.toml", tmp_path)


def test_the_first_screen_shows_pinsets_clients_and_what_to_do(policy: str) -> None:
    [screen] = drive(planner(policy), "1 .")
    assert "primary api-2025" in screen
    assert "backup api-2026" in screen
    assert "shop-android" in screen
    assert "pins-expire" in screen
    assert "17 things to do" in screen


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_one_key_shows_who_is_exposed_if_the_primary_key_is_stolen_today(policy: str, size: tuple[int, int]) -> None:
    [screen] = drive(planner(policy), "2 .", size=size)
    assert "key-compromise" in screen
    assert "api-2025" in screen
    assert "EXPOSED 2.87-3.07 M" in screen or "EXPOSED 2,874,000-3,072,000" in screen
    assert "A new key on the servers ends no exposure" in screen


def test_turning_the_response_changes_the_verdicts_at_that_key(policy: str) -> None:
    before, after = drive(planner(policy), "2 .", "down down down down right")
    assert "BREAKS 0" in before
    assert "serve api-2026" in after
    assert "BREAKS 231-244 k" in after
    assert "LOST" in after


def test_turning_a_knob_back_brings_the_same_screen_back(policy: str) -> None:
    before, after = drive(planner(policy), "2 .", "right left")
    assert after == before


def test_every_event_that_the_policy_can_meet_can_be_turned_to(policy: str) -> None:
    screens = drive(planner(policy), "2 .", *["right"] * len(EVENTS))
    events = {
        line.split()[3] for screen in screens for line in screen.splitlines() if line.lstrip("▸ ").startswith("event")
    }
    assert set(EVENTS) <= events


def test_promote_export_write_and_read_the_report_by_keys_alone(policy: str) -> None:
    nsc = Path(policy).parent / "storefront" / "android" / "network_security_config.xml"
    before = nsc.read_bytes()
    whatif, export, confirm, written, listed = drive(
        planner(policy), "2 . down down down down right p", "3 .", "w .", "y .", "4 ."
    )
    assert "storefront.toml *" in whatif
    assert "promote api-2026, drop api-2025" in export
    assert "network_security_config" in export
    assert "Write 3 files?" in confirm
    assert "storefront.toml *" not in written
    assert "promote api-2026, drop api-2025" in listed
    assert nsc.read_bytes() != before
    assert "api-2025 = {" in Path(policy).read_text()
    assert 'status = "compromised"' in Path(policy).read_text()
    [report], problems = reports.all_reports(policy)
    assert (report.kind, problems) == ("export", [])
    kept = list((Path(policy).parent / "storefront.rotator" / "replaced").iterdir())
    assert before in [path.read_bytes() for path in kept]


def test_the_grid_of_threats_says_why_of_each_cell(policy: str) -> None:
    first, key, other = drive(planner(policy), "T .", "left left left " + "down " * 9, "right_square_bracket .")
    assert "[NONE]" in first
    assert "the leaf key and a backup" in first
    assert "[KEY+]" in key
    assert "key stolen, pinning the leaf key and a backup: exposed" in key
    assert "whoever holds api-2025 is accepted" in key
    assert " images: " in other


def test_an_edit_is_taken_back_and_made_again(policy: str) -> None:
    promoted, undone, redone = drive(planner(policy), "1 . down down p .", "u .", "ctrl+r .")
    assert "storefront.toml *" in promoted
    assert "storefront.toml *" not in undone
    assert "storefront.toml *" in redone


def test_nothing_is_written_without_a_yes(policy: str) -> None:
    before = Path(policy).read_bytes()
    drive(planner(policy), "1 . down down p . 3 . w . n .")
    assert Path(policy).read_bytes() == before


def test_quitting_asks_only_when_edits_would_be_lost(policy: str) -> None:
    clean = planner(policy)
    drive(clean, "q")
    assert clean.return_value == 0
    dirty = planner(policy)
    [asked] = drive(dirty, "1 . down down p . q .")
    assert "Leave without saving these edits?" in asked
    assert dirty.return_value is None


def test_a_filter_keeps_lines_with_all_its_words_and_escape_shows_all(policy: str) -> None:
    narrowed, whole = drive(planner(policy), "2 . tab slash o r d e r s enter", "escape")
    assert "orders-job" in narrowed
    assert "shop-ios 12.1" not in narrowed.partition("VERDICT")[2].partition("WHY")[0]
    assert "shop-ios 12.1" in whole


def test_an_answer_is_kept_as_a_report_and_read_again(policy: str) -> None:
    _, listed = drive(planner(policy), "2 . K .", "4 .")
    assert "key-compromise:api-2025" in listed
    assert "clients" in listed


def test_why_follows_the_cursor(policy: str) -> None:
    first, last = drive(planner(policy), "2 . tab", "end")
    assert first.partition("WHY")[2] != last.partition("WHY")[2]


def test_help_lists_every_key_of_the_screen(policy: str) -> None:
    [screen] = drive(planner(policy), "2 . question_mark .", size=LARGE)
    for words in ("turn the knob", "keep this answer as a report", "go to Reports", "take the last edit back"):
        assert words in screen


def test_a_policy_that_changed_on_disk_is_not_overwritten(policy: str) -> None:
    app = planner(policy)
    theirs = Path(policy).read_text() + "\n# somebody else was here\n"

    def meanwhile(running: PlannerApp) -> None:
        assert "files to write" in shown(running)
        Path(policy).write_text(theirs)

    async def run() -> list[str]:
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, ". 1 . down down p . 3 .")
            meanwhile(app)
            await press(pilot, "w . y .")
            return [notice.message for notice in app._notifications]

    assert "changed since it was shown" in asyncio.run(run())[-1]
    assert Path(policy).read_text() == theirs
