"""Counting clients: each once, with ranges, unknown counts, shares of hosts and unlike units."""

from __future__ import annotations

import pytest

from rotator.model.policy import Count
from rotator.report.simulation import to_json
from rotator.simulate.cohorts import add, split
from rotator.simulate.totals import share_of, union
from tests.desk import BASE, KEYS, TOP, Desk, app

HOSTS = """\
[authorities]
root = { certificate = "root.pem" }
[chains]
good = { file = "a.pem" }
bad = { file = "c.pem" }
[hosts.one]
names = ["api.example.com"]
serves = "good"
[hosts.two]
names = ["two.example.com"]
serves = "two"
[hosts.three]
names = ["three.example.com"]
serves = "three"
[chains.two]
issuers = ["root"]
not_before = 2026-01-01
lifetime_days = 900
[chains.three]
issuers = ["root"]
not_before = 2026-01-01
lifetime_days = 900
[trust]
ours = { roots = ["root"] }
[pinsets.p]
primary = "a"
backups = ["b"]
"""
#: On host one everybody is fine; on two and three nobody's pins match.
TEXT = TOP + KEYS + HOSTS


def shares(**hosts: float) -> str:
    """Write the hosts an app uses."""
    return "hosts = { " + ", ".join(f"{name} = {share}" for name, share in hosts.items()) + " }"


def test_a_client_counts_once_however_many_hosts_break_it(desk: Desk) -> None:
    impact = desk.ask(TEXT + app("shop")).impact
    assert [row.verdict.is_broken for row in impact.rows].count(True) == 2
    assert (impact.broken.low, impact.broken.high, impact.broken.share) == (1000, 1000, 1.0)
    assert impact.ok.high == 0


@pytest.mark.parametrize(
    ("two", "three", "low", "high"),
    [(0.2, 0.3, 300, 500), (0.6, 0.7, 700, 1000), (0.2, 0.0, 200, 200), (1.0, 0.5, 1000, 1000), (0.0, 0.0, 0, 0)],
)
def test_the_union_of_hosts_lies_between_the_largest_and_the_sum(
    desk: Desk, two: float, three: float, low: int, high: int
) -> None:
    impact = desk.ask(TEXT + app("shop", more=shares(one=1.0, two=two, three=three))).impact
    assert (impact.broken.low, impact.broken.high) == (low, high)
    assert impact.broken.share == high / 1000
    assert (impact.ok.low, impact.ok.high) == (1000 - high, 1000 - low)


def test_a_list_of_hosts_means_that_every_client_uses_each(desk: Desk) -> None:
    assert desk.ask(TEXT + app("shop", more='hosts = ["one", "two"]')).impact.broken.low == 1000
    assert desk.ask(TEXT + app("shop", more='hosts = ["one"]')).impact.broken.none


def test_a_range_of_clients_is_a_range_of_the_answer(desk: Desk) -> None:
    impact = desk.ask(TEXT + app("shop", clients="{ low = 700, high = 900 }")).impact
    assert (impact.broken.low, impact.broken.high, impact.broken.share) == (700, 900, 1.0)


def test_the_upper_number_is_a_share_of_those_who_make_it_up_and_the_fewest_others(desk: Desk) -> None:
    text = (
        TEXT
        + app("bad", clients="{ low = 100, high = 300 }", more='hosts = ["two"]')
        + app("good", clients="{ low = 100, high = 900 }", more='hosts = ["one"]')
    )
    broken = desk.ask(text).impact.broken
    assert (broken.low, broken.high, broken.share) == (100, 300, 0.75)


def test_a_count_that_is_not_known_never_blocks_a_verdict(desk: Desk) -> None:
    answer = desk.ask(TEXT + app("shop", clients=""))
    assert answer.fleet.population is None
    assert [row.verdict.is_broken for row in answer.impact.rows].count(True) == 2
    for total in (answer.impact.broken, answer.impact.ok):
        assert (total.low, total.high, total.share) == (None, None, None)
    assert any("counts are missing" in note for note in answer.notes)


def test_an_unknown_count_does_not_hide_that_nobody_is_hit(desk: Desk) -> None:
    """Nobody is nobody, whatever the numbers are."""
    impact = desk.ask(TEXT + app("shop", clients="", more='hosts = ["one"]')).impact
    assert (impact.broken.low, impact.broken.high, impact.broken.share) == (0, 0, 0.0)
    assert impact.broken.none


def test_a_known_number_beside_an_unknown_one_has_no_share(desk: Desk) -> None:
    text = TEXT + app("known", more='hosts = ["two"]') + app("unknown", clients="", more='hosts = ["one"]')
    broken = desk.ask(text).impact.broken
    assert (broken.high, broken.share) == (1000, None)
    text = TEXT + app("known", more='hosts = ["one"]') + app("unknown", clients="", more='hosts = ["two"]')
    assert desk.ask(text).impact.broken.high is None


