"""What-if: an event with knobs, and who breaks and is exposed at every turn of one, at any time."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, TypeVar, cast

from textual import on
from textual.binding import BindingType
from textual.containers import Vertical
from textual.timer import Timer
from textual.widget import Widget

from rotator.errors import RotatorError
from rotator.model.when import show
from rotator.report import text as text_report
from rotator.report.plotting import Series
from rotator.report.ruler import UNITS, WEEK, ruler
from rotator.report.simulation import headlines, remarks, to_document, to_json
from rotator.simulate.explain import why
from rotator.simulate.question import Answer, Desk
from rotator.tui.actions import WHATIF
from rotator.tui.screens.base import PlannerScreen
from rotator.tui.screens.events import Chooser
from rotator.tui.screens.why import Why
from rotator.tui.widgets.cohorts import MOST_BESIDE, Cohorts, Side
from rotator.tui.widgets.knobs import Knobs
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.plot import Plot
from rotator.workflows import reports
from rotator.workflows import session as sessions
from rotator.workflows.course import Course, course, shares, steps
from rotator.workflows.possible import usual_events
from rotator.workflows.whatif import (
    WhatIf,
    begins,
    choices,
    choose,
    knobs,
    question,
    scrub,
    settle,
    title,
    turn,
)
from rotator.workflows.whatif import answer as answer_of

ALARMS = ("key-compromise", "revoke")
"""Events to which the Emergency screen compares the responses."""
DATES = ("start",)
FEW, REST_SECONDS = 10_000, 0.4
JUDGED = 48
"""Connections up to which the judge answers a knob as soon as the engine would, without the engine's memory."""
KEPT_COURSES = 8
"""Turns of knobs that are kept as they were: people turn back and forth."""
"""Connections up to which time is played at every key; with more, once the keys rest for this long."""
CELLS = 26
"""Cells of the axis of time on a narrow screen."""


Turned = TypeVar("Turned", Answer, Course)


