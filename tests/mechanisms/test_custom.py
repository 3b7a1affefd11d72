"""One's own client code: a known mechanism with some axes changed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from rotator.errors import InputError
from rotator.mechanisms.custom import Custom
from rotator.mechanisms.registry import KNOWN_IDS
from rotator.model.names import Cover, Reach
from rotator.model.pins import Pin, PinKind
from rotator.model.pki import TrustStore
from rotator.model.policy import CustomMechanism
from rotator.model.rules import Base, Builder, Expiry, Fallback, LocalRoots, Mode, PathUse, Revocation, Rule, Scope
from rotator.model.verdicts import Reason
from rotator.simulate.judge import judge
from rotator.simulate.judgement import Side, Situation
from tests.desk import NOW
from tests.judging import CONTEXT, ICA, LEAF, ROGUE, ROGUE_ICA, ROGUE_ROOT, ROOT, Scene, read, spec
from tests.minting import instant, mint, pin, pin_b64, pin_text, root, values


def custom(like: str, *, host_rule: str | None = None, runtime: str | None = None, **axes: str) -> Custom:
    """Make a mechanism."""
    return Custom("own", CustomMechanism(like=like, axes=axes, host_rule=host_rule, runtime=runtime))


def test_without_axes_it_is_the_other_mechanism() -> None:
    for like in ("okhttp", "curl", "android-nsc", "apple-ats", "trustkit-ios", "none"):
        own = custom(like)
        given = spec(keys=("leaf", "b"), expires=date(2027, 1, 1))
        assert own.rule(own.from_pinset(given), "example.com") == own.inner.rule(
            own.inner.from_pinset(given), "example.com"
        )


def test_every_axis_reaches_the_rule() -> None:
    own = custom(
        "okhttp",
        path="sent",
        builder="first-issuer",
        base="no-host",
        no_host="closed",
        local_roots="bypass",
        revocation="hard",
        scope="leaf",
    )
    rule = own.rule(own.from_pinset(spec()), "example.com")
    assert (rule.path, rule.builder, rule.base) == (PathUse.SENT, Builder.FIRST_ISSUER, Base.NO_HOST)
    assert (rule.no_host, rule.local_roots, rule.revocation) == (
        Fallback.CLOSED,
        LocalRoots.BYPASS,
        Revocation.HARD,
    )
    assert [clause.scope for clause in rule.clauses] == [Scope.LEAF]


def test_curl_k_checks_nothing_but_the_pin() -> None:
    """Vector 30: right pin, expired certificate; also a wrong name and an unknown root."""
    own = custom("curl", base="none")
    rule = own.rule(own.from_pinset(spec(keys=("leaf",))), "example.com")
    ended = mint("leaf", ROGUE_ROOT, names=["other.test"], not_after="2026-11-01")
    assert Scene(sent=(ended,)).judge(rule).accepted
    assert not Scene(sent=(ROGUE, ROGUE_ICA), roots=(ROGUE_ROOT,)).judge(rule).accepted


@pytest.mark.parametrize(
    ("rule", "hosts"),
    [
        ("exact", {"example.com"}),
        ("one-label", {"example.com", "a.example.com"}),
        ("all", {"example.com", "a.example.com", "b.a.example.com"}),
        ("any", {"example.com", "a.example.com", "b.a.example.com", "other.test"}),
    ],
)
def test_host_rules(rule: str, hosts: set[str]) -> None:
    own = custom("okhttp", host_rule=rule)
    config = own.from_pinset(spec("example.com"))
    every = ("example.com", "a.example.com", "b.a.example.com", "other.test")
    assert {host for host in every if own.rule(config, host).clauses} == hosts


def test_a_closed_client_refuses_a_host_it_does_not_list() -> None:
    own = custom("okhttp", no_host="closed")
    rule = own.rule(own.from_pinset(spec("other.test")), "example.com")
    assert Scene().judge(rule).reason is Reason.HOST_NOT_LISTED


@pytest.mark.parametrize(
    ("like", "axis", "before", "after"),
    [
        ("okhttp", "open", False, True),
        ("okhttp", "closed", False, False),
        ("okhttp", "none", False, False),
        ("trustkit-ios", "closed", False, False),
        ("trustkit-ios", "none", False, False),
        ("trustkit-ios", "open", False, True),
    ],
)
def test_how_pins_end_is_an_axis_even_where_the_other_mechanism_has_no_end(
    like: str, axis: str, *, before: bool, after: bool
) -> None:
    """Wrong pins are refused until they end, then let through where the axis says open."""
    own = custom(like, expiry=axis)
    rule = own.rule(own.from_pinset(spec(keys=("x", "y"), expires=date(2026, 12, 1))), "example.com")
    assert Scene(at=instant("2026-11-30")).judge(rule).accepted is before
    assert Scene(at=instant("2026-12-01")).judge(rule).accepted is after


def test_a_closed_end_refuses_right_pins_too() -> None:
    own = custom("okhttp", expiry="closed")
    rule = own.rule(own.from_pinset(spec(keys=("leaf",), expires=date(2026, 12, 1))), "example.com")
    assert Scene(at=instant("2026-11-30")).judge(rule).reason is Reason.PIN_MATCHED
    assert Scene(at=instant("2026-12-01")).judge(rule).reason is Reason.PINS_EXPIRED


def test_the_end_shown_is_the_end_enforced() -> None:
    for like in ("android-nsc", "trustkit-ios", "okhttp"):
        for axis in ("open", "closed", "none"):
            own = custom(like, expiry=axis)
            rule = own.rule(own.from_pinset(spec(expires=date(2026, 12, 1))), "example.com")
            assert own.expiry(date(2026, 12, 1) if own.says_expiry else None) == rule.expiry, (like, axis)
    own = custom("android-nsc")
    assert own.expiry(date(2026, 12, 1)) == own.inner.expiry(date(2026, 12, 1))


def test_each_host_has_the_end_of_its_own_entry() -> None:
    """The first entry of a file ends early; another host's pins do not, or never."""
    rows = [
        {"host": "early.test", "pins": [pin_text("x")], "expires": "2026-12-01T00:00:00Z"},
        {"host": "example.com", "pins": [pin_text("x")], "expires": "2027-12-01T00:00:00Z"},
    ]
    for axis in ("open", "closed"):
        own = custom("cronet", expiry=axis)
        rule = own.rule(read(own, json.dumps({"rows": rows})), "example.com")
        assert rule.expiry == Expiry.at(instant("2027-12-01"), closed=axis == "closed")
    nsc = custom("android-nsc", expiry="closed")
    domain = "<domain-config><domain>{}</domain><pin-set{}><pin digest='SHA-256'>{}</pin></pin-set></domain-config>"
    early = domain.format("early.test", " expiration='2026-12-01'", pin_b64("x"))
    text = f"<network-security-config>{early}{domain.format('example.com', '', pin_b64('x'))}</network-security-config>"
    assert nsc.rule(read(nsc, text), "example.com").expiry is None


