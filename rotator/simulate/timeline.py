"""Dated events and actions in the order in which they happen, and the worlds between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from rotator.errors import InputError, Problem, UsageError
from rotator.model.policy import Policy, TimelineRow
from rotator.model.when import SECOND, as_instant, parse_duration, plus
from rotator.simulate.events import announce, play
from rotator.simulate.grammar import REVOCATION_CLOCK, Occurrence, parse_action, parse_event, unknown_names
from rotator.simulate.inventory import Enforced, Inventory
from rotator.simulate.world import World, as_marked, first_world, marked_since


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing at the instant at which it takes effect.

    Attributes:
        at: when it takes effect; for a revocation the end of the clock, for live pins when everybody has them.
        occurrence: what, with `at` filled in as asked.
        announced: it is announced, or begins, here and takes effect later.
    """

    at: datetime
    occurrence: Occurrence
    announced: bool = False


def from_row(row: TimelineRow) -> Occurrence:
    """Read a row of the calendar or of a scenario; the row's date counts unless the text has its own."""
    occurrence = parse_event(row.event) if row.event is not None else parse_action(row.action or "")
    return occurrence if occurrence.at is not None else replace(occurrence, at=as_instant(row.date))


def check_names(occurrences: Iterable[Occurrence], policy: Policy) -> None:
    """Refuse occurrences that name nothing in the policy.

    Raises:
        UsageError: with every such name.
    """
    problems = [problem for occurrence in occurrences for problem in unknown_names(occurrence, policy)]
    if problems:
        raise UsageError(problems)


def happenings(
    occurrences: Iterable[Occurrence], default: datetime, policy: Policy | None = None
) -> tuple[Happening, ...]:
    """Put occurrences in order: by instant, then expiry, trust, revocation, attack, our action, then as given.

    Args:
        occurrences: what happens.
        default: the instant of those that name none.
        policy: says how long live pins are on their way; without it they are there at once.
    """
    found = []
    for occurrence in occurrences:
        dated = occurrence if occurrence.at is not None else replace(occurrence, at=default)
        effect = _effect(dated, policy)
        if effect != dated.at:
            found.append(Happening(dated.at or default, dated, announced=True))
        found.append(Happening(effect, dated))
    return tuple(sorted(found, key=lambda h: (h.at, h.occurrence.form.order)))


def _effect(occurrence: Occurrence, policy: Policy | None) -> datetime:
    assert occurrence.at is not None  # noqa: S101 - filled in by the caller
    if occurrence.id == "publish" and policy is not None:
        pinset = policy.pinsets.get(occurrence.parts[1])
        return plus(occurrence.at, timedelta(days=(pinset.refresh_days or 0) if pinset is not None else 0))
    if occurrence.id != "revoke" or occurrence.action:
        return occurrence.at
    clock = occurrence.option("clock")
    return plus(occurrence.at, parse_duration(clock) if clock else REVOCATION_CLOCK)


def with_ended_pinsets(inventory: Inventory, order: Iterable[Happening]) -> Inventory:
    """Give the inventory in which pinsets end at the instant `pins-expire` says, where that is before their own end."""
    ends: dict[str, datetime] = {}
    for happening in order:
        if happening.occurrence.id == "pins-expire":
            ends.setdefault(happening.occurrence.parts[0], happening.at)

    def cut(table: Mapping[tuple[str, int], tuple[Enforced, ...]]) -> dict[tuple[str, int], tuple[Enforced, ...]]:
        return {key: tuple(_ended(item, ends) for item in items) for key, items in table.items()}

    return replace(inventory, enforced=cut(inventory.enforced), beside=cut(inventory.beside)) if ends else inventory


def _ended(item: Enforced, ends: Mapping[str, datetime]) -> Enforced:
    end = None if item.from_file else ends.get(item.source)
    if end is None:
        return item
    entries = tuple(
        entry if entry.expires is not None and as_instant(entry.expires) <= end else replace(entry, expires=end)
        for entry in item.config.entries
    )
    return replace(item, config=replace(item.config, entries=entries))


@dataclass(frozen=True)
class Timeline:
    """The happenings of a question and the worlds they make.

    Attributes:
        inventory: the policy with everything looked up.
        order: what happens.
        start: the world before all of it; without it, the one that the policy states.
    """

    inventory: Inventory
    order: tuple[Happening, ...]
    start: World | None = None

    def _first(self, at: datetime) -> World:
        return first_world(self.inventory, at) if self.start is None else replace(self.start, at=at)

    def world_at(self, at: datetime) -> World:
        """Give the world at an instant, everything up to and including it played."""
        world = self._first(at)
        for happening in self.order:
            if happening.at > at:
                break
            try:
                function = announce if happening.announced else play
                world = function(world, happening.occurrence, self.inventory, happening.at)
            except UsageError:
                raise
            except InputError as error:  # pragma: no cover - nothing raises it today
                raise UsageError(
                    [Problem(p.message, value=happening.occurrence.text) for p in error.problems]
                ) from None
        return world

    def steps(self) -> Iterator[tuple[datetime, World, World]]:
        """Give every instant at which something happens, with the worlds before and after it."""
        if not self.order:
            return
        world = self._first(self.order[0].at)
        for at, together in groupby(self.order, key=lambda happening: happening.at):
            before = world = as_marked(world, self.inventory, at)
            for happening in together:
                function = announce if happening.announced else play
                world = function(world, happening.occurrence, self.inventory, at)
            yield at, before, world

    def instants(self, start: datetime, end: datetime, expiries: Iterable[datetime] = ()) -> tuple[datetime, ...]:
        """Give every instant in a window at which a verdict may change, its start included.

        Args:
            start: the first instant asked about.
            end: the last.
            expiries: instants at which pins end.
        """
        bounds = {start, *(h.at for h in self.order), *expiries}
        bounds |= {*(since for _, since in marked_since(self.inventory)), *self._validity_bounds(end)}
        return tuple(sorted(instant for instant in bounds if start <= instant <= end))

    def _validity_bounds(self, end: datetime) -> Iterator[datetime]:
        """Give the instants at which a certificate that may matter begins or has ended."""
        worlds = [self._first(end), *(world for at, _, world in self.steps() if at <= end)]
        chains = [*self.inventory.chains.values(), *(chain for world in worlds for chain in world.issued)]
        chains += [offer.chain for world in worlds for offers in world.served.values() for offer in offers]
        certificates = [*(c for chain in chains for c in chain.sent), *self.inventory.extra]
        certificates += [c for own in self.inventory.authorities.values() for c in own]
        attacks = {attack for world in worlds for attack in world.attacks}
        certificates += [c for attack in attacks for c in attack.issuers]
        yield from (plus(attack.until, SECOND) for attack in attacks)
        signers = {c.signer for c in certificates}
        any_root = any(attack.any_ca for attack in attacks)
        for store in self.inventory.trust.values():
            certificates += [c for c in (*store.roots, *store.local_roots) if any_root or c.spki in signers]
        for certificate in certificates:
            yield certificate.not_before
            yield plus(certificate.not_after, SECOND)
