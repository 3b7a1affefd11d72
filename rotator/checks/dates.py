"""What ends when: pins, certificates, counts and sightings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from rotator.checks.base import Subject, clients_of, people
from rotator.model.findings import Finding, Severity, info, warning
from rotator.model.names import some
from rotator.model.pki import Certificate
from rotator.model.rules import Expiry, Mode
from rotator.model.when import show
from rotator.simulate.cohorts import Cohort

SOON_DAYS = 90
"""A date this near is an error: a store release takes weeks to reach most clients."""


def pins_expire(subject: Subject) -> Iterator[Finding]:
    """Pins that end while clients still run the release: they go unpinned (or, where closed, break)."""
    seen: dict[Expiry, list[tuple[str, str]]] = {}
    clients: dict[Expiry, list[object]] = {}
    held: dict[Expiry, list[tuple[str, str]]] = {}
    for path, label, enforced, cohorts in subject.releases():
        for item in enforced:
            for entry in item.config.entries:
                ends = subject.inventory.mechanisms[item.mechanism].expiry(entry.expires) if entry.lists else None
                if ends is None:
                    continue
                if not ends.closed and _others_hold(subject, cohorts, ends):
                    held.setdefault(ends, []).append((path, label))
                elif (path, label) not in seen.setdefault(ends, []):
                    seen[ends].append((path, label))
                    clients.setdefault(ends, []).extend(cohorts)
    yield from _held(subject, held)
    for ends, releases in sorted(seen.items(), key=lambda pair: pair[0].first):
        days = subject.due(ends.first)
        if days > subject.policy.limits.horizon_days:
            continue
        count = clients_of(list(dict.fromkeys(clients[ends])))  # type: ignore[arg-type]  # cohorts as collected
        if count is not None and count.high == 0:
            continue
        labels = some([label for _, label in releases])
        ended = days < 0 or ends.first <= subject.now
        what = "are refused" if ends.closed else "go unpinned: they still work, no longer protected"
        yield Finding(
            id="pins-expired" if ended else "pins-expire",
            severity=Severity.ERROR if not ended and days <= SOON_DAYS else Severity.WARNING,
            subject=releases[0][0],
            message=f"{labels}: the pins {'ended' if ended else 'end'} on {show(ends.first)}"
            + (f" to {show(ends.last)}, by each device's clock" if ends.last != ends.first else "")
            + f"; {people(count)} {what if not ended else what.replace('are', 'have been').replace('go', 'went')}",
            hint="ship a release with a later date before then; what is out there cannot be changed",
            due=None if ended else ends.first.date(),
        )


def _others_hold(subject: Subject, cohorts: list[Cohort], ends: Expiry) -> bool:
    """Say whether other pins stay in force on every connection on which some end."""
    ending = [
        rules
        for release in {(cohort.app, cohort.release) for cohort in cohorts}
        for connection in subject.connections.get(release, ())
        for rules in connection.rules.values()
        if any(rule.expiry == ends for rule in rules)
    ]
    return bool(ending) and all(
        any(
            rule.clauses and rule.mode is Mode.ENFORCE and (rule.expiry is None or rule.expiry.first > ends.last)
            for rule in rules
        )
        for rules in ending
    )


def _held(subject: Subject, held: dict[Expiry, list[tuple[str, str]]]) -> Iterator[Finding]:
    """Tell of pins that end while others of the same release hold: nobody goes unpinned, and a swap still breaks."""
    for ends, releases in held.items():
        if 0 <= subject.due(ends.first) <= subject.policy.limits.horizon_days:
            labels = some(list(dict.fromkeys(label for _, label in releases)))
            yield replace(
                info(
                    "pins-expire",
                    releases[0][0],
                    f"{labels}: some pins end on {show(ends.first)}; others of the same release hold, so nobody goes "
                    "unpinned, and nobody is let through by waiting",
                ),
                due=ends.first.date(),
            )


def certificate_ends(subject: Subject) -> Iterator[Finding]:
    """A served certificate that ends soon, or has."""
    for host, leaf in subject.served():
        policy = subject.policy.hosts[host]
        days = subject.due(leaf.not_after)
        renewed = (
            policy.renew_days is not None
            and leaf.not_before.date() + timedelta(days=2 * policy.renew_days) >= subject.now.date()
        )
        if days > SOON_DAYS or (renewed and days > 14):
            continue
        key = subject.inventory.key_of(leaf)
        ended = leaf.not_after < subject.now
        yield Finding(
            id="cert-expires" if not ended else "cert-expired",
            severity=Severity.ERROR if ended or days <= 30 else Severity.WARNING,
            subject=f"hosts.{host}",
            message=f"the certificate of {host}"
            + (f" for {key}" if key else "")
            + f" {'ended' if ended else 'ends'} on {leaf.not_after.date()}, "
            + (f"in {days} days" if not ended else f"{-days} days ago"),
            hint="renew it with the same key: that breaks no key pin",
            due=None if ended else leaf.not_after.date(),
        )


def certificate_pins(subject: Subject) -> Iterator[Finding]:
    """A pin on a whole certificate breaks at every renewal, even with the same key."""
    for name, apps in subject.pinset_users().items():
        pinset = subject.policy.pinsets[name]
        for chain in pinset.certificates:
            leaf = subject.inventory.chains[chain].leaf
            renewal = next_renewal(subject, chain, leaf)
            cohorts = [c for c in subject.fleet.cohorts if c.app in apps]
            yield warning(
                "certificate-pin",
                f"pinsets.{name}.certificates",
                f"{chain} is pinned as a whole certificate: its next renewal, by {renewal}, changes it and "
                f"{people(clients_of(cohorts))} break, whatever the key",
                "pin the key instead; a renewal with the same key then breaks nobody",
            )


def next_renewal(subject: Subject, chain: str, leaf: Certificate) -> date:
    """Give the day by which a certificate is replaced: its end, or the host's rhythm where one is stated."""
    for host in subject.policy.hosts.values():
        if chain in host.serves and host.renew_days is not None:
            planned = leaf.not_before.date() + timedelta(days=host.renew_days)
            while planned < subject.now.date():
                planned += timedelta(days=host.renew_days)
            return min(planned, leaf.not_after.date())
    return leaf.not_after.date()


