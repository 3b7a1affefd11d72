"""Clients that no update reaches."""

from __future__ import annotations

from collections.abc import Iterator

from rotator.checks.base import Subject, people
from rotator.model.findings import Finding, info
from rotator.model.policy import Count
from rotator.simulate.matching import newest_need, platform_of
from rotator.simulate.running import systems_of


def stuck_clients(subject: Subject) -> Iterator[Finding]:
    """Clients whose system is too old for the newest release, where trust stores name systems.

    A store that holds older and newer systems gives a range from none to all of its clients.
    """
    for name, app in subject.policy.apps.items():
        need = newest_need(app, platform_of(app) or "android")
        if need is None:
            continue
        version, needed = need
        low = high = 0
        for cohort in subject.fleet.cohorts:
            if cohort.app != name or cohort.clients is None:
                continue
            older = [system.older(needed) for system in systems_of(subject.policy, app, cohort)]
            high += cohort.clients.high if any(older) else 0
            low += cohort.clients.low if older and all(older) else 0
        if high:
            yield info(
                "stuck-clients",
                f"apps.{name}",
                f"{people(Count(low=low, high=high))} have a system that is too old for {version}, "
                f"which needs {needed.text}: no update reaches them",
                "ship to them from a release that they can run, or keep their pins served until they are gone",
            )
