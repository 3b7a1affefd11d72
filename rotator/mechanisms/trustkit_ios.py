"""TrustKit for iOS and macOS: `TSKConfiguration` in a property list.

Rules from TrustKit's source: `TSKTrustKitConfig`, `parse_configuration.m`, `configuration_utils.m`,
`ssl_pin_verifier.m`. Many mistakes raise an exception when the library starts, which ends the app.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from rotator.errors import Problem
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
)
from rotator.mechanisms.shared import lint, plist, plist_edit, rows
from rotator.mechanisms.shared.decoding import apple
from rotator.model.findings import Finding, error, info, warning
from rotator.model.names import Cover, Reach, parents
from rotator.model.pins import is_canonical, spki_pin
from rotator.model.rules import BadConfig, Cleartext, LocalRoots, Mode, Revocation, Rule, Scope

VENDOR = "https://github.com/datatheorem/TrustKit"
KEY_TYPES = frozenset({"rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384"})
"""Key types for which TrustKit can rebuild the SubjectPublicKeyInfo; any other met before a match blocks."""
_ROWS = 'rows of {"pattern": ..., "pins": [...], "expiration": ...}'
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


@dataclass(slots=True)
class _Reader:
    """Reads one configuration; raises where TrustKit raises."""

    context: Context
    findings: list[Finding] = field(default_factory=list)

    def reject(self, name: str, message: str, value: object = None) -> ConfigRejectedError:
        return ConfigRejectedError(
            Problem(
                message,
                file=self.context.subject,
                path=name,
                value=value,
                hint="TrustKit raises an exception when it starts: the app crashes at launch",
            ),
            BadConfig.CRASH,
        )

    def domain(self, name: str, value: object) -> Entry:
        if not isinstance(value, dict):
            raise self.reject(name, "the entry is not a dictionary")
        self._suffix(name, value)
        if _flag(value.get("TSKExcludeSubdomainFromParentPolicy")):
            if len(value) > 1:
                raise self.reject(name, "an excluded subdomain has other settings")
            return Entry(covers=(Cover(name.lower()),), unpinned_on_purpose=True)
        where = f"{self.context.subject}: {name}"
        enforce = _flag(value.get("TSKEnforcePinning"), default=True)
        pins = self._pins(name, value, enforce=enforce)
        if not enforce:
            self.findings.append(
                warning(
                    "report-only",
                    where,
                    "TSKEnforcePinning is off: a wrong key is reported and let through",
                    "set it to true once the reports are quiet",
                    VENDOR,
                )
            )
        reach = Reach.ALL if _flag(value.get("TSKIncludeSubdomains")) else Reach.EXACT
        return Entry(
            covers=(Cover(name.lower(), reach),),
            lists=(PinList(scope=Scope.ANY, pins=pins),) if pins else (),
            expires=self._expires(name, value, where),
            mode=Mode.ENFORCE if enforce else Mode.REPORT_ONLY,
        )

    def _suffix(self, name: str, value: dict[str, Any]) -> None:
        problem = lint.suffix_problem(name, subdomains=_flag(value.get("TSKIncludeSubdomains")), context=self.context)
        if problem:
            raise self.reject(name, problem)

    def _pins(self, name: str, value: dict[str, Any], *, enforce: bool) -> tuple[Any, ...]:
        texts = value.get("TSKPublicKeyHashes")
        if not isinstance(texts, list):
            raise self.reject(name, "TSKPublicKeyHashes is missing")
        pins = []
        for text in texts:
            digest = apple(text) if isinstance(text, str) else None
            if digest is None or len(digest) != 32:
                raise self.reject(name, "a pin that is not the base64 of 32 bytes", text)
            if not is_canonical(text):
                self.findings.append(lint.note_spelling(f"{self.context.subject}: {name}", text, VENDOR))
            pins.append(spki_pin(digest))
        unique = base.distinct(pins)
        if len(unique) < (2 if enforce else 1):
            raise self.reject(name, "fewer than two different pins" if enforce else "no pins", len(unique))
        return unique

    def _expires(self, name: str, value: dict[str, Any], where: str) -> date | None:
        text = value.get("TSKExpirationDate")
        if text is None:
            return None
        if not isinstance(text, str):
            raise self.reject(name, "TSKExpirationDate is not a text like 2027-06-30", text)
        match = _DATE.fullmatch(text)
        try:
            if match is None:
                raise ValueError  # noqa: TRY301 - one finding for every unreadable date
            return date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            self.findings.append(
                error(
                    "never-expires",
                    where,
                    f"TSKExpirationDate {text!r} is not a date like 2027-06-30: the pins never end",
                    "write the date as yyyy-MM-dd",
                    VENDOR,
                )
            )
            return None


def _from_rows(listed: dict[str, rows.Row]) -> dict[str, Any]:
    """Give rows out of code as the dictionary TrustKit would be started with."""
    keys = {
        "pins": "TSKPublicKeyHashes",
        "expiration": "TSKExpirationDate",
        "includeSubdomains": "TSKIncludeSubdomains",
    }
    domains = {name: {keys[key]: value for key, value in row.items() if key in keys} for name, row in listed.items()}
    return {"TSKSwizzleNetworkDelegates": True, "TSKPinnedDomains": domains}


def _flag(value: object, *, default: bool = False) -> bool:
    """Read a flag as `boolValue` does: a number is one too, and so is a text that begins with Y, T or 1 to 9."""
    if isinstance(value, str):
        return re.match(r"\s*[+-]?0*[YyTt1-9]", value) is not None
    return bool(value) if isinstance(value, int | float) else default


class TrustKitIos(Mechanism):
    """The library's own validator, called by the app or by swizzled network delegates."""

    id = "trustkit-ios"
    cleartext = Cleartext.REFUSED
    file_name = "TrustKit.plist"
    says_expiry = True
    says_report_only = True
    fewest_pins = 2
    facts = Facts(
        title="TrustKit for iOS and macOS",
        object="public key, SHA-256",
        scope="any certificate of the path, root first",
        host_rule="exact name, else the longest parent with TSKIncludeSubdomains; an excluded name is unpinned",
        expiry="date, at UTC midnight, then open; a date that does not parse never comes",
        report_only="TSKEnforcePinning = false",
        local_roots="pins hold on iOS; bypassed on macOS by default",
        update_channel="app release or code",
        bad_config="the app crashes at launch",
        sources=("TrustKit parse_configuration.m, ssl_pin_verifier.m", VENDOR),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read an `Info.plist` with `TSKConfiguration`, a property list that is it, or rows out of code."""
        listed = rows.pins_by_name(data, context.subject, _ROWS)
        root = _from_rows(listed) if listed is not None else plist.load(data, context.subject)
        section = root.get("TSKConfiguration", root)
        domains = section.get("TSKPinnedDomains") if isinstance(section, dict) else None
        if not isinstance(domains, dict):
            if "TSKConfiguration" in root or plist.find_key(root, "TSKPinnedDomains"):
                raise ConfigRejectedError(
                    Problem(
                        "TSKConfiguration has no dictionary TSKPinnedDomains",
                        file=context.subject,
                        hint="TrustKit raises an exception when it starts: the app crashes at launch",
                    ),
                    BadConfig.CRASH,
                )
            config = PinConfig()
            return Parsed(config=config, findings=tuple(self.lint(config, context)))
        reader = _Reader(context)
        config = PinConfig(
            entries=tuple(reader.domain(name, value) for name, value in domains.items()),
            cleartext=plist.cleartext(root.get("NSAppTransportSecurity")),
        )
        orphan = _orphan(config)
        if orphan:
            raise reader.reject(orphan, "an excluded subdomain without a pinned parent that includes it")
        if isinstance(section, dict) and not _flag(section.get("TSKSwizzleNetworkDelegates")):
            reader.findings.append(
                info(
                    "coverage-by-code",
                    context.subject,
                    "TSKSwizzleNetworkDelegates is off: only connections whose code calls the validator are pinned",
                    source=VENDOR,
                )
            )
        return Parsed(config=config, findings=(*reader.findings, *self.lint(config, context)))

    def refuse(self, config: PinConfig, context: Context) -> str:
        """Say why TrustKit would raise: a name without public suffix, or too few pins."""
        for entry in config.entries:
            for cover in entry.covers:
                problem = lint.suffix_problem(cover.name, subdomains=cover.reach is Reach.ALL, context=context)
                if problem:
                    return f"{problem}: {cover.name}"
            if entry.lists and len(set(entry.pins)) < (2 if entry.mode is Mode.ENFORCE else 1):
                return "fewer than two different pins"
        return ""

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Choose the exact name, else the longest parent that includes its subdomains."""
        by_name = {cover.name: (entry, cover) for entry in config.entries for cover in entry.covers}
        entry = by_name[host][0] if host in by_name else None
        if entry is None:
            for name in parents(host):
                found = by_name.get(name)
                if found is not None and found[1].reach is Reach.ALL:
                    entry = found[0]
                    break
        common = {"local_roots": LocalRoots.ENFORCE, "revocation": Revocation.SOFT}
        if entry is None:
            return Rule(listed=not config.pinned, **common)  # type: ignore[arg-type]
        return Rule(
            clauses=entry.clauses,
            expiry=self.expiry(entry.expires),
            mode=entry.mode,
            key_types=KEY_TYPES if entry.lists else None,
            **common,  # type: ignore[arg-type]
        )

    def from_pinset(self, spec: base.PinsetSpec) -> PinConfig:
        """Say a name with exactly one label below it with all of them, as nothing else can be said."""
        covers = tuple(Cover(c.name, Reach.EXACT if c.reach is Reach.EXACT else Reach.ALL) for c in spec.covers)
        return super().from_pinset(replace(spec, covers=tuple(dict.fromkeys(covers))))

    def losses(self, spec: base.PinsetSpec) -> Iterator[tuple[str, str]]:
        """Count two pins only where it enforces; add that one label below a name cannot be said."""
        for name, text in super().losses(spec):
            if name != "too-few-pins" or spec.mode is Mode.ENFORCE:
                yield name, text
        for cover in spec.covers:
            if cover.reach is Reach.ONLY_ONE:
                yield "covers-more", f"{self.id} says {cover.text} only as {cover.name} and everything below it"

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Replace the pins and the expiry of each domain; reporting, other domains and other settings stay."""
        root = plist.load(data, context.subject)
        head = ("TSKConfiguration",) if "TSKConfiguration" in root or "TSKPinnedDomains" not in root else ()
        for entry in config.entries:
            for cover in entry.covers:
                wanted = _domain(entry, cover)
                here: Any = root
                for key in (*head, "TSKPinnedDomains", cover.name):
                    here = here.get(key) if isinstance(here, dict) else None
                path = (*head, "TSKPinnedDomains", cover.name)
                if not isinstance(here, dict):
                    data = plist_edit.put(data, path, wanted, context.subject)
                    continue
                for key in (
                    "TSKPublicKeyHashes",
                    "TSKExpirationDate",
                    "TSKIncludeSubdomains",
                    "TSKEnforcePinning",
                ):
                    if key in wanted and here.get(key) != wanted[key]:
                        data = plist_edit.put(data, (*path, key), wanted[key], context.subject)
        return data

    def render(self, config: PinConfig) -> bytes:
        """Write a property list that holds the TrustKit configuration and nothing else."""
        domains: dict[str, dict[str, Any]] = {}
        for entry in config.entries:
            for cover in entry.covers:
                domains[cover.name] = _domain(entry, cover)
        return plist.dump({"TSKConfiguration": {"TSKSwizzleNetworkDelegates": True, "TSKPinnedDomains": domains}})


def _orphan(config: PinConfig) -> str:
    pinned = {c.name for e in config.entries if e.lists for c in e.covers if c.reach is Reach.ALL}
    for entry in config.entries:
        if entry.unpinned_on_purpose and not any(p in pinned for p in parents(entry.covers[0].name)):
            return entry.covers[0].name
    return ""


def _domain(entry: Entry, cover: Cover) -> dict[str, Any]:
    if entry.unpinned_on_purpose:
        return {"TSKExcludeSubdomainFromParentPolicy": True}
    domain: dict[str, Any] = {
        "TSKIncludeSubdomains": cover.reach is Reach.ALL,
        "TSKEnforcePinning": entry.mode is Mode.ENFORCE,
        "TSKPublicKeyHashes": [pin.text[7:] for pin in entry.pins],
        "TSKDisableDefaultReportUri": True,
    }
    if entry.expires is not None:
        domain["TSKExpirationDate"] = f"{entry.expires.isoformat()[:10]}"
    return domain


MECHANISM = TrustKitIos()
