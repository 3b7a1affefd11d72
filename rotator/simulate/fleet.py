"""Who the clients are: cohorts with their sizes, and the connections each of them makes, with the rules on each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from rotator.mechanisms.base import Channel
from rotator.model.policy import App, Count, Release
from rotator.model.rules import Cleartext, Rule
from rotator.model.systems import parse_system
from rotator.simulate.inventory import DEFAULT_TRUST, Enforced, Inventory
from rotator.simulate.noting import noted

NO_VERSION = "-"
"""The version shown for an app without releases."""
UNSEEN = "older, unseen"
"""The version shown for clients that the store counts and does not show by version: they may run any release."""
UNSEEN_RELEASE = -2


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRow:
    """One row of a fleet table: clients of a version of an app, by operating system where that is known."""

    app: str
    version: str
    os: str
    clients: Count
    day: date | None = None
    unit: str = ""


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

    @property
    def name(self) -> str:
        """Show app and version, and the trust store where it is not the usual one."""
        shown = self.app if self.version == NO_VERSION else f"{self.app} {self.version}"
        return shown if self.trust == DEFAULT_TRUST else f"{shown} ({self.trust})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What one cohort uses one host through.

    Attributes:
        cohort: who.
        host: the host's label.
        share: the share of the cohort that uses it.
        mechanisms: the ids of what guards it; all must accept.
        rules: by DNS name of the host: the rule of each mechanism, in the same order.
        note: what the policy says of a connection beside the pinned ones.
        index: its place in the fleet.
        sources: for each mechanism the pinset its pins are from, "" where they are from a file.
        channels: for each mechanism the way by which its pins come.
        beside: index among the connections beside the pinned ones, -1 for a pinned one.
        instead: the connections it may really be, where the release is not known; the worst of them counts.
    """

    cohort: Cohort
    host: str
    share: float
    mechanisms: tuple[str, ...]
    rules: Mapping[str, tuple[Rule, ...]]
    note: str = ""
    index: int = 0
    sources: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    beside: int = -1
    instead: tuple[Connection, ...] = ()

    @property
    def demands(self) -> tuple[str, ...]:
        """Say in a sentence for each mechanism what it demands of the host, every different one once."""
        found = (
            f"{mechanism}: {rule.sentence}"
            for rules in self.rules.values()
            for mechanism, rule in zip(self.mechanisms, rules, strict=True)
        )
        return tuple(dict.fromkeys(found))

    @property
    def clients(self) -> Count | None:
        """Give the clients of the cohort that use the host; None when their number is not known."""
        whole = self.cohort.clients
        if whole is None or self.share == 1:
            return whole
        return Count(low=round(whole.low * self.share), high=round(whole.high * self.share))


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """All cohorts and their connections, in the order of the policy."""

    cohorts: tuple[Cohort, ...]
    connections: tuple[Connection, ...]

    @property
    def population(self) -> Count | None:
        """Give all clients; None when a number is not known, or when they are counted in unlike units."""
        counts = [cohort.clients for cohort in self.cohorts]
        if not counts or self.mixed or any(count is None for count in counts):
            return None
        return add(count for count in counts if count is not None)

    @property
    def mixed(self) -> bool:
        """Say whether apps are counted in unlike units, which cannot be added."""
        return len({cohort.unit for cohort in self.cohorts if cohort.unit}) > 1


def add(counts: Iterable[Count]) -> Count:
    """Add counts, ranges end by end."""
    low = high = 0
    for count in counts:
        low += count.low
        high += count.high
    return Count(low=low, high=high)


def fleet_of(
    inventory: Inventory,
    table: Sequence[FleetRow] = (),
    *,
    shipped: Mapping[tuple[str, str], datetime] | None = None,
    offline: Mapping[str, float] | None = None,
) -> Fleet:
    """Make the fleet of a policy.

    Args:
        inventory: the policy with everything looked up.
        table: rows of the fleet file, where the policy names one.
        shipped: when releases go out that are asked about, by app and version.
        offline: the share of the clients of an app that live pins do not reach, where live pins are asked about.
    """
    cohorts: list[Cohort] = []
    connections: list[Connection] = []
    rules: dict[tuple[Enforced, str, str], Rule] = {}
    for app_name in inventory.policy.apps:
        for whole in _cohorts(inventory, app_name, table):
            dated = replace(whole, since=(shipped or {}).get((app_name, whole.version)))
            for cohort in _by_reach(inventory, dated, (offline or {}).get(app_name, 0.0)):
                cohorts.append(cohort)
                connections += _connections(inventory, cohort, rules)
    numbered = (replace(connection, index=index) for index, connection in enumerate(connections))
    return Fleet(cohorts=tuple(cohorts), connections=tuple(numbered))


