"""What a person does in a planning session, by keyboard alone."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from rotator.simulate.grammar import EVENTS
from rotator.tui.app import PlannerApp
from rotator.tui.screens.whatif import WhatIfScreen
from rotator.workflows import reports
from rotator.workflows.possible import usual_events
from tests.tui.piloting import LARGE, SMALL, copy_of, drive, look, planner, press, shown, typed


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
    assert "BREAKS 211-221 k" in after
    assert "LOST" in after


def test_turning_a_knob_back_brings_the_same_screen_back(policy: str) -> None:
    before, after = drive(planner(policy), "2 .", ". right . left .")
    assert after == before


def test_events_that_can_change_something_are_listed_and_the_others_behind_one_key(policy: str) -> None:
    usual, every = drive(planner(policy), "2 . enter .", "o .", size=LARGE)
    assert "key-compromise" in usual
    assert "wrong-pin" not in usual
    assert all(f" {event} " in every for event in EVENTS)


def test_an_event_is_chosen_from_the_list_by_its_words(policy: str) -> None:
    [screen] = drive(planner(policy), f"2 . enter . slash {typed('distrust')} enter .")
    assert "ca-distrust" in screen
    assert "authority" in screen


def test_knobs_go_round_the_events_that_can_change_something(policy: str) -> None:
    app = planner(policy)
    drive(app, "2 .", *["right"] * len(usual_events(app.session.picture)))
    assert app.whatif.event == "key-compromise"


# --- time -------------------------------------------------------------------------------------------------------------


def test_a_strip_shows_what_each_cohort_sees_over_time(policy: str) -> None:
    [screen] = drive(planner(policy), "2 . down down down down right .")
    orders = next(line for line in screen.splitlines() if "orders-job" in line)
    assert "✖✖✖" in orders
    assert "✗✗✗" in orders, "lost while the certificate lives, then broken"


def test_time_is_scrubbed_by_cells_events_and_breaks(policy: str) -> None:
    later, event, back = drive(
        planner(policy), "2 . down down down down right . greater_than_sign .", "right_square_bracket .", "t ."
    )
    assert "7 days after the event" in later
    assert "2027-01-20" in event
    assert "as it happens" in back


def test_the_next_break_is_an_instant(policy: str) -> None:
    app = planner(policy)

    def next_break(running: PlannerApp) -> None:
        screen = running.screen
        assert isinstance(screen, WhatIfScreen)
        assert screen.course is not None
        begin = running.session.now
        assert screen.find_break(1)
        assert screen.answer is not None
        assert screen.answer.impact.at > begin
        assert screen.answer.impact.at in screen.course.breaks

    look(app, next_break, "2 . down down down down right .")


def test_hours_and_months_are_one_key_away(policy: str) -> None:
    hours, months = drive(planner(policy), "2 . plus plus plus . greater_than_sign .", "minus minus minus minus .")
    assert "1 h after the event" in hours
    assert "2027" in months
    assert "one month" in months


def test_shares_over_time_take_the_place_of_the_cohorts_and_go_again(policy: str) -> None:
    plot, table = drive(planner(policy), "2 . down down down down right . v .", "v .")
    assert "BREAKS: up to" in plot
    assert "EXPOSED: up to" in plot
    assert "orders-job" in table


# --- comparing --------------------------------------------------------------------------------------------------------


def test_the_baseline_is_ghosted_and_the_difference_said(policy: str) -> None:
    set_, turned, gone = drive(planner(policy), "2 . down down down down right b .", "right .", "b .")
    assert "nothing differs" in set_
    assert re.search(r"Against key-compromise:api-2025, serve api-2026: \+\d+ k BREAKS", " ".join(turned.split()))
    assert "▲E" in turned, "what the cohort saw in the baseline"
    assert "Against" not in gone


def test_three_scenarios_stand_side_by_side(policy: str) -> None:
    [screen] = drive(planner(policy), "2 . c . down down down down right . c . right .", size=LARGE)
    head = next(line for line in screen.splitlines() if "VERDICT" in line)
    assert " A " in head
    assert " B " in head
    lines = [line for line in screen.splitlines() if "key-compromise:api-2025" in line]
    assert len(lines) == 3
    [without] = drive(planner(policy), "2 . c . c .", size=LARGE)
    assert "SCENARIO" not in without


def test_enter_on_a_cohort_says_where_its_number_comes_from(policy: str) -> None:
    verdict, clients = drive(planner(policy), "2 . tab . enter .", "right .", size=LARGE)
    assert "cohorts[0].verdict" in verdict
    assert "cohorts[0].clients" in clients
    assert "scaled" in clients


def test_promote_export_write_and_read_the_report_by_keys_alone(policy: str) -> None:
    nsc = Path(policy).parent / "storefront" / "android" / "network_security_config.xml"
    before = nsc.read_bytes()
    whatif, export, confirm, written, listed = drive(
        planner(policy), "2 . down down down down right p", "4 .", "w .", "y .", "5 ."
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
    drive(planner(policy), "1 . down down p . 4 . w . n .")
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
    _, listed = drive(planner(policy), "2 . K .", "5 .")
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
            await press(pilot, ". 1 . down down p . 4 .")
            meanwhile(app)
            await press(pilot, "w . y .")
            return [notice.message for notice in app._notifications]

    assert any("changed since it was shown" in said for said in asyncio.run(run()))
    assert Path(policy).read_text() == theirs
