"""Documents as plain text for terminals, pipes and screen readers."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Container, Sequence
from functools import lru_cache

from rotator.errors import printable
from rotator.report.document import Block, Bullets, Code, Document, Facts, Heading, Paragraph, Table

LEAST, LEAST_WORDS = 20, 12
"""Cells that the wide column of a table keeps, and any other column or text that is wrapped."""
_ASCII = str.maketrans(
    {"✓": "+", "✗": "x", "▲": "!", "○": "-", "✖": "X", "\u2013": "-", "\u2014": "-", "…": "...", "·": "."}
)


def render(document: Document, *, width: int = 80, ascii_only: bool = False) -> str:
    """Write a document as text of at most `width` columns; nothing in it can drive a terminal."""
    lines = [*wrap(document.title, width), ""]
    for block in document.blocks:
        lines += [line.rstrip() for line in _block(block, width)]
        lines.append("")
    text = "\n".join(lines).rstrip("\n") + "\n"
    return to_ascii(text) if ascii_only else text


def to_ascii(text: str) -> str:
    """Replace everything that is not ASCII by what comes nearest, else by its escape."""
    text = text.translate(_ASCII)
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(char for char in plain if not unicodedata.combining(char))
    return kept.encode("ascii", "backslashreplace").decode("ascii")


def wrap(text: str, width: int, indent: str = "", first: str | None = None) -> list[str]:
    """Break a text into lines."""
    return textwrap.wrap(
        printable(text),
        max(width, LEAST_WORDS),
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=True,
        break_on_hyphens=False,
    ) or [""]


def _block(block: Block, width: int) -> list[str]:
    match block:
        case Heading(text):
            return [printable(text).upper()]
        case Paragraph(text):
            return wrap(text, width)
        case Bullets(items):
            return [line for item in items for line in wrap(item, width, "    ", "  - ")]
        case Facts(pairs):
            room = max((cells(label) for label, _ in pairs), default=0) + 4
            return [
                line
                for label, value in pairs
                for line in wrap(value, width, " " * room, pad(f"  {printable(label)}", room))
            ]
        case Code(lines):
            return [printable(line.expandtabs(4)) for line in lines]
        case Table():
            return table(block, width)


def table(block: Table, width: int) -> list[str]:
    """Set a table: columns as wide as they need, the wide one wrapped into what is left.

    Where that leaves it too little, the widest of the other columns of words are wrapped too.
    """
    rows = [tuple(printable(cell) for cell in row) for row in block.rows]
    widths = [max([cells(name), *(cells(row[i]) for row in rows)]) for i, name in enumerate(block.columns)]
    wrapped: set[int] = set()
    if block.wide:
        wide = block.columns.index(block.wide)
        wrapped.add(wide)
        need, widths[wide] = widths[wide], min(widths[wide], LEAST)
        over = sum(widths) + 2 * len(widths) - width
        words = [n for n, name in enumerate(block.columns) if n != wide and name not in block.right]
        for column in sorted(words, key=lambda n: -widths[n]):
            if over > 0 and widths[column] > LEAST_WORDS:
                cut = min(over, widths[column] - LEAST_WORDS)
                widths[column] -= cut
                over -= cut
                wrapped.add(column)
        widths[wide] = max(widths[wide], min(need, widths[wide] - over))
    header = [name.upper() for name in block.columns]
    return [line for row in (header, *rows) for line in _row(row, block, widths, wrapped)]


def _row(row: Sequence[str], block: Table, widths: list[int], wrapped: Container[int]) -> list[str]:
    parts = [wrap(cell, widths[i]) if i in wrapped else [cell] for i, cell in enumerate(row)]
    lines = []
    for depth in range(max(len(part) for part in parts)):
        shown = []
        for i, part in enumerate(parts):
            cell = part[depth] if depth < len(part) else ""
            shown.append(pad(cell, widths[i], right=block.columns[i] in block.right))
        lines.append("  " + "  ".join(shown))
    return lines


def cells(text: str) -> int:
    """Give the number of terminal cells a text takes."""
    return len(text) if text.isascii() else _cells(text)


@lru_cache(maxsize=4096)
def _cells(text: str) -> int:
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Fill a text up to a number of cells."""
    space = " " * max(0, width - cells(text))
    return space + text if right else text + space
