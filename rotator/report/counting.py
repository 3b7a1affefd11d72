"""What files of counts say and what becomes of it: as JSON, and for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rotator.model.counting import Reading
from rotator.model.names import some
from rotator.model.policy import Count
from rotator.report.document import Block, Code, Document, Facts, Heading, Json, Paragraph, Table, number, percent
from rotator.report.document import span as shown_range
from rotator.simulate.census import AppCensus
from rotator.simulate.cohorts import UNSEEN
from rotator.simulate.spreading import Clients, whole

MOST_UNKNOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class LastImport:
    """What was imported before this: the day, and the clients by version."""

    day: date
    clients: Mapping[str, Count]


def to_json(app: AppCensus, last: LastImport | None) -> Json:
    """Give the count of one app as plain JSON values."""
    return {
        "app": app.app,
        "source": app.source,
        "unit": app.unit,
        "basis": app.basis,
        "spread": app.spread,
        "date": None if app.day is None else app.day.isoformat(),
        "opt_in": None if app.opt_in is None else {"low": app.opt_in[0], "high": app.opt_in[1]},
        "before": count_json(app.before),
        "after": count_json(app.after),
        "releases": [
            {
                "version": row.version,
                "before": clients_json(row.before),
                "after": clients_json(row.after),
                "in_file": row.seen,
                "to_come": row.later,
            }
            for row in app.releases
        ],
        "unseen": {"before": count_json(app.unseen[0]), "after": count_json(app.unseen[1])},
        "unknown": [
            {"version": label, **(count_json(count) or {}), "meant": meant or None}
            for label, count, meant in app.unknown
        ],
        "stuck": {"clients": count_json(app.stuck), "why": app.stuck_for},
        "files": [reading_json(reading, used=True) for reading in app.readings]
        + [reading_json(reading, used=False) for reading in app.unused],
        "last_import": None
        if last is None
        else {
            "date": last.day.isoformat(),
            "clients": sum(count.high for count in last.clients.values()),
            "new": [v for v in _versions(app) if v not in last.clients],
            "gone": [v for v in last.clients if v not in _versions(app)],
        },
        "notes": list(app.notes),
    }


def count_json(count: Count | None) -> Json | None:
    """Give a count with its range."""
    return None if count is None else {"clients": count.high, "low": count.low, "high": count.high}


def clients_json(clients: Clients | None) -> Json | None:
    """Give a count, with the parts by trust store where there are any."""
    if clients is None:
        return None
    found = count_json(whole(clients)) or {}
    if isinstance(clients, Count):
        return found
    return {**found, "by_trust": {name: count_json(count) for name, count in clients.items()}}


def reading_json(reading: Reading, *, used: bool) -> Json:
    """Give what one file says."""
    return {
        "file": reading.file,
        "kind": reading.kind,
        "recognised_as": reading.title,
        "app": reading.app or None,
        "unit": reading.unit or None,
        "date": None if reading.day is None else reading.day.isoformat(),
        "rows": reading.rows,
        "read": reading.read,
        "used": reading.used,
        "total": reading.total,
        "in_use": used,
        "dropped": [{"reason": d.reason, "rows": d.rows, "clients": d.clients} for d in reading.dropped],
        "notes": list(reading.notes),
    }


def to_document(
    name: str,
    apps: Sequence[AppCensus],
    last: Mapping[str, LastImport],
    refused: Sequence[str],
    diffs: Sequence[tuple[str, Sequence[str]]],
) -> Document:
    """Write an import for people: the answer, each file, each app, and the difference in the files."""
    blocks: list[Block] = [Paragraph(text, strong=True) for text in refused]
    blocks += [Paragraph(_headline(app), strong=True) for app in apps]
    for app in apps:
        for reading in (*app.readings, *app.unused):
            blocks += [Heading(reading.file), Facts(tuple(_facts(reading, app)))]
        blocks += list(_app(app, last.get(app.app)))
    if not diffs and not refused:
        blocks.append(Paragraph("Nothing changes.", strong=True))
    for path, lines in diffs:
        blocks += [Heading(path), Code(tuple(lines))]
    return Document(f"{name}: users", tuple(blocks))


def read_lines(apps: Sequence[AppCensus]) -> list[str]:
    """Say in a line for each app, and for each of its files, what was taken and what was not."""
    lines = []
    for app in apps:
        lines.append(_headline(app))
        for reading in app.readings:
            left = "".join(f"; dropped {d.clients:,}: {d.reason}" for d in reading.dropped)
            lines.append(f"{reading.file}: {reading.title}, {reading.used:,} clients{left}")
    return lines


def codes_to_say(apps: Sequence[AppCensus]) -> str:
    """Write the options that would say which version each unknown code is, the largest first."""
    unknown = [(label, meant) for app in apps for label, _, meant in app.unknown if label.isdigit()]
    return " ".join(f"--builds {meant or 'VERSION'}={label}" for label, meant in unknown[:MOST_UNKNOWN])


def _is_meant(app: AppCensus) -> bool:
    """Say whether any version of its files is a release of the policy."""
    return any(row.seen for row in app.releases)


def _headline(app: AppCensus) -> str:
    if not _is_meant(app):
        return f"{app.app}: no version of its files is a release of the policy."
    before, after = _many(app.before), _many(app.after)
    what = f"{after} {app.unit or 'clients'}, {app.basis}"
    if app.opt_in is not None:
        low, high = (round(100 * share) for share in app.opt_in)
        what += f" from {low} %" if low == high else f" from {low}-{high} %"
    day = f" on {app.day}" if app.day else ""
    return f"{app.app}: {what}{day}; before: {before}."


def _many(count: Count | None) -> str:
    return "unknown" if count is None else shown_range(count.low, count.high)


def _facts(reading: Reading, app: AppCensus) -> list[tuple[str, str]]:
    rows = f"{reading.rows:,} read"
    if reading.tallies:
        rows += f", {len(reading.tallies):,} counts used with {reading.used:,} clients"
    pairs = [
        ("recognised as", reading.title + (f", {reading.app}" if reading.app else "")),
        ("not used", "an older file, or the same again" if reading in app.unused else ""),
        ("unit", reading.unit or "not said"),
        ("day", str(reading.day) if reading.day else "not said"),
        ("rows", rows),
        *(("dropped", f"{d.rows:,} with {d.clients:,} clients: {d.reason}") for d in reading.dropped),
        ("whole app", "" if reading.total is None else f"{reading.total:,}"),
        *(("note", note) for note in reading.notes),
    ]
    return [(label, text) for label, text in pairs if text]


def _app(app: AppCensus, last: LastImport | None) -> Iterator[Block]:
    after = app.after
    rows = []
    for row in app.releases:
        now = None if row.after is None else whole(row.after)
        share = percent(now.high / after.high) if now is not None and after is not None and after.high else "?"
        said = "" if row.seen else "to come" if row.later else "not in the file"
        before = None if row.before is None else whole(row.before)
        rows.append((row.version, _cell(before), _cell(now), share, said))
    if app.unseen != (None, None):
        share = percent(app.unseen[1].high / after.high) if app.unseen[1] and after is not None and after.high else "?"
        rows.append((UNSEEN, _cell(app.unseen[0]), _cell(app.unseen[1]), share, "counted as the worst release"))
    table = Table(("version", "before", "now", "share", ""), tuple(rows), right=("before", "now", "share"))
    yield Heading(app.app)
    if _is_meant(app):
        yield table
        yield _app_facts(app, last)
    if app.unknown:
        yield Paragraph(
            f"{len(app.unknown)} version{'' if len(app.unknown) == 1 else 's'} of the file with "
            f"{_many(app.lost)} clients are no release of the policy."
        )
        yield Table(
            ("version", "clients", "do"),
            tuple((label, _cell(count), _do(label, meant)) for label, count, meant in app.unknown[:MOST_UNKNOWN]),
            right=("clients",),
        )
        if len(app.unknown) > MOST_UNKNOWN:
            yield Paragraph(f"And {len(app.unknown) - MOST_UNKNOWN} more: --json lists all.")


def _app_facts(app: AppCensus, last: LastImport | None) -> Facts:
    facts = [("stuck", f"{number(app.stuck.high)} cannot update: {app.stuck_for}" if app.stuck else app.stuck_for)]
    if app.stuck is None:
        facts = [("stuck", f"unknown: {app.stuck_for}")]
    if last is not None:
        total = sum(count.high for count in last.clients.values())
        fresh = [v for v in _versions(app) if v not in last.clients]
        gone = [v for v in last.clients if v not in _versions(app)]
        text = f"{last.day}, {number(total)} clients"
        text += f"; new: {some(fresh)}" if fresh else ""
        text += f"; gone: {some(gone)}" if gone else ""
        facts.append(("last import", text))
    facts += [("note", note) for note in app.notes]
    return Facts(tuple(facts))


def _cell(count: Count | None) -> str:
    if count is None:
        return "?"
    return f"{count.high:,}" if count.exact else f"{number(count.low)}-{number(count.high)}"


def _do(label: str, meant: str) -> str:
    if meant:
        return f"the code of {meant}? --builds {meant}={label}"
    if label.isdigit():
        return f"which version is it? --builds VERSION={label}"
    return "add the release with what it pins"


def _versions(app: AppCensus) -> list[str]:
    return list(dict.fromkeys(row.version for row in app.table))
