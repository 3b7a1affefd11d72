"""The emergency in words: from a serial, a certificate, a host or a key to what happened, and the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from rotator.errors import Problem, UsageError
from rotator.files.policy_toml import read_bytes
from rotator.model.names import did_you_mean
from rotator.model.pki import Certificate, Chain
from rotator.model.policy import Limits
from rotator.model.when import HOUR, parse_duration
from rotator.plan.alarm import Alarm, Emergency, Suspected
from rotator.plan.emergency import respond
from rotator.simulate.budget import beyond
from rotator.simulate.inventory import Inventory
from rotator.simulate.question import Picture
from rotator.workflows.simulating import calendar

_LABEL = re.compile(r"(?i)\s*serial(?: number)?\s*[:=]\s*")
"""What OpenSSL and mails of CAs write before a serial."""
_PEM = "-----BEGIN "
_SERIAL = re.compile(r"(?:0[xX])?([0-9A-Fa-f]{1,2}(?:[: ]?[0-9A-Fa-f]{2})*|[0-9A-Fa-f]+)")
CLOCK = "24h"
"""A CA must revoke within 24 hours of learning that a key is compromised (Baseline Requirements 4.9.1.1)."""
LONGEST = 120 * HOUR


def emergency(
    picture: Picture, now: datetime, *, revoked: str = "", stolen: str = "", suspected: str = "", clock: str = CLOCK
) -> Emergency:
    """Answer an emergency.

    Args:
        picture: everything read.
        now: the instant of the session.
        revoked: a serial, a file with a certificate, a host or a chain.
        stolen: the name of a key.
        suspected: `no`, `yes` or `unknown`; "" is `yes` for a key, else `unknown`.
        clock: the time until the CA revokes.

    Raises:
        UsageError: it names nothing, or several things, in the policy.
        InputError: a file cannot be read.
    """
    alarm = alarm_of(picture.inventory, revoked=revoked, stolen=stolen, suspected=suspected, clock=clock)
    return respond(picture, alarm, now, calendar(picture.policy))


def means(inventory: Inventory, said: str) -> dict[str, str]:
    """Say what one word of somebody means: the name of a key that is stolen, or else something that is revoked."""
    word = said.strip()
    known = word in inventory.chains or inventory.policy.host_label(word) is not None
    return {"stolen": word} if word in inventory.keys and not known else {"revoked": word}


def nameable(inventory: Inventory) -> list[tuple[str, str]]:
    """Give what an emergency can be named by, each with what it is: hosts that serve something, keys, certificates."""
    policy, served = inventory.policy, dict(_serving(inventory))
    hosts = [(label, f"host {', '.join(policy.host_names(label)[:1])}") for label, own in served.items() if own]
    names: dict[str, list[str]] = {key: [] for key in inventory.keys}
    for label, chains in served.items():
        for chain in chains:
            key = inventory.key_of(inventory.chains[chain].leaf) if chain in inventory.chains else None
            if key in names and label not in names[key]:
                names[key].append(label)
    keys = [(key, f"key, served by {', '.join(on)}" if on else "key, served nowhere") for key, on in names.items()]
    keys.sort(key=lambda pair: not names[pair[0]])
    certificates = [
        (chain.name, f"certificate, serial {chain.leaf.serial:X}" if chain.leaf.serial else "certificate")
        for chain in inventory.chains.values()
        if not chain.planned
    ]
    return [*keys, *hosts, *certificates]


def alarm_of(
    inventory: Inventory, *, revoked: str = "", stolen: str = "", suspected: str = "", clock: str = ""
) -> Alarm:
    """Look up what happened; see `emergency`."""
    if bool(revoked) == bool(stolen):
        raise UsageError(
            Problem(
                "say what happened",
                value=" ".join(filter(None, (revoked, stolen))) or "nothing",
                expected="--revoked SERIAL|PEM|HOST or --stolen KEY",
            )
        )
    time = parse_duration(clock or CLOCK)
    if not HOUR <= time <= LONGEST:
        raise UsageError(Problem("no clock of a CA", value=clock, expected=f"{CLOCK} to {LONGEST // HOUR}h, or 5d"))
    if stolen:
        return _of_key(inventory, stolen, suspected, clock or CLOCK)
    found = list(_meant(inventory, revoked))
    if _PEM in revoked:
        revoked = found[0].name if found else "the pasted text"
    if not found:
        raise UsageError(
            Problem(
                "no certificate of this policy is meant by this",
                value=revoked,
                expected="the serial of a certificate, a PEM file, a host, or a chain",
                hint=did_you_mean(revoked, (*inventory.policy.hosts, *inventory.chains))
                or "rotator observe takes what a host serves into the policy's record",
            )
        )
    keys = list(dict.fromkeys(inventory.key_of(chain.leaf) or "" for chain in found))
    if len(keys) > 1:
        raise UsageError(
            Problem(
                "several keys are meant by this",
                value=revoked,
                expected="one of: " + ", ".join(chain.name for chain in found),
            )
        )
    asked = Suspected(suspected or Suspected.UNKNOWN)
    if not keys[0] and asked is not Suspected.NO:
        raise UsageError(
            Problem(
                "the key of this certificate is not under [keys], so nobody knows who pins it",
                value=revoked,
                hint="name it under [keys], or say --key-suspected no",
            )
        )
    leaves = {chain.leaf.sha256 for chain in found}
    names = {chain.name for chain in inventory.chains.values() if chain.leaf.sha256 in leaves}
    served = dict(_serving(inventory))
    hosts = tuple(host for host, chains in served.items() if names & set(chains))
    return Alarm(
        said=revoked,
        key=keys[0],
        hosts=_ours(inventory, hosts, revoked),
        chains=tuple(name for name in inventory.chains if name in names and hosts),
        suspected=asked,
        clock=time,
        from_ca=True,
    )


def _of_key(inventory: Inventory, name: str, suspected: str, clock: str) -> Alarm:
    if name not in inventory.keys:
        raise UsageError(Problem("no key has this name", value=name, hint=did_you_mean(name, inventory.keys)))
    pin = inventory.keys[name].pin
    served = dict(_serving(inventory))
    own = {chain.name for chain in inventory.chains.values() if chain.leaf.matches(pin)}
    hosts = tuple(host for host, chains in served.items() if own & set(chains))
    return Alarm(
        said=name,
        key=name,
        hosts=_ours(inventory, hosts, name),
        chains=tuple(dict.fromkeys(c for host in hosts for c in served[host] if c in own)),
        suspected=Suspected(suspected or Suspected.YES),
        clock=parse_duration(clock),
        from_ca=False,
    )


def _ours(inventory: Inventory, hosts: tuple[str, ...], said: str) -> tuple[str, ...]:
    """Give the hosts, which must be ours."""
    other = [host for host in hosts if inventory.policy.hosts[host].control != "ours"]
    if other:
        raise UsageError(
            Problem(
                "what this host serves is not in our hands",
                value=said,
                hint=f"rotator simulate says what happens to {', '.join(other)}: revoke:{other[0]}",
            )
        )
    return hosts


def _serving(inventory: Inventory) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give the chains that each host serves, in all its places."""
    for label, host in inventory.policy.hosts.items():
        yield label, (*host.serves, *(chain for edge in host.edges for chain in edge.serves))


