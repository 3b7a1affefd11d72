"""DANE: TLSA records (RFC 6698, RFC 7671), one rule for each record and any of them enough.

Usages as OpenSSL 3.0 does them, checked on loopback; the roll-over rule of RFC 7671, 8.1 holds for each combination of
usage, selector and matching type by itself.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from rotator.errors import InputError, Problem
from rotator.mechanisms.base import Channel, Context, Entry, Facts, Mechanism, Parsed, PinConfig, PinList, PinsetSpec
from rotator.mechanisms.shared import lookup, rows
from rotator.model.findings import Finding, error, info, warning
from rotator.model.names import Cover, Reach, canonical
from rotator.model.pins import Pin, PinKind
from rotator.model.rules import Base, Builder, Clause, LocalRoots, PathUse, Rule, Scope, Usage

RFC = "https://www.rfc-editor.org/rfc/rfc7671"
_RECORD = re.compile(
    r"^\s*(?:(?P<owner>(?!(?:IN|TLSA|\d+)\s)\S+)\s+)?(?:(?P<ttl>\d+)\s+)?(?:IN\s+)?(?:(?P<late_ttl>\d+)\s+)?TLSA\s+"
    r"(?P<usage>\d+)\s+(?P<selector>\d+)\s+(?P<matching>\d+)\s+(?P<data>[^;\s][^;]*)(?:;.*)?$",
    re.IGNORECASE,
)
_OWNER = re.compile(r"^(?:\*|_(?P<port>\d{1,5}|\*))\._(?P<proto>tcp|udp|sctp)\.(?P<name>.+?)\.?$", re.IGNORECASE)
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
            return Entry(covers=covers, lists=(), lifetime_seconds=ttl)
        digest = self._digest(where, data, matching)
        if digest is None:
            return Entry(covers=covers, lists=(), lifetime_seconds=ttl)
        pin = Pin(_KINDS[selector, matching or 1], digest)
        return Entry(
            covers=covers,
            lists=(PinList(scope=Scope.CA if usage in (0, 2) else Scope.LEAF, pins=(pin,)),),
            usage=Usage(usage),
            lifetime_seconds=ttl,
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
        entries = [e for record in _records(data, context) if (e := reader.record(*record)) is not None]
        config = PinConfig(entries=tuple(entries))
        return Parsed(config=config, findings=(*reader.findings, *self.lint(config, context)))

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Give a rule that any one of the host's records can satisfy."""
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
        """Write 3 1 1 for our keys, 2 1 1 for authorities and 3 0 1 for whole certificates."""
        rows_of = [(Usage.DANE_EE, Scope.LEAF, pin) for pin in spec.keys]
        rows_of += [(Usage.DANE_TA, Scope.CA, pin) for pin in spec.authorities]
        rows_of += [(Usage.DANE_EE, Scope.LEAF, pin) for pin in spec.certificates]
        return PinConfig(
            entries=tuple(
                Entry(covers=(Cover(cover.name),), lists=(PinList(scope=scope, pins=(pin,)),), usage=usage)
                for cover in spec.covers
                if cover.reach is not Reach.ONLY_ONE
                for usage, scope, pin in rows_of
            )
        )

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that names are exact; records are written for port 443 where a zone has none of the name yet."""
        yield from super().losses(spec)
        yield from lookup.exact_only(self.id, spec)

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Add combinations that do not each hold a spare, roots that must be sent, certificates that end unseen."""
        usable = {cover for entry in config.pinned for cover in entry.covers}
        for covers in dict.fromkeys(entry.covers for entry in config.entries if not entry.lists):
            if not usable.issuperset(covers) or not covers:
                yield error(
                    "no-usable-record",
                    f"{context.subject}: {', '.join(cover.text for cover in covers) or 'every host'}",
                    "no record can be used: an HTTPS client refuses, SMTP goes on without authentication",
                    "publish a record that clients know, such as 3 1 1",
                    RFC,
                )
        yield from (f for f in super().lint(config, context) if f.id != "nothing-pinned" or not config.entries)
        by_host: dict[str, list[Entry]] = {}
        for entry in config.pinned:
            by_host.setdefault(entry.title, []).append(entry)
        for host, entries in by_host.items():
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
                    ttl = f"{entry.lifetime_seconds} " if entry.lifetime_seconds is not None else "3600 "
                    lines.append(
                        f"_443._tcp.{cover.name}. {ttl}IN TLSA {_combination(entry.usage, pin.kind)} {pin.digest.hex()}"
                    )
        return "".join(line + "\n" for line in lines).encode()

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Change the TLSA records of the names, at every port that has some; every other line of the zone stays."""
        for _ in _records(data, context):
            pass
        wanted: dict[str, dict[tuple[Usage | None, Pin], Entry]] = {}
        for entry in config.pinned:
            for cover in entry.covers:
                wanted.setdefault(cover.name, {}).update({(entry.usage, pin): entry for pin in entry.pins})
        zone = _Zone(data.decode("utf-8-sig").splitlines(keepends=True), context)
        fresh = [name for name in wanted if not zone.change(name, wanted[name])]
        rest = PinConfig(entries=tuple(e for name in fresh for e in _entries(name, wanted[name])))
        text = "".join(zone.lines)
        newline = "\r\n" if "\r\n" in text else "\n"
        if fresh and text and not text.endswith("\n"):
            text += newline
        return text.encode() + self.render(rest).replace(b"\n", newline.encode())


def _entries(name: str, records: Mapping[tuple[Usage | None, Pin], Entry]) -> Iterator[Entry]:
    for (usage, pin), entry in records.items():
        yield replace(entry, covers=(Cover(name),), lists=(replace(entry.lists[0], pins=(pin,)),), usage=usage)


class _Zone:
    """The lines of a zone, changed in place: a line that goes becomes empty, so that places stay."""

    def __init__(self, lines: list[str], context: Context) -> None:
        self.lines = lines
        self.context = context
        self.owners: list[str] = []
        self.written: list[bool] = []
        previous = ""
        for line in lines:
            row = line.strip().startswith("{")
            written = _zone_owner(line)
            previous = written or previous
            self.owners.append(_row_owner(line) if row else previous)
            self.written.append(bool(written) or row)

    def change(self, name: str, wanted: Mapping[tuple[Usage | None, Pin], Entry]) -> bool:
        """Put records in the place of those of a name; say whether it had any."""
        groups: dict[str, list[int]] = {}
        for index, line in enumerate(self.lines):
            owner = _OWNER.match(self.owners[index])
            if owner is not None and canonical(owner["name"]) == name and self._record(index, line) is not None:
                groups.setdefault(self.owners[index].lower(), []).append(index)
        for places in groups.values():
            left = dict(wanted)
            model = self.lines[places[-1]]
            newline = "\r\n" if model.endswith("\r\n") else "\n"
            for index in places:
                found = self._record(index, self.lines[index])
                key = (found.usage, found.pins[0]) if found is not None and found.pins else None
                if key is None or left.pop(key, None) is None:
                    self._remove(index)
            if left and self.lines[places[-1]] and not model.endswith("\n"):
                self.lines[places[-1]] += newline
            fresh = (_like(model, self.owners[places[0]], usage, pin) + newline for usage, pin in left)
            self.lines[places[-1]] += "".join(fresh)
        return bool(groups)

    def _record(self, index: int, line: str) -> Entry | None:
        """Read the record of a line; None where it is none, an empty entry where no client can use it."""
        where = f"line {index + 1}"
        reader = _Reader(self.context.subject)
        if line.strip().startswith("{"):
            row = _row(line.strip(), where, self.context)
            return reader.record(where, *row) if row is not None else None
        match = _RECORD.match(line) if not line.lstrip().startswith((";", "#", "$")) else None
        if match is None:
            return None
        if match["data"].count("(") != match["data"].count(")"):
            raise InputError(
                Problem("a record over several lines", file=self.context.subject, path=where, hint="write it on one")
            )
        numbers = (int(match["usage"][:4]), int(match["selector"][:4]), int(match["matching"][:4]))
        return reader.record(where, self.owners[index], numbers, match["data"], None)

    def _remove(self, index: int) -> None:
        """Take a record out; the next line that went without its owner's name gets it."""
        self.lines[index] = ""
        if not self.written[index]:
            return
        for after in range(index + 1, len(self.lines)):
            if self.written[after]:
                return
            if self.lines[after].strip() and not self.lines[after].lstrip().startswith((";", "#", "$")):
                self.lines[after] = self.owners[index] + self.lines[after]
                self.written[after] = True
                return


