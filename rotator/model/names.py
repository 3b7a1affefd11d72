"""Host names: one spelling, parents, and which names a certificate is good for."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


class Reach(StrEnum):
    """How far a pinned name reaches beyond itself."""

    EXACT = "exact"
    ONE = "one"
    """The name and exactly one label in front of it (Apple)."""
    ONLY_ONE = "only-one"
    """Exactly one label in front, not the name itself (OkHttp `*.`)."""
    ALL = "all"
    """The name and everything below it, at any depth."""


@dataclass(frozen=True, slots=True, order=True)
class Cover:
    """A name a pinset covers, and how far it reaches."""

    name: str
    reach: Reach = Reach.EXACT

    def matches(self, host: str) -> bool:
        """Say whether a canonical host name is covered."""
        if host == self.name:
            return self.reach is not Reach.ONLY_ONE
        if self.reach is Reach.EXACT or not host.endswith("." + self.name):
            return False
        return self.reach is Reach.ALL or "." not in host[: -len(self.name) - 1]

    @property
    def text(self) -> str:
        """Show the cover as people write it."""
        return {
            Reach.EXACT: "{}",
            Reach.ONE: "{} and one label below it",
            Reach.ONLY_ONE: "*.{}",
            Reach.ALL: "{} and everything below it",
        }[self.reach].format(self.name)


def canonical(name: str) -> str:
    """Lower-case a host name and drop one trailing dot, as every client does before it compares."""
    name = name.lower()
    return name.removesuffix(".")


def is_host_name(name: str) -> bool:
    """Say whether a canonical name is a DNS name of letters, digits, hyphens and underscores, or an IP address."""
    if is_ip(name):
        return True
    return len(name) <= 253 and all(_LABEL.fullmatch(label) for label in name.split("."))


def is_ip(name: str) -> bool:
    """Say whether a name is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def parents(host: str) -> Iterator[str]:
    """Give the parent domains of a host, the longest first."""
    while "." in host:
        host = host.partition(".")[2]
        yield host


def certificate_covers(host: str, *, dns_names: Iterable[str], ip_names: Iterable[str] = ()) -> bool:
    """Say whether subject alternative names cover a host (RFC 9525, 6.3; RFC 5280, 4.2.1.6).

    A wildcard is a whole left-most label and stands for exactly one label. An IP address is compared
    with IP entries only.
    """
    host = canonical(host)
    if is_ip(host):
        wanted = ipaddress.ip_address(host.strip("[]"))
        return any(is_ip(name) and ipaddress.ip_address(name) == wanted for name in ip_names)
    return any(_dns_matches(canonical(name), host) for name in dns_names)


def _dns_matches(pattern: str, host: str) -> bool:
    if not pattern.startswith("*."):
        return pattern == host
    first, _, rest = host.partition(".")
    return bool(first) and rest == pattern[2:] and "." in rest


def within(name: str, base: str) -> bool:
    """Say whether a DNS name lies in the subtree of a name constraint (RFC 5280, 4.2.1.10)."""
    name, base = canonical(name), canonical(base).removeprefix(".")
    return not base or name == base or name.endswith("." + base)


def some(names: Sequence[str], most: int = 4) -> str:
    """Name a few of many, and say how many more there are."""
    shown = ", ".join(names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Give the known word most like a misspelt one, or None when none is close."""
    import difflib

    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return close[0] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Make a hint of the nearest known word, or of all known words when they are few; "" when there are none."""
    names = sorted(known)
    close = nearest(word, names)
    if close is not None:
        return f"did you mean {close}?"
    if not names:
        return ""
    return "known: " + ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
