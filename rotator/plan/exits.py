"""The ways out of NEVER, each with its price, and those that go together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from rotator.plan.dating import Dated, dated
from rotator.plan.draft import CUTOVER
from rotator.plan.outlook import instant_of
from rotator.plan.planner import Draft
from rotator.plan.swap import NOBODY
from rotator.plan.target import CHAIN, other_chains, target_of
from rotator.plan.values import Exit
from rotator.simulate.totals import Total

FURTHEST_DAYS = 3 * 365
"""How far ahead pins are waited for that expire open."""


def exits_of(draft: Draft, found: Dated, apps: Sequence[str]) -> Iterator[Exit]:
    """Give the ways out, safe ones first, then by how many users are left.

    Args:
        draft: the plan in the making.
        found: its dates.
        apps: those that need a release.
    """
    every = [*_by_floor(draft, found), *_by_bridge(draft, apps), *_by_waiting(draft, found)]
    every += [*_by_chain(draft, found), *_by_old_host(draft, found), _by_authority(found), _by_loss(draft, found)]
    every += [*_by_cutover(draft, found, apps), *_by_counts(found)]
    if {"floor", "bridge"} <= {e.id for e in every}:
        every += _by_both(draft, apps)
    every = [e for e in every if e.done is not None or e.id not in _MOVING or _fewer(e.left, found.weighed.whole)]
    yield from sorted(every, key=lambda e: (not e.safe, e.left.high is None, e.left.high or 0, e.id))


_MOVING = ("floor", "bridge", "bridge+floor")
"""Ways out that bring other releases to people; those who refuse for another reason refuse all the same."""


def _fewer(one: Total, other: Total) -> bool:
    return one.high is None or other.high is None or one.high < other.high


def in_the_way(found: Dated) -> list[str]:
    """Give the apps whose users are broken at best."""
    hits = {index for fresh in found.weighed.hits.values() for index in fresh}
    fleet = found.swap.outlook.fleet
    return list(dict.fromkeys(fleet.connections[index].cohort.app for index in sorted(hits)))


def _exit(ident: str, title: str, price: str, found: Dated) -> Exit:
    done = found.serve
    return Exit(id=ident, title=title, left=found.weighed.whole, done=done, price=price, safe=done is not None)


def _by_floor(draft: Draft, found: Dated) -> Iterator[Exit]:
    apps = [name for name in in_the_way(found) if moves(draft, name)]
    if not apps:
        return
    floors = draft.floors(found.ships, apps)
    then = dated(draft, found.ships, floors)
    people = _below(found, apps)
    where = ", ".join(f"{f.app} {f.version}" for f in floors)
    reach = floors[0].reach
    yield _exit(
        "floor",
        f"raise the floor: {where}",
        f"{people:,} people are made to update; that {reach:.0%} of them do is assumed",
        then,
    )


def moves(draft: Draft, name: str) -> bool:
    """Say whether a floor can move the clients of an app; those that we deploy ourselves need none."""
    return bool(draft.policy.apps[name].releases) and draft.expected(name).done_days is None


def _below(found: Dated, apps: Sequence[str]) -> int:
    hits = {index for fresh in found.weighed.hits.values() for index in fresh}
    view = found.swap.outlook
    cohorts = {view.fleet.connections[i].cohort for i in hits if view.fleet.connections[i].cohort.app in apps}
    sizes = view.people.sizes(view.people.settled(instant_of(found.best, view.now)))
    counts = [sizes[cohort] for cohort in cohorts]
    return sum(count.high for count in counts if count is not None)


def _bridging(draft: Draft, apps: Sequence[str]) -> Draft:
    names = {f"bridge:{name}" for name in apps}
    return replace(draft, taken=draft.taken | names, _views={}, _judged={})


def _by_bridge(draft: Draft, apps: Sequence[str]) -> Iterator[Exit]:
    stuck = [name for name in draft.policy.apps if draft.stuck(name)]
    if not stuck or {"bridge"} & draft.taken:
        return
    bridged = _bridging(draft, stuck)
    ships = bridged.ships(list(dict.fromkeys([*apps, *stuck])))
    then = dated(bridged, ships)
    yield _exit(
        "bridge",
        f"ship a release that old systems run too: {', '.join(stuck)}",
        "a build for systems that the newest release has left behind",
        then,
    )


def _by_both(draft: Draft, apps: Sequence[str]) -> Iterator[Exit]:
    stuck = [name for name in draft.policy.apps if draft.stuck(name)]
    bridged = _bridging(draft, stuck)
    ships = bridged.ships(list(dict.fromkeys([*apps, *stuck])))
    plain = dated(bridged, ships)
    blocked = [name for name in in_the_way(plain) if moves(draft, name)]
    floors = bridged.floors(ships, blocked)
    if floors:
        then = dated(bridged, ships, floors)
        yield _exit("bridge+floor", "both: the release for old systems, then the floor on it", "as both together", then)


def _by_chain(draft: Draft, found: Dated) -> Iterator[Exit]:
    """Serve the same key with a chain of another CA, where the policy has one that fewer users refuse."""
    if not draft.goal.to or draft.goal.also or any(way.startswith(CHAIN) for way in draft.taken):
        return
    inventory = draft.picture.inventory
    for name in other_chains(inventory, draft.target):
        goal = replace(draft.goal, take=(*draft.goal.take, CHAIN + name))
        target = target_of(inventory, goal, draft.now)
        other = replace(
            draft, goal=goal, target=target, taken=draft.taken | {CHAIN + name}, _views={}, _judged={}, _unable={}
        )
        then = dated(other, other.ships(other.lacking()))
        if then.serve is None and (then.weighed.whole.high or 0) >= (found.weighed.whole.high or 0):
            continue
        sent = inventory.chains[name].sent
        issuer = inventory.name_of(sent[1]) if len(sent) > 1 else sent[0].issuer
        yield _exit(
            CHAIN + name,
            f"serve {draft.goal.to} with {name}, which {issuer} issues",
            "the key changes now, the CA another time",
            then,
        )


def _by_waiting(draft: Draft, found: Dated) -> Iterator[Exit]:
    """Wait until pins end, for clients that go on without."""
    longer = replace(draft, horizon=FURTHEST_DAYS, goal=replace(draft.goal, by=None), _views={}, _judged={})
    then = dated(longer, longer.ships(tuple(found.ships.days)), found.floors)
    if then.serve is None:
        return
    yield Exit(
        id="wait",
        title=f"wait until {then.serve}",
        left=NOBODY if then.weighed.whole.none else then.weighed.whole,
        done=then.serve,
        price=f"{(then.serve - draft.today).days} days more on the old chain; pins that end protect nobody",
        safe=draft.goal.by is None or then.serve <= draft.goal.by,
    )


def _by_old_host(draft: Draft, found: Dated) -> Iterator[Exit]:
    """Keep a host on the old key for those who stay behind."""
    if not draft.target.old or any(draft.policy.keys[k].status != "active" for k in draft.target.old):
        return
    hosts = ", ".join(draft.target.hosts)
    ready = found.best
    yield Exit(
        id="legacy-host",
        title=f"a new name for new releases; {hosts} stays on {', '.join(draft.target.old)} for old ones",
        left=NOBODY,
        done=ready,
        price=f"{', '.join(draft.target.old)} is kept and served until they are gone; a second host is run",
        safe=True,
    )


def _by_cutover(draft: Draft, found: Dated, apps: Sequence[str]) -> Iterator[Exit]:
    """Change clients and servers at once, where the clients hold one value."""
    single = [name for name in apps if any(why.startswith(CUTOVER) for why in draft.unable(name))]
    if single:
        yield Exit(
            id="cutover",
            title=f"change {', '.join(single)} and the servers in the same hour",
            left=found.weighed.whole,
            done=found.best,
            price="who has not changed by then is cut off until it has; who changed before, too",
            safe=False,
        )


def _by_counts(found: Dated) -> Iterator[Exit]:
    """Bring the numbers that are missing."""
    if found.weighed.whole.high is None:
        yield Exit(
            id="counts",
            title="bring the counts that are missing (rotator fleet)",
            left=found.weighed.whole,
            done=None,
            price="an export from the store, or clients by hand",
            safe=False,
        )


def _by_authority(found: Dated) -> Exit:
    return Exit(
        id="ca-pin",
        title="pin the CA as well in the next release",
        left=found.weighed.whole,
        done=None,
        price="helps the next rotation, not those who stay behind now; whoever the CA certifies is accepted",
        safe=False,
    )


def _by_loss(draft: Draft, found: Dated) -> Exit:
    total: Total = found.weighed.whole
    day = min(found.best + timedelta(days=0), draft.end)
    shown = "an unknown number of" if total.high is None else f"{total.high:,}"
    return Exit(
        id="accept",
        title=f"accept that {shown} users are cut off on {day}",
        left=total,
        done=day,
        price="needs a written reason, which the report keeps",
        safe=False,
    )
