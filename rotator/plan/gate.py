"""The gate: every invariant is asked before and after every step; a step moved by hand is refused where unsafe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from rotator.errors import Problem, UnsafePlanError, UsageError
from rotator.model.when import plus, start_of
from rotator.plan.carrying import pinning
from rotator.plan.dating import Dated
from rotator.plan.deadlines import ended
from rotator.plan.draft import is_for, with_carriers
from rotator.plan.dropping import Drops
from rotator.plan.invariants import INVARIANTS, Finding, worse
from rotator.plan.outlook import Future, instant_of
from rotator.plan.planner import Draft
from rotator.plan.states import Days, Drop, Ending, Held, Part, Phase, Spare, State
from rotator.plan.swap import next_free, segment_name
from rotator.plan.values import Plan, Step
from rotator.simulate.inventory import Inventory
from rotator.simulate.totals import Total, total_of

OF_SPARES = ("I1", "I7", "I8")
"""Invariants on spares: what they say is a finding, since waiting makes no spare."""
HAND = ("ship", "publish", "serve", "drop", "destroy")
"""Steps that somebody can move by hand; the others follow from them."""


def checked(draft: Draft, plan: Plan, found: Dated, drops: Drops) -> Iterator[tuple[Step, Finding]]:
    """Ask every invariant around every dated step; give each step that makes one worse, with what it says.

    Nothing is asked of a plan that is NEVER, nor of a loss that somebody accepted.
    """
    if plan.never or "accept" in draft.taken or found.serve is None:
        return
    work = _States(draft, found, drops)
    work.steps = plan.steps
    for step in plan.steps:
        if step.planned is None or step.action in ("observe", "revoke"):
            continue
        before, after = work.around(step)
        with_, without = work.days(step)
        for finding in worse(before, after, without=without, with_=with_, weight=draft.policy.limits.exposure_weight):
            yield step, finding


def ends_of_pins(draft: Draft, found: Dated, drops: Drops) -> Iterator[str]:
    """I9: say which pins end before what is to take their place is carried, or after what they pin is gone."""
    if found.serve is None:
        return
    work = _States(draft, found, drops)
    for own in work.endings(found.swap.outlook.inventory):
        finding = INVARIANTS["I9"](State(today=draft.today, endings=(own,)))
        if not finding.holds:
            yield f"I9: {finding.text}"


class _States:
    """The states of one plan."""

    def __init__(self, draft: Draft, found: Dated, drops: Drops) -> None:
        self.draft, self.found, self.drops = draft, found, drops
        self.view, self.swap = found.swap.outlook, found.swap
        self.limits = draft.policy.limits
        self.steps: tuple[Step, ...] = ()
        self._dies: list[date] | None = None
        self.stolen = frozenset(name for name, key in draft.policy.keys.items() if key.status == "compromised")

    def around(self, step: Step) -> tuple[State, State]:
        """Give the states right before and right after a step."""
        assert step.planned is not None  # noqa: S101 - asked by the caller
        at = instant_of(step.planned, self.view.now)
        served = self.found.serve is not None and step.planned >= self.found.serve
        swapped = served and step.action in ("drop", "destroy")
        before = self._state(at, served=swapped, phase=Phase.OVER if swapped else Phase.NONE, dropped=())
        if step.action == "serve":
            return before, self._state(at, served=True, phase=Phase.STARTS, dropped=(), promoted=True)
        if step.action == "drop":
            return before, self._state(at, served=swapped, phase=before.phase, dropped=(step,), promoted=True)
        if step.action == "destroy":
            return before, replace(before, destroyed=frozenset({step.subject}))
        return before, self._state(at, served=swapped, phase=before.phase, dropped=())

    def days(self, step: Step) -> tuple[Days, Days]:
        """Give the user-days of the horizon with and without a step: what a swap breaks and what it ends."""
        if step.action != "serve" or step.planned is None or self.draft.incident:
            # Keeping a stolen key is refused, so there is no other answer that a swap could be dearer than (I6).
            return Days(), Days()
        at = instant_of(step.planned, self.view.now)
        return self._days(self.swap.new, at), self._days(self.swap.waiting, at)

    def _days(self, future: Future, at: datetime) -> Days:
        """Add the user-days of a future up, week by week; of users broken by us only those beyond a budget."""
        broken = exposed = 0.0
        while at < self.view.end:
            span = min(timedelta(days=7), self.view.end - at)
            stretch, old = future.at(at), self.swap.old.at(at)
            ours = self.swap.unspared({i: s for i, s in stretch.broken.items() if i not in old.broken})
            beyond = 0.0
            for app, trust in self.view.scopes():
                total = self.view.total(at, ours, app, trust)
                whole = 0.0 if not total.share or total.high is None else total.high / total.share
                beyond = max(beyond, (total.high or 0) - self.view.budget(app) * whole)
            broken += beyond * (span / timedelta(days=1))
            exposed += (self.view.total(at, stretch.exposed).high or 0) * (span / timedelta(days=1))
            at = plus(at, span)
        return Days(broken=broken, exposed=exposed)

    # --- states ------------------------------------------------------------------------------------------------

    def _state(
        self,
        at: datetime,
        *,
        served: bool,
        phase: Phase,
        dropped: tuple[Step, ...],
        promoted: bool = False,
    ) -> State:
        inventory = self.view.inventory
        if dropped:
            inventory = with_carriers(inventory, (c for c in self.drops.carriers if c.app == dropped[0].app))
        return State(
            today=at.date(),
            parts=tuple(self._parts(at, served=served)),
            phase=phase,
            promoted=promoted or served,
            incident=bool(self.draft.incident),
            stolen=self.stolen,
            endings=tuple(self.endings(inventory)),
            claimed=dict(self._claimed(at)) if served else {},
            pinsets=tuple(self._pinsets(inventory, served=served)),
            drops=tuple(self._dropped(step, at, inventory) for step in dropped),
            noise_floor=self.limits.noise_floor,
            proof_days=self.limits.proof_days,
            sighting_days=self.limits.sighting_days,
        )

    def _parts(self, at: datetime, *, served: bool) -> Iterator[Part]:
        view, swap = self.view, self.swap
        hits = swap.weigh(at.date()).hits if served else swap.meanwhile(at)
        fleet = view.once(hits)
        ours = {index: sure for fresh in hits.values() for index, sure in fresh.items()}
        new, waiting = (swap.swapped(swap.unspared(future.at(at).broken)) for future in (swap.new, swap.waiting))
        today = swap.swapped(swap.old.at(view.now).broken)
        only = {i: sure for i, sure in new.items() if i not in swap.old.at(at).broken}
        future = swap.new if served else swap.waiting
        exposed = [(max(s.at, at), s.exposed) for s in future.between(at, view.end)]
        for app, trust in view.scopes():
            keys = self.draft.target.drop
            yield Part(
                name=segment_name(app, trust),
                budget=view.budget(app),
                broken=_part(total_of(fleet, ours, app, trust)),
                accepting=_rest(view.total(at, new, app, trust)),
                both=_rest(view.total(at, {**waiting, **new}, app, trust)),
                today=_rest(view.total(view.now, today, app, trust)),
                only=dict.fromkeys(keys, _part(view.total(at, only, app, trust))),
                exposed=max((_part(view.total(t, e, app, trust)) or 0.0 for t, e in exposed), default=0.0),
            )

    def endings(self, inventory: Inventory) -> Iterator[Ending]:
        """Give the pins that end, of the newest release of each app for the hosts that change."""
        draft = self.draft
        if self._dies is None:
            self._dies = [day for day, _ in ended(draft)]
        dies = min(self._dies, default=None)
        for name in inventory.policy.apps:
            replaced = self.found.ready if self.found.ships.days.get(name) is not None else draft.today
            for item in pinning(inventory, name, draft.target.names):
                mechanism = inventory.mechanisms[item.mechanism]
                ends = [mechanism.expiry(e.expires) for e in item.config.entries if is_for(e, draft.target.names)]
                first = min((own for own in ends if own is not None), key=lambda own: own.first, default=None)
                if first is not None:
                    yield Ending(
                        name=f"{name} {item.mechanism}",
                        ends=first.first.date(),
                        opens=not first.closed,
                        replaced=replaced,
                        dies=dies,
                    )

    def _claimed(self, at: datetime) -> Iterator[tuple[str, date | None]]:
        """Give the steps that must have been seen before something is served, each with the day of its sighting."""
        for step in self.steps:
            if step.action == "observe" and step.planned is not None and step.planned <= at.date():
                yield step.title, step.planned

    def _dropped(self, step: Step, at: datetime, inventory: Inventory) -> Drop:
        wait = self.limits.deploy_days
        gone = set(step.drops) <= self.stolen
        wait += 0 if gone else self.limits.rollback_days
        serve = self.found.serve
        own = {c.version: c.at for c in (*self.found.ships.carriers, *self.drops.carriers) if c.app == step.app}
        at = max(at, own.get(step.version, at))
        everywhere = serve is not None and at >= plus(instant_of(serve, self.view.now), timedelta(days=wait))
        held = [h for h in self._pinsets(inventory, served=True) if h.name.startswith(f"{step.app} ")]
        spare = any(s.usable(at.date(), self.limits.proof_days) for h in held for s in h.spares)
        survives = serve is not None and self.swap.weigh(serve).ok
        return Drop(
            name=step.subject,
            survives=survives,
            everywhere=everywhere,
            compromised=gone,
            refilled=spare or not held or not self.refillable(),
        )

    def refillable(self) -> bool:
        """Say whether there is any key to refill with; where there is none that is said once, as a finding (I8)."""
        return any(set(step.adds) - set(self.draft.target.keys) for step in self.drops.steps)

    def _pinsets(self, inventory: Inventory, *, served: bool) -> Iterator[Held]:
        target = self.draft.target
        chains = [inventory.chains[c] for h in target.hosts for c in inventory.policy.hosts[h].serves]
        if served and target.chains:
            chains = list(target.chains)
        path = [c for chain in chains for c in chain.sent]
        signers = {c.signer for c in path if c.signer is not None}
        custody = {inventory.policy.keys[k].custody for c in chains if (k := inventory.key_of(c.leaf))} - {None}
        for name in inventory.policy.apps:
            for item in pinning(inventory, name, target.names):
                pins = {pin for entry in item.config.entries for pin in entry.pins}
                on_path = {pin for pin in pins if any(c.matches(pin) for c in path) or pin.digest in signers}
                spares = []
                relied = []
                # What the plan takes out is no backup of what comes.
                staying = {k: f for k, f in inventory.keys.items() if not (served and k in (*target.old, *target.drop))}
                for key, facts in staying.items():
                    own = inventory.policy.keys[key]
                    if facts.pin in pins and facts.pin not in on_path:
                        spares.append(
                            Spare(
                                name=key,
                                exists=own.spki is None or own.proved is not None,
                                proved=own.proved,
                                apart=None if own.custody is None else own.custody not in custody,
                                sound=own.status == "active",
                            )
                        )
                for authority, certificates in inventory.authorities.items():
                    if any(c.matches(pin) for c in certificates for pin in pins):
                        until = inventory.policy.authorities[authority].until
                        if any(c.matches(pin) for c in certificates for pin in on_path):
                            relied.append((authority, until))
                        else:
                            spares.append(Spare(name=authority, authority=True, until=until))
                mechanism = inventory.mechanisms[item.mechanism]
                yield Held(
                    name=f"{name} {item.mechanism}",
                    spares=tuple(spares),
                    single=mechanism.most_pins == 1,
                    relied=tuple(relied),
                )


def _part(total: Total) -> float | None:
    return 0.0 if total.none else total.share


def _rest(total: Total) -> float | None:
    share = _part(total)
    return None if share is None else 1.0 - share


# --- steps that are moved by hand ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What somebody moved: releases and publications by app, the swap, and steps that follow it by number."""

    apps: Mapping[str, date]
    serve: date | None
    later: Mapping[int, date]


