"""Wultra dynamic pinning: signed fingerprints of whole certificates, found by the certificate's own common name.

Rules from Wultra's `ssl-pinning-android` and `ssl-pinning-ios`: an entry counts while it has not expired; a name
without a usable entry is refused, so this fails closed; a certificate without a common name never validates.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from rotator.errors import InputError, Problem
from rotator.mechanisms.base import Channel, Context, Entry, Facts, Mechanism, Parsed, PinConfig, PinList, PinsetSpec
from rotator.mechanisms.shared import json_edit, lint, rows
from rotator.model.findings import Finding, error, info, warning
from rotator.model.names import Cover
from rotator.model.pins import Pin, PinKind, b64, decode_strict
from rotator.model.rules import Clause, Expiry, Fallback, LocalRoots, PathUse, Revocation, Rule, Scope
from rotator.model.when import FOREVER, as_instant

VENDOR = "https://github.com/wultra/ssl-pinning-android"
EARLIEST, LATEST = -62_135_596_800, 253_402_300_799
"""The years 1 and 9999 in seconds since 1970: past them an end is no date any more."""
MOST_PHASES = 64
"""Ends of entries that are told apart."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXPECTED = '{"timestamp": ..., "fingerprints": [{"name": ..., "fingerprint": "<base64>", "expires": <seconds>}]}'


