"""The responses to an emergency, who is hit by one hour by hour, and what is to do, as tables and a plot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotator.plan.alarm import Emergency, Group, Option
from rotator.report.document import percent
from rotator.report.emergency import days_of, size_of, version_of
from rotator.report.plotting import Series
from rotator.report.responses import count, few, short_title
from rotator.report.ruler import UNITS, marked, ruler
from rotator.tui.look import Signs
from rotator.tui.widgets.line_table import LineTable
from rotator.tui.widgets.lines import Column, Line, Parts
from rotator.tui.widgets.plot import Plot
from rotator.workflows.watching import Hours, hours, versions

NARROW_TAKEN, WIDE_TAKEN = 53, 66
"""Cells that the other columns of the versions take, about."""
MOST_OVER_TIME = 2_000
"""Connections up to which users are counted anew for every cell of time."""
STANDING = {"refused": "REFUSED", "dominated": "worse"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An axis of time: where it begins, the place in `UNITS` of its cells, and how many there are."""

    start: datetime
    unit: int
    width: int

    @property
    def each(self) -> timedelta:
        """Give how long a cell is."""
        return timedelta(hours=UNITS[self.unit].hours)

    @property
    def words(self) -> str:
        """Give what stands below it."""
        return ruler(self.start, UNITS[self.unit], self.width)


