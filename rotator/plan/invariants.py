"""What must hold before and after every step of a rotation: named predicates on a state, each with its suspensions.

Each finding and each refusal names one. `docs/planning.md` tells them in words; I13 is a check on files, and drift.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rotator.plan.states import Days, Part, Phase, Spare, State

SLIGHT = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What an invariant says of a state.

    Attributes:
        invariant: its name, `I1` to `I14`.
        holds: whether it does; a suspended one does.
        by: by how much it is kept, or broken (below 0), in its own unit: a share, or days.
        segment: where it is the tightest.
        text: the same in a sentence.
        suspended: why it is not asked; "" where it is.
    """

    invariant: str
    holds: bool
    by: float
    segment: str = ""
    text: str = ""
    suspended: str = ""


Predicate = Callable[[State], Finding]
UNKNOWN = -2.0
"""By how much something is broken that nobody knows: more than any share can."""


def _tightest(invariant: str, found: Sequence[Finding], fine: str) -> Finding:
    return min(found, key=lambda f: f.by, default=Finding(invariant=invariant, holds=True, by=1.0, text=fine))


def _suspended(invariant: str, why: str) -> Finding:
    return Finding(invariant=invariant, holds=True, by=0.0, text=f"not asked: {why}", suspended=why)


def _share(invariant: str, part: Part, by: float | None, text: str) -> Finding:
    margin = UNKNOWN if by is None else by
    said = f"nobody knows how many of {part.name} there are: cannot say safe" if by is None else text
    return Finding(invariant=invariant, holds=margin >= -SLIGHT, by=margin, segment=part.name, text=said)


def _yes_or_no(invariant: str, holds: bool, segment: str, text: str) -> Finding:  # noqa: FBT001 - what it is about
    return Finding(invariant=invariant, holds=holds, by=0.0 if holds else -1.0, segment=segment, text=text)


def spare(state: State) -> Finding:
    """I1: every enforcing pinset has a real backup, not compromised, not lost, outside every served chain."""
    if state.promoted:
        return _suspended("I1", "a backup was promoted, the next release refills")
    found = []
    for pinset in state.pinsets:
        if pinset.single:
            continue
        own = [s.name for s in pinset.spares if s.usable(state.today, state.proof_days)]
        text = f"{pinset.name} can fall back on {', '.join(own)}" if own else f"{pinset.name} has no usable backup"
        found.append(Finding(invariant="I1", holds=bool(own), by=len(own) - 1.0, segment=pinset.name, text=text))
    return _tightest("I1", found, "nothing is pinned that could need a spare")


def reach(state: State) -> Finding:
    """I2: in every segment and the fleet, users broken by our steps stay within the budget over the whole plan."""
    if state.incident:
        return _suspended("I2", "the answer to an incident: the report is headed by the loss")
    found = [
        _share(
            "I2",
            part,
            None if part.broken is None else part.budget - part.broken,
            f"{part.broken or 0:.2%} of {part.name} broken by our steps, {part.budget:.2%} may be",
        )
        for part in state.parts
        if part.counted
    ]
    return _tightest("I2", found, "nobody is there to break")


def swap(state: State) -> Finding:
    """I3: acc(new) >= 1 - budget when a swap starts; until it is over 1 - budget accept both, or acc(old) today."""
    if state.incident:
        return _suspended("I3", "the answer to an incident")
    if state.phase not in (Phase.STARTS, Phase.UNDER_WAY):
        return Finding(invariant="I3", holds=True, by=1.0, text="no swap is under way")
    found = []
    for part in (p for p in state.parts if p.counted and not p.single):
        limit = 1 - part.budget
        if state.phase is Phase.STARTS:
            least = None if part.today is None else min(limit, part.today)
            by = None if part.accepting is None or least is None else part.accepting - least
            found.append(_share("I3", part, by, f"{part.accepting or 0:.2%} of {part.name} accept the new chain"))
        least = None if part.today is None else min(limit, part.today)
        by = None if part.both is None or least is None else part.both - least
        found.append(_share("I3", part, by, f"{part.both or 0:.2%} of {part.name} accept both chains"))
    return _tightest("I3", found, "nobody is in the way of the swap")


def drop(state: State) -> Finding:
    """I4: an old pin goes when a surviving chain is omnipresent and served everywhere; earlier on the same chain."""
    found = []
    for own in state.drops:
        holds = own.same_chain or (own.survives and own.everywhere)
        text = f"{own.name} may drop the old pin"
        if not holds:
            lacking = "is not served everywhere long enough" if own.survives else "is not accepted by enough"
            text = f"{own.name} drops a pin while what survives {lacking}"
        found.append(_yes_or_no("I4", holds, own.name, text))
    return _tightest("I4", found, "no pin is dropped")


def one_hand(state: State) -> Finding:
    """I5: no swap starts while a release that drops a pin the old chain needs is below 1 - budget."""
    if state.phase is not Phase.STARTS:
        return Finding(invariant="I5", holds=True, by=1.0, text="no swap starts")
    found = [
        _share(
            "I5", p, p.without - (1 - p.budget), f"{p.without:.2%} of {p.name} have dropped what the old chain needs"
        )
        for p in state.parts
        if p.counted and not p.single and p.without is not None and p.without > SLIGHT
    ]
    return _tightest("I5", found, "nothing was dropped that the old chain needs")


