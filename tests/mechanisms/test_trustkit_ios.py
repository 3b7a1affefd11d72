"""TrustKit for iOS: what the library reads, where it crashes, and what it checks."""

from __future__ import annotations

import plistlib
from datetime import UTC, date, datetime
from typing import Any

import pytest

from rotator.errors import InputError
from rotator.mechanisms.trustkit_ios import KEY_TYPES
from rotator.mechanisms.trustkit_ios import MECHANISM as TRUSTKIT
from rotator.model.rules import BadConfig, LocalRoots, Mode, Revocation
from rotator.model.verdicts import Reason
from tests.judging import ICA, ROGUE, ROGUE_ICA, ROGUE_ROOT, ROOT, Scene, findings, pins_for, read, refused
from tests.minting import instant, intermediate, mint, pin, pin_b64, root

Domain = dict[str, Any]


def hashes(*names: str, **more: object) -> Domain:
    """Write a domain that pins the keys of names."""
    return {"TSKPublicKeyHashes": [pin_b64(name) for name in names], **{f"TSK{k}": v for k, v in more.items()}}


def plist(domains: object, **more: object) -> bytes:
    """Write an Info.plist."""
    return plistlib.dumps(
        {"TSKConfiguration": {"TSKSwizzleNetworkDelegates": True, "TSKPinnedDomains": domains, **more}}
    )


GOOD = hashes("leaf", "b")


@pytest.mark.parametrize(
    ("host", "covered"),
    [("example.com", True), ("a.example.com", True), ("b.a.example.com", True), ("badexample.com", False)],
)
def test_subdomains_reach_any_depth(host: str, *, covered: bool) -> None:
    assert bool(pins_for(TRUSTKIT, plist({"example.com": {**GOOD, "TSKIncludeSubdomains": True}}), host)) is covered


def test_without_the_flag_only_the_name_itself() -> None:
    data = plist({"Example.com": GOOD})
    assert pins_for(TRUSTKIT, data, "example.com")
    assert not pins_for(TRUSTKIT, data, "a.example.com")


def test_the_exact_name_beats_the_longest_parent_beats_others() -> None:
    below = {"IncludeSubdomains": True}
    data = plist(
        {
            "example.com": hashes("far", "b", **below),
            "a.example.com": hashes("near", "b", **below),
            "x.a.example.com": hashes("own", "b"),
        }
    )
    assert pins_for(TRUSTKIT, data, "x.a.example.com") == {pin("own"), pin("b")}
    assert pins_for(TRUSTKIT, data, "y.a.example.com") == {pin("near"), pin("b")}
    assert pins_for(TRUSTKIT, data, "y.example.com") == {pin("far"), pin("b")}


def test_an_excluded_subdomain_is_unpinned() -> None:
    data = plist(
        {
            "example.com": {**GOOD, "TSKIncludeSubdomains": True},
            "open.example.com": {"TSKExcludeSubdomainFromParentPolicy": True},
        }
    )
    rule = TRUSTKIT.rule(read(TRUSTKIT, data), "open.example.com")
    assert Scene().judge(rule, "open.example.com").reason is Reason.NO_PINS
    assert pins_for(TRUSTKIT, data, "other.example.com")


@pytest.mark.parametrize("names", [("leaf", "b"), ("ica", "b"), ("root", "b")])
def test_any_key_of_the_path_matches(names: tuple[str, ...]) -> None:
    rule = TRUSTKIT.rule(read(TRUSTKIT, plist({"example.com": hashes(*names)})), "example.com")
    assert Scene().judge(rule).reason is Reason.PIN_MATCHED


def test_no_key_of_the_path_is_refused() -> None:
    rule = TRUSTKIT.rule(read(TRUSTKIT, plist({"example.com": hashes("x", "y")})), "example.com")
    assert Scene().judge(rule).reason is Reason.PIN_MISMATCH


def test_pins_end_at_utc_midnight_and_are_then_open() -> None:
    data = plist({"example.com": hashes("x", "y", ExpirationDate="2026-11-24")})
    rule = TRUSTKIT.rule(read(TRUSTKIT, data), "example.com")
    before, after = (Scene(at=instant(t)).judge(rule) for t in ("2026-11-23T23:59:59", "2026-11-24"))
    assert (before.reason, before.unsure) == (Reason.PIN_MISMATCH, False)
    assert (after.accepted, after.reason) == (True, Reason.PINS_EXPIRED)


