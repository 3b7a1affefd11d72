"""Findings: bad news about sound input, each with a stable id, a severity, a subject, a message and a hint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Severity(StrEnum):
    """How bad the news is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """Give 0 for the worst."""
        return ("error", "warning", "info").index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One piece of bad news.

    Attributes:
        id: stable, kebab-case; every id has its page in `docs/findings.md`.
        subject: what it is about, as a path into the policy or a file.
        message: the fact, with its numbers.
        hint: what to do; "" when there is nothing to do.
        due: the day by which it bites, if any.
        source: the vendor page, specification or client source of the rule; "" when it is arithmetic.
    """

    id: str
    severity: Severity
    subject: str
    message: str
    hint: str = ""
    due: date | None = None
    source: str = ""

    def to_json(self) -> dict[str, str | None]:
        """Give the finding as plain JSON values."""
        return {
            "id": self.id,
            "severity": str(self.severity),
            "subject": self.subject,
            "message": self.message,
            "hint": self.hint,
            "due": None if self.due is None else self.due.isoformat(),
            "source": self.source,
        }


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort by severity, then date, then id and subject; drop exact repeats."""
    return tuple(
        sorted(
            dict.fromkeys(findings),
            key=lambda f: (f.severity.rank, f.due or date.max, f.id, f.subject, f.message),
        )
    )


def info(finding_id: str, subject: str, message: str, hint: str = "", source: str = "") -> Finding:
    """Make a finding that is good to know."""
    return Finding(id=finding_id, severity=Severity.INFO, subject=subject, message=message, hint=hint, source=source)


def warning(finding_id: str, subject: str, message: str, hint: str = "", source: str = "") -> Finding:
    """Make a finding that fails `check`."""
    return Finding(id=finding_id, severity=Severity.WARNING, subject=subject, message=message, hint=hint, source=source)


def error(finding_id: str, subject: str, message: str, hint: str = "", source: str = "") -> Finding:
    """Make a finding that breaks or exposes users, or will."""
    return Finding(id=finding_id, severity=Severity.ERROR, subject=subject, message=message, hint=hint, source=source)
