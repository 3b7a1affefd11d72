"""Whether an answer stays inside the limits of the policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rotator.simulate.fleet import Fleet
from rotator.simulate.impact import BROKEN, EXPOSED, Impact
from rotator.simulate.inventory import Inventory
from rotator.simulate.totals import Total, total_of


def breaches(impact: Impact, inventory: Inventory) -> Iterator[str]:
    """Say each way in which breakage or exposure is beyond the budgets: of all, of an app, of a trust store of it.

    A number that is not known is beyond every budget. Apps and stores smaller than the noise floor do not count alone.
    """
    yield from breaches_of(impact.fleet, impact.hit(*BROKEN), impact.hit(*EXPOSED), inventory)


def breaches_of(
    fleet: Fleet, broken_on: Mapping[int, bool], exposed_on: Mapping[int, bool], inventory: Inventory
) -> Iterator[str]:
    """Say the same of some connections, each with whether it is certain."""
    limits = inventory.policy.limits
    for app, trust in _scopes(fleet, limits.noise_floor):
        own = inventory.policy.apps[app].break_budget if app is not None else None
        budget = limits.break_budget if own is None else own
        where = f" of {app}" if app else ""
        where += f" ({trust})" if trust else ""
        broken = total_of(fleet, broken_on, app, trust)
        exposed = total_of(fleet, exposed_on, app, trust)
        if beyond(broken, budget):
            yield f"broken: {_shown(broken)}{where}, the budget is {budget:.4g}"
        if beyond(exposed, limits.exposure_budget):
            yield f"exposed: {_shown(exposed)}{where}, the budget is {limits.exposure_budget:.4g}"


def _scopes(fleet: Fleet, noise_floor: float) -> Iterator[tuple[str | None, str | None]]:
    """Give what is judged on its own: everybody, each app, and each trust store of an app that has several."""
    whole = fleet.population
    sizes: dict[tuple[str, str | None], int] = {}
    stores: dict[str, set[str]] = {}
    for cohort in fleet.cohorts:
        stores.setdefault(cohort.app, set()).add(cohort.trust)
    for cohort in fleet.cohorts:
        for trust in (None, cohort.trust) if len(stores[cohort.app]) > 1 else (None,):
            key = (cohort.app, trust)
            sizes[key] = sizes.get(key, 0) + (cohort.clients.high if cohort.clients is not None else 0)
    yield None, None
    for scope, size in sizes.items():
        if whole is None or not whole.high or size / whole.high >= noise_floor:
            yield scope


def beyond(total: Total, budget: float) -> bool:
    """Say whether a total is beyond a share of all clients; an unknown one is, unless it is nobody."""
    if total.none:
        return False
    return total.share is None or total.share > budget


def _shown(total: Total) -> str:
    if total.high is None or total.share is None:
        return "some clients, nobody knows how many"
    return f"{total.high:,} clients ({total.share:.2%})"