def _zone_owner(line: str) -> str:
    """Give the owner's name that a line of a zone begins with, or ""."""
    match = _RECORD.match(line)
    if match is not None:
        return match["owner"] or ""
    return "" if not line.strip() or line[0] in " \t;#${" else line.split(maxsplit=1)[0]


def _row_owner(line: str) -> str:
    try:
        return str(json.loads(line).get("owner") or "")
    except (ValueError, AttributeError, RecursionError):
        return ""


def _like(line: str, owner: str, usage: Usage | None, pin: Pin) -> str:
    """Write a record in the way another one of the same owner is written."""
    usage_number, selector, matching = (int(number) for number in _combination(usage, pin.kind).split())
    if line.strip().startswith("{"):
        row = json.loads(line)
        numbers = {"usage": usage_number, "selector": selector, "matching": matching}
        return json.dumps({**row, **numbers, "data": pin.digest.hex()}, ensure_ascii=False)
    match = _RECORD.match(line)
    ttl = f"{match['ttl']} " if match is not None and match["ttl"] else ""
    return f"{owner} {ttl}IN TLSA {_combination(usage, pin.kind)} {pin.digest.hex()}"


def _combination(usage: Usage | None, kind: PinKind) -> str:
    selector, matching = next(key for key, value in _KINDS.items() if value is kind)
    return f"{int(usage or 0)} {selector} {matching}"