def moved_by_hand(draft: Draft, plan: Plan) -> Moved:
    """Look the steps up that were moved by hand, and refuse those that would be unsafe.

    Args:
        draft: what was asked.
        plan: the plan without any step moved.

    Raises:
        UsageError: there is no such step, or it follows from others.
        UnsafePlanError: it would be unsafe, with numbers, the limit, the segment, and what would make it safe.
    """
    apps: dict[str, date] = {}
    serve: date | None = None
    later: dict[int, date] = {}
    by_number = {step.number: step for step in plan.steps}
    for number, day in draft.goal.moved:
        step = by_number.get(number)
        if step is None or step.action not in HAND:
            what = "there is no such step" if step is None else f"it follows from the others: {step.title}"
            numbers = ", ".join(str(s.number) for s in plan.steps if s.action in HAND)
            raise UsageError(Problem(f"step {number} cannot be moved: {what}", expected=f"a step of {numbers}"))
        if day < draft.today:
            raise UsageError(Problem(f"step {number} cannot be moved into the past", value=str(day)))
        busy = draft.frozen("serve" if step.action == "serve" else "ship")
        if step.action != "destroy" and next_free(day, busy) != day:
            raise _refused(step, day, "a freeze", f"free from {next_free(day, busy)} on")
        if step.action in ("ship", "publish") or (step.action == "drop" and set(draft.target.keys) & set(step.adds)):
            # A release that brings the new pins as it drops the old ones is dated with those that only bring them.
            apps[step.app] = day
        elif step.action == "serve":
            if serve not in (None, day):
                raise UsageError(Problem("all hosts of a plan are swapped on one day", value=f"{serve} and {day}"))
            serve = day
        else:
            later[number] = day
            if step.earliest is None or day < step.earliest:
                safe = f"from {step.earliest} on" if step.earliest else "take a way out first: see the exits"
                raise _refused(step, day, f"{step.binding.invariant} of {step.binding.segment}", safe)
    return Moved(apps=apps, serve=serve, later=later)


