"""Where a number comes from: of an answer to a question, or of a check."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime

from rotator.model.findings import Finding
from rotator.simulate.because import Because, Words, because, no_such, numbered
from rotator.simulate.question import Answer, Picture
from rotator.simulate.terms import Input, Term, inputs_of
from rotator.workflows.checking import CalendarItem, check
from rotator.workflows.simulating import Asked, simulate

FINDING = ("severity", "id", "subject", "message", "hint", "due", "source")
ITEM = ("date", "what", "subject", "fact", "source", "certainty")


def explain(picture: Picture, asked: Asked, path: str, now: datetime) -> Because:
    """Explain a number of `simulate --json`, or of `check --json` where it begins with `findings` or `calendar`.

    A day that is named by its date is answered without being asked for.

    Raises:
        UsageError: there is no such number, or the question cannot be understood.
    """
    words = Words.of(path)
    if words.name in ("findings", "calendar"):
        return _of_check(picture, path, words, now)
    if words.name == "days" and asked.until is None and (day := _day(words.index)) is not None:
        asked = replace(asked, until=day)
    return because(simulate(picture, asked, now), path)


def _day(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(f"{date.fromisoformat(text)}T00:00:00+00:00")
    except ValueError:
        return None


def _of_check(picture: Picture, path: str, words: Words, now: datetime) -> Because:
    checked = check(picture, now)
    fields = FINDING if words.name == "findings" else ITEM
    rows: Sequence[Finding | CalendarItem] = checked.findings if words.name == "findings" else checked.calendar
    known = [f"{words.name}[0]", *(f"{words.name}[0].{name}" for name in fields)]
    if not words.index or len(words.parts) > 1 or (*words.parts, fields[0])[0] not in fields:
        raise no_such(path, known)
    row = rows[numbered(path, words, len(rows), words.name)]
    value = row.to_json()[(*words.parts, fields[0])[0]]
    if isinstance(row, Finding):
        inputs = tuple(_of_finding(row, checked.baseline))
        return Because(path=path, value=value, formula=f"{row.id}: {row.message}", inputs=inputs)
    own = f"{row.fact} ({row.certainty})" if row.fact else "the policy, or a file that it names"
    inputs = (Input(path=row.subject, what=own, source=row.source),)
    return Because(path=path, value=value, formula=f"{row.day}: {row.what}", inputs=inputs)


def _of_finding(finding: Finding, answer: Answer) -> Iterator[Input]:
    """Give what a finding is about, and the counts of the clients it is about where that is an app or a release."""
    yield Input(path=finding.subject, what="what it is about", source=finding.source or "")
    cohorts = [
        cohort
        for cohort in answer.fleet.cohorts
        if finding.subject == f"apps.{cohort.app}"
        or f"{finding.subject}.".startswith(f"apps.{cohort.app}.releases[{cohort.release}].")
    ]
    # A finding about an app may count some of its versions only: those that it names.
    named = [cohort for cohort in cohorts if _says(finding.message, cohort.version)]
    cohorts = named or cohorts
    yield from inputs_of(answer.inventory, [Term(cohort=cohort, least=1.0, most=1.0) for cohort in cohorts])


def _says(message: str, version: str) -> bool:
    return bool(version) and re.search(rf"(?<![\w.]){re.escape(version)}(?![\w]|\.\w)", message) is not None
