"""Policies with next to nothing in them, and files around a policy that somebody spoiled: nothing ends the planner."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from rotator.report.ruler import marked
from rotator.tui.screens.base import TITLES
from rotator.workflows import reports
from rotator.workflows import session as sessions
from rotator.workflows.opening import open_policy
from rotator.workflows.summarizing import summarize
from tests.tui.piloting import LARGE, NOW, SMALL, copy_of, drive, planner, press, shown

KEY = f'[keys]\nk = {{ spki = "sha256/{"A" * 43}=" }}\n'
HOST = f"""{KEY}
[authorities]
ca = {{ bundled = "ISRG Root X1" }}
[chains]
now = {{ leaf = "k", issuers = ["ca"], not_before = 2026-10-01, lifetime_days = 180 }}
[hosts.api]
names = ["api.example.com"]
serves = "now"
"""
EVERY = ("home", "fleet", "whatif", "plan", "export", "reports", "import", "mechanisms", "threats", "emergency")


@pytest.mark.parametrize(
    ("text", "size"), [("", SMALL), ("", LARGE), (KEY, LARGE), (HOST, SMALL)], ids=["none", "none, wide", "key", "host"]
)
def test_every_screen_of_a_policy_without_apps_can_be_seen(tmp_path: Path, text: str, size: tuple[int, int]) -> None:
    policy = tmp_path / "p.toml"
    policy.write_text(f"schema = 1\n{text}")
    app = planner(str(policy))

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            for place in EVERY:
                app.action_go(place)
                await press(pilot, ". down right enter . escape .")
                assert TITLES[place] in shown(app)

    assert set(EVERY) == set(TITLES)
    asyncio.run(run())


@pytest.mark.parametrize("keys", ["a p B", "a n b down b down b down b", "a r a", "a l b right left"])
def test_a_field_with_nothing_to_choose_from_ignores_letters(tmp_path: Path, keys: str) -> None:
    policy = tmp_path / "p.toml"
    policy.write_text(f"schema = 1\n{HOST}")
    [screen] = drive(planner(str(policy)), f"{keys} .")
    assert screen


def test_a_report_that_was_tampered_with_sends_nothing_the_terminal_obeys(tmp_path: Path) -> None:
    policy = copy_of("storefront.toml", tmp_path)
    app = planner(policy)
    _, _listed = drive(app, "2 . K .", "5 .")
    [kept] = (Path(f"{policy.removesuffix('.toml')}.rotator") / "reports").glob("*.json")
    row = json.loads(kept.read_text())
    for part in ("made", "kind", "title"):
        kept.write_text(json.dumps({**row, part: "\x1b[2J\x1b[5H\u202exx"}))
        [screen] = drive(planner(policy), "5 .")
        assert "\x1b" not in screen
        assert "\u202e" not in screen
        assert "\\x1b" in screen
    kept.write_text("[]")
    _, problems = reports.all_reports(policy)
    assert "it has not the parts of one" in str(problems[0])
    assert "indices" not in str(problems[0])


def test_after_a_promotion_the_new_primary_is_what_can_take_over(tmp_path: Path) -> None:
    """The hosts still serve the old key; clients that carry the new one carry it as before."""
    policy = copy_of("storefront.toml", tmp_path)
    before = summarize(open_policy(policy, NOW.date()), NOW, policy)
    app = planner(policy)
    drive(app, "1 . down down p .")
    after = summarize(app.session.picture, NOW, policy)

    def lost(found: object) -> str:
        [row] = [row for row in found.ifs if row.kind == "primary-lost"]  # type: ignore[attr-defined]  # a summary
        return f"{row.label}: {row.broken.high}"

    assert lost(before).startswith("api-2025 lost: serve api-2026")
    assert lost(after) == lost(before)
    assert "api-2026" in after.carried


def test_a_policy_that_was_taken_away_is_written_again_and_where_a_text_was_kept_is_said(tmp_path: Path) -> None:
    policy = Path(copy_of("storefront.toml", tmp_path))
    for answer in "ok":
        text = policy.read_bytes()
        app = planner(str(policy))

        async def run(app: object = app, answer: str = answer) -> None:
            async with app.run_test(size=LARGE) as pilot:  # type: ignore[attr-defined]  # the app
                await press(pilot, ". 1 . down down p .")
                policy.unlink()  # noqa: ASYNC240 - a small file
                await press(pilot, f"s . {answer} .")

        asyncio.run(run())
        if answer == "o":
            assert b"api-2026" in policy.read_bytes()
            assert not sessions.changed_on_disk(app.session)
            assert not app.session.dirty
        else:
            assert any("your text is kept in" in one.message for one in app._notifications)
            assert any((policy.parent / "storefront.rotator" / "unsaved").glob("mine-*.toml"))
        policy.write_bytes(text)


def test_a_message_of_several_lines_is_shown_as_such(tmp_path: Path) -> None:
    app = planner(copy_of("storefront.toml", tmp_path))

    async def run() -> str:
        async with app.run_test(size=LARGE, notifications=True) as pilot:
            await press(pilot, ".")
            app.tell("one\n  hint: two\x1b[31m")
            await press(pilot, ".")
            return shown(app)

    screen = asyncio.run(run())
    assert "hint: two\\x1b[31m" in screen
    assert "one\\n" not in screen


@pytest.mark.parametrize(
    ("words", "place", "found"),
    [
        ("23Nov   30Nov     ", 0, "^23Nov  30Nov     "),
        ("23Nov   30Nov     ", 8, "23Nov   ^30Nov    "),
        ("23Nov   30Nov     ", 3, "   ^    30Nov     "),
        ("23Nov   30Nov     ", 6, "23Nov ^ 30Nov     "),
        ("23Nov 30Nov 7Dec", 6, "23Nov ^     7Dec"),
    ],
)
def test_a_mark_on_a_ruler_leaves_no_half_of_a_date(words: str, place: int, found: str) -> None:
    assert marked(words, place, "^") == found
