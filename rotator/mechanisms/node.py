"""Node `checkServerIdentity` with the documented recipe: `sha256(cert.pubkey)` of the leaf.

Rules from Node's `tls` documentation and runs with Node 20: called only after the chain was validated. `cert.pubkey`
is the SubjectPublicKeyInfo for RSA, but the bare point for elliptic curves, so a standard pin matches RSA keys only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rotator.errors import InputError, Problem
from rotator.mechanisms import base
from rotator.mechanisms.base import Context, Entry, Facts, Mechanism, Parsed, PinConfig, PinList, PinsetSpec
from rotator.mechanisms.shared import lint, rows
from rotator.model.findings import Finding, info
from rotator.model.pins import Pin, PinKind, b64, decode_strict, is_canonical
from rotator.model.rules import Builder, LocalRoots, PathUse, Rule, Scope

VENDOR = "https://nodejs.org/api/https.html#httpsrequestoptions-callback"
_EXPECTED = 'JSON rows of {"host": ..., "pins": ["<base64>"]}'


class Node(Mechanism):
    """An agent whose `checkServerIdentity` compares the key and then does the usual name check."""

    id = "node"
    scope = Scope.LEAF
    file_name = "node-pins.json"
    facts = Facts(
        title="Node checkServerIdentity, documented recipe",
        object="public key as Node gives it: the SPKI for RSA, the bare point for elliptic curves",
        scope="the leaf",
        host_rule="the hosts of the code's own table, or every request of the agent",
        expiry="none",
        report_only="no",
        local_roots="pins hold, where the root is trusted at all",
        update_channel="code",
        bad_config="what the code makes of it",
        sources=("Node tls and https documentation", VENDOR),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read rows of `host` and `pins`; a row without a host is for every request."""
        entries = []
        for where, row in rows.load(data, context.subject, _EXPECTED)[1]:
            host = row.get("host", row.get("pattern"))
            texts = row.get("pins")
            if not isinstance(texts, list) or not isinstance(host, str | None):
                raise InputError(Problem("has no pins", file=context.subject, path=where, expected=_EXPECTED))
            pins, dead = self._pins(texts)
            covers = (rows.cover_of(host, row),) if host else ()
            entries.append(Entry(covers=covers, lists=(PinList(scope=Scope.LEAF, pins=pins, dead=dead),)))
        config = PinConfig(entries=tuple(entries))
        return Parsed(config=config, findings=tuple(self.lint(config, context)))

    @staticmethod
    def _pins(texts: list[object]) -> tuple[tuple[Pin, ...], tuple[str, ...]]:
        pins, dead = [], []
        for text in texts:
            body = text.removeprefix("sha256/") if isinstance(text, str) else ""
            digest = decode_strict(body)
            if digest is None or len(digest) != 32 or not is_canonical(body):
                dead.append(str(text))
                continue
            pins.append(Pin(PinKind.RAW, digest))
        return base.distinct(pins), tuple(dead)

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Demand the leaf's key as Node gives it, after a full check."""
        found = [e for e in config.pinned if not e.covers or any(cover.matches(host) for cover in e.covers)]
        return Rule(
            clauses=found[0].clauses if found else (),
            listed=bool(found) or not config.pinned,
            path=PathUse.LEAF,
            builder=Builder.FIRST_ISSUER,
            local_roots=LocalRoots.ENFORCE,
            common_name=True,
        )

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Compare our keys' standard digests with what Node gives: for elliptic curves they never agree."""
        if not spec.keys and not spec.authorities:
            return PinConfig()  # with authorities alone nothing matches, as in curl
        pins = tuple(replace(pin, kind=PinKind.RAW) for pin in spec.keys if pin.kind is PinKind.SPKI_SHA256)
        return PinConfig(entries=(Entry(covers=spec.covers, lists=(PinList(scope=Scope.LEAF, pins=pins),)),))

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Add the trap of elliptic-curve keys."""
        yield from super().lint(config, context)
        yield from lint.odd_names(config, context, VENDOR)
        if config.pinned:
            yield info(
                "node-raw-point",
                context.subject,
                "for elliptic-curve keys Node hashes the bare point: a standard key pin never matches there",
                "hash cert.publicKey.export({type: 'spki', format: 'der'}) of an X509Certificate instead",
                VENDOR,
            )

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that CA pins never match, and what elliptic curves do."""
        yield from super().losses(spec)
        if spec.authorities:
            yield "leaf-only", "node compares the leaf's key: pins on authorities never match and are left out"
        if any(spec.also.get((pin, PinKind.RAW), pin).digest != pin.digest for pin in spec.keys):
            yield (
                "raw-point",
                "node hashes the bare point of an elliptic-curve key: its standard pin never matches there",
            )

    def render(self, config: PinConfig) -> bytes:
        """Write rows of `host` and `pins`."""
        return rows.dump({"rows": rows.table(config, _text)})

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Replace the rows of the hosts; other rows and keys stay."""
        return rows.edit(data, rows.table(config, _text), context.subject)


def _text(pin: Pin) -> str:
    return b64(pin.digest)


MECHANISM = Node()
