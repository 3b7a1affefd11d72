"""What hosts were seen to serve, against what the policy says they serve and what clients pin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from rotator.checks.base import Subject, clients_of, people
from rotator.checks.dates import SOON_DAYS
from rotator.model.findings import Finding, Severity, error, info, warning, worst_first
from rotator.model.names import some
from rotator.model.pki import Certificate
from rotator.model.sightings import Fault, Seen, Unseen
from rotator.model.when import show
from rotator.simulate.backtest import Snapshot, backtest
from rotator.simulate.fleet import Connection, Fleet
from rotator.simulate.inventory import Inventory

REUSE_HINT = (
    "make the renewal keep its key (certbot --reuse-key, cert-manager rotationPolicy: Never, acme.sh without "
    "--always-force-new-domain-key), or ship a release that pins the next keys first"
)


@dataclass(frozen=True, kw_only=True)
class Sightings:
    """Everything that was seen at one time.

    Attributes:
        today: the day.
        seen: the chains.
        unseen: addresses that showed none.
        history: what was seen before.
    """

    today: date
    seen: Sequence[Seen]
    unseen: Sequence[Unseen] = ()
    history: Sequence[Snapshot] = field(default=())

    @property
    def snapshots(self) -> list[Snapshot]:
        """Give what was seen as records."""
        return [Snapshot(at=one.at, host=one.name, sent=one.sent, source=one.source) for one in self.seen]


def about(inventory: Inventory, fleet: Fleet, sightings: Sightings) -> tuple[Finding, ...]:
    """Say everything that is to be said about what was seen, worst first."""
    work = _Looking(inventory, fleet, sightings)
    found = [
        finding
        for look in (work.faults, work.each, work.drifts, work.together, work.refused, work.reuse)
        for finding in look()
    ]
    return worst_first(found)


def remembered(subject: Subject) -> Iterator[Finding]:
    """Say what the newest sighting of each host still tells: how it differs, who refuses it, which key went.

    A sighting counts as long as `limits.sighting_days` says, and until somebody wrote a later day into `observed`.
    """
    policy, today = subject.policy, subject.now.date()
    newest: dict[str, datetime] = {}
    for one in subject.record:
        newest[one.host] = max(one.at, newest.get(one.host, one.at))
    seen, history = [], []
    for one in sorted(subject.record, key=lambda one: (one.at, one.host)):
        label = policy.host_label(one.host)
        if label is None:
            continue
        written = policy.hosts[label].observed
        fresh = (today - one.at.date()).days <= policy.limits.sighting_days
        if one.at == newest[one.host] and fresh and (written is None or written <= one.at.date()):
            said = f"the sighting of {one.at.date()}"
            seen.append(Seen(label=label, name=one.host, at=one.at, sent=one.sent, source=said))
        else:
            history.append(one)
    if seen:
        work = _Looking(subject.inventory, subject.fleet, Sightings(today=today, seen=seen, history=history))
        for look in (work.drifts, work.refused, work.reuse):
            yield from look()


def agreeing(inventory: Inventory, sightings: Sightings) -> list[str]:
    """Give the labels of hosts of which every address showed what the policy says it serves, and nothing else."""
    labels = dict.fromkeys(one.label for one in sightings.seen)
    bad = {one.label for one in sightings.unseen if not _no_way_from_here(one, sightings)}
    bad |= {one.label for one in sightings.seen if not _expected(inventory, one) or not one.leaf.covers(one.name)}
    return [label for label in labels if label not in bad]


def _expected(inventory: Inventory, one: Seen) -> bool:
    """Say whether a chain is one the host serves: the same leaf, or a planned one for the same key."""
    return any(
        leaf == one.leaf or (leaf.planned and leaf.spki == one.leaf.spki) for leaf in _leaves(inventory, one.label)
    )


def _leaves(inventory: Inventory, label: str) -> list[Certificate]:
    host = inventory.policy.hosts[label]
    names = (*host.serves, *(name for edge in host.edges for name in edge.serves))
    return [inventory.chains[name].leaf for name in names]


def _no_way_from_here(one: Unseen, sightings: Sightings) -> bool:
    """Say whether only this machine lacks a way, as to IPv6 addresses of a host whose others answer."""
    others = any(seen.name == one.name and seen.addresses for seen in sightings.seen)
    return one.fault is Fault.UNREACHABLE and ":" in one.address and others


class _Looking:
    def __init__(self, inventory: Inventory, fleet: Fleet, sightings: Sightings) -> None:
        self.inventory = inventory
        self.policy = inventory.policy
        self.fleet = fleet
        self.sightings = sightings

    def faults(self) -> Iterator[Finding]:
        """Addresses that showed nothing."""
        for one in self.sightings.unseen:
            where = f"{one.name}:{one.port}" + (f" at {one.address}" if one.address else "")
            detail = f" ({one.detail})" if one.detail else ""
            yield (info if _no_way_from_here(one, self.sightings) else warning)(
                "no-handshake",
                f"hosts.{one.label}",
                f"{where}: {one.fault.words}{detail}",
                "paste what openssl s_client -showcerts prints where it can be reached: rotator observe POLICY "
                f"{one.label}=-",
            )

    def each(self) -> Iterator[Finding]:
        """Every chain on its own: its name, its end, the TLS it came with."""
        for one in self.sightings.seen:
            subject = f"hosts.{one.label}"
            yield from self._validity(one, subject)
            if not one.leaf.covers(one.name):
                names = some(one.leaf.dns_names) or one.leaf.label
                yield error(
                    "wrong-name",
                    subject,
                    f"{one.name} serves a certificate for {names}{_at(one)}: every client that checks names refuses it",
                    "look at what answers there: a default site, a proxy, another edge",
                )
            if one.addresses and set(one.versions) == {"TLSv1.2"}:
                yield info(
                    "no-tls13", subject, f"{one.name} speaks TLS 1.2 and not 1.3{_at(one)}", "nothing, for pins alone"
                )

    def drifts(self) -> Iterator[Finding]:
        """Chains that the policy does not know."""
        for one in self.sightings.seen:
            if not _expected(self.inventory, one):
                yield self._drift(one, f"hosts.{one.label}")

    def _validity(self, one: Seen, subject: str) -> Iterator[Finding]:
        ends = one.leaf.not_after.date()
        days = (ends - self.sightings.today).days
        if one.leaf.not_after < one.at or one.leaf.not_before > one.at:
            what = f"ended on {ends}" if one.leaf.not_after < one.at else f"begins on {show(one.leaf.not_before)}"
            yield error(
                "cert-expired",
                subject,
                f"the certificate that {one.name} serves {what}{_at(one)}",
                "renew it with the same key: that breaks no key pin",
            )
        elif days <= (14 if self._renews(one) else SOON_DAYS):
            yield Finding(
                id="cert-expires",
                severity=Severity.ERROR if days <= 30 else Severity.WARNING,
                subject=subject,
                message=f"the certificate that {one.name} serves ends on {ends}, in {days} days{_at(one)}",
                hint="renew it with the same key: that breaks no key pin",
                due=ends,
            )

    def _renews(self, one: Seen) -> bool:
        """Say whether the host's rhythm of renewals was kept, as `check` does: then only a near end is news."""
        every = self.policy.hosts[one.label].renew_days
        return every is not None and one.leaf.not_before.date() + timedelta(days=2 * every) >= self.sightings.today

    def _drift(self, one: Seen, subject: str) -> Finding:
        """Say how a chain differs from what the policy says."""
        key = self.inventory.key_of(one.leaf)
        same = any(leaf.spki == one.leaf.spki for leaf in _leaves(self.inventory, one.label))
        ends = one.leaf.not_after.date()
        if same:
            return info(
                "served-renewed",
                subject,
                f"{one.name} serves a newer certificate for the same key{_at(one)}, until {ends}",
                "put the new chain into the file that the policy names",
            )
        known = f"the key {key}" if key else "a key that this policy does not know"
        return (warning if key else error)(
            "served-differs",
            subject,
            f"{one.name} serves a certificate for {known}{_at(one)}, which `serves` does not say",
            "write what is served into the policy, or find out who changed it",
        )

    def together(self) -> Iterator[Finding]:
        """Everything a host served: unlike addresses, chains nobody saw, and primaries that are not there."""
        for label in dict.fromkeys(one.label for one in self.sightings.seen):
            seen = [one for one in self.sightings.seen if one.label == label]
            yield from self._uneven(label, seen)
            hidden = any(one.label == label for one in self.sightings.unseen)
            missing = [
                name
                for name in self.policy.hosts[label].serves
                if not any(one.leaf.spki == self.inventory.chains[name].leaf.spki for one in seen)
            ]
            if missing and not hidden and any(one.leaf.spki in self._own(label) for one in seen):
                yield warning(
                    "serves-not-seen",
                    f"hosts.{label}.serves",
                    f"{', '.join(missing)}: said to be served and not seen",
                    "look at the servers; one type of key can only be asked for with TLS 1.2",
                )
            yield from self._primaries(label, seen)

    def _own(self, label: str) -> set[bytes]:
        return {leaf.spki for leaf in _leaves(self.inventory, label)}

    def _uneven(self, label: str, seen: Sequence[Seen]) -> Iterator[Finding]:
        for name in dict.fromkeys(one.name for one in seen):
            places: dict[str, set[bytes]] = {}
            for one in seen:
                for address in one.addresses if one.name == name else ():
                    places.setdefault(address, set()).add(one.leaf.sha256)
            if len({frozenset(leaves) for leaves in places.values()}) > 1:
                yield warning(
                    "served-unevenly",
                    f"hosts.{label}",
                    f"the addresses of {name} serve different certificates: {', '.join(sorted(places))}",
                    "wait until a change has reached every edge, or write the edges into the policy",
                )

    def _primaries(self, label: str, seen: Sequence[Seen]) -> Iterator[Finding]:
        names = self.policy.host_names(label)
        leaves = [one.leaf for one in seen]
        for name, pinset in self.policy.pinsets.items():
            mine = pinset.covers is not None and any(cover.matches(host) for cover in pinset.covers for host in names)
            if not mine or not pinset.primary:
                continue
            pins = [self.inventory.keys[key].pin for key in pinset.primary]
            if not any(leaf.matches(pin) for leaf in leaves for pin in pins):
                yield warning(
                    "primary-not-served",
                    f"pinsets.{name}.primary",
                    f"{label} was not seen to serve {', '.join(pinset.primary)}",
                    "serve it, or make the key that is served the primary",
                )

    def refused(self) -> Iterator[Finding]:
        """Clients that refuse what was seen."""
        result = backtest(self.inventory, self.fleet, self.sightings.snapshots)
        for found in result.breaks:
            names = some([cohort.name for cohort in found.cohorts])
            yield error(
                "refused-as-served",
                f"hosts.{found.host}",
                f"what {found.host} serves is refused by {people(clients_of(list(found.cohorts)))}: "
                f"{names} ({found.reason})",
                "serve a chain that they accept; rotator simulate shows the pin and the path of each row",
            )

    def reuse(self) -> Iterator[Finding]:
        """A renewal that changed the key, where pins count on it to stay."""
        record = sorted((*self.sightings.history, *self.sightings.snapshots), key=lambda s: s.at)
        for name in dict.fromkeys(one.name for one in self.sightings.seen):
            label = self.policy.host_label(name)
            if label is None:
                continue
            own = [snapshot for snapshot in record if snapshot.host == name]
            for kind in dict.fromkeys(_kind(snapshot) for snapshot in own):
                yield from self._changed([s for s in own if _kind(s) == kind], label)

    def _changed(self, record: Sequence[Snapshot], label: str) -> Iterator[Finding]:
        """Look at the newest change from one key to another that did not come back."""
        last = record[-1]
        before = next((s for s in reversed(record) if s.sent[0].spki != last.sent[0].spki), None)
        if before is None or any(s.at >= last.at and s.sent[0].spki == before.sent[0].spki for s in record):
            return
        since = next(s for s in record if s.at > before.at and s.sent[0].spki == last.sent[0].spki)
        carriers = [c for c in self.fleet.connections if c.host == label and _counts_on(c, before, last)]
        promised = self.policy.hosts[label].renew_key == "same"
        if self.inventory.key_of(last.sent[0]) is not None or not (carriers or promised):
            return
        said = ["the policy says that a renewal keeps the key"] if promised else []
        if carriers:
            cohorts = list(dict.fromkeys(c.cohort for c in carriers))
            said.append(f"{people(clients_of(cohorts))} pin the old key and nothing of the new chain")
        yield error(
            "key-not-reused",
            f"hosts.{label}",
            f"the certificate seen on {show(since.at)} has another key than the one of {show(before.at)}: "
            + "; ".join(said),
            REUSE_HINT,
        )


def _counts_on(connection: Connection, before: Snapshot, after: Snapshot) -> bool:
    """Say whether pins hold the old leaf's key and nothing of the chain that came after."""
    return any(
        any(before.sent[0].matches(pin) for pin in rule.pins)
        and not any(certificate.matches(pin) for pin in rule.pins for certificate in after.sent)
        for rule in connection.rules.get(before.host, ())
    )


def _kind(snapshot: Snapshot) -> str:
    return snapshot.sent[0].key_type.partition("-")[0]


def _at(one: Seen) -> str:
    if one.source:
        return f" (from {one.source})"
    return f" at {some(one.addresses, 3)}"
