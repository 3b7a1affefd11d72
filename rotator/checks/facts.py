"""Dated facts of the world joined with what the policy pins and serves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import ceil

from rotator.checks.authorities import CERTIFICATE_KINDS, Use, in_force, is_public, uses
from rotator.checks.base import Subject, clients_of, people
from rotator.checks.dates import SOON_DAYS
from rotator.model.calendar import Certainty, Departure, Fact, FactKind, departure, limits_of_validity
from rotator.model.findings import Finding, Severity, warning
from rotator.model.pki import Certificate
from rotator.model.rules import Scope
from rotator.simulate.cohorts import Cohort
from rotator.simulate.inventory import DEFAULT_TRUST

MANY_DAYS = 3650
"""A planned chain without dates lasts longer than this, and nothing is said of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """One fact on the day on which it touches the policy."""

    day: date
    what: str
    subject: str
    fact: Fact
    certainty: Certainty


def of_the_world(subject: Subject) -> Iterator[Finding]:
    """What the dated facts of the world mean for the policy."""
    used = _used(subject)
    yield from root_leaves_store(subject, used)
    yield from ca_switches(subject, used)
    yield from ca_distrusted(subject, used)
    yield from validity_shrinks(subject, used)


def _used(subject: Subject) -> tuple[Use, ...]:
    named = ((name, spki) for fact in subject.facts for name, spki in fact.keys.items())
    return uses(subject, named)


def _departure(subject: Subject, use: Use) -> Departure | None:
    return departure(use.spki, subject.inventory.trust[DEFAULT_TRUST].roots, subject.facts) if use.root else None


def _unsure(certainty: Certainty) -> str:
    return " (unverified)" if certainty is Certainty.UNVERIFIED else ""


def root_leaves_store(subject: Subject, used: Sequence[Use]) -> Iterator[Finding]:
    """A root that is pinned, or that ends the path of clients, and leaves Mozilla's store."""
    today = subject.now.date()
    bundle = {root.spki for root in subject.inventory.trust[DEFAULT_TRUST].roots}
    for use in used:
        leaves = _departure(subject, use)
        if leaves is None or not (use.pinned_by or use.anchors):
            continue
        days = (leaves.day - today).days
        if days > subject.policy.limits.horizon_days:
            continue
        parts = [f"pinned by {use.pinned}"] if use.pinned_by else []
        if use.anchors:
            cohorts = list(dict.fromkeys(c for own in use.anchors.values() for c in own))
            parts.append(f"the root of what {', '.join(use.anchors)} serves to {people(clients_of(cohorts))}")
        late = days < 0 and leaves.certainty is Certainty.ASSUMED and use.spki in bundle
        verb = "was to leave" if late else "left" if days < 0 else "leaves"
        because = f", {leaves.because}" if leaves.because else ""
        urgent = bool(use.anchors) and days <= SOON_DAYS and not late
        yield Finding(
            id="root-leaves-store",
            severity=Severity.INFO if late else Severity.ERROR if urgent else Severity.WARNING,
            subject=use.subject,
            message=f"{use.name} {verb} Mozilla's store on {leaves.day}{because}: "
            + " and ".join(parts)
            + ("; the bundle at hand still has it" if late else ""),
            hint="ship the pin of a root that stays, and have the certificate issued under it before then",
            due=None if days < 0 else leaves.day,
            source=leaves.fact.source,
        )


def ca_switches(subject: Subject, used: Sequence[Use]) -> Iterator[Finding]:
    """A CA moves to other keys: pins on its old ones match nothing after the next renewal."""
    today = subject.now.date()
    for fact in (f for f in subject.facts if f.kind is FactKind.SWITCH):
        assert fact.day is not None  # noqa: S101 - a switch has a day
        for use in used:
            if not use.pinned_by or use.spki in fact.keys.values() or not _about(fact, use):
                continue
            if use.certificate is not None and fact.brings(use.certificate):
                continue
            before = [host for host, leaf in use.served.items() if leaf.not_before.date() < fact.day]
            ahead = 0 <= (fact.day - today).days <= subject.policy.limits.horizon_days
            if ahead or (before and fact.day < today):
                hosts = f"; {', '.join(before)} still serves a certificate from before" if before and not ahead else ""
                yield replace(
                    warning(
                        "ca-switches",
                        use.subject,
                        f"{fact.day}: {fact.what}{_unsure(fact.certainty)}. {use.name} is pinned by "
                        f"{use.pinned}{hosts}",
                        "pin what the CA moves to as well, or a key of your own, in a release that reaches them before",
                        fact.source,
                    ),
                    due=fact.day if ahead else None,
                )


def ca_distrusted(subject: Subject, used: Sequence[Use]) -> Iterator[Finding]:
    """A CA that a store does not trust any more for new certificates."""
    today = subject.now.date()
    for fact in (f for f in subject.facts if f.kind is FactKind.DISTRUST):
        assert fact.day is not None  # noqa: S101 - a distrust has a day
        for use in used:
            if not _about(fact, use) or (fact.day - today).days > subject.policy.limits.horizon_days:
                continue
            after = sorted(h for h, leaf in use.served.items() if leaf.not_before.date() > fact.day)
            if after:
                effect = f"{', '.join(after)} serves a certificate issued after it"
            elif use.served:
                effect = f"{', '.join(sorted(use.served))} can be renewed with another CA only"
            else:
                effect = "no new certificate can make use of the pin"
            pinned = f"; {use.name} is pinned by {use.pinned}" if use.pinned_by else ""
            yield Finding(
                id="ca-distrusted",
                severity=Severity.ERROR if after else Severity.WARNING,
                subject=use.subject,
                message=f"{fact.day}: {fact.what}{_unsure(fact.certainty)}: {effect}{pinned}",
                hint="have a key that is pinned certified by another CA, and ship pins that do not need this one",
                due=fact.day if fact.day >= today else None,
                source=fact.source,
            )


