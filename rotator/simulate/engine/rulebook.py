"""Every distinct rule once, by shape and pins, so that rules which differ in pins nobody presents are judged once.

What makes two rules alike is said in `rotator.simulate.alike`. The pins in sight are few; what a rule holds of them is
a bit mask, of as many words as are needed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from rotator.model.pins import Pin
from rotator.model.rules import Rule
from rotator.simulate.alike import Element, elements_of, is_mask_rule, shape_of
from rotator.simulate.engine.codes import Codes, Flags, Indexes, code_of
from rotator.simulate.judgement import Judgement

Masks = NDArray[np.uint64]
WORD = 64
_MICROSECOND = timedelta(microseconds=1)
_ORIGIN = datetime(1, 1, 1, tzinfo=UTC)
_NEVER = int(np.iinfo(np.int64).max)


def instant_number(at: datetime) -> int:
    """Give an instant as microseconds since the year 1."""
    return (at - _ORIGIN) // _MICROSECOND


@dataclass(frozen=True, slots=True)
class _Ends:
    """When the pins of rules end, a row for each rule and a column for each reading; the last instant for never."""

    first: Indexes
    last: Indexes
    bounds: tuple[int, ...]


class RuleBook:
    """The distinct rules for one name of one host, numbered as they come."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._numbers: dict[Rule, int] = {}
        self._seen: dict[int, tuple[Rule, int]] = {}
        self._shapes: dict[Rule, int] = {}
        self._shape: list[int] = []
        self._holders: dict[Element, list[int]] = {}
        self._by_pin: dict[Pin, list[Element]] = {}
        self._ready: dict[Element, Indexes] = {}
        self._ends: _Ends | None = None
        self._at: dict[int, Indexes] = {}

    def number(self, rule: Rule) -> int:
        """Give the number of a rule, a new one where it is new."""
        known = self._seen.get(id(rule))
        if known is not None:
            return known[1]
        number = self._numbers.get(rule)
        if number is None:
            number = self._add(rule)
        self._seen[id(rule)] = rule, number  # the rule is kept, so that its id is not given again
        return number

    def _add(self, rule: Rule) -> int:
        number = self._numbers[rule] = len(self.rules)
        self.rules.append(rule)
        self._ends = None
        masked = is_mask_rule(rule)
        self._shape.append(self._shapes.setdefault(shape_of(rule) if masked else rule, len(self._shapes)))
        if masked:
            for element in elements_of(rule):
                if element not in self._holders:
                    self._holders[element] = []
                    self._by_pin.setdefault(element[2], []).append(element)
                self._holders[element].append(number)
                self._ready.pop(element, None)
        return number

    def period(self, at: datetime) -> int:
        """Give the number of the time between two ends of pins in which an instant lies."""
        return bisect_right(self._compiled().bounds, instant_number(at))

    def _compiled(self) -> _Ends:
        if self._ends is None:
            readings = [rule.readings for rule in self.rules]
            wide = max((len(own) for own in readings), default=0)
            first = np.full((len(self.rules), wide), _NEVER, np.int64)
            last = first.copy()
            for row, own in enumerate(readings):
                for column, reading in enumerate(own):
                    if reading.expiry is not None:
                        first[row, column] = instant_number(reading.expiry.first)
                        last[row, column] = instant_number(reading.expiry.last)
            bounds = tuple(b for b in np.unique(np.concatenate([first.ravel(), last.ravel()])).tolist() if b != _NEVER)
            self._ends = _Ends(first, last, bounds)
            self._at = {}
        return self._ends

    def shapes(self, at: datetime) -> Indexes:
        """Give a number for each rule: equal where rules have one shape, with the same pins ended, at an instant."""
        ends, period = self._compiled(), self.period(at)
        if period not in self._at:
            now = instant_number(at)
            found = np.array(self._shape, np.int64)
            for column in range(ends.first.shape[1]):
                phase = (ends.first[:, column] <= now).astype(np.int64) + (ends.last[:, column] <= now)
                found = dense(found * 3 + phase)
            self._at[period] = found
        return self._at[period]

    def masks(self, in_sight: Iterable[Pin]) -> Masks:
        """Give for each rule which of the pins in sight it holds, and where: a row of words each."""
        live = [element for pin in in_sight for element in self._by_pin.get(pin, ())]
        found = np.zeros((len(self.rules), max(1, -(-len(live) // WORD))), np.uint64)
        for bit, element in enumerate(live):
            if element not in self._ready:
                self._ready[element] = np.array(self._holders[element], np.int64)
            found[self._ready[element], bit // WORD] |= np.uint64(1 << bit % WORD)
        return found

    def codes(self, at: datetime, in_sight: Iterable[Pin], judge: Callable[[Rule], Judgement]) -> Codes:
        """Judge every rule of the book at an instant, each distinct one once.

        Args:
            at: the instant.
            in_sight: every pin that a certificate matches which the judge may come to see.
            judge: gives the answer for a rule.
        """
        alike = self.shapes(at)
        for word in self.masks(in_sight).T:
            if word.any():
                alike = dense(alike * (len(self.rules) + 1) + dense(word))
        _, firsts, places = np.unique(alike, return_index=True, return_inverse=True)
        answers = np.array([code_of(judge(self.rules[number])) for number in firsts.tolist()], np.uint8)
        found: Codes = answers[places]
        return found

    def flags(self, ask: Callable[[Rule], bool]) -> Flags:
        """Ask every rule of the book something."""
        return np.fromiter((ask(rule) for rule in self.rules), np.bool_, len(self.rules))


def dense(values: NDArray[np.int64] | NDArray[np.uint64]) -> Indexes:
    """Number equal values alike, from 0."""
    found: Indexes = np.unique(values, return_inverse=True)[1].astype(np.int64)
    return found
