"""Is the policy sound? Findings and calendar, as `check` and the screens show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from rotator.checks import facts, registry
from rotator.checks.base import Subject
from rotator.files.facts import known_facts
from rotator.files.sightings import history_of
from rotator.files.store import current
from rotator.model.calendar import Certainty
from rotator.model.findings import Finding
from rotator.simulate.question import LARGE, Answer, Desk, Picture, Question, ask
from rotator.workflows.naming import named_by
from rotator.workflows.simulating import calendar


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarItem:
    """One date to know.

    Attributes:
        day: when.
        what: what happens.
        subject: what in the policy it is about.
        fact: the id of the fact of the world it follows from; "" for the policy's own dates.
        source: where that was read.
        certainty: how sure the date is.
    """

    day: date
    what: str
    subject: str
    fact: str = ""
    source: str = ""
    certainty: Certainty = Certainty.STATED

    @property
    def text(self) -> str:
        """Say what happens, and whether the date is less than stated."""
        return self.what if self.certainty is Certainty.STATED else f"{self.what} ({self.certainty})"

    def to_json(self) -> dict[str, str]:
        """Give it as plain JSON values."""
        return {
            "date": self.day.isoformat(),
            "what": self.what,
            "subject": self.subject,
            "fact": self.fact,
            "source": self.source,
            "certainty": str(self.certainty),
        }


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a check found, and the answer for a day on which nothing happens.

    Attributes:
        desk: where that was worked out: more can be asked there of the same policy.
    """

    findings: tuple[Finding, ...]
    calendar: tuple[CalendarItem, ...]
    baseline: Answer
    desk: Desk

    @property
    def large_desk(self) -> Desk | None:
        """Give the desk where it works by the engine, for which a large fleet need not be put together once more."""
        return self.desk if len(self.baseline.fleet.connections) >= LARGE else None


def check(picture: Picture, now: datetime, names: Sequence[str] = (), record_of: str = "") -> Checked:
    """Check a policy at an instant.

    Args:
        picture: the policy.
        now: the instant.
        names: files that name keys.
        record_of: the policy file beside which sightings are kept; its own where it is "".

    Raises:
        InputError: a file cannot be read, or names no key; the record of sightings is broken.
    """
    seen = history_of(record_of or picture.policy.file, tuple(picture.material.certificates))
    desk = Desk(picture, large=LARGE)
    baseline = ask(picture, Question(occurrences=(), at=now), calendar(picture.policy), desk=desk)
    shipped = {
        file: data
        for export in picture.policy.exports
        for file in export.files.values()
        if (data := _read(file)) is not None
    }
    subject = Subject(
        inventory=baseline.inventory,
        fleet=baseline.fleet,
        now=now,
        today=baseline.impact,
        shipped=shipped,
        named=named_by(names),
        facts=tuple(fact for fact in known_facts() if fact.known_on(now.date())),
        history=picture.history,
        moving=baseline.people.moving,
        fleet_at=baseline.people.fleet_at,
        record=tuple(one for one in seen if one.at <= now),
    )
    return Checked(findings=registry.run(subject), calendar=_dates(subject), baseline=baseline, desk=desk)


def _read(file: str) -> bytes | None:
    from pathlib import Path

    return current(Path(file))


def _dates(subject: Subject) -> tuple[CalendarItem, ...]:
    """Give the dates ahead within the horizon, each once, soonest first."""
    today, last = subject.now.date(), subject.day(subject.policy.limits.horizon_days)
    found: dict[tuple[date, str], CalendarItem] = {}
    for item in (*_ends(subject), *_planned(subject), *_of_the_world(subject)):
        if today <= item.day <= last:
            found.setdefault((item.day, item.what), item)
    return tuple(sorted(found.values(), key=lambda item: (item.day, item.what)))


def _ends(subject: Subject) -> Iterator[CalendarItem]:
    """Give the ends of pins and certificates."""
    ends: dict[date, list[str]] = {}
    for _, label, enforced, _ in subject.releases():
        for item in enforced:
            for entry in item.config.entries:
                expiry = subject.inventory.mechanisms[item.mechanism].expiry(entry.expires) if entry.lists else None
                if expiry is not None and label not in ends.setdefault(expiry.first.date(), []):
                    ends[expiry.first.date()].append(label)
    for day, labels in ends.items():
        some = ", ".join(labels[:3]) + (f" and {len(labels) - 3} more" if len(labels) > 3 else "")
        yield CalendarItem(day=day, what=f"pins of {some} end", subject="pinsets")
    for host, leaf in subject.served():
        yield CalendarItem(day=leaf.not_after.date(), what=f"certificate of {host} ends", subject=f"hosts.{host}")
    for name, authority in subject.policy.authorities.items():
        about = f"authorities.{name}"
        if authority.until:
            yield CalendarItem(day=authority.until, what=f"authority {name} ends", subject=about)
        for certificate in subject.inventory.authorities.get(name, ()):
            day = certificate.not_after.date()
            yield CalendarItem(day=day, what=f"certificate of authority {name} ends", subject=about)


def _planned(subject: Subject) -> Iterator[CalendarItem]:
    """Give what the policy says will happen."""
    for index, row in enumerate(subject.policy.calendar):
        day = row.date.date() if isinstance(row.date, datetime) else row.date
        what = (row.event or row.action or "") + (f" ({row.note})" if row.note else "")
        yield CalendarItem(day=day, what=what, subject=f"calendar[{index}]")
    for freeze in subject.policy.freeze:
        yield CalendarItem(day=freeze.from_, what=f"freeze begins ({', '.join(freeze.what)})", subject="freeze")
        yield CalendarItem(day=freeze.to, what="freeze ends", subject="freeze")


def _of_the_world(subject: Subject) -> Iterator[CalendarItem]:
    """Give the facts of the world that touch the policy."""
    for item in facts.dated(subject):
        yield CalendarItem(
            day=item.day,
            what=item.what,
            subject=item.subject,
            fact=item.fact.id,
            source=item.fact.source,
            certainty=item.certainty,
        )
