"""A stored plan against what was seen since: what is done, what is in its range, what may be done today."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from rotator.model.adoption import PRESETS, Curve
from rotator.model.policy import Count, Policy, Release
from rotator.model.versions import order as version_order
from rotator.model.when import DAY, start_of
from rotator.plan.chance import HIGH, LOW, Chance, curve_at
from rotator.plan.values import Plan, Step
from rotator.simulate.backtest import Snapshot
from rotator.simulate.inventory import Inventory
from rotator.simulate.populations import curve_of
from rotator.simulate.roads import ramp_of

KNOWN_TO = 0.01
"""No share of users is known better than to a percentage point, whatever the range of the curve."""
SLOW = Chance(holds=HIGH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A step that somebody, or something, saw done.

    Attributes:
        step: its number.
        at: when it was seen.
        how: `said`, `observed` on the network, or `counted`.
        share: the share of users that was seen; None where it is not about users.
        evidence: the name of a file, and `sha256` its digest; "" for none.
        by: who says so.
    """

    step: int
    at: datetime
    how: str = "said"
    share: float | None = None
    evidence: str = ""
    sha256: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A share of users: the forecast for a day with its range, and what was counted then."""

    day: date
    low: float
    forecast: float
    high: float
    counted: float

    @property
    def holds(self) -> bool:
        """Say whether what was counted lies in the range."""
        return self.low <= self.counted <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A step of the plan as it stands: `done`, `may be done`, `late`, `waits`, or `look again`."""

    step: Step
    state: str
    seen: Seen | None = None
    range: Range | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A step whose date is another one in a proposal; None where it is in one of the two only."""

    action: str
    subject: str
    title: str
    old: date | None
    new: date | None


@dataclass(frozen=True, kw_only=True)
class Status:
    """A plan against reality.

    Attributes:
        id: the plan's.
        plan: as it is stored.
        now: the instant of the session.
        lines: its steps.
        moved_inputs: what it stands on and has changed since.
        proposal: the same goal planned on today's policy; None where that was not asked for, or cannot be planned.
        moved: how it differs.
        causes: why a count leaves its range, the likeliest first.
    """

    id: str
    plan: Plan
    now: datetime
    lines: tuple[Line, ...]
    moved_inputs: tuple[str, ...] = ()
    proposal: Plan | None = None
    moved: tuple[Moved, ...] = ()
    causes: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def today(self) -> tuple[Step, ...]:
        """Give the steps that may be done today."""
        return tuple(line.step for line in self.lines if line.state in ("may be done", "late"))

    @property
    def slack(self) -> int | None:
        """Give the least days between a step that is still to do, not before today, and its latest day."""
        left = [line.step for line in self.lines if line.state != "done"]
        day = self.now.date()
        slacks = [(s.latest - max(s.planned or day, day)).days for s in left if s.latest is not None]
        return min(slacks, default=None)

    @property
    def next_look(self) -> date | None:
        """Give the next day on which something may be done."""
        day = self.now.date()
        coming = [line.step.planned for line in self.lines if line.state == "waits" and line.step.planned is not None]
        return min((planned for planned in coming if planned > day), default=None)

    @property
    def off(self) -> bool:
        """Say whether the plan is off: late, out of slack, or counted out of its range."""
        ranges = [line.range for line in self.lines if line.range is not None]
        late = any(line.state == "late" for line in self.lines)
        return late or (self.slack or 0) < 0 or not all(own.holds for own in ranges)


def status_of(
    plan: Plan,
    name: str,
    inventory: Inventory,
    now: datetime,
    *,
    said: Sequence[Seen],
    sightings: Iterable[Snapshot],
    digests: Mapping[str, str],
    fitted: Mapping[str, Curve] | None = None,
) -> Status:
    """Set a plan against what is known by now.

    Args:
        plan: as it is stored.
        name: its id.
        inventory: the policy as it is today.
        now: the instant of the session.
        said: what people said they saw.
        sightings: what hosts were seen to serve.
        digests: of what the plan stood on, as they are today.
        fitted: curves that were fitted to counts, by app.
    """
    seen = tuple(sightings)
    lines: list[Line] = []
    before = True
    for step in plan.steps:
        ranged = _range(step, inventory.policy, (fitted or {}).get(step.app))
        line = _line(step, plan, inventory, now, said, seen, before=before, counted=ranged)
        lines.append(line)
        before = before and line.state == "done"
    moved = tuple(what for what, digest in plan.digests.items() if digests.get(what, digest) != digest)
    return Status(
        id=name,
        plan=plan,
        now=now,
        lines=tuple(lines),
        moved_inputs=moved,
        causes=tuple(_causes(lines, inventory.policy)),
    )


def _line(
    step: Step,
    plan: Plan,
    inventory: Inventory,
    now: datetime,
    said: Sequence[Seen],
    sightings: Sequence[Snapshot],
    *,
    before: bool,
    counted: Range | None,
) -> Line:
    days = inventory.policy.limits.sighting_days
    own = [s for s in said if s.step == step.number]
    own += list(_noticed(step, plan, inventory, sightings))
    last = max(own, key=lambda s: s.at, default=None)
    if last is not None:
        # What serves can be changed back, so a sighting of it does not hold for good (I14).
        if step.action == "serve" and now - last.at > timedelta(days=days):
            why = f"seen {(now - last.at).days} days ago; a sighting holds {days} days (I14)"
            return Line(step=step, state="look again", seen=last, range=counted, why=why)
        return Line(step=step, state="done", seen=last, range=counted)
    day = now.date()
    if not before:
        return Line(step=step, state="waits", range=counted, why="an earlier step is not seen done (I14)")
    frozen = next((f for f in inventory.policy.freeze if f.from_ <= day <= f.to and _frozen(step) in f.what), None)
    if step.latest is not None and day > step.latest:
        return Line(step=step, state="late", range=counted, why=f"its latest day was {step.latest}")
    if step.earliest is None:
        return Line(step=step, state="waits", range=counted, why="the plan has no day for it")
    if day < step.earliest:
        return Line(step=step, state="waits", range=counted, why=f"not before {step.earliest}")
    if frozen is not None:
        return Line(step=step, state="waits", range=counted, why=f"a freeze until {frozen.to}")
    return Line(step=step, state="may be done", range=counted)


def _frozen(step: Step) -> str:
    return "serve" if step.action == "serve" else "ship"


def _noticed(step: Step, plan: Plan, inventory: Inventory, sightings: Sequence[Snapshot]) -> Iterator[Seen]:
    """Give what was seen of a step without anybody saying so: on the network, in the policy, in its counts."""
    policy = inventory.policy
    if step.action == "serve":
        for action in step.occurrences:
            yield from _served(step, action.parts[0], action.parts[1], plan, inventory, sightings)
    elif step.action in ("ship", "drop") and step.app in policy.apps:
        for release in policy.apps[step.app].releases:
            day = policy.counted(step.app) or release.released
            if step.version in (release.version, *release.also) and clients_of(release) and day is not None:
                yield Seen(step=step.number, at=start_of(day), how="counted", share=_share(step, policy))
    elif step.action == "destroy" and step.subject in policy.keys:
        key = policy.keys[step.subject]
        if key.status == "destroyed":
            yield Seen(step=step.number, at=start_of(key.since) if key.since else plan.made, how="said")


def _served(
    step: Step, host: str, what: str, plan: Plan, inventory: Inventory, sightings: Sequence[Snapshot]
) -> Iterator[Seen]:
    """Give the latest sighting of a host, where it was seen to serve what a step serves."""
    if inventory.policy.host_label(host) is None:
        return
    names = inventory.policy.host_names(inventory.policy.host_label(host) or host)
    latest = max((s for s in sightings if s.host in names), key=lambda s: s.at, default=None)
    if latest is None or latest.at < plan.made or not latest.sent:
        return
    leaf = latest.sent[0]
    chain = inventory.chains.get(what)
    key = inventory.keys.get(what)
    same_key = key is not None and leaf.matches(key.pin)
    same_leaf = chain is not None and (leaf.sha256 == chain.leaf.sha256 or leaf.spki == chain.leaf.spki)
    if same_key or same_leaf:
        yield Seen(step=step.number, at=latest.at, how="observed", evidence=latest.source)


def _share(step: Step, policy: Policy) -> float | None:
    """Give the share of an app's users on a version or a newer one, by the counts."""
    sizes = [(version_order(r.version), clients_of(r)) for r in policy.apps[step.app].releases]
    known = [(own, size) for own, size in sizes if size is not None]
    whole = sum(size for _, size in known)
    if len(known) < len(sizes) or not whole:
        return None
    return sum(size for own, size in known if own >= version_order(step.version)) / whole


