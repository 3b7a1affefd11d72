"""What makes a backup: the key exists, possession was proved, it is kept apart, and a CA will certify it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from rotator.simulate.inventory import Inventory

CERTIFIABLE = ("rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384")
"""Key types that public CAs certify (Baseline Requirements 6.1.1.3 and 6.1.5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """The four questions about one backup key; each failure is a sentence, "" where it holds.

    Attributes:
        key: its name.
        exists, proved, apart, certifiable: what fails.
        custody_unknown: it is not known whether it is kept apart; it then still counts.
        gone: it is compromised, lost or destroyed.
        served: it is served already, so it is no spare.
    """

    key: str
    exists: str = ""
    proved: str = ""
    apart: str = ""
    certifiable: str = ""
    gone: str = ""
    served: str = ""
    custody_unknown: bool = False

    @property
    def failures(self) -> tuple[str, ...]:
        """Give what fails, in the order a person would mend it."""
        parts = (self.gone, self.served, self.exists, self.proved, self.apart, self.certifiable)
        return tuple(part for part in parts if part)

    @property
    def usable(self) -> bool:
        """Say whether the key counts as a backup."""
        return not self.failures


def proof_date(inventory: Inventory, key: str) -> date | None:
    """Give the last day on which possession of a key was proved: as recorded, or when a CA certified it."""
    recorded = inventory.policy.keys[key].proved
    pin = inventory.keys[key].pin
    certified = [
        chain.leaf.not_before.date()
        for chain in inventory.chains.values()
        if not chain.planned and chain.leaf.matches(pin)
    ]
    return max([*certified, *([recorded] if recorded else [])], default=None)


def capability(
    inventory: Inventory, key: str, primaries: Iterable[str], *, today: date, served: bool, private_ca: bool
) -> Capability:
    """Ask the four questions of a backup key.

    Args:
        inventory: the policy with everything looked up.
        key: the backup.
        primaries: the keys it is to replace.
        today: the day of the question.
        served: whether a host serves it already.
        private_ca: whether its certificates come from a CA of our own, which certifies any type.
    """
    own = inventory.policy.keys[key]
    facts = inventory.keys[key]
    exists = ""
    if own.spki is not None and own.proved is None:
        exists = "only its digest is known: nothing shows that the key exists"
    proved = _proved(inventory, key, today)
    apart, unknown = "", False
    for primary in primaries:
        custody = inventory.policy.keys[primary].custody
        if custody and custody == own.custody:
            apart = f"it is kept with {primary} ({custody}): one theft takes both"
        unknown = unknown or custody is None or own.custody is None
    certifiable = ""
    if facts.key_type and facts.key_type not in CERTIFIABLE and not private_ca:
        certifiable = f"no public CA certifies {facts.key_type}"
    return Capability(
        key=key,
        exists=exists,
        proved=proved if not exists else "",
        apart=apart,
        certifiable=certifiable,
        gone="" if own.status == "active" else f"it is {own.status}",
        served="it is served already: it is no spare" if served else "",
        custody_unknown=unknown and not apart,
    )


def _proved(inventory: Inventory, key: str, today: date) -> str:
    last = proof_date(inventory, key)
    if last is None:
        return "possession was never proved on a recorded day (proved = DATE)"
    age = today - last
    if age > timedelta(days=inventory.policy.limits.proof_days):
        return f"possession was last proved on {last}, {age.days} days ago"
    return ""
