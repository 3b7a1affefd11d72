"""Floors that arrive over a host which breaks with the rest."""

from __future__ import annotations

from collections.abc import Iterator

from rotator.checks.base import Subject, people
from rotator.model.findings import Finding, error, warning
from rotator.model.policy import Count, Floor
from rotator.model.versions import order
from rotator.simulate.cohorts import Cohort

ID = "floor-on-broken-host"


def rescue_lines(subject: Subject) -> Iterator[Finding]:
    """Floors whose host is pinned by the very clients that are to be moved: error where it refuses them already."""
    for name, app in subject.policy.apps.items():
        for index, floor in enumerate(app.floors):
            if floor.via is None:
                continue
            below = [c for c in subject.fleet.cohorts if c.app == name and order(c.version) < order(floor.version)]
            refused = _refused(subject, name, floor)
            deaf = [cohort for cohort in below if cohort in refused]
            pinned = [cohort for cohort in below if _pins(subject, cohort, floor.via)]
            path = f"apps.{name}.floors[{index}]"
            what = f"the floor {floor.version} of {floor.date} reaches clients over {floor.via}"
            if deaf:
                hint = "tell it over a host that nothing pins, and serve there what they accept"
                yield error(ID, path, f"{what}, which {people(_sum(deaf))} refuse today: it moves none of them", hint)
            elif pinned:
                said = f"which {people(_sum(pinned))} pin: what breaks them there keeps them from the floor as well"
                yield warning(ID, path, f"{what}, {said}", "tell it over a host that nothing pins")


def _refused(subject: Subject, app: str, floor: Floor) -> set[Cohort]:
    label = subject.policy.host_label(floor.via or "")
    rows = (row for row in subject.today.rows if row.connection.host == label and row.verdict.is_broken)
    return {row.connection.cohort for row in rows if row.connection.cohort.app == app}


def _pins(subject: Subject, cohort: Cohort, name: str) -> bool:
    """Say whether a release enforces pins for a name."""
    items = subject.inventory.enforced.get((cohort.app, cohort.release), ())
    entries = (entry for item in items for entry in item.config.pinned)
    return any(not entry.covers or any(own.matches(name) for own in entry.covers) for entry in entries)


def _sum(cohorts: list[Cohort]) -> Count | None:
    known = [cohort.clients for cohort in cohorts if cohort.clients is not None]
    if len(known) < len(cohorts):
        return None
    return Count(low=sum(count.low for count in known), high=sum(count.high for count in known))
