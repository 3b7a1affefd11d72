"""A small XML tree that knows where in the file each element stands.

Expat with entity declarations refused: nothing expands, nothing is fetched (see `docs/decisions/0002-xml.md`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from rotator.errors import InputError, Problem

MAX_DEPTH = 64
MAX_NODES = 200_000


@dataclass(slots=True, eq=False)
class Node:
    """One element.

    Attributes:
        tag: its name, namespace prefix included.
        attributes: by name, in order.
        text: the characters directly inside, up to the first child element.
        whole_text: all characters directly inside.
        children: the elements directly inside.
        line: 1-based line of its start tag.
        start, end: bytes of the file from `<` of its start tag to past `>` of its end tag.
        inner_start, inner_end: bytes between its start tag and its end tag.
    """

    tag: str
    attributes: dict[str, str]
    line: int
    start: int
    text: str = ""
    whole_text: str = ""
    children: list[Node] = field(default_factory=list)
    inner_start: int = 0
    inner_end: int = 0
    end: int = 0

    def all(self, tag: str) -> Iterator[Node]:
        """Give the children of a name."""
        return (child for child in self.children if child.tag == tag)


def parse(data: bytes, what: str) -> Node:
    """Parse XML into a tree.

    Args:
        data: the file.
        what: what the file should be, for the message.

    Raises:
        InputError: it is not well-formed, declares entities, or is nested absurdly deep.
    """
    builder = _Builder(data)
    try:
        builder.parser.Parse(data, True)  # noqa: FBT003 - the parser takes it by position
    except expat.ExpatError as error:
        message = expat.ErrorString(error.code)
        raise InputError(Problem(f"is not well-formed XML: {message} (line {error.lineno})", expected=what)) from None
    except (ValueError, LookupError) as error:
        raise InputError(Problem(f"is not readable as XML: {error}", expected=what)) from None
    if builder.root is None:
        raise InputError(Problem("is empty", expected=what))
    return builder.root


class _Builder:
    """Collects expat's events."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.root: Node | None = None
        self.stack: list[Node] = []
        self.nodes = 0
        self.parser = expat.ParserCreate()
        self.parser.ordered_attributes = True
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.EntityDeclHandler = self._entity
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def _entity(self, *_: object) -> None:
        raise InputError(Problem("declares XML entities", expected="a file without entity declarations"))

    def _start(self, tag: str, attributes: list[str]) -> None:
        self.nodes += 1
        if len(self.stack) >= MAX_DEPTH or self.nodes > MAX_NODES:
            raise InputError(Problem("is nested too deep or too large", expected=f"at most {MAX_DEPTH} levels"))
        node = Node(
            tag,
            dict(zip(attributes[::2], attributes[1::2], strict=True)),
            self.parser.CurrentLineNumber,
            self.parser.CurrentByteIndex,
        )
        node.inner_start = self._after_tag(node.start)
        if self.stack:
            self.stack[-1].children.append(node)
        else:
            self.root = node
        self.stack.append(node)

    def _end(self, _tag: str) -> None:
        node = self.stack.pop()
        at = self.parser.CurrentByteIndex
        if self.data[node.inner_start - 2 : node.inner_start] == b"/>":
            node.inner_end = node.end = node.inner_start
        else:
            node.inner_end = at
            node.end = self._after_tag(at)

    def _characters(self, text: str) -> None:
        node = self.stack[-1]
        node.whole_text += text
        if not node.children:
            node.text += text

    def _after_tag(self, start: int) -> int:
        """Find the byte past the `>` that closes the tag at `start`, quotes respected."""
        quote = 0
        for index in range(start, len(self.data)):
            byte = self.data[index]
            if quote:
                quote = 0 if byte == quote else quote
            elif byte in (0x22, 0x27):
                quote = byte
            elif byte == 0x3E:
                return index + 1
        return len(self.data)


def escape(text: str) -> str:
    """Escape a text for an element or a double-quoted attribute."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
