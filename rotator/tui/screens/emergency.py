"""Emergency: what happened, the responses beside one another, who is hit hour by hour, and what to do by when."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widget import Widget

from rotator.model.policy import Limits
from rotator.model.when import HOUR, show
from rotator.plan.alarm import Emergency, Option
from rotator.report import text as text_report
from rotator.report.document import Bullets, Document, Heading
from rotator.report.emergency import (
    chat,
    instant,
    to_document,
    to_json,
    version_of,
)
from rotator.report.responses import about, about_todo, count, short_doubt
from rotator.report.ruler import UNITS
from rotator.report.text import wrap
from rotator.tui.actions import EMERGENCY
from rotator.tui.screens.alarming import AskingScreen
from rotator.tui.screens.emergency_lines import head, known, standing
from rotator.tui.screens.pages import Page
from rotator.tui.widgets.bars import Bar, Part
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import fit
from rotator.tui.widgets.responses import Axis, Responses
from rotator.workflows import reports
from rotator.workflows import session as sessions
from rotator.workflows.watching import turns

EMPTY = (
    "o says what happened: a serial, a host, a key, or a pasted certificate. Then: what could be done, who is hit, "
    "and what to do by when."
)


class EmergencyScreen(AskingScreen):
    """A key that may be stolen, or a certificate that the CA revokes."""

    place = "emergency"
    BINDINGS: ClassVar[list[BindingType]] = [action.binding for action in EMERGENCY]
    DEFAULT_CSS = """
    EmergencyScreen #body { layout: vertical; }
    EmergencyScreen #said { display: none; }
    EmergencyScreen #told { height: auto; max-height: 6; }
    EmergencyScreen #responses { height: auto; max-height: 6; }
    EmergencyScreen #responses.-none, EmergencyScreen #groups.-none { display: none; }
    EmergencyScreen #groups { height: 1fr; margin-top: 1; }
    EmergencyScreen #right { display: none; }
    EmergencyScreen #plot { height: 1fr; max-height: 17; margin-top: 1; }
    EmergencyScreen.-list #left { display: none; }
    EmergencyScreen.-list #right { display: block; height: 1fr; }
    EmergencyScreen.-narrow #plot { display: none; }
    EmergencyScreen.-wide #body { layout: horizontal; }
    EmergencyScreen.-wide #left { width: 1fr; height: 1fr; display: block; }
    EmergencyScreen.-wide #right { display: block; width: 62; height: 1fr; }
    EmergencyScreen.-wide #told { height: auto; }
    EmergencyScreen.-tiny #told { display: none !important; }
    """

    def panes(self) -> Iterable[Widget]:
        """Give what is known, the responses, the versions, the list of what is to do, and the shares over time."""
        signs = self.planner.signs
        self.done: dict[str, datetime] = {}
        self.unit = 0
        self.look = timedelta()
        self.begin = timedelta()
        self.tables = Responses(signs)
        self.responses, self.groups, self.todo = self.tables.options, self.tables.groups, self.tables.todo
        for pane in (self.responses, self.groups, self.todo):
            pane.add_class("pane")
        yield Vertical(self.responses, self.groups, id="left")
        yield Vertical(self.todo, self.tables.plot, id="right")

    def compose(self) -> Iterable[Widget]:
        """Lay the screen out, what happened above the panes."""
        for widget in super().compose():
            yield widget
            if widget.id == "status":
                yield Bar(id="told")

    def on_mount(self) -> None:
        """Let the clock of the CA run."""
        self.set_interval(20, self._tell)

    def show_state(self) -> None:
        """Ask what happened, or answer anew where the policy is another by now."""
        app = self.planner
        suggested, app.alarm = app.alarm, None
        if suggested is not None and self.asked is None:
            self.call_after_refresh(self.ask_what, suggested)
        self.answer()
        self.draw()

    def begin_with(self, found: Emergency) -> None:
        """Show another answer, from its first hour on."""
        self.look = self.begin = timedelta()
        self.tables.forget()
        self.draw()
        if self.focused is None or not self.focused.display:
            self.call_after_refresh((self.responses if found.options else self.todo).focus)

    # --- what is looked at -------------------------------------------------------------------------------------

    @property
    def option(self) -> Option | None:
        """Give the response under the cursor."""
        return self.tables.option(self.found)

    @property
    def at(self) -> datetime:
        """Give the instant that is looked at."""
        found = self.found
        return (found.now if found is not None else self.planner.session.now) + self.look

    @property
    def limits(self) -> Limits:
        """Give the limits of the policy."""
        return self.planner.session.picture.policy.limits

    # --- drawing -----------------------------------------------------------------------------------------------

    def draw(self) -> None:
        """Draw the answer."""
        if not self.is_mounted:
            return
        found = self.found
        self.responses.set_class(found is None or not found.options, "-none")
        self.groups.set_class(found is None or not found.groups, "-none")
        self.set_class(found is not None and not found.options, "-list")
        self.tables.fill_options(found, self.limits.exposure_weight, wide=self.has_class("-wide"))
        self._fill_groups()
        self.tables.fill_todo(found, self.done)
        self._tell()
        self._explain()

    def _fill_groups(self) -> None:
        self.tables.fill_groups(self.found, self._axis(), self.at, wide=self.has_class("-wide"))

    def _axis(self) -> Axis:
        """Give the axis of time; it begins where the hour that is looked at is on it."""
        room = self.tables.room(wide=self.has_class("-wide"))
        each = timedelta(hours=UNITS[self.unit].hours)
        while self.look >= self.begin + each * room:
            self.begin += each * max(1, room // 2)
        while self.look < self.begin:
            self.begin -= each * max(1, room // 2)
        self.begin = max(timedelta(), self.begin)
        start = self.found.now if self.found is not None else self.planner.session.now
        return Axis(start=start + self.begin, unit=self.unit, width=room)

    # --- the lines above ---------------------------------------------------------------------------------------

    def _tell(self) -> None:
        """Say what happened, how much of the CA's clock is left, and how things stand at the hour looked at."""
        if not self.is_mounted:
            return
        found, signs = self.found, self.planner.signs
        width = max(20, self.size.width or 80)
        if found is None:
            said = self.refused or ("Being worked out." if self.job is not None else EMPTY)
            style = "breaks" if self.refused else "strong"
            status: list[Part] = [(" EMERGENCY", "strong")]
            rows: list[list[Part]] = [[(line, style)] for line in wrap(signs.text(said), width - 2, " ")[:4]]
        else:
            status = standing(found, self.option, self.responses.index + 1, self.at, width, signs)
            rows = [head(found, self.passed, width, signs)]
            rows += [[(fit(f" {signs.text(text)}", width), style)] for text, style in known(found, self.option)]
            if self.refused:
                rows.append([(fit(f" REFUSED: {signs.text(self.refused.splitlines()[0])}", width), "breaks")])
        self.query_one("#status", Bar).say(status)
        bar = self.query_one("#told", Bar)
        bar.styles.height = min(6, len(rows))
        bar.say(*rows[:6])

    # --- explaining --------------------------------------------------------------------------------------------

    @on(LineTable.Moved, "#responses")
    def _another(self) -> None:
        self._fill_groups()
        self._tell()
        self._explain()

    @on(LineTable.Moved, "#groups")
    @on(LineTable.Moved, "#todo")
    def _moved(self) -> None:
        self._explain()

    def on_descendant_focus(self) -> None:
        """Say what is under the cursor of the pane that has the focus now."""
        self._explain()

    def _explain(self) -> None:
        found, option, signs = self.found, self.option, self.planner.signs
        if found is None:
            self.why("")
            return
        if self.todo.has_focus and 0 <= self.todo.index < len(found.todo):
            todo = found.todo[self.todo.index]
            self.why(f"{todo.what}. Latest start {instant(todo.latest)}. Undo: {todo.undo}", head="TO DO")
            return
        width = max(20, self.size.width or 80)
        first = self._why_of(found, option)
        doubt = (
            short_doubt(found.doubts[0]) if found.doubts else "; ".join(found.uncounted) or "none that could be tried"
        )
        following = [todo for todo in found.todo if todo.what not in self.done]
        then = f"by {following[0].latest:%a %H:%MZ}: {following[0].what}" if following else "all is done"
        lines = ((" WHY   ", first), (" DOUBT ", doubt), (" NEXT  ", then))
        rows: list[list[Part]] = [
            [(head, "strong"), (fit(signs.text(text), max(10, width - len(head) - 1)), "")] for head, text in lines
        ]
        self.query_one("#why", Bar).say(*rows)

    def _why_of(self, found: Emergency, option: Option | None) -> str:
        if self.groups.has_focus and 0 <= self.groups.index < len(self.tables.shown):
            group = self.tables.shown[self.groups.index]
            stuck = f"{count(group.stuck)} of them stuck: their system is too old for a build that would serve them"
            return f"{version_of(group)}: {count(group.broken)} of {count(group.users)} cut off at worst, {stuck}"
        if option is None:
            return "no response is needed: the key is safe, its certificate is made anew"
        if option.weighed.response.refused:
            return f"refused: {option.weighed.response.refused}"
        return found.why[0] if option.recommended and found.why else option.weighed.response.title

    # --- actions -----------------------------------------------------------------------------------------------

    def action_scrub(self, by: int) -> None:
        """Look some cells of the axis later or earlier."""
        self._look_at(self.look + by * timedelta(hours=UNITS[self.unit].hours))

    def _look_at(self, look: timedelta) -> None:
        if self.found is not None:
            most = self.found.until - self.found.now - HOUR
            self.look = max(timedelta(), min(most, look))
            self._fill_groups()
            self._tell()

    def action_turn(self, by: int) -> None:
        """Go to the next instant at which the response changes anything, or the one before."""
        found, option = self.found, self.option
        if found is None or option is None:
            return
        known = [mark for mark in turns(option.weighed) if found.now <= mark.at < found.until]
        ahead = [m for m in known if (m.at > self.at if by > 0 else m.at < self.at)]
        if not ahead:
            self.planner.tell("nothing more happens" if by > 0 else "nothing happens before this")
            return
        mark = ahead[0] if by > 0 else ahead[-1]
        self._look_at(timedelta(hours=math.ceil((mark.at - found.now) / HOUR)))
        self.why(f"{show(mark.at)}: {mark.what}", head="WHEN")

    def find_break(self, by: int) -> bool:
        """Look at the next instant at which the response changes anything."""
        self.action_turn(by)
        return True

    def action_zoom_time(self, by: int) -> None:
        """Make a cell of the axis longer or shorter."""
        self.unit = max(0, min(len(UNITS) - 2, self.unit + by))
        self._fill_groups()
        self._tell()
        self.why(f"a cell of time is one {UNITS[self.unit].word}", head="TIME")

    def action_now(self) -> None:
        """Look at the moment it happened."""
        self._look_at(timedelta())

    def action_list(self) -> None:
        """Show what is to do, or the responses again; on a wide screen go there."""
        if self.found is None or not self.found.options:
            return
        if self.has_class("-wide"):
            (self.responses if self.todo.has_focus else self.todo).focus()
            return
        self.toggle_class("-list")
        self.call_after_refresh((self.todo if self.has_class("-list") else self.responses).focus)

    def action_tick(self) -> None:
        """Tick the thing to do off, or take that back."""
        found = self.found
        if found is None or not self.todo.has_focus or not 0 <= self.todo.index < len(found.todo):
            self.planner.tell("d goes to the list of what is to do; space ticks a line of it off")
            return
        what = found.todo[self.todo.index].what
        if self.done.pop(what, None) is None:
            self.done[what] = found.now + self.passed
        self.tables.fill_todo(found, self.done)
        self._explain()

    def action_read(self) -> None:
        """Read where the numbers of the response come from, or about the line to do."""
        found, option = self.found, self.option
        if found is None:
            self.action_ask()
        elif self.todo.has_focus and 0 <= self.todo.index < len(found.todo):
            self.app.push_screen(Page(about_todo(found.todo[self.todo.index]), self.planner.signs))
        elif option is not None:
            self.app.push_screen(Page(about(found, option, self.limits.exposure_weight), self.planner.signs))

    def action_all(self) -> None:
        """Read the whole answer, as `rotator now` prints it."""
        if self.found is not None:
            self.app.push_screen(Page(self._document(), self.planner.signs))

    def action_promote(self) -> None:
        """Promote what the response serves in the policy, and take the stolen key out."""
        app, found, option = self.planner, self.found, self.option
        target = option.weighed.response.target if option is not None else ""
        inventory = app.session.picture.inventory
        key = target if target in inventory.keys else (
            inventory.key_of(inventory.chains[target].leaf) or "" if target in inventory.chains else ""
        )  # fmt: skip
        if found is None or not key or (option is not None and option.standing == "refused"):
            app.tell("choose a response that serves a key of the policy first")
            return
        app.attempt(
            lambda: sessions.promote_key(app.session, key, (found.alarm.key,))[0],
            f"{key} is the primary now, {found.alarm.key} is out: 4 shows what to write, u takes it back",
        )

    def _document(self) -> Document:
        found = self.found
        if found is None:
            return Document("", ())
        name = self.planner.session.picture.policy.name
        document = to_document(found, name, self.limits.exposure_weight)
        if not self.done:
            return document
        ticked = tuple(f"{instant(at)}  {what}" for what, at in sorted(self.done.items(), key=lambda pair: pair[1]))
        return Document(document.title, (*document.blocks, Heading("done"), Bullets(ticked)))

    def action_keep(self) -> None:
        """Keep the answer, with what was ticked off, as a report."""
        app, found = self.planner, self.found
        if found is None:
            return
        name, digest = app.session.picture.policy.name, app.session.picture.digest
        report = reports.make(
            "now",
            f"now-{found.alarm.said}",
            found.now,
            {"name": name, "sha256": digest},
            self._document(),
            to_json(found, name, digest),
        )
        app.keep(report)

    def on_resize(self) -> None:
        """Fit everything to the new width."""
        super().on_resize()
        self.call_after_refresh(self.draw)

    def as_text(self) -> str:
        """Give the short text to paste into a chat."""
        if self.found is None:
            return self.refused
        text = chat(self.found, self.planner.session.picture.policy.name)
        return text_report.to_ascii(text) if self.planner.signs.ascii_only else text
