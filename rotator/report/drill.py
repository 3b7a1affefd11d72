"""Losses, worst first: as JSON for programs, as a document for people."""

from __future__ import annotations

from collections.abc import Sequence

from rotator.model.when import iso, show
from rotator.report.document import Block, Bullets, Document, Facts, Heading, Json, Paragraph, Table, number, percent
from rotator.report.simulation import total_json
from rotator.simulate.drill import Drill, Loss
from rotator.simulate.grammar import parse_action, parse_event
from rotator.simulate.totals import Total

SCHEMA = 1
SHOWN = 1_000
"""Losses that are told unless all are asked for."""
PRINTED = 40
"""Losses in what people read."""


def to_json(drill: Drill, *, every: bool = False) -> Json:
    """Give a drill as plain JSON values; see `docs/drill.schema.json`."""
    shown = drill.losses if every else drill.losses[:SHOWN]
    return {
        "schema": SCHEMA,
        "policy": {"name": drill.inventory.policy.name, "sha256": drill.inventory.digest},
        "at": iso(drill.at),
        "broken": total_json(drill.broken),
        "exposed": total_json(drill.exposed),
        "total": len(drill.losses),
        "losses": [_loss_json(loss) for loss in shown],
    }


def _loss_json(loss: Loss) -> Json:
    return {
        "events": list(loss.events),
        "broken": total_json(loss.broken),
        "exposed": total_json(loss.exposed),
        "response": None if loss.response is None else list(loss.response),
        "safe_on": None if loss.safe_on is None else loss.safe_on.isoformat(),
    }


def to_document(drill: Drill, *, every: bool = False) -> Document:
    """Write a drill for people: single losses, then pairs that are worse than either of the two."""
    alone = drill.losses.alone
    pairs, shown = drill.losses.worse(None if every else PRINTED)
    blocks: list[Block] = [
        *(Paragraph(text, strong=True) for text in headlines(drill)),
        Facts((("broken today", _said(drill.broken)), ("exposed today", _said(drill.exposed)))),
        Heading("resilience: one loss"),
        _table(alone, safe=True),
        Heading(f"two losses that are worse than either: {number(pairs)} of {number(len(drill.losses) - len(alone))}"),
        *([_table(shown)] if shown else [Paragraph("none")]),
        *([Paragraph(f"{number(pairs - len(shown))} more with --all")] if len(shown) < pairs else []),
        Heading("what this stands on"),
        Bullets(
            (
                "each line is an answer of `rotator simulate` for these events, before anybody answers them",
                "the answer is what our servers can do at once: the chain that most clients take and that survives",
                "it mends what is broken; a stolen key stays accepted all the same",
                "safe on: within the budgets from then on, with that answer and clients that update by themselves",
                "never: not inside the horizon",
                "builds without a stolen pin make it sooner: rotator now",
                f"policy {drill.inventory.policy.name}, sha256 {drill.inventory.digest}",
            )
        ),
    ]
    return Document(
        f"{drill.inventory.policy.name}: what losing one or two things does, at {show(drill.at)}", tuple(blocks)
    )


def headlines(drill: Drill) -> list[str]:
    """Say the worst single loss, and for how many there is no answer."""
    alone = drill.losses.alone
    if not alone:
        return ["There is nothing to lose: the policy names no key and no authority."]
    worst = alone[0]
    helpless = [loss for loss in alone if loss.response is None]
    said = f"Worst single loss: {_lost(worst.events)}: {_said(worst.broken)} broken, {_said(worst.exposed)} exposed."
    if helpless:
        said += f" Nothing our servers have answers {number(len(helpless))} of {number(len(alone))} single losses."
    return [said]


def _table(losses: list[Loss], *, safe: bool = False) -> Table:
    rows = tuple(
        (_lost(loss.events), _users(loss.broken), _users(loss.exposed), _answer(loss.response))
        + ((_safe(loss),) if safe else ())
        for loss in losses
    )
    columns = ("lost", "broken", "exposed", "answer", *(("safe on",) if safe else ()))
    return Table(columns, rows, right=("broken", "exposed"), wide="lost")


def _safe(loss: Loss) -> str:
    if loss.safe_on is None:
        return "never"
    return loss.safe_on.isoformat() if loss.badness[0] else "-"


def _answer(response: tuple[str, ...] | None) -> str:
    if response is None:
        return "none"
    hosts: dict[str, list[str]] = {}
    for text in response:
        action = parse_action(text)
        hosts.setdefault(action.parts[1], []).append(action.parts[0])
    return ", ".join(f"{chain} on {', '.join(own)}" for chain, own in hosts.items()) or "-"


WORDS = {
    "key-loss": "lost",
    "key-compromise": "stolen",
    "ca-distrust": "distrusted",
    "ca-compromise": "compromised",
}


def _lost(events: Sequence[str]) -> str:
    """Say losses in words: a key or an authority, and what became of it."""
    found = [parse_event(text) for text in events]
    return ", ".join(f"{own.parts[0]} {WORDS[own.id]}" for own in found)


def _users(total: Total) -> str:
    return "unknown" if total.high is None else number(total.high)


def _said(total: Total) -> str:
    if total.high is None:
        return "unknown"
    if total.share is None:
        return number(total.high)
    return f"{number(total.high)} ({percent(total.share)})" if total.high else "0"
