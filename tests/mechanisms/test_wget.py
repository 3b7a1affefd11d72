"""wget's pinnedpubkey: the leaf's key only, compared as curl compares it, read from a wgetrc."""

from __future__ import annotations

import pytest

from rotator.errors import InputError
from rotator.mechanisms.wget import MECHANISM as WGET
from rotator.model.rules import Base, Builder, LocalRoots, PathUse
from rotator.model.verdicts import Reason
from tests.judging import LEAF, OTHER_CA, ROGUE_ROOT, ROOT, Scene, findings, pins_for, read, reason
from tests.minting import mint, pin, pin_b64, public_pem, spki_der

RIGHT, WRONG = f"sha256//{pin_b64('leaf')}", f"sha256//{pin_b64('wrong')}"
ENDED = mint("leaf", ROGUE_ROOT, names=["other.test"], not_after="2026-11-01")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (RIGHT, Reason.PIN_MATCHED),
        (f"{WRONG};{RIGHT}", Reason.PIN_MATCHED),
        (WRONG, Reason.PIN_MISMATCH),
        (f"sha256//{pin_b64('ica')}", Reason.PIN_MISMATCH),
        (f"sha256//{pin_b64('root')}", Reason.PIN_MISMATCH),
        (f"{WRONG};{RIGHT};", Reason.PIN_MISMATCH),
        (f"{WRONG}; {RIGHT}", Reason.PIN_MISMATCH),
        (RIGHT.rstrip("="), Reason.PIN_MISMATCH),
    ],
    ids=["leaf", "bad;leaf", "bad", "intermediate", "root", "trailing ;", "space behind ;", "no padding"],
)
def test_several_digests_are_compared_as_text_with_the_leaf(value: str, expected: Reason) -> None:
    """Vectors 28 and 29, by wget: exit 5 instead of 90."""
    assert reason(WGET, value) is expected
    assert reason(WGET, f"pinnedpubkey = {value}\n") is expected


@pytest.mark.parametrize(
    "line",
    [f"pinnedpubkey = {RIGHT}", f"pinnedpubkey={RIGHT}", f"pinned_pubkey = {RIGHT}", f"PinnedPubKey = {RIGHT}"],
)
def test_a_wgetrc_is_read_as_wget_reads_it(line: str) -> None:
    assert pins_for(WGET, f"# comment\ntries = 3\n{line}\n", "anything.test") == {pin("leaf")}


def test_quotes_belong_to_the_value() -> None:
    assert reason(WGET, f'pinnedpubkey = "{RIGHT}"\n') is Reason.PIN_MISMATCH
    assert "pin-never-matches" in findings(WGET, f'pinnedpubkey = "{RIGHT}"\n')


@pytest.mark.parametrize("switch", ["check_certificate = off", "check-certificate=no", "checkCertificate = off"])
def test_without_the_check_of_certificates_the_pin_still_holds(switch: str) -> None:
    """`--no-check-certificate` does not disable the pin, and nothing else is looked at."""
    text = f"{switch}\npinnedpubkey = {RIGHT}\n"
    assert WGET.rule(read(WGET, text), "example.com").base is Base.NONE
    assert reason(WGET, text, scene=Scene(sent=(ENDED,))) is Reason.PIN_MATCHED
    assert reason(WGET, text, scene=Scene(sent=OTHER_CA, roots=(ROOT, ROGUE_ROOT))) is Reason.PIN_MISMATCH
    assert "nothing-else-checked" in findings(WGET, text)


def test_with_it_path_end_and_name_are_checked() -> None:
    text = f"check_certificate = on\npinnedpubkey = {RIGHT}\n"
    assert WGET.rule(read(WGET, text), "example.com").base is Base.FULL
    assert not Scene(sent=(ENDED,)).judge(WGET.rule(read(WGET, text), "example.com")).accepted
    assert reason(WGET, text, "other.test") is Reason.NAME_MISMATCH
    assert "nothing-else-checked" not in findings(WGET, text)


def test_a_semicolon_at_the_end_is_told() -> None:
    found = findings(WGET, f"pinnedpubkey = {WRONG};{RIGHT};\n")
    assert "trailing-semicolon" in found
    assert found["trailing-semicolon"].source.startswith("https://www.gnu.org/")


@pytest.mark.parametrize("data", [public_pem("leaf"), spki_der("leaf")])
def test_a_key_file_pins_its_key(data: bytes) -> None:
    assert reason(WGET, data) is Reason.PIN_MATCHED


def test_axes_are_those_of_the_table() -> None:
    rule = WGET.rule(read(WGET, RIGHT), "anything.test")
    assert (rule.path, rule.builder, rule.local_roots, rule.expiry) == (
        PathUse.LEAF,
        Builder.FIRST_ISSUER,
        LocalRoots.ENFORCE,
        None,
    )
    assert reason(WGET, RIGHT, scene=Scene(sent=OTHER_CA, local=(ROGUE_ROOT,))) is Reason.PIN_MISMATCH
    assert reason(WGET, RIGHT, scene=Scene(sent=(LEAF,), roots=(ROOT,))) is Reason.NO_PATH


def test_what_is_no_such_file_is_an_input_error() -> None:
    with pytest.raises(InputError):
        read(WGET, "just words")


@pytest.mark.parametrize(
    ("switches", "unchecked"),
    [("off on", False), ("on off", True), ("off on off", True), ("off yes", False), ("no 1", False), ("1 0", True)],
)
def test_of_several_switches_the_last_counts(switches: str, *, unchecked: bool) -> None:
    lines = "".join(f"check_certificate = {value}\n" for value in switches.split())
    text = f"{lines}pinnedpubkey = {RIGHT}\n"
    assert ("nothing-else-checked" in findings(WGET, text)) is unchecked
