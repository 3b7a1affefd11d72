"""OkHttp `CertificatePinner`: pins in code, exchanged as JSON.

Rules from OkHttp's source: `CertificatePinner.Pin`, `toCanonicalHost`, `BasicCertificateChainCleaner`. There is no
official file, so two shapes are read: JSON Lines of `pattern` and `pins` (other keys ignored), and one JSON object
from pattern to pins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
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
from rotator.mechanisms.shared import json_edit, lint
from rotator.mechanisms.shared.decoding import okio
from rotator.model.findings import Finding, info, warning
from rotator.model.names import Cover, Reach, is_ip
from rotator.model.pins import Pin, PinKind, is_canonical
from rotator.model.rules import BadConfig, Builder, Clause, LocalRoots, Rule, Scope

VENDOR = "https://square.github.io/okhttp/5.x/okhttp/okhttp3/-certificate-pinner/"
_FORBIDDEN = frozenset(" #%/:?@[\\]")
_KINDS = {"sha256/": PinKind.SPKI_SHA256, "sha1/": PinKind.SPKI_SHA1}
_LINE = re.compile(r"[^\s][^\n]*[^\s]")
_EXPECTED = 'JSON Lines of {"pattern": ..., "pins": [...]}, or a JSON object from pattern to pins'


@dataclass(slots=True)
class _Reader:
    """Reads rows; raises where `CertificatePinner.Builder.add` throws."""

    subject: str
    findings: list[Finding] = field(default_factory=list)

    def reject(self, where: str, message: str, value: object) -> ConfigRejectedError:
        return ConfigRejectedError(
            Problem(
                message,
                file=self.subject,
                path=where,
                value=value,
                hint="CertificatePinner.Builder.add throws IllegalArgumentException: the app crashes there",
            ),
            BadConfig.CRASH,
        )

    def row(self, where: str, pattern: object, pins: object) -> Entry:
        if not isinstance(pattern, str):
            raise self.reject(where, "the pattern is not a text", pattern)
        cover = self.cover(where, pattern)
        if isinstance(pins, str):
            pins = [pins]
        if not isinstance(pins, list):
            raise self.reject(where, "the pins are not a list of texts", pins)
        found: list[Pin] = []
        dead: list[str] = []
        for text in pins:
            pin = self.pin(where, text)
            if pin is None:
                dead.append(str(text))
            else:
                found.append(pin)
        lists = (PinList(scope=Scope.ANY, pins=base.distinct(found), dead=tuple(dead)),) if found or dead else ()
        return Entry(covers=(cover,), lists=lists)

    def cover(self, where: str, pattern: str) -> Cover:
        name, reach = pattern, Reach.EXACT
        if pattern.startswith("**."):
            name, reach = pattern[3:], Reach.ALL
        elif pattern.startswith("*."):
            name, reach = pattern[2:], Reach.ONLY_ONE
        if "*" in name:
            raise self.reject(where, "an asterisk that is not the first label", pattern)
        host = canonical_host(name)
        if host is None:
            raise self.reject(where, "not a pattern of host names", pattern)
        if reach is Reach.ONLY_ONE:
            self.findings.append(
                info(
                    "one-label-only",
                    f"{self.subject}: {pattern}",
                    f"covers exactly one label in front of {host}: not {host} itself, nothing deeper",
                    f"use **.{host} for both",
                    VENDOR,
                )
            )
        return Cover(host, reach)

    def pin(self, where: str, text: object) -> Pin | None:
        """Give the pin, or None when OkHttp keeps it but can never match it."""
        kind = next((k for p, k in _KINDS.items() if isinstance(text, str) and text.startswith(p)), None)
        if kind is None or not isinstance(text, str):
            raise self.reject(where, "a pin does not begin with sha256/ or sha1/", text)
        body = text.partition("/")[2]
        digest = okio(body)
        if digest is None:
            raise self.reject(where, "a pin that is not base64", text)
        subject = f"{self.subject}: {where}"
        if len(digest) != kind.length:
            return None
        if kind is PinKind.SPKI_SHA1:
            self.findings.append(
                warning(
                    "sha1-pin",
                    subject,
                    f"{text} is a SHA-1 digest",
                    "pin the SHA-256 of the same key",
                    VENDOR,
                )
            )
        elif not is_canonical(body):
            self.findings.append(lint.note_spelling(subject, text, VENDOR))
        return Pin(kind, digest)


def canonical_host(name: str) -> str | None:
    """Give a pattern's host as `toCanonicalHost` does, or None where it finds none."""
    if ":" in name:
        return name.strip("[]").lower() if is_ip(name) else None
    try:
        host = name.lower() if name.isascii() else name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    labels = host.removesuffix(".").split(".") if host else [""]
    if not 1 <= len(host) <= 253 or not all(1 <= len(label) <= 63 for label in labels):
        return None
    if any(char <= "\x1f" or char >= "\x7f" or char in _FORBIDDEN for char in host):
        return None
    return host


