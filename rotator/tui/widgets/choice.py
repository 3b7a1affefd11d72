"""A choice in one line: one of some words with left and right, or several with space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from rotator.report.text import cells
from rotator.tui.look import Signs
from rotator.tui.widgets.lines import fit

NONE = "-"


class Choice(Widget, can_focus=True):
    """Words to choose from, the chosen ones marked.

    One of them, with left and right or its first letters; or several, with space, in the order they were taken.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"choice--here", "choice--quiet"}
    DEFAULT_CSS = """
    Choice { height: 1; width: 1fr; background: $surface; }
    Choice:focus { background: $background; text-style: bold; }
    Choice > .choice--here { text-style: bold reverse; }
    Choice > .choice--quiet { color: $quiet; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "turn(-1)", "before", show=False, id="choice.before"),
        Binding("right,l", "turn(1)", "next", show=False, id="choice.next"),
        Binding("space", "take", "take", show=False, id="choice.take"),
    ]

    class Changed(Message):
        """Something else is chosen."""

    def __init__(
        self,
        words: Sequence[str],
        signs: Signs,
        *,
        many: bool = False,
        optional: bool = False,
        value: str = "",
        id: str | None = None,  # noqa: A002
    ) -> None:
        """Offer some words.

        Args:
            words: what may be chosen.
            signs: the signs of the terminal.
            many: whether several may be.
            optional: whether none may be.
            value: what is chosen to begin with.
            id: the id of the widget.
        """
        super().__init__(id=id)
        self.signs = signs
        self.many = many
        self.words = [*([""] if optional and not many else []), *words]
        self.at = self.words.index(value) if value in self.words else 0
        self.taken: list[str] = []

    @property
    def value(self) -> str:
        """Give what is chosen, with commas between several."""
        if self.many:
            return ", ".join(self.taken)
        return self.words[self.at] if self.words else ""

    def action_turn(self, by: int) -> None:
        """Go to the next word or the one before."""
        if self.words:
            self.at = (self.at + by) % len(self.words)
            self._changed()

    def action_take(self) -> None:
        """Take the word under the cursor, or leave it again."""
        if self.many and self.words:
            word = self.words[self.at]
            self.taken = [w for w in self.taken if w != word] if word in self.taken else [*self.taken, word]
            self._changed()

    def on_key(self, event: events.Key) -> None:
        """Go to the next word that begins with a letter."""
        if self.words and event.character and event.character.isalnum() and event.character not in "hl":
            order = [*range(self.at + 1, len(self.words)), *range(self.at + 1)]
            found = [n for n in order if self.words[n].startswith(event.character)]
            if found:
                self.at = found[0]
                self._changed()
                event.stop()

    def _changed(self) -> None:
        self.refresh()
        self.post_message(self.Changed())

    def on_click(self) -> None:
        """Go on with the mouse."""
        self.action_turn(1)

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - there is one line
        """Draw the line; the word under the cursor is always in sight."""
        base = self.rich_style
        quiet = base + self.get_component_rich_style("choice--quiet", partial=True)
        here = base + self.get_component_rich_style("choice--here", partial=True)
        if not self.words:
            return Strip([Segment(" nothing to choose from", quiet)]).adjust_cell_length(self.size.width, base)
        if not self.many:
            word = self.signs.text(self.words[self.at]) or NONE
            parts = [(f" {self.signs.left} ", quiet), (word, base), (f" {self.signs.right} ", quiet)]
            parts.append((f" {self.at + 1} of {len(self.words)}", quiet))
            return self._strip(parts)
        shown = [(f"{self._mark(word)} {self.signs.text(word)}", n) for n, word in enumerate(self.words)]
        first = 0
        while first < self.at and sum(cells(text) + 2 for text, _ in shown[first : self.at + 1]) > self.size.width:
            first += 1
        parts = []
        for text, n in shown[first:]:
            parts += [(" ", base), (text, here if n == self.at and self.has_focus else base), (" ", base)]
        return self._strip(parts)

    def _mark(self, word: str) -> str:
        return f"[{self.taken.index(word) + 1}]" if word in self.taken else "[ ]"

    def _strip(self, parts: Sequence[tuple[str, object]]) -> Strip:
        room = self.size.width
        segments = []
        for text, style in parts:
            if room <= 0:
                break
            shown = text if cells(text) <= room else fit(text, room)
            room -= cells(shown)
            segments.append(Segment(shown, style))  # type: ignore[arg-type]  # a style of rich
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)
