"""A kept plan against reality: seen, in range, what may be done today; nothing is done that was not seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from rotator.errors import InputError, UsageError
from rotator.files import plans, seen, sightings
from rotator.model.when import start_of
from rotator.plan.progress import Seen, Status, differences, status_of
from rotator.plan.values import Goal, Plan, Step
from rotator.report.status import to_document, to_ics, to_json
from rotator.report.text import render
from rotator.simulate.backtest import Snapshot
from rotator.simulate.grammar import parse_action
from rotator.workflows.progressing import mark, status
from tests.desk import API, BASE, NOW, TODAY, Desk
from tests.minting import intermediate, mint, root, values

APPS = """\
[apps.shop]
mechanism = "okhttp"
trust = "ours"
adoption = "typical"
rollout = "at-once"
review_days = 0
pinset = "p"
counts = {{ date = {counted} }}
releases = [
  {{ version = "2.0", released = {released}, clients = {new} }},
  {{ version = "1.0", released = 2026-01-01, clients = {old} }},
]
"""
SHIP = Step(
    number=1,
    action="ship",
    subject="shop 2.0",
    title="ship shop 2.0 with b",
    earliest=date(2026, 11, 20),
    planned=date(2026, 11, 20),
    latest=date(2027, 1, 10),
    app="shop",
    version="2.0",
)
SERVE = Step(
    number=2,
    action="serve",
    subject="api b",
    title="serve b on api",
    earliest=date(2026, 12, 20),
    planned=date(2027, 1, 4),
    latest=date(2027, 2, 1),
    occurrences=(parse_action("serve:api:b@2027-01-04"),),
)
PLAN = Plan(goal=Goal(to="b"), made=NOW - timedelta(days=3), digests={"policy": "00"}, steps=(SHIP, SERVE))


def text(*, counted: str = "2026-11-20", released: str = "2026-11-20", new: int = 0, old: int = 1000) -> str:
    """Write a policy."""
    return BASE + APPS.format(counted=counted, released=released, new=new, old=old)


def at(desk: Desk, policy: str, day: date, *said: Seen, seen_at: tuple[Snapshot, ...] = ()) -> Status:
    """Set the plan against a policy on a day."""
    inventory = desk.open(policy, day).inventory
    return status_of(PLAN, "id", inventory, start_of(day), said=said, sightings=seen_at, digests={"policy": "00"})


def states(found: Status) -> list[str]:
    """Give the states of the steps."""
    return [line.state for line in found.lines]


def snapshot(day: date, name: str) -> Snapshot:
    """Make a sighting of the host."""
    ica = intermediate("ica", root("root"))
    return Snapshot(at=start_of(day), host=API, sent=tuple(values(mint(name, ica, names=[API]), ica)))


def test_what_may_be_done_today_is_the_first_step_that_is_not_seen(desk: Desk) -> None:
    found = at(desk, text(), date(2026, 11, 23))
    assert states(found) == ["may be done", "waits"]
    assert [step.number for step in found.today] == [1]
    assert "not seen done (I14)" in found.lines[1].why
    assert found.slack == 28  # 2027-02-01 less 2027-01-04


def test_a_release_that_has_users_is_seen(desk: Desk) -> None:
    found = at(desk, text(new=10, counted="2026-11-22"), date(2026, 11, 23))
    assert states(found) == ["done", "waits"]
    assert found.lines[0].seen is not None
    assert found.lines[0].seen.how == "counted"
    assert found.next_look == date(2027, 1, 4)


def test_before_its_day_a_step_waits_and_after_its_last_it_is_late(desk: Desk) -> None:
    said = Seen(step=1, at=NOW)
    assert states(at(desk, text(), date(2026, 12, 19), said))[1] == "waits"
    assert states(at(desk, text(), date(2026, 12, 20), said))[1] == "may be done"
    late = at(desk, text(), date(2027, 2, 2), said)
    assert states(late)[1] == "late"
    assert late.off
    assert late.slack == -1


def test_a_freeze_holds_a_step_back(desk: Desk) -> None:
    policy = text() + '[[freeze]]\nfrom = 2026-12-18\nto = 2027-01-08\nwhat = ["serve"]\n'
    found = at(desk, policy, date(2026, 12, 28), Seen(step=1, at=NOW))
    assert found.lines[1].why == "a freeze until 2027-01-08"


def test_what_is_served_is_seen_by_a_handshake_and_for_some_days_only(desk: Desk) -> None:
    said, sight = Seen(step=1, at=NOW), (snapshot(date(2027, 1, 4), "b"),)
    done = at(desk, text(), date(2027, 1, 5), said, seen_at=sight)
    assert states(done) == ["done", "done"]
    assert done.lines[1].seen is not None
    assert done.lines[1].seen.how == "observed"
    assert states(at(desk, text(), date(2027, 1, 18), said, seen_at=sight))[1] == "done"  # 14 days
    assert states(at(desk, text(), date(2027, 1, 19), said, seen_at=sight))[1] == "look again"


def test_the_last_sighting_counts(desk: Desk) -> None:
    said = Seen(step=1, at=NOW)
    sights = (snapshot(date(2027, 1, 4), "b"), snapshot(date(2027, 1, 6), "a"))
    assert states(at(desk, text(), date(2027, 1, 7), said, seen_at=sights))[1] == "may be done"


@pytest.mark.parametrize(("new", "holds"), [(659, True), (725, True), (740, False), (570, False), (580, True)])
def test_a_count_is_set_against_the_curve(desk: Desk, *, new: int, holds: bool) -> None:
    """F(30) = .659 for `typical`; a tenth of its samples is below .584 and a tenth above .718; a point more."""
    found = at(desk, text(counted="2026-12-20", new=new, old=1000 - new), date(2026, 12, 21))
    own = found.lines[0].range
    assert own is not None
    assert own.forecast == pytest.approx(0.659, abs=0.0005)
    assert own.counted == new / 1000
    assert own.holds is holds
    assert bool(found.causes) is not holds
    assert found.off is not holds


def test_a_late_release_is_named_before_slow_people(desk: Desk) -> None:
    found = at(desk, text(counted="2026-12-20", released="2026-12-10", new=300, old=700), date(2026, 12, 21))
    assert found.causes[0] == "shop 2.0 came out 20 days after it was to be handed in"
    assert "slower than the curve" in found.causes[1]


def test_inputs_that_moved_are_named(desk: Desk) -> None:
    inventory = desk.open(text()).inventory
    found = status_of(PLAN, "id", inventory, NOW, said=(), sightings=(), digests={"policy": "11"})
    assert found.moved_inputs == ("policy",)


def test_a_proposal_tells_dates_that_moved_and_steps_that_came_or_went() -> None:
    later = replace(SERVE, planned=date(2027, 1, 20))
    other = Step(number=3, action="floor", subject="shop 2.0", title="floor", planned=date(2027, 1, 1), app="shop")
    found = differences(PLAN, replace(PLAN, steps=(SHIP, later, other)))
    assert [(m.action, m.old, m.new) for m in found] == [
        ("serve", date(2027, 1, 4), date(2027, 1, 20)),
        ("floor", None, date(2027, 1, 1)),
    ]


def test_marking_a_step_keeps_the_plan_as_it_is(desk: Desk) -> None:
    file = desk.policy(text())
    stored = plans.keep(file, PLAN)
    before = stored.path.read_bytes()
    evidence = desk.file("play.csv", "1,2")
    mark(file, NOW, step=1, share="99.5%", evidence=str(evidence), by="ada")
    mark(file, NOW, step=1, share="", evidence="", by="bob")
    assert stored.path.read_bytes() == before
    kept = seen.said_of(file, stored.id)
    assert [(s.by, s.share, s.evidence) for s in kept] == [("ada", 0.995, "play.csv"), ("bob", None, "")]
    assert len(kept[0].sha256) == 64
    assert states(status(file, desk.open(text()), NOW))[0] == "done"


@pytest.mark.parametrize("asked", [{"step": 9}, {"share": "many"}, {"share": "1.5"}, {"share": "nan"}])
def test_what_cannot_be_marked_is_refused(desk: Desk, asked: dict[str, object]) -> None:
    file = desk.policy(text())
    plans.keep(file, PLAN)
    with pytest.raises(UsageError):
        mark(file, NOW, **({"step": 1, "share": "", "evidence": "", "by": ""} | asked))  # type: ignore[arg-type]


def test_a_damaged_record_is_named(desk: Desk) -> None:
    file = desk.policy(text())
    stored = plans.keep(file, PLAN)
    path = seen.path_of(file, stored.id)
    path.parent.mkdir()
    path.write_text('[{"step": "one"}]')
    with pytest.raises(InputError, match="is no record of a plan"):
        seen.said_of(file, stored.id)


def test_a_sighting_of_observe_marks_the_step(desk: Desk) -> None:
    file = desk.policy(text())
    plans.keep(file, PLAN)
    mark(file, NOW, step=1, share="", evidence="", by="")
    minted = mint("b", intermediate("ica", root("root")), names=[API])
    sightings.keep(file, snapshot(TODAY, "b"), (minted.der,), "a test")
    assert states(status(file, desk.open(text()), NOW)) == ["done", "done"]


def test_the_calendar_has_lines_that_fit(desk: Desk) -> None:
    found = at(desk, text(), date(2026, 11, 23))
    made = to_ics(found, "A bank, with; a \\ long name \N{LATIN SMALL LETTER U WITH DIAERESIS}" * 3)
    assert all(len(line.encode()) <= 75 for line in made.split("\r\n"))
    assert "DTSTART;VALUE=DATE:20261120" in made
    assert made.count("BEGIN:VEVENT") == 2


def test_what_is_said_starts_with_today(desk: Desk) -> None:
    found = at(desk, text(), date(2026, 11, 23))
    said = render(to_document(found, "policy", "00"))
    assert "May be done today: 1 ship shop 2.0 with b." in said
    assert to_json(found, "policy", "00")["today"] == [1]


def test_without_a_plan_it_says_how_to_keep_one(desk: Desk) -> None:
    with pytest.raises(UsageError, match="no plan is kept"):
        status(desk.policy(text()), desk.open(text()), NOW)
