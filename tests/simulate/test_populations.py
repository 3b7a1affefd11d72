"""Who runs what at a time: counts of the policy, moved on by each app's curve, floors and systems."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.model.policy import Count
from rotator.model.when import parse_instant
from rotator.simulate.cohorts import Standing
from rotator.simulate.fleet import Fleet
from rotator.simulate.question import Answer
from tests.desk import BASE, Desk, verdicts

CURVE = "adoption = { never = 0.2, fast = 0.5, fast_days = 1, slow_days = 30 }"
STORES = BASE.replace(
    'ours = { roots = ["root", "other-root"] }',
    'new = { roots = ["root"], os = ["34"] }\nold = { roots = ["root"], os = ["24"] }',
)


def shop(*releases: str, more: str = CURVE, trust: str = '"ours"', name: str = "shop") -> str:
    """Write an app whose clients update."""
    rows = ",\n".join(f"  {{ {release} }}" for release in releases)
    return f'[apps.{name}]\nmechanism = "okhttp"\npinset = "p"\ntrust = {trust}\n{more}\nreleases = [\n{rows}\n]\n'


def on(answer: Answer) -> dict[str, int]:
    """Give the upper count of each version, of all its cohorts together."""
    return counted(answer.fleet)


def counted(fleet: Fleet) -> dict[str, int]:
    found: dict[str, int] = {}
    for cohort in fleet.cohorts:
        found[cohort.version] = found.get(cohort.version, 0) + (cohort.clients.high if cohort.clients else 0)
    return found


OLD = 'version = "1.0", released = 2025-11-17, clients = 38_500'
NEW = 'version = "2.0", released = 2026-05-04, clients = 412_000'
TWO = BASE + shop(NEW, OLD, more='adoption = "typical"')


def test_the_worked_example_of_two_versions(desk: Desk) -> None:
    """Of 38,500 on the old version at most 1,555 ever move, while all 412,000 on the new one do."""
    coming = 'version = "3.0", released = 2026-11-25, clients = 0'
    text = BASE + shop(coming, NEW, OLD, more='adoption = "typical"\nrollout = "at-once"')
    found = on(desk.ask(text, at="2036-11-25"))
    assert 38_500 - found["1.0"] == 1_555
    assert found["2.0"] == 0
    assert found["3.0"] == 412_000 + 1_555


def test_counts_hold_for_the_whole_of_their_day(desk: Desk) -> None:
    assert on(desk.ask(TWO, at="2026-11-20T23:59")) == {"2.0": 412_000, "1.0": 38_500}
    assert on(desk.ask(TWO, at="2026-11-21"))["1.0"] < 38_500


def test_an_app_without_adoption_stands_still_and_says_so(desk: Desk) -> None:
    answer = desk.ask(BASE + shop(NEW, OLD, more=""), at="2027-11-20")
    assert on(answer) == {"2.0": 412_000, "1.0": 38_500}
    assert "assumed: client counts are frozen as of 2026-11-20; nobody updates here" in answer.notes


def test_a_forecast_says_its_curve_and_its_day(desk: Desk) -> None:
    notes = desk.ask(TWO, at="2026-12-20").notes
    assert "assumed: clients of shop update from 2026-11-20 by a curve (preset typical)" in notes


def test_an_app_counted_on_another_day_starts_then(desk: Desk) -> None:
    text = BASE + shop(NEW, OLD, more=CURVE + "\ncounts = { date = 2026-11-22 }")
    assert on(desk.ask(text, at="2026-11-22T12:00")) == {"2.0": 412_000, "1.0": 38_500}
    assert on(desk.ask(text, at="2026-11-23"))["1.0"] < 38_500


def test_a_release_goes_out_after_its_review_and_by_its_roll_out(desk: Desk) -> None:
    """Two days of review, then at once: on the day after, 1 - 1/e of the quick half and 1 - e^(-1/30) of 0.3."""
    text = (
        BASE
        + "[limits]\nreview_days = 2\n"
        + shop('version = "1", clients = 1_000_000', more=CURVE + '\nrollout = "at-once"')
    )
    ship = "ship:shop:2:p@2026-11-25"
    assert on(desk.ask(text, ship, at="2026-11-27"))["2"] == 0
    assert on(desk.ask(text, ship, at="2026-11-28"))["2"] == round(1e6 * (0.5 * 0.6321206 + 0.3 * 0.0327839))


def test_who_came_by_a_fresh_install_may_never_move_again(desk: Desk) -> None:
    """10 % a month for two months: 0.2 of the 0.2 who never update are on the newest, of 0.84 who are."""
    dated = (
        'version = "2", released = 2026-09-21, clients = 840_000',
        'version = "1", released = 2020-01-01, clients = 0',
    )
    text = BASE + shop('version = "3", released = 2026-11-25', *dated, more=CURVE + "\nnew_installs = 0.1")
    left = on(desk.ask(text, at="2040-01-01"))["2"]
    assert left == pytest.approx(840_000 * 0.04 / 0.84, abs=1)


def test_clients_of_versions_without_a_date_stay_and_it_says_so(desk: Desk) -> None:
    text = BASE + shop(NEW, 'version = "1.0", clients = 1_000', 'version = "0.9", released = 2020-01-01, clients = 10')
    answer = desk.ask(text, at="2027-11-20")
    assert on(answer)["1.0"] == 1_000
    assert any("stay on versions whose `released` is not given" in note for note in answer.notes)


def test_a_newest_version_without_a_date_is_left_for_the_next_one(desk: Desk) -> None:
    text = BASE + shop('version = "1.0", clients = 1_000', more=CURVE + '\nrollout = "at-once"')
    found = on(desk.ask(text, "ship:shop:2:p@2026-11-25", at="2036-11-25"))
    assert found == {"2": 800, "1.0": 200}


def test_a_hotfix_of_an_old_line_keeps_who_is_on_it(desk: Desk) -> None:
    """It came after 2.0 and is older, so whoever runs it did not take 2.0."""
    hotfix = 'version = "1.1", released = 2026-09-01, clients = 500'
    assert on(desk.ask(BASE + shop(NEW, hotfix, OLD), at="2027-11-20"))["1.1"] == 500


MIN_OS = (
    'version = "2", released = 2026-05-04, min_os = "26", clients = { new = 1_000, old = 0 }',
    'version = "1", released = 2025-11-17, clients = { new = 0, old = 1_000 }',
)


def test_systems_that_are_too_old_for_the_newest_stay_where_they_are(desk: Desk) -> None:
    text = STORES + shop(*MIN_OS, trust="{ new = 0.5, old = 0.5 }", more=CURVE + '\nrollout = "at-once"')
    later = desk.ask(text, "ship:shop:3:p@2026-11-25", at="2036-11-25")
    assert on(later) == {"3": 1000, "2": 0, "1": 1000}, "what ships needs no less than what was there"


def test_a_hotfix_for_old_systems_is_their_newest_release(desk: Desk) -> None:
    bridge = 'version = "1.1", released = 2026-11-25'
    text = STORES + shop(*MIN_OS, bridge, trust="{ new = 0.5, old = 0.5 }", more=CURVE + '\nrollout = "at-once"')
    found = on(desk.ask(text, at="2036-11-25"))
    assert (found["2"], found["1.1"], found["1"]) == (1000, 800, 200)


FLOOR = "floor:shop:2.0?reach=0.75&reach-days=4d@2026-11-25"
NOBODY_MOVES = "adoption = { never = 1, fast = 0, fast_days = 1, slow_days = 30 }"
STILL = BASE + shop(NEW, 'version = "1.0", released = 2025-11-17, clients = 1_000', more=NOBODY_MOVES)


def standing(answer: Answer) -> dict[tuple[str, Standing], int]:
    return {
        (c.version, c.standing): c.clients.high
        for c in answer.fleet.cohorts
        if c.clients is not None and c.clients.high
    }


def test_a_hard_floor_moves_its_reach_and_breaks_the_others(desk: Desk) -> None:
    answer = desk.ask(STILL, FLOOR, at="2026-11-30")
    assert standing(answer) == {
        ("2.0", Standing.MOVES): 412_750,
        ("1.0", Standing.STAYS): 250,
    }
    assert (answer.impact.broken.low, answer.impact.broken.high) == (0, 250)


def test_a_soft_floor_breaks_nobody(desk: Desk) -> None:
    answer = desk.ask(STILL, FLOOR.replace("?", "?mode=soft&"), at="2026-11-30")
    assert on(answer) == {"2.0": 412_750, "1.0": 250}
    assert answer.impact.broken.high == 0


def test_the_days_ahead_know_of_a_floor_where_nobody_moves_by_himself(desk: Desk) -> None:
    """One release, and a floor above it: from its day everybody is locked out."""
    text = BASE + shop('version = "1.0", clients = 100')
    answer = desk.ask(text, "floor:shop:2.0@2026-11-25", until="2026-11-27")
    assert [day.totals["broken"].high for day in answer.days] == [0, 0, 100, 100, 100]


def test_floors_of_the_policy_count_from_the_day_of_the_counts(desk: Desk) -> None:
    floors = "floors = [{ version = '2.0', date = 2026-11-25, reach = 0.5, reach_days = 1 }]"
    text = STILL.replace("mechanism =", floors + "\nmechanism =")
    assert on(desk.ask(text, at="2026-11-30"))["1.0"] == 500
    assert on(desk.ask(text.replace("2026-11-25", "2026-11-01"), at="2026-11-30"))["1.0"] == 1_000


def test_clients_of_unknown_number_stay_unknown(desk: Desk) -> None:
    text = BASE + shop('version = "2.0", released = 2026-05-04', OLD)
    later = desk.ask(text, at="2027-11-20")
    assert later.fleet.population is None
    floored = desk.ask(text, "floor:shop:2.0@2026-11-25", at="2027-11-20")
    assert floored.fleet.population is None
    assert "shop 1.0" in verdicts(floored)


def test_a_floor_breaks_those_below_it_whose_number_nobody_knows(desk: Desk) -> None:
    text = BASE + shop(NEW, 'version = "1.0", released = 2025-11-17')
    rows = desk.ask(text, "floor:shop:2.0@2026-11-25", at="2026-12-20").impact.rows
    assert any(r.verdict.is_broken and r.connection.clients is None for r in rows)


def test_clients_of_versions_that_the_store_hides_stay_and_it_says_so(desk: Desk) -> None:
    answer = desk.ask(BASE + shop(NEW, OLD, more=CURVE + "\nunseen = 700"), at="2027-11-20")
    assert on(answer)["older, unseen"] == 700
    assert "assumed: clients of shop on versions that are not shown stay there" in answer.notes


def test_ranges_move_end_by_end(desk: Desk) -> None:
    text = BASE + shop(NEW, 'version = "1.0", released = 2026-05-01, clients = { low = 100, high = 201 }')
    answer = desk.ask(text, at="2026-12-20")
    assert answer.fleet.population == Count(low=412_100, high=412_201)


releases = st.lists(
    st.tuples(
        st.dates(min_value=parse_instant("2024-01-01").date(), max_value=parse_instant("2027-06-01").date()),
        st.integers(0, 10_000),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=25)
@given(rows=releases, at=st.integers(0, 700), reach=st.floats(0, 1))
def test_nobody_comes_and_nobody_goes(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[object, int, int]], at: int, reach: float
) -> None:
    """The population of a fleet is the same on every day, to the last client, ranges end by end."""
    measured = parse_instant("2026-11-20")
    lines = []
    for number, (day, clients, more) in enumerate(rows, 1):
        coming = str(day) > "2026-11-20"
        count = "0" if coming else f"{{ low = {clients}, high = {clients + more} }}"
        lines.append(f'version = "{number}", released = {day}, clients = {count}')
    text = BASE + shop(*lines, more=CURVE + "\nnew_installs = 0.02")
    answer = Desk(tmp_path_factory.mktemp("desk")).ask(text, f"floor:shop:2?reach={reach:.3f}@2026-12-24")
    then = [answer.people.fleet_at(measured + timedelta(days=day)).population for day in (0, at)]
    assert then[0] == then[1] == answer.fleet.population


def test_the_newest_version_only_gains(desk: Desk) -> None:
    answer = desk.ask(TWO)
    start = parse_instant("2026-11-20")
    newest = [counted(answer.people.fleet_at(start + timedelta(days=day)))["2.0"] for day in range(0, 400, 7)]
    assert all(after >= before for before, after in pairwise(newest))
    assert newest[-1] > newest[0]
