"""Which headers with pins a browser keeps: one without a spare key is ignored (RFC 7469, 2.5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rotator.mechanisms.base import Entry, PinConfig
from rotator.model.paths import Conditions, find_paths
from rotator.model.pki import Certificate
from rotator.model.rules import Builder, Mode
from rotator.simulate.inventory import Inventory


def noted(inventory: Inventory, config: PinConfig, host: str) -> PinConfig:
    """Leave out what a browser does not keep of the headers of a host, as the policy serves it today."""
    return replace(config, entries=tuple(e for e in config.entries if not without_spare(inventory, e, host)))


def without_spare(inventory: Inventory, entry: Entry, host: str) -> bool:
    """Say whether every pin of a header is of a certificate on the path, whichever chain is served.

    A header belongs to the host of its name; one without a name is taken for that of `host`. Where nothing is known
    of what is served, a spare is assumed.
    """
    if not entry.pins or entry.mode is not Mode.ENFORCE:
        return False
    names = {cover.name for cover in entry.covers}
    labels = [own for own in inventory.policy.hosts if names.intersection(inventory.policy.host_names(own))]
    paths = [path for label in (labels if names else [host]) for path in _paths(inventory, label)]
    return bool(paths) and all(any(c.matches(pin) for c in path) for path in paths for pin in entry.pins)


def _paths(inventory: Inventory, label: str) -> Iterator[tuple[Certificate, ...]]:
    """Give the path of each chain of a host to each trust store of the policy that it leads to."""
    host = inventory.policy.hosts[label]
    served = dict.fromkeys((*host.serves, *(name for edge in host.edges for name in edge.serves)))
    for chain in (inventory.chains[name] for name in served if name in inventory.chains):
        for trust in inventory.trust.values():
            path = next(find_paths(chain.sent, trust, Conditions(at=None), Builder.BACKTRACK, inventory.extra), None)
            if path is not None:
                yield path.certificates
