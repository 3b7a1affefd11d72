"""Where a pin, or a key on servers, stands in a rotation; and everything that is so at an instant, as a value.

The states are those of BIND's key manager for records in the DNS.

A pin moves from hidden to rumoured while clients get it, and to omnipresent once enough of them accept its chain. Where
the curve ends before that it is stranded. It is unretentive from the release that lacks it until nobody holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum


class PinState(StrEnum):
    """The state of a pin in a segment, or of a key on the places that serve."""

    HIDDEN = "hidden"
    """Nobody has it: the key may be destroyed."""
    UNRETENTIVE = "unretentive"
    """It is on its way out: stop serving it, keep the private key; it still exposes when it is stolen."""
    OMNIPRESENT = "omnipresent"
    """Its chain may be served alone."""
    STRANDED = "stranded"
    """Waiting never makes it omnipresent: it needs a way out."""
    RUMOURED = "rumoured"
    """Its chain may be served only beside one that is accepted."""


class Sureness(StrEnum):
    """What a state stands on."""

    PROJECTED = "projected"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What is known of a pin in a segment; shares are of its active users, None where nobody knows.

    Attributes:
        newest: whether the newest release has it.
        has: the share whose configuration in force has it.
        accepting: the share that accepts the chain it is for.
        plateau: the most that this share ever becomes by waiting.
        seen: the day of the last sighting that bears `accepting` out; None for none.
    """

    newest: bool
    has: float | None
    accepting: float | None
    plateau: float | None
    seen: date | None = None


def pin_state(
    held: Carried, *, budget: float, noise_floor: float, today: date, sighting_days: int
) -> tuple[PinState, Sureness]:
    """Give the state of a pin in a segment, the first that matches; what nobody knows is never good enough.

    Args:
        held: what is known.
        budget: the share of the segment that may break.
        noise_floor: the share that counts as nobody.
        today: the day.
        sighting_days: how old a sighting may be.
    """
    seen = held.seen is not None and 0 <= (today - held.seen).days < sighting_days
    sure = Sureness.CONFIRMED if seen else Sureness.PROJECTED
    if not held.newest:
        gone = held.has is not None and held.has <= noise_floor
        return (PinState.HIDDEN if gone else PinState.UNRETENTIVE), sure
    if held.accepting is not None and held.accepting >= 1 - budget - 1e-12:
        return PinState.OMNIPRESENT, sure
    if held.plateau is not None and held.plateau < 1 - budget - 1e-12:
        return PinState.STRANDED, sure
    return PinState.RUMOURED, sure


def key_state(serving: Iterable[str], places: Iterable[str], *, leaving: bool = False) -> PinState:
    """Give the state of a key on the places that serve: edges, disaster recovery and rollback targets among them.

    Args:
        serving: the places that serve it, or would when they are switched to.
        places: all of them.
        leaving: it is being taken out.
    """
    own, every = set(serving), set(places)
    if not own & every:
        return PinState.HIDDEN
    if leaving:
        return PinState.UNRETENTIVE
    return PinState.OMNIPRESENT if every <= own else PinState.RUMOURED


