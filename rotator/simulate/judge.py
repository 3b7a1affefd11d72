"""One rule, one chain that is presented, one client: accepted or refused, and why.

Short, slow and readable: the reference that everything faster must agree with. The order of the questions is that
of `docs/verdicts.md`: configuration, host, expiry, path, local roots, forbidden pins, pins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rotator.model.paths import Conditions, Distrust, Path, find_paths
from rotator.model.pins import Pin
from rotator.model.pki import Certificate, TrustStore, may_have_issued, unique
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
from rotator.simulate.judgement import Judgement, Side, Situation
from rotator.simulate.tlsa import judge_records

NOVEL = ("ed25519", "ed448", "ml-dsa")
"""Key types that some clients handle and others do not; which, a trust store says with its `key_types`."""


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
    if situation.distrusted and situation.distrust is None and _in_doubt(sent, trust, situation):
        left, blocked = (
            judge(rule, sent, host, trust, replace(situation, distrust=distrust), side)
            for distrust in (Distrust.STORE, Distrust.KEY)
        )
        return _worse(left, blocked, side)
    return _decide(rule, sent, host, trust, situation, side)


def _decide(
    rule: Rule,
    sent: tuple[Certificate, ...],
    host: str,
    trust: TrustStore,
    situation: Situation,
    side: Side,
) -> Judgement:
    """Judge where what a client does about distrust makes no difference or is known."""
    if not sent:
        ended = rule.expiry is not None and situation.at >= rule.expiry.first
        in_force = not rule.rejected and rule.mode is Mode.ENFORCE and _unpinned(rule, lapsed=ended) is None
        return Judgement(accepted=False, reason=Reason.NOT_SERVED, pin_in_force=in_force)
    if rule.rejected:
        return Judgement(accepted=False, reason=Reason.CONFIG_REJECTED)
    if rule.hostile:
        if side is Side.OURS:
            return Judgement(accepted=False, reason=Reason.HOSTILE_PINS, pin_in_force=True)
        return judge(_taken_over(rule), sent, host, trust, situation, side)
    if not rule.clauses and not rule.listed and rule.no_host is Fallback.CLOSED:
        return Judgement(accepted=False, reason=Reason.HOST_NOT_LISTED)
    if rule.other is not None:
        here, there = replace(rule, other=None), rule.other
        return _worse(
            judge(here, sent, host, trust, situation, side), judge(there, sent, host, trust, situation, side), side
        )
    ends = rule.expiry
    if ends is None or situation.at < ends.first:
        return _judge(rule, sent, host, trust, situation, side, lapsed=False)
    if rule.after is not None:
        after = judge(rule.after, sent, host, trust, situation, side)
    else:
        after = _judge(rule, sent, host, trust, situation, side, lapsed=True)
    if situation.at >= ends.last:
        return after
    return _worse(_judge(rule, sent, host, trust, situation, side, lapsed=False), after, side)


def _in_doubt(sent: tuple[Certificate, ...], trust: TrustStore, situation: Situation) -> bool:
    """Say whether a root that is distrusted is also at hand as a certificate of another authority."""
    gone = {spki for spki, since in situation.distrusted if since is None}
    return any(c.spki in gone and not c.self_signed and trust.holds(c.spki) for c in (*sent, *situation.extra))


def _taken_over(rule: Rule) -> Rule:
    """Give what a client still checks of an attacker whose pins it holds: all but pins, or nothing beside them."""
    alone = rule.base in (Base.DANE, Base.ANCHORS_REPLACED, Base.NONE, Base.TOFU)
    return replace(
        rule,
        hostile=False,
        clauses=(),
        forbidden=frozenset(),
        listed=True,
        expiry=None,
        after=None,
        other=None,
        base=Base.NONE if alone else rule.base,
    )


def _worse(one: Judgement, other: Judgement, side: Side) -> Judgement:
    """Give the answer that is worse for the side's question, unsure where the two differ."""
    if one.accepted is other.accepted:
        return next((answer for answer in (one, other) if not answer.pin_in_force), other)
    refused, accepted = (one, other) if other.accepted else (other, one)
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
    if rule.probe and side is Side.ATTACKER:
        unpinned = unpinned or Reason.NO_PINS
    if rule.base in (Base.NONE, Base.TOFU):
        return _pins_alone(rule, sent, trust, unpinned)
    if unpinned is None and rule.base is Base.DANE:
        return judge_records(rule, sent, host, trust, situation, side)
    if unpinned is None and rule.base is Base.ANCHORS_REPLACED:
        trust = _only_pinned(rule, sent, trust, situation)
        if not trust.roots:
            return Judgement(accepted=False, reason=Reason.PIN_MISMATCH, pin_in_force=True)
    return _with_path(rule, sent, host, trust, situation, side, unpinned)


