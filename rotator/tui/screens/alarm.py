"""What happened, in a small box: a serial, a host, a key or a pasted certificate, looked up as one types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from rotator.tui.look import Signs
from rotator.tui.screens.dialogs import BOX, Option
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import Column, Line

PEM = "-----BEGIN "
SUSPECTED: Sequence[Option] = (
    ("n", "no: the key is surely safe, only the certificate goes", "no"),
    ("y", "yes: it was stolen, or published", "yes"),
    ("u,enter", "unknown: it counts as stolen, both answers are shown", "unknown"),
)


class Named(Input):
    """A line that takes a whole certificate where one is pasted."""

    def _on_paste(self, event: events.Paste) -> None:
        if PEM in event.text and isinstance(self.screen, AlarmDialog):
            event.stop()
            event.prevent_default()
            self.screen.dismiss(event.text)
        else:
            super()._on_paste(event)


class AlarmDialog(ModalScreen[str]):
    """The name of what it is about; "" where the person thought better of it."""

    DEFAULT_CSS = (
        BOX.format(name="AlarmDialog")
        + """
    AlarmDialog Input, AlarmDialog Input:focus { border: none; height: 1; padding: 0; background: $background; }
    AlarmDialog LineTable { height: auto; max-height: 9; background: $panel; }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "none", "cancel", id="alarm.none"),
        Binding("enter", "take", "take", id="alarm.take", priority=True),
        Binding("down", "move(1)", "below", id="alarm.down", priority=True),
        Binding("up", "move(-1)", "above", id="alarm.up", priority=True),
        Binding("f2", "paste", "paste", id="alarm.paste"),
    ]

    def __init__(self, names: Sequence[tuple[str, str]], signs: Signs, at: str = "") -> None:
        """Offer names, each with what it is; the cursor begins at `at`."""
        super().__init__()
        self.names, self.signs = names, signs
        self.start = next((n for n, (name, _) in enumerate(names) if name == at), 0)
        self.table = LineTable((Column("name"), Column("what it is", give=True, least=20)), cursor=signs.cursor)

    def compose(self) -> ComposeResult:
        """Lay the box out."""
        with Vertical():
            yield Static("Emergency: what is it about?\n", markup=False)
            yield Named(placeholder="a serial, host, key or file; or choose below", select_on_focus=False)
            yield Static("", markup=False)
            yield self.table
            yield Static("\nenter: go on    up/down: choose    f2: paste a certificate    esc: leave", markup=False)

    def on_mount(self) -> None:
        """Show the names."""
        self.table.fill([Line((self.signs.text(name), self.signs.text(what))) for name, what in self.names])
        self.table.cursor = self.start
        self.query_one(Named).focus()

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        self.table.narrow(event.value)

    def action_move(self, by: int) -> None:
        """Go to another name."""
        self.table.action_move(by)

    def action_take(self) -> None:
        """Answer with the name under the cursor, or with what was typed where no name is like it."""
        typed = self.query_one(Named).value.strip()
        index = self.table.index
        exact = any(typed == name for name, _ in self.names)
        self.dismiss(self.names[index][0] if index >= 0 and not exact else typed)

    def action_paste(self) -> None:
        """Open a box for a text of many lines, where the terminal does not say that it pastes."""
        from rotator.tui.screens.pasting import Paste

        self.app.push_screen(Paste("Paste the certificate"), self._pasted)

    def _pasted(self, text: str | None) -> None:
        if text and text.strip():
            self.dismiss(text)

    def action_none(self) -> None:
        """Answer nothing."""
        self.dismiss("")
