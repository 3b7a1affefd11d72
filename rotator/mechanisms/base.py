"""What a client technology is to the rest of Rotator, and the values that cross its border.

A mechanism reads its own files by its own client's rules, finds what applies to a host, says it as an acceptance
rule, writes files that its client accepts, and names what its format cannot say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from rotator.errors import InputError, Problem
from rotator.model.findings import Finding, error, info, warning
from rotator.model.names import Cover
from rotator.model.pins import Pin, junk_reason
from rotator.model.rules import BadConfig, Clause, Combine, Expiry, LocalRoots, Mode, Rule, Scope
from rotator.model.when import show, start_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PinList:
    """One list of pins of an entry, in the order of the file.

    `dead` holds what the client keeps but can never match, as its text.
    """

    scope: Scope
    pins: tuple[Pin, ...] = ()
    dead: tuple[str, ...] = ()

    @property
    def clause(self) -> Clause:
        """Give the list as a clause of a rule."""
        return Clause(scope=self.scope, pins=frozenset(self.pins), dead=frozenset(self.dead))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a configuration says for some names.

    Attributes:
        covers: the names; none of them means every host.
        lists: lists of pins that must all be satisfied; none means that the names are not pinned.
        expires: the end of the pins as the file says it.
        mode: whether a mismatch refuses.
        local_roots: what local roots do here, where the file decides it; None for the mechanism's own way.
        parent: index of the entry this one is nested in; None at the top.
        unpinned_on_purpose: the file switches pins off here.
    """

    covers: tuple[Cover, ...] = ()
    lists: tuple[PinList, ...] = ()
    expires: date | datetime | None = None
    mode: Mode = Mode.ENFORCE
    local_roots: LocalRoots | None = None
    parent: int | None = None
    unpinned_on_purpose: bool = False

    @property
    def pins(self) -> tuple[Pin, ...]:
        """Give the pins of all lists."""
        return tuple(pin for pins in self.lists for pin in pins.pins)

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """Give the lists as clauses."""
        return tuple(pins.clause for pins in self.lists)

    @property
    def title(self) -> str:
        """Show the names the entry is for."""
        return ", ".join(cover.text for cover in self.covers) or "every host"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinConfig:
    """A whole configuration as its client understands it.

    `rejected` says why the client refuses all of it; then the entries are what could be read. `local_roots` is what
    local roots do where no entry says it; None for the mechanism's own way.
    """

    entries: tuple[Entry, ...] = ()
    rejected: str = ""
    local_roots: LocalRoots | None = None

    @property
    def pinned(self) -> tuple[Entry, ...]:
        """Give the entries that pin."""
        return tuple(entry for entry in self.entries if entry.lists)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A configuration and what is to be said about it."""

    config: PinConfig
    findings: tuple[Finding, ...] = ()


def no_suffix_list(name: str) -> str | None:
    """Stand in for a public suffix list: the last label is the suffix."""
    return name.rpartition(".")[2] or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What reading a file needs from outside.

    Attributes:
        subject: the file or the policy path, for findings.
        today: the day findings are judged on.
        public_suffix: gives the public suffix of a name, or None when its top-level domain is unknown.
    """

    subject: str
    today: date
    public_suffix: Callable[[str], str | None] = field(default=no_suffix_list)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinsetSpec:
    """A pinset of the policy with its pins looked up, in the order primary, backups."""

    name: str
    covers: tuple[Cover, ...]
    keys: tuple[Pin, ...] = ()
    authorities: tuple[Pin, ...] = ()
    certificates: tuple[Pin, ...] = ()
    expires: date | datetime | None = None
    mode: Mode = Mode.ENFORCE
    combine: Combine = Combine.ANY


