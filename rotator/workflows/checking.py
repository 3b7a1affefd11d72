"""Is the policy sound? Findings and calendar, as `check` and the screens show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from rotator.checks import registry
from rotator.checks.base import Subject
from rotator.files.store import current
from rotator.model.findings import Finding
from rotator.simulate.question import Answer, Picture, Question, ask
from rotator.workflows.naming import named_by
from rotator.workflows.simulating import calendar


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarItem:
    """One date to know."""

    day: date
    what: str
    subject: str

    def to_json(self) -> dict[str, str]:
        """Give it as plain JSON values."""
        return {"date": self.day.isoformat(), "what": self.what, "subject": self.subject}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a check found, and the answer for a day on which nothing happens."""

    findings: tuple[Finding, ...]
    calendar: tuple[CalendarItem, ...]
    baseline: Answer


def check(picture: Picture, now: datetime, names: Sequence[str] = ()) -> Checked:
    """Check a policy at an instant, with names of keys from files.

    Raises:
        InputError: a file cannot be read, or names no key.
    """
    baseline = ask(picture, Question(occurrences=(), at=now), calendar(picture.policy))
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
    )
    items = sorted(_dates(subject), key=lambda item: (item.day, item.what))
    return Checked(findings=registry.run(subject), calendar=tuple(items), baseline=baseline)


def _read(file: str) -> bytes | None:
    from pathlib import Path

    return current(Path(file))


def _dates(subject: Subject) -> Iterator[CalendarItem]:
    """Give the dates ahead within the horizon: ends of pins and certificates, and what the policy says."""
    today, last = subject.now.date(), subject.day(subject.policy.limits.horizon_days)
    found: dict[tuple[date, str], CalendarItem] = {}

    def note(day: date, what: str, about: str) -> None:
        if today <= day <= last:
            found.setdefault((day, what), CalendarItem(day=day, what=what, subject=about))

    ends: dict[date, list[str]] = {}
    for _, label, enforced, _ in subject.releases():
        for item in enforced:
            for entry in item.config.entries:
                expiry = subject.inventory.mechanisms[item.mechanism].expiry(entry.expires) if entry.lists else None
                if expiry is not None and label not in ends.setdefault(expiry.first.date(), []):
                    ends[expiry.first.date()].append(label)
    for day, labels in ends.items():
        some = ", ".join(labels[:3]) + (f" and {len(labels) - 3} more" if len(labels) > 3 else "")
        note(day, f"pins of {some} end", "pinsets")
    for host, leaf in subject.served():
        note(leaf.not_after.date(), f"certificate of {host} ends", f"hosts.{host}")
    for name, authority in subject.policy.authorities.items():
        own = subject.inventory.authorities.get(name, ())
        if authority.until:
            note(authority.until, f"authority {name} ends", f"authorities.{name}")
        for certificate in own:
            note(certificate.not_after.date(), f"certificate of authority {name} ends", f"authorities.{name}")
    for index, row in enumerate(subject.policy.calendar):
        day = row.date.date() if isinstance(row.date, datetime) else row.date
        note(
            day,
            (row.event or row.action or "") + (f" ({row.note})" if row.note else ""),
            f"calendar[{index}]",
        )
    for freeze in subject.policy.freeze:
        note(freeze.from_, f"freeze begins ({', '.join(freeze.what)})", "freeze")
        note(freeze.to, "freeze ends", "freeze")
    yield from found.values()