def _by_reach(inventory: Inventory, cohort: Cohort, share: float) -> Iterator[Cohort]:
    """Tell those whom live pins do not reach from the others, where a cohort has such pins."""
    own = [cohort.release]
    if cohort.release == UNSEEN_RELEASE:
        own = [index for index, _ in _out(inventory, inventory.policy.apps[cohort.app])]
    enforced = (item for index in own for item in inventory.enforced.get((cohort.app, index), ()))
    takes_live = any(channel_of(inventory, item) is Channel.LIVE for item in enforced)
    if not share or not takes_live:
        yield cohort
        return
    parts = split(cohort.clients, {"reached": 1 - share, "offline": share}) if cohort.clients is not None else {}
    yield replace(cohort, clients=parts.get("reached"))
    yield replace(cohort, clients=parts.get("offline"), offline=True)


def channel_of(inventory: Inventory, item: Enforced) -> Channel:
    """Give the way by which pins come to a client."""
    own = inventory.mechanisms[item.mechanism].channel
    pinset = None if item.from_file else inventory.policy.pinsets.get(item.source)
    return Channel.LIVE if own is Channel.RELEASE and pinset is not None and pinset.delivery == "live" else own


def _cohorts(inventory: Inventory, app_name: str, table: Sequence[FleetRow]) -> Iterator[Cohort]:
    app = inventory.policy.apps[app_name]
    basis = app.counts.basis if app.counts else "measured"
    unit = (app.counts.unit if app.counts else None) or next((r.unit for r in table if r.app == app_name), "")
    releases: list[tuple[int, Release | None]] = list(enumerate(app.releases)) or [(-1, None)]
    for index, release in releases:
        version = release.version if release else NO_VERSION
        shares = _shares(app, release)
        if inventory.policy.fleet is not None:
            counts = _from_table(inventory, app_name, release, shares, table)
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


def _unseen(inventory: Inventory, app: str, table: Sequence[FleetRow]) -> Count | None:
    """Give the clients of versions that the store does not show; None where there are none."""
    if inventory.policy.fleet is None:
        found = inventory.policy.apps[app].unseen
    else:
        found = add(row.clients for row in table if row.app == app and row.version == UNSEEN)
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
    table: Sequence[FleetRow],
) -> Mapping[str, Count | None]:
    """Add the rows of one release up by trust store; a version without rows has no clients."""
    names = {release.version, *release.also} if release else {NO_VERSION, ""}
    stores = {name: inventory.policy.trust[name].os for name in shares if name in inventory.policy.trust}
    found: dict[str, Count | None] = {trust: Count(low=0, high=0) for trust in shares}
    for row in table:
        if row.app != app or row.version not in names:
            continue
        store = store_of(row.os, stores)
        parts = split(row.clients, shares) if store is None else {store: row.clients}
        for trust, count in parts.items():
            found[trust] = add([c for c in (found.get(trust), count) if c is not None])
    return found


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
    return {name: Count(low=min(lows[name], highs[name]), high=highs[name]) for name in shares}


def _apportion(total: int, shares: Mapping[str, float]) -> dict[str, int]:
    exact = {name: total * share for name, share in shares.items()}
    whole = {name: int(value + 1e-9) for name, value in exact.items()}
    rest = total - sum(whole.values())
    for name in sorted(exact, key=lambda n: exact[n] - whole[n], reverse=True)[: max(0, rest)]:
        whole[name] += 1
    return whole


