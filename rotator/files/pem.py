"""Certificates, public keys and certificate requests, read with `cryptography` and turned into plain values.

The one place that knows `cryptography`. Signatures are checked here, so that the pure core can follow issuers without
cryptography. A file that holds a private key is refused and nothing of it is kept.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rotator.errors import InputError, Problem
from rotator.files.der import spki_of
from rotator.model.pins import spki_pin
from rotator.model.pki import Certificate
from rotator.simulate.inventory import KeyFacts

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----([^-]*(?:-(?!----)[^-]*)*)-----END \1-----")
_PRIVATE = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY")
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.UnsupportedGeneralNameType,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    InvalidSignature,
    KeyError,
    IndexError,
    OverflowError,
)
MAX_CERTIFICATES = 5_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """A certificate as a value, beside what is needed to check signatures with it."""

    value: Certificate
    x509: x509.Certificate


def load_certificates(data: bytes, file: str, *, skip_unreadable: bool = False) -> list[Loaded]:
    """Read every certificate of a file: PEM with anything around it, or one certificate in DER.

    Args:
        data: the file.
        file: its name, for messages.
        skip_unreadable: leave out certificates that cannot be read, as for big bundles.

    Raises:
        InputError: there is no certificate, one cannot be read, or the file holds a private key.
    """
    refuse_private_key(data, file)
    ders = list(_blocks(data, (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"), file))
    if not ders and data[:1] == b"\x30":
        ders = [data]
    if not ders:
        raise InputError(
            Problem(
                "holds no certificate",
                file=file,
                expected="PEM (-----BEGIN CERTIFICATE-----), or one certificate in DER",
                hint=_what_it_is(data),
            )
        )
    if len(ders) > MAX_CERTIFICATES:
        raise InputError(Problem("holds too many certificates", file=file, value=len(ders)))
    found = []
    for number, der in enumerate(ders, 1):
        try:
            found.append(_load(der))
        except _UNREADABLE as error:
            if not skip_unreadable:
                raise InputError(Problem(f"certificate {number} cannot be read: {_reason(error)}", file=file)) from None
    return found


def der_of(loaded: Loaded) -> bytes:
    """Give a certificate as it was encoded."""
    return loaded.x509.public_bytes(serialization.Encoding.DER)


def _load(der: bytes) -> Loaded:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old roots break rules that do not matter to pins
        certificate = x509.load_der_x509_certificate(der)
        return Loaded(_value(certificate, der), certificate)


def _value(certificate: x509.Certificate, der: bytes) -> Certificate:
    spki = spki_of(certificate.tbs_certificate_bytes)
    names = _extension(certificate, x509.SubjectAlternativeName)
    constraints = _extension(certificate, x509.BasicConstraints)
    allowed = _extension(certificate, x509.NameConstraints)
    usage = _extension(certificate, x509.ExtendedKeyUsage)
    server = usage is None or any(
        oid in usage for oid in (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    )
    # A root of X.509 version 1 has no extensions: clients take it for a CA where it is an anchor.
    old_root = certificate.version is x509.Version.v1 and certificate.subject == certificate.issuer
    permitted = None if allowed is None or allowed.permitted_subtrees is None else _dns(allowed.permitted_subtrees)
    return Certificate(
        sha256=hashlib.sha256(der).digest(),
        sha1=hashlib.sha1(der, usedforsecurity=False).digest(),
        md5=hashlib.md5(der, usedforsecurity=False).digest(),
        spki=hashlib.sha256(spki).digest(),
        spki_sha1=hashlib.sha1(spki, usedforsecurity=False).digest(),
        sha512=hashlib.sha512(der).digest(),
        spki_sha512=hashlib.sha512(spki).digest(),
        raw=_raw_point(certificate),
        subject=_show(certificate.subject),
        issuer=_show(certificate.issuer),
        subject_id=_name_id(certificate.subject),
        issuer_id=_name_id(certificate.issuer),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        ca=old_root or (constraints is not None and constraints.ca),
        path_length=None if constraints is None else constraints.path_length,
        dns_names=() if names is None else tuple(names.get_values_for_type(x509.DNSName)),
        ip_names=() if names is None else tuple(str(ip) for ip in names.get_values_for_type(x509.IPAddress)),
        has_names=names is not None,
        common_name=_common_name(certificate.subject),
        permitted=permitted or None,
        excluded=() if allowed is None else _dns(allowed.excluded_subtrees or ()),
        key_type=_key_type(certificate),
        serial=certificate.serial_number,
        server_auth=server,
    )


_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return None


def _dns(subtrees: Iterable[x509.GeneralName]) -> tuple[str, ...]:
    return tuple(name.value for name in subtrees if isinstance(name, x509.DNSName))


def _show(name: x509.Name) -> str:
    return name.rfc4514_string()


def _common_name(name: x509.Name) -> str | None:
    values = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(values[-1].value) if values else None


def _name_id(name: x509.Name) -> bytes:
    """Give a name as bytes that are equal where RFC 5280, 7.1 calls names equal: case and spaces folded."""
    parts = [
        "+".join(sorted(f"{a.oid.dotted_string}={' '.join(str(a.value).split()).casefold()}" for a in rdn))
        for rdn in name.rdns
    ]
    return "\n".join(parts).encode("utf-8", "surrogatepass")


def _raw_point(certificate: x509.Certificate) -> bytes:
    try:
        return point_digest(certificate.public_key())
    except _UNREADABLE:
        return b""


def point_digest(key: object) -> bytes:
    """Give the SHA-256 of the bare, uncompressed point of an elliptic-curve key; empty for other keys."""
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return b""
    form = serialization.PublicFormat.UncompressedPoint
    return hashlib.sha256(key.public_bytes(serialization.Encoding.X962, form)).digest()


def _key_type(certificate: x509.Certificate) -> str:
    try:
        return key_type(certificate.public_key())
    except _UNREADABLE:
        return "unknown"


def key_type(key: object) -> str:
    """Name a public key's type, as in `rsa-2048` or `ec-p256`."""
    if isinstance(key, rsa.RSAPublicKey):
        return f"rsa-{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return {"secp256r1": "ec-p256", "secp384r1": "ec-p384", "secp521r1": "ec-p521"}.get(
            key.curve.name, f"ec-{key.curve.name}"
        )
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519"
    if isinstance(key, ed448.Ed448PublicKey):
        return "ed448"
    return type(key).__name__.removesuffix("PublicKey").lower() or "unknown"


