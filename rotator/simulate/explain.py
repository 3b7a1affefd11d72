"""Why: one sentence for a row, with the pin and the path that decided, in the names of the policy."""

from __future__ import annotations

from datetime import datetime

from rotator.model.paths import Path
from rotator.model.pins import Pin
from rotator.model.pki import Certificate
from rotator.model.rules import Scope
from rotator.model.verdicts import Reason
from rotator.model.when import FOREVER, show
from rotator.simulate.attacks import existing
from rotator.simulate.impact import Answer, Impact, Row
from rotator.simulate.inventory import Inventory


def why(row: Row, inventory: Inventory) -> str:
    """Explain a row: how our own chain fares and, where there is an attacker, how the attacker does."""
    text = _ours(row, inventory)
    if row.attacker is not None:
        text += f"; {_attacker(row.attacker, row, inventory)}"
    if row.unsure:
        text += f"; UNSURE: {_doubt(row)}, and the worse is counted"
    return text


def why_refused(row: Row, inventory: Inventory) -> str:
    """Explain how our own chain fares, without a word of any attacker."""
    return _ours(row, inventory)


def last_end(impact: Impact, inventory: Inventory) -> datetime | None:
    """Give the end of the last certificate that exists for a stolen key, or None where there is none or no end."""
    keys = {
        attack.key for attack in impact.world.attacks if attack.kind is Reason.KEY_STOLEN and attack.key is not None
    }
    ends = [sent[0].not_after for key in keys for sent in existing(inventory, impact.world.issued, key)]
    last = max(ends, default=FOREVER)
    return None if last == FOREVER else last


def kept_keys(impact: Impact) -> list[tuple[str, str]]:
    """Give each host that got a new certificate for a key after that was stolen, and the key.

    So it went with 30,000 certificates after Heartbleed: replaced, and the key kept.
    """
    world = impact.world
    stolen = [attack for attack in world.attacks if attack.kind is Reason.KEY_STOLEN]
    return [
        (host, attack.subject)
        for host, offers in world.served.items()
        for attack in stolen
        if attack.key is not None
        and host in world.changed
        and world.changed[host] >= attack.since
        and any(offer.chain.leaf.matches(attack.key) for offer in offers)
    ]


def _doubt(row: Row) -> str:
    """Say what nobody can know of a row."""
    if row.connection.instead:
        return "which release they run is not known"
    if row.reason is Reason.FORCED_OUT:
        return "who updates is not cut off"
    if row.reason is Reason.KEY_TYPE_UNSUPPORTED:
        return "some clients handle this key type"
    if row.ours.judgement.unsure and row.ours.judgement.reason is Reason.ROOT_DISTRUSTED:
        return (
            "a client that refuses the key of a distrusted authority finds no path, one whose store merely lost the "
            "root goes on over the certificate that another authority gave it"
        )
    if not row.ours.judgement.unsure and row.attacker_reason is Reason.CLEARTEXT_ALLOWED:
        return "what its code asks for decides; the app's cleartext says it"
    return "another issuer of the pool may sign" if row.ours.choice else "devices differ here"


def _where(answer: Answer, row: Row) -> str:
    several = len(row.judged.rules) > 1
    parts = [answer.name] if several else []
    if answer.place:
        parts.append(f"at {answer.place}")
    return f" ({', '.join(parts)})" if parts else ""


def _ours(row: Row, inventory: Inventory) -> str:
    answer = row.ours
    text = _judgement(answer, row, inventory)
    tell_mechanism = len(row.judged.mechanisms) > 1 and not answer.judgement.accepted
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
        case Reason.HOSTILE_PINS:
            return "an attacker wrote the pins this client holds, and ours are not among them"
        case Reason.FORCED_OUT:
            return f"a floor stands above {row.connection.cohort.version}: who does not update is cut off"
        case _:
            return str(judgement.reason)


def _by(path: str) -> str:
    return f"; the path is {path}" if path else ""


_HOLDS = {
    Reason.KEY_STOLEN: "whoever holds {}",
    Reason.CA_COMPROMISED: "whoever signs with the key of {}",
    Reason.CA_MISISSUES: "whoever got a certificate from {}",
    Reason.HOSTILE_PINS: "whoever controls {} and the pins it sends",
    Reason.LOCAL_ROOT_BYPASS: "whoever holds {}",
    Reason.CLEARTEXT_ALLOWED: "{}",
}
_UNPINNED = (Reason.NO_PINS, Reason.PINS_EXPIRED, Reason.HOST_NOT_LISTED, Reason.REPORT_ONLY)


def _attacker(answer: Answer, row: Row, inventory: Inventory) -> str:
    kind = answer.attack.kind if answer.attack else Reason.KEY_STOLEN
    who = _HOLDS[kind].format(answer.chain)
    judgement = answer.judgement
    if judgement.accepted:
        how = f"{who} is accepted"
        rules = row.connection.rules.get(answer.name, ())
        if kind is Reason.CLEARTEXT_ALLOWED:
            known = "nothing says that it refuses" if judgement.unsure else "the client takes"
            how += f": {known} a connection without TLS"
        elif judgement.pin is not None:
            how += f": pin {inventory.label(judgement.pin)} matches"
        elif any(rule.hostile for rule in rules):
            how += ": its pins are what the client holds"
        elif judgement.reason is Reason.LOCAL_ROOT_BYPASS:
            how += ": a local root bypasses pins"
        elif any(rule.probe and rule.clauses for rule in rules):
            how += ": the pins are checked on another connection"
        elif judgement.reason in _UNPINNED:
            how += ": no pin is in force"
        return how
    refused = {
        Reason.PIN_MISMATCH: "no pin matches",
        Reason.CHAIN_EXPIRED: "every certificate for it has ended",
        Reason.NAME_MISMATCH: "no certificate for it is for this host",
        Reason.NO_PATH: "no path to a trusted root",
        Reason.REVOKED: "its certificates are revoked",
        Reason.ROOT_DISTRUSTED: "its issuer is distrusted",
        Reason.CONFIG_REJECTED: "the client refuses its configuration",
        Reason.KEY_TYPE_UNSUPPORTED: "the client cannot handle a key in the path",
        Reason.PINS_EXPIRED: "the pins have ended, and the client then refuses",
        Reason.HOST_NOT_LISTED: "the host is not listed, and the client then refuses",
    }.get(judgement.reason, str(judgement.reason))
    return f"{who} is refused: {refused}"


def _path(path: Path | None, inventory: Inventory) -> str:
    if path is None:
        return ""
    return " > ".join(inventory.name_of(certificate) for certificate in path.certificates)


def _mismatch(answer: Answer, row: Row, inventory: Inventory) -> str:
    """Say which pins are missing; where all of several lists must match, those of the lists that do not."""
    rule = row.judged.rules[answer.name][row.judged.mechanisms.index(answer.mechanism)]
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
    index = row.judged.mechanisms.index(answer.mechanism)
    return row.judged.rules[answer.name][index].rejected


def _ended(certificate: Certificate | None, answer: Answer, row: Row, inventory: Inventory) -> str:
    if certificate is None:
        return f"{answer.chain} has ended"
    if certificate.not_before > row.at:
        return f"{inventory.name_of(certificate)} in {answer.chain} begins on {show(certificate.not_before)}"
    if certificate.not_after >= row.at:
        return f"{inventory.name_of(certificate)} in {answer.chain} has ended and nobody renewed it"
    return f"{inventory.name_of(certificate)} in {answer.chain} ended on {show(certificate.not_after)}"
