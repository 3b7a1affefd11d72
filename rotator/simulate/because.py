"""Where a number of an answer comes from: the formula with its values, every input with its origin, what moves it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from rotator.errors import Problem, UsageError
from rotator.model.when import iso, start_of
from rotator.simulate.explain import why
from rotator.simulate.fleet import Connection
from rotator.simulate.impact import Row
from rotator.simulate.moved import inputs_at, moves_at
from rotator.simulate.odds import Odds
from rotator.simulate.question import Answer, Day
from rotator.simulate.terms import (
    Input,
    Move,
    Term,
    is_nobody,
    others_in,
    place_of,
    said,
    span,
    terms_of,
)
from rotator.simulate.totals import Total

TOTALS = ("ok", "unpinned", "broken", "exposed", "lost")
DAILY = ("broken", "exposed", "unpinned")
PARTS = ("clients", "share", "low", "high")
NUMBERS = ("clients", "share", "low", "high")
FIELDS = (*NUMBERS, "verdict", "reason", "attacker_reason", "pin_in_force", "unsure", "why")
ODDS = ("per_year", "per_renewal", "renewals_per_year")
FIRST = ("at", "app", "version", "host")
MOST_TERMS = 12
"""Terms that a formula shows; the others are counted."""
_WORDS = re.compile(r"([a-z_]+)(?:\[([0-9-]{1,10})\]|\.(\d{1,9}))?(?:\.([a-z_]+))?(?:\.([a-z_]+))?")


@dataclass(frozen=True, kw_only=True)
class Because:
    """A number of an answer, explained.

    Attributes:
        path: which one.
        value: the number, or the word; None where it is not known.
        low, high: its range, where it is a number.
        formula: how it is made, with the values filled in.
        inputs: everything it stands on, what makes most of it first.
        moves: the inputs that move it most.
        checks: what was computed a second time in another way, and whether it agrees.
    """

    path: str
    value: float | str | None
    low: float | None = None
    high: float | None = None
    formula: str = ""
    inputs: tuple[Input, ...] = ()
    moves: tuple[Move, ...] = ()
    checks: tuple[tuple[str, bool], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Words:
    """A dotted path taken apart: `days[3].broken.share` is days, 3, broken, share."""

    name: str
    index: str = ""
    parts: tuple[str, ...] = ()

    @classmethod
    def of(cls, path: str) -> Words:
        """Take a path apart; one that is none is a name that nothing has."""
        match = _WORDS.fullmatch(path)
        if match is None:
            return cls(path)
        return cls(match[1], match[2] or match[3] or "", tuple(part for part in match.group(4, 5) if part))


def because(answer: Answer, path: str) -> Because:
    """Explain a number of an answer.

    Args:
        answer: the answer.
        path: its dotted path in `simulate --json`: `population`, `exposed.share`, `cohorts[0].verdict`, or
            `days[3].broken`, where the day itself may stand for its number.

    Raises:
        UsageError: the answer has no such number.
    """
    words = Words.of(path)
    found = _found(answer, path, words)
    if found is not None:
        return found
    raise no_such(path, known_paths(answer))


def in_short(answer: Answer) -> dict[str, Because]:
    """Explain the population and every total: what `simulate --json` holds as `because`."""
    return {name: because(answer, name) for name in ("population", *TOTALS)}


def known_paths(answer: Answer) -> list[str]:
    """Give the paths of an answer, the first of each list only."""
    known = ["population", *TOTALS, *(f"{t}.{p}" for t in TOTALS for p in PARTS)]
    known += [f"cohorts[0].{name}" for name in FIELDS] if answer.impact.rows else []
    known += [f"days[0].{t}" for t in DAILY] if answer.days else []
    known += [f"days[0].{t}.{p}" for t in DAILY for p in PARTS] if answer.days else []
    known += [f"renewals[0].{name}" for name in ODDS] if answer.odds else []
    return known + (["first_break", *(f"first_break.{name}" for name in FIRST)] if answer.first_break else [])


def no_such(path: str, known: Sequence[str]) -> UsageError:
    """Say that there is no such number, with the nearest paths that lead somewhere."""
    number = re.search(r"\[([^\]]{1,10})\]|\.(\d{1,9})(?=\.|$)", path)
    plain = path if number is None else path[: number.start()] + "[0]" + path[number.end() :]
    near = difflib.get_close_matches(plain, known, n=3, cutoff=0.6)
    if number is not None:
        near = [one.replace("[0]", f"[{number[1] or number[2]}]") for one in near]
    return UsageError(
        Problem(
            "the answer has no such number",
            value=path,
            expected="a path in the answer of simulate --json, such as broken.share or cohorts[0].verdict",
            hint=f"did you mean {' or '.join(near)}?"
            if near
            else "known: " + ", ".join(dict.fromkeys(map(_head, known))),
        )
    )


def _head(path: str) -> str:
    return re.split(r"[.\[]", path)[0]


def numbered(path: str, words: Words, rows: int, unit: str) -> int:
    """Read the number of a row.

    Raises:
        UsageError: there is no such row.
    """
    number = int(words.index) if words.index.isdigit() else -1
    if 0 <= number < rows:
        return number
    expected = f"{words.name}[0] to {words.name}[{rows - 1}]" if rows else f"the answer has no {unit}"
    raise UsageError(Problem("the answer has no such row", value=path, expected=expected))


def _found(answer: Answer, path: str, words: Words) -> Because | None:
    match words:
        case Words(name, "", parts) if name in TOTALS and len(parts) < 2 and (*parts, "clients")[0] in PARTS:
            counted = answer.impact.counted(name)
            return _total(answer, path, name, (*parts, "clients")[0], getattr(answer.impact, name), counted)
        case Words("population", "", ()):
            return _population(answer, path)
        case Words("cohorts", index, parts) if index and len(parts) < 2 and (*parts, "verdict")[0] in FIELDS:
            row = answer.impact.rows[numbered(path, words, len(answer.impact.rows), "clients")]
            return _row(answer, path, row, (*parts, "verdict")[0])
        case Words("days", index, (name, *parts)) if index and name in DAILY and (*parts, "clients")[0] in PARTS:
            day = _day(answer, path, words)
            fleet = day.impacts[0].fleet
            counted = (each for impact in day.impacts for each in impact.counted(name))
            then = max(day.day, answer.question.at)
            impact = replace(answer.impact, at=then)
            part = (*parts, "clients")[0]
            return _total(replace(answer, fleet=fleet, impact=impact), path, name, part, day.totals[name], counted)
        case Words("renewals", index, parts) if index and len(parts) < 2 and (*parts, "per_year")[0] in ODDS:
            odds = answer.odds[numbered(path, words, len(answer.odds), "renewals: ask about one, as renew:HOST")]
            return _odds(answer, path, odds, (*parts, "per_year")[0])
        case Words("first_break", "", parts) if answer.first_break and len(parts) < 2:
            return _first(answer, path, *parts)
    return None


def _day(answer: Answer, path: str, words: Words) -> Day:
    """Find a day by its number, or by its date."""
    if not answer.days:
        raise UsageError(Problem("the answer has no days", value=path, hint="--until T asks for them"))
    try:
        asked = start_of(date.fromisoformat(words.index)) if "-" in words.index else None
    except ValueError:
        asked = None
    if asked is None:
        return answer.days[numbered(path, words, len(answer.days), "days")]
    for day in answer.days:
        if day.day == asked:
            return day
    first, last = (day.day.date() for day in (answer.days[0], answer.days[-1]))
    raise UsageError(Problem("the answer has no such row", value=path, expected=f"a day from {first} to {last}"))


def _total(
    answer: Answer, path: str, name: str, part: str, total: Total, counted: Iterable[tuple[Connection, bool]]
) -> Because:
    terms = terms_of(answer.fleet, counted, name)
    counting = [term for term in terms if term.most > 0 and not is_nobody(term.cohort)]
    at = answer.impact.at
    inputs = inputs_at(answer.inventory, answer.people, counting, at)
    value = {"clients": total.high, "share": total.share, "low": total.low, "high": total.high}[part]
    known = [one for one in inputs if one.high is not None]
    low, high = sum(round(one.part[0]) for one in known), sum(round(one.part[1]) for one in known)
    formula = f"{name} = {_sum(counting)}"
    if total.high is not None:
        formula += f" = {span(total.low or 0, total.high)}"
    checks = [("the rows of the answer, added by cohort, give this total", _agree(total, low, high, len(known)))]
    if part == "share" and total.share is not None and total.high:
        whole = answer.fleet.population
        rest = sum(others_in(term) for term in terms)
        # Those who are well are a share of all; for bad news the others are counted at their fewest.
        over = whole.high if name == "ok" and whole is not None else total.high + rest
        of_whom = f"{over:,}" if name == "ok" else f"({total.high:,} + {rest:,} others)"
        formula += f"; share = {total.high:,} / {of_whom}"
        off = abs(total.high / over - total.share) * over if over else 0.0
        checks.append(("the share, taken of the same cohorts, is this one", off <= len(terms)))
    return Because(
        path=path,
        value=value,
        low=total.share if part == "share" else total.low,
        high=total.share if part == "share" else total.high,
        formula=formula,
        inputs=inputs,
        moves=moves_at(answer.inventory, answer.people, name, terms, at),
        checks=tuple(checks),
    )


def _agree(total: Total, low: int, high: int, terms: int) -> bool:
    """Say whether a sum is the total: each term may be rounded by one."""
    return total.high is None or (abs(high - total.high) <= terms and abs(low - (total.low or 0)) <= terms)


def _sum(terms: Sequence[Term]) -> str:
    more = f" + {len(terms) - MOST_TERMS} more" if len(terms) > MOST_TERMS else ""
    return (" + ".join(said(term) for term in terms[:MOST_TERMS]) or "nobody") + more


def _population(answer: Answer, path: str) -> Because:
    whole = answer.fleet.population
    terms = [Term(cohort=cohort, least=1.0, most=1.0) for cohort in answer.fleet.cohorts]
    inputs = inputs_at(answer.inventory, answer.people, terms, answer.impact.at)
    added = sum(one.high or 0 for one in inputs)
    return Because(
        path=path,
        value=None if whole is None else whole.high,
        low=None if whole is None else whole.low,
        high=None if whole is None else whole.high,
        formula=f"population = {_sum(terms)}" + (f" = {span(whole.low, whole.high)}" if whole else ""),
        inputs=inputs,
        checks=(("the cohorts, added, give this population", whole is None or added == whole.high),),
    )


def _row(answer: Answer, path: str, row: Row, what: str) -> Because:
    clients, whole = row.connection.clients, answer.fleet.population
    if what not in NUMBERS:
        return _verdict(answer, path, row, _word(answer, row, what))
    term = Term(cohort=row.connection.cohort, least=row.connection.share, most=row.connection.share)
    formula = said(term) + (f" = {span(clients.low, clients.high)}" if clients else "")
    value: float | None = None if clients is None else clients.low if what == "low" else clients.high
    if what == "share":
        known = clients is not None and whole is not None and whole.high
        value = clients.high / whole.high if known and clients and whole else None
        formula += f" of {whole.high:,}" if whole is not None else ""
    return Because(
        path=path,
        value=value,
        formula=formula,
        inputs=inputs_at(answer.inventory, answer.people, [term], answer.impact.at),
    )


def _word(answer: Answer, row: Row, what: str) -> str | None:
    if what in ("pin_in_force", "unsure"):
        return "yes" if getattr(row, what) else "no"
    if what == "why":
        return why(row, answer.inventory)
    value = getattr(row, what)
    return None if value is None else str(value)


def _first(answer: Answer, path: str, part: str = "") -> Because | None:
    """Explain the first break: its verdict, at the instant at which it comes."""
    first = answer.first_break
    if first is None or part not in ("", *FIRST):
        return None
    cohort = first.row.connection.cohort
    values = {"at": iso(first.at), "app": cohort.app, "version": cohort.version, "host": first.row.connection.host}
    return _verdict(answer, path, first.row, values.get(part, str(first.row.verdict)))


def _odds(answer: Answer, path: str, odds: Odds, part: str) -> Because:
    """Explain what an issuer pool does: the shares of the members that break, and a year of renewals."""
    host = answer.inventory.policy.hosts[odds.host]
    shares = " + ".join(f"{host.issuer_pool[name]:g} of {name}" for name in odds.by) or "none of the pool"
    formulas = {
        "per_renewal": f"{shares} = {odds.per_renewal:.4g}",
        "per_year": f"1 - (1 - {odds.per_renewal:.4g}) ^ {odds.renewals} = {odds.per_year:.4g}",
        "renewals_per_year": f"{odds.renewals} renewals in 365 days",
    }
    values = {"per_renewal": odds.per_renewal, "per_year": odds.per_year, "renewals_per_year": float(odds.renewals)}
    here = f"hosts.{odds.host}"
    inputs = [Input(path=f"{here}.issuer_pool", what=f"{name}: {share:g}") for name, share in host.issuer_pool.items()]
    days = f"every {host.renew_days} days" if host.renew_days else "as long as what is served lasts"
    return Because(
        path=path,
        value=values[part],
        formula=formulas[part],
        inputs=(*inputs, Input(path=f"{here}.renew_days", what=days)),
    )


def _verdict(answer: Answer, path: str, row: Row, value: str | None) -> Because:
    """Explain a word: the sentence that decided, with what the client enforces and what it was shown."""
    return Because(path=path, value=value, formula=why(row, answer.inventory), inputs=tuple(_decided_by(answer, row)))


def _decided_by(answer: Answer, row: Row) -> Iterator[Input]:
    inventory, cohort = answer.inventory, row.connection.cohort
    for item in inventory.enforced.get((cohort.app, cohort.release), ()):
        what = f"the shipped file {item.source}" if item.from_file else f"the pinset {item.source}"
        yield Input(
            path=item.where or f"pinsets.{item.source}",
            what=f"what {item.mechanism} enforces: {what}",
            file=item.source if item.from_file else "",
        )
    chain = row.ours.chain
    plan = inventory.policy.chains.get(chain)
    yield Input(
        path=f"hosts.{row.connection.host}.serves",
        what=f"the chain {chain}" + ("" if plan is not None and plan.file else ", which is planned"),
        file=(plan.file if plan is not None else None) or "",
    )
    yield Input(path=f"trust.{cohort.trust}", what=f"the trust store {cohort.trust}")
    played = [inventory.mechanisms[name] for name in row.connection.mechanisms if name in inventory.mechanisms]
    for source in dict.fromkeys(mechanism.facts.source for mechanism in played):
        yield Input(path=place_of(cohort), what="the rules of the client", source=source)