class Wultra(Mechanism):
    """The store of fingerprints an app has fetched, or the fallback it shipped with."""

    id = "wultra"
    channel = Channel.LIVE
    scope = Scope.LEAF
    file_name = "fingerprints.json"
    says_certificates = True
    says_keys = False
    says_expiry = True
    ends_apart = True
    needs_expiry = True
    facts = Facts(
        title="Wultra dynamic pinning",
        object="certificate, SHA-256",
        scope="the leaf",
        host_rule="the entry whose name equals the common name of the certificate presented; none: refused",
        expiry="seconds since 1970 for each entry, then closed",
        report_only="no",
        local_roots="the system's check and the pin",
        update_channel="signed JSON, weekly by default",
        bad_config="an entry that does not decode is dropped; a name with none left is refused",
        sources=("Wultra ssl-pinning-android, ssl-pinning-ios", VENDOR),
    )

    def __init__(self) -> None:
        """Keep the rule made last: it is the same for every host, and a store may hold thousands of entries."""
        nothing = PinConfig()
        self._made = nothing, _phases(())

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read the JSON of fingerprints; with a public key at hand signatures are checked."""
        whole = _object(data, context)
        findings: list[Finding] = []
        entries = []
        for number, row in enumerate(whole.get("fingerprints", []), 1):
            where = f"{context.subject}: fingerprint {number}"
            entry = self._entry(row, where, findings)
            if entry is not None and context.verify is not None and not _signed(row, context.verify):
                findings.append(
                    error(
                        "bad-signature",
                        where,
                        "the signature is missing or wrong: the entry is dropped",
                        "sign name&fingerprint&expires with the key the app knows",
                        VENDOR,
                    )
                )
                entry = None
            if entry is not None:
                entries.append(entry)
        config = PinConfig(entries=tuple(entries))
        if entries:
            findings.append(
                warning(
                    "certificate-pin",
                    context.subject,
                    "digests of whole certificates: every renewal needs a new entry, published before it is served",
                    "publish the digest of the next certificate some weeks ahead",
                    VENDOR,
                )
            )
            findings.append(
                info(
                    "common-name",
                    context.subject,
                    "entries are found by the certificate's common name: a certificate without one never validates",
                    "Let's Encrypt leaves the common name out in its tlsserver and shortlived profiles",
                    VENDOR,
                )
            )
        return Parsed(config=config, findings=(*findings, *self.lint(config, context)))

    @staticmethod
    def _entry(row: object, where: str, findings: list[Finding]) -> Entry | None:
        name = row.get("name") if isinstance(row, dict) else None
        text = row.get("fingerprint") if isinstance(row, dict) else None
        expires = row.get("expires") if isinstance(row, dict) else None
        digest = decode_strict(text) if isinstance(text, str) else None
        dated = isinstance(expires, int | float) and EARLIEST <= expires <= LATEST
        if not isinstance(name, str) or not name or digest is None or len(digest) != 32 or not dated:
            findings.append(
                warning(
                    "entry-dropped",
                    where,
                    "the entry lacks a name, 32 bytes of base64 or an end: it is dropped",
                    "write name, fingerprint (base64 of 32 bytes) and expires (seconds since 1970)",
                    VENDOR,
                )
            )
            return None
        end = _EPOCH + timedelta(seconds=int(expires or 0))
        return Entry(
            covers=(Cover(name),),
            lists=(PinList(scope=Scope.LEAF, pins=(Pin(PinKind.CERT_SHA256, digest),)),),
            expires=end,
        )

    def expiry(self, expires: date | datetime | None) -> Expiry | None:
        """An entry ends at its second, and what is left is refused."""
        return None if expires is None else Expiry.at(as_instant(expires), closed=True)

    def rule(self, config: PinConfig, host: str) -> Rule:  # noqa: ARG002 - the certificate's name decides, not the host's
        """Demand a certificate whose common name has an entry with its digest; entries drop out one by one."""
        made_for, rule = self._made
        if made_for is not config:
            rule = _phases(config.pinned)
            self._made = config, rule
        return rule

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Add that a name whose entries have all ended is refused."""
        yield from lint.lint_pins(config, context, self.facts.source, ends=False)
        ends: dict[str, datetime] = {}
        for entry in config.pinned:
            for cover in entry.covers:
                end = as_instant(entry.expires) if entry.expires is not None else FOREVER
                ends[cover.name] = max(end, ends.get(cover.name, end))
        for name, end in ends.items():
            ended = end.date() <= context.today
            yield (error if ended else warning)(
                "fails-closed",
                f"{context.subject}: {name}",
                f"the last entry for {name} {'ended' if ended else 'ends'} on {end.date()}: "
                "certificates of that name are refused from then on",
                "publish a new entry before that day",
                VENDOR,
            )

    def own(self, found: PinConfig, wanted: PinConfig) -> PinConfig:
        """Leave out entries of other names: they are for other certificates."""
        names = {cover.name for entry in wanted.entries for cover in entry.covers}
        return replace(found, entries=tuple(e for e in found.entries if any(c.name in names for c in e.covers)))

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Make an entry for each certificate and name; without an end the format cannot say it."""
        if not spec.certificates or spec.expires is None:
            return PinConfig()
        end = as_instant(spec.expires)
        return PinConfig(
            entries=tuple(
                Entry(covers=(Cover(name),), lists=(PinList(scope=Scope.LEAF, pins=(pin,)),), expires=end)
                for pin in spec.certificates
                for name in _names(spec, pin)
            )
        )

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that the file must be signed elsewhere, and that entries are found by the certificate's own name."""
        yield from super().losses(spec)
        yield "unsigned", "the signature is made where the signing key is: this file carries none"
        if any(pin not in spec.common_names for pin in spec.certificates):
            yield "no-common-name", "wultra finds entries by common name: one that is not known is taken for the host's"

    def render(self, config: PinConfig) -> bytes:
        """Write the JSON of fingerprints, unsigned."""
        return rows.dump({"fingerprints": _table(config)})

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Replace the fingerprints of the names; others, and other keys of the file, stay."""
        whole = _object(data, context)
        text = data.decode("utf-8-sig")
        if "fingerprints" not in whole:
            return json_edit.put(text, {"fingerprints": _table(config)}).encode()
        start, end = json_edit.members(text)["fingerprints"]
        return (text[:start] + _put(text[start:end], _table(config)) + text[end:]).encode()


def _put(text: str, table: list[dict[str, object]]) -> str:
    """Put entries into the array of a file; one whose end changes loses its signature, which was over that as well."""
    names = {row["name"] for row in table}
    left = {(row["name"], row["fingerprint"]): row["expires"] for row in table}
    gone: list[int] = []
    spans = json_edit.items(text)
    for index, (start, end) in reversed(list(enumerate(spans))):
        row = json.loads(text[start:end])
        if not isinstance(row, dict) or row.get("name") not in names:
            continue
        expires = left.pop((row["name"], row.get("fingerprint")), None)
        if expires is None:
            gone.append(index)
        elif expires != row.get("expires"):
            row_text = json_edit.put(text[start:end], {"expires": expires}, ("signature",))
            text = text[:start] + row_text + text[end:]
    text = json_edit.drop_items(text, gone)
    return json_edit.append(text, [row for row in table if (row["name"], row["fingerprint"]) in left], "  ")


def _signed(row: Mapping[str, Any], verify: Callable[[bytes, bytes], bool]) -> bool:
    """Say whether an entry carries a good signature over its name, fingerprint and end."""
    text = row.get("signature")
    signature = decode_strict(text) if isinstance(text, str) else None
    message = f"{row['name']}&{row['fingerprint']}&{int(row['expires'])}".encode()
    return signature is not None and verify(message, signature)


def _names(spec: PinsetSpec, pin: Pin) -> list[str]:
    name = spec.common_names.get(pin)
    return [name] if name else [cover.name for cover in spec.covers]


def _phases(entries: tuple[Entry, ...]) -> Rule:
    """Give the rule until the first end, and after it the rule without what has ended, and so on.

    Past `MOST_PHASES` different ends some are taken together: between the first and the last of them it is not known
    which entries are left.
    """
    plain = Rule(no_host=Fallback.CLOSED, listed=False, local_roots=LocalRoots.ENFORCE, revocation=Revocation.SOFT)
    by_end: dict[datetime, list[Entry]] = {}
    for entry in entries:
        by_end.setdefault(as_instant(entry.expires) if entry.expires is not None else FOREVER, []).append(entry)
    endless = by_end.pop(FOREVER, [])
    ends = sorted(by_end)
    size = -(-len(ends) // MOST_PHASES) or 1
    phases = [ends[at : at + size] for at in range(0, len(ends), size)]
    named: set[tuple[str, Pin]] = set()
    rule: Rule | None = None
    for phase in [*([[FOREVER]] if endless else []), *reversed(phases)]:
        ending = [entry for end in phase for entry in by_end.get(end, endless)]
        named |= {(cover.name, pin) for entry in ending for cover in entry.covers for pin in entry.pins}
        clause = Clause(scope=Scope.LEAF, pins=frozenset(pin for _, pin in named), named=frozenset(named))
        ends_at = Expiry(phase[0], phase[-1], closed=True) if phase[0] != FOREVER else None
        rule = replace(plain, listed=True, clauses=(clause,), path=PathUse.LEAF, expiry=ends_at, after=rule)
    return rule or plain


def _table(config: PinConfig) -> list[dict[str, object]]:
    return [
        {
            "name": cover.name,
            "fingerprint": b64(pin.digest),
            "expires": int(as_instant(entry.expires).timestamp()) if entry.expires else 0,
        }
        for entry in config.entries
        for cover in entry.covers
        for pin in entry.pins
    ]


def _object(data: bytes, context: Context) -> Mapping[str, Any]:
    text = rows.decode(data, context.subject, _EXPECTED)
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(Problem("is not JSON", file=context.subject, expected=_EXPECTED)) from None
    if not isinstance(whole, dict) or not isinstance(whole.get("fingerprints", []), list):
        raise InputError(Problem("has no fingerprints", file=context.subject, expected=_EXPECTED))
    return whole


MECHANISM = Wultra()
