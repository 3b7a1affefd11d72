"""Certificates, trust stores and served chains as plain values, and how one certificate leads to its issuer.

What a certificate says is read and its signature checked in `rotator.files.pem`; here it is data. A certificate
that does not exist yet (a planned chain, a renewal, an attacker's) is the same value with `planned` set and an
identity of its own, so that no pin made from a real file can match it by accident.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from rotator.model import names
from rotator.model.pins import Pin, PinKind
from rotator.model.when import BEGINNING, FOREVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One certificate.

    Attributes:
        sha256: digest of the whole DER, the identity of the certificate.
        spki: SHA-256 of the SubjectPublicKeyInfo, the identity of its key.
        raw: SHA-256 of the bare public point for elliptic curves; empty for other keys, whose raw form is `spki`.
        subject_id, issuer_id: the names as bytes, to compare.
        signer: `spki` of the key known to have made the signature; None when that key is not at hand.
        dns_names, ip_names: subject alternative names; `has_names` is False when there is no such extension.
        path_length: most CA certificates that may follow, leaf not counted; None for no bound.
        permitted, excluded: DNS name constraints.
        server_auth: False when an extended key usage forbids TLS servers.
    """

    sha256: bytes
    sha1: bytes = b""
    md5: bytes = b""
    spki: bytes
    spki_sha1: bytes = b""
    sha512: bytes = b""
    spki_sha512: bytes = b""
    raw: bytes = b""
    subject: str
    issuer: str
    subject_id: bytes
    issuer_id: bytes
    signer: bytes | None = None
    not_before: datetime = BEGINNING
    not_after: datetime = FOREVER
    ca: bool = False
    path_length: int | None = None
    dns_names: tuple[str, ...] = ()
    ip_names: tuple[str, ...] = ()
    has_names: bool = True
    common_name: str | None = None
    permitted: tuple[str, ...] | None = None
    excluded: tuple[str, ...] = ()
    key_type: str = ""
    serial: int = 0
    server_auth: bool = True
    planned: bool = False

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and other.sha256 == self.sha256

    @property
    def self_signed(self) -> bool:
        """Say whether the certificate is signed by its own key."""
        return self.signer == self.spki

    @property
    def label(self) -> str:
        """Show the shortest name a person would know the certificate by."""
        if self.planned and self.subject:
            return self.subject
        return self.common_name or self.subject or (self.dns_names[0] if self.dns_names else "unnamed")

    def matches(self, pin: Pin) -> bool:
        """Say whether a pin is on this certificate or its key."""
        digest: bytes = _DIGESTS[pin.kind](self)
        return bool(digest) and digest == pin.digest

    def pins(self) -> Iterator[Pin]:
        """Give every pin that is on this certificate or its key, as far as its digests are known."""
        for kind, digest in _DIGESTS.items():
            if own := digest(self):
                yield Pin(kind, own)

    def valid_at(self, at: datetime) -> bool:
        """Say whether an instant lies in the validity, both ends included (RFC 5280, 4.1.2.5)."""
        return self.not_before <= at <= self.not_after

    def covers(self, host: str, *, common_name: bool = False) -> bool:
        """Say whether the certificate is good for a host; `common_name` allows the old fall-back without names."""
        if not self.has_names and common_name and self.common_name:
            return names.certificate_covers(host, dns_names=(self.common_name,))
        return names.certificate_covers(host, dns_names=self.dns_names, ip_names=self.ip_names)


_DIGESTS: dict[PinKind, Callable[[Certificate], bytes]] = {
    PinKind.SPKI_SHA256: lambda own: own.spki,
    PinKind.SPKI_SHA1: lambda own: own.spki_sha1,
    PinKind.CERT_SHA256: lambda own: own.sha256,
    PinKind.CERT_SHA1: lambda own: own.sha1,
    PinKind.CERT_MD5: lambda own: own.md5,
    PinKind.SPKI_SHA512: lambda own: own.spki_sha512,
    PinKind.CERT_SHA512: lambda own: own.sha512,
    PinKind.RAW: lambda own: own.raw or own.spki,
}


def may_have_issued(issuer: Certificate, child: Certificate) -> bool:
    """Say whether a certificate's name and key are those that signed another."""
    return child.signer == issuer.spki and child.issuer_id == issuer.subject_id


