"""Whatever is planned here, the judge is asked too: the planner stands on the fleet engine."""

from __future__ import annotations

from datetime import datetime

import pytest

from rotator.plan import outlook
from rotator.simulate.engine.engine import Engine
from rotator.simulate.fleet import Fleet
from rotator.simulate.impact import BROKEN, EXPOSED, Impact
from rotator.simulate.inventory import Inventory
from rotator.simulate.scene import Judges
from rotator.simulate.world import World


class Doubted(Engine):
    """The engine, held against the judge at every answer."""

    def __init__(self, inventory: Inventory, fleet: Fleet) -> None:
        super().__init__(inventory, fleet)
        self._judge = Judges(inventory)

    def impact(self, fleet: Fleet, world: World, at: datetime) -> Impact:
        found, own = super().impact(fleet, world, at), self._judge.impact(fleet, world, at)
        for verdicts in (BROKEN, EXPOSED):
            assert found.hit(*verdicts) == own.hit(*verdicts), at
        return found


@pytest.fixture(autouse=True)
def _engine_is_held_against_the_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlook, "Engine", Doubted)
