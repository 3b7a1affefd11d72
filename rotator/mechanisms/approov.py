"""Approov managed pins: base64 digests of public keys by domain, fetched by the app every few minutes.

Rules from Approov's `approov-service-okhttp` and its documentation: domains are exact; the key `*` holds managed trust
roots, used for a domain whose own list is empty; a domain that is not there is not pinned.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rotator.errors import InputError, Problem
from rotator.mechanisms.base import Channel, Context, Entry, Facts, Mechanism, Parsed, PinConfig, PinList, PinsetSpec
from rotator.mechanisms.shared import json_edit, lint, lookup, rows
from rotator.model.findings import Finding, info
from rotator.model.names import Cover
from rotator.model.pins import Pin, b64, decode_strict, spki_pin
from rotator.model.rules import LocalRoots, Rule, Scope

VENDOR = "https://approov.io/docs/latest/approov-usage-documentation/"
_EXPECTED = '{"api.example.com": ["<base64>", ...], "*": [...]}'
MANAGED = "*"


class Approov(Mechanism):
    """Pins from a service, fed to OkHttp."""

    id = "approov"
    channel = Channel.LIVE
    file_name = "approov-pins.json"
    facts = Facts(
        title="Approov managed pins",
        object="public key, SHA-256",
        scope="any certificate of the path",
        host_rule="exact domain; * is for domains whose own list is empty",
        expiry="decided by the service",
        report_only="no",
        local_roots="pins hold",
        update_channel="cloud, within minutes while the app is active",
        bad_config="the service refuses it",
        sources=("Approov approov-service-okhttp", VENDOR),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read a map from domain to pins, bare or under `public-key-sha256` or `domains`."""
        findings: list[Finding] = []
        entries = []
        for domain, texts in _map(data, context).items():
            pins, dead = lookup.read_pins(texts, _read)
            name = domain.lower()  # with its last dot: OkHttp, which is given the names, then matches no host
            lists = (PinList(scope=Scope.ANY, pins=pins, dead=dead),) if pins or dead else ()
            entries.append(Entry(covers=(Cover(name),), lists=lists))
        config = PinConfig(entries=tuple(entries))
        if any(e.covers[0].name == MANAGED for e in entries):
            findings.append(
                info(
                    "managed-roots",
                    context.subject,
                    "* holds managed trust roots, for domains whose list is empty",
                    "a managed root is pinned for everybody: whoever it certifies is accepted",
                    VENDOR,
                )
            )
        return Parsed(config=config, findings=(*findings, *self.lint(config, context)))

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Choose the exact domain; an empty list means the managed roots."""
        by_name = {cover.name: entry for entry in config.entries for cover in entry.covers}
        entry = by_name.get(host)
        if entry is not None and not entry.lists:
            entry = by_name.get(MANAGED)
        return Rule(
            clauses=entry.clauses if entry is not None else (),
            listed=entry is not None or not config.pinned,
            local_roots=LocalRoots.ENFORCE,
        )

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """List each name exactly."""
        return lookup.exact_names(super().from_pinset(spec))

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Add names that no host has."""
        yield from super().lint(config, context)
        named = tuple(e for e in config.entries if e.covers[0].name != MANAGED)
        yield from lint.odd_names(PinConfig(entries=named), context, VENDOR)

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that names are exact, and that no client reads the file itself."""
        yield from super().losses(spec)
        yield from lookup.exact_only(self.id, spec)
        yield "from-a-service", "approov hands pins out from its service: set there what this file says"

    def render(self, config: PinConfig) -> bytes:
        """Write a map from domain to pins."""
        return rows.dump(_table(config))

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Replace the pins of the domains; other domains and keys stay."""
        whole = _whole(data, context)
        inside = next((key for key in ("public-key-sha256", "domains") if isinstance(whole.get(key), dict)), None)
        table = whole if inside is None else whole[inside]
        wanted: dict[str, object] = {}
        for domain, pins in _table(config).items():
            name = next((name for name in table if name.lower() == domain), domain)
            old = table.get(name)
            if isinstance(old, dict):
                wanted[name] = {"pins": rows.kept(old.get("pins") or (), pins, _read)}
            else:
                wanted[name] = rows.kept(old if isinstance(old, list) else (), pins, _read)
        return json_edit.put(data.decode("utf-8-sig"), wanted if inside is None else {inside: wanted}).encode()


def _read(text: str) -> Pin | None:
    """Read bare base64: the client puts `sha256/` in front itself, so with it in the list nothing matches."""
    digest = decode_strict(text)
    return spki_pin(digest) if digest is not None and len(digest) == 32 else None


def _table(config: PinConfig) -> dict[str, list[str]]:
    return {cover.name: [b64(pin.digest) for pin in entry.pins] for entry in config.entries for cover in entry.covers}


def _whole(data: bytes, context: Context) -> dict[str, Any]:
    text = rows.decode(data, context.subject, _EXPECTED)
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(Problem("is not JSON", file=context.subject, expected=_EXPECTED)) from None
    if not isinstance(whole, dict):
        raise InputError(Problem("is not a map", file=context.subject, expected=_EXPECTED))
    return whole


def _map(data: bytes, context: Context) -> dict[str, list[object]]:
    whole = _whole(data, context)
    for key in ("public-key-sha256", "domains"):
        if isinstance(whole.get(key), dict):
            whole = whole[key]
            break
    found = {}
    for domain, value in whole.items():
        pins = value.get("pins") if isinstance(value, dict) else value
        if not isinstance(pins, list):
            raise InputError(
                Problem("has no list of pins", file=context.subject, path=domain, value=value, expected=_EXPECTED)
            )
        found[domain] = pins
    return found


MECHANISM = Approov()
