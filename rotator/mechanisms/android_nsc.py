"""Android Network Security Config: `<pin-set>` in `network_security_config.xml`.

Read as AOSP `android.security.net.config.XmlConfigSource` reads it; hosts chosen as in
`ApplicationConfig.getConfigForHostname`; pins compared as in `NetworkSecurityTrustManager.checkPins`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from rotator.mechanisms.base import Context, Facts, Mechanism, Parsed, PinConfig, PinsetSpec
from rotator.mechanisms.shared import nsc, nsc_edit, nsc_lint
from rotator.mechanisms.shared.nsc import VENDOR
from rotator.model.findings import Finding
from rotator.model.rules import Cleartext, Expiry, Rule


class AndroidNsc(Mechanism):
    """The platform's own pinning since Android 7."""

    id = "android-nsc"
    cleartext = Cleartext.REFUSED
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
        reader = nsc.Reader(context.subject)
        reader.root(nsc.tree(data, context))
        config = reader.config()
        return Parsed(config=config, findings=(*reader.findings, *self.lint(config, context)))

    def expiry(self, expires: date | datetime | None) -> Expiry | None:
        """Pins end at 00:00 of the day on each device's own clock (SimpleDateFormat in the default zone)."""
        return nsc.expiry(expires)

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Choose the block for a host: the exact name, else the longest parent that includes subdomains."""
        return nsc.rule(config, host)

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Add what only this format hides: blocks that unpin, expiry that comes 26 hours apart."""
        yield from super().lint(config, context)
        yield from nsc_lint.lint(config, context)

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Make one block; a name with exactly one label below it can only be said with all of them."""
        return super().from_pinset(nsc.sayable(spec))

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that one label below a name cannot be said."""
        yield from super().losses(spec)
        yield from nsc.unsaid(self.id, spec)

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Change pins and expiry inside the blocks of the names, and add a block for names without one."""
        return nsc_edit.edited(data, nsc.tree(data, context), config)

    def render(self, config: PinConfig) -> bytes:
        """Write a configuration; nested blocks are written inside their parents."""
        return nsc.render(config)


MECHANISM = AndroidNsc()
