"""What a record says of a policy: as JSON, and for people."""

from __future__ import annotations

from rotator.model.when import iso, show
from rotator.report.document import Block, Document, Facts, Heading, Json, Paragraph, Table, join, number, percent
from rotator.report.simulation import total_json
from rotator.simulate.backtest import Backtest, Break, Survival
from rotator.simulate.inventory import Inventory
from rotator.simulate.totals import Total


def to_json(result: Backtest, inventory: Inventory) -> Json:
    """Give a backtest as plain JSON values."""
    return {
        "schema": 1,
        "policy": {"name": inventory.policy.name, "sha256": inventory.digest},
        "snapshots": len(result.snapshots),
        "hosts": sorted({s.host for s in result.snapshots}),
        "breaks": [
            {
                "at": iso(b.at),
                "date": b.at.date().isoformat(),
                "host": b.host,
                "cohorts": [{"app": c.app, "version": c.version, "trust": c.trust} for c in b.cohorts],
                "reason": b.reason,
                "changed": [str(level) for level in b.changed],
                **total_json(b.total),
            }
            for b in result.breaks
        ],
        "survival": [
            {
                "host": s.host,
                "pin": str(s.level),
                "broke": None if s.broke is None else iso(s.broke),
                "date": None if s.broke is None else s.broke.date().isoformat(),
                "snapshots": s.seen,
                "held": s.held,
            }
            for s in result.survival
        ],
    }


def to_document(result: Backtest, inventory: Inventory) -> Document:
    """Write a backtest for people: whether the pinsets would have broken, then each kind of pin."""
    first = min((s.at for s in result.snapshots), default=None)
    last = max((s.at for s in result.snapshots), default=None)
    blocks: list[Block] = [Paragraph(_headline(result), strong=True)]
    if first is not None and last is not None:
        hosts = sorted({s.host for s in result.snapshots})
        covered = [h for h in hosts if inventory.policy.host_label(h) is not None]
        blocks.append(
            Facts(
                (
                    ("record", f"{len(result.snapshots)} snapshots from {show(first)[:10]} to {show(last)[:10]}"),
                    ("hosts", join(hosts, 6)),
                    ("of this policy", join(covered, 6) or "none: only the kinds of pins are judged"),
                )
            )
        )
    if result.breaks:
        blocks += [
            Heading("the pinsets of this policy"),
            Table(
                ("day", "host", "clients", "whom", "why"),
                tuple(_break(b) for b in result.breaks),
                right=("clients",),
                wide="whom",
            ),
        ]
    blocks += [
        Heading("each kind of pin, made from the first chain"),
        Table(("host", "pin on", "held", "first broke"), tuple(_survival(s) for s in result.survival)),
    ]
    return Document(f"{inventory.policy.name}: backtest", tuple(blocks))


def _headline(result: Backtest) -> str:
    if not result.breaks:
        return "No snapshot of the record would have broken anybody."
    days = sorted({b.at.date() for b in result.breaks})
    return f"{len(days)} day{'' if len(days) == 1 else 's'} of the record would have broken clients, first {days[0]}."


def _break(found: Break) -> tuple[str, ...]:
    changed = f", {' and '.join(found.changed)} changed" if found.changed else ""
    return (
        found.at.date().isoformat(),
        found.host,
        _clients(found.total),
        join([cohort.name for cohort in found.cohorts], 3),
        found.reason + changed,
    )


def _clients(total: Total) -> str:
    return "?" if total.high is None else f"{number(total.high)} ({percent(total.share)})"


def _survival(found: Survival) -> tuple[str, ...]:
    broke = "never" if found.broke is None else found.broke.date().isoformat()
    return found.host, str(found.level), f"{found.held} of {found.seen}", broke
