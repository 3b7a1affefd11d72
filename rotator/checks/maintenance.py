"""What ordinary maintenance breaks: renewals, other issuers, revocations, ends of CA certificates, our own plans.

Each is played on the world of today and judged as `simulate` judges; only what it adds to today is told.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime

from rotator.checks.base import Subject, people
from rotator.checks.dates import SOON_DAYS, next_renewal
from rotator.checks.facts import public_leaves
from rotator.model.calendar import FactKind
from rotator.model.findings import Finding, Severity, warning
from rotator.model.names import some
from rotator.model.pki import Certificate
from rotator.model.policy import Count
from rotator.model.when import FOREVER
from rotator.simulate.budget import beyond
from rotator.simulate.events import play
from rotator.simulate.fleet import Connection
from rotator.simulate.grammar import Occurrence
from rotator.simulate.impact import BROKEN, Impact, Row, hits
from rotator.simulate.odds import Odds, renewal_odds
from rotator.simulate.scene import Judges
from rotator.simulate.timeline import Happening, Timeline, from_row, happenings
from rotator.simulate.totals import Total, total_of
from rotator.simulate.world import World


def of_maintenance(subject: Subject) -> Iterator[Finding]:
    """What breaks without anybody attacking."""
    played = _Played(subject)
    yield from planned_breaks(subject, played)
    yield from renewal_breaks(subject, played)
    yield from issuer_not_pinned(subject, played)
    yield from authority_ends(subject, played)
    yield from revocation_breaks(subject, played)
    yield from slower_than_revocation(subject)


#: What may do one thing to one release and another to the next, whatever they pin.
OF_RELEASES = ("floor", "local-root", "publish", "ship")


class _Played:
    """Worlds judged against today's, each kind of connection once, however many clients share it."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.judges = Judges(subject.inventory)
        by_release = any(from_row(row).id in OF_RELEASES for row in subject.policy.calendar)
        kinds: dict[Hashable, list[Connection]] = {}
        for connection in subject.fleet.connections:
            kinds.setdefault(_kind(connection, by_release=by_release), []).append(connection)
        self.members = list(kinds.values())
        first = (replace(members[0], index=index) for index, members in enumerate(self.members))
        self.fleet = replace(subject.fleet, connections=tuple(first))
        self.already = _broken(self.impact(subject.today.world, subject.now))

    def impact(self, world: World, at: datetime) -> Impact:
        return self.judges.impact(self.fleet, world, at)

    def fresh(self, world: World) -> list[Row]:
        """Give the rows that a world breaks now and that are not broken today."""
        return _newly(self.impact(world, self.subject.now), self.already)

    def after(self, occurrence: Occurrence) -> World:
        """Give the world of today after one thing more."""
        return play(self.subject.today.world, occurrence, self.subject.inventory, self.subject.now)

    def total(self, rows: list[Row], at: datetime | None = None) -> Total:
        """Count the clients of some rows: those of today, or of another instant."""
        sure = hits(rows, *BROKEN)
        later = self.subject.fleet_at
        fleet = self.subject.fleet if at is None or later is None else later(at)
        return total_of(fleet, {c.index: sure[i] for i in sure for c in self.members[i]})

    def told(self, rows: list[Row], at: datetime | None = None) -> str:
        """Say whom and why: `shop-android 7.2.0 (145,800 clients, pin-mismatch)`."""
        reasons = " and ".join(dict.fromkeys(str(row.reason) for row in rows))
        return f"{self.names(row.connection for row in rows)} ({_count(self.total(rows, at))}, {reasons})"

    def names(self, kinds: Iterable[Connection]) -> str:
        """Name the cohorts of some kinds of connections."""
        found = list(dict.fromkeys(c.cohort.name for kind in kinds for c in self.members[kind.index]))
        return some(found)


def _kind(connection: Connection, *, by_release: bool) -> Hashable:
    """Give what a verdict on a connection can depend on: its rules and its trust store, not how many clients it has."""
    cohort = connection.cohort
    rules = tuple((name, own) for name, own in connection.rules.items())
    may_be = tuple(each.cohort.release for each in connection.instead)
    alike = (connection.host, connection.mechanisms, rules, connection.sources, connection.channels, connection.beside)
    return (
        cohort.app,
        cohort.trust,
        cohort.since,
        cohort.offline,
        cohort.release if by_release else None,
        may_be,
        alike,
    )


def _count(total: Total) -> str:
    if total.high is None or total.low is None:
        return people(None)
    return people(Count(low=total.low, high=total.high))


