"""The acceptance rule: what one client configuration demands of one host, as a value.

Two configurations that demand the same give equal rules. The axes are those of `docs/mechanisms.md`; a mechanism
(`rotator.mechanisms`) makes rules, the judge (`rotator.simulate.judge`) applies them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum, StrEnum

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
    """What a root does to pins, mostly asked of those that a user or an enterprise installed."""

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


class Cleartext(StrEnum):
    """Whether a client takes a connection without TLS."""

    REFUSED = "refused"
    ALLOWED = "allowed"
    UNKNOWN = "unknown"
    """Nothing the policy names says it: what the code asks for decides."""


class Mode(StrEnum):
    """Whether a mismatch refuses."""

    ENFORCE = "enforce"
    REPORT_ONLY = "report-only"


class Combine(StrEnum):
    """How the clauses of a rule and the path check go together."""

    ANY = "any"
    LEAF_AND_CA = "leaf-and-ca"
    PATH_OR_PIN = "path-or-pin"


class Usage(IntEnum):
    """The certificate usage of a TLSA record (RFC 6698, 2.1.1)."""

    PKIX_TA = 0
    PKIX_EE = 1
    DANE_TA = 2
    DANE_EE = 3


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
        named: pairs of a common name and a pin: the pin counts only for a certificate of that name (Wultra).
        records: pairs of a usage and a pin, where each record has a rule of its own (DANE).
    """

    scope: Scope
    pins: frozenset[Pin]
    dead: frozenset[str] = frozenset()
    named: frozenset[tuple[str, Pin]] = frozenset()
    records: frozenset[tuple[Usage, Pin]] = frozenset()


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
        local_roots: what roots do that a user or an enterprise installed.
        system_roots: what roots do that came with the device or the app.
        key_types: key types the pin check can handle, looked at from the root down; None for all.
        common_name: the certificate's common name counts where it has no alternative names.
        probe: the pins are checked on a connection of their own, so they do not bind the one that carries the data.
        unknown_choice: which of several valid paths the client takes cannot be known.
        after: the rule that holds once the pins have ended; None for what `expiry` says.
        other: how the same configuration is read on another platform that the cohort may be on.
        cleartext: whether a connection without TLS is taken.
        hostile: an attacker wrote these pins: ours are refused, and whatever the attacker holds is what is pinned.
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
    system_roots: LocalRoots = LocalRoots.ENFORCE
    revocation: Revocation = Revocation.NONE
    key_types: frozenset[str] | None = None
    common_name: bool = False
    probe: bool = False
    unknown_choice: bool = False
    after: Rule | None = None
    other: Rule | None = None
    cleartext: Cleartext = Cleartext.UNKNOWN
    hostile: bool = False

    @property
    def pins(self) -> frozenset[Pin]:
        """Give every pin of the rule."""
        return frozenset(pin for rule in self.readings for clause in rule.clauses for pin in clause.pins)

    @property
    def readings(self) -> tuple[Rule, ...]:
        """Give the rule, and all that follow from it after an end or on another platform."""
        found, left = [], [self]
        while left:
            rule = left.pop()
            found.append(rule)
            left += [following for following in (rule.after, rule.other) if following is not None]
        return tuple(found)

    def without_roots(self) -> Rule:
        """Give the rule, and those that follow from it, without what it says of roots."""
        return replace(
            self,
            local_roots=LocalRoots.ENFORCE,
            system_roots=LocalRoots.ENFORCE,
            after=self.after.without_roots() if self.after is not None else None,
            other=self.other.without_roots() if self.other is not None else None,
        )

    @property
    def sentence(self) -> str:
        """Say the rule in one sentence, without names of keys."""
        return self._say(_ENDS_SHOWN)

    def _say(self, shown: int) -> str:
        """Say the rule, and the rules after its first ends."""
        if self.rejected:
            return f"refuses every connection: {self.rejected}"
        if self.hostile:
            return "pins that an attacker wrote: ours are refused"
        pinned = bool(self.clauses or self.forbidden)
        text = self._pins_sentence() if pinned else self._unpinned_sentence()
        if self.expiry is not None and (pinned or self.after is not None):
            text += f", until {show(self.expiry.last)}, then {self._say_after(self.expiry, shown)}"
        if pinned:
            text += self._roots_sentence()
        if self.other is not None:
            text += f"; read otherwise by some clients: {self.other._say(shown)}"  # noqa: SLF001 - a rule as well
        return text

    def _say_after(self, ends: Expiry, shown: int) -> str:
        """Say what holds after the end of the pins; of many ends that follow only the first ones."""
        if self.after is None:
            return "closed" if ends.closed else "open"
        if shown > 1 or self.after.after is None:
            return self.after._say(shown - 1)  # noqa: SLF001 - a rule as well
        last = self.after
        while last.after is not None:
            last = last.after
        return f"step by step fewer, at last {last._say(0)}"  # noqa: SLF001 - a rule as well

    def _unpinned_sentence(self) -> str:
        if not self.listed and self.no_host is Fallback.CLOSED:
            return "refused: the host is not listed"
        return "unpinned: " + ("no pins" if self.listed else "the host is not listed")

    def _pins_sentence(self) -> str:
        text = " and ".join(_clause_sentence(clause, self.path) for clause in self.clauses)
        if self.combine is Combine.PATH_OR_PIN:
            text += ", or a trusted path"
        if self.forbidden:
            none = f"none of {_count(len(self.forbidden), 'forbidden key')}"
            text = f"{text}, and {none}" if text else none
        text += _BASE.get(self.base, "")
        return text + (", reported only" if self.mode is Mode.REPORT_ONLY else "")

    def _roots_sentence(self) -> str:
        text = "; local roots bypass it" if self.local_roots is LocalRoots.BYPASS else ""
        if self.system_roots is LocalRoots.BYPASS:
            text += "; the system's roots bypass it"
        if self.system_roots is LocalRoots.UNTRUSTED:
            text += "; the system's roots are not trusted"
        return text


_ENDS_SHOWN = 3
"""Ends of pins that a sentence says one by one."""
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
