"""The part of the list of public suffixes that is read for a name says what the whole list says of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import publicsuffixlist
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.workflows.opening import public_suffix


@cache
def whole() -> Any:  # noqa: ANN401 - the package has no types
    """Give the whole list, with the forms that stand for names of other alphabets."""
    return publicsuffixlist.PublicSuffixList(accept_unknown=False)


@cache
def rules() -> list[str]:
    """Give every rule of the list, as it is written and as the DNS carries it."""
    lines = Path(publicsuffixlist.PSLFILE).read_text().splitlines()
    plain = [line.split()[0] for line in lines if line.strip() and not line.startswith("//")]
    named = [rule.lstrip("!").replace("*.", "") for rule in plain]
    return [*named, *(name.encode("idna").decode() for name in named if not name.isascii())]


LABEL = st.sampled_from(["www", "api", "com", "xn--p1ai", "city", "Example"])


@given(st.data(), st.lists(LABEL, max_size=3), st.sampled_from(["", "."]))
def test_a_name_under_any_rule_has_the_suffix_that_the_whole_list_gives(
    data: st.DataObject, before: list[str], end: str
) -> None:
    """Names under rules, wildcards and exceptions, in every alphabet, with a dot at the end or without."""
    name = ".".join([*before, data.draw(st.sampled_from(rules()))]) + end
    assert public_suffix(name) == whole().publicsuffix(name)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("api.example.com", "com"),
        ("api.example.co.uk", "co.uk"),
        ("www.city.kawasaki.jp", "kawasaki.jp"),
        ("a.b.ck", "b.ck"),
        ("a.www.ck", "ck"),
        ("shop.xn--p1ai", "xn--p1ai"),
        ("example.internal", None),
        ("localhost", None),
        ("", None),
        (".", None),
    ],
)
def test_suffixes_that_are_known(name: str, suffix: str | None) -> None:
    """Plain ones, wildcards and exceptions of them, another alphabet, and names that are in no list."""
    assert public_suffix(name) == suffix
