"""Make the certificates, keys, requests and pin files of the sample policies again, from nothing.

    python policies/mint.py [SAMPLE...]

Every private key is made in memory, used, and thrown away: none is ever written. Dates, names and serial numbers are
fixed; keys, and so all pins, are new at each run. The policies themselves are written by hand and do not change.
"""

from __future__ import annotations

import base64
import hashlib
import json
import plistlib
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HERE = Path(__file__).resolve().parent
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
API_NAMES = ("api.shop.example.com", "account.shop.example.com")
G2 = "i7WTqTvh0OioIruIfFR4kMPnBqrS2rdiVPl/s2uC/CY="
G3 = "uUwZgwDOxcBXrQcntwu+kYFpkiVkOaezL0WYEZ3anJc="
"""Keys of two public roots: DigiCert Global Root G2 and G3."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """A CA of a sample: its certificate and the key it signs with, until the program ends."""

    certificate: x509.Certificate
    key: PrivateKey


def main() -> None:
    """Make the files of the samples named, or of all of them."""
    samples = {"storefront": storefront, "intranet-bank": intranet_bank, "incidents": incidents}
    for name in sys.argv[1:] or samples:
        samples[name](HERE / name)


def storefront(home: Path) -> None:
    """Make the files of the shop: three keys of its own, one internal CA, and what its releases shipped with."""
    keys = {name: ec_key() for name in ("api-2025", "api-2026", "api-2027")}
    put(home / "keys/api-2025.pub", public_pem(keys["api-2025"]))
    for name in ("api-2026", "api-2027"):
        put(home / f"keys/{name}.csr", request(keys[name], API_NAMES))
    root = authority("Storefront Internal Root", 1, "2021-01-01", "2041-01-01")
    issuing = authority("Storefront Internal Issuing 1", 2, "2023-01-01", "2033-01-01", root)
    leaf = certificate("warehouse.shop.example.com", ec_key(), 100, "2026-04-01", "2028-07-01", issuing)
    put(home / "pki/internal-root.pem", pem(root.certificate))
    put(home / "pki/warehouse.pem", pem(leaf, issuing.certificate))

    pin = {name: spki(key) for name, key in keys.items()}
    pin["api-2024"] = known_by_digest("storefront api-2024")
    vendor, partner = known_by_digest("vendor-tls-3"), known_by_digest("partner-ca-1")
    nobody = known_by_digest("a pin that nobody in the shop remembers")
    shipped, android = home / "shipped", home / "android"
    put(shipped / "android-5.9.0/nsc.xml", nsc(API_NAMES, [pin["api-2024"], pin["api-2025"]], "2026-06-30"))
    put(shipped / "android-6.8.0/nsc.xml", nsc(API_NAMES, [pin["api-2025"], pin["api-2024"]], "2027-01-31"))
    put(shipped / "android-7.2.0/nsc.xml", nsc(API_NAMES, [pin["api-2025"], pin["api-2026"]], "2027-08-31"))
    cdn = [f"sha256/{G3}", f"sha256/{G2}"]
    rows = {"img.shop.example.com": cdn, "pay.example.net": [f"sha256/{partner}", f"sha256/{'A' * 43}="]}
    put(shipped / "android-7.2.0/pins.json", text_json(rows))
    put(shipped / "ios-9.8/TrustKit.plist", trustkit([pin["api-2025"], nobody], enforce=False))
    put(shipped / "ios-10.3/TrustKit.plist", trustkit([pin["api-2025"], vendor], enforce=True))
    pins = f"sha256//{pin['api-2025']};sha256//{pin['api-2026']};"
    put(shipped / "orders-job/curlrc", f'# nightly orders\nfail\nmax-time = 60\npinnedpubkey = "{pins}"\n')

    carried = [pin["api-2025"], pin["api-2026"], pin["api-2027"]]
    put(android / "network_security_config.xml", nsc(API_NAMES, carried, "2027-11-30", app=True))
    put(android / "pins.json", text_json({"img.shop.example.com": cdn[:1]}))
    put(home / "ios/Info.plist", info_plist(API_NAMES, carried))


def intranet_bank(home: Path) -> None:
    """Make the files of the bank: a CA with two issuing CAs, an inspecting proxy, and what devices shipped with."""
    root = authority("Bank Root 2020", 1, "2020-01-01", "2040-01-01")
    first = authority("Bank Issuing A", 2, "2022-01-01", "2032-01-01", root)
    second = authority("Bank Issuing B", 3, "2026-01-01", "2036-01-01", root)
    proxy = authority("Inspecting Proxy Root", 4, "2024-01-01", "2034-01-01")
    for name, made in (("bank-root", root), ("bank-issuing-a", first), ("bank-issuing-b", second), ("proxy", proxy)):
        put(home / f"pki/{name}.pem", pem(made.certificate))
    core, ledger = ec_key(), rsa_key()
    names = "core.bank.example.com"
    on_first = certificate(names, core, 200, "2026-06-01", "2028-09-01", first)
    on_second = certificate(names, core, 201, "2026-11-01", "2029-01-30", second)
    of_ledger = certificate("ledger.bank.example.com", ledger, 202, "2026-02-01", "2029-02-01", first)
    put(home / "pki/core.pem", pem(on_first, first.certificate))
    put(home / "pki/core-on-issuing-b.pem", pem(on_second, second.certificate))
    put(home / "pki/ledger.pem", pem(of_ledger, first.certificate))
    next_core, next_ledger = ec_key(), rsa_key()
    put(home / "keys/core-2027.csr", request(next_core, (names,)))
    put(home / "keys/ledger-2027.csr", request(next_ledger, ("ledger.bank.example.com",)))

    pins = [spki(core), spki(next_core)]
    put(home / "shipped/handheld-3.0/nsc.xml", nsc((names,), pins, None, user_roots=' overridePins="true"'))
    put(home / "shipped/handheld-3.2/nsc.xml", nsc((names,), pins, None, user_roots=""))
    put(home / "tablet/Info.plist", info_plist((names,), pins, authorities=[spki(first.key)]))


def incidents(home: Path) -> None:
    """Make the certificates of the two incidents that turn on a cross-sign; all others know their CAs by digest."""
    old = authority("Old External Root", 1, "2000-05-30", "2020-05-30T10:48:38")
    new = authority("New Public Root", 2, "2010-02-01", "2038-01-18")
    cross = cross_signed(new, 3, "2000-05-30", "2020-05-30T10:48:38", old)
    issuing = authority("Public Issuing CA", 4, "2018-11-02", "2030-12-31", new)
    for name, made in (
        ("old-root", old.certificate),
        ("new-root", new.certificate),
        ("cross-sign", cross),
        ("issuing", issuing.certificate),
    ):
        put(home / f"pki/addtrust-{name}.pem", pem(made))
    first = authority("First Signature Root X3", 1, "2000-09-30", "2021-09-30T14:01:15")
    second = authority("Second Research Root X1", 2, "2015-06-04", "2035-06-04")
    longer = cross_signed(second, 3, "2021-01-20", "2024-09-30T18:14:03", first)
    r3 = authority("Second Issuing R3", 4, "2020-09-04", "2025-09-15", second)
    for name, made in (
        ("dst-root", first.certificate),
        ("isrg-root", second.certificate),
        ("isrg-by-dst", longer),
        ("isrg-issuing", r3.certificate),
    ):
        put(home / f"pki/{name}.pem", pem(made))


# --- keys, requests and certificates --------------------------------------------------------------------------------


def ec_key() -> ec.EllipticCurvePrivateKey:
    """Make a P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key() -> rsa.RSAPrivateKey:
    """Make an RSA key of 2048 bits."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def authority(name: str, serial: int, begin: str, end: str, issuer: Issuer | None = None) -> Issuer:
    """Make a CA; without an issuer it signs itself."""
    key = ec_key()
    subject = named(name)
    builder = unsigned(subject, issuer.certificate.subject if issuer else subject, key, serial, begin, end)
    depth = None if issuer is None else 0
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
    builder = builder.add_extension(usage(ca=True), critical=True)
    if issuer is not None:
        builder = builder.add_extension(under(issuer), critical=False)
    return Issuer(signed(builder, issuer.key if issuer else key), key)


def cross_signed(of: Issuer, serial: int, begin: str, end: str, issuer: Issuer) -> x509.Certificate:
    """Certify a CA's key once more, by another CA."""
    builder = unsigned(of.certificate.subject, issuer.certificate.subject, of.key, serial, begin, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(usage(ca=True), critical=True)
    return signed(builder.add_extension(under(issuer), critical=False), issuer.key)


def under(issuer: Issuer) -> x509.AuthorityKeyIdentifier:
    """Name the key that signs."""
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())


