"""The emergency: from what happened to at most five responses, in instants, with what is in doubt and what to do.

Every number is an answer of `rotator.simulate.question`; here they are only compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from rotator.model.policy import Adoption, Count
from rotator.model.when import DAY, HOUR, SECOND, plus
from rotator.plan.alarm import Alarm, Doubt, Emergency, Group, Option, Reissue, Suspected, Weighed
from rotator.plan.choices import ISSUANCE
from rotator.plan.responding import Responding, revocations
from rotator.plan.responses import Responses
from rotator.plan.todo import short, todo_of
from rotator.plan.weighing import horizon, rank
from rotator.simulate.cohorts import Cohort
from rotator.simulate.grammar import Occurrence
from rotator.simulate.impact import BROKEN, EXPOSED, Impact, Row, hits
from rotator.simulate.populations import FLOOR_REACH
from rotator.simulate.question import Answer, Picture, Question, ask
from rotator.simulate.running import can_run
from rotator.simulate.standard import elsewhere
from rotator.simulate.totals import total_of

ASSUMED = Adoption(preset="typical")
"""How clients update of whose app nothing is said."""
MOST = 5
"""Responses that are shown: more are no help at night."""
DOUBTED_REACH = 0.60
"""What a floor is taken to reach where the answer is tried for it."""


def respond(picture: Picture, alarm: Alarm, now: datetime, calendar: Sequence[Occurrence] = ()) -> Emergency:
    """Answer an emergency.

    Args:
        picture: everything read.
        alarm: what happened.
        now: the instant of the session, at which the CA's clock starts.
        calendar: what happens in any case.
    """
    ends = plus(now, alarm.clock)
    picture, assumed = _moving(picture)
    until = horizon(now, picture.policy.limits.emergency_days)
    today = ask(picture, Question(occurrences=(), at=now), calendar)
    whole = today.fleet.population
    answer = Emergency(
        alarm=alarm,
        now=now,
        ends=ends,
        until=until,
        population=None if whole is None else whole.high,
        exposed=today.impact.exposed,
        uncounted=tuple(_uncounted(picture, alarm)),
        counts=_ages(picture, now),
        notes=today.notes,
    )
    if alarm.suspected is not Suspected.YES:
        answer = replace(answer, reissue=_reissue(picture, alarm, now, calendar, today.impact))
    if alarm.suspected is not Suspected.NO and alarm.key:
        answer = _stolen(picture, answer, calendar)
    answer = replace(answer, notes=(*assumed, *answer.notes))
    return replace(answer, todo=tuple(sorted(todo_of(picture, answer), key=lambda todo: todo.latest)))


def _moving(picture: Picture) -> tuple[Picture, tuple[str, ...]]:
    """Give the picture in which every app with releases updates, as a plan has it, and what is assumed for that."""
    still = [name for name, app in picture.policy.apps.items() if app.adoption is None and app.releases]
    if not still:
        return picture, ()
    apps = {name: replace(app, adoption=ASSUMED) if name in still else app for name, app in picture.policy.apps.items()}
    policy = replace(picture.policy, apps=apps)
    made = replace(picture, policy=policy, inventory=replace(picture.inventory, policy=policy))
    return made, tuple(f"assumed: clients of {name} update as `{ASSUMED.preset}`: it has no adoption" for name in still)


# --- the key is sound ------------------------------------------------------------------------------------------------


def _reissue(
    picture: Picture, alarm: Alarm, now: datetime, calendar: Sequence[Occurrence], today: Impact
) -> Reissue | None:
    """Play a new certificate with the same key, from the same issuer and from another one."""
    if not alarm.hosts:
        return None
    at = plus(now, ISSUANCE)
    renewals = tuple(Occurrence(id="renew", parts=(host, "same-key"), at=at) for host in alarm.hosts)
    revoked = revocations(alarm, now)
    after = plus(now, alarm.clock)

    def broken(asked: Picture, actions: Sequence[Occurrence]) -> tuple[Impact, tuple[Row, ...]]:
        impact = ask(asked, Question(occurrences=(*revoked, *actions), at=max(at, after)), calendar).impact
        known = {row.connection.index for row in today.rows if row.verdict.is_broken}
        return impact, tuple(r for r in impact.rows if r.verdict.is_broken and r.connection.index not in known)

    impact, rows = broken(picture, renewals)
    moved = elsewhere(picture, now, alarm.hosts)
    other = None
    other_rows: tuple[Row, ...] = ()
    if moved is not None:
        asked, actions = moved
        other_impact, other_rows = broken(asked, [replace(action, at=at) for action in actions])
        other = total_of(other_impact.fleet, hits(other_rows, *BROKEN))
    return Reissue(
        impact_at=at,
        broken=total_of(impact.fleet, hits(rows, *BROKEN)),
        rows=rows,
        elsewhere=other,
        elsewhere_rows=other_rows,
    )


# --- the key may be stolen -------------------------------------------------------------------------------------------


def _stolen(picture: Picture, answer: Emergency, calendar: Sequence[Occurrence]) -> Emergency:
    work = Responding(picture, answer, calendar)
    space = Responses(work.choices)
    every = tuple(space.parts())
    weighed = {parts: work.weigh(space.made(parts)) for parts in every}
    tried = list(weighed.values())
    target = min(tried, key=lambda w: (w.score, *w.axes)).response.target
    usual = [parts for own in (target, *work.choices.targets) for parts in space.usual(own, every)]
    others = {parts for parts in usual if parts.target != target and parts.when != "late"}
    asked = [weighed[parts] for parts in dict.fromkeys(usual) if parts not in others]
    refused = [work.weigh(response) for response in space.refused()]
    options = rank([*tried, *refused], asked, most=MOST)
    best = next((option.weighed for option in options if option.recommended), None)
    at_once = best.answer.window[0] if best is not None else None
    return replace(
        answer,
        options=options,
        exposed=answer.exposed if at_once is None else at_once.exposed,
        groups=tuple(groups_of(best, answer.until)) if best is not None else (),
        why=tuple(_why(answer, best, tried)) if best is not None else (),
        doubts=tuple(_doubts(work, options)),
        notes=(
            *(f"no build of {app} without the pin: {why}" for app, why in work.choices.unbuildable.items()),
            *(_notes(best.answer) if best is not None else answer.notes),
        ),
    )


def _notes(answer: Answer) -> tuple[str, ...]:
    """Give what was assumed on the way to an answer; what is served later is assumed there."""
    said = [note for impact in answer.window for note in impact.world.notes]
    return tuple(dict.fromkeys(note for note in (*answer.notes, *said) if not note.startswith("not yet at ")))


def groups_of(best: Weighed, until: datetime) -> Iterator[Group]:
    """Give what a response does to each version up to the end of the horizon, the most broken first."""
    answer, fleet = best.answer, best.answer.people.fleet
    inventory, policy = answer.inventory, answer.inventory.policy
    worst = max((i for i in answer.window if i.at <= best.worst_at), key=lambda i: i.at, default=answer.impact)
    last = answer.window[-1]
    end = plus(until, -SECOND)
    first = answer.people.sizes(answer.people.settled(answer.question.at))
    at_worst = answer.people.sizes(answer.people.settled(best.worst_at))
    at_end = answer.people.sizes(answer.people.settled(max(end, answer.question.at)))
    down = hits((r for r in worst.rows if r.verdict.is_broken), *BROKEN)
    down_last = hits((r for r in last.rows if r.verdict.is_broken), *BROKEN)
    open_last = hits((r for r in last.rows if r.verdict.is_exposed), *EXPOSED)
    taken = {
        (c.cohort.app, c.cohort.release) for c in fleet.connections if c.index not in down_last
    }  # some clients of it are served
    indexes: dict[Cohort, list[int]] = {}
    for connection in fleet.connections:
        indexes.setdefault(connection.cohort, []).append(connection.index)
    found: dict[tuple[str, str], list[int | None]] = {}
    for cohort in fleet.cohorts:
        own = indexes.get(cohort, [])
        app = policy.apps[cohort.app]
        good = [r for i, r in enumerate(app.releases) if (cohort.app, i) in taken and i != cohort.release]
        stuck = cohort.app in inventory.policy.apps and not any(can_run(policy, app, cohort, r) for r in good)
        sizes = (
            _high(first, cohort),
            _high(at_worst, cohort) if any(i in down for i in own) else 0,
            _high(at_end, cohort) if any(i in down_last for i in own) else 0,
            _high(at_end, cohort) if any(i in open_last for i in own) else 0,
            _high(at_end, cohort) if stuck and any(i in down_last for i in own) else 0,
        )
        row = found.setdefault((cohort.app, cohort.version), [0] * len(sizes))
        for place, size in enumerate(sizes):
            before = row[place]
            row[place] = None if size is None or before is None else before + size
    rows = [
        Group(app=a, version=v, users=n[0], broken=n[1], broken_last=n[2], exposed_last=n[3], stuck=n[4])
        for (a, v), n in found.items()
        if any(n)
    ]
    yield from sorted(rows, key=lambda g: (-(g.broken or 0), -(g.broken_last or 0), -(g.users or 0)))


def _high(sizes: Mapping[Cohort, Count | None], cohort: Cohort) -> int | None:
    count = sizes[cohort]
    return None if count is None else count.high


def _why(answer: Emergency, best: Weighed, tried: Sequence[Weighed]) -> Iterator[str]:
    """Say which action moves which number, by what the responses without it come to."""
    by_id = {w.response.id: w for w in tried if w.response.target == best.response.target}
    swap = best.response.swap
    sooner = by_id.get("+".join(["swap-now", *best.response.id.split("+")[1:]]))
    if swap is not None and sooner is not None and sooner is not best and best.exposed.high is not None:
        spared = (sooner.worst.high or 0) - (best.worst.high or 0)
        cost = (best.exposed.high or 0) - (sooner.exposed.high or 0)
        hours = int((swap - (sooner.response.swap or swap)) / HOUR)
        cost_said = "costs no exposure" if cost <= 0 else f"costs {short(cost)} user-days of exposure"
        yield f"waiting {hours} h {cost_said} and spares {short(spared)} users at worst; then the CA revokes"
    if swap is not None:
        yield "the swap moves who is broken; it ends no exposure of a client that still accepts the key"
    plain = by_id.get("swap-late") or by_id.get("nothing")
    floor = by_id.get("swap-late+floor")
    if plain is not None and floor is not None and plain is not floor and floor.broken.high is not None:
        less = (plain.broken.high or 0) - floor.broken.high
        yield f"the floor on releases that are out spares {short(less)} user-days of breakage"
    if best.response.releases and (floor or plain) is not None:
        base = floor or plain
        less = (base.exposed.high or 0) - (best.exposed.high or 0) if base is not None else 0
        what = "builds and live pins" if best.response.published else "builds"
        yield f"only {what} without the pin end exposure: {short(less)} user-days less of it"
    ends = [impact.at for impact in best.answer.window if impact.exposed.none]
    if ends:
        yield f"exposure ends by {min(ends):%Y-%m-%d}"
    elif (best.exposed_last.high or 0) > 0:
        yield f"{short(best.exposed_last.high or 0)} users are still exposed on {answer.until:%d %b}"


def _doubts(work: Responding, options: Sequence[Option]) -> Iterator[Doubt]:
    """Try the answer with the assumptions that carry it, the one that moves it most first."""
    permitted = [(n, o.weighed) for n, o in enumerate(options, start=1) if o.standing != "refused"]
    if not permitted or not work.answer.alarm.key:
        return
    slow = _slower(work.picture)
    found = []
    floors = any(o.id == "floor" for _, w in permitted for o in w.response.occurrences)
    if floors:
        known = sorted(
            {o.option("reach") or "" for _, w in permitted for o in w.response.occurrences if o.id == "floor"}
        )
        now = " and ".join(f"{float(reach or FLOOR_REACH):.0%}".replace("%", " %") for reach in known)
        found.append(
            _doubt(work, permitted, f"floors reach {now}", f"at {DOUBTED_REACH:.0%}".replace("%", " %"), work.picture)
        )
    if slow is not None:
        found.append(_doubt(work, permitted, "update speed is a preset", "with `slow`", slow, floors=False))
    first = permitted[0][1]
    yield from sorted(found, key=lambda d: -abs(_sum(d) - (first.axes[0] + first.axes[1])))


def _sum(doubt: Doubt) -> int:
    return (doubt.broken.high or 0) + (doubt.exposed.high or 0)


def _doubt(
    work: Responding,
    permitted: Sequence[tuple[int, Weighed]],
    text: str,
    otherwise: str,
    picture: Picture,
    *,
    floors: bool = True,
) -> Doubt:
    weighed = []
    for number, own in permitted:
        response = own.response
        if floors:
            actions = tuple(_reaching(o) for o in response.occurrences)
            response = replace(response, occurrences=actions)
        weighed.append((number, work.weigh(response, picture)))
    order = tuple(number for number, w in sorted(weighed, key=lambda pair: (pair[1].score, pair[0])))
    was = tuple(number for number, w in sorted(permitted, key=lambda pair: (pair[1].score, pair[0])))
    first = weighed[0][1]
    return Doubt(
        text=text,
        otherwise=otherwise,
        broken=first.broken,
        exposed=first.exposed,
        order=order,
        turns=order[0] != was[0],
    )


def _reaching(action: Occurrence) -> Occurrence:
    if action.id != "floor":
        return action
    options = tuple((name, f"{DOUBTED_REACH:g}" if name == "reach" else value) for name, value in action.options)
    return replace(action, options=options)


def _slower(picture: Picture) -> Picture | None:
    """Give the picture in which apps whose curve is a preset update slowly; None where none has one that is faster."""
    apps = dict(picture.policy.apps)
    for name, app in apps.items():
        if app.adoption is not None and app.adoption.preset in ("fast", "typical"):
            apps[name] = replace(app, adoption=Adoption(preset="slow"))
    if apps == dict(picture.policy.apps):
        return None
    policy = replace(picture.policy, apps=apps)
    return replace(picture, policy=policy, inventory=replace(picture.inventory, policy=policy))


# --- beside the numbers ----------------------------------------------------------------------------------------------


def _uncounted(picture: Picture, alarm: Alarm) -> Iterator[str]:
    for host in alarm.hosts:
        others = picture.policy.hosts[host].other_clients
        if others:
            yield f"{host}: {others}"
    days = picture.policy.limits.deploy_days
    if alarm.chains and days * DAY > alarm.clock:
        yield (
            f"serving everywhere takes {days:g} days (deploy_days), the CA revokes in {alarm.clock / HOUR:g} hours: "
            "who asks about revocation breaks at the places that are late"
        )


def _ages(picture: Picture, now: datetime) -> dict[str, int]:
    """Give how many days ago the clients of each app were counted."""
    policy = picture.policy
    days = {name: policy.counted(name) for name in policy.apps}
    return {name: (now.date() - day).days for name, day in days.items() if day is not None}
