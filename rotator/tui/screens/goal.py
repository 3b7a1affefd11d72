"""The goal of a plan in a small box: the key to serve, the one to go, more of them, the host and the day."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from rotator.errors import RotatorError
from rotator.model.when import parse_instant
from rotator.plan.values import Goal
from rotator.simulate.question import Picture
from rotator.tui.look import Signs
from rotator.tui.screens.dialogs import BOX
from rotator.tui.widgets.choice import Choice
from rotator.workflows.planning import pair_of

FIELDS = """
{name} Horizontal {{ height: 1; }}
{name} Label {{ width: 20; }}
{name} Input, {name} Input:focus {{ border: none; height: 1; width: 1fr; padding: 0; }}
{name} #wrong {{ color: $status-exposed; text-style: bold; }}
"""


class GoalDialog(ModalScreen[Goal | None]):
    """What is to be reached; the answer is a goal, or None."""

    DEFAULT_CSS = BOX.format(name="GoalDialog") + FIELDS.format(name="GoalDialog")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", id="goal.cancel"),
        Binding("enter", "make", "make", id="goal.make"),
        Binding("down,tab", "move(1)", "next field", id="goal.next"),
        Binding("up,shift+tab", "move(-1)", "field before", id="goal.previous"),
    ]

    def __init__(self, picture: Picture, goal: Goal, signs: Signs) -> None:
        """Begin with a goal."""
        super().__init__()
        self.picture, self.goal, self.signs = picture, goal, signs

    def compose(self) -> ComposeResult:
        """Lay the box out."""
        policy = self.picture.policy
        keys = [name for name in policy.keys if name in self.picture.inventory.keys]
        ours = [label for label, host in policy.hosts.items() if host.control == "ours"]
        self.to = Choice(keys, self.signs, value=self.goal.to)
        self.old = Choice(keys, self.signs, optional=True, value=self.goal.from_)
        self.host = Choice(ours, self.signs, optional=True, value=next(iter(self.goal.hosts), ""))
        more = " ".join(f"{old}={new}" for old, new in self.goal.also)
        self.also = Input(value=more, placeholder="OLD=NEW, others at once; may be left out", select_on_focus=False)
        by = self.goal.by.isoformat() if self.goal.by else ""
        self.by = Input(value=by, placeholder="such as 2027-09-30; may be left out", select_on_focus=False)
        rows = (
            ("serve the key", self.to),
            ("in place of", self.old),
            ("and also", self.also),
            ("on the host", self.host),
            ("by the day", self.by),
        )
        with VerticalScroll(can_focus=False):
            yield Static("The goal\n", markup=False)
            for words, widget in rows:
                with Horizontal():
                    yield Label(words, markup=False)
                    yield widget
            yield Static("", id="wrong", markup=False)
            yield Static("\nup/down: fields    left/right: choose    enter: plan it    esc: leave", markup=False)

    def on_mount(self) -> None:
        """Begin in the first field."""
        self.set_focus(self.to)

    def action_move(self, by: int) -> None:
        """Go to another field."""
        fields: list[Choice | Input] = [self.to, self.old, self.also, self.host, self.by]
        here = next((n for n, field in enumerate(fields) if field is self.focused), 0)
        self.set_focus(fields[(here + by) % len(fields)])

    @on(Input.Submitted)
    def action_make(self) -> None:
        """Answer with the goal, if the day can be read."""
        text = self.by.value.strip()
        field = self.also
        try:
            also = tuple(pair_of(pair) for pair in self.also.value.replace(",", " ").split())
            field = self.by
            day = parse_instant(text).date() if text else None
        except RotatorError as error:
            self.query_one("#wrong", Static).update(self.signs.text_lines(str(error)))
            self.set_focus(field)
            return
        hosts = (self.host.value,) if self.host.value else ()
        self.dismiss(Goal(to=self.to.value, from_=self.old.value, hosts=hosts, by=day, also=also))

    def action_cancel(self) -> None:
        """Leave the goal as it is."""
        self.dismiss(None)