def _connections(
    inventory: Inventory, cohort: Cohort, rules: dict[tuple[Enforced, str, str], Rule]
) -> Iterator[Connection]:
    policy = inventory.policy
    app = policy.apps[cohort.app]
    if cohort.release == UNSEEN_RELEASE:
        yield from _any_release(inventory, cohort, rules)
        return
    enforced = inventory.enforced.get((cohort.app, cohort.release), ())
    usage = policy.hosts_of(cohort.app)
    for host, share in usage.items():
        yield _connection(inventory, cohort, host, share, enforced, "", rules)
    for index, beside in enumerate(app.beside):
        for host in beside.hosts:
            yield _connection(
                inventory,
                cohort,
                host,
                usage.get(host, 1.0),
                inventory.beside.get((cohort.app, index), ()),
                beside.note or "beside",
                rules,
                beside=index,
            )


def _any_release(
    inventory: Inventory, cohort: Cohort, rules: dict[tuple[Enforced, str, str], Rule]
) -> Iterator[Connection]:
    """Give the connections of clients that may run any release that is out: each with all it may be."""
    each = [
        list(_connections(inventory, replace(cohort, release=index, version=release.version), rules))
        for index, release in _out(inventory, inventory.policy.apps[cohort.app])
    ]
    for found in zip(*each, strict=True):
        yield replace(
            found[0],
            cohort=cohort,
            mechanisms=tuple(name for c in found for name in c.mechanisms),
            rules={name: tuple(rule for c in found for rule in c.rules[name]) for name in found[0].rules},
            sources=tuple(source for c in found for source in c.sources),
            channels=tuple(channel for c in found for channel in c.channels),
            instead=found,
        )


def _out(inventory: Inventory, app: App) -> list[tuple[int, Release]]:
    """Give the releases that are out, all of them where none is."""
    every = list(enumerate(app.releases))
    return [(index, release) for index, release in every if not _to_come(inventory, app, release)] or every


def _connection(
    inventory: Inventory,
    cohort: Cohort,
    host: str,
    share: float,
    enforced: Sequence[Enforced],
    note: str,
    rules: dict[tuple[Enforced, str, str], Rule],
    *,
    beside: int = -1,
) -> Connection:
    app = inventory.policy.apps[cohort.app]
    by_name: dict[str, tuple[Rule, ...]] = {}
    for name in inventory.policy.host_names(host):
        by_name[name] = tuple(rule_of(inventory, item, host, name, rules, cleartext=app.cleartext) for item in enforced)
    return Connection(
        cohort=cohort,
        host=host,
        share=share,
        mechanisms=tuple(item.mechanism for item in enforced),
        rules=by_name,
        note=("not reached by live pins" if cohort.offline and not note else note),
        sources=tuple("" if item.from_file else item.source for item in enforced),
        channels=tuple(channel_of(inventory, item) for item in enforced),
        beside=beside,
    )


def rule_of(
    inventory: Inventory,
    item: Enforced,
    host: str,
    name: str,
    rules: dict[tuple[Enforced, str, str], Rule],
    *,
    cleartext: bool | None,
) -> Rule:
    """Give what a configuration demands of a name, each one made once.

    Args:
        inventory: the policy with everything looked up.
        item: the configuration.
        host: the label of the host.
        name: the DNS name.
        rules: those made so far.
        cleartext: what the policy says of the app, for clients whose file does not say it.
    """
    if (item, host, name) not in rules:
        rejected = item.config.rejected
        mechanism = inventory.mechanisms[item.mechanism]
        config = item.config.asked_at(inventory.policy.hosts[host].port)
        config = noted(inventory, config, host) if mechanism.channel is Channel.HEADER else config
        made = Rule(rejected=rejected) if rejected else mechanism.rule(config, name)
        policy = inventory.policy
        signed = (h.dane.dnssec for label, h in policy.hosts.items() if h.dane and name in policy.host_names(label))
        dnssec = next(signed, "secure")
        rules[item, host, name] = mechanism.as_resolved(made, dnssec)
    said = item.config.allows_cleartext(name)
    said = cleartext if said is None else said
    own = inventory.mechanisms[item.mechanism].cleartext if said is None else _CLEARTEXT[said]
    rule = rules[item, host, name]
    return rule if rule.cleartext is own else replace(rule, cleartext=own)


_CLEARTEXT = {True: Cleartext.ALLOWED, False: Cleartext.REFUSED}
