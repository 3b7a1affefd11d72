"""How far pins and keys are around every step, and when a stolen key is over: with the releases that drop its pins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cached_property

from rotator.model.pins import Pin
from rotator.model.when import plus, start_of
from rotator.plan.dating import Dated
from rotator.plan.dropping import Drops, pins_on
from rotator.plan.outlook import Outlook, instant_of
from rotator.plan.planner import Draft
from rotator.plan.ships import Ships
from rotator.plan.states import Carried, PinState, key_state, pin_state
from rotator.plan.swap import segment_name
from rotator.plan.values import Step
from rotator.simulate.inventory import Inventory

WEEK = timedelta(days=7)


class Closing:
    """A plan with all of its releases, those that drop pins among them."""

    def __init__(self, draft: Draft, found: Dated, drops: Drops) -> None:
        self.draft, self.found, self.drops = draft, found, drops
        self.limits = draft.policy.limits

    @cached_property
    def view(self) -> Outlook:
        """Give the outlook with all releases; what is published later changes no release."""
        ships = self.found.ships
        if not self.drops.carriers:
            return self.found.swap.outlook
        every = Ships(carriers=(*ships.carriers, *self.drops.carriers), days=ships.days, published=ships.published)
        return self.draft.view(every, self.found.floors)

    # --- a stolen key ------------------------------------------------------------------------------------------

    def loss(self) -> str:
        """Say what answering an incident breaks: budgets do not hold it back, so that it heads the report."""
        draft, found = self.draft, self.found
        if not draft.incident or found.serve is None:
            return ""
        own = " and ".join(f"{name} is {draft.policy.keys[name].status}" for name in draft.incident)
        whole = found.weighed.whole
        shown = "nobody knows how many" if whole.high is None else f"{whole.high:,}"
        share = "" if whole.share is None else f" ({whole.share:.2%})"
        what = " and ".join(draft.target.keys) or draft.goal.chain
        return f"{own}, so budgets do not hold the answer back: {shown} users{share} break when {what} is served"

    def over(self) -> Iterator[str]:
        """I12: say from when on nobody is exposed to a stolen key any more, client by client."""
        stolen = [name for name in self.draft.incident if self.draft.policy.keys[name].status == "compromised"]
        if not stolen or self.found.serve is None:
            return
        names, view, floor = ", ".join(stolen), self.view, self.limits.noise_floor
        future = view.future((*self.found.swap.floors, *self.found.swap.served))
        weeks = [plus(view.now, n * WEEK) for n in range((view.end - view.now) // WEEK + 1)]
        marks = sorted({*weeks, *(s.at for s in future.stretches if view.now <= s.at <= view.end)})

        def bad(at: datetime) -> str:
            exposed = future.at(at).exposed
            for app, trust in view.scopes() if exposed else ():
                total = view.total(at, exposed, app, trust)
                if not total.none and (total.share is None or total.share > floor):
                    return (
                        "an unknown share"
                        if total.share is None
                        else f"{total.share:.2%} of {segment_name(app, trust)}"
                    )
            return ""

        last = next((at for at in reversed(marks) if bad(at)), None)
        if last is None:
            yield f"I12: nobody is exposed to {names} from {self.draft.today} on"
        elif last == marks[-1]:
            yield f"I12: {bad(last)} are still exposed to {names} on {last:%Y-%m-%d}: it is not over inside the horizon"
        else:
            day = start_of(last.date() + timedelta(days=1))
            while bad(day):
                day = plus(day, timedelta(days=1))
            yield f"I12: {names} is over on {day:%Y-%m-%d}: from then on nobody is exposed, client by client"

    # --- states ------------------------------------------------------------------------------------------------

    def with_states(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """Give the steps with the states of the pins, on their morrow, and of the keys on servers."""
        if self.found.serve is None:
            return steps
        return tuple(replace(s, states=tuple(self._states(s))) if s.planned is not None else s for s in steps)

    def _states(self, step: Step) -> Iterator[str]:
        target, day = self.draft.target, step.planned
        assert day is not None  # noqa: S101 - asked by the caller
        names = list(dict.fromkeys((*target.keys, *target.drop)))
        if step.action in ("serve", "destroy"):
            # One host, or one key, of several that change together.
            about = next(e for e in target.exchanges if {*step.subject.split()[:1]} & {*e.hosts, *e.own})
            names = [name for name in names if name in about.own]
        segments = [step.app] if step.app else [self.found.weighed.app or ""]
        for key in names:
            for app in segments:
                pairs = [self._pin(key, app, at) for at in (day, day + timedelta(days=1))]
                pairs[0] = self._pin(key, app, day, before=step)
                where = app or "the fleet"
                yield f"pin {key} in {where}: {_change(*pairs)} (projected)"
            if step.action in ("serve", "drop", "destroy"):
                yield f"key {key} on servers: {self._served(key, step)}"

    def _pin(self, key: str, app: str, day: date, before: Step | None = None) -> PinState:
        """Give the state of a pin in an app, or of everybody; on the eve of a step where one is given."""
        view, swap = self.found.swap.outlook, self.found.swap
        at = instant_of(min(day, self.draft.end), view.now)
        old = key in self.draft.target.drop
        if old:
            broken = swap.old.at(at).broken
            # On its eve a step has not been taken; the day after, whatever was planned by then has.
            days = [s.planned for s in self.drops.steps if s.action == "drop" and app in ("", s.app)]
            newest = not any(d is not None and (d < day) for d in days)
            has = self._has(key, app, at) if any(s.action == "drop" for s in self.drops.steps) else None
        else:
            broken = swap.new.at(at).broken
            ships = {c.app: c for c in self.found.ships.first() if app in ("", c.app)}
            newest = not any(before is not None and before.version == c.version for c in ships.values())
            has = None
        hosts, connections = self.draft.target.of_key(key).hosts, view.fleet.connections
        if len(self.draft.target.exchanges) > 1:
            broken = {index: sure for index, sure in broken.items() if connections[index].host in hosts}
        total = view.total(at, broken, app or None)
        end = view.total(view.end, broken, app or None)
        held = Carried(
            newest=newest,
            has=has if old else (0.0 if not newest else None),
            accepting=None if total.share is None else 1.0 - total.share,
            plateau=None if end.share is None else 1.0 - end.share,
        )
        return pin_state(
            held,
            budget=view.budget(app or None),
            noise_floor=self.limits.noise_floor,
            today=day,
            sighting_days=self.limits.sighting_days,
        )[0]

    def _has(self, key: str, app: str, at: datetime) -> float | None:
        """Give the share whose configuration in force holds a pin on a key."""
        view = self.view
        holding = _holding(view.inventory, pins_on(view.inventory, key))
        sizes = view.people.sizes(view.people.settled(at))
        own = [(cohort, count) for cohort, count in sizes.items() if app in ("", cohort.app)]
        if any(count is None for _, count in own):
            return None
        whole = sum(count.high for _, count in own if count is not None)
        with_pin = sum(
            c.high for cohort, c in own if c is not None and holding.get((cohort.app, cohort.release), False)
        )
        return with_pin / whole if whole else 0.0

    def _served(self, key: str, step: Step) -> str:
        own = self.draft.target.of_key(key)
        places = [f"{host} {place}" for host in own.hosts for place in self._places(host)]
        fresh = key == own.key
        if step.action == "serve":
            states = [key_state([], places), key_state(places[:1], [*places, "elsewhere"]), key_state(places, places)]
            if not fresh:
                states = [key_state(places, places), key_state(places, places, leaving=True), key_state([], places)]
            return " -> ".join(dict.fromkeys(states))
        return str(key_state(places if fresh else [], places))

    def _places(self, host: str) -> list[str]:
        own = self.draft.policy.hosts[host]
        return ["main", *(f"edge {number}" for number, _ in enumerate(own.edges, start=1))]


def _change(before: PinState, after: PinState) -> str:
    return str(after) if before is after else f"{before} -> {after}"


def _holding(inventory: Inventory, pins: frozenset[Pin]) -> Mapping[tuple[str, int], bool]:
    """Say of each release whether it holds any of some pins."""
    return {
        own: any(pin in pins for item in items for entry in item.config.entries for pin in entry.pins)
        for own, items in inventory.enforced.items()
    }
