"""Documents as Markdown for pull requests; everything in them is data, never markup."""

from __future__ import annotations

import re

from rotator.errors import printable
from rotator.report.document import Block, Bullets, Code, Document, Facts, Heading, Paragraph, Table

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~&@])")


def render(document: Document) -> str:
    """Write a document as GitHub-flavoured Markdown."""
    parts = [f"# {escape(document.title)}"]
    parts += ["\n".join(_block(block)) for block in document.blocks]
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Make a text show as itself."""
    return _SPECIAL.sub(r"\\\1", printable(text))


def _block(block: Block) -> list[str]:
    match block:
        case Heading(text):
            return [f"## {escape(text)}"]
        case Paragraph(text, strong):
            return [f"**{escape(text)}**" if strong else escape(text)]
        case Bullets(items):
            return [f"- {escape(item)}" for item in items]
        case Facts(pairs):
            return [f"- **{escape(label)}**: {escape(value)}" for label, value in pairs]
        case Code(lines):
            fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", "\n".join(lines)) or [""]))
            return [fence, *(printable(line.expandtabs(4)) for line in lines), fence]
        case Table(columns, rows, right, _):
            rule = ["---:" if column in right else "---" for column in columns]
            table = [list(map(escape, columns)), rule, *(list(map(escape, row)) for row in rows)]
            return ["| " + " | ".join(line) + " |" for line in table]
