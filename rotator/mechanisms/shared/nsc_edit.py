"""Change the pins of an Android network security configuration in place; TrustKit on Android reads the same file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from rotator.mechanisms.base import Entry, PinConfig
from rotator.mechanisms.shared.decoding import android
from rotator.mechanisms.shared.splicing import Splices, change_elements, indent_of, newline_of
from rotator.mechanisms.shared.xmltree import Node, escape
from rotator.model.names import Reach
from rotator.model.pins import is_canonical

_EXPIRATION = re.compile(rb"""\s*\bexpiration\s*=\s*("[^"]*"|'[^']*')""")


def domain_lines(entry: Entry, pad: str) -> list[str]:
    """Write the names of a block."""
    return [
        f'{pad}<domain includeSubdomains="{"true" if c.reach is Reach.ALL else "false"}">{escape(c.name)}</domain>'
        for c in entry.covers
    ]


def pin_set_lines(entry: Entry, pad: str) -> list[str]:
    """Write the pins of a block."""
    when = f' expiration="{entry.expires.isoformat()[:10]}"' if entry.expires else ""
    pins = [f'{pad}    <pin digest="SHA-256">{pin.text[7:]}</pin>' for pin in dict.fromkeys(entry.pins)]
    return [f"{pad}<pin-set{when}>", *pins, f"{pad}</pin-set>"]


def nothing_more(_entry: Entry, _pad: str) -> list[str]:
    """Add no lines to a block."""
    return []


def edited(
    data: bytes,
    root: Node,
    config: PinConfig,
    more: Callable[[Entry, str], list[str]] = nothing_more,
    *,
    compares_text: bool = False,
) -> bytes:
    """Give the file with the pins of `config` in it; names without a block get a new one, with `more` lines.

    A pin in an odd spelling stays as it is, unless some client of the file compares texts.
    """
    splices = Splices(data)
    newline = newline_of(data).decode()
    by_name = {name: block for block in blocks(root) for name in names(block)}
    for entry in config.pinned:
        found: dict[int, Node] = {}
        for cover in entry.covers:
            if cover.name in by_name:
                found[id(by_name[cover.name])] = by_name[cover.name]
        for block in found.values():
            _change(splices, block, entry, newline, compares_text=compares_text)
        missing = tuple(cover for cover in entry.covers if cover.name not in by_name)
        if missing:
            fresh = replace(entry, covers=missing, parent=None)
            lines = ["    <domain-config>", *domain_lines(fresh, " " * 8), *pin_set_lines(fresh, " " * 8)]
            lines += [*more(fresh, " " * 8), "    </domain-config>"]
            at = root.inner_end
            head = "" if data[:at].endswith(b"\n") else newline
            splices.insert(at, (head + newline.join(lines) + newline).encode())
    return splices.result()


def blocks(node: Node) -> Iterator[Node]:
    """Give every block, nested ones too."""
    for block in node.all("domain-config"):
        yield block
        yield from blocks(block)


def names(block: Node) -> list[str]:
    """Give the names of a block."""
    return [domain.text.strip().lower() for domain in block.all("domain")]


def _change(splices: Splices, block: Node, entry: Entry, newline: str, *, compares_text: bool) -> None:
    pin_set = next(block.all("pin-set"), None)
    if pin_set is None:
        domains = list(block.all("domain"))
        at = domains[-1].end
        pad = indent_of(splices.data, domains[-1].start).decode()
        splices.insert(at, (newline + newline.join(pin_set_lines(entry, pad))).encode())
        return
    if pin_set.inner_start == pin_set.end:  # <pin-set/>: there is nothing inside to keep
        pad = indent_of(splices.data, pin_set.start).decode()
        text = newline.join(pin_set_lines(entry, pad)).lstrip()
        splices.replace(pin_set.start, pin_set.end, text.encode())
        return
    _change_expiration(splices, pin_set, entry)
    wanted = {pin.digest: pin for pin in entry.pins}
    kept: list[bytes | None] = []
    keep = []
    nodes = list(pin_set.all("pin"))
    for node in nodes:
        digest = android(node.text.strip())
        keep.append(digest in wanted and digest not in kept)
        if digest in wanted and keep[-1]:
            kept.append(digest)
            if compares_text and not is_canonical(node.text.strip()) and not node.children:
                splices.replace(node.inner_start, node.inner_end, wanted[digest].text[7:].encode())
    fresh = [f'<pin digest="SHA-256">{pin.text[7:]}</pin>' for digest, pin in wanted.items() if digest not in kept]
    inner = indent_of(splices.data, nodes[-1].start) if nodes else indent_of(splices.data, pin_set.start) + b"    "
    places = [(node.start, node.end) for node in nodes]
    change_elements(splices, places, keep, fresh, pin_set.inner_start, inner.decode())


def _change_expiration(splices: Splices, pin_set: Node, entry: Entry) -> None:
    tag = splices.data[pin_set.start : pin_set.inner_start]
    wanted = f' expiration="{entry.expires.isoformat()[:10]}"' if entry.expires else ""
    match = _EXPIRATION.search(tag)
    if match is not None:
        if match[0].strip().decode("utf-8", "replace").replace("'", '"') != wanted.strip():
            splices.replace(pin_set.start + match.start(), pin_set.start + match.end(), wanted.encode())
    elif wanted:
        splices.insert(pin_set.inner_start - 1, wanted.encode())
