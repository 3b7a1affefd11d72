"""aiohttp `ssl=Fingerprint(...)`: one SHA-256 of the leaf certificate, and nothing else is checked.

Rules from aiohttp's `client_reqrep.py` and `connector.py`, checked with 3.14: with a fingerprint the chain, its dates
and the host name are not looked at.
"""

from __future__ import annotations

from rotator.mechanisms.base import Context, Facts, Mechanism, Parsed, PinConfig, PinsetSpec
from rotator.mechanisms.shared import fingerprints
from rotator.model.findings import warning
from rotator.model.rules import BadConfig, Base, Builder, LocalRoots, PathUse, Rule, Scope

VENDOR = "https://docs.aiohttp.org/en/stable/client_reference.html"


class Aiohttp(Mechanism):
    """One certificate, no path."""

    id = "aiohttp"
    scope = Scope.LEAF
    file_name = "fingerprint.txt"
    says_certificates = True
    says_keys = False
    most_pins = 1
    names_hosts = False
    facts = Facts(
        title="aiohttp Fingerprint",
        object="certificate, SHA-256, one value",
        scope="the leaf",
        host_rule="every request it is given for",
        expiry="none, and the certificate's own end does not count either",
        report_only="no",
        local_roots="no path is checked at all",
        update_channel="code or configuration",
        bad_config="a digest of another length, or none, raises ValueError",
        sources=("aiohttp client_reqrep.py", VENDOR),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read one hexadecimal digest of 32 bytes; any other raises as `Fingerprint(...)` does."""
        config = fingerprints.config(
            fingerprints.texts(data, context) or [""],
            context,
            lengths=(32,),
            most=1,
            consequence=BadConfig.CRASH,
            how="Fingerprint(...) raises ValueError",
        )
        note = warning(
            "nothing-else-checked",
            context.subject,
            "with a fingerprint aiohttp checks neither path nor dates nor name: a stolen key is accepted past its "
            "certificate's end",
            "prefer a client that also verifies, with an SSLContext of your own",
            VENDOR,
        )
        findings = (note, *fingerprints.lint(config, context, VENDOR), *self.lint(config, context))
        return Parsed(config=config, findings=findings)

    def refuse(self, config: PinConfig, context: Context) -> str:  # noqa: ARG002 - nothing from outside is needed
        """Refuse several values: there is room for one."""
        return fingerprints.too_many(config)

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Demand the one certificate and nothing else."""
        clauses = fingerprints.clauses(config, host)
        return Rule(
            clauses=clauses,
            listed=bool(clauses) or not config.pinned,
            path=PathUse.LEAF,
            builder=Builder.FIRST_ISSUER,
            base=Base.NONE if clauses else Base.FULL,
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
        return fingerprints.edit(data, config, context)


MECHANISM = Aiohttp()