class OkHttp(Mechanism):
    """OkHttp on Android; `runtime = "jvm"` in a mechanism of one's own gives the cleaner of the plain JVM."""

    id = "okhttp"
    file_name = "pins.json"
    facts = Facts(
        title="OkHttp CertificatePinner",
        object="public key, SHA-256 or SHA-1",
        scope="any certificate of the cleaned path, root included",
        host_rule="exact; *. is exactly one label, **. is zero or more; all matching patterns together",
        expiry="none",
        report_only="no",
        local_roots="pins hold",
        update_channel="app release or code",
        bad_config="the app crashes where the pinner is built; a pin of a wrong length never matches",
        sources=("OkHttp CertificatePinner, BasicCertificateChainCleaner", VENDOR),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read JSON Lines of rows, or one JSON object from pattern to pins."""
        reader = _Reader(context.subject)
        entries = tuple(reader.row(where, pattern, pins) for where, pattern, pins in _rows(data, context.subject))
        config = PinConfig(entries=entries)
        return Parsed(config=config, findings=(*reader.findings, *self.lint(config, context)))

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Put the pins of all matching patterns together."""
        found = [e for e in config.entries if e.lists and any(cover.matches(host) for cover in e.covers)]
        builder = Builder.BACKTRACK
        if not found:
            return Rule(listed=not config.pinned, builder=builder, local_roots=LocalRoots.ENFORCE)
        clause = Clause(
            scope=Scope.ANY,
            pins=frozenset(pin for entry in found for pin in entry.pins),
            dead=frozenset(text for entry in found for pins in entry.lists for text in pins.dead),
        )
        return Rule(clauses=(clause,), builder=builder, local_roots=LocalRoots.ENFORCE)

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Write one row for each name, so that a file read again is the same."""
        whole = super().from_pinset(spec)
        if not whole.entries:
            return whole
        entry = whole.entries[0]
        return PinConfig(entries=tuple(Entry(covers=(cover,), lists=entry.lists) for cover in entry.covers))

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Add patterns whose pins widen those of another."""
        yield from super().lint(config, context)
        for entry in config.entries:
            for other in config.entries:
                wider = other is not entry and other.covers[0].reach is not Reach.EXACT
                if wider and other.covers[0].matches(entry.covers[0].name) and set(other.pins) - set(entry.pins):
                    yield warning(
                        "pins-add-up",
                        f"{context.subject}: {entry.covers[0].text}",
                        f"the pins of {other.covers[0].text} count here as well: OkHttp puts all matching patterns "
                        "together",
                        "a pin left out here is still accepted through the other pattern",
                        VENDOR,
                    )
                    break

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Replace the pins of each pattern in the shape the file has; every other character stays."""
        for _ in _rows(data, context.subject):
            pass
        wanted = {pattern_of(c): [pin.text for pin in e.pins] for e in config.entries for c in e.covers}
        text = data.decode("utf-8-sig")
        try:
            whole = json.loads(text) if text.strip() else {}
        except ValueError:
            whole = None
        if isinstance(whole, dict) and "pattern" not in whole:
            return (json_edit.put(text, wanted) if text.strip() else self.render(config).decode()).encode()
        if isinstance(whole, list):
            return _patched(text, json_edit.items(text), wanted, ",").encode()
        lines = [match.span() for match in _LINE.finditer(text)]
        return _patched(text, lines, wanted, "").encode()

    def render(self, config: PinConfig) -> bytes:
        """Write one JSON object from pattern to pins."""
        rows: dict[str, list[str]] = {}
        for entry in config.entries:
            for cover in entry.covers:
                rows.setdefault(pattern_of(cover), []).extend(pin.text for pin in entry.pins)
        return (json.dumps(rows, indent=2) + "\n").encode()


def _patched(text: str, spans: list[tuple[int, int]], wanted: dict[str, list[str]], comma: str) -> str:
    """Put pins into the rows of their patterns, and rows for patterns that have none at the end."""
    end = spans[-1][1] if spans else text.find("[") + 1
    newline = "\r\n" if "\r\n" in text else "\n"
    fresh = ""
    rows = [text[start:stop] for start, stop in spans]
    known = {json.loads(row)["pattern"] for row in rows}
    for pattern, pins in wanted.items():
        if pattern not in known:
            row = json.dumps({"pattern": pattern, "pins": pins}, ensure_ascii=False)
            fresh += f"{comma if spans or fresh else ''}{newline}{row}"
    text = text[:end] + fresh + text[end:]
    for (start, stop), row in reversed(list(zip(spans, rows, strict=True))):
        pins_wanted = wanted.get(json.loads(row)["pattern"])
        if pins_wanted is not None:
            text = text[:start] + json_edit.put(row, {"pins": pins_wanted}) + text[stop:]
    return text


def pattern_of(cover: Cover) -> str:
    """Write a cover as OkHttp's pattern."""
    return {Reach.ALL: "**.", Reach.ONLY_ONE: "*.", Reach.ONE: "**."}.get(cover.reach, "") + cover.name


def _rows(data: bytes, subject: str) -> Iterator[tuple[str, object, object]]:
    """Give rows as (place, pattern, pins), whichever of the two shapes the file has."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(Problem("is not UTF-8 text", file=subject, expected=_EXPECTED)) from None
    if not text.strip():
        return
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = None
    if isinstance(whole, dict) and "pattern" not in whole:
        for pattern, pins in whole.items():
            yield pattern, pattern, pins
        return
    rows: list[tuple[str, Any]]
    if isinstance(whole, list):
        rows = [(f"row {index}", row) for index, row in enumerate(whole, 1)]
    else:
        rows = []
        for index, line in enumerate(text.splitlines(), 1):
            if line.strip():
                try:
                    rows.append((f"line {index}", json.loads(line)))
                except (ValueError, RecursionError):
                    raise InputError(
                        Problem("is not JSON", file=subject, path=f"line {index}", value=line, expected=_EXPECTED)
                    ) from None
    for where, row in rows:
        if not isinstance(row, dict) or "pattern" not in row or "pins" not in row:
            raise InputError(
                Problem("has no pattern and pins", file=subject, path=where, value=row, expected=_EXPECTED)
            )
        yield where, row["pattern"], row["pins"]


MECHANISM = OkHttp()
