"""Pins as curl reads them, and wget too: the leaf's key only, compared as text, several separated by `;sha256//`.

Anything else is the name of a key file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator

from rotator.errors import InputError, Problem
from rotator.mechanisms import base
from rotator.mechanisms.base import Context, Entry, Mechanism, Parsed, PinConfig, PinList, PinsetSpec
from rotator.mechanisms.shared import lint
from rotator.model.findings import Finding, error, warning
from rotator.model.pins import Pin, is_canonical, spki_pin
from rotator.model.rules import Base, Builder, LocalRoots, PathUse, Rule, Scope

_OPTION = re.compile(r"""^\s*(?:--)?pinnedpubkey(?:\s*+[=:]\s*+|\s++)(.*)$""", re.IGNORECASE)
_COMMAND = re.compile(
    r"""^\s*(?:--)?p[-_]*i[-_]*n[-_]*n[-_]*e[-_]*d[-_]*p[-_]*u[-_]*b[-_]*k[-_]*e[-_]*y\s*+=\s*+(.*)$""", re.IGNORECASE
)
_INSECURE = re.compile(r"^\s*(?:--)?(?P<on>no-)?insecure\b|^\s*-k\s*$", re.IGNORECASE)
_UNCHECKED = re.compile(
    r"^\s*(?:--no-check-certificate\b|c[-_]*h[-_]*e[-_]*c[-_]*k[-_]*c[-_]*e[-_]*r[-_]*t[-_]*i[-_]*f[-_]*i[-_]*c[-_]*a"
    r"[-_]*t[-_]*e\s*=\s*(?:(?P<on>on|yes|1)|off|no|0)\s*$)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----([^-]*(?:-(?!----)[^-]*)*)-----END PUBLIC KEY-----")
_PREFIX = "sha256//"


class CurlLike(Mechanism):
    """A client that compares the text of the leaf key's digest, one or several of them."""

    scope = Scope.LEAF
    names_hosts = False
    #: Where the option is documented.
    vendor: str
    #: Whether a value stands in double quotes in the tool's configuration file.
    quotes: bool = True
    #: The name of the tool, and of its configuration file, for messages.
    tool: str
    settings: str

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read a configuration file of the tool, the bare value of the option, or a public key in PEM or DER."""
        findings: list[Finding] = []
        pins: tuple[Pin, ...]
        dead: tuple[str, ...] = ()
        if data[:1] == b"\x30":
            pins = (spki_pin(hashlib.sha256(data).digest()),)
        else:
            pins, dead = self._from_text(self._decode(data, context), context, findings)
        lists = (PinList(scope=Scope.LEAF, pins=pins, dead=dead),) if pins or dead else ()
        unchecked = data[:1] != b"\x30" and self._unchecked(data)
        entry = Entry(lists=lists, base=Base.NONE if unchecked else None)
        config = PinConfig(entries=(entry,) if lists else ())
        if unchecked:
            findings.append(
                warning(
                    "nothing-else-checked",
                    context.subject,
                    f"the file switches {self.tool}'s check of certificates off: the pin is all that is left, and a "
                    "stolen key is accepted past its certificate's end",
                    "take the switch out: the pin does not replace the check",
                    self.vendor,
                )
            )
        return Parsed(config=config, findings=(*findings, *self.lint(config, context)))

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Demand the pins of every host; a pinset of the policy may name the hosts it is given for."""
        found = [e for e in config.entries if not e.covers or any(cover.matches(host) for cover in e.covers)]
        return Rule(
            clauses=found[-1].clauses if found else (),
            listed=bool(found) or not config.pinned,
            path=PathUse.LEAF,
            builder=Builder.FIRST_ISSUER,
            base=(found[-1].base if found else None) or Base.FULL,
            local_roots=LocalRoots.ENFORCE,
            common_name=True,
        )

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Name a semicolon at the end as what it is."""
        dead = {text for entry in config.entries for pins in entry.lists for text in pins.dead if text.endswith(";")}
        yield from lint.lint_pins(config, context, self.facts.source, told=frozenset(dead))
        if dead:
            yield error(
                "trailing-semicolon",
                context.subject,
                "a semicolon at the end belongs to the last pin, which then never matches",
                "remove it",
                self.vendor,
            )

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Add that CA pins never match."""
        yield from super().losses(spec)
        if spec.authorities:
            yield (
                "leaf-only",
                f"{self.tool} compares the leaf's key: pins on authorities never match and are left out",
            )

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Take our keys; a pin on an authority could never match."""
        if not spec.keys and not spec.authorities:
            return PinConfig()
        entry = Entry(covers=spec.covers, lists=(PinList(scope=Scope.LEAF, pins=spec.keys),))
        return PinConfig(entries=(entry,))

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Replace the option that counts in a configuration file; every other line stays."""
        line = self.render(config).decode()
        text = self._decode(data, context)
        if text.strip().startswith(_PREFIX):
            return (self._value(config) + "\n").encode()
        lines = text.splitlines(keepends=True)
        places = [index for index, old in enumerate(lines) if self._option(old) is not None]
        if not places:
            if "-----BEGIN" in text or (text.strip() and not _looks_like_settings(text)):
                raise InputError(
                    Problem(
                        f"is not {self.settings}",
                        file=context.subject,
                        hint="name another file in [[exports]]",
                    )
                )
            return (text + ("" if not text or text.endswith("\n") else "\n") + line).encode()
        lines[places[-1]] = self._replaced(lines[places[-1]], config, context)
        return "".join(lines).encode()

    def _replaced(self, line: str, config: PinConfig, context: Context) -> str:
        """Put other pins into a line that gives the option, in the way it is written."""
        pins, dead = self._elements(self._option(line) or "", context, [])
        if not dead and set(pins) == {pin for entry in config.entries for pin in entry.pins}:
            return line
        match = (_OPTION if self.quotes else _COMMAND).match(line)
        start = match.start(1) if match is not None else len(line)
        end = start + len(match[1].rstrip()) if match is not None else start
        quoted = _QUOTED.match(line, start, end) if self.quotes else None
        quote = '"' if quoted is not None or (self.quotes and not config.pinned) else ""
        if quoted is not None:
            end = quoted.end()
        elif self.quotes and line[start:end]:
            end = start + len(line[start:end].split(maxsplit=1)[0])
        return f"{line[:start]}{quote}{self._value(config)}{quote}{line[end:]}"

    def render(self, config: PinConfig) -> bytes:
        """Write a line for the tool's configuration file."""
        quote = '"' if self.quotes else ""
        return f"pinnedpubkey = {quote}{self._value(config)}{quote}\n".encode()

    @staticmethod
    def _value(config: PinConfig) -> str:
        pins = base.distinct(pin for entry in config.entries for pin in entry.pins)
        return ";".join(f"{_PREFIX}{pin.text[7:]}" for pin in pins)

    def _decode(self, data: bytes, context: Context) -> str:
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InputError(
                Problem(
                    "is neither text nor a DER public key",
                    file=context.subject,
                    expected=f"{self.settings}, sha256//... or a public key",
                )
            ) from None

    def _from_text(
        self, text: str, context: Context, findings: list[Finding]
    ) -> tuple[tuple[Pin, ...], tuple[str, ...]]:
        pem = _PEM.search(text)
        if pem is not None:
            return self._from_pem(pem[1], context), ()
        if "-----BEGIN" in text:
            findings.append(
                error(
                    "pin-never-matches",
                    context.subject,
                    f"{self.tool} wants a PEM public key here; another PEM object never matches: every transfer fails",
                    "openssl x509 -pubkey -noout -in FILE",
                    self.vendor,
                )
            )
            return (), ("another PEM object",)
        values = [value for line in text.splitlines() if (value := self._option(line)) is not None]
        if len(values) > 1:
            findings.append(
                warning(
                    "option-repeated",
                    context.subject,
                    "pinnedpubkey is given several times: the last one counts",
                    "give it once, with all pins",
                    self.vendor,
                )
            )
        if not values:
            values = self._bare(text.strip(), context)
        return self._elements(values[-1], context, findings) if values else ((), ())

    def _bare(self, text: str, context: Context) -> list[str]:
        """Take a file that is nothing but the value of the option."""
        if text.startswith(_PREFIX):
            return [text]
        if text and not _looks_like_settings(text):
            raise InputError(
                Problem(
                    "holds no pin",
                    file=context.subject,
                    value=text,
                    expected=f"sha256//..., {self.settings} with pinnedpubkey, or a public key",
                    hint=f"{self.tool} would take such a value for the name of a key file and refuse every transfer",
                )
            )
        return []

    def _unchecked(self, data: bytes) -> bool:
        """Say whether a configuration file switches the check of certificates off: the last switch counts."""
        switch = _INSECURE if self.quotes else _UNCHECKED
        lines = data.decode("utf-8-sig", "replace").splitlines()
        said = [match for line in lines if (match := switch.match(line)) is not None]
        return bool(said) and said[-1]["on"] is None

    def _option(self, line: str) -> str | None:
        """Give the value of the option on a line of a configuration file, as the tool's parser reads it."""
        match = (_OPTION if self.quotes else _COMMAND).match(line)
        if match is None:
            return None
        value = match[1].strip()
        if not self.quotes:
            return value
        quoted = _QUOTED.match(value)
        if quoted is not None:
            return re.sub(r"\\(.)", r"\1", quoted[1])
        return value.split()[0] if value else ""

    def _elements(
        self, value: str, context: Context, findings: list[Finding]
    ) -> tuple[tuple[Pin, ...], tuple[str, ...]]:
        """Split a value as the tool does and keep apart what can match and what cannot."""
        if not value.startswith(_PREFIX):
            findings.append(
                error(
                    "pin-never-matches",
                    context.subject,
                    f"{value!r} is taken for the name of a key file: unless there is one, every transfer fails",
                    "write sha256// with two slashes",
                    self.vendor,
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
        return base.distinct(pins), tuple(dead)

    @staticmethod
    def _from_pem(body: str, context: Context) -> tuple[Pin, ...]:
        try:
            der = base64.b64decode("".join(body.split()), validate=True)
        except (binascii.Error, ValueError):
            raise InputError(
                Problem("is not a readable PEM public key", file=context.subject, hint="every transfer is refused")
            ) from None
        return (spki_pin(hashlib.sha256(der).digest()),)


def _looks_like_settings(text: str) -> bool:
    return any(re.match(r"\s*(#|--?[a-z]|[a-z_-]+\s*[=:])", line, re.IGNORECASE) for line in text.splitlines())
