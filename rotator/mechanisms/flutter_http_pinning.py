"""Flutter `http_certificate_pinning`: hexadecimal digests of the leaf certificate, checked on a connection of its own.

Rules from the plug-in's Kotlin and Swift sources. The check opens its own connection and the request then uses
another: somebody in between can let the first one through and take the second.
"""

from __future__ import annotations

from collections.abc import Iterator

from rotator.errors import Problem
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
from rotator.mechanisms.shared import fingerprints, lint
from rotator.model.findings import Finding, error, warning
from rotator.model.names import Cover
from rotator.model.rules import BadConfig, LocalRoots, PathUse, Rule, Scope

VENDOR = "https://pub.dev/packages/http_certificate_pinning"


class FlutterHttpPinning(Mechanism):
    """A probe before the request."""

    id = "flutter-http-pinning"
    scope = Scope.LEAF
    file_name = "fingerprints.txt"
    says_certificates = True
    says_keys = False
    names_hosts = False
    facts = Facts(
        title="Flutter http_certificate_pinning",
        object="certificate, SHA-256 or SHA-1",
        scope="the leaf, on a connection of its own",
        host_rule="every host that is called",
        expiry="none",
        report_only="no",
        local_roots="as the platform's default store",
        update_channel="code",
        bad_config="what is no digest never matches; an empty list refuses everything",
        sources=("http_certificate_pinning HttpCertificatePinningPlugin", VENDOR),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read digests one a line, or JSON rows with `pins`."""
        by_host: dict[tuple[Cover, ...], list[str]] = {}
        for covers, texts in fingerprints.rows(data, context):
            by_host.setdefault(covers, []).extend(texts)
        if not by_host or not all(by_host.values()):
            raise ConfigRejectedError(
                Problem("an empty list of fingerprints", file=context.subject, hint="the check refuses every request"),
                BadConfig.ALL_TLS_FAILS,
            )
        config = PinConfig(
            entries=tuple(Entry(covers=covers, lists=(_list(texts),)) for covers, texts in by_host.items())
        )
        return Parsed(
            config=config, findings=(*fingerprints.lint(config, context, VENDOR), *self.lint(config, context))
        )

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Demand one of the certificates of the probe, and a full check of path and name of both connections."""
        clauses = fingerprints.clauses(config, host)
        return Rule(
            clauses=clauses,
            listed=bool(clauses) or not config.pinned,
            path=PathUse.LEAF,
            local_roots=LocalRoots.ENFORCE,
            probe=bool(clauses),
        )

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Add that the data connection is not pinned."""
        dead = dict.fromkeys(text for entry in config.entries for own in entry.lists for text in own.dead)
        yield from lint.lint_pins(config, context, self.facts.source, told=frozenset(dead))
        for text in dead:
            yield error(
                "pin-never-matches",
                context.subject,
                f"{text!r} is no SHA-1 or SHA-256 in hexadecimal: it never matches, and every request fails if no "
                "other does",
                "write the 40 or 64 hexadecimal digits of the certificate's digest",
                VENDOR,
            )
        if config.pinned:
            yield warning(
                "probe-only",
                context.subject,
                "the pins are checked on a connection of their own: the one that carries the data is not pinned",
                "use a client that pins the connection it uses",
                VENDOR,
            )

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Take the certificates; keys cannot be said."""
        return fingerprints.from_pinset(spec)

    def render(self, config: PinConfig) -> bytes:
        """Write digests one a line."""
        return fingerprints.render(config)

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Change the digests, one a line or in the list of every row; everything else stays."""
        return fingerprints.edit(data, config, context)


def _list(texts: list[str]) -> PinList:
    """Read a list of digests; what is none can never match, beside others that can."""
    read = {text: fingerprints.pin_of(text, (20, 32)) for text in texts}
    pins = distinct(pin for pin in read.values() if pin is not None)
    return PinList(scope=Scope.LEAF, pins=pins, dead=tuple(text for text, pin in read.items() if pin is None))


MECHANISM = FlutterHttpPinning()
