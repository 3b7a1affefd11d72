"""curl and libcurl: `--pinnedpubkey`, `CURLOPT_PINNEDPUBLICKEY`, `pinnedpubkey` in a config file.

Rules from `Curl_pin_peer_pubkey` in `lib/vtls/vtls.c`, checked on curl 7.88.1 on loopback: the leaf's key only,
compared as text, several pins separated by exactly `;sha256//`; anything else is the name of a key file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator

from rotator.errors import InputError, Problem
from rotator.mechanisms import base
from rotator.mechanisms.base import Context, Entry, Facts, Mechanism, Parsed, PinConfig, PinList, PinsetSpec
from rotator.model.findings import Finding, error, warning
from rotator.model.pins import Pin, is_canonical, spki_pin
from rotator.model.rules import Builder, LocalRoots, PathUse, Rule, Scope

VENDOR = "https://curl.se/libcurl/c/CURLOPT_PINNEDPUBLICKEY.html"
_OPTION = re.compile(r"""^\s*(?:--)?pinnedpubkey(?:\s*[=:]\s*|\s+)(.*?)\s*$""", re.IGNORECASE)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----(.*?)-----END PUBLIC KEY-----", re.DOTALL)
_PREFIX = "sha256//"


class Curl(Mechanism):
    """curl and everything on libcurl."""

    id = "curl"
    scope = Scope.LEAF
    file_name = "curl.conf"
    facts = Facts(
        title="curl and libcurl pinnedpubkey",
        object="public key, SHA-256, or a key file",
        scope="the leaf",
        host_rule="every host of the transfer",
        expiry="none",
        report_only="no",
        local_roots="pins hold",
        update_channel="configuration",
        bad_config="an element that is not canonical base64 never matches",
        sources=("curl lib/vtls/vtls.c", VENDOR),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read a curl config file, the bare value of the option, or a public key in PEM or DER."""
        findings: list[Finding] = []
        pins: tuple[Pin, ...]
        dead: tuple[str, ...] = ()
        if data[:1] == b"\x30":
            pins = (spki_pin(hashlib.sha256(data).digest()),)
        else:
            pins, dead = _from_text(_decode(data, context), context, findings)
        lists = (PinList(scope=Scope.LEAF, pins=pins, dead=dead),) if pins or dead else ()
        config = PinConfig(entries=(Entry(lists=lists),) if lists else ())
        return Parsed(config=config, findings=(*findings, *self.lint(config, context)))

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Demand the pins of every host; a pinset of the policy may name the hosts it is given for."""
        found = [e for e in config.entries if not e.covers or any(cover.matches(host) for cover in e.covers)]
        return Rule(
            clauses=found[-1].clauses if found else (),
            listed=bool(found) or not config.pinned,
            path=PathUse.LEAF,
            builder=Builder.FIRST_ISSUER,
            local_roots=LocalRoots.ENFORCE,
            common_name=True,
        )

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that CA pins never match, and that the option knows no hosts."""
        yield from super().losses(spec)
        if spec.authorities:
            yield (
                "leaf-only",
                "curl compares the leaf's key: pins on authorities never match and are left out",
            )
        if len(spec.covers) > 1:
            yield "no-hosts", "curl pins whatever it is asked to fetch: give the option only for these names"

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Take our keys; a pin on an authority could never match."""
        if not spec.keys and not spec.authorities:
            return PinConfig()
        entry = Entry(covers=spec.covers, lists=(PinList(scope=Scope.LEAF, pins=spec.keys),))
        return PinConfig(entries=(entry,))

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Replace the option that counts in a config file; every other line stays."""
        line = self.render(config).decode()
        text = _decode(data, context)
        if text.strip().startswith(_PREFIX):
            return (line.split('"')[1] + "\n").encode()
        lines = text.splitlines(keepends=True)
        places = [index for index, old in enumerate(lines) if _option(old) is not None]
        if not places:
            if "-----BEGIN" in text or (text.strip() and not _looks_like_config(text)):
                raise InputError(
                    Problem(
                        "is not a curl config file",
                        file=context.subject,
                        hint="name another file in [[exports]]",
                    )
                )
            return (text + ("" if not text or text.endswith("\n") else "\n") + line).encode()
        old = lines[places[-1]]
        lines[places[-1]] = line.rstrip("\n") + old[len(old.rstrip("\r\n")) :]
        return "".join(lines).encode()

    def render(self, config: PinConfig) -> bytes:
        """Write a line for a curl config file."""
        pins = base.distinct(pin for entry in config.entries for pin in entry.pins)
        value = ";".join(f"sha256//{pin.text[7:]}" for pin in pins)
        return f'pinnedpubkey = "{value}"\n'.encode()


