"""The policy as its file says it: tables by name, references by name, nothing looked up yet.

Field names are the keys of the file (`docs/policy-file.md`); `from` is `from_`. Paths are absolute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from types import MappingProxyType

from rotator.model.names import Cover
from rotator.model.pins import Pin

NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a team accepts, and how long things take; every line has a default."""

    break_budget: float = 0.005
    exposure_budget: float = 0.0
    noise_floor: float = 0.0005
    exposure_weight: float = 1.0
    confidence: float = 0.9
    horizon_days: int = 365
    emergency_days: int = 30
    proof_days: int = 365
    deploy_days: float = 1
    rollback_days: float = 14
    review_days: float = 2
    safety_days: float = 3
    sighting_days: int = 14
    key_max_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key pair of ours: where its public half is known from, and how it is kept."""

    certificate: str | None = None
    public_key: str | None = None
    csr: str | None = None
    spki: Pin | None = None
    custody: str | None = None
    proved: date | None = None
    status: str = "active"
    since: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """One CA key, somebody else's unless `holder` says `ours`."""

    bundled: str | None = None
    certificate: tuple[str, ...] = ()
    spki: Pin | None = None
    holder: str | None = None
    until: date | None = None
    custody: str | None = None
    issued_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPlan:
    """A chain: a PEM file as sent, or one that is planned."""

    file: str | None = None
    leaf: str | None = None
    issuers: tuple[str, ...] = ()
    not_before: date | datetime | None = None
    lifetime_days: float | None = None
    lead_hours: float | None = None
    sends: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    common_name: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A place that serves something else than the host's own chains."""

    name: str
    serves: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dane:
    """The TLSA records of a host."""

    records: str
    ttl_seconds: int = 3600
    dnssec: str = "secure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host label, the DNS names behind it, and what it serves."""

    names: tuple[str, ...] | None = None
    port: int = 443
    serves: tuple[str, ...] = ()
    edges: tuple[Edge, ...] = ()
    issuer_pool: Mapping[str, float] = field(default_factory=dict)
    renew_days: int | None = None
    renew_key: str | None = None
    observed: date | None = None
    other_clients: str | None = None
    control: str = "ours"
    audience: str = "public"
    dane: Dane | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """A trust store: the Mozilla bundle unless `roots` says otherwise."""

    roots: tuple[str, ...] | str | None = None
    without: tuple[str, ...] = ()
    local_roots: tuple[str, ...] = ()
    intercepted_by: str | None = None
    os: tuple[str, ...] = ()
    accepts_expired_roots: bool = False
    key_types: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinset:
    """A named set of pins with the names it covers, its expiry and its mode."""

    primary: tuple[str, ...] = ()
    backups: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    covers: tuple[Cover, ...] | None = None
    expires: date | datetime | None = None
    mode: str = "enforce"
    combine: str = "any"
    delivery: str = "release"
    refresh_days: float | None = None
    offline_share: float = 0.0
    stale: str | None = None
    signed_by: str | None = None
    max_age_days: float | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """Give the names of our keys in it, primary first."""
        return (*self.primary, *self.backups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A number of clients, with its range where one is known."""

    low: int
    high: int

    @property
    def exact(self) -> bool:
        """Say whether the number is one number."""
        return self.low == self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsInfo:
    """Where the numbers of an app came from; `spread` is about the clients of each trust store."""

    source: str | None = None
    unit: str | None = None
    basis: str = "measured"
    spread: str = "measured"
    date: date | None = None
    file: str | None = None
    opt_in: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """A version below which clients are made to update."""

    version: str
    date: date
    mode: str = "hard"
    reach: float | None = None
    reach_days: float | None = None
    via: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Connections of the same app that another mechanism guards, or none."""

    mechanism: tuple[str, ...]
    hosts: tuple[str, ...]
    pinset: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """How fast the clients of an app update; see `docs/adoption.md`."""

    preset: str | None = None
    never: float | None = None
    fast: float | None = None
    fast_days: float | None = None
    slow_days: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One version of an app with the pin configuration it shipped with; what it leaves out it has from the app.

    `clients` is one count, or counts by trust store. `config` names the shipped file by mechanism.
    """

    version: str
    also: tuple[str, ...] = ()
    builds: tuple[int, ...] = ()
    min_os: str | None = None
    released: date | None = None
    pinset: Mapping[str, str] | None = None
    mechanism: tuple[str, ...] | None = None
    config: Mapping[str, str] | None = None
    trust: Mapping[str, float] | None = None
    clients: Count | Mapping[str, Count] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """An app or a service that pins.

    `pinset` and `config` map a mechanism to a name or a path; the key "" stands for every mechanism of the app.
    `hosts` maps a host to the share of clients that use it; None means every host of the policy. `unseen` counts
    clients of versions that the store does not show: they may run any release. `cleartext` says whether it takes
    connections without TLS, where its files do not say it.
    """

    mechanism: tuple[str, ...]
    pinset: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, float] | None = None
    trust: Mapping[str, float] = field(default_factory=dict)
    clients: Count | Mapping[str, Count] | None = None
    releases: tuple[Release, ...] = ()
    beside: tuple[Beside, ...] = ()
    adoption: Adoption | None = None
    new_installs: float = 0.0
    rollout: str | tuple[tuple[float, float], ...] | None = None
    review_days: float | None = None
    break_budget: float | None = None
    floors: tuple[Floor, ...] = ()
    counts: CountsInfo | None = None
    unseen: Count | None = None
    released: date | None = None
    min_os: str | None = None
    cleartext: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomMechanism:
    """One's own client code: a known mechanism or preset with some axes changed."""

    like: str
    axes: Mapping[str, str] = field(default_factory=dict)
    host_rule: str | None = None
    runtime: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Files that `export` writes from a pinset, by mechanism."""

    pinset: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A time in which nothing is shipped or served."""

    from_: date
    to: date
    what: tuple[str, ...] = ("ship", "serve")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRow:
    """A dated event or action of `[[calendar]]` or of a scenario, as written."""

    date: date | datetime
    event: str | None = None
    action: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """A finding that the team lives with."""

    finding: str
    reason: str
    subject: str | None = None
    until: date | None = None


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A whole policy file with everything it includes."""

    schema: int = 1
    name: str = ""
    file: str = ""
    measured: date | None = None
    include: tuple[str, ...] = ()
    pki: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    keys: Mapping[str, Key] = field(default_factory=dict)
    authorities: Mapping[str, Authority] = field(default_factory=dict)
    chains: Mapping[str, ChainPlan] = field(default_factory=dict)
    hosts: Mapping[str, Host] = field(default_factory=dict)
    trust: Mapping[str, Trust] = field(default_factory=dict)
    pinsets: Mapping[str, Pinset] = field(default_factory=dict)
    apps: Mapping[str, App] = field(default_factory=dict)
    mechanisms: Mapping[str, CustomMechanism] = field(default_factory=dict)
    fleet: str | None = None
    exports: tuple[Export, ...] = ()
    freeze: tuple[Freeze, ...] = ()
    calendar: tuple[TimelineRow, ...] = ()
    scenarios: Mapping[str, tuple[TimelineRow, ...]] = field(default_factory=dict)
    allow: tuple[Allow, ...] = ()

    def counted(self, app: str) -> date | None:
        """Give the day the clients of an app were counted."""
        own = self.apps[app].counts
        return (own.date if own else None) or self.measured

    @property
    def oldest_count(self) -> date | None:
        """Give the day of the oldest count of any app, or the day of the file where there is no app."""
        days = [day for day in map(self.counted, self.apps) if day is not None]
        return min(days, default=self.measured)

    def host_names(self, label: str) -> tuple[str, ...]:
        """Give the DNS names behind a host label."""
        return self.hosts[label].names or (label,)

    @cached_property
    def apps_by_pinset(self) -> Mapping[str, tuple[str, ...]]:
        """Give the apps that use each pinset in any release or beside it, in the order of the policy."""
        found: dict[str, dict[str, None]] = {}
        for name, app in self.apps.items():
            for table in (app.pinset, *(r.pinset for r in app.releases if r.pinset), *(b.pinset for b in app.beside)):
                for pinset in table.values():
                    found.setdefault(pinset, {})[name] = None
        return {pinset: tuple(apps) for pinset, apps in found.items()}

    def hosts_of(self, app: str) -> Mapping[str, float]:
        """Give the hosts an app uses, each with the share of its clients that do."""
        shares = self.apps[app].hosts
        return dict.fromkeys(self.hosts, 1.0) if shares is None else shares

    def host_label(self, name: str) -> str | None:
        """Find a host by its label or one of its DNS names."""
        if name in self.hosts:
            return name
        return next((label for label in self.hosts if name in self.host_names(label)), None)
