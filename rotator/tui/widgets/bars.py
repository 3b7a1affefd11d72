"""The lines at the top and the bottom: where one is, how things stand, which keys there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from rotator.errors import printable
from rotator.report.text import cells, pad
from rotator.tui.actions import Action
from rotator.tui.widgets.drawn import Drawn

Part = tuple[str, str]
"""A text and the name of its style: "", `strong`, `quiet`, `here`, or that of a verdict."""


class Bar(Drawn, Widget):
    """One line, or some, of plain text in a few styles; never markup."""

    COMPONENT_CLASSES = {  # noqa: RUF012 - as Textual declares it
        "bar--ok",
        "bar--unpinned",
        "bar--breaks",
        "bar--exposed",
        "bar--lost",
        "bar--quiet",
        "bar--strong",
        "bar--here",
    }
    DEFAULT_CSS = """
    Bar { height: 1; width: 1fr; background: $background; }
    Bar.-panel { background: $panel; }
    Bar > .bar--ok { color: $status-ok; }
    Bar > .bar--unpinned { color: $status-unpinned; }
    Bar > .bar--breaks { color: $status-breaks; text-style: bold; }
    Bar > .bar--exposed { color: $status-exposed; text-style: bold underline; }
    Bar > .bar--lost { color: $status-lost; text-style: bold reverse; }
    Bar > .bar--quiet { color: $quiet; }
    Bar > .bar--strong { text-style: bold; }
    Bar > .bar--here { text-style: bold reverse; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        """Make an empty line."""
        super().__init__(id=id, classes=classes)
        self.rows: Sequence[Sequence[Part]] = ()

    def say(self, *rows: Sequence[Part]) -> None:
        """Show some lines."""
        if rows != self.rows:
            self.rows = rows
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw a line."""
        base = self.base_style
        if y >= len(self.rows):
            return Strip.blank(self.size.width, base)
        segments = [Segment(printable(text), base + self._named(name)) for text, name in self.rows[y]]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _named(self, name: str) -> Style:
        return self.get_component_rich_style(f"bar--{name}", partial=True) if name else Style()


def usual_key(action: Action) -> str:
    """Give the key of an action that no keymap changes."""
    return action.shown_key


def key_line(actions: Sequence[Action], width: int, key_of: Callable[[Action], str] = usual_key) -> list[Part]:
    """Show keys and their words as far as they fit; the last one, help, always does."""
    shown = [action for action in actions if action.shown]
    parts: list[Part] = []
    last = f" {key_of(shown[-1])} {shown[-1].short}" if shown else ""
    used = cells(last) + 1
    for action in shown[:-1]:
        text = f" {key_of(action)} {action.short} "
        if used + cells(text) > width:
            break
        used += cells(text)
        parts += [(f" {key_of(action)} ", "strong"), (f"{action.short} ", "quiet")]
    if shown:
        gap = pad("", max(0, width - used - 1))
        parts += [(gap, ""), (f" {key_of(shown[-1])} ", "strong"), (shown[-1].short, "quiet")]
    return parts
