"""A list to choose from: events that can change something first, all others behind one key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from rotator.tui.look import Signs
from rotator.tui.screens.pages import key_parts
from rotator.tui.widgets.bars import Bar
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import Column, Line

Choice = tuple[str, str]


class Chooser(ModalScreen[str | None]):
    """One of some choices; None where the person thought better of it."""

    DEFAULT_CSS = """
    Chooser { align: center middle; background: $background 60%; }
    Chooser > Vertical { width: 100; max-width: 100%; height: auto; max-height: 90%; background: $surface; }
    Chooser LineTable { height: auto; max-height: 30; background: $surface; }
    Chooser #words { height: 1; border: none; padding: 0 1; background: $panel; display: none; }
    Chooser #words.-open { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "take", id="chooser.take", priority=True),
        Binding("o", "others", "others", id="chooser.others"),
        Binding("slash", "filter", "filter", id="chooser.filter"),
        Binding("escape", "leave", "cancel", id="chooser.leave", priority=True),
    ]

    def __init__(self, title: str, usual: Sequence[Choice], others: Sequence[Choice], here: str, signs: Signs) -> None:
        """Keep the choices.

        Args:
            title: what is chosen.
            usual: choices with what they mean.
            others: those that come up with one more key.
            here: the one that is chosen now.
            signs: the signs of the terminal.
        """
        super().__init__()
        self.title_text, self.usual, self.others, self.here, self.signs = title, usual, others, here, signs
        self.all = any(name == here for name, _ in others)

    def compose(self) -> ComposeResult:
        """Lay the box out."""
        with Vertical():
            yield Bar(id="head", classes="-panel")
            yield LineTable((Column(""), Column("", give=True, least=10)), cursor=self.signs.cursor, id="choices")
            yield Input(placeholder="words to look for", id="words", select_on_focus=False)
            yield Bar(id="keys", classes="-panel")

    def on_mount(self) -> None:
        """Show the choices."""
        self._fill(self.here)
        self.query_one(LineTable).focus()

    @property
    def choices(self) -> list[Choice]:
        """Give what is listed."""
        return [*self.usual, *(self.others if self.all else ())]

    def _fill(self, here: str) -> None:
        count = len(self.others)
        keys = [("enter", "take"), ("/", "filter"), ("esc", "leave")]
        if count:
            keys.insert(1, ("o", "leave the others out" if self.all else f"{count} others, which change nothing here"))
        self.query_one("#head", Bar).say([(f" {self.title_text}", "strong")])
        self.query_one("#keys", Bar).say(key_parts(keys))
        lines = [Line((self.signs.text(name) or "-", self.signs.text(about)), "ok") for name, about in self.usual]
        if self.all:
            lines += [Line((self.signs.text(name), self.signs.text(about)), "quiet") for name, about in self.others]
        names = [name for name, _ in self.choices]
        self.query_one(LineTable).fill(lines, place=names.index(here) if here in names else 0)

    def action_take(self) -> None:
        """Take the line under the cursor."""
        index = self.query_one(LineTable).index
        if 0 <= index < len(self.choices):
            self.dismiss(self.choices[index][0])

    def action_others(self) -> None:
        """Show the others, or leave them out."""
        if self.others:
            index = self.query_one(LineTable).index
            here = self.choices[index][0] if 0 <= index < len(self.choices) else self.here
            self.all = not self.all
            self._fill(here)

    def action_filter(self) -> None:
        """Type words to look for."""
        box = self.query_one("#words", Input)
        box.add_class("-open")
        box.focus()

    @on(Input.Changed, "#words")
    def _narrow(self, event: Input.Changed) -> None:
        self.query_one(LineTable).narrow(event.value)

    def action_leave(self) -> None:
        """Leave it as it is."""
        self.dismiss(None)
