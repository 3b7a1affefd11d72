"""Cronet and HttpEngine `addPublicKeyPins`: what throws, whose pins a host gets, and what roots bypass."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rotator.errors import InputError
from rotator.mechanisms.base import PinConfig
from rotator.mechanisms.cronet import BYPASS
from rotator.mechanisms.cronet import MECHANISM as CRONET
from rotator.model.rules import BadConfig, LocalRoots
from rotator.model.verdicts import Reason
from tests.judging import ICA, OTHER_CA, ROGUE_ROOT, ROOT, Scene, findings, pins_for, read, reason, refused
from tests.minting import instant, pin, pin_text

END = "2027-06-30T12:00:00Z"


def row(host: str, *names: str, below: bool = False, expires: object = END, **more: object) -> dict[str, Any]:
    """Write one call."""
    pins = [pin_text(name) for name in names]
    return {"host": host, "pins": pins, "includeSubdomains": below, "expires": expires, **more}


def calls(*rows: dict[str, Any], bypass: bool | None = None) -> str:
    """Write the calls, and the switch where it is given."""
    switch = {} if bypass is None else {BYPASS: bypass}
    return json.dumps({**switch, "rows": list(rows)})


GOOD = calls(row("example.com", "leaf", "b"), bypass=False)


@pytest.mark.parametrize("name", ["leaf", "ica", "root"])
def test_any_certificate_of_the_validated_path_matches(name: str) -> None:
    assert reason(CRONET, calls(row("example.com", name))) is Reason.PIN_MATCHED


def test_certificates_sent_beside_the_path_do_not_count() -> None:
    padded = Scene(sent=(*OTHER_CA, ICA, ROOT), roots=(ROOT, ROGUE_ROOT))
    assert reason(CRONET, calls(row("example.com", "root")), scene=padded) is Reason.PIN_MISMATCH


def test_one_pin_is_taken_and_told() -> None:
    assert "single-pin" in findings(CRONET, calls(row("example.com", "leaf")))


@pytest.mark.parametrize(
    ("bypass", "expected"),
    [
        (None, Reason.LOCAL_ROOT_BYPASS),
        (True, Reason.LOCAL_ROOT_BYPASS),
        (False, Reason.PIN_MISMATCH),
    ],
)
def test_local_roots_bypass_pins_unless_it_is_switched_off(bypass: bool | None, expected: Reason) -> None:  # noqa: FBT001 - the row of a table
    """Vector 25: an enterprise root and the defaults, accepted."""
    text = calls(row("example.com", "leaf", "b"), bypass=bypass)
    assert reason(CRONET, text, scene=Scene(sent=OTHER_CA, local=(ROGUE_ROOT,))) is expected
    assert ("local-roots-bypass" in findings(CRONET, text)) is (bypass is not False)


def test_a_root_of_the_system_bypasses_nothing() -> None:
    text = calls(row("example.com", "leaf", "b"))
    assert reason(CRONET, text, scene=Scene(sent=OTHER_CA, roots=(ROOT, ROGUE_ROOT))) is Reason.PIN_MISMATCH


def test_subdomains_reach_any_depth() -> None:
    text = calls(row("Example.com", "leaf", below=True))
    for host in ("example.com", "a.example.com", "b.a.example.com"):
        assert pins_for(CRONET, text, host) == {pin("leaf")}
    assert not pins_for(CRONET, text, "badexample.com")


@pytest.mark.parametrize("below", [False, True])
def test_the_first_entry_on_the_way_up_decides_and_blocks_those_above(below: bool) -> None:  # noqa: FBT001 - both ways
    """Unlike Android, TrustKit and Firefox: an entry that does not reach the host still ends the walk."""
    text = calls(row("example.com", "leaf", below=True), row("a.example.com", "x", below=below))
    assert pins_for(CRONET, text, "a.example.com") == {pin("x")}
    assert pins_for(CRONET, text, "b.a.example.com") == ({pin("x")} if below else frozenset())
    assert pins_for(CRONET, text, "b.example.com") == {pin("leaf")}
    assert ("child-hides-parent" in findings(CRONET, text)) is not below


def test_entries_that_ended_are_skipped() -> None:
    text = calls(
        row("example.com", "x", below=True),
        row("a.example.com", "leaf", expires="2026-12-01T12:00:00Z"),
        bypass=False,
    )
    rule = CRONET.rule(read(CRONET, text), "a.example.com")
    assert Scene(at=instant("2026-12-01T11:59:59")).judge(rule, "a.example.com").reason is Reason.PIN_MATCHED
    assert Scene(at=instant("2026-12-01T12:00:00")).judge(rule, "a.example.com").reason is Reason.PIN_MISMATCH
    below = CRONET.rule(read(CRONET, text), "b.a.example.com")
    assert Scene(at=instant("2026-12-01T11:59:59")).judge(below, "a.example.com").accepted
    assert Scene(at=instant("2026-12-01T12:00:00")).judge(below, "a.example.com").reason is Reason.PIN_MISMATCH


@pytest.mark.parametrize("mechanism_end", ["2027-06-30T12:00:00Z", "2027-06-30T14:00:00+02:00"])
def test_pins_end_at_an_instant_and_then_let_through(mechanism_end: str) -> None:
    text = calls(row("example.com", "x", expires=mechanism_end))
    assert reason(CRONET, text, scene=Scene(at=instant("2027-06-30T11:59:59"))) is Reason.PIN_MISMATCH
    assert reason(CRONET, text, scene=Scene(at=instant("2027-06-30T12:00:00"))) is Reason.PINS_EXPIRED


def test_the_same_host_twice_keeps_the_later_call() -> None:
    text = calls(row("example.com", "x"), row("EXAMPLE.com", "leaf"))
    assert pins_for(CRONET, text, "example.com") == {pin("leaf")}
    assert "replaced-entry" in findings(CRONET, text)


@pytest.mark.parametrize(
    ("host", "pins", "expires"),
    [
        ("192.0.2.1", [pin_text("a")], END),
        ("1.2", [pin_text("a")], END),
        ("[::1]", [pin_text("a")], END),
        ("2001:db8::1", [pin_text("a")], END),
        ("*.example.com", [pin_text("a")], END),
        ("https://example.com", [pin_text("a")], END),
        ("", [pin_text("a")], END),
        (None, [pin_text("a")], END),
        ("example.com", [], END),
        ("example.com", None, END),
        ("example.com", ["sha256/AAAA"], END),
        ("example.com", ["sha256/" + "A" * 44], END),
        ("example.com", [None], END),
        ("example.com", [pin_text("a")], None),
        ("example.com", [pin_text("a")], "soon"),
        ("example.com", [pin_text("a")], "2027-02-30"),
        ("example.com", [pin_text("a")], 1_800_000_000),
    ],
)
def test_what_it_throws_at_crashes_the_app(host: object, pins: object, expires: object) -> None:
    error = refused(CRONET, json.dumps([{"host": host, "pins": pins, "expires": expires}]))
    assert error.consequence is BadConfig.CRASH
    assert error.problems[0].path == "row 1"


def test_other_alphabets_are_the_names_dns_has() -> None:
    assert pins_for(CRONET, calls(row("café.example.com", "leaf")), "xn--caf-dma.example.com")


def test_rows_lists_and_lines_say_the_same() -> None:
    one, two = row("example.com", "leaf"), row("a.example.com", "b", below=True)
    lines = json.dumps(one) + "\n" + json.dumps(two) + "\n"
    assert read(CRONET, lines) == read(CRONET, json.dumps([one, two])) == read(CRONET, calls(one, two))


def test_nothing_is_unpinned() -> None:
    assert read(CRONET, "[]") == PinConfig()
    assert reason(CRONET, "[]") is Reason.NO_PINS
    assert CRONET.rule(read(CRONET, GOOD), "example.com").local_roots is LocalRoots.ENFORCE
    assert reason(CRONET, calls(row("other.test", "x"))) is Reason.HOST_NOT_LISTED


def test_pins_that_ended_are_told() -> None:
    assert "pins-expired" in findings(CRONET, calls(row("example.com", "a", "b", expires="2026-11-01")))
    assert findings(CRONET, GOOD) == {}


@pytest.mark.parametrize("data", [b"text", b"{", b"[1]", b'"x"', b"\xff\xfe", b"[" * 5000])
def test_what_is_no_such_file_is_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError):
        read(CRONET, data)
