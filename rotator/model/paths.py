"""What a client makes of what is sent: the certification paths it can build with its own trust store.

Three builders, told apart by real clients:

`backtrack`
    Depth first, trust-store issuers before served ones, another branch when one fails; ends at a self-signed
    anchor, or at an anchor none of whose issuers is an anchor (Conscrypt `TrustManagerImpl`; JDK, Go and NSS
    find a path in the same cases).
`first-issuer`
    The first valid issuer at each step, trust store first, and no way back (OpenSSL `X509_verify_cert` with
    trusted-first and partial chains as curl sets them; GnuTLS).
`okhttp`
    A platform path must exist; the path that pins see is then made anew from what was sent, without regard to
    validity and without a way back (OkHttp `BasicCertificateChainCleaner`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from rotator.model import names
from rotator.model.pki import Certificate, TrustStore, may_have_issued
from rotator.model.rules import Builder

MAX_DEPTH = 10
"""Certificates in a path; OkHttp stops after nine signers and Conscrypt, OpenSSL and Go at similar bounds."""
MAX_STEPS = 5_000
"""Certificates looked at in one search, so that a hostile tangle of cross-signs ends."""


class Distrust(Enum):
    """What a client does about an authority that left its store, where another one has signed that authority."""

    KEY = "key"
    """It refuses the key wherever it stands in a path, as with a list of blocked keys."""
    STORE = "store"
    """The anchor is gone, and a certificate of the key that is sent is as good as any other."""


@dataclass(frozen=True, slots=True)
class Path:
    """A path, leaf first, the anchor included even when nobody sent it."""

    certificates: tuple[Certificate, ...]
    local: bool = False

    @property
    def text(self) -> str:
        """Show the path as `leaf > intermediate > root`."""
        return " > ".join(certificate.label for certificate in self.certificates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What holds while a path is built.

    Attributes:
        at: the instant certificates must be valid at; None to ignore validity.
        distrusted: key of a distrusted authority, and the day from which leaves issued under it are refused
            (None: all of them, and the authority is no anchor any more).
        distrust: how the client goes about that.
        ended: certificates that are treated as expired whatever they say.
        local_roots: whether anchors installed by a user or an enterprise count.
        system_roots: whether the others count.
    """

    at: datetime | None
    distrusted: frozenset[tuple[bytes, datetime | None]] = frozenset()
    distrust: Distrust = Distrust.KEY
    ended: frozenset[bytes] = frozenset()
    local_roots: bool = True
    system_roots: bool = True

    def allows(self, anchor: Certificate, trust: TrustStore) -> bool:
        """Say whether an anchor of a trust store counts, and is still there."""
        if (anchor.spki, None) in self.distrusted:
            return False
        return self.local_roots if trust.is_local(anchor) else self.system_roots

    def without_time(self) -> Conditions:
        """Give the same conditions with every certificate valid."""
        return replace(self, at=None, ended=frozenset())

    def without_distrust(self) -> Conditions:
        """Give the same conditions with every authority trusted that the store holds."""
        return replace(self, distrusted=frozenset())

    def in_time(self, certificate: Certificate, *, lenient: bool = False) -> bool:
        """Say whether a certificate is inside its validity; `lenient` for anchors whose end does not matter."""
        if self.at is None or lenient:
            return True
        return certificate.sha256 not in self.ended and certificate.valid_at(self.at)

    def trusts(self, certificate: Certificate, leaf: Certificate, trust: TrustStore) -> bool:
        """Say whether a distrust leaves a certificate of a path alone."""
        return not any(
            self._refuses(spki, trust) if since is None else leaf.not_before >= since
            for spki, since in self.distrusted
            if spki == certificate.spki
        )

    def _refuses(self, spki: bytes, trust: TrustStore) -> bool:
        """Say whether a distrusted key is refused below another anchor; one that no store holds can only be blocked."""
        return self.distrust is Distrust.KEY or not trust.holds(spki)


def find_paths(
    sent: tuple[Certificate, ...],
    trust: TrustStore,
    conditions: Conditions,
    builder: Builder,
    extra: tuple[Certificate, ...] = (),
) -> Iterator[Path]:
    """Give the paths a client can build, the one it would choose first.

    Args:
        sent: what the server sends, leaf first.
        trust: what the client trusts.
        conditions: time, distrust and ended certificates.
        builder: how the client goes about it.
        extra: certificates the client may have cached or fetched itself; used by `backtrack` alone.
    """
    if not sent:
        return
    if builder is Builder.FIRST_ISSUER:
        path = _first_issuer(sent, trust, conditions)
        if path is not None:
            yield path
        return
    search = _Backtrack(sent, trust, conditions, extra)
    if builder is Builder.OKHTTP:
        platform = next(iter(search), None)
        if platform is not None:
            cleaned = _okhttp_clean(sent, trust, conditions, platform)
            if cleaned is not None:
                yield cleaned
        return
    yield from search


