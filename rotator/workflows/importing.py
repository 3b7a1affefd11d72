"""A shipped pin file as policy TOML: keys, authorities and pinsets, and what its client makes of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from rotator.checks.named import about_pins
from rotator.files.material import beside
from rotator.files.policy_toml import read_bytes
from rotator.files.policy_write import Section, render, table_name
from rotator.files.roots import bundle_names, mozilla_bundle
from rotator.mechanisms.base import Entry, Mechanism, PinConfig
from rotator.mechanisms.registry import mechanism as known_mechanism
from rotator.model.findings import Finding, worst_first
from rotator.model.names import Cover, Reach, is_host_name
from rotator.model.pins import Pin, PinKind, b64, spki_pin
from rotator.model.resemblance import KnownKeys
from rotator.model.rules import LocalRoots, Mode, Scope, Usage
from rotator.simulate.inventory import Inventory
from rotator.workflows.naming import known_keys
from rotator.workflows.opening import reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A shipped file, read.

    Attributes:
        toml: policy TOML with its keys and pinsets.
        findings: what is to be said about it, worst first.
        config: the configuration as its client understands it.
        demands: each pinned name, and in a sentence what is demanded of it.
    """

    toml: str
    findings: tuple[Finding, ...]
    config: PinConfig
    demands: tuple[tuple[str, str], ...] = ()


def import_file(
    mechanism: str, file: str, today: date, names: Sequence[str] = (), inventory: Inventory | None = None
) -> Imported:
    """Read a shipped pin file by its client's own rules.

    Args:
        mechanism: whose rules.
        file: the shipped file.
        today: the day its findings are judged on.
        names: PEM bundles and CSV lists to take names of keys from.
        inventory: a policy whose keys and authorities keep their names and are not written again.

    Raises:
        InputError: there is no such mechanism or file, or the client refuses the file, or a file names no key.
    """
    near = beside(file)
    known = known_keys(names, inventory)
    given = Names(whose=known, bundled=bundle_names(mozilla_bundle()[1]))
    if inventory is not None:
        given.take(inventory)
    context = replace(reading(file, today), sibling=near.get, is_authority=given.of_ca)
    parsed = known_mechanism(mechanism).parse(read_bytes(file), context)
    sections = pinset_sections(parsed.config, given)
    text = render(
        [("schema", 1)],
        [given.keys_section(), given.authorities_section(), *sections],
        comment=f"from {file} ({mechanism})",
    )
    findings = [*parsed.findings, *about_pins(parsed.config, file, known)]
    return Imported(
        toml=text,
        findings=worst_first(findings),
        config=parsed.config,
        demands=tuple(_demands(known_mechanism(mechanism), parsed.config)),
    )


def _demands(mechanism: Mechanism, config: PinConfig) -> Iterator[tuple[str, str]]:
    """Say what is demanded of each pinned name; of every host where the file names none."""
    for entry in config.pinned:
        if not entry.covers:
            yield "every host", mechanism.rule(config, "any-host.invalid").sentence
        for cover in entry.covers:
            name = cover.name if cover.matches(cover.name) else f"any-name-below.{cover.name}"
            yield cover.text, mechanism.rule(config, name).sentence


