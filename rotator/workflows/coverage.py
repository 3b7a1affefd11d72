"""How the share of clients that carry a key goes on, as people update."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rotator.model.progress import heed
from rotator.report.document import Block, Code, Document, Facts, Heading, Paragraph, percent
from rotator.report.plotting import Series, drawn
from rotator.report.ruler import UNITS, WEEK, ruler
from rotator.simulate.question import LARGE, Desk, Picture, Question, ask
from rotator.workflows.simulating import calendar
from rotator.workflows.summarizing import carried

WEEKS = 53
HEIGHT = 6


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """A key over the weeks ahead.

    Attributes:
        key: which.
        start: the first instant; each value is for a week later than the one before.
        shares: the share of clients whose pins in force hold it; None where that is not known.
        assumed: whether any app's speed of updates is only assumed.
    """

    key: str
    start: datetime
    shares: tuple[float | None, ...]
    assumed: bool


def coverage(picture: Picture, key: str, now: datetime) -> Coverage:
    """Forecast who carries a key, week by week for a year, if nothing but the calendar of the policy happens.

    Args:
        picture: everything read.
        key: a key of the policy.
        now: the first instant.

    Raises:
        CancelledError: it is given up between two weeks.
    """
    found: list[float | None] = []
    happens, desk = calendar(picture.policy), Desk(picture, large=LARGE)
    for week in range(WEEKS):
        heed("a week", week, WEEKS)
        answer = ask(picture, Question(occurrences=(), at=now + timedelta(weeks=week)), happens, desk=desk)
        found.append(carried(answer, key).share)
    assumed = any(app.adoption is None or app.adoption.preset is not None for app in picture.policy.apps.values())
    return Coverage(key=key, start=now, shares=tuple(found), assumed=assumed)


def blocks_of(found: Coverage, *, width: int, ascii_only: bool) -> list[Block]:
    """Write it for people: where it stands, where it comes to, and the curve."""
    known = [share for share in found.shares if share is not None]
    if not known:
        return [Paragraph("How many carry it over time is not known: there are no counts.")]
    series = Series(name=found.key, style="ok", values=found.shares)
    lines = drawn(
        series, ruler(found.start, UNITS[WEEK], len(found.shares)), width=width, height=HEIGHT, ascii_only=ascii_only
    )
    basis = (
        "assumed: the speed of updates is a preset, not your own" if found.assumed else "fitted to the policy's curves"
    )
    return [
        Heading("who carries it, by waiting alone"),
        Facts((("today", percent(known[0])), ("in a year", percent(known[-1])), ("most", percent(max(known))),
               ("stands on", basis))),
        Code(lines),
    ]  # fmt: skip


def to_document(found: Coverage, *, width: int = 80, ascii_only: bool = False) -> Document:
    """Write it as a document of its own."""
    return Document(f"key {found.key} over time", tuple(blocks_of(found, width=width, ascii_only=ascii_only)))
