"""What is seen by whom: small and large terminals, without colour, in ASCII, and text that would like to be markup."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.color import Color
from textual.screen import ModalScreen

from rotator.model.verdicts import Verdict
from rotator.tui.actions import EVERYWHERE, HELP, PANES, everything
from rotator.tui.app import PlannerApp
from rotator.tui.keymaps import KEYMAPS, Settings, clashes
from rotator.tui.look import DEFAULTS, THEMES
from tests.tui.piloting import LARGE, SMALL, copy_of, drive, look, planner, press, shown, styles

BLOCKS = " ▁▂▃▄▅▆▇█▉▊▋▌▍▎▏"
"""What scroll bars are drawn with: cells of colour, not text."""
SCREENS = {
    "home": "0 .",
    "import": "i .",
    "fleet": "1 .",
    "whatif": "2 .",
    "plan": "3 . .",
    "export": "4 .",
    "reports": "5 .",
    "mechanisms": "m .",
    "threats": "T .",
    "emergency": "exclamation_mark . enter . u . . .",
}


@pytest.mark.parametrize("place", SCREENS)
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
@pytest.mark.parametrize("look_of_it", ["colour", "mono", "ascii"])
def test_every_screen_looks_as_it_did(
    golden: Callable[[str, str | bytes], None], tmp_path: Path, place: str, size: tuple[int, int], look_of_it: str
) -> None:
    """In the ASCII set nothing else is shown; without colour every cell is grey and readable.

    The letters of bold, underline and reverse are kept then too: they say what colours say else.
    """
    app = planner(copy_of("storefront.toml", tmp_path), ascii_only=look_of_it == "ascii", no_color=look_of_it == "mono")
    seen: list[str] = []

    def check(app: PlannerApp) -> None:
        seen.extend((shown(app), styles(app)))
        if look_of_it == "ascii":
            assert seen[0].isascii()
        elif look_of_it == "mono":
            grey_and_readable(app)

    look(app, check, SCREENS[place], size)
    screen = "\n".join(seen) if look_of_it == "mono" else seen[0]
    golden(f"tui/{place}-{size[0]}x{size[1]}-{look_of_it}.txt", screen + "\n")


def grey_and_readable(app: PlannerApp) -> None:
    """Look at every cell that is text."""
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            style = segment.style
            if style is None or not segment.text.strip(BLOCKS):
                continue
            for color in (style.color, style.bgcolor):
                triplet = color.get_truecolor() if color else None
                assert triplet is None or max(triplet) - min(triplet) <= 4, segment
    assert unreadable(app) == []


def unreadable(app: PlannerApp) -> list[str]:
    """Give every piece of text that is drawn with a contrast below 4.5, with the contrast.

    What lies under a dialog is faded on purpose, and is read when the dialog is gone.
    """
    found = []
    over = (
        [child.region for child in app.screen.children] if isinstance(app.screen, ModalScreen) else [app.screen.region]
    )
    for y, strip in enumerate(app.screen._compositor.render_strips()):
        x = 0
        for segment in strip:
            start, x = x, x + segment.cell_length
            style = segment.style
            if style is None or not style.color or not style.bgcolor or not segment.text.strip(BLOCKS):
                continue
            if not any(region.contains(start, y) for region in over):
                continue
            ratio = contrast(Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor))
            if ratio < 4.5 or style.dim:
                found.append(f"{segment.text.strip()!r} {ratio:.2f} {style.color.name} on {style.bgcolor.name}")
    return found


DIALOGS = (
    "f1 .",
    "colon .",
    "1 . enter .",
    "U .",
    "3 . . o .",
    "3 . . v . . .",
    "5 . w .",
    "i . o .",
    "a .",
    "slash a b c",
)
"""Keys that open what lies over a screen: help, the palette, why, history, a goal, curves, forms, a filter."""


def test_every_text_of_every_screen_and_dialog_is_readable_in_every_theme(tmp_path: Path) -> None:
    """Cell by cell as drawn, with what has the focus, what is quiet, and what only stands in an empty field."""
    app = planner(copy_of("storefront.toml", tmp_path))

    async def run() -> dict[tuple[str, str], list[str]]:
        bad: dict[tuple[str, str], list[str]] = {}
        async with app.run_test(size=LARGE) as pilot:
            for keys in (*SCREENS.values(), *DIALOGS):
                await press(pilot, keys)
                for theme in THEMES:
                    app.theme = theme.name
                    await pilot.pause()
                    bad[keys, theme.name] = unreadable(app)
                await press(pilot, "escape escape 0")
        return bad

    assert {place: own for place, own in asyncio.run(run()).items() if own} == {}


def contrast(one: Color, other: Color) -> float:
    """Give the contrast ratio of two colours (WCAG 2.1, 1.4.3)."""

    def luminance(color: Color) -> float:
        parts = [part / 255 for part in color.rgb]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_status_colour_is_readable_on_every_ground(theme: object) -> None:
    grounds = [getattr(theme, name) for name in ("background", "surface", "panel")]
    colours = {**DEFAULTS, **theme.variables, "foreground": theme.foreground}  # type: ignore[attr-defined]  # a Theme
    for name, colour in colours.items():
        for ground in grounds:
            assert contrast(Color.parse(colour), Color.parse(ground)) >= 4.5, (name, ground)


def test_every_verdict_has_a_colour_in_every_theme() -> None:
    for theme in THEMES:
        assert {f"status-{verdict}" for verdict in Verdict} <= theme.variables.keys()


@pytest.mark.parametrize("size", [(60, 15), (12, 4)], ids=["60x15", "12x4"])
def test_no_size_ends_the_program(tmp_path: Path, size: tuple[int, int]) -> None:
    """Neither on starting nor when a terminal comes to it; every screen is seen at every size."""
    app = planner(copy_of("storefront.toml", tmp_path))
    seen: list[str] = []

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            for keys in SCREENS.values():
                await press(pilot, keys)
                for other in ((250, 70), (40, 10), (20, 6), size):
                    await pilot.resize_terminal(*other)
                    await pilot.pause()
                    seen.append(shown(app))

    asyncio.run(run())
    assert all(len(screen.splitlines()) in (70, 10, 6, size[1]) for screen in seen)


def test_where_there_is_hardly_any_room_one_list_stands_alone_and_tab_goes_to_the_others(tmp_path: Path) -> None:
    first, second = drive(planner(copy_of("storefront.toml", tmp_path)), "1 .", "tab .", size=(50, 8))
    assert "PINSETS" in first
    assert "CLIENTS OF" not in first
    assert "BREAKS 0" in first
    assert "CLIENTS OF" in second
    assert "PINSETS" not in second


def test_a_terminal_can_be_resized_at_any_time(tmp_path: Path) -> None:
    app = planner(copy_of("storefront.toml", tmp_path))

    async def run() -> str:
        async with app.run_test(size=LARGE) as pilot:
            await press(pilot, ". 2 .")
            for size in ((60, 15), (160, 48), (80, 24)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
            return shown(app)

    assert "key-compromise" in asyncio.run(run())


def test_text_from_files_is_never_markup_and_never_escape_codes(tmp_path: Path) -> None:
    policy = tmp_path / "p.toml"
    policy.write_text(
        'schema = 1\nname = "[red]x[/red]"\n[keys]\n'
        'k = { spki = "sha256/7Q4kqZVEG3jHbwN1mKpCwT1cVqzr3bG5b6dQ0o9o8nA=", custody = "[b]\\u001b[31mhsm[/b]" }\n'
        '[authorities]\nca = { bundled = "ISRG Root X1" }\n'
        '[chains]\nc = { leaf = "k", issuers = ["ca"], not_before = 2026-11-01, lifetime_days = 90 }\n'
        '[hosts."api.example.com"]\nserves = "c"\nother_clients = "\\u202egnp.exe"\n'
        '[pinsets.p]\nprimary = "k"\n'
        '[apps.shop]\nmechanism = "okhttp"\npinset = "p"\n'
        'releases = [ { version = "[blink]1\\u001b[2J\\u202e[/blink]", clients = 5 } ]\n'
    )
    for screen in drive(planner(str(policy)), *SCREENS.values(), "2 . K . 5 ."):
        assert "\x1b" not in screen
        assert "\u202e" not in screen
    [fleet] = drive(planner(str(policy)), "1 .", size=LARGE)
    assert "[blink]1\\x1b[2J\\u202e[/blink]" in fleet


def test_every_action_has_an_id_of_its_own_and_words() -> None:
    for place in HELP.values():
        ids = [action.id for action in (*place, *PANES, *EVERYWHERE)]
        assert len(ids) == len(set(ids))
    for action in everything():
        assert action.about, action.id
        assert action.short, action.id
        assert action.about[0].islower(), action.id
        assert "." in action.id


def test_no_key_stands_for_two_actions_of_one_screen() -> None:
    ids = [action.id for action in everything()]
    for name in KEYMAPS:
        settings = Settings(keymap=name)
        assert clashes(settings.all_keys(), ids, "planner.toml") == [], name