def store(*ends: str) -> str:
    """Write a store of Wultra's: certificates that are not served, for the leaf's name."""
    rows = [
        {"name": "leaf", "fingerprint": pin_b64(f"x{number}"), "expires": int(instant(end).timestamp())}
        for number, end in enumerate(ends)
    ]
    return json.dumps({"fingerprints": rows})


@pytest.mark.parametrize(("axis", "after"), [("open", True), ("closed", False), ("none", False)])
def test_an_axis_holds_after_each_of_several_ends(axis: str, *, after: bool) -> None:
    own = custom("wultra", expiry=axis, no_host=axis if axis != "none" else "closed")
    rule = own.rule(read(own, store("2026-12-01", "2027-01-01", "2027-02-01")), "example.com")
    for at in ("2026-11-30", "2026-12-15", "2027-01-15"):
        assert not Scene(at=instant(at)).judge(rule).accepted, at
    assert Scene(at=instant("2027-02-02")).judge(rule).accepted is after
    assert len(rule.readings) == (1 if axis == "none" else 3)


def test_pins_that_end_closed_do_not_give_way_to_those_of_a_parent() -> None:
    rows = [
        {
            "host": "example.com",
            "pins": [pin_text("leaf")],
            "expires": "2028-01-01T00:00:00Z",
            "includeSubdomains": True,
        },
        {"host": "a.example.com", "pins": [pin_text("leaf")], "expires": "2026-12-01T00:00:00Z"},
    ]
    late = Scene(at=instant("2026-12-02"))
    for axis, expected in (("open", Reason.PIN_MATCHED), ("closed", Reason.PINS_EXPIRED)):
        own = custom("cronet", expiry=axis)
        rule = own.rule(read(own, json.dumps({"rows": rows})), "a.example.com")
        assert late.judge(rule, "a.example.com").reason is expected


