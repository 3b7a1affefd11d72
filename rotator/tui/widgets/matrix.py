"""Cohorts by hosts: a verdict in each cell, a cursor that goes both ways, as quick with a hundred thousand cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType

from rotator.report.document import compact, span
from rotator.report.text import cells
from rotator.simulate.impact import Glance, GroupList, Groups, Impact
from rotator.tui.look import Signs
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import Column, Line, Lines, Parts, fit

SHORT = 7
"""Cells of a host's name where there is little room."""
WORD = 10
"""Cells of a verdict in a word with its sign."""


class Matrix(LineTable):
    """The verdicts of an answer: a line for each cohort, a column for each host."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "side(-1)", "host", show=False, id="matrix.left"),
        Binding("right,l", "side(1)", "host", show=False, id="matrix.right"),
    ]

    def __init__(self, signs: Signs, *, id: str | None = None) -> None:  # noqa: A002
        """Make it empty."""
        super().__init__((Column("clients of"),), cursor=signs.cursor, id=id)
        self.signs = signs
        self.impact: Impact | None = None
        self.groups: Groups = GroupList()
        self.hosts: list[str] = []
        self.side = 0

    def show(self, impact: Impact, hosts: Sequence[str]) -> None:
        """Fill it from an answer; the cursor stays on its cohort and host."""
        here = self.groups[self.index].who if 0 <= self.index < len(self.groups) else None
        self.impact, self.groups = impact, impact.groups()
        self.hosts = [host for host in hosts if host in impact.hosts]
        self.side = max(0, min(self.side, len(self.hosts) - 1))
        place = 0 if here is None else self.groups.find(here)
        self._fill(place)

    def row(self) -> int | None:
        """Give the index of the row of the answer under the cursor: that of the cohort on the host, if it uses it."""
        if self.impact is None or not 0 <= self.index < len(self.groups) or not self.hosts:
            return None
        host = self.hosts[self.side]
        group = self.groups[self.index]
        return next((n for n in group.rows if self.impact.glance(n).connection.host == host), None)

    def action_side(self, by: int) -> None:
        """Go to another host."""
        to = max(0, min(len(self.hosts) - 1, self.side + by))
        if to != self.side:
            self.side = to
            self._fill(self.index)

    # --- filling -----------------------------------------------------------------------------------------------

    def _fill(self, place: int) -> None:
        impact = self.impact
        if impact is None:
            return
        shown, words = self._sides()
        self.columns = (
            Column("clients of", give=True, least=16),
            Column("number", right=True),
            *(Column(self._head(n, words=words)) for n in shown),
            *((Column("guarded by", give=True, least=10, drop=1),) if words else ()),
        )
        own = self.groups

        def make(index: int) -> Line:
            return self._line([impact.glance(n) for n in own[index].rows], shown, words=words)

        self.fill(Lines(len(own), make), place=max(0, place), words=partial(impact.words, each=True))

    def _sides(self) -> tuple[range, bool]:
        """Give the hosts that there is room for, the chosen one among them, and whether there is room for words."""
        if not self.hosts:
            return range(0), True
        room = self.size.width - (60 if self.size.width >= 100 else 38)
        wide = max(WORD, *(cells(host) + 2 for host in self.hosts)) + 2
        if wide * len(self.hosts) <= room:
            return range(len(self.hosts)), True
        short = max([4, *(min(SHORT, cells(host)) + 2 for host in self.hosts)]) + 2
        many = max(1, min(len(self.hosts), room // short))
        first = max(0, min(self.side - many // 2, len(self.hosts) - many))
        return range(first, first + many), False

    def _head(self, number: int, *, words: bool) -> str:
        host = self.signs.text(self.hosts[number])
        if not words:
            host = fit(host, SHORT).rstrip()
        return f"[{host}]" if number == self.side else f" {host} "

    def _line(self, rows: Sequence[Glance], shown: range, *, words: bool) -> Line:
        cohort = rows[0].connection.cohort
        by_host: dict[str, Glance] = {}
        for row in rows:
            by_host.setdefault(row.connection.host, row)
        found: list[tuple[str, str]] = []
        for number in shown:
            own = by_host.get(self.hosts[number])
            found.append((" -", "quiet") if own is None else (f" {self._cell(own, words=words)}", str(own.verdict)))
        count = cohort.clients
        wide = self.size.width >= 100
        number_text = "?" if count is None else (span if wide else compact)(count.low, count.high)
        if cohort.basis == "assumed" and count is not None:
            number_text = f"~{number_text}"
        guards = dict.fromkeys(name for row in rows for name in row.connection.mechanisms)
        texts = (self.signs.text(cohort.name), number_text, *(text for text, _ in found))
        texts = (*texts, ", ".join(guards)) if words else texts
        parts: list[tuple[int, Parts]] = [(n + 2, (part,)) for n, part in enumerate(found)]
        if cohort.basis == "assumed":
            parts.append((1, ((number_text, "assumed"),)))
        return Line(texts, parts=tuple(parts), style="")

    def _cell(self, row: Glance, *, words: bool) -> str:
        sign = self.signs.verdict(row.verdict)
        doubt = "?" if row.unsure else ""
        if not words:
            return f"{sign}{row.verdict.letter}{doubt}"
        bad = row.verdict.is_broken or row.verdict.is_exposed
        return f"{sign} {str(row.verdict).upper() if bad else row.verdict}{doubt}"

    def on_resize(self) -> None:
        """Share the width out anew."""
        if self.impact is not None:
            self._fill(self.index)
        else:
            super().on_resize()

    def find(self, styles: Sequence[str], by: int) -> bool:
        """Go to the next cohort that sees one of some verdicts on any host, or to the one before."""
        if self.impact is None:
            return False
        order = list(self.shown)
        ahead = order[self.cursor + 1 :] if by > 0 else reversed(order[: max(0, self.cursor)])
        for index in ahead:
            verdicts = {str(self.impact.glance(n).verdict) for n in self.groups[index].rows}
            if verdicts & set(styles):
                self.go(index)
                return True
        return False
