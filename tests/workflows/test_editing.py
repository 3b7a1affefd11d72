"""Edits by form: what each makes of a policy, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotator.errors import InputError, UnsafeError
from rotator.workflows.editing import FORMS, Edited, edit, form_of, write_edit
from tests.desk import BASE, NOW, Desk, app
from tests.minting import pin_text

SHOP = BASE + app("shop") + "releases = []\n"
SHIPPED = """\
[apps.shop]
mechanism = "okhttp"
trust = "ours"
hosts = ["api"]
releases = [
  { version = "2.0", released = 2027-01-10, pinset = "p" }, # to come
  { version = "1.1", released = 2026-06-01, pinset = "p", clients = 900 },
  { version = "1.0", released = 2026-01-01, pinset = "p", clients = 100 },
]
[[exports]]
pinset = "p"
files = { okhttp = "pins.json" }
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def lines(done: Edited) -> list[str]:
    """Give the lines that are new or gone."""
    return [x for x in done.difference if x[:1] in "+-" and not x.startswith(("+++", "---"))]


def change(desk: Desk, text: str, form: str, /, **values: str) -> Edited:
    answers = {key.replace("_", "-").strip("-"): value for key, value in values.items()}
    return edit(desk.policy(text), form, answers, NOW)


def test_a_key_is_added_by_its_request_and_told_apart_by_content(desk: Desk) -> None:
    done = change(desk, BASE, "add-key", name="c", from_="c.csr", custody="safe", proved="2026-11-20")
    assert lines(done) == ['+c = { csr = "c.csr", custody = "safe", proved = 2026-11-20 }']


@pytest.mark.parametrize(("file", "source"), [("c.pem", "certificate"), ("b.pub", "public_key")])
def test_a_key_is_known_from_whatever_file_holds_it(desk: Desk, file: str, source: str) -> None:
    text = BASE.replace('b = { csr = "b.csr", custody = "safe", proved = 2026-11-01 }\n', "").replace(
        'backups = ["b"]\n', ""
    )
    assert lines(change(desk, text, "add-key", name="n", from_=file)) == [f'+n = {{ {source} = "{file}" }}']


def test_a_digest_is_a_key_too(desk: Desk) -> None:
    pin = pin_text("c")
    assert lines(change(desk, BASE, "add-key", name="c", from_=pin)) == [f'+c = {{ spki = "{pin}" }}']


def test_a_private_key_is_refused_as_a_source(desk: Desk) -> None:
    desk.file("x.key", "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n-----END PRIVATE KEY-----\n")
    with pytest.raises(InputError, match="private key"):
        change(desk, BASE, "add-key", name="c", from_="x.key")


def test_a_backup_that_a_shipped_pinset_gains_makes_a_new_pinset_for_what_is_still_to_come(desk: Desk) -> None:
    done = change(desk, BASE + SHIPPED, "add-key", name="c", from_="c.csr", backup_of="p")
    new = done.after.decode()
    assert '[pinsets.p-2]\nprimary = "a"\nbackups = ["b", "c"]' in new
    assert '{ version = "2.0", released = 2027-01-10, pinset = "p-2" }, # to come' in new
    assert '{ version = "1.1", released = 2026-06-01, pinset = "p", clients = 900 }' in new
    assert '[[exports]]\npinset = "p-2"' in new
    assert done.rotation.notes == ("p has shipped and stays as it is; p-2 is for the next release",)


def test_a_role_among_the_same_keys_changes_in_place(desk: Desk) -> None:
    done = change(desk, BASE + SHIPPED, "set-role", pinset="p", key="b", role="primary")
    assert lines(done) == ['-primary = "a"', '-backups = ["b"]', '+primary = ["a", "b"]', "+backups = []"]


def test_the_last_primary_cannot_be_taken_away(desk: Desk) -> None:
    with pytest.raises(InputError, match="no primary would be left"):
        change(desk, BASE, "set-role", pinset="p", key="a", role="none")


def test_a_retired_backup_leaves_what_still_ships(desk: Desk) -> None:
    done = change(desk, BASE + SHIPPED, "retire-key", key="b", status="lost")
    new = done.after.decode()
    assert 'b = { csr = "b.csr", custody = "safe", proved = 2026-11-01, status = "lost", since = 2026-11-23 }' in new
    assert '[pinsets.p-2]\nprimary = "a"\n' in new


