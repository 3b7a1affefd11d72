"""Pinsets and keys looked up: what a pinset stands for, and what a planned certificate takes from its key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TypedDict

from rotator.mechanisms.base import PinsetSpec
from rotator.model.names import Cover
from rotator.model.pins import Pin, PinKind, spki_pin
from rotator.model.pki import Certificate, Chain, unknown_key
from rotator.model.policy import Policy
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
        combine=Combine(pinset.combine),
    )


def default_covers(policy: Policy, pinset: str) -> tuple[Cover, ...]:
    """Give the names of the hosts that the apps of a pinset use."""
    names: list[str] = []
    for app_name, app in policy.apps.items():
        tables = [app.pinset, *(r.pinset for r in app.releases if r.pinset), *(b.pinset for b in app.beside)]
        if any(pinset in table.values() for table in tables):
            names += [name for label in policy.hosts_of(app_name) for name in policy.host_names(label)]
    if not names:
        names = [name for label in policy.hosts for name in policy.host_names(label)]
    return tuple(Cover(name) for name in dict.fromkeys(names))


class KeyIdentity(TypedDict):
    """What a planned certificate takes from the key it is for."""

    spki: bytes
    spki_sha1: bytes
    key_type: str


def key_identity(facts: KeyFacts | None, purpose: str) -> KeyIdentity:
    """Give the digests of a key, or of one nobody has seen; a key known by SHA-1 alone has no other digest."""
    if facts is None:
        return KeyIdentity(spki=unknown_key(purpose), spki_sha1=b"", key_type="")
    if facts.pin.kind is PinKind.SPKI_SHA1:
        return KeyIdentity(spki=unknown_key(facts.pin.text), spki_sha1=facts.pin.digest, key_type=facts.key_type)
    return KeyIdentity(spki=facts.pin.digest, spki_sha1=facts.spki_sha1, key_type=facts.key_type)
