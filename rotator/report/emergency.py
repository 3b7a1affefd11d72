"""The emergency: as JSON for programs, as a document for somebody half asleep, and as a text to paste into a chat."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rotator.model.names import some
from rotator.model.when import HOUR, iso
from rotator.plan.alarm import Doubt, Emergency, Group, Option, Reissue, Suspected, UserDays, Weighed
from rotator.report.document import (
    Block,
    Bullets,
    Code,
    Document,
    Heading,
    Json,
    Paragraph,
    Table,
    compact,
    number,
    percent,
    span,
)
from rotator.report.simulation import total_json
from rotator.simulate.totals import Total

SCHEMA = 1
LONGEST = 900
"""Characters of the text for a chat, at most."""
OLD_DAYS = 30
"""Counts older than this are said to be old before anything else."""
MOST_GROUPS = 8


def to_json(found: Emergency, policy: str, digest: str) -> Json:
    """Give an emergency as plain JSON values; see `docs/now.schema.json`."""
    alarm = found.alarm
    return {
        "schema": SCHEMA,
        "policy": {"name": policy, "sha256": digest},
        "what": alarm.said,
        "key": alarm.key or None,
        "hosts": list(alarm.hosts),
        "chains": list(alarm.chains),
        "key_suspected": str(alarm.suspected),
        "at": iso(found.now),
        "clock_ends": iso(found.ends),
        "until": iso(found.until),
        "population": found.population,
        "exposed": total_json(found.exposed),
        "reissue": None if found.reissue is None else _reissue_json(found.reissue),
        "responses": [_option_json(option) for option in found.options],
        "cohorts": [
            {
                "app": g.app,
                "version": g.version,
                "clients": g.users,
                "broken": g.broken,
                "broken_last": g.broken_last,
                "exposed_last": g.exposed_last,
                "stuck": g.stuck,
            }
            for g in found.groups
        ],
        "why": list(found.why),
        "doubts": [
            {
                "assumed": d.text,
                "otherwise": d.otherwise,
                "broken_user_days": _days_json(d.broken),
                "exposed_user_days": _days_json(d.exposed),
                "order": list(d.order),
                "turns": d.turns,
            }
            for d in found.doubts
        ],
        "not_counted": list(found.uncounted),
        "counts_days_old": dict(found.counts),
        "todo": [{"latest": iso(t.latest), "what": t.what, "undo": t.undo} for t in found.todo],
        "chat": chat(found, policy),
        "because": {"notes": list(found.notes)},
    }


def _reissue_json(own: Reissue) -> Json:
    return {
        "at": iso(own.impact_at),
        "broken": total_json(own.broken),
        "broken_by_other_issuer": None if own.elsewhere is None else total_json(own.elsewhere),
        "who": sorted({row.connection.cohort.name for row in own.rows}),
        "who_by_other_issuer": sorted({row.connection.cohort.name for row in own.elsewhere_rows}),
    }


def _option_json(option: Option) -> Json:
    own = option.weighed
    return {
        "id": own.response.id,
        "title": own.response.title,
        "standing": option.standing,
        "recommended": option.recommended,
        "refused": str(own.response.refused) or None,
        "serves": own.response.target or None,
        "swap": None if own.response.swap is None else iso(own.response.swap),
        "actions": [occurrence.text for occurrence in own.response.occurrences],
        "releases": [{"app": c.app, "version": c.version, "at": iso(c.at)} for c in own.response.releases],
        "worst": {"at": iso(own.worst_at), **total_json(own.worst)},
        "broken_user_days": _days_json(own.broken),
        "exposed_user_days": _days_json(own.exposed),
        "score": own.score,
        "broken_last": total_json(own.broken_last),
        "exposed_last": total_json(own.exposed_last),
        "unsure": own.uncertain,
    }


def _days_json(days: UserDays) -> Json:
    data: Json = {"user_days": days.high}
    return data if days.low == days.high else {**data, "low": days.low, "high": days.high}


# --- for people ------------------------------------------------------------------------------------------------------


def to_document(found: Emergency, policy: str, weight: float) -> Document:
    """Write an emergency for people: the answer, the responses, who, why, doubt, next, what to do, a text to paste."""
    return Document(f"{policy}: {what_of(found)}, {instant(found.now)}", tuple(_blocks(found, policy, weight)))


def what_of(found: Emergency) -> str:
    """Say in a few words what happened."""
    alarm = found.alarm
    if not alarm.from_ca:
        said = {Suspected.UNKNOWN: "may be stolen", Suspected.NO: "needs another certificate"}
        return f"{alarm.key} {said.get(alarm.suspected, 'stolen')}"
    return f"the CA revokes {some(alarm.chains) or alarm.said}"


def _blocks(found: Emergency, policy: str, weight: float) -> Iterator[Block]:
    alarm = found.alarm
    if alarm.chains:
        left = f"{int(alarm.clock / HOUR)} h from now: {instant(found.ends)}"
        yield Paragraph(f"CA clock ends {left}. Key suspected: {alarm.suspected}.", strong=True)
    old = old_counts(found)
    if old:
        yield Paragraph(old, strong=True)
    if alarm.suspected is Suspected.UNKNOWN and found.options and found.reissue is not None:
        yield Paragraph(
            "Unknown counts as stolen. What decides it: did anybody but our servers ever have the private key or a "
            "backup of it, and does the CA say why it revokes? Surely not: do A. Else: do B.",
            strong=True,
        )
        yield Heading("A  if the key is surely safe")
    if found.reissue is not None:
        yield from _reissue(found.reissue)
        if found.uncounted and not found.options:
            yield Bullets(tuple(f"NOT COUNTED: {text}" for text in found.uncounted))
    elif not alarm.hosts and alarm.suspected is not Suspected.YES:
        yield Paragraph("No host serves it, so nobody breaks.", strong=True)
    if found.options:
        if found.reissue is not None:
            yield Heading("B  if it is not, or nobody knows")
        yield from _stolen(found, weight)
    yield Heading("to do, by latest start")
    yield Table(
        ("latest", "what", "undo"),
        tuple((instant(todo.latest), todo.what, todo.undo) for todo in found.todo),
        wide="what",
    )
    yield Heading("to paste")
    yield Code(tuple(chat(found, policy).splitlines()))
    yield Heading("what this stands on")
    yield Bullets((*_stands(found), *found.notes))


def _reissue(own: Reissue) -> Iterator[Block]:
    yield Paragraph(f"Reissue with the same key: {users_of(own.broken)} break. No pin on a key notices.", strong=True)
    if own.rows:
        yield Paragraph(
            f"They pin the whole certificate: {some(sorted({r.connection.cohort.name for r in own.rows}))}."
        )
    if own.elsewhere is not None:
        fresh = {r.connection.cohort.name for r in own.elsewhere_rows} - {r.connection.cohort.name for r in own.rows}
        who = f": {some(sorted(fresh))}" if fresh else ""
        more = (own.elsewhere.high or 0) > (own.broken.high or 0)
        yield Paragraph(
            f"{'Insist on the same issuer: from' if more else 'From'} another CA {users_of(own.elsewhere)} break{who}."
        )


def _stolen(found: Emergency, weight: float) -> Iterator[Block]:
    yield Paragraph(f"Exposed now: {users_of(found.exposed)}.", strong=True)
    yield Paragraph("A new key on the servers ends no exposure: it moves only who is broken. Days are user-days.")
    yield _table(found, weight)
    for n, option in enumerate(found.options, start=1):
        if option.standing == "refused":
            yield Paragraph(f"{n} is refused: {option.weighed.response.refused}.")
    best = found.best
    if best is None:
        yield Paragraph("No permitted response is left.", strong=True)
        return
    if any(option.weighed.uncertain for option in found.options):
        yield Paragraph("Ranges turn on what clients make of a revocation; the worse end is compared.")
    yield Heading("1 by version")
    shown = found.groups[:MOST_GROUPS]
    more = len(found.groups) - len(shown)
    yield Table(
        ("version", "users", "broken", "broken at the end", "of them stuck*", "exposed at the end"),
        tuple(
            (version_of(g), *map(number, (g.users, g.broken, g.broken_last, g.stuck, g.exposed_last))) for g in shown
        ),
        right=("users", "broken", "broken at the end", "of them stuck*", "exposed at the end"),
    )  # fmt: skip
    left = f"; {more} more versions with --json" if more > 0 else ""
    yield Paragraph(
        f"* their system is too old for any release that would serve them{left}. The end: {show_day(found.until)}."
    )
    said = [("WHY", text) for text in found.why]
    said += [("NOT COUNTED", text) for text in found.uncounted]
    said += [("DOUBT", doubt_of(doubt)) for doubt in found.doubts[:2]]
    said += [("NEXT", " - then ".join(todo.what for todo in found.todo[:3]))]
    yield Heading("why, and what is in doubt")
    yield Bullets(tuple(f"{label}: {text}" for label, text in said))


def version_of(group: Group) -> str:
    """Name the users of a version."""
    return f"{group.app} {group.version}".removesuffix(" -")


def _table(found: Emergency, weight: float) -> Table:
    sums = f"sum x{weight:g}"
    return Table(
        ("", "response", "at worst", "share", "broken days", "exposed days", sums),
        tuple(_line(n, option, weight) for n, option in enumerate(found.options, start=1)),
        right=("at worst", "share", "broken days", "exposed days", sums),
        wide="response",
    )


def size_of(own: Weighed, weight: float) -> str:
    """Show the sum that responses are put in order by: user-days broken, and exposed times its weight."""
    if own.broken.high is None or own.exposed.high is None:
        return "?"
    size = round(own.broken.high + weight * own.exposed.high)
    return compact(size, size)


def _line(n: int, option: Option, weight: float) -> tuple[str, ...]:
    own = option.weighed
    mark = {"refused": "  REFUSED", "dominated": "  worse than 1"}.get(option.standing, "")
    sign = ">" if option.recommended else " "
    return (
        f"{sign}{n}",
        own.response.title + mark,
        span(own.worst.low, own.worst.high),
        percent(own.worst.share),
        days_of(own.broken),
        days_of(own.exposed),
        size_of(own, weight),
    )


def days_of(days: UserDays) -> str:
    """Show user-days in a few cells."""
    if days.low is None or days.high is None:
        return "?"
    return f"0-{compact(days.high, days.high)}" if days.low == 0 < days.high else compact(days.low, days.high)


def doubt_of(doubt: Doubt) -> str:
    """Say what is assumed, and what becomes of the answer where it is worse."""
    numbers = f"1 breaks {days_of(doubt.broken)} user-days and exposes {days_of(doubt.exposed)}"
    order = f"{doubt.order[0]} is the best then" if doubt.turns else "the same one is the best"
    return f"{doubt.text}, assumed; {doubt.otherwise} {numbers}, {order}"


def _stands(found: Emergency) -> Iterator[str]:
    yield "every number is an answer of `rotator simulate` to the actions of its row, added up over the horizon"
    ages = sorted(set(found.counts.values()))
    if ages:
        said = f"{ages[0]}" if len(ages) == 1 else f"{ages[0]} to {ages[-1]}"
        yield f"clients were counted {said} days ago, and are moved to today by each app's curve"


def old_counts(found: Emergency) -> str:
    """Say that counts are old, "" where they are not."""
    old = {name: days for name, days in found.counts.items() if days > OLD_DAYS}
    if not old:
        return ""
    said = some([f"{name} {days} DAYS OLD" for name, days in old.items()])
    return f"COUNTS ARE OLD: {said}. Numbers are forecasts from then; rotator fleet POLICY FILE takes a fresh export."


def users_of(total: Total) -> str:
    """Show users with their share."""
    if total.none:
        return "0 users"
    if total.high is None:
        return "an unknown number of users"
    return f"{span(total.low, total.high)} users ({percent(total.share)})"


def instant(at: datetime) -> str:
    """Show an instant as it is said at night."""
    return f"{at:%a %d %b %H:%MZ}"


def show_day(at: datetime) -> str:
    """Show a day as it is said."""
    return f"{at:%d %b %Y}"


def chat(found: Emergency, policy: str) -> str:
    """Write a plain text to paste: facts, numbers, what is to be decided, by when, who. Shorter than `LONGEST`."""
    alarm = found.alarm
    lines = [f"{policy}: {what_of(found)} ({instant(found.now)})"]
    if alarm.chains:
        lines.append(f"CA clock ends {instant(found.ends)}. Key suspected: {alarm.suspected}.")
    if found.reissue is not None:
        lines.append(f"If the key is safe: reissue with the same key, {users_of(found.reissue.broken)} break.")
    best = found.best
    if best is not None:
        own = best.weighed
        lines.append(f"If stolen or unknown: {own.response.title}.")
        lines.append(f"Broken at worst: {users_of(own.worst)} at {instant(own.worst_at)}.")
        lines.append(
            f"Exposed now: {users_of(found.exposed)}; on {show_day(found.until)}: {users_of(own.exposed_last)}."
        )
        hit = [version_of(g) for g in found.groups if g.broken]
        if hit:
            lines.append(f"Hit: {some(hit)}.")
    if alarm.suspected is Suspected.UNKNOWN:
        lines.append("To decide: is the key surely safe? Unknown counts as stolen.")
    when = best.weighed.response.swap if best is not None else None
    if found.todo:
        first = found.todo[0]
        lines.append(f"Next: {first.what}, by {instant(first.latest)}.")
    if when is not None:
        lines.append(f"Decision by {instant(when)}: owner of the keys and duty manager.")
    if old_counts(found):
        lines.append(f"Counts are up to {max(found.counts.values())} days old.")
    while len("\n".join(lines)) >= LONGEST and len(lines) > 3:
        lines.pop(-2)
    return "\n".join(lines)[: LONGEST - 1]