def _meant(inventory: Inventory, said: str) -> Iterator[Chain]:
    """Give the chains that a chain's name, a host, a file or a serial means."""
    if said in inventory.chains:
        yield inventory.chains[said]
        return
    label = inventory.policy.host_label(said)
    if label is not None:
        for name in dict(_serving(inventory))[label]:
            yield inventory.chains[name]
        return
    if _PEM in said:
        yield from _in_text(inventory, said.encode())
        return
    if _is_file(said):
        yield from _in_text(inventory, read_bytes(said))
        return
    serial = _SERIAL.fullmatch(_LABEL.sub("", said.strip(), count=1))
    if serial is not None:
        number = int(re.sub("[: ]", "", serial[1]), 16)
        yield from (c for c in _existing(inventory) if c.leaf.serial == number)


def _is_file(said: str) -> bool:
    try:
        return Path(said).is_file()
    except OSError:  # no name that a file could have
        return False


def _in_text(inventory: Inventory, text: bytes) -> Iterator[Chain]:
    from rotator.files.pem import decode

    sent: tuple[Certificate, ...] = decode(text)
    meant = {certificate.sha256 for certificate in sent[:1]}
    yield from (c for c in _existing(inventory) if c.leaf.sha256 in meant)


def _existing(inventory: Inventory) -> Iterator[Chain]:
    """Give the certificates there are, those that no host serves among them."""
    yield from (c for c in (*inventory.chains.values(), *inventory.key_certificates.values()) if not c.planned)


def beyond_budget(found: Emergency, limits: Limits) -> bool:
    """Say whether what comes is beyond the budgets, even with the best answer."""
    best = found.best
    if best is None:
        own = found.reissue
        return bool(found.options) or (own is not None and beyond(own.broken, limits.break_budget))
    return beyond(best.weighed.worst, limits.break_budget) or beyond(found.exposed, limits.exposure_budget)
