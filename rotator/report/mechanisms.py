"""Every client technology and its axes, as the code has them: for the command line, the screen and the docs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from rotator.mechanisms.base import Mechanism, PinsetSpec
from rotator.model.names import Cover
from rotator.model.pins import Pin, PinKind
from rotator.model.rules import Rule
from rotator.report.document import Document, Facts, Heading, Json, Table

AXES = ("scope", "path", "builder", "base", "no_host", "local_roots", "revocation", "expiry", "fewest_pins")
"""What `[mechanisms.NAME]` can set, and what a verdict turns on (docs/mechanisms.md)."""
_HOST = "host.example"
_LATER = date(2999, 1, 1)
_KINDS = (PinKind.SPKI_SHA256, PinKind.CERT_SHA256)


def axes(found: Mechanism) -> dict[str, str]:
    """Give the value of each axis, as the rule of a plain pinset has it."""
    rule = _rule(found)
    scopes = " and ".join(dict.fromkeys(str(clause.scope) for clause in rule.clauses)) or "-"
    return {
        "scope": scopes,
        "path": str(rule.path),
        "builder": str(rule.builder),
        "base": str(rule.base),
        "no_host": str(rule.no_host),
        "local_roots": str(rule.local_roots),
        "revocation": str(rule.revocation),
        "expiry": _end(found, rule),
        "fewest_pins": str(found.fewest_pins),
    }


def _end(found: Mechanism, rule: Rule) -> str:
    if found.says_expiry:
        return "closed" if rule.expiry is not None and rule.expiry.closed else "open"
    # Lists of browsers and headers end by themselves: no pinset says when.
    return "open" if found.facts.expiry.endswith("then open") else "none"


def _rule(found: Mechanism) -> Rule:
    digests = [bytes([index + 1]) * 32 for index in range(4)]
    keys, authorities = ([Pin(_KINDS[0], digest) for digest in part] for part in (digests[:2], digests[2:]))
    certificates = tuple(Pin(_KINDS[1], digest) for digest in digests) if found.says_certificates else ()
    spec = PinsetSpec(
        name="plain",
        covers=(Cover(_HOST),),
        keys=tuple(keys),
        authorities=tuple(authorities),
        certificates=certificates,
        expires=_LATER,
        common_names=dict.fromkeys(certificates, _HOST),
    )
    return found.rule(found.from_pinset(spec), _HOST)


def pairs(found: Mechanism) -> tuple[tuple[str, str], ...]:
    """Give what is known of a technology, in words."""
    facts = found.facts
    return (
        ("compares", facts.object),
        ("with", facts.scope),
        ("hosts", facts.host_rule),
        ("end of pins", facts.expiry),
        ("report only", facts.report_only),
        ("local roots", facts.local_roots),
        ("updated by", facts.update_channel),
        ("bad configuration", facts.bad_config),
        ("file written", found.file_name or "none"),
        ("known from", "; ".join(facts.sources)),
    )


def table(found: Iterable[Mechanism]) -> Document:
    """Give all of them, a row each."""
    rows = []
    for own in found:
        said = axes(own)
        rows.append((own.id, own.facts.object, *(said[name] for name in AXES)))
    columns = ("id", "compares", *(name.replace("_", " ") for name in AXES))
    return Document("Client technologies", (Table(columns, tuple(rows), right=("fewest pins",), wide="compares"),))


def page(found: Mechanism) -> Document:
    """Give one of them, whole."""
    return Document(
        f"{found.id}: {found.facts.title}",
        (Facts(pairs(found)), Heading("Axes"), Facts(tuple(axes(found).items()))),
    )


def to_json(found: Iterable[Mechanism]) -> Json:
    """Give them as plain JSON values."""
    return {
        "schema": 1,
        "mechanisms": [
            {"id": own.id, "title": own.facts.title, "facts": dict(pairs(own)), "axes": axes(own)} for own in found
        ],
    }
