"""What real clients accepted and refused of minted chains, against what the judge says of the same chains.

Every row is played: by the mechanism where the client is one, else by what `[mechanisms.NAME]` would say, axes spelt
out. Only whether a client accepts is compared: when two things are wrong clients differ in which one they name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import pytest

from rotator.files import pem
from rotator.mechanisms.base import Mechanism, PinsetSpec
from rotator.mechanisms.custom import Custom
from rotator.mechanisms.dane import MECHANISM as DANE
from rotator.mechanisms.registry import MODULES, mechanism
from rotator.model.names import Cover
from rotator.model.pins import Pin, PinKind, spki_pin
from rotator.model.pki import Certificate, TrustStore
from rotator.model.policy import CustomMechanism
from rotator.model.rules import Rule
from rotator.model.when import parse_instant
from rotator.simulate.judge import judge
from rotator.simulate.judgement import Judgement, Side, Situation
from tests.judging import read
from tests.real.data import needs_data, verdicts

pytestmark = needs_data
HOST = "localhost"


def code(like: str, *, runtime: str | None = None, **axes: str) -> Custom:
    """Make a mechanism of one's own."""
    return Custom("own", CustomMechanism(like=like, axes=axes, runtime=runtime))


#: Each client mode and what plays it. A mode whose client checks CRLs is `hard`.
MODES: Mapping[str, Mechanism] = {
    # mechanisms as they are
    "curl-pin": mechanism("curl"),
    "pycurl-pin": mechanism("curl"),
    "php-curl": mechanism("curl"),
    "git-pin": mechanism("curl"),
    "wget-pin": mechanism("wget"),
    "urllib3-fp": mechanism("urllib3"),
    "requests-fp": mechanism("urllib3"),
    "aiohttp-fp": mechanism("aiohttp"),
    **{f"openssl-{usage}": DANE for usage in ("pkix-ta", "pkix-ee", "dane-ta", "dane-ee")},
    # code and switches, by their axes
    "curl-k-pin": code("curl", base="none"),
    "curl-crl": code("curl", revocation="hard"),
    "urllib3-fp-nocert": code("urllib3", base="none"),
    "wget2-hpkp": code("go-sent", builder="first-issuer"),  # its database is given, no header is noted
    "wget-crl": code("none", builder="first-issuer", revocation="hard"),
    "gnutls-crl": code("none", builder="first-issuer", revocation="hard"),
    "openssl-crl": code("none", builder="first-issuer", revocation="hard"),
    "gnutls-tofu": code("tofu"),
    "httpx-leaf": code("httpx"),
    "httpx-verified": code("httpx", scope="any", path="built"),
    "node-https-leaf": code("node", object="spki-sha256"),
    "node-https-chain": code("node", object="spki-sha256", scope="any", path="linked"),
    "node-https-fp": code("node", object="cert-sha256"),
    "php-stream-fp": code("php", object="cert-sha256"),
    "perl-fp": code("perl", object="cert-sha256"),
    "perl-pubkey": code("perl"),
    "go-peer": code("go-sent"),
    "go-verified": code("go"),
    "jdk-presented": code("jdk", path="sent"),
    "jdk-validated": code("jdk"),
    "okhttp-3.13": code("okhttp", runtime="jvm"),
    "okhttp-5": code("okhttp", runtime="jvm"),
}
USAGES = {"openssl-pkix-ta": 0, "openssl-pkix-ee": 1, "openssl-dane-ta": 2, "openssl-dane-ee": 3}
#: GnuTLS takes a CRL only when its signer is in the CA file too, so the intermediate was an anchor there.
ALSO_TRUSTED = {"gnutls-crl": ("I_A",)}
#: OpenSSL wants a CRL of every issuer; of these authorities there was one. GnuTLS goes on without.
WANTS_EVERY_CRL = ("openssl-crl", "curl-crl")
CRLS = ("A", "B", "I_A")
#: Rows on which nobody can know what the client does, each with the reason; the judge must say that it is unsure.
UNKNOWABLE = {
    ("jdk-validated", "new_ca_x/sys/rootA"): "both roots are trusted, and which cross-sign PKIX takes is not known",
    (
        "openssl-dane-ee",
        "badhost/sys/leaf",
    ): "usage 3 needs no name (RFC 7671, 5.1), and OpenSSL looks at it all the same",
}
#: Rows on which the judge and the client differ, each with the reason. There are none today.
EXCEPTIONS: dict[tuple[str, str], str] = {}


@dataclass(frozen=True)
class World:
    """The minted world the clients were shown."""

    at: str
    certificates: dict[str, Certificate]
    cases: dict[str, dict[str, list[str]]]


