"""OkHttp CertificatePinner: patterns, pins, and the JSON they are exchanged as."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import date

import pytest

from rotator.errors import InputError
from rotator.mechanisms.base import ConfigRejectedError, PinConfig
from rotator.mechanisms.okhttp import MECHANISM as OKHTTP
from rotator.model.names import Cover, Reach
from rotator.model.pins import PinKind
from rotator.model.rules import BadConfig, Builder, LocalRoots
from rotator.model.verdicts import Reason
from tests.judging import (
    CONTEXT,
    ICA,
    ROGUE,
    ROGUE_ICA,
    ROGUE_ROOT,
    ROOT,
    Scene,
    findings,
    pins_for,
    read,
    refused,
    spec,
)
from tests.minting import pin, pin_text, spki_der

HOSTS = ("example.com", "a.example.com", "b.a.example.com", "badexample.com", "other.test")


def lines(*rows: dict[str, object]) -> str:
    """Write JSON Lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)


A = [pin_text("a"), pin_text("b")]


@pytest.mark.parametrize(
    ("pattern", "covered"),
    [
        ("example.com", {"example.com"}),
        ("EXAMPLE.com", {"example.com"}),
        ("*.example.com", {"a.example.com"}),
        ("**.example.com", {"example.com", "a.example.com", "b.a.example.com"}),
    ],
)
def test_patterns_cover_what_okhttp_says(pattern: str, covered: set[str]) -> None:
    """Vectors 20, 21 and 22."""
    text = json.dumps({pattern: A})
    assert {host for host in HOSTS if pins_for(OKHTTP, text, host)} == covered


def test_the_pins_of_all_matching_patterns_count() -> None:
    text = json.dumps({"a.example.com": [pin_text("x")], "*.example.com": [pin_text("leaf")], "**.example.com": A})
    rule = OKHTTP.rule(read(OKHTTP, text), "a.example.com")
    assert rule.pins == {pin("x"), pin("leaf"), pin("a"), pin("b")}
    assert Scene().judge(rule, "a.example.com").reason is Reason.PIN_MATCHED
    assert "pins-add-up" in findings(OKHTTP, text)


def test_a_host_without_a_pattern_is_unpinned() -> None:
    rule = OKHTTP.rule(read(OKHTTP, json.dumps({"other.test": A})), "example.com")
    assert Scene().judge(rule).reason is Reason.HOST_NOT_LISTED


@pytest.mark.parametrize("name", ["leaf", "ica", "root"])
def test_any_certificate_of_the_path_matches_root_included(name: str) -> None:
    rule = OKHTTP.rule(read(OKHTTP, json.dumps({"example.com": [pin_text(name)]})), "example.com")
    assert Scene().judge(rule).reason is Reason.PIN_MATCHED


def test_certificates_sent_along_do_not_count() -> None:
    """CVE-2016-2402."""
    rule = OKHTTP.rule(read(OKHTTP, json.dumps({"example.com": [pin_text("root")]})), "example.com")
    padded = Scene(sent=(ROGUE, ROGUE_ICA, ICA, ROOT), roots=(ROOT, ROGUE_ROOT))
    assert padded.judge(rule).reason is Reason.PIN_MISMATCH


def test_a_self_signed_certificate_is_refused_though_its_key_is_pinned() -> None:
    rule = OKHTTP.rule(read(OKHTTP, json.dumps({"example.com": [pin_text("leaf")]})), "example.com")
    assert Scene(roots=(ROGUE_ROOT,)).judge(rule).reason is Reason.NO_PATH


def test_user_roots_do_not_bypass_pins() -> None:
    rule = OKHTTP.rule(read(OKHTTP, json.dumps({"example.com": A})), "example.com")
    assert rule.local_roots is LocalRoots.ENFORCE
    assert rule.builder is Builder.BACKTRACK
    assert not Scene(sent=(ROGUE, ROGUE_ICA), local=(ROGUE_ROOT,)).judge(rule).accepted