class _Backtrack:
    """One depth-first search."""

    def __init__(
        self,
        sent: tuple[Certificate, ...],
        trust: TrustStore,
        conditions: Conditions,
        extra: tuple[Certificate, ...],
    ) -> None:
        self.leaf = sent[0]
        self.pool = (*sent[1:], *(certificate for certificate in extra if certificate not in sent))
        self.trust = trust
        self.conditions = conditions
        self.steps = 0

    def __iter__(self) -> Iterator[Path]:
        if self._usable(self.leaf):
            yield from self._extend((self.leaf,), anchored=False)

    def _extend(self, path: tuple[Certificate, ...], *, anchored: bool) -> Iterator[Path]:
        self.steps += 1
        if self.steps > MAX_STEPS:
            return
        current = path[-1]
        anchor = self._anchor(self.trust.anchor_for(current))
        if anchor is not None and anchor != current:
            # The store's own certificate of this CA comes first; a client that wants every path also goes on with
            # the one that was sent, which another root may have signed.
            if len(path) == 1 or self._may_sign(anchor, path[:-1]):
                yield from self._extend((*path[:-1], anchor), anchored=anchored)
            anchor = None
        if anchor is not None and anchor.self_signed:
            yield from self._finish(path)
            return
        higher = [a for a in self.trust.issuers_of(current) if a not in path and self._anchor(a) is not None]
        if len(path) < MAX_DEPTH:
            for issuer in higher:
                if self._may_sign(issuer, path):
                    yield from self._extend((*path, issuer), anchored=True)
        if anchor is not None:
            if not higher:
                yield from self._finish(path)
            return
        if anchored or len(path) >= MAX_DEPTH:
            return
        for issuer in self.pool:
            if (
                issuer not in path
                and may_have_issued(issuer, current)
                and self._usable(issuer)
                and self._may_sign(issuer, path)
            ):
                yield from self._extend((*path, issuer), anchored=False)

    def _anchor(self, anchor: Certificate | None) -> Certificate | None:
        """Give the anchor back if the conditions let it be one."""
        if anchor is None or not self.conditions.allows(anchor, self.trust):
            return None
        lenient = self.trust.accepts_expired_roots and anchor != self.leaf
        return anchor if self.conditions.in_time(anchor, lenient=lenient) else None

    def _usable(self, certificate: Certificate) -> bool:
        return self.conditions.in_time(certificate)

    @staticmethod
    def _may_sign(issuer: Certificate, path: tuple[Certificate, ...]) -> bool:
        return may_sign(issuer, path)

    def _finish(self, path: tuple[Certificate, ...]) -> Iterator[Path]:
        if all(self.conditions.trusts(certificate, self.leaf, self.trust) for certificate in path):
            yield Path(path, self.trust.is_local(path[-1]))


def may_sign(issuer: Certificate, below: tuple[Certificate, ...]) -> bool:
    """Say whether a certificate may stand above a path (RFC 5280, 4.2.1.9, 4.2.1.10, 4.2.1.12).

    It must be a CA, its path length must allow the CA certificates below it that are not self-issued, its name
    constraints must allow the leaf's names, and its extended key usage must allow TLS servers.
    """
    if not issuer.ca or not issuer.server_auth:
        return False
    depth = sum(1 for certificate in below[1:] if certificate.subject_id != certificate.issuer_id)
    if issuer.path_length is not None and depth > issuer.path_length:
        return False
    return all(_constrained(name, issuer) for name in below[0].dns_names)


def _constrained(name: str, issuer: Certificate) -> bool:
    name = name.removeprefix("*.")
    if any(names.within(name, base) for base in issuer.excluded):
        return False
    return issuer.permitted is None or any(names.within(name, base) for base in issuer.permitted)


def _first_issuer(sent: tuple[Certificate, ...], trust: TrustStore, conditions: Conditions) -> Path | None:
    """Follow the first issuer at each step; the whole path must then hold."""

    def allowed(anchor: Certificate) -> bool:
        return conditions.allows(anchor, trust)

    path = [sent[0]]
    while len(path) <= MAX_DEPTH:
        current = path[-1]
        anchor = trust.anchor_for(current)
        if anchor == current and allowed(current):
            break
        if current.self_signed:
            return None
        anchors = [a for a in trust.issuers_of(current) if allowed(a)]
        served = [c for c in sent[1:] if c not in path and may_have_issued(c, current)]
        candidates = anchors or served
        if not candidates:
            return None
        path.append(next((c for c in candidates if conditions.in_time(c)), candidates[0]))
    else:
        return None
    last = path[-1]
    whole = tuple(path)
    lenient = trust.accepts_expired_roots and len(whole) > 1
    sound = all(
        conditions.in_time(c, lenient=lenient and c is last) and conditions.trusts(c, whole[0], trust) for c in whole
    ) and all(may_sign(issuer, whole[: depth + 1]) for depth, issuer in enumerate(whole[1:]))
    return Path(whole, trust.is_local(last)) if sound else None


def _okhttp_clean(
    sent: tuple[Certificate, ...], trust: TrustStore, conditions: Conditions, platform: Path
) -> Path | None:
    """Make the path as OkHttp's cleaner does: trusted issuer first, then the queue in the order it was sent."""
    queue = list(sent[1:])
    path = [sent[0]]
    found = False
    for _ in range(9):
        current = path[-1]
        issuers = [a for a in trust.issuers_of(current) if conditions.allows(a, trust)]
        trusted = next(iter(issuers), None)
        if trusted is not None:
            if len(path) > 1 or trusted != current:
                path.append(trusted)
            if trusted.self_signed:
                return Path(tuple(path), platform.local)
            found = True
            continue
        signer = next((c for c in queue if may_have_issued(c, current) and c.ca), None)
        if signer is None:
            return Path(tuple(path), platform.local) if found else None
        queue.remove(signer)
        path.append(signer)
    return None
