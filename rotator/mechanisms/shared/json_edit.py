"""Set members of a JSON object in its text; every character outside their values stays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

Span = tuple[int, int]
_DECODER = json.JSONDecoder()
_SPACE = " \t\r\n"


def members(text: str) -> dict[str, Span]:
    """Give where the value of each member of an object stands; of a repeated name the last counts."""
    found: dict[str, Span] = {}
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, start)
        found[key] = (start, end)
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


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


def put(text: str, wanted: Mapping[str, Sequence[str]]) -> str:
    """Set members to lists of texts; what says the same already stays, what is new comes last.

    Args:
        text: a JSON text whose root is an object.
        wanted: the lists by the name of their member.
    """
    places = members(text)
    spans = {places[key]: values for key, values in wanted.items() if key in places}
    for (start, end), values in sorted(spans.items(), reverse=True):
        old = text[start:end]
        if json.loads(old) not in (list(values), values[0] if len(values) == 1 else None):
            text = text[:start] + _list(old, values, _pad(text, start)) + text[end:]
    for key, values in wanted.items():
        if key not in places:
            text = _add(text, key, values)
    return text


def _list(old: str, values: Sequence[str], pad: str) -> str:
    """Write a list in the way another one was written."""
    if "\n" not in old:
        comma = "," if "," in old and ", " not in old else ", "
        return "[" + comma.join(_text(value) for value in values) + "]"
    newline = "\r\n" if "\r\n" in old else "\n"
    first = old[1 : len(old) - len(old[1:].lstrip())]
    inner = first.rpartition("\n")[2]
    return f"[{newline}" + f",{newline}".join(inner + _text(value) for value in values) + f"{newline}{pad}]"


def _add(text: str, key: str, values: Sequence[str]) -> str:
    places = list(members(text).values())
    newline = "\r\n" if "\r\n" in text else "\n"
    if not places:
        at = _skip(text, 0)
        written = json.dumps({key: list(values)}, indent=2, ensure_ascii=False).replace("\n", newline)
        return text[:at] + written + text[text.rindex("}") + 1 :]
    start, end = places[-1]
    many = "\n" in text[:start]
    separator = f",{newline}{_pad(text, start)}" if many else ", "
    return text[:end] + f"{separator}{_text(key)}: {_list(text[start:end], values, _pad(text, start))}" + text[end:]


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _pad(text: str, at: int) -> str:
    """Give the white space at the beginning of the line of a position."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at