def test_sha1_pins_match_and_are_told() -> None:
    digest = hashlib.sha1(spki_der("leaf"), usedforsecurity=False).digest()
    text = json.dumps({"example.com": ["sha1/" + base64.b64encode(digest).decode()]})
    config = read(OKHTTP, text)
    assert config.entries[0].pins[0].kind is PinKind.SPKI_SHA1
    assert Scene().judge(OKHTTP.rule(config, "example.com")).reason is Reason.PIN_MATCHED
    assert "sha1-pin" in findings(OKHTTP, text)


@pytest.mark.parametrize(
    "spelt",
    [
        pin_text("leaf").rstrip("="),
        pin_text("leaf").replace("+", "-").replace("/", "_").replace("sha256_", "sha256/"),
        pin_text("leaf") + " \n",
        pin_text("leaf")[:20] + " " + pin_text("leaf")[20:],
    ],
    ids=["no padding", "URL-safe", "white space behind", "white space inside"],
)
def test_spellings_that_okio_decodes_match(spelt: str) -> None:
    assert pins_for(OKHTTP, json.dumps({"example.com": [spelt]}), "example.com") == {pin("leaf")}


@pytest.mark.parametrize("body", ["AAAA", "A" * 40, "A" * 44, ""], ids=["short", "30 bytes", "33 bytes", "empty"])
def test_a_pin_of_another_length_is_taken_and_never_matches(body: str) -> None:
    text = json.dumps({"example.com": [f"sha256/{body}", pin_text("leaf")]})
    config = read(OKHTTP, text)
    assert config.entries[0].lists[0].dead == (f"sha256/{body}",)
    assert Scene().judge(OKHTTP.rule(config, "example.com")).reason is Reason.PIN_MATCHED
    assert "pin-never-matches" in findings(OKHTTP, text)


def test_a_host_with_nothing_but_dead_pins_is_refused() -> None:
    rule = OKHTTP.rule(read(OKHTTP, json.dumps({"example.com": ["sha256/AAAA"]})), "example.com")
    assert Scene().judge(rule).reason is Reason.PIN_MISMATCH


@pytest.mark.parametrize(
    ("pattern", "values"),
    [
        ("a*.example.com", A),
        ("*", A),
        ("a.*.com", A),
        ("***.example.com", A),
        ("*.*.example.com", A),
        ("", A),
        ("exam ple.com", A),
        ("https://example.com", A),
        ("example.com/", A),
        ("example.com:443", A),
        ("a..com", A),
        ("ü" * 70 + ".com", A),
        ("a:b", A),
        ("x" * 64 + ".com", A),
        ("example.com", [pin_text("a").removeprefix("sha256/")]),
        ("example.com", ["sha512/" + "A" * 86 + "=="]),
        ("example.com", ["SHA256/" + "A" * 43 + "="]),
        ("example.com", ["sha256/?"]),
        ("example.com", ["sha256/" + "A" * 41]),
        ("example.com", [12]),
        ("example.com", 12),
        ("example.com", None),
    ],
)
def test_what_add_throws_at_crashes_the_app_and_names_the_row(pattern: str, values: object) -> None:
    error = refused(OKHTTP, json.dumps({pattern: values}))
    assert error.consequence is BadConfig.CRASH
    assert error.problems[0].path == pattern
    assert (
        refused(OKHTTP, lines({"pattern": "ok.test", "pins": A}, {"pattern": pattern, "pins": values}))
        .problems[0]
        .path.endswith("2")
    )


def test_both_shapes_say_the_same() -> None:
    one = read(OKHTTP, json.dumps({"example.com": A, "*.example.com": A}))
    rows: list[dict[str, object]] = [
        {"pattern": "example.com", "pins": A, "note": "x"},
        {"pattern": "*.example.com", "pins": A},
    ]
    assert read(OKHTTP, lines(*rows)) == read(OKHTTP, json.dumps(rows, indent=1)) == one


@pytest.mark.parametrize("text", ["", "\n\n", "{}", "[]"])
def test_an_empty_file_pins_nothing(text: str) -> None:
    assert read(OKHTTP, text) == PinConfig()
    assert "nothing-pinned" in findings(OKHTTP, text)


@pytest.mark.parametrize(
    "data",
    [b"text", b"{", b"[1]", b'"x"', b"12", b'{"pattern": "a.b"}', b'{"pins": []}\n{', b"\xff\xfe", b"[" * 5000],
)
def test_what_is_no_such_file_is_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read(OKHTTP, data)
    assert caught.value.problems[0].file == "shipped.file"
    assert not isinstance(caught.value, ConfigRejectedError)


