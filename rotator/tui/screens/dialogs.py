"""Small questions over a screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from rotator.tui.actions import EVERYWHERE, MOVES, PANES, Action

_BOX = """
{name} {{ align: center middle; background: $background 60%; }}
{name} > * {{ width: 76; max-width: 96%; height: auto; max-height: 90%; background: $panel; padding: 1 2; }}
"""


class Confirm(ModalScreen[bool]):
    """Yes or no."""

    DEFAULT_CSS = _BOX.format(name="Confirm")
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

    DEFAULT_CSS = _BOX.format(name="Ask") + "Ask Input { border: none; height: 1; }"
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
            yield Input(placeholder="enter: go on, esc: cancel")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer with the text."""
        self.dismiss(event.value)

    def action_no(self) -> None:
        """Answer nothing."""
        self.left = True
        self.dismiss("")


class Help(ModalScreen[None]):
    """Every key of a screen."""

    DEFAULT_CSS = _BOX.format(name="Help")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter", "close", "close", id="dialog.close")
    ]

    def __init__(self, title: str, actions: Sequence[Action]) -> None:
        """Keep the actions."""
        super().__init__()
        self.title_text, self.actions = title, actions

    def compose(self) -> ComposeResult:
        """Lay the box out."""
        with VerticalScroll():
            yield Static("\n".join(self._lines()), markup=False)

    def _lines(self) -> Iterable[str]:
        yield f"{self.title_text}: keys"
        yield ""
        for action in (*self.actions, *PANES, *EVERYWHERE):
            yield f"{_keys(action):<16} {action.about}"
        yield ""
        for keys, about in MOVES:
            yield f"{keys:<22} {about}"
        yield ""
        yield "esc closes this"

    def action_close(self) -> None:
        """Close the box."""
        self.dismiss()


def _keys(action: Action) -> str:
    if action.key:
        return action.key
    return action.keys.replace("question_mark", "?").replace("slash", "/").replace(",", " ")
