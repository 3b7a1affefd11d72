"""Pins that their client cannot use: in a list for other certificates, or of a key type it does not handle."""

from __future__ import annotations

from collections.abc import Iterator

from rotator.checks.base import Subject
from rotator.checks.capability import CERTIFIABLE
from rotator.model.findings import Finding, error, warning
from rotator.model.pins import Pin, spki_pin
from rotator.model.rules import Rule, Scope
from rotator.simulate.inventory import Enforced


def misplaced_pins(subject: Subject) -> Iterator[Finding]:
    """Shipped lists for leaves that hold an authority's key, and lists for CAs that hold one of ours."""
    keys = {facts.pin for facts in subject.inventory.keys.values()}
    above = {spki_pin(c.spki) for own in subject.inventory.authorities.values() for c in own}
    told: set[tuple[str, str, Pin]] = set()
    roots = " ".join(f.message for f in subject.inventory.findings if f.id == "ca-pin-for-leaf")
    for label, item in _shipped(subject):
        source = subject.inventory.mechanisms[item.mechanism].facts.source
        for entry in item.config.entries:
            for pins in entry.lists:
                wrong = {Scope.LEAF: above - keys, Scope.CA: keys - above}.get(pins.scope, set())
                for pin in (pin for pin in pins.pins if pin in wrong):
                    finding = "ca-pin-for-leaf" if pins.scope is Scope.LEAF else "leaf-pin-for-ca"
                    if (finding, item.source, pin) in told or pin.text in roots:
                        continue
                    told.add((finding, item.source, pin))
                    name = subject.inventory.label(pin)
                    where = "only the leaf is compared" if pins.scope is Scope.LEAF else "the leaf is not compared"
                    yield error(
                        finding,
                        f"{item.where}: {entry.title}",
                        f"{label} pins {name} in a list where {where}: it never matches",
                        "keep our keys in lists for the leaf and those of authorities in lists for CAs",
                        source,
                    )


def _shipped(subject: Subject) -> Iterator[tuple[str, Enforced]]:
    for _, label, enforced, _ in subject.releases():
        yield from ((label, item) for item in enforced if item.from_file)


def key_types(subject: Subject) -> Iterator[Finding]:
    """Keys whose type a client refuses, or hashes in another way than the rest."""
    users: dict[tuple[str, str], set[str]] = {}
    odd = {n: facts for n, facts in subject.inventory.keys.items() if facts.key_type not in ("", *CERTIFIABLE)}
    for (app, _), enforced in subject.inventory.enforced.items() if odd else ():
        for item in enforced:
            pins = {pin for entry in item.config.entries for pin in entry.pins}
            for name, facts in odd.items():
                if facts.pin in pins:
                    users.setdefault((name, item.mechanism), set()).add(app)
    for (name, mechanism), apps in users.items():
        kind = subject.inventory.keys[name].key_type
        own = subject.inventory.mechanisms[mechanism]
        limited = any(_limited(subject, app, mechanism) for app in apps)
        if limited:
            yield error(
                "key-type-unsupported",
                f"keys.{name}",
                f"{kind} cannot be handled by {mechanism} ({', '.join(sorted(apps))}): once it is served, every "
                "connection is refused",
                "make the backup RSA 2048 to 4096, P-256 or P-384",
                own.facts.source,
            )
        else:
            yield warning(
                "unusual-key-type",
                f"keys.{name}",
                f"{kind} is outside RSA 2048 to 4096, P-256 and P-384: clients such as {mechanism} may encode its key "
                "in another way before they hash it, and the pin then misses",
                "prefer one of the usual types, or try it with the real client",
                own.facts.source,
            )


def _limited(subject: Subject, app: str, mechanism: str) -> bool:
    """Say whether what an app enforces through a mechanism handles some key types only."""
    own = subject.inventory.mechanisms[mechanism]
    rules: list[Rule] = []
    for (name, _), enforced in subject.inventory.enforced.items():
        for item in enforced:
            if name == app and item.mechanism == mechanism:
                rules += [own.rule(item.config, cover.name) for e in item.config.entries for cover in e.covers]
    return any(
        rule.key_types is not None or (rule.other is not None and rule.other.key_types is not None) for rule in rules
    )
