"""Change the pins of an Android network security configuration in place; TrustKit on Android reads the same file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rotator.mechanisms.base import Entry, PinConfig
from rotator.mechanisms.shared.decoding import android
from rotator.mechanisms.shared.splicing import Splices, indent_of, newline_of
from rotator.mechanisms.shared.xmltree import Node, escape
from rotator.model.names import Reach

_EXPIRATION = re.compile(rb"""\s*\bexpiration\s*=\s*("[^"]*"|'[^']*')""")


def domain_lines(entry: Entry, pad: str) -> list[str]:
    """Write the names of a block."""
    return [
        f'{pad}<domain includeSubdomains="{"true" if c.reach is Reach.ALL else "false"}">{escape(c.name)}</domain>'
        for c in entry.covers
    ]


def pin_set_lines(entry: Entry, pad: str) -> list[str]:
    """Write the pins of a block."""
    when = f' expiration="{entry.expires:%Y-%m-%d}"' if entry.expires else ""
    pins = [f'{pad}    <pin digest="SHA-256">{pin.text[7:]}</pin>' for pin in entry.pins]
    return [f"{pad}<pin-set{when}>", *pins, f"{pad}</pin-set>"]


def edited(data: bytes, root: Node, config: PinConfig) -> bytes:
    """Give the file with the pins of `config` in it; names without a block get a new one at the end."""
    splices = Splices(data)
    newline = newline_of(data).decode()
    blocks = {name: block for block in _blocks(root) for name in _names(block)}
    for entry in config.pinned:
        found: dict[int, Node] = {}
        for cover in entry.covers:
            if cover.name in blocks:
                found[id(blocks[cover.name])] = blocks[cover.name]
        for block in found.values():
            _change(splices, block, entry, newline)
        missing = tuple(cover for cover in entry.covers if cover.name not in blocks)
        if missing:
            fresh = Entry(covers=missing, lists=entry.lists, expires=entry.expires)
            lines = ["    <domain-config>", *domain_lines(fresh, " " * 8), *pin_set_lines(fresh, " " * 8)]
            lines.append("    </domain-config>")
            at = root.inner_end
            head = "" if data[:at].endswith(b"\n") else newline
            splices.insert(at, (head + newline.join(lines) + newline).encode())
    return splices.result()


def _blocks(node: Node) -> Iterator[Node]:
    for block in node.all("domain-config"):
        yield block
        yield from _blocks(block)


def _names(block: Node) -> list[str]:
    return [domain.text.strip().lower() for domain in block.all("domain")]


def _change(splices: Splices, block: Node, entry: Entry, newline: str) -> None:
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
    kept = []
    line_gone = False
    for node in pin_set.all("pin"):
        digest = android(node.text.strip())
        if digest in wanted and digest not in kept:
            kept.append(digest)
            line_gone = False
        else:
            line_gone = splices.remove_lines(node.start, node.end)
    fresh = [pin for digest, pin in wanted.items() if digest not in kept]
    if fresh:
        nodes = list(pin_set.all("pin"))
        last = nodes[-1] if nodes else None
        pad = (
            indent_of(splices.data, last.start)
            if last is not None
            else indent_of(splices.data, pin_set.start) + b"    "
        ).decode()
        lines = [f'{newline}{pad}<pin digest="SHA-256">{pin.text[7:]}</pin>' for pin in fresh]
        at = last.end if last is not None else pin_set.inner_start
        if last is not None and line_gone:
            lines = [line.removeprefix(newline) + newline for line in lines]
            at = splices.data.find(b"\n", last.end) + 1 or last.end
        splices.insert(at, "".join(lines).encode())


def _change_expiration(splices: Splices, pin_set: Node, entry: Entry) -> None:
    tag = splices.data[pin_set.start : pin_set.inner_start]
    wanted = f' expiration="{entry.expires:%Y-%m-%d}"' if entry.expires else ""
    match = _EXPIRATION.search(tag)
    if match is not None:
        if match[0].strip().decode("utf-8", "replace").replace("'", '"') != wanted.strip():
            splices.replace(pin_set.start + match.start(), pin_set.start + match.end(), wanted.encode())
    elif wanted:
        splices.insert(pin_set.inner_start - 1, wanted.encode())
