"""Whether an answer stays inside the limits: of everybody, and within each segment."""

from __future__ import annotations

import pytest

from rotator.simulate.budget import beyond, breaches
from rotator.simulate.totals import Total
from tests.desk import BASE, Desk, app

PINS = '[pinsets.only-a]\nprimary = "a"\n'


def over(desk: Desk, text: str, *events: str) -> list[str]:
    """Give what is beyond the budgets."""
    answer = desk.ask(BASE + PINS + text, *events)
    return list(breaches(answer.impact, answer.inventory))


def test_nobody_hit_is_inside_every_budget(desk: Desk) -> None:
    assert over(desk, app("shop")) == []


@pytest.mark.parametrize(("bad", "count"), [(4, 0), (5, 0), (6, 1)])
def test_a_budget_may_be_used_up_but_not_exceeded(desk: Desk, bad: int, count: int) -> None:
    """The default is 0.5 %: five of a thousand."""
    releases = f"""[apps.shop]
mechanism = "okhttp"
trust = "ours"
releases = [
  {{ version = "2", pinset = "p", clients = {1000 - bad} }},
  {{ version = "1", pinset = "only-a", clients = {bad} }},
]
"""
    found = over(desk, releases, "serve:api:b")
    assert bool(found) is bool(count)
    assert all("broken" in line for line in found)


def test_a_segment_is_an_app_with_its_trust_store(desk: Desk) -> None:
    """3 in 1000 clients have the old store: inside the budget of all, and all of their segment."""
    stores = '[trust.old]\nroots = ["other-root"]\n'
    text = stores + app("shop", clients="100_000").replace('trust = "ours"', "trust = { ours = 0.997, old = 0.003 }")
    (found,) = over(desk, text)
    assert "old" in found
    assert "100.00%" in found


def test_a_segment_below_the_noise_floor_does_not_count_alone(desk: Desk) -> None:
    stores = '[trust.old]\nroots = ["other-root"]\n'
    text = stores + app("shop", clients="100_000").replace('trust = "ours"', "trust = { ours = 0.9996, old = 0.0004 }")
    assert over(desk, text) == []


def test_an_app_may_have_a_budget_of_its_own(desk: Desk) -> None:
    releases = """[apps.shop]
mechanism = "okhttp"
trust = "ours"
break_budget = {}
releases = [
  {{ version = "2", pinset = "p", clients = 900 }},
  {{ version = "1", pinset = "only-a", clients = 100 }},
]
"""
    big = app("big", clients="100_000")
    assert over(desk, releases.format(0.1) + big, "serve:api:b") == []
    assert len(over(desk, releases.format(0.05) + big, "serve:api:b")) == 1


def test_exposure_has_a_budget_of_nothing(desk: Desk) -> None:
    found = over(desk, app("shop"), "key-compromise:a")
    assert len(found) == 2
    assert all(line.startswith("exposed: 1,000 clients (100.00%)") for line in found)
    limits = BASE.replace("[keys]", "[limits]\nexposure_budget = 1.0\n[keys]")
    answer = desk.ask(limits + app("shop"), "key-compromise:a")
    assert list(breaches(answer.impact, answer.inventory)) == []


def test_an_unknown_number_is_beyond_every_budget_unless_it_is_nobody(desk: Desk) -> None:
    assert over(desk, app("shop", clients="")) == []
    assert "nobody knows how many" in over(desk, app("shop", clients=""), "key-compromise:a")[0]


def test_beyond() -> None:
    assert not beyond(Total(low=0, high=0, share=0.0), 0.0)
    assert beyond(Total(low=1, high=1, share=0.1), 0.05)
    assert not beyond(Total(low=1, high=1, share=0.05), 0.05)
    assert beyond(Total(low=1, high=1, share=None), 1.0)
    assert beyond(Total(low=None, high=None, share=None), 1.0)
