"""Recorded chains: PEM files with a date in their name, and JSON as the x509-limbo project writes its cases."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from rotator.errors import InputError, Problem, UsageError
from rotator.files import pem
from rotator.files.policy_toml import read_bytes
from rotator.files.roots import load_roots, mozilla_bundle
from rotator.model.names import canonical
from rotator.model.pki import Certificate
from rotator.model.when import parse_instant
from rotator.simulate.backtest import Snapshot

_DATE = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?:T(\d{2})-?:?(\d{2})Z?)?(?!\d)")
_TOLD = re.compile(rb"# Rotator saw ([!-~]{1,253}) ")
"""How a file that `rotator observe` kept begins: with the name of the host."""
_PEM_ENDINGS = (".pem", ".crt", ".cer", ".der")
MAX_FILES = 20_000


def read_history(folder: str, known: Iterable[str] = ()) -> tuple[Snapshot, ...]:
    """Read every record of a folder and the folders in it.

    Args:
        folder: where the record lies.
        known: files of certificates that may have signed what was served and are not in the record, such as the
            roots of a policy; those of the Mozilla bundle are known in any case.

    Returns:
        The snapshots in no order; what was seen once more at the same instant is kept once.

    Raises:
        InputError: the folder cannot be read, holds no record, or a file in it is broken; with all problems.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(Problem("is not a folder", file=folder))
    files = sorted(path for path in root.rglob("*") if path.suffix.lower() in (*_PEM_ENDINGS, ".json"))[: MAX_FILES + 1]
    if not files or len(files) > MAX_FILES:
        raise InputError(
            Problem(
                "holds no record" if not files else "holds too many files",
                file=folder,
                expected="PEM files named HOST__DATE..., or JSON with peer_certificate and validation_time",
            )
        )
    problems: list[Problem] = []
    loaded: list[_Loaded] = []
    for path in files:
        try:
            loaded += _load(path)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return tuple(_linked(loaded, _signers(known)))


def snapshots_of(
    seen: Iterable[tuple[datetime, str, tuple[bytes, ...], str]], known: Iterable[str] = ()
) -> tuple[Snapshot, ...]:
    """Make snapshots of chains that are at hand.

    Args:
        seen: when, the DNS name, the certificates as they were sent (DER, leaf first), and where it is from.
        known: as `read_history` takes it.

    Raises:
        InputError: a certificate cannot be read.
    """
    records = [
        _Loaded(at, name, [item for der in sent for item in pem.load_certificates(der, source)], [], source)
        for at, name, sent, source in seen
    ]
    return tuple(_linked(records, _signers(known)))


def _signers(files: Iterable[str]) -> list[pem.Loaded]:
    return [item for file in files for item in pem.load_certificates(read_bytes(file), file, skip_unreadable=True)]


class _Loaded:
    """A record whose signatures are not checked yet."""

    def __init__(self, at: datetime, host: str, sent: list[pem.Loaded], roots: list[pem.Loaded], source: str) -> None:
        self.at, self.host, self.sent, self.roots, self.source = at, host, sent, roots, source


def _linked(records: list[_Loaded], known: list[pem.Loaded]) -> Iterator[Snapshot]:
    everything = [item for record in records for item in (*record.sent, *record.roots)]
    wanted = {item.value.issuer_id for item in everything}
    anchors = [root for root in mozilla_bundle()[0] if root.subject_id in wanted]
    linked = pem.link([*everything, *known, *load_roots(anchors)])
    seen: set[tuple[str, datetime, tuple[Certificate, ...]]] = set()
    for record in records:
        sent = tuple(linked[item.value] for item in record.sent)
        if (record.host, record.at, sent) not in seen:
            seen.add((record.host, record.at, sent))
            roots = tuple(replace(linked[item.value]) for item in record.roots)
            yield Snapshot(at=record.at, host=record.host, sent=sent, roots=roots, source=record.source)


def _load(path: Path) -> Iterator[_Loaded]:
    data = read_bytes(str(path))
    if path.suffix.lower() in _PEM_ENDINGS:
        sent = pem.load_certificates(data, str(path))
        told = _TOLD.match(data)
        host = canonical(told[1].decode("ascii", "replace")) if told is not None else _host(path, sent[0].value)
        yield _Loaded(_dated(path, sent[0].value), host, sent, [], path.name)
        return
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(Problem(f"is not JSON: {error}", file=str(path))) from None
    cases = whole.get("testcases", [whole]) if isinstance(whole, dict) else []
    for case in cases:
        yield _limbo(case, path)


def _limbo(case: object, path: Path) -> _Loaded:
    if not isinstance(case, dict) or not isinstance(case.get("peer_certificate"), str):
        raise InputError(Problem("has no peer_certificate", file=str(path), expected="a case as x509-limbo writes it"))
    name = case.get("expected_peer_name")
    host = name.get("value") if isinstance(name, dict) else None
    when = case.get("validation_time")
    texts = [case["peer_certificate"], *_texts(case, "untrusted_intermediates", path)]
    sent = [item for text in texts for item in pem.load_certificates(text.encode(), str(path))]
    roots = [
        item
        for text in _texts(case, "trusted_certs", path)
        for item in pem.load_certificates(text.encode(), str(path), skip_unreadable=True)
    ]
    at = _parse(when, path) if isinstance(when, str) else _dated(path, sent[0].value)
    return _Loaded(at, canonical(host) if isinstance(host, str) else _host(path, sent[0].value), sent, roots, path.name)


def _texts(case: dict[str, object], name: str, path: Path) -> list[str]:
    """Give the certificates in a list of a case; a list that is not there is empty.

    Raises:
        InputError: it holds something else, which left out would make an outage of a chain that was whole.
    """
    value = case.get(name) or []
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise InputError(Problem("is no list of PEM texts", file=str(path), path=name, expected="certificates as PEM"))
    return value


def _parse(text: str, path: Path) -> datetime:
    try:
        return parse_instant(text)
    except UsageError as error:
        first = error.problems[0]
        raise InputError(
            Problem(first.message, file=str(path), path="validation_time", value=text, expected=first.expected)
        ) from None


def _dated(path: Path, leaf: Certificate) -> datetime:
    """Take the date of a file's name, else the day its certificate begins."""
    match = _DATE.search(path.name)
    if match is not None:
        text = match[1] + (f"T{match[2]}:{match[3]}Z" if match[2] else "")
        return _parse(text, path)
    return leaf.not_before


def _host(path: Path, leaf: Certificate) -> str:
    """Take the host of a file's name, else the first name of its certificate."""
    head = path.name.partition("__")[0]
    if "__" in path.name and "." in head:
        return canonical(head)
    plain = [name for name in leaf.dns_names if not name.startswith("*.")]
    return canonical((plain or [leaf.label])[0])
