"""What a question makes of a policy before it is put together: pinsets that end, releases that go out, live pins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from rotator.errors import Problem, UsageError
from rotator.mechanisms.base import Context
from rotator.model.adoption import Curve
from rotator.model.policy import App, Count, Policy, Release
from rotator.model.when import plus
from rotator.simulate.assemble import assemble
from rotator.simulate.cohorts import NO_VERSION
from rotator.simulate.fleet import fleet_of
from rotator.simulate.inventory import Enforced, Inventory, Material
from rotator.simulate.populations import FloorAt, Forecast, floor_at, forecast
from rotator.simulate.tables import FleetTable
from rotator.simulate.timeline import Happening, with_ended_pinsets

CHANGING = frozenset({"ship", "publish", "pins-expire", "floor"})
"""What changes a policy itself, or who is told apart in it: see `as_asked`. All else happens to the world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A policy as a question needs it.

    Attributes:
        inventory: put together anew where the question changes what releases enforce.
        shipped: when releases go out that are asked about, by app and version.
        offline: the share of the clients of an app that live pins do not reach.
        floors: those that are raised.
    """

    inventory: Inventory
    shipped: dict[tuple[str, str], datetime] = field(default_factory=dict)
    offline: dict[str, float] = field(default_factory=dict)

    floors: tuple[FloorAt, ...] = ()

    def forecast(
        self,
        table: FleetTable,
        now: date,
        *,
        fitted: Mapping[str, Curve] | None = None,
        otherwise: Curve | None = None,
    ) -> Forecast:
        """Make the fleet, and where its clients are at any time.

        Args:
            table: the counts of the fleet file.
            now: the day from which clients move where the policy does not say when they were counted.
            fitted: curves that were fitted to counts, by app.
            otherwise: the curve of apps that name none; None leaves their clients as they were counted.
        """
        policy = self.inventory.policy
        moving = {name for name, app in policy.apps.items() if app.releases and (app.adoption is not None or otherwise)}
        floors = tuple(floor for floor in self.floors if floor.app in moving)
        fleet = fleet_of(
            self.inventory,
            table,
            shipped=self.shipped,
            offline=self.offline,
            moving=moving,
            floored={floor.app for floor in floors if floor.hard},
        )
        arriving = {
            (name, version): plus(at, timedelta(days=review_days(policy, name)))
            for (name, version), at in self.shipped.items()
        }
        return forecast(policy, fleet, now=now, shipped=arriving, floors=floors, fitted=fitted, otherwise=otherwise)


def as_asked(
    inventory: Inventory, material: Material, context: Context, digest: str, order: Iterable[Happening]
) -> Asked:
    """Put together what a question needs.

    Args:
        inventory: the policy as it is.
        material: what its files hold.
        context: as `assemble` takes it.
        digest: likewise.
        order: what happens.

    Raises:
        UsageError: a release is to go out that has.
        InputError: what changes is refused by a client's format.
    """
    order = tuple(order)
    policy, shipped = with_shipped(inventory.policy, order)
    if shipped:
        inventory = assemble(policy, material, context, digest)
    inventory = with_ended_pinsets(inventory, order)
    offline: dict[str, float] = {}
    published = dict(inventory.published)
    for app, pinset in dict.fromkeys(h.occurrence.parts for h in order if h.occurrence.id == "publish"):
        if (app, pinset) not in published:  # a plan has its own, which no file holds
            live = with_ended_pinsets(assemble(_publishing(policy, app, pinset), material, context), order)
            published[app, pinset] = _with_live(live, app)
        offline[app] = max(offline.get(app, 0.0), inventory.policy.pinsets[pinset].offline_share)
    if len(published) > len(inventory.published):
        inventory = replace(inventory, published=published)
    floors = tuple(floor_at(h.occurrence) for h in order if h.occurrence.id == "floor")
    return Asked(inventory=inventory, shipped=shipped, offline=offline, floors=floors)


def review_days(policy: Policy, app: str) -> float:
    """Give the days from handing a release of an app in until the first clients can have it."""
    own = policy.apps[app].review_days
    return policy.limits.review_days if own is None else own


def with_shipped(policy: Policy, order: Iterable[Happening]) -> tuple[Policy, dict[tuple[str, str], datetime]]:
    """Give the policy with the releases that `ship` sends out, and when each goes out; nobody runs them yet.

    Raises:
        UsageError: a release that clients run cannot ship again.
    """
    apps, shipped = dict(policy.apps), {}
    for happening in order:
        if happening.occurrence.id == "ship":
            name, version, pinset = happening.occurrence.parts
            apps[name] = _shipping(policy, name, apps[name], version, pinset, happening.at)
            release = next(r for r in apps[name].releases if version in (r.version, *r.also))
            shipped[name, release.version] = happening.at
    return (replace(policy, apps=apps) if shipped else policy), shipped


def _shipping(policy: Policy, name: str, app: App, version: str, pinset: str, at: datetime) -> App:
    releases = app.releases or (Release(version=NO_VERSION, also=("",), clients=app.clients),)
    coming = Release(version=version, released=at.date())
    for release in releases:
        if version in (release.version, *release.also):
            counted = policy.counted(name)
            out = release.released is None or counted is None or release.released <= counted
            if release.clients is not None or out:
                raise UsageError(
                    Problem(
                        f"{name} {version} has shipped, and what has shipped cannot be changed",
                        value=f"ship:{name}:{version}:{pinset}",
                        expected="a version that is not out",
                    )
                )
            coming = release
    coming = replace(coming, pinset={"": pinset}, config={}, clients=Count(low=0, high=0))
    kept = tuple(release for release in releases if release.version != coming.version)
    place = next((n for n, release in enumerate(releases) if release.version == coming.version), len(kept))
    return replace(app, releases=(*kept[:place], coming, *kept[place:]), clients=None)


def _publishing(policy: Policy, app: str, pinset: str) -> Policy:
    """Give the policy in which every pin of an app is from one pinset, to take the live ones from."""
    own = policy.apps[app]
    changed = replace(
        own,
        pinset={"": pinset},
        config={},
        releases=tuple(replace(release, pinset={"": pinset}, config={}) for release in own.releases),
        beside=tuple(replace(beside, pinset={"": pinset}) for beside in own.beside),
    )
    return replace(policy, apps={**policy.apps, app: changed})


def _with_live(inventory: Inventory, app: str) -> dict[tuple[int, int], tuple[Enforced, ...]]:
    found = {(index, -1): items for (name, index), items in inventory.enforced.items() if name == app}
    besides = {index: items for (name, index), items in inventory.beside.items() if name == app}
    found |= {(index, number): items for index, _ in tuple(found) for number, items in besides.items()}
    return found
