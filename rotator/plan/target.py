"""What a goal means on a policy: which hosts serve what in the end, and what apps have to carry for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rotator.errors import Problem, UsageError
from rotator.mechanisms.base import PinsetSpec
from rotator.model.names import did_you_mean
from rotator.model.pins import Pin, PinKind, spki_pin
from rotator.model.pki import Chain
from rotator.model.policy import Policy
from rotator.plan.values import Goal
from rotator.simulate.grammar import Occurrence
from rotator.simulate.inventory import Inventory
from rotator.simulate.pinsets import pinset_spec
from rotator.simulate.serving import chain_to_serve
from rotator.simulate.world import first_world


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A key, or a chain, that takes the place of another one on some hosts.

    Attributes:
        hosts: labels of the hosts that change.
        names: their DNS names.
        served: what each serves in the end, as actions without a time.
        key: our key that is served in the end, "" where none of ours is, or nothing changes on the servers.
        old: our keys that are served on them today and not in the end, the one to go first.
        drop: keys whose pins go once they are not served.
        chain: the chain that is served in the end, for its authorities.
        assumed: what was assumed to make that chain.
    """

    hosts: tuple[str, ...]
    names: tuple[str, ...]
    served: tuple[Occurrence, ...] = ()
    key: str = ""
    old: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    chain: Chain | None = None
    assumed: tuple[str, ...] = ()

    @property
    def own(self) -> frozenset[str]:
        """Give its keys: what comes, and what goes."""
        return frozenset((self.key, *self.old, *self.drop)) - {""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A goal that was looked up.

    Attributes:
        exchanges: what changes on servers, or whose pins do: one at least, on hosts of its own.
        only: the pins that stand in the place of all others; None to add to those there are.
    """

    exchanges: tuple[Exchange, ...]
    only: PinsetSpec | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """Give the labels of the hosts that change."""
        return tuple(host for own in self.exchanges for host in own.hosts)

    @property
    def names(self) -> tuple[str, ...]:
        """Give the DNS names of those hosts."""
        return tuple(name for own in self.exchanges for name in own.names)

    @property
    def served(self) -> tuple[Occurrence, ...]:
        """Give what each host serves in the end, as actions without a time."""
        return tuple(action for own in self.exchanges for action in own.served)

    @property
    def keys(self) -> tuple[str, ...]:
        """Give our keys that are served in the end."""
        return tuple(own.key for own in self.exchanges if own.key)

    @property
    def old(self) -> tuple[str, ...]:
        """Give our keys that are served today and not in the end."""
        return tuple(dict.fromkeys(key for own in self.exchanges for key in own.old))

    @property
    def drop(self) -> tuple[str, ...]:
        """Give the keys whose pins go once they are not served."""
        return tuple(key for own in self.exchanges for key in own.drop)

    @property
    def chains(self) -> tuple[Chain, ...]:
        """Give the chains that are served in the end."""
        return tuple(own.chain for own in self.exchanges if own.chain is not None)

    @property
    def assumed(self) -> tuple[str, ...]:
        """Give what was assumed to make those chains."""
        return tuple(text for own in self.exchanges for text in own.assumed)

    def names_of(self, keys: Iterable[str], spares: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Give the DNS names whose pins some keys change, by key: those of its exchange.

        Args:
            keys: keys of ours; others are left out.
            spares: the fresh spare of each exchange; "" for none.
        """
        pairs = list(zip(self.exchanges, spares, strict=True))
        return {key: own.names for key in keys for own, spare in pairs if key in own.own or (key == spare and spare)}

    def of_key(self, key: str) -> Exchange:
        """Give the exchange a key takes part in."""
        return next(own for own in self.exchanges if key in own.own)


def target_of(inventory: Inventory, goal: Goal, now: datetime) -> Target:
    """Look a goal up.

    Raises:
        UsageError: it names what the policy does not have, or asks for nothing that could be planned.
    """
    policy = inventory.policy
    _check(policy, goal)
    instead = _taken_chain(inventory, goal)
    if goal.pin_to:
        return _pin_to(inventory, goal, now)
    if goal.pinset:
        return _pinset(inventory, goal)
    new = instead or goal.chain or goal.to or _of_algorithm(inventory, goal.algorithm)
    further = (replace(goal, from_=old, to=fresh, hosts=(), also=()) for old, fresh in goal.also)
    found = [_exchange(inventory, goal, new, now), *(_exchange(inventory, own, own.to, now) for own in further)]
    hurt = [own.own & {k for k, key in policy.keys.items() if key.status in ("compromised", "lost")} for own in found]
    if any(hurt) and not all(hurt):
        # Budgets do not hold an answer to an incident back: others are not to be broken along with it.
        raise UsageError(
            Problem(
                "a stolen or lost key is rotated in a plan of its own",
                value=", ".join(key for own in hurt for key in sorted(own)),
                hint="leave --also out, and plan the other keys when this is over",
            )
        )
    times = Counter(host for own in found for host in own.hosts)
    twice = [host for host, number in times.items() if number > 1]
    if twice:
        raise UsageError(
            Problem(
                "a host serves one key in the end",
                value=", ".join(twice),
                expected="keys to go that are served by hosts of their own; --host for the first",
            )
        )
    return Target(exchanges=tuple(found))


def _exchange(inventory: Inventory, goal: Goal, new: str, now: datetime) -> Exchange:
    policy = inventory.policy
    if goal.to and policy.keys[goal.to].status != "active":
        raise UsageError(Problem(f"{goal.to} is {policy.keys[goal.to].status}: it cannot be served", value=goal.to))
    hosts = goal.hosts or _hosts(inventory, goal, new)
    if not hosts:
        raise UsageError(Problem("no host of ours that an app uses is there to change", value=goal.text))
    served = tuple(Occurrence(id="serve", parts=(host, new), action=True) for host in hosts)
    chain, assumed = _chain(inventory, hosts[0], new, now)
    key = inventory.key_of(chain.leaf) or ""
    today = list(dict.fromkeys(k for host in hosts for k in served_now(inventory, host)))
    old = tuple(k for k in dict.fromkeys([*([goal.from_] if goal.from_ else []), *today]) if k != key)
    return Exchange(
        hosts=tuple(hosts),
        names=tuple(name for host in hosts for name in policy.host_names(host)),
        served=served,
        key=key,
        old=old,
        drop=(goal.from_,) if goal.from_ else (),
        chain=chain,
        assumed=assumed,
    )


CHAIN = "chain:"
"""How the way out begins that serves another chain of the same key."""


def other_chains(inventory: Inventory, target: Target) -> list[str]:
    """Give the chains of the policy that bear the key of a target, and are not the one it serves."""
    first = target.exchanges[0]
    if first.chain is None or not first.key:
        return []
    return [
        name
        for name, chain in inventory.chains.items()
        if inventory.key_of(chain.leaf) == first.key
        and chain.sent != first.chain.sent
        and (not chain.leaf.dns_names or all(chain.leaf.covers(own) for own in first.names))
    ]


def _taken_chain(inventory: Inventory, goal: Goal) -> str:
    """Give the chain that a way out serves in the place of the goal's; "" for none."""
    named = [way.removeprefix(CHAIN) for way in goal.take if way.startswith(CHAIN)]
    for name in named:
        key = inventory.key_of(inventory.chains[name].leaf) if name in inventory.chains else None
        if key is None or not goal.to or key != goal.to:
            raise UsageError(
                Problem(
                    "no chain of the key that is to be served has this name",
                    value=name,
                    expected="--take chain:NAME with --to KEY, a chain of the policy whose leaf has that key",
                    hint=did_you_mean(name, inventory.chains),
                )
            )
    if len(named) > 1:
        raise UsageError(Problem("a host serves one chain in the end", value=", ".join(named)))
    return named[0] if named else ""


def served_now(inventory: Inventory, host: str) -> Iterator[str]:
    """Give our keys that a host serves, in all its places."""
    own = inventory.policy.hosts[host]
    for name in (*own.serves, *(chain for edge in own.edges for chain in edge.serves)):
        key = inventory.key_of(inventory.chains[name].leaf)
        if key is not None:
            yield key


def used_hosts(policy: Policy) -> list[str]:
    """Give the hosts of ours that some app uses, in the order of the policy."""
    used = {host for app in policy.apps for host in policy.hosts_of(app)}
    return [label for label, host in policy.hosts.items() if host.control == "ours" and (label in used)]


def _check(policy: Policy, goal: Goal) -> None:
    problems = [
        Problem(f"no {what} has this name", value=name, hint=did_you_mean(name, known))
        for what, name, known in (
            ("key", goal.to, policy.keys),
            ("key", goal.from_, policy.keys),
            ("chain", goal.chain, policy.chains),
            ("pinset", goal.pinset, policy.pinsets),
            *(("host", host, policy.hosts) for host in goal.hosts),
            *(("key", key, policy.keys) for pair in goal.also for key in pair),
        )
        if name and name not in known
    ]
    if problems:
        raise UsageError(problems)
    asked = [name for name in (goal.to, goal.chain, goal.pinset, goal.algorithm, goal.pin_to) if name]
    if len(asked) != 1:
        raise UsageError(
            Problem(
                "a plan has one goal",
                value=" ".join(asked) or "none",
                expected="--to KEY, --ca CHAIN, --pinset NAME, --algorithm ALG or --pin-to keys|roots|none",
            )
        )
    pairs = [(goal.from_, goal.to), *goal.also]
    own = next((old for old, fresh in pairs if old and old == fresh), "")
    if own:
        raise UsageError(Problem("a key cannot take its own place", value=own))
    if goal.also and not (goal.to and goal.from_):
        raise UsageError(
            Problem("more keys go with a first one", value=goal.text, expected="--from OLD --to NEW --also OLD=NEW")
        )
    named = Counter(key for pair in (pairs if goal.also else ()) for key in pair if key)
    more = [key for key, number in named.items() if number > 1]
    if more:
        raise UsageError(Problem("a key is named twice in a goal", value=", ".join(more)))


def _hosts(inventory: Inventory, goal: Goal, new: str) -> tuple[str, ...]:
    """Give the hosts a goal is about: those that serve a key of ours, or the one to go; else all of ours in use."""
    used = used_hosts(inventory.policy)
    if goal.from_:
        return tuple(host for host in used if goal.from_ in set(served_now(inventory, host)))
    if goal.chain:
        names = inventory.chains[new].leaf.dns_names
        leaf = inventory.chains[new].leaf
        same = [h for h in used if any(leaf.covers(n) for n in inventory.policy.host_names(h))] if names else []
        used = same or used
    keyed = [host for host in used if any(True for _ in served_now(inventory, host))]
    return tuple(keyed or used)


def _chain(inventory: Inventory, host: str, name: str, now: datetime) -> tuple[Chain, tuple[str, ...]]:
    chain, assumed = chain_to_serve(first_world(inventory, now), inventory, host, name)
    return chain, ((assumed,) if assumed else ())


def _of_algorithm(inventory: Inventory, algorithm: str) -> str:
    wanted = [
        name
        for name, facts in inventory.keys.items()
        if facts.key_type == algorithm and inventory.policy.keys[name].status == "active"
    ]
    served = {key for host in inventory.policy.hosts for key in served_now(inventory, host)}
    found = next((name for name in wanted if name not in served), None)
    if found is None:
        raise UsageError(
            Problem(
                "no key of ours of this type is there to be served",
                value=algorithm,
                expected="a key under [keys] of that type that no host serves yet",
                hint="make the key, add its CSR or public key to [keys], then plan again",
            )
        )
    return found


def _pinset(inventory: Inventory, goal: Goal) -> Target:
    policy = inventory.policy
    pinset = policy.pinsets[goal.pinset]
    spec = pinset_spec(policy, goal.pinset, inventory.keys, inventory.authorities, inventory.chains)
    used = used_hosts(policy)
    hosts = goal.hosts or tuple(
        host
        for host in used
        if pinset.covers is None or any(c.matches(n) for c in pinset.covers for n in policy.host_names(host))
    )
    names = tuple(name for host in hosts for name in policy.host_names(host))
    return Target(exchanges=(Exchange(hosts=hosts, names=names),), only=spec)


def _pin_to(inventory: Inventory, goal: Goal, now: datetime) -> Target:
    """Pins on the keys that are served and their spares, on the roots of what is served, or none."""
    policy = inventory.policy
    hosts = goal.hosts or tuple(used_hosts(policy))
    names = tuple(name for host in hosts for name in policy.host_names(host))
    if goal.pin_to == "none":
        return Target(exchanges=(Exchange(hosts=hosts, names=names),), only=PinsetSpec(name="no pins", covers=()))
    found = _keys(inventory, hosts, now) if goal.pin_to == "keys" else _roots(inventory, hosts)
    pins = dict(found)
    if not pins:
        raise UsageError(Problem(f"nothing is known to pin {goal.pin_to} on", value=", ".join(hosts)))
    also = {(pin, other.kind): other for pin, others in pins.items() for other in others}
    own, above = (tuple(pins), ()) if goal.pin_to == "keys" else ((), tuple(pins))
    spec = PinsetSpec(name=f"pins on {goal.pin_to}", covers=(), keys=own, authorities=above, also=also)
    return Target(exchanges=(Exchange(hosts=hosts, names=names),), only=spec)


Known = tuple[Pin, tuple[Pin, ...]]
"""A pin, and the same thing pinned by the other digests it is known by."""


def _keys(inventory: Inventory, hosts: Sequence[str], now: datetime) -> Iterator[Known]:
    """Give the keys that are served, and the spares of all pinsets."""
    policy = inventory.policy
    own = [key for host in hosts for key in served_now(inventory, host)]
    spare = [k for p in policy.pinsets.values() for k in p.backups if policy.keys[k].status == "active"]
    for name in dict.fromkeys((*own, *spare)):
        facts = inventory.keys[name]
        yield facts.pin, _also(facts.spki_sha1, facts.spki_sha512, facts.raw)
    world = first_world(inventory, now)
    for leaf in (offer.chain.leaf for host in hosts for offer in world.served.get(host, ())):
        if inventory.key_of(leaf) is None:
            yield spki_pin(leaf.spki), _also(leaf.spki_sha1, leaf.spki_sha512, leaf.raw)


def _roots(inventory: Inventory, hosts: Sequence[str]) -> Iterator[Known]:
    """Give the roots of what is served, or the last authority of a chain whose root is not known."""
    roots = {root.spki: root for store in inventory.trust.values() for root in (*store.roots, *store.local_roots)}
    for host in hosts:
        for name in inventory.policy.hosts[host].serves:
            signers = [c.signer for c in inventory.chains[name].sent if c.signer is not None]
            for spki in [s for s in signers if s in roots] or signers[-1:]:
                root = roots.get(spki)
                yield spki_pin(spki), () if root is None else _also(root.spki_sha1, root.spki_sha512, root.raw)


def _also(sha1: bytes, sha512: bytes, raw: bytes) -> tuple[Pin, ...]:
    digests = {PinKind.SPKI_SHA1: sha1, PinKind.SPKI_SHA512: sha512, PinKind.RAW: raw}
    return tuple(Pin(kind, digest) for kind, digest in digests.items() if digest)