@dataclass
class Names:
    """Names given to pins, the same pin always the same name.

    Attributes:
        known: names of pins that are known already.
        roots: those of them that are authorities.
        whose: keys that somebody has named.
        bundled: the names of public roots, by the SHA-256 of their keys.
    """

    known: dict[Pin, str] = field(default_factory=dict)
    roots: set[Pin] = field(default_factory=set)
    whose: KnownKeys = field(default_factory=KnownKeys)
    bundled: dict[bytes, str] = field(default_factory=dict)
    keys: dict[str, Pin] = field(default_factory=dict)
    authorities: dict[str, Pin] = field(default_factory=dict)

    def take(self, inventory: Inventory) -> None:
        """Know the keys and the authorities of a policy."""
        for name, certificates in inventory.authorities.items():
            for certificate in certificates:
                pins = [spki_pin(d) for d in (certificate.spki, certificate.spki_sha1) if d]
                self.roots.update(pins)
                self.known.update(dict.fromkeys(pins, name))
        for name, facts in inventory.keys.items():
            pins = [facts.pin, *([spki_pin(facts.spki_sha1)] if facts.spki_sha1 else [])]
            self.known.update(dict.fromkeys(pins, name))
            self.roots.difference_update(pins)

    def of_ca(self, pin: Pin) -> bool:
        """Say whether a pin is known to be a CA's."""
        if pin in self.known:
            return pin in self.roots
        found = self.whose.find(pin)
        return found is not None and found.ca

    def key(self, pin: Pin) -> str:
        """Give the name of a pinned key."""
        return self._name(pin, self.keys)

    def authority(self, pin: Pin) -> str:
        """Give the name of a pinned authority."""
        return self._name(pin, self.authorities)

    def _name(self, pin: Pin, table: dict[str, Pin]) -> str:
        if pin in self.known:
            return self.known[pin]
        mine = next((name for name, own in table.items() if own == pin), None)
        if mine is not None:
            return mine
        found = self.whose.find(pin)
        label = self.bundled.get(found.spki, found.name) if found is not None else ""
        name = slug(label).lower() if label else f"pin-{pin.digest.hex()[:10]}"
        name = unused(name, {*self.keys, *self.authorities, *self.known.values()})
        table[name] = pin
        return name

    def label(self, pin: Pin) -> str:
        """Say what people call a pin's key; "" when nobody does."""
        found = self.whose.find(pin)
        return found.name if found is not None else ""

    def keys_section(self) -> Section:
        """Give the keys named so far."""
        return self._section("keys", self.keys)

    def authorities_section(self) -> Section:
        """Give the authorities named so far; public roots by their name, since their certificates are at hand."""
        return self._section("authorities", self.authorities)

    def _section(self, header: str, table: dict[str, Pin]) -> Section:
        section = Section(header)
        for name, pin in table.items():
            root = self.bundled.get(pin.digest) if header == "authorities" else None
            if root is not None:
                section.add(name, {"bundled": root})
                continue
            slip = self.whose.slip(pin)
            nearly = f"nearly {slip.name}: {slip.how}" if slip is not None else ""
            section.add(name, {"spki": spki_text(pin)}, self.label(pin) or nearly)
        return section


def spki_text(pin: Pin) -> str:
    """Write a pin as the policy's `spki`."""
    return f"{'sha1' if pin.kind is PinKind.SPKI_SHA1 else 'sha256'}/{b64(pin.digest)}"


def pinset_sections(config: PinConfig, names: Names, prefix: str = "") -> list[Section]:
    """Write each pinned entry of a configuration as a pinset, and say what a pinset cannot hold."""
    sections: list[Section] = []
    taken: set[str] = set()
    for own in _records_together(config.entries):
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
        if never_matches(entry, names):
            found = _sorted(entry, names)
            why = "only pins that a pinset cannot hold" if found.unsayable else "every connection is refused"
            told = (note, f"left out, {why}: {entry.title}", *_told(entry, found, names))
            sections.append(Section("", comment="\n".join(part for part in told if part)))
            continue
        name = unused(prefix + slug(entry.covers[0].name if entry.covers else "every-host"), taken)
        section = _pinset(table_name("pinsets", name), entry, names)
        section.comment = "\n".join(part for part in (section.comment, note) if part)
        sections.append(section)
    return sections


def _records_together(entries: tuple[Entry, ...]) -> Iterator[Entry]:
    """Give the TLSA records of one name as one entry: any of them is enough, as with the pins of a list."""
    found: dict[object, Entry] = {}
    for place, entry in enumerate(entries):
        key: object = place if entry.usage is None else (entry.covers, entry.usage >= Usage.DANE_TA)
        before = found.get(key)
        found[key] = entry if before is None else replace(before, lists=(*before.lists, *entry.lists))
    yield from found.values()


