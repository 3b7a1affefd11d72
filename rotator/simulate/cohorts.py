"""Who the clients are: cohorts, alike in everything that matters to a verdict, with their sizes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import accumulate, pairwise

from rotator.model.policy import App, Count, Release
from rotator.model.systems import parse_system
from rotator.simulate.inventory import DEFAULT_TRUST, Inventory
from rotator.simulate.tables import FleetTable

NO_VERSION = "-"
"""The version shown for an app without releases."""
UNSEEN = "older, unseen"
"""The version shown for clients that the store counts and does not show by version: they may run any release."""
NO_RELEASE = -1
UNSEEN_RELEASE = -2


class Standing(StrEnum):
    """Where clients stand to floors, once they move.

    Attributes:
        PLAIN: nothing is known of them: every floor above them locks them out.
        MOVES: they update, or will before a floor is in their way.
        STAYS: they do not, so that a hard floor locks them out.
    """

    PLAIN = "plain"
    MOVES = "moves"
    STAYS = "stays"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Clients alike in everything that matters to a verdict.

    Attributes:
        app, version, trust: who they are.
        release: index of the release in the policy, -1 for an app without releases, -2 for those of unseen versions.
        clients: how many; None when nobody knows.
        basis: `measured`, `scaled` or `assumed`.
        unit: what is counted, such as `active devices, 30 days`; "" where the policy does not say.
        since: when the release goes out, where that is asked about; None when it is out.
        offline: those whom live pins do not reach.
        standing: where they stand to floors.
    """

    app: str
    version: str
    trust: str
    release: int
    clients: Count | None
    basis: str
    unit: str = ""
    since: datetime | None = None
    offline: bool = False
    standing: Standing = Standing.PLAIN

    @property
    def name(self) -> str:
        """Show app and version, and the trust store where it is not the usual one."""
        shown = self.app if self.version == NO_VERSION else f"{self.app} {self.version}"
        return shown if self.trust == DEFAULT_TRUST else f"{shown} ({self.trust})"


def cohorts_of(inventory: Inventory, app_name: str, table: FleetTable) -> Iterator[Cohort]:
    """Give the cohorts of an app, in the order of its releases, those of unseen versions last."""
    app = inventory.policy.apps[app_name]
    basis = app.counts.basis if app.counts else "measured"
    unit = (app.counts.unit if app.counts else None) or table.unit(app_name)
    systems: dict[tuple[str, ...], dict[str, str | None]] = {}
    releases: list[tuple[int, Release | None]] = list(enumerate(app.releases)) or [(-1, None)]
    for index, release in releases:
        version = release.version if release else NO_VERSION
        shares = _shares(app, release)
        if inventory.policy.fleet is not None:
            counts = _from_table(inventory, app_name, release, shares, table, systems.setdefault(tuple(shares), {}))
        elif release is not None and release.clients is None and _to_come(inventory, app, release):
            counts = dict.fromkeys(shares, Count(low=0, high=0))
        else:
            counts = _inline(app.clients if release is None else release.clients, shares)
        spread = basis if len(shares) < 2 or _spread_known(inventory, app, release) else "assumed"
        for trust, clients in counts.items():
            yield Cohort(
                app=app_name,
                version=version,
                trust=trust,
                release=index,
                clients=clients,
                basis=spread,
                unit=unit,
            )
    unseen = _unseen(inventory, app_name, table)
    for trust, clients in split(unseen, app.trust or {DEFAULT_TRUST: 1.0}).items() if unseen else ():
        yield Cohort(
            app=app_name,
            version=UNSEEN,
            trust=trust,
            release=UNSEEN_RELEASE,
            clients=clients,
            basis=basis,
            unit=unit,
        )


def _spread_known(inventory: Inventory, app: App, release: Release | None) -> bool:
    """Say whether the clients of each trust store were counted, and not split by shares."""
    clients = app.clients if release is None else release.clients
    given = inventory.policy.fleet is not None or isinstance(clients, Mapping)
    return given and (app.counts is None or app.counts.spread == "measured")


def _unseen(inventory: Inventory, app: str, table: FleetTable) -> Count | None:
    """Give the clients of versions that the store does not show; None where there are none."""
    if inventory.policy.fleet is None:
        found = inventory.policy.apps[app].unseen
    else:
        found = add(clients for _, clients in table.counts(app, (UNSEEN,)))
    return found if found is not None and found.high else None


def _to_come(inventory: Inventory, app: App, release: Release) -> bool:
    """Say whether a release went out, or will, after the clients were counted: nobody runs it in these numbers."""
    counted = (app.counts.date if app.counts else None) or inventory.policy.measured
    return counted is not None and release.released is not None and release.released > counted


def _shares(app: App, release: Release | None) -> Mapping[str, float]:
    own = release.trust if release is not None and release.trust is not None else app.trust
    return own or {DEFAULT_TRUST: 1.0}


