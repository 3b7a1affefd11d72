"""The cohorts of an answer in one table: verdict, clients, what it was before, other scenarios beside it, and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

from rotator.model.policy import Count
from rotator.model.verdicts import Verdict
from rotator.report.document import compact, span
from rotator.report.ruler import UNITS, marked, ruler
from rotator.simulate.impact import Group, GroupList, Groups, Impact, Who
from rotator.simulate.question import Answer
from rotator.simulate.totals import Total
from rotator.tui.look import Signs
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import Column, Line, Lines, Parts
from rotator.workflows.course import Course
from rotator.workflows.whatif import WhatIf

MOST_BESIDE = 2
"""Answers that stand beside the one of the knobs."""
NARROW, BROAD = 53, 76
"""Cells that the other columns of a narrow and of a wide table take, about."""
LETTERS = "AB"
Window = tuple[datetime, timedelta, int]
"""Where an axis of time begins, how long a cell of it is, and how many there are."""


@dataclass(frozen=True)
class Side:
    """An answer that is kept to stand beside others: its words, its knobs, and what came of them."""

    title: str
    state: WhatIf
    answer: Answer


class Cohorts:
    """The table of cohorts, and above it the table of the answers that stand side by side."""

    def __init__(self, signs: Signs) -> None:
        """Make both, empty."""
        self.signs = signs
        self.table = LineTable((Column("cohort"),), cursor=signs.cursor, id="clients")
        self.sides = LineTable(
            (
                Column(""),
                Column("scenario", give=True, least=14),
                Column("breaks", right=True),
                Column("exposed", right=True),
                Column("lost", right=True, drop=1),
            ),
            cursor=signs.cursor,
            id="sides",
        )
        self.groups: Groups = GroupList()
        self.impact: Impact | None = None

    def room(self, wide: bool, beside: int) -> int:  # noqa: FBT001 - as the screen says it
        """Give the cells that are left for the axis of time."""
        width = self.table.size.width
        taken = (BROAD if wide else NARROW) + beside * (13 if wide else 4)
        return max(8, width - taken)

    def row(self, index: int) -> int | None:
        """Give the index of the row of the answer that a line stands for: the worst of its cohort."""
        return self.groups[index].rows[0] if 0 <= index < len(self.groups) else None

    def others(self, index: int) -> list[str]:
        """Say what the cohort of a line sees on its other hosts."""
        if self.impact is None or not 0 <= index < len(self.groups):
            return []
        rows = [self.impact.glance(i) for i in self.groups[index].rows[1:5]]
        return [f"{row.connection.host} {row.verdict}" for row in rows]

    # --- filling -----------------------------------------------------------------------------------------------

    def show(
        self,
        answer: Answer,
        *,
        base: tuple[str, Answer],
        kept: Sequence[Side],
        now: str,
        course: Course | None,
        window: Window,
        wide: bool,
    ) -> None:
        """Fill both tables.

        Args:
            answer: what the knobs ask.
            base: a word for what it is compared with, and that.
            kept: the answers beside it.
            now: a word for the answer itself.
            course: how it goes on; None while that is not known.
            window: the axis of time.
            wide: whether there is room for words.
        """
        here = self._who(self.table.index)
        impact, own = answer.impact, answer.impact.groups()
        # Lines are made late, perhaps after the next answer came: each table's lines know their own answer.
        self.impact, self.groups = impact, own
        before = base[1].impact.worst_of()
        beside = [side.answer.impact.worst_of() for side in kept]
        strips = _Strips(course, window, self.signs)
        self.table.columns = self._columns(kept, window, answer.impact.at, wide=wide)
        place = 0 if here is None else max(0, self.groups.find(here))

        def make(index: int) -> Line:
            return self._line(impact, own[index], before, beside, strips, wide=wide)

        keep = self.table.has_focus and here is not None
        self.table.fill(Lines(len(own), make), place=place if keep else 0, words=partial(impact.words, each=False))
        self._fill_sides(answer, kept, now)

    def _who(self, index: int) -> Who | None:
        return self.groups[index].who if 0 <= index < len(self.groups) else None

    def _columns(self, kept: Sequence[Side], window: Window, at: datetime, *, wide: bool) -> tuple[Column, ...]:
        start, unit, width = window
        axis = ruler(start, next(u for u in UNITS if u.hours == unit.total_seconds() // 3600), width)
        place = int((at - start) / unit)
        mark = "^" if self.signs.ascii_only else "▼"
        if 0 <= place < width:
            axis = marked(axis, place, mark)
        return (
            Column("verdict"),
            Column("cohort", give=True, least=14),
            Column("host", give=True, least=6, drop=0 if wide else 3),
            Column("clients", right=True),
            Column("was"),
            *(Column(LETTERS[number]) for number in range(len(kept))),
            Column(axis),
        )

    def _line(
        self,
        impact: Impact,
        group: Group,
        before: Mapping[Who, Verdict],
        beside: Sequence[Mapping[Who, Verdict]],
        strips: _Strips,
        *,
        wide: bool,
    ) -> Line:
        row = impact.glance(group.rows[0])
        cohort = row.connection.cohort
        was = before.get(group.who)
        changed = was is None or was is not row.verdict
        ghost = "" if not changed else self._sign(was, wide=wide)
        sides = [self._sign(one.get(group.who), wide=wide) for one in beside]
        styles = [str(one[group.who]) if group.who in one else "quiet" for one in beside]
        count = self._count(cohort.clients, assumed=cohort.basis == "assumed", wide=wide)
        strip = strips.parts(group.who)
        cells = (
            f"{self.signs.verdict(row.verdict)} {_word(row.verdict)}{' ?' if row.unsure else ''}",
            self.signs.text(cohort.name),
            self.signs.text(row.connection.host),
            count,
            ghost,
            *sides,
            "".join(text for text, _ in strip),
        )
        parts: list[tuple[int, Parts]] = [(4, ((ghost, "ghost"),)), (len(cells) - 1, strip)]
        parts += [(5 + n, ((text, style),)) for n, (text, style) in enumerate(zip(sides, styles, strict=True))]
        return Line(cells, str(row.verdict), parts=tuple(parts))

    def _sign(self, verdict: Verdict | None, *, wide: bool) -> str:
        if verdict is None:
            return "-"
        sign = self.signs.verdict(verdict)
        return f"{sign} {_word(verdict)}" if wide else f"{sign}{verdict.letter}"

    def _count(self, clients: Count | None, *, assumed: bool, wide: bool) -> str:
        if clients is None:
            return "?"
        text = span(clients.low, clients.high) if wide else compact(clients.low, clients.high)
        return f"~{text}" if assumed else text

    def _fill_sides(self, answer: Answer, kept: Sequence[Side], now: str) -> None:
        if not kept:
            self.sides.fill([])
            return
        lines = []
        for number, (name, one) in enumerate([*((side.title, side.answer) for side in kept), (now, answer)]):
            impact = one.impact
            letter = LETTERS[number] if number < len(kept) else "now"
            style = "breaks" if not impact.broken.none else "exposed" if not impact.exposed.none else "ok"
            lines.append(
                Line(
                    (letter, self.signs.text(name), _total(impact.broken), _total(impact.exposed), _total(impact.lost)),
                    style,
                )
            )
        self.sides.fill(lines, keep=lambda line: line.cells[0])

    def change(self, impact: Impact, before: Impact) -> str:
        """Say in a few words what an answer has more or less than another, "" where nothing differs."""
        found = []
        for word, old, new in (
            ("BREAKS", before.broken, impact.broken),
            ("EXPOSED", before.exposed, impact.exposed),
            ("LOST", before.lost, impact.lost),
        ):
            if old.high is None or new.high is None:
                if old != new:
                    found.append(f"{word} by an unknown number")
            elif old.high != new.high:
                by = new.high - old.high
                found.append(f"{'+' if by > 0 else '-'}{compact(abs(by), abs(by))} {word}")
        return ", ".join(found)


class _Strips:
    """The strip of signs of each cohort: what it sees in each cell of time, the worst that it sees in it."""

    def __init__(self, course: Course | None, window: Window, signs: Signs) -> None:
        self.course, self.window, self.signs = course, window, signs
        self.known: list[Mapping[Who, Verdict]] = []
        self.runs: list[tuple[range, int]] = []
        if course is not None:
            start, unit, width = window
            self.known = [impact.worst_of() for impact in course.impacts]
            spans = [course.worst_in(start + unit * n, start + unit * (n + 1)) for n in range(width)]
            self.runs = [(span_of, len(list(same))) for span_of, same in groupby(spans)]

    def parts(self, who: Who) -> Parts:
        """Give the signs, those alike in a row together."""
        if self.course is None:
            return ((("." if self.signs.ascii_only else "·") * self.window[2], "quiet"),)
        found: list[tuple[str, str]] = []
        known = [one.get(who) for one in self.known]
        for span_of, cells_of in self.runs:
            seen = [one for one in known[span_of.start : span_of.stop] if one is not None]
            verdict = min(seen, key=lambda one: one.rank, default=None)
            sign, style = (" ", "quiet") if verdict is None else (self.signs.verdict(verdict), str(verdict))
            if found and found[-1][1] == style:
                found[-1] = (found[-1][0] + sign * cells_of, style)
            else:
                found.append((sign * cells_of, style))
        return tuple(found)


def _word(verdict: Verdict) -> str:
    return str(verdict).upper() if verdict.is_broken or verdict.is_exposed else str(verdict)


def _total(total: Total) -> str:
    if total.high is None or total.low is None:
        return "?"
    return "0" if total.none else compact(total.low, total.high)
