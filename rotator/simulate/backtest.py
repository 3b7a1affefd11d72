"""Pinsets against the chains a host has really served: what would have broken, when, by which change.

The record is a row of snapshots. Between two of them nothing is known, so a gap, or a certificate that ends inside
one, is no break: every snapshot is judged at its own instant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from rotator.model.paths import Conditions, Path, find_paths
from rotator.model.pins import Pin, PinKind, spki_pin
from rotator.model.pki import Certificate, TrustStore, unique
from rotator.model.rules import Builder, Clause, Rule, Scope
from rotator.simulate.fleet import Cohort, Connection, Fleet
from rotator.simulate.inventory import Inventory
from rotator.simulate.judge import judge
from rotator.simulate.judgement import Side, Situation
from rotator.simulate.totals import Total, total_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a host served at an instant.

    Attributes:
        at: when it was seen.
        host: the DNS name.
        sent: the chain, leaf first.
        roots: roots that were trusted then, as far as the record says.
        source: the file it is from.
    """

    at: datetime
    host: str
    sent: tuple[Certificate, ...]
    roots: tuple[Certificate, ...] = ()
    source: str = ""


class Level(StrEnum):
    """What a pin can be on."""

    CERTIFICATE = "certificate"
    LEAF_KEY = "leaf key"
    INTERMEDIATE = "intermediate"
    ROOT = "root"


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """How one kind of pin, made from the first chain of a host, would have fared.

    Attributes:
        level: the kind of pin.
        broke: when it first matched nothing any more; None when it always did.
        seen: how many snapshots it was held against.
        held: in how many of them it matched.
    """

    host: str
    level: Level
    broke: datetime | None
    seen: int
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A snapshot at which clients of the policy would have been refused.

    Attributes:
        at: when.
        host: the host's label.
        cohorts: whom.
        total: how many.
        reason: why, a stable id.
        changed: what is different from the snapshot before.
    """

    at: datetime
    host: str
    cohorts: tuple[Cohort, ...]
    total: Total
    reason: str
    changed: tuple[Level, ...]


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """Everything a record says of a policy."""

    snapshots: tuple[Snapshot, ...]
    breaks: tuple[Break, ...]
    survival: tuple[Survival, ...]


def backtest(inventory: Inventory, fleet: Fleet, snapshots: Sequence[Snapshot]) -> Backtest:
    """Hold the pinsets of a policy, and pins of every kind, against a record.

    Args:
        inventory: the policy with everything looked up.
        fleet: its clients.
        snapshots: the record, in any order.
    """
    order = tuple(sorted(snapshots, key=lambda s: (s.host, s.at, s.source)))
    breaks: list[Break] = []
    survival: list[Survival] = []
    for host in dict.fromkeys(s.host for s in order):
        record = [s for s in order if s.host == host]
        survival += survive(record)
        label = inventory.policy.host_label(host)
        if label is not None:
            breaks += _breaks(inventory, fleet, label, host, record)
    return Backtest(snapshots=order, breaks=tuple(breaks), survival=tuple(survival))


def _breaks(inventory: Inventory, fleet: Fleet, label: str, name: str, record: Sequence[Snapshot]) -> Iterator[Break]:
    users = [c for c in fleet.connections if c.host == label and name in c.rules]
    previous: Snapshot | None = None
    for snapshot in record:
        refused: dict[str, list[Connection]] = {}
        for connection in users:
            reason = _refused(inventory, connection, name, snapshot)
            if reason:
                refused.setdefault(reason, []).append(connection)
        changed = changes(previous, snapshot) if previous is not None else ()
        for reason, connections in refused.items():
            yield Break(
                at=snapshot.at,
                host=label,
                cohorts=tuple(dict.fromkeys(c.cohort for c in connections)),
                total=total_of(fleet, dict.fromkeys(map(id, connections), True)),
                reason=reason,
                changed=changed,
            )
        previous = snapshot


def _refused(inventory: Inventory, connection: Connection, name: str, snapshot: Snapshot) -> str:
    """Say why a client would have refused a snapshot, "" when it would not."""
    own = inventory.trust[connection.cohort.trust]
    trust = with_roots(own, snapshot.roots)
    situation = Situation(at=snapshot.at, extra=inventory.extra)
    for rule in connection.rules[name]:
        answer = judge(rule, snapshot.sent, name, trust, situation, Side.OURS)
        if not answer.accepted:
            return str(answer.reason)
    return ""


def with_roots(trust: TrustStore, roots: Sequence[Certificate]) -> TrustStore:
    """Give a trust store as it was: with the roots that the record says were trusted."""
    fresh = [root for root in roots if root not in trust.roots]
    return replace(trust, roots=unique((*trust.roots, *fresh))) if fresh else trust


def survive(record: Sequence[Snapshot]) -> Iterator[Survival]:
    """Pin each kind of thing in the first chain and see how long it matches."""
    if not record:
        return
    pins = pins_of(record[0])
    for level in Level:
        if level not in pins:
            continue
        scope = Scope.LEAF if level in (Level.CERTIFICATE, Level.LEAF_KEY) else Scope.ANY
        rule = Rule(clauses=(Clause(scope=scope, pins=pins[level]),))
        matched = [_matches(rule, snapshot) for snapshot in record]
        broke = next((s.at for s, hit in zip(record, matched, strict=True) if not hit), None)
        yield Survival(host=record[0].host, level=level, broke=broke, seen=len(record), held=sum(matched))


def _matches(rule: Rule, snapshot: Snapshot) -> bool:
    path = path_of(snapshot)
    certificates = path.certificates if path is not None else snapshot.sent
    for clause in rule.clauses:
        seen = certificates[:1] if clause.scope is Scope.LEAF else certificates
        if not any(c.matches(pin) for c in seen for pin in clause.pins):
            return False
    return True


def pins_of(snapshot: Snapshot) -> dict[Level, frozenset[Pin]]:
    """Make the pins of each kind from a chain; a kind it has nothing of is left out."""
    path = path_of(snapshot)
    certificates = path.certificates if path is not None else snapshot.sent
    leaf, above = certificates[0], certificates[1:]
    root = above[-1] if above and path is not None else None
    intermediates = frozenset(spki_pin(c.spki) for c in above if c != root)
    found = {
        Level.CERTIFICATE: frozenset({Pin(PinKind.CERT_SHA256, leaf.sha256)}),
        Level.LEAF_KEY: frozenset({spki_pin(leaf.spki)}),
        Level.INTERMEDIATE: intermediates,
        Level.ROOT: frozenset({spki_pin(root.spki)}) if root is not None else frozenset(),
    }
    return {level: pins for level, pins in found.items() if pins}


def path_of(snapshot: Snapshot) -> Path | None:
    """Build the path of a snapshot with the roots that the record says were trusted."""
    trust = TrustStore(name="record", roots=snapshot.roots)
    conditions = Conditions(at=None)
    return next(find_paths(snapshot.sent, trust, conditions, Builder.BACKTRACK), None)


def changes(before: Snapshot, after: Snapshot) -> tuple[Level, ...]:
    """Say what is different between two snapshots of a host."""
    old, new = pins_of(before), pins_of(after)
    return tuple(level for level in Level if old.get(level) != new.get(level))
