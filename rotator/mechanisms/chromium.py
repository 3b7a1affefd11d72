"""Chromium's static pins: `transport_security_state_static_pins.json` beside `transport_security_state_static.pins`.

Rules from Chromium's `net/http/transport_security_state.cc` and the generator of its preload list. The list is
Chromium's own: it is read, and never written.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rotator.errors import InputError, Problem
from rotator.mechanisms import base
from rotator.mechanisms.base import Context, Entry, Facts, Mechanism, Parsed, PinConfig, PinList, PinsetSpec
from rotator.mechanisms.shared import lookup
from rotator.model.findings import Finding, info, warning
from rotator.model.names import Cover, Reach
from rotator.model.pins import Pin, decode_strict, spki_pin
from rotator.model.rules import LocalRoots, Revocation, Rule, Scope
from rotator.model.when import plus

SOURCE = "https://chromium.googlesource.com/chromium/src/+/main/net/http/transport_security_state_static_pins.json"
FRESH = timedelta(days=70)
"""How long after its timestamp the list is enforced."""
_PEM = re.compile(r"-----BEGIN (CERTIFICATE|PUBLIC KEY)-----([^-]*(?:-(?!----)[^-]*)*)-----END \1-----")
_COMMENT = re.compile(r"(?m)^[ \t]*//.*$")
_EXPECTED = "a Chromium list of pins: JSON with pinsets and entries, or pairs of a name and a key"


@dataclass(slots=True)
class Names:
    """A `.pins` file: the key of each name, and the timestamp of the list."""

    pins: dict[str, Pin] = field(default_factory=dict)
    timestamp: datetime | None = None


def read_names(data: bytes, context: Context) -> Names:
    """Read a `.pins` file: comments, a timestamp, then pairs of a name line and a digest, key or certificate.

    Raises:
        InputError: the pairs do not come in pairs, or a key cannot be read.
    """
    names = Names()
    text = "\n".join(line for line in _text(data, context).splitlines() if not line.lstrip().startswith("#"))
    waiting = ""
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end].strip()
        if line.startswith("-----BEGIN"):
            match = _PEM.match(text, text.find("-----BEGIN", at))
            if match is None or not waiting:
                raise _broken(context, "a key that does not end, or has no name", line)
            names.pins[waiting] = _from_pem(match, waiting, context)
            waiting, at = "", match.end()
            continue
        at = end + 1
        if not line:
            continue
        if line.startswith("sha256/"):
            digest = decode_strict(line[7:])
            if digest is None or len(digest) != 32 or not waiting:
                raise _broken(context, "a digest that is not 32 bytes, or has no name", line)
            names.pins[waiting], waiting = spki_pin(digest), ""
        elif waiting == "PinsListTimestamp":
            if not line.isdigit() or len(line) > 11:
                raise _broken(context, "a timestamp that is not in seconds", line)
            names.timestamp, waiting = datetime.fromtimestamp(int(line), UTC), ""
        elif waiting:
            raise _broken(context, f"{waiting} has no key", line)
        else:
            waiting = line
    if waiting:
        raise _broken(context, "the last name has no key", waiting)
    return names


def _from_pem(match: re.Match[str], name: str, context: Context) -> Pin:
    try:
        der = base64.b64decode("".join(match[2].split()), validate=True)
    except (binascii.Error, ValueError):
        raise _broken(context, "a key that is not base64", name) from None
    if match[1] == "PUBLIC KEY":
        return spki_pin(hashlib.sha256(der).digest())
    found = context.decode(der)
    if not found:
        raise _broken(context, "a certificate that cannot be read", name)
    return spki_pin(found[0].spki)


def _broken(context: Context, message: str, value: str) -> InputError:
    return InputError(Problem(message, file=context.subject, value=value, expected=_EXPECTED))


def _text(data: bytes, context: Context) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(Problem("is not UTF-8 text", file=context.subject, expected=_EXPECTED)) from None


class Chromium(Mechanism):
    """Pins compiled into Google Chrome."""

    id = "chromium"
    says_expiry = True
    ours_to_write = False
    facts = Facts(
        title="Chromium static pins",
        object="public key, SHA-256",
        scope="any certificate of the validated path, and none of the bad ones",
        host_rule="exact name, else the longest parent with include_subdomains",
        expiry="70 days after the timestamp of the list, then open",
        report_only="no: a report address only adds reports",
        local_roots="bypassed, bad keys too",
        update_channel="component update or browser release",
        bad_config="the list does not build",
        sources=("Chromium net/http/transport_security_state.cc", SOURCE),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read the JSON with the `.pins` file beside it, or a `.pins` file alone."""
        text = _text(data, context)
        stripped = _COMMENT.sub("", text)
        if not stripped.lstrip().startswith("{"):
            names = read_names(data, context)
            config = PinConfig()
            note = info(
                "names-only", context.subject, f"{len(names.pins)} named keys and no host: read the JSON beside it"
            )
            return Parsed(config=config, findings=(note, *self.lint(config, context)), names=dict(names.pins))
        try:
            whole = json.loads(stripped)
        except (ValueError, RecursionError) as error:
            raise InputError(
                Problem(f"is not JSON with comments: {error}", file=context.subject, expected=_EXPECTED)
            ) from None
        beside = context.sibling(".pins")
        names = read_names(beside, context) if beside is not None else Names()
        return self._config(whole, names, context, has_names=beside is not None)

    def _config(self, whole: dict[str, Any], names: Names, context: Context, *, has_names: bool) -> Parsed:
        findings: list[Finding] = []
        if not has_names:
            findings.append(
                warning(
                    "names-missing",
                    context.subject,
                    "the .pins file is not beside it: names of keys cannot be looked up",
                    "put transport_security_state_static.pins beside it",
                    SOURCE,
                )
            )
        pinsets = _by_name(whole.get("pinsets"), context)
        entries = []
        for row in _list(whole.get("entries"), context):
            name, pinset = row.get("name"), row.get("pins")
            if not isinstance(name, str) or not isinstance(pinset, str):
                continue
            if pinset not in pinsets:
                raise _broken(context, f"{name} names a pinset that is not there", pinset)
            entries.append(self._entry(name, row, pinsets[pinset], names, context, strict=has_names))
        if names.timestamp is not None and plus(names.timestamp, FRESH).date() <= context.today:
            findings.append(
                warning(
                    "list-is-old",
                    context.subject,
                    f"the list is of {names.timestamp.date()}: 70 days old or more, so it is not enforced",
                    "a browser with a newer list, or with component updates, enforces again",
                    SOURCE,
                )
            )
        if entries:
            findings.append(
                info(
                    "branded-builds",
                    context.subject,
                    "only Google Chrome enforces this list: builds of Chromium do not",
                    source=SOURCE,
                )
            )
        config = PinConfig(entries=tuple(entries))
        return Parsed(config=config, findings=(*findings, *self.lint(config, context)), names=dict(names.pins))

    def _entry(
        self,
        name: str,
        row: Mapping[str, Any],
        pinset: Mapping[str, Any],
        names: Names,
        context: Context,
        *,
        strict: bool,
    ) -> Entry:
        below = any(row.get(key) is True for key in ("include_subdomains", "include_subdomains_for_pinning"))
        cover = Cover(name.lower(), Reach.ALL if below else Reach.EXACT)
        lists: dict[str, tuple[Pin, ...]] = {}
        for key in ("static_spki_hashes", "bad_static_spki_hashes"):
            wanted = pinset.get(key, [])
            if not isinstance(wanted, list) or not all(isinstance(n, str) for n in wanted):
                raise _broken(context, f"{key} of {name} is not a list of names", str(wanted))
            unknown = [n for n in wanted if n not in names.pins]
            if unknown and strict:
                raise _broken(context, f"a key of {name} is in no .pins file", str(unknown[0]))
            lists[key] = tuple(names.pins[n] for n in wanted if n in names.pins)
        good, bad = lists["static_spki_hashes"], lists["bad_static_spki_hashes"]
        expires = plus(names.timestamp, FRESH) if names.timestamp else None
        return Entry(
            covers=(cover,),
            lists=(PinList(scope=Scope.ANY, pins=base.distinct(good)),) if good else (),
            forbidden=base.distinct(bad),
            expires=expires,
        )

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Make one entry for each name, as the list would have it."""
        return lookup.reach_all_or_exact(super().from_pinset(spec))

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that one label below a name cannot be said, and that the list ends whether the pinset does or not."""
        yield from super().losses(spec)
        yield from lookup.covers_more(self.id, spec)
        yield from lookup.ends_by_itself(self.id, spec, "70 days after the timestamp of its list")

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Choose the exact name, else the longest parent that includes its subdomains; CRLSets may revoke."""
        entry = lookup.exact_or_parent(config, host)
        if entry is None:
            return replace(base.unlisted(config), local_roots=LocalRoots.BYPASS, revocation=Revocation.SOFT)
        return Rule(
            clauses=entry.clauses,
            forbidden=frozenset(entry.forbidden),
            expiry=self.expiry(entry.expires),
            local_roots=LocalRoots.BYPASS,
            revocation=Revocation.SOFT,
        )


def _by_name(value: object, context: Context) -> dict[str, Mapping[str, Any]]:
    return {row["name"]: row for row in _list(value, context) if isinstance(row.get("name"), str)}


def _list(value: object, context: Context) -> Iterator[Mapping[str, Any]]:
    if value is None:
        return
    if not isinstance(value, list):
        raise _broken(context, "pinsets and entries are lists", str(value))
    for row in value:
        if isinstance(row, dict):
            yield row


MECHANISM = Chromium()