def _broken(impact: Impact) -> set[int]:
    return {row.connection.index for row in impact.rows if row.verdict.is_broken}


def _newly(impact: Impact, already: set[int]) -> list[Row]:
    return [row for row in impact.rows if row.verdict.is_broken and row.connection.index not in already]


def _severity(days: int) -> Severity:
    return Severity.ERROR if days <= SOON_DAYS else Severity.WARNING


def planned_breaks(subject: Subject, played: _Played) -> Iterator[Finding]:
    """What the calendar of the policy itself breaks."""
    rows = [from_row(row) for row in subject.policy.calendar]
    order = happenings(rows, subject.now, subject.policy)
    for at, before, after in Timeline(subject.inventory, order).steps():
        days = subject.due(at)
        if at <= subject.now or days > subject.policy.limits.horizon_days:
            continue
        broken = _newly(played.impact(after, at), _broken(played.impact(before, at)))
        if broken:
            yield Finding(
                id="planned-break",
                severity=_severity(days),
                subject=_rows_at(order, rows, at),
                message=f"{at.date()}: {_texts(order, at)} breaks {played.told(broken, at)}",
                hint="rotator simulate POLICY --until shows it day by day; ship the missing pin, or move the date",
                due=at.date(),
            )


def _texts(order: tuple[Happening, ...], at: datetime) -> str:
    return " and ".join(h.occurrence.text.partition("@")[0] for h in order if h.at == at and not h.announced)


def _rows_at(order: tuple[Happening, ...], rows: list[Occurrence], at: datetime) -> str:
    first = next(h.occurrence for h in order if h.at == at)
    return f"calendar[{rows.index(first)}]" if first in rows else "calendar"


def renewal_breaks(subject: Subject, played: _Played) -> Iterator[Finding]:
    """What the next renewal breaks, done as the policy says; pinsets of whole certificates are told by themselves."""
    told = {
        app
        for name, apps in subject.pinset_users().items()
        if subject.policy.pinsets[name].certificates
        for app in apps
    }
    for label, host in subject.policy.hosts.items():
        offers = subject.today.world.served.get(label, ())
        if host.renew_key is None or not offers:
            continue
        broken = played.fresh(played.after(Occurrence(id="renew", parts=(label, f"{host.renew_key}-key"))))
        if all(row.connection.cohort.app in told for row in broken):
            continue
        day = min(next_renewal(subject, offer.chain.name, offer.chain.leaf) for offer in offers)
        yield Finding(
            id="renewal-breaks",
            severity=_severity((day - subject.now.date()).days),
            subject=f"hosts.{label}",
            message=f"the next renewal of {label}, {_by(day)}with {_key(host.renew_key)} key breaks "
            f"{played.told(broken)}",
            hint="keep the key, or ship the pin of the next one first",
            due=day if subject.now.date() <= day < FOREVER.date() else None,
        )


def _by(day: date) -> str:
    return f"by {day}, " if day < FOREVER.date() else ""


def _key(renew_key: str) -> str:
    return "a new" if renew_key == "new" else "the same"


def issuer_not_pinned(subject: Subject, played: _Played) -> Iterator[Finding]:
    """A CA that may issue the next certificate and that clients do not accept, even for the same key."""
    for label in (label for label, host in subject.policy.hosts.items() if host.issuer_pool):
        alike: dict[tuple[str, ...], list[Odds]] = {}
        for odds in renewal_odds(played.judges, played.fleet, subject.today.world, subject.now, label):
            if odds.by:
                alike.setdefault(odds.by, []).append(odds)
        for members, found in alike.items():
            first = found[0]
            whom = played.names(odds.connection for odds in found)
            hit = {c.index: True for odds in found for c in played.members[odds.connection.index]}
            total = total_of(subject.fleet, hit)
            times = f"{first.renewals} renewal{'' if first.renewals == 1 else 's'}"
            yield warning(
                "issuer-not-pinned",
                f"hosts.{label}.issuer_pool",
                f"{' or '.join(members)} may issue the next certificate of {label}, and {whom} ({_count(total)}) would "
                f"refuse it: {_odds(first.per_renewal)} at each renewal, {_odds(first.per_year)} within a year "
                f"({times})",
                "pin a key of your own, or the roots of every CA that may issue",
            )


def _odds(chance: float) -> str:
    """Show a probability; never 0 or 100 when it is not."""
    if 0 < chance < 0.005:
        return "<1%"
    return ">99%" if 0.995 < chance < 1 else f"{chance:.0%}"