def certificate(name: str, key: PrivateKey, serial: int, begin: str, end: str, issuer: Issuer) -> x509.Certificate:
    """Make a server's certificate."""
    builder = unsigned(named(name), issuer.certificate.subject, key, serial, begin, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(under(issuer), critical=False)
    return signed(builder.add_extension(usage(ca=False), critical=True), issuer.key)


def unsigned(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, serial: int, begin: str, end: str
) -> x509.CertificateBuilder:
    """Begin a certificate."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(day(begin))
        .not_valid_after(day(end))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def signed(builder: x509.CertificateBuilder, key: PrivateKey) -> x509.Certificate:
    """Sign a certificate."""
    return builder.sign(key, hashes.SHA256())


def usage(*, ca: bool) -> x509.KeyUsage:
    """Give the key usage of a CA or of a server."""
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def request(key: PrivateKey, names: tuple[str, ...]) -> str:
    """Make a certificate request: who has it holds proof that the key exists."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(named(names[0]))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def named(name: str) -> x509.Name:
    """Give a subject of one common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def day(text: str) -> datetime:
    """Give the start of a day, or an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def pem(*certificates: x509.Certificate) -> str:
    """Write certificates as a server sends them."""
    return "".join(c.public_bytes(serialization.Encoding.PEM).decode() for c in certificates)


def public_pem(key: PrivateKey) -> str:
    """Write the public half of a key."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


# --- pins and the files that carry them ------------------------------------------------------------------------------


def spki(key: PrivateKey) -> str:
    """Give the pin of a key: base64 of the SHA-256 of its SubjectPublicKeyInfo."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return digest(key.public_key().public_bytes(serialization.Encoding.DER, form))


def known_by_digest(what: str) -> str:
    """Give a pin of a key that nobody has, as the policies write it; fixed by a sentence."""
    return digest(f"rotator sample key: {what}".encode())


def digest(data: bytes) -> str:
    """Give the base64 of a SHA-256."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def nsc(
    names: tuple[str, ...], pins: list[str], expires: str | None, *, app: bool = False, user_roots: str | None = None
) -> str:
    """Write an Android network security configuration, with what an app's own file has besides pins."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<network-security-config>"]
    if app:
        lines += ["    <!-- no cleartext anywhere -->", '    <base-config cleartextTrafficPermitted="false" />']
    lines += ["    <domain-config>"]
    lines += [f'        <domain includeSubdomains="false">{name}</domain>' for name in names]
    lines += [f'        <pin-set expiration="{expires}">' if expires else "        <pin-set>"]
    lines += [f'            <pin digest="SHA-256">{pin}</pin>' for pin in pins]
    lines += ["        </pin-set>"]
    if user_roots is not None:
        lines += ["        <trust-anchors>", '            <certificates src="system" />']
        lines += [f'            <certificates src="user"{user_roots} />', "        </trust-anchors>"]
    lines += ["    </domain-config>"]
    if app:
        lines += ["    <debug-overrides>", "        <trust-anchors>", '            <certificates src="user" />']
        lines += ["        </trust-anchors>", "    </debug-overrides>"]
    return "\n".join([*lines, "</network-security-config>", ""])


def trustkit(pins: list[str], *, enforce: bool) -> str:
    """Write a TrustKit configuration."""
    domain = {
        "TSKEnforcePinning": enforce,
        "TSKIncludeSubdomains": False,
        "TSKPublicKeyHashes": pins,
        "TSKDisableDefaultReportUri": True,
    }
    domains = dict.fromkeys(API_NAMES, domain)
    return text_plist({"TSKConfiguration": {"TSKSwizzleNetworkDelegates": True, "TSKPinnedDomains": domains}})


def info_plist(names: tuple[str, ...], pins: list[str], authorities: list[str] | None = None) -> str:
    """Write an Info.plist with pinned domains beside other settings of an app."""
    domain: dict[str, Any] = {"NSPinnedLeafIdentities": [{"SPKI-SHA256-BASE64": pin} for pin in pins]}
    if authorities:
        domain["NSPinnedCAIdentities"] = [{"SPKI-SHA256-BASE64": pin} for pin in authorities]
    security = {"NSAllowsArbitraryLoads": False, "NSPinnedDomains": dict.fromkeys(names, domain)}
    return text_plist({"CFBundleIdentifier": "com.example.app", "NSAppTransportSecurity": security})


def text_plist(value: dict[str, Any]) -> str:
    """Write a property list as XML."""
    return plistlib.dumps(value, sort_keys=False).decode()


def text_json(value: object) -> str:
    """Write JSON."""
    return json.dumps(value, indent=2) + "\n"


def put(path: Path, text: str) -> None:
    """Write a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
