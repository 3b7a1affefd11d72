"""Firefox's built-in pins: the C header and its values as JSON, any valid path, one end for the whole list."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from rotator.errors import InputError
from rotator.mechanisms.custom import Custom
from rotator.mechanisms.firefox import MECHANISM as FIREFOX
from rotator.model.policy import CustomMechanism
from rotator.model.rules import LocalRoots, Mode, PathUse, Revocation
from rotator.model.verdicts import Reason
from tests.judging import ICA, LEAF, OTHER_CA, ROGUE_ROOT, ROOT, Scene, findings, pins_for, read, reason, spec
from tests.minting import instant, intermediate, pin, pin_b64, root

#: 2027-02-01 00:00 UTC.
ENDS = 1_801_440_000_000_000


def listed(*entries: dict[str, Any], ends: int | None = ENDS) -> str:
    """Write the list as JSON."""
    return json.dumps(
        {
            "expirationTimeMicros": ends,
            "fingerprints": {f"k{name}": pin_b64(name) for name in ("leaf", "ica", "root", "x", "b", "old")},
            "pinsets": {name: [f"k{name}Fingerprint"] for name in ("leaf", "ica", "root", "x", "b", "old")},
            "entries": list(entries),
        }
    )


def entry(host: str, pinset: str, *, below: bool = False, test: bool = False) -> dict[str, Any]:
    """Write one entry."""
    return {"host": host, "includeSubdomains": below, "testMode": test, "pinset": pinset}


HEADER = f"""
/* generated */
static const char kLeafFingerprint[] =
  "{pin_b64("leaf")}";
