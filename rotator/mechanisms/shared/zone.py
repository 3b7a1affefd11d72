"""Lines of a DNS zone file put together into its records' texts (RFC 1035, 5.1; RFC 2308, 4 for `$TTL`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rotator.errors import InputError, Problem

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SPECIAL = re.compile(r'[();"\\]')


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What stands for one record, over one line or several.

    Attributes:
        first: index of its first line.
        last: index of its last line.
        text: all of it on one line, without comments and parentheses.
        owner: the whole name it belongs to; "" where none was written so far.
        written: whether it begins with its owner's name, which else is that of the record before.
        ttl: seconds of the `$TTL` above it.
        comments: its comments, each with its semicolon.
    """

    first: int
    last: int
    text: str
    owner: str = ""
    written: bool = True
    ttl: int | None = None
    comments: tuple[str, ...] = ()


def statements(lines: Sequence[str], subject: str, owner_of: Callable[[str], str]) -> Iterator[Statement]:
    """Give the statements of a zone; a line that begins with a brace or a number sign is not looked into.

    Args:
        lines: the lines of the file.
        subject: its name, for messages.
        owner_of: gives the owner's name that a statement begins with, or "".

    Raises:
        InputError: a parenthesis is not closed, or `$ORIGIN` or `$TTL` says nothing.
    """
    origin, owner, ttl = "", "", None
    index = 0
    while index < len(lines):
        first = index
        index += 1
        stripped = lines[first].strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.startswith("{"):
            yield Statement(first=first, last=first, text=stripped)
            continue
        text, comments, open_ = _plain(lines[first], 0)
        while open_ and index < len(lines):
            more, others, open_ = _plain(lines[index], open_)
            text, comments = f"{text} {more}", [*comments, *others]
            index += 1
        where = f"line {first + 1}"
        if open_:
            raise InputError(Problem("a parenthesis that is not closed", file=subject, path=where, value=stripped))
        words = text.split()
        if not words:
            continue
        if words[0].startswith("$"):
            if words[0].upper() == "$ORIGIN":
                origin = _absolute(_said(words, subject, where), origin)
            elif words[0].upper() == "$TTL":
                ttl = seconds(_said(words, subject, where))
            continue
        own = owner_of(text)
        owner = _absolute(own, origin) if own else owner
        yield Statement(
            first=first,
            last=index - 1,
            text=text,
            owner=owner,
            written=bool(own),
            ttl=ttl,
            comments=tuple(comments),
        )


def seconds(text: str) -> int | None:
    """Read a time to live, as in `3600` or `1h30m`; None when it is none."""
    if not re.fullmatch(r"(?:\d{1,10}[smhdw])*(?:\d{1,10})?", text, re.IGNORECASE) or not text:
        return None
    return sum(int(n) * _SECONDS[unit.lower()] for n, unit in re.findall(r"(\d+)([smhdw]?)", text, re.IGNORECASE))


def _said(words: Sequence[str], subject: str, where: str) -> str:
    if len(words) < 2:
        raise InputError(Problem(f"{words[0]} says nothing", file=subject, path=where, expected="a value behind it"))
    return words[1]


def _absolute(name: str, origin: str) -> str:
    """Give a whole name; without an origin a name is taken as it is, dot or not."""
    if name == "@":
        return origin or name
    if name.endswith(".") or not origin:
        return name
    return f"{name}.{origin.removeprefix('.')}"


def _plain(line: str, depth: int) -> tuple[str, list[str], int]:
    """Give a line without comment and parentheses, its comment, and how many parentheses are open behind it."""
    line = line.rstrip()
    out = []
    quoted = False
    at = 0
    while (found := _SPECIAL.search(line, at)) is not None:
        out.append(line[at : found.start()])
        at = found.end()
        sign = found[0]
        if sign == "\\":
            out.append(line[found.start() : at + 1])
            at += 1
        elif sign == '"':
            quoted = not quoted
            out.append(sign)
        elif quoted:
            out.append(sign)
        elif sign == ";":
            return "".join(out), [line[found.start() :]], depth
        else:
            depth = depth + 1 if sign == "(" else max(0, depth - 1)
            out.append(" ")
    return "".join([*out, line[at:]]), [], depth
