"""A plan is kept whole, read back as it was, and never rewritten."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from rotator.errors import InputError, UsageError
from rotator.files import plans
from rotator.plan.stored import from_json, to_json
from rotator.plan.values import Binding, Blocked, Exit, Goal, Plan, Standing, Step
from rotator.simulate.grammar import parse_action
from rotator.simulate.totals import Total
from tests.desk import NOW

NOBODY = Total(low=0, high=0, share=0.0)
SOME = Total(low=10, high=20, share=0.02)
UNKNOWN = Total(low=None, high=None, share=None)


def a_plan(**more: Any) -> Plan:  # noqa: ANN401 - fields of a plan
    """Make a plan that has a bit of everything."""
    step = Step(
        number=1,
        action="serve",
        subject="api",
        title="serve b on api",
        earliest=date(2026, 12, 1),
        planned=date(2026, 12, 8),
        latest=date(2027, 1, 3),
        before=Standing(broken=NOBODY, exposed=UNKNOWN),
        after=Standing(broken=SOME, exposed=NOBODY),
        binding=Binding(invariant="I3", segment="okhttp", formula="a > b"),
        undo="serve a again",
        proof="a handshake",
        occurrences=(parse_action("serve:api:b@2026-12-08T09:00Z"), parse_action("floor:x:2?mode=soft&reach=0.82")),
        adds=("b",),
    )
    plan = {
        "goal": Goal(to="b", from_="a", hosts=("api",), by=date(2027, 3, 1), moved=((1, date(2026, 12, 8)),)),
        "made": NOW,
        "digests": {"policy": "00" * 32},
        "steps": (step, Step(number=2, action="destroy", subject="a", title="destroy a")),
        "at_best": 0.82,
        "blocked": Blocked(step=1, segment="okhttp", invariant="I3", who=("okhttp 1.0",), left=SOME),
        "deadline": (date(2027, 3, 1), "asked for"),
        "exits": (Exit(id="floor", title="raise", left=SOME, done=None, price="x", safe=False),),
        "notes": ("assumed: \u2713",),
    }
    return Plan(**{**plan, **more})


def test_what_is_read_is_what_was_kept() -> None:
    plan = a_plan()
    assert from_json(json.loads(json.dumps(to_json(plan)))) == plan


def test_dates_are_iso_and_from_is_from() -> None:
    data = to_json(a_plan())
    assert data["made"] == "2026-11-23T09:00:00Z"
    assert data["goal"]["from"] == "a"
    assert data["goal"]["moved"] == [[1, "2026-12-08"]]


def test_what_a_later_version_adds_is_read_over() -> None:
    data = to_json(a_plan()) | {"mood": "calm"}
    assert from_json(data) == a_plan()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.pop("schema"), "no schema"),
        (lambda d: d.update(schema=2), "form 2"),
        (lambda d: d.pop("goal"), "plan has no goal"),
        (lambda d: d.update(made="soon"), "plan.made must be an instant"),
        (lambda d: d["steps"][0].update(number="one"), "plan.steps[0].number"),
        (lambda d: d["steps"][0].update(number=True), "plan.steps[0].number"),
        (lambda d: d["steps"][0].update(planned="2026-13-01"), "plan.steps[0].planned"),
        (lambda d: d.update(deadline=["2026-12-01"]), "list of 2"),
        (lambda d: d.update(steps={}), "plan.steps must be a list"),
        (lambda d: d["steps"][0]["before"].update(broken=3), "before.broken must be an object"),
    ],
)
def test_a_damaged_plan_says_where(change: Callable[[Any], object], said: str) -> None:
    data = to_json(a_plan())
    change(data)
    with pytest.raises(ValueError, match=r"plan|form") as caught:
        from_json(data)
    assert said in str(caught.value)


def test_a_plan_is_kept_once_and_never_rewritten(tmp_path: Path) -> None:
    policy = str(tmp_path / "bank.toml")
    first = plans.keep(policy, a_plan())
    assert plans.keep(policy, a_plan()) == first
    other = plans.keep(policy, a_plan(made=NOW + timedelta(days=1)))
    assert other.id != first.id
    assert plans.read(first.path).plan == a_plan()
    assert first.path.parent == tmp_path / "bank.rotator" / "plans"


def test_the_newest_plan_is_the_one_that_is_meant(tmp_path: Path) -> None:
    policy = str(tmp_path / "bank.toml")
    old = plans.keep(policy, a_plan())
    new = plans.keep(policy, a_plan(made=NOW + timedelta(days=1)))
    assert plans.one(policy).id == new.id
    assert plans.one(policy, old.id[:10]).id == old.id
    assert plans.one(policy, str(old.path)) == old


def test_no_plan_and_several_are_said(tmp_path: Path) -> None:
    policy = str(tmp_path / "bank.toml")
    with pytest.raises(UsageError, match="no plan is kept"):
        plans.one(policy)
    plans.keep(policy, a_plan())
    plans.keep(policy, a_plan(notes=()))
    with pytest.raises(UsageError, match="several"):
        plans.one(policy, "2026")
    with pytest.raises(UsageError, match="no plan has this id"):
        plans.one(policy, "x")


def test_a_file_that_is_no_plan_is_named(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text("[" * 100_000)
    with pytest.raises(InputError, match="is not a plan") as caught:
        plans.read(path)
    assert caught.value.problems[0].file == str(path)
    with pytest.raises(InputError, match="no such plan"):
        plans.read(tmp_path / "none.json")
