"""Which systems the clients of a cohort have, and which releases run on them."""

from __future__ import annotations

from rotator.model.policy import App, Policy, Release
from rotator.model.systems import System, parse_system
from rotator.model.versions import order as version_order
from rotator.simulate.cohorts import Cohort
from rotator.simulate.matching import platform_of


class Running:
    """What the releases of one app need, and who has it; each asked once."""

    def __init__(self, policy: Policy, app: App) -> None:
        """Work out the oldest system of every release: one that says nothing needs no less than those before it."""
        self.policy = policy
        self.platform = platform_of(app) or "android"
        every = parse_system(app.min_os or "", self.platform)
        self.needs: list[System | None] = [every] * len(app.releases)
        least: System | None = None
        for index in sorted(range(len(app.releases)), key=lambda i: version_order(app.releases[i].version)):
            own = parse_system(app.releases[index].min_os or "", self.platform)
            self.needs[index] = own or every or least
            if own is not None and own.platform == self.platform:
                least = own if least is None else max(least, own)
        self._every = every
        self._systems: dict[tuple[str, System | None], tuple[System, ...]] = {}

    def systems(self, trust: str, release: int) -> tuple[System, ...]:
        """Give the systems that clients of a trust store may have who run a release, -1 for none that is known."""
        least = self.needs[release] if 0 <= release < len(self.needs) else self._every
        if (trust, least) not in self._systems:
            store = self.policy.trust.get(trust)
            found = (parse_system(text, self.platform) for text in (store.os if store is not None else ()))
            self._systems[trust, least] = tuple(
                system for system in found if system is not None and (least is None or not system.older(least))
            )
        return self._systems[trust, least]

    def runs(self, systems: tuple[System, ...], release: int) -> bool:
        """Say whether a release runs on every one of some systems."""
        need = self.needs[release]
        return need is None or not any(system.older(need) for system in systems)


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