def old_numbers(subject: Subject) -> Iterator[Finding]:
    """Counts and sightings that have aged."""
    measured = subject.policy.oldest_count
    days = (subject.now.date() - measured).days if measured else 0
    if measured and days > 30:
        yield replace(
            info(
                "stale-counts",
                "measured",
                f"client counts are {days} days old ({measured})",
                "take new counts from the store consoles: rotator fleet POLICY FILE",
            ),
            severity=Severity.WARNING if days > SOON_DAYS else Severity.INFO,
        )
    if subject.fleet.cohorts and any(c.clients is None for c in subject.fleet.cohorts):
        yield info(
            "counts-missing",
            "apps",
            "some clients are not counted: verdicts are by version, totals are unknown",
            "rotator fleet POLICY FILE takes them from the files of the stores; or write clients = in each release",
        )
    if subject.fleet.mixed:
        units = sorted({c.unit for c in subject.fleet.cohorts if c.unit})
        yield warning(
            "mixed-units",
            "apps",
            f"clients are counted in unlike units, which cannot be added: {'; '.join(units)}",
            "take both from the same kind of report, or scale one: rotator fleet --opt-in, --scale",
        )
    for label in subject.policy.hosts:
        seen = subject.last_seen(label)
        age = (subject.now.date() - seen).days if seen is not None else 0
        if seen is not None and age > subject.policy.limits.sighting_days:
            yield info(
                "stale-sighting",
                f"hosts.{label}.observed",
                f"last seen on {seen}, {age} days ago",
                f"rotator observe POLICY {label}",
            )
