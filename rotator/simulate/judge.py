"""One rule, one chain that is presented, one client: accepted or refused, and why.

Short, slow and readable: the reference that everything faster must agree with. The order of the questions is that
of `docs/verdicts.md`: configuration, host, expiry, path, local roots, forbidden pins, pins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from rotator.model.paths import Conditions, Path, find_paths
from rotator.model.pins import Pin
from rotator.model.pki import Certificate, TrustStore, may_have_issued
from rotator.model.rules import (
    Base,
    Builder,
    Clause,
    Combine,
    Fallback,
    LocalRoots,
    Mode,
    PathUse,
    Revocation,
    Rule,
    Scope,
)
from rotator.model.verdicts import REFUSAL_ORDER, Reason


class Side(Enum):
    """Whose chain is judged; where clients differ or nobody can know, the worse for that side's question counts."""

    OURS = "ours"
    ATTACKER = "attacker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What holds for everybody at one instant.

    Attributes:
        at: the instant.
        distrusted: see `rotator.model.paths.Conditions`.
        ended: certificates that are treated as expired.
        revoked: certificates whose revocation is out.
        extra: certificates that clients may build with though nobody sends them.
    """

    at: datetime
    distrusted: frozenset[tuple[bytes, datetime | None]] = frozenset()
    ended: frozenset[bytes] = frozenset()
    revoked: frozenset[bytes] = frozenset()
    extra: tuple[Certificate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The answer for one presented chain.

    Attributes:
        accepted: whether the client goes on.
        reason: why.
        pin_in_force: whether pins were demanded of this connection.
        unsure: the answer turns inside what nobody can know; it is the worse one.
        path: the path that decided, where there was one.
        pin: the pin that matched, where one did.
        certificate: the certificate that decided: the one that matched, ended, was revoked or cannot be handled.
    """

    accepted: bool
    reason: Reason
    pin_in_force: bool = False
    unsure: bool = False
    path: Path | None = None
    pin: Pin | None = None
    certificate: Certificate | None = None


def judge(
    rule: Rule,
    sent: tuple[Certificate, ...],
    host: str,
    trust: TrustStore,
    situation: Situation,
    side: Side,
) -> Judgement:
    """Judge one chain.

    Args:
        rule: what the client demands of the host.
        sent: what is presented, leaf first; none when nothing can be.
        host: the canonical DNS name that was asked for.
        trust: what the client trusts.
        situation: time, distrust, ended and revoked certificates.
        side: whose chain it is.
    """
    if not sent:
        ended = rule.expiry is not None and situation.at >= rule.expiry.first
        in_force = not rule.rejected and rule.mode is Mode.ENFORCE and _unpinned(rule, lapsed=ended) is None
        return Judgement(accepted=False, reason=Reason.NOT_SERVED, pin_in_force=in_force)
    if rule.rejected:
        return Judgement(accepted=False, reason=Reason.CONFIG_REJECTED)
    if not rule.clauses and not rule.listed and rule.no_host is Fallback.CLOSED:
        return Judgement(accepted=False, reason=Reason.HOST_NOT_LISTED)
    ends = rule.expiry
    if ends is None or situation.at < ends.first:
        return _judge(rule, sent, host, trust, situation, side, lapsed=False)
    after = _judge(rule, sent, host, trust, situation, side, lapsed=True)
    if situation.at >= ends.last:
        return after
    before = _judge(rule, sent, host, trust, situation, side, lapsed=False)
    if before.accepted is after.accepted:
        return after
    refused, accepted = (before, after) if after.accepted else (after, before)
    return replace(refused if side is Side.OURS else accepted, unsure=True)


