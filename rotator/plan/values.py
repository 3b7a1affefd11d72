"""A plan as a value: the goal, dated steps, the ways out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from rotator.simulate.grammar import Occurrence
from rotator.simulate.totals import Total


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is to be reached; what is left empty follows from the policy.

    Attributes:
        to: the key that is to be served.
        from_: the key that is to go; "" ends the plan with serving `to`.
        chain: the chain that is to be served instead, for a change of CA.
        pinset: the pinset that everybody is to carry.
        algorithm: the type of key that is to be served.
        pin_to: `keys`, `roots` or `none`: what pins are to be on.
        hosts: the hosts it is about.
        by: the day by which it must be done.
        take: the ways out that are taken, by id.
        reason: why a loss beyond the budget is accepted, in somebody's words.
        moved: steps that are moved by hand: by number, to a day.
        also: more keys that change in the same plan: the one to go, and the one to be served in its place.
    """

    to: str = ""
    from_: str = ""
    chain: str = ""
    pinset: str = ""
    algorithm: str = ""
    pin_to: str = ""
    hosts: tuple[str, ...] = ()
    by: date | None = None
    take: tuple[str, ...] = ()
    reason: str = ""
    moved: tuple[tuple[int, date], ...] = ()
    also: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """Say it in a line."""
        parts = []
        if self.pin_to:
            parts.append({"none": "stop pinning"}.get(self.pin_to, f"pin {self.pin_to}"))
        elif self.pinset:
            parts.append(f"pinset {self.pinset} everywhere")
        else:
            new = self.chain or self.to or self.algorithm
            keys = [f"{self.from_} -> {new}" if self.from_ else f"serve {new}"]
            parts.append(", ".join([*keys, *(f"{old} -> {fresh}" for old, fresh in self.also)]))
        if self.hosts:
            parts.append(f"on {', '.join(self.hosts)}")
        if self.by:
            parts.append(f"by {self.by}")
        return " ".join(parts)


