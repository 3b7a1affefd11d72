"""Certificates, requests and public keys for tests: the same bytes at every run, and no private key on any disk.

A key is made from its name, serial numbers from what a certificate is for, dates are written out, and signatures
are deterministic (RFC 6979), so digests and files made of them are stable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rotator.files import pem
from rotator.model.pins import Pin, spki_pin
from rotator.model.pki import Certificate

CURVES: dict[str, type[ec.EllipticCurve]] = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1}


def instant(text: str) -> datetime:
    """Read `2026-11-23` or `2026-11-23T09:00:00` as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@cache
def key(name: str, curve: str = "p256") -> ec.EllipticCurvePrivateKey:
    """Make the key of a name."""
    seed = int.from_bytes(hashlib.sha512(f"rotator test key {name}".encode()).digest(), "big")
    return ec.derive_private_key(seed % (2**250) + 1, CURVES[curve]())


def spki_der(name: str, curve: str = "p256") -> bytes:
    """Give the SubjectPublicKeyInfo of a name's key."""
    return (
        key(name, curve)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def pin(name: str) -> Pin:
    """Give the pin of a name's key."""
    return spki_pin(hashlib.sha256(spki_der(name)).digest())


def pin_text(name: str) -> str:
    """Give `sha256/<base64>` of a name's key."""
    return pin(name).text


def pin_b64(name: str) -> str:
    """Give the base64 of a name's key digest."""
    return pin(name).text.removeprefix("sha256/")


def public_pem(name: str) -> bytes:
    """Give a name's public key as PEM."""
    return (
        key(name).public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def private_pem(name: str) -> bytes:
    """Give a name's private key as PEM, to see it refused."""
    return key(name).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@cache
def csr(name: str, *, tampered: bool = False) -> bytes:
    """Give a certificate request for a name's key; a tampered one has a signature that is wrong."""
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(_name(name))
        .sign(key(name), hashes.SHA256(), ecdsa_deterministic=True)
    )
    der = bytearray(request.public_bytes(serialization.Encoding.DER))
    if tampered:
        der[-1] ^= 1
    body = x509.load_der_x509_csr(bytes(der))
    return body.public_bytes(serialization.Encoding.PEM)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])


@dataclass(frozen=True)
class Minted:
    """A certificate, the name of its key, and what can be written of it."""

    x509: x509.Certificate
    key: str
    curve: str = "p256"

    @property
    def pem(self) -> bytes:
        """Give it as PEM."""
        return self.x509.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        """Give it as DER."""
        return self.x509.public_bytes(serialization.Encoding.DER)


def mint(
    subject: str,
    issuer: Minted | None = None,
    *,
    key_name: str = "",
    curve: str = "p256",
    names: Sequence[str] = (),
    ips: Sequence[str] = (),
    not_before: str = "2026-10-01",
    not_after: str = "2027-09-30",
    ca: bool = False,
    path_length: int | None = None,
    permitted: Iterable[str] | None = None,
    excluded: Iterable[str] = (),
    client_only: bool = False,
) -> Minted:
    """Make a certificate; without an issuer it signs itself.

    Args:
        subject: its common name; "" for none.
        issuer: who signs it.
        key_name: the name of its key; its subject where it is left out.
        curve: the curve of its key.
        names: DNS names.
        ips: IP addresses.
        not_before: start of its validity.
        not_after: end of its validity.
        ca: whether it may sign others.
        path_length: most CA certificates below it.
        permitted: DNS names it may sign for.
        excluded: DNS names it may not sign for.
        client_only: whether its extended key usage forbids TLS servers.
    """
    own = key_name or subject
    what = f"{subject}|{own}|{issuer.x509.serial_number if issuer else 0}|{names}|{not_before}|{not_after}"
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer.x509.subject if issuer else _name(subject))
        .public_key(key(own, curve).public_key())
        .serial_number(int.from_bytes(hashlib.sha256(what.encode()).digest()[:12], "big") | 1)
        .not_valid_before(instant(not_before))
        .not_valid_after(instant(not_after))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
    )
    alternative: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    alternative += [x509.IPAddress(ip_address(ip)) for ip in ips]
    if alternative:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternative), critical=False)
    if permitted is not None or excluded:
        builder = builder.add_extension(
            x509.NameConstraints(
                permitted_subtrees=None if permitted is None else [x509.DNSName(n) for n in permitted],
                excluded_subtrees=[x509.DNSName(n) for n in excluded] or None,
            ),
            critical=True,
        )
    if client_only:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    signer = key(issuer.key, issuer.curve) if issuer else key(own, curve)
    return Minted(builder.sign(signer, hashes.SHA256(), ecdsa_deterministic=True), own, curve)


def root(name: str, *, key_name: str = "", not_before: str = "2020-01-01", not_after: str = "2040-01-01") -> Minted:
    """Make a root."""
    return mint(name, key_name=key_name, ca=True, not_before=not_before, not_after=not_after)


def intermediate(name: str, issuer: Minted, *, key_name: str = "", not_after: str = "2035-01-01") -> Minted:
    """Make a CA certificate below another one."""
    return mint(name, issuer, key_name=key_name, ca=True, not_before="2022-01-01", not_after=not_after)


def chain_pem(*minted: Minted) -> bytes:
    """Put certificates into one PEM file."""
    return b"".join(certificate.pem for certificate in minted)


def values(*minted: Minted) -> list[Certificate]:
    """Give certificates as the program sees them, with the signers that are among them verified."""
    loaded = [pem.load_certificates(certificate.der, "minted")[0] for certificate in minted]
    linked = pem.link(loaded)
    return [linked[item.value] for item in loaded]
