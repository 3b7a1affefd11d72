"""Ask drawn policies drawn questions; what cannot be asked is drawn again."""

from __future__ import annotations

from datetime import datetime

from hypothesis import reject

from rotator.errors import UsageError
from rotator.model.policy import Policy
from rotator.simulate.grammar import Occurrence
from rotator.simulate.question import Answer, Question, ask
from tests.property.strategies import picture


def answer(policy: Policy, occurrences: tuple[Occurrence, ...], at: datetime, until: datetime | None = None) -> Answer:
    """Answer a question; serving a key on a host that serves nothing is none."""
    try:
        return ask(picture(policy), Question(occurrences=occurrences, at=at, until=until))
    except UsageError:
        reject()
