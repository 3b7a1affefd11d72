"""Whose keys pins are, and whose they nearly are."""

from __future__ import annotations

from collections.abc import Iterator

from rotator.mechanisms.base import PinConfig
from rotator.model.findings import Finding, warning
from rotator.model.pins import spki_pin
from rotator.model.resemblance import KnownKey, KnownKeys, Slip
from rotator.simulate.inventory import DEFAULT_TRUST, Inventory


def of_policy(inventory: Inventory) -> Iterator[KnownKey]:
    """Give the keys, the authorities and the certificates of a policy by their names."""
    chains = [*inventory.chains.values(), *inventory.key_certificates.values()]
    sent = [certificate for each in chains for certificate in each.sent]
    for name, facts in inventory.keys.items():
        own = (c.sha256 for c in sent if c.matches(facts.pin) and not c.planned)
        if len(facts.pin.digest) == 32:
            yield KnownKey(
                name=name,
                spki=facts.pin.digest,
                spki_sha1=facts.spki_sha1,
                raw=facts.raw,
                certificates=tuple(dict.fromkeys(own)),
            )
    for name, certificates in inventory.authorities.items():
        yield from (KnownKey.of(certificate, name) for certificate in certificates if len(certificate.spki) == 32)
    yield from (KnownKey.of(c) for c in (*sent, *inventory.extra) if not c.planned)


def of_roots(inventory: Inventory) -> Iterator[KnownKey]:
    """Give the public roots that a policy was put together with."""
    for root in inventory.trust[DEFAULT_TRUST].roots:
        yield KnownKey.of(root, inventory.label(spki_pin(root.spki)))


def about_pins(config: PinConfig, subject: str, known: KnownKeys) -> Iterator[Finding]:
    """Tell of pins that are one slip away from a known key."""
    for entry in config.pinned:
        where = f"{subject}: {entry.title}"
        for pin in dict.fromkeys(entry.pins):
            slip = known.slip(pin)
            if slip is not None:
                yield resembles(where, pin.text, slip)
        for text in dict.fromkeys(text for pins in entry.lists for text in pins.dead):
            slip = known.slip_of_text(text)
            if slip is not None:
                yield resembles(where, text, slip)


def resembles(subject: str, text: str, slip: Slip) -> Finding:
    """Say that a pin is nearly that of a known key."""
    return warning(
        "pin-resembles",
        subject,
        f"{text} is nearly the pin of {slip.name}: {slip.how}",
        f"if that key is meant, write {slip.right.text}",
    )