RULES: Mapping[str, str] = {
    "I1": "every enforcing pinset has a usable spare outside every served chain",
    "I2": "users broken by our steps stay inside the budget, in every segment, each counted once over the whole plan",
    "I3": "a swap starts when the new chain is accepted by 1 - budget, and until every edge is over both are",
    "I4": "a release drops a pin only when what is left is carried and served everywhere, rollback targets included",
    "I5": "no swap starts while such a release is still below 1 - budget",
    "I7": "a spare counts where it exists, was proved, is kept apart and can be certified",
    "I8": "a fresh spare ships with, or before, the release that drops a pin",
    "I9": "pins that end outlast what replaces them, and end before what they pin",
    "I10": "a pin on a CA key is good until that CA ends, is distrusted or switches",
    "I11": "a private key is destroyed when nobody needs it any more",
    "I12": "a compromise is over when nobody is exposed for the rest of the horizon, client by client",
    "I14": "nothing is done without a sighting",
}
"""What must hold, in a sentence each; `rotator.plan.invariants` asks it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What holds a step back: an invariant, in a segment; with the formula and its values."""

    invariant: str
    segment: str = ""
    formula: str = ""

    @property
    def said(self) -> tuple[str, ...]:
        """Say the same in sentences: what must hold, for whom, and the formula."""
        rule = f"{self.invariant}: {RULES[self.invariant]}" if self.invariant in RULES else self.invariant
        whom = f"for {self.segment}" if self.segment else ""
        return tuple(part for part in (rule, whom, self.formula) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Who is broken and who is exposed at an instant."""

    broken: Total
    exposed: Total


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A day as a range: in a tenth of the samples it is no later than the first, in half the second; None: never."""

    p10: date | None
    p50: date | None
    p90: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        number: from 1.
        action: `ship`, `serve`, `drop`, `floor`, `publish`, `revoke`, `observe` or `destroy`.
        subject: what, in words of the policy.
        title: the step in a line.
        earliest, planned, latest: days; None where there is none.
        span: the planned day as a range, safety days among it; None where nothing about it is open.
        states: how far pins and keys are before and after it, in sentences.
        unsure: what would settle it, where it is possible in a part of the range only; "" where it is sure.
        before, after: the eve and the morrow; None where the step has no day.
        binding: what it waits for.
        undo: how it is taken back.
        proof: what proves it done.
        occurrences: the step as events and actions know it; empty for one that changes nothing on the servers.
        app, version, pinset: for a release.
        adds, drops: the keys, or texts of pins, that a release adds, and those it drops.
        names: by each of those keys, the DNS names whose pins it changes.
    """

    number: int
    action: str
    subject: str
    title: str
    earliest: date | None = None
    planned: date | None = None
    latest: date | None = None
    span: Span | None = None
    unsure: str = ""
    states: tuple[str, ...] = ()
    before: Standing | None = None
    after: Standing | None = None
    binding: Binding = field(default_factory=lambda: Binding(invariant=""))
    undo: str = ""
    proof: str = ""
    occurrences: tuple[Occurrence, ...] = ()
    app: str = ""
    version: str = ""
    pinset: str = ""
    adds: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """A way out of NEVER, with its price.

    Attributes:
        id: a stable id; `+` joins those that are taken together.
        title: what is done.
        left: the users that are still broken when the new chain is served, at best.
        done: the day on which the chain can be served inside the budget; None: not inside the horizon.
        price: what it costs.
        safe: whether it keeps the budget.
    """

    id: str
    title: str
    left: Total
    done: date | None
    price: str
    safe: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """Why there is no plan: the step, and the segment that is in the way.

    Attributes:
        step: its number.
        segment: which.
        invariant: what does not hold.
        who: who is left.
        left: how many.
        why: why they refuse.
        unsure: what would settle it, where a part of the range has a plan; "" where none has.
        expected: the day on which the new chain could be served if all goes as expected, where that is unsure.
    """

    step: int
    segment: str
    invariant: str
    who: tuple[str, ...]
    left: Total
    why: tuple[str, ...] = ()
    unsure: str = ""
    expected: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a served key can change, where its pin has to be carried first.

    Attributes:
        longest: W, the days from handing a new pin in until it may be served; None: it is never carried by waiting.
        least: the shortest life of a served key in days, with one future key shipped ahead; None likewise.
        ahead: hosts that change their key at every renewal: the days between two, and the keys to ship ahead.
    """

    longest: float | None
    least: float | None
    ahead: tuple[tuple[str, int, int | None], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A plan, or why there is none.

    Attributes:
        goal: what was asked.
        made: when.
        digests: of what it stands on, by name.
        steps: in order.
        at_best: the greatest share of users, in the worst segment, that ever accepts what is to be served, as expected.
        best_low, best_high: the same in the worst and the best tenth of the samples.
        confidence: the probability with which the dates hold.
        seed: of the samples.
        blocked: why it is NEVER; None for a plan.
        deadline: the day by which it must be done, and why; None where nothing presses.
        exits: the ways out, the best first.
        notes: what was assumed.
        findings: what is missing for a good plan, in sentences.
        replayed: what the replay says against it; empty: it agrees.
        cadence: what the pins allow for keys that change, in sentences.
        pace: the same in numbers; None where no release has to carry anything.
        accepted: the loss that was accepted, with its reason; "" for none.
        loss: what answering an incident breaks, which budgets do not hold back; "" where there is none.
    """

    goal: Goal
    made: datetime
    digests: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    at_best: float | None = None
    best_low: float | None = None
    best_high: float | None = None
    confidence: float = 0.9
    seed: int = 1
    blocked: Blocked | None = None
    deadline: tuple[date, str] | None = None
    exits: tuple[Exit, ...] = ()
    notes: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    replayed: tuple[str, ...] = ()
    cadence: tuple[str, ...] = ()
    pace: Pace | None = None
    accepted: str = ""
    loss: str = ""

    @property
    def never(self) -> bool:
        """Say whether there is no safe plan inside budget and horizon."""
        return self.blocked is not None

    @property
    def late(self) -> bool:
        """Say whether it serves after the last day that its deadline leaves."""
        serves = [s for s in self.steps if s.action == "serve" and s.planned is not None and s.latest is not None]
        return any(s.planned > s.latest for s in serves if s.planned is not None and s.latest is not None)

    @property
    def slack(self) -> int | None:
        """Give the smallest number of days between planned and latest, over steps that have both."""
        slacks = [(s.latest - s.planned).days for s in self.steps if s.latest is not None and s.planned is not None]
        return min(slacks, default=None)

    @property
    def completes(self) -> date | None:
        """Give the day of the last step that has one; None where one has none."""
        days = [step.planned for step in self.steps if step.action in ("serve", "drop", "observe", "ship")]
        return max((day for day in days if day is not None), default=None) if None not in days else None
