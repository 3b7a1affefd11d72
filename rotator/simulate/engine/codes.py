"""Judgements as bytes, and the rules by which several judgements become one, on whole columns of them.

A code says whether a chain was accepted, for certain or not, with a pin in force or not, and why. What a code does
not say (which pin, which path) only `rotator.simulate.judge` says.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rotator.model.verdicts import REFUSAL_ORDER, Reason, Verdict
from rotator.simulate.judgement import Judgement

Codes = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Indexes = NDArray[np.int64]

ACCEPTED, UNSURE, IN_FORCE, REASON_SHIFT = 1, 2, 4, 3
REASONS = tuple(Reason)
VERDICTS = (Verdict.LOST, Verdict.EXPOSED, Verdict.BREAKS, Verdict.UNPINNED, Verdict.OK)
"""Verdicts by rank: the index is what columns hold."""
NONE = 255
"""A priority behind every answer: there was none."""
_PLACE = {reason: index for index, reason in enumerate(REASONS)}
_EVERY = np.arange(256, dtype=np.uint8)


def code_of(judgement: Judgement) -> int:
    """Write a judgement as a code."""
    flags = judgement.accepted * ACCEPTED | judgement.unsure * UNSURE | judgement.pin_in_force * IN_FORCE
    return flags | _PLACE[judgement.reason] << REASON_SHIFT


def code(reason: Reason, *, accepted: bool, unsure: bool = False, in_force: bool = False) -> int:
    """Write a code."""
    return code_of(Judgement(accepted=accepted, reason=reason, unsure=unsure, pin_in_force=in_force))


def place_of(reason: Reason) -> int:
    """Give the number that columns of reasons hold."""
    return _PLACE[reason]


def _refusals() -> Codes:
    """Give by code the place of its reason in the order in which refusals are told."""
    order = [REFUSAL_ORDER.index(reason) if reason in REFUSAL_ORDER else 30 for reason in REASONS]
    return np.array([order[c >> REASON_SHIFT] if c >> REASON_SHIFT < len(order) else 30 for c in range(256)], np.uint8)


_ORDER = _refusals()
_ACCEPTED = (_EVERY & ACCEPTED) != 0
_UNSURE = (_EVERY & UNSURE) != 0
_PINNED = (_EVERY & IN_FORCE) != 0
_REFUSED_FIRST = _ORDER + 32 * _UNSURE.astype(np.uint8)
TOGETHER: Codes = np.where(_ACCEPTED, np.where(_PINNED, 64, 65), _REFUSED_FIRST).astype(np.uint8)
"""By code, its place among the answers of mechanisms that must all accept: the least speaks for all."""
WORST: Codes = np.where(_ACCEPTED, np.where(_PINNED, 65, 64), _REFUSED_FIRST).astype(np.uint8)
"""By code, its place among answers on our own chains: the least is the worst."""
BEST: Codes = np.where(_ACCEPTED, np.where(_UNSURE, 1, 0), 40 - _ORDER).astype(np.uint8)
"""By code, its place among answers for the attacker: the least is the best for it."""


def accepted(codes: Codes) -> Flags:
    """Say where a chain is accepted."""
    found: Flags = (codes & ACCEPTED) != 0
    return found


def unsure(codes: Codes) -> Flags:
    """Say where the answer turns inside what nobody can know."""
    found: Flags = (codes & UNSURE) != 0
    return found


def in_force(codes: Codes) -> Flags:
    """Say where a pin was demanded."""
    found: Flags = (codes & IN_FORCE) != 0
    return found


def _set(codes: Codes, flag: int, on: Flags) -> Codes:
    found: Codes = np.where(on, codes | np.uint8(flag), codes & np.uint8(255 - flag)).astype(np.uint8)
    return found


def together(answers: Codes) -> Codes:
    """Ask all mechanisms of connections (a row each): one that refuses refuses for all, one in force pins."""
    if answers.shape[1] == 1:
        return answers[:, 0]
    first = _first(answers, TOGETHER)
    took = accepted(first)
    pinned = np.where(took, in_force(first), in_force(answers).any(axis=1))
    doubtful = np.where(took, unsure(answers).any(axis=1), unsure(first))
    return _set(_set(first, IN_FORCE, pinned), UNSURE, doubtful)


def worst(answers: Sequence[Codes]) -> Codes:
    """Give the worst of several answers on our own chains."""
    return answers[0] if len(answers) == 1 else _first(np.stack(answers, axis=1), WORST)


def worst_of_choice(answers: Sequence[Codes]) -> Codes:
    """Give the worst of several that may come to be, unsure where one of the others would be accepted."""
    if len(answers) == 1:
        return answers[0]
    stacked = np.stack(answers, axis=1)
    found = _first(stacked, WORST)
    differ = (accepted(stacked) != accepted(found)[:, None]).any(axis=1)
    return _set(found, UNSURE, unsure(found) | differ)


def _first(answers: Codes, order: Codes) -> Codes:
    places = order[answers].argmin(axis=1)
    found: Codes = np.take_along_axis(answers, places[:, None], axis=1)[:, 0]
    return found


def verdicts(ours: Codes, exposed: Flags) -> Codes:
    """Answer both questions with one word: the rank of the verdict."""
    took = accepted(ours)
    calm = np.where(took, np.where(in_force(ours), 4, 3), 2)
    found: Codes = np.where(exposed, np.where(took, 1, 0), calm).astype(np.uint8)
    return found