def _usages(entry: Entry) -> str:
    """Give the usages of records that were put together: a leaf's and an authority's."""
    trusted = 0 if entry.usage in (Usage.PKIX_TA, Usage.PKIX_EE) else 2
    scopes = {pins.scope for pins in entry.lists}
    return " and ".join(str(trusted + number) for number, scope in enumerate((Scope.CA, Scope.LEAF)) if scope in scopes)


@dataclass
class _Sorted:
    """The pins of an entry, by what a pinset can make of them."""

    keys: list[str] = field(default_factory=list)
    authorities: list[str] = field(default_factory=list)
    misplaced: list[str] = field(default_factory=list)
    unsayable: list[str] = field(default_factory=list)

    @property
    def matching(self) -> bool:
        """Say whether any pin can match that a pinset can hold."""
        return bool(self.keys or self.authorities)


def _sorted(entry: Entry, names: Names) -> _Sorted:
    found = _Sorted()
    for pins in entry.lists:
        for pin in pins.pins:
            called = names.known.get(pin) or names.label(pin)
            if pin.kind not in (PinKind.SPKI_SHA256, PinKind.SPKI_SHA1):
                found.unsayable.append(f"{pin.text} ({called})" if called else pin.text)
            elif names.of_ca(pin) and pins.scope is Scope.LEAF:
                found.misplaced.append(called)
            elif pins.scope is Scope.CA or names.of_ca(pin):
                found.authorities.append(names.authority(pin))
            else:
                found.keys.append(names.key(pin))
    return found


def never_matches(entry: Entry, names: Names) -> bool:
    """Say whether nothing of it can match that a pinset can hold: without pins it would say the opposite, unpinned."""
    halves = [_sorted(replace(entry, lists=(pins,)), names) for pins in entry.lists]
    if {pins.scope for pins in entry.lists} == {Scope.LEAF, Scope.CA} and entry.usage is None:
        return any(not half.matching for half in halves)
    return not any(half.matching for half in halves)


def _pinset(header: str, entry: Entry, names: Names) -> Section:
    section = Section(header)
    found = _sorted(entry, names)
    keys, authorities = list(dict.fromkeys(found.keys)), list(dict.fromkeys(found.authorities))
    if keys:
        section.add("primary", keys[0])
        section.add("backups", keys[1:] or None)
    section.add("authorities", authorities or None)
    if {pins.scope for pins in entry.lists} == {Scope.LEAF, Scope.CA} and entry.usage is None:
        section.add("combine", "leaf-and-ca")
    section.add("covers", [_cover(cover) for cover in entry.covers] or None)
    section.add("expires", entry.expires)
    if entry.lifetime_seconds is not None and entry.usage is None:
        days = entry.lifetime_seconds / 86_400
        section.add("max_age_days", int(days) if days.is_integer() else days)
    if entry.mode is Mode.REPORT_ONLY:
        section.add("mode", "report-only")
    section.comment = "\n".join(_told(entry, found, names))
    if not section.lines:
        section.add("covers", [_cover(cover) for cover in entry.covers])
    return section


def _told(entry: Entry, found: _Sorted, names: Names) -> Iterator[str]:
    """Say what of an entry its pinset does not hold."""
    if entry.system_roots is LocalRoots.BYPASS:
        yield "the file switches these pins off for every root of the system (overridePins)"
    if entry.usage is not None:
        yield f"from TLSA records of usage {_usages(entry)}"
    dead = dict.fromkeys(text for pins in entry.lists for text in pins.dead)
    if dead:
        yield f"left out, can never match: {', '.join(dead)}"
    if found.misplaced:
        yield f"left out, a CA's key is never the leaf's: {', '.join(dict.fromkeys(found.misplaced))}"
    if found.unsayable:
        yield (
            "left out, a pinset pins keys by SHA-256 or SHA-1, and certificates by their chain: "
            f"{', '.join(dict.fromkeys(found.unsayable))}"
        )
    if entry.forbidden:
        forbidden = (names.known.get(pin) or names.label(pin) or pin.text for pin in entry.forbidden)
        yield f"left out, refused whatever else matches: {', '.join(forbidden)}"


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
