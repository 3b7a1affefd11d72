"""Who the clients are: counts in the policy, in a table, by operating system, and releases to come."""

from __future__ import annotations

from rotator.model.policy import Count
from rotator.simulate.cohorts import Cohort, add, split, spread
from tests.desk import BASE, Desk, app

STORES = BASE.replace(
    'ours = { roots = ["root", "other-root"] }',
    'new = { roots = ["root"], os = ["34", "33"] }\nold = { roots = ["root"], os = ["24"] }',
)
APP = """[apps.shop]
mechanism = "okhttp"
pinset = "p"
trust = { new = 0.9, old = 0.1 }
releases = [{ version = "2", also = ["2.1"] }, { version = "1" }]
[fleet]
file = "fleet.csv"
"""


def counts(desk: Desk, *rows: str) -> dict[tuple[str, str], int | None]:
    """Read a fleet table and give the upper counts by version and trust store."""
    desk.file("fleet.csv", "\n".join(("app,version,os,clients", *rows)) + "\n")
    cohorts = desk.ask(STORES + APP).fleet.cohorts
    return {(c.version, c.trust): None if c.clients is None else c.clients.high for c in cohorts}


def test_rows_of_a_version_and_its_other_names_add_up(desk: Desk) -> None:
    found = counts(desk, "shop,2,34,10", "shop,2.1,34,5", "shop,1,24,7")
    assert found == {("2", "new"): 15, ("2", "old"): 0, ("1", "new"): 0, ("1", "old"): 7}


def test_every_system_of_a_store_counts_for_it(desk: Desk) -> None:
    assert counts(desk, "shop,2,34,10", "shop,2,33,5", "shop,2,24,1")["2", "new"] == 15


def test_a_system_that_no_store_names_takes_the_shares_of_the_app(desk: Desk) -> None:
    found = counts(desk, "shop,2,99,100", "shop,2,,10")
    assert (found["2", "new"], found["2", "old"]) == (99, 11)


def test_a_version_without_rows_has_no_clients(desk: Desk) -> None:
    assert counts(desk, "shop,2,34,10")["1", "new"] == 0


def test_ranges_of_a_table_are_added_end_by_end(desk: Desk) -> None:
    desk.file("fleet.csv", "app,version,low,high\nshop,2,10,20\nshop,2,1,2\n")
    population = desk.ask(STORES + APP).fleet.population
    assert population == Count(low=11, high=22)


def test_an_app_without_releases_takes_rows_without_a_version(desk: Desk) -> None:
    desk.file("fleet.csv", "app,clients\njob,30\n")
    text = BASE + app("job", "curl", clients="") + '[fleet]\nfile = "fleet.csv"\n'
    assert desk.ask(text).fleet.population == Count(low=30, high=30)


def test_a_release_to_come_has_no_clients_yet(desk: Desk) -> None:
    releases = """[apps.shop]
mechanism = "okhttp"
pinset = "p"
trust = "ours"
releases = [{ version = "3", released = 2026-12-05 }, { version = "2", released = 2026-05-04, clients = 10 }]
"""
    answer = desk.ask(BASE + releases)
    assert answer.fleet.population == Count(low=10, high=10)


def test_cohorts_know_the_origin_and_the_unit_of_their_count(desk: Desk) -> None:
    more = 'counts = { basis = "scaled", unit = "devices" }'
    (cohort,) = desk.ask(BASE + app("shop", more=more)).fleet.cohorts
    assert (cohort.basis, cohort.unit, cohort.clients) == ("scaled", "devices", Count(low=1000, high=1000))
    (plain,) = desk.ask(BASE + app("shop")).fleet.cohorts
    assert (plain.basis, plain.unit) == ("measured", "")


def test_cohorts_are_shown_by_app_version_and_odd_store() -> None:
    def name(version: str, trust: str) -> str:
        return Cohort(app="shop", version=version, trust=trust, release=0, clients=None, basis="measured").name

    assert name("7.0", "mozilla") == "shop 7.0"
    assert name("-", "mozilla") == "shop"
    assert name("7.0", "android-7") == "shop 7.0 (android-7)"


def test_one_more_release_brings_nobody_back_to_an_older_one() -> None:
    """The one client is on the second of two releases, and by largest remainders would be on the first of three."""
    assert [part.high for part in spread(Count(low=1, high=1), [0.4, 0.6])] == [0, 1]
    assert [part.high for part in spread(Count(low=1, high=1), [0.4, 0.3, 0.3])] == [0, 1, 0]
    assert [part.high for part in spread(Count(low=10, high=10), [0.25, 0.25, 0.5])] == [3, 2, 5]


def test_what_is_spread_adds_up_end_by_end() -> None:
    parts = spread(Count(low=5, high=6), [0.5, 0.1, 0.1, 0.1, 0.1, 0.1])
    assert add(parts) == Count(low=5, high=6)
    assert all(part.low <= part.high for part in parts)


def test_the_parts_of_a_range_add_up_to_it_end_by_end() -> None:
    """By largest remainders alone the last part would have 1 of 5 and 0 of 6."""
    shares = {"a": 0.2951239010437091, "b": 0.2879274274038468, "c": 0.3205855015806241, "d": 0.09636316997181997}
    parts = split(Count(low=5, high=6), shares)
    assert add(parts.values()) == Count(low=5, high=6)
    assert all(part.low <= part.high for part in parts.values())
