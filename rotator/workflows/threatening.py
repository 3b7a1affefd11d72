"""Threats against kinds of pins: which client is played for a host, and the grid."""

from __future__ import annotations

from datetime import datetime

from rotator.errors import InputError, Problem, UsageError
from rotator.mechanisms.base import Mechanism
from rotator.mechanisms.custom import Custom
from rotator.mechanisms.registry import mechanism as known_mechanism
from rotator.model.names import canonical, did_you_mean
from rotator.simulate.fleet import fleet_of
from rotator.simulate.grid import Threats
from rotator.simulate.inventory import DEFAULT_TRUST
from rotator.simulate.question import Picture
from rotator.simulate.threats import leads, threats

USUAL = "okhttp"
"""The client that is played where no app of the policy uses the host."""


def threats_of(picture: Picture, host: str, now: datetime, mechanism: str | None = None) -> Threats:
    """Make the grid of a host, for the client most of its users have.

    Args:
        picture: everything read.
        host: a label or a DNS name.
        now: the instant.
        mechanism: the client technology to play instead.

    Raises:
        UsageError: there is no such host or mechanism, or no path from what it serves.
    """
    policy = picture.policy
    label = policy.host_label(host) or policy.host_label(canonical(host))
    if label is None:
        raise UsageError(Problem("no host has this name", value=host, hint=did_you_mean(host, policy.hosts)))
    own, trust = _usual(picture, label, mechanism, now)
    return threats(picture, label, own, trust, now)


def hosts_with_chains(picture: Picture) -> tuple[str, ...]:
    """Give the hosts that serve something, ours first."""
    serving = [label for label, host in picture.policy.hosts.items() if host.serves]
    return tuple(sorted(serving, key=lambda label: picture.policy.hosts[label].control != "ours"))


def _usual(picture: Picture, host: str, wanted: str | None, now: datetime) -> tuple[Mechanism, str]:
    """Give the mechanism, and the trust store, that most clients of a host have among those that pin.

    Where no app uses the host the store is one that trusts what it serves.
    """
    sizes: dict[tuple[str, str], float] = {}
    for connection in fleet_of(picture.inventory, picture.table).connections:
        if connection.host == host and connection.beside < 0:
            clients = connection.clients
            for name in connection.mechanisms:
                key = (name, connection.cohort.trust)
                sizes[key] = sizes.get(key, 0) + (clients.high if clients is not None else 0)
    fitting = {key: size for key, size in sizes.items() if key[0] == wanted or (wanted is None and key[0] != "none")}
    if fitting:
        name, trust = max(fitting, key=lambda key: fitting[key])
        return _mechanism(picture, name), trust
    stores = [key[1] for key in sorted(sizes, key=lambda key: -sizes[key])] or [DEFAULT_TRUST, *picture.policy.trust]
    trust = next((name for name in stores if leads(picture, host, name, now)), stores[0])
    return _mechanism(picture, wanted or USUAL), trust


def _mechanism(picture: Picture, name: str) -> Mechanism:
    if name in picture.inventory.mechanisms:
        return picture.inventory.mechanisms[name]
    custom = picture.policy.mechanisms.get(name)
    try:
        return Custom(name, custom) if custom is not None else known_mechanism(name)
    except InputError as error:
        raise UsageError(list(error.problems)) from None
