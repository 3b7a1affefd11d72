"""What a client technology is to the rest of Rotator, and the values that cross its border.

A mechanism reads its own files by its own client's rules, finds what applies to a host, says it as an acceptance
rule, writes files that its client accepts, and names what its format cannot say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from rotator.errors import InputError, Problem
from rotator.mechanisms.shared.lint import lint_pins
from rotator.model.findings import Finding
from rotator.model.names import Cover, Reach
from rotator.model.pins import Pin, PinKind
from rotator.model.pki import Certificate
from rotator.model.rules import (
    BadConfig,
    Base,
    Clause,
    Cleartext,
    Combine,
    Expiry,
    LocalRoots,
    Mode,
    Rule,
    Scope,
    Usage,
)
from rotator.model.when import start_of


class Channel(StrEnum):
    """The way by which pins reach clients: who controls it can write them."""

    RELEASE = "release"
    HEADER = "header"
    """The server's own answers, on every visit."""
    LIVE = "live"
    """A channel of its own, without a release."""
    DNS = "dns"


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
        system_roots: the same for the roots that came with the device or the app.
        parent: index of the entry this one is nested in; None at the top.
        unpinned_on_purpose: the file switches pins off here.
        forbidden: pins that refuse whatever else matches.
        usage: the usage of the TLSA record this is.
        lifetime_seconds: how long it is kept after it was seen, where it comes from a server or the DNS.
        base: the validation left beside the pins, where the file decides it; None for the mechanism's own way.
        service: the `_port._protocol` of the TLSA record this is; "" for every port.
    """

    covers: tuple[Cover, ...] = ()
    lists: tuple[PinList, ...] = ()
    expires: date | datetime | None = None
    mode: Mode = Mode.ENFORCE
    local_roots: LocalRoots | None = None
    system_roots: LocalRoots | None = None
    parent: int | None = None
    unpinned_on_purpose: bool = False
    forbidden: tuple[Pin, ...] = ()
    usage: Usage | None = None
    lifetime_seconds: int | None = None
    base: Base | None = None
    service: str = ""

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

    `rejected` says why the client refuses all of it; then the entries are what could be read. `local_roots` and
    `system_roots` are what roots do where no entry says it; None for the mechanism's own way. `cleartext` says for
    names, None for all others, whether connections without TLS are allowed; None where the file leaves that open.
    `given` says that there is a configuration though it has no entry, for clients that then refuse every host.
    """

    entries: tuple[Entry, ...] = ()
    rejected: str = ""
    local_roots: LocalRoots | None = None
    system_roots: LocalRoots | None = None
    cleartext: tuple[tuple[Cover | None, bool | None], ...] = ()
    given: bool = False

    def allows_cleartext(self, host: str) -> bool | None:
        """Say what the file says of connections without TLS to a host: its nearest name decides."""
        named = [(cover, allowed) for cover, allowed in self.cleartext if cover is not None and cover.matches(host)]
        if named:
            return max(named, key=lambda row: (row[0].name == host, len(row[0].name)))[1]
        return next((allowed for cover, allowed in self.cleartext if cover is None), None)

    def asked_at(self, port: int) -> PinConfig:
        """Give what counts for connections to a TCP port.

        A record of another port or protocol goes under its owner's whole name, which no host has; `*` stands for a
        port that has no records of its own (RFC 4592, 3.3.1).
        """
        if not any(entry.service for entry in self.entries):
            return self
        own, wild = f"_{port}._tcp", "*._tcp"
        exact = {cover.name for entry in self.entries if entry.service == own for cover in entry.covers}

        def seen(cover: Cover, service: str) -> Cover:
            asked = service in ("", own) or (service == wild and cover.name not in exact)
            return cover if asked else Cover(f"{service}.{cover.name}")

        entries = (replace(e, covers=tuple(seen(cover, e.service) for cover in e.covers)) for e in self.entries)
        return replace(self, entries=tuple(entries))

    @property
    def pinned(self) -> tuple[Entry, ...]:
        """Give the entries that pin."""
        return tuple(entry for entry in self.entries if entry.lists)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A configuration, what is to be said about it, and names it gives to keys."""

    config: PinConfig
    findings: tuple[Finding, ...] = ()
    names: Mapping[str, Pin] = field(default_factory=dict)


def no_suffix_list(name: str) -> str | None:
    """Stand in for a public suffix list: the last label is the suffix."""
    return name.rpartition(".")[2] or None


def no_certificates(_data: bytes) -> tuple[Certificate, ...]:
    """Stand in for a reader of certificates: there are none."""
    return ()


def no_authority(_pin: Pin) -> bool:
    """Stand in for a list of authorities: none is known."""
    return False


def no_sibling(_ending: str) -> bytes | None:
    """Stand in for the folder of a file: nothing is beside it."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What reading a file needs from outside.

    Attributes:
        subject: the file or the policy path, for findings.
        today: the day findings are judged on.
        public_suffix: gives the public suffix of a name, or None when its top-level domain is unknown.
        decode: reads the certificates of a file, PEM or DER.
        sibling: gives the file beside this one whose name ends otherwise, such as `.pins`; None when there is none.
        verify: says whether a signature over some bytes is good; None when no key to check with is known.
        is_authority: says whether a pin is on the key of an authority, which is never a server's own.
    """

    subject: str
    today: date
    public_suffix: Callable[[str], str | None] = field(default=no_suffix_list)
    decode: Callable[[bytes], tuple[Certificate, ...]] = field(default=no_certificates)
    sibling: Callable[[str], bytes | None] = field(default=no_sibling)
    verify: Callable[[bytes, bytes], bool] | None = None
    is_authority: Callable[[Pin], bool] = field(default=no_authority)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinsetSpec:
    """A pinset of the policy with its pins looked up, in the order primary, backups.

    `common_names` gives the common name of each pinned certificate that has one; `also` gives the same thing pinned
    as another kind of digest, a certificate also by its key, where that is known; `ports` gives the TCP port of each
    name that is a host's.
    """

    name: str
    covers: tuple[Cover, ...]
    keys: tuple[Pin, ...] = ()
    authorities: tuple[Pin, ...] = ()
    certificates: tuple[Pin, ...] = ()
    expires: date | datetime | None = None
    mode: Mode = Mode.ENFORCE
    combine: Combine = Combine.ANY
    max_age_days: float | None = None
    common_names: Mapping[Pin, str] = field(default_factory=dict)
    also: Mapping[tuple[Pin, PinKind], Pin] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)

    def as_kind(self, kind: PinKind) -> PinsetSpec:
        """Give the pinset with its keys, or its certificates, pinned by another kind of digest.

        What is not known by that kind is left out; a kind of certificate digests leaves keys out, and the other way
        round.
        """

        def turned(pins: tuple[Pin, ...]) -> tuple[Pin, ...]:
            found = (pin if pin.kind is kind else self.also.get((pin, kind)) for pin in pins)
            return tuple(pin for pin in found if pin is not None)

        if kind.of_certificate:
            return replace(self, keys=(), authorities=(), certificates=turned(self.certificates))
        return replace(self, keys=turned(self.keys), authorities=turned(self.authorities), certificates=())


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

    @property
    def source(self) -> str:
        """Give the page to read first: the vendor's where there is one."""
        return next((source for source in self.sources if source.startswith("https://")), self.sources[0])


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
    #: Whether the client finds its pins in the DNS.
    from_dns: bool = False
    #: Whether pins on keys can be said.
    says_keys: bool = True
    #: Whether pins without an end cannot be said at all.
    needs_expiry: bool = False
    #: Whether pins for one host end one by one, and those that are left still count.
    ends_apart: bool = False
    #: Most pins the client can hold; None for no bound.
    most_pins: int | None = None
    #: Whether the file is a list of somebody else, which is read and never written.
    ours_to_write: bool = True
    #: Whether one of our keys and one of the authorities can be demanded at once.
    says_both: bool = False
    #: Fewest pins the client accepts where it enforces.
    fewest_pins: int = 1
    #: Whether the file says which hosts it is for; where it does not, whoever uses it does.
    names_hosts: bool = True
    #: How pins reach the client.
    channel: Channel = Channel.RELEASE
    #: Whether the client takes connections without TLS where its file says nothing.
    cleartext: Cleartext = Cleartext.UNKNOWN

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read a file as the client does.

        Raises:
            ConfigRejectedError: the client refuses the file.
            InputError: the file is not of this format at all.
        """
        raise NotImplementedError  # pragma: no cover

    def render(self, config: PinConfig) -> bytes:  # noqa: ARG002 - a list that is not ours is not written
        """Write a whole file that the client accepts and reads as `config`.

        Raises:
            InputError: the list is not ours to write.
        """
        raise InputError(Problem("is a list of somebody else: it is read, never written", value=self.id))

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Give what the configuration demands of a host (a canonical name)."""
        raise NotImplementedError  # pragma: no cover

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Change only the pins of an existing file, so that it says `config` for the names it covers.

        Everything else in the file stays, to the byte where the format allows it.

        Raises:
            InputError: the file cannot be read, or not be changed this way.
        """
        del data, context
        return self.render(config)

    def refuse(self, config: PinConfig, context: Context) -> str:  # noqa: ARG002 - most clients refuse nothing
        """Say why the client would refuse a configuration that was put together, or ""."""
        return ""

    def lint(self, config: PinConfig, context: Context) -> Iterator[Finding]:
        """Give what is silently dangerous in a configuration."""
        yield from lint_pins(config, context, self.facts.source)

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
        if (spec.keys or spec.authorities) and not self.says_keys:
            yield "no-key-pins", f"{self.id} compares whole certificates: pins on keys are left out"
        keys = len(spec.keys) + len(spec.authorities) if self.says_keys else 0
        said = keys + (len(spec.certificates) if self.says_certificates else 0)
        if self.most_pins is not None and said > self.most_pins:
            yield "coordinated-cutover-only", f"{self.id} holds one value: clients and servers must change at once"
        if spec.certificates and not self.says_certificates:
            yield "no-certificate-pins", f"{self.id} compares keys: pins on whole certificates are left out"
        if spec.expires and not self.says_expiry:
            yield "no-expiry", f"{self.id} has no end of pins: they hold until a release takes them out"
        if spec.mode is Mode.REPORT_ONLY and not self.says_report_only:
            yield "no-report-only", f"{self.id} cannot report only: it enforces"
        both = spec.combine is Combine.LEAF_AND_CA and spec.keys and spec.authorities
        if both and not self.says_both and self.scope is Scope.ANY:
            yield "no-leaf-and-ca", f"{self.id} cannot demand a key and an authority at once: either one is enough"
        if self.needs_expiry and not spec.expires:
            yield "needs-expiry", f"{self.id} takes no pins without an end: write expires ="
        hosts = len(spec.covers) > 1 or any(cover.reach is not Reach.EXACT for cover in spec.covers)
        if hosts and not self.names_hosts:
            yield "no-hosts", f"{self.id} pins whatever it is asked to fetch: give the option only for these names"
        if not self.ours_to_write:
            yield "not-ours", f"{self.id} is a list of somebody else: it is read, never written"
        if self.fewest_pins > 1 and said < self.fewest_pins:
            yield "too-few-pins", f"{self.id} refuses fewer than {self.fewest_pins} pins"

    def own(self, found: PinConfig, wanted: PinConfig) -> PinConfig:  # noqa: ARG002 - most files are one whole
        """Give what of a file is to be compared with a configuration that was written into it."""
        return found

    def agrees(self, found: PinConfig, wanted: PinConfig, name: str) -> bool:
        """Say whether a file that was read demands of a name what a configuration does.

        Which roots a file trusts is its own affair, unless those of the system switch the pins off: a pinset says
        nothing of them.
        """
        read = self.rule(self.own(found, wanted), name)
        same = read.without_roots() == self.rule(wanted, name).without_roots()
        return same and read.system_roots is not LocalRoots.BYPASS

    def as_resolved(self, rule: Rule, dnssec: str) -> Rule:  # noqa: ARG002 - most clients ask no resolver
        """Give what is left of a rule where what the DNS says of the host is `secure`, `insecure` or `bogus`."""
        return rule

    def expiry(self, expires: date | datetime | None) -> Expiry | None:
        """Give the instants between which pins end; UTC midnight unless the client does otherwise."""
        if expires is None:
            return None
        return Expiry.at(expires if isinstance(expires, datetime) else start_of(expires))


def unlisted(config: PinConfig) -> Rule:
    """Give the rule of a host that no entry covers."""
    return Rule(listed=not config.pinned)


def distinct(pins: Iterable[Pin]) -> tuple[Pin, ...]:
    """Drop repeated pins, the first of each kept."""
    return tuple(dict.fromkeys(pins))
