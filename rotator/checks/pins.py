"""What the pins themselves are: unknown, junk, on other people's hosts, different from what was exported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rotator.checks.base import Subject, people
from rotator.checks.named import about_pins, resembles
from rotator.errors import InputError
from rotator.mechanisms.base import Context, PinConfig
from rotator.model.findings import Finding, error, warning
from rotator.model.names import some
from rotator.model.pins import Pin, junk_reason
from rotator.model.policy import Count
from rotator.model.resemblance import KnownKey, KnownKeys
from rotator.model.verdicts import Verdict
from rotator.simulate.inventory import Enforced
from rotator.simulate.pinsets import pinset_spec

MOST_VERSIONS = 8
"""Versions that are named where more are alike."""
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
        sizes.setdefault(key, []).append(row.connection.clients)
    for (app, host, reason), versions in seen.items():
        counts = sizes[app, host, reason]
        known = [count for count in counts if count is not None]
        count = Count(low=sum(c.low for c in known), high=sum(c.high for c in known))
        labels = some(list(dict.fromkeys(versions)), MOST_VERSIONS)
        yield error(
            "breaks-now",
            f"apps.{app}",
            f"{app} {labels} is refused by {host} today: {reason}; "
            f"{people(count if len(known) == len(counts) else None)}",
            "rotator simulate POLICY shows why",
        )


def unknown_pins(subject: Subject) -> Iterator[Finding]:
    """Pins of shipped files that are of nothing in the policy and of no public root, and what they nearly are."""
    seen: dict[Pin, list[str]] = {}
    files: dict[str, Enforced] = {}
    for _, label, enforced, _ in subject.releases():
        for item in enforced:
            if item.from_file:
                files.setdefault(item.source, item)
                for entry in item.config.entries:
                    for pin in entry.pins:
                        if pin not in subject.inventory.labels and junk_reason(pin.digest) is None:
                            seen.setdefault(pin, []).append(label)
    for pin, labels in seen.items():
        where = some(list(dict.fromkeys(labels)))
        found = subject.known.find(pin)
        named = f": it is of {found.name}" if found is not None else ""
        yield warning(
            "unknown-pin",
            pin.text,
            f"pinned by {where}, but it is no key of this policy and no public root{named}",
            "add the key or the authority it is of, or take it out of the next release",
        )
    for item in files.values():
        if seen or any(pins.dead for e in item.config.entries for pins in e.lists):
            yield from about_pins(item.config, item.where, subject.known)
    yield from _nearly(subject)


def _nearly(subject: Subject) -> Iterator[Finding]:
    """Keys that the policy knows by their digest alone, and that are one slip away from another key."""
    digests = {name: facts for name, facts in subject.inventory.keys.items() if not facts.key_type}
    if not digests:
        return
    known = KnownKeys(key for key in subject.known.keys if key.name not in digests)
    for name, facts in digests.items():
        slip = known.slip(facts.pin)
        if slip is not None:
            yield resembles(f"keys.{name}", facts.pin.text, slip)
        if len(facts.pin.digest) == 32:
            known.add(KnownKey(name=name, spki=facts.pin.digest))


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
    made: dict[str, dict[Enforced, None]] = {}
    for enforced in subject.inventory.enforced.values():
        for item in enforced:
            if not item.from_file:
                made.setdefault(item.source, {})[item] = None
    for name in subject.pinset_users():
        for item in made.get(name, ()):
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
