"""The acceptance rule: what one client configuration demands of one host, as a value.

Two configurations that demand the same give equal rules. The axes are those of `docs/mechanisms.md`; a mechanism
(`rotator.mechanisms`) makes rules, the judge (`rotator.simulate.judge`) applies them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rotator.model.pins import Pin
from rotator.model.when import show


class Scope(StrEnum):
    """Which certificates of the path a clause compares with."""

    LEAF = "leaf"
    CA = "ca"
    ANY = "any"
    ANCHORS = "anchors"
    """The pinned certificates are the only trust anchors."""


class PathUse(StrEnum):
    """The list of certificates that the scope is taken from."""

    LEAF = "leaf"
    BUILT = "built"
    ANY = "any"
    """Any valid path: the client looks for another when one fails its pins."""
    SENT = "sent"
    LINKED = "linked"


class Builder(StrEnum):
    """How a client builds its path; see `rotator.model.paths`."""

    BACKTRACK = "backtrack"
    FIRST_ISSUER = "first-issuer"
    OKHTTP = "okhttp"


class Base(StrEnum):
    """The validation that is still done beside the pins."""

    FULL = "full"
    NO_HOST = "no-host"
    NONE = "none"
    ANCHORS_REPLACED = "anchors-replaced"
    DANE = "dane"
    TOFU = "tofu"


class Fallback(StrEnum):
    """What happens without a rule: connections go through (open) or are refused (closed)."""

    OPEN = "open"
    CLOSED = "closed"
    NONE = "none"


class LocalRoots(StrEnum):
    """What a root installed by a user or an enterprise does to pins."""

    ENFORCE = "enforce"
    BYPASS = "bypass"
    UNTRUSTED = "untrusted"


class Revocation(StrEnum):
    """What the client knows of revocation."""

    NONE = "none"
    SOFT = "soft"
    """It may know: nobody can rely on it either way."""
    LIST = "list"
    HARD = "hard"


class Mode(StrEnum):
    """Whether a mismatch refuses."""

    ENFORCE = "enforce"
    REPORT_ONLY = "report-only"
    OFF = "off"


class Combine(StrEnum):
    """How the clauses of a rule and the path check go together."""

    ANY = "any"
    LEAF_AND_CA = "leaf-and-ca"
    PATH_OR_PIN = "path-or-pin"


class BadConfig(StrEnum):
    """What a client does with configuration it does not understand."""

    CRASH = "crash"
    ALL_TLS_FAILS = "all-tls-fails"
    DROP_ENTRY = "drop-entry"
    NEVER_MATCHES = "never-matches"
    NEVER_EXPIRES = "never-expires"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One list of pins: some certificate in scope must match one of them.

    Attributes:
        scope: which certificates of the path count.
        pins: the pins in no order; none of them means that nothing can match.
        dead: pins the client holds but can never match, as their text.
    """

    scope: Scope
    pins: frozenset[Pin]
    dead: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Expiry:
    """When pins end: the first and the last instant at which some device drops them.

    `closed` says that connections are refused afterwards instead of going through unpinned.
    """

    first: datetime
    last: datetime
    closed: bool = False

    @classmethod
    def at(cls, instant: datetime, *, closed: bool = False) -> Expiry:
        """Make an expiry that every device reaches at the same instant."""
        return cls(instant, instant, closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a client demands of one host.

    Attributes:
        clauses: each must be satisfied; none means that no pins are for this host.
        forbidden: pins that refuse a path outright, whatever else matches.
        listed: False when the configuration has pins, but not for this host.
        rejected: why the client refuses its whole configuration; "" when it does not.
        expiry: when the pins end, if ever.
        key_types: key types the pin check can handle, looked at from the root down; None for all.
        common_name: the certificate's common name counts where it has no alternative names.
        pin_first: a certificate without a common name fails before anything else (Wultra).
    """

    clauses: tuple[Clause, ...] = ()
    forbidden: frozenset[Pin] = frozenset()
    listed: bool = True
    rejected: str = ""
    expiry: Expiry | None = None
    mode: Mode = Mode.ENFORCE
    combine: Combine = Combine.ANY
    path: PathUse = PathUse.BUILT
    builder: Builder = Builder.BACKTRACK
    base: Base = Base.FULL
    no_host: Fallback = Fallback.OPEN
    local_roots: LocalRoots = LocalRoots.ENFORCE
    revocation: Revocation = Revocation.NONE
    key_types: frozenset[str] | None = None
    common_name: bool = False

    @property
    def pins(self) -> frozenset[Pin]:
        """Give every pin of the rule."""
        return frozenset(pin for clause in self.clauses for pin in clause.pins)

    @property
    def sentence(self) -> str:
        """Say the rule in one sentence, without names of keys."""
        if self.rejected:
            return f"refuses every connection: {self.rejected}"
        if not self.clauses:
            if self.no_host is Fallback.CLOSED:
                return "refused: the host is not listed"
            return "unpinned: " + ("no pins" if self.listed else "the host is not listed")
        text = " and ".join(_clause_sentence(clause, self.path) for clause in self.clauses)
        if self.combine is Combine.PATH_OR_PIN:
            text += ", or a trusted path"
        if self.forbidden:
            text += f", and none of {_count(len(self.forbidden), 'forbidden key')}"
        text += _BASE.get(self.base, "")
        if self.mode is Mode.REPORT_ONLY:
            text += ", reported only"
        if self.mode is Mode.OFF:
            text += ", switched off"
        if self.expiry is not None:
            text += f", until {show(self.expiry.last)}, then {'closed' if self.expiry.closed else 'open'}"
        if self.local_roots is LocalRoots.BYPASS:
            text += "; local roots bypass it"
        return text


_BASE = {
    Base.NO_HOST: ", the host name not checked",
    Base.NONE: ", nothing else checked",
    Base.ANCHORS_REPLACED: ", and no other anchor trusted",
    Base.DANE: "",
    Base.TOFU: ", trusted on first use",
}
_SCOPE = {
    Scope.LEAF: "as the server's own key",
    Scope.CA: "above the leaf",
    Scope.ANY: "anywhere in the path",
    Scope.ANCHORS: "as the only anchors",
}


def _clause_sentence(clause: Clause, path: PathUse) -> str:
    where = _SCOPE[clause.scope]
    if path is PathUse.SENT and clause.scope is Scope.ANY:
        where = "among what is sent"
    noun = "certificate" if any(pin.kind.of_certificate for pin in clause.pins) else "key"
    if noun == "certificate" and clause.scope is Scope.LEAF:
        where = "as the server's own"
    if not clause.pins:
        return f"no {noun} can match {where}"
    some = _count(len(clause.pins), noun)
    text = f"any of {some} {where}" if len(clause.pins) > 1 else f"exactly {some} {where}"
    return text + (f" ({len(clause.dead)} more can never match)" if clause.dead else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
