"""Summary: the page that `rotator POLICY` prints, and behind each of its lines where it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from rotator.errors import RotatorError
from rotator.model.findings import Finding
from rotator.report.document import Block, Bullets, Document, Facts, Heading, Paragraph, Table, percent, span
from rotator.report.summary import PageLine, Summary, page, render
from rotator.simulate.fleet import Connection
from rotator.simulate.question import Answer
from rotator.simulate.totals import Total
from rotator.tui.actions import HOME
from rotator.tui.screens.base import PlannerScreen
from rotator.tui.screens.pages import Page, text_lines
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import Column, Line
from rotator.workflows.whatif import playing

MOST_TO_DO, MOST_DATES = 60, 12
SAMPLE = (".example.com", ".example.net", ".example.org", ".example", ".test")
OWN = "This is a sample. Your own app: rotator my.toml leads you through."


class HomeScreen(PlannerScreen):
    """What one sees first."""

    place = "home"
    BINDINGS: ClassVar[list[BindingType]] = [action.binding for action in HOME]
    DEFAULT_CSS = """
    HomeScreen #body { layout: horizontal; }
    HomeScreen #detail { width: 64; background: $surface; }
    HomeScreen.-narrow #detail { display: none; }
    HomeScreen.-wide #why { display: none; }
    """

    def panes(self) -> Iterable[Widget]:
        """Give the page and what stands behind its lines."""
        sign = self.planner.signs.cursor
        self.list = LineTable((Column("", give=True, least=20),), cursor=sign, id="list", classes="pane")
        self.list.headless = True
        behind = (Column("behind this line", give=True, least=20),)
        self.detail = LineTable(behind, cursor=" ", id="detail", classes="pane")
        self.summary: Summary | None = None
        self.rows: list[PageLine] = []
        yield from (self.list, self.detail)

    def show_state(self) -> None:
        """Compute the summary, once for each state of the policy."""
        app = self.planner
        session, signs = app.session, app.signs
        self.status(app.checked.baseline)
        self.summary = app.summarized()
        todo = self.summary.to_do
        dated = [f.due for f in todo if f.due is not None]
        many = f"{len(todo)} thing{'' if len(todo) == 1 else 's'} to do"
        first = f"{many}, the nearest by {min(dated)}." if dated else f"{many}." if todo else "Nothing to do."
        first += " Emergency: !"
        names = [name for label in session.picture.policy.hosts for name in session.picture.policy.host_names(label)]
        self.say(first, *([OWN] if names and all(name.endswith(SAMPLE) for name in names) else []))
        self.rows = [
            row for row in page(self.summary, MOST_TO_DO, MOST_DATES) if row.section not in ("head", "attention", "end")
        ]
        while self.rows and not self.rows[0].text:
            del self.rows[0]
        begin = next((n for n, row in enumerate(self.rows) if row.section == "if" and row.item == 0), 0)
        lines = [self._line(signs.text(row.text), row) for row in self.rows]
        if self.list.lines:
            self.list.fill(lines, keep=lambda line: line.cells)
        else:
            self.list.fill(lines, place=begin)
            self.call_after_refresh(self.list.from_the_top)
        self._behind()

    def _line(self, text: str, row: PageLine) -> Line:
        if text and not text.startswith(" "):
            # Rows below lose a space to the sign of the cursor, so the words above their columns do too.
            return Line((text.replace("  ", " ", 1),), strong=True)
        # The sign of the cursor takes the first of the two cells that lines of the page are set in by.
        text = text.removeprefix(" ")
        style = ""
        finding = self._finding(row)
        if finding is not None and text[1:2].isdigit():
            style = {"error": "breaks", "warning": "exposed"}.get(str(finding.severity), "")
        return Line((text,), style)

    def _finding(self, row: PageLine) -> Finding | None:
        if self.summary is None or row.section != "to do" or row.item < 0:
            return None
        return self.summary.to_do[row.item] if row.item < len(self.summary.to_do) else None

    @property
    def current(self) -> PageLine | None:
        """Give the line under the cursor."""
        return self.rows[self.list.index] if 0 <= self.list.index < len(self.rows) else None

    @on(LineTable.Moved, "#list")
    def _behind(self) -> None:
        """Show what stands behind the line under the cursor."""
        document = self._document()
        self.detail.fill(text_lines(document, self.detail.text_width, self.planner.signs, title=True))
        first = next((b.text for b in document.blocks if isinstance(b, Paragraph)), "")
        row = self.current
        head = row.section.upper() if row is not None and row.section else ""
        self.why(f"{document.title}: {first}" if first else "", head=head or "WHY")

    def _document(self) -> Document:
        row, summary = self.current, self.summary
        if row is None or summary is None:
            return Document("", ())
        finding = self._finding(row)
        if finding is not None:
            return finding_document(finding)
        if row.section == "if" and 0 <= row.item < len(summary.ifs):
            return self._if(summary, row.item)
        if row.section == "hold" and row.text.startswith("  Carried"):
            return self._carried(summary)
        if row.section == "stands on" or (row.section == "hold" and row.text.startswith("  Users")):
            return Document("where the numbers come from", (Paragraph("enter shows every count with its origin."),))
        return Document("", ())

    def _if(self, summary: Summary, item: int) -> Document:
        one = summary.ifs[item]
        what = ", ".join(o.text for o in one.answer.question.occurrences) or "nothing happens"
        blocks: list[Block] = [
            Paragraph(f"{_many(one.broken)} break, {_many(one.exposed)} are exposed.", strong=True),
            Facts((("played", what), ("keys", "enter: where it comes from; o: play it in What-if"))),
        ]
        rows = [
            (r.connection.cohort.name, r.connection.host, _clients(r.connection), str(r.reason)) for r in one.breaking
        ]
        if rows:
            blocks += [
                Heading("who breaks"),
                Table(("cohort", "host", "clients", "why"), tuple(rows[:12]), ("clients",)),
            ]
        return Document(one.label, tuple(blocks))

    def _carried(self, summary: Summary) -> Document:
        pairs = tuple((key, f"pinned by {_many(total)}") for key, total in summary.carried.items())
        return Document("who carries which key", (Facts(pairs),))

    def on_resize(self) -> None:
        """Wrap the text anew."""
        super().on_resize()
        self.call_after_refresh(self._behind)

    # --- actions -----------------------------------------------------------------------------------------------

    def action_why(self) -> None:
        """Show where the line comes from."""
        app, row, summary = self.planner, self.current, self.summary
        if row is None or summary is None:
            return
        if row.section == "if" and 0 <= row.item < len(summary.ifs):
            self._ask_why(summary.ifs[row.item].answer, "broken")
        elif row.section == "stands on" or row.text.startswith(("  Users", "  Apps")):
            self._ask_why(app.checked.baseline, "population")
        elif row.section == "calendar":
            app.push_screen(Page(self._calendar(), app.signs))
        elif (document := self._document()).blocks:
            app.push_screen(Page(document, app.signs))

    def _ask_why(self, answer: Answer, path: str) -> None:
        from rotator.tui.screens.why import Why  # not before somebody asks: the first screen is sooner there

        self.app.push_screen(Why(answer, self.planner.signs, path=path))

    def _calendar(self) -> Document:
        rows = tuple(
            (item.day.isoformat(), item.text, item.source or item.subject) for item in self.planner.checked.calendar
        )
        return Document("calendar", (Table(("date", "what", "where it is from"), rows, wide="what"),))

    def action_play(self) -> None:
        """Play what the line says in What-if."""
        app, row, summary = self.planner, self.current, self.summary
        if row is None or summary is None or row.section != "if" or not 0 <= row.item < len(summary.ifs):
            self.notify("put the cursor on a line under IF IT HAPPENED TODAY first", markup=False)
            return
        try:
            app.whatif = playing(summary.ifs[row.item].answer.question.occurrences, app.session.picture)
        except RotatorError as error:
            self.notify(app.signs.text(str(error)), severity="warning", markup=False)
            return
        app.switch_mode("whatif")

    def alarming(self) -> str:
        """Give the key that the line is about."""
        row, summary = self.current, self.summary
        if row is None or summary is None or row.section != "if" or not 0 <= row.item < len(summary.ifs):
            return ""
        happens = summary.ifs[row.item].answer.question.occurrences
        return next((one.parts[0] for one in happens if one.id == "key-compromise"), "")

    def as_text(self) -> str:
        """Give the page as `rotator POLICY` prints it."""
        return render(self.summary) if self.summary is not None else ""


def finding_document(finding: Finding) -> Document:
    """Write a finding for people, with what to do and the source of the rule."""
    due = (("by", finding.due.isoformat()),) if finding.due is not None else ()
    facts = (("severity", str(finding.severity)), ("about", finding.subject), *due)
    blocks: list[Block] = [Paragraph(finding.message, strong=True), Facts(facts)]
    if finding.hint:
        blocks += [Heading("what to do"), Paragraph(finding.hint)]
    if finding.source:
        blocks += [Heading("where the rule is from"), Bullets((finding.source,))]
    return Document(finding.id, tuple(blocks))


def _many(total: Total) -> str:
    if total.none:
        return "0"
    return "some, not known" if total.high is None else f"{span(total.low, total.high)} ({percent(total.share)})"


def _clients(connection: Connection) -> str:
    count = connection.clients
    return "?" if count is None else span(count.low, count.high)
