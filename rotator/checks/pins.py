"""What the pins themselves are: unknown, junk, on other people's hosts, different from what was exported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rotator.checks.base import Subject, people
from rotator.errors import InputError
from rotator.mechanisms.base import Context, PinConfig
from rotator.model.findings import Finding, error, warning
from rotator.model.pins import Pin, junk_reason
from rotator.model.policy import Count
from rotator.model.verdicts import Verdict
from rotator.simulate.fleet import Connection
from rotator.simulate.pinsets import pinset_spec

#: Said once for all releases with the same date by `rotator.checks.dates`.
SAID_ELSEWHERE = ("pins-expired", "expiry-is-local")
APPLE = "https://developer.apple.com/news/?id=g9ejcf8y"


def breaks_today(subject: Subject) -> Iterator[Finding]:
    """Clients that our own servers lose right now, with nothing happening."""
    rows = [row for row in subject.today.rows if row.verdict in (Verdict.BREAKS, Verdict.LOST)]
    seen: dict[tuple[str, str, str], list[str]] = {}
    sizes: dict[tuple[str, str, str], list[Count | None]] = {}
    for row in rows:
        cohort = row.connection.cohort
        key = (cohort.app, row.connection.host, str(row.reason))
        seen.setdefault(key, []).append(cohort.version)
        sizes.setdefault(key, []).append(_users(row.connection))
    for (app, host, reason), versions in seen.items():
        counts = sizes[app, host, reason]
        known = [count for count in counts if count is not None]
        count = Count(low=sum(c.low for c in known), high=sum(c.high for c in known))
        labels = ", ".join(dict.fromkeys(versions))
        yield error(
            "breaks-now",
            f"apps.{app}",
            f"{app} {labels} is refused by {host} today: {reason}; "
            f"{people(count if len(known) == len(counts) else None)}",
            "rotator simulate POLICY shows why",
        )


def _users(connection: Connection) -> Count | None:
    """Give the clients of a cohort that use a host."""
    count = connection.cohort.clients
    if count is None:
        return None
    return Count(low=round(count.low * connection.share), high=round(count.high * connection.share))


def unknown_pins(subject: Subject) -> Iterator[Finding]:
    """Pins of shipped files that are of nothing in the policy and of no public root."""
    seen: dict[Pin, list[str]] = {}
    for _, label, enforced, _ in subject.releases():
        for item in enforced:
            if item.from_file:
                for entry in item.config.entries:
                    for pin in entry.pins:
                        if pin not in subject.inventory.labels and junk_reason(pin.digest) is None:
                            seen.setdefault(pin, []).append(label)
    for pin, labels in seen.items():
        where = ", ".join(list(dict.fromkeys(labels))[:4])
        yield warning(
            "unknown-pin",
            pin.text,
            f"pinned by {where}, but it is no key of this policy and no public root",
            "add the key or the authority it is of, or take it out of the next release",
        )


def junk_keys(subject: Subject) -> Iterator[Finding]:
    """Keys of the policy whose digest cannot be any key's."""
    for name, facts in subject.inventory.keys.items():
        junk = junk_reason(facts.pin.digest)
        if junk is not None:
            yield error(
                "junk-pin",
                f"keys.{name}",
                f"{facts.pin.text} is no key's digest: {junk}",
                "replace it by a real key",
            )


def not_ours(subject: Subject) -> Iterator[Finding]:
    """A public host of somebody else that our apps pin: its keys change without asking us."""
    for label, host in subject.policy.hosts.items():
        if host.control != "third-party" or host.audience != "public":
            continue
        apps = sorted(
            {
                c.cohort.app
                for c in subject.fleet.connections
                if c.host == label and any(rule.clauses for rules in c.rules.values() for rule in rules)
            }
        )
        if apps:
            yield warning(
                "pinned-not-ours",
                f"hosts.{label}",
                f"{', '.join(apps)} pin {label}, which is public and not ours: its keys and CAs change without notice",
                "Apple calls such pins unnecessary in most cases, OWASP keeps them for hosts one controls, and CAs "
                "advise against pinning what they may replace; drop the pin, or agree on dates with the owner. "
                "For hosts of one's own intranet pinning is sound",
                APPLE,
            )


def export_drift(subject: Subject) -> Iterator[Finding]:
    """Files that `[[exports]]` names and that do not say what their pinset says (invariant I13)."""
    inventory = subject.inventory
    for index, export in enumerate(subject.policy.exports):
        spec = pinset_spec(subject.policy, export.pinset, inventory.keys, inventory.authorities, inventory.chains)
        for name, file in export.files.items():
            mechanism = inventory.mechanisms.get(name)
            data = subject.shipped.get(file)
            if mechanism is None or data is None:
                continue
            path = f"exports[{index}].files.{name}"
            wanted = mechanism.from_pinset(spec)
            try:
                found = mechanism.parse(data, Context(subject=path, today=subject.now.date())).config
            except InputError as problem:
                yield error("export-drift", path, f"the exported file cannot be read: {problem.problems[0]}")
                continue
            extra, missing = _pins(found) - _pins(wanted), _pins(wanted) - _pins(found)
            if extra or missing:
                names = [f"without {inventory.label(p)}" for p in sorted(missing)]
                names += [f"with {inventory.label(p)}" for p in sorted(extra)]
                yield error(
                    "export-drift",
                    path,
                    f"the file is not what pinsets.{export.pinset} says: {', '.join(names[:6])}",
                    "export it again, or mend the policy",
                )


def _pins(config: PinConfig) -> set[Pin]:
    return {pin for entry in config.entries for pin in entry.pins}


def files_read(subject: Subject) -> Iterator[Finding]:
    """What reading the shipped files and the pinsets brought to light."""
    yield from (f for f in subject.inventory.findings if f.id not in SAID_ELSEWHERE)
    for name in subject.pinset_users():
        for item in {i for e in subject.inventory.enforced.values() for i in e if i.source == name and not i.from_file}:
            mechanism = subject.inventory.mechanisms[item.mechanism]
            context = Context(subject=f"pinsets.{name}", today=subject.now.date())
            for finding in mechanism.lint(item.config, context):
                if finding.id not in (
                    "single-pin",
                    "nothing-pinned",
                    "pins-expired",
                    "junk-pin",
                    "expiry-is-local",
                ):
                    yield finding
            spec = pinset_spec(
                subject.policy,
                name,
                subject.inventory.keys,
                subject.inventory.authorities,
                subject.inventory.chains,
            )
            for loss, text in mechanism.losses(spec):
                yield warning(loss, f"pinsets.{name}", text)


def without_allowed(subject: Subject, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Leave out findings that the policy allows; what is allowed no longer comes back, said as such."""
    today = subject.now.date()
    for finding in findings:
        rows = [
            allow
            for allow in subject.policy.allow
            if allow.finding == finding.id
            and (allow.subject is None or finding.subject == allow.subject or _below(finding.subject, allow.subject))
        ]
        if any(allow.until is None or allow.until >= today for allow in rows):
            continue
        if rows:
            yield replace(finding, message=f"{finding.message} (allowed until {rows[0].until})")
        else:
            yield finding


def _below(subject: str, allowed: str) -> bool:
    return subject.startswith((f"{allowed}.", f"{allowed}[", f"{allowed}:"))
