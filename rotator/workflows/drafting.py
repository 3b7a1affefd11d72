"""The sections of a first policy, written out of what was given: keys, hosts and chains, pinsets, apps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from rotator.errors import Problem, UsageError
from rotator.files.facts import known_facts
from rotator.files.place import NAME
from rotator.files.policy_write import Section, render, table_name
from rotator.files.roots import bundle_names, mozilla_bundle
from rotator.mechanisms.base import Entry, PinConfig
from rotator.mechanisms.registry import MODULES
from rotator.model.calendar import FactKind
from rotator.model.names import canonical, certificate_covers, is_host_name
from rotator.model.pins import Pin, junk_reason, spki_pin
from rotator.model.pki import Certificate
from rotator.model.rules import Scope
from rotator.model.versions import order
from rotator.workflows.gathering import Gathered
from rotator.workflows.importing import Names, pinset_sections, slug, spki_text, unused
from rotator.workflows.inputs import DEFAULT_APPS, Shipped

YEAR = 365
ASSUMED_ISSUER = "assumed-ca"
ASSUMED_ROOT = "ISRG Root X1"
OWN_TRUST = "own"
"""The trust store of apps whose CA was given."""


class Draft:
    """A policy in the making.

    Attributes:
        given: what it is made of.
        apps: apps without a shipped file, each with its mechanism.
        notes: what is to be said about it, as far as it is written.
    """

    def __init__(self, given: Gathered, apps: Mapping[str, str]) -> None:
        """Begin with nothing written."""
        self.given = given
        self.apps = apps
        self.notes: list[str] = []
        self.roots: dict[Pin, Certificate] = {}
        self.intermediates: dict[Pin, Certificate] = {}
        self.own: dict[Pin, str] = {}
        self.assumed_issuer = ASSUMED_ISSUER

    def write_up(self) -> str:
        """Write the policy."""
        self._hosts_of_chains()
        names = self._known_pins()
        releases = self._releases()
        hosts, chains = self._hosts(names)
        pinsets = self._pinsets(names)
        authorities = names.authorities_section()
        self._bundled(names, authorities, assumed=bool(chains.lines))
        for shipped in self._in_order():
            for pin in (p for entry in shipped.config.entries for p in entry.pins):
                if junk_reason(pin.digest) is None:
                    names.key(pin)
        sections = [self._keys(names), authorities, chains, *hosts, self._trust(names), *pinsets]
        sections += self._apps(releases, pinsets)
        return render(
            [("schema", 1), ("measured", self.given.today)], sections, comment="Rotator policy: see rotator --help"
        )

    def _hosts_of_chains(self) -> None:
        """Choose the host names of each chain: pinned names that its leaf covers, else its first plain name."""
        pinned = self._pinned_names()
        for served in self.given.served:
            leaf = served.certificates[0]
            covered = [n for n in pinned if certificate_covers(n, dns_names=leaf.dns_names, ip_names=leaf.ip_names)]
            plain = [canonical(n) for n in leaf.dns_names if not n.startswith("*.")]
            wild = [canonical(n[2:]) for n in leaf.dns_names if n.startswith("*.")]
            served.hosts = covered or (plain or wild or [slug(leaf.label)])[:1]

    def _pinned_names(self) -> list[str]:
        """Give the pinned names that a host can have; what else a file names is told."""
        names = list(dict.fromkeys(c.name for s in self.given.shipped for e in s.config.pinned for c in e.covers))
        good = [name for name in names if is_host_name(name) and NAME.fullmatch(name)]
        self.notes += [
            note for n in names if n not in good and (note := f"left out, no host has the name {n}") not in self.notes
        ]
        return good

    def _known_pins(self) -> Names:
        """Name the keys and the authorities that are known without any pin file."""
        names = Names()
        for index, served in enumerate(self.given.served):
            leaf = served.certificates[0]
            if spki_pin(leaf.spki) not in names.known:
                name = "now" if index == 0 else slug(f"now-{served.hosts[0]}")
                names.known[spki_pin(leaf.spki)] = unused(name, self.given.taken)
        for name, _, _, facts in self.given.keys:
            names.known.setdefault(facts.pin, name)
        for path, certificate in self.given.authorities:
            pin = spki_pin(certificate.spki)
            self.own[pin] = path
            names.known.setdefault(pin, unused(slug(certificate.label).lower(), self.given.taken))
            names.roots.add(pin)
        bundle, by_name = mozilla_bundle()
        self.bundled = bundle_names(by_name)
        pins = {p for s in self.given.shipped for e in s.config.entries for p in e.pins}
        intermediates = [c for served in self.given.served for c in served.certificates[1:]]
        for certificate in (*intermediates, *bundle):
            pin = spki_pin(certificate.spki)
            if pin in pins and pin not in names.known:
                names.known[pin] = unused(slug(certificate.label).lower(), self.given.taken)
                names.roots.add(pin)
        self.roots = {spki_pin(c.spki): c for c in bundle}
        self.intermediates = {spki_pin(c.spki): c for c in (*intermediates, *(c for _, c in self.given.authorities))}
        assumed = next((pin for pin, root in self.roots.items() if root.label == ASSUMED_ROOT), None)
        self.assumed_issuer = names.known.get(assumed, ASSUMED_ISSUER) if assumed else ASSUMED_ISSUER
        self.assumed_issuer = next((names.known[pin] for pin in self.own), self.assumed_issuer)
        return names

    def _bundled(self, names: Names, section: Section, *, assumed: bool) -> None:
        for pin, name in names.known.items():
            if pin in self.own:
                section.add(name, {"certificate": self.own[pin]})
            elif pin in self.roots:
                section.add(name, {"bundled": self.bundled[pin.digest]})
            elif pin in self.intermediates and not self._is_key(pin):
                section.add(name, {"spki": spki_text(pin)}, self.intermediates[pin].subject)
        if assumed and self.assumed_issuer == ASSUMED_ISSUER:
            section.add(ASSUMED_ISSUER, {"bundled": ASSUMED_ROOT}, "assumed: who issues was not told")

    def _trust(self, names: Names) -> Section:
        """Write what clients trust, where a CA was given that they would not trust otherwise."""
        section = Section("trust", comment="assumed: apps trust these roots and no others")
        if self.own:
            section.add(OWN_TRUST, {"roots": [names.known[pin] for pin in self.own]})
            self.notes.append(f"apps are assumed to trust {', '.join(self.own.values())} and no other CA")
        return section

    def _is_key(self, pin: Pin) -> bool:
        return any(spki_pin(s.certificates[0].spki) == pin for s in self.given.served) or any(
            facts.pin == pin for _, _, _, facts in self.given.keys
        )

    def _keys(self, names: Names) -> Section:
        section = Section("keys", comment="our key pairs; write custody and proved once you know them")
        for served in self.given.served:
            name = names.known[spki_pin(served.certificates[0].spki)]
            if name not in [line[0] for line in section.lines]:
                section.add(name, {"certificate": served.path})
        for name, source, given, facts in self.given.keys:
            if names.known.get(facts.pin) == name:
                section.add(
                    name, {source: self.given.path(given, f"{name}.pem", given.data if given.file == "-" else None)}
                )
        section.lines += names.keys_section().lines
        return section

    def _hosts(self, names: Names) -> tuple[list[Section], Section]:
        hosts: dict[str, list[str]] = {}
        for served in self.given.served:
            for host in served.hosts:
                hosts.setdefault(host, []).append(served.path)
        sections = []
        chains = Section("chains", comment="assumed: nobody told what these hosts serve; put their PEM chains here")
        for host, paths in hosts.items():
            section = Section(table_name("hosts", host))
            section.add("serves", paths[0] if len(paths) == 1 else paths)
            sections.append(section)
        for host in self._pinned_names():
            if host in hosts:
                continue
            pins = self._pins_for(host)
            ours = [pin for pin in pins if pin not in self.roots and pin not in self.intermediates]
            leaf = min(ours, key=self._rank, default=None)
            issuer = next((names.known[p] for p in pins if p in self.roots), self.assumed_issuer)
            name = unused(slug(f"assumed-{host}"), self.given.taken)
            plan: dict[str, Any] = {"leaf": names.key(leaf)} if leaf is not None else {}
            chains.add(
                name, {**plan, "issuers": [issuer], "not_before": self.given.today, "lifetime_days": self._longest()}
            )
            section = Section(table_name("hosts", host))
            section.add("serves", name)
            sections.append(section)
            self.notes.append(f"what {host} serves is assumed; put its chain into the policy")
        return sections, chains

    def _longest(self) -> int:
        """Give the days a public certificate may last by today's rule: no end that nobody knows is made too near."""
        today = self.given.today
        rules = [f for f in known_facts() if f.kind is FactKind.VALIDITY and not f.operators and f.day is not None]
        begun = sorted((f.day, f.max_days) for f in rules if f.day and f.day <= today and f.max_days)
        return begun[-1][1] if begun else YEAR

    def _pins_for(self, host: str) -> list[Pin]:
        """Give the pins of a name in the newest file that has it."""
        for shipped in reversed(self._in_order()):
            for entry in shipped.config.pinned:
                if any(cover.name == host for cover in entry.covers):
                    return list(entry.pins)
        return []

    def _in_order(self) -> list[Shipped]:
        return sorted(self.given.shipped, key=lambda s: (s.released or date.min, order(s.version), s.version))

    def _pinsets(self, names: Names) -> list[Section]:
        """Write the pinset to rotate: that of the newest file that has one entry, or of the keys given."""
        newest: dict[str, Shipped] = {}
        for shipped in self._in_order():
            newest[shipped.mechanism] = shipped
        for shipped in newest.values():
            if len(shipped.config.pinned) == 1 and not shipped.config.pinned[0].lists[0].dead:
                entry = self._with_given_keys(shipped.config.pinned[0])
                found = pinset_sections(PinConfig(entries=(entry,)), names, prefix="next-")
                if found[0].lines:
                    return found
        keys = [names.known[spki_pin(s.certificates[0].spki)] for s in self.given.served]
        backups = [name for name, _, _, _ in self.given.keys]
        if not keys and not backups:
            return []
        section = Section("pinsets.first")
        section.add("primary", keys[0] if len(set(keys)) == 1 else list(dict.fromkeys(keys)) or None)
        section.add("backups", backups or None)
        return [section] if section.lines else []

    def _with_given_keys(self, entry: Entry) -> Entry:
        """Put the served key first and the keys that were given without a chain last: the next release's pinset."""
        lists = []
        for pins in entry.lists:
            extra = [facts.pin for _, _, _, facts in self.given.keys if facts.pin not in entry.pins]
            own = sorted(pins.pins, key=self._rank)
            lists.append(replace(pins, pins=(*own, *(extra if pins.scope is not Scope.CA else []))))
        return replace(entry, lists=tuple(lists))

    def _rank(self, pin: Pin) -> int:
        """Put a key that is served first and one that was given without a chain, which is a backup, last."""
        if any(spki_pin(s.certificates[0].spki) == pin for s in self.given.served):
            return 0
        return 2 if any(facts.pin == pin for _, _, _, facts in self.given.keys) else 1

    def _releases(self) -> dict[str, list[Shipped]]:
        apps: dict[str, list[Shipped]] = {}
        for shipped in self._in_order():
            app = shipped.given.app or DEFAULT_APPS.get(shipped.mechanism, slug(shipped.mechanism))
            taken = {other.version for other in apps.get(app, [])}
            shipped.version = unused(shipped.version, taken)
            apps.setdefault(app, []).append(shipped)
        return apps

    def _apps(self, apps: dict[str, list[Shipped]], pinsets: list[Section]) -> Iterator[Section]:
        for name, releases in apps.items():
            section = Section(table_name("apps", name))
            mechanisms = list(dict.fromkeys(s.mechanism for s in releases))
            section.add("mechanism", mechanisms[0])
            section.add("trust", OWN_TRUST if self.own else None)
            rows = []
            for shipped in reversed(releases):
                path = self.given.path(shipped.given, f"{shipped.mechanism}.txt", None)
                row: dict[str, Any] = {"version": shipped.version, "released": shipped.released}
                if shipped.mechanism != mechanisms[0]:
                    row["mechanism"] = shipped.mechanism
                rows.append({**row, "config": path})
            section.add("hosts", self._hosts_used(releases) or None)
            section.add("releases", rows)
            yield section
        for name, mechanism in self.apps.items():
            if mechanism not in MODULES:
                raise UsageError(Problem("no such mechanism is played", value=mechanism, expected=", ".join(MODULES)))
            section = Section(table_name("apps", name))
            section.add("mechanism", mechanism)
            section.add("trust", OWN_TRUST if self.own else None)
            if pinsets:
                section.add("pinset", pinsets[0].header.partition(".")[2].strip('"'))
            yield section
        if not apps and not self.apps:
            self.notes.append("no app yet: add [apps.NAME] with its mechanism and pinset, or give --app NAME=MECHANISM")

    def _hosts_used(self, releases: list[Shipped]) -> list[str]:
        names = {c.name for s in releases for e in s.config.pinned for c in e.covers}
        served = [host for chain in self.given.served for host in chain.hosts]
        used = [host for host in [*served, *self._pinned_names()] if host in names]
        return list(dict.fromkeys(used)) if names else list(dict.fromkeys(served))
