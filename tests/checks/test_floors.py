"""A floor is told over a host: where that breaks, so does the rescue line."""

from __future__ import annotations

import pytest

from tests.desk import BASE, Desk

ONLY_B = '[pinsets.only-b]\nprimary = "b"\ncovers = ["api.example.com"]\n'


def told(desk: Desk, via: str, *, old: str = "p", more: str = "") -> list[tuple[str, str]]:
    """Give what the check says of a floor at 2.0: 1.0 has 10 clients, 2.0 has 90."""
    text = BASE.replace('backups = ["b"]', f'backups = ["b"]\ncovers = ["api.example.com"]\n{ONLY_B}') + (
        '[apps.shop]\nmechanism = "okhttp"\ntrust = "ours"\nadoption = "typical"\n'
        f'floors = [{{ version = "2.0", date = 2026-12-01{via} }}]\n'
        'releases = [\n  { version = "2.0", released = 2026-09-01, pinset = "p", clients = 90 },\n'
        f'  {{ version = "1.0", released = 2026-01-01, pinset = "{old}", clients = 10 }},\n]\n{more}'
    )
    return [(f.severity.value, f.message) for f in desk.check(text).findings if f.id == "floor-on-broken-host"]


def test_a_floor_over_a_host_that_they_refuse_moves_none_of_them(desk: Desk) -> None:
    ((severity, message),) = told(desk, ', via = "api.example.com"', old="only-b")
    assert severity == "error"
    assert "over api.example.com, which 10 clients refuse today: it moves none of them" in message


def test_a_floor_over_a_host_that_they_pin_breaks_with_the_rest(desk: Desk) -> None:
    """The 90 on 2.0 pin it too, and are no matter: the floor is not for them."""
    ((severity, message),) = told(desk, ', via = "api.example.com"')
    assert severity == "warning"
    assert "which 10 clients pin" in message


@pytest.mark.parametrize("via", ["", ', via = "config.example.net"'])
def test_a_floor_over_a_host_that_nobody_pins_is_no_news(desk: Desk, via: str) -> None:
    assert told(desk, via) == []
