"""What the Plan screen says of a plan and of its steps, as lines and pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from rotator.model.names import some
from rotator.plan.values import Goal, Plan, Span, Step
from rotator.report.document import Block, Bullets, Document, Facts, Heading, percent
from rotator.report.plan import answer_of, at_best, people

STATES = {"BLOCKED": "breaks", "NEVER": "breaks", "UNSURE": "breaks", "ready": "ok", "planned": "ok"}


def same(one: Goal, other: Goal) -> bool:
    """Say whether two goals are about the same, whatever ways out are taken and steps moved."""
    return replace(one, take=(), reason="", moved=()) == replace(other, take=(), reason="", moved=())


def said(day: date | None, *, wide: bool) -> str:
    """Show a day, shortly where there is little room."""
    if day is None:
        return "-"
    return day.isoformat() if wide else f"{day:%-d %b %y}"


def broken(step: Step, *, wide: bool) -> str:
    """Show who is broken after a step."""
    if step.after is None:
        return "-"
    total = step.after.broken
    return people(total) if wide or total.high is None else percent(total.share)


def verdict(shown: Plan) -> list[tuple[str, str]]:
    """Give what is said before any date, each sentence with its style."""
    first = answer_of(shown).removeprefix(f"{shown.goal.text}: ")
    late = shown.slack is not None and shown.slack < 0
    lines = [(f"{first[:1].upper()}{first[1:]}", "breaks" if shown.never or shown.replayed or late else "ok")]
    if shown.loss:
        lines.append((f"ACCEPTED LOSS: {shown.loss}.", "exposed"))
    if shown.accepted:
        lines.append((f"OVERRIDDEN: a loss beyond the budget is accepted. Reason: {shown.accepted}", "exposed"))
    if shown.never:
        lines.append((at_best(shown), ""))
    if shown.replayed:
        lines.append((f"The replay does not agree: {some(shown.replayed)}. Do not use this plan.", "breaks"))
    return lines


def ranged(span: Span) -> str:
    """Show the three days of a range."""
    return ", ".join(str(day or "never") for day in (span.p10, span.p50, span.p90))


def about(step: Step) -> Document:
    """Write what there is to know of a step."""
    days = Facts(
        (
            ("earliest", str(step.earliest or "-")),
            ("planned", str(step.planned or "-")),
            ("latest", str(step.latest or "-")),
            *((("P10 P50 P90", ranged(step.span)),) if step.span is not None else ()),
            *(
                (word, f"{people(standing.broken)} broken, {people(standing.exposed)} exposed")
                for word, standing in (("before", step.before), ("after", step.after))
                if standing is not None
            ),
        )
    )
    pins = [*(f"adds {pin}" for pin in step.adds), *(f"drops {pin}" for pin in step.drops)]
    blocks: list[Block] = [days, Heading("waits for"), Bullets(step.binding.said or ("nothing",))]
    if pins:
        blocks += [Heading("pins"), Bullets(tuple(pins))]
    blocks += [
        Heading("how it is undone, and what proves it done"),
        Bullets((f"undo: {step.undo or 'nothing to undo'}", f"done when: {step.proof or 'nothing proves it'}")),
    ]
    return Document(f"Step {step.number}: {step.title}", tuple(blocks))
