"""Whom the pins depend on: one intermediate, one CA, a channel without a signature, a memory that lasts too long."""

from __future__ import annotations

from collections.abc import Iterator

from rotator.checks.authorities import Use, climb, in_force, uses
from rotator.checks.base import Subject, clients_of, people
from rotator.mechanisms.base import Channel
from rotator.model.calendar import organisation_of
from rotator.model.findings import Finding, warning
from rotator.model.pins import Pin
from rotator.simulate.cohorts import Cohort
from rotator.simulate.fleet import Connection
from rotator.simulate.noting import not_kept

LONGEST_MEMORY_DAYS = 60
RFC_7469 = "RFC 7469, 4.1"
OURS = "ours"


def of_dependence(subject: Subject) -> Iterator[Finding]:
    """What stands on other people's decisions."""
    pins = _Pins(subject)
    yield from intermediate_pinned(subject, pins)
    yield from one_ca(subject, pins)
    yield from unsigned_live_pins(subject)
    yield from long_memory(subject)
    yield from pins_from_the_host(subject)
    yield from headers_not_kept(subject)


class _Pins:
    """What the pins of connections are of, each set of pins asked once."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.used = uses(subject)
        self.known: dict[frozenset[Pin], tuple[list[Use], bool]] = {}

    def of(self, connection: Connection) -> tuple[list[Use], bool]:
        """Give the CA keys that a connection pins, and whether it pins a key or a certificate of ours."""
        pins = frozenset(pin for rule in in_force(self.subject, connection) for pin in rule.pins)
        if pins not in self.known:
            inventory = self.subject.inventory
            keys = [u for u in self.used if u.certificate and any(u.certificate.matches(pin) for pin in pins)]
            own = any(facts.pin in pins for facts in inventory.keys.values()) or any(
                chain.leaf.matches(pin) for chain in inventory.chains.values() for pin in pins
            )
            self.known[pins] = keys, own
        return self.known[pins]


def intermediate_pinned(subject: Subject, pins: _Pins) -> Iterator[Finding]:
    """Clients that are accepted by the pin of somebody else's intermediate alone: it changes at any renewal."""
    found: dict[tuple[str, str], dict[Cohort, None]] = {}
    for connection in subject.fleet.connections:
        host = subject.policy.hosts[connection.host]
        keys, own = pins.of(connection)
        here = [use for use in keys if connection.host in use.served]
        if own or host.issuer_pool or not here or any(use.root or use.holder == OURS for use in here):
            continue
        for use in here:
            found.setdefault((connection.host, use.name), {})[connection.cohort] = None
    for (label, name), cohorts in found.items():
        yield warning(
            "intermediate-pinned",
            f"hosts.{label}",
            f"{people(clients_of(list(cohorts)))} accept {label} by the pin of {name} alone, an intermediate that is "
            "not ours: its CA issues from another one when it likes, often without notice",
            "pin a key of your own, or roots of two CAs; list issuer_pool to see the odds",
        )


def one_ca(subject: Subject, pins: _Pins) -> Iterator[Finding]:
    """Clients all of whose pins are keys of one CA: when it is distrusted or moves, there is no other way."""
    found: dict[tuple[str, str], dict[Cohort, None]] = {}
    for connection in subject.fleet.connections:
        keys, own = pins.of(connection)
        names = {operator(subject, use) for use in keys}
        if not own and len(names) == 1 and OURS not in names:
            found.setdefault((connection.host, names.pop()), {})[connection.cohort] = None
    for (label, name), cohorts in found.items():
        apps = ", ".join(dict.fromkeys(cohort.app for cohort in cohorts))
        yield warning(
            "one-ca",
            f"hosts.{label}",
            f"every pin that {apps} has for {label} is a key of {name}: {people(clients_of(list(cohorts)))} have no "
            "way to another CA when it is distrusted, revokes, or moves to other keys",
            "add the pin of a key of your own, or of a root of another CA that can issue for you today",
        )


