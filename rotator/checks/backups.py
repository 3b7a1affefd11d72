"""Can the primary be replaced? Backups that are only strings, pins with nothing behind them, proofs gone stale."""

from __future__ import annotations

from collections.abc import Iterator

from rotator.checks.base import Subject
from rotator.checks.capability import Capability, capability, proof_date
from rotator.model.findings import Finding, Severity, error, info, warning
from rotator.model.names import some
from rotator.model.policy import Pinset


def no_usable_backup(subject: Subject) -> Iterator[Finding]:
    """Every enforcing pinset needs a backup that is a capability (invariant I1 with I7)."""
    for name in subject.pinset_users():
        pinset = subject.policy.pinsets[name]
        if pinset.mode != "enforce" or not (pinset.primary or pinset.authorities):
            continue
        asked = capabilities(subject, pinset)
        if any(c.usable for c in asked) or spare_authorities(subject, pinset):
            for c in asked:
                if c.usable and c.custody_unknown:
                    yield info(
                        "custody-unknown",
                        f"keys.{c.key}",
                        f"nothing says where {c.key} is kept, so it may be kept with the primary",
                        "write custody = on both keys",
                    )
            continue
        failures = "; ".join(f"{c.key}: {', '.join(c.failures)}" for c in asked)
        nothing_at_all = all(c.exists or c.gone or c.served for c in asked)
        yield Finding(
            id="no-usable-backup",
            severity=Severity.ERROR if nothing_at_all else Severity.WARNING,
            subject=f"pinsets.{name}",
            message=f"no backup can take over from {', '.join(pinset.primary) or 'the primary'}"
            + (f": {failures}" if failures else ": none is listed"),
            hint="make a key in a safe of its own, keep its CSR, pin it, and record proved = DATE",
        )


def capabilities(subject: Subject, pinset: Pinset) -> list[Capability]:
    """Ask the four questions of every backup of a pinset."""
    inventory = subject.inventory
    leaves = [leaf for _, leaf in subject.served()]
    bundle = {root.spki for root in inventory.trust["mozilla"].roots}
    private = bool(leaves) and not any(
        certificate.spki in bundle or certificate.signer in bundle
        for offers in subject.today.world.served.values()
        for offer in offers
        for certificate in offer.chain.sent
    )
    return [
        capability(
            inventory,
            key,
            pinset.primary,
            today=subject.now.date(),
            served=any(leaf.matches(inventory.keys[key].pin) for leaf in leaves),
            private_ca=private,
        )
        for key in pinset.backups
    ]


def spare_authorities(subject: Subject, pinset: Pinset) -> list[str]:
    """Give the pinned authorities that no chain on its names uses: a CA one can move to without a release."""
    policy = subject.policy
    if pinset.combine == "leaf-and-ca":
        return []
    used: set[bytes | None] = set()
    for label, offers in subject.today.world.served.items():
        if pinset.covers is None or any(c.matches(name) for c in pinset.covers for name in policy.host_names(label)):
            used |= {spki for offer in offers for c in offer.chain.sent for spki in (c.spki, c.signer)}
    return [
        name
        for name in pinset.authorities
        if subject.inventory.authorities[name] and subject.inventory.authorities[name][0].spki not in used
    ]


def stale_proof(subject: Subject) -> Iterator[Finding]:
    """A key that clients still pin should be proved now and then, or be marked as what it is."""
    pinned = {
        pin
        for _, _, enforced, _ in subject.releases()
        for item in enforced
        for e in item.config.entries
        for pin in e.pins
    }
    backups = {key for pinset in subject.policy.pinsets.values() for key in pinset.backups}
    for name, key in subject.policy.keys.items():
        if key.status != "active" or subject.inventory.keys[name].pin not in pinned or name in backups:
            continue
        last = proof_date(subject.inventory, name)
        served = any(leaf.matches(subject.inventory.keys[name].pin) for _, leaf in subject.served())
        if served or last is None:
            continue
        age = (subject.now.date() - last).days
        if age > subject.policy.limits.proof_days:
            yield warning(
                "stale-proof",
                f"keys.{name}",
                f"last proved on {last}, {age} days ago, and still pinned",
                "prove possession again, or mark it destroyed or lost",
            )


def single_pin(subject: Subject) -> Iterator[Finding]:
    """One pin only: a lost or changed key breaks every client of the pinset."""
    for name in subject.pinset_users():
        pinset = subject.policy.pinsets[name]
        if len({*pinset.keys, *pinset.authorities, *pinset.certificates}) == 1:
            yield warning(
                "single-pin",
                f"pinsets.{name}",
                "one pin only: when its key is lost or changed, every client breaks",
                "add the pin of a backup key that is kept apart",
            )


def primary_not_served(subject: Subject) -> Iterator[Finding]:
    """A primary is what hosts serve now; drift means that the policy or the servers are wrong."""
    for name, apps in subject.pinset_users().items():
        hosts = {host for app in apps for host in subject.policy.hosts_of(app)}
        leaves = [leaf for host, leaf in subject.served() if host in hosts]
        for key in subject.policy.pinsets[name].primary:
            pin = subject.inventory.keys[key].pin
            if leaves and not any(leaf.matches(pin) for leaf in leaves):
                yield warning(
                    "primary-not-served",
                    f"pinsets.{name}.primary",
                    f"no host that its apps use serves {key}",
                    "serve it, or make the key that is served the primary",
                )


def gone_but_shipped(subject: Subject) -> Iterator[Finding]:
    """A pin on a key that is stolen, lost or destroyed, in a release that clients still run."""
    for name, key in subject.policy.keys.items():
        if key.status == "active":
            continue
        pin = subject.inventory.keys[name].pin
        carrying = [
            (label, cohorts)
            for _, label, enforced, cohorts in subject.releases()
            if any(pin in entry.pins for item in enforced for entry in item.config.entries)
        ]
        if not carrying:
            continue
        labels = some([label for label, _ in carrying])
        make = error if key.status == "compromised" else warning
        what = (
            "whoever holds it is accepted as long as a certificate for it lives"
            if key.status == "compromised"
            else "it protects nobody and can never be served"
        )
        yield make(
            f"{key.status}-pin-shipped",
            f"keys.{name}",
            f"{name} is {key.status} and still pinned by {labels}: {what}",
            "ship a release without the pin",
        )
