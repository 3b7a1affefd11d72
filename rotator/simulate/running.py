"""Which systems the clients of a cohort have, and which releases run on them."""

from __future__ import annotations

from rotator.model.policy import App, Policy, Release
from rotator.model.systems import System, parse_system
from rotator.model.versions import order as version_order
from rotator.simulate.cohorts import Cohort
from rotator.simulate.matching import platform_of


def systems_of(policy: Policy, app: App, cohort: Cohort) -> list[System]:
    """Give the systems that the clients of a cohort may have: those of its trust store that can run its release."""
    platform = platform_of(app) or "android"
    trust = policy.trust.get(cohort.trust)
    found = [parse_system(text, platform) for text in (trust.os if trust is not None else ())]
    least = _needs(app, app.releases[cohort.release] if 0 <= cohort.release < len(app.releases) else None)
    return [system for system in found if system is not None and (least is None or not system.older(least))]


def can_run(policy: Policy, app: App, cohort: Cohort, release: Release) -> bool:
    """Say whether everybody in a cohort can run a release; where its store has older and newer systems, some cannot."""
    need = _needs(app, release)
    return need is None or not any(system.older(need) for system in systems_of(policy, app, cohort))


def _needs(app: App, release: Release | None) -> System | None:
    """Give the oldest system a release runs on; one that says nothing needs no less than those before it."""
    platform = platform_of(app) or "android"
    own = parse_system((release.min_os if release is not None else None) or app.min_os or "", platform)
    if own is not None or release is None:
        return own
    place = version_order(release.version)
    before = (parse_system(r.min_os or "", platform) for r in app.releases if version_order(r.version) < place)
    return max((system for system in before if system is not None and system.platform == platform), default=None)
