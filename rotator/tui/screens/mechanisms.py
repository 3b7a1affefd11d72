"""Mechanisms: every client technology, those of this policy first, and what each checks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from rotator.mechanisms.base import Mechanism
from rotator.mechanisms.registry import KNOWN_IDS, mechanism
from rotator.report import mechanisms as said
from rotator.report import text as text_report
from rotator.tui.actions import MECHANISMS
from rotator.tui.screens.base import PlannerScreen
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import Column, Line


class MechanismsScreen(PlannerScreen):
    """Every client technology."""

    place = "mechanisms"
    BINDINGS: ClassVar[list[BindingType]] = [action.binding for action in MECHANISMS]
    DEFAULT_CSS = """
    MechanismsScreen #body { layout: vertical; }
    MechanismsScreen #list { height: 8; }
    MechanismsScreen.-wide #body { layout: horizontal; }
    MechanismsScreen.-wide #list { width: 70; height: 1fr; }
    MechanismsScreen #why { display: none; }
    """

    def panes(self) -> Iterable[Widget]:
        """Give the list and the page."""
        cursor = self.planner.signs.cursor
        columns = (Column("id"), Column("here"), Column("compares", give=True, least=20))
        self.list = LineTable(columns, cursor=cursor, id="list")
        self.page = LineTable((Column("", give=True, least=20),), cursor=" ", id="page")
        self.found: list[Mechanism] = []
        self.every = False
        for table in (self.list, self.page):
            table.add_class("pane")
            yield table

    def show_state(self) -> None:
        """List all of them, those that the policy uses first."""
        app = self.planner
        self.status(app.checked.baseline)
        own = app.checked.baseline.inventory.mechanisms
        others = [mechanism(name) for name in KNOWN_IDS if name not in own]
        self.found = [*own.values(), *(others if self.every or not own else ())]
        rest = "o leaves the others out" if self.every else f"o shows {len(others)} others"
        self.say(f"{len(own)} used by this policy; {rest}, tab goes into the page.")
        signs = app.signs
        self.list.fill(
            [
                Line((signs.text(found.id), "yes" if found.id in own else "", signs.text(found.facts.object)))
                for found in self.found
            ],
            keep=lambda line: line.cells,
        )
        self._show_page()

    @on(LineTable.Moved, "#list")
    def _show_page(self) -> None:
        width = max(40, self.page.text_width)
        self.page.fill([Line((line,)) for line in self._text(width).splitlines()])

    def _text(self, width: int) -> str:
        if not 0 <= self.list.index < len(self.found):
            return ""
        document = said.page(self.found[self.list.index])
        return text_report.render(document, width=width, ascii_only=self.planner.signs.ascii_only)

    def action_others(self) -> None:
        """Show the client technologies that this policy does not use, or leave them out."""
        self.every = not self.every
        self.show_state()

    def action_open(self) -> None:
        """Go into the page."""
        self.page.focus()

    def as_text(self) -> str:
        """Give the page as text."""
        return self._text(80)