def test_leaf_and_ca_asks_nothing_of_a_host_that_is_not_covered() -> None:
    own = custom("okhttp", combine="leaf-and-ca")
    rule = own.rule(own.from_pinset(spec("other.test", keys=("x",), authorities=("y",))), "example.com")
    assert Scene().judge(rule).reason is Reason.HOST_NOT_LISTED


def certificate_pin() -> Pin:
    """Give the pin of the minted leaf's certificate."""
    return Pin(PinKind.CERT_SHA256, values(LEAF)[0].sha256)


def test_a_certificate_pin_breaks_at_a_renewal_with_the_same_key() -> None:
    own = custom("curl", object="cert-sha256")
    rule = own.rule(own.from_pinset(spec(keys=(), certificates=(certificate_pin(),))), "example.com")
    renewed = mint("leaf", ICA, names=["example.com"], not_before="2026-11-02", not_after="2027-10-30")
    assert Scene().judge(rule).reason is Reason.PIN_MATCHED
    assert Scene(sent=(renewed, ICA)).judge(rule).reason is Reason.PIN_MISMATCH


def test_certificate_pins_end_and_report_as_the_pinset_says() -> None:
    own = custom("trustkit-ios", object="cert-sha256")
    given = spec(keys=(), certificates=(certificate_pin(),), expires=date(2026, 12, 1))
    rule = own.rule(own.from_pinset(replace(given, mode=Mode.REPORT_ONLY)), "example.com")
    assert rule.expiry == own.inner.expiry(date(2026, 12, 1))
    assert rule.mode is Mode.REPORT_ONLY


@pytest.mark.parametrize("like", ["okhttp", "android-nsc", "trustkit-ios"])
@pytest.mark.parametrize(
    ("keys", "authorities", "reason"),
    [
        (("leaf", "b"), ("root", "x"), Reason.PIN_MATCHED),
        (("leaf", "b"), ("x",), Reason.PIN_MISMATCH),
        (("a", "b"), ("root",), Reason.PIN_MISMATCH),
        (("root", "b"), ("leaf",), Reason.PIN_MISMATCH),
    ],
)
def test_leaf_and_ca_demands_both(
    like: str, keys: tuple[str, ...], authorities: tuple[str, ...], reason: Reason
) -> None:
    own = custom(like, combine="leaf-and-ca")
    rule = own.rule(own.from_pinset(spec(keys=keys, authorities=authorities)), "example.com")
    assert Scene().judge(rule).reason is reason


@pytest.mark.parametrize(
    ("sent", "roots", "pinned", "accepted"),
    [
        ((LEAF, ICA), (ROOT,), True, True),
        ((LEAF, ICA), (ROOT,), False, True),
        ((LEAF, ICA), (ROGUE_ROOT,), True, True),
        ((LEAF, ICA), (ROGUE_ROOT,), False, False),
    ],
    ids=["path and pin", "path alone", "pin alone", "neither"],
)
def test_path_or_pin_needs_one_of_the_two(
    sent: tuple[object, ...], roots: tuple[object, ...], *, pinned: bool, accepted: bool
) -> None:
    """Perl's fingerprint: a trusted chain with the wrong fingerprint goes through, so it protects nothing."""
    own = custom("curl", combine="path-or-pin")
    rule = own.rule(own.from_pinset(spec(keys=("leaf" if pinned else "x",))), "example.com")
    judgement = Scene(sent=sent, roots=roots).judge(rule)  # type: ignore[arg-type]  # minted certificates
    assert judgement.accepted is accepted
    if accepted and not pinned:
        assert not judgement.pin_in_force


