"""What a format takes without a word and a client then does: each has a finding with an id, a source and a hint."""

from __future__ import annotations

import ast
import hashlib
import json
import plistlib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import rotator
from rotator.files.pem import decode
from rotator.mechanisms.registry import mechanism
from rotator.model.findings import Severity
from rotator.workflows.opening import reading
from tests.judging import LEAF, ROOT
from tests.minting import pin_b64, pin_text

LONG_AGO, LATER = "2026-01-01", "2027-06-30"
A, B = pin_b64("a"), pin_b64("b")
HPKP = f'max-age={{}}; pin-sha256="{A}"; pin-sha256="{B}"'
CERTIFICATE = hashlib.sha256(LEAF.der).hexdigest()
#: The key of ISRG Root X1, which is in every bundle.
PUBLIC_ROOT = "C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M="


def nsc(*blocks: str) -> str:
    """Write an Android file."""
    return f"<network-security-config>{''.join(blocks)}</network-security-config>"


def block(name: str, inner: str, *, below: bool = False) -> str:
    """Write a domain-config."""
    flag = ' includeSubdomains="true"' if below else ""
    return f"<domain-config><domain{flag}>{name}</domain>{inner}</domain-config>"


def pins(*names: str, expires: str = "") -> str:
    """Write a pin-set."""
    end = f' expiration="{expires}"' if expires else ""
    return f"<pin-set{end}>" + "".join(f'<pin digest="SHA-256">{pin_b64(n)}</pin>' for n in names) + "</pin-set>"


USER = '<trust-anchors><certificates src="system"/><certificates src="user" overridePins="true"/></trust-anchors>'


def apple(domains: dict[str, Any], **around: object) -> bytes:
    """Write an Info.plist."""
    return plistlib.dumps({"NSAppTransportSecurity": {"NSPinnedDomains": domains, **around}})


def listed(leaf: tuple[str, ...] = (), above: tuple[str, ...] = (), **more: object) -> dict[str, Any]:
    """Write a domain of Apple's."""
    lists = {"NSPinnedLeafIdentities": leaf, "NSPinnedCAIdentities": above}
    return {key: [{"SPKI-SHA256-BASE64": p} for p in given] for key, given in lists.items() if given} | more


def trustkit(**more: object) -> bytes:
    """Write TrustKit's configuration of one domain."""
    domain = {"TSKPublicKeyHashes": [A, B], **more}
    return plistlib.dumps({"TSKConfiguration": {"TSKPinnedDomains": {"example.com": domain}}})


def okhttp(**patterns: list[str]) -> str:
    """Write patterns; `any` stands for `**.example.com`, `one` for `*.example.com`."""
    names = {"any": "**.example.com", "one": "*.example.com", "exact": "a.example.com"}
    return json.dumps({names[name]: texts for name, texts in patterns.items()})


def cronet(*rows: dict[str, Any], **more: object) -> str:
    """Write Cronet's calls."""
    given = [{"pins": [pin_text("a"), pin_text("b")], "expires": LATER, **row} for row in rows]
    return json.dumps({**more, "rows": given})


def tlsa(*records: str) -> str:
    """Write records of one host."""
    return "".join(f"_443._tcp.example.com. IN TLSA {r} {i:02x}{'5a' * 31}\n" for i, r in enumerate(records))


def wultra(expires: int) -> str:
    """Write one fingerprint."""
    return json.dumps({"fingerprints": [{"name": "example.com", "fingerprint": A, "expires": expires}]})


