"""A plan over time as curves: who accepts what is to be served, who is broken, and who is exposed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from rotator.model.when import start_of
from rotator.plan.curve import Point
from rotator.report.plotting import Series
from rotator.report.ruler import Unit, ruler
from rotator.tui.look import Signs
from rotator.tui.screens.pages import key_parts
from rotator.tui.widgets.bars import Bar
from rotator.tui.widgets.plot import Plot

COLUMNS = 120
"""Columns of time that are worked out at most; the plot fits them to its room."""


class Curves(ModalScreen[None]):
    """The curves of a plan, one below the other on one axis of time."""

    DEFAULT_CSS = """
    Curves { align: center middle; background: $background 60%; }
    Curves > Vertical { width: 140; max-width: 100%; height: 90%; background: $surface; }
    Curves Plot { background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,v", "close", "close", id="page.close"),
        Binding("y", "copy", "copy", id="page.copy"),
    ]

    def __init__(self, title: str, points: Sequence[Point], signs: Signs) -> None:
        """Keep what is shown; there is at least one point."""
        super().__init__()
        self.heading, self.points, self.signs = title, points, signs
        self.plot = Plot(ascii_only=signs.ascii_only, id="curves")

    def compose(self) -> ComposeResult:
        """Lay the box out."""
        with Vertical():
            yield Bar(id="head", classes="-panel")
            yield self.plot
            yield Bar(id="keys", classes="-panel")

    def on_mount(self) -> None:
        """Show it."""
        first, last = self.points[0], self.points[-1]
        self.query_one("#head", Bar).say([(f" {self.signs.text(self.heading)}", "strong")])
        self.query_one("#keys", Bar).say(key_parts([("esc", "close"), ("y", "copy")]))
        width = min(COLUMNS, (last.day - first.day).days + 1)
        unit = Unit(hours=-(-((last.day - first.day).days + 1) // width) * 24, word="")
        self.plot.show(series_of(self.points, self.signs, width, unit), ruler=ruler(start_of(first.day), unit, width))

    def action_close(self) -> None:
        """Close it."""
        self.dismiss(None)

    def action_copy(self) -> None:
        """Copy the curves as text."""
        self.app.copy_to_clipboard(self.plot.as_text())


def series_of(points: Sequence[Point], signs: Signs, width: int, unit: Unit) -> tuple[Series, ...]:
    """Give the curves over some columns of time; a point holds until the next one."""
    days = [point.day for point in points]
    at = [
        points[max(0, bisect_right(days, days[0] + timedelta(hours=unit.hours * column)) - 1)]
        for column in range(width)
    ]
    narrowest = " / ".join(dict.fromkeys(point.segment for point in points))
    return (
        Series(
            name=f"ACCEPT what is to be served, in {signs.text(narrowest)}",
            style="ok",
            values=tuple(point.coverage for point in at),
        ),
        Series(name="BREAKS, whatever breaks them", style="breaks", values=tuple(point.broken.share for point in at)),
        Series(
            name="EXPOSED, whatever exposes them", style="exposed", values=tuple(point.exposed.share for point in at)
        ),
    )