def _records(data: bytes, context: Context) -> Iterator[tuple[str, str, tuple[int, int, int], str, int | None]]:
    text = rows.decode(data, context.subject, _EXPECTED)
    found = 0
    previous = ""
    for number, line in enumerate(text.splitlines(), 1):
        where = f"line {number}"
        stripped = line.strip()
        if not stripped or stripped.startswith((";", "#", "$")):
            continue
        if stripped.startswith("{"):
            row = _row(stripped, where, context)
            if row is not None:
                yield (where, *row)
            found += 1
            continue
        match = _RECORD.match(line)
        if match is None:
            if "TLSA" in line.upper():
                raise InputError(
                    Problem(
                        "is not a TLSA record", file=context.subject, path=where, value=stripped, expected=_EXPECTED
                    )
                )
            continue
        previous = match["owner"] or previous
        ttl = match["ttl"] or match["late_ttl"]
        numbers = (int(match["usage"][:4]), int(match["selector"][:4]), int(match["matching"][:4]))
        yield where, previous, numbers, match["data"], int(ttl[:10]) if ttl else None
        found += 1
    if text.strip() and not found:
        raise InputError(Problem("holds no TLSA record", file=context.subject, expected=_EXPECTED))


def _row(line: str, where: str, context: Context) -> tuple[str, tuple[int, int, int], str, int | None] | None:
    try:
        row = json.loads(line)
        if row.get("commentedOut") is True:
            return None
        numbers = (int(row["usage"]), int(row["selector"]), int(row["matching"]))
        owner = str(row.get("owner") or "")
        return owner, numbers, str(row["data"]), row.get("ttl") if isinstance(row.get("ttl"), int) else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(
            Problem("is not a row of a record", file=context.subject, path=where, value=line, expected=_EXPECTED)
        ) from None


MECHANISM = Dane()
