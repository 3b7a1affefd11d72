"""Widgets drawn line by line: the style they stand on is worked out once for all lines that are drawn in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style

if TYPE_CHECKING:
    from textual.geometry import Region
    from textual.strip import Strip
    from textual.widget import Widget
else:
    # Where it is no widget itself, styles are still inherited from the widget that stands beside it.
    Widget = object


class Drawn(Widget):
    """What a widget that draws its own lines is made of, beside the widget itself."""

    _base: Style | None = None

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw some lines."""
        self._base = self.rich_style
        try:
            return super().render_lines(crop)
        finally:
            self._base = None

    @property
    def base_style(self) -> Style:
        """Give the style of the widget: what every line begins with."""
        return self.rich_style if self._base is None else self._base
