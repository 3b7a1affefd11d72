"""The responses to a stolen key: every combination of what is served when, floors, builds and live pins.

What is compared is a space that is gone through whole, so that the front is the front of all of it:

- what is served: each chain or key that could take the place of the stolen one;
- when: at once, the last hour that leaves a margin before the CA's clock ends, each midnight between (builds count from
  one), the hour at which live pins have reached whom they reach, and each instant at which a verdict changes. Between
  two of these a later swap breaks fewer, as people only leave old releases, and exposes no more; where live pins lose
  the stolen key with the swap, each hour trades one for the other, and no hour between is better than both of its ends;
- live pins, and builds without the stolen key: with them or without;
- floors: none, on releases that are out, on the builds, or on both; soft or hard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from rotator.model.when import DAY, plus, start_of
from rotator.plan.alarm import Refused, Response
from rotator.plan.choices import ISSUANCE, Choices, Push, hour
from rotator.plan.draft import Carrier
from rotator.simulate.grammar import Occurrence
from rotator.simulate.question import Question, ask


class Floors(StrEnum):
    """Where floors are raised."""

    NONE = ""
    OUT = "on releases that are out"
    BUILT = "on the builds"
    BOTH = "on both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a response is made of.

    Attributes:
        target: what is served in the end, "" where nothing changes.
        when: the word for the instant: `late`, `now`, `reached`, `day1` and on, `change1` and on; "" for no swap.
        swap: the instant.
        live, built: whether live pins are published, and builds made.
        floors, hard: the floors.
    """

    target: str
    when: str = ""
    swap: datetime | None = None
    live: bool = False
    built: bool = False
    floors: Floors = Floors.NONE
    hard: bool = False


class Responses:
    """The space of responses to one alarm."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices

    def parts(self) -> Iterator[Parts]:
        """Go through the space."""
        for target in self.choices.targets:
            now = self.choices.floors(target) if target else ()
            for when, swap in self.swaps(target):
                builds = self.choices.builds(target, swap)
                live = self.choices.live(target, swap)
                for published in (False, True) if live else (False,):
                    for built in (False, True) if builds else (False,):
                        then = self.choices.pushes(builds) if built else ()
                        for floors in _floors(now, then):
                            for hard in (False, True) if floors else (False,):
                                yield Parts(
                                    target=target,
                                    when=when,
                                    swap=swap,
                                    live=published,
                                    built=built,
                                    floors=floors,
                                    hard=hard,
                                )

    def swaps(self, target: str) -> list[tuple[str, datetime | None]]:
        """Give the instants at which a target may be served, each with its word; of two that are as good the first."""
        if not target:
            return [("", None)]
        first, last = self.choices.at_once(target), self.choices.late(target)
        found: dict[datetime, str] = {last: "late", first: "now"}
        reached = [own.done for own in self.choices.live(target, last) if not own.pins.drops]
        if reached and first < (there := hour(max(reached), up=True)) < last:
            found.setdefault(there, "reached")
        day, number = plus(start_of(first.date()), DAY), 1
        while day < last:
            if day > first:
                found.setdefault(day, f"day{number}")
            day, number = plus(day, DAY), number + 1
        for number, at in enumerate(self._changes(first, last), start=1):
            found.setdefault(at, f"change{number}")
        return [(word, at) for at, word in found.items()]

    def _changes(self, first: datetime, last: datetime) -> list[datetime]:
        """Give the instants between two at which a verdict changes where nothing is done."""
        if last <= first:
            return []
        question = Question(occurrences=self.choices.events, at=self.choices.now, until=last)
        window = ask(self.choices.picture, question, self.choices.calendar).window
        return sorted({impact.at for impact in window if first < impact.at < last})

    def usual(self, target: str, every: Sequence[Parts]) -> Iterator[Parts]:
        """Give what people ask about: everything late, at once, and once live pins are there; then with less done.

        Less is: floors on what is out alone, nothing but the swap, no floor; and hard floors.

        Args:
            target: what is served.
            every: the space.
        """
        own = [parts for parts in every if parts.target == target]
        for when in ("late", "now", "reached", ""):
            full = [parts for parts in own if parts.when == when and not parts.hard]
            if full:
                yield max(full, key=_size)
        late = [parts for parts in own if parts.when in ("late", "")] or [parts for parts in own if parts.when == "now"]
        live = any(parts.live for parts in late)
        built = any(parts.built for parts in late)
        for parts in late:
            if built and parts.live == live and not parts.built and not parts.hard and parts.floors is Floors.OUT:
                yield parts
        yield from (p for p in late if not p.live and not p.built and p.floors is Floors.NONE)
        yield from (p for p in late if built and p.live == live and p.built and p.floors is Floors.NONE)
        hard = [parts for parts in late if parts.hard]
        if hard:
            yield max(hard, key=_size)

    def made(self, parts: Parts) -> Response:
        """Make a response of its parts."""
        choices, target, swap = self.choices, parts.target, parts.swap
        builds: tuple[Carrier, ...] = choices.builds(target, swap) if parts.built else ()
        published = choices.live(target, swap) if parts.live else ()
        now: tuple[Push, ...] = ()
        if parts.floors in (Floors.OUT, Floors.BOTH):
            now = tuple(replace(push, hard=parts.hard) for push in choices.floors(target))
        then = choices.pushes(builds, hard=parts.hard) if parts.floors in (Floors.BUILT, Floors.BOTH) else ()
        ids = [f"swap-{parts.when}"] if swap is not None else []
        said = []
        if swap is not None:
            said.append(f"swap {swap:%d %H:%MZ}" + (f" to {target}" if len(choices.targets) > 1 else ""))
        if published:
            ids.append("live")
            said.append("live pins")
        if builds:
            ids.append("builds")
            said.append("new builds")
        pushes = [*now, *then]
        if pushes:
            both = parts.floors is Floors.BOTH
            out = parts.floors is Floors.BUILT and bool(target) and bool(choices.floors(target))
            name = "floors" if both else "floor-builds" if out else "floor"
            ids.append(f"hard-{name}" if parts.hard else name)
            word = "hard floors" if parts.hard else "floors"
            said.append(f"{word} {', '.join(dict.fromkeys(push.version for push in pushes))}")
        elif swap is not None or builds or published:
            said.append("no floor")
        return Response(
            id="+".join(ids) or "nothing",
            title=", ".join(said) or "nothing",
            target=target,
            swap=swap,
            occurrences=(
                *choices.as_actions(now),
                *choices.serves(target, swap),
                *choices.as_actions(then),
                *(own.action for own in published),
            ),
            releases=builds,
            published=published,
        )

    def refused(self) -> Iterator[Response]:
        """Give what must not be done, each with its reason."""
        choices = self.choices
        if not choices.alarm.hosts:
            return
        yield Response(id="keep", title="keep the revoked chain", refused=Refused.KEPT)
        at = plus(choices.now, ISSUANCE)
        yield Response(
            id="same-key",
            title="reissue with the same key",
            occurrences=tuple(Occurrence(id="renew", parts=(host, "same-key"), at=at) for host in choices.alarm.hosts),
            swap=at,
            refused=Refused.SAME_KEY,
        )


def _floors(now: Sequence[Push], then: Sequence[Push]) -> list[Floors]:
    found = [Floors.NONE]
    found += [Floors.OUT] if now else []
    found += [Floors.BUILT] if then else []
    return [*found, Floors.BOTH] if now and then else found


def _size(parts: Parts) -> int:
    """Count what is done."""
    return 2 * parts.live + 2 * parts.built + list(Floors).index(parts.floors)
