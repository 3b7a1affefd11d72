"""Texts that are read and written: events, pins, instants, TOML values, names."""

from __future__ import annotations

import tomllib
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from rotator.errors import printable
from rotator.files.policy_write import Section, inline, render
from rotator.mechanisms.shared.decoding import android, apple, okio
from rotator.model.names import canonical, is_host_name
from rotator.model.pins import Pin, b64, is_canonical, parse_spki
from rotator.model.when import iso, parse_instant, show
from rotator.report import markdown, text
from rotator.report.document import Document, Facts, Paragraph, Table
from rotator.simulate.grammar import Occurrence, parse_action, parse_event
from tests.property.strategies import digests, happenings, hosts, instants, spki_pins

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
plain = st.recursive(
    st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.dates()
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(happenings())
def test_an_event_written_is_the_event_read(events: tuple[Occurrence, ...]) -> None:
    for event in events:
        assert (parse_action if event.action else parse_event)(event.text) == event


@given(spki_pins)
def test_a_pin_written_is_the_pin_read(pin: Pin) -> None:
    assert parse_spki(pin.text) == pin


@given(digests)
def test_canonical_text_is_read_by_every_client(digest: bytes) -> None:
    written = b64(digest)
    assert is_canonical(written)
    assert android(written) == okio(written) == apple(written) == digest


@given(texts)
def test_no_decoder_ever_fails_otherwise_than_by_none(value: str) -> None:
    for decode in (android, okio, apple):
        assert decode(value) is None or isinstance(decode(value), bytes)


@given(instants)
def test_an_instant_shown_is_the_instant_read(at: datetime) -> None:
    assert parse_instant(show(at)) == at
    assert parse_instant(iso(at)) == at


@given(plain)
def test_a_value_written_in_one_line_is_the_value_read(value: object) -> None:
    written = inline(value)
    assert "\n" not in written
    assert tomllib.loads(f"v = {written}")["v"] == value


@given(texts, texts)
def test_a_generated_policy_is_read_as_what_was_meant(key: str, value: str) -> None:
    section = Section("t", comment=value)
    section.add(key, value, value)
    assert tomllib.loads(render([("schema", 1)], [section], comment=value))["t"] == {key: value}


@given(texts)
def test_nothing_printable_is_left_live_and_nothing_plain_is_touched(value: str) -> None:
    shown = printable(value)
    assert printable(shown) == shown
    assert all(char.isprintable() for char in shown)
    if value.isascii() and value.isprintable():
        assert shown == value


@given(st.text(st.characters(codec="latin-1"), max_size=200), st.integers(20, 120))
def test_text_keeps_to_its_width_and_markdown_to_its_rows(value: str, width: int) -> None:
    table = Table(("wide",), ((value,),), wide="wide")
    document = Document(value, (Paragraph(value), Facts((("label", value),)), table))
    for line in text.render(document, width=width).splitlines():
        assert text.cells(line) <= max(width, 22)
    rows = [line for line in markdown.render(document).splitlines() if line.startswith("| ")]
    assert len(rows) == 3


@given(hosts)
def test_names_have_one_spelling(host: str) -> None:
    assert is_host_name(host)
    assert canonical(host.upper() + ".") == canonical(host) == host