def _inline(clients: Count | Mapping[str, Count] | None, shares: Mapping[str, float]) -> Mapping[str, Count | None]:
    if clients is None:
        return dict.fromkeys(shares)
    return split(clients, shares) if isinstance(clients, Count) else clients


def _from_table(
    inventory: Inventory,
    app: str,
    release: Release | None,
    shares: Mapping[str, float],
    table: FleetTable,
    known: dict[str, str | None],
) -> Mapping[str, Count | None]:
    """Add the rows of one release up by trust store; a version without rows has no clients.

    Args:
        inventory: the policy with everything looked up.
        app: its name.
        release: the release; None for an app without releases.
        shares: the trust stores, with the share of each where the system does not tell.
        table: the counts.
        known: the store of each system, as far as they were looked up.
    """
    names = dict.fromkeys((release.version, *release.also) if release else (NO_VERSION, ""))
    stores = {name: inventory.policy.trust[name].os for name in shares if name in inventory.policy.trust}
    found: dict[str, Count | None] = {trust: Count(low=0, high=0) for trust in shares}
    for system, clients in table.counts(app, names):
        if system not in known:
            known[system] = store_of(system, stores)
        store = known[system]
        parts = split(clients, shares) if store is None else {store: clients}
        for trust, count in parts.items():
            found[trust] = add([c for c in (found.get(trust), count) if c is not None])
    return found


def releases_out(inventory: Inventory, app: App) -> list[tuple[int, Release]]:
    """Give the releases that are out, all of them where none is."""
    every = list(enumerate(app.releases))
    return [(index, release) for index, release in every if not _to_come(inventory, app, release)] or every


def store_of(os: str, stores: Mapping[str, Sequence[str]], platform: str = "android") -> str | None:
    """Find the trust store of an operating system.

    Args:
        os: as a table of counts says it, such as `24` or `iOS 18.1`.
        stores: the operating systems of each store, as the policy lists them.
        platform: what a bare number is of.
    """
    exact = next((name for name, listed in stores.items() if os in listed), None)
    system = parse_system(os, platform)
    if exact is not None or system is None:
        return exact
    known = ((name, parse_system(text)) for name, listed in stores.items() for text in listed)
    return next((name for name, own in known if own is not None and system.within(own)), None)


def split(count: Count, shares: Mapping[str, float]) -> dict[str, Count]:
    """Split a count by shares so that the parts add up to it (largest remainders get what is left over)."""
    lows = _apportion(count.low, shares)
    highs = lows if count.exact else _apportion(count.high, shares)
    # A larger whole may give a part less by one (the paradox of largest remainders): another part has room for it.
    over = sum(max(0, lows[name] - highs[name]) for name in shares)
    lows = {name: min(lows[name], highs[name]) for name in shares}
    for name in shares if over else ():
        taken = min(over, highs[name] - lows[name])
        lows[name] += taken
        over -= taken
    return {name: Count(low=lows[name], high=highs[name]) for name in shares}


def _apportion(total: int, shares: Mapping[str, float]) -> dict[str, int]:
    exact = {name: total * share for name, share in shares.items()}
    whole = {name: int(value + 1e-9) for name, value in exact.items()}
    rest = total - sum(whole.values())
    for name in sorted(exact, key=lambda n: exact[n] - whole[n], reverse=True)[: max(0, rest)]:
        whole[name] += 1
    return whole


def spread(count: Count, shares: Sequence[float]) -> list[Count]:
    """Split a count over parts in an order, so that as many lie in the first few as the share of those comes to.

    How many people are on old releases never hangs on how the others are spread over newer ones, as it would by largest
    remainders: a release that is added brings nobody back to an older one.

    Args:
        count: the whole.
        shares: of each part, oldest release first; they add up to 1.
    """
    lows = _in_turn(count.low, shares)
    highs = lows if count.exact else _in_turn(count.high, shares)
    # A larger whole may give a part less by one: another part has room for it.
    over = sum(max(0, low - high) for low, high in zip(lows, highs, strict=True))
    lows = [min(low, high) for low, high in zip(lows, highs, strict=True)]
    for place in range(len(lows)) if over else ():
        taken = min(over, highs[place] - lows[place])
        lows[place] += taken
        over -= taken
    return [Count(low=low, high=high) for low, high in zip(lows, highs, strict=True)]


def _in_turn(total: int, shares: Sequence[float]) -> list[int]:
    marks = [min(total, math.floor(total * so_far + 0.5)) for so_far in accumulate(shares)]
    marks[-1:] = [total] if shares else []
    return [mark - before for before, mark in pairwise([0, *marks])]


def add(counts: Iterable[Count]) -> Count:
    """Add counts, ranges end by end."""
    low = high = 0
    for count in counts:
        low += count.low
        high += count.high
    return Count(low=low, high=high)
