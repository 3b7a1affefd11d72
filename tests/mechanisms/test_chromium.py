"""Chromium's static pins: the JSON, the keys beside it, bad keys, freshness and local roots."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from rotator.errors import InputError
from rotator.mechanisms.base import Parsed
from rotator.mechanisms.chromium import MECHANISM as CHROMIUM
from rotator.model.rules import LocalRoots, Revocation
from rotator.model.verdicts import Reason
from tests.judging import CONTEXT, ICA, OTHER_CA, ROGUE_ROOT, ROOT, Scene, spec
from tests.minting import instant, pin, pin_text, public_pem

#: 2026-11-01 00:00 UTC, so the list is enforced before 2027-01-10.
STAMP = 1_793_491_200
BOTH = (ROOT, ROGUE_ROOT)


def keys(*names: str, stamp: int | None = STAMP) -> str:
    """Write a .pins file."""
    lines = ["# comment", *(["PinsListTimestamp", str(stamp)] if stamp is not None else [])]
    for name in names:
        lines += [name.capitalize(), pin_text(name), ""]
    return "\n".join(lines)


def pinset(*good: str, bad: tuple[str, ...] = ()) -> dict[str, Any]:
    """Write a pinset."""
    return {
        "name": "p",
        "static_spki_hashes": [name.capitalize() for name in good],
        **({"bad_static_spki_hashes": [name.capitalize() for name in bad]} if bad else {}),
        "report_uri": "http://r.test/x",
    }


def listed(
    *good: str, bad: tuple[str, ...] = (), below: bool = False, entries: list[dict[str, Any]] | None = None
) -> str:
    """Write the JSON, with comments."""
    whole = {
        "pinsets": [pinset(*good, bad=bad)],
        "entries": entries or [{"name": "example.com", "include_subdomains": below, "pins": "p"}],
    }
    return "// a comment\n" + json.dumps(whole, indent=1).replace("[\n", "[\n  // another\n", 1)


def parsed(text: str, beside: str | None = None, today: date = CONTEXT.today) -> Parsed:
    """Read the JSON with the keys beside it."""
    names = keys("leaf", "ica", "root", "x", "b", "rogue-ica") if beside is None else beside
    context = replace(CONTEXT, sibling=lambda _: names.encode() if names else None, today=today, decode=_decode)
    return CHROMIUM.parse(text.encode(), context)


def _decode(data: bytes) -> tuple[Any, ...]:
    from rotator.files.pem import decode

    return decode(data)


def reason(text: str, host: str = "example.com", scene: Scene | None = None) -> Reason:
    """Judge a list."""
    return (scene or Scene()).judge(CHROMIUM.rule(parsed(text).config, host), host).reason


def ids(found: Parsed) -> set[str]:
    """Give the findings."""
    return {finding.id for finding in found.findings}


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        (("leaf",), (), Reason.PIN_MATCHED),
        (("root", "b"), (), Reason.PIN_MATCHED),
        (("x",), (), Reason.PIN_MISMATCH),
        (("leaf",), ("ica",), Reason.PIN_MISMATCH),
        (("leaf",), ("x",), Reason.PIN_MATCHED),
        ((), ("ica",), Reason.PIN_MISMATCH),
        ((), ("x",), Reason.PIN_MATCHED),
    ],
    ids=["leaf", "root", "wrong", "bad beats good", "bad not there", "bad alone", "bad alone, not there"],
)
def test_no_key_is_bad_and_one_is_good_where_good_ones_are_named(
    good: tuple[str, ...], bad: tuple[str, ...], expected: Reason
) -> None:
    assert reason(listed(*good, bad=bad)) is expected


def test_a_list_of_bad_keys_alone_is_a_list_and_says_so() -> None:
    found = parsed(listed(bad=("x",)))
    assert "nothing-pinned" not in ids(found)
    assert CHROMIUM.rule(found.config, "example.com").sentence.startswith("none of 1 forbidden key")


@pytest.mark.parametrize(
    ("at", "expected"),
    [("2027-01-09T23:59:59", Reason.PIN_MISMATCH), ("2027-01-10T00:00:00", Reason.PINS_EXPIRED)],
)
def test_a_list_is_enforced_for_less_than_seventy_days(at: str, expected: Reason) -> None:
    """Vector 26: a list that is 70 days old is open."""
    assert reason(listed("x"), scene=Scene(at=instant(at))) is expected


def test_bad_keys_lapse_with_the_list() -> None:
    assert reason(listed("leaf", bad=("ica",)), scene=Scene(at=instant("2027-01-10"))) is Reason.PINS_EXPIRED


def test_an_old_list_is_told() -> None:
    assert "list-is-old" in ids(parsed(listed("leaf", "b"), today=date(2027, 1, 10)))
    assert "list-is-old" not in ids(parsed(listed("leaf", "b"), today=date(2027, 1, 9)))


@pytest.mark.parametrize("text", [listed("leaf"), listed("leaf", bad=("rogue-ica",)), listed(bad=("rogue-ica",))])
def test_local_roots_bypass_pins_and_bad_keys_too(text: str) -> None:
    assert reason(text, scene=Scene(sent=OTHER_CA, local=(ROGUE_ROOT,))) is Reason.LOCAL_ROOT_BYPASS
    assert reason(text, scene=Scene(sent=OTHER_CA, roots=BOTH)) is Reason.PIN_MISMATCH
    assert CHROMIUM.rule(parsed(text).config, "example.com").local_roots is LocalRoots.BYPASS


def test_the_most_specific_entry_that_reaches_the_host_decides() -> None:
    whole = json.dumps(
        {
            "pinsets": [
                {"name": "far", "static_spki_hashes": ["X"]},
                {"name": "near", "static_spki_hashes": ["Leaf"]},
                {"name": "own", "static_spki_hashes": ["B"]},
            ],
            "entries": [
                {"name": "example.com", "include_subdomains": True, "pins": "far"},
                {"name": "a.example.com", "include_subdomains": True, "pins": "near"},
                {"name": "b.a.example.com", "pins": "own"},
                {"name": "no-pins.example.com", "mode": "force-https"},
            ],
        }
    )
    config = parsed(whole).config
    found = {
        host: CHROMIUM.rule(config, host).pins
        for host in ("b.a.example.com", "c.a.example.com", "c.example.com", "x.b.a.example.com", "other.test")
    }
    assert found == {
        "b.a.example.com": {pin("b")},
        "c.a.example.com": {pin("leaf")},
        "c.example.com": {pin("x")},
        "x.b.a.example.com": {pin("leaf")},
        "other.test": frozenset(),
    }


@pytest.mark.parametrize(
    ("flags", "below"),
    [
        ({"include_subdomains": True}, True),
        ({"include_subdomains_for_pinning": True}, True),
        ({"include_subdomains": False, "include_subdomains_for_pinning": True}, True),
        ({"include_subdomains": False}, False),
        ({}, False),
    ],
)
def test_both_names_of_the_flag(flags: dict[str, bool], *, below: bool) -> None:
    """Older, combined lists have `include_subdomains_for_pinning` beside the flag for HTTPS."""
    config = parsed(listed("leaf", entries=[{"name": "example.com", "pins": "p", **flags}])).config
    assert bool(CHROMIUM.rule(config, "a.example.com").pins) is below


def test_keys_are_digests_public_keys_and_certificates() -> None:
    beside = (
        "PinsListTimestamp\n1793491200\n\n# the leaf\nLeaf\n"
        + public_pem("leaf").decode()
        + "\nIca\n"
        + ICA.pem.decode()
        + f"\nRoot\n{pin_text('root')}\n"
    )
    found = parsed(listed("leaf", "ica", "root"), beside)
    assert found.names == {"Leaf": pin("leaf"), "Ica": pin("ica"), "Root": pin("root")}
    assert CHROMIUM.rule(found.config, "example.com").pins == {pin("leaf"), pin("ica"), pin("root")}


def test_a_file_of_keys_alone_gives_names() -> None:
    found = CHROMIUM.parse(keys("leaf", "b").encode(), CONTEXT)
    assert found.names == {"Leaf": pin("leaf"), "B": pin("b")}
    assert "names-only" in {finding.id for finding in found.findings}


def test_without_the_keys_beside_it_nothing_can_be_looked_up() -> None:
    found = CHROMIUM.parse(listed("leaf").encode(), CONTEXT)
    assert {"names-missing", "nothing-pinned"} <= {finding.id for finding in found.findings}


def test_only_branded_builds_enforce() -> None:
    assert "branded-builds" in ids(parsed(listed("leaf", "b")))


@pytest.mark.parametrize(
    "beside",
    [
        "PinsListTimestamp\nsoon\n",
        "PinsListTimestamp\n",
        "Leaf\n",
        "Leaf\nOther\n",
        "Leaf\nsha256/AAAA\n",
        pin_text("leaf"),
        "Leaf\n-----BEGIN PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "Leaf\n-----BEGIN PUBLIC KEY-----\n?\n-----END PUBLIC KEY-----\n",
        "Leaf\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "<<<<<<< HEAD\nPinsListTimestamp\n1\n",
    ],
)
def test_broken_files_of_keys_are_input_errors(beside: str) -> None:
    with pytest.raises(InputError):
        parsed(listed(), beside)


@pytest.mark.parametrize(
    "text",
    [
        listed("unknown"),
        listed("leaf", entries=[{"name": "example.com", "pins": "q"}]),
        json.dumps({"pinsets": {}, "entries": []}),
        json.dumps({"pinsets": [], "entries": {}}),
        json.dumps({"pinsets": [{"name": "p", "static_spki_hashes": 3}], "entries": [{"name": "a.b", "pins": "p"}]}),
        json.dumps({"pinsets": [{"name": "p", "static_spki_hashes": [[]]}], "entries": [{"name": "a.b", "pins": "p"}]}),
        "{",
        "{" * 5000,
    ],
)
def test_broken_lists_are_input_errors(text: str) -> None:
    with pytest.raises(InputError):
        parsed(text)


def test_the_list_is_somebody_elses() -> None:
    with pytest.raises(InputError, match="never written"):
        CHROMIUM.render(parsed(listed("leaf")).config)


def test_certificates_sent_beside_the_path_do_not_count() -> None:
    padded = Scene(sent=(*OTHER_CA, ICA, ROOT), roots=BOTH)
    assert reason(listed("root"), scene=padded) is Reason.PIN_MISMATCH


def test_a_pinset_ends_with_its_list_and_without_an_end_that_is_told() -> None:
    ends = CHROMIUM.from_pinset(spec(expires=date(2027, 1, 10)))
    answer = Scene(at=instant("2027-01-10")).judge(CHROMIUM.rule(ends, "example.com"))
    assert answer.reason is Reason.PINS_EXPIRED
    assert "ends-by-itself" not in dict(CHROMIUM.losses(spec(expires=date(2027, 1, 10))))
    losses = dict(CHROMIUM.losses(spec()))
    assert "70 days after the timestamp" in losses["ends-by-itself"]
    assert "no-expiry" not in losses


def test_revocation_is_what_a_crlset_may_know() -> None:
    for host in ("example.com", "other.test"):
        assert CHROMIUM.rule(parsed(listed("leaf", "b")).config, host).revocation is Revocation.SOFT