@pytest.mark.parametrize("text", ["30-06-2027", "2027-6-30", "2027-02-30", "2027-06-30T00:00:00Z", "never", ""])
def test_a_date_that_does_not_parse_never_comes_and_is_told(text: str) -> None:
    """Vector 17."""
    data = plist({"example.com": {**GOOD, "TSKExpirationDate": text}})
    assert TRUSTKIT.rule(read(TRUSTKIT, data), "example.com").expiry is None
    assert "never-expires" in findings(TRUSTKIT, data)


def test_not_enforcing_lets_a_wrong_key_through_and_is_told() -> None:
    data = plist({"example.com": hashes("x", EnforcePinning=False)})
    rule = TRUSTKIT.rule(read(TRUSTKIT, data), "example.com")
    assert rule.mode is Mode.REPORT_ONLY
    judgement = Scene().judge(rule)
    assert (judgement.accepted, judgement.reason, judgement.pin_in_force) == (True, Reason.REPORT_ONLY, False)
    assert "report-only" in findings(TRUSTKIT, data)


@pytest.mark.parametrize(("value", "mode"), [(0, Mode.REPORT_ONLY), (1, Mode.ENFORCE), (True, Mode.ENFORCE)])
def test_a_flag_written_as_a_number_is_a_flag(value: object, mode: Mode) -> None:
    """TrustKit asks `boolValue` of what stands there."""
    data = plist({"example.com": {**GOOD, "TSKEnforcePinning": value, "TSKIncludeSubdomains": value}})
    rule = TRUSTKIT.rule(read(TRUSTKIT, data), "example.com")
    assert rule.mode is mode
    assert bool(pins_for(TRUSTKIT, data, "a.example.com")) is bool(value)


def test_not_enforcing_still_blocks_an_invalid_chain() -> None:
    rule = TRUSTKIT.rule(read(TRUSTKIT, plist({"example.com": hashes("x", EnforcePinning=False)})), "example.com")
    assert Scene(roots=(ROGUE_ROOT,)).judge(rule).reason is Reason.NO_PATH


def test_without_the_setting_pins_are_enforced() -> None:
    assert TRUSTKIT.rule(read(TRUSTKIT, plist({"example.com": GOOD})), "example.com").mode is Mode.ENFORCE


@pytest.mark.parametrize("enforce", [True, False])
@pytest.mark.parametrize("curve", ["p384", "p521"])
def test_an_unsupported_key_above_the_pin_blocks_even_when_not_enforcing(curve: str, *, enforce: bool) -> None:
    big = mint("big", curve=curve, ca=True, not_before="2020-01-01", not_after="2040-01-01")
    below = intermediate("below", big)
    leaf = mint("leaf", below, names=["example.com"])
    rule = TRUSTKIT.rule(
        read(TRUSTKIT, plist({"example.com": hashes("leaf", "b", EnforcePinning=enforce)})), "example.com"
    )
    judgement = Scene(sent=(leaf, below), roots=(big,)).judge(rule)
    expected = Reason.KEY_TYPE_UNSUPPORTED if curve == "p521" else Reason.PIN_MATCHED
    assert judgement.accepted is (curve == "p384")
    if enforce or curve == "p521":
        assert judgement.reason is expected


def test_an_unsupported_key_below_the_pin_does_not_matter() -> None:
    """The loop goes from the root down and stops at the first match."""
    top = root("top")
    odd = mint("odd", top, curve="p521", ca=True, not_before="2022-01-01", not_after="2035-01-01")
    leaf = mint("leaf2", odd, names=["example.com"])
    rule = TRUSTKIT.rule(read(TRUSTKIT, plist({"example.com": hashes("top", "b")})), "example.com")
    assert Scene(sent=(leaf, odd), roots=(top,)).judge(rule).reason is Reason.PIN_MATCHED
    assert "ec-p521" not in KEY_TYPES


def test_user_roots_do_not_bypass_pins_on_ios() -> None:
    rule = TRUSTKIT.rule(read(TRUSTKIT, plist({"example.com": GOOD})), "example.com")
    assert (rule.local_roots, rule.revocation) == (LocalRoots.ENFORCE, Revocation.SOFT)
    assert not Scene(sent=(ROGUE, ROGUE_ICA), local=(ROGUE_ROOT,)).judge(rule).accepted


def test_certificates_sent_along_do_not_count() -> None:
    rule = TRUSTKIT.rule(read(TRUSTKIT, plist({"example.com": hashes("root", "b")})), "example.com")
    assert not Scene(sent=(ROGUE, ROGUE_ICA, ICA, ROOT), roots=(ROOT, ROGUE_ROOT)).judge(rule).accepted


