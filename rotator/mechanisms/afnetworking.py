"""AFNetworking `AFSecurityPolicy`: bundled certificates, compared as keys, or made the only trust anchors.

Rules from AFNetworking's `AFSecurityPolicy.m`. No map of hosts: the policy is for every host of the manager.
"""

from __future__ import annotations

from collections.abc import Iterator

from rotator.errors import InputError, Problem
from rotator.mechanisms.base import Context, Entry, Facts, Mechanism, Parsed, PinConfig, PinList, PinsetSpec
from rotator.mechanisms.shared import bundled, lookup
from rotator.model.findings import error, info
from rotator.model.rules import Base, Clause, LocalRoots, Revocation, Rule, Scope

VENDOR = "https://github.com/AFNetworking/AFNetworking/blob/master/AFNetworking/AFSecurityPolicy.m"


class AfNetworking(Mechanism):
    """Public-key mode for keys, certificate mode for whole certificates."""

    id = "afnetworking"
    file_name = "afnetworking-pins.txt"
    says_certificates = True
    names_hosts = False
    facts = Facts(
        title="AFNetworking AFSecurityPolicy",
        object="the key, or the bytes, of bundled certificates",
        scope="any certificate of the path; in certificate mode the pinned ones are the only anchors",
        host_rule="every host of the manager",
        expiry="none",
        report_only="no",
        local_roots="pins hold; in certificate mode no other root counts at all",
        update_channel="files in the app's bundle",
        bad_config="no certificate in the bundle: every connection fails",
        sources=("AFNetworking AFSecurityPolicy.m", VENDOR),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read bundled certificates, or one `sha256/...` pin a line as Rotator writes them."""
        if b"-----BEGIN" in data or data[:1] == b"\x30":
            config = bundled.config_of(data, context, Scope.ANY)
            note = info(
                "key-or-certificate",
                context.subject,
                "read as keys, for AFSSLPinningModePublicKey; AFSSLPinningModeCertificate makes them the only anchors",
                source=VENDOR,
            )
            return Parsed(config=config, findings=(note, *self.lint(config, context)))
        config = lookup.config_of_lines(data, context, Scope.ANY, "sha256/... one a line")
        if not config.entries:
            config = PinConfig(entries=(Entry(lists=(PinList(scope=Scope.ANY),)),))
            nothing = error(
                "empty-list",
                context.subject,
                "an empty list: no certificate can match, so every connection fails",
                "pin a key, or set AFSSLPinningModeNone",
                VENDOR,
            )
            return Parsed(config=config, findings=(nothing, *self.lint(config, context)))
        return Parsed(config=config, findings=tuple(self.lint(config, context)))

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Demand the pins of every host; whole certificates replace the trust store."""
        found = [e for e in config.pinned if not e.covers or any(cover.matches(host) for cover in e.covers)]
        if not found:
            return Rule(listed=not config.pinned, revocation=Revocation.SOFT)
        anchors = bundled.whole(found[0].pins)
        scope = Scope.ANCHORS if anchors else Scope.ANY
        return Rule(
            clauses=tuple(Clause(scope=scope, pins=c.pins, dead=c.dead) for c in found[0].clauses),
            base=Base.ANCHORS_REPLACED if anchors else Base.FULL,
            local_roots=LocalRoots.ENFORCE,
            revocation=Revocation.SOFT,
        )

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Take what the pinset has: keys in public-key mode, certificates alone in certificate mode."""
        return bundled.from_pinset(spec, Scope.ANY)

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that keys and certificates do not go together."""
        yield from super().losses(spec)
        yield from bundled.losses(self.id, spec)

    def render(self, config: PinConfig) -> bytes:
        """Write pins one a line."""
        return lookup.lines_of(config)

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Change the pins, one a line; comments stay. A bundled certificate cannot be changed like that."""
        if b"-----BEGIN" in data or data[:1] == b"\x30":
            raise InputError(
                Problem("is a certificate", file=context.subject, hint="put the new certificate's file into the bundle")
            )
        return lookup.edit_lines(data, config, lookup.read_pin, lambda pin: pin.text, context)


MECHANISM = AfNetworking()
