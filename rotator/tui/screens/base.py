"""What every screen has: a title, how things stand, panes, and the keys that work here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Input

from rotator.model.verdicts import Verdict
from rotator.model.when import show
from rotator.report.document import compact, percent, span
from rotator.report.text import cells, wrap
from rotator.simulate.question import Answer
from rotator.simulate.totals import Total
from rotator.tui.actions import EVERYWHERE, HELP, PANES, Action, bindings
from rotator.tui.jump import Target
from rotator.tui.widgets.bars import Bar, Part, key_line
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import fit
from rotator.tui.working import WorkingScreen

if TYPE_CHECKING:
    from rotator.tui.app import PlannerApp

WIDE = 130
LEAST_LEFT = 18
"""Cells that the title keeps for the file, before it names screens that are not shown."""
LEAST_NAME = 8
"""Cells that the name of the file keeps beside the day."""
LEAST = (60, 15)
"""Cells below which one pane stands alone."""
TITLES = {
    "home": "Summary",
    "fleet": "Fleet",
    "whatif": "What-if",
    "plan": "Plan",
    "export": "Export",
    "reports": "Reports",
    "import": "Import",
    "mechanisms": "Mechanisms",
    "threats": "Threats",
    "emergency": "Emergency",
}
BAD = ("breaks", "lost", "exposed")
"""The styles of lines that `n` goes to."""
BY_LETTER = ("import", "mechanisms", "threats", "emergency")
"""Screens beside the planning itself: they stand with their letter alone where there is little room."""


class PlannerScreen(WorkingScreen):
    """A screen of the planner.

    Subclasses name themselves in `place`, give their panes in `panes` and fill them in `show_state`.
    """

    place: ClassVar[str] = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 - as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PANES, EVERYWHERE)]
    DEFAULT_CSS = """
    PlannerScreen { background: $background; layout: vertical; }
    PlannerScreen #body { height: 1fr; }
    PlannerScreen #why { height: 3; background: $surface; }
    PlannerScreen #said { height: auto; max-height: 3; }
    PlannerScreen #work { display: none; }
    PlannerScreen #filter { height: 1; border: none; padding: 0 1; display: none; background: $panel; }
    PlannerScreen #filter.-open { display: block; }
    PlannerScreen.-tiny #said, PlannerScreen.-tiny #why { display: none !important; }
    PlannerScreen.-tiny #body { layout: vertical !important; }
    PlannerScreen.-tiny .pane { display: none !important; }
    PlannerScreen.-tiny .pane.-alone { display: block !important; width: 1fr !important; height: 1fr !important;
        max-height: 100% !important; }
    PlannerScreen .-aside { display: none !important; }
    PlannerScreen .-zoomed { width: 1fr !important; height: 1fr !important; max-height: 100% !important;
        layout: vertical !important; }
    """

    @property
    def planner(self) -> PlannerApp:
        """Give the app."""
        return cast("PlannerApp", self.app)

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        # Said before there are panes: their styles would be worked out again for it.
        self.set_class(self.app.size.width >= WIDE, "-wide", update=False)
        yield Bar(id="title", classes="-panel")
        yield Bar(id="status")
        yield Bar(id="said")
        with Container(id="body"):
            yield from self.panes()
        yield Bar(id="why")
        yield Bar(id="work", classes="-panel")
        yield Input(
            placeholder="words to look for; enter keeps them, esc shows all", id="filter", select_on_focus=False
        )
        yield Bar(id="keys", classes="-panel")

    def panes(self) -> Iterable[Widget]:
        """Give the panes."""
        raise NotImplementedError  # pragma: no cover

    def show_state(self) -> None:
        """Fill the panes from the session."""
        raise NotImplementedError  # pragma: no cover

    def as_text(self) -> str:
        """Give what is shown as plain text, to copy."""
        raise NotImplementedError  # pragma: no cover

    def alarming(self) -> str:
        """Give the name of a key, host or chain that an emergency is likely about, as far as this screen knows."""
        return ""

    # --- frame -------------------------------------------------------------------------------------------------

    def on_screen_resume(self) -> None:
        """Fill the panes, at first and anew: another screen may have changed the session."""
        self.say_work()
        self.refresh_all()

    def on_resize(self) -> None:
        """Fit the lines at the edges to the new width; where there is hardly any room one pane stands alone."""
        tiny = self.size.width < LEAST[0] or self.size.height < LEAST[1]
        if tiny != self.has_class("-tiny"):
            self.set_class(tiny, "-tiny")
            self._alone(self.focused if self.focused in self._panes() else None)
        self._frame()

    def refresh_all(self) -> None:
        """Draw everything from the session."""
        if not self.is_mounted:
            return
        self._frame()
        self.show_state()

    def _frame(self) -> None:
        app = self.planner
        width = self.size.width or 80
        tabs = self._tabs(width)
        room = max(0, width - sum(cells(words) for words, _ in tabs))
        self.query_one("#title", Bar).say([(fit(self._heading(room), room), "strong"), *tabs])
        self.query_one("#keys", Bar).say(key_line(self.actions(), width, app.keys.first))

    def _heading(self, room: int) -> str:
        """Give the file, whether it has edits, and the time, as far as there is room.

        Where there are edits the name and its mark come before the day.
        """
        app = self.planner
        name = app.signs.text(app.session.file.rpartition("/")[2])
        told = " CHANGED ON DISK" if app.differs else ""
        mark = " *" if app.session.dirty else ""
        now = show(app.session.now)
        whole = [f"{told} {name}{mark}{end}" for end in (f"  {now}", f" {now[:10]}")]
        rest = room - cells(f"{told}  {now[:10]}")
        if rest >= LEAST_NAME and not mark:
            whole.append(f"{told} {fit(name, min(cells(name), rest))} {now[:10]}")
        rest = max(1, room - cells(f"{told} {mark}"))
        whole.append(f"{told} {fit(name, min(cells(name), rest))}{mark}")
        return next((text for text in whole if cells(text) <= room), whole[-1])

    def _tabs(self, width: int) -> list[Part]:
        """Give every screen with its key; names give way where there is little room, that of this screen last."""
        app = self.planner
        keys = {place: next(app.keys.first(a) for a in EVERYWHERE if a.id == f"screen.{place}") for place in TITLES}

        def tabs(*, named: bool) -> list[Part]:
            found: list[Part] = []
            for place, title in TITLES.items():
                key = keys[place]
                if place == self.place or width >= WIDE:
                    words = f" {key} {title} "
                elif named and place not in BY_LETTER and place != "home":
                    words = f" {key}{title}" if key.isdigit() else f" {key} {title}"
                else:
                    words = f" {key}"
                found.append((words, "here" if place == self.place else "quiet"))
            return found

        named = tabs(named=not app.differs)
        return named if sum(cells(words) for words, _ in named) + LEAST_LEFT <= width else tabs(named=False)

    def actions(self) -> Sequence[Action]:
        """Give the actions of this screen, help last."""
        common = [action for action in EVERYWHERE if action.shown]
        return (*HELP[self.place], *PANES, *sorted(common, key=lambda action: action.id == "app.help"))

    # --- lines that several screens have -----------------------------------------------------------------------

    def say(self, *sentences: str) -> None:
        """Show some sentences under the status line."""
        bar = self.query_one("#said", Bar)
        signs = self.planner.signs
        lines = [line for text in sentences for line in wrap(signs.text(text), (self.size.width or 80) - 2, " ")]
        bar.styles.height = min(3, len(lines))
        bar.say(*([(line, "strong" if n == 0 else "")] for n, line in enumerate(lines[:3])))

    def why(self, text: str, *, head: str = "WHY") -> None:
        """Show why, in three lines."""
        signs = self.planner.signs
        room = (self.size.width or 80) - 2
        indent = " " * (len(head) + 2)
        lines = wrap(signs.text(text), room, indent, f" {head} ") if text else [""]
        if len(lines) > 3:
            lines = [*lines[:2], lines[2][: room - 2].rstrip() + " ~"]
        self.query_one("#why", Bar).say(*([(line, "")] for line in lines))

    def status(self, answer: Answer) -> None:
        """Show the five counts and the first break."""
        self.query_one("#status", Bar).say(self.counts(answer))

    def counts(self, answer: Answer) -> list[Part]:
        """Give the five counts, worst first, as far as they fit."""
        impact = answer.impact
        signs = self.planner.signs
        rows: list[tuple[Verdict, Total, str]] = [
            (Verdict.BREAKS, impact.broken, "BREAKS"),
            (Verdict.EXPOSED, impact.exposed, "EXPOSED"),
            (Verdict.LOST, impact.lost, "LOST"),
            (Verdict.UNPINNED, impact.unpinned, "UNPINNED"),
            (Verdict.OK, impact.ok, "OK"),
        ]
        narrow = (self.size.width or 80) < WIDE
        parts: list[Part] = []
        for verdict, total, word in rows:
            style = "" if total.none else str(verdict)
            share = "" if total.none or total.share is None or narrow else f" ({percent(total.share)})"
            count = "?" if total.high is None or total.low is None else span(total.low, total.high)
            if narrow and total.high is not None and total.low is not None:
                count = compact(total.low, total.high)
            parts += [(f" {signs.verdict(verdict)} {word} {count}{share} ", style)]
        first = answer.first_break
        if first is not None:
            text = signs.text(f" first {show(first.at)} {first.row.connection.cohort.name}")
            parts.insert(3, (text + " ", "quiet"))
        room = self.size.width or 80
        while sum(cells(text) for text, _ in parts) > room and len(parts) > 3:
            parts.pop()
        return parts

    # --- what works on every screen ----------------------------------------------------------------------------

    def applies(self, action: Action) -> bool:
        """Say whether an action of this screen does anything now; the palette leaves out those that do not."""
        return action.id != "list.filter" or self.table() is not None

    def about_pane(self) -> str:
        """Say what the pane is that has the focus, for help; its `help_text`, where it has one."""
        return str(getattr(self.focused, "help_text", ""))

    def targets(self) -> list[Target]:
        """Give the places that jump mode goes to: the panes, then the other screens."""
        found = []
        for pane in self.query(".pane"):
            region = pane.region
            if pane.focusable and region.area:
                found.append(Target(region.x, region.y, pane.focus))
        x = self.size.width
        title = self.query_one("#title", Bar)
        texts = [cells(text) for text, _ in title.rows[0]] if title.rows else []
        for place, wide in zip(reversed(TITLES), reversed(texts), strict=False):
            x -= wide
            if place != self.place:
                found.append(Target(max(0, x), 0, partial(self.planner.action_go, place)))
        return found

    def find_break(self, by: int) -> bool:
        """Go to the next line that breaks or is exposed, or the one before; say whether there is one.

        Screens that know more of time than a list does go to the next instant instead.
        """
        for table in dict.fromkeys([self.table(), *self.query(LineTable)]):
            if table is not None and table.find(BAD, by):
                table.focus()
                return True
        return False

    def action_next_break(self, by: int) -> None:
        """Go to the next that breaks, or to the one before."""
        if not self.find_break(by):
            self.planner.tell("nothing more breaks this way" if by > 0 else "nothing breaks before this")

    def action_zoom(self) -> None:
        """Give the pane with the focus the whole screen, or take it back."""
        zoomed = self.query(".-zoomed")
        if zoomed:
            zoomed.remove_class("-zoomed")
            self.query(".-aside").remove_class("-aside")
            return
        here = self.focused
        while here is not None and here.parent is not None and here.id != "body":
            here.add_class("-zoomed")
            for other in here.parent.children:
                if other is not here:
                    other.add_class("-aside")
            here = cast("Widget", here.parent)
            if here.id == "body":
                here.add_class("-zoomed")

    # --- panes and the filter ----------------------------------------------------------------------------------

    def action_next_pane(self) -> None:
        """Go to the next pane."""
        self._other_pane(1)

    def action_previous_pane(self) -> None:
        """Go to the pane before."""
        self._other_pane(-1)

    def _panes(self) -> list[Widget]:
        return list(self.query(".pane"))

    def _other_pane(self, by: int) -> None:
        if not self.has_class("-tiny"):
            (self.focus_next if by > 0 else self.focus_previous)(".pane")
            return
        panes = self._panes()
        here = next((n for n, pane in enumerate(panes) if pane.has_class("-alone")), 0)
        self._alone(panes[(here + by) % len(panes)])

    def _alone(self, pane: Widget | None) -> None:
        """Let one pane stand alone where there is no room for others."""
        panes = self._panes()
        for other in panes:
            other.set_class(other is (pane or panes[0]), "-alone")
        if pane is not None:
            pane.focus()

    def table(self) -> LineTable | None:
        """Give the table that a filter is for: the focused one, else the first."""
        if isinstance(self.focused, LineTable):
            return self.focused
        return next(iter(self.query(LineTable)), None)

    def action_filter(self) -> None:
        """Open the filter."""
        table = self.table()
        if table is None:
            return
        box = self.query_one("#filter", Input)
        box.value = table.words
        self._filtered = table
        box.add_class("-open")
        box.focus()
        self.call_after_refresh(table.prepare)

    @on(Input.Changed, "#filter")
    def _narrow(self, event: Input.Changed) -> None:
        table = getattr(self, "_filtered", None)
        if isinstance(table, LineTable) and event.input.has_class("-open"):
            table.narrow(event.value)

    @on(Input.Submitted, "#filter")
    def _keep_filter(self) -> None:
        self._close_filter()

    def _close_filter(self) -> None:
        box = self.query_one("#filter", Input)
        box.remove_class("-open")
        table = getattr(self, "_filtered", None)
        if isinstance(table, LineTable):
            table.focus()

    def key_escape(self) -> None:
        """Give up what is being worked out; else leave the filter and show everything."""
        if self.give_up():
            return
        box = self.query_one("#filter", Input)
        table = getattr(self, "_filtered", None) or self.table()
        if isinstance(table, LineTable):
            table.narrow("")
        if box.has_class("-open"):
            box.value = ""
            self._close_filter()
