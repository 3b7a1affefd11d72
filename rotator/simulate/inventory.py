"""A policy with everything looked up: keys, certificates, chains, trust stores, and what each release enforces."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from rotator.errors import Problem
from rotator.mechanisms.base import Mechanism, PinConfig
from rotator.model.findings import Finding
from rotator.model.pins import Pin
from rotator.model.pki import Certificate, Chain, TrustStore, unique
from rotator.model.policy import Policy
from rotator.model.trusting import Lacking, SystemFacts

DEFAULT_TRUST = "mozilla"
"""The name shown for the trust store of an app that names none: the Mozilla bundle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """What the public half of a key says; `spki_sha1` is empty where only a digest is known."""

    pin: Pin
    spki_sha1: bytes = b""
    spki_sha512: bytes = b""
    raw: bytes = b""
    key_type: str = ""
    ca: bool = False


@dataclass(kw_only=True)
class Material:
    """What the files named by a policy hold, read and not yet put together.

    Attributes:
        certificates: by absolute path, in file order, with signers known over all files.
        keys: by name of the key.
        bundle: the Mozilla roots.
        bundle_names: the same by every name people know them by.
        systems: what is known of the trust stores of systems.
        shipped: bytes of shipped pin files, by absolute path.
        beside: bytes of the files that belong to shipped ones, by the path of those and the ending of their name.
        verifiers: checks of signatures, by the name of the key, for keys that sign pins.
        problems: everything that could not be read.
    """

    certificates: dict[str, tuple[Certificate, ...]] = field(default_factory=dict)
    keys: dict[str, KeyFacts] = field(default_factory=dict)
    bundle: tuple[Certificate, ...] = ()
    bundle_names: dict[str, Certificate] = field(default_factory=dict)
    systems: SystemFacts = field(default_factory=SystemFacts)
    shipped: dict[str, bytes] = field(default_factory=dict)
    beside: dict[tuple[str, str], bytes] = field(default_factory=dict)
    verifiers: dict[str, Callable[[bytes, bytes], bool]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforced:
    """What one release enforces through one mechanism.

    Attributes:
        mechanism: the id the policy uses, which may be a name of its own.
        config: the configuration as its client understands it.
        source: the pinset's name or the shipped file.
        from_file: whether it was read from the file that shipped.
        where: the policy path that names the file; empty for a pinset.
    """

    mechanism: str
    config: PinConfig
    source: str
    from_file: bool
    where: str = field(default="", compare=False)

    def __hash__(self) -> int:
        return hash((self.mechanism, self.source, self.from_file))


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """The whole picture.

    Attributes:
        policy: the policy as read.
        digest: SHA-256 of its main file, hex; "" when it was not read from a file.
        keys: our keys.
        authorities: certificates of each CA key; planned ones where only a digest is known.
        chains: served and planned chains.
        key_certificates: the certificates that keys are known by, as chains; they exist, served or not.
        trust: trust stores by name, `DEFAULT_TRUST` among them.
        extra: certificates that clients may build with though nobody sends them.
        mechanisms: the client technologies in use, one's own among them.
        enforced: by app and index of its release (-1 for an app without releases): what each mechanism enforces,
            in the order of the policy.
        beside: by app and index in its `beside`.
        published: what releases would enforce with other live pins, by app and pinset: by index of the release and of
            `beside` (-1 for the pinned connections), for the questions that publish them.
        everywhere: those of them that are written to headers and to the DNS as well, by app and pinset.
        labels: the shortest name of each known pin.
        lacking: by trust store, the public roots that its systems came without.
        findings: what is to be said about the files read.
    """

    policy: Policy
    digest: str = ""
    keys: Mapping[str, KeyFacts] = field(default_factory=dict)
    authorities: Mapping[str, tuple[Certificate, ...]] = field(default_factory=dict)
    chains: Mapping[str, Chain] = field(default_factory=dict)
    key_certificates: Mapping[str, Chain] = field(default_factory=dict)
    trust: Mapping[str, TrustStore] = field(default_factory=dict)
    extra: tuple[Certificate, ...] = ()
    mechanisms: Mapping[str, Mechanism] = field(default_factory=dict)
    enforced: Mapping[tuple[str, int], tuple[Enforced, ...]] = field(default_factory=dict)
    beside: Mapping[tuple[str, int], tuple[Enforced, ...]] = field(default_factory=dict)
    published: Mapping[tuple[str, str], Mapping[tuple[int, int], tuple[Enforced, ...]]] = field(default_factory=dict)
    everywhere: frozenset[tuple[str, str]] = frozenset()
    labels: Mapping[Pin, str] = field(default_factory=dict)
    lacking: Mapping[str, tuple[Lacking, ...]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def certificates_of(self, keys: Collection[bytes]) -> tuple[Certificate, ...]:
        """Give every known certificate of some keys: as authorities, as sent, as anchors."""
        sources = [
            *self.authorities.values(),
            *(chain.sent[1:] for chain in self.chains.values()),
            self.extra,
            *(store.roots for store in self.trust.values()),
            *(store.local_roots for store in self.trust.values()),
        ]
        return unique(c for source in sources for c in source if c.spki in keys)

    def label(self, pin: Pin) -> str:
        """Give the name of a pin, or its text."""
        return self.labels.get(pin, pin.text)

    def key_of(self, certificate: Certificate) -> str | None:
        """Give the name of our key that a certificate is for."""
        found = (self._places[pin] for pin in certificate.pins() if pin in self._places)
        return min(found, default=(0, None))[1]

    @cached_property
    def _places(self) -> dict[Pin, tuple[int, str | None]]:
        """Give by pin the first of our keys that has it, and its place: policies have thousands."""
        found: dict[Pin, tuple[int, str | None]] = {}
        for place, (name, facts) in enumerate(self.keys.items()):
            found.setdefault(facts.pin, (place, name))
        return found

    def authority_of(self, certificate: Certificate) -> str | None:
        """Give the name of the authority whose key a certificate is for."""
        return next(
            (name for name, own in self.authorities.items() if any(c.spki == certificate.spki for c in own)),
            None,
        )

    def name_of(self, certificate: Certificate) -> str:
        """Give the name a person of this policy knows a certificate's key by."""
        return self.key_of(certificate) or self.authority_of(certificate) or certificate.label
