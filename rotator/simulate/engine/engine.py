"""The fleet engine: what the judge says of each connection, said of all of them at once.

It agrees with `rotator.simulate.scene` on everything a total stands on: verdicts, reasons, doubts, counts. For the
*why* of a single row, ask the judge.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rotator.model.verdicts import Verdict
from rotator.simulate.engine.counting import Census, Hits
from rotator.simulate.engine.judging import Jury
from rotator.simulate.engine.sight import Sight
from rotator.simulate.fleet import Fleet
from rotator.simulate.inventory import Inventory
from rotator.simulate.totals import Total
from rotator.simulate.world import World


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
        self._other: Census | None = None

    def sight(self, world: World, at: datetime, fleet: Fleet | None = None) -> Sight:
        """Judge every connection in a world at an instant.

        Args:
            world: the world.
            at: the instant.
            fleet: the same cohorts in the sizes of that time; without it those the engine was made with.
        """
        units, outcome = self._jury.hear(world, at)
        return Sight(at=at, world=world, census=self._sized(fleet), units=units.of, outcome=outcome)

    def _sized(self, fleet: Fleet | None) -> Census:
        if fleet is None:
            return self._census
        if self._other is None or self._other.fleet is not fleet:
            self._other = self._census.sized(fleet)
        return self._other

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

    def day_totals(self, sights: Iterable[Sight], fleet: Fleet | None = None) -> dict[str, Total]:
        """Count clients over a day: broken, exposed and unpinned at any instant of it, in the sizes of that day."""
        found: dict[str, Hits] = {}
        for sight in sights:
            for name, hits in (
                ("broken", sight.hits(Verdict.BREAKS, Verdict.LOST)),
                ("exposed", sight.hits(Verdict.EXPOSED, Verdict.LOST)),
                ("unpinned", sight.unpinned_hits),
            ):
                found[name] = found[name] | hits if name in found else hits
        return {name: self._sized(fleet).total(hits) for name, hits in found.items()}
