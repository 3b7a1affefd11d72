"""Long work on any screen: it says how far it is, escape gives it up, and a fault of ours ends it in words."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from rotator.tui.screens import fleet as fleet_screen
from rotator.tui.screens import importing as import_screen
from rotator.tui.screens import plan as plan_screen
from rotator.tui.screens import whatif as whatif_screen
from rotator.tui.working import WorkingScreen
from tests.tui.piloting import LARGE, SMALL, copy_of, endless, planner, press, shown


@pytest.fixture
def policy(tmp_path: Path) -> str:
    """Give a copy of the sample."""
    return copy_of("storefront.toml", tmp_path)


async def _until(app: object, text: str) -> str:
    """Wait for a text on the screen."""
    for _ in range(400):
        if text in (found := shown(app)):  # type: ignore[arg-type]  # the app
            return found
        await asyncio.sleep(0.02)
    return shown(app)  # type: ignore[arg-type]  # the app


@pytest.mark.parametrize(
    ("keys", "stands_in", "says", "after"),
    [
        ("1 . down down enter", (fleet_screen, "coverage"), "who carries api-2026 over a year", "PINSETS"),
        ("i . O . y", (import_screen, "look"), "looking at hosts", "Given up; nothing was kept."),
        ("2", (whatif_screen, "course"), "who breaks over time", "over time: given up"),
        ("3", (plan_screen, "plan"), "the plan", "The plan was given up"),
    ],
)
def test_it_says_how_far_it_is_and_escape_gives_it_up(
    policy: str,
    monkeypatch: pytest.MonkeyPatch,
    keys: str,
    stands_in: tuple[object, str],
    says: str,
    after: str,
) -> None:
    monkeypatch.setattr(*stands_in, endless)
    # Time is played beside the drawing for large fleets alone; this one counts as such.
    monkeypatch.setattr(whatif_screen, "FEW", 0)
    app = planner(policy)

    async def run() -> tuple[str, str]:
        async with app.run_test(size=LARGE) as pilot:
            await press(pilot, f". {keys}")
            working = await _until(app, f"{says}:")
            await press(pilot, "escape .")
            return working, shown(app)

    working, given_up = asyncio.run(run())
    assert f"{says}: " in working
    assert "parts done; something long" in working
    assert "esc gives it up" in working
    assert after in given_up
    assert "parts done" not in given_up


def test_a_fault_of_ours_ends_the_work_in_words_and_the_planner_goes_on(
    policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*_: object) -> None:
        raise ZeroDivisionError("[bold]division\x1b[31m")

    monkeypatch.setattr(fleet_screen, "coverage", faulty)
    app = planner(policy)

    async def run() -> tuple[str, str]:
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, ". 1 . down down enter .")
            told = " ".join(one.message for one in app._notifications)
            assert isinstance(app.screen, WorkingScreen)
            assert app.screen.job is None
            await press(pilot, "2 .")
            return told, shown(app)

    told, other = asyncio.run(run())
    assert "fault of Rotator itself" in told
    assert "ZeroDivisionError" in told
    assert "\x1b" not in told
    assert "What-if" in other
