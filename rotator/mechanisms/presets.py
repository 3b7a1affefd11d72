"""Client code that has no file: what a language or a library does when its own code compares pins.

Presets for `[mechanisms.NAME]`, and mechanisms of their own where a policy names them. Each says which list of
certificates the code is given; the axes of `docs/policy-file.md` change the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from rotator.errors import InputError, Problem
from rotator.mechanisms import base
from rotator.mechanisms.base import Context, Entry, Facts, Mechanism, Parsed, PinConfig, PinList, PinsetSpec
from rotator.mechanisms.shared import lint, lookup, rows
from rotator.model.findings import Finding
from rotator.model.pins import Pin
from rotator.model.rules import Base, Builder, Clause, Combine, LocalRoots, PathUse, Rule, Scope

_EXPECTED = 'JSON rows of {"host": ..., "pins": ["sha256/..."]}'


def _seen(scope: Scope, path: PathUse) -> str:
    """Say in words which certificates pins are compared with."""
    if path is PathUse.LEAF or scope is Scope.LEAF:
        return "the leaf"
    of = {
        PathUse.BUILT: "of the built path, root included",
        PathUse.ANY: "of any valid path",
        PathUse.SENT: "as sent",
        PathUse.LINKED: "in a walk from issuer to issuer",
    }
    return f"any certificate {of[path]}"


class Preset(Mechanism):
    """Code that compares pins by itself."""

    says_certificates = True
    file_name = "pins.json"

    def __init__(
        self,
        name: str,
        about: str,
        axes: Mapping[str, Any],
        *,
        scope: Scope,
        sources: tuple[str, ...],
        most_pins: int | None = None,
    ) -> None:
        """Describe the code.

        Args:
            name: the id.
            about: one line on where in the client it sits.
            axes: fields of the rule that differ from a full check on the built path.
            scope: what pins are compared with, unless the policy says otherwise.
            sources: where the behaviour is documented or was seen.
            most_pins: how many pins there is room for; None for any number.
        """
        self.id = name
        self.scope = scope
        self.most_pins = most_pins
        self.axes = dict(axes)
        path = self.axes.get("path", PathUse.BUILT)
        self.facts = Facts(
            title=about,
            object="what the code compares: public keys unless it says otherwise",
            scope=_seen(scope, path),
            host_rule="what the code says",
            expiry="none",
            report_only="what the code says",
            local_roots="as any other root",
            update_channel="code",
            bad_config="what the code makes of it",
            sources=sources,
        )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read rows of `host` and `pins`; a row without a host is for every host."""
        entries = []
        for where, row in rows.load(data, context.subject, _EXPECTED)[1]:
            host, texts = row.get("host", row.get("pattern")), row.get("pins")
            if not isinstance(texts, list) or not isinstance(host, str | None):
                raise lookup.not_rows(context, where, _EXPECTED)
            pins, dead = lookup.read_pins(texts)
            covers = (rows.cover_of(host, row),) if host else ()
            entries.append(Entry(covers=covers, lists=(PinList(scope=self.scope, pins=pins, dead=dead),)))
        config = PinConfig(entries=tuple(entries))
        return Parsed(config=config, findings=tuple(self.lint(config, context)))

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Demand the pins with the axes of this code."""
        found = [e for e in config.pinned if not e.covers or any(cover.matches(host) for cover in e.covers)]
        rule = Rule(
            clauses=tuple(Clause(scope=self.scope, pins=c.pins, dead=c.dead) for e in found[:1] for c in e.clauses),
            listed=bool(found) or not config.pinned,
            local_roots=LocalRoots.ENFORCE,
        )
        axes = self.axes if rule.clauses else {k: v for k, v in self.axes.items() if k in ("builder", "unknown_choice")}
        return replace(rule, **axes)

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Add names that no host has."""
        yield from super().lint(config, context)
        yield from lint.odd_names(config, context, self.facts.source)

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Take everything the pinset holds, as far as there is room."""
        pins = base.distinct((*spec.keys, *spec.authorities, *spec.certificates))[: self.most_pins]
        if not pins:
            return PinConfig()
        return PinConfig(entries=(Entry(covers=spec.covers, lists=(PinList(scope=self.scope, pins=pins),)),))

    def render(self, config: PinConfig) -> bytes:
        """Write rows of `host` and `pins`."""
        return rows.dump({"rows": rows.table(config, _text)})

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Replace the rows of the hosts; other rows and keys stay."""
        return rows.edit(data, rows.table(config, _text), context.subject)


