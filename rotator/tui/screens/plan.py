"""Plan: the dated rotation or why there is none, what each step waits for, and the ways out with their price."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.timer import Timer
from textual.widget import Widget

from rotator.errors import RotatorError
from rotator.model.names import some
from rotator.model.when import parse_instant
from rotator.plan.values import Exit, Goal, Plan, Step
from rotator.report import text as text_report
from rotator.report.document import Document, Facts, Paragraph
from rotator.report.plan import people, state_of, to_document, to_json
from rotator.report.text import wrap
from rotator.tui.actions import PLAN
from rotator.tui.screens.base import PlannerScreen
from rotator.tui.screens.curves import Curves
from rotator.tui.screens.dialogs import Ask
from rotator.tui.screens.goal import GoalDialog
from rotator.tui.screens.pages import Page
from rotator.tui.screens.plan_lines import STATES, about, broken, said, same, verdict
from rotator.tui.widgets.bars import Bar, Part
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import Column, Line, fit
from rotator.workflows import reports
from rotator.workflows.planning import axis, can_take, over_time, plan, usual_goals, with_step, with_way

LETTERS = "ABCDE"
LEGEND = "P ship or publish, F floor, s see, C serve, D drop, R revoke, X destroy, | due"


class Steps(LineTable):
    """A table that says in help what it is."""

    help_text = ""


class PlanScreen(PlannerScreen):
    """One goal, its plan, and what could be done instead."""

    place = "plan"
    BINDINGS: ClassVar[list[BindingType]] = [action.binding for action in PLAN]
    DEFAULT_CSS = """
    PlanScreen #body { layout: vertical; }
    PlanScreen #said { display: none; }
    PlanScreen #verdict, PlanScreen #strip { height: auto; }
    PlanScreen #steps { height: auto; max-height: 6; }
    PlanScreen.-wide #steps { max-height: 20; }
    PlanScreen #ways { height: 1fr; }
    PlanScreen.-tiny #verdict, PlanScreen.-tiny #strip { display: none !important; }
    """

    def panes(self) -> Iterable[Widget]:
        """Give the verdict, the steps, their days on an axis, and the ways out."""
        cursor = self.planner.signs.cursor
        self.goals: list[Goal] = []
        self.goal: Goal | None = None
        self.plan: Plan | None = None
        self.asked: tuple[object, ...] = ()
        self.answered: tuple[object, ...] = ()
        self.working: tuple[object, ...] = ()
        self.began = 0.0
        self.clock: Timer | None = None
        self.refused = ""
        self.ways: list[Exit] = []
        self.steps = Steps((Column(""),), cursor=cursor, id="steps")
        self.ways_out = Steps(
            (Column(""), Column("ways out", give=True, least=16), Column("left", right=True), Column("by")),
            cursor=cursor,
            id="ways",
        )
        self.steps.help_text = f"The steps of the plan. Letters on the axis of time: {LEGEND}."
        self.ways_out.help_text = "What could be done instead, with its price: a letter or space takes it."
        yield Bar(id="verdict")
        for table in (self.steps, Bar(id="strip"), self.ways_out):
            table.set_class(isinstance(table, LineTable), "pane")
            yield table

    def show_state(self) -> None:
        """Ask for the plan of the goal, unless it is there already."""
        app = self.planner
        self.status(app.checked.baseline)
        self.goals = usual_goals(app.session.picture)
        if self.goal is None or self.goal.to not in app.session.picture.policy.keys:
            self.goal = self.goals[0] if self.goals else None
        self._ask()
        self._fill()

    # --- planning ----------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        """Plan in a thread beside the drawing; what was being planned before is given up for it."""
        app = self.planner
        picture, goal, now = app.session.picture, self.goal, app.session.now
        if goal is None:
            return
        key = (goal, picture.digest, app.session.text)
        if key == self.asked:
            return
        self.asked = self.working = key
        self.began = time.monotonic()
        if self.clock is None:
            self.clock = self.set_interval(0.5, self._verdict)
        made = partial(self._made, key)
        self.work("the plan", lambda: plan(picture, goal, now), made, failed=made, left=self._given_up)

    def _given_up(self) -> None:
        """Go back to the plan there was; where there was none, say how to make one."""
        self._rest()
        if self.plan is not None:
            self.goal, self.asked = self.plan.goal, self.answered
        else:
            self.asked, self.refused = (), "The plan was given up: o, then enter, makes it after all."
        self._fill()

    def _rest(self) -> None:
        self.working = ()
        if self.clock is not None:
            self.clock.stop()
            self.clock = None

    def _made(self, key: tuple[object, ...], found: Plan | RotatorError) -> None:
        self._rest()
        self.refused = ""
        if isinstance(found, RotatorError):
            self._refuse(str(found), key)
        else:
            new = {way.id: way for way in found.exits}
            old = self.ways if self.plan is not None and same(self.plan.goal, found.goal) else []
            taken = set(found.goal.take)
            kept = [new.pop(way.id, way) for way in old if way.id in new or set(way.id.split("+")) & taken]
            self.ways = [*kept, *new.values()]
            self.plan, self.answered = found, key
        self._fill()

    def _refuse(self, why: str, key: tuple[object, ...]) -> None:
        """Say why not; a step that was moved, or a way out, goes back to where it was."""
        before = self.answered
        self.refused = why
        if (
            self.plan is not None
            and self.goal is not None
            and same(self.plan.goal, self.goal)
            and before[1:] == key[1:]
        ):
            self.goal, self.asked = self.plan.goal, before
            self.planner.tell(why, "warning")
        else:
            self.plan, self.ways, self.answered = None, [], key

    def _set(self, goal: Goal) -> None:
        self.refused = ""
        self.goal = goal
        self._ask()
        self._fill()

    # --- drawing -----------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        wide = self.has_class("-wide")
        signs = self.planner.signs
        shown = self.plan
        self.steps.columns = (
            Column("#", right=True),
            Column("step", give=True, least=16),
            Column("earliest"),
            Column("planned"),
            Column("latest"),
            Column("broken after" if wide else "broken", right=True),
            Column("state"),
        )
        moved = dict(shown.goal.moved) if shown is not None else {}
        self.steps.fill(
            []
            if shown is None
            else [
                Line(
                    (
                        str(step.number),
                        signs.text(step.title),
                        said(step.earliest, wide=wide),
                        said(step.planned, wide=wide) + ("*" if step.number in moved else ""),
                        said(step.latest, wide=wide),
                        broken(step, wide=wide),
                        state_of(shown, step),
                    ),
                    STATES.get(state_of(shown, step), "quiet"),
                )
                for step in shown.steps
            ],
            keep=lambda line: line.cells[0],
        )
        taken = set(shown.goal.take) if shown is not None else set()
        letters = dict(zip([way.id for way in self.ways if can_take(way.id)], LETTERS, strict=False))
        self.ways_out.fill(
            [
                Line(
                    (
                        ("*" if set(way.id.split("+")) <= taken else " ") + letters.get(way.id, " "),
                        signs.text(f"{way.id}: {way.title}"),
                        people(way.left),
                        str(way.done or "never"),
                    ),
                    "ok" if way.safe else "exposed",
                )
                for way in self.ways
            ],
            keep=lambda line: line.cells[1].partition(":")[0],
        )
        self._verdict()
        self._strip()
        self._explain()

    def _verdict(self) -> None:
        """Show the goal and the answer, before any date."""
        signs, width = self.planner.signs, max(20, self.size.width or 80)
        goal, shown = self.goal, self.plan
        if goal is None:
            text = "No key is there that could be served in the place of another: a adds one."
            self.query_one("#verdict", Bar).say([(f" {text}", "strong")])
            return
        at = next((n for n, one in enumerate(self.goals, 1) if same(one, goal)), 0)
        count = f"  {at} of {len(self.goals)}" if at else ""
        more = [f"taken: {', '.join(goal.take)}"] if goal.take else []
        if shown is not None and not self.working:
            due = f"due {shown.deadline[0]}" if shown.deadline is not None else "nothing presses"
            more += [due, "checked by replay: " + ("no" if shown.replayed else "yes")]
        elif self.working:
            more.append(f"planning, {time.monotonic() - self.began:.0f} s")
        ends = fit(f" {count}  {'; '.join(more)}", max(0, width - len(goal.text) - 11))
        rows: list[list[Part]] = [
            [(" GOAL", "strong"), (f" {signs.left} ", "quiet"), (signs.text(goal.text), "here"),
             (f" {signs.right} ", "quiet"), (signs.text(ends), "quiet")]
        ]  # fmt: skip
        if shown is not None and same(shown.goal, goal):
            rows += [
                [(line, style)] for text, style in verdict(shown) for line in wrap(signs.text(text), width - 2, " ")
            ]
        elif self.refused:
            rows += [[(line, "breaks")] for line in wrap(signs.text(self.refused), width - 2, " ")]
        else:
            rows.append([(" Being worked out.", "quiet")])
        self.query_one("#verdict", Bar).styles.height = len(rows[:5])
        self.query_one("#verdict", Bar).say(*rows[:5])

    def _strip(self) -> None:
        bar, shown = self.query_one("#strip", Bar), self.plan
        if shown is None:
            bar.styles.height = 0
            return
        width = max(10, (self.size.width or 80) - 8)
        own = axis(shown, width)
        step = self.step
        here = own.cell.get(step.number) if step is not None else None
        parts: list[Part] = [(" plan  ", "quiet")]
        if here is None:
            parts.append((own.letters, ""))
        else:
            parts += [(own.letters[:here], ""), (own.letters[here], "here"), (own.letters[here + 1 :], "")]
        rows: list[list[Part]] = [parts, [(f"       {own.ruler}", "quiet")]]
        if self.has_class("-wide"):
            rows.append([(f"       {LEGEND}", "quiet")])
        bar.styles.height = len(rows)
        bar.say(*rows)

    @property
    def step(self) -> Step | None:
        """Give the step under the cursor."""
        index = self.steps.index
        return self.plan.steps[index] if self.plan is not None and 0 <= index < len(self.plan.steps) else None

    @property
    def way(self) -> Exit | None:
        """Give the way out under the cursor."""
        return self.ways[self.ways_out.index] if 0 <= self.ways_out.index < len(self.ways) else None

    @on(LineTable.Moved)
    def _moved(self) -> None:
        self._strip()
        self._explain()

    def on_descendant_focus(self) -> None:
        """Say what is under the cursor of the pane that has the focus now."""
        self._explain()

    def _explain(self) -> None:
        step, way, shown = self.step, self.way, self.plan
        if self.refused and shown is not None:
            self.why(self.refused, head="REFUSED")
        elif self.ways_out.has_focus and way is not None:
            self.why(f"{way.id}: {way.price}", head="PRICE")
        elif step is not None and shown is not None:
            binding = step.binding
            place = f"{binding.invariant} in {binding.segment}" if binding.segment else binding.invariant
            who = ""
            if shown.blocked is not None and shown.blocked.step == step.number and shown.blocked.who:
                who = f" ({some(shown.blocked.who, 3)})"
            waits = f"{place or 'waits for nothing'}{who}"
            self.why(f"{step.number} {step.title}: {waits}{f': {binding.formula}' if binding.formula else ''}")
        else:
            self.why("")

    # --- the goal ----------------------------------------------------------------------------------------------

    def action_goal(self, by: int) -> None:
        """Go to another goal."""
        if self.goals:
            at = next(
                (n for n, one in enumerate(self.goals) if self.goal and same(one, self.goal)), -1 if by > 0 else 0
            )
            self._set(self.goals[(at + by) % len(self.goals)])

    def action_ask_goal(self) -> None:
        """Ask for the key to serve, the one to go, the host and the day."""
        dialog = GoalDialog(self.planner.session.picture, self.goal or Goal(), self.planner.signs)
        self.app.push_screen(dialog, lambda goal: self._set(goal) if goal is not None else None)

    # --- steps and ways out ------------------------------------------------------------------------------------

    def action_shift(self, by: int) -> None:
        """Move the step under the cursor by some days."""
        step, goal = self.step, self.goal
        if step is None or goal is None:
            return
        day = dict(goal.moved).get(step.number, step.planned)
        if day is None:
            self.planner.tell(f"step {step.number} has no day yet, so it cannot be moved", "warning")
            return
        self._set(with_step(goal, step.number, day + timedelta(days=by)))

    def action_shift_to(self) -> None:
        """Ask for the day of the step under the cursor."""
        step = self.step
        if step is None or step.planned is None:
            self.planner.tell("this step has no day, so it cannot be moved", "warning")
            return
        number = step.number

        def answer(text: str | None) -> None:
            if not text or not text.strip() or self.goal is None:
                return
            try:
                day = parse_instant(text.strip()).date()
            except RotatorError as error:
                self.planner.tell(str(error), "warning")
                return
            self._set(with_step(self.goal, number, day))

        self.app.push_screen(Ask(f"Step {number}, planned on {step.planned}: to which day?"), answer)

    def action_take(self, number: int | None = None) -> None:
        """Take a way out, the one under the cursor unless a number is given, or leave it again."""
        goal = self.goal
        lettered = [way for way in self.ways if can_take(way.id)]
        way = self.way if number is None else next(iter(lettered[number : number + 1]), None)
        if way is None or goal is None:
            self.planner.tell("there is no such way out here")
            return
        if not can_take(way.id):
            self.planner.tell(f"{way.id} is done outside of this plan, which stays as it is: {way.price}")
            return
        # Steps are counted anew, so those that were moved go back to where they are planned.
        goal = replace(goal, moved=())
        if way.id == "accept" and "accept" not in goal.take:
            title = f"Why is it accepted that {people(way.left)} are cut off? The report keeps the reason."
            self.app.push_screen(Ask(title), lambda reason: self._accept(goal, reason))
            return
        self._set(with_way(goal, way.id))

    def _accept(self, goal: Goal, reason: str | None) -> None:
        if reason and reason.strip():
            self._set(with_way(goal, "accept", reason.strip()))

    def action_back(self) -> None:
        """Leave every way out, and every step where it was planned."""
        if self.goal is not None:
            self._set(replace(self.goal, take=(), reason="", moved=()))

    # --- reading and keeping -----------------------------------------------------------------------------------

    def action_read(self) -> None:
        """Read about the step under the cursor, or about the way out."""
        step, way = self.step, self.way
        if self.ways_out.has_focus and way is not None:
            facts = Facts((("left", people(way.left)), ("by", str(way.done or "never")), ("price", way.price)))
            document = Document(f"Way out {way.id}", (Paragraph(way.title, strong=True), facts))
        elif step is not None:
            document = about(step)
        else:
            return
        self.app.push_screen(Page(document, self.planner.signs))

    def action_curves(self) -> None:
        """Show who accepts, who is broken and who is exposed over the days of the plan."""
        app, goal = self.planner, self.goal
        if self.plan is None or goal is None or self.working:
            app.tell("the plan is being worked out")
            return
        picture, now = app.session.picture, app.session.now
        title = f"Over time: {goal.text}"
        self.work(
            "curves of the plan",
            lambda: over_time(picture, goal, now),
            lambda points: app.push_screen(Curves(title, points, app.signs)),
        )

    def action_keep(self) -> None:
        """Keep the plan as a report."""
        app, shown = self.planner, self.plan
        if shown is None or self.working:
            app.tell("the plan is being worked out")
            return
        policy = {"name": app.session.picture.policy.name, "sha256": app.session.picture.digest}
        report = reports.make(
            "plan", shown.goal.text, app.session.now, policy, to_document(shown), to_json(shown), shown.accepted
        )
        app.keep(report)

    def on_resize(self) -> None:
        """Fit everything to the new width."""
        super().on_resize()
        self.call_after_refresh(self._resized)

    def _resized(self) -> None:
        if self.is_mounted:
            self._fill()

    def as_text(self) -> str:
        """Give the plan as text."""
        if self.plan is None:
            return self.refused
        return text_report.render(to_document(self.plan), ascii_only=self.planner.signs.ascii_only)
