"""Where a number of an answer comes from: the formula with its values, every input with its origin, what moves it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from rotator.errors import Problem, UsageError
from rotator.model.names import did_you_mean
from rotator.model.policy import App
from rotator.model.verdicts import Verdict
from rotator.simulate.cohorts import UNSEEN_RELEASE, Cohort
from rotator.simulate.explain import why
from rotator.simulate.impact import BROKEN, EXPOSED, Row
from rotator.simulate.question import Answer
from rotator.simulate.totals import Total

TOTALS = ("ok", "unpinned", "broken", "exposed", "lost")
PARTS = ("clients", "share", "low", "high")
FIELDS = ("clients", "share", "verdict", "reason", "attacker_reason", "why")
MOST_MOVES = 3
_VERDICTS = {"broken": BROKEN, "exposed": EXPOSED, "lost": (Verdict.LOST,)}
_PATH = re.compile(r"([a-z_]+)(?:\[(\d{1,9})\]|\.(\d{1,9}))?(?:\.([a-z_]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Something of the policy that an answer stands on.

    Attributes:
        path: where it stands in the policy.
        what: what it is for people.
        low, high: its value; None where it is not known, or no number.
        basis: `measured`, `scaled` or `assumed`; "" for what is no count.
        source, date, file: where it was taken from, as far as the policy says.
        part: how much of the answer it makes, from and to.
    """

    path: str
    what: str
    low: int | None = None
    high: int | None = None
    basis: str = ""
    source: str = ""
    date: date | None = None
    file: str = ""
    part: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """How much an input moves the answer.

    Attributes:
        path: the input.
        change: by how much the answer changes with a tenth of the input.
        turns_at: the value of the input at which the answer crosses the budget; None where none does.
    """

    path: str
    change: float
    turns_at: int | None


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


