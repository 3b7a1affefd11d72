"""Alamofire `ServerTrustManager`: evaluators by host, pinning the keys or the certificates of bundled files.

Rules from Alamofire's `ServerTrustEvaluation.swift`: exact host keys; by default a host without an evaluator fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rotator.errors import InputError, Problem
from rotator.mechanisms.base import Context, Entry, Facts, Mechanism, Parsed, PinConfig, PinList, PinsetSpec
from rotator.mechanisms.shared import bundled, lint, lookup, rows
from rotator.model.findings import Finding, info, warning
from rotator.model.names import Cover
from rotator.model.rules import Fallback, LocalRoots, Revocation, Rule, Scope

VENDOR = "https://github.com/Alamofire/Alamofire/blob/master/Documentation/AdvancedUsage.md"


class Alamofire(Mechanism):
    """PublicKeysTrustEvaluator or PinnedCertificatesTrustEvaluator for each host that is listed."""

    id = "alamofire"
    file_name = "alamofire-pins.json"
    says_certificates = True
    facts = Facts(
        title="Alamofire ServerTrustManager",
        object="the key (PublicKeysTrustEvaluator) or the bytes (PinnedCertificatesTrustEvaluator) of bundled files",
        scope="any certificate of the path",
        host_rule="exact names only, letter case too; a host that is not listed is refused",
        expiry="none",
        report_only="no",
        local_roots="pins hold",
        update_channel="files in the app's bundle",
        bad_config="no readable file in the bundle: every evaluation fails",
        sources=("Alamofire Source/Features/ServerTrustEvaluation.swift", VENDOR),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read bundled certificates (DER or PEM), or JSON rows of `host` and `pins` as Rotator writes them."""
        findings: list[Finding] = []
        if rows.is_json(data):
            config = _from_rows(data, context)
        else:
            config = bundled.config_of(data, context, Scope.ANY)
            findings.append(
                info(
                    "key-or-certificate",
                    context.subject,
                    "read as keys, for PublicKeysTrustEvaluator; PinnedCertificatesTrustEvaluator compares the whole "
                    "certificate, which breaks at every renewal",
                    source=VENDOR,
                )
            )
            findings.append(
                warning(
                    "hosts-in-code",
                    context.subject,
                    "which hosts are listed stands in the code: any other host is refused",
                    "list every host the session talks to, or pass allHostsMustBeEvaluated: false",
                    VENDOR,
                )
            )
        return Parsed(config=config, findings=(*findings, *self.lint(config, context)))

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Choose the entry of the exact host; without one the request fails."""
        found = [e for e in config.entries if not e.covers or any(c.name == host for c in e.covers)]
        return Rule(
            clauses=found[0].clauses if found else (),
            listed=bool(found) or not (config.entries or config.given),
            no_host=Fallback.CLOSED,
            local_roots=LocalRoots.ENFORCE,
            revocation=Revocation.SOFT,
        )

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """List each name exactly; subdomains cannot be said, and a list of nothing refuses every host."""
        return replace(lookup.exact_names(bundled.from_pinset(spec, Scope.ANY)), given=True)

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Add names that no host has."""
        yield from super().lint(config, context)
        yield from lint.odd_names(config, context, VENDOR)

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that names are exact, and that keys and certificates do not go together."""
        yield from super().losses(spec)
        yield from bundled.losses(self.id, spec)
        yield from lookup.exact_only(self.id, spec)

    def render(self, config: PinConfig) -> bytes:
        """Write rows of `host` and `pins`."""
        return rows.dump({"rows": _rows(config)})

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Replace the rows of the hosts; a bundled certificate cannot be changed like that."""
        if data.strip() and not rows.is_json(data):
            raise InputError(
                Problem("is a certificate", file=context.subject, hint="put the new certificate's file into the bundle")
            )
        return rows.edit(data, _rows(config), context.subject, str)


def _rows(config: PinConfig) -> list[rows.Row]:
    return [
        {"host": cover.name, "pins": [pin.text for pin in entry.pins]}
        for entry in config.entries
        for cover in entry.covers
    ]


def _from_rows(data: bytes, context: Context) -> PinConfig:
    """Read rows: a dictionary of Swift compares its keys exactly, letter case and last dot too."""
    expected = 'JSON rows of {"host": ..., "pins": [...]}'
    entries = []
    for where, row in rows.load(data, context.subject, expected)[1]:
        host, texts = row.get("host"), row.get("pins")
        if not isinstance(host, str) or not isinstance(texts, list):
            raise InputError(Problem("has no host and pins", file=context.subject, path=where, expected=expected))
        pins, dead = lookup.read_pins(texts)
        entries.append(Entry(covers=(Cover(host),), lists=(PinList(scope=Scope.ANY, pins=pins, dead=dead),)))
    return PinConfig(entries=tuple(entries), given=True)


MECHANISM = Alamofire()
