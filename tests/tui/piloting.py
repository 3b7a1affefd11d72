"""Driving the planner by keys alone, and reading what it shows as text."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from textual.pilot import Pilot

from rotator.model.progress import heed
from rotator.model.when import parse_instant
from rotator.tui.app import PlannerApp
from rotator.workflows import session as sessions

POLICIES = Path(__file__).parents[2] / "policies"
NOW = parse_instant("2026-11-23T09:00Z")
SMALL, LARGE = (80, 24), (160, 48)


def copy_of(name: str, folder: Path) -> str:
    """Copy a sample policy and its files into a folder of the test's own."""
    shutil.copytree(POLICIES, folder / "policies", ignore=shutil.ignore_patterns("*.rotator"))
    return str(folder / "policies" / name)


def planner(policy: str, *, ascii_only: bool = False, no_color: bool = False) -> PlannerApp:
    """Make the app on a policy."""
    return PlannerApp(sessions.start(policy, NOW), ascii_only=ascii_only, no_color=no_color)


def shown(app: PlannerApp) -> str:
    """Give the screen as lines of text."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def styles(app: PlannerApp) -> str:
    """Give a letter for the style of each cell: b bold, u underlined, r reversed, a capital for two of them at once."""
    lines = []
    for strip in app.screen._compositor.render_strips():
        line = ""
        for segment in strip:
            style = segment.style
            found = "" if style is None else "".join(
                letter
                for letter, on in (("r", style.reverse), ("u", style.underline), ("b", style.bold))
                if on
            )  # fmt: skip
            letter = (found[:1].upper() if len(found) > 1 else found) or "."
            line += letter * len(segment.text)
        lines.append(line.rstrip("."))
    return "\n".join(lines)


def typed(text: str) -> str:
    """Give the keys that type a text."""
    names = {
        "/": "slash", ".": "full_stop", "=": "equals_sign", ":": "colon", "-": "minus", "_": "underscore", " ": "space",
        "*": "asterisk", "~": "tilde", ",": "comma",
    }  # fmt: skip
    return " ".join(names.get(char, char) for char in text)


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until nothing is worked out beside the drawing; what is done may ask for more."""
    await pilot.pause(0.1)
    while True:
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        if all(worker.is_finished for worker in pilot.app.workers):
            return


async def press(pilot: Pilot[Any], keys: str) -> None:
    """Press keys named in a row; `.` waits until a screen has come up and what is worked out beside it is there."""
    for key in keys.split():
        if key == ".":
            await settle(pilot)
        else:
            await pilot.press(key)
    await pilot.pause()


def endless(*_: object, **__: object) -> NoReturn:
    """Work until it is given up, in small parts, as long work does; a test that forgets it fails after a while."""
    for _part in range(1_000):
        heed("something long")
        time.sleep(0.02)
    raise AssertionError("nobody gave it up")


def drive(app: PlannerApp, *steps: str, size: tuple[int, int] = SMALL) -> list[str]:
    """Run the app, press the keys of each step, and give the screen after each."""
    seen: list[str] = []

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await press(pilot, ".")
            for step in steps:
                await press(pilot, step)
                seen.append(shown(app))

    asyncio.run(run())
    return seen


def look(app: PlannerApp, then: Callable[[PlannerApp], None], keys: str = ".", size: tuple[int, int] = SMALL) -> None:
    """Run the app, press keys, and look at it while it runs."""

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await press(pilot, f". {keys}")
            then(app)

    asyncio.run(run())
