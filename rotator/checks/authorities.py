"""The CA keys a policy stands on: who pins each, and which hosts are served under it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rotator.checks.base import Subject, clients_of, people
from rotator.model.names import some
from rotator.model.pins import Pin, PinKind, spki_pin
from rotator.model.pki import Certificate
from rotator.model.rules import Mode, Rule
from rotator.simulate.cohorts import Cohort
from rotator.simulate.fleet import Connection
from rotator.simulate.inventory import DEFAULT_TRUST

CERTIFICATE_KINDS = (PinKind.CERT_SHA256, PinKind.CERT_SHA1, PinKind.CERT_MD5, PinKind.CERT_SHA512)


@dataclass(kw_only=True)
class Use:
    """One CA key in use.

    Attributes:
        spki: the key.
        name: what this policy calls it.
        subject: where it stands in the policy; its pin where it has no name there.
        certificate: a certificate of it, where one is at hand.
        holder: who holds it, where the policy says so.
        root: whether some client trusts it as an anchor.
        pinned_by: the clients that pin it, on some host they use.
        served: the leaves that stand below it today, by host.
        anchors: the hosts on which it ends the path of a client whose store follows Mozilla's, with those clients.
    """

    spki: bytes
    name: str
    subject: str
    certificate: Certificate | None
    holder: str | None = None
    root: bool = False
    pinned_by: dict[Cohort, None] = field(default_factory=dict)
    served: dict[str, Certificate] = field(default_factory=dict)
    anchors: dict[str, dict[Cohort, None]] = field(default_factory=dict)

    @property
    def pinned(self) -> str:
        """Say who pins it, and how many that are."""
        names = list(dict.fromkeys(cohort.name for cohort in self.pinned_by))
        return f"{some(names)} ({people(clients_of(list(self.pinned_by)))})"


def uses(subject: Subject, extra: Iterable[tuple[str, bytes]] = ()) -> tuple[Use, ...]:
    """Give every CA key that is pinned or served under, in the order of the policy.

    Args:
        subject: what is checked.
        extra: names and keys of CAs that are known though no certificate of theirs is at hand.
    """
    work = _Uses(subject, extra)
    work.pinned()
    work.served()
    return tuple(work.found.values())


class _Uses:
    """The work in progress."""

    def __init__(self, subject: Subject, extra: Iterable[tuple[str, bytes]]) -> None:
        self.subject = subject
        self.found: dict[bytes, Use] = {}
        inventory = subject.inventory
        stores = [c for store in inventory.trust.values() for c in (*store.roots, *store.local_roots)]
        self.roots = {c.spki for c in stores}
        sent = [c for chain in inventory.chains.values() for c in chain.sent[1:]]
        known = [*(c for own in inventory.authorities.values() for c in own), *sent, *stores]
        self.by_pin: dict[Pin, tuple[bytes, Certificate | None]] = {}
        for certificate in known:
            for pin in _pins(certificate):
                self.by_pin.setdefault(pin, (certificate.spki, certificate))
        self.names: dict[bytes, str] = {}
        for name, spki in extra:
            self.by_pin.setdefault(spki_pin(spki), (spki, None))
            self.names.setdefault(spki, name)

    def use(self, spki: bytes, certificate: Certificate | None) -> Use:
        if spki not in self.found:
            inventory = self.subject.inventory
            name = inventory.authority_of(certificate) if certificate is not None else None
            shown = name or (certificate.label if certificate is not None else self.names[spki])
            self.found[spki] = Use(
                spki=spki,
                name=shown,
                subject=f"authorities.{name}" if name else spki_pin(spki).text,
                certificate=certificate,
                holder=inventory.policy.authorities[name].holder if name else None,
                root=spki in self.roots or spki in self.names,
            )
        return self.found[spki]

    def pinned(self) -> None:
        for connection in self.subject.fleet.connections:
            for pin in {pin for rule in in_force(self.subject, connection) for pin in rule.pins}:
                if pin in self.by_pin:
                    self.use(*self.by_pin[pin]).pinned_by[connection.cohort] = None

    def served(self) -> None:
        follows = {name for name, trust in self.subject.policy.trust.items() if trust.roots is None} | {DEFAULT_TRUST}
        for host, offers in self.subject.today.world.served.items():
            for offer in offers:
                for certificate in offer.chain.sent[1:]:
                    self.use(certificate.spki, certificate).served.setdefault(host, offer.chain.leaf)
        for row in self.subject.today.rows:
            path, host = row.ours.judgement.path, row.connection.host
            if path is None or row.connection.host not in self.subject.today.world.served:
                continue
            for certificate in path.certificates[1:]:
                self.use(certificate.spki, certificate).served.setdefault(host, path.certificates[0])
            if row.connection.cohort.trust in follows and len(path.certificates) > 1 and not path.local:
                anchor = self.use(path.certificates[-1].spki, path.certificates[-1])
                anchor.anchors.setdefault(host, {})[row.connection.cohort] = None


def _pins(certificate: Certificate) -> Iterator[Pin]:
    yield spki_pin(certificate.spki)
    for kind, digest in (
        (PinKind.SPKI_SHA1, certificate.spki_sha1),
        (PinKind.CERT_SHA256, certificate.sha256),
        (PinKind.CERT_SHA1, certificate.sha1),
        (PinKind.RAW, certificate.raw),
    ):
        if digest:
            yield Pin(kind, digest)


def in_force(subject: Subject, connection: Connection) -> Iterator[Rule]:
    """Give the rules of a connection that refuse what they do not match, today."""
    for rules in connection.rules.values():
        for rule in rules:
            ended = rule.expiry is not None and rule.expiry.last <= subject.now and not rule.expiry.closed
            if rule.clauses and rule.mode is Mode.ENFORCE and not ended:
                yield rule


def is_public(subject: Subject, chain: Iterable[Certificate]) -> bool:
    """Say whether a chain leads to a public root, so that the rules of public CAs hold for it."""
    bundle = {root.spki for root in subject.inventory.trust[DEFAULT_TRUST].roots}
    known = bundle | {spki for fact in subject.facts for spki in fact.keys.values()}
    return bool({spki for c in climb(subject, chain) for spki in (c.spki, c.signer)} & known)


def climb(subject: Subject, chain: Iterable[Certificate]) -> tuple[Certificate, ...]:
    """Give the certificates of a chain and every certificate of an authority above one of them."""
    found = dict.fromkeys(chain)
    above = [c for own in subject.inventory.authorities.values() for c in own]
    while True:
        signers = {c.signer for c in found}
        more = [c for c in above if c.spki in signers and c not in found]
        if not more:
            return tuple(found)
        found |= dict.fromkeys(more)
