"""Hexadecimal digests of whole certificates, as Python and Dart clients take them.

Colons and case do not matter to any of them; what else of a digest is passed over is a pattern, `BETWEEN` or `COLONS`.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Collection, Iterator, Sequence

from rotator.errors import InputError, Problem
from rotator.mechanisms.base import ConfigRejectedError, Context, Entry, PinConfig, PinList, PinsetSpec, distinct
from rotator.mechanisms.shared import lookup
from rotator.mechanisms.shared import rows as json_rows
from rotator.model.findings import Finding, warning
from rotator.model.names import Cover, canonical, is_host_name
from rotator.model.pins import Pin, PinKind
from rotator.model.rules import BadConfig, Clause, Scope

BETWEEN = r"[\s:]"
COLONS = ":"
KINDS = {16: PinKind.CERT_MD5, 20: PinKind.CERT_SHA1, 32: PinKind.CERT_SHA256}


def texts(data: bytes, context: Context) -> list[str]:
    """Give the digests of a file: one a line, `#` begins a comment; quotes around one do not matter.

    Raises:
        InputError: it is not text.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(Problem("is not text", file=context.subject, expected="a hexadecimal digest")) from None
    lines = [line.partition("#")[0].strip().strip("\"'").strip() for line in text.splitlines()]
    return [line for line in lines if line]


def config(
    given: Sequence[str],
    context: Context,
    *,
    lengths: tuple[int, ...],
    most: int,
    consequence: BadConfig,
    how: str,
    between: str = BETWEEN,
) -> PinConfig:
    """Make a configuration for every host out of digests.

    Args:
        given: the digests as text.
        context: the file.
        lengths: lengths in bytes that the client takes.
        most: how many the client can hold.
        consequence: what it does with any other.
        how: the same in words.
        between: a pattern of what the client passes over in a digest.

    Raises:
        ConfigRejectedError: one is no digest of such a length, or there are too many.
    """
    if len(given) > most:
        raise ConfigRejectedError(
            Problem("more than one value", file=context.subject, value=len(given), hint="the client holds one"),
            consequence,
        )
    pins = []
    for text in given:
        pin = pin_of(text, lengths, between)
        if pin is None:
            wanted = " or ".join(str(2 * length) for length in lengths)
            raise ConfigRejectedError(
                Problem(
                    "not a digest the client takes",
                    file=context.subject,
                    value=text,
                    expected=f"{wanted} hexadecimal digits",
                    hint=how,
                ),
                consequence,
            )
        pins.append(pin)
    return PinConfig(entries=(Entry(lists=(PinList(scope=Scope.LEAF, pins=distinct(pins)),)),))


def pin_of(text: str, lengths: Collection[int] = tuple(KINDS), between: str = BETWEEN) -> Pin | None:
    """Read a digest; None when it is none of such a length in bytes."""
    try:
        digest = binascii.unhexlify(re.sub(between, "", text))
    except (binascii.Error, ValueError):
        return None
    return Pin(KINDS[len(digest)], digest) if len(digest) in lengths else None


def lint(found: PinConfig, context: Context, source: str) -> Iterator[Finding]:
    """Say what a pin on a whole certificate means."""
    if found.pinned:
        yield warning(
            "certificate-pin",
            context.subject,
            "a digest of the whole certificate: every renewal breaks it, also one with the same key",
            "a client that holds one value can only be changed in step with the server",
            source,
        )
    if any(pin.kind in (PinKind.CERT_MD5, PinKind.CERT_SHA1) for entry in found.entries for pin in entry.pins):
        yield warning("weak-digest", context.subject, "MD5 and SHA-1 can be made to collide", "use SHA-256", source)


def too_many(found: PinConfig) -> str:
    """Say why a client that holds one value refuses a configuration, or ""."""
    count = max((len(set(entry.pins)) for entry in found.pinned), default=0)
    return f"there is room for one certificate, not {count}" if count > 1 else ""


def clauses(found: PinConfig, host: str) -> tuple[Clause, ...]:
    """Give the clauses of the entry that covers a host; an entry without names covers every host."""
    for entry in found.pinned:
        if not entry.covers or any(cover.matches(host) for cover in entry.covers):
            return entry.clauses
    return ()


def from_pinset(spec: PinsetSpec, most: int | None = None) -> PinConfig:
    """Take the certificates of a pinset; the first of them, which is in use, where there is room for no more."""
    pins = spec.certificates[:most]
    if not pins:
        return PinConfig()
    return PinConfig(entries=(Entry(covers=spec.covers, lists=(PinList(scope=Scope.LEAF, pins=pins),)),))


def render(found: PinConfig) -> bytes:
    """Write digests one a line."""
    return "".join(f"{pin.digest.hex()}\n" for pin in distinct(p for e in found.entries for p in e.pins)).encode()


def edit(data: bytes, found: PinConfig, context: Context, between: str = BETWEEN) -> bytes:
    """Change the digests of a file: one a line, or in rows of the hosts; everything else stays."""

    def read(text: str) -> Pin | None:
        return pin_of(text.strip("\"'"), between=between)

    if data.decode("utf-8-sig", "replace").lstrip().startswith(("{", "[")):
        return _edit_rows(data, found, context, read)
    return lookup.edit_lines(data, found, read, lambda pin: pin.digest.hex(), context)


def _edit_rows(data: bytes, found: PinConfig, context: Context, read: Callable[[str], Pin | None]) -> bytes:
    """Change the digests of rows for hosts that a configuration covers, or for every host; add rows it lacks."""
    there = [covers for covers, _ in rows(data, context)]

    def digests(covers: tuple[Cover, ...]) -> list[str]:
        names = [cover.name for cover in covers]
        own = (e for e in found.entries if not names or any(c.matches(n) for c in e.covers for n in names))
        return [pin.digest.hex() for pin in distinct(pin for entry in own for pin in entry.pins)]

    def change(row: json_rows.Row) -> json_rows.Row:
        wanted = digests(_covers(row))
        key = "pins" if "pins" in row else "allowedSHAFingerprints"
        return {key: json_rows.kept(row[key], wanted, read)} if wanted else {}

    lacking = dict.fromkeys(cover.name for entry in found.entries for cover in entry.covers if (cover,) not in there)
    fresh = [{"host": name, "pins": digests((Cover(name),))} for name in lacking if () not in there]
    return json_rows.edit_every(data, change, context.subject, fresh)


def rows(data: bytes, context: Context) -> Iterator[tuple[tuple[Cover, ...], list[str]]]:
    """Give digests by host where the file is JSON and says hosts, else all of them for every host."""
    text = data.decode("utf-8-sig", "replace").strip()
    if not text.startswith(("{", "[")):
        yield (), texts(data, context)
        return
    _, table = json_rows.load(data, context.subject, "digests, or JSON rows of pattern and pins")
    for where, row in table:
        pins = row.get("pins", row.get("allowedSHAFingerprints"))
        if not isinstance(pins, list) or not all(isinstance(p, str) for p in pins):
            raise InputError(Problem("has no pins", file=context.subject, path=where, expected="a list of digests"))
        yield _covers(row), pins


def _covers(row: json_rows.Row) -> tuple[Cover, ...]:
    """Give the host a row names; none where it is for every host."""
    host = row.get("host", row.get("pattern"))
    name = canonical(host) if isinstance(host, str) else ""
    return (Cover(name),) if is_host_name(name) else ()
