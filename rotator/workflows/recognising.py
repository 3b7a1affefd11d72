"""What a file is, told by its content: one of the things a policy is made of, or counts of its clients."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from rotator.errors import InputError, RotatorError
from rotator.files.counts.reader import read_counts
from rotator.files.policy_toml import read_bytes
from rotator.model.code_pins import ENDINGS
from rotator.workflows.inputs import pin_file_of

_POLICY = re.compile(rb"^\s*schema\s*=\s*\d", re.MULTILINE)


class Kind(StrEnum):
    """What a file can be."""

    COUNTS = "counts"
    PINS = "pin file"
    CHAIN = "chain"
    KEY = "key"
    CODE = "code"
    POLICY = "policy"
    PRIVATE = "private key"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """A file, told apart.

    Attributes:
        kind: what it is.
        words: the same for people, or why it cannot be used.
        mechanism: for a shipped pin file, whose it is.
    """

    kind: Kind
    words: str
    mechanism: str = ""


def recognise(data: bytes, file: str, today: date) -> Recognised:
    """Tell what a file is by what it holds."""
    found = _by_marks(data, file)
    if found is not None:
        return found
    try:
        readings = read_counts(data, file, today)
    except RotatorError as error:
        problem = error.problems[0] if isinstance(error, InputError) else None
        if any(mark in data[:4096] for mark in (b",", b";", b"\t")) and b"\0" not in data[:4096]:
            return Recognised(kind=Kind.COUNTS, words="perhaps a table of counts: name its columns")
        return Recognised(kind=Kind.NOTHING, words=problem.message if problem is not None else str(error))
    return Recognised(kind=Kind.COUNTS, words=" and ".join(dict.fromkeys(r.title for r in readings)))


def _by_marks(data: bytes, file: str) -> Recognised | None:
    """Tell what carries a mark of its own; None for tables."""
    head = data.lstrip()[:4096]
    if b"-----BEGIN CERTIFICATE-----" in data and b"PRIVATE KEY-----" not in data:
        many = data.count(b"-----BEGIN CERTIFICATE-----")
        pasted = "a pasted handshake" if b"s_client" in data or b"Certificate chain" in data else "a PEM chain"
        return Recognised(kind=Kind.CHAIN, words=f"{pasted} of {many} certificate{'' if many == 1 else 's'}")
    mechanism = pin_file_of(data)
    marks = (
        (b"PRIVATE KEY-----" in data, Kind.PRIVATE, "a private key: Rotator never reads one, give its public half"),
        (b"CERTIFICATE REQUEST-----" in head, Kind.KEY, "a certificate request: a key of yours"),
        (b"PUBLIC KEY-----" in head, Kind.KEY, "a public key"),
        (Path(file).suffix == ".toml" and bool(_POLICY.search(data[:65536])), Kind.POLICY, "a policy of Rotator"),
        (bool(mechanism), Kind.PINS, f"a shipped pin file of {mechanism}"),
        (Path(file).suffix in ENDINGS, Kind.CODE, "code: rotator new --from-git shows the pins in it"),
        (data[:1] == b"\x30", Kind.KEY, "DER: a key, a request or a certificate"),
    )
    hit = next(((kind, words) for fits, kind, words in marks if fits), None)
    if hit is None:
        return None
    return Recognised(kind=hit[0], words=hit[1], mechanism=mechanism if hit[0] is Kind.PINS else "")


def recognise_file(path: str, today: date) -> tuple[bytes, Recognised]:
    """Read a file and tell what it is.

    Raises:
        InputError: it cannot be read.
    """
    data = read_bytes(path)
    return data, recognise(data, path, today)
