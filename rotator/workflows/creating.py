"""A first policy out of what people have: chains, keys, requests, shipped pin files, counts."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rotator.errors import InputError, Problem, UsageError
from rotator.files.place import NAME
from rotator.files.policy_write import Section, render, table_name
from rotator.files.roots import bundle_names, mozilla_bundle
from rotator.files.store import all_or_nothing, write
from rotator.mechanisms.base import Entry, PinConfig
from rotator.mechanisms.registry import MODULES
from rotator.mechanisms.registry import mechanism as known_mechanism
from rotator.model.names import canonical, certificate_covers, is_host_name
from rotator.model.pins import Pin, junk_reason, spki_pin
from rotator.model.pki import Certificate
from rotator.model.rules import Scope
from rotator.model.versions import order
from rotator.workflows.importing import Names, pinset_sections, slug, spki_text, unused
from rotator.workflows.opening import open_policy, reading

if TYPE_CHECKING:
    from rotator.simulate.inventory import KeyFacts
from rotator.workflows.inputs import DEFAULT_APPS, Given, Served, Shipped, pin_file_of

ASSUMED_ISSUER = "assumed-ca"
ASSUMED_ROOT = "ISRG Root X1"
_DATE = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A first policy, and what to say about it.

    Attributes:
        path: its file.
        text: what it holds.
        notes: what was assumed and left out.
        side_files: what was pasted or comes out of git, and where it is kept beside the policy.
    """

    path: Path
    text: str
    notes: tuple[str, ...]
    side_files: tuple[tuple[Path, bytes], ...] = ()


def create(policy: str, inputs: list[Given], today: date, apps: dict[str, str] | None = None) -> Created:
    """Write a first policy; see `draft`."""
    created = draft(policy, inputs, today, apps)
    write_draft(created, today)
    return created


def draft(policy: str, inputs: list[Given], today: date, apps: dict[str, str] | None = None) -> Created:
    """Work a first policy out; nothing is written.

    Args:
        policy: the file to write; it must not exist.
        inputs: what the user has, told apart by content.
        today: the day of the counts.
        apps: apps without a shipped file, each with its mechanism.

    Raises:
        UsageError: the file exists, or there is nothing to begin with.
        InputError: an input cannot be used.
    """
    target = Path(policy)
    if target.exists():
        raise UsageError(
            Problem(
                "is there already", file=policy, hint="choose another name; an existing policy is never overwritten"
            )
        )
    if not inputs:
        raise UsageError(
            Problem(
                "nothing to begin with",
                expected="any of: a PEM chain, `openssl s_client -showcerts` output (- reads it), a key or a request, "
                "shipped pin files, a CSV of counts",
                hint=f"rotator new {policy} fullchain.pem next.csr android:7.2.0=network_security_config.xml",
            )
        )
    work = _Creation(target, today, apps or {})
    for given in inputs:
        work.take(given)
    text = work.write_up()
    return Created(path=target, text=text, notes=tuple(work.notes), side_files=tuple(work.side_files))


def write_draft(created: Created, today: date) -> None:
    """Write a first policy exactly as it was shown, all of it or nothing.

    Raises:
        InputError: it cannot be used or written, or the file came to be meanwhile.
    """
    with all_or_nothing(created.side_files):
        open_policy(str(created.path), today, created.text)
        write(created.path, created.text.encode(), expected=None)


