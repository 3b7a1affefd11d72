"""Clients of versions that the store hides may run any release that is out: the worst of them counts."""

from __future__ import annotations

from rotator.model.verdicts import Verdict
from tests.desk import BASE, Desk

PINS = '[pinsets.only-a]\nprimary = "a"\n[pinsets.only-b]\nprimary = "b"\n'


def text(*releases: tuple[str, str, int], unseen: str = "50", more: str = "") -> str:
    """Write an app with releases: version, pinset and clients."""
    rows = "".join(f'  {{ version = "{v}", pinset = "{p}", clients = {n} }},\n' for v, p, n in releases)
    return (
        f'{BASE}{PINS}[apps.shop]\nmechanism = "okhttp"\ntrust = "ours"\nunseen = {unseen}\n'
        f"{more}releases = [\n{rows}]\n"
    )


TWO = text(("2.0", "p", 1000), ("1.0", "only-a", 200))


def test_they_are_in_the_total_and_in_a_row_of_their_own(desk: Desk) -> None:
    answer = desk.ask(TWO)
    assert answer.fleet.population is not None
    assert answer.fleet.population.high == 1250
    assert [row.connection.cohort.version for row in answer.impact.rows] == ["2.0", "1.0", "older, unseen"]


def test_they_break_where_any_release_breaks_and_the_low_end_does_not_say_so(desk: Desk) -> None:
    broken = desk.ask(TWO, "serve:api:b").impact.broken
    assert (broken.low, broken.high) == (200, 250)


def test_they_are_exposed_where_any_release_is(desk: Desk) -> None:
    answer = desk.ask(text(("2.0", "only-b", 1000), ("1.0", "only-a", 200)), "key-compromise:a")
    unseen = next(row for row in answer.impact.rows if row.connection.instead)
    assert unseen.verdict is Verdict.LOST, "one release breaks and the other is exposed; each question has its worst"
    assert unseen.unsure


def test_where_all_releases_agree_nothing_is_unsure(desk: Desk) -> None:
    answer = desk.ask(text(("2.0", "p", 1000), ("1.0", "p", 200)), "serve:api:b")
    assert not any(row.unsure for row in answer.impact.rows)


def test_a_release_to_come_is_none_they_run(desk: Desk) -> None:
    releases = text(("2.0", "p", 1000)).replace(
        "releases = [\n", 'releases = [\n  { version = "3.0", released = 2026-12-01, pinset = "only-b" },\n'
    )
    row = next(row for row in desk.ask(releases).impact.rows if row.connection.instead)
    assert len(row.connection.instead) == 1


def test_the_row_says_why_in_the_words_of_the_release_that_decided(desk: Desk) -> None:
    from rotator.simulate.explain import why

    answer = desk.ask(TWO, "serve:api:b")
    (row,) = [row for row in answer.impact.rows if row.connection.instead]
    assert "pins {a} are not in" in why(row, answer.inventory)
    assert "which release they run is not known" in why(row, answer.inventory)


def test_an_app_without_releases_hides_none(desk: Desk) -> None:
    plain = f'{BASE}[apps.shop]\nmechanism = "okhttp"\nclients = 5\nunseen = 3\n'
    assert [p.message for p in desk.problems(plain)] == ["an app without releases hides none"]
    assert "low is above high" in [
        p.message for p in desk.problems(text(("1", "p", 1), unseen="{ low = 9, high = 1 }"))
    ]