def capability(state: State) -> Finding:
    """I7: what counts as a backup exists, was proved, is kept apart, and will be certified."""
    found = []
    for pinset in state.pinsets:
        for own in (s for s in pinset.spares if not s.authority and s.outside and s.sound):
            usable = own.usable(state.today, state.proof_days)
            text = f"{own.name} of {pinset.name} is a usable backup"
            if not usable:
                text = f"{own.name} of {pinset.name} is no backup: {_lacks(own, state)}"
            found.append(
                Finding(invariant="I7", holds=usable, by=0.0 if usable else -1.0, segment=pinset.name, text=text)
            )
    return _tightest("I7", found, "no backup is counted on")


def _lacks(own: Spare, state: State) -> str:
    if not own.exists:
        return "only a digest is known"
    if own.proved is None:
        return "possession was never proved"
    if (state.today - own.proved).days > state.proof_days:
        return f"possession was last proved on {own.proved}"
    return "it is kept with the primary" if own.apart is False else "no authority will certify it"


def refill(state: State) -> Finding:
    """I8: a fresh backup ships with, or before, the release that drops the old pin."""
    found = []
    for own in state.drops:
        text = f"{own.name} {'brings' if own.refilled else 'drops a pin without'} a fresh backup"
        found.append(_yes_or_no("I8", own.refilled, own.name, text))
    return _tightest("I8", found, "no pin is dropped")


def expiry(state: State) -> Finding:
    """I9: pins that open outlast their replacement and end before the pinned thing dies; others just outlast it."""
    found = []
    for own in state.endings:
        days = [UNKNOWN if own.replaced is None else float((own.ends - own.replaced).days)]
        if own.opens and own.dies is not None:
            days.append(float((own.dies - own.ends).days))
        text = f"{own.name} ends on {own.ends}, replaced on {own.replaced or 'no day in sight'}"
        found.append(Finding(invariant="I9", holds=min(days) >= 0, by=min(days), segment=own.name, text=text))
    return _tightest("I9", found, "no pins end")


def authority(state: State) -> Finding:
    """I10: a pin on a CA key is good until its end, a distrust, or the announced switch."""
    found = []
    for pinset in state.pinsets:
        for name, until in pinset.relied:
            left = float("inf") if until is None else float((until - state.today).days)
            text = f"{pinset.name} relies on {name}" + (f" until {until}" if until else "")
            found.append(Finding(invariant="I10", holds=left > 0, by=left, segment=pinset.name, text=text))
    return _tightest("I10", found, "no pin is on an authority")


def key_kept(state: State) -> Finding:
    """I11: a private key is destroyed only when only(key) <= noise_floor everywhere."""
    found = []
    for key in sorted(state.destroyed):
        for part in (p for p in state.parts if key in p.only):
            share = part.only[key]
            text = f"{share or 0:.2%} of {part.name} accept nothing but {key}"
            found.append(_share("I11", part, None if share is None else state.noise_floor - share, text))
    return _tightest("I11", found, "no key is destroyed")


def closed(state: State) -> Finding:
    """I12: a compromise is over when exposed stays <= noise_floor for the rest of the horizon."""
    if not state.stolen:
        return Finding(invariant="I12", holds=True, by=1.0, text="no key is stolen")
    found = [
        _share(
            "I12",
            part,
            None if part.exposed is None else state.noise_floor - part.exposed,
            f"{part.exposed or 0:.2%} of {part.name} are exposed",
        )
        for part in state.parts
    ]
    return _tightest("I12", found, "nobody is exposed")


def seen(state: State) -> Finding:
    """I14: nothing is called done without a sighting."""
    found = []
    for step, day in state.claimed.items():
        left = UNKNOWN if day is None else float(state.sighting_days - (state.today - day).days)
        text = f"{step}: {'never seen' if day is None else f'last seen on {day}'}"
        found.append(Finding(invariant="I14", holds=left > 0, by=left, segment=step, text=text))
    return _tightest("I14", found, "nothing is called done")


INVARIANTS: Mapping[str, Predicate] = {
    "I1": spare,
    "I2": reach,
    "I3": swap,
    "I4": drop,
    "I5": one_hand,
    "I7": capability,
    "I8": refill,
    "I9": expiry,
    "I10": authority,
    "I11": key_kept,
    "I12": closed,
    "I14": seen,
}
"""Every predicate by name; I6 compares two states (`worse`)."""


NO_DAYS = Days()


def worse(
    before: State, after: State, *, without: Days = NO_DAYS, with_: Days = NO_DAYS, weight: float = 1.0
) -> Iterator[Finding]:
    """I6: say what a step makes worse; nothing where it is allowed.

    A step may not falsify what holds, nor worsen what does not, nor cost more user-days than the best other permitted
    answer. Users inside a budget are what I2 permits, so that only those beyond it are counted as broken.

    Args:
        before: the state on the eve.
        after: the state on the morrow.
        without: the user-days of the best other permitted answer.
        with_: those of the step.
        weight: what an exposed user-day weighs beside a broken one.
    """
    for predicate in INVARIANTS.values():
        old, new = predicate(before), predicate(after)
        if not new.holds and (old.holds or new.by < old.by - SLIGHT):
            yield new
    cost = with_.weighed(weight) - without.weighed(weight)
    if cost > SLIGHT:
        text = f"{cost:,.0f} user-days more, broken or exposed, than without it"
        yield Finding(invariant="I6", holds=False, by=-cost, text=text)
