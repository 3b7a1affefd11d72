"""Names of keys, from a policy, from public roots and from files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from rotator.checks.named import of_policy, of_roots
from rotator.files.known_keys import load_known
from rotator.files.roots import bundle_names, mozilla_bundle
from rotator.model.resemblance import KnownKey, KnownKeys
from rotator.simulate.inventory import Inventory


def known_keys(files: Iterable[str] = (), inventory: Inventory | None = None) -> KnownKeys:
    """Give every key that has a name: of the policy first, then of the Mozilla bundle, then of the files.

    Args:
        files: PEM bundles, or lists of the Common CA Database as CSV.
        inventory: a policy whose names come first.

    Raises:
        InputError: a file cannot be read, or names no key.
    """
    own = _of_bundle() if inventory is None else chain(of_policy(inventory), of_roots(inventory))
    return KnownKeys((*own, *named_by(files)))


def named_by(files: Iterable[str]) -> tuple[KnownKey, ...]:
    """Give the keys that files name.

    Raises:
        InputError: a file cannot be read, or names no key.
    """
    return tuple(key for file in files for key in load_known(file))


def _of_bundle() -> Iterator[KnownKey]:
    bundle, by_name = mozilla_bundle()
    names = bundle_names(by_name)
    yield from (KnownKey.of(root, names.get(root.spki, "")) for root in bundle)
