"""What-if: an event with knobs, and who breaks and is exposed at every turn of one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from rotator.errors import RotatorError
from rotator.report import text as text_report
from rotator.report.simulation import headlines, line, remarks, to_document, to_json
from rotator.simulate.explain import why
from rotator.simulate.question import Answer
from rotator.tui.actions import WHATIF
from rotator.tui.screens.base import PlannerScreen
from rotator.tui.widgets.knobs import Knobs
from rotator.tui.widgets.line_table import Column, Line, LineTable
from rotator.workflows import reports
from rotator.workflows import session as sessions
from rotator.workflows.whatif import answer as answer_of
from rotator.workflows.whatif import knobs, settle, turn

DATES = ("start",)


class WhatIfScreen(PlannerScreen):
    """Turn a knob and see the clients."""

    place = "whatif"
    BINDINGS: ClassVar[list[BindingType]] = [action.binding for action in WHATIF]
    DEFAULT_CSS = """
    WhatIfScreen #body { layout: vertical; }
    WhatIfScreen.-wide #body { layout: horizontal; }
    WhatIfScreen.-wide #knobs { width: 58; height: 1fr; }
    """

    def panes(self) -> Iterable[Widget]:
        """Give the knobs and the clients."""
        signs = self.planner.signs
        self.knobs = Knobs(signs, id="knobs")
        self.knobs.add_class("pane")
        self.clients = LineTable(
            (
                Column("verdict"),
                Column("cohort", give=True, least=18),
                Column("host", give=True, least=8),
                Column("clients", right=True),
                Column("why", give=True, least=12, drop=1),
            ),
            cursor=signs.cursor,
            id="clients",
        )
        self.clients.add_class("pane")
        self.answer: Answer | None = None
        yield self.knobs
        yield self.clients

    def show_state(self) -> None:
        """Answer what the knobs ask and show it."""
        app = self.planner
        picture, now, signs = app.session.picture, app.session.now, app.signs
        app.whatif = settle(app.whatif, picture)
        self.knobs.fill(knobs(app.whatif, picture, now))
        try:
            answer = answer_of(app.whatif, picture, now)
        except RotatorError as error:
            self.say(str(error))
            return
        self.answer = answer
        self.status(answer)
        self.say(*(remarks(answer) or headlines(answer)))
        rows = [line(row, answer) for row in answer.impact.rows]
        self.clients.fill(
            [
                Line((f"{signs.verdict(row.verdict)}{cells[0][1:]}", *map(signs.text, cells[1:])), str(row.verdict))
                for row, cells in zip(answer.impact.rows, rows, strict=True)
            ],
            keep=(lambda shown: shown.cells[1:3]) if self.clients.has_focus else None,
        )
        self._explain()

    @on(LineTable.Moved)
    def _explain(self) -> None:
        answer = self.answer
        if answer is not None and 0 <= self.clients.index < len(answer.impact.rows):
            row = answer.impact.rows[self.clients.index]
            self.why(f"{row.connection.cohort.name} on {row.connection.host}: {why(row, answer.inventory)}")

    @on(Knobs.Turned)
    def _turned(self, event: Knobs.Turned) -> None:
        self._turn(event.knob, event.by)

    # --- actions -----------------------------------------------------------------------------------------------

    def action_turn(self, by: int) -> None:
        """Turn the knob under the cursor; from the table of clients a page is a page."""
        if self.clients.has_focus and abs(by) > 1:
            self.clients.action_page(1 if by > 0 else -1)
            return
        knob = self.knobs.current
        if knob is not None:
            self._turn(knob.id, by if knob.id in DATES else (1 if by > 0 else -1))

    def _turn(self, knob: str, by: int) -> None:
        app = self.planner
        app.whatif = turn(app.whatif, app.session.picture, knob, by)
        self.show_state()

    def action_promote(self) -> None:
        """Promote the backup that the response serves, and take the key out that was stolen."""
        app = self.planner
        key = app.whatif.response.removeprefix("serve ")
        if key not in app.session.picture.policy.keys:
            self.notify("choose a response that serves a backup first", markup=False)
            return
        drop = (app.whatif.parts[0],) if app.whatif.event == "key-compromise" else ()
        try:
            session, _ = sessions.promote_key(app.session, key, drop)
        except RotatorError as error:
            self.notify(app.signs.text(str(error)), severity="warning", markup=False)
            return
        app.use(session)
        self.notify(app.signs.text(f"{key} is the primary now: 3 shows what to write, u takes it back"), markup=False)

    def action_keep(self) -> None:
        """Keep this answer as a report."""
        app = self.planner
        if self.answer is None:
            return
        about = "-".join(o.text for o in self.answer.question.occurrences) or "nothing"
        policy = {"name": app.session.picture.policy.name, "sha256": app.session.picture.digest}
        document = to_document(self.answer)
        report = reports.make("simulate", about, app.session.now, policy, document, to_json(self.answer))
        try:
            reports.keep(app.session.file, report)
        except RotatorError as error:
            self.notify(app.signs.text(str(error)), severity="error", markup=False)
            return
        self.notify(f"kept as report {report.id}; 4 lists them", markup=False)

    def as_text(self) -> str:
        """Give the answer as text."""
        if self.answer is None:
            return ""
        return text_report.render(to_document(self.answer), ascii_only=self.planner.signs.ascii_only)
