"""Edits to the text of a policy: only what changes is touched."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest

from rotator.errors import InputError
from rotator.files.policy_edit import apply
from rotator.files.policy_write import Section, inline, render, table_name
from rotator.model.edits import Edit, Remove, SetValue
from tests.files.examples import EVERYTHING


def edited(text: str, *edits: Edit) -> str:
    """Make edits."""
    return apply(text, edits, "policy.toml")


def changed_lines(old: str, new: str) -> tuple[list[str], list[str]]:
    """Give the lines that are gone and those that came."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    return [line for line in before if line not in after], [line for line in after if line not in before]


def test_no_edit_gives_back_the_same_bytes() -> None:
    for text in (EVERYTHING, EVERYTHING.replace("\n", "\r\n"), "", "# only a comment"):
        assert edited(text) == text


def test_a_value_that_is_set_changes_its_line_only() -> None:
    new = edited(EVERYTHING, SetValue(("pinsets", "mobile-3", "backups"), ["api-2026", "api-rsa-key"]))
    gone, came = changed_lines(EVERYTHING, new)
    assert gone == []
    assert came == ['backups = ["api-2026", "api-rsa-key"]\n']
    new = edited(EVERYTHING, SetValue(("measured",), date(2026, 12, 1)))
    gone, came = changed_lines(EVERYTHING, new)
    assert came == ["measured = 2026-12-01                  # the day the client counts were taken\n"]


def test_a_key_of_an_inline_table_is_set_in_its_line() -> None:
    new = edited(EVERYTHING, SetValue(("keys", "api-2025", "status"), "compromised"))
    gone, came = changed_lines(EVERYTHING, new)
    assert len(gone) == len(came) == 1
    assert 'status = "compromised"' in came[0]
    assert "custody" in came[0]


def test_an_item_of_an_array_of_tables_is_set() -> None:
    new = edited(
        EVERYTHING,
        SetValue(("exports", 0, "pinset"), "mobile-4"),
        SetValue(("apps", "shop-ios", "releases", 1, "clients"), 5),
    )
    _, came = changed_lines(EVERYTHING, new)
    assert len(came) == 2
    assert 'pinset = "mobile-4"\n' in came


def test_a_new_table_comes_without_touching_the_others() -> None:
    new = edited(EVERYTHING, SetValue(("pinsets", "mobile-4"), {"primary": "api-2026", "backups": []}))
    gone, came = changed_lines(EVERYTHING, new)
    assert gone == []
    assert came == ["[pinsets.mobile-4]\n", 'primary = "api-2026"\n', "backups = []\n"]


def test_a_value_in_a_table_that_is_not_there_makes_it() -> None:
    assert 'note = "x"' in edited("schema = 1\n", SetValue(("a", "b", "note"), "x"))


def test_what_is_removed_is_gone_and_nothing_else() -> None:
    gone, came = changed_lines(EVERYTHING, edited(EVERYTHING, Remove(("pinsets", "header"))))
    assert came == []
    assert "[pinsets.header]\n" in gone
    assert all("api" in line or "header" in line or "max_age" in line for line in gone)


def test_line_endings_stay() -> None:
    old = EVERYTHING.replace("\n", "\r\n")
    new = edited(old, SetValue(("pinsets", "mobile-3", "expires"), date(2028, 1, 1)))
    assert new.count("\n") == new.count("\r\n")
    assert new.replace("2028-01-01", "2027-06-30") == old


@pytest.mark.parametrize(
    "edit",
    [
        Remove(("keys", "nobody")),
        SetValue(("exports", 5, "pinset"), "x"),
        SetValue(("measured", "x"), 1),
        Remove(("exports", 5)),
    ],
    ids=lambda edit: edit.where,
)
def test_a_place_that_does_not_exist_is_told(edit: Edit) -> None:
    with pytest.raises(InputError) as caught:
        edited(EVERYTHING, edit)
    (only,) = caught.value.problems
    assert only.path == edit.where
    assert "included file" in only.hint


def test_places_are_shown_as_paths() -> None:
    assert SetValue(("apps", "x", "releases", 1, "pinset"), "p").where == "apps.x.releases[1].pinset"


# --- writing anew -----------------------------------------------------------------------------------------------


def test_a_generated_policy_is_one_line_for_each_thing() -> None:
    keys = Section("keys", comment="our keys")
    keys.add("a", {"spki": "sha256/x", "custody": None}, "by hand")
    keys.add("left-out", None)
    releases = Section(table_name("apps", "a b"))
    releases.add("releases", [{"version": "2"}, {"version": "1"}])
    text = render([("schema", 1)], [keys, Section("empty"), releases], comment="two\nlines")
    assert text == (
        "# two\n# lines\nschema = 1\n\n"
        '# our keys\n[keys]\na = { spki = "sha256/x" }  # by hand\n\n'
        '[apps."a b"]\nreleases = [\n  { version = "2" },\n  { version = "1" },\n]\n'
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (True, "true"),
        (0.5, "0.5"),
        (date(2026, 1, 2), "2026-01-02"),
        ("a", '"a"'),
        ('"\\', '"\\"\\\\"'),
        ([], "[]"),
        ({}, "{}"),
        (["a", 1], '["a", 1]'),
        ({"a b": {"c": [1]}}, '{ "a b" = { c = [1] } }'),
        ("a\nb", '"a\\nb"'),
    ],
)
def test_values_in_one_line(value: object, text: str) -> None:
    assert inline(value) == text


@pytest.mark.parametrize("char", ["\x1b", "\x9b", "\u202e", "\u200b", "\x7f", "\u2028", "\U000e0001"])
def test_text_that_a_terminal_would_obey_is_written_escaped_and_means_the_same(char: str) -> None:
    text = render([("schema", 1)], [_odd(char)])
    assert char not in text
    assert tomllib.loads(text)["t"] == {f"k{char}": f"a{char}b"}


def _odd(char: str) -> Section:
    section = Section("t", comment=f"c{char}c")
    section.add(f"k{char}", f"a{char}b", f"d{char}d")
    return section