def link(loaded: Iterable[Loaded]) -> dict[Certificate, Certificate]:
    """Find out which key signed each certificate, among the keys at hand.

    Returns:
        Each certificate with `signer` filled in where its signature was verified.
    """
    everything = list({item.value: item for item in loaded}.values())
    by_subject: dict[bytes, list[Loaded]] = {}
    for item in everything:
        by_subject.setdefault(item.value.subject_id, []).append(item)
    return {item.value: _with_signer(item, by_subject.get(item.value.issuer_id, ())) for item in everything}


def _with_signer(item: Loaded, candidates: Iterable[Loaded]) -> Certificate:
    if item.value.signer is not None:
        return item.value
    tried = set()
    for candidate in candidates:
        if candidate.value.spki in tried:
            continue
        tried.add(candidate.value.spki)
        if _signed_by(item.x509, candidate.x509):
            return replace(item.value, signer=candidate.value.spki)
    return item.value


def _signed_by(child: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            child.verify_directly_issued_by(issuer)
    except _UNREADABLE:
        return False
    return True


def load_key(data: bytes, file: str, source: str) -> KeyFacts:
    """Read the public half of a key.

    Args:
        data: the file.
        file: its name, for messages.
        source: `certificate`, `public_key` or `csr`.

    Raises:
        InputError: it is not what `source` says, its own signature is wrong, or it holds a private key.
    """
    refuse_private_key(data, file)
    if source == "certificate":
        first = load_certificates(data, file)[0].value
        return KeyFacts(
            pin=spki_pin(first.spki),
            spki_sha1=first.spki_sha1,
            spki_sha512=first.spki_sha512,
            raw=first.raw,
            key_type=first.key_type,
            ca=first.ca,
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            key = _from_csr(data, file) if source == "csr" else _from_public_key(data, file)
            der = key.public_bytes(  # type: ignore[attr-defined]  # every public key has it
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
    except _UNREADABLE as error:
        what = "certificate request" if source == "csr" else "public key"
        raise InputError(
            Problem(f"is not a readable {what}: {_reason(error)}", file=file, hint=_what_it_is(data))
        ) from None
    return KeyFacts(
        pin=spki_pin(hashlib.sha256(der).digest()),
        spki_sha1=hashlib.sha1(der, usedforsecurity=False).digest(),
        spki_sha512=hashlib.sha512(der).digest(),
        raw=point_digest(key),
        key_type=key_type(key),
    )


def _from_csr(data: bytes, file: str) -> object:
    request = x509.load_pem_x509_csr(data) if b"-----BEGIN" in data else x509.load_der_x509_csr(data)
    if not request.is_signature_valid:
        raise InputError(
            Problem(
                "the request's own signature is wrong: it proves nothing",
                file=file,
                hint="make the request anew",
            )
        )
    return request.public_key()


def _from_public_key(data: bytes, file: str) -> object:
    if b"-----BEGIN CERTIFICATE-----" in data:
        raise InputError(Problem("is a certificate", file=file, hint="use certificate = instead of public_key ="))
    if b"-----BEGIN" in data:
        return serialization.load_pem_public_key(data)
    return serialization.load_der_public_key(data)


def refuse_private_key(data: bytes, file: str) -> None:
    """Refuse a file that holds a private key.

    Raises:
        InputError: it does; with how to make the public key from it.
    """
    if _PRIVATE.search(data):
        raise InputError(
            Problem(
                "holds a private key: Rotator never reads one",
                file=file,
                expected="a certificate, a public key or a certificate request",
                hint="openssl pkey -in PRIVATE.pem -pubout -out PUBLIC.pem makes the public key from it",
            )
        )


def _blocks(data: bytes, labels: tuple[bytes, ...], file: str) -> Iterator[bytes]:
    for number, match in enumerate(_BLOCK.finditer(data), 1):
        if match[1] not in labels:
            continue
        try:
            yield base64.b64decode(b"".join(match[2].split()), validate=True)
        except (binascii.Error, ValueError):
            raise InputError(Problem(f"PEM block {number} is not base64", file=file)) from None


def _what_it_is(data: bytes) -> str:
    match = _BLOCK.search(data)
    if match is not None:
        return f"it holds a {match[1].decode('ascii', 'replace').lower()}"
    return "the file is empty" if not data.strip() else ""


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return (text[:1].lower() + text[1:]).rstrip(".")


def decode(data: bytes) -> tuple[Certificate, ...]:
    """Give the certificates of a file as values, none where it holds none that can be read."""
    try:
        return tuple(item.value for item in load_certificates(data, "", skip_unreadable=True))
    except InputError:
        return ()


def verifier(data: bytes, file: str, source: str) -> Callable[[bytes, bytes], bool] | None:
    """Give a check of ECDSA signatures over SHA-256 by a key; None where the key is of another type.

    Args:
        data: the file of the key.
        file: its name, for messages.
        source: `certificate`, `public_key` or `csr`.
    """
    if source == "certificate":
        key: object = load_certificates(data, file)[0].x509.public_key()
    else:
        key = _from_csr(data, file) if source == "csr" else _from_public_key(data, file)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return None
    public = key

    def good(message: bytes, signature: bytes) -> bool:
        try:
            public.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        except _UNREADABLE:
            return False
        return True

    return good
