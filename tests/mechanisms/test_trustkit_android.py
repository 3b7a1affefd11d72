"""TrustKit for Android: what the platform enforces, what TrustKit makes of it on its own connections."""

from __future__ import annotations

from datetime import date

import pytest

from rotator.errors import InputError
from rotator.mechanisms.android_nsc import MECHANISM as NSC
from rotator.mechanisms.base import ConfigRejectedError
from rotator.mechanisms.trustkit_android import MECHANISM as TRUSTKIT
from rotator.model.rules import LocalRoots, Mode
from rotator.model.verdicts import Reason
from rotator.simulate.judgement import Side
from tests.judging import CONTEXT, OTHER_CA, ROGUE_ROOT, ROOT, Scene, findings, pins_for, read, reason, refused, spec
from tests.minting import instant, pin, pin_b64

ENFORCE = '<trustkit-config enforcePinning="true"/>'
REPORT = '<trustkit-config enforcePinning="false"/>'
BOTH = (ROOT, ROGUE_ROOT)


def pins(*names: str, digest: str = "SHA-256", attributes: str = "") -> str:
    """Write a pin-set."""
    inner = "".join(f'<pin digest="{digest}">{pin_b64(name)}</pin>' for name in names)
    return f"<pin-set{attributes}>{inner}</pin-set>"


def block(*inner: str, domains: tuple[str, ...] = ("example.com",), below: bool = False) -> str:
    """Write a domain-config."""
    flag = ' includeSubdomains="true"' if below else ""
    names = "".join(f"<domain{flag}>{name}</domain>" for name in domains)
    return f"<domain-config>{names}{''.join(inner)}</domain-config>"


def nsc(*blocks: str) -> str:
    """Write a whole file."""
    return f"<network-security-config>{''.join(blocks)}</network-security-config>"


GOOD = nsc(block(pins("leaf", "b"), ENFORCE))


@pytest.mark.parametrize("name", ["leaf", "ica", "root"])
def test_any_certificate_of_the_built_path_matches(name: str) -> None:
    assert reason(TRUSTKIT, nsc(block(pins(name, "b"), ENFORCE))) is Reason.PIN_MATCHED


def test_a_wrong_pin_is_refused_for_certain_where_both_enforce() -> None:
    judgement = Scene().judge(TRUSTKIT.rule(read(TRUSTKIT, nsc(block(pins("x", "b"), ENFORCE))), "example.com"))
    assert judgement.reason is Reason.PIN_MISMATCH
    assert not judgement.unsure


@pytest.mark.parametrize(
    "config", ["", REPORT, "<trustkit-config/>", '<trustkit-config enforcePinning="yes"/>'], ids=lambda c: c or "none"
)
def test_report_only_is_the_default_on_its_own_connections_and_the_platform_enforces_elsewhere(config: str) -> None:
    """Vector 19: a wrong key is let through by TrustKit and refused by the platform, so neither is certain."""
    rule = TRUSTKIT.rule(read(TRUSTKIT, nsc(block(pins("x", "b"), config))), "example.com")
    ours = Scene().judge(rule)
    assert (ours.accepted, ours.unsure) == (False, True)
    theirs = Scene(sent=OTHER_CA, roots=BOTH, side=Side.ATTACKER).judge(rule)
    assert (theirs.accepted, theirs.unsure) == (True, True)
    assert rule.mode is Mode.ENFORCE
    assert rule.other is not None
    assert rule.other.mode is Mode.REPORT_ONLY


def test_a_missing_flag_is_told_and_a_given_one_is_not() -> None:
    assert "enforcement-missing" in findings(TRUSTKIT, nsc(block(pins("leaf", "b"))))
    assert "enforcement-missing" in findings(TRUSTKIT, nsc(block(pins("leaf", "b"), "<trustkit-config/>")))
    assert findings(TRUSTKIT, GOOD) == {}
    assert set(findings(TRUSTKIT, nsc(block(pins("leaf", "b"), REPORT)))) == {"report-only-in-part"}


def test_the_right_pin_is_accepted_for_certain_in_report_only() -> None:
    judgement = Scene().judge(TRUSTKIT.rule(read(TRUSTKIT, nsc(block(pins("leaf", "b")))), "example.com"))
    assert (judgement.accepted, judgement.unsure) == (True, False)


def test_a_nested_block_inherits_the_flag() -> None:
    inner = block(pins("x", "b"), domains=("a.example.com",))
    text = nsc(block(pins("leaf", "b"), ENFORCE, inner, below=True))
    assert TRUSTKIT.rule(read(TRUSTKIT, text), "a.example.com").other is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (nsc(block(pins("leaf"), ENFORCE)), "with 1 pins"),
        (nsc(block(pins("leaf", "leaf"), ENFORCE)), "with 1 pins"),
        (nsc(block("<pin-set/>", ENFORCE)), "with 0 pins"),
        (nsc(block(pins("leaf", "b", digest="sha-256"), ENFORCE)), "SHA-256 exactly"),
        (nsc(block(pins("leaf", "b", digest="SHA-1"), ENFORCE)), "digest"),
        (nsc(block(pins("leaf", "b"), ENFORCE), block(pins("leaf", "b"), ENFORCE)), "the same domain twice"),
    ],
    ids=["one pin", "one pin twice", "empty", "digest in small letters", "unknown digest", "domain twice"],
)
def test_what_trustkit_or_the_platform_throws_at(text: str, words: str) -> None:
    assert words in refused(TRUSTKIT, text).problems[0].message