class Phase(StrEnum):
    """How far a swap of what is served is."""

    NONE = "none"
    STARTS = "starts"
    UNDER_WAY = "under way"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A segment, or the fleet, at an instant; shares are of its active users, None where nobody knows.

    Attributes:
        name: as screens name it.
        clients: how many.
        budget: the share that may break.
        counted: whether it is no smaller than the noise floor.
        single: whether its clients hold one value, so that they and the servers change at once.
        broken: who is or was broken by our steps, everybody counted once.
        accepting: who accepts the new chain.
        both: who accepts the new and the old chain.
        today: who accepts the old chain today.
        without: who runs a release that lacks a pin the old chain needs, where one is out; None for no such release.
        only: by key, who would accept no servable chain without it.
        exposed: the most that are exposed from now to the horizon.
    """

    name: str
    clients: int | None = None
    budget: float = 0.0
    counted: bool = True
    single: bool = False
    broken: float | None = 0.0
    accepting: float | None = 1.0
    both: float | None = 1.0
    today: float | None = 1.0
    without: float | None = None
    only: Mapping[str, float | None] = field(default_factory=dict)
    exposed: float | None = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spare:
    """A pin of a pinset that is not on what is served.

    Attributes:
        name: of the key or authority.
        exists: the key exists; not so where only a digest is known and nothing was ever proved.
        proved: the day on which possession was proved; a request proves it on its recorded day.
        apart: it is kept apart from the primary and not derived from it; None: custody is not known.
        certified: an authority that is not distrusted will certify its algorithm on the day.
        sound: it is not compromised and not lost.
        outside: it is outside every served chain.
        authority: it is a CA key, which counts while I10 holds and no served chain uses it.
        until: the end of an authority: its own, a distrust, its announced switch.
    """

    name: str
    exists: bool = True
    proved: date | None = None
    apart: bool | None = True
    certified: bool = True
    sound: bool = True
    outside: bool = True
    authority: bool = False
    until: date | None = None

    def usable(self, today: date, proof_days: int) -> bool:
        """Say whether it is a capability (I7), or an authority that is still good (I10)."""
        if not (self.sound and self.outside):
            return False
        if self.authority:
            return self.until is None or today < self.until
        proved = self.proved is not None and today - self.proved <= timedelta(days=proof_days)
        return self.exists and proved and self.apart is not False and self.certified


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A pinset that is enforced by the newest release of an app.

    Attributes:
        name: as screens name it.
        spares: what of it is not served.
        single: its clients hold one value.
        relied: authorities that a served chain is accepted by, with their end.
    """

    name: str
    spares: tuple[Spare, ...] = ()
    single: bool = False
    relied: tuple[tuple[str, date | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """A release that lacks an old pin.

    Attributes:
        name: app and version.
        survives: a chain that stays accepted is omnipresent.
        everywhere: it is served everywhere, disaster recovery and rollback targets included, long enough to roll back.
        same_chain: every served chain holds both pins, the one that goes and the one that stays.
        compromised: the pin is on a stolen key: rollback targets go first, then nothing is waited for.
        refilled: a fresh backup ships with it, or did before.
    """

    name: str
    survives: bool = True
    everywhere: bool = True
    same_chain: bool = False
    compromised: bool = False
    refilled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Pins that end.

    Attributes:
        name: the pinset.
        ends: when.
        opens: whether clients go on without pins then; else they refuse everything.
        replaced: the day by which the replacement has reached 1 - budget, offline share counted; None: never.
        dies: when the pinned thing itself can no longer be served; None: not foreseen.
    """

    name: str
    ends: date
    opens: bool
    replaced: date | None
    dies: date | None = None


@dataclass(frozen=True, kw_only=True)
class State:
    """Everything that invariants ask about, at an instant.

    Attributes:
        today: the day.
        parts: the fleet and its segments.
        phase: how far the swap is.
        incident: it answers a compromise, a loss or a revocation: reach and swap are then the report's accepted loss.
        promoted: a backup was promoted and no release came since.
        pinsets, drops, endings: see there.
        destroyed: keys whose private half is gone.
        stolen: keys that are known stolen.
        claimed: steps called done, each with the day of its latest sighting.
        noise_floor, proof_days, sighting_days: limits of the policy.
    """

    today: date
    parts: tuple[Part, ...] = ()
    phase: Phase = Phase.NONE
    incident: bool = False
    promoted: bool = False
    pinsets: tuple[Held, ...] = ()
    drops: tuple[Drop, ...] = ()
    endings: tuple[Ending, ...] = ()
    destroyed: frozenset[str] = frozenset()
    stolen: frozenset[str] = frozenset()
    claimed: Mapping[str, date | None] = field(default_factory=dict)
    noise_floor: float = 0.0005
    proof_days: int = 365
    sighting_days: int = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """User-days over the horizon: of users broken beyond what budgets allow, and of users exposed."""

    broken: float = 0.0
    exposed: float = 0.0

    def weighed(self, weight: float) -> float:
        """Give both as one number."""
        return self.broken + weight * self.exposed
