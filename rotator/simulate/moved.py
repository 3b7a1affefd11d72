"""What a forecast adds to where a number comes from: the counts it started from, and the curve that moved them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from rotator.model.adoption import Curve
from rotator.model.policy import Adoption
from rotator.model.when import show
from rotator.simulate.cohorts import Cohort
from rotator.simulate.inventory import Inventory
from rotator.simulate.populations import Forecast
from rotator.simulate.terms import MOST_MOVES, Input, Move, Term, inputs_of, moves_of, span

TENTH = 1.1
_PARAMETERS: Mapping[str, str] = {
    "never": "the share that never updates",
    "fast": "the share that updates quickly",
    "fast_days": "the mean days of those",
    "slow_days": "the mean days of the others who update",
}


def inputs_at(inventory: Inventory, people: Forecast, terms: Sequence[Term], at: datetime) -> tuple[Input, ...]:
    """Give the count of each cohort, and the curves by which those came about; what makes most of the answer first.

    Args:
        inventory: the policy with everything looked up.
        people: where its clients are at any time.
        terms: cohorts of the fleet of that instant.
        at: the instant.
    """
    terms = list(terms)
    counted = {_who(cohort): cohort.clients for cohort in people.fleet.cohorts}
    found = []
    for term, one in zip(terms, inputs_of(inventory, terms), strict=True):
        before, now = counted.get(_who(term.cohort)), term.cohort.clients
        if before is not None and now is not None and people.day(term.cohort.app, at) > 0:
            moving = people.moving.get(term.cohort.app)
            if moving is not None and term.cohort.release >= 0:
                text = (
                    f"counted {span(before.low, before.high)} on {one.date or 'the day asked'}; "
                    f"moved by the curve of {term.cohort.app} ({moving.said}) to {show(at)} gives "
                    f"{span(now.low, now.high)}"
                )
                found.append(replace(one, counted=before, moved=text))
                continue
        found.append(one)
    apps = dict.fromkeys(one.cohort.app for one in terms if people.day(one.cohort.app, at) > 0)
    found.sort(key=lambda one: one.part[1], reverse=True)
    return (*found, *(one for app in apps for one in _curve_inputs(inventory, people, app)))


def moves_at(
    inventory: Inventory, people: Forecast, name: str, terms: Sequence[Term], at: datetime
) -> tuple[Move, ...]:
    """Give what moves a total most: counts where they were taken, and what the curves are made of.

    Args:
        inventory: the policy with everything looked up.
        people: where its clients are at any time.
        name: which total.
        terms: what it is added up from, at that instant.
        at: the instant.
    """
    most = {_who(term.cohort): term.most for term in terms}
    least = {_who(term.cohort): term.least for term in terms}
    parts: dict[Cohort, tuple[float, float]] = {}
    for source, target, count in people.flows(at):
        low, high = parts.get(source, (0.0, 0.0))
        who = _who(target)
        parts[source] = (low + count.low * least.get(who, 0.0), high + count.high * most.get(who, 0.0))
    sources = [Term(cohort=cohort, least=0.0, most=0.0) for cohort in parts]
    inputs = [replace(one, part=parts[t.cohort]) for t, one in zip(sources, inputs_of(inventory, sources), strict=True)]
    inputs = sorted((one for one in inputs if one.part[1] > 0), key=lambda one: one.part[1], reverse=True)
    moves = [*moves_of(inventory, name, terms, inputs), *_curve_moves(people, terms, at)]
    return tuple(sorted(moves, key=lambda one: abs(one.change), reverse=True)[:MOST_MOVES])


def _who(cohort: Cohort) -> Cohort:
    """Give a cohort without its size, which changes over time."""
    return replace(cohort, clients=None)


def _curve_inputs(inventory: Inventory, people: Forecast, app: str) -> Iterator[Input]:
    moving = people.moving.get(app)
    if moving is None:
        return
    own = inventory.policy.apps[app].adoption
    for name, what in _PARAMETERS.items():
        yield Input(
            path=_path(own, app, name),
            what=f"{what} ({moving.said})",
            value=round(getattr(moving.curve, name), 6),
            basis="measured" if moving.fitted else "assumed",
        )


def _path(own: Adoption | None, app: str, name: str) -> str:
    """Give where a part of a curve stands in the policy; one of a preset stands at the preset."""
    return f"apps.{app}.adoption" + (f".{name}" if own is not None and own.preset is None else f" ({name})")


def _curve_moves(people: Forecast, terms: Sequence[Term], at: datetime) -> Iterator[Move]:
    """Give how a total changes with a tenth of each number of a curve."""
    by_app: dict[str, list[Term]] = {}
    for term in terms:
        by_app.setdefault(term.cohort.app, []).append(term)
    for app, own in by_app.items():
        moving = people.moving.get(app)
        moves_nothing = len({term.most for term in own}) < 2 or people.day(app, at) <= 0
        if moving is None or people.remade is None or moves_nothing:
            continue
        for parameter, curve in _tenths(moving.curve):
            sizes = {_who(c): n for c, n in people.tried(app, parameter, curve).sizes(at).items()}
            change = 0.0
            for term in own:
                now, then = term.cohort.clients, sizes.get(_who(term.cohort))
                if now is not None and then is not None:
                    change += (then.high - now.high) * term.most
            if round(change):
                yield Move(path=f"apps.{app}.adoption ({parameter})", change=change, turns_at=None, of_curve=True)


def _tenths(curve: Curve) -> Iterator[tuple[str, Curve]]:
    """Give the curve with a tenth more of each of its numbers; more of one group is less of the slow one."""
    never = min(1.0 - curve.fast, curve.never * TENTH)
    yield "never", replace(curve, slow=1.0 - curve.fast - never)
    fast = min(1.0 - curve.never, curve.fast * TENTH)
    yield "fast", replace(curve, fast=fast, slow=max(0.0, 1.0 - curve.never - fast))
    yield "fast_days", replace(curve, fast_days=curve.fast_days * TENTH)
    yield "slow_days", replace(curve, slow_days=curve.slow_days * TENTH)
