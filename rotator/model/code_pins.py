"""Pins that stand in code (Swift, Kotlin, Java, Objective-C, Dart): candidates, never facts.

Code is not run and not understood. What is read are its text literals: pins that stand behind a host name are taken
to be for it. A name of a constant is followed where the same file says what it is. People confirm what comes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rotator.model.names import Cover, Reach, canonical, is_host_name, is_ip
from rotator.model.pins import Pin, decode_strict, parse_spki, spki_pin

ENDINGS = (".swift", ".kt", ".kts", ".java", ".m", ".mm", ".dart", ".ts", ".js")
MAX_CODE = 2_000_000
# Repetitions have an end, and a text without its closing quote is a match too: time grows with a file's length only.
_COMMENT = re.compile(r"""("(?:\\.|[^"\\\n])*+"?|'(?:\\.|[^'\\\n])*+'?)|//[^\n]*|/\*.*?(?:\*/|\Z)""", re.DOTALL)
_CONSTANT = re.compile(
    r"""\b(\w{1,100})\s{0,99}(?::\s{0,99}\w{1,100}\s{0,99})?=\s{0,99}@?(["'])((?:\\.|(?!\2)[^\\\n])*+)(\2)?"""
)
_TOKEN = re.compile(
    r"""@?(?P<quote>["'])(?P<text>(?:\\.|(?!(?P=quote))[^\\\n])*+)(?P<end>(?P=quote))?"""
    r"|\.add(?:Pin)?\s{0,99}\(\s{0,99}(?P<call>[A-Za-z_$][\w.$]{0,99})"
    r"|(?P<declared>\b(?:let|var|val|const|final)\s{1,99})?"
    r"(?<![\w.$])(?P<key>[A-Za-z_$][\w.$]{0,99})\s{0,99}:\s{0,99}@?[\[{]"
    r"|[iI]ncludeSubdomains\s{0,99}[:,]\s{0,99}@?(?P<below>true|YES)\b"
)
_OWN = re.compile(r"^(?:self|Self|this)\.")
"""A constant of the same type; one of another type may have the same name and another value."""
_CONTAINER = re.compile(r"^kTSK|pin|hash|key|cert|finger|digest", re.IGNORECASE)
"""The name of a list of pins inside what belongs to a host, as in `publicKeyHashes: [`: it stands for no host."""
_FILE_LIKE = re.compile(r"\.(?:xml|json|pem|cer|crt|der|plist|swift|kt|java|m|h|js|ts|dart|properties)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Pins of a file of code that may be for a host.

    Attributes:
        host: the host or pattern as it is written; "" where no text says it.
        name: the name in the code that stands where the host would, where there is no text.
        pins: the pins, in their order.
        line: the line of the first pin, from 1.
        below: the code says that names below the host are covered too.
    """

    host: str
    name: str
    pins: tuple[Pin, ...]
    line: int
    below: bool = False

    @property
    def cover(self) -> Cover:
        """Give the names it is for."""
        for prefix, reach in (("**.", Reach.ALL), ("*.", Reach.ONLY_ONE)):
            if self.host.startswith(prefix):
                return Cover(canonical(self.host.removeprefix(prefix)), reach)
        return Cover(canonical(self.host), Reach.ALL if self.below else Reach.EXACT)


def candidates(code: str) -> tuple[Candidate, ...]:
    """Find the pins of a file of code, each group with the host it seems to be for."""
    code = code[:MAX_CODE]
    plain = _COMMENT.sub(_blank, code)
    constants = {match[1]: match[3] for match in _CONSTANT.finditer(plain) if match[4]}
    return tuple(_groups(plain, constants))


def _blank(match: re.Match[str]) -> str:
    """Take comments out; what is in quotes stays, and lines keep their numbers."""
    return match[1] if match[1] is not None else re.sub(r"[^\n]", " ", match[0])


def _groups(code: str, constants: dict[str, str]) -> Iterator[Candidate]:
    host = name = ""
    pins: list[Pin] = []
    line = 0
    below = False

    def group() -> Iterator[Candidate]:
        if pins:
            yield Candidate(host=host, name=name, pins=tuple(dict.fromkeys(pins)), line=line, below=below)

    for token in _TOKEN.finditer(code):
        text, other = token["text"], token["call"] or token["key"]
        if text is not None and not token["end"]:
            continue
        if token["below"]:
            below = True
            continue
        pin = _pin(text) if text is not None else None
        if pin is not None:
            line = line if pins else code.count("\n", 0, token.start()) + 1
            pins.append(pin)
            continue
        if token["key"] and not token["declared"] and _CONTAINER.search(token["key"].rpartition(".")[2]):
            continue
        fresh = text if text is not None else constants.get(_OWN.sub("", other or ""), "")
        is_host = _is_host(fresh)
        if text is not None and not is_host:
            continue
        yield from group()
        host, name = (fresh, "") if is_host else ("", other or "")
        pins, below = [], False
    yield from group()


def _pin(text: str) -> Pin | None:
    if text.startswith(("sha256/", "sha1/")):
        return parse_spki(text)
    digest = decode_strict(text) if len(text) == 44 else None
    return spki_pin(digest) if digest is not None and len(digest) == 32 else None


def _is_host(text: str) -> bool:
    bare = text.removeprefix("**.").removeprefix("*.").lower()
    if "." not in bare or is_ip(bare) or _FILE_LIKE.search(bare):
        return False
    return is_host_name(bare) and bare.rpartition(".")[2].isalpha()
