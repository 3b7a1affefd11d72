"""Day by day: the worst instant of each day; and the first break."""

from __future__ import annotations

import pytest

from rotator.errors import UsageError
from rotator.simulate.question import Answer
from rotator.workflows.simulating import Asked, simulate
from tests.desk import BASE, NOW, Desk, app
from tests.minting import instant

MORE = '[pinsets.only-a]\nprimary = "a"\n'
TEXT = BASE + MORE + app("shop", pinset="only-a")


def table(answer: Answer, name: str = "broken") -> dict[str, int | None]:
    """Give a total by day."""
    return {day.day.date().isoformat(): day.totals[name].high for day in answer.days}


def test_every_day_from_the_question_to_the_last_is_told(desk: Desk) -> None:
    days = table(desk.ask(TEXT, until="2026-11-26"))
    assert days == {"2026-11-23": 0, "2026-11-24": 0, "2026-11-25": 0, "2026-11-26": 0}


def test_a_day_is_as_bad_as_its_worst_instant(desk: Desk) -> None:
    """Broken for one hour of a day, the whole day counts."""
    answer = desk.ask(TEXT, "serve:api:b@2026-11-25T10:00Z", "serve:api:a@2026-11-25T11:00Z", until="2026-11-26")
    assert table(answer) == {"2026-11-23": 0, "2026-11-24": 0, "2026-11-25": 1000, "2026-11-26": 0}


def test_what_goes_on_at_midnight_counts_from_that_day(desk: Desk) -> None:
    answer = desk.ask(TEXT, "serve:api:b@2026-11-25", until="2026-11-26")
    assert table(answer) == {"2026-11-23": 0, "2026-11-24": 0, "2026-11-25": 1000, "2026-11-26": 1000}


def test_what_ends_at_midnight_does_not_count_on_the_day_that_begins(desk: Desk) -> None:
    answer = desk.ask(TEXT, "serve:api:b@2026-11-24", "serve:api:a@2026-11-25", until="2026-11-26")
    assert table(answer) == {"2026-11-23": 0, "2026-11-24": 1000, "2026-11-25": 0, "2026-11-26": 0}


def test_the_part_of_the_first_day_before_the_question_does_not_count(desk: Desk) -> None:
    """Asked at 09:00; broken from midnight to 08:00."""
    early = ("serve:api:b@2026-11-23", "serve:api:a@2026-11-23T08:00Z")
    assert table(desk.ask(TEXT, *early, until="2026-11-23")) == {"2026-11-23": 0}
    assert table(desk.ask(TEXT, *early, at="2026-11-23", until="2026-11-23")) == {"2026-11-23": 1000}


def test_pins_that_end_at_local_midnight_count_on_both_days_they_touch(desk: Desk) -> None:
    """Worked example 10 by days: exposed from 30 December, broken until 31 December."""
    dated = BASE.replace('backups = ["b"]\n', 'backups = ["b"]\nexpires = 2026-12-31\n')
    text = dated + app("nsc", "android-nsc")
    unpinned = table(desk.ask(text, at="2026-12-29", until="2027-01-01"), "unpinned")
    assert unpinned == {"2026-12-29": 0, "2026-12-30": 1000, "2026-12-31": 1000, "2027-01-01": 1000}
    wrong = text.replace('serves = "a-chain"', 'serves = "c.pem"')
    broken = table(desk.ask(wrong, at="2026-12-29", until="2027-01-01"))
    assert broken == {"2026-12-29": 1000, "2026-12-30": 1000, "2026-12-31": 1000, "2027-01-01": 0}


def test_a_certificate_that_ends_breaks_the_day_after_its_last_second(desk: Desk) -> None:
    answer = desk.ask(TEXT, at="2027-09-28", until="2027-10-01")
    assert table(answer) == {"2027-09-28": 0, "2027-09-29": 0, "2027-09-30": 1000, "2027-10-01": 1000}
    assert answer.first_break is not None
    assert answer.first_break.at == instant("2027-09-30T00:00:01")


def test_a_certificate_served_again_elsewhere_ends_on_its_own_day_on_each_host(desk: Desk) -> None:
    """The instants at which each version of a planned chain ends are all looked at."""
    plan = 'plan = { leaf = "a", issuers = ["ica"], not_before = 2026-12-01, lifetime_days = 30 }'
    text = BASE.replace("[chains]\n", f"[chains]\n{plan}\n")
    text += '[hosts.www]\nnames = ["www.example.com"]\nserves = "plan"\n' + app("shop", more='hosts = ["api"]')
    answer = desk.ask(text, "serve:api:plan@2026-11-24", until="2026-12-26")
    days = table(answer)
    assert [day for day in days if days[day]] == ["2026-12-24", "2026-12-25", "2026-12-26"]


