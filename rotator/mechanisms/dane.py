"""DANE: TLSA records (RFC 6698, RFC 7671), one rule for each record and any of them enough.

Usages as OpenSSL 3.0 does them, checked on loopback; the roll-over rule of RFC 7671, 8.1 holds for each combination of
usage, selector and matching type by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from rotator.errors import InputError, Problem
from rotator.mechanisms.base import Channel, Context, Entry, Facts, Mechanism, Parsed, PinConfig, PinList, PinsetSpec
from rotator.mechanisms.shared import lookup, rows
from rotator.mechanisms.shared.tlsa import EXPECTED, RFC, Reader, Zone, combination, records_of
from rotator.model.findings import Finding, error, info, warning
from rotator.model.names import Cover, Reach
from rotator.model.pins import Pin, PinKind
from rotator.model.rules import Base, Builder, Clause, LocalRoots, PathUse, Rule, Scope, Usage

_ANY_SERVICE = "_443._tcp"
"""Where records are written of which no port is known."""


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
        reader = Reader(context.subject)
        text = rows.decode(data, context.subject, EXPECTED)
        found = list(records_of(text.splitlines(), context))
        if text.strip() and not found:
            raise InputError(Problem("holds no TLSA record", file=context.subject, expected=EXPECTED))
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
                names = ", ".join(sorted(combination(usage, kind) for usage, kind in combinations))
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
                    lines.append(f"{owner} {ttl} IN TLSA {combination(entry.usage, pin.kind)} {pin.digest.hex()}\n")
        return "".join(lines).encode()

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Change the TLSA records of the names, at every port that has some; every other line of the zone stays.

        The host's own port gets them as well, where the zone has none for it.
        """
        wanted: dict[str, dict[tuple[Usage | None, Pin], Entry]] = {}
        for entry in config.pinned:
            for cover in entry.covers:
                wanted.setdefault(cover.name, {}).update({(entry.usage, pin): entry for pin in entry.pins})
        own = Zone(rows.decode(data, context.subject, EXPECTED).splitlines(keepends=True), context)
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


MECHANISM = Dane()
