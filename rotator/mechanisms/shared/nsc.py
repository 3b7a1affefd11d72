"""Android network security configurations, for the platform's own pinning and for TrustKit on top of it.

Read as AOSP `android.security.net.config.XmlConfigSource` reads them; hosts chosen as in
`ApplicationConfig.getConfigForHostname`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from rotator.errors import InputError, Problem
from rotator.mechanisms.base import ConfigRejectedError, Context, Entry, PinConfig, PinList, PinsetSpec
from rotator.mechanisms.shared import lookup, nsc_edit, xmltree
from rotator.mechanisms.shared.decoding import android
from rotator.mechanisms.shared.lint import note_spelling
from rotator.mechanisms.shared.xmltree import Node
from rotator.model.findings import Finding, warning
from rotator.model.names import Cover, Reach, parents
from rotator.model.pins import is_canonical, spki_pin
from rotator.model.rules import BadConfig, Expiry, LocalRoots, Mode, Rule, Scope
from rotator.model.when import local_midnight, start_of

VENDOR = "https://developer.android.com/privacy-and-security/security-config"
_DATE = re.compile(r"\s*(\d{1,9})-(\d{1,9})-(\d{1,9})")
_WHAT = "an Android network security configuration"


def tree(data: bytes, context: Context) -> Node:
    """Read the file as XML.

    Raises:
        InputError: it is no such file.
    """
    try:
        root = xmltree.parse(data, _WHAT)
    except InputError as problem:
        raise _about(problem, context) from None
    if root.tag != "network-security-config":
        raise InputError(Problem("the root element is another", file=context.subject, value=root.tag, expected=_WHAT))
    return root


@dataclass(frozen=True, slots=True)
class Around:
    """What a nested block has from the ones around it; `enforce` is what TrustKit adds.

    `cleartext` is `cleartextTrafficPermitted`, None where nothing says it: since target 28 that refuses.
    """

    pins: tuple[PinList, ...] = ()
    expires: date | None = None
    local_roots: LocalRoots | None = None
    system_roots: LocalRoots | None = None
    empty_pins: bool = False
    parent: int | None = None
    enforce: bool | None = None
    cleartext: bool | None = None


@dataclass(slots=True)
class Reader:
    """Reads one file; raises where Android throws."""

    subject: str
    entries: list[Entry] = field(default_factory=list)
    local_roots: LocalRoots | None = None
    system_roots: LocalRoots | None = None
    seen: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    cleartext: list[tuple[Cover | None, bool | None]] = field(default_factory=list)

    def reject(self, node: Node, message: str, value: str | None = None) -> ConfigRejectedError:
        """Make the error for what the client throws at."""
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
        """Read the whole file."""
        inherited = Around()
        for kind in ("base-config", "debug-overrides"):
            blocks = list(root.all(kind))
            if len(blocks) > 1:
                raise self.reject(blocks[1], f"two {kind} elements")
            for block in blocks:
                below = self.block(block, Around(), nested=None)
                inherited = below if kind == "base-config" else inherited
        self.local_roots, self.system_roots = inherited.local_roots, inherited.system_roots
        self.cleartext.append((None, inherited.cleartext))
        for block in root.all("domain-config"):
            self.domain_config(block, replace(inherited, parent=None))

    def domain_config(self, block: Node, inherited: Around) -> None:
        """Read a `<domain-config>` and the ones nested in it."""
        own = self.block(block, inherited, nested=inherited)
        covers = tuple(self.domain(node) for node in block.all("domain"))
        if not covers:
            raise self.reject(block, "a domain-config without a domain")
        lists = own.pins
        self.cleartext += [(cover, own.cleartext) for cover in covers]
        self.entries.append(
            Entry(
                covers=covers,
                lists=lists,
                expires=own.expires if lists else None,
                mode=self.mode(own) if lists else Mode.ENFORCE,
                local_roots=own.local_roots,
                system_roots=own.system_roots,
                parent=inherited.parent,
                unpinned_on_purpose=own.empty_pins,
            )
        )
        below = replace(own, parent=len(self.entries) - 1)
        for nested in block.all("domain-config"):
            self.domain_config(nested, below)

    def block(self, block: Node, inherited: Around, *, nested: Around | None) -> Around:
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
        flag = block.attributes.get("cleartextTrafficPermitted")
        if flag is not None:
            own = replace(own, cleartext=flag.lower() == "true")
        for node in anchors:
            local_roots, system_roots = self.trust_anchors(node)
            own = replace(own, local_roots=local_roots, system_roots=system_roots)
        for node in pin_sets:
            pins, expires = self.pin_set(node)
            own = replace(own, pins=pins, expires=expires, empty_pins=not pins)
        return own

    def config(self) -> PinConfig:
        """Give what was read."""
        said = any(allowed is not None for _, allowed in self.cleartext)
        return PinConfig(
            entries=tuple(self.entries),
            local_roots=self.local_roots,
            system_roots=self.system_roots,
            cleartext=tuple(self.cleartext) if said else (),
        )

    def mode(self, own: Around) -> Mode:  # noqa: ARG002 - the platform always enforces
        """Say what a mismatch does in a block with pins."""
        return Mode.ENFORCE

    def domain(self, node: Node) -> Cover:
        """Read one `<domain>`."""
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

    def pin_set(self, node: Node) -> tuple[tuple[PinList, ...], date | None]:
        """Give the lists of a `<pin-set>` and its expiration."""
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
                self.findings.append(note_spelling(self.subject, text, VENDOR))
            pins.append(spki_pin(decoded))
        return ((PinList(scope=Scope.ANY, pins=tuple(pins)),) if pins else ()), expires

    def expiration(self, node: Node) -> date | None:
        """Read the date of a `<pin-set>`."""
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

    def trust_anchors(self, node: Node) -> tuple[LocalRoots, LocalRoots]:
        """Give what roots of the user and of the system do: what is not listed is not trusted.

        Roots of the app's own (`@raw/...`) are taken for those of the trust store that the policy gives the app.
        """
        found: dict[str, bool] = {}
        for certificates in node.all("certificates"):
            source = certificates.attributes.get("src")
            if source not in ("system", "user", "wfa") and not (source or "").startswith("@"):
                raise self.reject(certificates, "certificates from an unknown source", source or "none")
            override = certificates.attributes.get("overridePins", "false").lower() == "true"
            kind = "system" if source is not None and source.startswith("@") else str(source)
            found[kind] = found.get(kind, False) or override
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
        return _trusted(found.get("user")), _trusted(found.get("system"))


def render(config: PinConfig, more: Callable[[Entry, str], list[str]] = nsc_edit.nothing_more) -> bytes:
    """Write a configuration, with `more` lines in its blocks; nested blocks are written inside their parents."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<network-security-config>"]
    children: dict[int | None, list[int]] = {}
    for index, entry in enumerate(config.entries):
        children.setdefault(entry.parent, []).append(index)
    if config.local_roots is not None or config.system_roots is not None:
        whole = Entry(local_roots=config.local_roots, system_roots=config.system_roots)
        everywhere = _render_anchors(whole, "    ")
        lines += ["    <base-config>", *everywhere, "    </base-config>"]
    for index in children.get(None, []):
        lines += _render_block(config, index, children, "    ", more)
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