def authority_ends(subject: Subject, played: _Played) -> Iterator[Finding]:
    """A CA certificate, often a root or a cross-sign, that ends while clients have no path without it."""
    for day, certificates in sorted(_ending(subject).items()):
        world = replace(subject.today.world, ended=subject.today.world.ended | {c.sha256 for c in certificates})
        broken = played.fresh(world)
        if not broken:
            continue
        first = certificates[0]
        own = subject.inventory.authority_of(first)
        names = " and ".join(dict.fromkeys(_certificate(subject, c) for c in certificates))
        yield Finding(
            id="authority-ends",
            severity=_severity((day - subject.now.date()).days),
            subject=f"authorities.{own}" if own else f"certificate of {first.label}",
            message=f"{names} ends on {day}, and {played.told(broken)} find no path without it",
            hint="serve a chain to a root that these clients have, or ship them one",
            due=day,
        )


def _certificate(subject: Subject, certificate: Certificate) -> str:
    name = subject.inventory.name_of(certificate)
    if certificate.self_signed:
        return f"the root {name}"
    issuer = next(
        (n for n, own in subject.inventory.authorities.items() if any(c.spki == certificate.signer for c in own)),
        certificate.issuer,
    )
    return f"{name} as signed by {issuer}"


def _ending(subject: Subject) -> dict[date, list[Certificate]]:
    """Give the CA certificates that end within the horizon, by day."""
    paths = [row.ours.judgement.path for row in subject.today.rows]
    known = [c for path in paths if path is not None for c in path.certificates[1:]]
    known += [c for offers in subject.today.world.served.values() for o in offers for c in o.chain.sent[1:]]
    found: dict[date, list[Certificate]] = {}
    for certificate in dict.fromkeys(known):
        days = subject.due(certificate.not_after)
        if 0 <= days <= subject.policy.limits.horizon_days:
            found.setdefault(certificate.not_after.date(), []).append(certificate)
    return found


def revocation_breaks(subject: Subject, played: _Played) -> Iterator[Finding]:
    """A CA that must revoke leaves hours; whom a certificate issued again for the same key breaks has no time left."""
    clocks = [f for f in subject.facts if f.kind is FactKind.CLOCK and f.hours in (24, 120)]
    for host in dict.fromkeys(host for host, _, _ in public_leaves(subject)):
        if subject.policy.hosts[host].control != "ours" or not clocks:
            continue
        broken = played.fresh(played.after(Occurrence(id="renew", parts=(host, "same-key"))))
        if not broken or any(not played.fresh(world) for world in _spares(subject, played, host)):
            continue
        grave = beyond(played.total(broken), subject.policy.limits.break_budget)
        yield Finding(
            id="revocation-breaks",
            severity=Severity.ERROR if grave else Severity.WARNING,
            subject=f"hosts.{host}",
            message=f"a CA must revoke within 24 hours or 5 days, whoever's fault it is; the certificate of {host} "
            f"issued again for the same key breaks {played.told(broken)}, and no other certificate is held ready",
            hint="pin the key instead of the certificate, or have a second certificate that is pinned already",
            source=clocks[0].source,
        )


def _spares(subject: Subject, played: _Played, host: str) -> Iterator[World]:
    """Give the worlds in which a host serves another certificate that exists already."""
    served = {offer.chain.leaf for offer in subject.today.world.served[host]}
    names = subject.policy.host_names(host)
    for name, chain in subject.inventory.chains.items():
        live = not chain.planned and chain.leaf.valid_at(subject.now) and all(chain.leaf.covers(n) for n in names)
        if live and chain.leaf not in served:
            yield played.after(Occurrence(id="serve", parts=(host, name), action=True))


def slower_than_revocation(subject: Subject) -> Iterator[Finding]:
    """A new certificate that reaches every edge only after the CA has revoked the old one."""
    hosts = [h for h, _, _ in public_leaves(subject) if subject.policy.hosts[h].control == "ours"]
    hours = subject.policy.limits.deploy_days * 24
    clock = next((f for f in subject.facts if f.kind is FactKind.CLOCK and (f.hours or 0) < hours), None)
    if hosts and clock is not None:
        yield warning(
            "slower-than-revocation",
            "limits.deploy_days",
            f"a new certificate takes {hours:g} hours to reach every edge, and a CA must revoke within {clock.hours}: "
            f"{', '.join(dict.fromkeys(hosts))} would serve a revoked one in between",
            "practise it: time to swap within 24 hours, with what breaks inside the budget",
            clock.source,
        )