def _with_path(
    rule: Rule,
    sent: tuple[Certificate, ...],
    host: str,
    trust: TrustStore,
    situation: Situation,
    side: Side,
    unpinned: Reason | None,
) -> Judgement:
    """Judge where the client builds a path: everything that is wrong is looked for, the first reason is told."""
    wrong: dict[Reason, Certificate | None] = {}
    conditions = situation.conditions(
        local_roots=rule.local_roots is not LocalRoots.UNTRUSTED,
        system_roots=rule.system_roots is not LocalRoots.UNTRUSTED,
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
    decided = _pins(rule, sent, trust, first, paths, unpinned, side)
    if not decided.accepted and rule.combine is not Combine.PATH_OR_PIN:
        wrong[decided.reason] = decided.certificate
        unsure = unsure or decided.unsure
    if rule.combine is Combine.PATH_OR_PIN and decided.reason is Reason.PIN_MATCHED:
        return decided
    if not wrong and first is not None and side is Side.OURS and trust.key_types is None:
        novel = next((c for c in first.certificates if c.key_type.startswith(NOVEL)), None)
        if novel is not None:
            wrong[Reason.KEY_TYPE_UNSUPPORTED], unsure = novel, True
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


def _only_pinned(rule: Rule, sent: tuple[Certificate, ...], trust: TrustStore, situation: Situation) -> TrustStore:
    """Give the trust store of a client whose pinned certificates are its only anchors."""
    known = (*sent, *situation.extra, *trust.roots, *trust.local_roots)
    roots = unique(c for c in known if any(c.matches(pin) for clause in rule.clauses for pin in clause.pins))
    return TrustStore(name=f"{trust.name}, pinned only", roots=roots, key_types=trust.key_types)


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


def _pins_alone(rule: Rule, sent: tuple[Certificate, ...], trust: TrustStore, unpinned: Reason | None) -> Judgement:
    """Judge where nothing but pins is checked: no path, no end, no name."""
    if unpinned is not None:
        return Judgement(accepted=True, reason=unpinned)
    return _match(rule, sent, trust, None)


def _pins(
    rule: Rule,
    sent: tuple[Certificate, ...],
    trust: TrustStore,
    first: Path | None,
    others: Iterable[Path],
    unpinned: Reason | None,
    side: Side,
) -> Judgement:
    """Ask the pins, on the path that was found, or on every path where the client looks for another."""
    if unpinned is not None:
        return Judgement(accepted=True, reason=unpinned, path=first)
    if first is None:
        return _match(rule, sent, trust, None)
    answer = _on_path(rule, sent, trust, first)
    if rule.path is PathUse.ANY and not answer.accepted:
        for path in others:
            another = _on_path(rule, sent, trust, path)
            if another.accepted:
                return another
    if rule.unknown_choice:
        for path in others:
            answer = _worse(answer, _on_path(rule, sent, trust, path), side)
    return answer


def _on_path(rule: Rule, sent: tuple[Certificate, ...], trust: TrustStore, path: Path) -> Judgement:
    """Compare pins unless the root of the path switches them off."""
    does = rule.local_roots if path.local else rule.system_roots
    if does is LocalRoots.BYPASS:
        reason = Reason.LOCAL_ROOT_BYPASS if path.local else Reason.NO_PINS
        return Judgement(accepted=True, reason=reason, path=path)
    return _match(rule, sent, trust, path)


def _match(rule: Rule, sent: tuple[Certificate, ...], trust: TrustStore, path: Path | None) -> Judgement:
    """Compare pins; report-only turns a mismatch into acceptance."""
    seen = _seen(rule, sent, trust, path)
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


def _seen(rule: Rule, sent: tuple[Certificate, ...], trust: TrustStore, path: Path | None) -> tuple[Certificate, ...]:
    """Give the certificates that pins are compared with, leaf first."""
    if rule.path is PathUse.SENT:
        return sent
    if rule.path is PathUse.LINKED:
        return tuple(_linked(sent, trust, path))
    if rule.path is PathUse.LEAF or path is None:
        return sent[:1]
    return path.certificates


def _linked(sent: tuple[Certificate, ...], trust: TrustStore, path: Path | None) -> Iterator[Certificate]:
    """Walk from the leaf to issuer after issuer: what was sent first, then the path's anchors and the trust store."""
    pool = (*sent[1:], *(path.certificates if path else ()))
    current: Certificate | None = sent[0]
    walked: set[Certificate] = set()
    while current is not None and current not in walked:
        walked.add(current)
        yield current
        here = current
        higher = (*(c for c in pool if may_have_issued(c, here)), *trust.issuers_of(here))
        current = next((c for c in higher if c not in walked), None)


def _clause(
    clause: Clause, seen: tuple[Certificate, ...], key_types: frozenset[str] | None
) -> tuple[tuple[Pin, Certificate] | None, Certificate | None]:
    """Give the pin and the certificate that match, and a certificate whose key stops the search before them."""
    in_scope = {Scope.LEAF: seen[:1], Scope.CA: seen[1:], Scope.ANCHORS: seen[-1:]}.get(clause.scope, seen)
    for certificate in reversed(in_scope) if key_types is not None else in_scope:
        if key_types is not None and certificate.key_type and certificate.key_type not in key_types:
            return None, certificate
        for pin in clause.pins:
            if certificate.matches(pin) and _is_named(clause, pin, certificate):
                return (pin, certificate), None
    return None, None


def _is_named(clause: Clause, pin: Pin, certificate: Certificate) -> bool:
    """Say whether a pin counts for a certificate's common name; where names do not matter every pin does."""
    return not clause.named or (certificate.common_name, pin) in clause.named


def _handled(certificate: Certificate, key_types: frozenset[str] | None) -> bool:
    """Say whether a client can handle a key: its type is listed, or the family before the hyphen."""
    if key_types is None or not certificate.key_type:
        return True
    return certificate.key_type in key_types or certificate.key_type.partition("-")[0] in key_types
