"""Counts of several days: where they are kept, the curve that is fitted to them, and when they contradict one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta

import pytest

from rotator.model.adoption import PRESETS, Curve
from rotator.model.doubt import Fitted
from rotator.model.findings import Finding
from rotator.simulate.question import Picture
from tests.desk import BASE, TODAY, Desk

FIRST = date(2026, 1, 5)
RELEASED = {"1.0": date(2025, 1, 1), "1.1": FIRST, "1.2": date(2026, 4, 6), "1.3": date(2026, 8, 3)}
DAYS = tuple(FIRST + timedelta(days=30 * n) for n in range(1, 11))
OURS = Curve(fast=0.6, slow=0.33, fast_days=3, slow_days=30)


def app(adoption: str = '"fitted"', more: str = "") -> str:
    rows = ", ".join(
        f'{{ version = "{version}", released = {day}, clients = 1000 }}' for version, day in RELEASED.items()
    )
    return BASE + (
        f'[apps.shop]\nmechanism = "okhttp"\npinset = "p"\ntrust = "ours"\nrollout = "at-once"\n{more}'
        f"adoption = {adoption}\nreleases = [{rows}]\n"
    )


def counts(curve: Curve, days: Iterable[date] = DAYS, clients: int = 1_000_000) -> str:
    """Write the counts that a curve makes, on some days."""
    lines = ["app,version,os,low,high,date,unit"]
    for day in days:
        marks = [curve.moved((day - released).days) if released > date(2025, 1, 1) else 1.0 for released in
                 RELEASED.values()] + [0.0]  # fmt: skip
        for index, version in enumerate(RELEASED):
            number = round(clients * (marks[index] - marks[index + 1]))
            lines.append(f"shop,{version},,{number},{number},{day},")
    return "\n".join(lines) + "\n"


@pytest.fixture
def opened(desk: Desk) -> Callable[..., Picture]:
    def give(kept: str = "", adoption: str = '"fitted"', more: str = "") -> Picture:
        if kept:
            desk.file("policy.rotator/counts/shop.csv", kept)
        return desk.open(app(adoption, more))

    return give


def found(desk: Desk, kept: str = "", adoption: str = '"fitted"', more: str = "") -> dict[str, Finding]:
    if kept:
        desk.file("policy.rotator/counts/shop.csv", kept)
    return {one.id: one for one in desk.check(app(adoption, more)).findings}


def test_a_curve_is_fitted_to_the_counts_that_were_kept(opened: Callable[..., Picture]) -> None:
    curve = opened(counts(OURS)).fitted["shop"]
    assert isinstance(curve, Fitted)
    for day in (30, 60, 90, 200):
        assert curve.moved(day) == pytest.approx(OURS.moved(day), abs=0.01), "the ages that were counted"
    assert curve.plateau == pytest.approx(0.93, abs=0.01)
    assert curve.plateau_low <= 0.93 <= curve.plateau_high
    assert (curve.tested_on, round(curve.test_error, 2)) == ("1.3", 0)
    assert curve.days == DAYS


def test_a_fit_is_used_and_says_its_error(desk: Desk) -> None:
    desk.file("policy.rotator/counts/shop.csv", counts(OURS))
    (note,) = (note for note in desk.ask(app(), at="2026-12-24").notes if "by a curve" in note)
    assert note.startswith("clients of shop update from 2026-11-20 by a curve (fitted to counts of 10 days")
    assert "points on 1.3, which it was not shown; 9" in note


def test_a_month_of_counts_leaves_the_plateau_open(opened: Callable[..., Picture]) -> None:
    days = [FIRST + timedelta(days=n) for n in (3, 8, 15, 22, 30)]
    curve = opened(counts(OURS, days)).fitted["shop"]
    assert isinstance(curve, Fitted)
    assert curve.plateau_low <= 0.93 <= curve.plateau_high
    assert curve.plateau_high - curve.plateau_low > 0.05
    assert len(curve.family) > 3


def test_without_counts_typical_is_taken_and_it_is_said(desk: Desk) -> None:
    finding = found(desk)["nothing-to-fit"]
    assert "no counts of earlier days are kept" in finding.message
    assert "preset typical is taken" in finding.message
    assert any("preset typical, since nothing could be fitted" in n for n in desk.ask(app(), at="2026-12-24").notes)


def test_one_day_is_too_few(desk: Desk) -> None:
    assert "counts of one day are kept" in found(desk, counts(OURS, DAYS[:1]))["nothing-to-fit"].message


def test_two_days_are_enough(desk: Desk) -> None:
    assert "nothing-to-fit" not in found(desk, counts(OURS, DAYS[3:5]))


def test_counts_that_tell_of_no_release_are_too_few(desk: Desk) -> None:
    """Both days are before the second release was out."""
    early = [date(2025, 12, 1), date(2026, 1, 1)]
    assert (
        "counts of 2 days are kept and tell of no release" in found(desk, counts(OURS, early))["nothing-to-fit"].message
    )


def test_a_preset_is_not_fitted(opened: Callable[..., Picture]) -> None:
    assert not opened(counts(OURS), '"typical"').fitted


def test_dated_rows_of_a_fleet_table_are_a_history_too(desk: Desk) -> None:
    desk.file("fleet.csv", counts(OURS))
    text = app().replace(", clients = 1000", "") + '[fleet]\nfile = "fleet.csv"\n'
    assert desk.open(text).fitted["shop"].plateau == pytest.approx(0.93, abs=0.01)


def test_days_after_today_do_not_count(opened: Callable[..., Picture]) -> None:
    curve = opened(counts(OURS, [*DAYS, date(2027, 1, 1)])).fitted["shop"]
    assert isinstance(curve, Fitted)
    assert max(curve.days) <= TODAY


def test_counts_of_another_app_or_of_no_known_version_do_not_count(opened: Callable[..., Picture]) -> None:
    other = "other,1.3,,9,9,2026-09-09,\nshop,9.9,,9,9,2026-09-10,\n"
    (history,) = opened(counts(OURS) + other).history.values()
    assert tuple(one.day for one in history) == DAYS


def test_kept_counts_that_cannot_be_read_are_one_error(desk: Desk) -> None:
    desk.file("policy.rotator/counts/shop.csv", "app,version,clients\nshop,1.0,many\n")
    (problem,) = desk.problems(app())
    assert problem.file.endswith("shop.csv")
    assert problem.value == "many"


def test_counts_that_agree_with_the_curve_are_no_finding(desk: Desk) -> None:
    for curve, adoption in (
        (PRESETS["typical"], '"typical"'),
        (OURS, "{ never = 0.07, fast = 0.6, fast_days = 3, slow_days = 30 }"),
        (OURS, '"fitted"'),
    ):
        assert "curve-contradicted" not in found(desk, counts(curve), adoption), adoption


def test_counts_outside_the_range_of_the_curve_are_a_finding(desk: Desk) -> None:
    """The policy says half never update; a month ago most of those had not yet, and now they have."""
    crawling = "{ never = 0.5, fast = 0.1, fast_days = 3, slow_days = 30 }"
    finding = found(desk, counts(OURS, [date(2026, 8, 5), date(2026, 9, 5)]), crawling)["curve-contradicted"]
    assert finding.subject == "apps.shop.adoption"
    assert finding.message.startswith("on 2026-09-05 ")
    assert "ran 1.3 or newer" in finding.message
    assert "of the counts of 2026-08-05" in finding.message


def test_a_preset_has_its_stated_spread_before_it_is_contradicted(desk: Desk) -> None:
    """A somewhat quicker app is within the doubt about `typical`; one that hardly moves is not."""
    days = [date(2026, 4, 1), date(2026, 9, 5)]
    near = Curve(fast=0.5, slow=0.4, fast_days=2, slow_days=40)
    still = Curve(fast=0.05, slow=0.05, fast_days=2, slow_days=40)
    assert "curve-contradicted" not in found(desk, counts(near, days), '"typical"')
    assert "curve-contradicted" in found(desk, counts(still, days), '"typical"')


def test_a_floor_between_two_counts_contradicts_nothing(desk: Desk) -> None:
    crawling = "{ never = 0.5, fast = 0.1, fast_days = 3, slow_days = 30 }"
    floor = 'floors = [{ version = "1.3", date = 2026-08-20 }]\n'
    assert "curve-contradicted" not in found(desk, counts(OURS, [date(2026, 8, 5), date(2026, 9, 5)]), crawling, floor)


def test_counts_of_a_few_days_apart_contradict_nothing(desk: Desk) -> None:
    crawling = "{ never = 0.5, fast = 0.1, fast_days = 3, slow_days = 30 }"
    assert "curve-contradicted" not in found(desk, counts(OURS, [date(2026, 8, 5), date(2026, 8, 15)]), crawling)
