"""TLSA records as they stand in a zone or in rows: read, and changed in place."""

from __future__ import annotations

import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rotator.errors import InputError, Problem
from rotator.mechanisms.base import Context, Entry, PinList
from rotator.mechanisms.shared import zone
from rotator.model.findings import Finding, warning
from rotator.model.names import Cover, canonical
from rotator.model.pins import Pin, PinKind
from rotator.model.rules import Scope, Usage

RFC = "https://www.rfc-editor.org/rfc/rfc7671"
_RECORD = re.compile(
    r"^(?P<head>\s*(?:(?P<owner>(?!(?:IN|TLSA|\d\w*)\s)\S+)\s+)?(?:(?P<ttl>\d\w*)\s+)?(?:IN\s+)?"
    r"(?:(?P<late_ttl>\d\w*)\s+)?TLSA\s+)(?P<usage>\d+)\s+(?P<selector>\d+)\s+(?P<matching>\d+)\s+(?P<data>\S.*)$",
    re.IGNORECASE,
)
_OWNER = re.compile(r"^(?P<service>(?:\*|_(?:\d{1,5}|\*))\._(?:tcp|udp|sctp))\.(?P<name>.+?)\.?$", re.IGNORECASE)
_KINDS = {
    (0, 1): PinKind.CERT_SHA256,
    (0, 2): PinKind.CERT_SHA512,
    (1, 1): PinKind.SPKI_SHA256,
    (1, 2): PinKind.SPKI_SHA512,
}
_LENGTHS = {1: 32, 2: 64}
EXPECTED = "TLSA records, as in _443._tcp.api.example.com. 3600 IN TLSA 3 1 1 <hex>"


@dataclass(slots=True)
class Reader:
    """Reads records; unusable ones are left out and said so."""

    subject: str
    findings: list[Finding] = field(default_factory=list)

    def record(self, where: str, owner: str, numbers: tuple[int, int, int], data: str, ttl: int | None) -> Entry | None:
        """Give a record as an entry: without pins where clients cannot use it, None where none asks for it."""
        usage, selector, matching = numbers
        host = _OWNER.match(owner)
        covers = (Cover(canonical(host["name"])),) if host is not None else ()
        service = host["service"].lower() if host is not None else ""
        if host is None and owner:
            self.findings.append(
                warning(
                    "odd-owner",
                    f"{self.subject}: {where}",
                    f"{owner} is no _port._protocol name: no client asks for it",
                    "write _443._tcp. in front of the name",
                    RFC,
                )
            )
            return None
        if not 0 <= usage <= 3 or selector not in (0, 1) or matching not in (0, 1, 2):
            self.findings.append(
                warning(
                    "unusable-record",
                    f"{self.subject}: {where}",
                    f"{usage} {selector} {matching} is not a known combination: clients leave the record out",
                    "use usage 0 to 3, selector 0 or 1, matching 0 to 2",
                    RFC,
                )
            )
            return Entry(covers=covers, lists=(), lifetime_seconds=ttl, service=service)
        digest = self._digest(where, data, matching)
        if digest is None:
            return Entry(covers=covers, lists=(), lifetime_seconds=ttl, service=service)
        pin = Pin(_KINDS[selector, matching or 1], digest)
        return Entry(
            covers=covers,
            lists=(PinList(scope=Scope.CA if usage in (0, 2) else Scope.LEAF, pins=(pin,)),),
            usage=Usage(usage),
            lifetime_seconds=ttl,
            service=service,
        )

    def _digest(self, where: str, data: str, matching: int) -> bytes | None:
        plain = re.sub(r"[\s()]", "", data)
        try:
            value = binascii.unhexlify(plain)
        except (binascii.Error, ValueError):
            value = b""
        if matching == 0:
            value = hashlib.sha256(value).digest() if value else b""
        elif len(value) != _LENGTHS[matching]:
            value = b""
        if not value:
            self.findings.append(
                warning(
                    "unusable-record",
                    f"{self.subject}: {where}",
                    "the data is not a digest of its matching type",
                    "matching 1 takes 64 hexadecimal digits, matching 2 takes 128",
                    RFC,
                )
            )
        return value or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A TLSA record as it stands in a file: a zone's statement, or a row."""

    at: zone.Statement
    match: re.Match[str] | None = None
    row: Mapping[str, Any] | None = None
    owner: str
    numbers: tuple[int, int, int]
    data: str
    ttl: int | None = None
    live: bool = True

    def read(self, reader: Reader) -> Entry | None:
        """Give the record as an entry, as `Reader.record` does."""
        return reader.record(f"line {self.at.first + 1}", self.owner, self.numbers, self.data, self.ttl)

    def holding(self, usage: Usage | None, pin: Pin, *, fresh: bool = False) -> str:
        """Write the record, or a fresh one like it, for another pin: owner, time to live and comments stay."""
        written = combination(usage, pin.kind)
        if self.row is not None:
            numbers = dict(zip(("usage", "selector", "matching"), map(int, written.split()), strict=True))
            return json.dumps({**self.row, **numbers, "data": pin.digest.hex()}, ensure_ascii=False)
        own = self.match
        head = own["head"] if own is not None and not fresh else ""
        if fresh and own is not None:
            ttl = own["ttl"] or own["late_ttl"]
            head = f"{self.owner} {ttl + ' ' if ttl else ''}IN TLSA "
        comments = "" if fresh else "".join(f" {comment}" for comment in self.at.comments)
        return f"{head}{written} {pin.digest.hex()}{comments}"


