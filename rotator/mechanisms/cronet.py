"""Cronet `addPublicKeyPins` and Android's `HttpEngine.Builder.addPublicKeyPins`: pins in code, exchanged as JSON.

Rules from Cronet's `CronetEngineBuilderImpl` and Chromium's `TransportSecurityState`: the lookup walks up from the
host, skips entries that have ended, and stops at the first one that exists, whether or not it reaches the host.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from rotator.errors import Problem, UsageError
from rotator.mechanisms import base
from rotator.mechanisms.base import (
    ConfigRejectedError,
    Context,
    Entry,
    Facts,
    Mechanism,
    Parsed,
    PinConfig,
    PinList,
    PinsetSpec,
)
from rotator.mechanisms.shared import lookup, rows
from rotator.model.findings import Finding, info, warning
from rotator.model.names import Cover, Reach, canonical, is_host_name, is_ip, parents
from rotator.model.pins import Pin, decode_strict, spki_pin
from rotator.model.rules import BadConfig, Expiry, LocalRoots, Rule, Scope
from rotator.model.when import as_instant, iso, parse_instant

VENDOR = "https://developer.android.com/develop/connectivity/cronet/reference/org/chromium/net/CronetEngine.Builder"
BYPASS = "enablePublicKeyPinningBypassForLocalTrustAnchors"


@dataclass(slots=True)
class _Reader:
    """Reads rows; raises where `addPublicKeyPins` throws."""

    subject: str
    findings: list[Finding] = field(default_factory=list)

    def reject(self, where: str, message: str, value: object = None) -> ConfigRejectedError:
        return ConfigRejectedError(
            Problem(
                message,
                file=self.subject,
                path=where,
                value=value,
                hint="addPublicKeyPins throws: the app crashes where the engine is built",
            ),
            BadConfig.CRASH,
        )

    def row(self, where: str, row: dict[str, Any], local: LocalRoots) -> Entry:
        host = row.get("host", row.get("pattern"))
        if not isinstance(host, str) or not host:
            raise self.reject(where, "the host is missing", host)
        if is_ip(host) or not host.strip("0123456789."):
            raise self.reject(where, "the host is an IP address", host)
        name = _ascii(host)
        if not is_host_name(name):
            raise self.reject(where, "the host is no host name", host)
        pins = row.get("pins")
        if not isinstance(pins, list) or not pins:
            raise self.reject(where, "the pins are missing")
        found = [self._pin(where, text) for text in pins]
        expires = row.get("expires", row.get("expirationInstant"))
        if not isinstance(expires, str):
            raise self.reject(where, "the end of the pins is missing", expires)
        try:
            end = parse_instant(expires)
        except UsageError:
            raise self.reject(where, "the end of the pins is not an instant", expires) from None
        subdomains = row.get("includeSubdomains") is True
        return Entry(
            covers=(Cover(name, Reach.ALL if subdomains else Reach.EXACT),),
            lists=(PinList(scope=Scope.ANY, pins=base.distinct(found)),),
            expires=end,
            local_roots=local,
        )

    def _pin(self, where: str, text: object) -> Pin:
        body = text.removeprefix("sha256/") if isinstance(text, str) else None
        digest = decode_strict(body) if body is not None else None
        if digest is None or len(digest) != 32:
            raise self.reject(where, "a pin that is not the base64 of 32 bytes", text)
        return spki_pin(digest)


def _later(entries: tuple[Entry, ...], entry: Entry) -> tuple[Entry, ...]:
    """Give the entries that are left once one of them has ended: those that end later still."""
    if entry.expires is None:
        return ()
    end = as_instant(entry.expires)
    return tuple(e for e in entries if e is not entry and (e.expires is None or as_instant(e.expires) > end))


def _ascii(host: str) -> str:
    """Give a host name as `IDN.toASCII` does; one it cannot turn stays as it is, which is no host name."""
    try:
        return canonical(host if host.isascii() else host.encode("idna").decode("ascii"))
    except UnicodeError:
        return host


class Cronet(Mechanism):
    """Chromium's network stack inside an app."""

    id = "cronet"
    file_name = "cronet-pins.json"
    says_expiry = True
    needs_expiry = True
    facts = Facts(
        title="Cronet and HttpEngine addPublicKeyPins",
        object="public key, SHA-256",
        scope="any certificate of the validated path",
        host_rule="walks up from the host; the first entry that exists decides, and blocks those above it",
        expiry="an instant, always given, then open",
        report_only="no",
        local_roots="bypassed by default",
        update_channel="app release or code",
        bad_config="the app crashes where the engine is built",
        sources=("Chromium net TransportSecurityState, CronetEngineBuilderImpl", VENDOR),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read JSON: rows of `host`, `pins`, `includeSubdomains` and `expires`, and the bypass switch beside them."""
        reader = _Reader(context.subject)
        whole, table = rows.load(data, context.subject, "rows of host, pins, includeSubdomains and expires")
        bypass = whole.get(BYPASS) is not False
        local = LocalRoots.BYPASS if bypass else LocalRoots.ENFORCE
        by_host: dict[str, Entry] = {}
        for where, row in table:
            entry = reader.row(where, row, local)
            name = entry.covers[0].name
            if name in by_host:
                reader.findings.append(
                    warning(
                        "replaced-entry",
                        f"{context.subject}: {name}",
                        "added twice: the later one replaces the earlier",
                        "add each host once, with all its pins",
                        VENDOR,
                    )
                )
            by_host[name] = entry
        if bypass and by_host:
            reader.findings.append(
                info(
                    "local-roots-bypass",
                    context.subject,
                    "roots that a user or an enterprise installed bypass these pins, which is the default",
                    f"{BYPASS}(false) enforces them there too",
                    VENDOR,
                )
            )
        config = PinConfig(entries=tuple(by_host.values()))
        return Parsed(config=config, findings=(*reader.findings, *self.lint(config, context)))

    def expiry(self, expires: date | datetime | None) -> Expiry | None:
        """Pins end at the instant given."""
        return None if expires is None else Expiry.at(as_instant(expires))

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Walk up; what comes after an entry's end is what the walk finds without it."""
        local = config.entries[0].local_roots if config.entries else None
        return self._walk(config, host, config.entries, local or LocalRoots.BYPASS)

    def _walk(self, config: PinConfig, host: str, entries: tuple[Entry, ...], local: LocalRoots) -> Rule:
        by_name = {entry.covers[0].name: entry for entry in entries}
        name = next((n for n in (host, *parents(host)) if n in by_name), None)
        entry = by_name[name] if name is not None else None
        if entry is None or (name != host and entry.covers[0].reach is not Reach.ALL):
            stop = replace(base.unlisted(config), local_roots=local)
            if entry is None:
                return stop
            rest = self._walk(config, host, _later(entries, entry), local)
            return replace(stop, expiry=self.expiry(entry.expires), after=rest) if rest.clauses else stop
        rest = self._walk(config, host, _later(entries, entry), local)
        return Rule(
            clauses=entry.clauses,
            expiry=self.expiry(entry.expires),
            local_roots=local,
            after=rest if rest.clauses else None,
        )

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Make a row for each name; without an end the format cannot say the pins at all."""
        whole = super().from_pinset(spec)
        if not whole.entries or spec.expires is None:
            return PinConfig()
        entry = replace(whole.entries[0], expires=as_instant(spec.expires), local_roots=LocalRoots.BYPASS)
        return lookup.reach_all_or_exact(PinConfig(entries=(entry,)))

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that one label below a name cannot be said."""
        yield from super().losses(spec)
        yield from lookup.covers_more(self.id, spec)

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Add entries that hide the pins of their parents."""
        yield from super().lint(config, context)
        by_name = {entry.covers[0].name: entry for entry in config.entries}
        for name, entry in by_name.items():
            above = next((p for p in parents(name) if p in by_name), None)
            if above is None or by_name[above].covers[0].reach is not Reach.ALL:
                continue
            if entry.covers[0].reach is not Reach.ALL:
                yield warning(
                    "child-hides-parent",
                    f"{context.subject}: {name}",
                    f"hosts below {name} are not pinned although {above} includes its subdomains: the walk stops here",
                    "give the entry includeSubdomains too",
                    VENDOR,
                )

    def render(self, config: PinConfig) -> bytes:
        """Write one JSON object with the rows and the bypass switch."""
        bypass = not any(entry.local_roots is LocalRoots.ENFORCE for entry in config.entries)
        return rows.dump({BYPASS: bypass, "rows": _rows(config)})

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Replace the rows of the hosts; other rows and keys stay."""
        return rows.edit(data, _rows(config), context.subject)


def _rows(config: PinConfig) -> list[rows.Row]:
    return [
        {
            "host": cover.name,
            "pins": [pin.text for pin in entry.pins],
            "includeSubdomains": cover.reach is Reach.ALL,
            "expires": iso(as_instant(entry.expires)) if entry.expires else None,
        }
        for entry in config.entries
        for cover in entry.covers
    ]


MECHANISM = Cronet()
