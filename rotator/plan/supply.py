"""What a rotation needs besides dates: a usable key, a spare for the next time, and a pace that pins can follow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rotator.plan.dating import Dated
from rotator.plan.planner import Draft
from rotator.plan.target import Exchange, served_now
from rotator.plan.timing import cadence, keys_ahead
from rotator.plan.values import Pace
from rotator.simulate.roads import ramp_of


def refills_of(draft: Draft) -> tuple[str, ...]:
    """Give a key of ours for each exchange that could be the next spare there; "" for none. Each is taken once.

    It is active, not served today, and not what is served in the end.
    """
    found: list[str] = []
    for exchange in draft.target.exchanges:
        found.append(_refill(draft, exchange, found))
    return tuple(found)


def _refill(draft: Draft, exchange: Exchange, given: Sequence[str]) -> str:
    policy = draft.policy
    served = {key for host in policy.hosts for key in served_now(draft.picture.inventory, host)}
    taken = {*(key for own in draft.target.exchanges for key in own.own), *served, *given}
    free = [name for name, key in policy.keys.items() if key.status == "active" and name not in taken]
    pinned = {name for pinset in policy.pinsets.values() for name in pinset.keys}
    # The spare of other pinsets is no spare here: one theft, or one rotation over there, would take it.
    sets = policy.pinsets.values()
    others = {name for pinset in sets if not exchange.own & set(pinset.keys) for name in pinset.keys}
    free = [name for name in free if name not in others]
    return next((name for name in free if name not in pinned), next(iter(free), ""))


def missing(draft: Draft, refills: Sequence[str]) -> Iterator[str]:
    """Say what a good rotation lacks."""
    policy, target = draft.policy, draft.target
    for name in target.keys:
        key = policy.keys[name]
        if key.spki is not None and key.proved is None:
            yield f"I7: nothing shows that {name} exists: only its digest is known"
        elif key.proved is None and key.certificate is None and key.csr is None:
            yield f"I7: possession of {name} was never proved on a recorded day"
    bare = [own.key for own, spare in zip(target.exchanges, refills, strict=True) if own.key and not spare]
    if bare:
        many = f" for {', '.join(bare)}" if len(target.exchanges) > 1 else ""
        ship = f"to ship with the release that drops the old pin{many}"
        yield f"I8: no fresh backup is there {ship}: make a key, and add it"
    if target.keys and not target.drop:
        yield "the old key is still pinned at the end: --from KEY plans to drop it"
    for name in draft.policy.apps:
        if draft.policy.apps[name].adoption is None and draft.policy.apps[name].releases:
            yield f"how fast {name} updates is assumed: adoption in apps.{name}"


def pace_of(draft: Draft, found: Dated) -> Pace | None:
    """Say how often keys can change, where pins have to reach people first; None where no release carries any."""
    if not found.ships.carriers:
        return None
    limits = draft.policy.limits
    waits: list[float] = []
    never = False
    for carrier in found.ships.first():
        app = draft.policy.apps[carrier.app]
        own = limits.break_budget if app.break_budget is None else app.break_budget
        days = draft.curves[carrier.app].days_until(1 - own, ramp_of(app))
        never = never or days is None
        waits.append(draft.review(carrier.app) + draft.slip(carrier.app) + (days or 0.0))
    longest = None if never else max(waits) + limits.safety_days
    ahead = []
    for host in draft.target.hosts:
        renewed = draft.policy.hosts[host]
        if renewed.renew_key == "new" and renewed.renew_days:
            keys = None if longest is None else keys_ahead(longest, renewed.renew_days)
            ahead.append((host, renewed.renew_days, keys))
    least = None if longest is None else cadence(longest, 1, limits.deploy_days, limits.rollback_days)
    return Pace(longest=longest, least=least, ahead=tuple(ahead))


def cadence_of(pace: Pace | None) -> Iterator[str]:
    """Say the pace in sentences."""
    if pace is None:
        return
    if pace.longest is None or pace.least is None:
        yield "a new pin never reaches 1 - budget by waiting: a key that changes at every renewal cannot be pinned"
        return
    longest, least = f"{pace.longest:.0f}", f"{pace.least:.0f}"
    yield f"a new pin takes {longest} days to be carried: change a served key at most every {least} days"
    for host, days, keys in pace.ahead:
        yield f"{host} changes its key every {days} days: {keys} keys must be shipped ahead"
