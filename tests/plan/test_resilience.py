"""From which day on a loss is over, with the answer of our servers."""

from __future__ import annotations

from datetime import date

from rotator.workflows.drilling import drilled
from tests.desk import BASE, NOW, TODAY, Desk, app

ONLY_A = '[pinsets.only-a]\nprimary = "a"\n'
LEAVING = """\
[apps.shop]
mechanism = "okhttp"
trust = "ours"
adoption = { never = 0.0, fast = 1.0, fast_days = 10, slow_days = 10 }
rollout = "at-once"
releases = [
  { version = "2.0", released = 2026-11-20, clients = 0, pinset = "p" },
  { version = "1.0", released = 2026-01-01, clients = 1_000_000, pinset = "only-a" },
]
"""


def safe(desk: Desk, text: str) -> dict[str, date | None]:
    """Give from when on each single loss is over."""
    return {loss.events[0]: loss.safe_on for loss in drilled(desk.open(text), NOW).losses if len(loss.events) == 1}


def test_a_lost_key_is_over_when_those_without_the_backup_have_left(desk: Desk) -> None:
    """Those still on 1.0 are e^(-t/10); at most 0.5 % from t = 10 ln 200 = 52.98 days after the 20th of November."""
    assert safe(desk, BASE + ONLY_A + LEAVING)["key-loss:a"] == date(2027, 1, 12)


def test_a_lost_key_whose_backup_all_carry_is_over_today(desk: Desk) -> None:
    assert safe(desk, BASE + app("shop"))["key-loss:a"] == TODAY


def test_a_stolen_key_lasts_until_its_certificate_ends(desk: Desk) -> None:
    """Nobody drops the pin by himself, so the end of a's certificate it is, or none inside the horizon."""
    text = BASE + app("shop")
    picture = desk.open(text)
    ends = picture.inventory.chains["a-chain"].leaf.not_after.date()
    days = (ends - TODAY).days + 30
    own = safe(desk, text + f"[limits]\nhorizon_days = {days}\n")["key-compromise:a"]
    assert own is not None
    assert 0 <= (own - ends).days <= 1
    assert safe(desk, text + f"[limits]\nhorizon_days = {days - 60}\n")["key-compromise:a"] is None


def test_what_nothing_answers_is_never_over(desk: Desk) -> None:
    text = BASE.replace('backups = ["b"]', "") + app("shop")
    assert safe(desk, text)["key-loss:a"] is None


def test_what_hits_nobody_is_over_today(desk: Desk) -> None:
    assert safe(desk, BASE + app("shop"))["key-loss:b"] == TODAY


def test_the_worst_pairs_say_when_they_are_over(desk: Desk) -> None:
    """A pair is over no earlier than either of its two, and never where nothing answers it."""
    found = {own.events: own for own in drilled(desk.open(BASE + ONLY_A + LEAVING), NOW).losses}
    worst = [own for own in found.values() if len(own.events) == 2 and own.safe_on is not None]
    assert worst
    for own in worst:
        alone = [found[event,].safe_on for event in own.events]
        assert all(day is None or own.safe_on is None or own.safe_on >= day for day in alone)
    assert found["key-loss:a", "key-loss:b"].safe_on is None
