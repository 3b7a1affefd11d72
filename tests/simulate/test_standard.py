"""The five questions everybody asks first."""

from __future__ import annotations

from rotator.simulate.grammar import parse_event
from rotator.simulate.standard import IfRow, backups_of, five_rows, served_keys
from tests.desk import BASE, KEYS, NOW, TOP, Desk, app, ask

PINS = '[pinsets.only-a]\nprimary = "a"\n[pinsets.only-b]\nprimary = "b"\n'
APPS = app("both") + app("with-a", pinset="only-a", clients="10") + app("ios", "apple-ats", clients="100")


def rows(desk: Desk, text: str) -> dict[str, IfRow]:
    """Give the five rows by kind."""
    return {row.kind: row for row in five_rows(desk.open(text), NOW)}


def numbers(desk: Desk, text: str) -> dict[str, tuple[int | None, int | None]]:
    """Give broken and exposed by kind."""
    return {kind: (row.impact.broken.high, row.impact.exposed.high) for kind, row in rows(desk, text).items()}


def test_there_are_always_five_in_one_order(desk: Desk) -> None:
    kinds = ["revoked", "primary-lost", "primary-stolen", "backup-lost", "ca-distrusted"]
    assert [row.kind for row in five_rows(desk.open(BASE + PINS + APPS), NOW)] == kinds
    assert [row.kind for row in five_rows(desk.open(TOP), NOW)] == kinds


def test_the_rows_are_what_simulate_says_of_the_same_words(desk: Desk) -> None:
    text = BASE + PINS + APPS
    found = numbers(desk, text)

    def said(*events: str) -> tuple[int | None, int | None]:
        impact = desk.ask(text, *events).impact
        return impact.broken.high, impact.exposed.high

    assert found["revoked"] == said("revoke:api?clock=0h", "renew:api:same-key")
    assert found["primary-lost"] == said("key-loss:a", "serve:api:b") == (10, 0)
    assert found["primary-stolen"] == said("key-compromise:a", "serve:api:b") == (10, 1110)
    assert found["backup-lost"] == said("key-loss:b") == (0, 0)


def test_a_distrusted_ca_is_answered_by_another_that_everybody_trusts(desk: Desk) -> None:
    assert numbers(desk, BASE + PINS + APPS)["ca-distrusted"] == (0, 0)
    assert rows(desk, BASE + PINS + APPS)["ca-distrusted"].label == "ica distrusted: other CA"
    ca_pins = '[pinsets.ca]\nauthorities = ["ica"]\n'
    assert numbers(desk, BASE + ca_pins + app("shop", pinset="ca"))["ca-distrusted"] == (1000, 0)


def test_without_another_ca_distrust_breaks_everybody(desk: Desk) -> None:
    alone = BASE.replace('roots = ["root", "other-root"]', 'roots = ["root"]') + app("shop")
    found = rows(desk, alone)["ca-distrusted"]
    assert found.impact.broken.high == 1000
    assert found.label == "ica distrusted: no other CA is trusted"


def test_without_a_backup_a_lost_primary_breaks_everybody(desk: Desk) -> None:
    text = BASE.replace('backups = ["b"]\n', "") + app("shop")
    found = rows(desk, text)
    assert found["primary-lost"].impact.broken.high == 1000
    assert found["primary-lost"].label == "a lost: no backup"
    assert found["backup-lost"].label == "backup lost: there is none"


def test_the_worst_of_several_hosts_and_keys_is_shown(desk: Desk) -> None:
    more = '[hosts.www]\nnames = ["api.example.com."]\nserves = "c.pem"\n'.replace(
        "api.example.com.", "www.example.com"
    )
    text = BASE + more + app("shop", more='hosts = ["api"]')
    assert rows(desk, text)["primary-lost"].label.startswith("a lost")


def test_a_policy_without_hosts_says_that_nothing_is_served(desk: Desk) -> None:
    found = rows(desk, TOP + KEYS + '[pinsets.p]\nprimary = "a"\n')
    assert "nothing of ours is served" in found["revoked"].label
    assert "no key of this policy is served" in found["primary-lost"].label


def test_served_keys_are_those_of_our_hosts_in_any_place(desk: Desk) -> None:
    text = BASE.replace('serves = "a-chain"\n', 'serves = "a-chain"\nedges = [{ name = "dr", serves = "b.pem" }]\n')
    text += '[hosts.theirs]\nserves = "c.pem"\ncontrol = "third-party"\n'
    assert served_keys(desk.open(text).inventory) == {"a": ["api"], "b": ["api"]}


def test_backups_are_active_ones_of_the_pinsets_of_the_primary(desk: Desk) -> None:
    keys = '[keys]\nc = { csr = "c.csr", status = "lost" }\n'
    text = BASE.replace("[keys]\n", keys).replace('backups = ["b"]', 'backups = ["c", "b"]')
    picture = desk.open(text + app("shop"))
    assert backups_of(picture.inventory, "a") == ["b"]
    assert backups_of(picture.inventory, "b") == []


def test_the_calendar_counts_in_the_rows_too(desk: Desk) -> None:
    picture = desk.open(BASE + app("shop"))
    lost = [parse_event("key-loss:a@2026-11-01")]
    found = {row.kind: row for row in five_rows(picture, NOW, lost)}
    assert found["backup-lost"].impact.broken.high == 1000
    assert ask(picture, "key-loss:b").impact.broken.none
