"""What is in force for a connection in a world: its pins as they were shipped, or as they were changed since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from rotator.mechanisms.base import Channel
from rotator.model.pins import Pin
from rotator.model.pki import TrustStore, unknown_key
from rotator.model.rules import Clause, Rule
from rotator.simulate.cohorts import Cohort
from rotator.simulate.demands import rule_of
from rotator.simulate.fleet import Connection
from rotator.simulate.inventory import DEFAULT_TRUST, Enforced, Inventory
from rotator.simulate.world import LocalRoot, World

Taken = Callable[[Connection, str, int], bool]
"""Whether a client of a connection, as it shipped, took an attacker's header, by name and number of the mechanism."""


def is_of(cohort: Cohort, who: tuple[str, str, str], names: tuple[str, ...]) -> bool:
    """Say whether a cohort is meant by app, version and trust store, "" for all of them."""
    app, version, trust = who
    return cohort.app == app and (not version or version in names) and trust in ("", cohort.trust)


def versions_of(inventory: Inventory, cohort: Cohort) -> tuple[str, ...]:
    """Give every version that a cohort stands for."""
    if cohort.release < 0:
        return (cohort.version,)
    release = inventory.policy.apps[cohort.app].releases[cohort.release]
    return (release.version, *release.also)


@dataclass
class InForce:
    """Gives connections and trust stores as they are in one world."""

    inventory: Inventory
    world: World
    taken: Taken
    _stores: dict[tuple[str, frozenset[LocalRoot]], TrustStore] = field(default_factory=dict)
    _rules: dict[tuple[Enforced, str, str], Rule] = field(default_factory=dict)

    def store(self, cohort: Cohort) -> TrustStore:
        """Give what a cohort trusts: with roots that were installed on its devices, without what its store dropped."""
        own = self.inventory.trust.get(cohort.trust, self.inventory.trust[DEFAULT_TRUST])
        names = versions_of(self.inventory, cohort)
        added = frozenset(local for local in self.world.local_roots if is_of(cohort, local.cohort, names))
        gone = frozenset((spki, since) for store, spki, since in self.world.distrusted_by if store == own.name)
        if not added and not gone:
            return own
        if (own.name, added) not in self._stores:
            ordered = sorted(added, key=lambda local: (local.root.sha256, local.intercepts))
            proxy = next((local.root for local in ordered if local.intercepts), own.intercepted_by)
            more = f" with {', '.join(dict.fromkeys(local.root.subject for local in ordered))}" if added else ""
            self._stores[own.name, added] = replace(
                own,
                name=own.name + more + (", intercepted" if any(local.intercepts for local in ordered) else ""),
                local_roots=(*own.local_roots, *(local.root for local in ordered)),
                intercepted_by=proxy,
                distrusted=gone,
            )
        return self._stores[own.name, added]

    def connection(self, connection: Connection) -> Connection:
        """Give a connection with the rules that are in force."""
        world = self.world
        hostile = self._hostile(connection.host) is not None
        wrong = any(source in world.wrong for source in connection.sources)
        if not (hostile or wrong or self.live(connection)):
            return connection
        rules: dict[str, tuple[Rule, ...]] = {}
        for name, own in connection.rules.items():
            rules[name] = tuple(self._rule(connection, name, number, rule) for number, rule in enumerate(own))
        return replace(connection, rules=rules)

    def _rule(self, connection: Connection, name: str, number: int, rule: Rule) -> Rule:
        channel = connection.channels[number]
        rule = self.carried(connection, number, rule)
        if self._reached(connection, channel):
            rule = self._published(connection, name, number, rule)
        since = self._hostile(connection.host)
        if rule.rejected or since is None:
            return rule
        if channel is Channel.LIVE:
            ours_again = any(p.done and p.since >= since for p in self.world.live(connection.cohort.app))
            return rule if ours_again and not connection.cohort.offline else replace(rule, hostile=True)
        taken = channel is Channel.DNS or (channel is Channel.HEADER and self.taken(connection, name, number))
        return replace(rule, hostile=True) if taken else rule

    def live(self, connection: Connection) -> bool:
        """Say whether pins that are published reach a connection on any channel."""
        if not self.world.published or not self.world.live(connection.cohort.app):
            return False
        return any(self._reached(connection, channel) for channel in connection.channels)

    def _reached(self, connection: Connection, channel: Channel) -> bool:
        """Say whether pins that are published reach a connection on a channel."""
        if channel in (Channel.HEADER, Channel.DNS):
            return any(app == connection.cohort.app for app, _ in self.inventory.everywhere)
        return channel is Channel.LIVE and not connection.cohort.offline

    def carried(self, connection: Connection, number: int, rule: Rule) -> Rule:
        """Give a rule as it was delivered: with pins that match nothing where its pinset went out wrong."""
        source = connection.sources[number]
        return mispinned(rule, source) if source in self.world.wrong else rule

    def _hostile(self, host: str) -> datetime | None:
        """Say since when an attacker writes the pins of a host, the latest time where there were several."""
        return max((since for name, since in self.world.hostile if name == host), default=None)

    def _published(self, connection: Connection, name: str, number: int, rule: Rule) -> Rule:
        """Give the rule that live pins make; while they are on their way, both are judged and the worse counts."""
        cohort = connection.cohort
        live = self.world.live(cohort.app)
        found = [rule] if not live or not live[0].done else []
        for published in live:
            enforced = self.inventory.published[cohort.app, published.pinset]
            item = enforced[cohort.release, connection.beside][number]
            app = self.inventory.policy.apps[cohort.app]
            fresh = rule_of(self.inventory, item, connection.host, name, self._rules, cleartext=app.cleartext)
            found.append(mispinned(fresh, published.pinset) if published.pinset in self.world.wrong else fresh)
        whole = found[-1]
        for earlier in reversed(found[:-1]):
            whole = _beside(whole, earlier)
        return whole


def _beside(rule: Rule, other: Rule) -> Rule:
    """Give a rule that some devices of a cohort read as another one."""
    if rule == other:
        return rule
    return replace(rule, other=other if rule.other is None else _beside(rule.other, other))


def mispinned(rule: Rule, pinset: str) -> Rule:
    """Give a rule whose pins match nothing."""

    def wrong(pin: Pin) -> Pin:
        return Pin(pin.kind, (unknown_key(f"wrong pin of {pinset}") * 2)[: pin.kind.length])

    def clause(own: Clause) -> Clause:
        return replace(
            own,
            pins=frozenset(wrong(pin) for pin in own.pins),
            named=frozenset((name, wrong(pin)) for name, pin in own.named),
            records=frozenset((usage, wrong(pin)) for usage, pin in own.records),
        )

    return replace(
        rule,
        clauses=tuple(clause(own) for own in rule.clauses),
        after=mispinned(rule.after, pinset) if rule.after is not None else None,
        other=mispinned(rule.other, pinset) if rule.other is not None else None,
    )
