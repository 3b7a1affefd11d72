"""Reports: what was kept, newest first, and reading it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from rotator.report import text as text_report
from rotator.tui.actions import REPORTS
from rotator.tui.screens.base import PlannerScreen
from rotator.tui.widgets.line_table import Column, Line, LineTable
from rotator.workflows import reports


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
            (Column("made"), Column("kind"), Column("report", give=True, least=20)), cursor=cursor, id="list"
        )
        self.page = LineTable((Column("", give=True, least=20),), cursor=" ", id="page")
        self.found: list[reports.Report] = []
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
            self.say(f"{len(self.found)} kept beside the policy; tab goes into the report, y copies it.")
        else:
            self.say("No reports yet: K in What-if keeps an answer, writing an export keeps one.")
        signs = app.signs
        self.list.fill(
            [Line((r.made[:10], r.kind, signs.text(r.title)), "exposed" if r.override else "") for r in self.found],
            keep=lambda line: line.cells,
        )
        self._show_page()

    @on(LineTable.Moved, "#list")
    def _show_page(self) -> None:
        if not 0 <= self.list.index < len(self.found):
            self.page.fill([])
            return
        width = max(40, self.page.text_width)
        signs = self.planner.signs
        document = self.found[self.list.index].document
        text = text_report.render(document, width=width, ascii_only=signs.ascii_only)
        self.page.fill([Line((line,)) for line in text.splitlines()])

    def action_open(self) -> None:
        """Go into the report."""
        self.page.focus()

    def as_text(self) -> str:
        """Give the report as text."""
        if not 0 <= self.list.index < len(self.found):
            return ""
        return text_report.render(self.found[self.list.index].document, ascii_only=self.planner.signs.ascii_only)