CRASHES = {
    "one pin": {"example.com": hashes("a")},
    "the same pin twice": {"example.com": hashes("a", "a")},
    "no pins": {"example.com": hashes()},
    "no pins, not enforced": {"example.com": hashes(EnforcePinning=False)},
    "no list": {"example.com": {"TSKIncludeSubdomains": True}},
    "list is a text": {"example.com": {"TSKPublicKeyHashes": pin_b64("a")}},
    "31 bytes": {"example.com": {"TSKPublicKeyHashes": [pin_b64("a"), "A" * 40 + "AA=="]}},
    "not base64": {"example.com": {"TSKPublicKeyHashes": [pin_b64("a"), "?"]}},
    "no padding": {"example.com": {"TSKPublicKeyHashes": [pin_b64("a"), pin_b64("b")[:-1]]}},
    "a number": {"example.com": {"TSKPublicKeyHashes": [pin_b64("a"), 1]}},
    "no public suffix": {"localhost": GOOD},
    "unknown suffix": {"api.shop.example": GOOD},
    "subdomains of a suffix": {"co.uk": {**GOOD, "TSKIncludeSubdomains": True}},
    "not a dictionary": {"example.com": True},
    "excluded with pins": {
        "example.com": {**GOOD, "TSKIncludeSubdomains": True},
        "x.example.com": {**GOOD, "TSKExcludeSubdomainFromParentPolicy": True},
    },
    "excluded without a parent": {
        "example.com": GOOD,
        "x.other.com": {"TSKExcludeSubdomainFromParentPolicy": True},
    },
    "excluded under a parent that stops at its name": {
        "example.com": GOOD,
        "x.example.com": {"TSKExcludeSubdomainFromParentPolicy": True},
    },
    "a date that is a date": {"example.com": {**GOOD, "TSKExpirationDate": datetime(2027, 1, 1, tzinfo=UTC)}},
}


@pytest.mark.parametrize("domains", CRASHES.values(), ids=CRASHES.keys())
def test_what_trustkit_raises_at_crashes_the_app(domains: object) -> None:
    error = refused(TRUSTKIT, plist(domains))
    assert error.consequence is BadConfig.CRASH
    assert "crashes at launch" in error.problems[0].hint


@pytest.mark.parametrize(
    "tree", [{"TSKConfiguration": True}, {"TSKConfiguration": {"TSKSwizzleNetworkDelegates": True}}]
)
def test_a_configuration_without_domains_crashes_too(tree: dict[str, object]) -> None:
    assert refused(TRUSTKIT, plistlib.dumps(tree)).consequence is BadConfig.CRASH


@pytest.mark.parametrize(
    "domains",
    [{"example.com": hashes("a", EnforcePinning=False)}, {"example.com": hashes("a", "b")}, {"co.uk": GOOD}, {}],
    ids=["one pin, not enforced", "two pins", "a suffix alone", "nothing"],
)
def test_what_trustkit_takes(domains: object) -> None:
    read(TRUSTKIT, plist(domains))


def test_a_list_that_is_the_dictionary_itself_is_read() -> None:
    data = plistlib.dumps({"TSKPinnedDomains": {"example.com": GOOD}})
    assert pins_for(TRUSTKIT, data, "example.com")


def test_a_list_without_trustkit_pins_nothing() -> None:
    assert "nothing-pinned" in findings(TRUSTKIT, plistlib.dumps({"CFBundleName": "x"}))


def test_without_swizzling_coverage_is_up_to_the_code() -> None:
    assert "coverage-by-code" in findings(TRUSTKIT, plist({"example.com": GOOD}, TSKSwizzleNetworkDelegates=False))
    assert "coverage-by-code" not in findings(TRUSTKIT, plist({"example.com": GOOD}))


def test_odd_spellings_and_ended_pins_are_told() -> None:
    spare = pin_b64("a")[:42] + chr(ord(pin_b64("a")[42]) + 1) + "="
    data = plist({"example.com": {"TSKPublicKeyHashes": [spare, pin_b64("b")]}})
    assert pins_for(TRUSTKIT, data, "example.com") == {pin("a"), pin("b")}
    assert "non-canonical-pin" in findings(TRUSTKIT, data)
    ended = plist({"example.com": hashes("a", "b", ExpirationDate="2026-11-23")})
    assert "pins-expired" in findings(TRUSTKIT, ended)
    assert "pins-expired" not in findings(TRUSTKIT, ended, today=date(2026, 11, 22))


def test_what_is_no_property_list_is_an_input_error() -> None:
    with pytest.raises(InputError) as caught:
        read(TRUSTKIT, b"text")
    assert type(caught.value) is InputError
