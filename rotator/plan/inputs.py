"""What a plan stands on, by name and digest: the policy, and every certificate and shipped pin file that it names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from rotator.simulate.question import Picture


def digests_of(picture: Picture) -> dict[str, str]:
    """Give the SHA-256 of every input as hex, by the name of its file; files of one name are taken together.

    Counts are no such input: they are set against a plan, and move it by a proposal.
    """
    found = {"policy": picture.digest or ""}
    parts: dict[str, list[bytes]] = {}
    for path, certificates in picture.material.certificates.items():
        parts.setdefault(_name(path), []).append(b"".join(c.sha256 for c in certificates))
    for path, data in picture.material.shipped.items():
        parts.setdefault(_name(path), []).append(hashlib.sha256(data).digest())
    return found | {name: hashlib.sha256(b"".join(sorted(own))).hexdigest() for name, own in sorted(parts.items())}


def changed(stored: Mapping[str, str], today: Mapping[str, str]) -> list[str]:
    """Name the inputs that are not what they were, those that are gone among them."""
    names = {"policy": "the policy"}
    return [names.get(name, name) for name, digest in stored.items() if today.get(name) != digest]


def _name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]
