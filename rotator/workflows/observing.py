"""Look at what the hosts of a policy really serve, and keep what was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rotator.checks.sightings import Sightings, about, agreeing
from rotator.errors import InputError, Problem, UsageError
from rotator.files import sightings as record
from rotator.files.handshake import Net, Target, observe
from rotator.files.history import snapshots_of
from rotator.files.policy_toml import read_bytes
from rotator.files.store import keep_old, locked, write
from rotator.model.edits import Change, SetValue
from rotator.model.findings import Finding
from rotator.model.names import canonical, did_you_mean
from rotator.model.sightings import Fault, Handshake, Seen, Unseen
from rotator.simulate.backtest import Snapshot
from rotator.simulate.fleet import fleet_of
from rotator.simulate.question import Picture
from rotator.workflows.changing import edited

MOST_TARGETS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to look at: a host's label or one of its names, and a file where it is not to be asked."""

    host: str
    file: str = ""
    data: bytes = b""

    @classmethod
    def of(cls, text: str, stdin: Callable[[], bytes]) -> Wish:
        """Read `HOST` or `HOST=FILE`; `-` is what comes in on standard input."""
        host, equals, file = text.partition("=")
        if not equals:
            return cls(host=host)
        return cls(host=host, file=file, data=stdin() if file == "-" else read_bytes(file))


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What was seen.

    Attributes:
        sightings: chains, faults and what was seen before.
        findings: what is to be said about it, worst first.
        agreeing: the hosts of which everything that was seen is what the policy says.
        raw: each chain as it was sent, in the order of the sightings.
    """

    sightings: Sightings
    findings: tuple[Finding, ...]
    agreeing: tuple[str, ...]
    raw: tuple[tuple[bytes, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chain:
    """A chain that was seen, not yet read."""

    label: str
    name: str
    port: int
    sent: tuple[bytes, ...]
    addresses: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    source: str = ""


def look(
    picture: Picture,
    wishes: Sequence[Wish],
    at: datetime,
    net: Net,
    seconds: float,
    told: Callable[[Target, Handshake], None],
) -> Observed:
    """Look at hosts of a policy: all of them where none is named.

    Args:
        picture: the policy.
        wishes: which hosts.
        at: the instant that sightings are dated with.
        net: the network.
        seconds: the longest that one handshake may take.
        told: called as each address is done.

    Raises:
        UsageError: a host is none of the policy.
        InputError: a file holds no chain, or the record is broken.
    """
    targets, given = _targets(picture, wishes)
    hands = observe(targets.keys(), seconds, net, told) if targets else {}
    unseen: list[Unseen] = []
    chains = [*given]
    for target, own in hands.items():
        chains += _chains(target, targets[target], own)
        unseen += _unseen(target, targets[target], own)
    known = tuple(picture.material.certificates)
    read = list(_read(chains, at, known, unseen))
    sightings = Sightings(
        today=at.date(),
        seen=[seen for _, seen in read],
        unseen=unseen,
        history=[s for s in record.history_of(picture.policy.file, known) if s.at < at],
    )
    fleet = fleet_of(picture.inventory, picture.table)
    return Observed(
        sightings=sightings,
        findings=about(picture.inventory, fleet, sightings),
        agreeing=tuple(agreeing(picture.inventory, sightings)),
        raw=tuple(chain.sent for chain, _ in read),
    )


def keep(policy: str, observed: Observed) -> list[Path]:
    """Keep every chain that was seen beside the policy.

    Raises:
        InputError: a file cannot be written.
    """
    kept = []
    for seen, sent in zip(observed.sightings.seen, observed.raw, strict=True):
        how = (
            f"from {seen.source}" if seen.source else f"at {', '.join(seen.addresses)} with {', '.join(seen.versions)}"
        )
        kept.append(record.keep(policy, Snapshot(at=seen.at, host=seen.name, sent=seen.sent), sent, how))
    return kept


def date_hosts(policy: str, observed: Observed, at: datetime) -> None:
    """Write the day into `observed` of every host that agrees.

    Raises:
        InputError: the policy cannot be edited or written.
    """
    before = read_bytes(policy)
    edits = tuple(SetValue(("hosts", label, "observed"), at.date()) for label in observed.agreeing)
    after = edited(policy, before, [Change("observed", edits)])
    if after != before:
        with locked(policy):
            keep_old(policy, Path(policy), before)
            write(Path(policy), after, expected=before)


def _targets(picture: Picture, wishes: Sequence[Wish]) -> tuple[dict[Target, str], list[_Chain]]:
    """Give whom to ask, each with its host's label, and the chains that files hold."""
    policy = picture.policy
    targets: dict[Target, str] = {}
    given: list[_Chain] = []
    for wish in wishes or [Wish(host=label) for label in policy.hosts]:
        label = policy.host_label(wish.host) or policy.host_label(canonical(wish.host))
        if label is None:
            known = [*policy.hosts, *(name for own in policy.hosts for name in policy.host_names(own))]
            raise UsageError(
                Problem("is no host of the policy", value=wish.host, hint=did_you_mean(wish.host, dict.fromkeys(known)))
            )
        names = policy.host_names(label) if wish.host == label else (canonical(wish.host),)
        port = policy.hosts[label].port
        if not wish.file:
            targets |= {Target(name=name, port=port): label for name in names}
            continue
        from rotator.files import pem

        loaded = pem.load_certificates(wish.data, wish.file)
        sent = tuple(pem.der_of(item) for item in loaded)
        source = "standard input" if wish.file == "-" else wish.file
        given += [_Chain(label=label, name=name, port=port, sent=sent, source=source) for name in names[:1]]
    if not targets and not given:
        raise UsageError(Problem("the policy has no host to look at", file=policy.file))
    if len(targets) > MOST_TARGETS:
        raise UsageError(Problem("too many hosts for one look", value=len(targets), expected=f"at most {MOST_TARGETS}"))
    return targets, given


