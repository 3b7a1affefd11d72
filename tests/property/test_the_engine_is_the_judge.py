"""The fleet engine says what the judge says: verdicts, reasons, doubts and totals, on drawn policies and events."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.errors import UsageError
from rotator.mechanisms.registry import KNOWN_IDS
from rotator.model.adoption import PRESETS
from rotator.model.policy import Policy
from rotator.report.simulation import to_json
from rotator.simulate.grammar import Occurrence
from rotator.simulate.question import Answer, Desk, Question, ask
from tests.engines import hold
from tests.property.strategies import MECHANISMS, happenings, instants, picture, policies


@st.composite
def of_every_mechanism(draw: st.DrawFn) -> Policy:
    """Draw a policy whose apps pin with any client technology there is, by itself or beside another one."""
    drawn = draw(policies(known=False))
    every = st.lists(st.sampled_from((*KNOWN_IDS, *MECHANISMS)), min_size=1, max_size=2, unique=True).map(tuple)
    apps = {name: replace(app, mechanism=draw(every)) for name, app in drawn.apps.items()}
    return replace(drawn, apps=apps)


@given(policy=of_every_mechanism(), events=happenings(), at=instants)
def test_the_engine_says_what_the_judge_says(policy: Policy, events: tuple[Occurrence, ...], at: datetime) -> None:
    try:
        hold(picture(policy), events, at)
        hold(picture(policy), events, at, days=40, otherwise=PRESETS["typical"])
    except UsageError:
        return


@settings(max_examples=30)
@given(policy=of_every_mechanism(), events=happenings(), at=instants)
def test_simulate_gives_the_same_totals_over_days(policy: Policy, events: tuple[Occurrence, ...], at: datetime) -> None:
    """All of the answer but its words: which of two pins on one certificate is named is chance."""
    own = picture(policy)
    asked = Question(occurrences=events, at=at, until=at + timedelta(days=30))
    try:
        judged, quick = (without_words(ask(own, asked, desk=Desk(own, quick=quick))) for quick in (False, True))
    except UsageError:
        return
    assert quick == judged


def without_words(answer: Answer) -> object:
    found = to_json(answer)
    return {**found, "cohorts": [{**row, "why": ""} for row in found["cohorts"]]}
