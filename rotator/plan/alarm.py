"""What an emergency is about, and what it comes to: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from rotator.plan.carrying import Publication
from rotator.plan.draft import Carrier
from rotator.simulate.grammar import Occurrence
from rotator.simulate.impact import Row
from rotator.simulate.question import Answer
from rotator.simulate.totals import Total

LEAST = 10
"""User-days, or a thousandth of them, that make no difference: rounding whole users moves as many."""


class Suspected(StrEnum):
    """Whether somebody else may hold the private key; unknown counts as yes."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What happened, looked up.

    Attributes:
        said: what somebody gave, in his words.
        key: our key that it is about; "" where the certificate is of no key of ours.
        hosts: the hosts that serve it, by label.
        chains: the chains of it that hosts serve.
        suspected: whether the private key is out.
        clock: the time until the CA revokes.
        from_ca: a CA told us, so that the clock runs in any case.
    """

    said: str
    key: str
    hosts: tuple[str, ...]
    chains: tuple[str, ...]
    suspected: Suspected
    clock: timedelta
    from_ca: bool


class Refused(StrEnum):
    """Why a response is never recommended."""

    KEPT = "the key may be stolen: serving it past the CA's clock is against the subscriber agreement"
    SAME_KEY = "a new certificate for a stolen key mends nothing: whoever holds the key is accepted as before"
    NONE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One way to answer.

    Attributes:
        id: stable: what it does, joined by `+`.
        title: the same in a line.
        target: the chain or key that is served in the end, "" where nothing changes.
        swap: when it is served; None where nothing changes.
        occurrences: what is done, as `rotator simulate` takes it.
        releases: builds that are made for it.
        published: live pins that are published for it, in order.
        floors: which apps are pushed to which versions, from when on.
        refused: why it must not be done.
    """

    id: str
    title: str
    target: str = ""
    swap: datetime | None = None
    occurrences: tuple[Occurrence, ...] = ()
    releases: tuple[Carrier, ...] = ()
    published: tuple[Publication, ...] = ()
    refused: Refused = Refused.NONE

    @property
    def effort(self) -> int:
        """Count what has to be done."""
        return len(self.occurrences) + len(self.releases)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDays:
    """Users times days, in whole ones: each user counts for the time for which it lasts; None: unknown."""

    low: int | None
    high: int | None


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """A response with what it comes to over the horizon.

    Attributes:
        response: which.
        answer: the answer of `rotator.simulate.question` it is taken from.
        worst, worst_at: users broken at the worst instant.
        broken, exposed: user-days; those lost count in both.
        broken_last, exposed_last: users at the end of the horizon.
        score: broken + w * exposed, by the upper numbers; of connections where nobody knows how many users.
        axes: the two numbers that the score is made of.
    """

    response: Response
    answer: Answer
    worst: Total
    worst_at: datetime
    broken: UserDays
    exposed: UserDays
    broken_last: Total
    exposed_last: Total
    score: float
    axes: tuple[int, int]

    @property
    def uncertain(self) -> bool:
        """Say whether it turns on what clients make of a revocation, or on anything else that nobody can know."""
        return any(row.unsure for impact in self.answer.window for row in impact.rows)

    def beats(self, other: Weighed) -> bool:
        """Say whether it is no worse in either way, as far as such numbers bear a difference, and better in the sum."""
        close = (a <= b + max(LEAST, b // 1000) for a, b in zip(self.axes, other.axes, strict=True))
        return all(close) and self.score < other.score


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A row of the answer: a weighed response, `front`, `dominated` or `refused`."""

    weighed: Weighed
    standing: str
    recommended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reissue:
    """The answer where the key is sound: the same key in a new certificate.

    Attributes:
        impact_at: when.
        broken: users who refuse it from the same issuer, and do not refuse what is served today.
        rows: who they are.
        elsewhere: the same from another issuer; None where none is known that all clients trust.
        elsewhere_rows: who they are.
    """

    impact_at: datetime
    broken: Total
    rows: tuple[Row, ...]
    elsewhere: Total | None
    elsewhere_rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The users of one version under the recommended response.

    Attributes:
        users: today.
        broken: at the worst instant; `broken_last`, `exposed_last`: at the end of the horizon.
        stuck: of those, how many have a system that no good release runs on.
    """

    app: str
    version: str
    users: int | None
    broken: int | None
    broken_last: int | None
    exposed_last: int | None
    stuck: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """An assumption, and what becomes of the answer where it is worse.

    Attributes:
        text: what is assumed.
        otherwise: what is tried instead.
        broken, exposed: user-days of the first option then.
        order: the rows of the options by score then.
        turns: another option is the best then.
    """

    text: str
    otherwise: str
    broken: UserDays
    exposed: UserDays
    order: tuple[int, ...]
    turns: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """One thing to do: when it has to have begun, and how it is taken back."""

    latest: datetime
    what: str
    undo: str


@dataclass(frozen=True, kw_only=True)
class Emergency:
    """The whole answer.

    Attributes:
        alarm: what happened.
        now, ends, until: the instant, the end of the CA's clock, and the end of the horizon.
        population: everybody, by the forecast for now; None: unknown.
        exposed: those exposed before anything is done.
        reissue: the answer where the key is sound; None where it is not asked about.
        options: the responses where it is not, in order; none where it is not asked about.
        groups: who is hit by the recommended one.
        why: which action moves what.
        doubts: the one that matters most first.
        uncounted: what no number holds.
        todo: by latest start.
        counts: days on which clients were counted, by app.
        notes: what was assumed.
    """

    alarm: Alarm
    now: datetime
    ends: datetime
    until: datetime
    population: int | None
    exposed: Total
    reissue: Reissue | None = None
    options: tuple[Option, ...] = ()
    groups: tuple[Group, ...] = ()
    why: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    uncounted: tuple[str, ...] = ()
    todo: tuple[Todo, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> Option | None:
        """Give the recommended option."""
        return next((option for option in self.options if option.recommended), None)
