"""What an answer says: as JSON for programs, as a document for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rotator.model.names import some
from rotator.model.policy import Count
from rotator.model.verdicts import Reason, Verdict
from rotator.model.when import iso, show
from rotator.report import because as said
from rotator.report.document import (
    Block,
    Bullets,
    Document,
    Facts,
    Heading,
    Json,
    Paragraph,
    Table,
    number,
    percent,
    span,
)
from rotator.simulate.because import in_short as explained
from rotator.simulate.explain import kept_keys, last_end, why
from rotator.simulate.impact import Row
from rotator.simulate.odds import Odds
from rotator.simulate.question import Answer, Day
from rotator.simulate.totals import Total

SCHEMA = 1
MOST_ROWS = 60
"""Rows a document shows; the others are counted. JSON has all of them."""


def to_json(answer: Answer, *, rows: bool = True) -> Json:
    """Give an answer as plain JSON values; see `docs/simulate.schema.json`."""
    impact, fleet = answer.impact, answer.fleet
    first = answer.first_break
    whole = fleet.population
    data: Json = {
        "schema": SCHEMA,
        "policy": {"name": answer.inventory.policy.name, "sha256": answer.inventory.digest},
        "events": [o.text for o in answer.question.occurrences],
        "at": iso(impact.at),
        "population": None if whole is None else whole.high,
        "ok": total_json(impact.ok),
        "unpinned": total_json(impact.unpinned),
        "broken": total_json(impact.broken),
        "exposed": total_json(impact.exposed),
        "lost": total_json(impact.lost),
        "first_break": None
        if first is None
        else {
            "at": iso(first.at),
            "app": first.row.connection.cohort.app,
            "version": first.row.connection.cohort.version,
            "host": first.row.connection.host,
        },
        "because": {
            "notes": list(answer.notes),
            **{name: said.in_short(found) for name, found in explained(answer).items()},
        },
    }
    if answer.odds:
        data["renewals"] = [_odds_json(odds) for odds in answer.odds]
    if rows:
        data["cohorts"] = [_row_json(row, answer, whole) for row in impact.rows]
    if answer.question.until is not None:
        data["days"] = [
            {
                "date": day.day.date().isoformat(),
                **{name: total_json(total) for name, total in day.totals.items()},
            }
            for day in answer.days
        ]
        data["instants"] = [
            {"at": iso(at), **{name: total_json(total) for name, total in totals.items()}}
            for at, totals in _changes(answer)
        ]
    return data


DAILY = ("broken", "exposed", "unpinned")


def _changes(answer: Answer) -> Iterator[tuple[datetime, dict[str, Total]]]:
    """Give the first instant of the days asked for, and each at which something happens that changes a total."""
    before: dict[str, Total] = {}
    for impact in answer.window:
        totals = {name: getattr(impact, name) for name in DAILY}
        if totals != before:
            yield impact.at, totals
        before = totals


def _odds_json(odds: Odds) -> Json:
    cohort = odds.connection.cohort
    return {
        "app": cohort.app,
        "version": cohort.version,
        "trust": cohort.trust,
        "host": odds.host,
        "per_renewal": odds.per_renewal,
        "renewals_per_year": odds.renewals,
        "per_year": odds.per_year,
        "by": list(odds.by),
    }


def total_json(total: Total) -> Json:
    """Give a total: the upper number, its share, and both ends where they differ."""
    data: Json = {"clients": total.high, "share": total.share}
    return data if total.low == total.high else {**data, "low": total.low, "high": total.high}


def _row_json(row: Row, answer: Answer, whole: Count | None) -> Json:
    cohort = row.connection.cohort
    clients = row.connection.clients
    data: Json = {
        "app": cohort.app,
        "version": cohort.version,
        "mechanism": list(dict.fromkeys(row.connection.mechanisms)),
        "trust": cohort.trust,
        "host": row.connection.host,
        "verdict": str(row.verdict),
        "reason": str(row.reason),
        "attacker_reason": None if row.attacker_reason is None else str(row.attacker_reason),
        "pin_in_force": row.pin_in_force,
        "unsure": row.unsure,
        "clients": None if clients is None else clients.high,
        "share": _share(clients, whole),
        "why": why(row, answer.inventory),
        "demands": list(row.connection.demands),
    }
    if clients is not None and not clients.exact:
        data |= {"low": clients.low, "high": clients.high}
    if row.connection.note:
        data["beside"] = row.connection.note
    return data


def _share(clients: Count | None, whole: Count | None) -> float | None:
    if clients is None or whole is None:
        return None
    return clients.high / whole.high if whole.high else 0.0


def to_document(answer: Answer) -> Document:
    """Write an answer for people: what was asked, the answer in a sentence, totals, who, and what it stands on."""
    asked = ", ".join(o.text for o in answer.question.occurrences) or "nothing happens"
    blocks: list[Block] = [Paragraph(text, strong=True) for text in headlines(answer)]
    blocks += [
        Facts(tuple(_totals(answer))),
        Table(
            ("verdict", "cohort", "host", "clients", "why"),
            tuple(_lines(answer)),
            right=("clients",),
            wide="why",
        ),
    ]
    if answer.odds:
        blocks += [Heading("what a renewal from the issuer pool breaks"), _pools(answer)]
    if answer.days:
        blocks += [Heading("day by day"), _days(answer)]
        instants = list(_changes(answer))
        if len({at.date() for at, _ in instants}) < len(instants):
            blocks += [Heading("within days"), _instants(instants)]
    blocks += [
        Heading("what this stands on"),
        Bullets((*answer.notes, f"policy {answer.inventory.policy.name}, sha256 {answer.inventory.digest}")),
    ]
    return Document(f"{answer.inventory.policy.name}: {asked}, at {show(answer.impact.at)}", tuple(blocks))


def headlines(answer: Answer) -> list[str]:
    """Say the answer in a few sentences; first what is most often got wrong of a revocation."""
    impact = answer.impact
    broken, exposed = impact.broken, impact.exposed
    counts = f"{_sentence(broken)} break, {_sentence(exposed)} are exposed."
    if broken.none and exposed.none:
        counts = "Nobody breaks and nobody is exposed."
    return [*_first(answer), counts, *_remarks(answer)]


def remarks(answer: Answer) -> list[str]:
    """Say the same without the counts, for where those are shown already."""
    return [*_first(answer), *_remarks(answer)]


def _first(answer: Answer) -> list[str]:
    stolen = any(o.id == "key-compromise" for o in answer.question.occurrences)
    revoked = any(o.id == "revoke" for o in answer.question.occurrences)
    return [REVOKED] if revoked and not stolen else []


def _remarks(answer: Answer) -> list[str]:
    """Say what should be known beside the counts, the worst first."""
    impact = answer.impact
    occurrences = answer.question.occurrences
    said = [
        f"{host} has a new certificate for {key}, which is stolen: a certificate is not a key, and nothing is mended."
        for host, key in kept_keys(impact)
    ]
    said += _later(answer)
    swapped = any(o.id in ("serve", "ca-change") for o in occurrences)
    stolen = [o.parts[0] for o in occurrences if o.id == "key-compromise"]
    by_key = Reason.KEY_STOLEN in impact.exposed_by
    if stolen and by_key:
        still = "still " if swapped else ""
        end = last_end(impact, answer.inventory)
        last = f" (the last on {end.date()})" if end is not None else ""
        said.append(
            f"A new key on the servers ends no exposure: these clients {still}accept {some(stolen)} until a release "
            f"without its pin, or the end of its certificates{last}."
        )
    said += [
        f"The next renewal of {odds.host} breaks {odds.who} with a probability of {percent(odds.per_renewal)}; within "
        f"a year ({odds.renewals} renewals) {percent(odds.per_year)}."
        for odds in answer.odds[:2]
        if odds.per_renewal > 0
    ]
    if impact.in_doubt:
        said.append("UNSURE rows turn on what nobody can know; the worse is counted.")
    return said


REVOKED = "Revoked is not stolen: with a sound key, reissue with the same key breaks no key pin."


def _later(answer: Answer) -> list[str]:
    """Say what the worst day brings, where days were asked for and one is worse than the instant itself."""

    def size(day: Day) -> tuple[float, float]:
        broken, exposed = day.totals["broken"].high, day.totals["exposed"].high
        return (float("inf") if broken is None else broken), (float("inf") if exposed is None else exposed)

    worst = max(answer.days, key=size, default=None)
    now = (answer.impact.broken.high or 0, answer.impact.exposed.high or 0)
    if worst is None or size(worst) <= now:
        return []
    broken, exposed = worst.totals["broken"], worst.totals["exposed"]
    return [f"Worst day {worst.day.date()}: {_sentence(broken)} break, {_sentence(exposed)} are exposed."]


def _sentence(total: Total) -> str:
    if total.none:
        return "0 clients"
    if total.high is None:
        return "an unknown number of clients"
    return f"{span(total.low, total.high)} clients ({percent(total.share)})"


def _totals(answer: Answer) -> list[tuple[str, str]]:
    impact = answer.impact
    whole = answer.fleet.population
    pairs = [("clients", "unknown: no counts yet" if whole is None else span(whole.low, whole.high))]
    for verdict, total in (
        (Verdict.OK, impact.ok),
        (Verdict.BREAKS, impact.broken),
        (Verdict.EXPOSED, impact.exposed),
        (Verdict.LOST, impact.lost),
        (Verdict.UNPINNED, impact.unpinned),
    ):
        rows = impact.count(verdict)
        known = total.high is not None
        shown = f"{span(total.low, total.high)} ({percent(total.share)})" if known else f"unknown, in {rows} rows"
        note = " in both of these" if verdict is Verdict.LOST and rows else ""
        label = verdict.value.upper() if verdict not in (Verdict.OK, Verdict.UNPINNED) else verdict.value
        pairs.append((f"{verdict.glyph} {label}", shown + note))
    first = answer.first_break
    if first is None:
        until = f" until {show(answer.question.until)}" if answer.question.until else ""
        pairs.append(("first break", f"none{until}"))
    else:
        cohort = first.row.connection.cohort
        pairs.append(("first break", f"{show(first.at)}, {cohort.name} on {first.row.connection.host}"))
    return pairs


def _lines(answer: Answer) -> list[tuple[str, ...]]:
    rows = answer.impact.rows
    lines = [line(row, answer) for row in rows[:MOST_ROWS]]
    if len(rows) > MOST_ROWS:
        lines.append(("", f"and {len(rows) - MOST_ROWS} rows more", "", "", "all of them: --json"))
    return lines


def line(row: Row, answer: Answer) -> tuple[str, ...]:
    """Give a row of the table of clients."""
    clients = row.connection.clients
    doubt = " UNSURE" if row.unsure else ""
    return (
        f"{row.verdict.glyph} {row.verdict.value.upper()}{doubt}"
        if row.verdict.is_broken or row.verdict.is_exposed
        else f"{row.verdict.glyph} {row.verdict.value}{doubt}",
        row.connection.cohort.name,
        row.connection.host + (f" ({row.connection.note})" if row.connection.note else ""),
        "?" if clients is None else span(clients.low, clients.high),
        why(row, answer.inventory),
    )


def _pools(answer: Answer) -> Table:
    """Show the probability of a break per renewal and over a year."""
    return Table(
        ("host", "cohort", "per renewal", "per year", "where it comes from"),
        tuple(
            (o.host, o.who, percent(o.per_renewal), percent(o.per_year), ", ".join(o.by) or "none of the pool")
            for o in answer.odds[:MOST_ROWS]
        ),
        right=("per renewal", "per year"),
    )


def _days(answer: Answer) -> Table:
    """Show the days on which something changes, the first and the last."""
    shown: list[tuple[str, ...]] = []
    previous: tuple[str, ...] = ()
    for day in answer.days:
        totals = tuple(_cell(day.totals[name]) for name in DAILY)
        if totals != previous or day is answer.days[-1]:
            shown.append((day.day.date().isoformat(), *totals))
        previous = totals
    return Table(("day", "broken", "exposed", "unpinned"), tuple(shown), right=("broken", "exposed", "unpinned"))


def _instants(changes: Sequence[tuple[datetime, dict[str, Total]]]) -> Table:
    """Show the instants at which something changes, where one day has several."""
    rows = [(show(at), *(_cell(total) for total in totals.values())) for at, totals in changes[:MOST_ROWS]]
    if len(changes) > MOST_ROWS:
        rows.append((f"and {len(changes) - MOST_ROWS} more: --json", "", "", ""))
    return Table(("from", *DAILY), tuple(rows), right=DAILY)


def _cell(total: Total) -> str:
    if total.none:
        return "0"
    return "?" if total.high is None else f"{number(total.high)} ({percent(total.share)})"
