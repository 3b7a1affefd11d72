"""A page over a screen: where a number comes from."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from rotator.errors import RotatorError
from rotator.report.because import to_document
from rotator.report.document import Document, Paragraph
from rotator.simulate.because import TOTALS, because
from rotator.simulate.question import Answer
from rotator.tui.look import Signs
from rotator.tui.screens.pages import Page, key_parts
from rotator.tui.widgets.bars import Bar, Part

WORDS = {
    "population": "all clients",
    "broken": "BREAKS",
    "exposed": "EXPOSED",
    "lost": "LOST",
    "unpinned": "UNPINNED",
    "ok": "OK",
}
"""The totals as the status line calls them."""


class Why(Page):
    """Where a number comes from: left and right go to the other numbers of the same answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "turn(-1)", "previous", id="why.previous", priority=True),
        Binding("right,l,tab", "turn(1)", "next", id="why.next", priority=True),
    ]

    def __init__(self, answer: Answer, signs: Signs, *, row: int | None = None, path: str = "") -> None:
        """Begin with a number.

        Args:
            answer: whose numbers.
            signs: the signs of the terminal.
            row: the row of the answer that is asked about; None for totals alone.
            path: the number to begin with, "" for the first.
        """
        self.answer = answer
        self.paths = paths_of(answer, row)
        known = [one for one, _ in self.paths]
        self.at = known.index(path) if path in known else 0
        super().__init__(self._page(), signs)

    def _page(self) -> Document:
        try:
            return to_document(because(self.answer, self.paths[self.at][0]))
        except RotatorError as error:
            return Document("why", (Paragraph(str(error)),))

    def on_mount(self) -> None:
        """Show it."""
        super().on_mount()
        keys = [("left/right", "other numbers"), ("esc", "close"), ("y", "copy")]
        self.query_one("#keys", Bar).say(key_parts(keys))

    def fill(self) -> None:
        """Show the explanation, and in the first line which numbers there are."""
        super().fill()
        if self.is_mounted:
            parts: list[Part] = [(" where it comes from ", "strong")]
            for number, (_, words) in enumerate(self.paths):
                parts.append((f" {self.signs.text(words)} ", "here" if number == self.at else "quiet"))
            self.query_one("#head", Bar).say(parts)

    def action_turn(self, by: int) -> None:
        """Go to another number."""
        self.at = (self.at + by) % len(self.paths)
        self.document = self._page()
        self.fill()

    @property
    def path(self) -> str:
        """Give the number that is shown, as `rotator why` names it."""
        return self.paths[self.at][0]


def paths_of(answer: Answer, row: int | None) -> list[tuple[str, str]]:
    """Give the numbers of an answer that can be asked about, each with a word: those of a row, then the totals."""
    found: list[tuple[str, str]] = []
    if row is not None and 0 <= row < len(answer.impact.rows):
        found += [(f"cohorts[{row}].verdict", "verdict"), (f"cohorts[{row}].clients", "clients")]
    impact = answer.impact
    totals = {name: getattr(impact, name) for name in TOTALS}
    order = sorted(("broken", "exposed", "lost", "unpinned", "ok"), key=lambda name: totals[name].none)
    found += [(name, WORDS[name]) for name in order]
    return [*found, ("population", WORDS["population"])]
