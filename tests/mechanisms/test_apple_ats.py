"""Apple NSPinnedDomains: what the system reads, and for which hosts."""

from __future__ import annotations

import plistlib
from datetime import date
from typing import Any

import pytest

from rotator.errors import InputError
from rotator.mechanisms.apple_ats import MECHANISM as APPLE
from rotator.model.rules import LocalRoots, Revocation, Scope
from rotator.model.verdicts import Reason
from tests.judging import ICA, LEAF, ROGUE, ROGUE_ICA, ROGUE_ROOT, ROOT, Scene, findings, pins_for, read, spec
from tests.minting import mint, pin, pin_b64

Domain = dict[str, Any]


def identities(*names: str) -> list[dict[str, str]]:
    """Write the pins of some names."""
    return [{"SPKI-SHA256-BASE64": pin_b64(name)} for name in names]


def leaf(*names: str, **more: object) -> Domain:
    """Write a domain with a leaf list."""
    return {"NSPinnedLeafIdentities": identities(*names), **more}


def ca(*names: str, **more: object) -> Domain:
    """Write a domain with a CA list."""
    return {"NSPinnedCAIdentities": identities(*names), **more}


BELOW = {"NSIncludesSubdomains": True}


def plist(domains: object, **more: object) -> bytes:
    """Write an Info.plist."""
    return plistlib.dumps({"NSAppTransportSecurity": {"NSPinnedDomains": domains}, **more})


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("example.com", True),
        ("a.example.com", True),
        ("b.a.example.com", False),
        ("com", False),
        ("badexample.com", False),
    ],
)
def test_subdomains_reach_one_label_only(host: str, *, covered: bool) -> None:
    """Vector 10: a.b.example.com is unpinned."""
    data = plist({"example.com": leaf("leaf", **BELOW)})
    assert bool(pins_for(APPLE, data, host)) is covered
    assert "one-label-only" in findings(APPLE, data)


def test_without_the_flag_only_the_name_itself() -> None:
    assert not pins_for(APPLE, plist({"example.com": leaf("leaf")}), "a.example.com")
    assert pins_for(APPLE, plist({"Example.COM": leaf("leaf")}), "example.com")


@pytest.mark.parametrize("value", [1, "YES", "true", False])
def test_only_a_true_flag_reaches_below(value: object) -> None:
    data = plist({"example.com": leaf("leaf", NSIncludesSubdomains=value)})
    assert not pins_for(APPLE, data, "a.example.com")


@pytest.mark.parametrize("name", ["*.example.com", "https://example.com", "example.com:443", "example.com."])
def test_names_that_no_host_has_pin_nothing_and_are_told(name: str) -> None:
    data = plist({name: leaf("leaf", **BELOW)})
    assert not pins_for(APPLE, data, "example.com")
    assert not pins_for(APPLE, data, "a.example.com")
    assert "domain-never-matches" in findings(APPLE, data)


@pytest.mark.parametrize(
    ("domain", "reason"),
    [
        (leaf("leaf"), Reason.PIN_MATCHED),
        (leaf("wrong", "leaf"), Reason.PIN_MATCHED),
        (leaf("ica"), Reason.PIN_MISMATCH),
        (leaf("root"), Reason.PIN_MISMATCH),
        (ca("ica"), Reason.PIN_MATCHED),
        (ca("root"), Reason.PIN_MATCHED),
        (ca("leaf"), Reason.PIN_MISMATCH),
        ({**leaf("leaf"), **ca("root")}, Reason.PIN_MATCHED),
        ({**leaf("leaf"), **ca("wrong")}, Reason.PIN_MISMATCH),
        ({**leaf("wrong"), **ca("root")}, Reason.PIN_MISMATCH),
    ],
    ids=[
        "leaf",
        "one of two",
        "CA hash in leaf list",
        "root hash in leaf list",
        "intermediate",
        "root",
        "leaf hash in CA list (12)",
        "both",
        "leaf ok, CA wrong (11)",
        "leaf wrong, CA ok",
    ],
)
def test_each_list_looks_at_its_own_place_and_both_must_match(domain: Domain, reason: Reason) -> None:
    rule = APPLE.rule(read(APPLE, plist({"example.com": domain})), "example.com")
    assert Scene().judge(rule).reason is reason