def test_sent_looks_at_what_was_sent_and_any_at_every_path() -> None:
    padded = Scene(sent=(ROGUE, ROGUE_ICA, ICA, ROOT), roots=(ROOT, ROGUE_ROOT))
    for path, accepted in (("built", False), ("sent", True), ("linked", False), ("leaf", False)):
        own = custom("okhttp", path=path)
        assert padded.judge(own.rule(own.from_pinset(spec(keys=("root",))), "example.com")).accepted is accepted, path


def test_the_jvm_cleans_chains_its_own_way() -> None:
    own = custom("okhttp", runtime="jvm")
    assert own.rule(own.from_pinset(spec()), "example.com").builder is Builder.OKHTTP
    assert custom("okhttp", runtime="android").rule(own.from_pinset(spec()), "example.com").builder is Builder.BACKTRACK


def test_files_are_those_of_the_other_mechanism() -> None:
    own = custom("okhttp", scope="leaf")
    config = own.from_pinset(spec("example.com", Cover("x.test", Reach.ALL)))
    data = own.render(config)
    assert own.parse(data, CONTEXT).config == config
    assert own.edit(data, own.from_pinset(spec("example.com", keys=("c",))), CONTEXT) != data
    assert [clause.scope for clause in own.rule(config, "x.test").clauses] == [Scope.LEAF]
    assert own.file_name == "pins.json"


def test_a_mechanism_that_is_unknown_cannot_be_copied() -> None:
    with pytest.raises(InputError, match="no mechanism has this id"):
        custom("gopher")


@pytest.mark.parametrize("like", KNOWN_IDS)
def test_every_mechanism_can_be_copied_and_changed(like: str) -> None:
    """Without axes it says the same of every host; with one the axis changes and nothing else."""
    given = spec("example.com", Cover("x.example.com", Reach.ALL), certificates=(certificate_pin(),))
    given = replace(given, expires=date(2027, 1, 1), common_names={certificate_pin(): "leaf"})
    own, changed = custom(like), custom(like, revocation="hard")
    for host in ("example.com", "a.x.example.com", "other.test"):
        plain = own.rule(own.from_pinset(given), host)
        assert plain == own.inner.rule(own.inner.from_pinset(given), host)
        rule = changed.rule(changed.from_pinset(given), host)
        assert {reading.revocation for reading in rule.readings} == {Revocation.HARD}
        assert with_soft(rule) == with_soft(plain)


def with_soft(rule: Rule | None) -> Rule | None:
    """Give a rule with one word on revocation, wherever it has any."""
    if rule is None:
        return None
    return replace(rule, revocation=Revocation.SOFT, after=with_soft(rule.after), other=with_soft(rule.other))


@pytest.mark.parametrize(("builder", "accepted"), [("backtrack", True), ("first-issuer", False), ("okhttp", False)])
def test_how_paths_are_built_is_an_axis(builder: str, *, accepted: bool) -> None:
    """Two cross-signs are sent and only the second one's root is trusted: some builders never come to it."""
    first, second = root("first"), root("second")
    signed = [mint("shared", by, ca=True, not_after="2035-01-01") for by in (first, second)]
    leaf = mint("leaf", signed[0], names=["example.com"])
    own = custom("okhttp", builder=builder)
    rule = own.rule(own.from_pinset(spec(keys=("leaf",))), "example.com")
    assert Scene(sent=(leaf, *signed), roots=(second,)).judge(rule).accepted is accepted


@pytest.mark.parametrize(("axis", "accepted"), [("enforce", False), ("bypass", True), ("untrusted", False)])
def test_what_local_roots_do_is_an_axis(axis: str, *, accepted: bool) -> None:
    for like in ("okhttp", "cronet", "firefox", "android-nsc"):
        own = custom(like, local_roots=axis)
        rule = own.rule(own.from_pinset(spec(keys=("leaf", "b"), expires=date(2027, 6, 30))), "example.com")
        if rule.clauses:
            assert Scene(sent=(ROGUE, ROGUE_ICA), local=(ROGUE_ROOT,)).judge(rule).accepted is accepted


