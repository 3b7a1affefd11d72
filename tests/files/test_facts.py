"""The facts that come with the program, and what a broken file of facts is told."""

from __future__ import annotations

import pytest

from rotator.errors import InputError
from rotator.files.facts import known_facts, read_facts
from rotator.model.calendar import Certainty, FactKind

GOOD = 'schema = 1\n[[fact]]\nid = "a"\nkind = "notice"\ndate = 2027-01-01\nwhat = "it happens"\nsource = "page"\n'


def test_every_fact_has_a_source_or_says_that_it_is_unverified() -> None:
    facts = known_facts()
    assert len(facts) == len({fact.id for fact in facts}) > 30
    for fact in facts:
        assert fact.source or fact.certainty is Certainty.UNVERIFIED, fact.id
        assert not fact.what.endswith("."), fact.id


def test_what_was_only_remembered_is_marked() -> None:
    unverified = {fact.id for fact in known_facts() if fact.certainty is Certainty.UNVERIFIED}
    assert {"revoke-ica-7d", "letsencrypt-no-ocsp", "symantec", "startcom"} <= unverified


def test_the_clocks_are_a_day_five_days_and_a_week() -> None:
    assert [fact.hours for fact in known_facts() if fact.kind is FactKind.CLOCK] == [24, 120, 168]


def test_a_fact_is_read() -> None:
    (fact,) = read_facts(GOOD.encode(), "f.toml")
    assert (fact.id, fact.kind, str(fact.day), fact.certainty) == (
        "a",
        FactKind.NOTICE,
        "2027-01-01",
        Certainty.STATED,
    )


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ('source = "page"\n', "", "fact[0]", "has a source"),
        ("date = 2027-01-01\n", "", "fact[0]", "has date"),
        ('kind = "notice"', 'kind = "clock"', "fact[0]", "has hours"),
        ('kind = "notice"', 'kind = "notices"', "fact[0].kind", "not a known word"),
        ("date = 2027-01-01", 'date = "2027-01-01"', "fact[0].date", "not a date"),
        ('what = "it happens"', 'what = "it happens"\nhours = 3', "fact[0].hours", "has none"),
        ('what = "it happens"', 'what = "it happens"\nwhy = "so"', "fact[0].why", "unknown key"),
        ('kind = "notice"', 'kind = "key-age"\nyears = 3', "fact[0]", "date or years"),
        ("schema = 1", "schema = 2", "schema", "not such a number"),
        (
            'kind = "notice"',
            'kind = "removal"\nstore = "Mozilla"\nkeys = { Root = "sha256/short" }',
            "fact[0].keys.Root",
            "digest",
        ),
    ],
)
def test_a_broken_fact_is_named_with_its_place(old: str, new: str, path: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        read_facts(GOOD.replace(old, new).encode(), "f.toml")
    assert any(p.path == path and words in p.message and p.file == "f.toml" for p in caught.value.problems)


def test_two_facts_of_one_id_are_told() -> None:
    with pytest.raises(InputError, match="two facts"):
        read_facts((GOOD + GOOD.removeprefix("schema = 1\n")).encode(), "f.toml")


@pytest.mark.parametrize("data", [b"= 1", b"\xff\xfe", b""])
def test_what_is_no_such_file_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        read_facts(data, "f.toml")