def test_a_chain_of_one_fails_every_ca_list() -> None:
    rule = APPLE.rule(read(APPLE, plist({"example.com": ca("own")})), "example.com")
    own = mint("own", names=["example.com"])
    assert Scene(sent=(own,), roots=(own,)).judge(rule).reason is Reason.PIN_MISMATCH


def test_all_matching_entries_add_up() -> None:
    """Vector 13: the exact entry pins K1, the parent entry K2, the server has K2."""
    data = plist({"a.example.com": leaf("other"), "example.com": leaf("leaf", **BELOW)})
    rule = APPLE.rule(read(APPLE, data), "a.example.com")
    assert rule.pins == {pin("other"), pin("leaf")}
    assert Scene().judge(rule, "a.example.com").reason is Reason.PIN_MATCHED
    assert "pins-add-up" in findings(APPLE, data)


def test_lists_of_different_entries_become_an_and() -> None:
    data = plist({"a.example.com": leaf("leaf"), "example.com": ca("wrong", **BELOW)})
    rule = APPLE.rule(read(APPLE, data), "a.example.com")
    assert [clause.scope for clause in rule.clauses] == [Scope.LEAF, Scope.CA]
    assert Scene().judge(rule, "a.example.com").reason is Reason.PIN_MISMATCH


def test_nothing_ends_and_nothing_is_reported_only() -> None:
    rule = APPLE.rule(read(APPLE, plist({"example.com": leaf("leaf")})), "example.com")
    assert rule.expiry is None
    assert [loss for loss, _ in APPLE.losses(spec(expires=date(2027, 1, 1)))] == ["no-expiry"]


def test_a_user_root_does_not_bypass_pins() -> None:
    rule = APPLE.rule(read(APPLE, plist({"example.com": leaf("leaf")})), "example.com")
    assert rule.local_roots is LocalRoots.ENFORCE
    assert rule.revocation is Revocation.SOFT
    judgement = Scene(sent=(ROGUE, ROGUE_ICA), local=(ROGUE_ROOT,)).judge(rule)
    assert judgement.reason is Reason.PIN_MISMATCH


def test_certificates_sent_along_do_not_count() -> None:
    rule = APPLE.rule(read(APPLE, plist({"example.com": ca("root")})), "example.com")
    assert Scene(sent=(ROGUE, ROGUE_ICA, ICA, ROOT), roots=(ROOT, ROGUE_ROOT)).judge(rule).accepted is False


@pytest.mark.parametrize(
    "entry",
    [
        {"SPKI-SHA256-BASE64": pin_b64("x")[:-1]},
        {"SPKI-SHA256-BASE64": "not base64!"},
        {"SPKI-SHA256-BASE64": 12},
        {"SPKI-SHA-256": pin_b64("x")},
        pin_b64("x"),
    ],
    ids=["no padding", "text", "number", "other key", "no dictionary"],
)
def test_what_does_not_decode_is_dropped_and_told(entry: object) -> None:
    data = plist({"example.com": {"NSPinnedLeafIdentities": [entry, *identities("leaf")]}})
    assert pins_for(APPLE, data, "example.com") == {pin("leaf")}
    assert "pin-never-matches" in findings(APPLE, data)


def test_a_list_left_empty_refuses_everything() -> None:
    data = plist({"example.com": {"NSPinnedLeafIdentities": [{"SPKI-SHA256-BASE64": "?"}]}})
    judgement = Scene().judge(APPLE.rule(read(APPLE, data), "example.com"))
    assert judgement.reason is Reason.PIN_MISMATCH
    assert "empty-list" in findings(APPLE, data)


def test_a_digest_of_another_length_is_kept_and_never_matches() -> None:
    data = plist({"example.com": {"NSPinnedLeafIdentities": [{"SPKI-SHA256-BASE64": "AAAA"}, *identities("leaf")]}})
    config = read(APPLE, data)
    assert config.entries[0].lists[0].dead == ("AAAA",)
    assert "pin-never-matches" in findings(APPLE, data)