def clients_of(release: Release) -> int | None:
    """Give the clients that were counted on a release, of all its trust stores; None where nobody knows."""
    clients = release.clients
    if clients is None or isinstance(clients, Count):
        return None if clients is None else clients.high
    return sum(count.high for count in clients.values())


def _range(step: Step, policy: Policy, fitted: Curve | None) -> Range | None:
    """Give the forecast of a release for the day of the newest counts, from P10 to P90, where it was out by then."""
    if step.action != "ship" or step.app not in policy.apps or step.planned is None:
        return None
    app, counted = policy.apps[step.app], policy.counted(step.app)
    # As planned: an app that names no curve moves by the one that a plan takes for it.
    curve, share = curve_of(app, fitted, PRESETS["typical"]), _share(step, policy)
    review = policy.limits.review_days if app.review_days is None else app.review_days
    if curve is None or share is None or counted is None:
        return None
    days = (start_of(counted) - start_of(step.planned)) / DAY - review
    if days <= 0:
        return None
    ramp = ramp_of(app)
    slip = 0.0 if curve.done_days is not None else SLOW.slip(review)
    low = curve_at(curve, HIGH).arrived(max(0.0, days - slip), ramp)
    high = curve_at(curve, LOW).arrived(days, ramp)
    return Range(
        day=counted,
        low=max(0.0, low - KNOWN_TO),
        forecast=curve.arrived(days, ramp),
        high=min(1.0, high + KNOWN_TO),
        counted=share,
    )