def test_no_clients_at_all_divide_nothing_by_zero(desk: Desk) -> None:
    impact = desk.ask(TEXT + app("shop", clients="0")).impact
    assert (impact.broken.high, impact.broken.share) == (0, 0.0)
    assert to_json(desk.ask(TEXT + app("shop", clients="0")))["cohorts"][0]["share"] == 0.0
    assert share_of(0, 0) == 0.0


UNITS = (
    app("a", more='hosts = ["two"]\ncounts = { unit = "devices, 30 days" }')
    + app("b", more='hosts = ["two"]\ncounts = { unit = "daily users" }')
    + app("c", more='hosts = ["one"]\ncounts = { unit = "daily users" }')
)


def test_unlike_units_are_never_added(desk: Desk) -> None:
    answer = desk.ask(TEXT + UNITS)
    assert answer.fleet.population is None
    assert answer.fleet.mixed
    assert answer.impact.broken.high is None
    assert answer.impact.total(*[r.verdict for r in answer.impact.rows], app="a").high == 1000


def test_one_unit_of_several_is_a_number_without_a_share(desk: Desk) -> None:
    answer = desk.ask(TEXT + UNITS.replace('hosts = ["two"]', 'hosts = ["one"]', 1))
    assert (answer.impact.broken.high, answer.impact.broken.share) == (1000, None)


def test_totals_of_one_app_are_shares_of_that_app(desk: Desk) -> None:
    text = TEXT + app("bad", clients="10", more='hosts = ["two"]') + app("good", clients="990", more='hosts = ["one"]')
    impact = desk.ask(text).impact
    breaks = {row.verdict for row in impact.rows if row.verdict.is_broken}
    assert impact.total(*breaks, app="bad").share == 1.0
    assert impact.total(*breaks, app="good").none
    assert impact.broken.share == 0.01


TRUST = BASE.replace(
    'ours = { roots = ["root", "other-root"] }', 'ours = { roots = ["root"] }\nold = { roots = ["other-root"] }'
)


def test_a_cohort_for_each_trust_store(desk: Desk) -> None:
    text = TRUST + app("shop", clients="999").replace('trust = "ours"', "trust = { ours = 0.9, old = 0.1 }")
    answer = desk.ask(text)
    assert {c.trust: c.clients for c in answer.fleet.cohorts} == {
        "ours": Count(low=899, high=899),
        "old": Count(low=100, high=100),
    }
    assert answer.impact.broken.high == 100


def test_counts_by_trust_store_are_taken_as_they_are(desk: Desk) -> None:
    text = TRUST + app("shop", clients="{ ours = 9_500, old = 7 }").replace(
        'trust = "ours"', "trust = { ours = 0.5, old = 0.5 }"
    )
    assert desk.ask(text).impact.broken.high == 7


@pytest.mark.parametrize("total", [0, 1, 2, 3, 7, 10, 999, 1_000_003])
def test_a_split_count_adds_up_again(total: int) -> None:
    for table in ({"a": 1.0}, {"a": 0.5, "b": 0.5}, {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, {"a": 0.1, "b": 0.9}):
        parts = split(Count(low=total, high=2 * total), table)
        assert add(parts.values()) == Count(low=total, high=2 * total)
        assert all(part.low <= part.high for part in parts.values())


def test_unions() -> None:
    assert union([]) == (0.0, 0.0)
    assert union([0.2, 0.3]) == (0.3, 0.5)
    assert union([0.9, 0.3]) == (0.9, 1.0)


def test_lost_counts_in_broken_and_in_exposed(desk: Desk) -> None:
    pins = '[pinsets.only-a]\nprimary = "a"\n'
    impact = desk.ask(BASE + pins + app("shop", pinset="only-a"), "key-compromise:a", "key-loss:a").impact
    assert impact.lost.high == impact.broken.high == impact.exposed.high == 1000


def test_unpinned_counts_whatever_the_verdict_but_not_a_rejected_configuration(desk: Desk) -> None:
    text = BASE + app("web", "none", pinset="") + app("pinned")
    assert desk.ask(text).impact.unpinned.high == 1000
    assert desk.ask(text, "key-loss:a").impact.unpinned.high == 1000
    desk.file("bad.xml", "<network-security-config><domain-config/></network-security-config>")
    rejected = BASE + app("app", "android-nsc", pinset="", more='config = "bad.xml"')
    impact = desk.ask(rejected).impact
    assert impact.broken.high == 1000
    assert impact.unpinned.none
