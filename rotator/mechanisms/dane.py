"""DANE: TLSA records (RFC 6698, RFC 7671), one rule for each record and any of them enough.

Usages as OpenSSL 3.0 does them, checked on loopback; the roll-over rule of RFC 7671, 8.1 holds for each combination of
usage, selector and matching type by itself.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rotator.errors import InputError, Problem
from rotator.mechanisms.base import Channel, Context, Entry, Facts, Mechanism, Parsed, PinConfig, PinList, PinsetSpec
from rotator.mechanisms.shared import lookup, rows, zone
from rotator.model.findings import Finding, error, info, warning
from rotator.model.names import Cover, Reach, canonical
from rotator.model.pins import Pin, PinKind
from rotator.model.rules import Base, Builder, Clause, LocalRoots, PathUse, Rule, Scope, Usage

RFC = "https://www.rfc-editor.org/rfc/rfc7671"
_RECORD = re.compile(
    r"^(?P<head>\s*(?:(?P<owner>(?!(?:IN|TLSA|\d\w*)\s)\S+)\s+)?(?:(?P<ttl>\d\w*)\s+)?(?:IN\s+)?"
    r"(?:(?P<late_ttl>\d\w*)\s+)?TLSA\s+)(?P<usage>\d+)\s+(?P<selector>\d+)\s+(?P<matching>\d+)\s+(?P<data>\S.*)$",
    re.IGNORECASE,
)
_OWNER = re.compile(r"^(?P<service>(?:\*|_(?:\d{1,5}|\*))\._(?:tcp|udp|sctp))\.(?P<name>.+?)\.?$", re.IGNORECASE)
_ANY_SERVICE = "_443._tcp"
"""Where records are written of which no port is known."""
_KINDS = {
    (0, 1): PinKind.CERT_SHA256,
    (0, 2): PinKind.CERT_SHA512,
    (1, 1): PinKind.SPKI_SHA256,
    (1, 2): PinKind.SPKI_SHA512,
}
_LENGTHS = {1: 32, 2: 64}
_EXPECTED = "TLSA records, as in _443._tcp.api.example.com. 3600 IN TLSA 3 1 1 <hex>"


@dataclass(slots=True)
class _Reader:
    """Reads records; unusable ones are left out and said so."""

    subject: str
    findings: list[Finding] = field(default_factory=list)

    def record(self, where: str, owner: str, numbers: tuple[int, int, int], data: str, ttl: int | None) -> Entry | None:
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


class Dane(Mechanism):
    """A client that asks a validating resolver for TLSA records."""

    id = "dane"
    channel = Channel.DNS
    file_name = "tlsa.zone"
    says_certificates = True
    from_dns = True
    facts = Facts(
        title="DANE TLSA records",
        object="certificate or public key: whole, SHA-256 or SHA-512",
        scope="usage 0 and 2: a CA of the path; 1 and 3: the leaf",
        host_rule="the exact owner name _port._protocol.name",
        expiry="none: the record's time to live and its signature",
        report_only="no",
        local_roots="usages 2 and 3 ask for no trusted root at all",
        update_channel="DNS, within two times to live",
        bad_config="unusable records are left out; none usable refuses, as for HTTPS",
        sources=("RFC 6698, RFC 7671", RFC),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read zone lines, or JSON Lines of `owner`, `usage`, `selector`, `matching` and `data`."""
        reader = _Reader(context.subject)
        text = rows.decode(data, context.subject, _EXPECTED)
        found = list(_records(text.splitlines(), context))
        if text.strip() and not found:
            raise InputError(Problem("holds no TLSA record", file=context.subject, expected=_EXPECTED))
        entries = [e for record in found if record.live and (e := record.read(reader)) is not None]
        config = PinConfig(entries=tuple(entries))
        return Parsed(config=config, findings=(*reader.findings, *self.lint(config, context)))

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Give a rule that any one of the host's records can satisfy, whatever the port."""
        found = [e for e in config.entries if not e.covers or any(c.name == host for c in e.covers)]
        if not found:
            return Rule(listed=not config.pinned, builder=Builder.FIRST_ISSUER)
        records = frozenset((e.usage, pin) for e in found for pin in e.pins if e.usage is not None)
        pins = frozenset(pin for _, pin in records)
        return Rule(
            clauses=(Clause(scope=Scope.ANY, pins=pins, records=records),),
            base=Base.DANE,
            path=PathUse.BUILT,
            builder=Builder.FIRST_ISSUER,
            local_roots=LocalRoots.ENFORCE,
            common_name=True,
        )

    def as_resolved(self, rule: Rule, dnssec: str) -> Rule:
        """Ignore the records of a zone that is not signed, and refuse where they are bogus (RFC 6698, 4.1)."""
        if dnssec == "bogus" and rule.clauses:
            return Rule(rejected="the TLSA records are bogus to a validating resolver", builder=rule.builder)
        return rule if dnssec == "secure" else replace(rule, clauses=(), base=Base.FULL)

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Write 3 1 1 for our keys, 2 1 1 for authorities and 3 0 1 for whole certificates, at the host's port."""
        rows_of = [(Usage.DANE_EE, Scope.LEAF, pin) for pin in spec.keys]
        rows_of += [(Usage.DANE_TA, Scope.CA, pin) for pin in spec.authorities]
        rows_of += [(Usage.DANE_EE, Scope.LEAF, pin) for pin in spec.certificates]
        return PinConfig(
            entries=tuple(
                Entry(
                    covers=(Cover(cover.name),),
                    lists=(PinList(scope=scope, pins=(pin,)),),
                    usage=usage,
                    service=f"_{spec.ports[cover.name]}._tcp" if cover.name in spec.ports else "",
                )
                for cover in spec.covers
                if cover.reach is not Reach.ONLY_ONE
                for usage, scope, pin in rows_of
            )
        )

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that names are exact."""
        yield from super().losses(spec)
        yield from lookup.exact_only(self.id, spec)

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Add combinations that do not each hold a spare, roots that must be sent, certificates that end unseen."""
        usable = {(entry.service, cover) for entry in config.pinned for cover in entry.covers}
        unusable = dict.fromkeys((entry.service, entry.covers) for entry in config.entries if not entry.lists)
        for service, covers in unusable:
            if not usable.issuperset((service, cover) for cover in covers) or not covers:
                yield error(
                    "no-usable-record",
                    f"{context.subject}: {', '.join(cover.text for cover in covers) or 'every host'}",
                    "no record can be used: an HTTPS client refuses, SMTP goes on without authentication",
                    "publish a record that clients know, such as 3 1 1",
                    RFC,
                )
        yield from (f for f in super().lint(config, context) if f.id != "nothing-pinned" or not config.entries)
        by_owner: dict[tuple[str, str], list[Entry]] = {}
        for entry in config.pinned:
            by_owner.setdefault((entry.title, entry.service), []).append(entry)
        for (host, _), entries in by_owner.items():
            combinations: dict[tuple[Usage | None, PinKind], int] = {}
            for entry in entries:
                for pin in entry.pins:
                    combinations[entry.usage, pin.kind] = combinations.get((entry.usage, pin.kind), 0) + 1
            if len(combinations) > 1:
                names = ", ".join(sorted(_combination(usage, kind) for usage, kind in combinations))
                yield warning(
                    "mixed-combinations",
                    f"{context.subject}: {host}",
                    f"records of several combinations ({names}): each must match what is served by itself",
                    "publish each key in every combination, or keep one",
                    RFC,
                )
            if any(entry.usage is Usage.DANE_TA for entry in entries):
                yield warning(
                    "root-must-be-sent",
                    f"{context.subject}: {host}",
                    "usage 2 matches a CA that is sent: a root that servers leave out never matches",
                    "pin an intermediate that is sent, or send the root as well",
                    RFC,
                )
            if any(entry.usage is Usage.DANE_EE for entry in entries):
                yield info(
                    "end-ignored",
                    f"{context.subject}: {host}",
                    "usage 3 ignores the certificate's end: a stolen key is accepted until the record is gone",
                    "take the record out when the key is stolen: revocation and the end do not help",
                    RFC,
                )

    def render(self, config: PinConfig) -> bytes:
        """Write zone lines."""
        lines = []
        for entry in config.entries:
            for cover in entry.covers or (Cover("example.com"),):
                for pin in entry.pins:
                    ttl = entry.lifetime_seconds if entry.lifetime_seconds is not None else 3600
                    owner = f"{entry.service or _ANY_SERVICE}.{cover.name}."
                    lines.append(f"{owner} {ttl} IN TLSA {_combination(entry.usage, pin.kind)} {pin.digest.hex()}\n")
        return "".join(lines).encode()

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Change the TLSA records of the names, at every port that has some; every other line of the zone stays.

        The host's own port gets them as well, where the zone has none for it.
        """
        wanted: dict[str, dict[tuple[Usage | None, Pin], Entry]] = {}
        for entry in config.pinned:
            for cover in entry.covers:
                wanted.setdefault(cover.name, {}).update({(entry.usage, pin): entry for pin in entry.pins})
        own = _Zone(rows.decode(data, context.subject, _EXPECTED).splitlines(keepends=True), context)
        fresh = [name for name in wanted if not _serves(own.change(name, wanted[name]), wanted[name])]
        rest = PinConfig(entries=tuple(e for name in fresh for e in _entries(name, wanted[name])))
        text = "".join(own.lines)
        newline = "\r\n" if "\r\n" in text else "\n"
        if fresh and text and not text.endswith("\n"):
            text += newline
        return text.encode() + self.render(rest).replace(b"\n", newline.encode())


def _serves(services: set[str], records: Mapping[tuple[Usage | None, Pin], Entry]) -> bool:
    """Say whether records at these places are seen at the port of a host; at any of them where it is not known."""
    asked = {entry.service for entry in records.values()} - {""}
    return "*._tcp" in services or (asked <= services if asked else bool(services))


def _entries(name: str, records: Mapping[tuple[Usage | None, Pin], Entry]) -> Iterator[Entry]:
    for (usage, pin), entry in records.items():
        yield replace(entry, covers=(Cover(name),), lists=(replace(entry.lists[0], pins=(pin,)),), usage=usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """A TLSA record as it stands in a file: a zone's statement, or a row."""

    at: zone.Statement
    match: re.Match[str] | None = None
    row: Mapping[str, Any] | None = None
    owner: str
    numbers: tuple[int, int, int]
    data: str
    ttl: int | None = None
    live: bool = True

    def read(self, reader: _Reader) -> Entry | None:
        return reader.record(f"line {self.at.first + 1}", self.owner, self.numbers, self.data, self.ttl)

    def holding(self, usage: Usage | None, pin: Pin, *, fresh: bool = False) -> str:
        """Write the record, or a fresh one like it, for another pin: owner, time to live and comments stay."""
        combination = _combination(usage, pin.kind)
        if self.row is not None:
            numbers = dict(zip(("usage", "selector", "matching"), map(int, combination.split()), strict=True))
            return json.dumps({**self.row, **numbers, "data": pin.digest.hex()}, ensure_ascii=False)
        own = self.match
        head = own["head"] if own is not None and not fresh else ""
        if fresh and own is not None:
            ttl = own["ttl"] or own["late_ttl"]
            head = f"{self.owner} {ttl + ' ' if ttl else ''}IN TLSA "
        comments = "" if fresh else "".join(f" {comment}" for comment in self.at.comments)
        return f"{head}{combination} {pin.digest.hex()}{comments}"


