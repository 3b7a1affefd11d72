"""When one answer does for two rules: the same shape, the same ends over, the same pins among those in sight.

The judge looks at a pin only by whether certificates match it. So of two rules that are the same but for their pins,
and that hold the same of those pins that some certificate in sight matches, one answer does for both.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from rotator.model.pins import Pin, PinKind
from rotator.model.pki import Certificate, TrustStore
from rotator.model.rules import Base, Cleartext, Expiry, Rule
from rotator.simulate.judgement import Situation

Element = tuple[int, int, Pin]
"""A pin where a rule has it: which reading of the rule, which clause of it (-1 for the forbidden ones), the pin."""
Sight = tuple[int, str, int]
"""The numbers of a chain and of what else comes with it, and the trust store between."""
MOST_SEEN = 100_000
"""Rules and chains of which the pins in sight are kept: a drill meets more of them than memory holds."""
_SOME_END = Expiry.at(datetime(1, 1, 1, tzinfo=UTC))


def pins_on(certificates: Iterable[Certificate]) -> set[Pin]:
    """Give every pin that some of these certificates match."""
    return {pin for certificate in certificates for pin in certificate.pins()}


def is_mask_rule(rule: Rule) -> bool:
    """Say whether nothing of a rule but its pins tells it from others of its shape.

    Records of the DNS count even where they match nothing, names go with pins, and where pins are the only anchors
    every root of a store is in sight: such rules are judged one by one.
    """
    return not any(
        reading.base in (Base.DANE, Base.ANCHORS_REPLACED) or any(c.named or c.records for c in reading.clauses)
        for reading in rule.readings
    )


def shape_of(rule: Rule) -> Rule:
    """Give a rule without its pins and without the instants at which they end."""
    return replace(
        rule,
        clauses=tuple(replace(c, pins=frozenset(), dead=frozenset()) for c in rule.clauses),
        # Whether there are forbidden pins at all counts, even where none of them is in sight.
        forbidden=frozenset({Pin(PinKind.SPKI_SHA256, b"")}) if rule.forbidden else frozenset(),
        rejected="rejected" if rule.rejected else "",
        expiry=replace(_SOME_END, closed=rule.expiry.closed) if rule.expiry is not None else None,
        cleartext=Cleartext.UNKNOWN,
        after=shape_of(rule.after) if rule.after is not None else None,
        other=shape_of(rule.other) if rule.other is not None else None,
    )


def elements_of(rule: Rule) -> Iterator[Element]:
    """Give every pin of a rule, with where it stands."""
    for number, reading in enumerate(rule.readings):
        for place, clause in enumerate(reading.clauses):
            yield from ((number, place, pin) for pin in clause.pins)
        yield from ((number, -1, pin) for pin in reading.forbidden)


def in_sight(sent: tuple[Certificate, ...], trust: TrustStore, extra: Iterable[Certificate]) -> tuple[Certificate, ...]:
    """Give every certificate that can come up where a chain is presented to a client."""
    proxy = (trust.intercepted_by,) if trust.intercepted_by else ()
    return trust.above((*sent, *extra, *proxy))


@dataclass(frozen=True, slots=True)
class _Known:
    """A rule, with its shape and its pins; None for one that is like no other."""

    rule: Rule
    shape: int
    elements: tuple[Element, ...] | None
    ends: tuple[Expiry, ...]


@dataclass
class Likeness:
    """Gives rules, chains and situations values that are equal where one answer does for them."""

    _rules: dict[int, _Known] = field(default_factory=dict)
    _shapes: dict[Rule, int] = field(default_factory=dict)
    _same: dict[int, tuple[object, int]] = field(default_factory=dict)
    _numbers: dict[Hashable, int] = field(default_factory=dict)
    _pins: dict[Sight, frozenset[Pin]] = field(default_factory=dict)
    _seen: dict[tuple[int, Sight], int] = field(default_factory=dict)
    _sets: dict[frozenset[Element], int] = field(default_factory=dict)

    def number(self, value: Hashable) -> int:
        """Give equal values one number; a value that was seen before is told by its identity."""
        known = self._same.get(id(value))
        if known is None:
            # The value is kept, so that its id is not given again.
            known = self._same[id(value)] = value, self._numbers.setdefault(value, len(self._numbers))
        return known[1]

    def key(self, rule: Rule, sent: tuple[Certificate, ...], trust: TrustStore, situation: Situation) -> Hashable:
        """Give all that an answer on a chain may hang on, but for the name that is asked for and who asks.

        It is made of numbers: every connection asks, in every world.
        """
        known = self._rules.get(id(rule)) or self._add(rule)
        chain = self.number(sent)
        whole = (known.shape, chain, trust.name, self.number(situation), trust.distrusted)
        if known.elements is None:
            return whole
        sight = (chain, trust.name, self.number(situation.extra))
        seen = self._seen.get((id(rule), sight))
        if seen is None:
            pins = self._pins.get(sight)
            if pins is None:
                pins = self._pins[sight] = frozenset(pins_on(in_sight(sent, trust, situation.extra)))
            found = frozenset(element for element in known.elements if element[2] in pins)
            if len(self._seen) >= MOST_SEEN:
                self._seen.clear()
            seen = self._seen[id(rule), sight] = self._sets.setdefault(found, len(self._sets))
        if not known.ends:
            return whole, seen
        at = situation.at
        return whole, seen, tuple((at >= end.first) + (at >= end.last) for end in known.ends)

    def _add(self, rule: Rule) -> _Known:
        masked = is_mask_rule(rule)
        shape = self._shapes.setdefault(shape_of(rule) if masked else rule, len(self._shapes))
        found = _Known(
            rule,
            shape,
            tuple(elements_of(rule)) if masked else None,
            tuple(reading.expiry for reading in rule.readings if reading.expiry is not None),
        )
        self._rules[id(rule)] = found
        return found
