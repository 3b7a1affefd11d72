"""Small questions over a screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from rotator.tui.actions import EVERYWHERE, LIST, PANES, Action
from rotator.tui.keymaps import KeyNames
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import Column, Line

BOX = """
{name} {{ align: center middle; background: $background 60%; }}
{name} > * {{ width: 76; max-width: 96%; height: auto; max-height: 90%; background: $panel; padding: 1 2; }}
"""
Option = tuple[str, str, str]
"""A way out of a question: its key, its words, and the answer."""


class Choose(ModalScreen[str]):
    """One of some answers, each by its key; escape is the answer ""."""

    DEFAULT_CSS = BOX.format(name="Choose")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "none", "cancel", id="dialog.none")]

    def __init__(self, title: str, text: str, options: Sequence[Option], *, escape: str = "esc: leave it") -> None:
        """Keep the question."""
        super().__init__()
        self.title_text, self.text, self.options, self.escape = title, text, options, escape

    def compose(self) -> ComposeResult:
        """Lay the box out."""
        lines = [self.title_text, *(["", self.text] if self.text else []), ""]
        lines += [f"{key.partition(',')[0]}: {words}" for key, words, _ in self.options]
        with VerticalScroll():
            yield Static("\n".join([*lines, self.escape]), markup=False)

    def on_key(self, event: events.Key) -> None:
        """Answer by a key."""
        for keys, _, answer in self.options:
            if event.key in keys.split(","):
                event.stop()
                self.dismiss(answer)
                return

    def action_none(self) -> None:
        """Answer nothing."""
        self.dismiss("")


class Confirm(ModalScreen[bool]):
    """Yes or no."""

    DEFAULT_CSS = BOX.format(name="Confirm")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "yes", "yes", id="dialog.yes"),
        Binding("n,escape,q", "no", "no", id="dialog.no"),
    ]

    def __init__(self, title: str, text: str) -> None:
        """Keep the question."""
        super().__init__()
        self.title_text, self.text = title, text

    def compose(self) -> ComposeResult:
        """Lay the box out."""
        with VerticalScroll():
            yield Static(f"{self.title_text}\n\n{self.text}\n\ny or enter: yes    n or esc: no", markup=False)

    def action_yes(self) -> None:
        """Answer yes."""
        self.dismiss(True)  # noqa: FBT003 - the answer

    def action_no(self) -> None:
        """Answer no."""
        self.dismiss(False)  # noqa: FBT003 - the answer


class Ask(ModalScreen[str]):
    """A line of text."""

    DEFAULT_CSS = BOX.format(name="Ask") + "Ask Input, Ask Input:focus { border: none; height: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "no", "cancel", id="dialog.cancel")]

    def __init__(self, title: str) -> None:
        """Keep the question."""
        super().__init__()
        self.title_text = title
        self.left = False
        """Whether it was left without an answer."""

    def compose(self) -> ComposeResult:
        """Lay the box out."""
        with Vertical():
            yield Static(f"{self.title_text}\n", markup=False)
            yield Input()
            yield Static("\nenter: go on    esc: cancel", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer with the text."""
        self.dismiss(event.value)

    def action_no(self) -> None:
        """Answer nothing."""
        self.left = True
        self.dismiss("")


class CommandLine(ModalScreen[str]):
    """A line at the bottom for the name of an action, completed as one types."""

    DEFAULT_CSS = """
    CommandLine { align: left bottom; background: $background 0%; }
    CommandLine > Input { height: 1; width: 100%; background: $panel; padding: 0 1; }
    CommandLine > Input, CommandLine > Input:focus { border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "no", "cancel", id="command.cancel"),
        Binding("tab", "complete", "complete", id="command.complete"),
    ]

    def __init__(self, words: Iterable[str]) -> None:
        """Begin with the words that can be typed."""
        super().__init__()
        self.words = list(words)

    def compose(self) -> ComposeResult:
        """Lay the line out."""
        yield Input(
            placeholder="an action such as export, save, undo, add-key; tab completes, esc leaves",
            suggester=SuggestFromList(self.words, case_sensitive=False),
        )

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer with the line."""
        self.dismiss(event.value.strip().removeprefix(":"))

    def action_complete(self) -> None:
        """Take what is suggested."""
        self.query_one(Input).action_cursor_right()

    def action_no(self) -> None:
        """Answer nothing."""
        self.dismiss("")


class Pick(ModalScreen[int]):
    """A line out of a list; escape is the answer -1."""

    DEFAULT_CSS = BOX.format(name="Pick") + "Pick LineTable { height: auto; max-height: 16; background: $panel; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "take", id="pick.take"),
        Binding("escape,q", "none", "cancel", id="pick.none"),
    ]

    def __init__(
        self, title: str, columns: Sequence[Column], lines: Sequence[Line], *, cursor: str, at: int = 0
    ) -> None:
        """Keep the lines; the cursor begins at the line `at`."""
        super().__init__()
        self.title_text, self.lines, self.start = title, lines, at
        self.table = LineTable(columns, cursor=cursor)

    def compose(self) -> ComposeResult:
        """Lay the box out."""
        with Vertical():
            yield Static(f"{self.title_text}\n", markup=False)
            yield self.table
            yield Static("\nenter: go there    esc: leave", markup=False)

    def on_mount(self) -> None:
        """Show the lines."""
        self.table.fill(self.lines)
        self.table.cursor = self.start
        self.table.focus()

    def action_take(self) -> None:
        """Answer with the line."""
        self.dismiss(self.table.index)

    @on(events.Click)
    def _clicked(self, event: events.Click) -> None:
        if event.chain == 2:
            self.action_take()

    def action_none(self) -> None:
        """Answer nothing."""
        self.dismiss(-1)


class Help(ModalScreen[None]):
    """Every key of a screen, and what the pane is that one is in."""

    DEFAULT_CSS = BOX.format(name="Help")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter", "close", "close", id="dialog.close")
    ]

    def __init__(self, title: str, actions: Sequence[Action], keys: KeyNames | None = None, about: str = "") -> None:
        """Keep the actions; `about` is what the pane with the focus says of itself."""
        super().__init__()
        self.title_text, self.actions, self.keys, self.about = title, actions, keys or KeyNames(), about

    def compose(self) -> ComposeResult:
        """Lay the box out."""
        with VerticalScroll():
            yield Static("\n".join(self._lines()), markup=False)

    def _lines(self) -> Iterable[str]:
        yield f"{self.title_text}: keys   esc closes this"
        if self.about:
            yield self.about
        groups = (("", (*self.actions, *PANES)), ("everywhere", EVERYWHERE), ("in lists", LIST))
        for title, actions in groups:
            yield ""
            if title:
                yield f"{title}:"
            for action in actions:
                keys = self.keys.every(action)
                if keys:
                    yield f"{keys:<14} {action.about}"
        yield ""
        yield "esc            close what is open, leave the filter"
        yield "ctrl+p and :   every other action by its name"

    def action_close(self) -> None:
        """Close the box."""
        self.dismiss()
