"""Finding the entry of a host, names that can only be exact, and pins as one reads them anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from rotator.errors import InputError, Problem
from rotator.mechanisms.base import Context, Entry, PinConfig, PinList, PinsetSpec, distinct
from rotator.model.names import Cover, Reach, parents
from rotator.model.pins import Pin, PinKind, decode_strict
from rotator.model.rules import Scope

_PREFIXES = {"sha256/": (PinKind.SPKI_SHA256, 32), "sha1/": (PinKind.SPKI_SHA1, 20)}


def exact_or_parent(config: PinConfig, host: str, skip: Callable[[Entry], bool] = lambda _entry: False) -> Entry | None:
    """Give the entry of the exact name, else of the longest parent that reaches below itself; None for none."""
    by_name = {cover.name: (entry, cover) for entry in config.entries if not skip(entry) for cover in entry.covers}
    if host in by_name:
        return by_name[host][0]
    for name in parents(host):
        found = by_name.get(name)
        if found is not None and found[1].reach is Reach.ALL:
            return found[0]
    return next((entry for entry in config.entries if not entry.covers and not skip(entry)), None)


def exact_names(config: PinConfig) -> PinConfig:
    """Give each name an entry of its own, without anything below it; what is only below a name is left out."""
    return PinConfig(
        entries=tuple(
            replace(entry, covers=(Cover(name),))
            for entry in config.entries
            for name in dict.fromkeys(c.name for c in entry.covers if c.reach is not Reach.ONLY_ONE)
        )
    )


def reach_all_or_exact(config: PinConfig) -> PinConfig:
    """Give each name an entry of its own, that reaches nothing below it or everything."""
    return PinConfig(
        entries=tuple(replace(entry, covers=(cover,)) for entry in config.entries for cover in widest(entry.covers))
    )


def widest(covers: Iterable[Cover]) -> tuple[Cover, ...]:
    """Give covers a file can say where a name reaches nothing below it or everything: each name once."""
    said: dict[str, Reach] = {}
    for cover in covers:
        wider = cover.reach is not Reach.EXACT or said.get(cover.name) is Reach.ALL
        said[cover.name] = Reach.ALL if wider else Reach.EXACT
    return tuple(Cover(name, reach) for name, reach in said.items())


def exact_only(mechanism: str, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
    """Name the loss of formats whose names are exact."""
    for cover in spec.covers:
        if cover.reach is not Reach.EXACT:
            yield "exact-names-only", f"{mechanism} lists names exactly: what lies below {cover.name} is left out"


def covers_more(mechanism: str, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
    """Name the loss of formats that reach everything below a name, or nothing."""
    for cover in spec.covers:
        if cover.reach is Reach.ONLY_ONE:
            yield "covers-more", f"{mechanism} says {cover.text} only as {cover.name} and everything below it"


def ends_by_itself(mechanism: str, spec: PinsetSpec, when: str) -> Iterator[tuple[str, str]]:
    """Name the end that a list of a browser has, where the pinset has none."""
    if spec.expires is None:
        yield "ends-by-itself", f"{mechanism} ends its pins {when}, then it is open: write that day as expires ="


def read_pin(text: str) -> Pin | None:
    """Read one pin; None when it is no digest."""
    if text.startswith("cert-sha256:"):
        try:
            digest = bytes.fromhex(text[12:])
        except ValueError:
            return None
        return Pin(PinKind.CERT_SHA256, digest) if len(digest) == 32 else None
    prefix = next((p for p in _PREFIXES if text.startswith(p)), "")
    kind, length = _PREFIXES.get(prefix, (PinKind.SPKI_SHA256, 32))
    found = decode_strict(text.removeprefix(prefix))
    return Pin(kind, found) if found is not None and len(found) == length else None


def read_pins(
    texts: Iterable[object], read: Callable[[str], Pin | None] = read_pin
) -> tuple[tuple[Pin, ...], tuple[str, ...]]:
    """Read pins, each as `read` does: `sha256/...`, bare base64 of 32 bytes, or a hexadecimal digest of a certificate.

    Returns:
        The pins, and the texts that are no digest and so can never match.
    """
    pins: list[Pin] = []
    dead: list[str] = []
    for text in texts:
        pin = read(text) if isinstance(text, str) else None
        if pin is None:
            dead.append(str(text))
        else:
            pins.append(pin)
    return distinct(pins), tuple(dict.fromkeys(dead))


def config_of_lines(data: bytes, context: Context, scope: Scope, expected: str) -> PinConfig:
    """Read pins one a line, for every host; `#` begins a comment.

    Raises:
        InputError: it is no text, or holds something that is no pin.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(Problem("is not UTF-8 text", file=context.subject, expected=expected)) from None
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    pins, dead = read_pins(line for line in lines if line)
    if dead:
        raise InputError(Problem("is no pin", file=context.subject, value=dead[0], expected=expected))
    return PinConfig(entries=(Entry(lists=(PinList(scope=scope, pins=pins),)),) if pins else ())


def lines_of(config: PinConfig) -> bytes:
    """Write pins one a line."""
    return "".join(f"{pin.text}\n" for pin in distinct(p for e in config.entries for p in e.pins)).encode()


def edit_lines(
    data: bytes, config: PinConfig, read: Callable[[str], Pin | None], write: Callable[[Pin], str], context: Context
) -> bytes:
    """Change the pins of a file that has one a line; comments, empty lines and pins that stay keep their bytes.

    Args:
        data: the file; `#` begins a comment.
        config: the pins it shall hold.
        read: reads a pin, or gives None.
        write: writes a pin.
        context: the file, for messages.

    Raises:
        InputError: it is no text.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise InputError(Problem("is not UTF-8 text", file=context.subject)) from None
    newline = "\r\n" if "\r\n" in text else "\n"
    wanted = dict.fromkeys(pin for entry in config.entries for pin in entry.pins)
    lines: list[str] = []
    at: int | None = None
    for line in text.splitlines(keepends=True):
        own = line.lstrip("\ufeff").partition("#")[0].strip()
        pin = read(own) if own else None
        if not own or pin in wanted:
            lines.append(line)
        if own:
            at = len(lines)
        if pin is not None:
            wanted.pop(pin, None)
    at = len(lines) if at is None else at
    fresh = [write(pin) + newline for pin in wanted]
    if fresh and at and not lines[at - 1].endswith("\n"):
        lines[at - 1] += newline
    return "".join([*lines[:at], *fresh, *lines[at:]]).encode()


def not_rows(context: Context, where: str, expected: str) -> InputError:
    """Make the error of a row without pins."""
    return InputError(Problem("has no pins", file=context.subject, path=where, expected=expected))