def _causes(lines: Iterable[Line], policy: Policy) -> Iterator[str]:
    """Say why counts leave their range, the likeliest first: a late release, then slower people."""
    for line in lines:
        own = line.range
        if own is None or own.holds:
            continue
        step = line.step
        release = next((r for r in policy.apps[step.app].releases if r.version == step.version), None)
        if own.counted > own.high:
            yield f"{step.app} {step.version}: people update faster than the curve says"
            continue
        if release is not None and release.released is not None and step.planned is not None:
            late = (release.released - step.planned).days
            own_review = policy.apps[step.app].review_days
            review = policy.limits.review_days if own_review is None else own_review
            if late > review + SLOW.slip(review):
                yield f"{step.app} {step.version} came out {late} days after it was to be handed in"
        elif release is None or release.released is None:
            yield f"{step.app} {step.version} has no `released` day in the policy: it may have come out late"
        yield f"{step.app} {step.version}: people update slower than the curve says, or its roll-out is on hold"


def differences(old: Plan, new: Plan) -> tuple[Moved, ...]:
    """Give the steps whose dates differ between a plan and a proposal."""

    def by_name(plan: Plan) -> dict[tuple[str, str], Step]:
        return {(step.action, step.app or step.subject): step for step in plan.steps}

    before, after = by_name(old), by_name(new)
    found = []
    for key in dict.fromkeys((*before, *after)):
        was, now = before.get(key), after.get(key)
        days = (was.planned if was else None, now.planned if now else None)
        step = now or was
        if step is not None and (days[0] != days[1] or was is None or now is None):
            found.append(Moved(action=key[0], subject=key[1], title=step.title, old=days[0], new=days[1]))
    return tuple(found)