def expiry(expires: date | datetime | None) -> Expiry | None:
    """End pins at 00:00 of the day on each device's own clock (`SimpleDateFormat` in the default zone).

    A file holds days alone; an instant is what somebody asks to be played.
    """
    if expires is None:
        return None
    return Expiry.at(expires) if isinstance(expires, datetime) else Expiry(*local_midnight(expires))


def sayable(spec: PinsetSpec) -> PinsetSpec:
    """Give what the file can say: each name once, alone or with everything below it, and an end by the day."""
    expires = spec.expires.date() if isinstance(spec.expires, datetime) else spec.expires
    return replace(spec, covers=lookup.widest(spec.covers), expires=expires)


def unsaid(name: str, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
    """Give what the file, by the name of its mechanism, cannot say of a pinset."""
    yield from lookup.covers_more(name, spec)
    if isinstance(spec.expires, datetime) and spec.expires != start_of(spec.expires.date()):
        yield "expiry-by-day", f"{name} ends pins by the day: {spec.expires.date()}, at midnight of each device"


def rule(config: PinConfig, host: str) -> Rule:
    """Give what the platform demands of a host."""
    entry = choose(config, host)
    around: PinConfig | Entry = entry or config
    plain = Rule(
        local_roots=around.local_roots or LocalRoots.UNTRUSTED,
        system_roots=around.system_roots or LocalRoots.ENFORCE,
    )
    if entry is None:
        return replace(plain, listed=not config.pinned)
    if not entry.lists:
        return plain
    return replace(plain, clauses=entry.clauses, expiry=expiry(entry.expires), mode=entry.mode)


def _render_block(
    config: PinConfig,
    index: int,
    children: dict[int | None, list[int]],
    pad: str,
    more: Callable[[Entry, str], list[str]],
) -> list[str]:
    entry = config.entries[index]
    lines = [f"{pad}<domain-config>", *nsc_edit.domain_lines(entry, pad + "    ")]
    if entry.lists:
        lines += nsc_edit.pin_set_lines(entry, pad + "    ")
    elif entry.unpinned_on_purpose:
        lines.append(f"{pad}    <pin-set/>")
    lines += more(entry, pad + "    ")
    lines += _render_anchors(entry, pad)
    for child in children.get(index, []):
        lines += _render_block(config, child, children, pad + "    ", more)
    return [*lines, f"{pad}</domain-config>"]


def _render_anchors(entry: Entry, pad: str) -> list[str]:
    if entry.local_roots is None and entry.system_roots is None:
        return []
    lines = [f"{pad}    <trust-anchors>"]
    sources = {"system": entry.system_roots or LocalRoots.ENFORCE, "user": entry.local_roots or LocalRoots.UNTRUSTED}
    for source, does in sources.items():
        override = ' overridePins="true"' if does is LocalRoots.BYPASS else ""
        if does is not LocalRoots.UNTRUSTED:
            lines.append(f'{pad}        <certificates src="{source}"{override}/>')
    return [*lines, f"{pad}    </trust-anchors>"]


def _trusted(override: bool | None) -> LocalRoots:  # noqa: FBT001 - as it was read, None for not at all
    if override is None:
        return LocalRoots.UNTRUSTED
    return LocalRoots.BYPASS if override else LocalRoots.ENFORCE


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