def operator(subject: Subject, use: Use) -> str:
    """Give who stands behind a CA key: its holder, its organisation, or the highest CA above it."""
    if use.holder:
        return use.holder
    assert use.certificate is not None  # noqa: S101 - asked of keys with a certificate only
    above = climb(subject, (use.certificate,))
    own = [c for c in above if c.self_signed and c.spki == use.spki]
    top = own[0] if own else above[-1]
    name = subject.inventory.authority_of(top)
    holder = subject.policy.authorities[name].holder if name else None
    return holder or organisation_of(use.certificate.subject) or organisation_of(top.subject) or name or top.label


def unsigned_live_pins(subject: Subject) -> Iterator[Finding]:
    """Pins that arrive without a release and that no key of ours signs."""
    for name, apps in subject.pinset_users().items():
        pinset = subject.policy.pinsets[name]
        if pinset.delivery == "live" and pinset.signed_by is None:
            yield warning(
                "unsigned-live-pins",
                f"pinsets.{name}",
                f"{', '.join(sorted(apps))} take these pins without a release, and no key is named that signs them: "
                "whoever takes over the channel writes the pins",
                "sign them with a key of their own (signed_by), let them age quickly, and plan for that key's theft",
            )


def long_memory(subject: Subject) -> Iterator[Finding]:
    """Pins that clients keep for long after their last visit, whatever is decided meanwhile."""
    for name, apps in subject.pinset_users().items():
        days = subject.policy.pinsets[name].max_age_days
        if days is not None and days > LONGEST_MEMORY_DAYS:
            yield warning(
                "long-max-age",
                f"pinsets.{name}.max_age_days",
                f"{', '.join(sorted(apps))} keep these pins for {days:g} days after the last visit: a key that is not "
                "among them cannot be served before that, and hostile pins would last as long",
                f"{LONGEST_MEMORY_DAYS} days is the example of the RFC",
                RFC_7469,
            )


def pins_from_the_host(subject: Subject) -> Iterator[Finding]:
    """Clients that take pins from the answers of the host: whoever has it for an hour writes them."""
    found: dict[str, dict[Cohort, None]] = {}
    for connection in subject.fleet.connections:
        if Channel.HEADER in connection.channels:
            found.setdefault(connection.host, {})[connection.cohort] = None
    for label, cohorts in found.items():
        apps = ", ".join(dict.fromkeys(cohort.app for cohort in cohorts))
        yield warning(
            "pins-from-the-host",
            f"hosts.{label}",
            f"{apps} ({people(clients_of(list(cohorts)))}) take the pins of {label} from its own answers: whoever "
            "controls the host or its name for an hour can write others, and ours is refused until they end",
            "guard the name and the hosting like a signing key, and have a way to be reached without this host",
            RFC_7469,
        )


def headers_not_kept(subject: Subject) -> Iterator[Finding]:
    """Headers with no pin of the chain that is served, or with no other pin: a browser keeps none of them."""
    found: dict[tuple[str, str], str] = {}
    inventory = subject.inventory
    for connection in subject.fleet.connections:
        app, release = connection.cohort.app, connection.cohort.release
        # Clients that no release is known of enforce what some other cohort does, which is looked at on its own.
        enforced = inventory.enforced.get((app, release), ())
        own = enforced if connection.beside < 0 else inventory.beside[app, connection.beside]
        for item in own:
            entries = item.config.entries if inventory.mechanisms[item.mechanism].channel is Channel.HEADER else ()
            mine = set(subject.policy.host_names(connection.host))
            for entry in entries:
                if entry.covers and not mine.intersection(cover.name for cover in entry.covers):
                    continue
                why = not_kept(inventory, entry, connection.host)
                if why:
                    found[item.where or f"pinsets.{item.source}", connection.host] = why
    for (where, label), why in found.items():
        yield warning(
            "header-ignored",
            f"{where}: {label}",
            f"a browser ignores this header and keeps what it had: {why}",
            "pin a key that is served and one that is not",
            "RFC 7469, 2.5",
        )