class Zone:
    """The lines of a zone, changed in place: a line that goes becomes empty, so that places stay."""

    def __init__(self, lines: list[str], context: Context) -> None:
        self.lines = lines
        self.subject = context.subject
        self.statements = list(zone.statements(lines, context.subject, _zone_owner))
        self.bare = {s.first for s in self.statements if not s.written}
        self.records = list(records_of(lines, context))

    def change(self, name: str, wanted: Mapping[tuple[Usage | None, Pin], Entry]) -> set[str]:
        """Put records in the place of those of a name; give the ports and protocols that it had some for."""
        groups: dict[str, list[Record]] = {}
        services: set[str] = set()
        for record in self.records:
            owner = _OWNER.match(record.owner)
            if record.live and owner is not None and canonical(owner["name"]) == name:
                groups.setdefault(record.owner.lower().removesuffix("."), []).append(record)
                services.add(owner["service"].lower())
        for places in groups.values():
            left = dict(wanted)
            out = []
            for record in places:
                found = record.read(Reader(self.subject))
                key = (found.usage, found.pins[0]) if found is not None and found.pins else None
                if key is None or left.pop(key, None) is None:
                    out.append(record)
            for record in out:
                if left:
                    usage, pin = next(iter(left))
                    del left[usage, pin]
                    self._write(record, record.holding(usage, pin))
                else:
                    self._remove(record)
            model = places[-1]
            newline = _newline(self.lines[model.at.last]) or "\n"
            if left and not self.lines[model.at.last].endswith("\n"):
                self.lines[model.at.last] += newline
            fresh = (model.holding(usage, pin, fresh=True) + newline for usage, pin in left)
            self.lines[model.at.last] += "".join(fresh)
        return services

    def _write(self, record: Record, text: str) -> None:
        """Put one line in the place of a record."""
        at = record.at
        text += _newline(self.lines[at.last])
        self.lines[at.first : at.last + 1] = [""] * (at.last - at.first) + [text]

    def _remove(self, record: Record) -> None:
        """Take a record out; the next one that went without its owner's name gets it."""
        at = record.at
        self.lines[at.first : at.last + 1] = [""] * (at.last - at.first + 1)
        if at.first in self.bare or record.row is not None:
            return
        after = next((s for s in self.statements if s.first > at.last and not s.text.startswith("{")), None)
        if after is not None and after.first in self.bare:
            self.lines[after.first] = record.owner + self.lines[after.first]
            self.bare.discard(after.first)


def _newline(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _zone_owner(text: str) -> str:
    """Give the owner's name that a statement of a zone begins with, or ""."""
    match = _RECORD.match(text)
    if match is not None:
        return match["owner"] or ""
    return "" if text[:1].isspace() else text.split(maxsplit=1)[0]


def combination(usage: Usage | None, kind: PinKind) -> str:
    """Write usage, selector and matching type."""
    selector, matching = next(key for key, value in _KINDS.items() if value is kind)
    return f"{int(usage or 0)} {selector} {matching}"


def records_of(lines: Sequence[str], context: Context) -> Iterator[Record]:
    """Give every record of a zone or of rows.

    Raises:
        InputError: a line is no record and looks like one.
    """
    for at in zone.statements(lines, context.subject, _zone_owner):
        if at.text.startswith("{"):
            yield _row(at, context)
            continue
        match = _RECORD.match(at.text)
        if match is not None:
            said = match["ttl"] or match["late_ttl"]
            ttl = zone.seconds(said) if said else at.ttl
            numbers = (int(match["usage"][:4]), int(match["selector"][:4]), int(match["matching"][:4]))
            yield Record(at=at, match=match, owner=at.owner, numbers=numbers, data=match["data"], ttl=ttl)
        elif "TLSA" in at.text.upper():
            raise InputError(
                Problem(
                    "is not a TLSA record",
                    file=context.subject,
                    path=f"line {at.first + 1}",
                    value=at.text.strip(),
                    expected=EXPECTED,
                )
            )


def _row(at: zone.Statement, context: Context) -> Record:
    try:
        row = json.loads(at.text)
        if row.get("commentedOut") is True:
            return Record(at=at, row=row, owner="", numbers=(0, 0, 0), data="", live=False)
        return Record(
            at=at,
            row=row,
            owner=str(row.get("owner") or ""),
            numbers=(int(row["usage"]), int(row["selector"]), int(row["matching"])),
            data=str(row["data"]),
            ttl=row.get("ttl") if isinstance(row.get("ttl"), int) else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(
            Problem(
                "is not a row of a record",
                file=context.subject,
                path=f"line {at.first + 1}",
                value=at.text,
                expected=EXPECTED,
            )
        ) from None
