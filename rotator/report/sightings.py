"""What was seen of the hosts: as JSON, and for people."""

from __future__ import annotations

from collections.abc import Sequence

from rotator.checks.sightings import Sightings
from rotator.model.findings import Finding
from rotator.model.names import some
from rotator.model.pins import spki_pin
from rotator.model.sightings import Seen
from rotator.model.when import iso
from rotator.report.document import Block, Document, Facts, Heading, Json, Paragraph, Table
from rotator.simulate.inventory import Inventory


def to_json(
    policy: dict[str, str],
    inventory: Inventory,
    sightings: Sightings,
    findings: Sequence[Finding],
    agreeing: Sequence[str],
) -> Json:
    """Give it as plain JSON values."""
    return {
        "schema": 1,
        "policy": policy,
        "seen": [
            {
                "host": one.label,
                "name": one.name,
                "at": iso(one.at),
                "addresses": list(one.addresses),
                "tls": list(one.versions),
                "source": one.source or None,
                "key": inventory.key_of(one.leaf),
                "spki": spki_pin(one.leaf.spki).text,
                "sha256": one.leaf.sha256.hex(),
                "key_type": one.leaf.key_type,
                "not_before": iso(one.leaf.not_before),
                "not_after": iso(one.leaf.not_after),
                "chain": [certificate.subject for certificate in one.sent],
            }
            for one in sightings.seen
        ],
        "unseen": [
            {
                "host": one.label,
                "name": one.name,
                "port": one.port,
                "address": one.address or None,
                "fault": str(one.fault),
                "detail": one.detail,
            }
            for one in sightings.unseen
        ],
        "agreeing": list(agreeing),
        "findings": [finding.to_json() for finding in findings],
    }


def to_document(
    inventory: Inventory, sightings: Sightings, findings: Sequence[Finding], agreeing: Sequence[str]
) -> Document:
    """Write it for people: the outcome, what is to be said about it, then each chain."""
    looked = dict.fromkeys([*(one.label for one in sightings.seen), *(one.label for one in sightings.unseen)])
    other = [label for label in looked if label not in agreeing]
    outcome = f"{len(agreeing)} of {len(looked)} hosts serve what the policy says"
    blocks: list[Block] = [Paragraph(outcome + (f"; not: {some(other, 6)}." if other else "."), strong=True)]
    if findings:
        rows = tuple((str(f.severity), f.id, f"{f.subject}: {f.message}. {f.hint}".rstrip(". ")) for f in findings)
        blocks.append(Table(("severity", "id", "what"), rows, wide="what"))
    for one in sightings.seen:
        blocks += [Heading(one.name), Facts(tuple(_facts(inventory, one)))]
    return Document(f"{inventory.policy.name}: what hosts serve", tuple(blocks))


def _facts(inventory: Inventory, one: Seen) -> list[tuple[str, str]]:
    key = inventory.key_of(one.leaf)
    pairs = [
        ("from", one.source or f"{some(one.addresses, 3)}, {' and '.join(one.versions)}"),
        ("key", f"{key or 'not of this policy'}, {one.leaf.key_type}, {spki_pin(one.leaf.spki).text}"),
        ("valid", f"{one.leaf.not_before.date()} to {one.leaf.not_after.date()}"),
        ("chain", " > ".join(inventory.name_of(certificate) for certificate in one.sent[:8])),
    ]
    if len(one.sent) > 8:
        pairs.append(("and", f"{len(one.sent) - 8} more certificates"))
    return pairs
