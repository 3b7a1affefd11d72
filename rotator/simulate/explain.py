"""Why: one sentence for a row, with the pin and the path that decided, in the names of the policy."""

from __future__ import annotations

from rotator.model.paths import Path
from rotator.model.pins import Pin
from rotator.model.pki import Certificate
from rotator.model.rules import Scope
from rotator.model.verdicts import Reason
from rotator.model.when import show
from rotator.simulate.impact import Answer, Row
from rotator.simulate.inventory import Inventory


def why(row: Row, inventory: Inventory) -> str:
    """Explain a row: how our own chain fares and, where there is an attacker, how the attacker does."""
    text = _ours(row, inventory)
    if row.attacker is not None:
        text += f"; {_attacker(row.attacker, inventory)}"
    if row.unsure:
        text += "; UNSURE: devices differ here, and the worse is counted"
    return text


def _where(answer: Answer, row: Row) -> str:
    several = len(row.connection.rules) > 1
    parts = [answer.name] if several else []
    if answer.place:
        parts.append(f"at {answer.place}")
    return f" ({', '.join(parts)})" if parts else ""


def _ours(row: Row, inventory: Inventory) -> str:
    answer = row.ours
    text = _judgement(answer, row, inventory)
    tell_mechanism = len(row.connection.mechanisms) > 1 and not answer.judgement.accepted
    return (f"{answer.mechanism}: " if tell_mechanism else "") + text + _where(answer, row)


def _judgement(answer: Answer, row: Row, inventory: Inventory) -> str:  # noqa: C901, PLR0911, PLR0912 - one line a reason
    judgement = answer.judgement
    path = _path(judgement.path, inventory)
    ends = f" in {path}" if path else ""
    match judgement.reason:
        case Reason.PIN_MATCHED:
            pin = inventory.label(judgement.pin) if judgement.pin else "a pin"
            return f"pin {pin} matches{ends}"
        case Reason.PIN_MISMATCH:
            return _mismatch(answer, row, inventory)
        case Reason.NO_PATH:
            return f"no path from {answer.chain or 'what is sent'} to a root of {row.connection.cohort.trust}"
        case Reason.CHAIN_EXPIRED:
            return _ended(judgement.certificate, answer, row, inventory)
        case Reason.REVOKED:
            what = inventory.name_of(judgement.certificate) if judgement.certificate else answer.chain
            return f"the certificate of {what} in {answer.chain} is revoked"
        case Reason.ROOT_DISTRUSTED:
            return f"every path of {answer.chain} leads over a distrusted authority"
        case Reason.NAME_MISMATCH:
            return f"the certificate of {answer.chain} is not for {answer.name}"
        case Reason.CONFIG_REJECTED:
            return f"the client refuses its configuration: {_rejected(row, answer)}"
        case Reason.KEY_TYPE_UNSUPPORTED:
            kind = judgement.certificate.key_type if judgement.certificate else "a key type"
            return f"the client cannot handle {kind}{ends}"
        case Reason.NOT_SERVED:
            return f"nothing can be served on {row.connection.host}: its key is lost" if answer.chain else "not served"
        case Reason.NO_PINS:
            return "no pins are in force" + _by(path)
        case Reason.PINS_EXPIRED:
            return "the pins have ended" + (_by(path) if judgement.accepted else " and the client then refuses")
        case Reason.REPORT_ONLY:
            return "a mismatch is only reported" + _by(path)
        case Reason.LOCAL_ROOT_BYPASS:
            return "the path ends at a local root, which bypasses pins" + _by(path)
        case Reason.HOST_NOT_LISTED:
            return "the host is not among the pinned names" + (_by(path) if judgement.accepted else " and is refused")
        case _:
            return str(judgement.reason)


def _by(path: str) -> str:
    return f"; the path is {path}" if path else ""


def _attacker(answer: Answer, inventory: Inventory) -> str:
    subject = answer.chain
    if answer.judgement.accepted:
        how = {
            Reason.KEY_STOLEN: f"whoever holds {subject} is accepted",
        }.get(
            answer.attack.kind if answer.attack else Reason.KEY_STOLEN,
            f"the attacker is accepted by {subject}",
        )
        if answer.judgement.pin is not None:
            how += f": pin {inventory.label(answer.judgement.pin)} matches"
        elif answer.judgement.reason in (Reason.NO_PINS, Reason.PINS_EXPIRED, Reason.HOST_NOT_LISTED):
            how += ": no pin is in force"
        return how
    refused = {
        Reason.PIN_MISMATCH: "no pin matches",
        Reason.CHAIN_EXPIRED: "every certificate for it has ended",
        Reason.NAME_MISMATCH: "no certificate for it is for this host",
        Reason.NO_PATH: "no path to a trusted root",
        Reason.REVOKED: "its certificates are revoked",
        Reason.ROOT_DISTRUSTED: "its issuer is distrusted",
    }.get(answer.judgement.reason, str(answer.judgement.reason))
    return f"whoever holds {subject} is refused: {refused}"


def _path(path: Path | None, inventory: Inventory) -> str:
    if path is None:
        return ""
    return " > ".join(inventory.name_of(certificate) for certificate in path.certificates)


def _mismatch(answer: Answer, row: Row, inventory: Inventory) -> str:
    """Say which pins are missing; where all of several lists must match, those of the lists that do not."""
    rule = row.connection.rules[answer.name][row.connection.mechanisms.index(answer.mechanism)]
    path = answer.judgement.path
    served = _path(path, inventory) or f"chain {answer.chain}"
    if len(rule.clauses) < 2 or path is None:
        return f"pins {_pins(rule.pins, inventory)} are not in {served}"
    scopes = {Scope.LEAF: path.certificates[:1], Scope.CA: path.certificates[1:]}
    missed = [
        f"none of {_pins(clause.pins, inventory)} {_PLACE.get(clause.scope, 'is')}"
        for clause in rule.clauses
        if not any(c.matches(pin) for c in scopes.get(clause.scope, path.certificates) for pin in clause.pins)
    ]
    return f"{' and '.join(missed)} in {served}; both lists must match"


_PLACE = {Scope.LEAF: "is the leaf", Scope.CA: "stands above the leaf"}


def _pins(pins: frozenset[Pin], inventory: Inventory) -> str:
    names = sorted(inventory.label(pin) for pin in pins)
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return "{" + shown + "}"


def _rejected(row: Row, answer: Answer) -> str:
    index = row.connection.mechanisms.index(answer.mechanism)
    return row.connection.rules[answer.name][index].rejected


def _ended(certificate: Certificate | None, answer: Answer, row: Row, inventory: Inventory) -> str:
    if certificate is None:
        return f"{answer.chain} has ended"
    if certificate.not_before > row.at:
        return f"{inventory.name_of(certificate)} in {answer.chain} begins on {show(certificate.not_before)}"
    if certificate.not_after >= row.at:
        return f"{inventory.name_of(certificate)} in {answer.chain} has ended and nobody renewed it"
    return f"{inventory.name_of(certificate)} in {answer.chain} ended on {show(certificate.not_after)}"
