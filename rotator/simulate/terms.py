"""What an answer is added up from: cohorts with their share, where each number comes from, and what moves it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rotator.model.policy import App, Count
from rotator.simulate.cohorts import UNSEEN_RELEASE, Cohort
from rotator.simulate.fleet import Connection, Fleet
from rotator.simulate.inventory import Inventory

MOST_MOVES = 3


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
        counted: where clients have moved since they were counted, how many were counted there; else None.
        moved: how they came from what was counted to what is.
        value: of what is no count, such as a share of a curve; None of counts.
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
    counted: Count | None = None
    moved: str = ""
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """How much an input moves the answer.

    Attributes:
        path: the input.
        change: by how much the answer changes with a tenth of the input.
        turns_at: the value of the input at which the answer crosses the budget; None where none does.
        of_curve: whether it is a number of a curve, of which that value is not worked out.
    """

    path: str
    change: float
    turns_at: int | None
    of_curve: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """What one cohort adds: the share of it that counts for certain and at most."""

    cohort: Cohort
    least: float
    most: float


def terms_of(fleet: Fleet, counted: Iterable[tuple[Connection, bool]], name: str) -> list[Term]:
    """Add what a total counts up by cohort, on its own: `totals` does it once more, and the two must agree.

    Args:
        fleet: everybody.
        counted: the connections behind the total, each with whether it is certain.
        name: the total; of `ok` those that are not well are counted.
    """
    hosts: dict[int, dict[str, tuple[float, float]]] = {}
    cohorts = {id(cohort): cohort for cohort in fleet.cohorts}
    for connection, sure in counted:
        own = hosts.setdefault(id(connection.cohort), {})
        least, most = own.get(connection.host, (0.0, 0.0))
        own[connection.host] = (max(least, connection.share if sure else 0.0), max(most, connection.share))
    found = []
    for key, cohort in cohorts.items():
        shares = hosts.get(key, {}).values()
        least = max((low for low, _ in shares), default=0.0)
        most = min(1.0, sum(high for _, high in shares))
        if name == "ok":
            least, most = 1.0 - most, 1.0 - least
        found.append(Term(cohort=cohort, least=least, most=most))
    return found


def inputs_of(inventory: Inventory, terms: Iterable[Term]) -> Iterator[Input]:
    """Give the count of each cohort, with where it stands and where it was taken from."""
    policy = inventory.policy
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


def place_of(cohort: Cohort) -> str:
    """Give the path of a cohort's release, or of its app, in the policy."""
    return f"apps.{cohort.app}" + (f".releases[{cohort.release}]" if cohort.release >= 0 else "")


def _counts_path(app: App, cohort: Cohort) -> str:
    if cohort.release == UNSEEN_RELEASE:
        return f"{place_of(cohort)}.unseen"
    own = app.releases[cohort.release].clients if cohort.release >= 0 else app.clients
    return f"{place_of(cohort)}.clients" + (f".{cohort.trust}" if isinstance(own, Mapping) else "")


def others_in(term: Term) -> int:
    """Give how many of a cohort are certainly not counted."""
    return 0 if term.cohort.clients is None else round(term.cohort.clients.low * (1.0 - term.most))


def moves_of(inventory: Inventory, name: str, terms: Sequence[Term], inputs: Sequence[Input]) -> Iterator[Move]:
    """Give the inputs whose tenth moves the answer most, and where each alone would cross the budget."""
    limits = inventory.policy.limits
    budget = {"broken": limits.break_budget, "exposed": limits.exposure_budget}.get(name, 0.0)
    hit = sum(one.part[1] for one in inputs)
    others = sum(others_in(term) for term in terms)
    for one in [one for one in inputs if one.high][:MOST_MOVES]:
        share, kept = one.part[1] / (one.high or 1), hit - one.part[1]
        rest = others - round((one.low or 0) * (1.0 - share))
        turns = None
        if 0 < budget < 1 and share != budget:
            # With x clients the share is (kept + x * share) / (kept + rest + x); it is the budget at this x.
            needed = (budget * (kept + rest) - kept) / (share - budget)
            turns = round(needed) if needed >= 0 else None
        yield Move(path=one.path if one.path != "fleet.file" else one.what, change=one.part[1] / 10, turns_at=turns)


def is_nobody(cohort: Cohort) -> bool:
    """Say whether a cohort is known to be empty."""
    return cohort.clients is not None and cohort.clients.high == 0


def said(term: Term) -> str:
    """Write a term of a sum: `700-900 of shop 7.4.0 x 0.2`."""
    clients = term.cohort.clients
    if clients is None:
        return f"? of {term.cohort.name}"
    size = span(clients.low, clients.high)
    share = f"{term.most:.4g}" if term.least == term.most else f"({term.least:.4g} to {term.most:.4g})"
    return f"{size} of {term.cohort.name}" + (f" x {share}" if (term.least, term.most) != (1.0, 1.0) else "")


def span(low: int, high: int) -> str:
    """Write a count, or both ends of its range."""
    return f"{high:,}" if low == high else f"{low:,}-{high:,}"
