"""Pins found in code, shown for somebody to confirm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rotator.model.names import some
from rotator.report.document import Block, Bullets, Document, Paragraph


def to_document(found: Sequence[Mapping[str, Any]]) -> Document:
    """Write candidates, as `new --json` gives them: where, for which host, and every pin."""
    blocks: list[Block] = [
        Paragraph("Code is not understood, only its texts are read. Compare each with the code before you take it.")
    ]
    for one in found:
        host = one["host"] or f"no host is written there ({one['name'] or 'nothing stands in its place'})"
        below = ", and the names below it" if one["subdomains"] else ""
        where = f"{one['path']} line {one['line']}, in {some(one['versions'])}"
        blocks += [Paragraph(f"{where}: for {host}{below}:"), Bullets(tuple(one["pins"]))]
    return Document(f"pins in code: {len(found)} to confirm", tuple(blocks))
