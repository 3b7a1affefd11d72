"""Keymaps and a file of one's own, actions by name, jump mode, zoom, and the next break."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from rotator.tui.actions import everything
from rotator.tui.app import PlannerApp
from rotator.tui.keymaps import KEYMAPS, Settings, read_settings, settings_file
from rotator.workflows import session as sessions
from tests.tui.piloting import NOW, SMALL, copy_of, drive, look, planner, press, typed


@pytest.fixture
def policy(tmp_path: Path) -> str:
    """Give a copy of the sample policy."""
    return copy_of("storefront.toml", tmp_path)


def settings(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "planner.toml"
    file.write_text(text)
    return read_settings(str(file))


def with_settings(policy: str, chosen: Settings) -> PlannerApp:
    return PlannerApp(sessions.start(policy, NOW), ascii_only=False, no_color=False, settings=chosen)


def test_keys_of_ones_own_do_what_they_are_set_to_and_are_shown(policy: str, tmp_path: Path) -> None:
    own = settings(tmp_path, 'theme = "rotator-light"\n[keys]\n"screen.whatif" = "W, f7"\nscreen.reports = "f9"\n')
    assert own.problems == ()
    app = with_settings(policy, own)
    by_own, by_old, by_other = drive(app, "W .", "0 . 2 .", "f9 .")
    assert "key-compromise" in by_own
    assert "key-compromise" not in by_old
    assert "reports" in by_other.lower()
    assert " W What-if " in by_other
    assert app.theme == "rotator-light"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[keys]\n"edit.undoo" = "x"\n', "keys.edit.undoo: no action has this id"),
        ('[keys]\n"edit.undo" = "ctrl+nowhere"\n', "not a key (found ctrl+nowhere)"),
        ('[keys]\n"edit.undo" = 3\n', "keys.edit.undo: not keys"),
        ('[keys]\n"edit.undo" = "s"\n', "keys.edit.undo: s is the key of policy.save too"),
        ('keymap = "emacs"\n', "keymap: not known (found emacs); expected default or vim"),
        ('keymapp = "vim"\n', "did you mean keymap"),
        ("mouse = 1\n", "mouse: not known"),
        ("keys = 1\n", "keys: not a table"),
        ("keymap = \n", "is not TOML"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_and_the_planner_opens_all_the_same(
    policy: str, tmp_path: Path, text: str, said: str
) -> None:
    own = settings(tmp_path, text)
    assert any(said in str(problem) for problem in own.problems), own.problems
    app = with_settings(policy, own)

    async def run() -> list[str]:
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, ".")
            return [notice.message for notice in app._notifications]

    assert any("planner.toml" in message for message in asyncio.run(run()))


def test_the_file_lies_where_settings_lie() -> None:
    assert settings_file({"XDG_CONFIG_HOME": "/x", "HOME": "/h"}) == "/x/rotator/planner.toml"
    assert settings_file({"HOME": "/h"}) == "/h/.config/rotator/planner.toml"
    assert read_settings("/nowhere/planner.toml") == Settings()


def test_every_id_of_the_keymaps_is_an_action() -> None:
    ids = {action.id for action in everything()}
    for changed in KEYMAPS.values():
        assert changed.keys() <= ids


def test_the_vim_keymap_pages_with_ctrl_d_and_undoes_with_u_alone(policy: str) -> None:
    first, paged = drive(with_settings(policy, Settings(keymap="vim")), "T . tab", "ctrl+d")
    assert first != paged
    first, same = drive(planner(policy), "T . tab", "ctrl+d")
    assert first == same


def test_a_keymap_and_a_theme_are_chosen_by_name_while_it_runs(policy: str) -> None:
    app = planner(policy)
    drive(app, f"colon . {typed('keymap vim')} enter . colon . {typed('theme rotator-mono')} enter .")
    assert app.keymap_name == "vim"
    assert app.theme == "rotator-mono"


def test_the_command_line_takes_ids_beginnings_and_events_and_says_what_it_does_not_know(policy: str) -> None:
    app = planner(policy)
    export, event, dated = drive(
        app,
        f"colon . {typed('export')} enter .",
        f"colon . {typed('key-loss:api-2026')} enter .",
        f"colon . {typed('thr')} enter .",
    )
    assert "4 Export" in export
    assert "key-loss" in event
    assert "[NONE]" in dated

    async def run() -> str:
        async with app_two.run_test(size=SMALL) as pilot:
            await press(pilot, f". colon . {typed('exprot')} enter .")
            await press(pilot, f"colon . {typed('key-loss:nobody')} enter .")
            return "\n".join(notice.message for notice in app_two._notifications)

    app_two = planner(policy)
    said = asyncio.run(run())
    assert "did you mean export?" in said
    assert "nobody" in said


def test_the_palette_offers_only_what_applies_now(policy: str) -> None:
    app = planner(policy)

    async def run() -> tuple[list[str], list[str]]:
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, ". 1 .")
            before = [command.title for command in app.get_system_commands(app.screen)]
            await press(pilot, "down down p .")
            return before, [command.title for command in app.get_system_commands(app.screen)]

    before, after = asyncio.run(run())
    assert "edit: take the last edit back" in after
    assert "policy: write the edits into the policy file" in after
    assert "edit: take the last edit back" not in before
    assert "policy: write the edits into the policy file" not in before
    assert all(title == title.lower() or ": " in title for title in before)
    assert all(title.partition(": ")[2] for title in before)


def test_jump_mode_goes_to_a_pane_and_to_another_screen(policy: str) -> None:
    [letters_shown, _, threats] = drive(planner(policy), "1 . ctrl+o .", "s .", "ctrl+o . g .")
    assert " a INSETS" in letters_shown
    assert " s LIENTS" in letters_shown
    assert "[NONE]" in threats
    focused: list[str | None] = []

    def see(app: PlannerApp) -> None:
        focused.append(app.focused.id if app.focused else None)

    look(planner(policy), see, "1 . ctrl+o . s .")
    assert focused == ["clients"]


def test_zoom_gives_a_pane_the_whole_screen_and_back(policy: str) -> None:
    before, zoomed, back = drive(planner(policy), "1 .", "z .", "z .")
    assert "TO DO" in before
    assert "TO DO" not in zoomed
    assert "PINSETS" in zoomed
    assert back == before


def test_n_goes_to_the_next_break_and_says_where_there_is_none(policy: str) -> None:
    app = planner(policy)
    first, second, back = drive(app, "2 .", "n .", "N .")
    assert first != second
    assert back != second


def test_help_speaks_of_the_keys_that_are_set(policy: str, tmp_path: Path) -> None:
    own = settings(tmp_path, '[keys]\n"screen.threats" = "f8"\n')
    [screen] = drive(with_settings(policy, own), "1 . question_mark .", size=(160, 60))
    assert "f8             go to Threats" in screen
