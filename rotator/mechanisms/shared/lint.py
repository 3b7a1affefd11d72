"""What is wrong with pins whatever the client, as findings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

from rotator.model.findings import Finding, error, info, warning
from rotator.model.names import is_host_name
from rotator.model.pins import junk_reason
from rotator.model.rules import Scope
from rotator.model.when import show

if TYPE_CHECKING:
    from rotator.mechanisms.base import Context, Entry, PinConfig
    from rotator.model.names import Cover


def lint_pins(
    config: PinConfig, context: Context, source: str, *, told: frozenset[str] = frozenset(), ends: bool = True
) -> Iterator[Finding]:
    """Say what is wrong with pins whatever the client: none, one only, junk, ended, never matching.

    Args:
        config: the configuration.
        context: the file.
        source: the page about the mechanism's pins.
        told: texts that never match for a reason that another finding gives.
        ends: whether pins that ended let everything through; False where the mechanism says what they do.
    """
    if not any(entry.lists or entry.forbidden for entry in config.entries):
        yield warning(
            "nothing-pinned",
            context.subject,
            "no host is pinned by this file",
            "if pins were meant, they do nothing",
            source,
        )
    together: dict[tuple[Cover, ...], list[Entry]] = {}
    for entry in config.pinned:
        together.setdefault(entry.covers, []).append(entry)
    for entries in together.values():
        pins = {pin for entry in entries for pin in entry.pins}
        if len(pins) == 1 and not any(own.dead for entry in entries for own in entry.lists):
            yield warning(
                "single-pin",
                f"{context.subject}: {entries[0].title}",
                "one pin only: when its key is lost or changed, every client breaks",
                "add the pin of a backup key that is kept apart",
                source,
            )
    for entry in config.entries:
        subject = f"{context.subject}: {entry.title}"
        yield from _lint_each(entry, subject, told, source)
        yield from _lint_places(entry, subject, context, source)
        if ends and entry.lists and entry.expires is not None and _ended(entry.expires, context.today):
            yield warning(
                "pins-expired",
                subject,
                f"the pins ended on {_day(entry.expires)}: connections are not pinned any more",
                "ship a file with a later date",
                source,
            )


def _lint_each(entry: Entry, subject: str, told: frozenset[str], source: str) -> Iterator[Finding]:
    for pin in dict.fromkeys(entry.pins):
        junk = junk_reason(pin.digest)
        if junk is not None:
            yield error(
                "junk-pin",
                subject,
                f"{pin.text} is no key's digest: {junk}",
                "replace it by a real backup pin",
                source,
            )
    dead = dict.fromkeys(text for pins in entry.lists for text in pins.dead)
    for text in (text for text in dead if text not in told):
        yield error(
            "pin-never-matches",
            subject,
            f"{text or 'an empty text'} can never match a key",
            "replace it by the base64 of a SHA-256, 44 characters",
            source,
        )


def _lint_places(entry: Entry, subject: str, context: Context, source: str) -> Iterator[Finding]:
    """Tell pins that stand in a list whose certificates can never have them."""
    leaf, above = (
        {pin for pins in entry.lists if pins.scope is scope for pin in pins.pins} for scope in (Scope.LEAF, Scope.CA)
    )
    for pin in sorted(pin for pin in leaf if context.is_authority(pin)):
        yield error(
            "ca-pin-for-leaf",
            subject,
            f"{pin.text} is the key of a public root, and only the server's own key is compared here: it never matches",
            "pin the key of the server",
            source,
        )
    for pin in sorted(leaf & above):
        yield warning(
            "pin-in-both-lists",
            subject,
            f"{pin.text} stands in the leaf list and in the CA list: no key is both, so in one it never matches",
            "keep our keys in the leaf list and those of authorities in the CA list",
            source,
        )


def _day(expires: date | datetime) -> str:
    return show(expires) if isinstance(expires, datetime) else expires.isoformat()


def _ended(expires: date | datetime, today: date) -> bool:
    return (expires.date() if isinstance(expires, datetime) else expires) <= today


def odd_names(config: PinConfig, context: Context, source: str) -> Iterator[Finding]:
    """Tell names that no host has, where the client compares them as they are."""
    for name in dict.fromkeys(cover.name for entry in config.entries for cover in entry.covers):
        if not is_host_name(name):
            yield warning(
                "domain-never-matches",
                f"{context.subject}: {name}",
                "no host has this name: it is compared exactly, without wildcard, scheme, port or path",
                "write the plain name of each host",
                source,
            )


def suffix_problem(name: str, *, subdomains: bool, context: Context) -> str:
    """Say what the registry of public suffixes that TrustKit asks has against a name, or ""."""
    suffix = context.public_suffix(name.lower()) if "." in name else None
    if suffix is None:
        return "a name without a known public suffix"
    if subdomains and suffix == name.lower():
        return "subdomains of a public suffix"
    return ""


def note_dead(subject: str, text: str, why: str, source: str) -> Finding:
    """Say that an element of a file can never match, and why."""
    return error(
        "pin-never-matches", subject, f"{text!r}: {why}", "write the base64 of a SHA-256, 44 characters", source
    )


def note_spelling(subject: str, text: str, source: str) -> Finding:
    """Say that a pin is spelt in a way that clients which compare text would not match."""
    return info(
        "non-canonical-pin",
        subject,
        f"{text!r} is not the canonical spelling",
        "export writes the canonical one",
        source,
    )
