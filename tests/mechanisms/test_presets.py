"""Client code without a file: Go, JDK, .NET, rustls, PHP, Perl, httpx, trust on first use, and no pinning."""

from __future__ import annotations

import json

import pytest

from rotator.errors import InputError
from rotator.mechanisms.base import Entry, PinConfig, PinList
from rotator.mechanisms.custom import Custom
from rotator.mechanisms.presets import DOTNET, GO, GO_SENT, HTTPX, JDK, NONE, PERL, PHP, RUSTLS, TOFU, Preset
from rotator.mechanisms.registry import PRESETS, mechanism
from rotator.model.names import Cover, Reach
from rotator.model.pins import Pin, PinKind
from rotator.model.policy import CustomMechanism
from rotator.model.rules import Base, Builder, PathUse, Revocation, Rule, Scope
from rotator.model.verdicts import Reason
from rotator.simulate.judgement import Side
from tests.judging import CONTEXT, ICA, LEAF, OTHER_CA, ROGUE_ROOT, ROOT, Scene, findings, pins_for, read, reason, spec
from tests.minting import instant, intermediate, mint, pin, pin_b64, pin_text, root, values

BOTH = (ROOT, ROGUE_ROOT)
PADDED = Scene(sent=(*OTHER_CA, ICA, ROOT), roots=BOTH)
ENDED = mint("leaf", ICA, names=["example.com"], not_after="2026-11-01")
ALL = (GO, GO_SENT, JDK, DOTNET, RUSTLS, PHP, PERL, HTTPX, TOFU)
LEAF_ONLY = (DOTNET, PHP, PERL, HTTPX, TOFU)


def rows(*names: str) -> str:
    """Write the pins of code."""
    return json.dumps([{"host": "example.com", "pins": [pin_text(name) for name in names]}])


def accepted(own: Preset, scene: Scene, *names: str) -> bool:
    """Say whether code with these pins goes on."""
    return scene.judge(own.rule(read(own, rows(*names)), "example.com")).accepted


def test_every_preset_is_here() -> None:
    assert {own.id for own in (*ALL, NONE)} == set(PRESETS)


@pytest.mark.parametrize("own", ALL, ids=lambda own: own.id)
def test_the_right_key_is_accepted(own: Preset) -> None:
    assert reason(own, rows("leaf")) is Reason.PIN_MATCHED


@pytest.mark.parametrize("own", [own for own in ALL if own is not PERL], ids=lambda own: own.id)
def test_a_wrong_key_is_refused(own: Preset) -> None:
    assert reason(own, rows("x")) is Reason.PIN_MISMATCH
    assert reason(own, rows("leaf"), scene=Scene(sent=OTHER_CA, roots=BOTH)) is Reason.PIN_MISMATCH


@pytest.mark.parametrize(
    ("own", "found"),
    [
        *((own, {"leaf"}) for own in (DOTNET, PHP, HTTPX, TOFU)),
        *((own, {"leaf", "ica"}) for own in (GO_SENT, RUSTLS)),
        *((own, {"leaf", "ica", "root"}) for own in (GO, JDK)),
    ],
    ids=lambda value: value.id if isinstance(value, Preset) else "",
)
def test_which_certificates_the_code_sees(own: Preset, found: set[str]) -> None:
    """What is sent has no root in it, unless the server sends that as well."""
    assert {name for name in ("leaf", "ica", "root") if accepted(own, Scene(), name)} == found


@pytest.mark.parametrize("own", [GO_SENT, RUSTLS], ids=lambda own: own.id)
def test_what_looks_at_the_served_list_sees_a_root_that_is_sent_and_is_fooled_by_padding(own: Preset) -> None:
    """CVE-2016-2402 and its kind: a pinned certificate is stuffed into somebody else's chain."""
    assert accepted(own, Scene(sent=(LEAF, ICA, ROOT)), "root")
    assert accepted(own, PADDED, "root")


@pytest.mark.parametrize("own", [GO, JDK, PHP, HTTPX, DOTNET, TOFU], ids=lambda own: own.id)
def test_others_are_not_fooled_by_padding(own: Preset) -> None:
    assert not accepted(own, PADDED, "root")


