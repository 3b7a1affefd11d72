"""HTTP Public Key Pinning (RFC 7469): the header browsers once kept. Removed from Chrome 72 and Firefox 72.

Kept as an import format and a teaching scenario: what a browser that still had it would have done. Sections 2.1 to
2.6 say how a header is read, noted and applied.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from rotator.errors import InputError, Problem
from rotator.mechanisms import base
from rotator.mechanisms.base import Channel, Context, Entry, Facts, Mechanism, Parsed, PinConfig, PinList, PinsetSpec
from rotator.mechanisms.shared import header_edit, json_edit, lint, lookup
from rotator.model.findings import Finding, info, warning
from rotator.model.names import Cover, Reach, canonical, is_ip
from rotator.model.pins import Pin, decode_strict, is_canonical, spki_pin
from rotator.model.pki import Certificate
from rotator.model.rules import LocalRoots, Mode, Rule, Scope

RFC = "https://www.rfc-editor.org/rfc/rfc7469"
ENFORCED, REPORTED = "public-key-pins", "public-key-pins-report-only"
_NAMES = {Mode.ENFORCE: "Public-Key-Pins", Mode.REPORT_ONLY: "Public-Key-Pins-Report-Only"}
_LOSSES = {
    "too-few-pins": "a browser ignores a header with fewer than two pins: nothing is pinned",
    "no-expiry": "hpkp has no end of pins on a day: a browser keeps them for max-age seconds after its last visit",
}
DEFAULT_MAX_AGE_DAYS = 60
_DEFAULT_SECONDS = DEFAULT_MAX_AGE_DAYS * 86_400
_DIRECTIVE = re.compile(r"""\s*+([!#$%&'*+.^_`|~0-9A-Za-z-]++)\s*+(?:=\s*+("(?:[^"\\]|\\.)*+"|[^";]*+))?+\s*+(?:;|$)""")


@dataclass(slots=True)
class _Reader:
    """Reads header values; a header that a browser ignores is left out and said so."""

    subject: str
    findings: list[Finding] = field(default_factory=list)

    def header(self, value: str, host: str | None, *, report_only: bool) -> Entry | None:
        where = f"{self.subject}: {host}" if host else self.subject
        pins: list[Pin] = []
        ages: list[str] = []
        subdomains = False
        for name, text in _directives(value):
            lower = name.lower()
            if lower == "pin-sha256":
                pins += self._pin(text, where)
            elif lower == "max-age":
                ages += [] if report_only else [text.strip('"')]  # it means nothing there (RFC 7469, 2.1.2)
            elif lower == "includesubdomains":
                subdomains = True
            elif lower.startswith("pin-"):
                self.findings.append(
                    info("unknown-hash", where, f"{name} is a hash no browser knew: ignored", source=RFC)
                )
        ignored = self._ignored(pins, ages, host, report_only=report_only)
        if ignored:
            self.findings.append(
                warning(
                    "header-ignored",
                    where,
                    f"a browser ignores this header and keeps what it had: {ignored}",
                    "send one max-age and the pins of at least two keys, one served and one not",
                    RFC,
                )
            )
            return None
        if ages and int(ages[0]) == 0:
            self.findings.append(info("pins-deleted", where, "max-age=0 makes a browser forget the pins", source=RFC))
            return Entry(covers=self._covers(host, subdomains=subdomains), unpinned_on_purpose=True)
        self._lint(ages, where, subdomains=subdomains)
        return Entry(
            covers=self._covers(host, subdomains=subdomains),
            lists=(PinList(scope=Scope.ANY, pins=base.distinct(pins)),),
            mode=Mode.REPORT_ONLY if report_only else Mode.ENFORCE,
            lifetime_seconds=int(ages[0]) if ages else None,
        )

    def repeated(self) -> None:
        self.findings.append(
            warning(
                "header-repeated",
                self.subject,
                "only the first header of a response counts: the others are ignored",
                "put every pin into one header",
                RFC,
            )
        )

    @staticmethod
    def _covers(host: str | None, *, subdomains: bool) -> tuple[Cover, ...]:
        return (Cover(host, Reach.ALL if subdomains else Reach.EXACT),) if host else ()

    def _pin(self, text: str, where: str) -> list[Pin]:
        body = text[1:-1] if text.startswith('"') and text.endswith('"') and len(text) > 1 else None
        digest = decode_strict(body) if body is not None else None
        if digest is None or len(digest) != 32:
            self.findings.append(
                lint.note_dead(where, text, "it is no quoted base64 of 32 bytes, so a browser drops it", RFC)
            )
            return []
        if body is not None and not is_canonical(body):
            self.findings.append(lint.note_spelling(where, body, RFC))
        return [spki_pin(digest)]

    @staticmethod
    def _ignored(pins: list[Pin], ages: list[str], host: str | None, *, report_only: bool) -> str:
        if host is not None and is_ip(host):
            return "pins are never kept for IP addresses"
        if len(ages) != 1 and not report_only:
            return "max-age is missing" if not ages else "max-age is there more than once"
        if any(not age.isascii() or not age.isdigit() or len(age) > 18 for age in ages):
            return "max-age is not a whole number of seconds"
        if ages and int(ages[0]) == 0:
            return ""
        if len(set(pins)) < 2:
            return "fewer than two pins, so one of them can be no backup"
        return ""

    def _lint(self, ages: list[str], where: str, *, subdomains: bool) -> None:
        if ages and int(ages[0]) > DEFAULT_MAX_AGE_DAYS * 86_400:
            days = int(ages[0]) // 86_400
            self.findings.append(
                warning(
                    "long-max-age",
                    where,
                    f"pins are kept for {days} days after the last visit",
                    "60 days is the example of the RFC",
                    RFC,
                )
            )
        if subdomains:
            self.findings.append(
                info(
                    "pins-subdomains",
                    where,
                    "includeSubDomains pins hosts below as well, whatever keys they serve",
                    "every host below must serve a chain with one of these keys",
                    RFC,
                )
            )


def _directives(value: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(value):
        match = _DIRECTIVE.match(value, at)
        if match is None or match.end() == at:
            at = value.find(";", at) + 1 or len(value)
            continue
        yield match[1], (match[2] or "").strip()
        at = match.end()


class Hpkp(Mechanism):
    """A browser that still notes and enforces the header."""

    id = "hpkp"
    channel = Channel.HEADER
    file_name = "public-key-pins.txt"
    says_report_only = True
    fewest_pins = 2
    facts = Facts(
        title="HTTP Public Key Pinning, RFC 7469 (removed from browsers)",
        object="public key, SHA-256",
        scope="any certificate of the validated path",
        host_rule="the host that sent it, and all below with includeSubDomains",
        expiry="max-age seconds after the last visit, then open",
        report_only="a header of its own",
        local_roots="bypassed, as Chrome and Firefox did",
        update_channel="HTTP header, on every visit",
        bad_config="without a pin of the chain, a spare one and one max-age a header is ignored: what was noted stays",
        sources=("RFC 7469, 2.1 to 2.6", RFC),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read header lines, one bare value, or JSON Lines of `host`, `header` and `value`."""
        reader = _Reader(context.subject)
        config = PinConfig()
        response: set[bool] = set()
        for host, value, report in _headers(data, context):
            if host is None and report in response:
                reader.repeated()
                continue
            response |= {report} if host is None else set()
            entry = reader.header(value, host, report_only=report)
            config = config if entry is None else note(config, entry)
        return Parsed(config=config, findings=(*reader.findings, *self.lint(config, context)))

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Choose the host's own header, else the longest parent that includes its subdomains."""
        kept = replace(config, entries=config.pinned)
        found = lookup.exact_or_parent(kept, host, skip=lambda entry: entry.mode is Mode.REPORT_ONLY)
        reported = lookup.exact_or_parent(kept, host, skip=lambda entry: entry.mode is not Mode.REPORT_ONLY)
        entry = found or reported
        if entry is None:
            return replace(base.unlisted(config), local_roots=LocalRoots.BYPASS)
        return Rule(clauses=entry.clauses, mode=entry.mode, local_roots=LocalRoots.BYPASS)

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Make a header for each name; one that a browser ignores, with fewer than two pins, is none.

        How long it is kept is said only where the pinset says it.
        """
        if len({*spec.keys, *spec.authorities}) < self.fewest_pins:
            return PinConfig()
        whole = lookup.reach_all_or_exact(super().from_pinset(spec))
        seconds = int(spec.max_age_days * 86_400) if spec.max_age_days and spec.mode is not Mode.REPORT_ONLY else None
        return PinConfig(entries=tuple(replace(entry, lifetime_seconds=seconds) for entry in whole.entries))

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that one label below a name cannot be said; two losses mean something of their own here."""
        for loss, text in super().losses(spec):
            yield loss, _LOSSES.get(loss, text)
        yield from lookup.covers_more(self.id, spec)

    def render(self, config: PinConfig) -> bytes:
        """Write JSON Lines of `host`, `header` and `value`: a header does not say whose it is."""
        rows = []
        for entry in config.entries:
            name = _NAMES[entry.mode]
            for cover in entry.covers or (None,):
                row = {"host": cover.name} if cover is not None else {}
                rows.append(json.dumps({**row, "header": name, "value": _value(entry, cover)}))
        return "".join(row + "\n" for row in rows).encode()

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Change the pins of the hosts' headers; other directives, other hosts and comments stay.

        A header line names no host: it is taken for the header of every name.
        """
        for _ in _headers(data, context):
            pass
        wanted = {cover.name: (entry, cover) for entry in config.pinned for cover in entry.covers}
        text = data.decode("utf-8-sig")
        newline = "\r\n" if "\r\n" in text else "\n"
        lines = text.splitlines(keepends=True)
        found = [_host_of(line, number, context) for number, line in enumerate(lines, 1)]
        right = {host for host, mode in found if host is None or (host in wanted and mode is wanted[host][0].mode)}
        for index, (host, mode) in enumerate(found):
            if host is None and mode is not None and wanted:
                covers = [cover for _, cover in wanted.values()]
                entry = next(iter(wanted.values()))[0]
                widest = next((cover for cover in covers if cover.reach is Reach.ALL), covers[0])
                lines[index] = _changed(lines[index], entry, widest)
            elif host in wanted and (host not in right or mode is wanted[host][0].mode):
                lines[index] = _changed(lines[index], *wanted[host])
        if any(host is None and mode is not None for host, mode in found):
            return "".join(lines).encode()
        known = {host for host, _ in found}
        fresh = PinConfig(
            entries=tuple(replace(e, covers=(c,)) for e in config.pinned for c in e.covers if c.name not in known)
        )
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += newline
        return "".join(lines).encode() + self.render(fresh).replace(b"\n", newline.encode())


def note(known: PinConfig, seen: Entry, path: tuple[Certificate, ...] | None = None) -> PinConfig:
    """Give what a browser keeps after a response with one header (RFC 7469, 2.3.1 and 2.5).

    Args:
        known: what it kept before.
        seen: the header; one without pins deletes.
        path: the validated path of the connection, leaf first; None when it is not known, which then counts as one
            that fits the header.
    """
    if path is not None and seen.lists:
        on_path = [any(certificate.matches(pin) for certificate in path) for pin in seen.pins]
        if not any(on_path) or all(on_path):
            return known
    names = {cover.name for cover in seen.covers}
    kept = (
        entry
        for entry in known.entries
        if entry.mode is not seen.mode or {cover.name for cover in entry.covers} != names
    )
    return replace(known, entries=(*kept, seen))


def _host_of(line: str, number: int, context: Context) -> tuple[str | None, Mode | None]:
    """Give whose header a line is, and its mode; no mode for a line that is none."""
    stripped = line.strip()
    if stripped.startswith("{"):
        host, _, report_only = _row(stripped, number, context)
        return host, Mode.REPORT_ONLY if report_only else Mode.ENFORCE
    name = stripped.partition(":")[0].strip().lower()
    is_header = name in (ENFORCED, REPORTED) or stripped.lower().startswith(("pin-sha256", "max-age"))
    if stripped.startswith("#") or not is_header:
        return "", None
    return None, Mode.REPORT_ONLY if name == REPORTED else Mode.ENFORCE


def _changed(line: str, entry: Entry, cover: Cover) -> str:
    """Put the pins of an entry into a line that holds a header."""
    body = line.strip()
    name = _NAMES[entry.mode]
    if body.startswith("{"):
        row = json.loads(body)
        same = str(row.get("header", ENFORCED)).lower() == name.lower()
        new = json_edit.put(body, {"value": _put(row["value"], entry, cover), **({} if same else {"header": name})})
    else:
        head, colon, value = body.partition(":")
        if not colon or head.strip().lower() not in (ENFORCED, REPORTED):
            head, colon, value = ("", "", body) if entry.mode is Mode.ENFORCE else (name, ":", f" {body}")
        elif head.strip().lower() != name.lower():
            head = name
        space = value[: len(value) - len(value.lstrip())]
        new = f"{head}{colon}{space}{_put(value.strip(), entry, cover)}"
    return line.replace(body, new, 1)


def _put(value: str, entry: Entry, cover: Cover) -> str:
    ages = [text for name, text in _directives(value) if name.lower() == "max-age"]
    usable = len(ages) == 1 and ages[0].strip('"').isdigit() and int(ages[0].strip('"')[:18]) > 0
    wanted = entry.lifetime_seconds if usable or entry.lifetime_seconds else _DEFAULT_SECONDS
    seconds = None if entry.mode is Mode.REPORT_ONLY else wanted
    return header_edit.changed(value, entry.pins, max_age=seconds, subdomains=cover.reach is Reach.ALL)


def _value(entry: Entry, cover: Cover | None) -> str:
    seconds = entry.lifetime_seconds or (_DEFAULT_SECONDS if entry.lists else 0)
    parts = [f"max-age={seconds}"] if entry.mode is Mode.ENFORCE else []
    parts += [f'pin-sha256="{pin.text[7:]}"' for pin in entry.pins]
    if cover is not None and cover.reach is Reach.ALL:
        parts.append("includeSubDomains")
    return "; ".join(parts)


def _headers(data: bytes, context: Context) -> Iterator[tuple[str | None, str, bool]]:
    """Give each header as (host or None, value, report-only)."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(Problem("is not text", file=context.subject, expected="a Public-Key-Pins header")) from None
    found = 0
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.startswith("{"):
            yield _row(stripped, number, context)
            found += 1
            continue
        name, colon, value = stripped.partition(":")
        if colon and name.strip().lower() in (ENFORCED, REPORTED):
            yield None, value.strip(), name.strip().lower() == REPORTED
            found += 1
        elif "pin-sha256" in stripped.lower() or stripped.lower().startswith("max-age"):
            yield None, stripped, False
            found += 1
    if text.strip() and not found:
        raise InputError(
            Problem("holds no Public-Key-Pins header", file=context.subject, expected='pin-sha256="..."; max-age=...')
        )


def _row(line: str, number: int, context: Context) -> tuple[str | None, str, bool]:
    try:
        row = json.loads(line)
        value = row["value"]
        host = row.get("host")
        if not isinstance(value, str) or not isinstance(host, str | None):
            raise TypeError  # noqa: TRY301 - one message for every unusable row
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(
            Problem("is not a row of host, header and value", file=context.subject, path=f"line {number}", value=line)
        ) from None
    return canonical(host) if host else None, value, str(row.get("header", "")).lower() == REPORTED


MECHANISM = Hpkp()