@pytest.mark.parametrize(
    "tree",
    [
        {"NSAppTransportSecurity": {"NSExceptionDomains": {"example.com": {"NSPinnedDomains": leaf("leaf")}}}},
        {"NSAppTransportSecurity": {"NSExceptionDomains": {"example.com": {"NSPinnedDomains": True}}}},
        {"NSAppTransportSecurity": {"NSExceptionDomains": {"example.com": {"NSPublicKeyHashes": ["x"]}}}},
        {"NSAppTransportSecurity": {"NSPinnedDomainsCertificateChain": {}}},
        {"NSPinnedDomains": {"example.com": leaf("leaf")}},
        {"NSAppTransportSecurity": {"NSPinnedDomains": {"example.com": {"NSPublicKeyHashes": ["x"]}}}},
        {"NSAppTransportSecurity": {"NSPinnedDomains": {"example.com": True}}},
        {"NSAppTransportSecurity": {"NSPinnedDomains": True}},
        {"NSAppTransportSecurity": True},
        {},
    ],
    ids=[
        "in exceptions",
        "flag in exceptions",
        "invented hashes",
        "invented chain",
        "not in ATS",
        "invented in domain",
        "domain is a flag",
        "domains are a flag",
        "ATS is a flag",
        "nothing",
    ],
)
def test_what_pins_nothing_is_told(tree: dict[str, object]) -> None:
    data = plistlib.dumps(tree)
    assert not pins_for(APPLE, data, "example.com")
    assert "nothing-pinned" in findings(APPLE, data)


def test_placeholders_left_in_are_told() -> None:
    data = plist(
        {"example.com": {"NSPinnedLeafIdentities": [{"SPKI-SHA256-BASE64": "BACKUP_HASH_HERE"}, *identities("leaf")]}}
    )
    assert "pin-never-matches" in findings(APPLE, data)
    junk = plist({"example.com": {"NSPinnedLeafIdentities": [{"SPKI-SHA256-BASE64": "A" * 43 + "="}]}})
    assert "junk-pin" in findings(APPLE, junk)


def test_unknown_settings_are_told() -> None:
    assert "unknown-setting" in findings(APPLE, plist({"example.com": leaf("leaf", NSRequiresCertificate=True)}))


def test_binary_lists_are_read() -> None:
    data = plistlib.dumps(plistlib.loads(plist({"example.com": leaf("leaf")})), fmt=plistlib.FMT_BINARY)
    assert pins_for(APPLE, data, "example.com") == {pin("leaf")}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        b"<plist><array/></plist>",
        b"bplist00nonsense",
        b"<plist><dict>",
        b"<plist>" + b"<array>" * 200 + b"</array>" * 200 + b"</plist>",
        b'<!DOCTYPE p [<!ENTITY a "b">]><plist><dict><key>&a;</key><true/></dict></plist>',
        b"<plist><dict><key>a</key></dict></plist>",
        b"<plist><dict><key>a</key><date>nonsense</date></dict></plist>",
    ],
    ids=["empty", "text", "array", "binary", "cut", "deep", "entities", "odd", "date"],
)
def test_what_is_no_property_list_is_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read(APPLE, data)
    assert caught.value.problems[0].file == "shipped.file"


def test_a_binary_list_that_names_itself_again_and_again_is_refused() -> None:
    """A small file that unfolds into billions of values."""
    value: object = "x"
    for _ in range(30):
        value = [value] * 10
    with pytest.raises(InputError):
        read(APPLE, plistlib.dumps({"a": value}, fmt=plistlib.FMT_BINARY))


def test_a_leaf_is_not_accepted_for_another_host() -> None:
    rule = APPLE.rule(read(APPLE, plist({"other.test": leaf("leaf")})), "other.test")
    assert Scene(sent=(LEAF, ICA)).judge(rule, "other.test").reason is Reason.NAME_MISMATCH