def planned_certificate(
    *,
    identity: str,
    spki: bytes,
    subject: str,
    issuer: Certificate | None,
    not_before: datetime = BEGINNING,
    not_after: datetime = FOREVER,
    ca: bool = False,
    dns_names: tuple[str, ...] = (),
    common_name: str | None = None,
    key_type: str = "",
    subject_id: bytes | None = None,
    spki_sha1: bytes = b"",
    spki_sha512: bytes = b"",
    raw: bytes = b"",
) -> Certificate:
    """Make a certificate that nobody issued yet; without an issuer it signs itself.

    Args:
        identity: what makes it this certificate and no other; equal identities are the same certificate.
        spki: SHA-256 of its key's SubjectPublicKeyInfo.
        subject: the name shown.
        issuer: a certificate of the key that is to sign it.
        not_before: start of its validity.
        not_after: end of its validity.
        ca: whether it may sign others.
        dns_names: the names it is for; IP addresses among them become those.
        common_name: a common name beside them.
        key_type: such as `ec-p256`; "" when not known.
        subject_id: the subject as bytes, where another certificate of the same authority exists.
        spki_sha1: SHA-1 of the same SubjectPublicKeyInfo, where it is known.
        spki_sha512: SHA-512 of it, likewise.
        raw: SHA-256 of the bare point, where the key is of an elliptic curve and at hand.
    """
    own = subject_id if subject_id is not None else b"planned:" + spki
    return Certificate(
        sha256=hashlib.sha256(b"rotator planned certificate:" + identity.encode()).digest(),
        spki=spki,
        spki_sha1=spki_sha1,
        spki_sha512=spki_sha512,
        raw=raw,
        subject=subject,
        issuer=subject if issuer is None else issuer.subject,
        subject_id=own,
        issuer_id=own if issuer is None else issuer.subject_id,
        signer=spki if issuer is None else issuer.spki,
        not_before=not_before,
        not_after=not_after,
        ca=ca,
        dns_names=tuple(name for name in dns_names if not names.is_ip(name)),
        ip_names=tuple(name.strip("[]") for name in dns_names if names.is_ip(name)),
        common_name=common_name,
        key_type=key_type,
        planned=True,
    )


def unknown_key(identity: str) -> bytes:
    """Give the digest of a key nobody has seen, fixed by what it is for."""
    return hashlib.sha256(b"rotator unknown key:" + identity.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A chain as a server sends it, leaf first.

    Attributes:
        name: its name in the policy, or what made it.
        sent: the certificates in the order they are sent.
        planned: nobody issued it yet.
        assumed: what was assumed to make it; "" when nothing was.
    """

    name: str
    sent: tuple[Certificate, ...]
    planned: bool = False
    assumed: str = ""

    @property
    def leaf(self) -> Certificate:
        """Give the server's own certificate."""
        return self.sent[0]


@dataclass(frozen=True, kw_only=True)
class TrustStore:
    """What a client trusts.

    Attributes:
        name: its name in the policy.
        roots: anchors that came with the device or the client.
        local_roots: anchors that a user or an enterprise installed.
        intercepted_by: the proxy root under which all TLS is re-signed, if any.
        accepts_expired_roots: an anchor's own end does not matter.
        key_types: the key types the client can handle; None for all.
        public: whether some public CA is trusted; False where every root is ours.
        distrusted: keys that this store alone distrusts, as in `rotator.model.paths.Conditions`.
    """

    name: str
    roots: tuple[Certificate, ...]
    local_roots: tuple[Certificate, ...] = ()
    intercepted_by: Certificate | None = None
    accepts_expired_roots: bool = False
    key_types: frozenset[str] | None = None
    public: bool = True
    distrusted: frozenset[tuple[bytes, datetime | None]] = frozenset()
    _by_name: dict[bytes, tuple[Certificate, ...]] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        by_name: dict[bytes, tuple[Certificate, ...]] = {}
        for root in (*self.roots, *self.local_roots):
            if root not in by_name.get(root.subject_id, ()):
                by_name[root.subject_id] = (*by_name.get(root.subject_id, ()), root)
        object.__setattr__(self, "_by_name", by_name)

    def __hash__(self) -> int:
        return hash(self.name)

    def anchor_for(self, certificate: Certificate) -> Certificate | None:
        """Give the anchor with the name and key of a certificate: itself, or another certificate of the same CA."""
        same = [a for a in self._by_name.get(certificate.subject_id, ()) if a.spki == certificate.spki]
        return certificate if certificate in same else (same[0] if same else None)

    def issuers_of(self, certificate: Certificate) -> tuple[Certificate, ...]:
        """Give the anchors that signed a certificate, self-signed ones first."""
        found = [a for a in self._by_name.get(certificate.issuer_id, ()) if a.spki == certificate.signer]
        return tuple(sorted(found, key=lambda anchor: not anchor.self_signed))

    def above(self, certificates: Iterable[Certificate]) -> tuple[Certificate, ...]:
        """Give some certificates and every anchor that may stand for one of them or above it, however far."""
        found = dict.fromkeys(certificates)
        left = list(found)
        while left:
            current = left.pop()
            for name in (current.subject_id, current.issuer_id):
                fresh = [a for a in self._by_name.get(name, ()) if a not in found]
                found |= dict.fromkeys(fresh)
                left += fresh
        return tuple(found)

    def holds(self, spki: bytes) -> bool:
        """Say whether an anchor has a key."""
        return any(anchor.spki == spki for anchor in (*self.roots, *self.local_roots))

    def is_local(self, anchor: Certificate) -> bool:
        """Say whether an anchor is there only because a user or an enterprise installed it."""
        return anchor in self.local_roots and anchor not in self.roots


def unique(certificates: Iterable[Certificate]) -> tuple[Certificate, ...]:
    """Drop repeated certificates, the first of each kept."""
    return tuple(dict.fromkeys(certificates))
