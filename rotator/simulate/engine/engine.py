"""The fleet engine: what the judge says of each connection, said of all of them at once.

It agrees with `rotator.simulate.scene` on everything a total stands on: verdicts, reasons, doubts, counts. For the
*why* of a single row, ask the judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from rotator.model.verdicts import Verdict
from rotator.simulate.engine.counting import Census, Hits
from rotator.simulate.engine.judging import Jury
from rotator.simulate.engine.sight import Sight
from rotator.simulate.engine.told import Rows, Told
from rotator.simulate.fleet import Fleet
from rotator.simulate.impact import Impact
from rotator.simulate.inventory import Inventory
from rotator.simulate.scene import Scene
from rotator.simulate.totals import Total
from rotator.simulate.world import World

KEPT = 64
"""Times of which sizes are kept."""


class Engine:
    """Answers for one fleet in any number of worlds; only what a world changes is judged again."""

    def __init__(self, inventory: Inventory, fleet: Fleet) -> None:
        """Sort a fleet.

        Args:
            inventory: the policy with everything looked up.
            fleet: its clients.
        """
        self.inventory = inventory
        self.fleet = fleet
        self._jury = Jury(inventory, fleet)
        self._census = Census(fleet)
        self._others: dict[int, Census] = {}

    def sight(self, world: World, at: datetime, fleet: Fleet | None = None) -> Sight:
        """Judge every connection in a world at an instant.

        Args:
            world: the world.
            at: the instant.
            fleet: the same cohorts in the sizes of that time; without it those the engine was made with.
        """
        units, outcome = self._jury.hear(world, at)
        return Sight(at=at, world=world, census=self._sized(fleet), units=units.of, outcome=outcome)

    def impact(self, fleet: Fleet, world: World, at: datetime) -> Impact:
        """Give what the judge gives; a row, with its why, is judged by it when somebody looks at it.

        Args:
            fleet: the fleet the engine was made with, or the same cohorts in the sizes of another time.
            world: the world.
            at: the instant.
        """
        sight = self.sight(world, at, fleet)
        scene = partial(Scene, self._jury.judges, world, at)
        return Told(at=at, world=world, rows=Rows(sight, fleet, scene), fleet=fleet, sight=sight, sized=self.sized)

    def sized(self, fleet: Fleet) -> Census:
        """Give everybody in the numbers of a time: the same cohorts, of those sizes."""
        return self._sized(fleet)

    def _sized(self, fleet: Fleet | None) -> Census:
        if fleet is None or fleet is self.fleet:
            return self._census
        known = self._others.get(id(fleet))
        if known is None:
            if len(self._others) >= KEPT:
                self._others.pop(next(iter(self._others)))
            # The census keeps its fleet, so that the id is not given again.
            known = self._others[id(fleet)] = self._census.sized(fleet)
        return known

    @property
    def asked(self) -> int:
        """Give how often the judge was asked about a rule so far."""
        return self._jury.asked

    def total(self, hits: Hits) -> Total:
        """Count the clients behind some connections, each once."""
        return self._census.total(hits)

    def clients_of(self, host: str, hits: Hits) -> tuple[int, int]:
        """Count the clients of a host that are hit, and all of them; those whose number nobody knows count as one."""
        return self._census.on_host(host, hits)

    def day(self, impacts: Sequence[Impact]) -> Callable[[Fleet], Mapping[str, Total]]:
        """Give what counts, in the sizes of a fleet, those broken, exposed and unpinned at any instant of a day."""
        hits = _day_hits(impact.sight for impact in impacts if isinstance(impact, Told))
        return lambda fleet: {name: self._sized(fleet).total(own) for name, own in hits.items()}

    def day_totals(self, sights: Iterable[Sight], fleet: Fleet | None = None) -> dict[str, Total]:
        """Count clients over a day: broken, exposed and unpinned at any instant of it, in the sizes of that day."""
        return {name: self._sized(fleet).total(hits) for name, hits in _day_hits(sights).items()}


def _day_hits(sights: Iterable[Sight]) -> dict[str, Hits]:
    found: dict[str, Hits] = {}
    for sight in sights:
        for name, hits in (
            ("broken", sight.hits(Verdict.BREAKS, Verdict.LOST)),
            ("exposed", sight.hits(Verdict.EXPOSED, Verdict.LOST)),
            ("unpinned", sight.unpinned_hits),
        ):
            found[name] = found[name] | hits if name in found else hits
    return found
