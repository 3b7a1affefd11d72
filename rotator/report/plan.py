"""What a plan says: the answer first, then the steps, what is in the way, the ways out, and what it stands on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rotator.model.names import some
from rotator.plan.curve import Point
from rotator.plan.values import Exit, Plan, Span, Standing, Step
from rotator.report.document import (
    Block,
    Bullets,
    Document,
    Facts,
    Heading,
    Json,
    Paragraph,
    Table,
    number,
    percent,
)
from rotator.report.simulation import total_json
from rotator.simulate.totals import Total

SCHEMA = 1


def to_json(plan: Plan, points: Sequence[Point] | None = None) -> Json:
    """Give a plan, and how it stands over time where that was asked, as plain JSON; see `docs/plan.schema.json`."""
    blocked = plan.blocked
    return {
        "schema": SCHEMA,
        "policy": {"sha256": plan.digests.get("policy", "")},
        "goal": {
            "text": plan.goal.text,
            "to": plan.goal.to or None,
            "from": plan.goal.from_ or None,
            "also": [{"from": old, "to": new} for old, new in plan.goal.also],
            "chain": plan.goal.chain or None,
            "pinset": plan.goal.pinset or None,
            "algorithm": plan.goal.algorithm or None,
            "pin_to": plan.goal.pin_to or None,
            "hosts": list(plan.goal.hosts),
            "by": plan.goal.by.isoformat() if plan.goal.by else None,
            "take": list(plan.goal.take),
        },
        "made": plan.made.isoformat(),
        "outcome": "never" if plan.never else "plan",
        "blocked_at": blocked.step if blocked else None,
        "blocked": None
        if blocked is None
        else {
            "step": blocked.step,
            "invariant": blocked.invariant,
            "segment": blocked.segment,
            "who": list(blocked.who),
            "why": list(blocked.why),
            "left": total_json(blocked.left),
            "unsure": bool(blocked.unsure),
            "settled_by": blocked.unsure or None,
            "expected": blocked.expected.isoformat() if blocked.expected else None,
        },
        "at_best": plan.at_best,
        "at_best_range": {"low": plan.best_low, "high": plan.best_high},
        "confidence": plan.confidence,
        "seed": plan.seed,
        "deadline": None
        if plan.deadline is None
        else {"date": plan.deadline[0].isoformat(), "reason": plan.deadline[1]},
        "slack_days": plan.slack,
        "steps": [_step(step) for step in plan.steps],
        "exits": [_exit(way) for way in plan.exits],
        "accepted": plan.accepted or None,
        "loss": plan.loss or None,
        "findings": list(plan.findings),
        "cadence": list(plan.cadence),
        "pace": None
        if plan.pace is None
        else {
            "carried_days": plan.pace.longest,
            "least_days": plan.pace.least,
            "hosts": [{"host": host, "renew_days": days, "keys_ahead": keys} for host, days, keys in plan.pace.ahead],
        },
        "curve": None if points is None else [_point(point) for point in points],
        "notes": list(plan.notes),
        "replay": {"agrees": not plan.replayed, "against": list(plan.replayed)},
    }


def _point(point: Point) -> Json:
    return {
        "date": point.day.isoformat(),
        "coverage": point.coverage,
        "segment": point.segment,
        "broken": total_json(point.broken),
        "exposed": total_json(point.exposed),
    }


def _step(step: Step) -> Json:
    return {
        "number": step.number,
        "action": step.action,
        "subject": step.subject,
        "title": step.title,
        "earliest": step.earliest.isoformat() if step.earliest else None,
        "planned": step.planned.isoformat() if step.planned else None,
        "latest": step.latest.isoformat() if step.latest else None,
        "range": _span(step.span),
        "unsure": bool(step.unsure),
        "before": _standing(step.before),
        "after": _standing(step.after),
        "binding": {
            "invariant": step.binding.invariant,
            "segment": step.binding.segment,
            "formula": step.binding.formula,
        },
        "undo": step.undo,
        "proof": step.proof,
        "states": list(step.states),
        "adds": list(step.adds),
        "drops": list(step.drops),
    }


def _span(span: Span | None) -> Json | None:
    if span is None:
        return None
    days = (("p10", span.p10), ("p50", span.p50), ("p90", span.p90))
    return {name: day.isoformat() if day else None for name, day in days}


def _standing(standing: Standing | None) -> Json | None:
    if standing is None:
        return None
    return {"broken": total_json(standing.broken), "exposed": total_json(standing.exposed)}


def _exit(way: Exit) -> Json:
    return {
        "id": way.id,
        "title": way.title,
        "left": total_json(way.left),
        "done": way.done.isoformat() if way.done else None,
        "price": way.price,
        "safe": way.safe,
    }


def answer_of(plan: Plan) -> str:
    """Give the first line: possible by a day, or BLOCKED or NEVER with how many of whom."""
    blocked = plan.blocked
    if blocked is None:
        done = plan.completes
        when = f"possible by {done}" if done else "possible, the last steps beyond the horizon"
        slack = "" if plan.slack is None else f"; {slack_of(plan)}"
        return f"{plan.goal.text}: {when}{slack}"
    word = "BLOCKED" if any(step.planned for step in plan.steps) else "NEVER"
    left = people(blocked.left)
    if blocked.unsure:
        word = "UNSURE"
    return f"{plan.goal.text}: {word} at step {blocked.step}: {left} of all cannot follow ({blocked.segment})"


def slack_of(plan: Plan) -> str:
    """Say how many days are to spare; a plan that is late has none."""
    if plan.slack is None:
        return "nothing presses"
    if plan.slack < 0:
        due = "" if plan.deadline is None else f" for {plan.deadline[0]}"
        return f"no slack: {-plan.slack} days LATE{due}"
    return f"{plan.slack} days slack"


def people(total: Total) -> str:
    """Show clients with their share."""
    if total.high is None:
        return "nobody knows how many"
    return f"{number(total.high)} ({percent(total.share)})"


def at_best(plan: Plan) -> str:
    """Say what waiting alone reaches."""
    blocked = plan.blocked
    if blocked is None:
        return ""
    reached = "nobody can say how many" if plan.at_best is None else percent(plan.at_best)
    if plan.best_low is not None and plan.best_high is not None and plan.best_low != plan.best_high:
        reached += f" ({percent(plan.best_low)} to {percent(plan.best_high)})"
    until = f"by {plan.goal.by}" if plan.goal.by else "inside the horizon"
    if blocked.unsure:
        when = f"on {blocked.expected} if all goes as expected" if blocked.expected else "in the best tenth only"
        return (
            f"By waiting alone: {when}, but not with {plan.confidence:.0%} confidence {until}, which counts as NEVER. "
            f"At best {reached} of {blocked.segment} accept what is served then. "
            f"One datum would settle it: {blocked.unsure}."
        )
    return f"By waiting alone: NEVER {until}. At best {reached} of {blocked.segment} accept what is served then."


def to_document(plan: Plan, points: Sequence[Point] | None = None) -> Document:
    """Give a plan as a document for people, with how it stands over time where that was asked."""
    return Document(title=f"Plan: {plan.goal.text}", blocks=tuple(_blocks(plan, points)))


def _over_time(points: Sequence[Point]) -> Iterator[Block]:
    yield Heading("Over time")
    yield Table(
        columns=("day", "accept the new", "least in", "broken", "exposed"),
        rows=tuple(
            (
                str(point.day),
                "unknown" if point.coverage is None else percent(point.coverage),
                point.segment,
                people(point.broken),
                people(point.exposed),
            )
            for point in points
        ),
        right=("accept the new", "broken", "exposed"),
    )
    yield Paragraph("At the start of each day, every step on its planned day; who is broken, whoever broke them.")


def _blocks(plan: Plan, points: Sequence[Point] | None = None) -> Iterator[Block]:
    if plan.accepted:
        yield Paragraph(f"OVERRIDDEN: a loss beyond the budget is accepted. Reason: {plan.accepted}", strong=True)
    if plan.loss:
        yield Paragraph(f"ACCEPTED LOSS: {plan.loss}.", strong=True)
    yield Paragraph(answer_of(plan), strong=True)
    if plan.never:
        yield Paragraph(at_best(plan))
    if plan.replayed:
        yield Paragraph(f"The replay does not agree: {some(plan.replayed)}. Do not use this plan.", strong=True)
    facts = []
    if plan.deadline is not None:
        facts.append(("Deadline", f"{plan.deadline[0]}, {plan.deadline[1]}"))
    if plan.slack is not None:
        facts.append(("Slack", slack_of(plan).removesuffix(" slack")))
    facts.append(("Checked by replay", "no" if plan.replayed else "yes"))
    yield Facts(tuple(facts))
    yield Heading("Steps")
    yield Table(
        columns=("#", "step", "earliest", "planned", "latest", "broken after", "state"),
        rows=tuple(
            (
                str(step.number),
                step.title,
                str(step.earliest or "-"),
                str(step.planned or "-"),
                str(step.latest or "-"),
                people(step.after.broken) if step.after is not None else "-",
                state_of(plan, step),
            )
            for step in plan.steps
        ),
        right=("#", "broken after"),
        wide="step",
    )
    spans = [(step, step.span) for step in plan.steps if step.span is not None]
    if spans:
        yield Heading("Days as ranges")
        yield Table(
            columns=("#", "step", "P10", "P50", "P90"),
            rows=tuple(
                (str(step.number), step.title, *(str(d or "never") for d in (span.p10, span.p50, span.p90)))
                for step, span in spans
            ),
            right=("#",),
            wide="step",
        )
        yield Paragraph(
            f"Planned for {plan.confidence:.0%} confidence: curves are sampled (seed {plan.seed}), and floors and "
            "reviews take the same place in their ranges."
        )
    if points is not None:
        yield from _over_time(points)
    yield from _why(plan)
    if plan.exits:
        yield Heading("Ways out")
        yield Table(
            columns=("take", "what", "left", "by"),
            rows=tuple((way.id, way.title, people(way.left), str(way.done or "never")) for way in plan.exits),
            right=("left",),
            wide="what",
        )
        yield Bullets(tuple(f"{way.id}: {way.price}" for way in plan.exits))
        yield Paragraph("--take ID plans with a way out; several go together.")
    for title, items in (("Missing", plan.findings), ("Pace", plan.cadence)):
        if items:
            yield Heading(title)
            yield Bullets(items)
    yield Heading("What this stands on")
    digest = plan.digests.get("policy", "")
    yield Bullets(
        (*plan.notes, *([f"policy sha256 {digest}"] if digest else []), f"planned at {plan.made:%Y-%m-%dT%H:%MZ}")
    )


def _why(plan: Plan) -> Iterator[Block]:
    if plan.blocked is not None:
        yield Heading("Why")
        yield Paragraph(
            f"{plan.blocked.invariant} in {plan.blocked.segment}: {some(plan.blocked.who, 6) or 'nobody by name'}"
        )
        yield Bullets(plan.blocked.why)
    formulas = [f"step {s.number}: {': '.join(_waits(s))}" for s in plan.steps]
    yield Heading("What each step waits for")
    yield Bullets(tuple(formulas))
    states = [f"step {s.number}: {'; '.join(s.states)}" for s in plan.steps if s.states]
    if states:
        yield Heading("States on the eve and the morrow")
        yield Bullets(tuple(states))
    yield Heading("How each is undone, and what proves it done")
    yield Bullets(tuple(f"step {s.number}: {s.undo}; done when: {s.proof}" for s in plan.steps))


def _waits(step: Step) -> Iterator[str]:
    binding = step.binding
    yield ", ".join(part for part in (binding.invariant, binding.segment) if part) or "nothing"
    if binding.formula:
        yield binding.formula


def state_of(plan: Plan, step: Step) -> str:
    """Give the state of a step in a word."""
    blocked = plan.blocked
    if blocked is None:
        return (
            "ready"
            if step.planned is not None and step.planned <= plan.made.date()
            else "planned"
            if step.planned
            else "later"
        )
    if step.number == blocked.step:
        return "UNSURE" if blocked.unsure else "BLOCKED"
    if step.planned is None:
        return "NEVER" if step.number < blocked.step else f"after {blocked.step}"
    return "ready" if step.planned <= plan.made.date() else "planned"
