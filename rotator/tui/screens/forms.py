"""A form over a screen: what an edit asks for, checked as one types, with the lines that it would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label, Static

from rotator.errors import InputError, RotatorError
from rotator.simulate.rotation import Rotation
from rotator.tui.screens.dialogs import BOX
from rotator.tui.widgets.choice import Choice
from rotator.workflows import editing
from rotator.workflows.changing import edited

if TYPE_CHECKING:
    from rotator.tui.app import PlannerApp

HINTS = {
    "one": "left and right choose",
    "many": "left and right go, space takes, in order",
    "date": "such as 2027-03-31",
    "instant": "such as 2027-03-31 or 2027-03-31T17:30Z",
    "file": "a path beside the policy, or sha256/...",
}


class FormDialog(ModalScreen[Rotation | None]):
    """The fields of a form; the answer is the edit, or None."""

    DEFAULT_CSS = (
        BOX.format(name="FormDialog")
        + """
    FormDialog Horizontal { height: 1; }
    FormDialog Label { width: 13; }
    FormDialog Input { border: none; height: 1; width: 1fr; padding: 0; background: $surface; }
    FormDialog Input:focus { border: none; background: $background; }
    FormDialog #hint { color: $quiet; }
    FormDialog #wrong { color: $status-exposed; text-style: bold; }
    FormDialog #preview { color: $quiet; }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", id="form.cancel"),
        Binding("ctrl+s", "make", "make", id="form.make"),
        Binding("enter", "enter", "next field", id="form.enter"),
        Binding("down", "next", "next field", id="form.next"),
        Binding("up", "previous", "field before", id="form.previous"),
    ]

    def __init__(self, form: editing.Form, given: dict[str, str] | None = None) -> None:
        """Show a form; `given` are answers to begin with."""
        super().__init__()
        self.form = form
        self.given = given or {}
        self.fields: dict[str, Input | Choice] = {}

    @property
    def planner(self) -> PlannerApp:
        """Give the app."""
        return cast("PlannerApp", self.app)

    def compose(self) -> ComposeResult:
        """Lay the box out."""
        picture, signs = self.planner.session.picture, self.planner.signs
        with VerticalScroll(can_focus=False):
            yield Static(f"{self.form.about}\n", markup=False)
            for field in self.form.fields:
                words = [] if field.choices is None else list(field.choices(picture))
                value = self.given.get(field.id, field.usual)
                widget: Input | Choice
                if field.kind in ("one", "many"):
                    widget = Choice(words, signs, many=field.kind == "many", optional=not field.needed, value=value)
                else:
                    suggester = SuggestFromList(words, case_sensitive=False) if words else None
                    widget = Input(value=value, suggester=suggester, select_on_focus=False)
                self.fields[field.id] = widget
                with Horizontal():
                    yield Label(f"{field.id}{'' if field.needed else ' -'}", markup=False)
                    yield widget
            yield Static("", id="hint", markup=False)
            yield Static("", id="wrong", markup=False)
            yield Static("", id="preview", markup=False)
            yield Static(
                "\nenter: next, then make it    ctrl+s: make it    esc: leave    -: may be left out", markup=False
            )

    def on_mount(self) -> None:
        """Begin in the first field."""
        self.set_focus(next(iter(self.fields.values())))
        self._look(complain=False)

    def values(self) -> dict[str, str]:
        """Give the answers."""
        return {name: widget.value for name, widget in self.fields.items()}

    def _rotation(self) -> Rotation:
        session = self.planner.session
        return editing.make(self.form, session.picture, self.values(), session.now)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        # The field takes enter itself. A binding with priority would overtake keys that are still on their way to it.
        self.action_enter()

    @on(Input.Changed)
    @on(Choice.Changed)
    def _changed(self) -> None:
        self._look(complain=False)

    def on_descendant_focus(self) -> None:
        """Say what the field under the cursor is for."""
        here = next((f for f in self.form.fields if self.fields[f.id] is self.focused), None)
        if here is not None:
            hint = HINTS.get(here.kind, "")
            self._say("hint", f"{here.id}: {here.about}{f'; {hint}' if hint else ''}")

    def _look(self, *, complain: bool) -> Rotation | None:
        """Make the edit in thought, and show its lines or what is wrong; what is only missing is not complained of."""
        session = self.planner.session
        try:
            rotation = self._rotation()
            after = edited(session.file, session.text, [rotation.change])
        except RotatorError as error:
            problems = error.problems if isinstance(error, InputError) else ()
            shown = [p for p in problems if complain or p.message != "is missing"]
            self._say("wrong", "\n".join(str(problem) for problem in shown[:3]) if problems else str(error))
            self._say("preview", "")
            return None
        lines = [
            x for x in editing.difference(session.text, after, "", around=0) if not x.startswith(("---", "+++", "@"))
        ]
        more = [f"  and {len(lines) - 8} more lines"] if len(lines) > 8 else []
        self._say("wrong", "\n".join(rotation.unsafe))
        self._say("preview", "\n" + "\n".join([*lines[:8], *more, *rotation.notes]))
        return rotation

    def _say(self, place: str, text: str) -> None:
        lines = [self.planner.signs.text(line) for line in text.split("\n")]
        self.query_one(f"#{place}", Static).update("\n".join(lines))

    # --- keys --------------------------------------------------------------------------------------------------

    def _move(self, by: int) -> None:
        widgets = list(self.fields.values())
        here = widgets.index(self.focused) if self.focused in widgets else 0
        # At once: a key that is typed right behind this one is meant for the new field.
        self.set_focus(widgets[max(0, min(len(widgets) - 1, here + by))])

    def action_next(self) -> None:
        """Go to the next field."""
        self._move(1)

    def action_previous(self) -> None:
        """Go to the field before."""
        self._move(-1)

    def action_enter(self) -> None:
        """Go to the next field; from the last, make the edit."""
        if self.focused is list(self.fields.values())[-1]:
            self.action_make()
        else:
            self._move(1)

    def action_make(self) -> None:
        """Make the edit, if nothing is wrong."""
        rotation = self._look(complain=True)
        if rotation is None:
            problems = editing.check(self.form, self.planner.session.picture, self.values())
            wrong = next((p.path for p in problems if p.path in self.fields), None)
            if wrong is not None:
                self.set_focus(self.fields[wrong])
            return
        self.dismiss(rotation)

    def action_cancel(self) -> None:
        """Leave without an edit."""
        self.dismiss(None)
