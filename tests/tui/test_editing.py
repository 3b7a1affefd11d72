"""Editing the policy on the screen by keys alone: forms, history, saving, an editor, and edits that come back."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from rotator.tui.app import PlannerApp
from rotator.workflows.editing import FORMS
from tests.tui.piloting import LARGE, SMALL, copy_of, drive, planner, press, shown, typed


@pytest.fixture
def policy(tmp_path: Path) -> str:
    """Give a copy of the sample policy."""
    return copy_of("storefront.toml", tmp_path)


def rewrite(policy: str, old: str, new: str) -> None:
    """Change the file as somebody else would."""
    path = Path(policy)
    path.write_text(path.read_text().replace(old, new))


def titles(app: PlannerApp) -> list[str]:
    return [step.title for step in app.session.past]


FILLED = {
    "promote": "enter enter",
    "add-key": f"{typed('api-2028')} enter {typed('storefront/new.pub')} enter {typed('hsm')} enter "
    f"{typed('2026-11-01')} enter right enter",
    "retire-key": "right enter enter",
    "set-role": "right enter right right enter left enter",
    "add-pinset": f"{typed('mobile-9')} enter space enter right space enter ctrl+s",
    "add-chain": f"{typed('api-x')} enter right enter right right right space ctrl+s",
    "add-release": f"right enter {typed('12.2')} ctrl+s",
    "add-event": f"{typed('key-loss:api-2026')} enter {typed('2027-01-01')} ctrl+s",
}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.id)
def test_every_edit_is_made_by_keys_saved_and_taken_back(policy: str, form: object, tmp_path: Path) -> None:
    from tests.minting import public_pem

    (Path(policy).parent / "storefront" / "new.pub").write_bytes(public_pem("new"))
    before = Path(policy).read_text()
    app = planner(policy)
    name, key = form.id, form.key  # type: ignore[attr-defined]  # a Form
    dialog, _, saved, _ = drive(app, f"a . {key} .", f"{FILLED[name]} .", "s .", "u . s .")
    assert form.about in dialog  # type: ignore[attr-defined]  # a Form
    assert "storefront.toml *" not in saved
    assert Path(policy).read_text() == before
    kept = {path.read_text() for path in (tmp_path / "policies" / "storefront.rotator" / "replaced").iterdir()}
    assert len(kept) == 2


def test_a_form_shows_the_lines_that_change_and_says_what_is_wrong(policy: str) -> None:
    shown_lines, _ = drive(
        planner(policy), f"a . c . {typed('api-x')} enter right enter right right right space", "ctrl+s enter"
    )
    assert "+api-x = {" in shown_lines
    assert "issuers" in shown_lines
    empty, named = drive(planner(policy), "a . k .", f"{typed('api-2025')} enter enter enter enter enter .")
    assert "is missing" not in empty
    assert "from: is missing" in named


def test_a_form_that_is_left_changes_nothing(policy: str) -> None:
    app = planner(policy)
    drive(app, "a . x . escape .")
    assert titles(app) == []


def test_the_palette_and_the_command_line_reach_every_edit(policy: str) -> None:
    by_name, by_words = drive(
        planner(policy),
        f"colon . {typed('add-chain')} enter .",
        f"escape . ctrl+p . {typed('plan a chain')} . enter .",
    )
    assert "plan a chain" in by_name
    assert "issuers" in by_name
    assert "issuers" in by_words


def test_the_history_shows_every_edit_and_goes_to_any(policy: str) -> None:
    app = planner(policy)
    two = f"a . x . {FILLED['retire-key']} . a . l . {FILLED['add-release']} ."
    history, _ = drive(app, f"{two} U .", "up up enter .")
    assert "mark api-2026 destroyed" in history
    assert "add release shop-ios 12.2" in history
    assert titles(app) == []
    assert len(app.session.future) == 2


def test_edits_are_offered_again_after_the_planner_was_killed(policy: str) -> None:
    first = planner(policy)
    drive(first, f"a . x . {FILLED['retire-key']} .")
    lock = first.journal._lock
    assert lock is not None
    os.close(lock)
    second = planner(policy)
    offered, _ = drive(second, ".", "r .")
    assert "Edits were left behind" in offered
    assert "mark api-2026 destroyed" in offered
    assert second.session.text == first.session.text
    third = planner(policy)
    os.close(second.journal._lock or 0)
    [again] = drive(third, "d .")
    assert "left behind" not in again
    assert not (Path(policy).parent / "storefront.rotator" / "unsaved").exists()


def test_a_policy_that_changes_on_disk_is_read_again_at_once_where_nothing_is_edited(policy: str) -> None:
    app = planner(policy)

    async def run() -> None:
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, ". 1 .")
            rewrite(policy, 'name = "Storefront"', 'name = "Renamed"')
            app.watch_disk()
            await press(pilot, ".")
            assert app.session.picture.policy.name == "Renamed"
            assert not app.session.dirty

    asyncio.run(run())


@pytest.mark.parametrize(("answer", "holds"), [("r", "both"), ("k", "theirs"), ("o", "mine")])
def test_a_policy_that_changes_on_disk_under_edits_is_asked_about(policy: str, answer: str, holds: str) -> None:
    app = planner(policy)

    async def run() -> None:
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, f". 1 . a . x . {FILLED['retire-key']} .")
            rewrite(policy, "# A sample", "# theirs")
            app.watch_disk()
            await press(pilot, ".")
            assert "CHANGED ON DISK" in shown(app)
            await press(pilot, "s .")
            assert "changed on disk since it was read" in shown(app)
            await press(pilot, f"{answer} .")

    asyncio.run(run())
    text = app.session.text.decode()
    assert ('status = "destroyed", since = 2026-11-23' in text) is (holds != "theirs")
    assert text.startswith("# theirs") is (holds != "mine")
    side = Path(policy).parent / "storefront.rotator"
    if answer == "k":
        assert [p for p in (side / "unsaved").iterdir() if "since = 2026-11-23" in p.read_text()]
    if answer == "o":
        assert [p for p in (side / "replaced").iterdir() if p.read_text().startswith("# theirs")]


class Edited(PlannerApp):
    """A planner whose editor does what a test says."""

    def play(self, *texts: str) -> None:
        """Write these texts, one at each call."""
        self.texts = list(texts)

    def run_editor(self, words: list[str]) -> int:
        """Write the next text."""
        Path(words[-1]).write_text(self.texts.pop(0))
        return 0

    def suspend(self) -> object:  # type: ignore[override]
        """Do as if the terminal were left alone."""
        import contextlib

        return contextlib.nullcontext()


def test_what_an_editor_leaves_is_one_edit_and_a_broken_text_is_not_lost(policy: str) -> None:
    from rotator.workflows import session as sessions
    from tests.tui.piloting import NOW

    before = Path(policy).read_text()
    app = Edited(sessions.start(policy, NOW), ascii_only=False, no_color=False)
    app.play(before + "[[[", before.replace('name = "Storefront"', 'name = "By hand"'))
    broken, _ = drive(app, "e .", "e .", size=LARGE)
    assert "The text cannot be used." in broken
    assert "is not TOML" in broken
    assert titles(app) == ["edit the text"]
    assert app.session.picture.policy.name == "By hand"
    assert Path(policy).read_text() == before
