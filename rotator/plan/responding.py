"""What an emergency is weighed with: what happened as events, what can be done, and what each response comes to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rotator.model.progress import heed
from rotator.model.when import HOUR
from rotator.plan.alarm import Alarm, Emergency, Response, Weighed
from rotator.plan.choices import Choices
from rotator.plan.weighing import desk_for, weigh
from rotator.simulate.grammar import Occurrence
from rotator.simulate.question import Desk, Picture


def revocations(alarm: Alarm, now: datetime) -> tuple[Occurrence, ...]:
    """Give the CA's revocations, announced now."""
    hours = int(alarm.clock / HOUR)
    return tuple(Occurrence(id="revoke", parts=(c,), options=(("clock", f"{hours}h"),), at=now) for c in alarm.chains)


class Responding:
    """The weighing of the responses to one alarm."""

    def __init__(self, picture: Picture, answer: Emergency, calendar: Sequence[Occurrence]) -> None:
        self.picture, self.answer, self.calendar = picture, answer, tuple(calendar)
        theft = Occurrence(id="key-compromise", parts=(answer.alarm.key,), at=answer.now)
        self.events = (theft, *revocations(answer.alarm, answer.now))
        self.choices = self.choose(picture)
        self._desks: dict[tuple[object, ...], Desk] = {}

    def choose(self, picture: Picture, reach: float | None = None) -> Choices:
        """Give what can be done, with another policy or reach of floors perhaps."""
        return Choices(
            picture=picture,
            alarm=self.answer.alarm,
            events=self.events,
            calendar=self.calendar,
            now=self.answer.now,
            ends=self.answer.ends,
            reach=reach,
        )

    def weigh(self, response: Response, picture: Picture | None = None) -> Weighed:
        """Weigh a response."""
        asked = picture or self.picture
        heed(f"playing: {response.title}")
        key = (id(asked), response.releases, response.published)
        if key not in self._desks:
            self._desks[key] = desk_for(asked, response)
        return weigh(
            asked,
            response,
            self.events,
            self.calendar,
            now=self.answer.now,
            until=self.answer.until,
            weight=asked.policy.limits.exposure_weight,
            desk=self._desks[key],
        )
