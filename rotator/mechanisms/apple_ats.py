"""Apple App Transport Security: `NSPinnedDomains` in an `Info.plist` (iOS 14, macOS 11 and later).

Rules from Apple's open-source Security framework (`SecPolicy.c`, `SecPolicyServer.c`) and the pages of
`NSPinnedDomains`, `NSIncludesSubdomains`, `NSPinnedCAIdentities` and `NSPinnedLeafIdentities`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rotator.mechanisms import base
from rotator.mechanisms.base import Context, Entry, Facts, Mechanism, Parsed, PinConfig, PinList, PinsetSpec
from rotator.mechanisms.shared import lint, plist, plist_edit
from rotator.mechanisms.shared.decoding import apple
from rotator.model.findings import Finding, info, warning
from rotator.model.names import Cover, Reach
from rotator.model.pins import is_canonical, spki_pin
from rotator.model.rules import Clause, Cleartext, LocalRoots, Revocation, Rule, Scope

VENDOR = "https://developer.apple.com/documentation/bundleresources/information-property-list/nspinneddomains"
DIGEST = "SPKI-SHA256-BASE64"
LISTS = {"NSPinnedLeafIdentities": Scope.LEAF, "NSPinnedCAIdentities": Scope.CA}
INVENTED = (
    "NSPublicKeyHashes",
    "NSPinnedDomainsCertificateChain",
    "NSPinnedPublicKeys",
    "NSPinnedCertificates",
)


@dataclass(slots=True)
class _Reader:
    """Reads one dictionary; drops what Apple drops and says so."""

    subject: str
    findings: list[Finding] = field(default_factory=list)

    def domain(self, name: str, value: object) -> Entry | None:
        where = f"{self.subject}: {name}"
        if not isinstance(value, dict):
            self.findings.append(
                warning(
                    "nothing-pinned",
                    where,
                    "the entry is not a dictionary: it pins nothing",
                    "give it NSPinnedLeafIdentities or NSPinnedCAIdentities",
                    VENDOR,
                )
            )
            return None
        self._odd_name(name, where)
        self._odd_keys(value, where)
        lists = []
        for key, scope in LISTS.items():
            if key in value:
                lists.append(self._list(value[key], key, scope, where))
        subdomains = value.get("NSIncludesSubdomains") is True
        if not lists:
            self.findings.append(
                warning(
                    "nothing-pinned",
                    where,
                    "neither NSPinnedLeafIdentities nor NSPinnedCAIdentities: the domain is not pinned",
                    "give it one of the two lists",
                    VENDOR,
                )
            )
        elif subdomains:
            self.findings.append(
                info(
                    "one-label-only",
                    where,
                    f"covers {name} and names with one more label; a.b.{name} is not pinned",
                    "list deeper names themselves",
                    VENDOR,
                )
            )
        cover = Cover(name.lower(), Reach.ONE if subdomains else Reach.EXACT)
        return Entry(covers=(cover,), lists=tuple(lists))

    def _list(self, value: object, key: str, scope: Scope, where: str) -> PinList:
        pins, dead = [], []
        for item in value if isinstance(value, list) else []:
            text = item.get(DIGEST) if isinstance(item, dict) else None
            digest = apple(text) if isinstance(text, str) else None
            if digest is None:
                shown = text if isinstance(text, str) else f"an entry without {DIGEST}"
                self.findings.append(
                    lint.note_dead(where, shown, f"it does not decode, so Apple drops it from {key}", VENDOR)
                )
                continue
            if len(digest) != 32:
                dead.append(str(text))
                continue
            if not is_canonical(str(text)):
                self.findings.append(lint.note_spelling(where, str(text), VENDOR))
            pins.append(spki_pin(digest))
        if not pins:
            self.findings.append(
                warning(
                    "empty-list",
                    where,
                    f"{key} has no usable entry: every connection fails",
                    "put pins into the list, or take the list out",
                    VENDOR,
                )
            )
        return PinList(scope=scope, pins=base.distinct(pins), dead=tuple(dead))

    def _odd_name(self, name: str, where: str) -> None:
        if any(char in name for char in "*/: ") or name.endswith("."):
            self.findings.append(
                warning(
                    "domain-never-matches",
                    where,
                    "no host has this name: a domain has no wildcard, scheme, port, path or trailing dot",
                    "write the plain name; NSIncludesSubdomains reaches one label below it",
                    VENDOR,
                )
            )

    def _odd_keys(self, value: dict[str, Any], where: str) -> None:
        for key in value:
            if key not in LISTS and key != "NSIncludesSubdomains":
                self.findings.append(
                    warning(
                        "unknown-setting",
                        where,
                        f"{key} means nothing to Apple: it is ignored",
                        "known are NSIncludesSubdomains, NSPinnedLeafIdentities and NSPinnedCAIdentities",
                        VENDOR,
                    )
                )


class AppleAts(Mechanism):
    """Pins that the system's URL loading enforces."""

    id = "apple-ats"
    cleartext = Cleartext.REFUSED
    file_name = "Info.plist"
    says_both = True
    facts = Facts(
        title="Apple NSPinnedDomains",
        object="public key, SHA-256",
        scope="a leaf list compared with the leaf, a CA list with everything above it; both must match",
        host_rule="exact name, or one more label with NSIncludesSubdomains; all matching entries together",
        expiry="none",
        report_only="no",
        local_roots="pins hold",
        update_channel="app release",
        bad_config="an entry that does not decode is dropped; a list left empty refuses everything",
        sources=("Apple Security framework SecPolicyServer.c", VENDOR),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read an `Info.plist`, XML or binary."""
        root = plist.load(data, context.subject)
        security = root.get("NSAppTransportSecurity")
        domains = security.get("NSPinnedDomains") if isinstance(security, dict) else None
        reader = _Reader(context.subject)
        entries = []
        if isinstance(domains, dict):
            entries = [e for name, value in domains.items() if (e := reader.domain(name, value)) is not None]
        reader.findings += self._misplaced(root, context)
        config = PinConfig(entries=tuple(entries), cleartext=plist.cleartext(security))
        return Parsed(config=config, findings=(*reader.findings, *self.lint(config, context)))

    def _misplaced(self, root: dict[str, Any], context: Context) -> Iterator[Finding]:
        right = "NSAppTransportSecurity/NSPinnedDomains"
        for key in ("NSPinnedDomains", *INVENTED):
            for path, _ in plist.find_key(root, key):
                if path != right and not path.startswith(right + "/"):
                    yield warning(
                        "nothing-pinned",
                        f"{context.subject}: {path}",
                        f"{key} does nothing here",
                        f"pins belong under {right}",
                        VENDOR,
                    )

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Put the lists of all matching entries together: OR inside a list, AND between the two lists."""
        found = [e for e in config.entries if e.lists and any(cover.matches(host) for cover in e.covers)]
        clauses = []
        for scope in (Scope.LEAF, Scope.CA):
            lists = [pins for entry in found for pins in entry.lists if pins.scope is scope]
            if lists:
                clauses.append(
                    Clause(
                        scope=scope,
                        pins=frozenset(pin for pins in lists for pin in pins.pins),
                        dead=frozenset(text for pins in lists for text in pins.dead),
                    )
                )
        return Rule(
            clauses=tuple(clauses),
            listed=bool(found) or not config.pinned,
            local_roots=LocalRoots.ENFORCE,
            revocation=Revocation.SOFT,
            unknown_choice=True,  # whether SecTrust tries another path after a pin failed is not established
        )

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Put our keys into the leaf list and authorities into the CA list."""
        lists = tuple(
            PinList(scope=scope, pins=pins)
            for scope, pins in ((Scope.LEAF, spec.keys), (Scope.CA, spec.authorities))
            if pins
        )
        covers = tuple(Cover(c.name, Reach.EXACT if c.reach is Reach.EXACT else Reach.ONE) for c in spec.covers)
        if not lists:
            return PinConfig()
        return PinConfig(entries=tuple(Entry(covers=(cover,), lists=lists) for cover in covers))

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that subdomains reach one label only, and never without the name itself."""
        yield from super().losses(spec)
        for cover in spec.covers:
            if cover.reach is Reach.ALL:
                yield "one-label-only", f"NSIncludesSubdomains of {cover.name} reaches one label only"
            if cover.reach is Reach.ONLY_ONE:
                yield "covers-more", f"apple-ats says {cover.text} only with {cover.name} itself"

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Add what the union of entries makes of two lists."""
        yield from super().lint(config, context)
        if config.pinned:
            yield info(
                "no-expiry",
                context.subject,
                "NSPinnedDomains has no end of pins: a wrong key is refused until users update the app",
                "keep a backup pin in every list, and plan for the oldest version in use",
                VENDOR,
            )
        for entry in config.entries:
            for cover in entry.covers:
                others = [
                    other.name
                    for e in config.entries
                    if e is not entry and e.lists
                    for other in e.covers
                    if other.reach is Reach.ONE and other.matches(cover.name)
                ]
                if entry.lists and others:
                    yield warning(
                        "pins-add-up",
                        f"{context.subject}: {cover.name}",
                        f"the pins of {others[0]} count here as well: Apple puts all matching entries together",
                        "a pin left out here is still accepted through the parent",
                        VENDOR,
                    )

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Replace the lists of each domain; domains of others and every other setting stay."""
        for name, domain in pinned_domains(config).items():
            path = ("NSAppTransportSecurity", "NSPinnedDomains", name)
            current = self._domain(data, name, context)
            for key in (*LISTS, "NSIncludesSubdomains"):
                if key in domain and (current is None or current.get(key) != domain[key]):
                    data = plist_edit.put(data, (*path, key), domain[key], context.subject)
        return data

    @staticmethod
    def _domain(data: bytes, name: str, context: Context) -> dict[str, Any] | None:
        here: Any = plist.load(data, context.subject)
        for key in ("NSAppTransportSecurity", "NSPinnedDomains", name):
            here = here.get(key) if isinstance(here, dict) else None
        return here if isinstance(here, dict) else None

    def render(self, config: PinConfig) -> bytes:
        """Write a property list that holds the pins and nothing else."""
        return plist.dump({"NSAppTransportSecurity": {"NSPinnedDomains": pinned_domains(config)}})


def pinned_domains(config: PinConfig) -> dict[str, dict[str, Any]]:
    """Give the value of `NSPinnedDomains` for a configuration."""
    domains: dict[str, dict[str, Any]] = {}
    for entry in config.entries:
        for cover in entry.covers:
            domain: dict[str, Any] = {"NSIncludesSubdomains": True} if cover.reach is Reach.ONE else {}
            for key, scope in LISTS.items():
                for pins in entry.lists:
                    if pins.scope is scope:
                        domain[key] = [{DIGEST: pin.text[7:]} for pin in pins.pins]
            domains[cover.name] = domain
    return domains


MECHANISM = AppleAts()
