"""curl's pinnedpubkey: the leaf's key only, compared as text."""

from __future__ import annotations

from datetime import date

import pytest

from rotator.errors import InputError
from rotator.mechanisms.base import PinConfig
from rotator.mechanisms.curl import MECHANISM as CURL
from rotator.model.names import Cover, Reach
from rotator.model.rules import Builder, LocalRoots, PathUse, Scope
from rotator.model.verdicts import Reason
from tests.judging import (
    CONTEXT,
    ROGUE,
    ROGUE_ICA,
    ROGUE_ROOT,
    ROOT,
    Scene,
    diff,
    findings,
    pins_for,
    read,
    spec,
)
from tests.minting import mint, pin, pin_b64, public_pem, spki_der

LEAF = f"sha256//{pin_b64('leaf')}"
WRONG = f"sha256//{pin_b64('wrong')}"
SPARE = pin_b64("leaf")[:42] + chr(ord(pin_b64("leaf")[42]) + 1) + "="


def reason(data: bytes | str, host: str = "example.com", scene: Scene | None = None) -> Reason:
    """Judge a value."""
    return (scene or Scene()).judge(CURL.rule(read(CURL, data), host), host).reason


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (LEAF, Reason.PIN_MATCHED),
        (f"{WRONG};{LEAF}", Reason.PIN_MATCHED),
        (WRONG, Reason.PIN_MISMATCH),
        (f"sha256//{pin_b64('ica')}", Reason.PIN_MISMATCH),
        (f"sha256//{pin_b64('root')}", Reason.PIN_MISMATCH),
        (f"{LEAF};", Reason.PIN_MISMATCH),
        (f"{WRONG};{LEAF};", Reason.PIN_MISMATCH),
        (f"{LEAF};{WRONG};", Reason.PIN_MATCHED),
        (f"{WRONG}; {LEAF}", Reason.PIN_MISMATCH),
        (LEAF[:-1], Reason.PIN_MISMATCH),
        (LEAF.replace("+", "-").replace("=", "-"), Reason.PIN_MISMATCH),
        (f"sha256//{SPARE}", Reason.PIN_MISMATCH),
        ("sha256//", Reason.PIN_MISMATCH),
    ],
    ids=[
        "leaf",
        "bad;leaf",
        "bad",
        "intermediate (28)",
        "root",
        "trailing ;",
        "trailing ; behind the right one (29)",
        "trailing ; behind a wrong one",
        "space behind ;",
        "no padding",
        "URL-safe",
        "spare bits",
        "empty",
    ],
)
def test_a_bare_value_is_compared_as_text_with_the_leaf(value: str, expected: Reason) -> None:
    assert reason(value) is expected
    assert reason(f'pinnedpubkey = "{value}"\n') is expected


def test_the_path_and_the_name_are_checked_first() -> None:
    """Exit 60 comes before exit 90."""
    ended = mint("leaf", ROOT, names=["example.com"], not_after="2026-11-01")
    assert reason(LEAF, scene=Scene(sent=(ended,))) is Reason.CHAIN_EXPIRED
    assert reason(LEAF, "other.test") is Reason.NAME_MISMATCH
    assert reason(WRONG, "other.test") is Reason.NAME_MISMATCH
    assert reason(LEAF, scene=Scene(roots=(ROGUE_ROOT,))) is Reason.NO_PATH


def test_every_host_of_the_transfer_is_pinned() -> None:
    assert pins_for(CURL, LEAF, "anything.test") == {pin("leaf")}


def test_axes_are_those_of_the_table() -> None:
    rule = CURL.rule(read(CURL, LEAF), "example.com")
    assert (rule.path, rule.builder, rule.local_roots, rule.expiry) == (
        PathUse.LEAF,
        Builder.FIRST_ISSUER,
        LocalRoots.ENFORCE,
        None,
    )
    assert {clause.scope for clause in rule.clauses} == {Scope.LEAF}
    assert not Scene(sent=(ROGUE, ROGUE_ICA), local=(ROGUE_ROOT,)).judge(rule).accepted


def test_curl_falls_back_to_the_common_name() -> None:
    old = mint("example.com", ROOT, key_name="leaf")
    assert reason(LEAF, scene=Scene(sent=(old,))) is Reason.PIN_MATCHED


@pytest.mark.parametrize(
    "line",
    [
        f"pinnedpubkey = {LEAF}",
        f"pinnedpubkey={LEAF}",
        f"pinnedpubkey: {LEAF}",
        f"--pinnedpubkey {LEAF}",
        f'--pinnedpubkey "{LEAF}"',
        f"  PinnedPubKey = {LEAF}  trailing words",
        f'pinnedpubkey = "{LEAF}" # comment',
        f'pinnedpubkey = "{LEAF.replace("/", chr(92) + "/")}"',
    ],
)
def test_config_files_are_read_as_curl_reads_them(line: str) -> None:
    assert pins_for(CURL, f"# header\nurl = https://example.com\n{line}\n", "example.com") == {pin("leaf")}


def test_the_last_of_several_options_counts() -> None:
    text = f"pinnedpubkey = {WRONG}\npinnedpubkey = {LEAF}\n"
    assert pins_for(CURL, text, "example.com") == {pin("leaf")}
    assert "option-repeated" in findings(CURL, text)


@pytest.mark.parametrize("value", ["sha256/" + pin_b64("leaf"), "key.pem", ""])
def test_anything_else_is_the_name_of_a_key_file_and_fails_closed(value: str) -> None:
    text = f'pinnedpubkey = "{value}"\n'
    assert reason(text) is Reason.PIN_MISMATCH
    assert "pin-never-matches" in findings(CURL, text)