class _Creation:
    """The policy in the making."""

    def __init__(self, target: Path, today: date, apps: dict[str, str]) -> None:
        self.target = target
        self.base = target.resolve().parent
        self.today = today
        self.apps = apps
        self.served: list[Served] = []
        self.keys: list[tuple[str, str, Given, KeyFacts]] = []
        self.shipped: list[Shipped] = []
        self.counts: list[dict[str, str]] = []
        self.notes: list[str] = []
        self.side_files: list[tuple[Path, bytes]] = []
        self.taken: set[str] = set()
        self.roots: dict[Pin, Certificate] = {}
        self.intermediates: dict[Pin, Certificate] = {}
        self.assumed_issuer = ASSUMED_ISSUER

    # --- taking inputs -----------------------------------------------------------------------------------------

    def take(self, given: Given) -> None:
        """Tell an input by its content and take it in."""
        from rotator.files import pem

        pem.refuse_private_key(given.data, given.origin or given.file)
        head = given.data.lstrip()[:4096]
        if given.mechanism:
            self._pin_file(given, given.mechanism)
        elif b"-----BEGIN CERTIFICATE-----" in given.data:
            self._chain(given)
        elif b"CERTIFICATE REQUEST-----" in head:
            self._key(given, "csr")
        elif b"-----BEGIN PUBLIC KEY-----" in head or b"-----BEGIN RSA PUBLIC KEY-----" in head:
            self._key(given, "public_key")
        elif given.data[:1] == b"\x30":
            self._der(given)
        elif found := pin_file_of(given.data):
            self._pin_file(given, found)
        elif self._is_counts(given):
            self._read_counts(given)
        else:
            raise InputError(
                Problem(
                    "is nothing that a policy is made of",
                    file=given.file,
                    expected="a PEM chain, a key, a request, a shipped pin file or a CSV with app, version, clients",
                )
            )

    def _der(self, given: Given) -> None:
        for source in ("csr", "public_key"):
            try:
                self._key(given, source)
            except InputError:
                continue
            return
        self._chain(given)

    def _chain(self, given: Given) -> None:
        from rotator.files import pem

        loaded = pem.load_certificates(given.data, given.file)
        linked = pem.link(loaded)
        found = tuple(linked[item.value] for item in loaded)
        if found[0].ca and len(found) == 1:
            raise InputError(
                Problem(
                    "is a CA's certificate, not a server's chain",
                    file=given.file,
                    hint="add it to [authorities] of the policy once it is written",
                )
            )
        path = self._path(given, "chain.pem", given.data if given.file == "-" else None)
        self.served.append(Served(path, found))

    def _key(self, given: Given, source: str) -> None:
        from rotator.files import pem

        facts = pem.load_key(given.data, given.file, source)
        name = unused(slug(Path(given.file).stem if given.file != "-" else "next"), self.taken)
        self.keys.append((name, source, given, facts))

    def _pin_file(self, given: Given, mechanism: str) -> None:
        context = reading(given.origin or given.file, self.today)
        parsed = known_mechanism(mechanism).parse(given.data, context)
        dated = _DATE.search(Path(given.file).name)
        released = given.released
        if dated is not None and released is None:
            try:
                released = date.fromisoformat(dated[1])
            except ValueError:
                released = None
        version = given.version or (released.isoformat() if released else "1")
        self.shipped.append(Shipped(given, mechanism, parsed.config, version, released))

    def _is_counts(self, given: Given) -> bool:
        head = given.data.decode("utf-8-sig", "replace").splitlines()[:1]
        columns = {cell.strip().lower() for cell in head[0].split(",")} if head else set()
        return "clients" in columns and "version" in columns

    def _read_counts(self, given: Given) -> None:
        reader = csv.DictReader(io.StringIO(given.data.decode("utf-8-sig", "replace"), newline=""))
        for number, row in enumerate(reader, 2):
            cells = {(k or "").strip().lower(): (v or "").strip() for k, v in row.items() if isinstance(v, str | None)}
            text = cells.get("clients", "").replace("_", "").replace(",", "")
            if not text.isascii() or not text.isdigit():
                raise InputError(
                    Problem(
                        "not a whole number",
                        file=given.file,
                        path=f"row {number}, column clients",
                        value=cells.get("clients", ""),
                        expected="digits only",
                    )
                )
            self.counts.append({**cells, "clients": text, "file": given.file, "row": str(number)})

    def _path(self, given: Given, fallback: str, data: bytes | None) -> str:
        """Give a path as the policy writes it; what was pasted is kept in a file of its own."""
        if given.new_file:
            self.side_files.append((Path(given.file), given.data))
        if data is None:
            return Path(os.path.relpath(os.path.realpath(given.file), self.base)).as_posix()
        number, path = 1, self.base / f"{self.target.stem}-{fallback}"
        while path.exists() or any(path == other for other, _ in self.side_files):
            number += 1
            path = self.base / f"{self.target.stem}-{number}-{fallback}"
        self.side_files.append((path, data))
        return path.name

    # --- writing up --------------------------------------------------------------------------------------------

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
        sections = [self._keys(names), authorities, chains, *hosts, *pinsets, *self._apps(releases, pinsets)]
        return render([("schema", 1), ("measured", self.today)], sections, comment="Rotator policy: see rotator --help")

    def _hosts_of_chains(self) -> None:
        """Choose the host names of each chain: pinned names that its leaf covers, else its first plain name."""
        pinned = self._pinned_names()
        for served in self.served:
            leaf = served.certificates[0]
            covered = [n for n in pinned if certificate_covers(n, dns_names=leaf.dns_names, ip_names=leaf.ip_names)]
            plain = [canonical(n) for n in leaf.dns_names if not n.startswith("*.")]
            wild = [canonical(n[2:]) for n in leaf.dns_names if n.startswith("*.")]
            served.hosts = covered or (plain or wild or [slug(leaf.label)])[:1]

    def _pinned_names(self) -> list[str]:
        """Give the pinned names that a host can have; what else a file names is told."""
        names = list(dict.fromkeys(c.name for s in self.shipped for e in s.config.pinned for c in e.covers))
        good = [name for name in names if is_host_name(name) and NAME.fullmatch(name)]
        self.notes += [
            note for n in names if n not in good and (note := f"left out, no host has the name {n}") not in self.notes
        ]
        return good

    def _known_pins(self) -> Names:
        """Name the keys and the authorities that are known without any pin file."""
        names = Names()
        for index, served in enumerate(self.served):
            leaf = served.certificates[0]
            if spki_pin(leaf.spki) not in names.known:
                name = "now" if index == 0 else slug(f"now-{served.hosts[0]}")
                names.known[spki_pin(leaf.spki)] = unused(name, self.taken)
        for name, _, _, facts in self.keys:
            names.known.setdefault(facts.pin, name)
        bundle, by_name = mozilla_bundle()
        self.bundled = bundle_names(by_name)
        pins = {p for s in self.shipped for e in s.config.entries for p in e.pins}
        intermediates = [c for served in self.served for c in served.certificates[1:]]
        for certificate in (*intermediates, *bundle):
            pin = spki_pin(certificate.spki)
            if pin in pins and pin not in names.known:
                names.known[pin] = unused(slug(certificate.label).lower(), self.taken)
                names.roots.add(pin)
        self.roots = {spki_pin(c.spki): c for c in bundle}
        self.intermediates = {spki_pin(c.spki): c for c in intermediates}
        assumed = next((pin for pin, root in self.roots.items() if root.label == ASSUMED_ROOT), None)
        self.assumed_issuer = names.known.get(assumed, ASSUMED_ISSUER) if assumed else ASSUMED_ISSUER
        return names

    def _bundled(self, names: Names, section: Section, *, assumed: bool) -> None:
        for pin, name in names.known.items():
            if pin in self.roots:
                section.add(name, {"bundled": self.bundled[pin.digest]})
            elif pin in self.intermediates and not self._is_key(pin):
                section.add(name, {"spki": spki_text(pin)}, self.intermediates[pin].subject)
        if assumed and self.assumed_issuer == ASSUMED_ISSUER:
            section.add(ASSUMED_ISSUER, {"bundled": ASSUMED_ROOT}, "assumed: who issues was not told")

    def _is_key(self, pin: Pin) -> bool:
        return any(spki_pin(s.certificates[0].spki) == pin for s in self.served) or any(
            facts.pin == pin for _, _, _, facts in self.keys
        )

    def _keys(self, names: Names) -> Section:
        section = Section("keys", comment="our key pairs; write custody and proved once you know them")
        for served in self.served:
            name = names.known[spki_pin(served.certificates[0].spki)]
            if name not in [line[0] for line in section.lines]:
                section.add(name, {"certificate": served.path})
        for name, source, given, facts in self.keys:
            if names.known.get(facts.pin) == name:
                section.add(name, {source: self._path(given, f"{name}.pem", given.data if given.file == "-" else None)})
        section.lines += names.keys_section().lines
        return section

    def _hosts(self, names: Names) -> tuple[list[Section], Section]:
        hosts: dict[str, list[str]] = {}
        for served in self.served:
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
            name = unused(slug(f"assumed-{host}"), self.taken)
            plan: dict[str, Any] = {"leaf": names.key(leaf)} if leaf is not None else {}
            chains.add(name, {**plan, "issuers": [issuer], "not_before": self.today, "lifetime_days": 90})
            section = Section(table_name("hosts", host))
            section.add("serves", name)
            sections.append(section)
            self.notes.append(f"what {host} serves is assumed; put its chain into the policy")
        return sections, chains

    def _pins_for(self, host: str) -> list[Pin]:
        """Give the pins of a name in the newest file that has it."""
        for shipped in reversed(self._in_order()):
            for entry in shipped.config.pinned:
                if any(cover.name == host for cover in entry.covers):
                    return list(entry.pins)
        return []

    def _in_order(self) -> list[Shipped]:
        return sorted(self.shipped, key=lambda s: (s.released or date.min, order(s.version), s.version))

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
        keys = [names.known[spki_pin(s.certificates[0].spki)] for s in self.served]
        backups = [name for name, _, _, _ in self.keys]
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
            extra = [facts.pin for _, _, _, facts in self.keys if facts.pin not in entry.pins]
            own = sorted(pins.pins, key=self._rank)
            lists.append(replace(pins, pins=(*own, *(extra if pins.scope is not Scope.CA else []))))
        return replace(entry, lists=tuple(lists))

    def _rank(self, pin: Pin) -> int:
        """Put a key that is served first and one that was given without a chain, which is a backup, last."""
        if any(spki_pin(s.certificates[0].spki) == pin for s in self.served):
            return 0
        return 2 if any(facts.pin == pin for _, _, _, facts in self.keys) else 1

    def _releases(self) -> dict[str, list[Shipped]]:
        apps: dict[str, list[Shipped]] = {}
        for shipped in self._in_order():
            app = shipped.given.app or DEFAULT_APPS.get(shipped.mechanism, slug(shipped.mechanism))
            taken = {other.version for other in apps.get(app, [])}
            shipped.version = unused(shipped.version, taken)
            apps.setdefault(app, []).append(shipped)
        for row in self.counts:
            matches = [
                s
                for app, releases in apps.items()
                for s in releases
                if s.version == row["version"] and row.get("app", app) in ("", app)
            ]
            if not matches:
                self.notes.append(f"{row['file']} row {row['row']}: no release {row.get('app', '')} {row['version']}")
            for shipped in matches:
                shipped.clients = (shipped.clients or 0) + int(row["clients"])
        return apps

    def _apps(self, apps: dict[str, list[Shipped]], pinsets: list[Section]) -> Iterator[Section]:
        for name, releases in apps.items():
            section = Section(table_name("apps", name))
            mechanisms = list(dict.fromkeys(s.mechanism for s in releases))
            section.add("mechanism", mechanisms[0])
            rows = []
            for shipped in reversed(releases):
                path = self._path(shipped.given, f"{shipped.mechanism}.txt", None)
                row: dict[str, Any] = {"version": shipped.version, "released": shipped.released}
                if shipped.mechanism != mechanisms[0]:
                    row["mechanism"] = shipped.mechanism
                rows.append({**row, "config": path, "clients": shipped.clients})
            section.add("hosts", self._hosts_used(releases) or None)
            section.add("releases", rows)
            yield section
        for name, mechanism in self.apps.items():
            if mechanism not in MODULES:
                raise UsageError(Problem("no such mechanism is played", value=mechanism, expected=", ".join(MODULES)))
            section = Section(table_name("apps", name))
            section.add("mechanism", mechanism)
            if pinsets:
                section.add("pinset", pinsets[0].header.partition(".")[2])
            yield section
        if not apps and not self.apps:
            self.notes.append("no app yet: add [apps.NAME] with its mechanism and pinset, or give --app NAME=MECHANISM")

    def _hosts_used(self, releases: list[Shipped]) -> list[str]:
        names = {c.name for s in releases for e in s.config.pinned for c in e.covers}
        served = [host for chain in self.served for host in chain.hosts]
        used = [host for host in [*served, *self._pinned_names()] if host in names]
        return list(dict.fromkeys(used)) if names else list(dict.fromkeys(served))
