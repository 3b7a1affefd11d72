"""Every action of the registry by keyboard alone: each key in each keymap, on each screen, and what help says of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from textual.actions import parse
from textual.app import App
from textual.dom import DOMNode
from textual.pilot import Pilot

from rotator.tui.actions import EVERYWHERE, HELP, KNOBS, LIST, PANES, START, Action, everything, readable
from rotator.tui.app import SCREENS, PlannerApp
from rotator.tui.keymaps import KEYMAPS, KeyNames, Settings
from rotator.tui.screens.dialogs import Help
from rotator.tui.start import StartApp
from rotator.tui.widgets.knobs import Knobs
from rotator.tui.widgets.line_table import LineTable
from rotator.workflows import session as sessions
from tests.tui.piloting import LARGE, NOW, SMALL, copy_of, press, settle

Called = tuple[str, tuple[object, ...]]
LIBRARY: dict[Called, Called] = {("quit", ()): ("leave", ())}
"""What the library calls its own action for the same key; ours does the same."""


class Noting(App[Any]):
    """Notes which action each key calls; does it too, unless it is held. What has nothing to scroll passes keys on."""

    called: list[tuple[Called, bool]]
    held = False

    async def _dispatch_action(self, namespace: DOMNode, action_name: str, params: tuple[object, ...]) -> bool:
        call = (action_name, tuple(params))
        held = self.held and not action_name.startswith("scroll_")
        done = held or await super()._dispatch_action(namespace, action_name, params)
        self.called.append((LIBRARY.get(call, call), done))
        return done


class NotingPlanner(Noting, PlannerApp):
    """The planner, noting."""


class NotingStart(Noting, StartApp):
    """The guided start, noting."""


def wanted(action: Action) -> Called:
    """Give what a key of an action must call."""
    _, name, parameters = parse(action.call)
    return name, tuple(parameters)


def keys_of(action: Action, keymap: str) -> list[str]:
    """Give every key of an action, as Textual names it."""
    return [key for key in Settings(keymap=keymap).all_keys().get(action.id, action.keys).split(",") if key]


def noting(tmp_path: Path, keymap: str = "default") -> NotingPlanner:
    """Make the planner on a copy of the sample policy."""
    policy = copy_of("storefront.toml", tmp_path)
    app = NotingPlanner(sessions.start(policy, NOW), ascii_only=False, no_color=False, settings=Settings(keymap=keymap))
    app.called = []
    return app


async def presses(pilot: Pilot[Any], app: Noting, action: Action, key: str) -> None:
    """Press a key; it must call the action and nothing else."""
    app.called.clear()
    await pilot.press(key)
    assert [call for call, done in app.called if done] == [wanted(action)], f"{key} for {action.id}"


@pytest.mark.parametrize("keymap", KEYMAPS)
@pytest.mark.parametrize("place", HELP)
def test_every_key_of_every_screen_calls_its_action(tmp_path: Path, place: str, keymap: str) -> None:
    app = noting(tmp_path, keymap)

    async def run() -> None:
        async with app.run_test(size=SMALL) as pilot:
            app.switch_mode(place)
            await settle(pilot)
            app.held = True
            for action in (*HELP[place], *PANES, *EVERYWHERE):
                for key in keys_of(action, keymap):
                    await presses(pilot, app, action, key)
            for kind, actions in ((LineTable, LIST), (Knobs, KNOBS)):
                for pane in list(app.screen.query(kind))[:1]:
                    pane.focus()
                    await pilot.pause()
                    for action in actions:
                        for key in keys_of(action, keymap):
                            await presses(pilot, app, action, key)

    asyncio.run(run())


@pytest.mark.parametrize("place", [*HELP, "everywhere"])
def test_every_action_is_done_by_its_key(tmp_path: Path, place: str) -> None:
    """Each is done for once, one after the other, in whatever state the ones before left the screen."""
    app = noting(tmp_path)
    group = EVERYWHERE if place == "everywhere" else (*HELP[place], *PANES)
    actions = [action for action in group if action.keys and action.id != "app.quit"]
    here = "fleet" if place == "everywhere" else place

    async def run() -> None:
        async with app.run_test(size=LARGE) as pilot:
            for action in actions:
                if app.current_mode != here:
                    app.switch_mode(here)
                    await settle(pilot)
                await presses(pilot, app, action, keys_of(action, "default")[0])
                for _ in range(3):
                    await pilot.press("escape")
                    if not app.screen.is_modal and not app.screen.query("#filter.-open"):
                        break
            await settle(pilot)

    asyncio.run(run())


def test_every_key_of_the_guided_start_calls_its_action(tmp_path: Path) -> None:
    app = NotingStart(str(tmp_path / "new.toml"), NOW, ascii_only=False, no_color=False)
    app.called = []

    async def run() -> None:
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, ".")
            app.held = True
            for action in START:
                for key in keys_of(action, "default"):
                    await presses(pilot, app, action, key)

    asyncio.run(run())


def test_every_screen_and_every_action_is_walked() -> None:
    """What the tests above go through is all there is."""
    assert set(HELP) == set(SCREENS)
    walked = {action.id for group in (*HELP.values(), PANES, EVERYWHERE, LIST, KNOBS) for action in group}
    assert {action.id for action in everything()} == walked
    assert [action.id for action in everything() if not action.keys] == ["view.keymap"], "by : and the palette alone"


@pytest.mark.parametrize("keymap", KEYMAPS)
@pytest.mark.parametrize("place", HELP)
def test_help_names_every_key_of_the_screen(place: str, keymap: str) -> None:
    keys = KeyNames(Settings(keymap=keymap).all_keys())
    lines = list(Help(place, HELP[place], keys)._lines())
    for action in (*HELP[place], *PANES, *EVERYWHERE, *LIST):
        names = [readable(key) for key in keys_of(action, keymap)]
        line = next((line for line in lines if line.endswith(f" {action.about}")), "")
        assert line.removesuffix(action.about).split() == names or not names, action.id


@pytest.mark.parametrize("group", [*HELP.values(), START, EVERYWHERE, PANES], ids=lambda group: group[0].area)
def test_the_key_line_names_keys_that_are_there(group: tuple[Action, ...]) -> None:
    known = {readable(key) for action in group for key in action.keys.split(",")}
    for action in group:
        if action.shown:
            assert set(action.shown_key.replace("/", " ").split() or ["/"]) <= known, action.id
