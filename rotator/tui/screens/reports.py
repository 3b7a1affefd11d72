"""Reports: what was kept, newest first, and reading it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from rotator.errors import RotatorError
from rotator.model.when import parse_instant
from rotator.report import text as text_report
from rotator.report.document import Document
from rotator.tui.actions import REPORTS
from rotator.tui.screens.base import PlannerScreen
from rotator.tui.screens.dialogs import Ask
from rotator.tui.screens.pages import text_lines
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import Column, Line
from rotator.workflows import reports
from rotator.workflows.comparing import at_day, compare, days_of, turns_of


class ReportsScreen(PlannerScreen):
    """What was kept."""

    place = "reports"
    BINDINGS: ClassVar[list[BindingType]] = [action.binding for action in REPORTS]
    DEFAULT_CSS = """
    ReportsScreen #body { layout: vertical; }
    ReportsScreen #list { height: 8; }
    ReportsScreen.-wide #body { layout: horizontal; }
    ReportsScreen.-wide #list { width: 60; height: 1fr; }
    ReportsScreen #why { display: none; }
    """

    def panes(self) -> Iterable[Widget]:
        """Give the list and the report."""
        cursor = self.planner.signs.cursor
        self.list = LineTable(
            (Column(""), Column("made"), Column("kind"), Column("report", give=True, least=20)),
            cursor=cursor,
            id="list",
        )
        self.page = LineTable((Column("", give=True, least=20),), cursor=" ", id="page")
        self.found: list[reports.Report] = []
        self.marked: list[str] = []
        self.compared: Document | None = None
        self.day: date | None = None
        self.day_of = ""
        for table in (self.list, self.page):
            table.add_class("pane")
            yield table

    def show_state(self) -> None:
        """List the reports of this policy."""
        app = self.planner
        self.status(app.checked.baseline)
        self.found, problems = reports.all_reports(app.session.file)
        if problems:
            self.say(*(str(problem) for problem in problems[:2]))
        elif self.found:
            self.say(f"{len(self.found)} kept beside the policy; space marks two, = compares them.")
        else:
            self.say("No reports yet: K in What-if keeps an answer, writing an export keeps one.")
        signs = app.signs
        self.list.fill(
            [
                Line(
                    (
                        "*" if r.id in self.marked else "",
                        signs.text(r.made)[:10],
                        signs.text(r.kind),
                        signs.text(r.title.partition(": ")[2] or r.title),
                    ),
                    "exposed" if r.override else "",
                )
                for r in self.found
            ],
            keep=lambda line: line.cells[1:],
        )
        self._show_page()

    @property
    def current(self) -> reports.Report | None:
        """Give the report under the cursor."""
        return self.found[self.list.index] if 0 <= self.list.index < len(self.found) else None

    @on(LineTable.Moved, "#list")
    def _show_page(self) -> None:
        report = self.current
        if report is None:
            self.page.fill([])
            return
        if report.id != self.day_of:
            self.day, self.day_of, self.compared = None, report.id, None
        lines = text_lines(self._document(report), self.page.text_width, self.planner.signs, title=True)
        if self.day is not None and self.compared is None:
            lines = [*text_lines(at_day(report, self.day), self.page.text_width, self.planner.signs, title=True),
                     Line(("",)), *lines]  # fmt: skip
        self.page.fill(lines)

    def _document(self, report: reports.Report) -> Document:
        return self.compared or report.document

    def on_resize(self) -> None:
        """Wrap the report anew."""
        super().on_resize()
        self.call_after_refresh(self._show_page)

    # --- actions -----------------------------------------------------------------------------------------------

    def action_open(self) -> None:
        """Go into the report."""
        self.compared = None
        self._show_page()
        self.page.focus()

    def action_mark(self) -> None:
        """Mark a report, or take its mark away; the third takes the place of the first."""
        report = self.current
        if report is None:
            return
        if report.id in self.marked:
            self.marked.remove(report.id)
        else:
            self.marked = [*self.marked[-1:], report.id]
        self.refresh_all()
        if len(self.marked) < 2:
            self.list.action_move(1)

    def action_compare(self) -> None:
        """Compare the two that are marked, the older one first."""
        chosen = [report for report in reversed(self.found) if report.id in self.marked]
        if len(chosen) != 2:
            self.notify("mark two reports with space first", markup=False)
            return
        self.compared = compare(*chosen)
        report = self.current
        self.day_of = report.id if report is not None else ""
        self._show_page()
        self.say("Compared; enter shows the report under the cursor again.")
        self.page.focus()

    def action_seek(self, by: int) -> None:
        """Go to the next day on which something changes, or to the one before."""
        self._go(by, turns_of)

    def action_day(self, by: int) -> None:
        """Go a day on or back."""
        self._go(by, days_of)

    def _go(self, by: int, known: Callable[[reports.Report], list[date]]) -> None:
        report = self.current
        days = known(report) if report is not None else []
        if not days:
            self.notify("this report is for one instant; K in What-if keeps the days that are shown", markup=False)
            return
        if self.day is None:
            ahead = days[:1] if by > 0 else days[-1:]
        else:
            ahead = [day for day in days if day > self.day][:1] if by > 0 else [d for d in days if d < self.day][-1:]
        if not ahead:
            self.notify("there is no such day in this report", markup=False)
            return
        self.day = ahead[0]
        self._show_page()

    def action_date(self) -> None:
        """Ask for a date of the report."""
        days = days_of(self.current) if self.current is not None else []
        if days:
            self.app.push_screen(Ask(f"Which day? {days[0]} to {days[-1]}"), self._dated)
        else:
            self.notify("this report is for one instant", markup=False)

    def _dated(self, text: str | None) -> None:
        report = self.current
        if not text or not text.strip() or report is None:
            return
        try:
            day = parse_instant(text.strip()).date()
            at_day(report, day)
        except RotatorError as error:
            self.notify(self.planner.signs.text(str(error)), severity="warning", markup=False)
            return
        self.day = day
        self._show_page()

    def as_text(self) -> str:
        """Give what is shown as text."""
        report = self.current
        if report is None:
            return ""
        return text_report.render(self._document(report), ascii_only=self.planner.signs.ascii_only)