class Responses:
    """Three tables and a plot that are filled from one emergency."""

    def __init__(self, signs: Signs) -> None:
        """Make them, empty."""
        self.signs = signs
        self.cross, self.open = ("x", "!") if signs.ascii_only else ("✗", "▲")
        self.options = LineTable((Column(""),), cursor=signs.cursor, id="responses")
        self.groups = LineTable((Column(""),), cursor=signs.cursor, id="groups")
        self.todo = LineTable(
            (Column("by"), Column("to do", give=True, least=24), Column("undo", give=True, least=16, drop=1)),
            cursor=signs.cursor,
            id="todo",
        )
        self.plot = Plot(ascii_only=signs.ascii_only, id="plot")
        self.options.help_text = "What could be done, the best first; the rows below stand for the one here."
        self.groups.help_text = "Who is hit by the response under the cursor, version by version and hour by hour."
        self.todo.help_text = "What is to be done, by latest start; space ticks it off, K keeps that in a report."
        self.shown: tuple[Group, ...] = ()
        self._known: dict[tuple[int, str], tuple[Group, ...]] = {}
        self._over_time: tuple[tuple[object, ...], Hours | None] = ((), None)

    def forget(self) -> None:
        """Begin with another emergency."""
        self._known.clear()
        self._over_time = ((), None)
        self.options.cursor = 0

    def room(self, *, wide: bool) -> int:
        """Give the cells that are left for the axis of time."""
        return max(8, (self.groups.size.width or 79) - (WIDE_TAKEN if wide else NARROW_TAKEN))

    def option(self, found: Emergency | None) -> Option | None:
        """Give the response under the cursor."""
        index = self.options.index
        return found.options[index] if found is not None and 0 <= index < len(found.options) else None

    def fill_options(self, found: Emergency | None, weight: float, *, wide: bool) -> None:
        """Fill the table of responses; `weight` is what a user-day of exposure weighs beside one of breakage."""
        days = (found.until - found.now).days if found is not None else 30
        cross, open_, long = self.cross, self.open, "user-days" if wide else "days"
        self.options.columns = (
            Column("#"),
            Column(f"response: swap at{f', over {days} days' if wide else ''}", give=True, least=22),
            Column("standing"),
            Column(f"{cross} at worst", right=True),
            Column("share", right=True, drop=2),
            Column(f"{cross} {long}", right=True),
            Column(f"{open_} {long}", right=True),
            Column(f"sum x{weight:g}", right=True, drop=1),
        )
        options = found.options if found is not None else ()
        several = len({o.weighed.response.target for o in options if o.weighed.response.target}) > 1
        lines = []
        for n, option in enumerate(options, start=1):
            own = option.weighed
            title = short_title(option, target=several)
            standing = STANDING.get(option.standing, "best" if option.recommended else "in front")
            texts = (str(n), self.signs.text(title), standing, few(own.worst), percent(own.worst.share),
                     days_of(own.broken), days_of(own.exposed), size_of(own, weight))  # fmt: skip
            style = {"refused": "breaks", "dominated": "quiet"}.get(option.standing, "")
            lines.append(Line(texts, style, strong=option.recommended))
        self.options.fill(lines, keep=lambda line: line.cells[0])

    def fill_groups(self, found: Emergency | None, axis: Axis, at: datetime, *, wide: bool) -> None:
        """Fill the versions and the plot from the response under the cursor, with a mark at an instant."""
        option = self.option(found)
        if found is None or option is None:
            self.shown = ()
            self.groups.fill([])
            self.plot.show((), about="")
            return
        own = self._hours(found, option, axis)
        words, place = axis.words, int((at - axis.start) / axis.each)
        mark = "^" if self.signs.ascii_only else "▼"
        if 0 <= place < axis.width:
            words = marked(words, place, mark)
        last = f"d{(found.until - found.now).days}"
        self.groups.columns = (
            Column("version", give=True, least=18),
            Column("users", right=True),
            Column(f"{self.cross} max", right=True),
            Column(f"{self.cross} {last}", right=True),
            Column("stuck", right=True),
            *((Column(f"{self.open} {last}", right=True),) if wide else ()),
            Column(words),
        )
        self.shown = self._groups(found, option)
        lines = []
        for group in self.shown:
            strip = self._strip(own, group, axis.width)
            counts = (group.users, group.broken, group.broken_last, group.stuck)
            ends = (group.exposed_last,) if wide else ()
            texts = (self.signs.text(version_of(group)), *map(count, (*counts, *ends)), "".join(t for t, _ in strip))
            lines.append(Line(texts, "breaks" if group.broken else "", parts=((len(texts) - 1, strip),)))
        self.groups.fill(lines, keep=lambda line: line.cells[0])
        if own is None or not wide:
            self.plot.show((), about="")
            return
        self.plot.show(
            (
                Series(name="BREAKS", style="breaks", values=own.broken),
                Series(name="EXPOSED", style="exposed", values=own.exposed),
            ),
            ruler=axis.words,
            place=(at - axis.start) / (axis.each * axis.width),
        )

    def _groups(self, found: Emergency, option: Option) -> tuple[Group, ...]:
        if option.recommended:
            return found.groups
        key = (id(found), option.weighed.response.id)
        if key not in self._known:
            self._known[key] = versions(option.weighed, found)
        return self._known[key]

    def _hours(self, found: Emergency, option: Option, axis: Axis) -> Hours | None:
        """Give the response over time, worked out once for each axis."""
        key = (id(found), option.weighed.response.id, axis)
        if self._over_time[0] != key:
            many = len(option.weighed.answer.fleet.connections) > MOST_OVER_TIME
            own = None if many else hours(option.weighed, axis.start, axis.each, axis.width)
            self._over_time = (key, own)
        return self._over_time[1]

    def _strip(self, own: Hours | None, group: Group, width: int) -> Parts:
        if own is None:
            return (("." * width, "quiet"),)
        found: list[tuple[str, str]] = []
        for verdict in own.strips.get((group.app, group.version), (None,) * width):
            sign, style = (" ", "quiet") if verdict is None else (self.signs.verdict(verdict), str(verdict))
            if found and found[-1][1] == style:
                found[-1] = (found[-1][0] + sign, style)
            else:
                found.append((sign, style))
        return tuple(found)

    def fill_todo(self, found: Emergency | None, done: Mapping[str, datetime]) -> None:
        """Fill the list of what is to do; `done` says what was ticked off, and when."""
        lines = []
        for todo in found.todo if found is not None else ():
            ticked = done.get(todo.what)
            when = f"done {ticked:%H:%MZ}" if ticked is not None else f"{todo.latest:%a %d %H:%MZ}"
            style = "quiet" if ticked is not None else "breaks" if found and todo.latest <= found.now else ""
            lines.append(Line((when, self.signs.text(todo.what), self.signs.text(todo.undo)), style))
        nothing = Line(("", "nothing yet: o says what happened", ""), "quiet")
        self.todo.fill(lines or [nothing], keep=lambda line: line.cells[1])
