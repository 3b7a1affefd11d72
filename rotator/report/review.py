"""What a change to a policy does, for a pull request: under sixty lines of Markdown, the verdict first."""

from __future__ import annotations

from collections.abc import Sequence

from rotator.checks.difference import Changed, Difference, Drilled, PinChange, severities, subject_of
from rotator.model.findings import Finding
from rotator.model.names import some
from rotator.model.policy import Policy
from rotator.report import markdown
from rotator.report.document import Block, Bullets, Document, Heading, Json, Paragraph, Table, number
from rotator.report.simulation import total_json
from rotator.simulate.totals import Total

MOST_LINES = 60
_ROOM = (12, 8, 6, 4, 3, 2, 1)
"""How many rows a list may have; the first number with which everything fits is taken."""


def to_markdown(found: Difference, base: Policy, now: Policy, against: str) -> str:
    """Write a review of fewer than `MOST_LINES` lines; what is left out is counted."""
    for room in _ROOM:
        text = markdown.render(to_document(found, base, now, against, room))
        if text.count("\n") < MOST_LINES:
            break
    return text


def to_document(found: Difference, base: Policy, now: Policy, against: str, room: int) -> Document:
    """Write a review with at most so many rows in each list."""
    blocks: list[Block] = [Paragraph(verdict(found), strong=True)]
    on_top = [*(f"{_change(c)}{' (looser)' if c.looser else ''}" for c in found.limits)]
    on_top += [_override(c) for c in found.overrides]
    if on_top:
        blocks += [Heading("Limits and overrides"), Bullets(_cut(on_top, room))]
    if not found.empty:
        blocks += [Heading("If it happened today"), _drill(found.drill)]
    if found.pins:
        blocks += [Heading("Pins by version"), Bullets(_cut([_pin(change) for change in found.pins], room))]
    if found.new:
        blocks += [Heading("New findings"), Bullets(_cut([_finding(f, now) for f in found.new], room))]
    if found.gone:
        gone = [f"{finding.id}: {subject_of(finding, base)}" for finding in found.gone]
        blocks += [Heading("Findings gone"), Bullets(_cut(gone, room))]
    if found.dates:
        blocks += [Heading("Dates"), Bullets(_cut([_change(c) for c in found.dates], room))]
    if found.changed:
        blocks += [Heading("Also changed"), Bullets(_cut([_change(c) for c in found.changed], room))]
    return Document(f"Review of {now.name} against {against}", tuple(blocks))


def verdict(found: Difference) -> str:
    """Say in a line or two what the change does."""
    if found.empty:
        return "No difference: nothing that matters to a verdict changed."
    if not found.worse:
        gone = sum(severities(found.gone).values())
        better = f" {gone} finding{'' if gone == 1 else 's'} gone." if gone else ""
        return f"NOT WORSE: nobody is newly broken or exposed, and there is no new warning.{better}"
    parts = []
    for row in found.drill:
        where = "today" if row.kind == "today" else f"if {row.label.partition(':')[0]}"
        if not row.newly_broken.none:
            parts.append(f"{_people(row.newly_broken)} newly broken {where}")
        if not row.newly_exposed.none:
            parts.append(f"{_people(row.newly_exposed)} newly exposed {where}")
    counts = severities(found.alarming)
    parts += [f"{count} new {name}{'' if count == 1 else 's'}" for name, count in counts.items()]
    return f"WORSE: {'; '.join(parts[:4])}" + (f"; and {len(parts) - 4} more" if len(parts) > 4 else "") + "."


def _drill(rows: Sequence[Drilled]) -> Table:
    shown = []
    for row in rows:
        newly = [
            f"{_people(total)} {word}"
            for total, word in ((row.newly_broken, "broken"), (row.newly_exposed, "exposed"))
            if not total.none
        ]
        shown.append(
            (
                row.label,
                _moved(row.before[0], row.after[0]),
                _moved(row.before[1], row.after[1]),
                "; ".join(newly) + (f": {some(row.who, 3)}" if newly else "") or "nobody",
            )
        )
    return Table(("what", "broken", "exposed", "newly"), tuple(shown), right=("broken", "exposed"), wide="newly")


def _moved(before: Total, after: Total) -> str:
    old, new = number(before.high), number(after.high)
    return new if old == new else f"{old} -> {new}"


def _people(total: Total) -> str:
    return "nobody knows how many" if total.high is None else number(total.high)


def _pin(change: PinChange) -> str:
    what = f"{change.app} {some(change.versions, 6)}"
    if change.release == "gone":
        return f"{what}: no longer in the policy (carried {some(change.removed, 6) or 'no pins'})"
    new = "new, " if change.release == "new" else ""
    parts = [f"adds {some(change.added, 6)}"] if change.added else []
    parts += [f"removes {some(change.removed, 6)}"] if change.removed else []
    return f"{what}: {new}{'; '.join(parts) or 'no pins'}"


def _finding(finding: Finding, policy: Policy) -> str:
    return f"{finding.severity}: {finding.id}: {subject_of(finding, policy)}: {finding.message}"


def _change(change: Changed) -> str:
    if change.before is None:
        return f"{change.path}: new" + (f", {change.after}" if change.after != "there" else "")
    if change.after is None:
        return f"{change.path}: gone" + (f", it was {change.before}" if change.before != "there" else "")
    return f"{change.path}: {change.before} -> {change.after}"


def _override(change: Changed) -> str:
    if change.after is None:
        return f"{change.path}: no longer allowed (it was: {change.before})"
    return f"{change.path}: {change.after}" + (f" (it was: {change.before})" if change.before is not None else "")


def _cut(rows: Sequence[str], room: int) -> tuple[str, ...]:
    """Take the first rows and count the others; no row is longer than a reader bears."""
    short = [row if len(row) <= 300 else row[:297] + "..." for row in rows[:room]]
    left = len(rows) - room
    return (*short, *([f"and {left} more"] if left > 0 else []))


def to_json(found: Difference, base: dict[str, str], now: dict[str, str], policies: tuple[Policy, Policy]) -> Json:
    """Give a review as plain JSON values; nothing is left out."""
    return {
        "schema": 1,
        "policy": now,
        "base": base,
        "worse": found.worse,
        "verdict": verdict(found),
        "limits": [_changed_json(c) for c in found.limits],
        "overrides": [_changed_json(c) for c in found.overrides],
        "drill": [
            {
                "kind": row.kind,
                "label": row.label,
                "before": _pair(row.before),
                "after": _pair(row.after),
                "newly": _pair((row.newly_broken, row.newly_exposed)),
                "who": list(row.who),
            }
            for row in found.drill
        ],
        "pins": [
            {
                "app": change.app,
                "versions": list(change.versions),
                "release": change.release or None,
                "added": list(change.added),
                "removed": list(change.removed),
            }
            for change in found.pins
        ],
        "dates": [_changed_json(c) for c in found.dates],
        "changed": [_changed_json(c) for c in found.changed],
        "findings": {
            "new": [{**f.to_json(), "subject": subject_of(f, policies[1])} for f in found.new],
            "gone": [{**f.to_json(), "subject": subject_of(f, policies[0])} for f in found.gone],
        },
    }


def _pair(totals: tuple[Total, Total]) -> Json:
    return {"broken": total_json(totals[0]), "exposed": total_json(totals[1])}


def _changed_json(change: Changed) -> Json:
    return {"path": change.path, "before": change.before, "after": change.after, "looser": change.looser}
