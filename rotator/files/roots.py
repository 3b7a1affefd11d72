"""The Mozilla bundle from certifi, its digests kept between runs by the digest of the file."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rotator.model.pki import Certificate

if TYPE_CHECKING:
    from rotator.files.pem import Loaded

FORMAT = 3
"""Raised whenever what is kept changes its meaning."""
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----")
_LABEL = re.compile(rb'^# Label: "?(.*?)"?\s*$', re.MULTILINE)


def mozilla_bundle() -> tuple[tuple[Certificate, ...], dict[str, Certificate]]:
    """Give the roots and the same by every name people know them by: common name and bundle label.

    Roots that cannot be read are left out, as a client could not use them either.
    """
    import certifi

    return bundle(Path(certifi.where()).read_bytes(), cache_folder())


def bundle(data: bytes, cache: Path | None) -> tuple[tuple[Certificate, ...], dict[str, Certificate]]:
    """Read a bundle, or what was kept of it.

    Args:
        data: the PEM bundle.
        cache: the folder to keep digests in; None to keep nothing.
    """
    digest = hashlib.sha256(data).hexdigest()
    kept = None if cache is None else cache / f"roots-{FORMAT}-{digest[:24]}.json"
    roots = _kept(kept)
    if roots is None:
        roots = _read(data)
        if kept is not None:
            _keep(kept, roots)
    by_name: dict[str, Certificate] = {}
    for root, label in roots:
        by_name.setdefault(label, root)
    for root, _ in roots:
        by_name.setdefault(root.label, root)
    return tuple(root for root, _ in roots), {name: root for name, root in by_name.items() if name}


def bundle_names(by_name: dict[str, Certificate]) -> dict[bytes, str]:
    """Give for each root key, by the SHA-256 of its SubjectPublicKeyInfo, a name of it that no other key has."""
    found: dict[bytes, str] = {}
    sharing: dict[str, set[bytes]] = {}
    for root in by_name.values():
        sharing.setdefault(root.label, set()).add(root.spki)
    for name, root in by_name.items():
        # The common name reads best, but several roots may share one.
        if root.spki not in found or (name == root.label and len(sharing[name]) == 1):
            found[root.spki] = name
    return found


def load_roots(roots: Iterable[Certificate]) -> list[Loaded]:
    """Read some roots of the bundle again, to check signatures with them."""
    import certifi

    from rotator.files import pem

    wanted = {root.sha256 for root in roots}
    blocks = _BLOCK.findall(Path(certifi.where()).read_bytes()) if wanted else []
    return [
        item
        for block in blocks
        if hashlib.sha256(base64.b64decode(block)).digest() in wanted
        for item in pem.load_certificates(base64.b64decode(block), "bundle", skip_unreadable=True)
    ]


def cache_folder() -> Path:
    """Give the folder for things that can be made again: `$XDG_CACHE_HOME/rotator`."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    root = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return root / "rotator"


def _read(data: bytes) -> list[tuple[Certificate, str]]:
    from rotator.files import pem

    found = []
    for block in data.split(b"-----END CERTIFICATE-----"):
        if b"-----BEGIN CERTIFICATE-----" not in block:
            continue
        label = _LABEL.search(block)
        loaded = pem.load_certificates(block + b"-----END CERTIFICATE-----", "bundle", skip_unreadable=True)
        linked = pem.link(loaded)
        found += [(linked[item.value], label[1].decode("utf-8", "replace") if label else "") for item in loaded]
    return found


def _kept(path: Path | None) -> list[tuple[Certificate, str]] | None:
    if path is None:
        return None
    try:
        rows = json.loads(path.read_bytes())
        return [(_from_json(row), str(row["label"])) for row in rows]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(path: Path, roots: list[tuple[Certificate, str]]) -> None:
    """Keep what was read; a folder that cannot be written costs time, nothing else."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps([{**_to_json(root), "label": label} for root, label in roots])
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError:
        return


def _to_json(certificate: Certificate) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for item in fields(certificate):
        value = getattr(certificate, item.name)
        if isinstance(value, bytes):
            value = {"b": base64.b64encode(value).decode()}
        elif isinstance(value, datetime):
            value = {"t": value.timestamp()}
        row[item.name] = value
    return row


def _from_json(row: dict[str, Any]) -> Certificate:
    values: dict[str, Any] = {}
    for item in fields(Certificate):
        value = row[item.name]
        if isinstance(value, dict):
            value = base64.b64decode(value["b"]) if "b" in value else datetime.fromtimestamp(value["t"], UTC)
        elif isinstance(value, list):
            value = tuple(value)
        values[item.name] = value
    return Certificate(**values)
