"""HTTP Public Key Pinning, RFC 7469: what a browser that still had it would note and demand."""

from __future__ import annotations

import json
from datetime import date

import pytest

from rotator.errors import InputError
from rotator.mechanisms.base import Entry, PinConfig, PinList
from rotator.mechanisms.hpkp import MECHANISM as HPKP
from rotator.mechanisms.hpkp import note
from rotator.model.names import Cover, Reach
from rotator.model.rules import LocalRoots, Mode, Scope
from rotator.model.verdicts import Reason
from tests.judging import (
    CONTEXT,
    ICA,
    LEAF,
    OTHER_CA,
    ROGUE_ROOT,
    ROOT,
    Scene,
    findings,
    pins_for,
    read,
    reason,
    spec,
)
from tests.minting import pin, pin_b64, values

PATH = tuple(values(LEAF, ICA, ROOT))


def value(*names: str, age: int | None = 5_184_000, more: str = "") -> str:
    """Write the value of a header."""
    parts = [f"max-age={age}"] if age is not None else []
    parts += [f'pin-sha256="{pin_b64(name)}"' for name in names]
    return "; ".join(parts) + more


def seen(host: str, text: str, header: str = "Public-Key-Pins") -> str:
    """Write one row of what a host sent."""
    return json.dumps({"host": host, "header": header, "value": text}) + "\n"


GOOD = value("leaf", "b")


@pytest.mark.parametrize("name", ["leaf", "ica", "root"])
def test_any_certificate_of_the_validated_path_matches(name: str) -> None:
    assert reason(HPKP, value(name, "b")) is Reason.PIN_MATCHED


def test_certificates_sent_beside_the_path_do_not_count() -> None:
    padded = Scene(sent=(*OTHER_CA, ICA, ROOT), roots=(ROOT, ROGUE_ROOT))
    assert reason(HPKP, value("root", "b"), scene=padded) is Reason.PIN_MISMATCH


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (value("leaf", "b", age=None), "max-age is missing"),
        (value("leaf", "b") + "; max-age=60", "more than once"),
        (value("leaf", "b").replace("5184000", "soon"), "whole number"),
        (value("leaf", "b").replace("5184000", "-1"), "whole number"),
        (value("leaf", "leaf"), "fewer than two pins"),
        (value("leaf"), "fewer than two pins"),
        (value(), "fewer than two pins"),
    ],
)
def test_a_header_without_two_pins_and_one_max_age_is_ignored(text: str, why: str) -> None:
    assert read(HPKP, text) == PinConfig()
    assert why in findings(HPKP, text)["header-ignored"].message


def test_directive_names_have_no_case_and_max_age_may_be_quoted() -> None:
    text = GOOD.replace("pin-sha256", "PIN-Sha256").replace("max-age=5184000", 'Max-Age="5184000"')
    assert pins_for(HPKP, text, "example.com") == {pin("leaf"), pin("b")}
    assert read(HPKP, text).entries[0].lifetime_seconds == 5_184_000


def test_unknown_directives_and_hashes_are_ignored() -> None:
    text = value("leaf", "b", more='; pin-sha512="AAAA"; strict; x="1;2"')
    assert pins_for(HPKP, text, "example.com") == {pin("leaf"), pin("b")}
    assert "unknown-hash" in findings(HPKP, text)


def test_with_nothing_but_unknown_hashes_a_host_stops_being_pinned() -> None:
    assert reason(HPKP, 'max-age=60; pin-md5="AAAA"; pin-md5="BBBB"') is Reason.NO_PINS


@pytest.mark.parametrize(
    "bad", ['"AAAA"', '"' + "A" * 44 + '"', pin_b64("c"), '"?"', ""], ids=["short", "33 bytes", "bare", "odd", "none"]
)
def test_a_pin_that_is_not_the_quoted_base64_of_32_bytes_is_dropped(bad: str) -> None:
    text = GOOD + f"; pin-sha256={bad}"
    assert pins_for(HPKP, text, "example.com") == {pin("leaf"), pin("b")}
    assert "pin-never-matches" in findings(HPKP, text)


