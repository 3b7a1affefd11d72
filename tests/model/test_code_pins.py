"""Pins in code: which texts are taken to belong together, in the ways people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.model.code_pins import candidates
from rotator.model.names import Cover, Reach
from tests.minting import pin, pin_b64, pin_text

A, B = pin_text("a"), pin_text("b")
BARE_A, BARE_B = pin_b64("a"), pin_b64("b")


def found(code: str) -> list[tuple[str, int]]:
    return [(one.host or f"?{one.name}", len(one.pins)) for one in candidates(code)]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (f'b.add("x.example.com", "{A}", "{B}")', [("x.example.com", 2)]),
        (f'b.add("x.example.com", "{A}").add("y.example.com", "{B}")', [("x.example.com", 1), ("y.example.com", 1)]),
        (f'b.add("x.example.com", "{A}").add(HOST, "{B}")', [("x.example.com", 1), ("?HOST", 1)]),
        (f'String HOST = "y.example.com"; b.add(HOST, "{B}")', [("y.example.com", 1)]),
        (f'String HOST = "y.example.com"; b.add(Other.HOST, "{B}")', [("?Other.HOST", 1)]),
        (f'put("x.example.com", new L() {{{{ add("{BARE_A}"); add("{BARE_B}"); }}}})', [("x.example.com", 2)]),
        (f'@"example.com" : @{{ kTSKPublicKeyHashes : @[ @"{BARE_A}", @"{BARE_B}" ] }}', [("example.com", 2)]),
        (f"'example.com': {{ publicKeyHashes: ['{BARE_A}', '{BARE_B}'] }}", [("example.com", 2)]),
        (f'"x.example.com"; let pins: [String] = ["{A}"]', [("?pins", 1)]),
        (f'"x.example.com" /* "{A}" */ // "{B}"', []),
        (f'"https://x.example.com // no comment", "y.example.com", "{A}"', [("y.example.com", 1)]),
        (f'"pins.json", "{A}"', [("?", 1)]),
        ('"x.example.com", "sha256/short"', []),
        ("", []),
    ],
)
def test_pins_stand_behind_the_host_they_are_for(code: str, expected: list[tuple[str, int]]) -> None:
    assert found(code) == expected


def test_patterns_and_subdomains_reach_as_they_say() -> None:
    code = f'.add("**.a.example", "{A}").add("*.b.example", "{A}")'
    assert [one.cover for one in candidates(code)] == [
        Cover("a.example", Reach.ALL),
        Cover("b.example", Reach.ONLY_ONE),
    ]
    (only,) = candidates(f'"c.example": {{ includeSubdomains: true, pins: ["{A}"] }}')
    assert (only.cover, only.pins) == (Cover("c.example", Reach.ALL), (pin("a"),))
    (not_below,) = candidates(f'"c.example": {{ includeSubdomains: false, pins: ["{A}"] }}')
    assert not_below.cover == Cover("c.example")


def test_lines_are_those_of_the_file() -> None:
    assert [one.line for one in candidates(f'/* a\nb */\n"x.example.com",\n"{A}"\n')] == [4]


@given(st.text(alphabet="\"'\\/*\n .:[{(ab=@", max_size=300))
def test_any_text_is_read_to_its_end(text: str) -> None:
    assert candidates(text) == ()