def _chains(target: Target, label: str, hands: Sequence[Handshake]) -> Iterator[_Chain]:
    """Put handshakes together that showed the same chain."""
    for sent in dict.fromkeys(hand.sent for hand in hands if hand.sent):
        same = [hand for hand in hands if hand.sent == sent]
        yield _Chain(
            label=label,
            name=target.name,
            port=target.port,
            sent=sent,
            addresses=tuple(dict.fromkeys(hand.address for hand in same)),
            versions=tuple(sorted({hand.version for hand in same})),
        )


def _unseen(target: Target, label: str, hands: Sequence[Handshake]) -> Iterator[Unseen]:
    """Give the addresses that showed no chain in any handshake, each with its first fault."""
    shown = {hand.address for hand in hands if hand.sent}
    for address in dict.fromkeys(hand.address for hand in hands):
        if address in shown:
            continue
        first = next(hand for hand in hands if hand.address == address)
        fault = first.fault or Fault.UNREADABLE
        detail = first.detail if first.fault else "it sends no certificate"
        yield Unseen(label=label, name=target.name, port=target.port, address=address, fault=fault, detail=detail)


def _read(
    chains: Sequence[_Chain], at: datetime, known: Sequence[str], unseen: list[Unseen]
) -> Iterator[tuple[_Chain, Seen]]:
    """Read the certificates of chains; one that cannot be read is a fault of its host."""
    for chain in chains:
        try:
            (snapshot,) = snapshots_of([(at, chain.name, chain.sent, chain.source or chain.name)], known)
        except InputError as error:
            unseen += [
                Unseen(
                    label=chain.label,
                    name=chain.name,
                    port=chain.port,
                    address=address,
                    fault=Fault.UNREADABLE,
                    detail=error.problems[0].message,
                )
                for address in chain.addresses or ("",)
            ]
            continue
        seen = Seen(
            label=chain.label,
            name=chain.name,
            at=at,
            sent=snapshot.sent,
            addresses=chain.addresses,
            versions=chain.versions,
            source=chain.source,
        )
        yield chain, seen
