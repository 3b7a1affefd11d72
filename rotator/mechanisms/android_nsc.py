"""Android Network Security Config: `<pin-set>` in `network_security_config.xml`.

Read as AOSP `android.security.net.config.XmlConfigSource` reads it; hosts chosen as in
`ApplicationConfig.getConfigForHostname`; pins compared as in `NetworkSecurityTrustManager.checkPins`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from rotator.errors import InputError, Problem
from rotator.mechanisms import base
from rotator.mechanisms.base import (
    ConfigRejectedError,
    Context,
    Entry,
    Facts,
    Mechanism,
    Parsed,
    PinConfig,
    PinList,
    PinsetSpec,
)
from rotator.mechanisms.shared import nsc_edit, xmltree
from rotator.mechanisms.shared.decoding import android
from rotator.mechanisms.shared.xmltree import Node
from rotator.model.findings import Finding, info, warning
from rotator.model.names import Cover, Reach, parents
from rotator.model.pins import is_canonical, spki_pin
from rotator.model.rules import BadConfig, Expiry, LocalRoots, Mode, Rule, Scope
from rotator.model.when import local_midnight, show, start_of

VENDOR = "https://developer.android.com/privacy-and-security/security-config"
_DATE = re.compile(r"\s*(\d{1,9})-(\d{1,9})-(\d{1,9})")
_WHAT = "an Android network security configuration"


@dataclass(frozen=True, slots=True)
class _Inherited:
    """What a nested block has from the ones around it."""

    pins: PinList | None = None
    expires: date | None = None
    local_roots: LocalRoots | None = None
    overridden: bool = False
    empty_pins: bool = False
    parent: int | None = None


@dataclass(slots=True)
class _Reader:
    """Reads one file; raises where Android throws."""

    subject: str
    entries: list[Entry] = field(default_factory=list)
    local_roots: LocalRoots | None = None
    seen: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def reject(self, node: Node, message: str, value: str | None = None) -> ConfigRejectedError:
        return ConfigRejectedError(
            Problem(
                message,
                file=self.subject,
                path=f"line {node.line}",
                value=value,
                hint="Android throws when the app first connects: every TLS connection of the app fails",
            ),
            BadConfig.ALL_TLS_FAILS,
        )

    def root(self, root: Node) -> None:
        inherited = _Inherited()
        for kind in ("base-config", "debug-overrides"):
            blocks = list(root.all(kind))
            if len(blocks) > 1:
                raise self.reject(blocks[1], f"two {kind} elements")
            for block in blocks:
                below = self.block(block, _Inherited(), nested=None)
                inherited = below if kind == "base-config" else inherited
        self.local_roots = inherited.local_roots
        for block in root.all("domain-config"):
            self.domain_config(block, replace(inherited, parent=None))

    def domain_config(self, block: Node, inherited: _Inherited) -> None:
        """Read a `<domain-config>` and the ones nested in it."""
        own = self.block(block, inherited, nested=inherited)
        covers = tuple(self.domain(node) for node in block.all("domain"))
        if not covers:
            raise self.reject(block, "a domain-config without a domain")
        lists = () if own.pins is None else (own.pins,)
        self.entries.append(
            Entry(
                covers=covers,
                lists=lists,
                expires=own.expires if lists else None,
                mode=Mode.OFF if own.overridden and lists else Mode.ENFORCE,
                local_roots=own.local_roots,
                parent=inherited.parent,
                unpinned_on_purpose=own.empty_pins,
            )
        )
        below = replace(own, parent=len(self.entries) - 1)
        for nested in block.all("domain-config"):
            self.domain_config(nested, below)

    def block(self, block: Node, inherited: _Inherited, *, nested: _Inherited | None) -> _Inherited:
        """Read pins and trust anchors of a block; what it does not set it inherits."""
        pin_sets, anchors = list(block.all("pin-set")), list(block.all("trust-anchors"))
        if nested is None:
            for tag in ("domain", "pin-set", "domain-config"):
                for node in block.all(tag):
                    raise self.reject(node, f"{tag} is not allowed in {block.tag}")
        if len(pin_sets) > 1:
            raise self.reject(pin_sets[1], "two pin-sets in one block")
        if len(anchors) > 1:
            raise self.reject(anchors[1], "two trust-anchors in one block")
        own = inherited
        for node in anchors:
            local_roots, overridden = self.trust_anchors(node)
            own = replace(own, local_roots=local_roots, overridden=overridden)
        for node in pin_sets:
            pins, expires = self.pin_set(node)
            own = replace(own, pins=pins, expires=expires, empty_pins=pins is None)
        return own

    def domain(self, node: Node) -> Cover:
        name = node.text.strip().lower()
        if not name:
            raise self.reject(node, "a domain without a name")
        if name in self.seen:
            raise self.reject(node, "the same domain twice", name)
        self.seen.add(name)
        flag = node.attributes.get("includeSubdomains", "false")
        reach = Reach.ALL if flag.lower() == "true" else Reach.EXACT
        if any(char in name for char in "*/:") or any(char.isspace() for char in name) or name.endswith("."):
            self.findings.append(
                warning(
                    "domain-never-matches",
                    f"{self.subject}: {name}",
                    "no host has this name: a domain has no wildcard, scheme, port, path or trailing dot",
                    'write the plain name, with includeSubdomains="true" for what is below it',
                    VENDOR,
                )
            )
        return Cover(name, reach)

    def pin_set(self, node: Node) -> tuple[PinList | None, date | None]:
        expires = self.expiration(node)
        pins = []
        for pin in node.all("pin"):
            digest = pin.attributes.get("digest")
            if digest is None or digest.upper() != "SHA-256":
                raise self.reject(pin, "a pin digest that Android does not know", digest or "none")
            text = pin.text.strip()
            if pin.children or not text:
                raise self.reject(pin, "a pin that is empty or has elements in it")
            decoded = android(text)
            if decoded is None:
                raise self.reject(pin, "a pin that is not base64", text)
            if len(decoded) != 32:
                raise self.reject(pin, f"a pin of {len(decoded)} bytes instead of 32", text)
            if not is_canonical(text):
                self.findings.append(base.note_spelling(self.subject, text))
            pins.append(spki_pin(decoded))
        return (PinList(scope=Scope.ANY, pins=tuple(pins)) if pins else None), expires

    def expiration(self, node: Node) -> date | None:
        text = node.attributes.get("expiration")
        if text is None:
            return None
        match = _DATE.match(text)
        try:
            if match is None:
                raise ValueError  # noqa: TRY301 - one message for every unreadable date
            return date(int(match[1]), int(match[2]), int(match[3]))
        except (ValueError, OverflowError):
            raise self.reject(node, "an expiration that is not a date like 2027-06-30", text) from None

    def trust_anchors(self, node: Node) -> tuple[LocalRoots, bool]:
        """Give what user roots do, and whether the system store switches pins off."""
        user, overridden = LocalRoots.UNTRUSTED, False
        for certificates in node.all("certificates"):
            source = certificates.attributes.get("src")
            if source not in ("system", "user", "wfa") and not (source or "").startswith("@"):
                raise self.reject(certificates, "certificates from an unknown source", source or "none")
            override = certificates.attributes.get("overridePins", "false").lower() == "true"
            if source == "user":
                user = LocalRoots.BYPASS if override else LocalRoots.ENFORCE
            elif source == "system":
                overridden = override
            if override:
                self.findings.append(
                    warning(
                        "pins-overridden",
                        f"{self.subject}: line {certificates.line}",
                        f'overridePins="true" on {source}: a chain to such a root passes whatever the pins say',
                        "leave overridePins out of what users get; debug-overrides has it already",
                        VENDOR,
                    )
                )
        return user, overridden


class AndroidNsc(Mechanism):
    """The platform's own pinning since Android 7."""

    id = "android-nsc"
    file_name = "network_security_config.xml"
    says_expiry = True
    facts = Facts(
        title="Android Network Security Config <pin-set>",
        object="public key, SHA-256",
        scope="any certificate of the built path, root included",
        host_rule="exact name, else the longest parent with includeSubdomains, at any depth; only that one counts",
        expiry="date, at device-local midnight, then open",
        report_only="no",
        local_roots="untrusted by default; if trusted, pins hold unless overridePins",
        update_channel="app release",
        bad_config="every TLS connection of the app fails",
        sources=("AOSP android.security.net.config", "AOSP Conscrypt TrustManagerImpl", VENDOR),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read a `network_security_config.xml`."""
        try:
            root = xmltree.parse(data, _WHAT)
        except InputError as problem:
            raise _about(problem, context) from None
        if root.tag != "network-security-config":
            raise InputError(
                Problem("the root element is another", file=context.subject, value=root.tag, expected=_WHAT)
            )
        reader = _Reader(context.subject)
        reader.root(root)
        config = PinConfig(entries=tuple(reader.entries), local_roots=reader.local_roots)
        return Parsed(config=config, findings=(*reader.findings, *self.lint(config, context)))

    def expiry(self, expires: date | datetime | None) -> Expiry | None:
        """Pins end at 00:00 of the day on each device's own clock (SimpleDateFormat in the default zone)."""
        if expires is None:
            return None
        day = expires.date() if isinstance(expires, datetime) else expires
        return Expiry(*local_midnight(day))

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Choose the block for a host: the exact name, else the longest parent that includes subdomains."""
        entry = choose(config, host)
        if entry is None:
            return replace(base.unlisted(config), local_roots=config.local_roots or LocalRoots.UNTRUSTED)
        local = entry.local_roots or LocalRoots.UNTRUSTED
        if not entry.lists:
            return Rule(listed=True, local_roots=local)
        return Rule(clauses=entry.clauses, expiry=self.expiry(entry.expires), mode=entry.mode, local_roots=local)

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Add what only this format hides: blocks that unpin, expiry that comes 26 hours apart."""
        yield from super().lint(config, context)
        pinned = {cover.name: (i, cover) for i, e in enumerate(config.entries) if e.lists for cover in e.covers}
        for entry in config.entries:
            if entry.lists:
                yield from self._lint_expiry(entry, context)
                continue
            for cover in entry.covers:
                above = next((p for p in parents(cover.name) if p in pinned), None)
                if above is None or pinned[above][1].reach is not Reach.ALL:
                    continue
                how = (
                    "an empty pin-set takes the pins of the block around it away"
                    if entry.unpinned_on_purpose
                    else "a block of its own inherits nothing from the block of its parent domain"
                )
                yield warning(
                    "unpinned-below",
                    f"{context.subject}: {cover.name}",
                    f"{cover.name} is not pinned although {above} includes its subdomains: {how}",
                    "nest the block in the one of the parent domain, or give it a pin-set",
                    VENDOR,
                )

    def _lint_expiry(self, entry: Entry, context: Context) -> Iterator[Finding]:
        expiry = self.expiry(entry.expires)
        if expiry is not None and expiry.last >= start_of(context.today):
            yield info(
                "expiry-is-local",
                f"{context.subject}: {entry.title}",
                f"the pins end at local midnight: from {show(expiry.first)} (UTC+14) to {show(expiry.last)} (UTC-12)",
                "plan with the first for exposure and the last for breakage",
                VENDOR,
            )

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Make one block; a name with exactly one label below it can only be said with all of them."""
        covers = tuple(Cover(c.name, Reach.EXACT if c.reach is Reach.EXACT else Reach.ALL) for c in spec.covers)
        return super().from_pinset(replace(spec, covers=tuple(dict.fromkeys(covers))))

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that one label below a name cannot be said."""
        yield from super().losses(spec)
        for cover in spec.covers:
            if cover.reach is Reach.ONLY_ONE:
                yield (
                    "covers-more",
                    f"android-nsc says {cover.text} only as {cover.name} and everything below it",
                )

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Change pins and expiry inside the blocks of the names, and add a block for names without one."""
        try:
            root = xmltree.parse(data, _WHAT)
        except InputError as problem:
            raise _about(problem, context) from None
        return nsc_edit.edited(data, root, config)

    def render(self, config: PinConfig) -> bytes:
        """Write a configuration; nested blocks are written inside their parents."""
        lines = ['<?xml version="1.0" encoding="utf-8"?>', "<network-security-config>"]
        children: dict[int | None, list[int]] = {}
        for index, entry in enumerate(config.entries):
            children.setdefault(entry.parent, []).append(index)
        if config.local_roots is not None:
            everywhere = _render_anchors(Entry(local_roots=config.local_roots), "    ")
            lines += ["    <base-config>", *everywhere, "    </base-config>"]
        for index in children.get(None, []):
            lines += _render_block(config, index, children, "    ")
        lines.append("</network-security-config>")
        return ("\n".join(lines) + "\n").encode()


def choose(config: PinConfig, host: str) -> Entry | None:
    """Give the one entry Android applies to a host, or None for the base configuration."""
    by_name: Mapping[str, tuple[Entry, Cover]] = {
        cover.name: (entry, cover) for entry in config.entries for cover in entry.covers
    }
    if host in by_name:
        return by_name[host][0]
    for name in parents(host):
        found = by_name.get(name)
        if found is not None and found[1].reach is Reach.ALL:
            return found[0]
    return None


def _render_block(config: PinConfig, index: int, children: dict[int | None, list[int]], pad: str) -> list[str]:
    entry = config.entries[index]
    lines = [f"{pad}<domain-config>", *nsc_edit.domain_lines(entry, pad + "    ")]
    if entry.lists:
        lines += nsc_edit.pin_set_lines(entry, pad + "    ")
    elif entry.unpinned_on_purpose:
        lines.append(f"{pad}    <pin-set/>")
    lines += _render_anchors(entry, pad)
    for child in children.get(index, []):
        lines += _render_block(config, child, children, pad + "    ")
    return [*lines, f"{pad}</domain-config>"]


def _render_anchors(entry: Entry, pad: str) -> list[str]:
    if entry.local_roots is None and entry.mode is not Mode.OFF:
        return []
    system = ' overridePins="true"' if entry.mode is Mode.OFF else ""
    lines = [f"{pad}    <trust-anchors>", f'{pad}        <certificates src="system"{system}/>']
    if entry.local_roots in (LocalRoots.ENFORCE, LocalRoots.BYPASS):
        override = ' overridePins="true"' if entry.local_roots is LocalRoots.BYPASS else ""
        lines.append(f'{pad}        <certificates src="user"{override}/>')
    return [*lines, f"{pad}    </trust-anchors>"]


def _about(problem: InputError, context: Context) -> InputError:
    """Add the file to problems that lack it."""
    return InputError(
        [
            Problem(
                p.message,
                file=p.file or context.subject,
                path=p.path,
                value=p.value,
                expected=p.expected,
                hint=p.hint or "the app does not build with this file",
            )
            for p in problem.problems
        ]
    )


MECHANISM = AndroidNsc()