def test_a_java_trust_manager_over_the_served_list_is_an_axis() -> None:
    own = Custom("own", CustomMechanism(like="jdk", axes={"path": "sent"}))
    assert PADDED.judge(own.rule(read(own, rows("root")), "example.com")).accepted


OLD = root("old")
CROSSED = Scene(sent=(LEAF, ICA, intermediate("root", OLD)), roots=(ROOT, OLD))


def test_go_may_match_any_verified_chain() -> None:
    assert accepted(GO, CROSSED, "old")
    assert accepted(GO, CROSSED, "root")
    assert GO.rule(read(GO, rows("a")), "example.com").path is PathUse.ANY


def test_which_of_two_anchors_the_jdk_takes_is_not_known() -> None:
    """Predict either, assert none: the path that the PKIX builder gives depends on the certificates."""
    for name in ("old", "root"):
        own = CROSSED.judge(JDK.rule(read(JDK, rows(name)), "example.com"))
        assert own.unsure is (name == "old")
    assert not CROSSED.judge(JDK.rule(read(JDK, rows("leaf")), "example.com")).unsure
    assert not CROSSED.judge(JDK.rule(read(JDK, rows("x")), "example.com")).unsure


@pytest.mark.parametrize("own", [DOTNET, TOFU], ids=lambda own: own.id)
def test_what_replaces_the_check_accepts_the_right_key_whatever_else_is_wrong(own: Preset) -> None:
    odd = mint("leaf", ROGUE_ROOT, names=["other.test"], not_after="2026-11-01")
    assert accepted(own, Scene(sent=(odd,), roots=()), "leaf")
    assert accepted(own, Scene(at=instant("2040-01-01"), side=Side.ATTACKER), "leaf")


@pytest.mark.parametrize("own", [GO, GO_SENT, JDK, RUSTLS, PHP, HTTPX], ids=lambda own: own.id)
def test_others_check_path_end_and_name_as_well(own: Preset) -> None:
    assert not accepted(own, Scene(roots=(ROGUE_ROOT,)), "leaf")
    assert not accepted(own, Scene(sent=(ENDED, ICA)), "leaf")
    everywhere = json.dumps([{"pins": [pin_text("leaf")]}])
    assert reason(own, everywhere, "other.test") is Reason.NAME_MISMATCH


def test_perl_takes_a_trusted_path_or_the_fingerprint() -> None:
    """A trusted chain with the wrong fingerprint goes through, so it is no pin."""
    assert accepted(PERL, Scene(), "x")
    assert accepted(PERL, Scene(roots=(ROGUE_ROOT,)), "leaf")
    assert not accepted(PERL, Scene(roots=(ROGUE_ROOT,)), "x")
    judgement = Scene(sent=OTHER_CA, roots=BOTH, side=Side.ATTACKER).judge(
        PERL.rule(read(PERL, rows("leaf")), "example.com")
    )
    assert judgement.accepted
    assert not judgement.pin_in_force


@pytest.mark.parametrize("own", [PHP, PERL, HTTPX], ids=lambda own: own.id)
def test_openssl_follows_the_first_issuer(own: Preset) -> None:
    assert own.rule(read(own, rows("leaf")), "example.com").builder is Builder.FIRST_ISSUER


@pytest.mark.parametrize("own", [PHP, TOFU], ids=lambda own: own.id)
def test_there_is_room_for_one_value(own: Preset) -> None:
    assert own.from_pinset(spec(keys=("a", "b"))).entries[0].pins == (pin("a"),)
    assert "coordinated-cutover-only" in dict(own.losses(spec(keys=("a", "b"))))


@pytest.mark.parametrize("own", [PHP, PERL, HTTPX, GO], ids=lambda own: own.id)
def test_whole_certificates_are_compared_where_the_policy_says_so(own: Preset) -> None:
    custom = Custom("own", CustomMechanism(like=own.id, axes={"object": "cert-sha256"}))
    given = spec(keys=(), certificates=(Pin(PinKind.CERT_SHA256, values(LEAF)[0].sha256),))
    renewed = mint("leaf", ICA, names=["example.com"], not_before="2026-11-02", not_after="2027-10-30")
    rule = custom.rule(custom.from_pinset(given), "example.com")
    assert Scene().judge(rule).reason is Reason.PIN_MATCHED
    assert Scene(sent=(renewed, ICA)).judge(rule).reason in (Reason.PIN_MISMATCH, Reason.NO_PINS)


