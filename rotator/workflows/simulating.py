"""Who breaks and who is exposed: from the words of a command line or a screen to an answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from rotator.errors import Problem, UsageError
from rotator.model.names import did_you_mean
from rotator.model.policy import Policy
from rotator.model.when import DAY, plus
from rotator.simulate.grammar import ACTIONS, EVENTS, Occurrence, parse_action, parse_event
from rotator.simulate.question import Answer, Picture, Question, ask
from rotator.simulate.timeline import from_row, happenings

MOST_DAYS = 20_000
"""Days an answer goes ahead: more than any certificate of today lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question in words.

    Attributes:
        events: events, and actions by their own names.
        scenario: the name of a scenario of the policy.
        serve: `HOST=CHAIN` or `HOST=KEY`, each perhaps with `@T`.
        at: the instant of the answer; None to take the last dated thing asked about, or now.
        until: the last day; None for no days.
    """

    events: tuple[str, ...] = ()
    scenario: str | None = None
    serve: tuple[str, ...] = ()
    at: datetime | None = None
    until: datetime | None = None


def simulate(picture: Picture, asked: Asked, now: datetime) -> Answer:
    """Answer a question in words.

    Raises:
        UsageError: it cannot be understood.
    """
    return ask(picture, question(picture.policy, asked, now), calendar(picture.policy))


def question(policy: Policy, asked: Asked, now: datetime) -> Question:
    """Turn words into a question.

    Without `at` the answer is for now or, where something asked about takes effect later, as a revocation does, for
    the last such instant.
    """
    occurrences = [*_scenario(policy, asked.scenario), *(parse(text) for text in asked.events)]
    occurrences += [_serve(text) for text in asked.serve]
    default = asked.at or now
    at = asked.at
    if at is None:
        at = now if asked.until else max([now, *(h.at for h in happenings(occurrences, default, policy))])
    if asked.until is not None and asked.until.date() < at.date():
        raise UsageError(Problem("--until lies before the time asked about", value=asked.until.date().isoformat()))
    if asked.until is not None and asked.until > plus(at, MOST_DAYS * DAY):
        raise UsageError(
            Problem(
                "--until lies too far ahead",
                value=asked.until.date().isoformat(),
                expected=f"at most {MOST_DAYS:,} days after the time asked about",
            )
        )
    return Question(occurrences=tuple(occurrences), at=at, until=asked.until, default=default)


def parse(text: str) -> Occurrence:
    """Read an event, or an action by its own name where no event has it."""
    name = text.partition(":")[0]
    return parse_action(text) if name in ACTIONS and name not in EVENTS else parse_event(text)


def calendar(policy: Policy) -> tuple[Occurrence, ...]:
    """Give what happens in any case."""
    return tuple(from_row(row) for row in policy.calendar)


def _scenario(policy: Policy, name: str | None) -> Iterable[Occurrence]:
    if name is None:
        return ()
    if name not in policy.scenarios:
        raise UsageError(Problem("no scenario has this name", value=name, hint=did_you_mean(name, policy.scenarios)))
    return [from_row(row) for row in policy.scenarios[name]]


def _serve(text: str) -> Occurrence:
    host, equals, chain = text.partition("=")
    if not (host and equals and chain):
        raise UsageError(Problem("not what is to be served", value=text, expected="HOST=CHAIN or HOST=KEY[@DATE]"))
    body, at_sign, when = chain.rpartition("@")
    if not at_sign:
        body, when = chain, ""
    action = parse_action(f"serve:{host}:{body}" + (f"@{when}" if when else ""))
    return replace(action, parts=(host, body))