def _about(fact: Fact, use: Use) -> bool:
    return use.certificate is not None and fact.is_about(use.certificate, use.holder)


def validity_shrinks(subject: Subject, used: Sequence[Use]) -> Iterator[Finding]:
    """What breaks at every renewal breaks more often, as public certificates last less and less."""
    today = subject.now.date()
    for host, leaf, chain in public_leaves(subject):
        whole, keys = _at_each_renewal(subject, host, leaf, used)
        life = (leaf.not_after - leaf.not_before).days
        issuer = subject.inventory.authority_of(chain[0])
        holder = subject.policy.authorities[issuer].holder if issuer else None
        ahead = [s for s in limits_of_validity(subject.facts, chain[0], holder) if s.day is not None and s.day > today]
        steps = [s for s in ahead if s.max_days is not None and s.max_days < life]
        steps = [s for i, s in enumerate(steps) if all((s.max_days or 0) < (b.max_days or 0) for b in steps[:i])]
        for cohorts, what, hint in (
            (whole, "the whole certificate is pinned", "pin the key, and renew with the same key"),
            (keys, "each renewal brings a new key", "keep the key (renew_key), or pin the next one early enough"),
        ):
            if not cohorts or not steps:
                continue
            now = f"every {life} days at the latest now, " if life < MANY_DAYS else ""
            ladder = ", ".join(f"from {s.day} every {s.max_days} days{_unsure(s.certainty)}" for s in steps)
            often = ceil(365 / (steps[-1].max_days or 365))
            yield replace(
                warning(
                    "validity-shrinks",
                    f"hosts.{host}",
                    f"{what} by {people(clients_of(list(cohorts)))}, and a renewal breaks them: {now}{ladder}: "
                    f"{often} times a year",
                    hint,
                    steps[0].source,
                ),
                due=steps[0].day,
            )


def public_leaves(subject: Subject) -> Iterator[tuple[str, Certificate, tuple[Certificate, ...]]]:
    """Give each public host with each leaf of a public CA it serves, and what stands above it."""
    for host, offers in subject.today.world.served.items():
        if subject.policy.hosts[host].audience != "public":
            continue
        for leaf, sent in {offer.chain.leaf: offer.chain.sent for offer in offers}.items():
            if is_public(subject, sent):
                yield host, leaf, sent[1:] or (leaf,)


def _at_each_renewal(
    subject: Subject, host: str, leaf: Certificate, used: Sequence[Use]
) -> tuple[dict[Cohort, None], dict[Cohort, None]]:
    """Give the clients that a renewal breaks: whatever its key, and because its key is new."""
    whole: dict[Cohort, None] = {}
    keys: dict[Cohort, None] = {}
    chain = {c for offer in subject.today.world.served[host] if offer.chain.leaf == leaf for c in offer.chain.sent[1:]}
    chain |= {c for u in used if host in u.served and u.certificate is not None for c in (u.certificate,)}
    for connection in (c for c in subject.fleet.connections if c.host == host):
        for clause in (clause for rule in in_force(subject, connection) for clause in rule.clauses):
            if clause.scope is not Scope.LEAF and any(c.matches(pin) for c in chain for pin in clause.pins):
                continue
            kinds = {pin.kind for pin in clause.pins if leaf.matches(pin)}
            if kinds and kinds <= set(CERTIFICATE_KINDS):
                whole[connection.cohort] = None
            elif kinds and subject.policy.hosts[host].renew_key == "new":
                keys[connection.cohort] = None
    return whole, keys


def dated(subject: Subject) -> Iterator[Dated]:
    """Give every fact with a day that touches what the policy pins or serves, each once."""
    used = _used(subject)
    public = list(public_leaves(subject))
    for use in used:
        leaves = _departure(subject, use)
        if leaves is not None and (use.pinned_by or use.anchors):
            what = f"{use.name} leaves Mozilla's store"
            yield Dated(day=leaves.day, what=what, subject=use.subject, fact=leaves.fact, certainty=leaves.certainty)
    for fact in subject.facts:
        about = _touched(fact, used, public)
        if fact.day is not None and about is not None:
            yield Dated(day=fact.day, what=fact.what, subject=about, fact=fact, certainty=fact.certainty)


def _touched(
    fact: Fact, used: Iterable[Use], public: Iterable[tuple[str, Certificate, tuple[Certificate, ...]]]
) -> str | None:
    """Say what in the policy a fact is about; None where it is about nothing in it."""
    if fact.kind in (FactKind.REMOVAL, FactKind.KEY_AGE, FactKind.CLOCK):
        return None
    if fact.operators:
        own = [use for use in used if _about(fact, use) and use.spki not in fact.keys.values()]
        return own[0].subject if own else None
    return next((f"hosts.{host}" for host, _, _ in public), None)
