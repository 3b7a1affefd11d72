"""Firefox's built-in pins: `StaticHPKPins.h`, or the same values as JSON.

Rules from Gecko's `PublicKeyPinningService.cpp`: the check runs inside path building, so any path that satisfies the
pins is enough. The list is Mozilla's own: it is read, and never written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rotator.errors import InputError, Problem
from rotator.mechanisms import base
from rotator.mechanisms.base import Context, Entry, Facts, Mechanism, Parsed, PinConfig, PinList, PinsetSpec
from rotator.mechanisms.shared import lookup
from rotator.model.findings import Finding, info
from rotator.model.names import Cover, Reach
from rotator.model.pins import Pin, decode_strict, spki_pin
from rotator.model.rules import LocalRoots, Mode, PathUse, Revocation, Rule, Scope

SOURCE = "https://searchfox.org/mozilla-central/source/security/manager/ssl/PublicKeyPinningService.cpp"
_EXPECTED = "StaticHPKPins.h, or JSON with fingerprints, pinsets and entries"
_FINGERPRINT = re.compile(r"static const char\s+(k\w+)Fingerprint\[\]\s*=\s*\"([^\"]*)\"")
_PINSET = re.compile(r"static const char\* const\s+(kPinset_\w+)_Data\[\]\s*=\s*\{([^{}]*)\};")
_ENTRY = re.compile(
    r"\{\s*\"([^\"]+)\",\s*(true|false),\s*(true|false),\s*(true|false),\s*-?\d+,\s*&?(kPinset_\w+)\s*\}"
)
_EXPIRES = re.compile(r"kPreloadPKPinsExpirationTime\s*=\s*INT64_C\((\d+)\)")


class Firefox(Mechanism):
    """Pins compiled into Firefox, at the level it ships with: roots that were added locally bypass them."""

    id = "firefox"
    says_expiry = True
    ours_to_write = False
    facts = Facts(
        title="Firefox built-in pins",
        object="public key, SHA-256",
        scope="any certificate of any valid path",
        host_rule="exact name, else the nearest parent that includes its subdomains",
        expiry="one date for the whole list, 14 weeks after the build, then open",
        report_only="entries in test mode",
        local_roots="bypassed at level 1, which is the default; level 2 enforces",
        update_channel="browser release",
        bad_config="the list does not build",
        sources=("Gecko security/manager/ssl/PublicKeyPinningService.cpp", SOURCE),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read the C header, or its values as JSON."""
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InputError(Problem("is not UTF-8 text", file=context.subject, expected=_EXPECTED)) from None
        whole = _from_json(text, context) if text.lstrip().startswith("{") else _from_header(text)
        if not whole["entries"]:
            raise InputError(Problem("holds no list of pins", file=context.subject, expected=_EXPECTED))
        entries = tuple(self._entries(whole, context))
        config = PinConfig(entries=entries)
        findings: list[Finding] = []
        tested = sum(1 for entry in entries if entry.mode is Mode.REPORT_ONLY)
        if tested:
            findings.append(
                info(
                    "test-mode",
                    context.subject,
                    f"{tested} entries are in test mode: reported, not enforced",
                    source=SOURCE,
                )
            )
        return Parsed(config=config, findings=(*findings, *self.lint(config, context)))

    def _entries(self, whole: Mapping[str, Any], context: Context) -> Iterator[Entry]:
        micros = whole.get("expirationTimeMicros")
        expires = (
            datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
            if isinstance(micros, int) and 0 < micros < 2**56
            else None
        )
        for row in whole["entries"]:
            host, pinset = row.get("host"), row.get("pinset")
            names = whole["pinsets"].get(pinset) if isinstance(pinset, str) else None
            if not isinstance(host, str) or names is None or not all(isinstance(name, str) for name in names):
                raise InputError(Problem("an entry without host or pinset", file=context.subject, value=str(pinset)))
            pins = tuple(self._pin(name, whole, context) for name in names)
            yield Entry(
                covers=(Cover(host.lower(), Reach.ALL if row.get("includeSubdomains") is True else Reach.EXACT),),
                lists=(PinList(scope=Scope.ANY, pins=base.distinct(pins)),),
                expires=expires,
                mode=Mode.REPORT_ONLY if row.get("testMode") is True else Mode.ENFORCE,
            )

    @staticmethod
    def _pin(name: str, whole: Mapping[str, Any], context: Context) -> Pin:
        text = whole["fingerprints"].get(name.removesuffix("Fingerprint"), whole["fingerprints"].get(name))
        digest = decode_strict(text) if isinstance(text, str) else None
        if digest is None or len(digest) != 32:
            raise InputError(Problem("a pin that has no digest of 32 bytes", file=context.subject, value=name))
        return spki_pin(digest)

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Make one entry for each name, as the list would have it."""
        return lookup.reach_all_or_exact(super().from_pinset(spec))

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that one label below a name cannot be said, and that the list ends whether the pinset does or not."""
        yield from super().losses(spec)
        yield from lookup.covers_more(self.id, spec)
        yield from lookup.ends_by_itself(self.id, spec, "14 weeks after its build")

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Choose the exact name, else the nearest parent that includes its subdomains; a name needs a dot.

        Certificates that CRLite covers are refused once they are revoked (enforced since Firefox 137).
        """
        entry = lookup.exact_or_parent(config, host) if "." in host else None
        if entry is None:
            open_ = replace(base.unlisted(config), local_roots=LocalRoots.BYPASS, path=PathUse.ANY)
            return replace(open_, revocation=Revocation.HARD)
        return Rule(
            clauses=entry.clauses,
            expiry=self.expiry(entry.expires),
            mode=entry.mode,
            path=PathUse.ANY,
            local_roots=LocalRoots.BYPASS,
            revocation=Revocation.HARD,
        )


def _from_json(text: str, context: Context) -> dict[str, Any]:
    try:
        whole = json.loads(text)
        pinsets = {str(k): list(v) if isinstance(v, list) else list(v["hashes"]) for k, v in whole["pinsets"].items()}
        return {
            "fingerprints": dict(whole["fingerprints"]),
            "pinsets": pinsets,
            "entries": [row for row in whole.get("entries", whole.get("hosts")) if isinstance(row, dict)],
            "expirationTimeMicros": whole.get("expirationTimeMicros"),
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(
            Problem("is not the JSON of a list of pins", file=context.subject, expected=_EXPECTED)
        ) from None


def _from_header(text: str) -> dict[str, Any]:
    expires = _EXPIRES.search(text)
    return {
        "fingerprints": dict(_FINGERPRINT.findall(text)),
        "pinsets": {name: re.findall(r"\w+", body) for name, body in _PINSET.findall(text)},
        "entries": [
            {"host": host, "includeSubdomains": sub == "true", "testMode": test == "true", "pinset": pinset}
            for host, sub, test, _, pinset in _ENTRY.findall(text)
        ],
        "expirationTimeMicros": int(expires[1]) if expires else None,
    }


MECHANISM = Firefox()
