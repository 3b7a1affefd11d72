"""Counts of earlier days, and the curves that are fitted to them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rotator.errors import InputError, Problem
from rotator.files.fleet_table import read_history
from rotator.files.store import current, side_folder
from rotator.model.adoption import Curve
from rotator.model.policy import Policy

if TYPE_CHECKING:
    from rotator.simulate.history import DayCount
    from rotator.simulate.tables import FleetRow


def history_file(policy: str, app: str) -> Path:
    """Give the file in which the counts of an app are kept over time."""
    return side_folder(policy) / "counts" / f"{app}.csv"


def counted_before(path: str, policy: Policy, today: date) -> tuple[dict[str, tuple[DayCount, ...]], list[Problem]]:
    """Read the counts of several days of every app that has a curve, and say what of them cannot be read.

    What `fleet --write` kept comes first. Of a fleet table with dates, which may be large, days that are not kept are
    added where a curve is to be fitted. A day after today is left out.
    """
    moving = {name: app for name, app in policy.apps.items() if app.adoption is not None and app.releases}
    if not moving:
        return {}, []
    from rotator.simulate.history import day_counts

    problems: list[Problem] = []
    wanted = any(app.adoption is not None and app.adoption.preset == "fitted" for app in moving.values())
    table = _rows(Path(policy.fleet), problems) if policy.fleet is not None and wanted else ()
    if problems:
        # The table was read as the fleet before, and its problems are told there.
        table, problems = (), []
    found = {}
    for name, app in moving.items():
        kept = [row for row in _rows(history_file(path, name), problems) if row.app == name]
        days = {row.day for row in kept}
        rows = [*kept, *(row for row in table if row.app == name and row.day not in days)]
        history = day_counts(app, [row for row in rows if row.day is not None and row.day <= today])
        if history:
            found[name] = history
    return found, problems


def _rows(path: Path, problems: list[Problem]) -> tuple[FleetRow, ...]:
    try:
        return read_history(str(path)) if current(path) is not None else ()
    except InputError as error:
        problems += error.problems
        return ()


def fitted(policy: Policy, history: Mapping[str, tuple[DayCount, ...]]) -> dict[str, Curve]:
    """Fit the curve of every app that asks for it and has counts of two days."""
    wanted = {name: app for name, app in policy.apps.items() if app.adoption and app.adoption.preset == "fitted"}
    if not wanted:
        return {}
    from rotator.plan.fitting import fit

    tried = {name: fit(app, history.get(name, ())) for name, app in wanted.items()}
    return {name: curve for name, curve in tried.items() if curve is not None}
