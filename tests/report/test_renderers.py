"""Text, Markdown and HTML: the same document in three forms, everything in it data."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from rotator.errors import printable, shorten
from rotator.report import html, markdown, text
from rotator.report.document import Bullets, Document, Facts, Heading, Paragraph, Table
from tests.report.test_document import WHOLE


def test_markdown() -> None:
    assert markdown.render(WHOLE) == (
        "# title\n\n## heading\n\nplain\n\n**strong**\n\n- **label**: value\n- ****: \n\n- one\n- two\n\n"
        "| a | n |\n| --- | ---: |\n| x | 1 |\n| y | 2 |\n"
    )


def test_html_is_one_page_that_fetches_and_runs_nothing() -> None:
    page = html.render(WHOLE)
    assert page.startswith("<!doctype html>\n")
    assert "default-src 'none'" in page
    for part in (
        "<h1>title</h1>",
        "<h2>heading</h2>",
        "<strong>strong</strong>",
        '<td class="n">2</td>',
        "<li>two</li>",
    ):
        assert part in page
    assert not re.search(r"<(script|link|img|iframe|a)\b|https?:|url\(|@import", page)


class _Tags(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a tag."""
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        """Collect text."""
        self.said.append(data)


EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "&lt;b&gt;",
    "</td></table><a href='javascript:x'>",
    "]]><!--",
    "${7*7}{{7*7}}",
]


def around(value: str) -> Document:
    """Put a text everywhere a document may hold one."""
    return Document(
        value,
        (
            Heading(value),
            Paragraph(value),
            Paragraph(value, strong=True),
            Facts(((value, value),)),
            Bullets((value,)),
            Table((value, "b"), ((value, value),), right=("b",), wide=value),
        ),
    )


@pytest.mark.parametrize("value", EVIL)
def test_html_shows_text_as_itself(value: str) -> None:
    parser = _Tags()
    parser.feed(html.render(around(value)))
    plain = _Tags()
    plain.feed(html.render(around("x")))
    assert parser.tags == plain.tags
    assert parser.attributes == plain.attributes
    assert "".join(parser.said).count(value) == 11


@pytest.mark.parametrize(
    "value", ["*a*", "_a_", "[a](b)", "`a`", "<b>", "a|b", "# a", "~~a~~", "@user", "!x", "a\\", "&amp;", "{x}"]
)
def test_markdown_shows_text_as_itself(value: str) -> None:
    escaped = markdown.escape(value)
    assert re.sub(r"\\(.)", r"\1", escaped) == value
    assert not re.search(r"(?<!\\)[*_\[\]`<>|~@#&{}]", re.sub(r"\\\\", "", escaped))


def test_a_cell_never_ends_a_row_of_markdown() -> None:
    page = markdown.render(Document("t", (Table(("a",), (("x|y\nz",), ("\\|",))),)))
    assert page.splitlines()[2:] == ["| a |", "| --- |", "| x\\|y\\\\nz |", "| \\\\\\| |"]


@pytest.mark.parametrize("form", [text.render, markdown.render, html.render])
@pytest.mark.parametrize(
    "char", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\x9b", "\u202e", "\u2066", "\u200b", "\ufeff", "\u2028"]
)
def test_no_form_holds_what_a_terminal_would_obey_or_hide(form: object, char: str) -> None:
    assert char not in form(around(f"a{char}b"))  # type: ignore[operator]  # one of three functions


def test_lines_of_text_keep_to_their_width() -> None:
    words = "word " * 60 + "x" * 200
    document = Document(
        words,
        (Paragraph(words), Bullets((words,)), Facts((("label", words),)), Table(("a", "w"), (("b", words),), wide="w")),
    )
    for width in (40, 80, 132):
        assert max(map(len, text.render(document, width=width).splitlines())) <= width


def test_a_table_that_is_too_broad_wraps_its_other_words_too_and_cuts_no_number() -> None:
    """The numbers of a row stay whole; what is said in words goes on below."""
    row = ("LOST", "shop-android 7.2.0 (android-7)", "warehouse", "934,000-1,075,000", "no path to a root " * 4)
    table = Table(("verdict", "cohort", "host", "clients", "why"), (row,), right=("clients",), wide="why")
    lines = text.render(Document("t", (table,)), width=80).splitlines()[2:]
    assert max(map(len, lines)) <= 80
    assert "934,000-1,075,000" in lines[1]
    words = " ".join(line[11:28] for line in lines[1:]).split()
    assert " ".join(words[:3]) == "shop-android 7.2.0 (android-7)"
    assert text.render(Document("t", (table,)), width=132).count("shop-android 7.2.0 (android-7)") == 1


def test_numbers_stand_right_and_headings_stand_out() -> None:
    table = Table(("name", "count"), (("a", "1"), ("b", "1,000")), right=("count",))
    assert text.render(Document("t", (Heading("part"), table))).splitlines()[2:] == [
        "PART",
        "",
        "  NAME  COUNT",
        "  a         1",
        "  b     1,000",
    ]


def test_wide_characters_take_two_cells() -> None:
    assert text.cells("你a\u0301") == 3
    assert text.pad("你", 4) == "你  "
    assert text.pad("你", 4, right=True) == "  你"


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("✓ ok", "+ ok"),
        ("▲ x", "! x"),
        ("✖✗○", "Xx-"),
        ("a\u2013b\u2026", "a-b..."),
        ("café", "cafe"),
        ("你", "\\u4f60"),
        ("a", "a"),
    ],
)
def test_ascii_is_what_comes_nearest(given: str, plain: str) -> None:
    assert text.to_ascii(given) == plain


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain", "plain"),
        ("Größe 你好 …", "Größe 你好 …"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202e\u2066\u200b\u00ad\u3164", "\\u202e\\u2066\\u200b\\xad\\u3164"),
        ("\udc80", "\\udc80"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_printable_text_is_kept_and_the_rest_is_escaped(given: str, shown: str) -> None:
    assert printable(given) == shown


def test_long_values_are_shortened() -> None:
    assert shorten("x" * 100) == "x" * 77 + "..."
    assert shorten(["a"]) == "['a']"
    assert shorten("\x1b" * 10, 20) == "\\x1b\\x1b\\x1b\\x1b\\..."
