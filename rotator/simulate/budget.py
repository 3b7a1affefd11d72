"""Whether an answer stays inside the limits of the policy."""

from __future__ import annotations

from collections.abc import Iterator

from rotator.model.verdicts import Verdict
from rotator.simulate.impact import Impact
from rotator.simulate.inventory import Inventory
from rotator.simulate.totals import Total


def breaches(impact: Impact, inventory: Inventory) -> Iterator[str]:
    """Say each way in which breakage or exposure is beyond the budgets, of all clients and within each app.

    A number that is not known is beyond every budget. Apps smaller than the noise floor do not count alone.
    """
    limits = inventory.policy.limits
    whole = impact.fleet.population
    scopes: list[tuple[str | None, float]] = [(None, limits.break_budget)]
    for name, app in inventory.policy.apps.items():
        size = sum(c.clients.high for c in impact.fleet.cohorts if c.app == name and c.clients is not None)
        small = whole is not None and whole.high > 0 and size / whole.high < limits.noise_floor
        if not small:
            scopes.append((name, limits.break_budget if app.break_budget is None else app.break_budget))
    for scope, budget in scopes:
        where = f" of {scope}" if scope else ""
        broken = impact.total(Verdict.BREAKS, Verdict.LOST, app=scope)
        exposed = impact.total(Verdict.EXPOSED, Verdict.LOST, app=scope)
        if beyond(broken, budget):
            yield f"broken: {_shown(broken)}{where}, the budget is {budget:.4g}"
        if beyond(exposed, limits.exposure_budget):
            yield f"exposed: {_shown(exposed)}{where}, the budget is {limits.exposure_budget:.4g}"


def beyond(total: Total, budget: float) -> bool:
    """Say whether a total is beyond a share of all clients; an unknown one is, unless it is nobody."""
    if total.none:
        return False
    return total.share is None or total.share > budget


def _shown(total: Total) -> str:
    if total.high is None or total.share is None:
        return "some clients, nobody knows how many"
    return f"{total.high:,} clients ({total.share:.2%})"
