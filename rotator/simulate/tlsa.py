"""TLSA records: each has a rule of its own, and any one that accepts is enough (RFC 6698, 2.1; RFC 7671, 5).

As OpenSSL 3.0 does it: usage 0 asks for a CA of a trusted path, 1 for the leaf of one, 2 for a CA that was sent and
then is the anchor, 3 for the leaf alone, whatever its dates. Whether usage 3 looks at the name differs by client, so
the worse is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rotator.model.paths import Conditions, Path, find_paths
from rotator.model.pins import Pin
from rotator.model.pki import Certificate, TrustStore
from rotator.model.rules import Rule, Usage
from rotator.model.verdicts import REFUSAL_ORDER, Reason
from rotator.simulate.judgement import Judgement, Side, Situation


def judge_records(
    rule: Rule,
    sent: tuple[Certificate, ...],
    host: str,
    trust: TrustStore,
    situation: Situation,
    side: Side,
) -> Judgement:
    """Judge a chain by the records of a rule; with none that can be used it is refused."""
    answers = [
        _judge_record(usage, pin, rule, sent, host, trust, situation, side)
        for clause in rule.clauses
        for usage, pin in sorted(clause.records)
    ]
    accepted = [answer for answer in answers if answer.accepted]
    if accepted:
        return next((answer for answer in accepted if not answer.unsure), accepted[0])
    if not answers:
        return Judgement(accepted=False, reason=Reason.PIN_MISMATCH, pin_in_force=True)
    # The record that came nearest to a match says why: all others miss by their pin.
    return min(answers, key=lambda a: (a.reason is Reason.PIN_MISMATCH, REFUSAL_ORDER.index(a.reason)))


def _judge_record(
    usage: Usage,
    pin: Pin,
    rule: Rule,
    sent: tuple[Certificate, ...],
    host: str,
    trust: TrustStore,
    situation: Situation,
    side: Side,
) -> Judgement:
    named = sent[0].covers(host, common_name=rule.common_name)
    if usage is Usage.DANE_EE:
        if not sent[0].matches(pin):
            return _refused(Reason.PIN_MISMATCH)
        if not named:
            refused = replace(_refused(Reason.NAME_MISMATCH, sent[0]), unsure=True)
            return refused if side is Side.OURS else replace(_matched(pin, sent[0]), unsure=True)
        return _matched(pin, sent[0])
    if usage is Usage.DANE_TA:
        anchors = tuple(c for c in sent[1:] if c.matches(pin))
        if not anchors:
            return _refused(Reason.PIN_MISMATCH)
        trust = TrustStore(name="sent", roots=anchors)
    conditions = situation.conditions()
    path = next(_paths(rule, sent, trust, conditions), None)
    if path is None:
        timeless = next(_paths(rule, sent, trust, conditions.without_time()), None)
        return _refused(Reason.CHAIN_EXPIRED if timeless is not None else Reason.NO_PATH)
    if not named:
        return _refused(Reason.NAME_MISMATCH, sent[0], path)
    seen = path.certificates[:1] if usage is Usage.PKIX_EE else path.certificates[1:]
    hit = next((c for c in seen if c.matches(pin)), None)
    return _refused(Reason.PIN_MISMATCH, None, path) if hit is None else _matched(pin, hit, path)


def _paths(rule: Rule, sent: tuple[Certificate, ...], trust: TrustStore, conditions: Conditions) -> Iterator[Path]:
    return find_paths(sent, trust, conditions, rule.builder)


def _refused(reason: Reason, certificate: Certificate | None = None, path: Path | None = None) -> Judgement:
    return Judgement(accepted=False, reason=reason, pin_in_force=True, certificate=certificate, path=path)


def _matched(pin: Pin, certificate: Certificate, path: Path | None = None) -> Judgement:
    return Judgement(
        accepted=True, reason=Reason.PIN_MATCHED, pin_in_force=True, pin=pin, certificate=certificate, path=path
    )
