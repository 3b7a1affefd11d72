"""React Native `react-native-ssl-public-key-pinning`: one map, read by TrustKit on iOS and by OkHttp on Android.

Rules from the library's Swift and Java sources: `**.` patterns and a union on Android, the most specific name on iOS;
at least two pins on iOS or it throws; Android looks at the end of the pins once, when it is initialised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from rotator.errors import InputError, Problem
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
from rotator.mechanisms.shared import json_edit, lint, lookup, rows
from rotator.model.findings import Finding, info, warning
from rotator.model.names import Cover, Reach
from rotator.model.pins import Pin, b64, decode_strict, is_canonical, spki_pin
from rotator.model.rules import BadConfig, Clause, LocalRoots, Revocation, Rule, Scope

VENDOR = "https://github.com/frw/react-native-ssl-public-key-pinning"
TRUSTKIT_KEYS = frozenset({"rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384"})
_EXPECTED = '{"api.example.com": {"includeSubdomains": true, "publicKeyHashes": ["<base64>", ...]}}'
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


@dataclass(slots=True)
class _Reader:
    """Reads the map; raises where the library throws on iOS."""

    context: Context
    findings: list[Finding] = field(default_factory=list)

    def reject(self, name: str, message: str, value: object = None) -> ConfigRejectedError:
        return ConfigRejectedError(
            Problem(
                message,
                file=self.context.subject,
                path=name,
                value=value,
                hint="initializeSslPinning throws on iOS, before anything is pinned",
            ),
            BadConfig.CRASH,
        )

    def domain(self, name: str, value: object) -> Entry:
        if not isinstance(value, dict):
            raise self.reject(name, "the entry is not a map", value)
        self._suffix(name, subdomains=value.get("includeSubdomains") is True)
        texts = value.get("publicKeyHashes")
        if not isinstance(texts, list):
            raise self.reject(name, "publicKeyHashes is missing")
        pins = []
        for text in texts:
            digest = decode_strict(text) if isinstance(text, str) else None
            if digest is None or len(digest) != 32:
                hint = "leave out the sha256/ in front" if isinstance(text, str) and text.startswith("sha256/") else ""
                raise self.reject(name, f"a hash that is not the base64 of 32 bytes{': ' + hint if hint else ''}", text)
            if not is_canonical(str(text)):
                self.findings.append(lint.note_spelling(f"{self.context.subject}: {name}", str(text), VENDOR))
            pins.append(spki_pin(digest))
        unique = base.distinct(pins)
        if len(unique) < 2:
            raise self.reject(name, "fewer than two different hashes", len(unique))
        reach = Reach.ALL if value.get("includeSubdomains") is True else Reach.EXACT
        return Entry(
            covers=(Cover(name.lower(), reach),),
            lists=(PinList(scope=Scope.ANY, pins=unique),),
            expires=self._expires(name, value.get("expirationDate")),
        )

    def _suffix(self, name: str, *, subdomains: bool) -> None:
        """Refuse what TrustKit's registry of public suffixes refuses."""
        problem = lint.suffix_problem(name, subdomains=subdomains, context=self.context)
        if problem:
            raise self.reject(name, problem)

    def _expires(self, name: str, text: object) -> date | None:
        if text is None:
            return None
        match = _DATE.fullmatch(text) if isinstance(text, str) else None
        try:
            if match is None:
                raise ValueError  # noqa: TRY301 - one message for every unreadable date
            return date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            raise self.reject(name, "expirationDate is not a date like 2027-06-30", text) from None


