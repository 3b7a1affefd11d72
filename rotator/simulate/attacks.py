"""What an attacker holds, and every chain it can present with it to a client that asks for a name.

Holdings add up: whoever holds a key and gets certificates from a CA gets one for that key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rotator.model.pins import Pin
from rotator.model.pki import Certificate, Chain, may_have_issued, planned_certificate, unique, unknown_key
from rotator.model.verdicts import Reason
from rotator.model.when import BEGINNING, FOREVER, plus, start_of
from rotator.simulate.inventory import DEFAULT_TRUST, Inventory
from rotator.simulate.pinsets import KeyIdentity, identity_of, key_identity

#: The longest a public certificate may live, by the first day of each step (CA/Browser Forum ballot SC-081v3).
LIFETIMES = (
    (date(1970, 1, 1), 398),
    (date(2026, 3, 15), 200),
    (date(2027, 3, 15), 100),
    (date(2029, 3, 15), 47),
)
MAX_ORDERS = 32
"""Ways up from one leaf that an attacker tries, so that a hostile tangle of cross-signs ends."""
ANYWHERE = planned_certificate(
    identity="a public CA that nobody pins",
    spki=unknown_key("a public CA that nobody pins"),
    subject="a public CA that nobody pins",
    issuer=None,
    ca=True,
)
"""A root that every client trusts which trusts public CAs at all, and that no pin is on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One thing an attacker holds.

    Attributes:
        kind: the reason given where it works.
        subject: what it is about, by its name in the policy.
        since: when the attacker came to hold it.
        until: the end of certificates the attacker gets with it.
        key: a pin on the private key it holds; None for none.
        certified: a CA certifies the key for the attacker.
        issuers: CA certificates under which it gets certificates.
        any_ca: it controls the name, so that any public CA certifies it: those that clients pin among them.
        unpinned_ca: it gets a certificate from a public CA that nobody pins.
        backdated: it signs with the CA's own key, so that dates are what it likes.
        hosts: labels of the hosts it is about; none of them means every name.
        cohort: app, version and trust store of the clients it can reach, "" for all of them; None for everybody.
    """

    kind: Reason
    subject: str
    since: datetime
    until: datetime = FOREVER
    key: Pin | None = None
    certified: bool = False
    issuers: tuple[Certificate, ...] = ()
    any_ca: bool = False
    unpinned_ca: bool = False
    backdated: bool = False
    hosts: tuple[str, ...] = ()
    cohort: tuple[str, str, str] | None = None

    @property
    def issues(self) -> bool:
        """Say whether it gets new certificates with it."""
        return bool(self.issuers) or self.any_ca or self.unpinned_ca

    def reaches(self, host: str) -> bool:
        """Say whether it is about a host."""
        return not self.hosts or host in self.hosts


def public_end(at: datetime) -> datetime:
    """Give the latest end of a public certificate that is issued at an instant."""
    days = next(days for first, days in reversed(LIFETIMES) if at >= start_of(first) or first == LIFETIMES[0][0])
    return plus(at, timedelta(days=days))


def end_under(inventory: Inventory, issuers: Sequence[Certificate], at: datetime) -> datetime:
    """Give the latest end of what a CA issues: the public bound under a public root, else that of the CA itself."""
    public = {c.spki for c in inventory.trust[DEFAULT_TRUST].roots} if DEFAULT_TRUST in inventory.trust else set()
    known = [*issuers, *(c for own in inventory.authorities.values() for c in own), *inventory.extra]
    known += [c for chain in inventory.chains.values() for c in chain.sent[1:]]
    keys = {c.spki for c in issuers}
    while True:
        above = {c.signer for c in known if c.spki in keys and c.signer is not None} | keys
        if above & public:
            return public_end(at)
        if above == keys:
            return FOREVER
        keys = above


def padding(inventory: Inventory, issued: Iterable[Chain]) -> tuple[Certificate, ...]:
    """Give every certificate that is public: what can be sent along, needed or not."""
    exist = (c for c in (*inventory.chains.values(), *inventory.key_certificates.values()) if not c.planned)
    return unique(
        certificate
        for source in (
            *inventory.authorities.values(),
            *(chain.sent[1:] for chain in (*exist, *issued)),
            inventory.extra,
        )
        for certificate in source
    )


def existing(inventory: Inventory, issued: Iterable[Chain], key: Pin) -> Iterator[tuple[Certificate, ...]]:
    """Give the chains that exist for a key: as they were sent, and in every order of what is public."""
    issued = tuple(issued)
    exist = (c for c in (*inventory.chains.values(), *inventory.key_certificates.values()) if not c.planned)
    more = padding(inventory, issued)
    for chain in (*exist, *issued):
        if chain.leaf.matches(key):
            yield chain.sent
            yield from presented(chain.sent, more)


def presented(sent: tuple[Certificate, ...], more: tuple[Certificate, ...]) -> Iterator[tuple[Certificate, ...]]:
    """Give what an attacker makes of a chain: everything sent along, and each way up alone and put first.

    Which path a client compares its pins with may hang on the order in which it got the certificates.
    """
    whole = unique((*sent, *more))
    yield whole
    for one in orders(whole[0], whole[1:]):
        yield one
        yield unique((*one, *whole))


def orders(leaf: Certificate, pool: tuple[Certificate, ...]) -> Iterator[tuple[Certificate, ...]]:
    """Give the ways up from a leaf over certificates that can be sent, the shortest first, roots left out.

    There are no more than `MAX_ORDERS` of them.
    """
    able = [c for c in pool if c.ca and not c.self_signed]
    ways: list[tuple[Certificate, ...]] = [(leaf,)]
    for way in ways:
        fresh = [(*way, c) for c in able if may_have_issued(c, way[-1]) and c not in way]
        ways += fresh[: MAX_ORDERS + 1 - len(ways)]
    yield from ways[1:]


def got(
    attack: Attack,
    attacks: Iterable[Attack],
    inventory: Inventory,
    name: str,
    issuers: Iterable[Certificate],
    more: tuple[Certificate, ...],
) -> Iterator[tuple[Certificate, ...]]:
    """Give the chains that an attacker gets issued for a name.

    Args:
        attack: what it gets them with.
        attacks: everything it holds.
        inventory: the policy with everything looked up.
        name: the name a client asks for: the certificate is for it alone, so that no constraint on others matters.
        issuers: the CA certificates that sign.
        more: certificates that can be sent along.
    """
    signing: dict[tuple[bytes, bytes], list[Certificate]] = {}
    for issuer in issuers:
        signing.setdefault((issuer.spki, issuer.subject_id), []).append(issuer)
    for what, identity in _keys(attack, attacks, inventory):
        for own in signing.values():
            leaf = planned_certificate(
                identity=f"{attack.kind} {attack.subject} {attack.since} for {name}, {what}, by {own[0].sha256.hex()}",
                **identity,
                subject=f"{what} for {name}",
                issuer=own[0],
                not_before=BEGINNING if attack.backdated else attack.since,
                not_after=attack.until,
                dns_names=(name,),
                common_name=name,
            )
            sent = [c for c in own if not c.self_signed]
            yield (leaf, *sent)
            yield from presented((leaf, *sent), more)


def _keys(attack: Attack, attacks: Iterable[Attack], inventory: Inventory) -> Iterator[tuple[str, KeyIdentity]]:
    """Give the keys that an attacker has certified: its own, every one it stole, the CA's where it holds that."""
    yield "a certificate", key_identity(None, "the attacker's own key")
    for other in attacks:
        if other.kind is Reason.KEY_STOLEN:
            yield f"a certificate of {other.subject}", key_identity(inventory.keys[other.subject], other.subject)
    if attack.backdated:
        for issuer in attack.issuers[:1]:
            yield "the CA's own key", identity_of(issuer)
