"""Replace the value at a path of an XML property list; every byte outside that value stays."""

from __future__ import annotations

import re
from typing import Any

from rotator.errors import InputError, Problem
from rotator.mechanisms.shared import plist, xmltree
from rotator.mechanisms.shared.splicing import Splices, change_elements, indent_of, newline_of
from rotator.mechanisms.shared.xmltree import Node, escape


def put(data: bytes, path: tuple[str, ...], value: Any, subject: str) -> bytes:  # noqa: ANN401 - plist values
    """Set a value, and make the dictionaries on the way that are missing.

    Args:
        data: an XML property list.
        path: keys from the root.
        value: texts, flags, lists and dictionaries.
        subject: the file, for messages.

    Raises:
        InputError: it is binary, or not a property list, or something on the way is no dictionary.
    """
    if data.startswith(b"bplist"):
        raise InputError(
            Problem("is a binary property list", file=subject, hint="plutil -convert xml1 FILE, then export again")
        )
    root = xmltree.parse(data, "a property list")
    here = next((child for child in root.children if child.tag == "dict"), None)
    if here is None:
        raise InputError(Problem("the root is not a dictionary", file=subject))
    splices = Splices(data)
    for depth, key in enumerate(path):
        found = _value(here, key)
        if found is None:
            _insert(splices, here, key, _nested(path[depth + 1 :], value))
            return splices.result()
        if depth == len(path) - 1:
            _replace(splices, found, value)
            return splices.result()
        if found.tag != "dict":
            raise InputError(Problem("is not a dictionary", file=subject, path="/".join(path[: depth + 1])))
        here = found
    return splices.result()  # pragma: no cover - a path has at least one key


def _nested(path: tuple[str, ...], value: Any) -> Any:  # noqa: ANN401
    for key in reversed(path):
        value = {key: value}
    return value


def _value(node: Node, key: str) -> Node | None:
    for name, value in zip(node.children[::2], node.children[1::2], strict=False):
        if name.tag == "key" and name.whole_text == key:
            return value
    return None


_SPACES = re.compile(rb"^( +)<", re.MULTILINE)


def _unit(splices: Splices, node: Node) -> tuple[str, int]:
    """Give one step of indentation, as the file has it, and the depth of a node."""
    pad = indent_of(splices.data, node.start).decode("utf-8", "replace")
    if pad.startswith(" "):
        unit = min(_SPACES.findall(splices.data), key=len, default=b"  ").decode()
        return unit, len(pad) // len(unit)
    return "\t", len(pad)


def _lines(splices: Splices, value: Any, node: Node) -> list[str]:  # noqa: ANN401
    unit, depth = _unit(splices, node)
    return [unit * (len(line) - len(line.lstrip("\t"))) + line.lstrip("\t") for line in plist.lines_of(value, depth)]


def _replace(splices: Splices, node: Node, value: Any) -> None:  # noqa: ANN401
    newline = newline_of(splices.data).decode()
    if node.tag == "array" and isinstance(value, list) and value and node.children:
        _change_array(splices, node, value, newline)
        return
    text = newline.join(_lines(splices, value, node)).lstrip()
    splices.replace(node.start, node.end, text.encode())


def _change_array(splices: Splices, node: Node, value: list[Any], newline: str) -> None:
    """Keep the elements that are wanted; the others go, new ones come last."""
    left = list(value)
    keep = []
    for child in node.children:
        plain = _plain(child)
        keep.append(plain in left)
        if keep[-1]:
            left.remove(plain)
    pad = indent_of(splices.data, node.children[-1].start).decode("utf-8", "replace")
    fresh = [newline.join(_lines(splices, item, node.children[-1])).lstrip() for item in left]
    places = [(child.start, child.end) for child in node.children]
    change_elements(splices, places, keep, fresh, node.inner_start, pad)


def _plain(node: Node) -> Any:  # noqa: ANN401
    """Give the value of a text or of a dictionary of texts; other things are equal to nothing."""
    if node.tag == "string":
        return node.whole_text
    if node.tag == "dict":
        pairs = zip(node.children[::2], node.children[1::2], strict=False)
        return {name.whole_text: _plain(value) for name, value in pairs}
    return node


def _insert(splices: Splices, node: Node, key: str, value: Any) -> None:  # noqa: ANN401
    newline = newline_of(splices.data).decode()
    unit, depth = _unit(splices, node.children[0] if node.children else node)
    pad = unit * (depth if node.children else depth + 1)
    lines = [f"{pad}<key>{escape(key)}</key>"]
    lines += [pad + line.replace("\t", unit) for line in plist.lines_of(value, 0)]
    text = newline.join(lines) + newline
    if node.inner_start == node.end:  # <dict/>
        outer = unit * depth
        splices.replace(node.start, node.end, f"<dict>{newline}{text}{outer}</dict>".encode())
        return
    at = splices.data.rfind(b"\n", 0, node.inner_end) + 1
    at = at if at > node.inner_start and not splices.data[at : node.inner_end].strip() else node.inner_end
    splices.insert(at, text.encode())
