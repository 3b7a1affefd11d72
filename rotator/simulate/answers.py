"""How several answers about one connection become one, and the answers that no chain of ours is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rotator.model.pins import PinKind
from rotator.model.pki import Certificate, planned_certificate
from rotator.model.rules import Base, Cleartext, Rule, Usage
from rotator.model.verdicts import REFUSAL_ORDER, Reason
from rotator.simulate.attacks import Attack
from rotator.simulate.fleet import Connection
from rotator.simulate.impact import Answer
from rotator.simulate.judgement import Judgement


def doubted(answer: Answer, outcomes: set[bool]) -> Answer:
    """Mark an answer as unsure where another release would have another."""
    if len(outcomes) < 2:
        return answer
    return replace(answer, judgement=replace(answer.judgement, unsure=True))


def of_choice(answers: list[Answer]) -> Answer:
    """Give the worst of several that may come to be, unsure where one of the others would be accepted."""
    first = worst(answers)
    if len(answers) == 1 or all(a.judgement.accepted is first.judgement.accepted for a in answers):
        return first
    return replace(first, judgement=replace(first.judgement, unsure=True), choice=True)


def stripped(attack: Attack, connection: Connection) -> Iterator[Answer]:
    """Give the answer of a client without TLS: it goes on where nothing that guards the connection refuses."""
    for name, rules in connection.rules.items():
        if not any(rule.rejected or rule.cleartext is Cleartext.REFUSED for rule in rules):
            unsure = any(rule.cleartext is Cleartext.UNKNOWN for rule in rules)
            judgement = Judgement(accepted=True, reason=Reason.CLEARTEXT_ALLOWED, unsure=unsure)
            mechanism = connection.mechanisms[0] if connection.mechanisms else ""
            yield Answer(judgement=judgement, mechanism=mechanism, name=name, chain=attack.subject, attack=attack)


def self_made(attack: Attack, name: str) -> Iterator[tuple[Certificate, ...]]:
    """Give the certificate that whoever holds a key signs with it: enough where nothing but pins is checked."""
    if attack.key is not None and attack.key.kind is PinKind.SPKI_SHA256:
        identity = f"{attack.subject} self-signed for {name}"
        yield (
            planned_certificate(
                identity=identity, spki=attack.key.digest, subject=attack.subject, issuer=None, dns_names=(name,)
            ),
        )


def asks_for_no_path(rule: Rule) -> bool:
    """Say whether a rule is about no path: nothing but pins, or a record in the DNS on the leaf itself."""
    ee = any(usage is Usage.DANE_EE for clause in rule.clauses for usage, _ in clause.records)
    return rule.base in (Base.NONE, Base.TOFU) or (rule.base is Base.DANE and ee)


def order(judgement: Judgement) -> int:
    """Give the place of a refusal in the order in which they are told."""
    return REFUSAL_ORDER.index(judgement.reason)


def worst(answers: Iterable[Answer]) -> Answer:
    """Give the worst answer for our chain: refused before unpinned before pinned."""
    found = list(answers)
    refused = [a for a in found if not a.judgement.accepted]
    if refused:
        sure = [a for a in refused if not a.judgement.unsure]
        return min(sure or refused, key=lambda a: order(a.judgement))
    return next((a for a in found if not a.judgement.pin_in_force), found[0])


def best(answers: Iterable[Answer]) -> Answer | None:
    """Give the best answer for the attacker: accepted for certain, accepted, else the refusal nearest to acceptance."""
    accepted: Answer | None = None
    nearest: Answer | None = None
    for answer in answers:
        if answer.judgement.accepted and not answer.judgement.unsure:
            return answer
        if answer.judgement.accepted:
            accepted = accepted or answer
        elif nearest is None or order(answer.judgement) > order(nearest.judgement):
            nearest = answer
    return accepted or nearest
