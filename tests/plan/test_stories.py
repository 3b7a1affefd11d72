"""Four incidents a week before they happened: the plan, or the NEVER, that would have spared them."""

from __future__ import annotations

import pytest

from rotator.plan.values import Plan
from rotator.report.text import render
from tests.docs.stories import BARCLAYS, DIGICERT, EXPENSIFY, SMASHING, STORIES, Story, drill_of, plans


def made(story: Story, place: int) -> Plan:
    """Give a plan of a story."""
    found = plans(story)[place]
    assert found is not None
    return found


def served(found: Plan) -> set[str]:
    """Give the days on which something is served."""
    return {str(step.planned) for step in found.steps if step.action == "serve"}


def test_the_terminals_could_not_follow_and_one_more_certificate_would_have_done() -> None:
    """All 5,000 pin the old intermediate alone: none accepts the new one; its last certificate breaks nobody."""
    never, rescue = made(BARCLAYS, 0), made(BARCLAYS, 1)
    assert never.blocked is not None
    assert (never.blocked.left.high, never.at_best, served(never)) == (5_000, 0.0, {"None"})
    assert not rescue.never
    assert served(rescue) == {"2016-11-18"}
    assert all(step.after.broken.none for step in rescue.steps if step.after is not None)


def test_the_magazine_had_two_spares_in_its_header() -> None:
    """A header lasts 365 days: from 2016-10-14 and three days of safety the new key is there in October 2017."""
    never, spare = made(SMASHING, 0), made(SMASHING, 1)
    assert never.blocked is not None
    assert never.blocked.left.high == 800_000
    assert {way.id: str(way.done) for way in never.exits}["wait"] == "2017-10-18"
    assert not spare.never
    assert served(spare) == {"2016-10-15"}


def test_a_bank_with_24_hours_breaks_by_its_pins_on_certificates_and_its_slow_appliances() -> None:
    """120,000 pin the whole certificate; 380,000 pin the key and do not notice; four days are more than 24 hours."""
    said = render(drill_of(DIGICERT), width=400)
    assert "Reissue with the same key: 120,000 users (12.0 %) break." in said
    assert "serving everywhere takes 4 days (deploy_days), the CA revokes in 24 hours" in said
    keys = made(DIGICERT, 1)
    assert keys.blocked is not None
    assert (keys.blocked.segment, keys.blocked.left.high) == ("old-app", 120_000)
    assert any("flutter-http-pinning cannot say such pins" in text for text in keys.findings)


def test_a_week_is_no_time_to_carry_the_pins_of_another_ca() -> None:
    """No release reaches 99.5 % in a week, and `typical` ends at .45 + .43 = 88 %: who never updates needs a floor."""
    soon, roots = made(EXPENSIFY, 0), made(EXPENSIFY, 1)
    assert soon.blocked is not None
    assert soon.blocked.left.high == 250_000
    assert roots.at_best == pytest.approx(0.88, abs=0.001)
    assert "floor" in {way.id for way in roots.exits}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.policy)
def test_the_replay_agrees_with_every_plan(story: Story) -> None:
    assert all(found is None or found.replayed == () for found in plans(story))