def check_served(draft: Draft, found: Dated, day: date) -> None:
    """Refuse a day for the swap that breaks more than the budgets allow, or that leaves no days of safety.

    Raises:
        UnsafePlanError: likewise.
    """
    if day > draft.end:
        late = f"beyond {draft.end}, the last day that is looked at (horizon_days)"
        raise UnsafePlanError(
            f"refused: serving on {day}: {late}\n  hint: look further ahead, or choose a day before it"
        )
    if "accept" in draft.taken or (found.earliest is not None and day >= found.earliest):
        weighed = found.swap.weigh(day)
        if weighed.ok:
            return
    weighed = found.swap.weigh(day)
    shown = "an unknown number" if weighed.broken.high is None else f"{weighed.broken.high:,}"
    part = "" if weighed.broken.share is None else f" ({weighed.broken.share:.2%})"
    what = f"{shown} of {weighed.segment}{part} would be broken, {weighed.budget:.2%} may be ({weighed.invariant})"
    if weighed.ok:
        what = f"it leaves less than {draft.policy.limits.safety_days:g} days of safety (I3)"
    safe = "no day is safe: take a way out" if found.earliest is None else f"safe from {found.earliest} on"
    if found.earliest is not None and day >= found.earliest:
        safe = f"safe again from {found.swap.first(day, draft.end) or 'no day'} on"
    raise UnsafePlanError(f"refused: serving on {day}: {what}\n  hint: {safe}")


def _refused(step: Step, day: date, why: str, safe: str) -> UnsafePlanError:
    return UnsafePlanError(f"refused: step {step.number}, {step.title}, on {day}: {why}\n  hint: {safe}")


def with_moved(steps: tuple[Step, ...], later: Mapping[int, date]) -> tuple[Step, ...]:
    """Give the steps with those on their day that were moved later."""

    def moved(step: Step) -> Step:
        day = later.get(step.number)
        if day is None:
            return step
        return replace(step, planned=day, occurrences=tuple(replace(o, at=start_of(day)) for o in step.occurrences))

    return tuple(moved(step) for step in steps)
