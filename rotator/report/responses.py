"""One response to an emergency in words: in few cells for a table, and in full with where its numbers come from."""

from __future__ import annotations

from rotator.plan.alarm import Doubt, Emergency, Option, Todo
from rotator.report.document import Block, Bullets, Document, Facts, Heading, Paragraph, compact
from rotator.report.emergency import days_of, doubt_of, instant, size_of, users_of
from rotator.simulate.totals import Total


def short_title(option: Option, *, target: bool) -> str:
    """Say what a response does in few cells."""
    own = option.weighed.response
    if own.refused or own.swap is None:
        return own.title
    floors = [o.parts[1] for o in own.occurrences if o.id == "floor"]
    parts = [f"{own.swap:%d %H:%MZ}"]
    if own.releases:
        parts.append("builds")
    if floors:
        hard = any(o.option("mode") == "hard" for o in own.occurrences if o.id == "floor")
        many = f"{len(floors)} {'hard ' if hard else ''}floor{'' if len(floors) == 1 else 's'}"
        parts.append(many)
    said = ", ".join(parts if floors else [*parts, "no floor"])
    return f"{own.target}: {said}" if target else said


def few(total: Total) -> str:
    """Show a total in a few cells."""
    if total.high is None or total.low is None:
        return "?"
    if total.none:
        return "0"
    return f"0-{compact(total.high, total.high)}" if total.low == 0 else compact(total.low, total.high)


def count(value: int | None) -> str:
    """Show a count in a few cells."""
    return "?" if value is None else compact(value, value)


def about_todo(todo: Todo) -> Document:
    """Write what there is to know of something to do."""
    return Document("to do", (Paragraph(todo.what, strong=True),
                              Facts((("latest start", instant(todo.latest)), ("undo", todo.undo)))))  # fmt: skip


def about(found: Emergency, option: Option, weight: float) -> Document:
    """Write where the numbers of a response come from: what is done, what it comes to, what it stands on."""
    own = option.weighed
    sums = f"{days_of(own.broken)} + {weight:g} x {days_of(own.exposed)} = {size_of(own, weight)} user-days"
    facts = [
        ("broken at worst", f"{users_of(own.worst)}, on {instant(own.worst_at)}"),
        ("broken", f"{days_of(own.broken)} user-days: each user counts for the time for which it lasts"),
        ("exposed", f"{days_of(own.exposed)} user-days"),
        ("put in order by", sums),
        (f"on {found.until:%-d %b %Y}", f"{users_of(own.broken_last)} broken, {users_of(own.exposed_last)} exposed"),
    ]
    actions = [action.text for action in own.response.occurrences]
    actions += [
        f"ship {build.app} {build.version} without the key, out on {build.at:%-d %b}" for build in own.response.releases
    ]
    blocks: list[Block] = [
        Paragraph(own.response.title, strong=True),
        *([Paragraph(f"Refused: {own.response.refused}.", strong=True)] if own.response.refused else []),
        Facts(tuple(facts)),
        Heading("what is done, as `rotator simulate` plays it"),
        Bullets(tuple(actions) or ("nothing",)),
    ]
    if option.recommended:
        said = (*found.why, *(f"doubt: {doubt_of(doubt)}" for doubt in found.doubts))
        blocks += [Heading("why, and what is in doubt"), Bullets(said)]
    blocks += [Heading("what this stands on"), Bullets(found.notes or ("nothing assumed",))]
    return Document(f"response {found.options.index(option) + 1}", tuple(blocks))


def short_doubt(doubt: Doubt) -> str:
    """Say in a line what is assumed, and first of all whether another response is the best where it is worse."""
    order = f"{doubt.order[0]} IS THE BEST" if doubt.turns else "the same is the best"
    return f"{doubt.text}, assumed; {doubt.otherwise} {order}, 1 breaks {days_of(doubt.broken)} user-days"
