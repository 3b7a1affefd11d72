"""What a record says of a policy: as JSON, and for people."""

from __future__ import annotations

from rotator.model.names import some
from rotator.model.when import iso, show
from rotator.report.document import Block, Document, Facts, Heading, Json, Paragraph, Table, number, percent
from rotator.report.simulation import total_json
from rotator.simulate.backtest import Backtest, Break, Survival
from rotator.simulate.inventory import Inventory
from rotator.simulate.totals import Total

WHEN = "matched nothing"


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
        "survival": [{"host": s.host, "pin": s.what, **_gaps(s)} for s in result.survival],
        "pinsets": [{"host": s.host, "pinset": s.what, **_gaps(s)} for s in result.pinsets],
    }


def _gaps(found: Survival) -> Json:
    return {
        "pins": found.pins,
        "broke": None if found.broke is None else iso(found.broke),
        "date": None if found.broke is None else found.broke.date().isoformat(),
        "snapshots": found.seen,
        "held": found.held,
        "broken": [
            {
                "from": iso(gap.begin),
                "to": None if gap.end is None else iso(gap.end),
                "snapshots": gap.snapshots,
            }
            for gap in found.gaps
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
                    ("hosts", some(hosts, 6)),
                    ("of this policy", some(covered, 6) or "none: only the kinds of pins are judged"),
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
    if result.pinsets:
        blocks += [
            Heading("each pinset, whoever carries it"),
            Table(("host", "pinset", "held", "matched nothing"), tuple(map(_survival, result.pinsets)), wide=WHEN),
        ]
    blocks += [
        Heading("each kind of pin, made from the first chain"),
        Table(("host", "pin on", "held", "matched nothing"), tuple(map(_survival, result.survival)), wide=WHEN),
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
        some([cohort.name for cohort in found.cohorts], 3),
        found.reason + changed,
    )


def _clients(total: Total) -> str:
    return "?" if total.high is None else f"{number(total.high)} ({percent(total.share)})"


def _survival(found: Survival) -> tuple[str, ...]:
    what = f"{found.what} ({found.pins})" if found.pins > 1 else found.what
    spans = [
        f"{gap.begin.date()} to {gap.end.date()}" if gap.end else f"from {gap.begin.date()} on" for gap in found.gaps
    ]
    return found.host, what, f"{found.held} of {found.seen}", ", ".join(spans) or "never"
