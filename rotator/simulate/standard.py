"""The five questions everybody asks first: what if it happened today, and we answered at once?

One row for each kind of event, the worst case among the keys and authorities it could hit. Every row is an ordinary
answer of `rotator.simulate.question`, so it agrees with what `simulate` says of the same words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rotator.model.pki import Certificate, Chain, may_have_issued, planned_certificate
from rotator.model.policy import Authority, ChainPlan
from rotator.model.verdicts import Verdict
from rotator.model.when import BEGINNING
from rotator.simulate.grammar import Occurrence
from rotator.simulate.impact import BROKEN, EXPOSED, Impact, Row
from rotator.simulate.inventory import DEFAULT_TRUST, Inventory
from rotator.simulate.pinsets import identity_of
from rotator.simulate.question import Answer, Desk, Picture, Question
from rotator.simulate.question import ask as ask_question
from rotator.simulate.totals import Total, total_of
from rotator.simulate.world import World, first_world

OTHER_CA = "other-ca"
_ANY_PLAN = ChainPlan(names=())


@dataclass(frozen=True, slots=True, kw_only=True)
class IfRow:
    """One of the five rows.

    Attributes:
        kind: `revoked`, `primary-lost`, `primary-stolen`, `backup-lost` or `ca-distrusted`.
        label: the row in words.
        answer: what happens, and what comes of it.
        broken, exposed: clients that are broken and exposed then and are not today.
        fresh: the connections of those that are broken.
        without: the key that clients would need and some lack, "" where that is not the question.
    """

    kind: str
    label: str
    answer: Answer
    broken: Total
    exposed: Total
    fresh: frozenset[int] = frozenset()
    without: str = ""

    @property
    def breaking(self) -> tuple[Row, ...]:
        """Give the rows of those that are broken, in the order of the answer."""
        impact = self.impact
        places = (n for n in range(len(impact.rows)) if impact.glance(n).connection.index in self.fresh)
        return tuple(impact.rows[n] for n in places) if self.fresh else ()

    @property
    def impact(self) -> Impact:
        """Give what every cohort sees."""
        return self.answer.impact


def served_keys(inventory: Inventory, world: World | None = None) -> dict[str, list[str]]:
    """Give our keys that hosts of ours serve, each with its hosts, in the order of the policy.

    Args:
        inventory: the policy with everything looked up.
        world: what is served by now; without it, what the policy states.
    """
    served = (world or first_world(inventory, BEGINNING)).served
    found: dict[str, list[str]] = {}
    for label, offers in served.items():
        for offer in offers:
            key = inventory.key_of(offer.chain.leaf)
            ours = inventory.policy.hosts[label].control == "ours"
            if ours and key is not None and label not in found.setdefault(key, []):
                found[key].append(label)
    return {key: hosts for key, hosts in found.items() if hosts}


def backups_of(inventory: Inventory, key: str) -> list[str]:
    """Give the keys that could take over from one, active ones only.

    They are the backups of every pinset it is primary of; where hosts serve a key after another was made primary of
    its pinset, that other one, and what else is pinned beside both.
    """
    policy = inventory.policy
    named = [b for p in policy.pinsets.values() if key in p.primary for b in p.backups]
    beside = [b for p in policy.pinsets.values() if key in p.backups for b in (*p.primary, *p.backups)]
    if beside and key in served_keys(inventory):
        named += beside
    return [b for b in dict.fromkeys(named) if policy.keys[b].status == "active" and b != key]


def five_rows(
    picture: Picture, now: datetime, calendar: Sequence[Occurrence] = (), desk: Desk | None = None
) -> tuple[IfRow, ...]:
    """Answer the five questions at an instant; one that cannot arise says so and shows today.

    Args:
        picture: everything read.
        now: the instant.
        calendar: what happens in any case.
        desk: what was worked out for other questions to the same picture.
    """
    work = _Standard(picture, now, calendar, desk)
    kinds = (
        ("revoked", "CA revokes, key safe: nothing of ours is served", work.revoked()),
        ("primary-lost", "primary lost: no key of this policy is served", work.lost()),
        ("primary-stolen", "primary stolen: no key of this policy is served", work.stolen()),
        ("backup-lost", "backup lost: there is none", work.backup_lost()),
        ("ca-distrusted", "issuing CA distrusted: it is not known", work.distrusted()),
    )
    return tuple(_worst(list(rows)) or work.row(kind, label, work.now_answer) for kind, label, rows in kinds)


def elsewhere(picture: Picture, now: datetime, hosts: Sequence[str]) -> tuple[Picture, tuple[Occurrence, ...]] | None:
    """Give what serves the same keys certified by another CA that every client of a host trusts.

    Returns:
        The picture in which those chains are known, and the actions without a time; None where a host has no such CA.
    """
    work = _Standard(picture, now, (), None)
    chains: dict[str, Chain] = {}
    for host in hosts:
        served = picture.policy.hosts[host].serves
        signer = picture.inventory.chains[served[0]].leaf.signer if served else None
        chain = work._elsewhere(host, signer or b"") if served else None  # noqa: SLF001 - of this module
        if chain is None:
            return None
        chains[host] = chain
    serves = tuple(Occurrence(id="serve", parts=(host, c.name), action=True) for host, c in chains.items())
    return _knowing(picture, {chain.name: chain for chain in chains.values()}), serves


def _knowing(picture: Picture, chains: Mapping[str, Chain]) -> Picture:
    """Give the picture in which some more chains are known."""
    inventory, policy = picture.inventory, picture.policy
    return replace(
        picture,
        inventory=replace(inventory, chains={**inventory.chains, **chains}),
        policy=replace(policy, chains={**policy.chains, **dict.fromkeys(chains, _ANY_PLAN)}),
    )


def _worst(rows: list[IfRow]) -> IfRow | None:
    def badness(row: IfRow) -> tuple[float, float]:
        return _size(row.broken), _size(row.exposed)

    return max(rows, key=badness, default=None)


def fresh_hits(impact: Impact, today: Impact, *verdicts: Verdict) -> dict[int, bool]:
    """Give the connections that see one of some verdicts in an answer and do not today; and whether for certain."""
    known = today.hit(*verdicts)
    return {index: sure for index, sure in impact.hit(*verdicts).items() if index not in known}


def _size(total: Total) -> float:
    return float("inf") if total.high is None else total.high


class _Standard:
    """The five questions on one picture."""

    def __init__(self, picture: Picture, now: datetime, calendar: Sequence[Occurrence], desk: Desk | None) -> None:
        self.picture = picture
        self.desk = desk
        self.inventory = picture.inventory
        self.now = now
        self.calendar = calendar
        self.now_answer = self.ask()
        self.today = self.now_answer.impact
        self.keys = served_keys(picture.inventory, self.today.world)

    def row(self, kind: str, label: str, answer: Answer, without: str = "") -> IfRow:
        """Make a row; clients that are broken or exposed today already are nothing that the event brings."""
        impact = answer.impact
        broken = fresh_hits(impact, self.today, *BROKEN)
        exposed = fresh_hits(impact, self.today, *EXPOSED)
        return IfRow(
            kind=kind,
            label=label,
            answer=answer,
            broken=total_of(impact.fleet, broken),
            exposed=total_of(impact.fleet, exposed),
            fresh=frozenset(broken),
            without=without,
        )

    def ask(self, *occurrences: Occurrence, picture: Picture | None = None) -> Answer:
        question = Question(occurrences=occurrences, at=self.now)
        desk = self.desk if picture is None else None
        return ask_question(picture or self.picture, question, self.calendar, desk=desk)

    def _hosts(self) -> list[str]:
        """Give the hosts of ours that a public CA may hit; those of an intranet where there are no others."""
        ours = {h: host for h, host in self.inventory.policy.hosts.items() if host.control == "ours" and host.serves}
        return [h for h, host in ours.items() if host.audience == "public"] or list(ours)

    def revoked(self) -> Iterator[IfRow]:
        """A CA revokes with a sound key, and the certificate is issued again with the same key."""
        hosts = self._hosts()
        for host in hosts:
            what = f"{host} revoked" if len(hosts) > 1 else "CA revokes"
            yield self.row(
                "revoked",
                f"{what}, key safe: reissue",
                self.ask(
                    Occurrence(id="revoke", parts=(host,), options=(("clock", "0h"),)),
                    Occurrence(id="renew", parts=(host, "same-key")),
                ),
            )

    def lost(self) -> Iterator[IfRow]:
        """A served key is lost and a backup is served instead."""
        yield from self._primary("key-loss", "lost", "primary-lost")

    def stolen(self) -> Iterator[IfRow]:
        """A served key is stolen and a backup is served instead."""
        yield from self._primary("key-compromise", "stolen", "primary-stolen")

    def _primary(self, event: str, word: str, kind: str) -> Iterator[IfRow]:
        for key, hosts in self.keys.items():
            backups = backups_of(self.inventory, key)
            happens = Occurrence(id=event, parts=(key,))
            if not backups:
                yield self.row(kind, f"{key} {word}: no backup", self.ask(happens))
                continue
            serves = [Occurrence(id="serve", parts=(host, backups[0]), action=True) for host in hosts]
            yield self.row(kind, f"{key} {word}: serve {backups[0]}", self.ask(happens, *serves), backups[0])

    def backup_lost(self) -> Iterator[IfRow]:
        """A backup is lost."""
        named = dict.fromkeys(b for key in self.keys for b in backups_of(self.inventory, key))
        for key in named:
            yield self.row("backup-lost", f"{key} lost", self.ask(Occurrence(id="key-loss", parts=(key,))))

    def distrusted(self) -> Iterator[IfRow]:
        """The issuing CA is distrusted and the same keys are certified by another one that clients trust."""
        policy = self.inventory.policy
        ours = self._hosts()
        for name, issuer in self._issuers(ours).items():
            hosts = [h for h in ours if issuer.spki in _signers(self.inventory.chains[policy.hosts[h].serves[0]].sent)]
            moved = {host: chain for host in hosts if (chain := self._elsewhere(host, issuer.spki)) is not None}
            chains = {chain.name: chain for chain in moved.values()}
            inventory = replace(
                self.inventory,
                chains={**self.inventory.chains, **chains},
                authorities={name: (issuer,), **self.inventory.authorities},
            )
            picture = replace(
                self.picture,
                inventory=inventory,
                policy=replace(
                    policy,
                    chains={**policy.chains, **dict.fromkeys(chains, _ANY_PLAN)},
                    authorities={name: Authority(), **policy.authorities},
                ),
            )
            serves = [Occurrence(id="serve", parts=(host, c.name), action=True) for host, c in moved.items()]
            how = "other CA" if moved else "no other CA is trusted"
            answer = self.ask(Occurrence(id="ca-distrust", parts=(name,)), *serves, picture=picture)
            yield self.row("ca-distrusted", f"{name} distrusted: {how}", answer)

    def _issuers(self, hosts: Sequence[str]) -> dict[str, Certificate]:
        """Give the CA certificates right above what hosts serve, by the names of the policy or their own."""
        found: dict[str, Certificate] = {}
        anchors = [c for store in self.inventory.trust.values() for c in (*store.roots, *store.local_roots)]
        for host in hosts:
            for chain in self.inventory.policy.hosts[host].serves:
                sent = self.inventory.chains[chain].sent
                issuer = next((c for c in (*sent[1:], *anchors) if may_have_issued(c, sent[0])), None)
                if issuer is not None:
                    found.setdefault(self.inventory.authority_of(issuer) or issuer.label, issuer)
        return found

    def _elsewhere(self, host: str, distrusted: bytes) -> Chain | None:
        """Make the chain another CA would give for what a host serves: a pinned CA first, then any that all trust."""
        today = self.inventory.chains[self.inventory.policy.hosts[host].serves[0]]
        avoided = {distrusted, *_signers(today.sent)}
        root = next((r for r in self._candidates(host) if r.spki not in avoided), None)
        if root is None:
            return None
        leaf = planned_certificate(
            identity=f"{host} by {root.label}",
            **identity_of(today.leaf),
            subject=self.inventory.name_of(today.leaf),
            issuer=root,
            not_before=self.now,
            dns_names=today.leaf.dns_names,
        )
        return Chain(name=f"{OTHER_CA} for {host}", sent=(leaf,), planned=True)

    def _candidates(self, host: str) -> Iterator[Certificate]:
        """Give roots that every client of a host trusts, pinned ones first."""
        stores = [self.inventory.trust[name] for name in self._trust_in_use(host)]

        def everywhere(root: Certificate) -> bool:
            return root.valid_at(self.now) and all(store.anchor_for(root) is not None for store in stores)

        pinned = [
            c
            for pinset in self.inventory.policy.pinsets.values()
            for name in pinset.authorities
            for c in self.inventory.authorities[name]
            if c.self_signed
        ]
        yield from (root for root in (*pinned, *(r for s in stores for r in s.roots)) if everywhere(root))

    def _trust_in_use(self, host: str) -> dict[str, None]:
        names: dict[str, None] = {}
        policy = self.inventory.policy
        for app in (app for name, app in policy.apps.items() if host in policy.hosts_of(name)):
            for shares in (app.trust, *(r.trust for r in app.releases if r.trust)):
                names |= dict.fromkeys(shares or {DEFAULT_TRUST: 1.0})
        return names


def _signers(sent: Sequence[Certificate]) -> set[bytes]:
    """Give the keys that stand above a leaf: those of what is sent with it and those that signed them."""
    return {c.spki for c in sent[1:]} | {c.signer for c in sent if c.signer is not None}
