"""urllib3 `assert_fingerprint`, which requests adapters pass on: one digest of the leaf certificate.

Rules from urllib3's `util/ssl_.py` and `connection.py`, checked with 2.7 and 2.8: the chain is still verified, the
host name no longer is once a fingerprint is set; an empty value switches the pin off.
"""

from __future__ import annotations

from rotator.mechanisms.base import Context, Facts, Mechanism, Parsed, PinConfig, PinsetSpec
from rotator.mechanisms.shared import fingerprints
from rotator.model.findings import Finding, warning
from rotator.model.rules import BadConfig, Base, Builder, LocalRoots, PathUse, Rule, Scope

VENDOR = "https://urllib3.readthedocs.io/en/stable/advanced-usage.html"


class Urllib3(Mechanism):
    """One certificate, any host of the pool."""

    id = "urllib3"
    scope = Scope.LEAF
    file_name = "fingerprint.txt"
    says_certificates = True
    says_keys = False
    most_pins = 1
    names_hosts = False
    facts = Facts(
        title="urllib3 and requests assert_fingerprint",
        object="certificate, MD5, SHA-1 or SHA-256, one value",
        scope="the leaf",
        host_rule="every host of the pool",
        expiry="none",
        report_only="no",
        local_roots="pins hold",
        update_channel="code or configuration",
        bad_config="a digest of another length fails every connection; an empty one switches the pin off",
        sources=("urllib3 util/ssl_.py", VENDOR),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read one hexadecimal digest; colons and case do not matter, spaces do."""
        findings: list[Finding] = []
        texts = fingerprints.texts(data, context)
        if not texts:
            findings.append(
                warning(
                    "empty-fingerprint",
                    context.subject,
                    "an empty fingerprint switches the pin off without a word",
                    "give the digest, or take assert_fingerprint out",
                    VENDOR,
                )
            )
            config = PinConfig()
        else:
            config = fingerprints.config(
                texts,
                context,
                lengths=(16, 20, 32),
                most=1,
                consequence=BadConfig.ALL_TLS_FAILS,
                between=fingerprints.COLONS,
                how="urllib3 raises SSLError: every connection fails",
            )
        findings += fingerprints.lint(config, context, VENDOR)
        return Parsed(config=config, findings=(*findings, *self.lint(config, context)))

    def refuse(self, config: PinConfig, context: Context) -> str:  # noqa: ARG002 - nothing from outside is needed
        """Refuse several values: there is room for one."""
        return fingerprints.too_many(config)

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Demand the one certificate; the host name is not checked while it is set."""
        clauses = fingerprints.clauses(config, host)
        return Rule(
            clauses=clauses,
            listed=bool(clauses) or not config.pinned,
            path=PathUse.LEAF,
            builder=Builder.FIRST_ISSUER,
            base=Base.NO_HOST if clauses else Base.FULL,
            local_roots=LocalRoots.ENFORCE,
        )

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Take the certificate in use; keys cannot be said."""
        return fingerprints.from_pinset(spec, self.most_pins)

    def render(self, config: PinConfig) -> bytes:
        """Write the digest."""
        return fingerprints.render(config)

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Put the digest in the place of the old one; comments stay."""
        return fingerprints.edit(data, config, context, fingerprints.COLONS)


MECHANISM = Urllib3()
