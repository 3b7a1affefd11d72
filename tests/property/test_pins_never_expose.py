"""A client without pins in force is never better protected than the same client with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hypothesis import assume, given

from rotator.model.policy import App, Policy
from rotator.simulate.grammar import Occurrence
from tests.property.asking import answer
from tests.property.strategies import EVENTS, happenings, instants, policies

#: Pins are what these are about: a client without them has nothing that could be written or be wrong.
WORLD = [e for e in EVENTS if not e.startswith(("hostile-pins", "wrong-pin", "ship", "publish", "pins-expire"))]


def without_pins(app: App) -> App:
    """Give the app with its mechanisms and no pins."""
    releases = tuple(replace(release, pinset={}) for release in app.releases)
    return replace(app, pinset={}, releases=releases)


@given(policy=policies(known=False), events=happenings(WORLD), at=instants)
def test_taking_the_pins_away_exposes_whoever_was_exposed(
    policy: Policy, events: tuple[Occurrence, ...], at: datetime
) -> None:
    pinned = answer(policy, events, at).impact.rows
    bare = replace(policy, apps={name: without_pins(app) for name, app in policy.apps.items()})
    open_rows = {row.connection.index: row for row in answer(bare, events, at).impact.rows}
    assume(len(open_rows) == len(pinned))
    for row in pinned:
        if row.verdict.is_exposed:
            assert open_rows[row.connection.index].verdict.is_exposed, (row, open_rows[row.connection.index])