@pytest.mark.parametrize(
    ("name", "host"), [("café.example.com", "xn--caf-dma.example.com"), ("[2001:db8::1]", "2001:db8::1")]
)
def test_other_alphabets_and_addresses(name: str, host: str) -> None:
    assert pins_for(OKHTTP, json.dumps({name: A}), host)


def test_one_label_patterns_and_single_pins_are_told() -> None:
    assert "one-label-only" in findings(OKHTTP, json.dumps({"*.example.com": A}))
    assert "single-pin" in findings(OKHTTP, json.dumps({"example.com": A[:1]}))
    assert findings(OKHTTP, json.dumps({"example.com": A})) == {}


# --- writing ----------------------------------------------------------------------------------------------------


def test_a_written_file_is_read_as_what_was_meant() -> None:
    config = OKHTTP.from_pinset(spec("x.test", Cover("y.test", Reach.ALL), Cover("z.test", Reach.ONLY_ONE)))
    data = OKHTTP.render(config)
    assert read(OKHTTP, data) == config
    assert OKHTTP.render(read(OKHTTP, data)) == data
    assert set(json.loads(data)) == {"x.test", "**.y.test", "*.z.test"}


def test_what_cannot_be_said() -> None:
    given = spec(certificates=(pin("x"),), expires=date(2027, 1, 1))
    assert [loss for loss, _ in OKHTTP.losses(given)] == ["no-certificate-pins", "no-expiry"]


SHAPES = {
    "2 spaces": json.dumps({"example.com": A, "other.test": A}, indent=2) + "\n",
    "4 spaces": json.dumps({"example.com": A, "other.test": A}, indent=4) + "\n",
    "tabs, CRLF": (json.dumps({"example.com": A, "other.test": A}, indent="\t") + "\n").replace("\n", "\r\n"),
    "lines": lines({"pattern": "example.com", "pins": A, "note": "é"}, {"pins": A, "pattern": "other.test"}),
    "rows": json.dumps([{"pattern": "example.com", "pins": A}, {"pattern": "other.test", "pins": A}], indent=3),
}


def config(name: str, *keys: str) -> PinConfig:
    """Give the configuration of a pinset."""
    return OKHTTP.from_pinset(spec(name, keys=keys))


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_a_changed_pin_changes_its_line_and_nothing_else(text: str) -> None:
    old = text.encode()
    new = OKHTTP.edit(old, config("example.com", "a", "c"), CONTEXT)
    assert pins_for(OKHTTP, new, "example.com") == {pin("a"), pin("c")}
    assert new.replace(pin_text("c").encode(), pin_text("b").encode()) == old
    assert new.count(pin_text("c").encode()) == 1


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_the_same_pins_leave_the_file_as_it_is(text: str) -> None:
    assert OKHTTP.edit(text.encode(), config("example.com", "a", "b"), CONTEXT) == text.encode()


@pytest.mark.parametrize("text", [*SHAPES.values(), "{}", "[]", "", '{"example.com": []}'])
def test_a_new_pattern_comes_last(text: str) -> None:
    new = OKHTTP.edit(text.encode(), config("new.test", "c"), CONTEXT)
    assert pins_for(OKHTTP, new, "new.test") == {pin("c")}
    assert pins_for(OKHTTP, new, "other.test") == pins_for(OKHTTP, text, "other.test")
    assert pins_for(OKHTTP, new, "example.com") == pins_for(OKHTTP, text, "example.com")


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_more_and_fewer_pins(text: str) -> None:
    for keys in (("a", "b", "c"), ("c",), ("b",)):
        new = OKHTTP.edit(text.encode(), config("example.com", *keys), CONTEXT)
        assert pins_for(OKHTTP, new, "example.com") == {pin(key) for key in keys}
        assert pins_for(OKHTTP, new, "other.test") == {pin("a"), pin("b")}
        assert ("é".encode() in new) is ("é" in text)


def test_a_file_that_is_not_readable_is_not_edited() -> None:
    with pytest.raises(InputError):
        OKHTTP.edit(b"{", config("example.com", "a"), CONTEXT)
