"""A plan against reality: as JSON, as a document, and its dates for a calendar."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from rotator.model.when import iso
from rotator.plan.progress import Line, Range, Status
from rotator.report.document import Block, Bullets, Document, Facts, Heading, Json, Paragraph, Table, percent

SCHEMA = 1


def to_json(found: Status, policy: str, digest: str) -> Json:
    """Give a status as plain JSON values; see `docs/status.schema.json`."""
    look = found.next_look
    return {
        "schema": SCHEMA,
        "policy": {"name": policy, "sha256": digest},
        "plan": found.id,
        "goal": found.plan.goal.text,
        "made": iso(found.plan.made),
        "at": iso(found.now),
        "off": found.off,
        "slack_days": found.slack,
        "today": [step.number for step in found.today],
        "next_look": None if look is None else look.isoformat(),
        "inputs_moved": list(found.moved_inputs),
        "steps": [_line_json(line) for line in found.lines],
        "causes": list(found.causes),
        "proposal": [
            {
                "action": m.action,
                "subject": m.subject,
                "title": m.title,
                "old": None if m.old is None else m.old.isoformat(),
                "new": None if m.new is None else m.new.isoformat(),
            }
            for m in found.moved
        ],
        "notes": list(found.notes),
    }


def _line_json(line: Line) -> Json:
    step, seen, own = line.step, line.seen, line.range
    return {
        "number": step.number,
        "action": step.action,
        "subject": step.subject,
        "title": step.title,
        **{n: None if d is None else d.isoformat() for n, d in _days(line)},
        "state": line.state,
        "why": line.why or None,
        "seen": None
        if seen is None
        else {
            "at": iso(seen.at),
            "how": seen.how,
            "share": seen.share,
            "evidence": seen.evidence or None,
            "sha256": seen.sha256 or None,
            "by": seen.by or None,
        },
        "range": None
        if own is None
        else {
            "day": own.day.isoformat(),
            "low": own.low,
            "forecast": own.forecast,
            "high": own.high,
            "counted": own.counted,
            "holds": own.holds,
        },
    }


def _days(line: Line) -> Iterator[tuple[str, date | None]]:
    yield from (("earliest", line.step.earliest), ("planned", line.step.planned), ("latest", line.step.latest))


def to_document(found: Status, policy: str, digest: str) -> Document:
    """Write a status for people: what may be done today, then each step, then what moved."""
    return Document(f"{policy}: {found.plan.goal.text}, on {found.now:%Y-%m-%d}", tuple(_blocks(found, digest)))


def _blocks(found: Status, digest: str) -> Iterator[Block]:
    today = [f"{step.number} {step.title}" for step in found.today]
    look = found.next_look
    said = "; ".join(today) or "nothing" + (f"; next look {look}" if look is not None else "")
    yield Paragraph(f"May be done today: {said}.", strong=True)
    if found.off:
        yield Paragraph("The plan is off: a step is late, out of slack, or counted out of its range.", strong=True)
    done = sum(1 for line in found.lines if line.state == "done")
    slack = "none: no step has a latest day" if found.slack is None else f"{found.slack} days"
    yield Facts((("done", f"{done} of {len(found.lines)} steps"), ("slack", slack)))
    yield Table(
        ("#", "step", "planned", "latest", "seen", "in range?", "state"),
        tuple(
            (
                str(line.step.number),
                line.step.title,
                str(line.step.planned or "-"),
                str(line.step.latest or "-"),
                "-" if line.seen is None else f"{line.seen.at:%Y-%m-%d} {line.seen.how}",
                _range(line.range),
                line.state + (f": {line.why}" if line.why else ""),
            )
            for line in found.lines
        ),
        wide="step",
    )
    if found.causes:
        yield Heading("why it may have left its range")
        yield Bullets(found.causes)
    if found.moved:
        yield Heading("proposal: the same goal planned today")
        yield Table(
            ("step", "planned", "proposed"),
            tuple((m.title, str(m.old or "-"), str(m.new or "-")) for m in found.moved),
            wide="step",
        )
        yield Paragraph("The stored plan stays as it is. To take the proposal, plan again and keep that plan.")
    yield Heading("what this stands on")
    moved = [f"{what} has changed since the plan was made" for what in found.moved_inputs]
    yield Bullets((*moved, *found.notes, f"plan {found.id}", f"policy sha256 {digest}"))


def _range(own: Range | None) -> str:
    if own is None:
        return "-"
    word = "yes" if own.holds else "NO"
    return f"{word}: {percent(own.counted)} on {own.day}, forecast {percent(own.forecast)}"


def to_ics(found: Status, policy: str) -> str:
    """Write the dates of steps that are still to do as a calendar (RFC 5545)."""
    stamp = f"{found.plan.made:%Y%m%dT%H%M%SZ}"
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Rotator//plan//EN"]
    for line in found.lines:
        step = line.step
        if step.planned is None or line.state == "done":
            continue
        latest = f"latest {step.latest}" if step.latest is not None else ""
        lines += [
            "BEGIN:VEVENT",
            f"UID:{found.id}-{step.number}@rotator",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{step.planned:%Y%m%d}",
            f"DTEND;VALUE=DATE:{step.planned + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_ics(f'{policy}: {step.title}')}",
            *([f"DESCRIPTION:{_ics(latest)}"] if latest else []),
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(part + "\r\n" for line in lines for part in _folded(line))


def _ics(text: str) -> str:
    clean = "".join(c if c.isprintable() else " " for c in text)
    return clean.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _folded(line: str) -> Iterator[str]:
    """Fold a line to at most 75 bytes, as RFC 5545 3.1 asks, never inside a character."""
    part, size = "", 0
    for char in line:
        width = len(char.encode())
        if size + width > 75:
            yield part
            part, size = " ", 1
        part, size = part + char, size + width
    yield part