class _Zone:
    """The lines of a zone, changed in place: a line that goes becomes empty, so that places stay."""

    def __init__(self, lines: list[str], context: Context) -> None:
        self.lines = lines
        self.subject = context.subject
        self.statements = list(zone.statements(lines, context.subject, _zone_owner))
        self.bare = {s.first for s in self.statements if not s.written}
        self.records = list(_records(lines, context))

    def change(self, name: str, wanted: Mapping[tuple[Usage | None, Pin], Entry]) -> set[str]:
        """Put records in the place of those of a name; give the ports and protocols that it had some for."""
        groups: dict[str, list[_Record]] = {}
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
                found = record.read(_Reader(self.subject))
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

    def _write(self, record: _Record, text: str) -> None:
        """Put one line in the place of a record."""
        at = record.at
        text += _newline(self.lines[at.last])
        self.lines[at.first : at.last + 1] = [""] * (at.last - at.first) + [text]

    def _remove(self, record: _Record) -> None:
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


def _combination(usage: Usage | None, kind: PinKind) -> str:
    selector, matching = next(key for key, value in _KINDS.items() if value is kind)
    return f"{int(usage or 0)} {selector} {matching}"


def _records(lines: Sequence[str], context: Context) -> Iterator[_Record]:
    for at in zone.statements(lines, context.subject, _zone_owner):
        if at.text.startswith("{"):
            yield _row(at, context)
            continue
        match = _RECORD.match(at.text)
        if match is not None:
            said = match["ttl"] or match["late_ttl"]
            ttl = zone.seconds(said) if said else at.ttl
            numbers = (int(match["usage"][:4]), int(match["selector"][:4]), int(match["matching"][:4]))
            yield _Record(at=at, match=match, owner=at.owner, numbers=numbers, data=match["data"], ttl=ttl)
        elif "TLSA" in at.text.upper():
            raise InputError(
                Problem(
                    "is not a TLSA record",
                    file=context.subject,
                    path=f"line {at.first + 1}",
                    value=at.text.strip(),
                    expected=_EXPECTED,
                )
            )


def _row(at: zone.Statement, context: Context) -> _Record:
    try:
        row = json.loads(at.text)
        if row.get("commentedOut") is True:
            return _Record(at=at, row=row, owner="", numbers=(0, 0, 0), data="", live=False)
        return _Record(
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
                expected=_EXPECTED,
            )
        ) from None


MECHANISM = Dane()