@pytest.mark.parametrize(
    ("axis", "side", "accepted", "unsure"),
    [
        ("none", Side.OURS, True, False),
        ("soft", Side.OURS, False, True),
        ("list", Side.OURS, False, False),
        ("hard", Side.OURS, False, False),
        ("none", Side.ATTACKER, True, False),
        ("soft", Side.ATTACKER, True, False),
        ("list", Side.ATTACKER, False, False),
        ("hard", Side.ATTACKER, False, False),
    ],
)
def test_what_is_known_of_revocation_is_an_axis(axis: str, side: Side, *, accepted: bool, unsure: bool) -> None:
    """Pins never see revocation; a soft check may, so nobody can rely on it either way."""
    own = custom("curl", revocation=axis)
    rule = own.rule(own.from_pinset(spec(keys=("leaf",))), "example.com")
    sent = tuple(values(LEAF, ICA, ROOT))
    trust = TrustStore(name="t", roots=sent[2:])
    situation = Situation(at=NOW, revoked=frozenset({sent[0].sha256}))
    judgement = judge(rule, sent[:2], "example.com", trust, situation, side)
    assert (judgement.accepted, judgement.unsure) == (accepted, unsure)


def test_losses_are_those_of_what_is_compared() -> None:
    own = custom("curl", object="cert-sha256")
    given = spec(certificates=(certificate_pin(),))
    assert "no-certificate-pins" not in [loss for loss, _ in own.losses(given)]
    assert "no-key-pins" in [loss for loss, _ in own.losses(given)]
    assert pin("a") not in own.from_pinset(given).entries[0].pins


@pytest.mark.parametrize("like", ["go", "jdk", "alamofire", "okhttp", "urllib3"])
def test_keys_that_code_comparing_certificates_leaves_out_are_told_once(like: str) -> None:
    told = [loss for loss, _ in custom(like, object="cert-sha256").losses(spec())]
    assert told.count("no-key-pins") == 1


def test_certificates_that_code_comparing_keys_leaves_out_are_told_once() -> None:
    for like in ("go", "alamofire", "okhttp", "urllib3"):
        given = spec(certificates=(certificate_pin(),))
        told = [loss for loss, _ in custom(like, object="spki-sha256").losses(given)]
        assert told.count("no-certificate-pins") == 1, like


def test_a_key_that_is_not_known_by_the_digest_compared_is_told() -> None:
    own = custom("okhttp", object="spki-sha1")
    given = spec()
    assert "2 pins are" in dict(own.losses(given))["unknown-digest"]
    sha1 = Pin(PinKind.SPKI_SHA1, bytes(range(20)))
    known = replace(given, also={(key, PinKind.SPKI_SHA1): sha1 for key in given.keys})
    assert "unknown-digest" not in dict(own.losses(known))


def test_an_end_that_the_axis_gives_is_no_loss() -> None:
    given = spec(expires=date(2027, 1, 1))
    assert "no-expiry" in dict(custom("okhttp").losses(given))
    assert "no-expiry" not in dict(custom("okhttp", expiry="open").losses(given))


@pytest.mark.parametrize(("like", "axes"), [("apple-ats", {}), ("okhttp", {"combine": "leaf-and-ca"})])
def test_another_object_goes_into_the_two_lists_of_a_client_that_has_them(like: str, axes: dict[str, str]) -> None:
    """A certificate is the leaf's: in one list for both, the client would look for it in neither."""
    exact = custom(like, object="cert-sha256", **axes)
    found = spec(keys=(), certificates=(certificate_pin(),))
    clauses = exact.rule(exact.from_pinset(found), "example.com").clauses
    assert [(clause.scope, clause.pins) for clause in clauses] == [(Scope.LEAF, frozenset(found.certificates))]
    keys = custom(like, object="spki-sha256", **axes)
    given = spec(keys=("leaf",), authorities=("ica",))
    clauses = keys.rule(keys.from_pinset(given), "example.com").clauses
    assert [clause.scope for clause in clauses] == [Scope.LEAF, Scope.CA]
    assert [clause.pins for clause in clauses] == [frozenset(given.keys), frozenset(given.authorities)]