@pytest.mark.parametrize("data", [public_pem("leaf"), spki_der("leaf"), public_pem("leaf") + public_pem("wrong")])
def test_a_key_file_pins_its_first_key(data: bytes) -> None:
    assert reason(data) is Reason.PIN_MATCHED


def test_the_second_key_of_a_file_does_not_count() -> None:
    assert reason(public_pem("wrong") + public_pem("leaf")) is Reason.PIN_MISMATCH


def test_a_certificate_instead_of_a_key_never_matches() -> None:
    certificate = mint("leaf")
    assert reason(certificate.pem) is Reason.PIN_MISMATCH
    assert reason(certificate.der) is Reason.PIN_MISMATCH
    assert "pin-never-matches" in findings(CURL, certificate.pem)


def test_what_can_never_match_is_told() -> None:
    assert "trailing-semicolon" in findings(CURL, f"{LEAF};")
    assert "pin-never-matches" in findings(CURL, LEAF[:-1])
    assert findings(CURL, f"{LEAF};{WRONG}") == {}
    assert "single-pin" in findings(CURL, LEAF)


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "url = https://example.com\n"])
def test_a_file_without_the_option_pins_nothing(text: str) -> None:
    assert read(CURL, text) == PinConfig()
    assert "nothing-pinned" in findings(CURL, text)


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"!!!", b"-----BEGIN PUBLIC KEY-----\n?\n-----END PUBLIC KEY-----"])
def test_what_is_no_pin_at_all_is_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read(CURL, data)
    assert caught.value.problems[0].file == "shipped.file"


# --- writing ----------------------------------------------------------------------------------------------------


def wanted(*keys: str, cover: Cover | None = None) -> PinConfig:
    """Give the configuration of a pinset."""
    return CURL.from_pinset(spec(cover or "example.com", keys=keys))


def test_a_written_file_is_read_as_what_was_meant() -> None:
    data = CURL.render(wanted("a", "b"))
    assert data == f'pinnedpubkey = "sha256//{pin_b64("a")};sha256//{pin_b64("b")}"\n'.encode()
    assert pins_for(CURL, data, "example.com") == {pin("a"), pin("b")}
    assert CURL.render(read(CURL, data)) == data
    assert findings(CURL, data) == {}


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_only_the_option_changes_in_a_config_file(newline: str) -> None:
    text = f'# for the job\nurl = "https://example.com"\npinnedpubkey = "{LEAF}"\n\nsilent\n'.replace("\n", newline)
    new = CURL.edit(text.encode(), wanted("a", "b"), CONTEXT)
    gone, came = diff(text.encode(), new)
    assert gone == [f'pinnedpubkey = "{LEAF}"{newline}'.encode()]
    assert came == [f'pinnedpubkey = "sha256//{pin_b64("a")};sha256//{pin_b64("b")}"{newline}'.encode()]


def test_the_option_that_counts_is_the_one_that_changes() -> None:
    text = f"pinnedpubkey = {WRONG}\npinnedpubkey = {WRONG}\nsilent\n"
    new = CURL.edit(text.encode(), wanted("a"), CONTEXT)
    assert pins_for(CURL, new, "x") == {pin("a")}
    assert new.startswith(f"pinnedpubkey = {WRONG}\n".encode())


@pytest.mark.parametrize("text", ["", "url = https://x.test\nsilent\n", "--silent", "# a comment\n"])
def test_a_config_file_without_the_option_gets_it(text: str) -> None:
    new = CURL.edit(text.encode(), wanted("a"), CONTEXT)
    assert pins_for(CURL, new, "x") == {pin("a")}
    assert new.startswith(text.encode())


@pytest.mark.parametrize("text", [LEAF, LEAF + "\n"])
def test_a_bare_value_stays_a_bare_value(text: str) -> None:
    assert CURL.edit(text.encode(), wanted("a"), CONTEXT) == f"sha256//{pin_b64('a')}\n".encode()


@pytest.mark.parametrize("data", [public_pem("a"), b"!!!\n"])
def test_what_is_no_config_file_is_not_overwritten(data: bytes) -> None:
    with pytest.raises(InputError, match="not a curl config file"):
        CURL.edit(data, wanted("b"), CONTEXT)


def test_a_pinset_pins_its_own_names_only() -> None:
    config = wanted("a", cover=Cover("example.com", Reach.ALL))
    assert CURL.rule(config, "x.example.com").pins == {pin("a")}
    assert CURL.rule(config, "other.test").clauses == ()


def test_authorities_can_never_match_and_are_left_out() -> None:
    given = spec("x.test", "y.test", authorities=("ca",), expires=date(2027, 1, 1))
    assert [loss for loss, _ in CURL.losses(given)] == ["no-expiry", "no-hosts", "leaf-only"]
    assert set(CURL.from_pinset(given).entries[0].pins) == {pin("a"), pin("b")}


def test_a_pinset_of_authorities_alone_refuses_everything() -> None:
    """Leaving the pins out must not mean leaving the connection unpinned."""
    config = CURL.from_pinset(spec(keys=(), authorities=("ca",)))
    assert Scene().judge(CURL.rule(config, "example.com")).reason is Reason.PIN_MISMATCH


def test_a_pinset_of_nothing_pins_nothing() -> None:
    assert CURL.from_pinset(spec(keys=())) == PinConfig()


@pytest.mark.parametrize(
    ("switches", "unchecked"),
    [(("insecure",), True), (("insecure", "no-insecure"), False), (("--no-insecure", "-k"), True)],
)
def test_of_several_switches_the_last_counts(switches: tuple[str, ...], *, unchecked: bool) -> None:
    text = "\n".join((*switches, f'pinnedpubkey = "sha256//{pin_b64("leaf")}"\n'))
    assert ("nothing-else-checked" in findings(CURL, text)) is unchecked