def _judge(
    rule: Rule,
    sent: tuple[Certificate, ...],
    host: str,
    trust: TrustStore,
    situation: Situation,
    side: Side,
    *,
    lapsed: bool,
) -> Judgement:
    """Judge for a device whose pins have ended or not."""
    if lapsed and rule.expiry is not None and rule.expiry.closed:
        return Judgement(accepted=False, reason=Reason.PINS_EXPIRED)
    unpinned = _unpinned(rule, lapsed=lapsed)
    if rule.base in (Base.NONE, Base.TOFU):
        return _pins_alone(rule, sent, unpinned)
    wrong: dict[Reason, Certificate | None] = {}
    conditions = Conditions(
        at=situation.at,
        distrusted=situation.distrusted,
        ended=situation.ended,
        local_roots=rule.local_roots is not LocalRoots.UNTRUSTED,
    )
    paths = _paths(rule, sent, trust, conditions, situation, side)
    first = next(paths, None)
    unsure = False
    if first is None:
        wrong.update(_why_no_path(rule, sent, trust, conditions))
        unsure = (
            side is Side.OURS
            and Reason.NO_PATH in wrong
            and _cached_would_help(rule, sent, trust, conditions, situation)
        )
    if rule.base is not Base.NO_HOST and not sent[0].covers(host, common_name=rule.common_name):
        wrong[Reason.NAME_MISMATCH] = sent[0]
    if first is not None:
        unhandled = next((c for c in first.certificates if not _handled(c, trust.key_types)), None)
        if unhandled is not None:
            wrong[Reason.KEY_TYPE_UNSUPPORTED] = unhandled
        revoked = next((c for c in first.certificates if c.sha256 in situation.revoked), None)
        if revoked is not None and rule.revocation is not Revocation.NONE:
            soft = rule.revocation is Revocation.SOFT
            if not (soft and side is Side.ATTACKER):
                wrong[Reason.REVOKED] = revoked
                unsure = unsure or soft
    decided = _pins(rule, sent, first, paths, unpinned)
    if not decided.accepted and rule.combine is not Combine.PATH_OR_PIN:
        wrong[decided.reason] = decided.certificate
    if rule.combine is Combine.PATH_OR_PIN and decided.reason is Reason.PIN_MATCHED:
        return decided
    if not wrong:  # with path-or-pin a trusted path is enough, so a wrong pin demands nothing
        return decided if decided.accepted else Judgement(accepted=True, reason=Reason.NO_PINS, path=first)
    reason = next(r for r in REFUSAL_ORDER if r in wrong)
    return Judgement(
        accepted=False,
        reason=reason,
        pin_in_force=unpinned is None and rule.mode is Mode.ENFORCE,
        unsure=unsure and len(wrong) == 1,
        path=decided.path,
        certificate=wrong[reason],
    )


def _unpinned(rule: Rule, *, lapsed: bool) -> Reason | None:
    """Give the reason why no pin is in force, or None when one is."""
    if not rule.clauses and not rule.forbidden:
        return Reason.NO_PINS if rule.listed else Reason.HOST_NOT_LISTED
    if rule.mode is Mode.OFF:
        return Reason.NO_PINS
    return Reason.PINS_EXPIRED if lapsed else None


def _paths(
    rule: Rule,
    sent: tuple[Certificate, ...],
    trust: TrustStore,
    conditions: Conditions,
    situation: Situation,
    side: Side,
) -> Iterator[Path]:
    extra = situation.extra if side is Side.ATTACKER else ()
    return find_paths(sent, trust, conditions, rule.builder, extra)


def _why_no_path(
    rule: Rule, sent: tuple[Certificate, ...], trust: TrustStore, conditions: Conditions
) -> dict[Reason, Certificate | None]:
    """Find what stands in the way of a path: distrust, an end, both, or that there is none at all."""

    def exists(relaxed: Conditions) -> Path | None:
        return next(find_paths(sent, trust, relaxed, rule.builder), None)

    if exists(conditions.without_distrust()):
        return {Reason.ROOT_DISTRUSTED: None}
    timeless = exists(conditions.without_time())
    both = exists(conditions.without_time().without_distrust())
    found = timeless or both
    if found is None:
        return {Reason.NO_PATH: None}
    ended = next((c for c in found.certificates if not conditions.in_time(c)), None)
    reasons: dict[Reason, Certificate | None] = {Reason.CHAIN_EXPIRED: ended}
    return reasons if timeless else {Reason.ROOT_DISTRUSTED: None, **reasons}


def _cached_would_help(
    rule: Rule, sent: tuple[Certificate, ...], trust: TrustStore, conditions: Conditions, situation: Situation
) -> bool:
    """Say whether a client that has cached a certificate nobody sends would find a path."""
    if not situation.extra or rule.builder is not Builder.BACKTRACK:
        return False
    return next(find_paths(sent, trust, conditions, rule.builder, situation.extra), None) is not None


