"""Ask what a client with a shipped file makes of a host: read by its mechanism, judged on minted chains."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from rotator.mechanisms.base import ConfigRejectedError, Context, Mechanism, PinConfig, PinsetSpec
from rotator.model.findings import Finding
from rotator.model.names import Cover
from rotator.model.pins import Pin
from rotator.model.pki import TrustStore
from rotator.model.rules import Rule
from rotator.model.verdicts import Reason
from rotator.simulate.judge import judge
from rotator.simulate.judgement import Judgement, Side, Situation
from rotator.workflows.opening import public_suffix
from tests.desk import NOW, TODAY
from tests.minting import Minted, intermediate, mint, pin, root, values

ROOT, ROGUE_ROOT = root("root"), root("rogue-root")
ICA, ROGUE_ICA = intermediate("ica", ROOT), intermediate("rogue-ica", ROGUE_ROOT)
HOSTS = ("example.com", "*.example.com", "*.a.example.com")
LEAF = mint("leaf", ICA, names=HOSTS)
ROGUE = mint("rogue", ROGUE_ICA, names=HOSTS)
_ALL = (ROOT, ICA, LEAF, ROGUE_ROOT, ROGUE_ICA, ROGUE)
OTHER_CA = (ROGUE, ROGUE_ICA)
"""What somebody else presents, from another authority."""
CONTEXT = Context(subject="shipped.file", today=TODAY, public_suffix=public_suffix)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is served to whom.

    Attributes:
        sent: what the server sends, leaf first.
        roots: what came with the device.
        local: what a user installed.
        at: the instant.
        side: whose chain it is.
    """

    sent: tuple[Minted, ...] = (LEAF, ICA)
    roots: tuple[Minted, ...] = (ROOT,)
    local: tuple[Minted, ...] = ()
    at: datetime = NOW
    side: Side = Side.OURS

    def judge(self, rule: Rule, host: str = "example.com") -> Judgement:
        """Judge a rule."""
        minted = list(dict.fromkeys((*self.sent, *self.roots, *self.local, *_ALL)))
        known = dict(zip(minted, values(*minted), strict=True))
        trust = TrustStore(
            name="t",
            roots=tuple(known[m] for m in self.roots),
            local_roots=tuple(known[m] for m in self.local),
        )
        return judge(rule, tuple(known[m] for m in self.sent), host, trust, Situation(at=self.at), self.side)


def read(mechanism: Mechanism, data: bytes | str, today: date = TODAY) -> PinConfig:
    """Read a file as its client does."""
    raw = data.encode() if isinstance(data, str) else data
    context = Context(subject="shipped.file", today=today, public_suffix=public_suffix)
    return mechanism.parse(raw, context).config


def findings(mechanism: Mechanism, data: bytes | str, today: date = TODAY) -> dict[str, Finding]:
    """Give what is to be said about a file, by id."""
    raw = data.encode() if isinstance(data, str) else data
    context = Context(subject="shipped.file", today=today, public_suffix=public_suffix)
    return {finding.id: finding for finding in mechanism.parse(raw, context).findings}


def refused(mechanism: Mechanism, data: bytes | str) -> ConfigRejectedError:
    """Give the error of a file that its client refuses."""
    try:
        read(mechanism, data)
    except ConfigRejectedError as error:
        return error
    raise AssertionError("the client takes this file")


def reason(
    mechanism: Mechanism, data: bytes | str | PinConfig, host: str = "example.com", scene: Scene | None = None
) -> Reason:
    """Say why a client with a file goes on, or does not; where nothing else is said it is our own server."""
    config = data if isinstance(data, PinConfig) else read(mechanism, data)
    return (scene or Scene()).judge(mechanism.rule(config, host), host).reason


def pins_for(mechanism: Mechanism, data: bytes | str | PinConfig, host: str) -> frozenset[Pin]:
    """Give the pins in force for a host; none when it is not pinned."""
    config = data if isinstance(data, PinConfig) else read(mechanism, data)
    return mechanism.rule(config, host).pins


def spec(
    *covers: Cover | str,
    keys: tuple[str, ...] = ("a", "b"),
    authorities: tuple[str, ...] = (),
    certificates: tuple[Pin, ...] = (),
    expires: date | datetime | None = None,
) -> PinsetSpec:
    """Make a pinset of minted keys."""
    return PinsetSpec(
        name="p",
        covers=tuple(Cover(c) if isinstance(c, str) else c for c in covers or ("example.com",)),
        keys=tuple(pin(name) for name in keys),
        authorities=tuple(pin(name) for name in authorities),
        certificates=certificates,
        expires=expires,
    )


def diff(old: bytes, new: bytes) -> tuple[list[bytes], list[bytes]]:
    """Give the lines that are gone and the lines that came, line endings kept."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    gone = [line for line in before if line not in after]
    came = [line for line in after if line not in before]
    return gone, came
