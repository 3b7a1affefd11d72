"""Documents as values, and numbers rounded to what the data bear."""

from __future__ import annotations

import json

import pytest

from rotator.model.names import some
from rotator.report.document import (
    Bullets,
    Document,
    Facts,
    Heading,
    Paragraph,
    Table,
    from_json,
    number,
    percent,
    span,
)

WHOLE = Document(
    "title",
    (
        Heading("heading"),
        Paragraph("plain"),
        Paragraph("strong", strong=True),
        Facts((("label", "value"), ("", ""))),
        Bullets(("one", "two")),
        Table(("a", "n"), (("x", "1"), ("y", "2")), right=("n",), wide="a"),
    ),
)


def test_a_document_survives_json() -> None:
    assert from_json(json.loads(json.dumps(WHOLE.to_json()))) == WHOLE


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"title": "x"},
        {"blocks": []},
        {"title": "x", "blocks": [{}]},
        {"title": "x", "blocks": [{"kind": "y"}]},
        {"title": "x", "blocks": [{"kind": "heading", "colour": "red"}]},
        {"title": "x", "blocks": ["y"]},
    ],
)
def test_what_is_no_document_is_told(data: object) -> None:
    with pytest.raises(ValueError, match="not a document"):
        from_json(data)


@pytest.mark.parametrize(
    ("value", "shown", "exact"),
    [
        (None, "?", "?"),
        (0, "0", "0"),
        (999, "999", "999"),
        (9_999, "9,999", "9,999"),
        (10_000, "10,000", "10,000"),
        (412_345, "412,300", "412,345"),
        (1_999_951, "2,000,000", "1,999,951"),
        (123_456_789, "123,500,000", "123,456,789"),
    ],
)
def test_counts_are_rounded_to_four_digits(value: int | None, shown: str, exact: str) -> None:
    assert number(value) == shown
    assert number(value, exact=True) == exact


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (None, "?"),
        (0, "0 %"),
        (1, "100 %"),
        (0.5, "50.0 %"),
        (0.146, "14.6 %"),
        (0.0000001, "<0.1 %"),
        (0.00099, "<0.1 %"),
        (0.001, "0.1 %"),
        (0.9999999, ">99.9 %"),
        (0.999, "99.9 %"),
    ],
)
def test_a_share_is_never_shown_as_nobody_or_everybody_when_it_is_not(share: float | None, shown: str) -> None:
    assert percent(share) == shown


def test_spans_and_lists() -> None:
    assert span(5, 5) == "5"
    assert span(700_000, 900_000) == "700,000-900,000"
    assert span(None, 5) == "unknown"
    assert some(["a", "b"], 3) == "a, b"
    assert some(["a", "b", "c", "d"], 2) == "a, b and 2 more"
