"""The one page: everything it promises, in its order, with the numbers of `simulate` and `check`."""

from __future__ import annotations

import re

import pytest

from rotator.report.summary import render
from rotator.simulate.question import Picture
from rotator.workflows.checking import check
from rotator.workflows.opening import open_policy
from rotator.workflows.summarizing import summarize
from tests.desk import BASE, KEYS, NOW, TOP, Desk, app

PINS = '[pinsets.only-a]\nprimary = "a"\n'
FULL = BASE + PINS + app("both") + app("with-a", pinset="only-a", clients="10")
PARTS = ["ATTENTION", "  Apps", "IF IT HAPPENED TODAY", "TO DO", "NEXT SAFE STEP", "CALENDAR", "WHAT THESE NUMBERS"]


def page(desk: Desk, text: str) -> str:
    """Give the page of a policy."""
    return render(summarize(desk.open(text), NOW, "policy.toml"))


@pytest.mark.parametrize(
    "text",
    [
        FULL,
        BASE + app("shop", clients=""),
        TOP,
        TOP + KEYS,
        BASE.replace('backups = ["b"]\n', "") + app("shop"),
        BASE + "".join(app(f"app-number-{n}") for n in range(40)),
    ],
    ids=["full", "no counts", "empty", "keys only", "no backup", "many apps"],
)
def test_the_page_is_whole_ascii_narrow_and_short(desk: Desk, text: str) -> None:
    found = page(desk, text)
    assert found.isascii()
    lines = found.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) < 50
    places = [found.index(part) for part in PARTS]
    assert places == sorted(places)


def test_the_five_rows_are_there_with_zeros(desk: Desk) -> None:
    found = page(desk, FULL)
    block = found[found.index("IF IT HAPPENED") : found.index("TO DO")]
    rows = re.findall(r"^  (.+?)  +(\d[\d,]*|0)", block, re.MULTILINE)
    assert [int(number.replace(",", "")) for _, number in rows[:5]] == [0, 10, 10, 0, 0]


def test_the_next_step_is_answered_yes_or_no(desk: Desk) -> None:
    assert "Serve b? YES" in page(desk, BASE + app("shop"))
    refused = page(desk, BASE + PINS + app("both") + app("with-a", pinset="only-a", clients="500"))
    assert "Serve b? NO" in refused
    assert "there is no backup to serve" in page(desk, BASE.replace('backups = ["b"]\n', "") + app("shop"))
    doubt = page(desk, BASE + PINS + app("both") + app("with-a", pinset="only-a", clients=""))
    assert "Serve b? CANNOT SAY SAFE" in doubt


def test_a_backup_is_called_usable_only_where_all_four_questions_hold(desk: Desk) -> None:
    assert "USABLE" in page(desk, FULL)
    assert "NOT USABLE" not in page(desk, FULL)
    assert "NOT USABLE" in page(desk, FULL.replace('custody = "safe"', 'custody = "hsm"'))


def test_things_to_do_are_the_findings_from_warning_up(desk: Desk) -> None:
    text = FULL.replace("measured = 2026-11-20", "measured = 2026-10-01")
    picture: Picture = desk.open(text)
    todo = [f for f in check(picture, NOW).findings if f.severity != "info"]
    found = render(summarize(picture, NOW, "policy.toml"))
    assert f"ATTENTION: {len(todo)} thing" in found
    assert all(f.id in found for f in todo[:5])


def test_nothing_to_do_is_said_and_ends_with_0(desk: Desk) -> None:
    found = page(desk, BASE + app("shop"))
    assert "ATTENTION: nothing to do." in found
    assert "Exit 0: fine" in found


def test_unknown_counts_are_called_unknown(desk: Desk) -> None:
    found = page(desk, BASE + app("shop", clients=""))
    assert "unknown" in found
    assert "some, not known" in found


def test_numbers_say_what_they_stand_on(desk: Desk) -> None:
    more = 'counts = { basis = "assumed", unit = "devices" }'
    found = page(desk, BASE + app("shop", more=more))
    assert "assumed 100" in found
    assert "measured 0" in found
    assert "devices" in found


def test_unlike_units_are_not_added(desk: Desk) -> None:
    text = BASE + app("x", more='counts = { unit = "a" }') + app("y", more='counts = { unit = "b" }')
    assert "not added" in page(desk, text)


def test_opening_takes_edits_that_are_not_written(desk: Desk) -> None:
    file = desk.policy(BASE)
    picture = open_policy(file, NOW.date(), BASE + app("shop"))
    assert set(picture.policy.apps) == {"shop"}
    assert set(open_policy(file, NOW.date()).policy.apps) == set()
    assert picture.digest != open_policy(file, NOW.date()).digest
