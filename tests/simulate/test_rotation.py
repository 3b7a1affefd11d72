"""Promoting a backup: what changes in the policy, what is noted, and what is refused."""

from __future__ import annotations

from datetime import date

import pytest

from rotator.errors import UnsafeError, UsageError
from rotator.model.edits import Edit, SetValue
from rotator.simulate.rotation import Rotation, next_name, promote
from tests.desk import BASE, TODAY, Desk, app

KEYS3 = BASE.replace("[keys]\n", '[keys]\nc = { csr = "c.csr", custody = "c", proved = 2026-11-01 }\n')
THREE = KEYS3.replace('backups = ["b"]', 'backups = ["b", "c"]')


def promoted(desk: Desk, text: str, key: str = "b", *drop: str) -> Rotation:
    """Promote a key."""
    return promote(desk.open(text).inventory, key, today=TODAY, drop=drop)


def values(edits: tuple[Edit, ...]) -> dict[str, object]:
    """Give edits as places and values."""
    return {edit.where: edit.value for edit in edits if isinstance(edit, SetValue)}


def test_a_promotion_swaps_roles_and_drops_nothing(desk: Desk) -> None:
    found = promoted(desk, BASE + app("shop"))
    assert values(found.change.edits) == {"pinsets.p.primary": "b", "pinsets.p.backups": ["a"]}
    assert found.pinsets == ("p",)
    assert found.change.title == "promote b"
    assert found.unsafe == ()
    found.refuse()


def test_a_dropped_key_is_marked_and_a_new_pinset_made_for_the_next_release(desk: Desk) -> None:
    """What has shipped cannot be changed."""
    found = promoted(desk, THREE + app("shop"), "b", "a")
    assert values(found.change.edits) == {
        "keys.a.status": "compromised",
        "keys.a.since": TODAY,
        "pinsets.p-2": {"primary": "b", "backups": ["c"]},
    }
    assert found.pinsets == ("p-2",)
    assert any("p has shipped and stays as it is" in note for note in found.notes)


def test_exports_and_releases_to_come_move_to_the_new_pinset(desk: Desk) -> None:
    releases = """[apps.shop]
mechanism = "okhttp"
trust = "ours"
releases = [
  { version = "3", released = 2026-12-05, pinset = "p" },
  { version = "2", released = 2026-05-04, pinset = "p", clients = 10 },
]
[[exports]]
pinset = "p"
files = { okhttp = "pins.json" }
"""
    found = values(promoted(desk, THREE + releases, "b", "a").change.edits)
    assert found["exports[0].pinset"] == "p-2"
    assert found["apps.shop.releases[0].pinset"] == "p-2"
    assert "apps.shop.releases[1].pinset" not in found


def test_a_pinset_nobody_shipped_is_changed_in_place(desk: Desk) -> None:
    found = promoted(desk, THREE, "b", "a")
    assert values(found.change.edits)["pinsets.p.backups"] == ["c"]


def test_keys_gone_before_leave_as_well(desk: Desk) -> None:
    text = THREE.replace('custody = "hsm"', 'custody = "hsm", status = "lost"')
    found = promoted(desk, text + app("shop"))
    assert values(found.change.edits) == {"pinsets.p-2": {"primary": "b", "backups": ["c"]}}


def test_one_pin_left_is_noted(desk: Desk) -> None:
    found = promoted(desk, BASE + app("shop"), "b", "a")
    assert any("left with one pin" in note for note in found.notes)


def test_serving_comes_before_a_release_that_refuses_what_is_served(desk: Desk) -> None:
    found = promoted(desk, THREE + app("shop"), "b", "a")
    assert any(note.startswith("serve b on api before a release with p-2") for note in found.notes)
    assert not any(note.startswith("serve") for note in promoted(desk, THREE + app("shop")).notes)


@pytest.mark.parametrize(
    ("key", "drop", "word"),
    [("b", ("b",), "b is compromised"), ("a", ("a",), "a is compromised")],
)
def test_promoting_a_key_that_is_gone_is_refused(desk: Desk, key: str, drop: tuple[str, ...], word: str) -> None:
    found = promoted(desk, THREE + app("shop"), key, *drop)
    with pytest.raises(UnsafeError, match=word):
        found.refuse()


def test_a_key_marked_as_gone_in_the_policy_is_refused(desk: Desk) -> None:
    text = BASE.replace('custody = "safe"', 'custody = "safe", status = "compromised"')
    with pytest.raises(UnsafeError, match="b is compromised"):
        promoted(desk, text + app("shop")).refuse()


def test_a_pinset_left_without_a_usable_key_is_refused(desk: Desk) -> None:
    found = promoted(desk, BASE + app("shop"), "b", "a", "b")
    assert any("no key that can be served" in text for text in found.unsafe)


def test_unknown_keys_and_keys_of_no_pinset_are_errors(desk: Desk) -> None:
    with pytest.raises(UsageError, match="no key has this name"):
        promoted(desk, BASE + app("shop"), "x")
    with pytest.raises(UsageError, match="no key has this name"):
        promoted(desk, BASE + app("shop"), "b", "x")
    with pytest.raises(UsageError, match="no pinset has this key"):
        promoted(desk, KEYS3 + app("shop"), "c")


@pytest.mark.parametrize(
    ("name", "taken", "following"),
    [
        ("mobile-3", ["mobile-3"], "mobile-4"),
        ("mobile-3", ["mobile-3", "mobile-4"], "mobile-5"),
        ("mobile", ["mobile"], "mobile-2"),
        ("v9", ["v9"], "v10"),
    ],
)
def test_the_next_name_in_a_row(name: str, taken: list[str], following: str) -> None:
    assert next_name(name, taken) == following


def test_a_new_pinset_keeps_everything_else_of_the_old_one(desk: Desk) -> None:
    text = THREE.replace(
        'backups = ["b", "c"]\n',
        'backups = ["b", "c"]\nauthorities = ["root"]\nexpires = 2027-06-30\nmode = "report-only"\n'
        'covers = ["api.example.com", { name = "example.com", subdomains = true }]\n',
    )
    made = values(promoted(desk, text + app("shop"), "b", "a").change.edits)["pinsets.p-2"]
    assert made == {
        "primary": "b",
        "backups": ["c"],
        "authorities": ["root"],
        "covers": ["api.example.com", {"name": "example.com", "subdomains": True}],
        "expires": date(2027, 6, 30),
        "mode": "report-only",
    }
