"""Threats: what each kind of pin protects against on one host, and what ordinary maintenance breaks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from rotator.errors import RotatorError
from rotator.report import text as text_report
from rotator.report.threats import headlines, sign, to_document
from rotator.simulate.grid import Outcome, Threats
from rotator.tui.actions import THREATS
from rotator.tui.screens.base import PlannerScreen
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import Column, Line
from rotator.workflows.threatening import hosts_with_chains, threats_of

STYLES = {
    Outcome.PROTECTED: "ok",
    Outcome.WORKS: "ok",
    Outcome.EXPOSED: "exposed",
    Outcome.BROKEN: "breaks",
    Outcome.LOST: "lost",
}


class ThreatsScreen(PlannerScreen):
    """The grid of one host, and why of one cell."""

    place = "threats"
    BINDINGS: ClassVar[list[BindingType]] = [action.binding for action in THREATS]

    def panes(self) -> Iterable[Widget]:
        """Give the grid."""
        self.table_of_threats = LineTable((Column(""),), cursor=self.planner.signs.cursor, id="grid")
        self.table_of_threats.add_class("pane")
        self.grid: Threats | None = None
        self.asked: tuple[object, ...] = ()
        self.host = 0
        self.kind = 0
        yield self.table_of_threats

    def show_state(self) -> None:
        """Make the grid of the host, once for each picture of the policy."""
        app = self.planner
        picture, signs = app.session.picture, app.signs
        self.status(app.checked.baseline)
        hosts = hosts_with_chains(picture)
        if not hosts:
            self.say("No host serves anything yet.")
            return
        host = hosts[self.host % len(hosts)]
        if self.asked != (picture.digest, app.session.text, host):
            self.asked, self.grid = (picture.digest, app.session.text, host), None
            try:
                self.grid = threats_of(picture, host, app.session.now)
            except RotatorError as error:
                self.say(f"{host}: {error}")
                self.table_of_threats.fill([])
                return
        grid = self.grid
        if grid is None:
            return
        self.kind %= len(grid.kinds)
        chosen = grid.kinds[self.kind]
        path = signs.text(" > ".join(grid.path))
        self.say(f"{grid.host}: {grid.mechanism} on {path}", *headlines(grid))
        self.table_of_threats.columns = (
            Column("threat, then maintenance", give=True, least=12),
            *(Column(f"[{kind.short}]" if kind is chosen else kind.short) for kind in grid.kinds),
        )
        self.table_of_threats.fill(
            [
                Line((row.label, *(signs.text(sign(cell)) for cell in row.cells)), STYLES[row.cells[self.kind].outcome])
                for row in grid.rows
            ],
            keep=lambda line: line.cells[0],
        )
        self._explain()

    @on(LineTable.Moved)
    def _explain(self) -> None:
        grid, index = self.grid, self.table_of_threats.index
        if grid is not None and 0 <= index < len(grid.rows):
            row, kind = grid.rows[index], grid.kinds[self.kind]
            cell = row.cells[self.kind]
            self.why(f"{row.label}, pinning {kind.label}: {cell.outcome}. {cell.why}")

    # --- actions -----------------------------------------------------------------------------------------------

    def action_pins(self, by: int) -> None:
        """Go to another kind of pin."""
        self.kind += by
        self.show_state()

    def action_host(self) -> None:
        """Go to the next host."""
        self.host += 1
        self.show_state()

    def as_text(self) -> str:
        """Give the whole grid as text."""
        if self.grid is None:
            return ""
        document = to_document(self.grid, self.planner.session.picture.inventory)
        return text_report.render(document, ascii_only=self.planner.signs.ascii_only)
