"""What a response comes to: users broken and exposed, times the time it lasts, over the horizon of an emergency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from rotator.model.when import DAY, HOUR, SECOND, plus, start_of
from rotator.plan.alarm import Option, Response, UserDays, Weighed
from rotator.plan.carrying import with_published
from rotator.plan.draft import with_carriers
from rotator.simulate.grammar import Occurrence
from rotator.simulate.impact import BROKEN, EXPOSED, Impact
from rotator.simulate.question import Answer, Desk, Picture, Question, ask
from rotator.simulate.totals import Total, total_of

FINE = 6 * HOUR
"""How often users are counted in the first days, in which most of them move; later once a day."""
FINE_FOR = 2 * DAY
SECONDS_A_DAY = 86_400


def weigh(
    picture: Picture,
    response: Response,
    events: Sequence[Occurrence],
    calendar: Sequence[Occurrence],
    *,
    now: datetime,
    until: datetime,
    weight: float,
    desk: Desk | None = None,
) -> Weighed:
    """Play a response and add up what it comes to.

    Args:
        picture: everything read.
        response: what is done.
        events: what happened.
        calendar: what happens in any case.
        now: the first instant that counts.
        until: the end of the horizon.
        weight: what a user-day of exposure weighs beside one of breakage.
        desk: what was worked out for the same releases and live pins (`desk_for`).
    """
    desk = desk or desk_for(picture, response)
    question = Question(occurrences=(*events, *response.occurrences), at=now, until=plus(until, -SECOND))
    return weighed(response, ask(desk.picture, question, calendar, desk=desk, daily=False), until, weight)


def desk_for(picture: Picture, response: Response) -> Desk:
    """Make the desk for every response with the same releases and live pins."""
    if response.releases or response.published:
        inventory = with_published(with_carriers(picture.inventory, response.releases), response.published)
        picture = replace(picture, inventory=inventory, policy=inventory.policy)
    return Desk(picture, quick=True)


def weighed(response: Response, answer: Answer, until: datetime, weight: float) -> Weighed:
    """Add up an answer from its instant to the end of a horizon.

    Between two instants at which something may change, users are those of the first one; they are counted anew every
    few hours at first, later every day. Parts of a user-day are rounded up once, in the sum. The days of
    `simulate --until`, which count whoever is hit at any instant of a day for all of it, add up to no less.
    """
    now = answer.question.at
    window = [impact for impact in answer.window if impact.at < until] or [answer.impact]
    people = answer.people
    seconds = {name: [0, 0, 0] for name in ("broken", "exposed")}
    known = True
    worst, worst_at = _total(answer, window[0], now, "broken"), now
    hit = {(impact.at, name): _hits(impact, name) for impact in window for name in seconds}
    marks = _marks(now, until, (impact.at for impact in window))
    for start, end in zip(marks, [*marks[1:], until], strict=True):
        impact = max((i for i in window if i.at <= start), key=lambda i: i.at, default=window[0])
        fleet = people.fleet_at(people.settled(start))
        lasts = int((end - start) / SECOND)
        for name, sums in seconds.items():
            hits = hit[impact.at, name]
            total = total_of(fleet, hits)
            sums[2] += lasts * len(hits)
            if total.low is None or total.high is None:
                known = False
                continue
            sums[0] += lasts * total.low
            sums[1] += lasts * total.high
            if name == "broken" and (worst.high or 0) < total.high:
                worst, worst_at = total, start
    place = 1 if known else 2
    axes = (_days(seconds["broken"][place]), _days(seconds["exposed"][place]))
    last = window[-1]
    end = people.settled(plus(until, -SECOND))
    return Weighed(
        response=response,
        answer=answer,
        worst=worst,
        worst_at=worst_at,
        broken=_user_days(seconds["broken"], known=known),
        exposed=_user_days(seconds["exposed"], known=known),
        broken_last=_total(answer, last, end, "broken"),
        exposed_last=_total(answer, last, end, "exposed"),
        score=axes[0] + weight * axes[1],
        axes=axes,
    )


def seen_at(own: Weighed, at: datetime) -> tuple[Impact, Total, Total]:
    """Give what a response comes to at an instant of the horizon: the verdicts, users broken, and users exposed.

    Users are counted at that very instant, as `weighed` counts them for its sums.
    """
    answer = own.answer
    window = answer.window or (answer.impact,)
    impact = max((i for i in window if i.at <= at), key=lambda i: i.at, default=window[0])
    settled = answer.people.settled(at)
    return impact, _total(answer, impact, settled, "broken"), _total(answer, impact, settled, "exposed")


def _marks(now: datetime, until: datetime, changes: Iterable[datetime]) -> list[datetime]:
    """Give the instants at which users are counted."""
    found = {now, *(at for at in changes if now <= at < until)}
    at = now
    while at < min(plus(now, FINE_FOR), until):
        found.add(at)
        at = plus(at, FINE)
    day = plus(start_of(now.date()), DAY)
    while day < until:
        found.add(day)
        day = plus(day, DAY)
    return sorted(found)


def _hits(impact: Impact, name: str) -> Mapping[int, bool]:
    return impact.hit(*(BROKEN if name == "broken" else EXPOSED))


def _total(answer: Answer, impact: Impact, settled: datetime, name: str) -> Total:
    return total_of(answer.people.fleet_at(settled), _hits(impact, name))


def _user_days(sums: Sequence[int], *, known: bool) -> UserDays:
    return UserDays(low=_days(sums[0]), high=_days(sums[1])) if known else UserDays(low=None, high=None)


def _days(seconds: int) -> int:
    return -(-seconds // SECONDS_A_DAY)


def rank(found: Sequence[Weighed], asked: Sequence[Weighed] | None = None, *, most: int) -> tuple[Option, ...]:
    """Put responses into the order in which they are shown.

    First the front, which nothing permitted beats in both ways, by score; then what people ask about though it is
    beaten, as it was given; then what is refused. The first of the front is recommended, never a refused one.

    Args:
        found: the responses that were weighed, refused ones among them.
        asked: those of them that people ask about, which are shown though they are beaten; None for all.
        most: rows in all; refused ones keep their place, one at least.
    """
    permitted = _unlike([w for w in found if not w.response.refused])
    refused = [w for w in found if w.response.refused]
    front = sorted((w for w in permitted if not any(o.beats(w) for o in permitted)), key=lambda w: (w.score, *w.axes))
    usual = permitted if asked is None else [w for w in asked if any(w is own for own in permitted)]
    beaten = [w for w in usual if not any(w is own for own in front)]
    kept = refused[: max(1, most - len(front) - len(beaten))] if refused else []
    rows = [Option(weighed=w, standing="front", recommended=n == 0) for n, w in enumerate(front)]
    rows += [Option(weighed=w, standing="dominated") for w in beaten]
    return (*rows[: most - len(kept)], *(Option(weighed=w, standing="refused") for w in kept))


def _unlike(found: Sequence[Weighed]) -> list[Weighed]:
    """Leave one of several that come to the same: the one with the least to do."""
    best: dict[tuple[int, int], Weighed] = {}
    for own in found:
        other = best.get(own.axes)
        if other is None or own.response.effort < other.response.effort:
            best[own.axes] = own
    return [own for own in found if best[own.axes] is own]


def saved(one: UserDays, other: UserDays) -> int | None:
    """Give the user-days that one response spares over another, by the upper numbers."""
    return None if one.high is None or other.high is None else other.high - one.high


def horizon(now: datetime, days: int) -> datetime:
    """Give the end of the horizon."""
    return plus(now, timedelta(days=days))
