"""Which roots a system came with, by facts that each have a source; what is not known is taken from the bundle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from rotator.model.pki import Certificate
from rotator.model.systems import System


@dataclass(frozen=True, slots=True, kw_only=True)
class RootFact:
    """Since when systems have a root.

    Attributes:
        name: its common name, or its label in the bundle.
        since: the first system of each platform that has it.
        certainty: `published` where the CA or the vendor says so.
        source: where.
    """

    name: str
    since: Mapping[str, System]
    certainty: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemFacts:
    """What is known of the trust stores of systems.

    Attributes:
        roots: roots that came late.
        released: the day each Android was out, by API level.
        updatable_from: the first Android whose roots are updated apart from the system.
        source: where the days are from.
        read: the day all this was read.
    """

    roots: tuple[RootFact, ...] = ()
    released: Mapping[int, date] = field(default_factory=dict)
    updatable_from: int = 0
    source: str = ""
    read: date = date.min


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """A root that a store is taken not to have, with the source and how certain that is."""

    root: Certificate
    certainty: str
    source: str


def oldest(systems: Iterable[System]) -> tuple[System, ...]:
    """Give the oldest system of each platform: what it lacks, the store lacks for somebody."""
    found: dict[str, System] = {}
    for system in systems:
        if system.platform not in found or system.older(found[system.platform]):
            found[system.platform] = system
    return tuple(found.values())


def lacking(
    facts: SystemFacts, systems: Iterable[System], roots: Iterable[Certificate], names: Mapping[str, Certificate]
) -> tuple[Lacking, ...]:
    """Give the roots that any of some systems came without.

    Args:
        facts: what is known.
        systems: the systems of one trust store.
        roots: the roots of today's bundle.
        names: the same by every name people know them by.
    """
    late = {names[fact.name].spki: fact for fact in facts.roots if fact.name in names}
    found = []
    for root in roots:
        for system in oldest(systems):
            fact = late.get(root.spki)
            if fact is not None and system.platform in fact.since:
                if system.older(fact.since[system.platform]):
                    found.append(Lacking(root=root, certainty=fact.certainty, source=fact.source))
                    break
            elif _too_young(facts, system, root):
                found.append(Lacking(root=root, certainty="by age", source=facts.source))
                break
    return tuple(found)


def _too_young(facts: SystemFacts, system: System, root: Certificate) -> bool:
    """Say whether a root began after the system that followed was out, so that no image of this one has it."""
    if system.platform != "android" or system.version[0] >= facts.updatable_from:
        return False
    after = next((day for level, day in sorted(facts.released.items()) if level > system.version[0]), None)
    return after is not None and root.not_before.date() > after