@pytest.mark.parametrize(
    ("more", "covered"),
    [
        ("", {"example.com"}),
        ("; includeSubDomains", {"example.com", "a.example.com", "b.a.example.com"}),
    ],
)
def test_subdomains_of_any_depth(more: str, covered: set[str]) -> None:
    text = seen("example.com", GOOD + more)
    every = ("example.com", "a.example.com", "b.a.example.com", "other.test")
    assert {host for host in every if pins_for(HPKP, text, host)} == covered


def test_a_host_does_not_change_what_its_parent_said() -> None:
    text = seen("example.com", value("x", "y", more="; includeSubDomains")) + seen("a.example.com", GOOD)
    assert pins_for(HPKP, text, "a.example.com") == {pin("leaf"), pin("b")}
    assert pins_for(HPKP, text, "other.example.com") == {pin("x"), pin("y")}


def test_pins_are_never_kept_for_ip_addresses() -> None:
    for host in ("192.0.2.1", "2001:db8::1"):
        assert "never kept for IP addresses" in findings(HPKP, seen(host, GOOD))["header-ignored"].message
        assert reason(HPKP, seen(host, GOOD), host) is not Reason.PIN_MATCHED


def test_a_valid_header_replaces_the_stored_set_whole() -> None:
    text = seen("example.com", value("x", "y", more="; includeSubDomains")) + seen("example.com", GOOD)
    assert pins_for(HPKP, text, "example.com") == {pin("leaf"), pin("b")}
    assert not pins_for(HPKP, text, "a.example.com")


def test_max_age_zero_deletes_the_policy() -> None:
    """Vector 42."""
    text = seen("example.com", GOOD) + seen("example.com", "max-age=0")
    assert reason(HPKP, text) is not Reason.PIN_MATCHED
    assert not pins_for(HPKP, text, "example.com")
    assert "pins-deleted" in findings(HPKP, text)


def test_a_host_that_deletes_its_own_pins_still_has_those_of_its_parent() -> None:
    above = seen("example.com", value("x", "y", more="; includeSubDomains"))
    assert pins_for(HPKP, above + seen("a.example.com", "max-age=0"), "a.example.com") == {pin("x"), pin("y")}


def test_an_ignored_header_leaves_the_old_policy() -> None:
    text = seen("example.com", GOOD) + seen("example.com", value("x"))
    assert pins_for(HPKP, text, "example.com") == {pin("leaf"), pin("b")}


def entry(*names: str) -> Entry:
    """Make what a header says of example.com."""
    pins = tuple(pin(name) for name in names)
    return Entry(covers=(Cover("example.com"),), lists=(PinList(scope=Scope.ANY, pins=pins),) if pins else ())


@pytest.mark.parametrize(
    ("names", "noted"),
    [
        (("leaf", "b"), True),
        (("root", "b"), True),
        (("leaf", "ica"), False),
        (("leaf", "ica", "root"), False),
        (("x", "b"), False),
    ],
    ids=["leaf and a backup", "root and a backup", "no backup", "every key of the path", "none of the path"],
)
def test_a_header_is_noted_with_a_pin_on_the_path_and_one_off_it(names: tuple[str, ...], *, noted: bool) -> None:
    """Vector 41: a header with only on-chain pins is ignored, and the old policy is kept."""
    old = PinConfig(entries=(entry("old", "older"),))
    assert note(old, entry(*names), PATH) == (PinConfig(entries=(entry(*names),)) if noted else old)


def test_a_header_that_deletes_needs_no_pins() -> None:
    assert note(PinConfig(entries=(entry("leaf", "b"),)), entry(), PATH).pinned == ()


