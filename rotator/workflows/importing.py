"""A shipped pin file as policy TOML: keys, authorities and pinsets, and what its client makes of it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import date

from rotator.files.policy_toml import read_bytes
from rotator.files.policy_write import Section, render, table_name
from rotator.files.roots import mozilla_bundle
from rotator.mechanisms.base import Context, Entry, PinConfig
from rotator.mechanisms.registry import mechanism as known_mechanism
from rotator.model.findings import Finding, worst_first
from rotator.model.names import Cover, Reach, is_host_name
from rotator.model.pins import Pin, PinKind, b64, spki_pin
from rotator.model.rules import Mode, Scope
from rotator.workflows.opening import public_suffix


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A shipped file, read.

    Attributes:
        toml: policy TOML with its keys and pinsets.
        findings: what is to be said about it, worst first.
        config: the configuration as its client understands it.
    """

    toml: str
    findings: tuple[Finding, ...]
    config: PinConfig


def import_file(mechanism: str, file: str, today: date) -> Imported:
    """Read a shipped pin file by its client's own rules.

    Raises:
        InputError: there is no such mechanism or file, or the client refuses the file.
    """
    parsed = known_mechanism(mechanism).parse(
        read_bytes(file), Context(subject=file, today=today, public_suffix=public_suffix)
    )
    bundle, _ = mozilla_bundle()
    names = Names(labels={spki_pin(root.spki): root.label for root in bundle})
    sections = pinset_sections(parsed.config, names)
    text = render(
        [("schema", 1)],
        [names.keys_section(), names.authorities_section(), *sections],
        comment=f"from {file} ({mechanism})",
    )
    return Imported(toml=text, findings=worst_first(parsed.findings), config=parsed.config)


@dataclass
class Names:
    """Names given to pins, the same pin always the same name.

    Attributes:
        known: names of pins that are known already.
        roots: those of them that are authorities.
        labels: what public roots are called, to say so in a comment.
    """

    known: dict[Pin, str] = field(default_factory=dict)
    roots: set[Pin] = field(default_factory=set)
    labels: dict[Pin, str] = field(default_factory=dict)
    keys: dict[str, Pin] = field(default_factory=dict)
    authorities: dict[str, Pin] = field(default_factory=dict)

    def key(self, pin: Pin) -> str:
        """Give the name of a pinned key."""
        return self._name(pin, self.keys)

    def authority(self, pin: Pin) -> str:
        """Give the name of a pinned authority."""
        return self._name(pin, self.authorities)

    def _name(self, pin: Pin, table: dict[str, Pin]) -> str:
        if pin in self.known:
            return self.known[pin]
        name = f"pin-{pin.digest.hex()[:10]}"
        other = "ca-" + name[4:]
        if (name in self.keys or name in self.authorities) and table.get(name) != pin:
            name = other
        table[name] = pin
        return name

    def keys_section(self) -> Section:
        """Give the keys named so far."""
        return self._section("keys", self.keys)

    def authorities_section(self) -> Section:
        """Give the authorities named so far."""
        return self._section("authorities", self.authorities)

    def _section(self, header: str, table: dict[str, Pin]) -> Section:
        section = Section(header)
        for name, pin in table.items():
            section.add(name, {"spki": spki_text(pin)}, self.labels.get(pin, ""))
        return section


def spki_text(pin: Pin) -> str:
    """Write a pin as the policy's `spki`."""
    return f"{'sha1' if pin.kind is PinKind.SPKI_SHA1 else 'sha256'}/{b64(pin.digest)}"


def pinset_sections(config: PinConfig, names: Names, prefix: str = "") -> list[Section]:
    """Write each pinned entry of a configuration as a pinset, and say what a pinset cannot hold."""
    sections: list[Section] = []
    taken: set[str] = set()
    for own in config.entries:
        entry = own
        if not entry.lists:
            if entry.unpinned_on_purpose and sections:
                sections[-1].comment += f"\nunpinned on purpose in the file: {entry.title}"
            continue
        odd = [cover for cover in entry.covers if not is_host_name(cover.name)]
        note = f"left out, no host has this name: {', '.join(cover.text for cover in odd)}" if odd else ""
        entry = replace(entry, covers=tuple(cover for cover in entry.covers if cover not in odd))
        if odd and not entry.covers:
            sections.append(Section("", comment=note))
            continue
        name = unused(prefix + slug(entry.covers[0].name if entry.covers else "every-host"), taken)
        section = _pinset(table_name("pinsets", name), entry, names)
        section.comment += f"\n{note}" if note else ""
        sections.append(section)
    return sections


def _pinset(header: str, entry: Entry, names: Names) -> Section:
    section = Section(header)
    keys: list[str] = []
    authorities: list[str] = []
    misplaced: list[str] = []
    for pins in entry.lists:
        for pin in pins.pins:
            if pin in names.roots and pins.scope is Scope.LEAF:
                misplaced.append(names.known[pin])
            elif pins.scope is Scope.CA or pin in names.roots:
                authorities.append(names.authority(pin))
            else:
                keys.append(names.key(pin))
    keys, authorities = list(dict.fromkeys(keys)), list(dict.fromkeys(authorities))
    if keys:
        section.add("primary", keys[0])
        section.add("backups", keys[1:] or None)
    section.add("authorities", authorities or None)
    if len(entry.lists) > 1:
        section.add("combine", "leaf-and-ca")
    section.add("covers", [_cover(cover) for cover in entry.covers] or None)
    section.add("expires", entry.expires)
    if entry.mode is Mode.REPORT_ONLY:
        section.add("mode", "report-only")
    if entry.mode is Mode.OFF:
        section.comment = "the file switches these pins off for every root of the system (overridePins)"
    dead = [text for pins in entry.lists for text in pins.dead]
    if dead:
        section.comment += f"\nleft out, can never match: {', '.join(dead)}"
    if misplaced:
        section.comment += f"\nleft out, a CA's key is never the leaf's: {', '.join(misplaced)}"
    if not section.lines:
        section.add("covers", [_cover(cover) for cover in entry.covers])
    return section


def _cover(cover: Cover) -> str | dict[str, object]:
    if cover.reach is Reach.EXACT:
        return cover.name
    return {"name": cover.name, "subdomains": "one-label" if cover.reach is Reach.ONLY_ONE else True}


def slug(text: str) -> str:
    """Make a name of the policy out of any text."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")
    return plain[:60] or f"n-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}"


def unused(name: str, taken: set[str]) -> str:
    """Give a name that nothing has yet, and take it."""
    number, fresh = 1, name
    while fresh in taken:
        number += 1
        fresh = f"{name}-{number}"
    taken.add(fresh)
    return fresh
