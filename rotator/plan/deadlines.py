"""The day by which a new chain must be served: asked for, by our own rule, or because today's chain ends."""

from __future__ import annotations

from datetime import date, timedelta

from rotator.plan.planner import Draft


def deadline_of(draft: Draft) -> tuple[date, str] | None:
    """Give the day by which the new chain must be served, and why; None where nothing presses."""
    return min([*_asked(draft), *_aged(draft), *ended(draft)], default=None)


def _asked(draft: Draft) -> list[tuple[date, str]]:
    by = draft.goal.by
    return [] if by is None else [(by, "asked for")]


def _aged(draft: Draft) -> list[tuple[date, str]]:
    """Give when our own rule on the age of keys ends what is served today."""
    most = draft.policy.limits.key_max_days
    found = []
    for key in draft.target.old if most is not None else ():
        pin = draft.picture.inventory.keys[key].pin
        chains = [c for c in draft.picture.inventory.chains.values() if c.leaf.matches(pin)]
        since = min((c.leaf.not_before for c in chains), default=None)
        if since is not None and most is not None:
            found.append((since.date() + timedelta(days=most), f"{key} is {most} days old: key_max_days"))
    return found


def ended(draft: Draft) -> list[tuple[date, str]]:
    """Give when today's chain stops being accepted by more users than the budget allows."""
    view = draft.view()
    old = view.future()
    today = old.at(view.now).broken
    for stretch in old.stretches:
        fresh = {
            index: sure
            for index, sure in stretch.broken.items()
            if index not in today and view.fleet.connections[index].host in draft.target.hosts
        }
        for app, trust in view.scopes() if fresh else ():
            total = view.total(stretch.at, fresh, app, trust)
            if not total.none and (total.share is None or total.share > view.budget(app)):
                row = next(r for r in stretch.impact.rows if r.connection.index in fresh)
                return [(stretch.at.date(), f"{row.connection.host}: {row.reason}")]
    return []
