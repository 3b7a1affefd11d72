"""A document as a value: what a report says and in which order; renderers only give it a form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences; `strong` ones are the answer itself."""

    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and what belongs to them."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to be shown as they are, such as a difference."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `right` names the columns that hold numbers, `wide` the one that takes the width left over."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[str, ...] = ()
    wide: str = ""


Block: TypeAlias = Heading | Paragraph | Facts | Bullets | Code | Table
_KINDS: dict[str, type[Block]] = {
    "heading": Heading,
    "paragraph": Paragraph,
    "facts": Facts,
    "bullets": Bullets,
    "code": Code,
    "table": Table,
}


@dataclass(frozen=True, slots=True)
class Document:
    """A title and blocks."""

    title: str
    blocks: tuple[Block, ...]

    def to_json(self) -> Json:
        """Give the document as plain JSON values."""
        return {"title": self.title, "blocks": [_block_json(block) for block in self.blocks]}


def from_json(data: Any) -> Document:  # noqa: ANN401 - what a JSON file holds
    """Read a document back.

    Raises:
        ValueError: it is not one.
    """
    try:
        blocks = tuple(_block(entry) for entry in data["blocks"])
        return Document(str(data["title"]), blocks)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a document: {error}") from None


def _block_json(block: Block) -> Json:
    kind = next(name for name, cls in _KINDS.items() if isinstance(block, cls))
    return {"kind": kind, **{name: getattr(block, name) for name in block.__slots__}}


def _block(entry: Any) -> Block:  # noqa: ANN401 - what a JSON file holds
    values = {name: _tuples(value) for name, value in entry.items() if name != "kind"}
    made: Block = _KINDS[entry["kind"]](**values)
    return made


def _tuples(value: Any) -> Any:  # noqa: ANN401 - what a JSON file holds
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def number(value: float | None, *, exact: bool = False) -> str:
    """Show a count, rounded to four digits unless `exact`; `?` when it is not known."""
    if value is None:
        return "?"
    if exact or abs(value) < 10_000:
        return f"{value:,.0f}"
    digits = len(str(int(abs(value)))) - 4
    return f"{round(value, -digits):,.0f}"


def percent(share: float | None) -> str:
    """Show a share of people: one decimal, no more than the data bear; never 0 or 100 when it is not."""
    if share is None:
        return "?"
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    if share < 0.001:
        return "<0.1 %"
    if share > 0.999:
        return ">99.9 %"
    return f"{100 * share:.1f} %"


def span(low: int | None, high: int | None) -> str:
    """Show a count with its range."""
    if low is None or high is None:
        return "unknown"
    ends = number(low), number(high)
    return ends[1] if ends[0] == ends[1] else "-".join(ends)


def compact(low: int, high: int) -> str:
    """Show a count with its range in a few cells, as in `864-914 k` or `3.07 M`."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if high >= 10 * size or (size > 1_000 and high >= size):
            ends = [
                f"{value / size:.{2 if value < 10 * size else 1 if value < 100 * size else 0}f}"
                for value in (low, high)
            ]
            if all(end.endswith(".0") for end in ends):
                ends = [end[:-2] for end in ends]
            return f"{ends[1]} {unit}" if ends[0] == ends[1] else f"{ends[0]}-{ends[1]} {unit}"
    return f"{high:,}" if low == high else f"{low:,}-{high:,}"
