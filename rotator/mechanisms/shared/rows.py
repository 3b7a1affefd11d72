"""JSON as code mechanisms exchange it: JSON Lines of rows, a list of rows, or an object that holds rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from rotator.errors import InputError, Problem
from rotator.mechanisms.base import PinConfig
from rotator.mechanisms.shared import json_edit, lookup
from rotator.model.names import Cover, Reach, canonical
from rotator.model.pins import Pin

Row = dict[str, Any]
ALIASES = {"pins": ("pins", "certs"), "expires": ("expires", "expirationInstant")}
"""Other names that a member of a row goes by."""

_MARK = b"\xef\xbb\xbf"


def decode(data: bytes, subject: str, expected: str) -> str:
    """Give the text of a file.

    Raises:
        InputError: it is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(Problem("is not UTF-8 text", file=subject, expected=expected)) from None


def is_json(data: bytes) -> bool:
    """Say whether a file begins as JSON does, after a byte order mark or without one."""
    return data.removeprefix(_MARK).lstrip()[:1] in (b"{", b"[")


def load(data: bytes, subject: str, expected: str) -> tuple[Row, list[tuple[str, Row]]]:
    """Read rows in any of the three shapes.

    Args:
        data: the file.
        subject: its name, for messages.
        expected: what it should be.

    Returns:
        The keys beside the rows (none for lists and lines), and the rows with their places.

    Raises:
        InputError: it is no JSON, or has no rows.
    """
    text = decode(data, subject, expected)
    if not text.strip():
        return {}, []
    whole = _parse(text)
    if isinstance(whole, dict) and isinstance(whole.get("rows"), list):
        beside = {key: value for key, value in whole.items() if key != "rows"}
        return beside, _placed(whole["rows"], "row", subject, expected)
    if isinstance(whole, list):
        return {}, _placed(whole, "row", subject, expected)
    if isinstance(whole, dict):
        return {}, [("row 1", whole)]
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            row = _parse(line)
            if not isinstance(row, dict):
                raise InputError(
                    Problem("is not a JSON object", file=subject, path=f"line {number}", value=line, expected=expected)
                )
            rows.append((f"line {number}", row))
    return {}, rows


def pins_by_name(data: bytes, subject: str, expected: str) -> dict[str, Row] | None:
    """Read rows of a `pattern` or `host` and its `pins`, as lists out of code are written.

    Returns:
        The row of each name, the last one where a name is repeated; None when the file holds no such rows.

    Raises:
        InputError: some rows are such, others not.
    """
    if not is_json(data):
        return None
    _, found = load(data, subject, expected)
    named: dict[str, Row] = {}
    for where, row in found:
        name = row.get("pattern", row.get("host"))
        if not isinstance(name, str) or not isinstance(row.get("pins"), list):
            if not named:
                return None
            raise InputError(Problem("has no pattern or no pins", file=subject, path=where, expected=expected))
        named[name] = row
    return named


