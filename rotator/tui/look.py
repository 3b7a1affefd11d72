"""Themes and signs: colour-blind-safe colours, a theme without colour, and signs that do without Unicode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.theme import Theme

from rotator.model.verdicts import Verdict

#: Okabe and Ito's palette: told apart by people with any of the common colour deficiencies.
DARK = Theme(
    name="rotator-dark",
    primary="#56B4E9",
    secondary="#009E73",
    accent="#E69F00",
    warning="#E69F00",
    error="#FF8A5C",
    success="#56B4E9",
    foreground="#E4E4E4",
    background="#121212",
    surface="#1B1B1B",
    panel="#262626",
    dark=True,
    variables={
        "status-ok": "#6CBEF2",
        "status-breaks": "#FF8A5C",
        "status-exposed": "#F2B632",
        "status-unpinned": "#B0B0B0",
        "status-lost": "#FFD9A8",
        "quiet": "#A8A8A8",
    },
)
LIGHT = Theme(
    name="rotator-light",
    primary="#005B94",
    secondary="#00664B",
    accent="#8A4B00",
    warning="#8A4B00",
    error="#A83200",
    success="#005B94",
    foreground="#1A1A1A",
    background="#FAFAFA",
    surface="#F2F2F2",
    panel="#E6E6E6",
    dark=False,
    variables={
        "status-ok": "#005B94",
        "status-breaks": "#A83200",
        "status-exposed": "#7A4A00",
        "status-unpinned": "#555555",
        "status-lost": "#7A0000",
        "quiet": "#555555",
    },
)
#: For NO_COLOR: one grey scale, the signs and bold, reverse and underline carry the meaning.
MONO = Theme(
    name="rotator-mono",
    primary="#FFFFFF",
    secondary="#FFFFFF",
    accent="#FFFFFF",
    warning="#FFFFFF",
    error="#FFFFFF",
    success="#FFFFFF",
    foreground="#FFFFFF",
    background="#000000",
    surface="#000000",
    panel="#303030",
    dark=True,
    variables={
        "status-ok": "#FFFFFF",
        "status-breaks": "#FFFFFF",
        "status-exposed": "#FFFFFF",
        "status-unpinned": "#D0D0D0",
        "status-lost": "#FFFFFF",
        "quiet": "#D0D0D0",
    },
)
THEMES = (DARK, LIGHT, MONO)
#: What every theme has; a theme of Textual's own gets these.
DEFAULTS: Mapping[str, str] = DARK.variables


SIGN_SETS = ("auto", "unicode", "ascii")


class PlainBars(ScrollBarRender):
    """Scroll bars of whole cells of colour: the library's own end in block characters, which are not ASCII."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


def use_bars(*, ascii_only: bool) -> None:
    """Choose how scroll bars are drawn; the library keeps that for the whole process."""
    ScrollBar.renderer = PlainBars if ascii_only else ScrollBarRender


class Signs:
    """The signs of a terminal."""

    def __init__(self, *, ascii_only: bool) -> None:
        """Choose the set."""
        self.ascii_only = ascii_only
        self.left, self.right = ("<", ">") if ascii_only else ("◂", "▸")
        self.cursor = ">" if ascii_only else "▸"
        self.dot = "-" if ascii_only else "·"

    def verdict(self, verdict: Verdict) -> str:
        """Give the sign of a verdict."""
        return verdict.ascii_glyph if self.ascii_only else verdict.glyph

    def text(self, text: str) -> str:
        """Give a text as this terminal can show it: nothing it would obey, and ASCII where it must be."""
        from rotator.errors import printable
        from rotator.report.text import to_ascii

        shown = printable(text)
        return to_ascii(shown) if self.ascii_only else shown

    def text_lines(self, text: str) -> str:
        """Give a text of several lines as this terminal can show it."""
        return "\n".join(map(self.text, text.split("\n")))


def ascii_wanted(signs: str, environ: Mapping[str, str]) -> bool:
    """Say whether a terminal is to be shown nothing but ASCII.

    Args:
        signs: `auto`, `unicode` or `ascii`, as the person set it.
        environ: the environment; its locale and TERM decide where it is left to us.
    """
    if signs != "auto":
        return signs == "ascii"
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    plain = locale in ("C", "POSIX") or (bool(locale) and "utf" not in locale.casefold().replace("-", ""))
    return environ.get("TERM") == "linux" or plain
