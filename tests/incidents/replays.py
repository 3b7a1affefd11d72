"""Read what the replays of `policies/incidents/` must say, and play them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from rotator.model.findings import Finding
from rotator.model.when import start_of
from rotator.simulate.impact import Row
from rotator.simulate.question import Answer, Picture
from rotator.workflows.checking import check
from rotator.workflows.opening import open_policy
from rotator.workflows.simulating import Asked, simulate

HOME = Path(__file__).resolve().parents[2] / "policies" / "incidents"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one cohort sees on one host; `attacker` is "" where there is none."""

    who: str
    host: str
    verdict: str
    reason: str
    attacker: str = ""

    @classmethod
    def of(cls, row: Row) -> Outcome:
        """Take it from an answer."""
        return cls(
            who=row.connection.cohort.name,
            host=row.connection.host,
            verdict=str(row.verdict),
            reason=str(row.reason),
            attacker=str(row.attacker_reason or ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One instant of a replay, and every row that must come out."""

    scenario: str
    at: datetime
    rows: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident; `control` marks those in which pinning did what it is for."""

    number: int
    policy: str
    title: str
    happened: str
    rule: str
    week_before: date
    warned: tuple[str, ...]
    moments: tuple[Moment, ...]
    control: bool = False

    @property
    def file(self) -> Path:
        """Give the policy's file."""
        return HOME / f"{self.policy}.toml"

    def picture(self, today: date) -> Picture:
        """Open the policy as of a day."""
        return open_policy(str(self.file), today)

    def play(self, moment: Moment) -> Answer:
        """Play a moment as it was asked in the week before."""
        asked = Asked(scenario=moment.scenario, at=moment.at)
        return simulate(self.picture(self.week_before), asked, start_of(self.week_before))

    def findings(self) -> tuple[Finding, ...]:
        """Give what `check` said the week before."""
        return check(self.picture(self.week_before), start_of(self.week_before)).findings


@cache
def incidents() -> tuple[Incident, ...]:
    """Give every incident, in order."""
    rows = tomllib.loads((HOME / "expected.toml").read_text(encoding="utf-8"))["incident"]
    return tuple(_incident(dict(row)) for row in rows)


def _incident(row: dict[str, Any]) -> Incident:
    moments = tuple(
        Moment(scenario=m["scenario"], at=m["at"], rows=tuple(Outcome(**r) for r in m["rows"]))
        for m in row.pop("moment")
    )
    return Incident(moments=moments, **{**row, "warned": tuple(row["warned"])})