def _parse(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _placed(rows: list[object], noun: str, subject: str, expected: str) -> list[tuple[str, Row]]:
    found = []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise InputError(
                Problem("is not a JSON object", file=subject, path=f"{noun} {number}", value=row, expected=expected)
            )
        found.append((f"{noun} {number}", row))
    return found


Patch = Callable[[Sequence[str]], tuple[list[str], list[Row]]]
"""Gives the texts of rows as they shall be, and rows to add, for the texts as they are."""


def edit(
    data: bytes,
    wanted: Sequence[Row],
    subject: str,
    same: Callable[[str], str] = canonical,
    read: Callable[[str], Pin | None] = lookup.read_pin,
) -> bytes:
    """Put rows into a file in the shape it has: those of the same host are changed, others added at the end.

    Pins that stay keep their spelling, and everything that is no pin keeps its characters.

    Args:
        data: the file.
        wanted: rows with a `host`; a value of None takes the member out.
        subject: the name of the file, for messages.
        same: gives the name that the client compares for one as it is written.
        read: reads a pin as the client does.
    """
    return _edited(data, subject, lambda texts: _patches(texts, wanted, same, read))


def edit_every(data: bytes, change: Callable[[Row], Row], subject: str, fresh: Sequence[Row] = ()) -> bytes:
    """Set members of every row of a file, in the shape it has; `change` gives them for a row, `fresh` are added."""
    return _edited(data, subject, lambda texts: ([json_edit.put(t, change(json.loads(t))) for t in texts], [*fresh]))


def _edited(data: bytes, subject: str, patch: Patch) -> bytes:
    text = decode(data, subject, "JSON")
    if not text.strip():
        return dump({"rows": patch([])[1]})
    whole = _parse(text)
    if isinstance(whole, dict) and isinstance(whole.get("rows"), list):
        start, end = json_edit.members(text)["rows"]
        line = text[text.rfind("\n", 0, start) + 1 : start]
        pad = line[: len(line) - len(line.lstrip())]
        text = text[:start] + _in_array(text[start:end], patch, pad) + text[end:]
    elif isinstance(whole, list):
        start, end = len(text) - len(text.lstrip()), len(text.rstrip())
        text = text[:start] + _in_array(text[start:end], patch, "") + text[end:]
    elif isinstance(whole, dict) and "\n" in text.strip():
        fresh = patch([text.strip()])
        if fresh[1]:
            return _edited(f"[\n{text.strip()}\n]\n".encode(), subject, patch)
        text = text.replace(text.strip(), fresh[0][0])
    else:
        load(data, subject, "JSON")  # raises where a line is no row
        text = _in_lines(text, patch)
    return (_MARK if data.startswith(_MARK) else b"") + text.encode()


def _in_array(text: str, patch: Patch, pad: str) -> str:
    spans = json_edit.items(text)
    patched, fresh = patch([text[start:end] for start, end in spans])
    for (start, end), row in reversed(list(zip(spans, patched, strict=True))):
        text = text[:start] + row + text[end:]
    return json_edit.append(text, fresh, pad)


def _in_lines(text: str, patch: Patch) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    places = [index for index, line in enumerate(lines) if line.strip()]
    patched, fresh = patch([lines[index].strip() for index in places])
    for index, row in zip(places, patched, strict=True):
        lines[index] = lines[index].replace(lines[index].strip(), row)
    if fresh and not lines[-1].endswith("\n"):
        lines[-1] += newline
    return "".join([*lines, *(json.dumps(row, ensure_ascii=False) + newline for row in fresh)])


def _patches(
    texts: Sequence[str], wanted: Sequence[Row], same: Callable[[str], str], read: Callable[[str], Pin | None]
) -> tuple[list[str], list[Row]]:
    """Give the rows of a file as they shall be, and those it does not have yet."""
    left: dict[str, list[Row]] = {}
    for row in wanted:
        left.setdefault(row.get("host", ""), []).append(row)
    named = [_named(text, same) for text in texts]
    paired: dict[int, Row] = {}
    for index, (host, old) in enumerate(named):
        alike = next((row for row in left.get(host, ()) if _reach(row) == _reach(old)), None)
        if alike is not None:
            left[host].remove(alike)
            paired[index] = alike
    last: dict[str, Row] = {}
    found = []
    for index, (text, (host, old)) in enumerate(zip(texts, named, strict=True)):
        if index in paired:
            last[host] = paired[index]
        elif left.get(host):
            last[host] = left[host].pop(0)
        found.append(_patch(text, old, last[host], read) if host in last and old else text)
    return found, [_without_none(row) for rows in left.values() for row in rows]


def _named(text: str, same: Callable[[str], str]) -> tuple[str, Row]:
    """Give the host that a row names, "" for none, and the row; an empty one where it is no object."""
    old = _parse(text)
    row = old if isinstance(old, dict) else {}
    name = row.get("host", row.get("pattern"))
    return same(name) if isinstance(name, str) else "", row


def _reach(row: Row) -> object:
    """Give what a row says of names below its host."""
    return row.get("subdomains", row.get("includeSubdomains")) or False


def _patch(text: str, old: Row, wanted: Row, read: Callable[[str], Pin | None]) -> str:
    values: Row = {}
    gone = []
    for name, value in wanted.items():
        key = next((alias for alias in ALIASES.get(name, ()) if alias in old), name)
        if name == "host" or (value is False and key not in old):
            continue
        if value is None:
            gone.append(key)
        elif name == "pins" and isinstance(old.get(key), list):
            values[key] = kept(old[key], value, read)
        else:
            values[key] = value
    return json_edit.put(text, values, gone)


def kept(
    old: Sequence[object], wanted: Sequence[str], read: Callable[[str], Pin | None] = lookup.read_pin
) -> list[str]:
    """Give a list of pins that says the same as `wanted`: what is there already stays where and as it is."""
    pins = {read(text): text for text in wanted}
    there: dict[Pin | None, str] = {}
    for text in old:
        pin = read(text) if isinstance(text, str) else None
        if isinstance(text, str) and pin is not None and pin in pins:
            there.setdefault(pin, text)
    spell = _bare if any(isinstance(t, str) and read(t) and _bare(t) == t for t in old) else _prefixed
    fresh = [text for pin, text in pins.items() if pin not in there]
    return [*there.values(), *(spell(text) if old and read is lookup.read_pin else text for text in fresh)]


def _bare(text: str) -> str:
    return text.removeprefix("sha256/")


def _prefixed(text: str) -> str:
    return text if ":" in text or text.startswith("sha") else f"sha256/{text}"


def _without_none(row: Row) -> Row:
    return {key: value for key, value in row.items() if value is not None}


def cover_of(host: str, row: Row) -> Cover:
    """Give the cover of a row: `subdomains` beside its host, as in a policy."""
    below = row.get("subdomains")
    reach = Reach.ALL if below is True else Reach.ONLY_ONE if below == "one-label" else Reach.EXACT
    return Cover(canonical(host), reach)


def table(config: PinConfig, text: Callable[[Pin], str]) -> list[Row]:
    """Write a row for each cover; one without a host where an entry is for every host."""
    found: list[Row] = []
    for entry in config.entries:
        pins = [text(pin) for pin in entry.pins]
        for cover in entry.covers:
            reach: object = "one-label" if cover.reach is Reach.ONLY_ONE else True
            below = {} if cover.reach is Reach.EXACT else {"subdomains": reach}
            found.append({"host": cover.name, **below, "pins": pins})
        if not entry.covers:
            found.append({"pins": pins})
    return found


def dump(value: object) -> bytes:
    """Write JSON, indented."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