@cache
def world() -> World:
    """Read it."""
    data = json.loads((verdicts() / "cases.json").read_bytes())
    names = list(data["keys"]["spki"])
    loaded = [pem.load_certificates((verdicts() / "certs" / f"{name}.pem").read_bytes(), name)[0] for name in names]
    linked = pem.link(loaded)
    certificates = {name: linked[item.value] for name, item in zip(names, loaded, strict=True)}
    return World(data["at"], certificates, {case["case"]: case for case in data["cases"]})


@cache
def rows() -> tuple[dict[str, str], ...]:
    """Give everything that was said."""
    return tuple(map(json.loads, (verdicts() / "verdicts.jsonl").read_text().splitlines()))


@cache
def said(mode: str) -> dict[str, bool]:
    """Give what a client accepted, by case."""
    return {row["case"]: bool(row["accepted"]) for row in rows() if row["client"] == mode}


def rule_of(mode: str, pinned: list[Certificate]) -> Rule:
    """Give the rule of a client that was given these pins."""
    own = MODES[mode]
    if mode in USAGES:
        lines = [f"_443._tcp.{HOST}. IN TLSA {USAGES[mode]} 1 1 {c.spki.hex()}\n" for c in pinned]
        return own.rule(read(own, "".join(lines)), HOST)
    certificates = isinstance(own, Custom) and own.object is not None and own.object.of_certificate
    spec = PinsetSpec(
        name="p",
        covers=(Cover(HOST),),
        keys=tuple(spki_pin(c.spki) for c in pinned),
        certificates=tuple(Pin(PinKind.CERT_SHA256, c.sha256) for c in pinned),
    )
    if certificates or not own.says_keys:
        return own.rule(own.from_pinset(spec), HOST)
    return own.rule(own.from_pinset(replace(spec, certificates=())), HOST)


def refused_by_crl(mode: str) -> frozenset[bytes]:
    """Give the certificates a CRL check refuses: the revoked one, and where it wants them all those without a CRL."""
    known = world().certificates
    without: set[bytes] = set()
    if mode in WANTS_EVERY_CRL:
        issuers = {known[name].spki for name in CRLS}
        without = {c.sha256 for c in known.values() if c.signer not in issuers}
    return frozenset({known["L1rev"].sha256, *without})


def answer(mode: str, case: dict[str, list[str]]) -> Judgement:
    """Judge a case."""
    known = world().certificates
    roots = (*case["trusted_roots"], *ALSO_TRUSTED.get(mode, ()))
    trust = TrustStore(name="t", roots=tuple(known[name] for name in roots))
    sent = tuple(known[name] for name in case["sent"])
    situation = Situation(at=parse_instant(world().at), revoked=refused_by_crl(mode))
    return judge(rule_of(mode, [known[name] for name in case["pinned"]]), sent, HOST, trust, situation, Side.OURS)


def test_every_mode_and_every_row_is_played() -> None:
    assert {row["client"] for row in rows()} == set(MODES)
    assert len(rows()) == sum(len(said(mode)) for mode in MODES) == 1283
    assert {mode: len(said(mode)) for mode in MODES if len(said(mode)) != 38} == {"jdk-validated": 29}


def test_modes_that_are_a_mechanism_are_played_by_it() -> None:
    assert {own.id for own in MODES.values()} - {"own"} == {"curl", "wget", "urllib3", "aiohttp", "dane"}
    assert all(own.id in MODULES for own in MODES.values() if not isinstance(own, Custom))


@pytest.mark.parametrize("mode", MODES)
def test_every_row_agrees(mode: str) -> None:
    different, unsure = {}, set()
    for case, accepted in said(mode).items():
        judgement = answer(mode, world().cases[case])
        if judgement.unsure:
            unsure.add((mode, case))
        elif judgement.accepted is not accepted:
            different[mode, case] = f"the client {'accepts' if accepted else 'refuses'}: {judgement.reason}"
    assert different.keys() == {key for key in EXCEPTIONS if key[0] == mode}, different
    assert unsure == {key for key in UNKNOWABLE if key[0] == mode}


def test_digests_are_those_the_clients_were_given() -> None:
    """So the judge and the clients looked at the same bytes."""
    data = json.loads((verdicts() / "cases.json").read_bytes())["keys"]
    for name, certificate in world().certificates.items():
        assert spki_pin(certificate.spki).text == f"sha256/{data['spki'][name]}"
        assert certificate.sha256.hex() == data["fp"][name]
        der = pem.load_certificates((verdicts() / "certs" / f"{name}.pem").read_bytes(), name)[0].value
        assert hashlib.sha256(name.encode()).digest() != der.sha256


def test_the_clients_saw_both_answers() -> None:
    """A table of accepts alone would prove nothing."""
    for mode in MODES:
        assert set(said(mode).values()) == {True, False}