def test_a_day_in_doubt_counts_in_the_upper_number_only(desk: Desk) -> None:
    """Until one of its instants is certain."""
    text = BASE.replace("[chains]\n", '[chains]\nwrong = { file = "c.pem" }\n') + app("ios", "apple-ats")
    answer = desk.ask(text, "revoke:api?clock=0h@2026-11-24", "serve:api:wrong@2026-11-25T10:00Z", until="2026-11-25")
    broken = [(day.totals["broken"].low, day.totals["broken"].high) for day in answer.days]
    assert broken == [(0, 0), (0, 1000), (1000, 1000)]


def test_different_clients_broken_at_different_hours_of_a_day_are_added(desk: Desk) -> None:
    text = TEXT + '[pinsets.only-b]\nprimary = "b"\n' + app("other", pinset="only-b", clients="500")
    answer = desk.ask(text, "serve:api:b@2026-11-25T10:00Z", until="2026-11-25")
    assert table(answer) == {"2026-11-23": 500, "2026-11-24": 500, "2026-11-25": 1500}


def test_the_first_break_is_the_earliest_and_names_who(desk: Desk) -> None:
    answer = desk.ask(TEXT, "serve:api:b@2026-11-25T10:00Z", until="2026-12-31")
    assert answer.first_break is not None
    assert answer.first_break.at == instant("2026-11-25T10:00:00")
    assert answer.first_break.row.connection.cohort.app == "shop"
    assert desk.ask(TEXT, until="2026-12-31").first_break is None


def test_the_first_break_may_lie_before_the_instant_of_the_answer(desk: Desk) -> None:
    answer = desk.ask(TEXT, "serve:api:b@2026-11-25", "serve:api:a@2026-11-26", at="2026-11-27")
    assert answer.impact.broken.none
    assert answer.first_break is not None
    assert answer.first_break.at == instant("2026-11-25")


def test_of_those_that_break_first_the_largest_is_named(desk: Desk) -> None:
    text = TEXT + app("large", pinset="only-a", clients="5000")
    first = desk.ask(text, "serve:api:b").first_break
    assert first is not None
    assert first.row.connection.cohort.app == "large"


def test_without_until_there_are_no_days(desk: Desk) -> None:
    assert desk.ask(TEXT).days == ()


def test_a_last_day_before_the_question_is_an_error(desk: Desk) -> None:
    with pytest.raises(UsageError, match="--until lies before"):
        desk.ask(TEXT, until="2026-11-22")


def test_the_calendar_of_the_policy_happens_in_any_case(desk: Desk) -> None:
    calendar = '[[calendar]]\ndate = 2026-11-25\naction = "serve:api:b"\n'
    answer = desk.ask(TEXT + calendar, until="2026-11-26")
    assert table(answer)["2026-11-25"] == 1000
    assert answer.impact.broken.none
    assert desk.ask(TEXT + calendar, at="2026-11-25").impact.broken.high == 1000


def test_a_scenario_is_asked_by_name_and_answered_after_its_last_row(desk: Desk) -> None:
    scenario = """
[[scenarios.leak]]
date = 2026-11-27T17:30:00Z
event = "key-compromise:a"
[[scenarios.leak]]
date = 2026-11-28
action = "serve:api:b"
"""
    picture = desk.open(TEXT + scenario)
    answer = simulate(picture, Asked(scenario="leak"), NOW)
    assert answer.impact.at == instant("2026-11-28")
    assert answer.impact.lost.high == 1000
    with pytest.raises(UsageError, match="did you mean leak"):
        simulate(picture, Asked(scenario="leek"), NOW)


def test_a_day_too_far_ahead_is_refused_at_once(desk: Desk) -> None:
    with pytest.raises(UsageError, match="too far ahead"):
        desk.ask(BASE + app("shop"), "key-compromise:a", until="9999-12-31")


def test_unlike_units_are_not_called_missing_counts(desk: Desk) -> None:
    text = BASE + app("one", more='counts = { unit = "dau" }') + app("two", more='counts = { unit = "mau" }')
    notes = " ".join(desk.ask(text, "key-compromise:a").notes)
    assert "unlike units" in notes
    assert "missing" not in notes
