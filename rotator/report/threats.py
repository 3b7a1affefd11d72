"""The grid of threats against kinds of pins: as JSON for programs, as a document for people."""

from __future__ import annotations

from rotator.model.when import iso, show
from rotator.report.document import Block, Bullets, Document, Facts, Heading, Json, Paragraph, Table
from rotator.simulate.grid import Cell, Kind, Outcome, Threat, Threats
from rotator.simulate.inventory import Inventory

SCHEMA = 1
SIGNS = {
    Outcome.PROTECTED: "✓P",
    Outcome.WORKS: "✓W",
    Outcome.EXPOSED: "▲E",
    Outcome.BROKEN: "✗B",
    Outcome.LOST: "✖L",
}
LEGEND = "P protected, W works, E exposed, B broken, L both; ? where nobody can know, the worse shown"


def to_json(grid: Threats, inventory: Inventory) -> Json:
    """Give a grid as plain JSON values; see `docs/threats.schema.json`."""
    return {
        "schema": SCHEMA,
        "policy": {"name": inventory.policy.name, "sha256": inventory.digest},
        "host": grid.host,
        "at": iso(grid.at),
        "mechanism": grid.mechanism,
        "trust": grid.trust,
        "path": list(grid.path),
        "pins": [{"id": kind.id, "label": kind.label, "of": list(kind.names)} for kind in grid.kinds],
        "threats": [_row_json(row) for row in grid.rows],
    }


def _row_json(row: Threat) -> Json:
    return {
        "id": row.id,
        "label": row.label,
        "maintenance": row.maintenance,
        "events": list(row.events),
        "cells": [
            {"pins": cell.kind, "outcome": str(cell.outcome), "unsure": cell.unsure, "why": cell.why}
            for cell in row.cells
        ],
    }


def to_document(grid: Threats, inventory: Inventory) -> Document:
    """Write a grid for people: threats, then maintenance, then what stands behind it."""
    threats = [row for row in grid.rows if not row.maintenance]
    upkeep = [row for row in grid.rows if row.maintenance]
    blocks: list[Block] = [
        *(Paragraph(text, strong=True) for text in headlines(grid)),
        Facts(
            (
                ("client", f"{grid.mechanism}, trusting {grid.trust}"),
                ("path", " > ".join(grid.path)),
                ("signs", LEGEND),
            )
        ),
        Heading("threats: who is accepted in our place"),
        _table(grid, threats),
        Heading("ordinary maintenance: who still works"),
        _table(grid, upkeep),
        Heading("the columns"),
        Bullets(tuple(_column(kind) for kind in grid.kinds)),
        Heading("what this stands on"),
        Bullets(
            (
                "each cell is an answer of `rotator simulate` for one client with these pins and all that is served",
                f"policy {inventory.policy.name}, sha256 {inventory.digest}",
            )
        ),
    ]
    return Document(f"{inventory.policy.name}: what pins do for {grid.host}, at {show(grid.at)}", tuple(blocks))


def headlines(grid: Threats) -> list[str]:
    """Say what protects best, and what it costs."""
    threats = [row for row in grid.rows if not row.maintenance]
    upkeep = [row for row in grid.rows if row.maintenance]

    def count(rows: list[Threat], number: int, *outcomes: Outcome) -> int:
        return sum(row.cells[number].outcome in outcomes for row in rows)

    bad = (Outcome.EXPOSED, Outcome.LOST)
    broken = (Outcome.BROKEN, Outcome.LOST)
    working = [n for n, cell in enumerate(upkeep[0].cells) if cell.outcome not in broken] or [0]
    best = min(working, key=lambda n: (count(threats, n, *bad), count(upkeep, n, *broken)))
    kind = grid.kinds[best]
    left, kept = count(threats, 0, *bad), count(threats, best, *bad)
    said = f"Of {len(threats)} threats, nothing pinned leaves {left} open and {kind.label} {kept}; "
    return [said + f"of {len(upkeep)} kinds of maintenance that breaks {count(upkeep, best, *broken)}."]


def _table(grid: Threats, rows: list[Threat]) -> Table:
    return Table(
        ("", *(kind.short for kind in grid.kinds)),
        tuple((row.label, *(sign(cell) for cell in row.cells)) for row in rows),
    )


def sign(cell: Cell) -> str:
    """Give the sign and the letter of a cell."""
    return SIGNS[cell.outcome] + ("?" if cell.unsure else "")


def _column(kind: Kind) -> str:
    return f"{kind.short}: {kind.label}" + (f" ({', '.join(kind.names)})" if kind.names else "")
