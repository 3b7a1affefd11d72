"""What every check is given, and what several of them ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property

from rotator.checks.named import of_policy, of_roots
from rotator.model.calendar import Fact
from rotator.model.pki import Certificate
from rotator.model.policy import Count, Policy
from rotator.model.resemblance import KnownKey, KnownKeys
from rotator.simulate.backtest import Snapshot
from rotator.simulate.cohorts import Cohort
from rotator.simulate.fleet import Connection, Fleet
from rotator.simulate.history import DayCount
from rotator.simulate.impact import Impact
from rotator.simulate.inventory import Enforced, Inventory
from rotator.simulate.roads import Moving


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a check looks at.

    Attributes:
        inventory: the policy with everything looked up.
        fleet: its clients.
        now: the instant of the check.
        today: an impact with nothing happening, at that instant.
        shipped: the bytes of files that `[[exports]]` names, by path, where they exist.
        named: keys that files outside the policy name.
        facts: what is known of the world, with dates.
        history: counts of several days, by app.
        moving: the curve of each app whose clients update.
        record: what hosts were seen to serve, until now.
        fleet_at: gives the same clients in the sizes of an instant; without it they stay as many as they are.
    """

    inventory: Inventory
    fleet: Fleet
    now: datetime
    today: Impact
    shipped: dict[str, bytes]
    named: tuple[KnownKey, ...] = ()
    facts: tuple[Fact, ...] = ()
    history: Mapping[str, tuple[DayCount, ...]] = field(default_factory=dict)
    moving: Mapping[str, Moving] = field(default_factory=dict)
    record: tuple[Snapshot, ...] = ()
    fleet_at: Callable[[datetime], Fleet] | None = None

    @property
    def policy(self) -> Policy:
        """Give the policy."""
        return self.inventory.policy

    @cached_property
    def known(self) -> KnownKeys:
        """Give every key that has a name, the policy's own first."""
        return KnownKeys((*of_policy(self.inventory), *of_roots(self.inventory), *self.named))

    def day(self, days: float) -> date:
        """Give the date some days from now."""
        return (self.now + timedelta(days=days)).date()

    @cached_property
    def _cohorts(self) -> dict[tuple[str, int], list[Cohort]]:
        found: dict[tuple[str, int], list[Cohort]] = {}
        for cohort in self.fleet.cohorts:
            found.setdefault((cohort.app, cohort.release), []).append(cohort)
        return found

    @cached_property
    def connections(self) -> dict[tuple[str, int], list[Connection]]:
        """Give the connections of each release, by app and index of the release."""
        found: dict[tuple[str, int], list[Connection]] = {}
        for connection in self.fleet.connections:
            found.setdefault((connection.cohort.app, connection.cohort.release), []).append(connection)
        return found

    def releases(self) -> Iterator[tuple[str, str, tuple[Enforced, ...], list[Cohort]]]:
        """Give each release: its policy path, a name for people, what it enforces, and its cohorts."""
        for (app, index), enforced in self.inventory.enforced.items():
            cohorts = self._cohorts.get((app, index), [])
            release = self.policy.apps[app].releases[index] if index >= 0 else None
            path = f"apps.{app}" + (f".releases[{index}]" if release else "")
            yield path, f"{app} {release.version}" if release else app, enforced, cohorts

    def pinset_users(self) -> dict[str, set[str]]:
        """Give the apps that use each pinset, in any release that is not to come."""
        users: dict[str, set[str]] = {}
        for table in (self.inventory.enforced, self.inventory.beside):
            for (app, _), enforced in table.items():
                for item in enforced:
                    if not item.from_file and item.source:
                        users.setdefault(item.source, set()).add(app)
        return users

    def served(self) -> Iterator[tuple[str, Certificate]]:
        """Give each host label with each leaf it serves in any place."""
        for label, offers in self.today.world.served.items():
            for offer in offers:
                yield label, offer.chain.leaf

    def last_seen(self, label: str) -> date | None:
        """Give the day on which a host was last looked at: by its record, or as the policy says."""
        days = [one.at.date() for one in self.record if self.policy.host_label(one.host) == label]
        own = self.policy.hosts[label].observed
        return max((*days, *([own] if own is not None else [])), default=None)

    def due(self, instant: datetime) -> int:
        """Give the whole days until an instant, negative when it has passed."""
        return (instant.date() - self.now.date()).days


def clients_of(cohorts: list[Cohort]) -> Count | None:
    """Add the sizes of cohorts up; None when one is not known."""
    if any(cohort.clients is None for cohort in cohorts):
        return None
    return Count(
        low=sum(c.clients.low for c in cohorts if c.clients),
        high=sum(c.clients.high for c in cohorts if c.clients),
    )


def people(count: Count | None) -> str:
    """Show a number of clients in a sentence."""
    if count is None:
        return "an unknown number of clients"
    if count.exact:
        return f"{count.high:,} clients"
    return f"{count.low:,}-{count.high:,} clients"
