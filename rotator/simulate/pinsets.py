"""Pinsets and keys looked up: what a pinset stands for, and what a planned certificate takes from its key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import TypedDict

from rotator.mechanisms.base import PinsetSpec
from rotator.model.names import Cover
from rotator.model.pins import Pin, PinKind, spki_pin
from rotator.model.pki import Certificate, Chain, unknown_key
from rotator.model.policy import Pinset, Policy
from rotator.model.rules import Combine, Mode
from rotator.simulate.inventory import KeyFacts


def pinset_spec(
    policy: Policy,
    name: str,
    keys: Mapping[str, KeyFacts],
    authorities: Mapping[str, tuple[Certificate, ...]],
    chains: Mapping[str, Chain],
) -> PinsetSpec:
    """Look the pins of a pinset up, in the order primary, backups, authorities, certificates."""
    pinset = policy.pinsets[name]
    expires: date | datetime | None = pinset.expires
    return PinsetSpec(
        name=name,
        covers=pinset.covers if pinset.covers is not None else default_covers(policy, name),
        keys=tuple(keys[key].pin for key in pinset.keys if key in keys),
        authorities=tuple(spki_pin(authorities[a][0].spki) for a in pinset.authorities if authorities.get(a)),
        certificates=tuple(Pin(PinKind.CERT_SHA256, chains[c].leaf.sha256) for c in pinset.certificates if c in chains),
        expires=expires,
        mode=Mode(pinset.mode),
        max_age_days=pinset.max_age_days,
        also=dict(_also(pinset, keys, authorities, chains)),
        common_names={
            Pin(PinKind.CERT_SHA256, chains[c].leaf.sha256): chains[c].leaf.common_name or ""
            for c in pinset.certificates
            if c in chains and chains[c].leaf.common_name
        },
        combine=Combine(pinset.combine),
        ports={name: host.port for label, host in policy.hosts.items() for name in policy.host_names(label)},
    )


def _also(
    pinset: Pinset,
    keys: Mapping[str, KeyFacts],
    authorities: Mapping[str, tuple[Certificate, ...]],
    chains: Mapping[str, Chain],
) -> Iterator[tuple[tuple[Pin, PinKind], Pin]]:
    """Give every pin of a pinset in the other kinds of digest it is known by, a certificate also by its key."""
    for key in pinset.keys:
        if key in keys:
            facts = keys[key]
            digests = {
                PinKind.SPKI_SHA1: facts.spki_sha1,
                PinKind.SPKI_SHA512: facts.spki_sha512,
                PinKind.RAW: facts.raw or facts.pin.digest,
            }
            yield from (((facts.pin, kind), Pin(kind, digest)) for kind, digest in digests.items() if digest)
    for name in pinset.authorities:
        for c in authorities.get(name, ())[:1]:
            digests = {PinKind.SPKI_SHA1: c.spki_sha1, PinKind.SPKI_SHA512: c.spki_sha512, PinKind.RAW: c.raw or c.spki}
            yield from (((spki_pin(c.spki), kind), Pin(kind, digest)) for kind, digest in digests.items() if digest)
    for name in pinset.certificates:
        if name in chains:
            leaf = chains[name].leaf
            digests = {
                PinKind.CERT_SHA1: leaf.sha1,
                PinKind.CERT_MD5: leaf.md5,
                PinKind.CERT_SHA512: leaf.sha512,
                PinKind.SPKI_SHA256: leaf.spki,
            }
            whole = Pin(PinKind.CERT_SHA256, leaf.sha256)
            yield from (((whole, kind), Pin(kind, digest)) for kind, digest in digests.items() if digest)


def default_covers(policy: Policy, pinset: str) -> tuple[Cover, ...]:
    """Give the names of the hosts that the apps of a pinset use."""
    names = [
        name
        for app in policy.apps_by_pinset.get(pinset, ())
        for label in policy.hosts_of(app)
        for name in policy.host_names(label)
    ]
    if not names:
        names = [name for label in policy.hosts for name in policy.host_names(label)]
    return tuple(Cover(name) for name in dict.fromkeys(names))


class KeyIdentity(TypedDict):
    """What a planned certificate takes from the key it is for."""

    spki: bytes
    spki_sha1: bytes
    spki_sha512: bytes
    raw: bytes
    key_type: str


def key_identity(facts: KeyFacts | None, purpose: str) -> KeyIdentity:
    """Give the digests of a key, or of one nobody has seen; a key known by SHA-1 alone has no other digest."""
    if facts is None:
        return _identity(unknown_key(purpose))
    if facts.pin.kind is PinKind.SPKI_SHA1:
        return {**_identity(unknown_key(facts.pin.text)), "spki_sha1": facts.pin.digest, "key_type": facts.key_type}
    return KeyIdentity(
        spki=facts.pin.digest,
        spki_sha1=facts.spki_sha1,
        spki_sha512=facts.spki_sha512,
        raw=facts.raw,
        key_type=facts.key_type,
    )


def _identity(spki: bytes) -> KeyIdentity:
    return KeyIdentity(spki=spki, spki_sha1=b"", spki_sha512=b"", raw=b"", key_type="")


def identity_of(certificate: Certificate) -> KeyIdentity:
    """Give the digests of the key that a certificate is for."""
    return KeyIdentity(
        spki=certificate.spki,
        spki_sha1=certificate.spki_sha1,
        spki_sha512=certificate.spki_sha512,
        raw=certificate.raw,
        key_type=certificate.key_type,
    )
