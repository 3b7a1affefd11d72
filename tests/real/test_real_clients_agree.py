"""What real clients accepted and refused of minted chains, against what the judge says of the same chains.

Only whether a client accepts is compared: when two things are wrong clients differ in which one they name.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache

import pytest

from rotator.files import pem
from rotator.mechanisms.base import PinsetSpec
from rotator.mechanisms.custom import Custom
from rotator.model.names import Cover
from rotator.model.pins import Pin, PinKind, spki_pin
from rotator.model.pki import Certificate, TrustStore
from rotator.model.policy import CustomMechanism
from rotator.model.when import parse_instant
from rotator.simulate.judge import Side, Situation, judge
from tests.real.data import needs_data, verdicts

pytestmark = needs_data
CURL = CustomMechanism(like="curl")
JVM = CustomMechanism(like="okhttp", runtime="jvm")
CERTIFICATE = {"object": "cert-sha256"}
#: Each client mode and the mechanism that plays it; those below the first seven are played by axes alone.
MODES = {
    "curl-pin": CURL,
    "pycurl-pin": CURL,
    "php-curl": CURL,
    "git-pin": CURL,
    "curl-k-pin": CustomMechanism(like="curl", axes={"base": "none"}),
    "okhttp-3.13": JVM,
    "okhttp-5": JVM,
    "wget-pin": CURL,
    "node-https-leaf": CURL,
    "httpx-leaf": CURL,
    "gnutls-tofu": CustomMechanism(like="curl", axes={"base": "tofu"}),
    "go-peer": CustomMechanism(like="okhttp", axes={"path": "sent"}),
    "go-verified": CustomMechanism(like="okhttp", axes={"path": "any"}),
    "jdk-presented": CustomMechanism(like="okhttp", axes={"path": "sent"}),
    "wget2-hpkp": CustomMechanism(like="okhttp", axes={"path": "sent", "builder": "first-issuer"}),
    "urllib3-fp": CustomMechanism(like="curl", axes={**CERTIFICATE, "base": "no-host"}),
    "requests-fp": CustomMechanism(like="curl", axes={**CERTIFICATE, "base": "no-host"}),
    "aiohttp-fp": CustomMechanism(like="curl", axes={**CERTIFICATE, "base": "none"}),
    "php-stream-fp": CustomMechanism(like="curl", axes=CERTIFICATE),
    "node-https-fp": CustomMechanism(like="curl", axes=CERTIFICATE),
    "perl-fp": CustomMechanism(like="curl", axes={**CERTIFICATE, "combine": "path-or-pin"}),
}
ONE_VALUE = ("urllib3-fp", "requests-fp", "aiohttp-fp", "php-stream-fp", "perl-fp", "gnutls-tofu")
#: Rows on which the judge and the client differ, each with the reason. There are none today.
EXCEPTIONS: dict[tuple[str, str], str] = {}


@dataclass(frozen=True)
class World:
    """The minted world the clients were shown."""

    at: str
    certificates: dict[str, Certificate]
    cases: dict[str, dict[str, list[str]]]
    host: str


@cache
def world() -> World:
    """Read it."""
    data = json.loads((verdicts() / "cases.json").read_bytes())
    names = list(data["keys"]["spki"])
    loaded = [pem.load_certificates((verdicts() / "certs" / f"{name}.pem").read_bytes(), name)[0] for name in names]
    linked = pem.link(loaded)
    certificates = {name: linked[item.value] for name, item in zip(names, loaded, strict=True)}
    cases = {case["case"]: case for case in data["cases"]}
    return World(data["at"], certificates, cases, "localhost")


@cache
def said(mode: str) -> dict[str, bool]:
    """Give what a client accepted, by case."""
    rows = map(json.loads, (verdicts() / "verdicts.jsonl").read_text().splitlines())
    return {row["case"]: row["accepted"] for row in rows if row["client"] == mode}


def accepts(mechanism: CustomMechanism, case: dict[str, list[str]], *, one_value: bool) -> bool:
    """Judge a case; a client that takes one value was given the first pin."""
    known = world().certificates
    own = Custom("own", mechanism)
    pinned = [known[name] for name in case["pinned"]]
    spec = PinsetSpec(
        name="p",
        covers=(Cover(world().host),),
        keys=tuple(spki_pin(c.spki) for c in pinned),
        certificates=tuple(Pin(PinKind.CERT_SHA256, c.sha256) for c in pinned),
    )
    if one_value:
        spec = PinsetSpec(name="p", covers=spec.covers, keys=spec.keys[:1], certificates=spec.certificates[:1])
    rule = own.rule(own.from_pinset(spec), world().host)
    trust = TrustStore(name="t", roots=tuple(known[name] for name in case["trusted_roots"]))
    sent = tuple(known[name] for name in case["sent"])
    situation = Situation(at=parse_instant(world().at))
    return judge(rule, sent, world().host, trust, situation, Side.OURS).accepted


@pytest.mark.parametrize("mode", MODES)
def test_every_row_agrees(mode: str) -> None:
    found = said(mode)
    assert len(found) == len(world().cases) == 38
    different = {
        (mode, case): f"the client {'accepts' if accepted else 'refuses'}"
        for case, accepted in found.items()
        if accepts(MODES[mode], world().cases[case], one_value=mode in ONE_VALUE) is not accepted
    }
    assert different.keys() == {key for key in EXCEPTIONS if key[0] == mode}, different


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
