"""What the calendar of a policy breaks is told of the clients there are on that day."""

from __future__ import annotations

from pathlib import Path

from rotator.model.when import start_of
from rotator.simulate.question import Question, ask
from rotator.workflows.checking import check
from rotator.workflows.opening import open_policy
from rotator.workflows.simulating import calendar
from tests.tui.piloting import NOW, copy_of


def test_a_planned_break_counts_the_clients_that_simulate_counts_on_that_day(tmp_path: Path) -> None:
    picture = open_policy(copy_of("storefront.toml", tmp_path), NOW.date())
    found = check(picture, NOW)
    [finding] = [one for one in found.findings if one.id == "planned-break"]
    assert finding.due is not None
    day = start_of(NOW.replace(year=finding.due.year, month=finding.due.month, day=finding.due.day).date())
    answer = ask(picture, Question(occurrences=(), at=NOW, until=day), calendar(picture.policy))
    [then] = [one for one in answer.days if one.day == day]
    broken = then.totals["broken"]
    assert broken.low is not None
    assert f"({broken.low:,}-{broken.high:,} clients" in finding.message
