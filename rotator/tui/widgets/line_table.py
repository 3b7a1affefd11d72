"""A table drawn line by line: as quick with a hundred thousand rows as with ten, its cells never markup."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from rotator.errors import printable
from rotator.report.text import cells
from rotator.tui.actions import LIST, bindings
from rotator.tui.widgets.drawn import Drawn
from rotator.tui.widgets.lines import Column, Line, Parts, fit

SAMPLE = 50
"""Lines, beside those on the screen, that say how wide columns are."""


class LineTable(Drawn, ScrollView, can_focus=True):
    """A table with a cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "line--ok",
        "line--unpinned",
        "line--breaks",
        "line--exposed",
        "line--lost",
        "line--quiet",
        "line--cursor",
        "line--cursor-blurred",
        "line--header",
        "line--here",
        "line--ghost",
        "line--assumed",
    }
    DEFAULT_CSS = """
    LineTable { height: 1fr; background: $background; overflow-x: hidden; scrollbar-size-vertical: 1; }
    LineTable > .line--ok { color: $status-ok; }
    LineTable > .line--unpinned { color: $status-unpinned; }
    LineTable > .line--breaks { color: $status-breaks; text-style: bold; }
    LineTable > .line--exposed { color: $status-exposed; text-style: bold underline; }
    LineTable > .line--lost { color: $status-lost; text-style: bold reverse; }
    LineTable > .line--quiet { color: $quiet; }
    LineTable > .line--cursor { background: $panel; text-style: bold; }
    LineTable > .line--cursor-blurred { background: $surface; }
    LineTable > .line--here { text-style: bold reverse; }
    LineTable > .line--ghost { color: $quiet; }
    LineTable > .line--assumed { color: $quiet; text-style: italic; }
    LineTable > .line--header { color: $quiet; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(LIST)]

    help_text = ""
    """What the table is, for help."""

    class Moved(Message):
        """The cursor is on another line."""

        def __init__(self, table: LineTable, index: int) -> None:
            """Say where; -1 where there is no line."""
            self.table = table
            self.index = index
            super().__init__()

        @property
        def control(self) -> LineTable:
            """Give the table."""
            return self.table

    class Resized(Message):
        """The table has another size: what was made to fit it may not any more."""

        def __init__(self, table: LineTable) -> None:
            """Say which."""
            self.table = table
            super().__init__()

        @property
        def control(self) -> LineTable:
            """Give the table."""
            return self.table

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        cursor: str = ">",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """Make an empty table; `cursor` is the sign in front of the line under the cursor."""
        super().__init__(id=id, classes=classes)
        self._columns = tuple(columns)
        self.lines: Sequence[Line] = ()
        self.shown: Sequence[int] = ()
        self.cursor = 0
        self.sign = cursor
        self.widths: list[int] = []
        self._words = ""
        self._frame: object = None
        self._words_of: Callable[[], Sequence[str]] | None = None
        self._haystack: list[str] | None = None
        self.headless = False
        """Without titles and the space around cells: for text of one column."""

    # --- what is in it -----------------------------------------------------------------------------------------

    def fill(
        self,
        lines: Sequence[Line],
        *,
        keep: Callable[[Line], object] | None = None,
        place: int | None = None,
        words: Callable[[], Sequence[str]] | None = None,
    ) -> None:
        """Show other lines; the cursor goes to the first, or stays on the one that `keep` says is the same.

        Args:
            lines: the lines.
            keep: gives what tells a line from the others.
            place: the index of the line for the cursor, where that is known.
            words: gives the text of each line that a filter looks into; without it that of all cells.
        """
        here = self.current if keep is not None else None
        before = self._drawn()
        self.lines = lines
        self._words_of, self._haystack = words, None
        self._select()
        if place is not None:
            shown = self.shown
            self.cursor = max(0, min(place if isinstance(shown, range) else bisect_left(shown, place), len(shown) - 1))
        elif keep is None:
            self.cursor = 0
        elif here is not None:
            wanted = keep(here)
            self.cursor = next((n for n, i in enumerate(self.shown) if keep(lines[i]) == wanted), 0)
        self._laid_out(before)

    def prepare(self) -> None:
        """Bring together what a filter looks into, so that its first letter need not wait for it."""
        if self._haystack is None:
            texts = self._words_of() if self._words_of else (" ".join(line.cells) for line in self.lines)
            self._haystack = [text.casefold() for text in texts]

    def narrow(self, words: str) -> None:
        """Show only lines that hold all of some words."""
        self._words = words
        self._select()
        self._laid_out()

    @property
    def columns(self) -> tuple[Column, ...]:
        """Give the columns."""
        return self._columns

    @columns.setter
    def columns(self, columns: Sequence[Column]) -> None:
        if tuple(columns) != self._columns:
            self._columns = tuple(columns)
            self.refresh()

    @property
    def words(self) -> str:
        """Give the words that lines must hold."""
        return self._words

    @property
    def current(self) -> Line | None:
        """Give the line under the cursor."""
        return self.lines[self.shown[self.cursor]] if 0 <= self.cursor < len(self.shown) else None

    @property
    def index(self) -> int:
        """Give the index of the line under the cursor among all lines, -1 where there is none."""
        return self.shown[self.cursor] if 0 <= self.cursor < len(self.shown) else -1

    def _select(self) -> None:
        words = self._words.casefold().split()
        if words:
            self.prepare()
            haystack = self._haystack or []
            first, *others = words
            found = [index for index, text in enumerate(haystack) if first in text]
            for word in others:
                found = [index for index in found if word in haystack[index]]
            self.shown = found
        else:
            self.shown = range(len(self.lines))
        self.cursor = min(self.cursor, max(0, len(self.shown) - 1))

    def _drawn(self) -> tuple[int, list[Line]]:
        """Give what is on the screen: where it begins, and its lines."""
        first = int(self.scroll_offset.y)
        return first, [self.lines[i] for i in self.shown[first : first + self.size.height]]

    def _laid_out(self, before: tuple[int, list[Line]] | None = None) -> None:
        """Lay the table out; where only some lines differ from `before`, only these are drawn."""
        self._measure()
        size = Size(self.size.width, len(self.shown) + self._top)
        resized = size != self.virtual_size
        self.virtual_size = size
        after = self._drawn()
        # Whoever fills a table may have given it other columns just before.
        frame = (len(self.shown), self.columns, tuple(self.widths), self.size, self.cursor, self.headless)
        if before is not None and before[0] == after[0] and frame == self._frame:
            for n, (old, new) in enumerate(zip(before[1], after[1], strict=True)):
                if old != new:
                    self.refresh_line(after[0] + n + self._top)
        else:
            self._frame = frame
            self.refresh(layout=resized and self.styles.height is not None and self.styles.height.is_auto)
        self._show_cursor()
        self.post_message(self.Moved(self, self.index))

    @property
    def text_width(self) -> int:
        """Give the cells that a table of one column has for its text."""
        return self.size.width - 2 if self.headless else self._room - 2

    @property
    def _room(self) -> int:
        """Give the cells beside the sign of the cursor and the scroll bar."""
        return max(10, self.size.width - (0 if self.headless else 3))

    def _measure(self) -> None:
        """Share the width out: columns as wide as they need, the giving ones less, the least important dropped."""
        first = int(self.scroll_offset.y)
        drawn = range(first, min(len(self.shown), first + self.size.height))
        sample = [self.lines[self.shown[n]] for n in sorted({*range(min(SAMPLE, len(self.shown))), *drawn})]
        need = [
            max([cells(column.title), *(cells(line.cells[n]) for line in sample)])
            for n, column in enumerate(self.columns)
        ]
        room = self._room
        kept = list(range(len(self.columns)))
        for number in sorted((c.drop for c in self.columns if c.drop), reverse=True):
            least = sum((min(need[n], self.columns[n].least) if self.columns[n].give else need[n]) + 2 for n in kept)
            if least > room:
                kept = [n for n in kept if self.columns[n].drop != number]
        over = sum(need[n] + 2 for n in kept) - room
        for n in reversed(kept):
            if self.columns[n].give and over > 0:
                cut = min(over, max(0, need[n] - self.columns[n].least))
                need[n] -= cut
                over -= cut
        self.widths = [need[n] if n in kept else 0 for n in range(len(self.columns))]

    def get_content_height(self, *_: object) -> int:
        """Take a line for each row and one for the titles, where the height is left to the table."""
        return len(self.shown) + self._top

    @property
    def _top(self) -> int:
        return 0 if self.headless else 1

    # --- drawing -----------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Share the width out anew."""
        self._laid_out()
        self.post_message(self.Resized(self))

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen; the titles stay on top."""
        width = self.size.width
        base = self.base_style
        if y == 0 and not self.headless:
            style = base + self.get_component_rich_style("line--header", partial=True)
            return self._strip([(column.title.upper(), style) for column in self.columns], " ", base, width)
        number = y - self._top + int(self.scroll_offset.y)
        if not 0 <= number < len(self.shown):
            return Strip.blank(width, base)
        line = self.lines[self.shown[number]]
        on = number == self.cursor
        if on:
            name = "line--cursor" if self.has_focus else "line--cursor-blurred"
            base += self.get_component_rich_style(name, partial=True)
        first = base
        if line.style:
            first = base + self.get_component_rich_style(f"line--{line.style}", partial=True)
        rest = base + Style(bold=True) if line.strong else base
        if line.style == "quiet":
            rest = first
        parts = [(cell, first if n == 0 else rest) for n, cell in enumerate(line.cells)]
        return self._strip(parts, self.sign if on else " ", base, width, dict(line.parts))

    def _strip(
        self,
        parts: Sequence[tuple[str, Style]],
        sign: str,
        base: Style,
        width: int,
        own: Mapping[int, Parts] | None = None,
    ) -> Strip:
        segments = [Segment(sign, base)]
        if self.headless:
            text, style = parts[0]
            segments.append(Segment(fit(text, max(1, width - 1)), style))
            return Strip(segments).adjust_cell_length(width, base)
        for n, (text, style) in enumerate(parts):
            if self.widths and self.widths[n]:
                segments.append(Segment(" ", base))
                if own and n in own:
                    segments += self._styled(own[n], self.widths[n], base)
                    segments.append(Segment(" ", base))
                    continue
                segments.append(Segment(fit(text, self.widths[n], right=self.columns[n].right), style))
                segments.append(Segment(" ", base))
        return Strip(segments).adjust_cell_length(width, base)

    def _styled(self, parts: Parts, width: int, base: Style) -> list[Segment]:
        """Give the segments of a cell in parts, filled up to its width."""
        found, used = [], 0
        for text, name in parts:
            style = base + self.get_component_rich_style(f"line--{name}", partial=True) if name else base
            room = width - used
            text = printable(text)  # noqa: PLW2901 - what is shown of it
            shown = text if cells(text) <= room else fit(text, room) if room > 0 else ""
            found.append(Segment(shown, style))
            used += cells(shown)
        return [*found, Segment(" " * max(0, width - used), base)]

    # --- moving ------------------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        """Move the cursor by some lines."""
        self._go(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by a screen."""
        self._go(self.cursor + by * max(1, self.size.height - self._top - 1))

    def action_end(self, which: int) -> None:
        """Move the cursor to the first or the last line."""
        self._go(0 if which < 0 else len(self.shown) - 1)

    def find(self, styles: Sequence[str], by: int) -> bool:
        """Move the cursor to the next line of some styles, or the one before; say whether there is one."""
        order = range(self.cursor + 1, len(self.shown)) if by > 0 else range(self.cursor - 1, -1, -1)
        found = next((n for n in order if self.lines[self.shown[n]].style in styles), None)
        if found is not None:
            self._go(found)
        return found is not None

    def go(self, index: int) -> None:
        """Put the cursor on one of all lines, where it is shown."""
        shown = self.shown
        self._go(index if isinstance(shown, range) else bisect_left(shown, index))

    def _go(self, to: int) -> None:
        to = max(0, min(to, len(self.shown) - 1))
        if to != self.cursor and self.shown:
            for number in (self.cursor, to):
                self.refresh_line(number + self._top)
            self._frame = None
            self.cursor = to
            self._show_cursor()
            self.post_message(self.Moved(self, self.index))

    def from_the_top(self) -> None:
        """Show the first lines, and more only where the cursor would be out of sight."""
        self.scroll_to(y=0, animate=False, force=True)
        self._show_cursor()

    def _show_cursor(self) -> None:
        self.scroll_to_region(Region(0, self.cursor, 1, 1 + self._top), animate=False, force=True)

    def on_click(self, event: object) -> None:
        """Put the cursor where the mouse is."""
        y = getattr(event, "y", 0)
        if y >= self._top:
            self._go(y - self._top + int(self.scroll_offset.y))

    def watch_has_focus(self, _focused: bool) -> None:  # noqa: FBT001 - Textual calls it like this
        """Draw the cursor anew."""
        super().watch_has_focus(_focused)
        self.refresh()
