"""The Plan screen by keys alone: the verdict, another goal, a way out, a step that is moved, a refusal, a report."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path

import pytest

from rotator.model.progress import heed
from rotator.simulate.question import Picture
from rotator.tui.screens import plan as plan_screen
from rotator.workflows.opening import open_policy
from rotator.workflows.planning import can_take, plan, usual_goals, with_way
from tests.tui.piloting import LARGE, NOW, SMALL, copy_of, drive, planner, press, shown, typed


@pytest.fixture
def policy(tmp_path: Path) -> str:
    """Give a copy of the sample policy."""
    return copy_of("storefront.toml", tmp_path)


@pytest.fixture
def picture(policy: str) -> Picture:
    """Give the sample policy with everything read."""
    return open_policy(policy, NOW.date())


def test_the_verdict_stands_before_any_date_and_another_goal_is_one_key_away(policy: str) -> None:
    first, other = drive(planner(policy), "3 . .", "right . .")
    assert "api-2025 -> api-2026" in first
    assert "BLOCKED at step 3" in first
    assert first.index("BLOCKED") < first.index("By waiting alone: NEVER") < first.index("EARLIEST")
    assert "api-2025 -> api-2027" in other


def test_a_way_out_is_taken_by_its_letter_and_left_again_by_the_same(policy: str) -> None:
    taken, left = drive(planner(policy), "3 . . A . .", "A . .")
    assert "taken: chain:api-spare" in taken
    assert "Possible by" in taken
    assert "*" in next(line for line in taken.splitlines() if "chain:api-spare:" in line)
    assert "BLOCKED" in left
    assert "taken:" not in left


def test_a_loss_is_accepted_with_a_reason_only_and_the_report_keeps_it(policy: str) -> None:
    app = planner(policy)
    asked, empty, accepted = drive(
        app, "3 . . B .", "enter . .", f"B . {typed('old kiosks')} enter . . K .", size=LARGE
    )
    assert "Why is it accepted" in asked
    assert "taken:" not in empty
    assert "OVERRIDDEN" in accepted
    [kept] = (Path(policy).parent / "storefront.rotator" / "reports").glob("*.json")
    assert json.loads(kept.read_text())["override"] == "old kiosks"


def test_a_step_is_moved_by_a_day_and_a_refusal_is_said_in_words_and_changes_nothing(policy: str) -> None:
    refused, moved, back = drive(
        planner(policy), "3 . . less_than_sign . .", "greater_than_sign . .", "x . .", size=LARGE
    )
    assert "REFUSED" in refused
    assert "2026-11-23*" not in refused
    assert "2026-11-24*" in moved
    assert "2026-11-24*" not in back


def test_the_screen_goes_on_while_it_plans(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app, go_on = planner(policy), threading.Event()
    monkeypatch.setattr(plan_screen, "plan", lambda *args: go_on.wait(20) and plan(*args))

    async def run() -> tuple[str, str, str]:
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, ". 3")
            planning = shown(app)
            await press(pilot, "right right left 1")
            elsewhere = shown(app)
            go_on.set()
            await press(pilot, "3 . . .")
            return planning, elsewhere, shown(app)

    planning, elsewhere, planned = asyncio.run(run())
    assert "planning," in planning
    assert "PINSETS" in elsewhere
    assert "api-2025 -> api-2027" in planned
    assert "Possible by 2027-" in planned


def test_escape_gives_planning_up_and_leaves_the_plan_there_was(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in for the planner hears progress as it does, so that it can be given up between two parts."""
    app, slow = planner(policy), threading.Event()

    def planned(*args: object) -> object:
        while slow.is_set():
            heed("weighing a day")
            time.sleep(0.01)
        return plan(*args)  # type: ignore[arg-type]  # as they are given

    monkeypatch.setattr(plan_screen, "plan", planned)

    async def run() -> list[str]:
        async with app.run_test(size=SMALL) as pilot:
            slow.set()
            await press(pilot, ". 3 escape .")
            looks = [shown(app)]
            slow.clear()
            await press(pilot, "o . enter . . .")
            looks.append(shown(app))
            slow.set()
            await press(pilot, "right")
            looks.append(shown(app))
            await press(pilot, "escape .")
            slow.clear()
            looks.append(shown(app))
            return looks

    given_up, planned_after_all, other, back = asyncio.run(run())
    assert "The plan was given up" in given_up
    assert "BLOCKED at step 3" in planned_after_all
    assert "planning," in other
    assert "planning," not in back
    goal = next(line for line in planned_after_all.splitlines() if "GOAL" in line)
    assert goal.split("1 of")[0] in back
    assert "BLOCKED at step 3" in back


def test_curves_show_who_accepts_who_is_broken_and_who_is_exposed(policy: str, tmp_path: Path) -> None:
    curves, after = drive(planner(policy), "3 . . v . . .", "v .", size=LARGE)
    assert "Over time: api-2025 -> api-2026" in curves
    assert "ACCEPT what is to be served, in shop-android (android-7)" in curves
    assert "BREAKS, whatever breaks them: up to" in curves
    assert "EXPOSED, whatever exposes them: up to" in curves
    assert "Over time" not in after
    (ascii_curves,) = drive(planner(copy_of("storefront.toml", tmp_path / "2"), ascii_only=True), "3 . . v . . .")
    assert "Over time" in ascii_curves
    assert ascii_curves.isascii()


def test_a_goal_is_set_in_a_box_with_a_day_and_what_is_no_day_is_said(policy: str) -> None:
    box, wrong, planned = drive(
        planner(policy),
        "3 . . o .",
        f"down down down down {typed('soon')} enter .",
        f"{'backspace ' * 4} {typed('2027-03-01')} enter . .",
    )
    assert "serve the key" in box
    assert "soon" in wrong
    assert "in place of" in wrong
    assert "by 2027-03-01" in planned


def test_more_keys_are_named_in_the_box_and_what_is_no_pair_is_said(policy: str) -> None:
    wrong, refused = drive(
        planner(policy),
        f"3 . . o . down down {typed('web')} enter .",
        f"{typed('-2025=api-2027')} enter . .",
    )
    assert "not a key and the one in its place" in wrong
    assert "OLD=NEW" in wrong
    # What the sample does not have is said on the screen as well.
    assert "no key has this name" in refused


def test_a_step_is_read_in_full(policy: str) -> None:
    [page] = drive(planner(policy), "3 . . down down enter .")
    assert "serve api-2026 on api" in page
    assert "undo: serve api-2025 again" in page


def test_goals_begin_with_the_spares_and_never_serve_what_is_destroyed(picture: Picture) -> None:
    goals = usual_goals(picture)
    assert (goals[0].from_, goals[0].to) == ("api-2025", "api-2026")
    assert "api-2024" not in {goal.to for goal in goals}
    assert "api-2025" not in {goal.to for goal in goals}


def test_ways_out_that_go_together_are_taken_and_left_together(picture: Picture) -> None:
    goal = usual_goals(picture)[0]
    both = with_way(goal, "bridge+floor")
    assert both.take == ("bridge", "floor")
    assert with_way(both, "bridge+floor") == goal
    accepted = with_way(goal, "accept", "old kiosks")
    assert with_way(accepted, "accept") == goal
    assert can_take("bridge+floor")
    assert not can_take("legacy-host")
