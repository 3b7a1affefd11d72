"""The dated facts that come with the program: `rotator/data/calendar.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from rotator.errors import InputError, Problem
from rotator.files.place import Place, SkipError
from rotator.files.policy_values import Spki
from rotator.files.reading import Choice, Day, Ident, Many, MapOf, Number, Table, Text
from rotator.files.reference import DATA
from rotator.model.calendar import Certainty, Fact, FactKind

NAME = "calendar.toml"
#: What each kind must have; what is in no list below is optional everywhere.
NEEDED = {
    FactKind.CLOCK: ("hours",),
    FactKind.VALIDITY: ("day", "max_days"),
    FactKind.KEY_AGE: (),
    FactKind.REMOVAL: ("day", "store", "keys"),
    FactKind.SWITCH: ("day", "operators"),
    FactKind.DISTRUST: ("day", "store", "operators"),
    FactKind.NOTICE: ("day",),
}
#: What only some kinds may have.
ONLY = {
    "hours": (FactKind.CLOCK,),
    "max_days": (FactKind.VALIDITY,),
    "reuse_days": (FactKind.VALIDITY,),
    "made_from": (FactKind.KEY_AGE,),
    "made_before": (FactKind.KEY_AGE,),
    "years": (FactKind.KEY_AGE,),
    "store": (FactKind.REMOVAL, FactKind.DISTRUST),
    "keys": (FactKind.REMOVAL, FactKind.SWITCH),
}


def _make(**values: Any) -> Fact:  # noqa: ANN401 - whatever the table holds, read already
    values["kind"] = FactKind(values["kind"])
    values["certainty"] = Certainty(values.get("certainty", Certainty.STATED))
    values["keys"] = {name: pin.digest for name, pin in values.get("keys", {}).items()}
    return Fact(**values)


def _check(fact: Fact, place: Place) -> None:
    for name in NEEDED[fact.kind]:
        if getattr(fact, name) in (None, "", (), {}):
            place.report(f"a fact of kind {fact.kind} has {'date' if name == 'day' else name}")
    for name, kinds in ONLY.items():
        if fact.kind not in kinds and getattr(fact, name) not in (None, "", (), {}):
            place.child(name).report(f"a fact of kind {fact.kind} has none")
    if fact.kind is FactKind.KEY_AGE and (fact.day is None) == (fact.years is None):
        place.report("a rule by age has a date or years", expected="date | years")
    if not fact.source and fact.certainty is Certainty.STATED:
        place.report("a stated fact has a source", hint='certainty = "unverified" where there is none')


FACT = Table(
    _make,
    {
        "id": Ident(),
        "kind": Choice(*FactKind),
        "what": Text(),
        "source": Text(),
        "certainty": Choice(Certainty.STATED, Certainty.UNVERIFIED),
        "announced": Day(),
        "date": Day(),
        "hours": Number(1, whole=True),
        "max_days": Number(1, whole=True),
        "reuse_days": Number(1, whole=True),
        "operators": Many(Text(), empty=False),
        "store": Text(),
        "keys": MapOf(Text(), Spki()),
        "made_from": Day(),
        "made_before": Day(),
        "years": Number(1, 100, whole=True),
    },
    required=("id", "kind", "what"),
    rename={"date": "day"},
    check=_check,
)
FILE = Table(dict, {"schema": Number(1, 1, whole=True), "fact": Many(FACT, empty=False)}, required=("schema", "fact"))


@cache
def known_facts() -> tuple[Fact, ...]:
    """Give the facts that come with the program, in the order of their file."""
    return read_facts((DATA / NAME).read_bytes(), NAME)


def read_facts(data: bytes, file: str) -> tuple[Fact, ...]:
    """Read facts.

    Args:
        data: TOML.
        file: its name, for messages.

    Raises:
        InputError: with everything that is wrong with it.
    """
    try:
        whole = tomllib.loads(data.decode())
    except ValueError as error:
        raise InputError(Problem(f"is not TOML: {error}", file=file)) from None
    place = Place(file, "")
    try:
        facts: tuple[Fact, ...] = FILE.read(whole, place)["fact"]
    except SkipError:
        facts = ()
    seen: set[str] = set()
    for index, fact in enumerate(facts):
        if fact.id in seen:
            place.child("fact").item(index).report("two facts have this id", value=fact.id)
        seen.add(fact.id)
    if place.problems:
        raise InputError(place.problems)
    return facts
