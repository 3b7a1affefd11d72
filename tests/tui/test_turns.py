"""Edits of a large fleet are worked out beside the drawing: in turn, each safe before it is shown, none half made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from rotator.errors import Problem, UsageError
from rotator.tui import app as planner_app
from rotator.tui.app import PlannerApp
from rotator.workflows import session as sessions
from tests.tui.piloting import SMALL, copy_of, endless, planner, press, shown


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give a copy of the sample, which counts as a large fleet here."""
    monkeypatch.setattr(planner_app, "QUICK", 0)
    return copy_of("storefront.toml", tmp_path)


def driven(app: PlannerApp, then: Callable[[Pilot[Any]], Any]) -> list[str]:
    """Run the app and something on it; give all that was told in a corner."""

    async def run() -> list[str]:
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, ".")
            await then(pilot)
            return [one.message for one in app._notifications]

    return asyncio.run(run())


def test_an_edit_is_made_undone_made_again_and_saved_as_on_a_small_fleet(policy: str) -> None:
    app = planner(policy)
    before = Path(policy).read_text()

    async def keys(pilot: Pilot[Any]) -> None:
        await press(pilot, "1 . down down p .")
        assert app.session.past[-1].title in app.journal.path.read_text(), "kept safe as soon as it is made"
        made = app.session.text
        await press(pilot, "u .")
        assert app.session.text == before.encode()
        await press(pilot, "ctrl+r .")
        assert app.session.text == made
        await press(pilot, "s .")

    told = driven(app, keys)
    assert any("taken back" in text for text in told)
    assert any("made again" in text for text in told)
    assert any("saved" in text for text in told)
    assert Path(policy).read_bytes() == app.session.text != before.encode()
    assert not app.session.dirty
    assert app.checked.baseline.impact.fleet is not None


def test_edits_that_are_asked_for_meanwhile_wait_for_their_turn(policy: str) -> None:
    """What each says is said of the session that it meets, not of the one when its key was pressed."""
    app = planner(policy)

    async def keys(pilot: Pilot[Any]) -> None:
        app.attempt(lambda: sessions.mark_key(app.session, "api-2026", "destroyed"), "one")
        app.attempt(lambda: sessions.mark_key(app.session, "api-2026", "active"), "two")
        app.action_undo()
        assert app.turns.busy
        assert app.session.past == (), "nothing is shown before it is worked out"
        await press(pilot, ".")

    told = driven(app, keys)
    assert [step.title for step in app.session.past] == ["mark api-2026 destroyed"]
    assert [text for text in told if text in ("one", "two")] == ["one", "two"]
    assert any("taken back: mark api-2026 active" in text for text in told)


def test_escape_gives_an_edit_up_and_those_that_wait(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = planner(policy)
    monkeypatch.setattr(planner_app, "check", endless)

    async def keys(pilot: Pilot[Any]) -> None:
        app.attempt(lambda: sessions.mark_key(app.session, "api-2026", "destroyed"))
        app.action_undo()
        for _ in range(100):
            if "working the edit out" in shown(app):
                break
            await asyncio.sleep(0.02)
        assert "working the edit out: " in shown(app)
        assert "something long" in shown(app)
        await press(pilot, "2")
        await pilot.pause(0.5)
        assert "What-if" in shown(app)
        assert "working the edit out" in shown(app), "on every screen"
        await press(pilot, "q")
        assert app.is_running, "nobody leaves while an edit is on its way"
        await press(pilot, "escape .")
        assert "working the edit out" not in shown(app)

    told = driven(app, keys)
    assert not app.session.past
    assert any("it is not made, nor 1 more that waited" in text for text in told)
    assert any("leave after it" in text for text in told)


def test_what_cannot_be_used_is_said_and_the_next_in_turn_goes_on(policy: str) -> None:
    app = planner(policy)

    def refused() -> sessions.Session:
        raise UsageError(Problem("cannot be", value="[bold]it"))

    async def keys(pilot: Pilot[Any]) -> None:
        app.attempt(refused, "never said")
        app.attempt(lambda: sessions.mark_key(app.session, "api-2026", "destroyed"), "said")
        await press(pilot, ".")

    told = driven(app, keys)
    assert any("cannot be" in text for text in told)
    assert "never said" not in told
    assert "said" in told
    assert len(app.session.past) == 1


def test_a_fault_of_ours_in_an_edit_leaves_everything_as_it_was(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = planner(policy)

    def faulty(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(planner_app, "check", faulty)

    async def keys(pilot: Pilot[Any]) -> None:
        app.attempt(lambda: sessions.mark_key(app.session, "api-2026", "destroyed"))
        await press(pilot, ".")

    told = driven(app, keys)
    assert any("fault of Rotator itself" in text for text in told)
    assert not app.session.past
    assert not app.turns.busy


def test_files_that_are_being_written_are_not_given_up_half_way(policy: str) -> None:
    app = planner(policy)

    async def keys(pilot: Pilot[Any]) -> None:
        app.attempt(lambda: sessions.mark_key(app.session, "api-2026", "destroyed"))
        await press(pilot, ".")
        app.action_save()
        app.screen.key_escape()  # type: ignore[attr-defined]  # a screen of the planner
        await press(pilot, ".")

    told = driven(app, keys)
    assert not app.session.dirty
    assert Path(policy).read_bytes() == app.session.text
    assert any("files are being written" in text for text in told)


def test_the_end_of_the_planner_gives_an_edit_up(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever ends it, by a closed terminal for example: nobody waits for the work then."""
    app = planner(policy)
    monkeypatch.setattr(planner_app, "check", endless)
    jobs = []

    async def keys(pilot: Pilot[Any]) -> None:
        app.attempt(lambda: sessions.mark_key(app.session, "api-2026", "destroyed"))
        jobs.append(app.turns.job)
        await pilot.pause(0.1)

    driven(app, keys)
    assert jobs[0] is not None
    assert jobs[0].given_up


def test_an_edit_does_not_overwrite_a_session_that_came_from_elsewhere_meanwhile(policy: str) -> None:
    app = planner(policy)

    async def keys(pilot: Pilot[Any]) -> None:
        app.attempt(lambda: sessions.mark_key(app.session, "api-2026", "destroyed"))
        app.use(sessions.mark_key(app.session, "api-2026", "lost"))
        await press(pilot, ".")

    told = driven(app, keys)
    assert [step.title for step in app.session.past] == ["mark api-2026 lost"]
    assert any("make it again" in text for text in told)
