"""Plots in text cells: shares over time as filled areas, drawn line by line, in Unicode and in ASCII."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from rotator.report.document import percent
from rotator.report.plotting import Series, area, columns, nice_top, stretched
from rotator.report.ruler import marked
from rotator.report.text import pad
from rotator.tui.widgets.drawn import Drawn


class Plot(Drawn, Widget):
    """Several shares over time, one area below the other, on one axis of time."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "plot--ok", "plot--breaks", "plot--exposed", "plot--unpinned", "plot--lost", "plot--quiet", "plot--strong",
    }  # fmt: skip
    DEFAULT_CSS = """
    Plot { height: 1fr; background: $background; }
    Plot > .plot--ok { color: $status-ok; }
    Plot > .plot--breaks { color: $status-breaks; }
    Plot > .plot--exposed { color: $status-exposed; }
    Plot > .plot--unpinned { color: $status-unpinned; }
    Plot > .plot--lost { color: $status-lost; }
    Plot > .plot--quiet { color: $quiet; }
    Plot > .plot--strong { text-style: bold; }
    """

    def __init__(self, *, ascii_only: bool, id: str | None = None) -> None:  # noqa: A002
        """Make an empty plot."""
        super().__init__(id=id)
        self.ascii_only = ascii_only
        self.series: tuple[Series, ...] = ()
        self.ruler = ""
        self.place = -1
        self.about = ""
        self._known: tuple[Size, list[list[tuple[str, str]]]] | None = None

    def show(self, series: Sequence[Series], *, ruler: str = "", place: float = -1, about: str = "") -> None:
        """Show other series.

        Args:
            series: what is shown, each over the same time.
            ruler: the axis of time, one character a column of it.
            place: where on it the eye is, from 0 to 1; outside of that nowhere.
            about: what is said where there is nothing to show.
        """
        self.series, self.ruler, self.about = tuple(series), ruler, about
        self.place = -1 if not 0 <= place <= 1 else round(place * 1000)
        before = self._known
        if before is None or before != (self.size, self.rows()):
            self.refresh()

    @property
    def left(self) -> int:
        """Give the cells of the scale on the left."""
        return 8

    def rows(self) -> list[list[tuple[str, str]]]:
        """Give what is drawn: for each line, texts with the names of their styles."""
        width, height = self.size.width, self.size.height
        room = max(8, width - self.left - 1)
        if not self.series:
            return [[(f" {self.about}", "quiet")]]
        each = max(2, (height - 1) // len(self.series))
        found: list[list[tuple[str, str]]] = []
        for one in self.series:
            values = columns(one.values, room)
            top = nice_top(values)
            known = [value for value in one.values if value is not None]
            most = f"up to {percent(max(known))} of users" if known else "not known"
            head = f"{one.name}{' (assumed)' if one.assumed else ''}: {most}"
            found.append([(pad(" " * self.left + head, width), one.style or "strong")])
            drawn = area(values, max(1, each - 1), top, ascii_only=self.ascii_only)
            for number, text in enumerate(drawn):
                label = percent(top) if number == 0 else "0 %" if number == len(drawn) - 1 else ""
                found.append([(pad(label, self.left - 1, right=True) + " ", "quiet"), (text, one.style)])
        if self.ruler:
            found.append([(" " * self.left, ""), *self._axis(room)])
        return found

    def _axis(self, room: int) -> list[tuple[str, str]]:
        """Give the axis: the ruler stretched to the room, with the place of the eye on it."""
        text = "".join(self.ruler[cell * len(self.ruler) // room] for cell in range(room))
        if len(self.ruler) != room:
            text = stretched(self.ruler, room)
        if self.place < 0:
            return [(text, "quiet")]
        at = min(room - 1, self.place * room // 1000)
        mark = "^" if self.ascii_only else "▲"
        text = marked(text, at, mark)
        return [(text[:at], "quiet"), (mark, "strong"), (text[at + 1 :], "quiet")]

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw some lines: what is on them is worked out for all of them at once."""
        self._known = self.size, self.rows()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Draw a line."""
        base = self.base_style
        rows = self.rows() if self._known is None else self._known[1]
        if not 0 <= y < len(rows):
            return Strip.blank(self.size.width, base)
        segments = [
            Segment(text, base + self.get_component_rich_style(f"plot--{name}", partial=True) if name else base)
            for text, name in rows[y]
        ]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def as_text(self) -> str:
        """Give the plot as text, to copy."""
        return "\n".join("".join(text for text, _ in row).rstrip() for row in self.rows())