class RnPublicKeyPinning(Mechanism):
    """Both platforms' readings of one map."""

    id = "rn-public-key-pinning"
    file_name = "ssl-pinning.json"
    says_expiry = True
    ends_apart = True
    fewest_pins = 2
    facts = Facts(
        title="react-native-ssl-public-key-pinning",
        object="public key, SHA-256",
        scope="any certificate of the path",
        host_rule="exact, or all subdomains; Android adds matching entries up, iOS takes the most specific",
        expiry="date, UTC midnight, then open; Android looks once, when it is initialised",
        report_only="no: a listener hears of failures",
        local_roots="pins hold",
        update_channel="JS bundle, also over the air",
        bad_config="initialisation throws on iOS",
        sources=("react-native-ssl-public-key-pinning ios/ and android/", VENDOR),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read the map that `initializeSslPinning` is given."""
        whole = _whole(data, context)
        reader = _Reader(context)
        config = PinConfig(entries=tuple(reader.domain(name, value) for name, value in whole.items()))
        return Parsed(config=config, findings=(*reader.findings, *self.lint(config, context)))

    def refuse(self, config: PinConfig, context: Context) -> str:
        """Say why it would throw on iOS: a name without public suffix, or too few pins."""
        for cover in (cover for entry in config.pinned for cover in entry.covers):
            problem = lint.suffix_problem(cover.name, subdomains=cover.reach is Reach.ALL, context=context)
            if problem:
                return f"{problem}: {cover.name}"
        few = any(len(set(entry.pins)) < 2 for entry in config.pinned)
        return "fewer than two different hashes: it throws on iOS" if few else ""

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Give Android's reading, with iOS's beside it where the two differ."""
        android, ios = android_rule(self, config, host), ios_rule(self, config, host)
        return replace(android, other=ios) if android != ios else android

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Add where the two platforms read the map differently."""
        yield from super().lint(config, context)
        yield from lint.odd_names(config, context, VENDOR)
        for entry in config.entries:
            name = entry.covers[0].name
            others = [
                other
                for other in config.entries
                if other is not entry and other.covers[0].reach is Reach.ALL and other.covers[0].matches(name)
            ]
            more = [other for other in others if set(other.pins) - set(entry.pins)]
            if more:
                yield warning(
                    "platforms-differ",
                    f"{context.subject}: {name}",
                    f"on Android the pins of {more[0].covers[0].name} count here as well, on iOS only its own do",
                    "list the same pins in both, or name no parent with includeSubdomains",
                    VENDOR,
                )
            if entry.expires is not None:
                yield info(
                    "expiry-read-once",
                    f"{context.subject}: {name}",
                    "Android looks at expirationDate once, at the start: an app that stays open keeps the pins",
                    "count on the pins for some days more on Android",
                    VENDOR,
                )

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Make one entry for each name."""
        return lookup.reach_all_or_exact(super().from_pinset(spec))

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that one label below a name cannot be said."""
        yield from super().losses(spec)
        yield from lookup.covers_more(self.id, spec)

    def render(self, config: PinConfig) -> bytes:
        """Write the map."""
        return rows.dump(_table(config))

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Replace the pins of the domains; other domains and keys stay."""
        if rows.pins_by_name(data, context.subject, _EXPECTED):
            table = [_row(name, value) for name, value in _table(config).items()]
            return rows.edit(data, table, context.subject, str.lower)
        whole = _whole(data, context)
        text = data.decode("utf-8-sig")
        for domain, value in _table(config).items():
            name = next((name for name in whole if name.lower() == domain), domain)
            old = whole.get(name)
            if not isinstance(old, dict):
                text = json_edit.put(text, {name: value})
                continue
            hashes = old.get("publicKeyHashes")
            old_hashes = hashes if isinstance(hashes, list) else ()
            value["publicKeyHashes"] = rows.kept(old_hashes, value["publicKeyHashes"], _read)
            start, end = json_edit.members(text)[name]
            gone = {"expirationDate"} - set(value)
            text = text[:start] + json_edit.put(text[start:end], value, gone) + text[end:]
        return text.encode()


def android_rule(mechanism: Mechanism, config: PinConfig, host: str) -> Rule:
    """Read the map as OkHttp: the pins of all matching entries together, each until its own end."""
    found = [e for e in config.pinned if any(cover.matches(host) for cover in e.covers)]
    if not found:
        return Rule(listed=not config.pinned, local_roots=LocalRoots.ENFORCE)
    ends = sorted({e.expires for e in found if e.expires is not None}, key=str)
    first = ends[0] if ends else None
    left = PinConfig(entries=tuple(e for e in config.entries if e.expires != first)) if first is not None else None
    rest = android_rule(mechanism, left, host) if left is not None else None
    return Rule(
        clauses=(Clause(scope=Scope.ANY, pins=frozenset(pin for e in found for pin in e.pins)),),
        expiry=mechanism.expiry(first),
        after=rest if rest is not None and rest.clauses else None,
        local_roots=LocalRoots.ENFORCE,
    )


def ios_rule(mechanism: Mechanism, config: PinConfig, host: str) -> Rule:
    """Read the map as TrustKit: the exact name, else the longest parent that includes its subdomains."""
    entry = lookup.exact_or_parent(config, host)
    if entry is None:
        return Rule(listed=not config.pinned, local_roots=LocalRoots.ENFORCE, revocation=Revocation.SOFT)
    return Rule(
        clauses=entry.clauses,
        expiry=mechanism.expiry(entry.expires),
        key_types=TRUSTKIT_KEYS,
        local_roots=LocalRoots.ENFORCE,
        revocation=Revocation.SOFT,
    )


def _table(config: PinConfig) -> dict[str, rows.Row]:
    table: dict[str, rows.Row] = {}
    for entry in config.entries:
        for cover in entry.covers:
            row: rows.Row = {
                "includeSubdomains": cover.reach is Reach.ALL,
                "publicKeyHashes": [b64(pin.digest) for pin in entry.pins],
            }
            if entry.expires is not None:
                row["expirationDate"] = f"{entry.expires.isoformat()[:10]}"
            table[cover.name] = row
    return table


def _read(text: str) -> Pin | None:
    return lookup.read_pin(f"sha256/{text}")


def _row(name: str, value: rows.Row) -> rows.Row:
    """Write an entry of the map as a row of a list."""
    return {
        "host": name,
        "includeSubdomains": value["includeSubdomains"],
        "pins": value["publicKeyHashes"],
        "expiration": value.get("expirationDate"),
    }


def _whole(data: bytes, context: Context) -> dict[str, Any]:
    listed = rows.pins_by_name(data, context.subject, _EXPECTED)
    if listed:
        keys = {"pins": "publicKeyHashes", "expiration": "expirationDate", "includeSubdomains": "includeSubdomains"}
        return {name: {keys[k]: v for k, v in row.items() if k in keys} for name, row in listed.items()}
    text = rows.decode(data, context.subject, _EXPECTED)
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(Problem("is not JSON", file=context.subject, expected=_EXPECTED)) from None
    if not isinstance(whole, dict):
        raise InputError(Problem("is not a map", file=context.subject, expected=_EXPECTED))
    return whole


MECHANISM = RnPublicKeyPinning()
