"""The steps of a plan in order: what each waits for, how late it may be, how it is undone, what proves it done."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from rotator.mechanisms.base import Channel
from rotator.plan.dating import Dated, dated
from rotator.plan.deadlines import deadline_of
from rotator.plan.draft import Carrier
from rotator.plan.dropping import Drops, drops_of, together_of
from rotator.plan.exits import in_the_way, moves
from rotator.plan.gate import Moved
from rotator.plan.outlook import instant_of
from rotator.plan.planner import Draft
from rotator.plan.ships import Ships
from rotator.plan.supply import refills_of
from rotator.plan.swap import next_free
from rotator.plan.telling import formula, standing
from rotator.plan.values import Binding, Blocked, Step
from rotator.simulate.grammar import Occurrence
from rotator.simulate.populations import FloorAt


@dataclass(kw_only=True)
class _Numbers:
    """Counts steps."""

    last: int = 0

    def next(self) -> int:
        self.last += 1
        return self.last


_WAYS = {
    Channel.LIVE: "publish the pins of",
    Channel.HEADER: "send the header for",
    Channel.DNS: "publish the records for",
}
_PROOFS = {
    Channel.LIVE: "a fetch of the published pins",
    Channel.HEADER: "the header of every place that serves (rotator observe)",
    Channel.DNS: "an answer of every name server of the zone",
}


class Work:
    """One plan in the making."""

    def __init__(self, draft: Draft, apps: Sequence[str] | None = None) -> None:
        self.draft = draft
        self.apps = list(apps) if apps is not None else [*dict.fromkeys([*draft.lacking(), *draft.bridged()])]
        self.refills = refills_of(draft)
        self._deadline: tuple[date, str] | None = None
        self._asked = False
        self._drops: Drops | None = None

    def drops(self, found: Dated) -> Drops:
        """Give what ends the rotation."""
        if self._drops is None:
            self._drops = drops_of(self.draft, found, self.refills)
        return self._drops

    def troubles(self, found: Dated) -> Iterator[str]:
        """Say what stands against the plan, or is left open by it."""
        draft = self.draft
        for name in self.apps:
            yield from (f"{name}: {why}" for why in self.draft.unable(name))
        if found.weighed.whole.share is None and not found.weighed.whole.none:
            unknown = [
                name
                for name in dict.fromkeys(c.app for c in found.swap.outlook.fleet.cohorts if c.clients is None)
                if name in self.draft.policy.apps
            ]
            who = f" of {', '.join(unknown)}" if unknown else ""
            yield f"unknown: cannot say safe: how many clients{who} there are is not known"
        deadline = self.deadline(found)
        if deadline is not None and found.serve is not None:
            late = (found.serve - (self._last_serve(found) or found.serve)).days
            if late > 0:
                yield (
                    f"late: served on {found.serve}, {late} days after the last day that leaves time to deploy "
                    f"by {deadline[0]} ({deadline[1]})"
                )
        if draft.incident and found.earliest is not None and found.serve is not None:
            free = next_free(found.earliest, draft.frozen("serve"))
            if free != found.earliest:
                yield (
                    f"freeze: {', '.join(draft.incident)} is served on until {free}, as nothing may be served before; "
                    "without this freeze in the policy it could go "
                    + ("today" if found.earliest == draft.today else f"on {found.earliest}")
                )
        for segment, total in found.swap.unheeded(found.best):
            shown = "an unknown number" if total.high is None else f"{total.high:,}"
            yield (
                f"small-segment: {shown} of {segment} are broken, too few to hold the plan up "
                f"(noise_floor {self.draft.policy.limits.noise_floor:g})"
            )
        yield from self.drops(found).findings

    # --- dates -------------------------------------------------------------------------------------------------

    def dates(self, moved: Moved | None = None) -> Dated:
        """Date the releases and the swap, with the ways out that are taken and steps that were moved."""
        draft = self.draft
        apart = self._dated(draft.ships(self.apps, moved=moved.apps if moved is not None else None), moved)
        together = together_of(draft, apart, self.refills)
        if together is None:
            return apart
        ships = draft.ships(self.apps, moved=moved.apps if moved is not None else None, together=together)
        found = self._dated(ships, moved)
        return found if found.serve == apart.serve else apart

    def _dated(self, ships: Ships, moved: Moved | None) -> Dated:
        draft = self.draft
        floors: tuple[FloorAt, ...] = ()
        floored = [name for name in draft.policy.apps if f"floor:{name}" in draft.taken]
        if "floor" in draft.taken:
            floored += [n for n in in_the_way(dated(draft, ships)) if n not in floored and moves(draft, n)]
        if floored:
            floors = draft.floors(ships, floored)
        return dated(draft, ships, floors, serve=moved.serve if moved is not None else None)

    def deadline(self, found: Dated) -> tuple[date, str] | None:
        """Give the day by which the new chain must be served, and why; None where nothing presses."""
        del found
        if not self._asked:
            self._deadline, self._asked = deadline_of(self.draft), True
        return self._deadline

    # --- steps -------------------------------------------------------------------------------------------------

    def steps(self, found: Dated) -> tuple[Step, ...]:
        """Give the steps in order."""
        numbers = _Numbers()
        last = self._last_serve(found)
        steps = [*self._ships(found, last, numbers), *self._published(found, numbers), *self._floors(found, numbers)]
        if self.apps or found.floors or (found.ready or self.draft.end) > self.draft.today:
            steps.append(self._observe(found, last, numbers))
        steps += self._serves(found, last, numbers)
        steps += [replace(step, number=numbers.next()) for step in self.drops(found).steps]
        return tuple(self._around(found, step) for step in steps)

    def _last_serve(self, found: Dated) -> date | None:
        deadline = self.deadline(found)
        if deadline is None:
            return None
        return deadline[0] - timedelta(days=math.ceil(self.draft.policy.limits.deploy_days))

    def _ships(self, found: Dated, last: date | None, numbers: _Numbers) -> list[Step]:
        steps = []
        for carrier in found.ships.first():
            if carrier.pins.drops:
                continue  # it is a drop as well, and told as one
            day = found.ships.days[carrier.app]
            later = ", ".join(found.ships.later(carrier.app))
            frozen = next_free(self.draft.today, self.draft.frozen("ship"))
            adds = self._adds(found, carrier)
            steps.append(
                Step(
                    number=numbers.next(),
                    action="ship",
                    subject=f"{carrier.app} {carrier.version}",
                    title=f"ship {carrier.app} {carrier.version} with {self._what()}"
                    + (f", and {later}" if later else ""),
                    earliest=min(frozen, day),
                    planned=day,
                    latest=self._last_ship(found, carrier, last),
                    binding=Binding(
                        invariant="I3",
                        segment=carrier.app,
                        formula=f"{self._what()} must be carried by {_asked(found)} before it is served alone; "
                        f"{self.draft.review(carrier.app):g} days of review, then the roll-out",
                    ),
                    undo="halt the roll-out; a pin that is added refuses nobody",
                    proof=f"{carrier.app} {carrier.version} in the store",
                    app=carrier.app,
                    version=carrier.version,
                    adds=adds,
                    names=self.draft.target.names_of(adds, self.refills),
                )
            )
        return steps

    def _what(self) -> str:
        goal = self.draft.goal
        if goal.pin_to:
            return {"none": "no pins", "keys": "pins on keys", "roots": "pins on roots"}[goal.pin_to]
        return goal.pinset or " and ".join(self.draft.target.keys) or goal.chain

    def _adds(self, found: Dated, carrier: Carrier) -> tuple[str, ...]:
        inventory = found.swap.outlook.inventory
        releases = inventory.policy.apps[carrier.app].releases
        index = next(i for i, r in enumerate(releases) if r.version == carrier.version)
        base = next(i for i, r in enumerate(releases) if carrier.base in (r.version, *r.also))
        new = [
            p for item in inventory.enforced.get((carrier.app, index), ()) for e in item.config.entries for p in e.pins
        ]
        own = self.draft.picture.inventory.enforced
        old_items = own.get((carrier.app, base), ()) or own.get((carrier.app, -1), ())
        old = {p for item in old_items for e in item.config.entries for p in e.pins}
        return tuple(dict.fromkeys(inventory.label(pin) for pin in new if pin not in old))

    def _around(self, found: Dated, step: Step) -> Step:
        """Give a step with who is broken and exposed on its eve and on its morrow."""
        day = step.planned
        if day is None:
            return step
        view, swap, floors = found.swap.outlook, found.swap, bool(found.floors)
        served = step.action in ("serve", "drop", "destroy")
        deploy = timedelta(days=math.ceil(self.draft.policy.limits.deploy_days))
        eve = served and found.serve is not None and day > found.serve
        return replace(
            step,
            before=standing(view, swap, day, served=eve, floors=floors),
            after=standing(view, swap, min(day + deploy, self.draft.end), served=served, floors=floors),
        )

    def _last_ship(self, found: Dated, carrier: Carrier, last: date | None) -> date | None:
        """Give the last day to hand a release in so that the chain can still be served by its last day."""
        if last is None or found.ready is None:
            return None
        safety = math.ceil(self.draft.policy.limits.safety_days)
        low, high = found.ships.days[carrier.app], last

        def in_time(day: date) -> bool:
            ships = self.draft.ships(self.apps, moved={**found.ships.days, carrier.app: day})
            ready = self.draft.swap(ships, found.floors).first(self.draft.today, min(last, self.draft.end))
            return ready is not None and ready + timedelta(days=safety) <= last

        if high < low or not in_time(low):
            return None
        while low < high:
            middle = low + (high - low + timedelta(days=1)) // 2
            if in_time(middle):
                low = middle
            else:
                high = middle - timedelta(days=1)
        return low

    def _published(self, found: Dated, numbers: _Numbers) -> list[Step]:
        return [
            Step(
                number=numbers.next(),
                action="publish",
                subject=f"{own.app} {own.name}",
                title=f"{_WAYS[own.channel]} {own.app} with {self._what()}",
                earliest=min(own.at.date(), next_free(self.draft.today, self.draft.frozen("ship"))),
                planned=own.at.date(),
                binding=Binding(
                    invariant="I3",
                    segment=own.app,
                    formula=f"{own.wait:.4g} days until every client that is reached has it, by {own.done:%Y-%m-%d}"
                    + (f"; {own.offline:.2%} are never reached" if own.offline else ""),
                ),
                undo="publish what was there before; a pin that is added refuses nobody",
                proof=_PROOFS[own.channel],
                occurrences=(own.action,),
                app=own.app,
                pinset=own.name,
            )
            for own in found.ships.published
        ]

    def _floors(self, found: Dated, numbers: _Numbers) -> list[Step]:
        return [
            Step(
                number=numbers.next(),
                action="floor",
                subject=f"{floor.app} {floor.version}",
                title=f"raise the floor of {floor.app} to {floor.version}",
                earliest=floor.at.date(),
                planned=floor.at.date(),
                binding=Binding(
                    invariant="I2",
                    segment=floor.app,
                    formula=f"moves {floor.reach:g} of those below who can update within {floor.days:g} days, assumed",
                ),
                undo="lower the floor; who has updated stays updated",
                proof=f"share of {floor.app} from {floor.version} on",
                occurrences=tuple(action for action in found.swap.floors if action.parts[0] == floor.app),
                app=floor.app,
                version=floor.version,
            )
            for floor in found.floors
        ]

    def _observe(self, found: Dated, last: date | None, numbers: _Numbers) -> Step:
        weighed = found.weighed
        safety = timedelta(days=math.ceil(self.draft.policy.limits.safety_days))
        ready = found.ready
        # A sighting has to be young when the chain is served (I14).
        young = min(safety, timedelta(days=max(0, self.draft.policy.limits.sighting_days - 1)))
        planned = None if found.serve is None or ready is None else min(found.serve, max(ready, found.serve - young))
        if not self.draft.target.served:
            # Nothing is served after it: being seen is the end of it.
            planned = found.serve
        return Step(
            number=numbers.next(),
            action="observe",
            subject=weighed.segment,
            title=f"see {self._what()} in {_asked(found)} of {weighed.segment}",
            earliest=ready,
            planned=planned,
            latest=None if last is None or planned is None else last - safety,
            binding=Binding(invariant=weighed.invariant, segment=weighed.segment, formula=formula(self.draft, found)),
            undo="nothing to undo",
            proof=f"telemetry no older than {self.draft.policy.limits.sighting_days} days (I14)",
        )

    def _ready(self, found: Dated) -> str:
        """Say what the first day to serve comes from; who need not wait for anybody needs no days of safety."""
        if found.ready is None:
            return formula(self.draft, found)
        if found.earliest is None or found.earliest <= found.ready:
            return f"ready {found.ready}: nobody has to be waited for"
        return f"ready {found.ready} + {self.draft.policy.limits.safety_days:g} days of safety"

    def _serves(self, found: Dated, last: date | None, numbers: _Numbers) -> list[Step]:
        old = {host: ", ".join(own.old) for own in self.draft.target.exchanges for host in own.hosts}
        return [
            Step(
                number=numbers.next(),
                action="serve",
                subject=f"{action.parts[0]} {action.parts[1]}",
                title=f"serve {action.parts[1]} on {action.parts[0]}",
                earliest=found.earliest,
                planned=found.serve,
                latest=last if found.serve is not None else None,
                binding=Binding(
                    invariant=found.weighed.invariant,
                    segment=found.weighed.segment,
                    formula=self._ready(found),
                ),
                undo=f"serve {old[action.parts[0]] or 'the old chain'} again, "
                f"for {self.draft.policy.limits.rollback_days:g} days",
                proof="a handshake with every place that serves (rotator observe)",
                occurrences=(self._served_at(action, found.serve),),
            )
            for action in found.swap.served
        ]

    def _served_at(self, action: Occurrence, day: date | None) -> Occurrence:
        return action if day is None else replace(action, at=instant_of(day, self.draft.now))

    # --- never -------------------------------------------------------------------------------------------------

    def blocked(self, found: Dated, steps: Sequence[Step]) -> Blocked:
        """Say which step is in the way, and of whom."""
        step = next((s for s in steps if s.action == "serve"), None) or steps[-1]
        return Blocked(
            step=step.number,
            segment=found.weighed.segment,
            invariant=found.weighed.invariant,
            who=found.swap.who(found.best),
            why=found.swap.why(found.best),
            left=found.weighed.whole,
        )


def _asked(found: Dated) -> str:
    """Give the share that must accept the new chain before it is served alone: 1 - budget."""
    return f"{100 * (1 - found.weighed.budget):.4g} %"