def because(answer: Answer, path: str) -> Because:
    """Explain a number of an answer.

    Args:
        answer: the answer.
        path: its dotted path in `simulate --json`: `population`, `broken`, `exposed.share`, `cohorts[0].verdict`.

    Raises:
        UsageError: the answer has no such number.
    """
    match = _PATH.fullmatch(path)
    name = match[1] if match else path
    number, part = (match[2] or match[3], match[4] or "clients") if match else (None, "")
    if match and name in TOTALS and number is None and part in PARTS:
        return _total(answer, path, name, part)
    if match and name == "population" and number is None and not match[4]:
        return _population(answer, path)
    if match and name == "cohorts" and number is not None and (match[4] or "verdict") in FIELDS:
        return _row(answer, path, int(number), match[4] or "verdict")
    if match and name == "first_break" and number is None and answer.first_break is not None:
        row = answer.first_break.row
        return _verdict(answer, path, row, str(row.verdict))
    known = ("population", "first_break", *TOTALS, *(f"{t}.{p}" for t in TOTALS for p in PARTS), "cohorts[0].verdict")
    raise UsageError(
        Problem(
            "the answer has no such number",
            value=path,
            expected="a path in the answer of simulate --json, such as broken.share or cohorts[0].verdict",
            hint=did_you_mean(path, known) if name not in known else "",
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Term:
    """What one cohort adds: the share of it that counts for certain and at most."""

    cohort: Cohort
    least: float
    most: float


def _terms(answer: Answer, name: str) -> list[_Term]:
    """Add the rows of a total up by cohort, on their own: `totals` does it once more, and the two must agree."""
    hosts: dict[int, dict[str, tuple[float, float]]] = {}
    cohorts = {id(cohort): cohort for cohort in answer.fleet.cohorts}
    for row in answer.impact.rows:
        if _counted(row, name):
            own = hosts.setdefault(id(row.connection.cohort), {})
            least, most = own.get(row.connection.host, (0.0, 0.0))
            share = row.connection.share
            own[row.connection.host] = (
                max(least, share if row.is_sure(*_VERDICTS.get(name, ())) else 0.0),
                max(most, share),
            )
    found = []
    for key, cohort in cohorts.items():
        shares = hosts.get(key, {}).values()
        least = max((low for low, _ in shares), default=0.0)
        most = min(1.0, sum(high for _, high in shares))
        if name == "ok":
            least, most = 1.0 - most, 1.0 - least
        found.append(_Term(cohort=cohort, least=least, most=most))
    return found


def _counted(row: Row, name: str) -> bool:
    return {
        "ok": row.verdict is not Verdict.OK,
        "unpinned": row.is_unpinned,
        "broken": row.verdict.is_broken,
        "exposed": row.verdict.is_exposed,
        "lost": row.verdict is Verdict.LOST,
    }[name]


def _total(answer: Answer, path: str, name: str, part: str) -> Because:
    total: Total = getattr(answer.impact, name)
    terms = _terms(answer, name)
    counting = [term for term in terms if term.most > 0 and not _is_nobody(term.cohort)]
    inputs = tuple(sorted(_inputs(answer, counting), key=lambda one: one.part[1], reverse=True))
    value = {"clients": total.high, "share": total.share, "low": total.low, "high": total.high}[part]
    known = [one for one in inputs if one.high is not None]
    low, high = sum(round(one.part[0]) for one in known), sum(round(one.part[1]) for one in known)
    rest = sum(_rest(term) for term in terms)
    shown = " + ".join(_said(term) for term in counting[:12]) or "nobody"
    shown += f" + {len(counting) - 12} more" if len(counting) > 12 else ""
    formula = f"{name} = {shown}"
    if total.high is not None:
        formula += f" = {_span(total.low or 0, total.high)}"
    if part == "share":
        formula += f"; share = {total.high or 0:,} / ({total.high or 0:,} + {rest:,} others) " if total.high else ""
        formula = formula.rstrip()
    agrees = total.high is None or (abs(high - total.high) <= len(known) and abs(low - (total.low or 0)) <= len(known))
    return Because(
        path=path,
        value=value,
        low=total.share if part == "share" else total.low,
        high=total.share if part == "share" else total.high,
        formula=formula,
        inputs=inputs,
        moves=tuple(_moves(answer, name, terms, inputs)),
        checks=(("the rows of the answer, added by cohort, give this total", agrees),),
    )


def _population(answer: Answer, path: str) -> Because:
    whole = answer.fleet.population
    terms = [_Term(cohort=cohort, least=1.0, most=1.0) for cohort in answer.fleet.cohorts]
    inputs = tuple(sorted(_inputs(answer, terms), key=lambda one: one.part[1], reverse=True))
    added = sum(one.high or 0 for one in inputs)
    said = " + ".join(_said(term) for term in terms[:12]) + (f" + {len(terms) - 12} more" if len(terms) > 12 else "")
    return Because(
        path=path,
        value=None if whole is None else whole.high,
        low=None if whole is None else whole.low,
        high=None if whole is None else whole.high,
        formula=f"population = {said or 'nobody'}" + (f" = {_span(whole.low, whole.high)}" if whole else ""),
        inputs=inputs,
        checks=(("the cohorts, added, give this population", whole is None or added == whole.high),),
    )


def _row(answer: Answer, path: str, number: int, what: str) -> Because:
    rows = answer.impact.rows
    if number >= len(rows):
        raise UsageError(
            Problem("the answer has no such row", value=path, expected=f"cohorts[0] to cohorts[{len(rows) - 1}]")
        )
    row = rows[number]
    clients, whole = row.connection.clients, answer.fleet.population
    if what not in ("clients", "share"):
        values = {
            "verdict": str(row.verdict),
            "reason": str(row.reason),
            "attacker_reason": None if row.attacker_reason is None else str(row.attacker_reason),
            "why": why(row, answer.inventory),
        }
        return _verdict(answer, path, row, values[what])
    term = _Term(cohort=row.connection.cohort, least=row.connection.share, most=row.connection.share)
    formula = _said(term) + (f" = {_span(clients.low, clients.high)}" if clients else "")
    value: float | None = None if clients is None else clients.high
    if what == "share":
        known = clients is not None and whole is not None and whole.high
        value = clients.high / whole.high if known and clients and whole else None
        formula += f" of {whole.high:,}" if whole is not None else ""
    return Because(path=path, value=value, formula=formula, inputs=tuple(_inputs(answer, [term])))


def _verdict(answer: Answer, path: str, row: Row, value: str | None) -> Because:
    """Explain a word: the sentence that decided, with what the client enforces and what it was shown."""
    inventory, cohort = answer.inventory, row.connection.cohort
    place = _place(cohort)
    inputs = [
        Input(
            path=item.where or f"pinsets.{item.source}",
            what=f"what {item.mechanism} enforces: "
            + (f"the shipped file {item.source}" if item.from_file else f"the pinset {item.source}"),
            file=item.source if item.from_file else "",
        )
        for item in inventory.enforced.get((cohort.app, cohort.release), ())
    ]
    chain = row.ours.chain
    plan = inventory.policy.chains.get(chain)
    inputs.append(
        Input(
            path=f"hosts.{row.connection.host}.serves",
            what=f"the chain {chain}" + ("" if plan is not None and plan.file else ", which is planned"),
            file=(plan.file if plan is not None else None) or "",
        )
    )
    inputs.append(Input(path=f"trust.{cohort.trust}", what=f"the trust store {cohort.trust}"))
    sources = dict.fromkeys(
        inventory.mechanisms[name].facts.source for name in row.connection.mechanisms if name in inventory.mechanisms
    )
    inputs += [Input(path=place, what="the rules of the client", source=source) for source in sources]
    return Because(path=path, value=value, formula=why(row, inventory), inputs=tuple(inputs))


def _inputs(answer: Answer, terms: Sequence[_Term]) -> Iterator[Input]:
    policy = answer.inventory.policy
    for term in terms:
        cohort = term.cohort
        app = policy.apps[cohort.app]
        info, clients = app.counts, cohort.clients
        yield Input(
            path="fleet.file" if policy.fleet is not None else _counts_path(app, cohort),
            what=cohort.name,
            low=None if clients is None else clients.low,
            high=None if clients is None else clients.high,
            basis=cohort.basis,
            source=(info.source if info else None) or "",
            date=policy.counted(cohort.app),
            file=policy.fleet or (info.file if info else None) or "",
            part=(0.0, 0.0) if clients is None else (clients.low * term.least, clients.high * term.most),
        )


def _place(cohort: Cohort) -> str:
    return f"apps.{cohort.app}" + (f".releases[{cohort.release}]" if cohort.release >= 0 else "")


def _counts_path(app: App, cohort: Cohort) -> str:
    if cohort.release == UNSEEN_RELEASE:
        return f"{_place(cohort)}.unseen"
    own = app.releases[cohort.release].clients if cohort.release >= 0 else app.clients
    return f"{_place(cohort)}.clients" + (f".{cohort.trust}" if isinstance(own, Mapping) else "")


def _rest(term: _Term) -> int:
    return 0 if term.cohort.clients is None else round(term.cohort.clients.low * (1.0 - term.most))


def _moves(answer: Answer, name: str, terms: Sequence[_Term], inputs: Sequence[Input]) -> Iterator[Move]:
    """Give the inputs whose tenth moves the answer most, and where each alone would cross the budget."""
    limits = answer.inventory.policy.limits
    budgets: Mapping[str, float] = {"broken": limits.break_budget, "exposed": limits.exposure_budget}
    hit = sum(one.part[1] for one in inputs)
    others = sum(_rest(term) for term in terms)
    for one in [one for one in inputs if one.high][:MOST_MOVES]:
        budget = budgets.get(name, 0.0)
        turns = None
        if 0 < budget < 1 and one.high:
            # The share is (hit - own + x) / (hit - own + x + others); it is the budget at this x.
            own, kept = one.part[1], hit - one.part[1]
            needed = budget * others / (1 - budget) - kept
            turns = round(needed * one.high / own) if needed >= 0 and own else None
        yield Move(path=one.path if one.path != "fleet.file" else one.what, change=one.part[1] / 10, turns_at=turns)


def _is_nobody(cohort: Cohort) -> bool:
    return cohort.clients is not None and cohort.clients.high == 0


def _said(term: _Term) -> str:
    clients = term.cohort.clients
    if clients is None:
        return f"? of {term.cohort.name}"
    size = _span(clients.low, clients.high)
    share = f"{term.most:.4g}" if term.least == term.most else f"({term.least:.4g} to {term.most:.4g})"
    return f"{size} of {term.cohort.name}" + (f" x {share}" if (term.least, term.most) != (1.0, 1.0) else "")


def _span(low: int, high: int) -> str:
    return f"{high:,}" if low == high else f"{low:,}-{high:,}"