class ConfigRejectedError(InputError):
    """A file its own client refuses: what the client then does is part of the message."""

    def __init__(self, problem: Problem, consequence: BadConfig) -> None:
        """Keep the consequence beside the problem."""
        self.consequence = consequence
        super().__init__(problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The axes of a mechanism in words, for the table of all mechanisms."""

    title: str
    object: str
    scope: str
    host_rule: str
    expiry: str
    report_only: str
    local_roots: str
    update_channel: str
    bad_config: str
    sources: tuple[str, ...]


class Mechanism:
    """One client technology. A subclass fills in everything that has no default here."""

    id: str
    facts: Facts
    #: The scope of the lists that `from_pinset` makes: our keys and authorities in one list unless it differs.
    scope: Scope = Scope.ANY
    #: The name of the file that `export` writes where the policy names none.
    file_name: str = ""
    #: Whether the format can carry an end of the pins.
    says_expiry: bool = False
    #: Whether the format can say report-only.
    says_report_only: bool = False
    #: Whether pins on whole certificates can be said.
    says_certificates: bool = False
    #: Whether one of our keys and one of the authorities can be demanded at once.
    says_both: bool = False
    #: Fewest pins the client accepts where it enforces.
    fewest_pins: int = 1

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read a file as the client does.

        Raises:
            ConfigRejectedError: the client refuses the file.
            InputError: the file is not of this format at all.
        """
        raise NotImplementedError  # pragma: no cover

    def render(self, config: PinConfig) -> bytes:
        """Write a whole file that the client accepts and reads as `config`."""
        raise NotImplementedError  # pragma: no cover

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Give what the configuration demands of a host (a canonical name)."""
        raise NotImplementedError  # pragma: no cover

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Change only the pins of an existing file, so that it says `config` for the names it covers.

        Everything else in the file stays, to the byte where the format allows it.

        Raises:
            InputError: the file cannot be read, or not be changed this way.
        """
        raise NotImplementedError  # pragma: no cover

    def refuse(self, config: PinConfig, context: Context) -> str:  # noqa: ARG002 - most clients refuse nothing
        """Say why the client would refuse a configuration that was put together, or ""."""
        return ""

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Give what is silently dangerous in a configuration."""
        yield from lint_pins(config, context)

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Make the configuration that a pinset of the policy stands for."""
        pins = (*spec.keys, *spec.authorities, *(spec.certificates if self.says_certificates else ()))
        if not pins:
            return PinConfig()
        return PinConfig(
            entries=(
                Entry(
                    covers=spec.covers,
                    lists=(PinList(scope=self.scope, pins=pins),),
                    expires=spec.expires if self.says_expiry else None,
                    mode=spec.mode if self.says_report_only else Mode.ENFORCE,
                ),
            )
        )

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Name what a pinset says and the format cannot: pairs of a stable id and a sentence."""
        if spec.certificates and not self.says_certificates:
            yield "no-certificate-pins", f"{self.id} compares keys: pins on whole certificates are left out"
        if spec.expires and not self.says_expiry:
            yield "no-expiry", f"{self.id} has no end of pins: they hold until a release takes them out"
        if spec.mode is Mode.REPORT_ONLY and not self.says_report_only:
            yield "no-report-only", f"{self.id} cannot report only: it enforces"
        both = spec.combine is Combine.LEAF_AND_CA and spec.keys and spec.authorities
        if both and not self.says_both and self.scope is Scope.ANY:
            yield "no-leaf-and-ca", f"{self.id} cannot demand a key and an authority at once: either one is enough"
        said = len(spec.keys) + len(spec.authorities) + (len(spec.certificates) if self.says_certificates else 0)
        if self.fewest_pins > 1 and said < self.fewest_pins:
            yield "too-few-pins", f"{self.id} refuses fewer than {self.fewest_pins} pins"

    def expiry(self, expires: date | datetime | None) -> Expiry | None:
        """Give the instants between which pins end; UTC midnight unless the client does otherwise."""
        if expires is None:
            return None
        return Expiry.at(expires if isinstance(expires, datetime) else start_of(expires))


def lint_pins(config: PinConfig, context: Context) -> Iterator[Finding]:
    """Say what is wrong with pins whatever the client: none, one only, junk, ended, never matching."""
    if not any(entry.lists for entry in config.entries):
        yield warning(
            "nothing-pinned",
            context.subject,
            "no host is pinned by this file",
            "if pins were meant, they do nothing",
        )
    for entry in config.entries:
        subject = f"{context.subject}: {entry.title}"
        count = len(set(entry.pins))
        if entry.lists and count == 1 and not any(pins.dead for pins in entry.lists):
            yield warning(
                "single-pin",
                subject,
                "one pin only: when its key is lost or changed, every client breaks",
                "add the pin of a backup key that is kept apart",
            )
        yield from _lint_each(entry, subject)
        if entry.lists and entry.expires is not None and _ended(entry.expires, context.today):
            yield warning(
                "pins-expired",
                subject,
                f"the pins ended on {_day(entry.expires)}: connections are not pinned any more",
                "ship a file with a later date",
            )


def _lint_each(entry: Entry, subject: str) -> Iterator[Finding]:
    for pin in dict.fromkeys(entry.pins):
        junk = junk_reason(pin.digest)
        if junk is not None:
            yield error(
                "junk-pin",
                subject,
                f"{pin.text} is no key's digest: {junk}",
                "replace it by a real backup pin",
            )
    for text in dict.fromkeys(text for pins in entry.lists for text in pins.dead):
        yield error(
            "pin-never-matches",
            subject,
            f"{text or 'an empty text'} can never match a key",
            "replace it by the base64 of a SHA-256, 44 characters",
        )


def _day(expires: date | datetime) -> str:
    return show(expires) if isinstance(expires, datetime) else expires.isoformat()


def _ended(expires: date | datetime, today: date) -> bool:
    return (expires.date() if isinstance(expires, datetime) else expires) <= today


def note_dead(subject: str, text: str, why: str) -> Finding:
    """Say that an element of a file can never match, and why."""
    return error("pin-never-matches", subject, f"{text!r}: {why}", "write the base64 of a SHA-256, 44 characters")


def note_spelling(subject: str, text: str) -> Finding:
    """Say that a pin is spelt in a way that clients which compare text would not match."""
    return info(
        "non-canonical-pin",
        subject,
        f"{text!r} is not the canonical spelling",
        "export writes the canonical one",
    )


def unlisted(config: PinConfig) -> Rule:
    """Give the rule of a host that no entry covers."""
    return Rule(listed=not config.pinned)


def distinct(pins: Iterable[Pin]) -> tuple[Pin, ...]:
    """Drop repeated pins, the first of each kept."""
    return tuple(dict.fromkeys(pins))