def _text(pin: Pin) -> str:
    return pin.text


GO = Preset(
    "go",
    "Go VerifyConnection over all verified chains",
    {"path": PathUse.ANY},
    scope=Scope.ANY,
    sources=("Go crypto/tls Config.VerifyConnection",),
)
GO_SENT = Preset(
    "go-sent",
    "Go VerifyPeerCertificate over what the peer sent",
    {"path": PathUse.SENT},
    scope=Scope.ANY,
    sources=("Go crypto/tls Config.VerifyPeerCertificate",),
)
JDK = Preset(
    "jdk",
    "Java trust manager over the path that PKIX built",
    {"path": PathUse.BUILT, "unknown_choice": True},
    scope=Scope.ANY,
    sources=("JDK X509TrustManager",),
)
DOTNET = Preset(
    "dotnet",
    ".NET ServerCertificateCustomValidationCallback that returns true on a match",
    {"path": PathUse.LEAF, "base": Base.NONE},
    scope=Scope.LEAF,
    sources=(".NET HttpClientHandler.ServerCertificateCustomValidationCallback",),
)
RUSTLS = Preset(
    "rustls",
    "rustls ServerCertVerifier around WebPkiServerVerifier, over what the peer sent",
    {"path": PathUse.SENT},
    scope=Scope.ANY,
    sources=("rustls client::danger::ServerCertVerifier",),
)
PHP = Preset(
    "php",
    "PHP stream peer_fingerprint",
    {"path": PathUse.LEAF, "builder": Builder.FIRST_ISSUER},
    scope=Scope.LEAF,
    sources=("PHP SSL context options",),
    most_pins=1,
)
PERL = Preset(
    "perl",
    "Perl IO::Socket::SSL SSL_fingerprint: a trusted path, or the fingerprint",
    {"path": PathUse.LEAF, "builder": Builder.FIRST_ISSUER, "combine": Combine.PATH_OR_PIN},
    scope=Scope.LEAF,
    sources=("IO::Socket::SSL SSL_fingerprint",),
)
HTTPX = Preset(
    "httpx",
    "httpx, the peer's certificate read once the request was sent",
    {"path": PathUse.LEAF, "builder": Builder.FIRST_ISSUER},
    scope=Scope.LEAF,
    sources=("Python ssl.SSLSocket.getpeercert",),
)
TOFU = Preset(
    "tofu",
    "trust on first use, as GnuTLS --strict-tofu and ssh",
    {"path": PathUse.LEAF, "base": Base.TOFU},
    scope=Scope.LEAF,
    sources=("GnuTLS gnutls-cli --strict-tofu",),
    most_pins=1,
)


class Unpinned(Preset):
    """A client that pins nothing, such as a web view beside a pinned connection."""

    file_name = ""

    def parse(self, data: bytes, context: Context) -> Parsed:  # noqa: ARG002 - no file is its own
        """Refuse any file.

        Raises:
            InputError: always.
        """
        raise _no_file(self.id)

    def render(self, config: PinConfig) -> bytes:  # noqa: ARG002 - there is nothing to write
        """Refuse to write.

        Raises:
            InputError: always.
        """
        raise _no_file(self.id)

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:  # noqa: ARG002 - as with `render`
        """Refuse to write.

        Raises:
            InputError: always.
        """
        raise _no_file(self.id)

    def __init__(self) -> None:
        """Describe it."""
        super().__init__("none", "no pinning", {}, scope=Scope.ANY, sources=("RFC 5280",))
        self.facts = replace(
            self.facts, object="nothing", scope="nothing", host_rule="every host", report_only="no", bad_config="none"
        )

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:  # noqa: ARG002 - pins mean nothing here
        """Pins mean nothing here."""
        return PinConfig()

    def rule(self, config: PinConfig, host: str) -> Rule:  # noqa: ARG002 - every host alike
        """Demand a valid path only."""
        return Rule()

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:  # noqa: ARG002 - nothing is said at all
        """Nothing is written, so nothing is lost."""
        return iter(())

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:  # noqa: ARG002 - nothing is pinned on purpose
        """Nothing is pinned, on purpose."""
        return iter(())


def _no_file(name: str) -> InputError:
    return InputError(Problem("no file belongs to this mechanism", value=name))


NONE = Unpinned()