def test_destroying_a_key_that_is_served_is_refused_and_nothing_is_written(desk: Desk) -> None:
    done = change(desk, BASE + SHIPPED, "retire-key", key="a", status="destroyed")
    with pytest.raises(UnsafeError, match="a is served by api"):
        write_edit(str(desk.folder / "policy.toml"), done)
    assert "destroyed" not in (desk.folder / "policy.toml").read_text()


def test_a_new_pinset_follows_the_one_it_replaces(desk: Desk) -> None:
    done = change(desk, BASE + SHIPPED, "add-pinset", name="q", primary="b", covers="api.example.com", replaces="p")
    new = done.after.decode()
    assert '[pinsets.q]\nprimary = "b"\ncovers = ["api.example.com"]' in new
    assert '[[exports]]\npinset = "q"' in new
    assert "q holds one pin: add a backup before it ships" in done.rotation.notes


def test_a_chain_is_planned_from_today_where_no_day_is_given(desk: Desk) -> None:
    done = change(desk, BASE, "add-chain", name="next", leaf="b", issuers="ica, root")
    assert lines(done) == [
        '+next = { leaf = "b", issuers = ["ica", "root"], not_before = 2026-11-23, lifetime_days = 90 }'
    ]


def test_a_release_stands_where_its_date_belongs(desk: Desk) -> None:
    done = change(desk, BASE + SHIPPED, "add-release", app="shop", version="1.2", released="2026-09-01", pinset="p")
    new = done.after.decode()
    assert new.index('"2.0"') < new.index('"1.2"') < new.index('"1.1"')


def test_events_go_into_the_calendar_and_actions_into_a_scenario(desk: Desk) -> None:
    done = change(desk, BASE + SHIPPED, "add-event", event="key-loss:b", date="2027-02-01", note="drill")
    assert '[[calendar]]\ndate = 2027-02-01\nevent = "key-loss:b"\nnote = "drill"' in done.after.decode()
    more = change(desk, done.after.decode(), "add-event", event="serve:api:b", scenario="s", date="2027-02-01T10:00Z")
    assert 'action = "serve:api:b"' in more.after.decode()
    again = change(desk, more.after.decode(), "add-event", event="key-loss:a", scenario="s", date="2027-02-02")
    assert again.after.decode().count("scenarios") >= 1
    assert "key-loss:a" in again.after.decode()


@pytest.mark.parametrize(
    ("form", "values", "said"),
    [
        ("add-key", {"name": "a b", "from_": "c.csr"}, "name: not a name"),
        ("add-key", {"name": "a", "from_": "c.csr"}, "this name is taken"),
        ("add-key", {"name": "n"}, "from: is missing"),
        ("add-key", {"name": "n", "from_": "nowhere.pem"}, "cannot be read"),
        ("add-key", {"name": "n", "from_": "c.csr", "proved": "yesterday"}, "proved: not a date"),
        ("retire-key", {"key": "nobody"}, "key: not known"),
        ("add-chain", {"name": "n", "issuers": "icb"}, "did you mean ica"),
        ("add-chain", {"name": "n", "issuers": "ica", "days": "many"}, "days: not a number"),
        ("add-event", {"event": "key-los:a"}, "did you mean key-loss"),
        ("add-event", {"event": "key-loss:zz"}, "zz"),
        ("add-pinset", {"name": "n"}, "would hold nothing"),
        ("add-release", {"app": "shop", "version": "1.0"}, "shop has it already"),
        ("add-kee", {}, "did you mean add-key"),
        ("add-key", {"name": "n", "from_": "c.csr", "colour": "red"}, "not asked for"),
    ],
)
def test_what_cannot_be_used_is_named(desk: Desk, form: str, values: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        change(desk, BASE + SHIPPED, form, **values)


def test_every_form_has_a_letter_of_its_own_and_fields_that_say_what_they_mean() -> None:
    assert len({form.key for form in FORMS}) == len({form.id for form in FORMS}) == len(FORMS)
    for form in FORMS:
        assert form_of(form.id) is form
        assert all(field.about and field.kind for field in form.fields)
