"""Clients whose system is too old for the newest release are told, as far as trust stores name systems."""

from __future__ import annotations

from tests.desk import BASE, Desk


def told(desk: Desk, *, old: str = '["24"]', need: str = 'min_os = "26"', more: str = "") -> list[str]:
    """Give what the check says of an app with two trust stores."""
    text = (
        f'{BASE}[trust.old]\nroots = ["root"]\nos = {old}\n[trust.new]\nroots = ["root"]\nos = ["34"]\n'
        f'[apps.shop]\nmechanism = "okhttp"\npinset = "p"\ntrust = {{ old = 0.1, new = 0.9 }}\n{more}'
        f'releases = [\n  {{ version = "2.0", {need}{", " if need else ""}clients = {{ old = 0, new = 90 }} }},\n'
        '  { version = "1.0", clients = { old = 10, new = 5 } },\n]\n'
    )
    return [f.message for f in desk.check(text).findings if f.id == "stuck-clients"]


def test_clients_of_an_old_system_are_counted_over_all_releases(desk: Desk) -> None:
    assert told(desk) == [
        "10 clients have a system that is too old for 2.0, which needs 26: no update reaches them",
    ]


def test_a_store_of_old_and_new_systems_gives_a_range(desk: Desk) -> None:
    (message,) = told(desk, old='["24", "30"]')
    assert message.startswith("0-10 clients")


def test_a_system_that_cannot_run_a_release_is_not_among_its_clients(desk: Desk) -> None:
    (message,) = told(desk, old='["24", "25"]', more='min_os = "25"\n')
    assert message.startswith("10 clients")
    assert told(desk, old='["24", "30"]', more='min_os = "25"\n') == []


def test_nobody_is_stuck_where_nothing_is_needed_or_nothing_is_old(desk: Desk) -> None:
    assert told(desk, need="") == []
    assert told(desk, old='["26"]') == []
    assert told(desk, old="[]") == []
    assert told(desk, need='min_os = "soon"') == []
