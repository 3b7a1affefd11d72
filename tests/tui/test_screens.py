"""Fleet, Export and Reports: what each of them shows and does, by keys alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rotator.report.document import Document, Paragraph
from rotator.report.plotting import area, columns, nice_top, stretched
from rotator.report.ruler import UNITS, ruler
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import Line, Lines
from rotator.workflows import reports
from tests.tui.piloting import LARGE, NOW, SMALL, copy_of, drive, planner, typed


@pytest.fixture
def policy(tmp_path: Path) -> str:
    return copy_of("storefront.toml", tmp_path)


# --- fleet ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_every_cohort_has_a_verdict_for_every_host_it_uses(policy: str, size: tuple[int, int]) -> None:
    [screen] = drive(planner(policy), "1 . tab .", size=size)
    head = next(line for line in screen.splitlines() if "CLIENTS OF" in line)
    assert "[API]" in head
    assert "IMAGES" in head
    line = next(line for line in screen.splitlines() if "shop-android 6.8.0" in line and "CLIENTS" not in line)
    assert "✓" in line
    assert "○" in line, "unpinned on images, as the file does not list it"


def test_left_and_right_choose_the_host_and_why_follows(policy: str) -> None:
    api, images = drive(planner(policy), "1 . tab .", "right .")
    assert "shop-android 7.4.0 (android) on api" in api
    assert "[IMAGES]" in images
    assert "shop-android 7.4.0 (android) on images" in images


def test_enter_says_why_of_the_cell(policy: str) -> None:
    [screen] = drive(planner(policy), "1 . tab right right . enter .", size=LARGE)
    assert "the host is not among the pinned names" in screen
    assert "DECIDED BY" in screen


def test_enter_on_a_key_says_where_it_is_served_pinned_and_kept(policy: str) -> None:
    [screen] = drive(planner(policy), "1 . down down . enter .", size=LARGE)
    assert "key api-2026" in screen
    assert "safe-basel" in screen
    assert "% of users" in screen


def test_a_filter_finds_cohorts_by_what_they_see_on_a_host(policy: str) -> None:
    [screen] = drive(planner(policy), f"1 . tab slash {typed('pay unpinned')} enter", size=LARGE)
    matrix = [line for line in screen.splitlines() if "shop-" in line]
    assert any("7.4.0" in line for line in matrix)
    assert not any("shop-ios 12.1" in line for line in matrix)


def test_a_hundred_thousand_lines_are_made_only_where_they_are_looked_at() -> None:
    made: list[int] = []

    def make(index: int) -> Line:
        made.append(index)
        return Line((f"cohort {index}",))

    lines = Lines(100_000, make)
    table = LineTable(())
    table.lines, table._words_of = lines, lambda: [f"cohort {index}" for index in range(len(lines))]
    table.narrow("99999")
    assert list(table.shown) == [99_999]
    assert lines[-1].cells == ("cohort 99999",)
    assert len(made) < 300, "a filter looks at words, not at lines"


# --- export -----------------------------------------------------------------------------------------------------------


def test_a_file_that_is_left_out_is_not_written_and_the_report_says_so(policy: str) -> None:
    nsc = Path(policy).parent / "storefront" / "android" / "network_security_config.xml"
    before = nsc.read_bytes()
    shown, written = drive(planner(policy), "2 . down down down down right p . 4 . space .", "w . y .", size=LARGE)
    assert "no" in next(line for line in shown.splitlines() if "network_security" in line).split()
    assert " of " in next(line for line in shown.splitlines() if "to write, w writes" in line)
    assert nsc.read_bytes() == before
    [report], _ = reports.all_reports(policy)
    assert "left out by choice" in str(report.answer["skipped"])
    assert "storefront.toml *" not in written


def test_edits_stay_unwritten_where_the_policy_itself_is_left_out(policy: str) -> None:
    before = Path(policy).read_bytes()
    [screen] = drive(planner(policy), "1 . down down p . 4 . end space . w . y .")
    assert Path(policy).read_bytes() == before
    assert "storefront.toml *" in screen


# --- reports ----------------------------------------------------------------------------------------------------------

KEEP_TWO = "2 . down down down down right . K . right . K . 5 . space . space ."


def test_two_reports_are_compared_by_totals_and_verdicts(policy: str) -> None:
    [screen] = drive(planner(policy), f"{KEEP_TWO} equals_sign .", size=LARGE)
    assert re.search(r"broken .*[+-][0-9,]+$", screen, re.MULTILINE)
    assert "VERDICTS THAT DIFFER" in screen
    assert "shop-ios 11.6" in screen, "its verdict is another one"


def test_a_report_is_read_at_any_of_its_days(policy: str) -> None:
    first, later, asked = drive(
        planner(policy),
        "2 . down down down down right . K . 5 . right_square_bracket .",
        "right_square_bracket .",
        f"t . {typed('2027-03-01')} enter .",
        size=LARGE,
    )
    assert "the worst of 2026-11-23" in first
    assert "the worst of 20" in later
    assert "the worst of 2026-11-23" not in later
    assert "the worst of 2027-03-01" in asked


def test_one_report_is_not_compared(policy: str) -> None:
    app = planner(policy)
    drive(app, "2 . K . 5 . equals_sign .")
    assert any("mark two reports" in notice.message for notice in app._notifications)


def test_reports_that_are_no_answers_are_compared_by_their_text(policy: str) -> None:
    for text in ("one", "two"):
        document = Document(f"Storefront: {text}", (Paragraph(text),))
        reports.keep(policy, reports.make("export", text, NOW, {"name": "x", "sha256": "y"}, document, {}))
    [screen] = drive(planner(policy), "5 . space . space . equals_sign .", size=LARGE)
    assert "-one" in screen or "+one" in screen


# --- plots ------------------------------------------------------------------------------------------------------------


def test_what_is_not_nothing_is_seen_however_little_it_is() -> None:
    assert area([0.0, 0.0001, 1.0], 2, 1.0, ascii_only=False) == ["  █", " ▁█"]
    assert area([0.0, 0.0001, 1.0], 2, 1.0, ascii_only=True) == ["  #", " .#"]


def test_what_is_not_known_is_marked() -> None:
    assert area([None], 2, 1.0, ascii_only=True) == [" ", "?"]


def test_a_cell_shows_the_worst_of_its_time() -> None:
    assert columns([0.0, 0.5, 0.1, 0.0], 2) == [0.5, 0.1]
    assert columns([], 3) == []


@pytest.mark.parametrize(("highest", "top"), [(0.0, 0.01), (0.085, 0.1), (0.13, 0.2), (1.0, 1.0), (0.0004, 0.0005)])
def test_the_scale_ends_at_a_round_share(highest: float, top: float) -> None:
    assert nice_top([None, highest]) == pytest.approx(top)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.word)
def test_a_ruler_is_as_wide_as_asked_and_says_where_it_begins(unit: object) -> None:
    text = ruler(NOW, unit, 40)  # type: ignore[arg-type]  # a Unit
    assert len(text) == 40
    assert text.startswith("23Nov")


def test_a_stretched_ruler_keeps_its_words() -> None:
    assert stretched("23Nov   Dec ", 24).split() == ["23Nov", "Dec"]