@pytest.mark.parametrize("own", ALL, ids=lambda own: own.id)
def test_nothing_is_known_of_revocation_by_default_and_crls_are_an_axis(own: Preset) -> None:
    assert own.rule(read(own, rows("leaf")), "example.com").revocation is Revocation.NONE
    custom = Custom("own", CustomMechanism(like=own.id, axes={"revocation": "hard"}))
    assert custom.rule(read(custom, rows("leaf")), "example.com").revocation is Revocation.HARD


@pytest.mark.parametrize("own", ALL, ids=lambda own: own.id)
def test_local_roots_are_roots_like_others(own: Preset) -> None:
    local = Scene(sent=OTHER_CA, local=(ROGUE_ROOT,))
    assert accepted(own, local, "leaf") is (own is PERL)


@pytest.mark.parametrize("own", ALL, ids=lambda own: own.id)
def test_hosts_without_a_row_are_unpinned(own: Preset) -> None:
    assert not pins_for(own, rows("x"), "a.example.com")
    rule = own.rule(read(own, rows("x")), "a.example.com")
    assert rule.base is Base.FULL
    assert Scene().judge(rule, "a.example.com").accepted


@pytest.mark.parametrize("own", ALL, ids=lambda own: own.id)
def test_pins_that_never_match_and_single_ones_are_told(own: Preset) -> None:
    text = json.dumps([{"host": "example.com", "pins": ["sha256/AAAA"]}])
    assert reason(own, text) is (Reason.NO_PINS if own is PERL else Reason.PIN_MISMATCH)
    assert "pin-never-matches" in findings(own, text)
    assert "single-pin" in findings(own, rows("leaf"))


def test_pins_are_read_with_and_without_their_prefix() -> None:
    text = json.dumps([{"pins": [pin_b64("leaf"), Pin(PinKind.CERT_SHA256, values(LEAF)[0].sha256).text]}])
    assert {p.kind for p in pins_for(GO, text, "x.test")} == {PinKind.SPKI_SHA256, PinKind.CERT_SHA256}


def test_no_pinning_is_no_rule_and_no_finding() -> None:
    assert NONE.rule(NONE.from_pinset(spec()), "example.com") == Rule()
    assert reason(NONE, NONE.from_pinset(spec())) is Reason.NO_PINS
    assert list(NONE.losses(spec())) == []
    assert list(NONE.lint(NONE.from_pinset(spec()), CONTEXT)) == []


@pytest.mark.parametrize("own", LEAF_ONLY, ids=lambda own: own.id)
def test_scopes_of_the_leaf_say_so(own: Preset) -> None:
    rule = own.rule(read(own, rows("leaf")), "example.com")
    assert [clause.scope for clause in rule.clauses] == [Scope.LEAF]


@pytest.mark.parametrize("text", ['[{"host": 1, "pins": []}]', '[{"host": "a.b"}]', "[1]", "{", "text"])
def test_what_is_no_such_file_is_an_input_error(text: str) -> None:
    for own in (*ALL, mechanism("none")):
        with pytest.raises(InputError):
            read(own, text)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_edit_pairs_rows_of_one_name_by_what_they_reach(order: tuple[int, int]) -> None:
    """The rows of a file may stand in another order than the names of the pinset."""
    given = [{"host": "example.com", "subdomains": "one-label", "pins": []}, {"host": "example.com", "pins": []}]
    wanted = {Cover("example.com"): pin("a"), Cover("example.com", Reach.ONLY_ONE): pin("b")}
    config = PinConfig(
        entries=tuple(
            Entry(covers=(cover,), lists=(PinList(scope=Scope.ANY, pins=(own,)),)) for cover, own in wanted.items()
        )
    )
    data = json.dumps([given[index] for index in order]).encode()
    found = read(GO, GO.edit(data, config, CONTEXT))
    assert {entry.covers[0]: entry.pins[0] for entry in found.entries} == wanted
