"""Put what the files hold together into an inventory: authorities, chains, trust stores, and what releases enforce."""

from __future__ import annotations

from rotator.errors import InputError
from rotator.mechanisms.base import Context
from rotator.model.pins import Pin, PinKind, spki_pin
from rotator.model.pki import Chain, unique
from rotator.model.policy import Policy
from rotator.simulate.certificates import Certificates
from rotator.simulate.enforcing import Enforcing
from rotator.simulate.inventory import Inventory, Material


def assemble(policy: Policy, material: Material, context: Context, digest: str = "") -> Inventory:
    """Put an inventory together.

    Args:
        policy: the policy as read.
        material: what its files hold.
        context: today and the public suffix list, for findings about shipped files.
        digest: SHA-256 of the policy file.

    Raises:
        InputError: something the policy names cannot be used; with all problems, those of the material first.
    """
    made = Certificates(policy, material)
    made.make()
    releases = Enforcing(policy, material, context, made)
    if not made.problems and not material.problems:
        releases.gather()
    problems = [*material.problems, *made.problems, *releases.problems]
    if problems:
        raise InputError(problems)
    return Inventory(
        policy=policy,
        digest=digest,
        keys=material.keys,
        authorities=made.authorities,
        chains=made.chains,
        key_certificates={
            name: Chain(name=f"certificate of {name}", sent=material.certificates[key.certificate])
            for name, key in policy.keys.items()
            if key.certificate is not None and material.certificates.get(key.certificate)
        },
        trust=made.trust,
        extra=unique(c for path in policy.pki for c in material.certificates.get(path, ())),
        mechanisms=releases.mechanisms,
        enforced=releases.enforced,
        beside=releases.beside,
        labels=_labels(material, made),
        lacking=made.lacking,
        findings=(*material.findings, *releases.findings),
    )


def _labels(material: Material, made: Certificates) -> dict[Pin, str]:
    """Name every pin that is of something in the policy."""
    found = {facts.pin: name for name, facts in material.keys.items()}
    for name, own in made.authorities.items():
        if own:
            found.setdefault(spki_pin(own[0].spki), name)
    for name, chain in made.chains.items():
        found.setdefault(Pin(PinKind.CERT_SHA256, chain.leaf.sha256), f"certificate of {name}")
    for root in material.bundle:
        found.setdefault(spki_pin(root.spki), root.label)
    return found
