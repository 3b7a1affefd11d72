"""Set members of a JSON object in its text; every character outside their values stays."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence

Span = tuple[int, int]
_DECODER = json.JSONDecoder()
_SPACE = " \t\r\n"


def members(text: str) -> dict[str, Span]:
    """Give where the value of each member of an object stands; of a repeated name the last counts."""
    return {key: (start, end) for key, _, start, end in _members(text)}


def _members(text: str) -> Iterator[tuple[str, int, int, int]]:
    """Give each member of an object: its name, where that begins, and where the value begins and ends."""
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "}":
        key, colon = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, colon) + 1)
        _, end = _DECODER.raw_decode(text, start)
        yield key, at, start, end
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at


def items(text: str) -> list[Span]:
    """Give where each item of an array stands."""
    found: list[Span] = []
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        found.append((at, end))
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def put(text: str, wanted: Mapping[str, object], gone: Collection[str] = (), pad: str = "") -> str:
    """Set members; what says the same already stays, what is new comes last, a map keeps its other members.

    Args:
        text: a JSON text whose root is an object.
        wanted: the values by the name of their member.
        gone: members to take out.
        pad: the white space in front of the line the object begins on.
    """
    for key in gone:
        text = _drop(text, key)
    places = members(text)
    spans = {places[key]: value for key, value in wanted.items() if key in places}
    for (start, end), value in sorted(spans.items(), key=lambda item: item[0], reverse=True):
        text = text[:start] + _changed(text[start:end], value, _pad(text, start, pad)) + text[end:]
    for key, value in wanted.items():
        if key not in places:
            text = _add(text, key, value, pad)
    return text


def drop_items(text: str, gone: Collection[int]) -> str:
    """Take items out of an array, by their index."""
    spans = items(text)
    for index in sorted(gone, reverse=True):
        start, end = spans[index]
        if index:
            start = spans[index - 1][1]
        elif len(spans) > 1:
            end = spans[1][0]
        text = text[:start] + text[end:]
        spans = items(text)
    return text


def append(text: str, values: Sequence[object], pad: str = "") -> str:
    """Put items at the end of an array, in the way its items are written.

    Args:
        text: a JSON text whose root is an array.
        values: the items.
        pad: the white space in front of the line the array begins on.
    """
    for value in values:
        spans = items(text)
        newline = _newline(text)
        if not spans:
            inner = f"{pad}  "
            text = f"[{newline}{inner}{_spread(value, inner, newline)}{newline}{pad}]"
            continue
        start, end = spans[-1]
        before = text[spans[-2][1] if len(spans) > 1 else text.index("[") + 1 : start]
        inner = _pad(text, start)
        many = "\n" in text[start:end]
        written = _spread(value, inner, newline) if many else json.dumps(value, ensure_ascii=False)
        separator = f",{newline}{inner}" if "\n" in before else ", "
        text = text[:end] + separator + written + text[end:]
    return text


def _changed(old: str, value: object, pad: str) -> str:
    said = json.loads(old)
    if said == value and type(said) is type(value):
        return old
    if isinstance(value, list) and value == [said]:
        return old
    if isinstance(value, Mapping) and isinstance(said, dict):
        return put(old, value, pad=pad)
    return _like(old, value, pad, _newline(old))


def _like(old: str, value: object, pad: str, newline: str) -> str:
    """Write a value in the way another one was written."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return _list(old, value, pad)
    return _spread(value, pad, newline) if "\n" in old else json.dumps(value, ensure_ascii=False)


def _list(old: str, values: Sequence[str], pad: str) -> str:
    """Write a list in the way another one was written."""
    if "\n" not in old or not old.startswith("["):
        comma = "," if "," in old and ", " not in old else ", "
        return "[" + comma.join(_text(value) for value in values) + "]"
    newline = _newline(old)
    first = old[1 : len(old) - len(old[1:].lstrip())]
    inner = first.rpartition("\n")[2] if "\n" in first else f"{pad}  "
    return f"[{newline}" + f",{newline}".join(inner + _text(value) for value in values) + f"{newline}{pad}]"


def _spread(value: object, pad: str, newline: str) -> str:
    """Write a value over several lines."""
    return json.dumps(value, indent=2, ensure_ascii=False).replace("\n", newline + pad)


def _add(text: str, key: str, value: object, pad: str) -> str:
    places = list(members(text).values())
    newline = _newline(text)
    if not places:
        at = _skip(text, 0)
        return text[:at] + _spread({key: value}, pad, newline) + text[text.rindex("}") + 1 :]
    start, end = places[-1]
    pad = _pad(text, start, pad)
    separator = f",{newline}{pad}" if "\n" in text[:start] else ", "
    old = text[start:end]
    plain = isinstance(value, list) and old.startswith("[")
    many = separator != ", " and isinstance(value, (list, dict)) and not plain
    written = _spread(value, pad, newline) if many else _like(old, value, pad, newline)
    return text[:end] + f"{separator}{_text(key)}: {written}" + text[end:]


def _drop(text: str, key: str) -> str:
    """Take a member out, with the comma that set it apart."""
    while True:
        places = list(_members(text))
        index = next((i for i, place in enumerate(places) if place[0] == key), None)
        if index is None:
            return text
        _, at, _, end = places[index]
        if index:
            at = places[index - 1][3]
        elif len(places) > 1:
            end = places[1][1]
        text = text[:at] + text[end:]


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _pad(text: str, at: int, first: str = "") -> str:
    """Give the white space at the beginning of the line of a position; `first` for the line the text begins on."""
    if "\n" not in text[:at]:
        return first
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at