RN = {
    "example.com": {"includeSubdomains": True, "publicKeyHashes": [A, B]},
    "a.example.com": {"publicKeyHashes": [B, pin_b64("c")]},
}
CASES: list[tuple[str, str | bytes, str]] = [
    ("hpkp", HPKP.format(60) + "; includeSubDomains", "pins-subdomains"),
    ("hpkp", HPKP.format(61 * 86_400), "long-max-age"),
    ("android-nsc", nsc(block("example.com", pins("a", "b", expires=LATER))), "expiry-is-local"),
    ("android-nsc", nsc(block("example.com", pins("a", "b", expires=LONG_AGO))), "pins-expired"),
    ("android-nsc", nsc(block("example.com", pins("a"))), "single-pin"),
    ("android-nsc", nsc(block("example.com", "<pin-set/>"), block("x.test", pins("a", "b"))), "empty-pin-set"),
    (
        "android-nsc",
        nsc(block("example.com", pins("a", "b"), below=True), block("a.example.com", USER.replace("true", "false"))),
        "unpinned-below",
    ),
    (
        "android-nsc",
        nsc(block("example.com", pins("a", "b") + block("a.example.com", "<pin-set/>"), below=True)),
        "unpinned-below",
    ),
    ("android-nsc", nsc(block("example.com", pins("a", "b") + USER)), "pins-overridden"),
    ("apple-ats", apple({"example.com": listed((A, B), NSIncludesSubdomains=True)}), "one-label-only"),
    ("apple-ats", apple({"example.com": listed((A,), (A, B))}), "pin-in-both-lists"),
    ("apple-ats", apple({"example.com": listed((A, PUBLIC_ROOT))}), "ca-pin-for-leaf"),
    (
        "apple-ats",
        apple({"example.com": listed((A, B), NSIncludesSubdomains=True), "a.example.com": listed((B, A))}),
        "pins-add-up",
    ),
    ("apple-ats", apple({"example.com": listed((A, B))}), "no-expiry"),
    ("apple-ats", apple({}, NSExceptionDomains={"example.com": {"NSPinnedDomains": True}}), "nothing-pinned"),
    ("apple-ats", apple({"example.com": listed((A, B), NSPublicKeyHashes=[A])}), "unknown-setting"),
    ("apple-ats", apple({"example.com": listed((A, "A" * 43 + "="))}), "junk-pin"),
    ("apple-ats", apple({"example.com": listed((A, "BACKUP_HASH_HERE"))}), "pin-never-matches"),
    ("trustkit-ios", trustkit(TSKExpirationDate="30-06-2027"), "never-expires"),
    ("trustkit-ios", trustkit(TSKEnforcePinning=False), "report-only"),
    ("trustkit-android", nsc(block("example.com", pins("a", "b"))), "enforcement-missing"),
    ("trustkit-android", nsc(block("example.com", pins("a", "b"))), "report-only-in-part"),
    ("okhttp", okhttp(one=[pin_text("a"), pin_text("b")]), "one-label-only"),
    ("okhttp", okhttp(any=[pin_text("a"), pin_text("b")], exact=[pin_text("c"), pin_text("d")]), "pins-add-up"),
    ("okhttp", okhttp(any=["sha1/" + "AQID" * 6 + "AQI=", pin_text("b")]), "sha1-pin"),
    ("okhttp", okhttp(any=["sha256/AAAA", pin_text("b")]), "pin-never-matches"),
    ("cronet", cronet({"host": "example.com"}), "local-roots-bypass"),
    (
        "cronet",
        cronet({"host": "example.com", "includeSubdomains": True}, {"host": "a.example.com"}),
        "child-hides-parent",
    ),
    *((tool, f"sha256//{A};sha256//{B};", "trailing-semicolon") for tool in ("curl", "wget")),
    *((tool, f"sha256//{PUBLIC_ROOT};sha256//{B}", "ca-pin-for-leaf") for tool in ("curl", "wget")),
    *((tool, f"sha256//{A.rstrip('=')};sha256//{B}", "pin-never-matches") for tool in ("curl", "wget")),
    ("curl", f"insecure\npinnedpubkey = sha256//{A};sha256//{B}\n", "nothing-else-checked"),
    ("curl", f"-k\npinnedpubkey = sha256//{A};sha256//{B}\n", "nothing-else-checked"),
    ("wget", f"check_certificate = off\npinnedpubkey = sha256//{A};sha256//{B}\n", "nothing-else-checked"),
    ("urllib3", "", "empty-fingerprint"),
    *((name, CERTIFICATE, "certificate-pin") for name in ("urllib3", "aiohttp", "flutter-http-pinning")),
    ("aiohttp", CERTIFICATE, "nothing-else-checked"),
    ("urllib3", CERTIFICATE[:32], "weak-digest"),
    ("flutter-http-pinning", CERTIFICATE, "probe-only"),
    ("rn-public-key-pinning", json.dumps(RN), "platforms-differ"),
    ("rn-ssl-pinning", json.dumps({"host": "a.b", "certs": [pin_text("a")], "pkPinning": True}), "platforms-differ"),
    ("rn-ssl-pinning", json.dumps({"host": "a.b", "certs": [], "disableAllSecurity": True}), "security-disabled"),
    ("alamofire", ROOT.der, "hosts-in-code"),
    ("dane", tlsa("2 1 1"), "root-must-be-sent"),
    ("dane", tlsa("3 1 1", "3 0 1"), "mixed-combinations"),
    ("dane", tlsa("3 1 9"), "no-usable-record"),
    ("wultra", wultra(1_814_313_600), "common-name"),
    ("wultra", wultra(1_814_313_600), "fails-closed"),
    ("wultra", wultra(1_814_313_600), "certificate-pin"),
    ("node", json.dumps([{"pins": [A, B]}]), "node-raw-point"),
]


@pytest.mark.parametrize(("name", "text", "finding"), CASES, ids=[f"{name}: {finding}" for name, _, finding in CASES])
def test_it_is_told_with_its_source_and_what_to_do(name: str, text: str | bytes, finding: str) -> None:
    data = text.encode() if isinstance(text, str) else text
    context = replace(reading("shipped.file", date(2026, 11, 23)), decode=decode)
    found = [f for f in mechanism(name).parse(data, context).findings if f.id == finding]
    assert found
    for told in found:
        assert told.source
        assert told.hint
        assert told.subject.startswith("shipped.file")


def test_an_end_at_local_midnight_is_said_as_an_interval_of_26_hours() -> None:
    text = nsc(block("example.com", pins("a", "b", expires=LATER)))
    context = reading("shipped.file", date(2026, 11, 23))
    (told,) = [f for f in mechanism("android-nsc").parse(text.encode(), context).findings if f.id == "expiry-is-local"]
    assert "2027-06-29T10:00Z" in told.message
    assert "2027-06-30T12:00Z" in told.message


def test_every_warning_and_error_of_a_mechanism_has_a_hint_and_a_source() -> None:
    """Counted in the sources, so that none is left out."""
    makers = {str(Severity.WARNING), str(Severity.ERROR)}
    lacking = []
    folder = Path(rotator.__file__).parent / "mechanisms"
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in makers:
                given = {keyword.arg for keyword in node.keywords} | set(
                    ("", "", "", "hint", "source")[: len(node.args)]
                )
                if not {"hint", "source"} <= given:
                    lacking.append(f"{path.name}:{node.lineno}")
    assert lacking == []