static const char kBFingerprint[] = "{pin_b64("b")}";
static const char* const kPinset_own_Data[] = {{
    kLeafFingerprint,
    kBFingerprint,
}};
static const TransportSecurityPreload kPublicKeyPinningPreloadList[] = {{
  {{ "example.com", true, false, false, -1, &kPinset_own }},
  {{ "test.example.org", false, true, false, 3, &kPinset_own }},
}};
static const PRTime kPreloadPKPinsExpirationTime = INT64_C({ENDS});
"""


def test_the_header_and_the_json_say_the_same() -> None:
    config = read(FIREFOX, HEADER)
    assert FIREFOX.rule(config, "b.a.example.com").pins == {pin("leaf"), pin("b")}
    assert FIREFOX.rule(config, "test.example.org").mode is Mode.REPORT_ONLY
    whole = json.loads(listed())
    whole["pinsets"] = {"own": ["kleafFingerprint", "kbFingerprint"]}
    whole["entries"] = [entry("example.com", "own", below=True), entry("test.example.org", "own", test=True)]
    assert read(FIREFOX, json.dumps(whole)) == config


@pytest.mark.parametrize("name", ["leaf", "ica", "root"])
def test_any_certificate_matches(name: str) -> None:
    assert reason(FIREFOX, listed(entry("example.com", name))) is Reason.PIN_MATCHED


def test_any_valid_path_with_a_pin_is_enough() -> None:
    """The check runs inside path building: one that fails its pins makes the builder look for another."""
    old = root("old")
    crossed = Scene(sent=(LEAF, ICA, intermediate("root", old)), roots=(ROOT, old))
    for name in ("root", "old"):
        assert reason(FIREFOX, listed(entry("example.com", name)), scene=crossed) is Reason.PIN_MATCHED
    assert reason(FIREFOX, listed(entry("example.com", "x")), scene=crossed) is Reason.PIN_MISMATCH
    assert FIREFOX.rule(read(FIREFOX, listed(entry("example.com", "x"))), "example.com").path is PathUse.ANY


def test_certificates_outside_every_path_do_not_count() -> None:
    padded = Scene(sent=(*OTHER_CA, ICA, ROOT), roots=(ROOT, ROGUE_ROOT))
    assert reason(FIREFOX, listed(entry("example.com", "root")), scene=padded) is Reason.PIN_MISMATCH


def test_a_parent_that_does_not_reach_down_is_skipped_and_the_walk_goes_on() -> None:
    """Unlike Cronet, where it ends."""
    text = listed(entry("example.com", "leaf", below=True), entry("a.example.com", "x"))
    assert pins_for(FIREFOX, text, "a.example.com") == {pin("x")}
    assert pins_for(FIREFOX, text, "b.a.example.com") == {pin("leaf")}
    assert pins_for(FIREFOX, text, "example.com") == {pin("leaf")}


def test_a_name_needs_a_dot() -> None:
    assert not pins_for(FIREFOX, listed(entry("localhost", "x")), "localhost")


@pytest.mark.parametrize(
    ("at", "expected"), [("2027-01-31T23:59:59", Reason.PIN_MISMATCH), ("2027-02-01", Reason.PINS_EXPIRED)]
)
def test_the_whole_list_ends_at_one_instant_and_then_lets_through(at: str, expected: Reason) -> None:
    assert reason(FIREFOX, listed(entry("example.com", "x")), scene=Scene(at=instant(at))) is expected


def test_entries_in_test_mode_report_only() -> None:
    text = listed(entry("example.com", "x", test=True))
    assert reason(FIREFOX, text) is Reason.REPORT_ONLY
    assert "test-mode" in findings(FIREFOX, text)


def test_level_1_lets_local_roots_bypass_and_level_2_does_not() -> None:
    config = read(FIREFOX, listed(entry("example.com", "leaf")))
    local = Scene(sent=OTHER_CA, local=(ROGUE_ROOT,))
    assert local.judge(FIREFOX.rule(config, "example.com")).reason is Reason.LOCAL_ROOT_BYPASS
    level_2 = Custom("firefox-2", CustomMechanism(like="firefox", axes={"local_roots": "enforce"}))
    assert level_2.rule(config, "example.com").local_roots is LocalRoots.ENFORCE
    assert local.judge(level_2.rule(config, "example.com")).reason is Reason.PIN_MISMATCH


def test_a_list_that_is_somebody_elses_is_never_written() -> None:
    with pytest.raises(InputError, match="never written"):
        FIREFOX.render(read(FIREFOX, HEADER))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "int main() {}",
        "{}",
        "{",
        listed(),
        listed(entry("example.com", "unknown")),
        listed({"host": "example.com", "pinset": []}),
        listed({"host": 1, "pinset": "leaf"}),
        json.dumps({"fingerprints": {}, "pinsets": {"p": ["kX"]}, "entries": [{"host": "a.b", "pinset": "p"}]}),
        json.dumps({"fingerprints": {}, "pinsets": {"p": [1]}, "entries": [{"host": "a.b", "pinset": "p"}]}),
        json.dumps({"fingerprints": {"kX": "AAAA"}, "pinsets": {"p": ["kX"]}, "entries": [entry("a.b", "p")]}),
        json.dumps({"fingerprints": 1, "pinsets": {}, "entries": []}),
        "{" * 5000,
    ],
)
def test_broken_lists_are_input_errors(text: str) -> None:
    with pytest.raises(InputError):
        read(FIREFOX, text)


def test_bytes_that_are_no_text_are_an_input_error() -> None:
    with pytest.raises(InputError):
        read(FIREFOX, b"\xff\xfe")


def test_a_pinset_ends_with_its_list_and_without_an_end_that_is_told() -> None:
    ends = FIREFOX.from_pinset(spec(expires=date(2027, 2, 1)))
    answer = Scene(at=instant("2027-02-01")).judge(FIREFOX.rule(ends, "example.com"))
    assert answer.reason is Reason.PINS_EXPIRED
    assert "14 weeks after its build" in dict(FIREFOX.losses(spec()))["ends-by-itself"]
    assert "ends-by-itself" not in dict(FIREFOX.losses(spec(expires=date(2027, 2, 1))))


def test_revocation_is_enforced_by_crlite() -> None:
    for host in ("example.com", "other.test"):
        assert FIREFOX.rule(read(FIREFOX, HEADER), host).revocation is Revocation.HARD
