"""React Native `react-native-ssl-pinning`: bundled certificates, or `sha256/` pins with `pkPinning`.

Rules from the library's Java and Objective-C sources. With `pkPinning` Android pins the exact host through OkHttp;
iOS takes the keys of every bundled certificate and ignores the list. Without it Android trusts nothing but the bundled
certificates, by their keys, and iOS compares whole certificates as AFNetworking does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rotator.errors import InputError, Problem
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
    distinct,
)
from rotator.mechanisms.shared import bundled, lint, lookup, rows
from rotator.model.findings import Finding, error, info, warning
from rotator.model.names import Cover
from rotator.model.pins import Pin, PinKind
from rotator.model.rules import BadConfig, Base, Clause, LocalRoots, Revocation, Rule, Scope

VENDOR = "https://github.com/MaxToyberman/react-native-ssl-pinning"
_PREFIXES = ("sha256/", "sha1/")
_CERTIFICATE = "cert-sha256:"
_EXPECTED = 'bundled certificates, or JSON rows of {"host": ..., "pins": ["sha256/..."], "pkPinning": true}'


class RnSslPinning(Mechanism):
    """Both platforms' readings of one call."""

    id = "rn-ssl-pinning"
    file_name = "rn-ssl-pinning.json"
    says_certificates = True
    facts = Facts(
        title="react-native-ssl-pinning",
        object="bundled certificates; with pkPinning the public key, SHA-256",
        scope="certificates as the only anchors; keys anywhere in the path",
        host_rule="the host of each call, exactly",
        expiry="none",
        report_only="no",
        local_roots="no other root counts in certificate mode; pins hold with pkPinning",
        update_channel="files in the app's bundle; the list over the air",
        bad_config="every call fails",
        sources=("react-native-ssl-pinning android/ and ios/", VENDOR),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read bundled certificates, or rows of host and pins."""
        findings: list[Finding] = []
        if rows.is_json(data):
            entries = []
            for where, row in rows.load(data, context.subject, _EXPECTED)[1]:
                texts = row.get("pins", row.get("certs"))
                host = row.get("host", row.get("pattern"))
                if not isinstance(texts, list) or not isinstance(host, str | None):
                    raise InputError(Problem("has no pins", file=context.subject, path=where, expected=_EXPECTED))
                if row.get("disableAllSecurity") is True:
                    findings.append(_disabled(f"{context.subject}: {host or where}"))
                    entries.append(Entry(covers=(Cover(host.lower()),) if host else (), unpinned_on_purpose=True))
                    continue
                pins, dead = _pins(context, where, texts, keys=row.get("pkPinning") is True)
                covers = (Cover(host.lower()),) if host else ()
                scope = Scope.ANCHORS if _certificates(pins) else Scope.ANY
                entries.append(Entry(covers=covers, lists=(PinList(scope=scope, pins=pins, dead=dead),)))
            config = PinConfig(entries=tuple(entries))
        else:
            keys = bundled.config_of(data, context, Scope.ANCHORS).entries[0]
            both = PinList(scope=Scope.ANCHORS, pins=(*keys.pins, *bundled.whole_of(data, context)))
            config = PinConfig(entries=(replace(keys, lists=(both,)),))
        if config.pinned:
            findings.append(
                warning(
                    "platforms-differ",
                    context.subject,
                    "with pkPinning iOS ignores the list and takes the keys of every bundled certificate; without it "
                    "Android trusts nothing but the bundled certificates",
                    "bundle exactly the certificates whose keys are in the list",
                    VENDOR,
                )
            )
            findings.append(
                info(
                    "restart-needed",
                    context.subject,
                    "the client is kept for each host: changed pins need a restart",
                    source=VENDOR,
                )
            )
        return Parsed(config=config, findings=(*findings, *self.lint(config, context)))

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Give Android's reading, with iOS's beside it where the two differ."""
        disabled = [e for e in config.entries if e.unpinned_on_purpose]
        if any(not e.covers or any(cover.matches(host) for cover in e.covers) for e in disabled):
            return Rule(base=Base.NONE)
        found = [e for e in config.pinned if not e.covers or any(cover.matches(host) for cover in e.covers)]
        if not found:
            return Rule(listed=not config.pinned)
        clauses = found[0].clauses
        if clauses[0].scope is Scope.ANCHORS:
            android, ios = (
                Rule(clauses=_anchors(found[0], certificates=whole).clauses, base=Base.ANCHORS_REPLACED)
                for whole in (False, True)
            )
            return replace(android, other=replace(ios, revocation=Revocation.SOFT))
        everything = Clause(
            scope=Scope.ANY,
            pins=frozenset(pin for e in config.pinned for pin in e.pins),
            dead=frozenset(text for e in config.pinned for pins in e.lists for text in pins.dead),
        )
        android = Rule(clauses=clauses, local_roots=LocalRoots.ENFORCE)
        ios = Rule(clauses=(everything,), local_roots=LocalRoots.ENFORCE, revocation=Revocation.SOFT)
        return replace(android, other=ios)

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Take keys with `pkPinning`, or certificates alone as bundled files: by their bytes and by their keys."""
        config = lookup.exact_names(bundled.from_pinset(spec, Scope.ANY))
        if not any(_certificates(entry.pins) for entry in config.entries):
            return config
        keys = [spec.also.get((pin, PinKind.SPKI_SHA256)) for pin in spec.certificates]
        known = tuple(key for key in keys if key is not None)
        pins = distinct((*(known if len(known) == len(keys) else ()), *spec.certificates))
        own = (PinList(scope=Scope.ANCHORS, pins=pins),)
        return replace(config, entries=tuple(replace(entry, lists=own) for entry in config.entries))

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Add names that no host has; a bundled certificate counts once, by its key."""
        told = replace(config, entries=tuple(_anchors(entry, certificates=False) for entry in config.entries))
        yield from super().lint(told, context)
        yield from lint.odd_names(config, context, VENDOR)

    def own(self, found: PinConfig, wanted: PinConfig) -> PinConfig:
        """Leave out entries of other names: on iOS they count as well, which a finding says of every such file."""
        names = {cover.name for entry in wanted.entries for cover in entry.covers}
        own = (e for e in found.entries if not e.covers or any(cover.name in names for cover in e.covers))
        return replace(found, entries=tuple(own))

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that names are exact, and that keys and certificates do not go together."""
        yield from super().losses(spec)
        yield from bundled.losses(self.id, spec)
        yield from lookup.exact_only(self.id, spec)

    def render(self, config: PinConfig) -> bytes:
        """Write rows of host and pins."""
        return rows.dump({"rows": _rows(config)})

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Replace the rows of the hosts; a bundled certificate cannot be changed like that."""
        if data.strip() and not rows.is_json(data):
            raise InputError(
                Problem("is a certificate", file=context.subject, hint="put the new certificate's file into the bundle")
            )
        return rows.edit(data, _rows(config), context.subject, str.lower, _read)


def _disabled(where: str) -> Finding:
    return error(
        "security-disabled",
        where,
        "disableAllSecurity is on: every certificate is accepted, pinned or not",
        "take it out of what users get",
        VENDOR,
    )


def _anchors(entry: Entry, *, certificates: bool) -> Entry:
    """Give an entry with the digests of bundled certificates, or of their keys, where it has both."""

    def chosen(pins: PinList) -> PinList:
        some = tuple(pin for pin in pins.pins if pin.kind.of_certificate is certificates)
        return replace(pins, pins=some or pins.pins)

    return replace(entry, lists=tuple(chosen(pins) for pins in entry.lists))


def _certificates(pins: tuple[Pin, ...]) -> bool:
    """Say whether pins stand for bundled certificates, with or without their keys."""
    return any(pin.kind.of_certificate for pin in pins)


def _pins(context: Context, where: str, texts: list[object], *, keys: bool) -> tuple[tuple[Pin, ...], tuple[str, ...]]:
    """Read the list of a call: pins on keys as OkHttp takes them, or the certificates Rotator writes a pinset of.

    Beside certificates their keys may stand, which is what Android compares.

    Raises:
        ConfigRejectedError: OkHttp refuses one of the pins.
        InputError: without `pkPinning` it names files of the bundle.
    """
    whole = any(isinstance(text, str) and text.startswith(_CERTIFICATE) for text in texts)
    for text in texts:
        if keys and not (isinstance(text, str) and text.startswith(_PREFIXES)):
            raise ConfigRejectedError(
                Problem(
                    "a pin without sha256/ in front",
                    file=context.subject,
                    path=where,
                    value=text,
                    expected="sha256/<base64>",
                    hint="OkHttp's CertificatePinner throws: every call fails",
                ),
                BadConfig.ALL_TLS_FAILS,
            )
        if not keys and not (isinstance(text, str) and whole and text.startswith((_CERTIFICATE, *_PREFIXES))):
            raise _names_of_files(context, where, str(text))
    return lookup.read_pins(texts, _read)


def _read(text: str) -> Pin | None:
    return lookup.read_pin(text) if text.startswith((*_PREFIXES, _CERTIFICATE)) else None


def _names_of_files(context: Context, where: str, name: str) -> InputError:
    pin = name.startswith(_PREFIXES)
    return InputError(
        Problem(
            "names a file of the bundle, not a pin",
            file=context.subject,
            path=where,
            value=name,
            expected=_EXPECTED,
            hint="write pkPinning: true for pins on keys" if pin else "read the bundled certificates themselves",
        )
    )


def _rows(config: PinConfig) -> list[rows.Row]:
    found: list[rows.Row] = []
    for entry in config.entries:
        pins = [pin.text for pin in entry.pins]
        found += [
            {"host": cover.name, "pins": pins, "pkPinning": not _certificates(entry.pins)} for cover in entry.covers
        ]
    return found


MECHANISM = RnSslPinning()
