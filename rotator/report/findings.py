"""Findings and calendar for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rotator.model.findings import Finding
from rotator.report.document import Block, Document, Facts, Heading, Paragraph, Table


def to_document(
    name: str,
    findings: Sequence[Finding],
    dates: Iterable[tuple[str, str]],
    known: frozenset[tuple[str, str]] = frozenset(),
) -> Document:
    """Write findings, worst first, then the dates ahead; those known before are marked."""
    rows = []
    for finding in findings:
        text = finding.message + (f". {finding.hint}" if finding.hint else "")
        if (finding.id, finding.subject) in known:
            text += " (known)"
        rows.append((str(finding.severity), finding.id, f"{finding.subject}: {text}"))
    counts = {s: sum(1 for f in findings if f.severity == s) for s in ("error", "warning", "info")}
    shown = ", ".join(f"{n} {s}{'' if n == 1 or s == 'info' else 's'}" for s, n in counts.items())
    blocks: list[Block] = [Paragraph(shown, strong=True)]
    if rows:
        blocks.append(Table(("severity", "id", "what"), tuple(rows), wide="what"))
    pairs = tuple(dates)
    if pairs:
        blocks += [Heading("calendar"), Facts(pairs)]
    return Document(f"{name}: {len(findings)} finding{'' if len(findings) == 1 else 's'}", tuple(blocks))
