"""Pages over a screen: text to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from rotator.report import text as text_report
from rotator.report.document import Document
from rotator.report.text import cells, wrap
from rotator.tui.look import Signs
from rotator.tui.widgets.bars import Bar, Part
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import Column, Line


class Page(ModalScreen[bool]):
    """A document to read; where it offers something to do, `w` does it."""

    DEFAULT_CSS = """
    Page { align: center middle; background: $background 60%; }
    Page > Vertical { width: 110; max-width: 100%; height: 90%; background: $surface; }
    Page LineTable { background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "close", "close", id="page.close"),
        Binding("y", "copy", "copy", id="page.copy"),
        Binding("w", "do", "do", id="page.do"),
    ]

    def __init__(self, document: Document, signs: Signs, *, do: str = "") -> None:
        """Keep what it says; `do` is a word for what `w` does, "" for nothing."""
        super().__init__()
        self.document, self.signs, self.do = document, signs, do

    def compose(self) -> ComposeResult:
        """Lay the box out."""
        with Vertical():
            yield Bar(id="head", classes="-panel")
            table = LineTable((Column("", give=True, least=20),), cursor=" ", id="page")
            table.headless = True
            yield table
            yield Bar(id="keys", classes="-panel")

    def on_mount(self) -> None:
        """Show it."""
        keys = [("esc", "close"), ("y", "copy"), *([("w", self.do)] if self.do else [])]
        self.query_one("#keys", Bar).say(key_parts(keys))
        self.query_one(LineTable).focus()
        self.call_after_refresh(self.fill)

    def on_resize(self) -> None:
        """Wrap the text anew."""
        self.call_after_refresh(self.fill)

    def fill(self) -> None:
        """Show the document."""
        if not self.is_mounted:
            return
        table = self.query_one(LineTable)
        self.query_one("#head", Bar).say([(f" {self.signs.text(self.document.title)}", "strong")])
        table.fill(text_lines(self.document, table.text_width, self.signs), keep=lambda line: line.cells)

    def action_close(self) -> None:
        """Close the page."""
        self.dismiss(False)  # noqa: FBT003 - the answer

    def action_do(self) -> None:
        """Do what it offers."""
        if self.do:
            self.dismiss(True)  # noqa: FBT003 - the answer

    def action_copy(self) -> None:
        """Copy it as text."""
        self.app.copy_to_clipboard(text_report.render(self.document, ascii_only=self.signs.ascii_only))
        self.notify("copied as text, where the terminal allows it", markup=False)


def key_parts(keys: Sequence[tuple[str, str]]) -> list[Part]:
    """Show keys with their words."""
    parts: list[Part] = []
    for key, word in keys:
        parts += [(f" {key} ", "strong"), (f"{word} ", "quiet")]
    return parts


def text_lines(document: Document, width: int, signs: Signs, *, title: bool = False) -> list[Line]:
    """Give a document as lines of a table: headings strong, the first line left out where it stands elsewhere."""
    text = text_report.render(document, width=max(40, width), ascii_only=signs.ascii_only).rstrip("\n").splitlines()
    shown = text if title else text[_after_title(text) :]
    style: Callable[[str], bool] = lambda line: bool(line) and line[0] != " " and line == line.upper()  # noqa: E731
    return [Line((part,), strong=style(line)) for line in shown for part in _broken(signs.text(line), max(40, width))]


def _broken(text: str, width: int) -> list[str]:
    """Break a line that is too long, such as one of a difference; what goes on is set in."""
    if cells(text) <= width:
        return [text]
    indent = " " * (len(text) - len(text.lstrip()) + 4)
    return wrap(text.strip(), width, indent, text[: len(text) - len(text.lstrip())])


def _after_title(text: Sequence[str]) -> int:
    first = next((number for number, line in enumerate(text) if not line.strip()), 0)
    return first + 1 if first else 0