def _pins_alone(rule: Rule, sent: tuple[Certificate, ...], unpinned: Reason | None) -> Judgement:
    """Judge where nothing but pins is checked: no path, no end, no name."""
    if unpinned is not None:
        return Judgement(accepted=True, reason=unpinned)
    return _match(rule, sent, None)


def _pins(
    rule: Rule,
    sent: tuple[Certificate, ...],
    first: Path | None,
    others: Iterable[Path],
    unpinned: Reason | None,
) -> Judgement:
    """Ask the pins, on the path that was found, or on every path where the client looks for another."""
    if unpinned is not None:
        return Judgement(accepted=True, reason=unpinned, path=first)
    if first is None:
        return _match(rule, sent, None)
    if first.local and rule.local_roots is LocalRoots.BYPASS:
        return Judgement(accepted=True, reason=Reason.LOCAL_ROOT_BYPASS, path=first)
    answer = _match(rule, sent, first)
    if rule.path is PathUse.ANY and not answer.accepted:
        for path in others:
            another = _match(rule, sent, path)
            if another.accepted:
                return another
    return answer


def _match(rule: Rule, sent: tuple[Certificate, ...], path: Path | None) -> Judgement:
    """Compare pins; report-only turns a mismatch into acceptance."""
    seen = _seen(rule, sent, path)
    bad = next((c for c in seen if any(c.matches(pin) for pin in rule.forbidden)), None)
    hit: tuple[Pin, Certificate] | None = None
    blocked: Certificate | None = None
    missed = bad is not None
    for clause in rule.clauses:
        hit_here, blocked_here = _clause(clause, seen, rule.key_types)
        blocked = blocked or blocked_here
        hit = hit or hit_here
        missed = missed or hit_here is None
    if blocked is not None:
        return Judgement(
            accepted=False,
            reason=Reason.KEY_TYPE_UNSUPPORTED,
            pin_in_force=True,
            path=path,
            certificate=blocked,
        )
    if not missed:
        return Judgement(
            accepted=True,
            reason=Reason.PIN_MATCHED if rule.mode is Mode.ENFORCE else Reason.REPORT_ONLY,
            pin_in_force=rule.mode is Mode.ENFORCE,
            path=path,
            pin=hit[0] if hit else None,
            certificate=hit[1] if hit else None,
        )
    if rule.mode is Mode.REPORT_ONLY:
        return Judgement(accepted=True, reason=Reason.REPORT_ONLY, path=path)
    return Judgement(accepted=False, reason=Reason.PIN_MISMATCH, pin_in_force=True, path=path, certificate=bad)


def _seen(rule: Rule, sent: tuple[Certificate, ...], path: Path | None) -> tuple[Certificate, ...]:
    """Give the certificates that pins are compared with, leaf first."""
    if rule.path is PathUse.SENT:
        return sent
    if rule.path is PathUse.LINKED:
        return tuple(_linked(sent, path))
    if rule.path is PathUse.LEAF or path is None:
        return sent[:1]
    return path.certificates


def _linked(sent: tuple[Certificate, ...], path: Path | None) -> Iterator[Certificate]:
    """Walk from the leaf to issuer after issuer among what was sent and the path's own anchors."""
    pool = (*sent[1:], *(path.certificates if path else ()))
    current: Certificate | None = sent[0]
    walked: set[Certificate] = set()
    while current is not None and current not in walked:
        walked.add(current)
        yield current
        here = current
        current = next((c for c in pool if c not in walked and may_have_issued(c, here)), None)


def _clause(
    clause: Clause, seen: tuple[Certificate, ...], key_types: frozenset[str] | None
) -> tuple[tuple[Pin, Certificate] | None, Certificate | None]:
    """Give the pin and the certificate that match, and a certificate whose key stops the search before them."""
    in_scope = {Scope.LEAF: seen[:1], Scope.CA: seen[1:]}.get(clause.scope, seen)
    for certificate in reversed(in_scope) if key_types is not None else in_scope:
        if key_types is not None and certificate.key_type and certificate.key_type not in key_types:
            return None, certificate
        for pin in clause.pins:
            if certificate.matches(pin):
                return (pin, certificate), None
    return None, None


def _handled(certificate: Certificate, key_types: frozenset[str] | None) -> bool:
    """Say whether a client can handle a key: its type is listed, or the family before the hyphen."""
    if key_types is None or not certificate.key_type:
        return True
    return certificate.key_type in key_types or certificate.key_type.partition("-")[0] in key_types
