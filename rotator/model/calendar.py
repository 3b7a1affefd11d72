"""Dated facts of the public key infrastructure, and what follows from them for a key, a CA or a day.

The facts themselves are data (`rotator/data/calendar.toml`), read by `rotator.files.facts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from rotator.model.pki import Certificate


class FactKind(StrEnum):
    """What a fact is about."""

    CLOCK = "clock"
    VALIDITY = "validity"
    KEY_AGE = "key-age"
    REMOVAL = "removal"
    SWITCH = "switch"
    DISTRUST = "distrust"
    NOTICE = "notice"


class Certainty(StrEnum):
    """How sure a date is: read in its source, remembered and not read, or derived from something assumed."""

    STATED = "stated"
    UNVERIFIED = "unverified"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One dated fact.

    Attributes:
        id: stable, kebab-case.
        what: the fact in a sentence.
        source: where it was read; "" only where it is unverified.
        announced: the day from which it can be known, where that matters to a look back.
        day: when it begins to hold; None for clocks, and for rules that give each key a day of its own.
        hours: for a clock, from the moment a CA knows.
        max_days: how long a certificate may last.
        reuse_days: how long the validation of a domain counts.
        operators: the organisations it is about, as their certificates name them; none: every public CA.
        store: whose trust store.
        keys: SPKI digests by name.
        made_from, made_before: the days between which a key was made, the second not included.
        years: how long after that it leaves.
    """

    id: str
    kind: FactKind
    what: str
    source: str = ""
    certainty: Certainty = Certainty.STATED
    announced: date | None = None
    day: date | None = None
    hours: int | None = None
    max_days: int | None = None
    reuse_days: int | None = None
    operators: tuple[str, ...] = ()
    store: str = ""
    keys: Mapping[str, bytes] = field(default_factory=dict)
    made_from: date | None = None
    made_before: date | None = None
    years: int | None = None

    def __hash__(self) -> int:
        return hash(self.id)

    def known_on(self, day: date) -> bool:
        """Say whether a check of that day can know it."""
        return self.announced is None or self.announced <= day

    def is_about(self, certificate: Certificate, holder: str | None = None) -> bool:
        """Say whether a certificate's key belongs to one of the organisations the fact is about.

        Args:
            certificate: a certificate of the key.
            holder: who holds the key, where a person has written it down.
        """
        organisation = organisation_of(certificate.subject) or ""
        return any(_begins(text, own) for text in (organisation, holder or "") for own in self.operators)

    def brings(self, certificate: Certificate) -> bool:
        """Say whether a CA's certificate is of its keys: by its key, by the key that signed it, or by their names.

        A CA has more intermediates below its new roots than anybody lists, and a pinned one need not come with its
        issuer: then the issuer's name tells.
        """
        keys, names = set(self.keys.values()), {name.casefold() for name in self.keys}
        said = {text for name in (certificate.subject, certificate.issuer) for text in _known_as(name)}
        return certificate.spki in keys or certificate.signer in keys or bool(names & said)

    def name_of(self, spki: bytes) -> str | None:
        """Give the name of one of its keys."""
        return next((name for name, own in self.keys.items() if own == spki), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """When a root leaves a store, and how that is known."""

    day: date
    fact: Fact
    certainty: Certainty
    made: date | None = None

    @property
    def because(self) -> str:
        """Say what the date stands on, in a few words."""
        if self.made is None:
            return "unverified" if self.certainty is Certainty.UNVERIFIED else ""
        return f"by the age of its key, which is assumed to be as old as its certificate, of {self.made}"


def departure(spki: bytes, anchors: Iterable[Certificate], facts: Iterable[Fact]) -> Departure | None:
    """Say when a root leaves Mozilla's store; None for a root that is in none of its lists.

    A root that a fact names leaves on that day. Any other root of the bundle leaves by the age of its key, for which
    the beginning of its oldest certificate stands in: that is assumed.

    Args:
        spki: the root's key.
        anchors: the certificates of the bundle.
        facts: the facts.
    """
    known = list(facts)
    for fact in known:
        if fact.kind is FactKind.REMOVAL and fact.day is not None and fact.name_of(spki) is not None:
            return Departure(day=fact.day, fact=fact, certainty=fact.certainty)
    own = [c.not_before.date() for c in anchors if c.spki == spki]
    if not own:
        return None
    made = min(own)
    for fact in known:
        after = fact.made_from is None or fact.made_from <= made
        before = fact.made_before is None or made < fact.made_before
        if fact.kind is FactKind.KEY_AGE and after and before:
            day = fact.day or _years_later(made, fact.years or 0)
            return Departure(day=day, fact=fact, certainty=Certainty.ASSUMED, made=made)
    return None


def _years_later(day: date, years: int) -> date:
    """Give the same day of a later year; the last of February becomes the first of March."""
    year = min(day.year + years, date.max.year)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return date(year, 3, 1) if (day.month, day.day) == (2, 29) and not leap else day.replace(year=year)


def limits_of_validity(facts: Iterable[Fact], certificate: Certificate, holder: str | None = None) -> tuple[Fact, ...]:
    """Give the steps by which the life of a certificate of its issuer shrinks, soonest first.

    Args:
        facts: the facts.
        certificate: a certificate of the CA that issues.
        holder: who holds its key, where a person has written it down.
    """
    steps = [
        fact
        for fact in facts
        if fact.kind is FactKind.VALIDITY and (not fact.operators or fact.is_about(certificate, holder)) and fact.day
    ]
    return tuple(sorted(steps, key=lambda fact: (fact.day or date.max, fact.max_days or 0)))


_ORGANISATION = re.compile(r"(?:^|[,+])O=((?:\\.|[^,+\\])*)")
_COMMON_NAME = re.compile(r"(?:^|[,+])CN=((?:\\.|[^,+\\])*)")


def _known_as(name: str) -> set[str]:
    """Give what people call the owner of a name: its common name, alone and behind the organisation."""
    found = _COMMON_NAME.search(name)
    if found is None:
        return set()
    common = re.sub(r"\\(.)", r"\1", found[1]).casefold()
    organisation = (organisation_of(name) or "").casefold()
    return {common, f"{organisation} {common}"}


def organisation_of(subject: str) -> str | None:
    """Give the organisation of a name written as RFC 4514 says; None where it has none."""
    found = _ORGANISATION.search(subject)
    return None if found is None else re.sub(r"\\(.)", r"\1", found[1])


def _begins(text: str, operator: str) -> bool:
    """Say whether a text begins with an operator's name as a whole word, whatever the case."""
    plain, own = text.casefold(), operator.casefold()
    return plain.startswith(own) and not plain[len(own) : len(own) + 1].isalnum()
