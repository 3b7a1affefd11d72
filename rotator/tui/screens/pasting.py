"""A box to paste into: text of many lines, as terminals print it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea


class Paste(ModalScreen[str]):
    """What was pasted; "" where the person thought better of it."""

    DEFAULT_CSS = """
    Paste { align: center middle; background: $background 60%; }
    Paste > Vertical { width: 100; max-width: 100%; height: 80%; background: $panel; padding: 1 2; }
    Paste TextArea { height: 1fr; border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,f2", "done", "done", id="paste.done", priority=True),
        Binding("escape", "leave", "cancel", id="paste.leave", priority=True),
    ]

    def __init__(self, title: str) -> None:
        """Keep the title."""
        super().__init__()
        self.title_text = title

    def compose(self) -> ComposeResult:
        """Lay the box out."""
        with Vertical():
            yield Static(f"{self.title_text}\n", markup=False)
            yield TextArea(soft_wrap=False)
            yield Static("\nctrl+s or f2: take it    esc: cancel", markup=False)

    def on_mount(self) -> None:
        """Be ready to be pasted into."""
        self.query_one(TextArea).focus()

    def action_done(self) -> None:
        """Take the text."""
        self.dismiss(self.query_one(TextArea).text)

    def action_leave(self) -> None:
        """Take nothing."""
        self.dismiss("")
