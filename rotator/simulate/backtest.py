"""Pinsets against the chains a host has really served: what would have broken, when, by which change.

The record is a row of snapshots. Between two of them nothing is known, so a gap, or a certificate that ends inside
one, is no break: every snapshot is judged at its own instant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from rotator.model.calendar import organisation_of
from rotator.model.paths import Conditions, Path, find_paths
from rotator.model.pins import Pin, PinKind, spki_pin
from rotator.model.pki import Certificate, TrustStore, unique
from rotator.model.rules import Builder, Clause, Combine, Rule, Scope
from rotator.simulate.cohorts import Cohort
from rotator.simulate.fleet import Connection, Fleet
from rotator.simulate.inventory import Inventory
from rotator.simulate.judge import judge
from rotator.simulate.judgement import Side, Situation
from rotator.simulate.pinsets import pinset_spec
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
    """What a pin can be on; several roots are all that the first root's organisation has, and those of the pool."""

    CERTIFICATE = "certificate"
    LEAF_KEY = "leaf key"
    INTERMEDIATE = "intermediate"
    ROOT = "root"
    ROOTS = "several roots"


#: What of a chain can change from one snapshot to the next.
PARTS = (Level.CERTIFICATE, Level.LEAF_KEY, Level.INTERMEDIATE, Level.ROOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time in which pins matched nothing that was served.

    Attributes:
        begin: the first snapshot without a match; it may have begun at any time since the one before.
        end: the first snapshot with a match again; None where the record ends before.
        snapshots: how many snapshots say so.
    """

    begin: datetime
    end: datetime | None
    snapshots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """How pins would have fared on one host.

    Attributes:
        host: the DNS name.
        what: the kind of pin, made from the first chain of the host, or the name of a pinset of the policy.
        pins: how many pins that is.
        seen: how many snapshots they were held against.
        gaps: the times in which none of them matched.
    """

    host: str
    what: str
    pins: int
    seen: int
    gaps: tuple[Gap, ...]

    @property
    def broke(self) -> datetime | None:
        """Give the first snapshot at which nothing matched any more; None when something always did."""
        return self.gaps[0].begin if self.gaps else None

    @property
    def held(self) -> int:
        """Count the snapshots at which something matched."""
        return self.seen - sum(gap.snapshots for gap in self.gaps)


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
    """Everything a record says of a policy.

    Attributes:
        snapshots: the record, by host and time.
        breaks: the snapshots at which clients would have been refused.
        survival: how each kind of pin would have fared.
        pinsets: how each pinset would have fared, whoever carries it.
    """

    snapshots: tuple[Snapshot, ...]
    breaks: tuple[Break, ...]
    survival: tuple[Survival, ...]
    pinsets: tuple[Survival, ...] = ()


def backtest(inventory: Inventory, fleet: Fleet, snapshots: Sequence[Snapshot]) -> Backtest:
    """Hold the pinsets of a policy, and pins of every kind, against a record.

    Args:
        inventory: the policy with everything looked up.
        fleet: its clients.
        snapshots: the record, in any order.
    """
    anchors = unique(root for store in inventory.trust.values() for root in store.roots)
    order = tuple(sorted((_anchored(s, anchors) for s in snapshots), key=lambda s: (s.host, s.at, s.source)))
    breaks: list[Break] = []
    survival: list[Survival] = []
    pinsets: list[Survival] = []
    for host in dict.fromkeys(s.host for s in order):
        record = [s for s in order if s.host == host]
        label = inventory.policy.host_label(host)
        pool = inventory.policy.hosts[label].issuer_pool if label is not None else {}
        above = [root for name in pool for root in _roots_above(inventory, name)]
        survival += survive(record, (*anchors, *(r for s in record for r in s.roots)), above)
        if label is not None:
            breaks += _breaks(inventory, fleet, label, host, record)
            pinsets += _pinsets(inventory, host, record)
    return Backtest(snapshots=order, breaks=tuple(breaks), survival=tuple(survival), pinsets=tuple(pinsets))


def _roots_above(inventory: Inventory, authority: str) -> Iterator[Certificate]:
    """Give the roots that an authority leads to, as far as they are known."""
    asked = {c.spki for c in inventory.authorities[authority]}
    seen: set[bytes] = set()
    while asked:
        seen |= asked
        known = inventory.certificates_of(asked)
        yield from (c for c in known if c.self_signed)
        asked = {c.signer for c in known if c.signer is not None} - seen


def _anchored(snapshot: Snapshot, anchors: Sequence[Certificate]) -> Snapshot:
    """Give a record that does not say what was trusted the roots of today that its chain leads to."""
    if snapshot.roots:
        return snapshot
    signers = {c.signer for c in snapshot.sent} | {c.spki for c in snapshot.sent}
    return replace(snapshot, roots=tuple(root for root in anchors if root.spki in signers))


def _pinsets(inventory: Inventory, host: str, record: Sequence[Snapshot]) -> Iterator[Survival]:
    """Hold every pinset that covers a host against what the host served."""
    tables = (inventory.keys, inventory.authorities, inventory.chains)
    built = [built_of(snapshot) for snapshot in record]
    for name in inventory.policy.pinsets:
        spec = pinset_spec(inventory.policy, name, *tables)
        if not any(cover.matches(host) for cover in spec.covers):
            continue
        pins = frozenset((*spec.keys, *spec.authorities, *spec.certificates))
        clauses: tuple[Clause, ...] = (Clause(scope=Scope.ANY, pins=pins),)
        if spec.combine is Combine.LEAF_AND_CA:
            clauses = (
                Clause(scope=Scope.LEAF, pins=frozenset(spec.keys)),
                Clause(scope=Scope.CA, pins=frozenset(spec.authorities)),
            )
        if pins:
            yield _survival(name, Rule(clauses=clauses), record, built)


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
                total=total_of(fleet, dict.fromkeys((c.index for c in connections), True)),
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


def survive(
    record: Sequence[Snapshot], known: Sequence[Certificate] = (), pool: Sequence[Certificate] = ()
) -> Iterator[Survival]:
    """Pin each kind of thing in the first chain and see how long it matches.

    Args:
        record: the snapshots of one host, oldest first.
        known: roots at hand: those of the first root's organisation make several roots.
        pool: roots of CAs that may issue for the host, which belong to them too.
    """
    if not record:
        return
    built = [built_of(snapshot) for snapshot in record]
    pins = pins_of(record[0])
    roots = pins.get(Level.ROOT, frozenset()) | {spki_pin(c.spki) for c in (*_siblings(record[0], known), *pool)}
    if len(roots) > 1:
        pins[Level.ROOTS] = roots
    for level in Level:
        if level in pins:
            scope = Scope.LEAF if level in (Level.CERTIFICATE, Level.LEAF_KEY) else Scope.ANY
            rule = Rule(clauses=(Clause(scope=scope, pins=pins[level]),))
            yield _survival(level, rule, record, built)


def _siblings(snapshot: Snapshot, known: Sequence[Certificate]) -> Iterator[Certificate]:
    """Give the roots of the organisation whose root a chain ends at."""
    path = path_of(snapshot)
    own = organisation_of(path.certificates[-1].subject) if path is not None else None
    if own is not None:
        yield from (root for root in known if organisation_of(root.subject) == own)


def _survival(what: str, rule: Rule, record: Sequence[Snapshot], built: Sequence[tuple[Certificate, ...]]) -> Survival:
    gaps: list[Gap] = []
    running: list[datetime] = []
    for snapshot, certificates in zip(record, built, strict=True):
        if not _matches(rule, certificates):
            running.append(snapshot.at)
        elif running:
            gaps.append(Gap(begin=running[0], end=snapshot.at, snapshots=len(running)))
            running = []
    if running:
        gaps.append(Gap(begin=running[0], end=None, snapshots=len(running)))
    return Survival(host=record[0].host, what=str(what), pins=len(rule.pins), seen=len(record), gaps=tuple(gaps))


def _matches(rule: Rule, certificates: tuple[Certificate, ...]) -> bool:
    parts = {Scope.LEAF: certificates[:1], Scope.CA: certificates[1:]}
    return all(
        any(c.matches(pin) for c in parts.get(clause.scope, certificates) for pin in clause.pins)
        for clause in rule.clauses
    )


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


def built_of(snapshot: Snapshot) -> tuple[Certificate, ...]:
    """Give the path of a snapshot; what was sent where there is none."""
    path = path_of(snapshot)
    return path.certificates if path is not None else snapshot.sent


def path_of(snapshot: Snapshot) -> Path | None:
    """Build the path of a snapshot with the roots that the record says were trusted."""
    trust = TrustStore(name="record", roots=snapshot.roots)
    conditions = Conditions(at=None)
    return next(find_paths(snapshot.sent, trust, conditions, Builder.BACKTRACK), None)


def changes(before: Snapshot, after: Snapshot) -> tuple[Level, ...]:
    """Say what is different between two snapshots of a host."""
    old, new = pins_of(before), pins_of(after)
    return tuple(level for level in PARTS if old.get(level) != new.get(level))
