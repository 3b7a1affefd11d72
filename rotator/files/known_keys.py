"""Names for pins out of files: PEM bundles, and the lists that the Common CA Database publishes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from rotator.errors import InputError, Problem
from rotator.files.policy_toml import read_bytes
from rotator.model.pins import decode_strict
from rotator.model.resemblance import KnownKey

_PEM = ("x.509 certificate (pem)", "pem info", "pem", "certificate pem")
_SPKI = ("sha-256(subject public key info)", "spki sha256", "sha256 spki")
_NAME = ("certificate name", "common name or certificate name", "root certificate name", "subject")
_ID = ("subject key identifier",)
_EXPECTED = "a PEM bundle, or a list of the Common CA Database as CSV"
_MOST_BYTES = 64 << 20


def load_known(file: str) -> tuple[KnownKey, ...]:
    """Read the keys that a file names.

    Args:
        file: a PEM bundle, or a CSV list with PEM certificates or SHA-256 digests of keys in its columns.

    Raises:
        InputError: it cannot be read, or names no key.
    """
    data = read_bytes(file, limit=_MOST_BYTES)
    text = data.decode("utf-8-sig", "replace")
    head = text.partition("\n")[0].lower()
    listed = any(name in head for name in (*_PEM, *_SPKI)) and "," in head
    keys = tuple(_from_rows(text, file)) if listed else tuple(_from_pem(data, file))
    if not keys:
        raise InputError(Problem("names no key", file=file, expected=_EXPECTED))
    return keys


def _from_pem(data: bytes, file: str) -> Iterator[KnownKey]:
    from rotator.files import pem

    try:
        loaded = pem.load_certificates(data, file, skip_unreadable=True)
    except InputError:
        return
    linked = pem.link(loaded)
    yield from (KnownKey.of(certificate) for certificate in linked.values())


def _from_rows(text: str, file: str) -> Iterator[KnownKey]:
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise InputError(Problem(f"is not CSV: {error}", file=file, expected=_EXPECTED)) from None
    from rotator.files import pem

    for row in rows:
        cells = {key.strip().lower(): value for key, value in row.items() if key and isinstance(value, str)}
        name = _cell(cells, _NAME)
        block = _cell(cells, _PEM).strip("'")
        if block:
            for item in pem.load_certificates(block.encode(), file, skip_unreadable=True):
                yield KnownKey.of(item.value, name)
            continue
        digest = decode_strict(_cell(cells, _SPKI))
        if digest is not None and len(digest) == 32:
            called = name or f"the key with identifier {_cell(cells, _ID)}"
            yield KnownKey(name=called, spki=digest, ca=True)


def _cell(cells: dict[str, str], names: tuple[str, ...]) -> str:
    return next((cells[name].strip() for name in names if cells.get(name)), "")
