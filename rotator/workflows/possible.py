"""What can be asked of a policy: its events, what each can be about, and which of them can change anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Generic, TypeVar

from rotator.model.policy import Policy
from rotator.simulate.grammar import ALGORITHMS, EVENTS
from rotator.simulate.inventory import Inventory
from rotator.simulate.question import Picture
from rotator.simulate.standard import served_keys as served_keys_of

NOTHING = "nothing"
SCENARIO = "scenario "
Kept = TypeVar("Kept")


class Same(Generic[Kept]):
    """A value that is told from others by being another one: what is kept for it is good for it alone."""

    def __init__(self, value: Kept) -> None:
        """Keep it."""
        self.value = value

    def __eq__(self, other: object) -> bool:
        """Say whether it is the very same."""
        return isinstance(other, Same) and other.value is self.value

    def __hash__(self) -> int:
        """Give the same number for the very same."""
        return id(self.value)


def event_names(picture: Picture) -> tuple[str, ...]:
    """Give the events that can be asked of a policy, its scenarios last."""
    return _event_names(Same(picture))


@lru_cache(maxsize=1)
def _event_names(known: Same[Picture]) -> tuple[str, ...]:
    picture = known.value
    possible = [
        name
        for name, form in EVENTS.items()
        if all(kind.endswith("?") or part_choices(kind, picture) for kind in form.parts)
    ]
    return (*possible, *(SCENARIO + name for name in picture.policy.scenarios), NOTHING)


def usual_events(picture: Picture) -> tuple[str, ...]:
    """Give those of the events that can change anything with this policy, its scenarios last."""
    return tuple(name for name in event_names(picture) if name not in EVENTS or _can_matter(name, picture))


def _can_matter(event: str, picture: Picture) -> bool:
    """Say whether anything of a policy could feel an event."""
    policy, inventory = picture.policy, picture.inventory
    facts = inventory.mechanisms.values()
    dated = any(
        entry.expires is not None
        for items in inventory.enforced.values()
        for item in items
        for entry in item.config.entries
    )
    rules = {
        "ca-change": len(policy.chains) > 1,
        "intermediate-swap": any(host.issuer_pool for host in policy.hosts.values()),
        "hostile-pins": any(pinset.refresh_days for pinset in policy.pinsets.values())
        or "hpkp" in inventory.mechanisms,
        "strip": any(app.cleartext is not False for app in policy.apps.values()),
        "pins-expire": dated or any(pinset.expires for pinset in policy.pinsets.values()),
        "wrong-pin": False,
        "algorithm-change": any(trust.key_types for trust in policy.trust.values()),
        "local-root": any(trust.intercepted_by for trust in policy.trust.values()) or not list(facts),
    }
    return rules.get(event, True)


def part_choices(kind: str, picture: Picture) -> tuple[str, ...]:
    """Give what a part of an event can be, the likeliest first."""
    policy, inventory = picture.policy, picture.inventory
    plain = kind.removesuffix("?")
    if "|" in plain:
        return (*plain.split("|"), "") if kind.endswith("?") else tuple(plain.split("|"))
    if plain == "cohort":
        return _cohorts(Same(policy))
    ours = [label for label, host in policy.hosts.items() if host.control == "ours"]
    hosts = [*ours, *(label for label in policy.hosts if label not in ours)]
    tables: dict[str, Sequence[str]] = {
        "key": list(dict.fromkeys((*served_keys(inventory), *policy.keys))),
        "host": hosts,
        "chain": list(policy.chains),
        "authority": list(policy.authorities),
        "chain or host": [*hosts, *policy.chains],
        "chain or authority/issuer": [*policy.chains, *policy.authorities],
        "pinset": list(policy.pinsets),
        "algorithm": ALGORITHMS,
    }
    return (*tables.get(plain, ()), *([""] if kind.endswith("?") else []))


@lru_cache(maxsize=1)
def _served(known: Same[Inventory]) -> dict[str, list[str]]:
    return served_keys_of(known.value)


def served_keys(inventory: Inventory) -> dict[str, list[str]]:
    """Give our keys that hosts of ours serve, each with its hosts: every knob asks, and the policy stays the same."""
    return _served(Same(inventory))


@lru_cache(maxsize=1)
def _cohorts(known: Same[Policy]) -> tuple[str, ...]:
    """Give apps, and the versions of those that have some."""
    return tuple(_named(known.value))


def _named(policy: Policy) -> Iterator[str]:
    for name, app in policy.apps.items():
        yield name
        yield from (f"{name}/{release.version}" for release in app.releases)
