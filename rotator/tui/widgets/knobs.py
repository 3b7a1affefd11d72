"""Knobs: labelled values, one a line, turned with left and right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from rotator.report.text import pad
from rotator.tui.actions import KNOBS, bindings
from rotator.tui.look import Signs
from rotator.tui.widgets.drawn import Drawn
from rotator.tui.widgets.lines import fit
from rotator.workflows.whatif import Knob


class Knobs(Drawn, Widget, can_focus=True):
    """A list of knobs with a cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"knob--value", "knob--label", "knob--about", "knob--cursor"}
    DEFAULT_CSS = """
    Knobs { height: auto; background: $surface; }
    Knobs > .knob--label { color: $quiet; }
    Knobs > .knob--value { color: $foreground; text-style: bold; }
    Knobs > .knob--about { color: $quiet; }
    Knobs > .knob--cursor { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(KNOBS)]

    class Turned(Message):
        """A knob was turned with the mouse."""

        def __init__(self, knob: str, by: int) -> None:
            """Say which, and how far."""
            self.knob = knob
            self.by = by
            super().__init__()

    def __init__(self, signs: Signs, *, id: str | None = None) -> None:  # noqa: A002
        """Make an empty list."""
        super().__init__(id=id)
        self.signs = signs
        self.knobs: Sequence[Knob] = ()
        self.cursor = 0

    def fill(self, knobs: Sequence[Knob]) -> None:
        """Show other knobs; the cursor stays on the knob of the same id."""
        here = self.current
        resized = len(knobs) != len(self.knobs)
        self.knobs = knobs
        if here is not None:
            ids = [knob.id for knob in knobs]
            self.cursor = ids.index(here.id) if here.id in ids else min(self.cursor, len(knobs) - 1)
        self.refresh(layout=resized)

    @property
    def current(self) -> Knob | None:
        """Give the knob under the cursor."""
        return self.knobs[self.cursor] if 0 <= self.cursor < len(self.knobs) else None

    def get_content_height(self, *_: object) -> int:
        """Take a line for each knob."""
        return max(1, len(self.knobs))

    def render_line(self, y: int) -> Strip:
        """Draw one knob."""
        base = self.base_style
        if not 0 <= y < len(self.knobs):
            return Strip.blank(self.size.width, base)
        knob = self.knobs[y]
        on = y == self.cursor
        if on:
            base += self.get_component_rich_style("knob--cursor", partial=True)
        room = max((len(k.label) for k in self.knobs), default=0)
        value = self.signs.text(knob.value)
        left, right = (self.signs.left, self.signs.right) if on and self.has_focus else (" ", " ")
        wide = max(14, min(40, max(len(self.signs.text(k.value)) for k in self.knobs)))
        parts: list[tuple[str, Style]] = [
            (f"{self.signs.cursor if on else ' '} ", base),
            (pad(self.signs.text(knob.label), room + 1), base + self._style("label")),
            (f"{left} ", base),
            (fit(value, wide), base + self._style("value")),
            (f" {right}  ", base),
            (self.signs.text(knob.about), base + self._style("about")),
        ]
        return Strip([Segment(text, style) for text, style in parts]).adjust_cell_length(self.size.width, base)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"knob--{name}", partial=True)

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self.cursor = max(0, min(self.cursor + by, len(self.knobs) - 1))
        self.refresh()

    def on_click(self, event: object) -> None:
        """Go to a knob with the mouse; a click on its signs turns it."""
        y, x = getattr(event, "y", 0), getattr(event, "x", 0)
        if not 0 <= y < len(self.knobs):
            return
        self.cursor = y
        room = max(len(k.label) for k in self.knobs) + 3
        wide = max(14, min(40, max(len(self.signs.text(k.value)) for k in self.knobs)))
        if x in (room, room + 1):
            self.post_message(self.Turned(self.knobs[y].id, -1))
        elif room + wide + 2 <= x <= room + wide + 4:
            self.post_message(self.Turned(self.knobs[y].id, 1))
        self.refresh()

    def watch_has_focus(self, _focused: bool) -> None:  # noqa: FBT001 - Textual calls it like this
        """Draw the signs anew."""
        super().watch_has_focus(_focused)
        self.refresh()