def test_one_pin_or_none_is_taken_where_nothing_is_enforced() -> None:
    assert pins_for(TRUSTKIT, nsc(block(pins("leaf"), REPORT)), "example.com") == {pin("leaf")}
    assert not pins_for(TRUSTKIT, nsc(block("<pin-set/>")), "example.com")


def test_trustkit_keeps_only_the_last_domain_of_a_block() -> None:
    """The platform takes all of them, so its pins hold for the others, and TrustKit has nothing to report there."""
    text = nsc(block(pins("x", "b"), REPORT, domains=("example.com", "a.example.com")))
    config = read(TRUSTKIT, text)
    assert TRUSTKIT.rule(config, "example.com").other is None
    assert TRUSTKIT.rule(config, "a.example.com").other is not None
    for host in ("example.com", "a.example.com"):
        assert not Scene().judge(TRUSTKIT.rule(config, host), host).accepted
    assert "last-domain-only" in findings(TRUSTKIT, text)


@pytest.mark.parametrize("spelt", [pin_b64("leaf").rstrip("="), pin_b64("leaf")[:42] + "B="])
def test_pins_are_compared_as_text_by_trustkit_and_as_bytes_by_the_platform(spelt: str) -> None:
    """An unpadded or non-canonical pin passes TrustKit's checks and never matches there."""
    both = f'<pin-set><pin digest="SHA-256">{spelt}</pin><pin digest="SHA-256">{pin_b64("b")}</pin></pin-set>'
    text = nsc(block(both, ENFORCE))
    judgement = Scene().judge(TRUSTKIT.rule(read(TRUSTKIT, text), "example.com"))
    platform = Scene().judge(NSC.rule(read(NSC, text), "example.com"))
    assert (judgement.accepted, judgement.unsure) == (False, platform.accepted)
    assert {"pin-never-matches", "non-canonical-pin"} <= set(findings(TRUSTKIT, text))


def test_a_right_pin_in_an_odd_spelling_breaks_on_trustkits_connections_alone() -> None:
    spelt = pin_b64("leaf").rstrip("=")
    both = f'<pin-set><pin digest="SHA-256">{spelt}</pin><pin digest="SHA-256">{pin_b64("b")}</pin></pin-set>'
    rule = TRUSTKIT.rule(read(TRUSTKIT, nsc(block(both, ENFORCE))), "example.com")
    assert Scene().judge(rule).unsure
    assert rule.other is not None


def test_hosts_local_roots_and_expiry_are_the_platforms() -> None:
    text = nsc(block(pins("leaf", "b", attributes=' expiration="2026-12-01"'), ENFORCE, below=True))
    for host in ("example.com", "b.a.example.com", "other.test"):
        mine, platform = TRUSTKIT.rule(read(TRUSTKIT, text), host), NSC.rule(read(NSC, text), host)
        assert (mine.pins, mine.expiry, mine.local_roots) == (platform.pins, platform.expiry, platform.local_roots)
    assert TRUSTKIT.rule(read(TRUSTKIT, text), "example.com").local_roots is LocalRoots.UNTRUSTED
    assert TRUSTKIT.expiry(date(2026, 12, 1)) == NSC.expiry(date(2026, 12, 1))
    assert reason(TRUSTKIT, text, scene=Scene(at=instant("2026-12-01T13:00:00"))) is Reason.PINS_EXPIRED


def test_what_android_is_silent_about_is_told_here_too() -> None:
    below = block("<pin-set/>", domains=("a.example.com",))
    assert "unpinned-below" in findings(TRUSTKIT, nsc(block(pins("leaf", "b"), ENFORCE, below=True), below))
    assert "expiry-is-local" in findings(
        TRUSTKIT, nsc(block(pins("leaf", "b", attributes=' expiration="2027-12-01"'), ENFORCE))
    )


def test_a_configuration_put_together_needs_two_pins_where_it_enforces() -> None:
    assert TRUSTKIT.refuse(TRUSTKIT.from_pinset(spec(keys=("a",))), CONTEXT)
    assert not TRUSTKIT.refuse(TRUSTKIT.from_pinset(spec()), CONTEXT)


@pytest.mark.parametrize("data", [b"", b"<x/>", b"<network-security-config>", b"{}"])
def test_what_is_no_such_file_is_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read(TRUSTKIT, data)
    assert not isinstance(caught.value, ConfigRejectedError)
