"""A trust store that names systems and no roots has the roots these systems came with, as far as that is known."""

from __future__ import annotations

import pytest

from rotator.files.reference import system_facts
from rotator.files.roots import mozilla_bundle
from rotator.model.systems import parse_system
from tests.desk import TOP, Desk


def lacking(desk: Desk, *systems: str) -> dict[str, str]:
    """Give the roots a store with some systems lacks, each with how that is known."""
    listed = ", ".join(f'"{system}"' for system in systems)
    inventory = desk.open(f"{TOP}[trust.x]\nos = [{listed}]\n").inventory
    trusted = {root.spki for root in inventory.trust["x"].roots}
    assert all(entry.root.spki not in trusted for entry in inventory.lacking["x"])
    assert len(trusted) + len({e.root.spki for e in inventory.lacking["x"]}) == len(
        {root.spki for root in inventory.trust["mozilla"].roots}
    )
    return {entry.root.label: entry.certainty for entry in inventory.lacking["x"]}


@pytest.mark.parametrize(
    ("system", "x1", "x2"),
    [
        ("24", True, True),
        ("25", False, True),
        ("33", False, True),
        ("34", False, False),
        ("Android 7.0", True, True),
        ("iOS 9", True, True),
        ("iOS 10", False, True),
        ("iOS 15.8", False, True),
        ("iOS 16", False, False),
    ],
)
def test_published_facts_are_used(desk: Desk, system: str, *, x1: bool, x2: bool) -> None:
    found = lacking(desk, system)
    assert (found.get("ISRG Root X1") == "published") is x1
    assert (found.get("ISRG Root X2") == "published") is x2


@pytest.mark.parametrize(
    ("system", "usertrust", "comodo_ecc"),
    [("21", True, False), ("22", False, False), ("iOS 9", True, True), ("iOS 10", False, False)],
)
def test_older_roots_are_missing_where_their_ca_says_so(
    desk: Desk, system: str, *, usertrust: bool, comodo_ecc: bool
) -> None:
    found = lacking(desk, system)
    assert (found.get("USERTrust RSA Certification Authority") == "published") is usertrust
    assert (found.get("COMODO ECC Certification Authority") == "published") is comodo_ecc


def test_a_root_younger_than_the_next_android_is_not_in_an_older_one(desk: Desk) -> None:
    roots = {root.label: root for root in mozilla_bundle()[0]}
    found = lacking(desk, "26")
    assert found["GlobalSign Root R46"] == "by age"
    assert all(
        roots[label].not_before.date() > system_facts().released[27]
        for label, sure in found.items()
        if sure == "by age"
    )
    assert "by age" not in lacking(desk, "34").values(), "its roots are updated apart from the system"
    assert "by age" not in lacking(desk, "iOS 9").values(), "Apple's stores are updated too"


def test_the_oldest_system_of_a_store_counts(desk: Desk) -> None:
    assert lacking(desk, "34", "24", "30") == lacking(desk, "24")


def test_systems_of_which_nothing_is_known_have_the_whole_bundle(desk: Desk) -> None:
    assert lacking(desk, "Windows 11", "34") == {}


def test_roots_that_are_listed_are_the_roots(desk: Desk) -> None:
    text = f'{TOP}[authorities]\nroot = {{ certificate = "root.pem" }}\n[trust.x]\nroots = ["root"]\nos = ["24"]\n'
    inventory = desk.open(text).inventory
    assert [root.label for root in inventory.trust["x"].roots] == ["root"]
    assert "x" not in inventory.lacking


def test_an_answer_says_what_was_assumed_of_a_store_in_use(desk: Desk) -> None:
    app = '[pinsets.p]\nprimary = "a"\n[keys]\na = { certificate = "a.pem" }\n[hosts.api]\nserves = "a.pem"\n'
    app += '[trust.old]\nos = ["24"]\n[trust.idle]\nos = ["24"]\n'
    app += '[apps.shop]\nmechanism = "okhttp"\ntrust = "old"\npinset = "p"\nclients = 5\n'
    notes = [note for note in desk.ask(TOP + app).notes if "Mozilla bundle" in note]
    assert len(notes) == 1
    assert notes[0].startswith("assumed: old trusts the Mozilla bundle without ISRG Root X1, ISRG Root X2 and ")


def test_every_fact_has_its_source_and_a_root_of_the_bundle() -> None:
    facts = system_facts()
    known = mozilla_bundle()[1]
    for fact in facts.roots:
        assert fact.name in known
        assert fact.since
        assert fact.certainty == "published"
        assert fact.source.startswith("https://")
    levels = sorted(facts.released)
    assert levels == list(range(levels[0], levels[-1] + 1))
    assert [facts.released[n] for n in levels] == sorted(facts.released.values())
    assert facts.updatable_from in levels
    assert parse_system(str(levels[0])) is not None
