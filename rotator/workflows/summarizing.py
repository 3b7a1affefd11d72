"""The one-page summary: put together what it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from rotator import __version__
from rotator.checks.backups import capabilities
from rotator.checks.base import Subject
from rotator.checks.capability import Capability
from rotator.model.pins import Pin
from rotator.model.pki import Certificate, may_have_issued
from rotator.report.summary import Served, Step, Summary
from rotator.simulate.budget import breaches_of
from rotator.simulate.fleet import Connection
from rotator.simulate.grammar import Occurrence
from rotator.simulate.impact import BROKEN, EXPOSED, Impact
from rotator.simulate.inventory import Inventory
from rotator.simulate.question import LARGE_FOR_DAYS, Answer, Desk, Picture, Question, ask
from rotator.simulate.standard import backups_of, five_rows, fresh_hits, served_keys
from rotator.simulate.totals import Total, total_of
from rotator.workflows.checking import Checked, check
from rotator.workflows.simulating import calendar


def summarize(picture: Picture, now: datetime, shown_file: str, checked: Checked | None = None) -> Summary:
    """Compute the summary of a policy at an instant; `checked` is its check, where that was made already."""
    checked = checked or check(picture, now)
    inventory, today = checked.baseline.inventory, checked.baseline.impact
    keys = served_keys(inventory, today.world)
    backups = capabilities_of(checked, now)
    next_ones = [backup for key in keys for backup in backups_of(inventory, key)]
    desk = checked.large_desk or Desk(picture, large=LARGE_FOR_DAYS)
    return Summary(
        version=__version__,
        file=shown_file,
        now=now,
        inventory=inventory,
        fleet=checked.baseline.fleet,
        today=today,
        served=tuple(_served(inventory, today)),
        backups=backups,
        carried=all_carried(checked.baseline, (*(b.key for b in backups), *keys, *next_ones)),
        ifs=five_rows(picture, now, calendar(picture.policy), desk),
        findings=checked.findings,
        steps=tuple(_steps(picture, keys, now, desk)),
        dates=tuple((item.day, item.text) for item in checked.calendar),
    )


def _served(inventory: Inventory, today: Impact) -> Iterator[Served]:
    for key, hosts in served_keys(inventory, today.world).items():
        offers = today.world.served[hosts[0]]
        chain = next(offer.chain for offer in offers if inventory.key_of(offer.chain.leaf) == key)
        yield Served(
            key=key, chain=chain.name, issuer=_issuer(inventory, chain.sent), until=chain.leaf.not_after.date()
        )


def _issuer(inventory: Inventory, sent: tuple[Certificate, ...]) -> str:
    anchors = [c for store in inventory.trust.values() for c in (*store.roots, *store.local_roots)]
    found = next((c for c in (*sent[1:], *anchors) if may_have_issued(c, sent[0])), None)
    return inventory.name_of(found) if found is not None else sent[0].issuer


def capabilities_of(checked: Checked, now: datetime) -> tuple[Capability, ...]:
    """Ask the four questions of every backup of a pinset in use, each key once."""
    baseline = checked.baseline
    subject = Subject(inventory=baseline.inventory, fleet=baseline.fleet, now=now, today=baseline.impact, shipped={})
    found: dict[str, Capability] = {}
    for name in subject.pinset_users():
        for capability in capabilities(subject, baseline.inventory.policy.pinsets[name]):
            found.setdefault(capability.key, capability)
    return tuple(found.values())


def carried(answer: Answer, key: str) -> Total:
    """Count the clients whose pins in force, on any host they use, hold a key."""
    return all_carried(answer, (key,))[key]


def all_carried(answer: Answer, keys: Iterable[str]) -> dict[str, Total]:
    """Count the clients whose pins in force, on any host they use, hold each of some keys."""
    holding: dict[Pin, dict[int, bool]] = {}
    impact = answer.impact
    for place in range(len(impact.rows)):
        connection = impact.glance(place).connection
        for pin in frozenset.intersection(*map(_pins, connection.instead or (connection,))):
            holding.setdefault(pin, {})[connection.index] = True
    return {key: total_of(answer.fleet, holding.get(answer.inventory.keys[key].pin, {})) for key in keys}


def _pins(connection: Connection) -> frozenset[Pin]:
    return frozenset(pin for rules in connection.rules.values() for rule in rules for pin in rule.pins)


def _steps(picture: Picture, keys: dict[str, list[str]], now: datetime, desk: Desk) -> Iterator[Step]:
    """Ask of each backup whom serving it now, where its primary is served, would break who is not broken already."""
    asked: set[str] = set()
    own = calendar(picture.policy)
    today = ask(picture, Question(occurrences=(), at=now), own, desk=desk).impact
    for key, hosts in keys.items():
        for backup in backups_of(picture.inventory, key):
            if backup in asked:
                continue
            asked.add(backup)
            serves = tuple(Occurrence(id="serve", parts=(host, backup), action=True) for host in hosts)
            impact = ask(picture, Question(occurrences=serves, at=now), own, desk=desk).impact
            fresh = fresh_hits(impact, today, *BROKEN)
            exposed = {index: sure for index, sure in impact.hit(*EXPOSED).items() if index in fresh}
            beyond = breaches_of(impact.fleet, fresh, exposed, picture.inventory)
            yield Step(key=backup, broken=total_of(impact.fleet, fresh), safe=not any(True for _ in beyond))