def test_only_the_first_header_of_a_response_counts() -> None:
    text = f"Public-Key-Pins: {GOOD}\nServer: x\npublic-key-pins: {value('x', 'y')}\n"
    assert pins_for(HPKP, text, "example.com") == {pin("leaf"), pin("b")}
    assert "header-repeated" in findings(HPKP, text)
    ignored = f"Public-Key-Pins: {value('x')}\nPublic-Key-Pins: {GOOD}\n"
    assert not pins_for(HPKP, ignored, "example.com")


def test_report_only_reports_and_needs_no_max_age() -> None:
    text = "Public-Key-Pins-Report-Only: " + value("x", "y", age=None, more='; report-uri="https://r.example/p"')
    assert reason(HPKP, text) is Reason.REPORT_ONLY
    assert read(HPKP, text).entries[0].mode is Mode.REPORT_ONLY


def test_both_headers_are_read_and_the_enforced_one_decides() -> None:
    text = f"Public-Key-Pins: {value('x', 'y')}\nPublic-Key-Pins-Report-Only: {value('leaf', 'b', age=None)}\n"
    assert reason(HPKP, text) is Reason.PIN_MISMATCH


def test_local_roots_bypass_pins() -> None:
    local = Scene(sent=OTHER_CA, local=(ROGUE_ROOT,))
    assert reason(HPKP, GOOD, scene=local) is Reason.LOCAL_ROOT_BYPASS
    assert HPKP.rule(read(HPKP, GOOD), "example.com").local_roots is LocalRoots.BYPASS
    assert reason(HPKP, GOOD, scene=Scene(sent=OTHER_CA, roots=(ROOT, ROGUE_ROOT))) is Reason.PIN_MISMATCH


@pytest.mark.parametrize(("age", "told"), [(5_184_000, False), (5_270_400, True), (10**17, True)])
def test_more_than_sixty_days_are_told(age: int, *, told: bool) -> None:
    found = findings(HPKP, value("leaf", "b", age=age))
    assert ("long-max-age" in found) is told


def test_subdomains_are_told() -> None:
    assert "pins-subdomains" in findings(HPKP, value("leaf", "b", more="; includeSubDomains"))


@pytest.mark.parametrize(
    "data", [b"Server: x\n", b"\xff\xfe", b'{"value": 1}\n', b'{"host": 1, "value": ""}', b"{", b'{"host": "x"}']
)
def test_what_holds_no_header_is_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError):
        read(HPKP, data)


def test_what_a_pinset_becomes_is_two_pins_or_nothing() -> None:
    """As with a file: a browser ignores a header of one pin, and refuses nobody."""
    assert HPKP.from_pinset(spec(keys=("a",))) == PinConfig()
    assert HPKP.from_pinset(spec(keys=("a", "a"))) == PinConfig()
    assert not HPKP.refuse(HPKP.from_pinset(spec(keys=("a",))), CONTEXT)
    assert ("too-few-pins", "a browser ignores a header with fewer than two pins: nothing is pinned") in list(
        HPKP.losses(spec(keys=("a",)))
    )
    config = HPKP.from_pinset(spec(Cover("example.com", Reach.ALL)))
    assert pins_for(HPKP, HPKP.render(config), "b.a.example.com") == {pin("a"), pin("b")}


@pytest.mark.parametrize("age", ["0", "soon", "1; max-age=2"])
def test_what_max_age_says_in_a_report_only_header_is_nothing(age: str) -> None:
    """RFC 7469, 2.1.2: such a header is never kept, and deletes nothing."""
    pins = value("x", "y", age=None)
    text = f"Public-Key-Pins: {GOOD}\nPublic-Key-Pins-Report-Only: {pins}; max-age={age}\n"
    assert reason(HPKP, text) is Reason.PIN_MATCHED
    assert [entry.mode for entry in read(HPKP, text).pinned] == [Mode.ENFORCE, Mode.REPORT_ONLY]
    assert not {"pins-deleted", "header-ignored"} & set(findings(HPKP, text))


def test_where_a_pinset_ends_the_loss_says_how_headers_do() -> None:
    assert "max-age seconds after its last visit" in dict(HPKP.losses(spec(expires=date(2027, 1, 1))))["no-expiry"]
