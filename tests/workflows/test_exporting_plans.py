"""The pinsets of a planned step: written from the plan, refused where what it stands on has moved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.errors import UnsafeError, UsageError
from rotator.files import plans
from rotator.plan.inputs import digests_of
from rotator.plan.values import Goal, Plan, Step
from rotator.workflows.exporting import Asked, Export, plan_export
from tests.desk import BASE, NOW, Desk, app
from tests.minting import pin_b64

TEXT = BASE.replace("[keys]\n", '[keys]\nc = { csr = "c.csr", custody = "c", proved = 2026-11-01 }\n') + app("shop")
SHIP = Step(number=1, action="ship", subject="shop 2.0", title="ship shop 2.0 with c", app="shop", adds=("c",))
DROP = Step(number=3, action="drop", subject="shop 3.0", title="ship without a", app="shop", adds=("c",), drops=("a",))
SERVE = Step(number=2, action="serve", subject="api c", title="serve c")


def export(desk: Desk, step: int, **more: object) -> Export:
    """Keep a plan for the policy and export a step of it."""
    file = desk.policy(TEXT)
    picture = desk.open(TEXT)
    made = Plan(goal=Goal(to="c", from_="a"), made=NOW, digests={"policy": picture.digest}, steps=(SHIP, SERVE, DROP))
    stored = plans.keep(file, replace(made, **more))  # type: ignore[arg-type]  # fields of a plan
    return plan_export(file, picture, Asked(plan=stored.id, step=step), NOW)


def written(found: Export) -> bytes:
    """Give the pin file that is written."""
    return next(change.new for change in found.files if change.path.name.endswith(".json"))


def test_a_release_carries_what_its_step_adds(desk: Desk) -> None:
    found = export(desk, 1)
    found.refuse()
    assert all(pin_b64(key).encode() in written(found) for key in ("a", "b", "c"))
    assert found.pinsets == ("p-2",)


def test_a_release_lacks_what_its_step_drops_and_has_the_spare(desk: Desk) -> None:
    found = export(desk, 3)
    found.refuse()
    assert pin_b64("a").encode() not in written(found)
    assert all(pin_b64(key).encode() in written(found) for key in ("b", "c"))


def test_a_release_that_would_lose_again_what_an_earlier_one_brings_is_refused(desk: Desk) -> None:
    """Step 1 brings c and was not exported: without it the next release would hold neither a nor c."""
    bare = replace(DROP, adds=())
    found = export(desk, 3, steps=(SHIP, SERVE, bare))
    with pytest.raises(UnsafeError, match="c, which step 1 ships, is in no pinset of shop"):
        found.refuse()


def test_keys_go_to_the_pinsets_of_their_hosts_alone(desk: Desk) -> None:
    """The step changes the pins of one name; a pinset for another host of the app keeps its own."""
    other = replace(SHIP, names={"c": ("www.example.com",)})
    text = TEXT.replace('backups = ["b"]', 'backups = ["b"]\ncovers = ["api.example.com"]')
    file = desk.policy(text)
    plan = Plan(goal=Goal(to="c"), made=NOW, digests={"policy": desk.open(text).digest}, steps=(other,))
    for step, pinsets in ((other, ("p",)), (replace(other, names={"c": ("api.example.com",)}), ("p-2",))):
        stored = plans.keep(file, replace(plan, steps=(step,)))
        assert plan_export(file, desk.open(text), Asked(plan=stored.id, step=1), NOW).pinsets == pinsets


def test_inputs_that_moved_are_refused(desk: Desk) -> None:
    found = export(desk, 1, digests={"policy": "00"})
    with pytest.raises(UnsafeError, match="the policy has changed since"):
        found.refuse()


def test_the_inputs_that_moved_are_named(desk: Desk) -> None:
    """A certificate that was put in the place of another moves a plan as much as a word of the policy."""
    stood = digests_of(desk.open(TEXT))
    desk.file("a.pem", (desk.folder / "a-by-other.pem").read_bytes())
    found = export(desk, 1, digests=stood)
    with pytest.raises(UnsafeError, match=r"a\.pem has changed since"):
        found.refuse()
    found = export(desk, 1, digests={**stood, "policy": "00"})
    with pytest.raises(UnsafeError, match=r"a\.pem, the policy have changed since"):
        found.refuse()


@pytest.mark.parametrize("step", [2, 9])
def test_a_step_that_ships_nothing_is_no_export(desk: Desk, step: int) -> None:
    with pytest.raises(UsageError, match="not a step that ships pins"):
        export(desk, step)


@pytest.mark.parametrize("asked", [Asked(step=1), Asked(plan="x"), Asked(plan="x", step=1, promote="b")])
def test_a_plan_and_a_step_belong_together(desk: Desk, asked: Asked) -> None:
    with pytest.raises(UsageError):
        plan_export(desk.policy(TEXT), desk.open(TEXT), asked, NOW)
