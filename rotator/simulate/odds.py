"""Issuer pools: the probability that the next renewal of a host breaks a cohort, and that one within a year does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rotator.model.when import DAY, FOREVER
from rotator.simulate.fleet import Connection, Fleet
from rotator.simulate.impact import Judging
from rotator.simulate.serving import above_of, renewed
from rotator.simulate.world import Offer, World

YEAR = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Odds:
    """What a pool does to one cohort on one host.

    Attributes:
        connection: who, where.
        per_renewal: the probability that a renewal breaks it.
        renewals: how many renewals a year brings.
        per_year: the probability that at least one of them does, each drawn on its own.
        by: the members of the pool that break it.
    """

    connection: Connection
    per_renewal: float
    renewals: int
    per_year: float
    by: tuple[str, ...]

    @property
    def host(self) -> str:
        """Give the host's label."""
        return self.connection.host

    @property
    def who(self) -> str:
        """Give the cohort's name."""
        return self.connection.cohort.name


def renewal_odds(judges: Judging, fleet: Fleet, world: World, at: datetime, host: str) -> tuple[Odds, ...]:
    """Draw the issuer of a host's next renewal from its pool, the likeliest break first.

    The key stays unless the policy says that renewals bring a new one: what is asked is what the issuer does. A
    cohort that is broken already is not asked.
    """
    inventory = judges.inventory
    plan = inventory.policy.hosts[host]
    offers = world.served.get(host, ())
    if not plan.issuer_pool or not offers:
        return ()
    today = judges.impact(fleet, world, at)
    asked = {r.connection.index for r in today.rows if r.connection.host == host and not r.verdict.is_broken}
    broken: dict[int, list[str]] = {index: [] for index in asked}
    for name in plan.issuer_pool:
        drawn = tuple(
            Offer(
                place=offer.place,
                chain=renewed(
                    world, inventory, host, offer.chain, f"{plan.renew_key or 'same'}-key",
                    above_of(inventory, name, offer.chain)[0],
                ),
            )
            for offer in offers
        )  # fmt: skip
        for row in judges.impact(fleet, world.with_offers(host, drawn), at).rows:
            if row.connection.index in broken and row.verdict.is_broken:
                broken[row.connection.index].append(name)
    renewals = max(1, round(YEAR / _days(offers, plan.renew_days)))
    found = [
        _odds(fleet.connections[index], tuple(names), sum(plan.issuer_pool[name] for name in names), renewals)
        for index, names in broken.items()
    ]
    return tuple(sorted(found, key=lambda odds: (-odds.per_renewal, odds.connection.index)))


def _odds(connection: Connection, names: tuple[str, ...], share: float, renewals: int) -> Odds:
    share = min(1.0, share)
    return Odds(
        connection=connection,
        per_renewal=share,
        renewals=renewals,
        per_year=1 - (1 - share) ** renewals,
        by=names,
    )


def _days(offers: tuple[Offer, ...], stated: int | None) -> float:
    """Give the days between renewals: what the policy says, else the shortest life of what is served."""
    if stated:
        return stated
    lives = [o.chain.leaf.not_after - o.chain.leaf.not_before for o in offers if o.chain.leaf.not_after != FOREVER]
    return max(1.0, min((life / DAY for life in lives), default=float(YEAR)))
