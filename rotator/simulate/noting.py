"""Which headers with pins a browser keeps: those with a pin of the chain and one of a spare key (RFC 7469, 2.5)."""

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
    return replace(config, entries=tuple(e for e in config.entries if not not_kept(inventory, e, host)))


def not_kept(inventory: Inventory, entry: Entry, host: str) -> str:
    """Say why a browser keeps a header after none of the chains that its host serves today, or "".

    A header belongs to the host of its name; one without a name is taken for that of `host`. It is kept where a pin is
    of a certificate on the path and another is of none. Where nothing is known of what is served, both are assumed.
    """
    if not entry.pins or entry.mode is not Mode.ENFORCE:
        return ""
    names = {cover.name for cover in entry.covers}
    labels = [own for own in inventory.policy.hosts if names.intersection(inventory.policy.host_names(own))]
    paths = [path for label in (labels if names else [host]) for path in _paths(inventory, label)]
    on_path = [[any(c.matches(pin) for c in path) for pin in entry.pins] for path in paths]
    if not on_path or any(any(found) and not all(found) for found in on_path):
        return ""
    if any(map(any, on_path)):
        return f"every pin is of the chain that {host} serves, and none of a spare key"
    return f"no pin is of the chain that {host} serves"


def _paths(inventory: Inventory, label: str) -> Iterator[tuple[Certificate, ...]]:
    """Give the path of each chain of a host to each trust store of the policy that it leads to."""
    host = inventory.policy.hosts[label]
    served = dict.fromkeys((*host.serves, *(name for edge in host.edges for name in edge.serves)))
    for chain in (inventory.chains[name] for name in served if name in inventory.chains):
        for trust in inventory.trust.values():
            path = next(find_paths(chain.sent, trust, Conditions(at=None), Builder.BACKTRACK, inventory.extra), None)
            if path is not None:
                yield path.certificates
