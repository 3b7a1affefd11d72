"""Two kept reports side by side, and one of them at any of its days."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rotator.errors import Problem, UsageError
from rotator.report import text
from rotator.report.document import Block, Code, Document, Facts, Heading, Paragraph, Table, number, percent
from rotator.workflows.reports import Report

TOTALS = ("broken", "exposed", "lost", "unpinned", "ok")
MOST_ROWS = 40


def compare(old: Report, new: Report) -> Document:
    """Say what differs between two reports: totals and verdicts where both are answers, else their text."""
    same = old.policy.get("sha256") == new.policy.get("sha256")
    blocks: list[Block] = [
        Facts(
            (
                ("from", f"{old.made}  {old.title}"),
                ("to", f"{new.made}  {new.title}"),
                ("policy", "the same, byte for byte" if same else "another one: the policy was changed in between"),
            )
        )
    ]
    if all(name in report.answer for name in TOTALS for report in (old, new)):
        rows = tuple((name, _total(old, name), _total(new, name), _change(old, new, name)) for name in TOTALS)
        blocks += [Heading("clients"), Table(("", "from", "to", "change"), rows, right=("from", "to", "change"))]
        blocks += _verdicts(old.answer, new.answer)
    else:
        blocks += _lines(old, new)
    return Document(f"{old.id} and {new.id}", tuple(blocks))


def _verdicts(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Block]:
    before, after = _rows(old), _rows(new)
    found = []
    for key in dict.fromkeys((*after, *before)):
        was, now = before.get(key), after.get(key)
        if was is None or now is None or was["verdict"] != now["verdict"]:
            clients = (now or was or {}).get("clients")
            shown = "?" if clients is None else number(clients)
            found.append((f"{key[0]} {key[1]} ({key[2]})", key[3], shown, _word(was), _word(now)))
    if not found:
        return [Paragraph("Every cohort sees the same in both.")]
    blocks: list[Block] = [
        Heading("verdicts that differ"),
        Table(("cohort", "host", "clients", "from", "to"), tuple(found[:MOST_ROWS]), right=("clients",)),
    ]
    if len(found) > MOST_ROWS:
        blocks.append(Paragraph(f"and {len(found) - MOST_ROWS} more"))
    return blocks


def _rows(answer: Mapping[str, Any]) -> dict[tuple[str, ...], Mapping[str, Any]]:
    rows = answer.get("cohorts")
    if not isinstance(rows, list):
        return {}
    named = [row for row in rows if isinstance(row, dict) and "verdict" in row]
    return {tuple(str(row.get(part)) for part in ("app", "version", "trust", "host")): row for row in reversed(named)}


def _word(row: Mapping[str, Any] | None) -> str:
    return "-" if row is None else str(row["verdict"])


def _total(report: Report, name: str) -> str:
    total = report.answer.get(name)
    if not isinstance(total, dict) or total.get("clients") is None:
        return "?"
    return f"{number(total['clients'])} ({percent(total.get('share'))})"


def _change(old: Report, new: Report, name: str) -> str:
    values = [report.answer.get(name) for report in (old, new)]
    counts = [value.get("clients") if isinstance(value, dict) else None for value in values]
    if counts[0] is None or counts[1] is None:
        return "?"
    by = counts[1] - counts[0]
    return "0" if not by else f"{'+' if by > 0 else '-'}{number(abs(by))}"


def _lines(old: Report, new: Report) -> list[Block]:
    before, after = (text.render(report.document).splitlines() for report in (old, new))
    lines = tuple(difflib.unified_diff(before, after, old.id, new.id, lineterm="", n=1))
    return [Heading("what they say"), Code(lines)] if lines else [Paragraph("Both say the same.")]


def days_of(report: Report) -> list[date]:
    """Give the days that a report knows of: those of its answer, day by day; none where it is for one instant."""
    found = []
    for row in _days(report):
        try:
            found.append(date.fromisoformat(str(row.get("date"))))
        except ValueError:
            continue
    return found


def _days(report: Report) -> Sequence[Mapping[str, Any]]:
    rows = report.answer.get("days")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def turns_of(report: Report) -> list[date]:
    """Give the days on which something changes, the first one among them."""
    found: list[date] = []
    before: object = None
    for day, row in zip(days_of(report), _days(report), strict=False):
        now = [row.get(name) for name in ("broken", "exposed", "unpinned")]
        if now != before:
            found.append(day)
        before = now
    return found


def at_day(report: Report, day: date) -> Document:
    """Give what a report says of one of its days.

    Raises:
        UsageError: it says nothing of that day.
    """
    days = days_of(report)
    if day not in days:
        expected = f"{days[0]} to {days[-1]}" if days else "a report that was made with --until"
        raise UsageError(Problem("the report says nothing of this day", value=day.isoformat(), expected=expected))
    row = _days(report)[days.index(day)]
    pairs = []
    for name in ("broken", "exposed", "unpinned"):
        total = row.get(name)
        known = isinstance(total, dict) and total.get("clients") is not None
        shown = f"{number(total['clients'])} ({percent(total.get('share'))})" if known and total else "unknown"
        pairs.append((name, shown))
    return Document(f"{report.title}: the worst of {day}", (Facts(tuple(pairs)),))