class WhatIfScreen(PlannerScreen):
    """Turn a knob and see the clients."""

    place = "whatif"
    BINDINGS: ClassVar[list[BindingType]] = [action.binding for action in WHATIF]
    settled: ClassVar[bool] = False
    """What the first answer stands on is no longer looked through for garbage."""
    DEFAULT_CSS = """
    WhatIfScreen #body { layout: vertical; }
    WhatIfScreen #left { height: auto; }
    WhatIfScreen #plot { display: none; }
    WhatIfScreen.-narrow.-plot #plot { display: block; height: 1fr; }
    WhatIfScreen.-narrow.-plot #left { height: 1fr; }
    WhatIfScreen.-narrow.-plot #right { display: none; }
    WhatIfScreen #right { height: 1fr; }
    WhatIfScreen #sides { height: auto; max-height: 5; display: none; }
    WhatIfScreen.-beside #sides { display: block; }
    WhatIfScreen.-wide #body { layout: horizontal; }
    WhatIfScreen.-wide #left { width: 58; height: 1fr; background: $surface; }
    WhatIfScreen.-wide #plot { display: block; height: 1fr; max-height: 21; background: $surface; margin-top: 1; }
    """

    def panes(self) -> Iterable[Widget]:
        """Give the knobs with the plot, and the cohorts."""
        signs = self.planner.signs
        self.knobs = Knobs(signs, id="knobs")
        self.plot = Plot(ascii_only=signs.ascii_only, id="plot")
        self.cohorts = Cohorts(signs)
        self.clients, self.sides = self.cohorts.table, self.cohorts.sides
        self.answer: Answer | None = None
        self.desk: Desk | None = None
        self.turned: dict[object, Answer | Course] = {}
        self.base: tuple[str, Answer] | None = None
        self.kept: list[Side] = []
        self.unit = WEEK
        self.course: Course | None = None
        self.course_of: tuple[object, ...] = ()
        self.timeless: tuple[object, ...] | None = None
        self.waiting: Timer | None = None
        self.telling: tuple[str, str, object] | None = None
        for pane in (self.knobs, self.clients, self.sides):
            pane.add_class("pane")
        yield Vertical(self.knobs, self.plot, id="left")
        yield Vertical(self.sides, self.clients, id="right")

    def show_state(self) -> None:
        """Answer what the knobs ask and show it."""
        app = self.planner
        picture, now = app.session.picture, app.session.now
        app.whatif = settle(app.whatif, picture)
        self.knobs.fill(knobs(app.whatif, picture, now))
        try:
            desk = self._desk()
            answer = self._once(app.whatif, lambda: answer_of(app.whatif, picture, now, desk=desk))
        except RotatorError as error:
            self.say(str(error))
            return
        if not WhatIfScreen.settled:
            WhatIfScreen.settled = True
            # What an answer stands on is kept as long as this screen. Looked through each time memory is tidied, it
            # makes a key in a hundred take a tenth of a second.
            gc.freeze()
        self.answer = answer
        self.status(answer)
        self._see_course()
        self._fill()
        self.say(*self._sentences(answer))
        self._explain()

    def _desk(self) -> Desk:
        """Give the desk for the policy as it is: one knob more is little work for it."""
        picture = self.planner.session.picture
        if self.desk is None or self.desk.picture is not picture:
            checked = self.planner.checked
            few = len(checked.baseline.fleet.connections) <= JUDGED
            self.desk = checked.desk if few else checked.large_desk or Desk(picture, quick=True)
            self.turned.clear()
        return self.desk

    def _once(self, key: object, make: Callable[[], Turned]) -> Turned:
        """Give what a turn of the knobs comes to, the same that it came to before; of a few clients alone."""
        if len(self.planner.checked.baseline.fleet.connections) > JUDGED:
            return make()
        if key not in self.turned:
            while len(self.turned) >= 2 * KEPT_COURSES:
                del self.turned[next(iter(self.turned))]
            self.turned[key] = make()
        return cast("Turned", self.turned[key])

    @property
    def baseline(self) -> tuple[str, Answer]:
        """Give what the answer is compared with, and a word for it: today with nothing happening, unless set."""
        return self.base or ("today", self.planner.checked.baseline)

    def _sentences(self, answer: Answer) -> list[str]:
        said = remarks(answer) or headlines(answer)
        if said and self.planner.whatif.event in ALARMS:
            said = [f"{said[0]} ! compares what can be done.", *said[1:]]
        if self.base is None:
            return said
        word, base = self.base
        change = self.cohorts.change(answer.impact, base.impact) or "nothing differs"
        return [f"Against {word}: {change}.", *said]

    def _fill(self) -> None:
        if self.answer is None:
            return
        start, unit, width = self._window()
        self.cohorts.show(
            self.answer,
            base=self.baseline,
            kept=self.kept,
            now=title(self.planner.whatif),
            course=self.course if self.course_of[:1] == (start,) else None,
            window=(start, unit, width),
            wide=self.has_class("-wide"),
        )
        self.set_class(bool(self.kept), "-beside")
        self._fill_plot()

    # --- time --------------------------------------------------------------------------------------------------

    def _window(self) -> tuple[datetime, timedelta, int]:
        """Give where the axis of time begins, how long a cell of it is, and how many there are."""
        now, unit = self.planner.session.now, timedelta(hours=UNITS[self.unit].hours)
        width = self.cohorts.room(self.has_class("-wide"), len(self.kept)) if self.clients.size.width else CELLS
        at = self.answer.impact.at if self.answer is not None else now
        begins = at - unit if at < now else now
        while at >= begins + unit * width:
            begins += unit * (width // 2)
        return begins, unit, width

    def _see_course(self) -> None:
        """Play the time that the axis shows, beside the drawing, unless that is known already."""
        app = self.planner
        picture, now = app.session.picture, app.session.now
        start, unit, width = self._window()
        key = (start, unit, width, replace(app.whatif, look=0), picture.digest, app.session.text)
        if key == self.course_of:
            return
        self.course, self.course_of = None, key
        asked, desk = app.whatif, self._desk()
        if self.waiting is not None:
            self.waiting.stop()
        connections = 0 if self.answer is None else len(self.answer.fleet.connections)
        if connections <= FEW:
            with contextlib.suppress(RotatorError):
                self.course = self._once(key, lambda: course(asked, picture, now, start, start + unit * width, desk))
            return

        def play() -> Course:
            return course(asked, picture, now, start, start + unit * width, desk)

        def begin() -> None:
            if key == self.course_of:
                self.work(
                    "who breaks over time", play, partial(self._played, key), failed=self._timeless, left=self._timeless
                )

        # While knobs are being turned their answers come first; time follows when the keys rest.
        self.waiting = self.set_timer(REST_SECONDS, begin)

    def _timeless(self, *_: object) -> None:
        """Go on without time; the next turn of a knob asks for it again."""
        self.timeless = self.course_of
        self._fill()

    def _played(self, key: tuple[object, ...], found: Course) -> None:
        if key == self.course_of:
            self.course = found
            self._fill()

    def _fill_plot(self) -> None:
        start, unit, width = self._window()
        if self.course is None:
            self.plot.show(
                (), about=f"over time: {'given up' if self.timeless == self.course_of else 'being worked out'}"
            )
            return
        instants = [start + unit * cell for cell in range(width)]
        broken, exposed = shares(self.course, instants)
        at = self.answer.impact.at if self.answer is not None else start
        place = (at - start) / (unit * width)
        self.plot.show(
            (
                Series(name="BREAKS", style="breaks", values=tuple(broken)),
                Series(name="EXPOSED", style="exposed", values=tuple(exposed)),
            ),
            ruler=ruler(start, UNITS[self.unit], width),
            place=place,
        )

    def action_scrub(self, by: int) -> None:
        """Look one cell of the axis later or earlier."""
        self.planner.whatif = scrub(self.planner.whatif, by * UNITS[self.unit].hours)
        self.show_state()

    def _look_at(self, at: datetime) -> None:
        app = self.planner
        begin = begins(app.whatif, app.session.picture, app.session.now)
        hours = -(-(at - begin).total_seconds() // 3600)
        app.whatif = replace(app.whatif, look=int(hours))
        self.show_state()

    def action_event(self, by: int) -> None:
        """Look at the next thing that happens, or the one before."""
        if self.course is None or self.answer is None:
            self.notify("what happens over time is being worked out", markup=False)
            return
        here = self.answer.impact.at
        known = steps(self.course)
        found = [mark for mark in known if (mark.at > here if by > 0 else mark.at < here)]
        if not found:
            more = "- shows a longer time" if by > 0 else ""
            self.notify(f"nothing {'more happens' if by > 0 else 'happens before'} here; {more}".rstrip("; "))
            return
        mark = found[0] if by > 0 else found[-1]
        self._look_at(mark.at)
        self._tell(f"{show(mark.at)}: {mark.what}", "WHEN")

    def find_break(self, by: int) -> bool:
        """Look at the next instant at which more clients break or are exposed, or the one before."""
        if self.course is None or self.answer is None:
            return False
        here = self.answer.impact.at
        found = [at for at in self.course.breaks if (at > here if by > 0 else at < here)]
        if not found:
            return False
        self._look_at(found[0] if by > 0 else found[-1])
        return True

    def action_zoom_time(self, by: int) -> None:
        """Make a cell of the axis longer or shorter."""
        self.unit = max(0, min(len(UNITS) - 1, self.unit + by))
        self.show_state()
        self._tell(f"a cell of time is one {UNITS[self.unit].word}", "TIME")

    def action_now(self) -> None:
        """Look at the moment of the event."""
        self.planner.whatif = replace(self.planner.whatif, look=0)
        self.show_state()

    def action_plot(self) -> None:
        """Show shares over time in place of the cohorts; on a wide screen they are there anyway."""
        self.toggle_class("-plot")

    # --- explaining --------------------------------------------------------------------------------------------

    def row(self) -> int | None:
        """Give the index of the row of the answer that the cursor is on: the worst of its cohort."""
        return self.cohorts.row(self.clients.index)

    def _tell(self, text: str, head: str) -> None:
        """Say something in the place of why, until the cursor or the time moves on."""
        self.telling = (text, head, self._here())
        self.why(text, head=head)

    def _here(self) -> tuple[int, datetime | None]:
        return self.clients.index, self.answer.impact.at if self.answer is not None else None

    @on(LineTable.Moved, "#clients")
    def _explain(self) -> None:
        if self.telling is not None and self.telling[2] == self._here():
            self.why(self.telling[0], head=self.telling[1])
            return
        self.telling = None
        answer, index = self.answer, self.row()
        if answer is None or index is None or index >= len(answer.impact.rows):
            return
        row = answer.impact.rows[index]
        others = self.cohorts.others(self.clients.index)
        also = f"; also on {', '.join(others)}" if others else ""
        self.why(f"{row.connection.cohort.name} on {row.connection.host}: {why(row, answer.inventory)}{also}")

    def action_open(self) -> None:
        """Choose from a list for the knob under the cursor; on a cohort say where its number comes from."""
        if self.focused is self.sides and 0 <= self.sides.index < len(self.kept):
            self.planner.whatif = self.kept[self.sides.index].state
            self.show_state()
        elif not self.knobs.has_focus:
            if self.answer is not None:
                self.app.push_screen(Why(self.answer, self.planner.signs, row=self.row()))
        elif (knob := self.knobs.current) is not None:
            self._choose(knob.id)

    def _choose(self, knob: str) -> None:
        app = self.planner
        picture = app.session.picture
        known = choices(app.whatif, picture, knob)
        if not known:
            self.notify("left and right turn this one", markup=False)
            return
        usual = set(usual_events(picture)) if knob == "event" else {name for name, _ in known}
        here = next((k.value for k in knobs(app.whatif, picture, app.session.now) if k.id == knob), "")

        def chosen(value: str | None) -> None:
            if value is not None:
                app.whatif = choose(app.whatif, picture, knob, value)
                self.show_state()

        chooser = Chooser(
            f"What happens: {knob}" if knob == "event" else "Choose",
            [one for one in known if one[0] in usual],
            [one for one in known if one[0] not in usual],
            here,
            app.signs,
        )
        app.push_screen(chooser, chosen)

    # --- knobs -------------------------------------------------------------------------------------------------

    @on(Knobs.Turned)
    def _turned(self, event: Knobs.Turned) -> None:
        self._turn(event.knob, event.by)

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

    # --- comparing ---------------------------------------------------------------------------------------------

    def action_baseline(self) -> None:
        """Compare with this answer from now on, or with today again."""
        if self.base is None and self.answer is not None:
            self.base = (title(self.planner.whatif), self.answer)
            self.notify("the baseline is this answer; b again: today", markup=False)
        else:
            self.base = None
            self.notify("the baseline is today, with nothing happening", markup=False)
        self.show_state()

    def action_compare(self) -> None:
        """Put this answer beside the next ones; the third takes the place of the first, itself again takes it out."""
        if self.answer is None:
            return
        state: WhatIf = self.planner.whatif
        known = [side.state for side in self.kept]
        if state in known:
            del self.kept[known.index(state)]
        else:
            self.kept = [*self.kept[-(MOST_BESIDE - 1) :], Side(title(state), state, self.answer)]
        self._see_course()
        self.show_state()

    # --- doing -------------------------------------------------------------------------------------------------

    def action_promote(self) -> None:
        """Promote the backup that the response serves, and take the key out that was stolen."""
        app = self.planner
        key = app.whatif.response.removeprefix("serve ")
        if key not in app.session.picture.policy.keys:
            self.notify("choose a response that serves a backup first", markup=False)
            return
        drop = (app.whatif.parts[0],) if app.whatif.event == "key-compromise" else ()
        said = f"{key} is the primary now: 4 shows what to write, u takes it back"
        app.attempt(lambda: sessions.promote_key(app.session, key, drop)[0], said)

    def action_keep(self) -> None:
        """Keep this answer, with the days that the axis shows, as a report."""
        app = self.planner
        if self.answer is None:
            return
        start, unit, width = self._window()
        asked = question(app.whatif, app.session.picture, app.session.now)
        try:
            answer = answer_of(app.whatif, app.session.picture, app.session.now, until=start + unit * width)
        except RotatorError as error:
            self.notify(app.signs.text(str(error)), severity="error", markup=False)
            return
        about = "-".join(o.text for o in asked.occurrences) or "nothing"
        policy = {"name": app.session.picture.policy.name, "sha256": app.session.picture.digest}
        report = reports.make("simulate", about, app.session.now, policy, to_document(answer), to_json(answer))
        app.keep(report)

    @on(LineTable.Resized, "#clients")
    def _resized(self) -> None:
        """Fit the axis of time to the new width."""
        if self.answer is not None:
            self._see_course()
            self._fill()

    def alarming(self) -> str:
        """Give the key or the host that the event is about."""
        state: WhatIf = self.planner.whatif
        return state.parts[0] if state.event in ALARMS and state.parts else ""

    def as_text(self) -> str:
        """Give the answer as text."""
        if self.answer is None:
            return ""
        return text_report.render(to_document(self.answer), ascii_only=self.planner.signs.ascii_only)