def _decode(data: bytes, context: Context) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            Problem(
                "is neither text nor a DER public key",
                file=context.subject,
                expected="a curl config file, sha256//... or a public key",
            )
        ) from None


def _from_text(text: str, context: Context, findings: list[Finding]) -> tuple[tuple[Pin, ...], tuple[str, ...]]:
    pem = _PEM.search(text)
    if pem is not None:
        return _from_pem(pem[1], context), ()
    if "-----BEGIN" in text:
        findings.append(
            error(
                "pin-never-matches",
                context.subject,
                "curl wants a PEM public key here; another PEM object never matches, so every transfer fails",
                "openssl x509 -pubkey -noout -in FILE",
                VENDOR,
            )
        )
        return (), ("another PEM object",)
    values = [value for line in text.splitlines() if (value := _option(line)) is not None]
    if len(values) > 1:
        findings.append(
            warning("option-repeated", context.subject, "pinnedpubkey is given several times: the last one counts")
        )
    if not values:
        stripped = text.strip()
        if not stripped or any(line.strip() and not line.lstrip().startswith("#") for line in stripped.splitlines()):
            values = [stripped] if stripped.startswith(_PREFIX) else []
        if not values and stripped and not _looks_like_config(stripped):
            raise InputError(
                Problem(
                    "holds no pin",
                    file=context.subject,
                    value=stripped,
                    expected="sha256//..., a curl config file with pinnedpubkey, or a public key",
                    hint="curl would take such a value for the name of a key file and refuse every transfer",
                )
            )
    return _elements(values[-1], context, findings) if values else ((), ())


def _looks_like_config(text: str) -> bool:
    return any(re.match(r"\s*(#|--?[a-z]|[a-z-]+\s*[=:])", line) for line in text.splitlines())


def _option(line: str) -> str | None:
    """Give the value of the option on a line of a config file, as curl's parser reads it."""
    match = _OPTION.match(line)
    if match is None:
        return None
    quoted = _QUOTED.match(match[1])
    if quoted is not None:
        return re.sub(r"\\(.)", r"\1", quoted[1])
    return match[1].split()[0] if match[1] else ""


def _elements(value: str, context: Context, findings: list[Finding]) -> tuple[tuple[Pin, ...], tuple[str, ...]]:
    """Split a value as curl does and keep apart what can match and what cannot."""
    if not value.startswith(_PREFIX):
        findings.append(
            error(
                "pin-never-matches",
                context.subject,
                f"{value!r} is taken for the name of a key file: unless there is one, every transfer fails",
                "write sha256// with two slashes",
                VENDOR,
            )
        )
        return (), (value,)
    pins: list[Pin] = []
    dead: list[str] = []
    for element in value[len(_PREFIX) :].split(";" + _PREFIX):
        if is_canonical(element):
            pins.append(spki_pin(base64.b64decode(element)))
        else:
            dead.append(element)
    if any(element.endswith(";") for element in dead):
        findings.append(
            error(
                "trailing-semicolon",
                context.subject,
                "a semicolon at the end belongs to the last pin, which then never matches",
                "remove it",
                VENDOR,
            )
        )
    return base.distinct(pins), tuple(dead)


def _from_pem(body: str, context: Context) -> tuple[Pin, ...]:
    try:
        der = base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InputError(
            Problem("is not a readable PEM public key", file=context.subject, hint="curl refuses every transfer")
        ) from None
    return (spki_pin(hashlib.sha256(der).digest()),)


MECHANISM = Curl()
