"""What each kind of pin protects against, and what ordinary maintenance then breaks: asked of the judge, not written.

For one host the same client is played once for each kind of pin, on what is really served by then, through every
threat and every kind of maintenance. Each cell is an ordinary answer of `rotator.simulate.question`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from rotator.errors import Problem, UsageError
from rotator.mechanisms.base import Mechanism, PinConfig
from rotator.mechanisms.custom import Custom
from rotator.model.paths import Conditions, Path, find_paths
from rotator.model.pins import PinKind, spki_pin
from rotator.model.pki import Certificate, Chain, planned_certificate, unique, unknown_key
from rotator.model.policy import App, Authority, ChainPlan, Count, CustomMechanism, Key, Pinset, Policy
from rotator.model.rules import Builder
from rotator.model.when import plus
from rotator.simulate.explain import why
from rotator.simulate.grammar import Occurrence
from rotator.simulate.grid import Cell, Kind, Outcome, Threat, Threats
from rotator.simulate.inventory import Enforced, Inventory, KeyFacts
from rotator.simulate.pinsets import identity_of, key_identity, pinset_spec
from rotator.simulate.question import Picture, Question, ask
from rotator.simulate.standard import backups_of
from rotator.simulate.tables import FleetTable
from rotator.simulate.timeline import Timeline, check_names, from_row, happenings
from rotator.simulate.world import World

NEXT, OTHER, OTHER_ROOT, SECOND = "next-certificate", "other-ca", "other-ca-root", "second-intermediate"
UNPINNED = "unpinned-ca"
LIFE = timedelta(days=90)
FAR_AHEAD = timedelta(days=3650)
"""How long the pins of a grid hold where its client takes none without an end."""


def threats(picture: Picture, host: str, mechanism: Mechanism, trust: str, at: datetime) -> Threats:
    """Make the grid of a host.

    Args:
        picture: everything read.
        host: the host's label.
        mechanism: the client technology to play.
        trust: the name of its trust store.
        at: the instant.

    Raises:
        UsageError: the host serves nothing, or nothing that leads to a root of the store.
    """
    stage = _Stage(picture, host, mechanism, trust, at)
    return Threats(
        host=host,
        at=at,
        mechanism=mechanism.id,
        trust=trust,
        path=tuple(stage.names[c] for c in stage.path.certificates),
        kinds=tuple(stage.kinds.values()),
        rows=tuple(stage.rows()),
    )


def leads(picture: Picture, host: str, trust: str, at: datetime) -> bool:
    """Say whether what a host serves leads to a root of a trust store."""
    offers = _today(picture, at).served.get(host, ())
    return any(_path(picture.inventory, offer.chain, trust, at) is not None for offer in offers)


def _today(picture: Picture, at: datetime) -> World:
    """Give the world as the policy and its calendar make it by an instant."""
    rows = tuple(from_row(row) for row in picture.policy.calendar)
    check_names(rows, picture.policy)
    return Timeline(picture.inventory, happenings(rows, at, picture.policy)).world_at(at)


def _path(inventory: Inventory, chain: Chain, trust: str, at: datetime) -> Path | None:
    """Find what a client makes of what is served; when that has ended, what it made of it."""
    for conditions in (Conditions(at=at), Conditions(at=None)):
        path = next(
            find_paths(chain.sent, inventory.trust[trust], conditions, Builder.BACKTRACK, inventory.extra), None
        )
        if path is not None and len(path.certificates) > 1:
            return path
    return None


class _Stage:
    """The policy in which one app stands for each kind of pin."""

    def __init__(self, picture: Picture, host: str, mechanism: Mechanism, trust: str, at: datetime) -> None:
        self.host, self.mechanism, self.trust, self.at = host, mechanism, trust, at
        own = picture.inventory
        today = _today(picture, at)
        offers = today.served.get(host, ())
        if not offers:
            raise UsageError(Problem(f"{host} serves nothing", value=host))
        paths = ((offer.chain, _path(own, offer.chain, trust, at)) for offer in offers)
        chain, path = next(((chain, path) for chain, path in paths if path is not None), (offers[0].chain, None))
        if path is None:
            raise UsageError(
                Problem(
                    f"no path from what {host} serves to a root of {trust}",
                    value=host,
                    expected="a chain that a client of this trust store accepts",
                )
            )
        self.chain, self.path = chain, path
        # What is pinned is of one chain, and what the host serves beside it is judged as well: the worse counts.
        self.offers = tuple(
            replace(offer, chain=replace(chain, name="served")) if offer.chain == chain else offer for offer in offers
        )
        self.start = replace(
            today,
            served={host: self.offers},
            changed={},
            local_roots=(),
            wrong=frozenset(),
            published=(),
            floors=(),
            notes=(),
        )
        self.names = self._named(own)
        self.leaf = self.names[self.path.certificates[0]]
        self.issuer = self.names[self.path.certificates[1]]
        self.root = self.names[self.path.certificates[-1]]
        backups = backups_of(own, self.leaf) if self.leaf in own.policy.keys else []
        self.backup = backups[0] if backups else "a-backup"
        self.kinds = {kind.id: kind for kind in self._kinds()}
        self.picture = self._picture(picture)

    def _named(self, own: Inventory) -> dict[Certificate, str]:
        """Name the certificates of the path; what the policy has no name for gets one."""
        leaf, *above = self.path.certificates
        names = {leaf: own.key_of(leaf) or "the-served-key"}
        for number, certificate in enumerate(above, 1):
            plain = "issuing-root" if certificate is above[-1] else f"issuing-ca-{number}"
            names[certificate] = own.authority_of(certificate) or plain
        return names

    def _kinds(self) -> Iterator[Kind]:
        """Give every kind of pin, each without and with a backup."""
        ends = plus(self.at, FAR_AHEAD) if self.mechanism.needs_expiry else None

        def kind(name: str, label: str, short: str, pinset: Pinset) -> Kind:
            return Kind(id=name, label=label, short=short, pinset=replace(pinset, expires=ends))

        yield kind("nothing", "nothing", "none", Pinset())
        yield kind("root", "the root", "root", Pinset(authorities=(self.root,)))
        yield kind("root+backup", "the root and another CA's", "root+", Pinset(authorities=(self.root, OTHER_ROOT)))
        if self.issuer != self.root:
            yield kind("intermediate", "the intermediate", "int", Pinset(authorities=(self.issuer,)))
            both = Pinset(authorities=(self.issuer, OTHER))
            yield kind("intermediate+backup", "the intermediate and another CA's", "int+", both)
        yield kind("key", "the leaf key", "key", Pinset(primary=(self.leaf,)))
        ready = Pinset(primary=(self.leaf,), backups=(self.backup,))
        yield kind("key+backup", "the leaf key and a backup", "key+", ready)
        yield kind("certificate", "the leaf certificate", "cert", Pinset(certificates=("served",)))
        pair = Pinset(certificates=("served", NEXT))
        yield kind("certificate+backup", "the leaf certificate and the next", "cert+", pair)

    # --- the policy ----------------------------------------------------------------------------------------------

    def _picture(self, picture: Picture) -> Picture:
        own = picture.inventory
        keys = self._keys(own)
        authorities = self._authorities(own)
        chains = self._chains(keys, authorities)
        policy = self._policy(own.policy, keys, authorities, chains)
        store = own.trust[self.trust]
        roots = unique((*store.roots, *authorities[OTHER_ROOT], *(authorities[UNPINNED] if store.public else ())))
        inventory = replace(
            own,
            policy=policy,
            keys=keys,
            authorities=authorities,
            chains=chains,
            trust={**own.trust, self.trust: replace(store, roots=roots)},
            mechanisms={
                **own.mechanisms,
                **{self._player(kind).id: self._player(kind) for kind in self.kinds.values()},
            },
            enforced={
                (name, -1): (self._enforced(picture, policy, name, keys, authorities, chains),) for name in self.kinds
            },
            beside={},
            labels={**own.labels, **{facts.pin: name for name, facts in keys.items()}},
        )
        return replace(picture, policy=policy, inventory=inventory, table=FleetTable())

    def _keys(self, own: Inventory) -> dict[str, KeyFacts]:
        served = identity_of(self.path.certificates[0])
        keys = dict(own.keys)
        if self.leaf not in keys:
            keys[self.leaf] = KeyFacts(
                pin=spki_pin(served["spki"]),
                spki_sha1=served["spki_sha1"],
                spki_sha512=served["spki_sha512"],
                raw=served["raw"],
                key_type=served["key_type"],
            )
        keys.setdefault(self.backup, KeyFacts(pin=spki_pin(unknown_key("a backup")), key_type=served["key_type"]))
        return keys

    def _authorities(self, own: Inventory) -> dict[str, tuple[Certificate, ...]]:
        authorities = dict(own.authorities)
        for certificate in self.path.certificates[1:]:
            known = authorities.get(self.names[certificate], ())
            authorities[self.names[certificate]] = unique((*known, certificate))

        def made(name: str, issuer: Certificate | None) -> Certificate:
            return planned_certificate(
                identity=f"{name} of the grid",
                spki=unknown_key(name),
                subject=name,
                common_name=name,
                issuer=issuer,
                ca=True,
            )

        root = made(OTHER_ROOT, None)
        authorities[OTHER_ROOT], authorities[UNPINNED] = (root,), (made(UNPINNED, None),)
        authorities[OTHER] = (made(OTHER, root),)
        authorities[SECOND] = (made(SECOND, self.path.certificates[-1]),)
        return authorities

    def _chains(
        self, keys: Mapping[str, KeyFacts], authorities: Mapping[str, tuple[Certificate, ...]]
    ) -> dict[str, Chain]:
        old = self.chain.leaf
        leaf = planned_certificate(
            identity=f"the next certificate of {self.host}",
            **key_identity(keys[self.backup], self.backup),
            subject=self.backup,
            issuer=self.path.certificates[1],
            not_before=self.at,
            not_after=plus(self.at, LIFE),
            dns_names=old.dns_names,
            common_name=old.common_name,
        )
        moved = replace(
            old,
            sha256=unknown_key(f"certificate of {self.host} by another CA"),
            sha1=b"",
            md5=b"",
            sha512=b"",
            issuer=OTHER,
            issuer_id=authorities[OTHER][0].subject_id,
            signer=authorities[OTHER][0].spki,
            not_before=self.at,
            not_after=plus(self.at, LIFE),
            planned=True,
        )
        beside = {f"served beside {n}": o.chain for n, o in enumerate(self.offers, 1) if o.chain.name != "served"}
        return {
            **beside,
            "served": replace(self.chain, name="served"),
            NEXT: Chain(name=NEXT, sent=(leaf, *self.chain.sent[1:]), planned=True),
            OTHER: Chain(name=OTHER, sent=(moved, *authorities[OTHER]), planned=True),
        }

    def _policy(
        self,
        own: Policy,
        keys: Mapping[str, KeyFacts],
        authorities: Mapping[str, object],
        chains: Mapping[str, object],
    ) -> Policy:
        host = replace(own.hosts[self.host], serves=("served",), edges=(), renew_key=None, control="ours")
        app = App(mechanism=(self.mechanism.id,), trust={self.trust: 1.0}, clients=Count(low=1, high=1))
        return replace(
            own,
            keys={**{name: Key() for name in keys}, **own.keys},
            authorities={**{name: Authority() for name in authorities}, **own.authorities},
            chains={name: ChainPlan(names=()) for name in chains},
            hosts={self.host: host},
            pinsets={name: kind.pinset for name, kind in self.kinds.items()},
            apps={name: replace(app, pinset={"": name}) for name in self.kinds},
            fleet=None,
            calendar=(),
            scenarios={},
        )

    def _enforced(
        self,
        picture: Picture,
        policy: Policy,
        name: str,
        keys: Mapping[str, KeyFacts],
        authorities: Mapping[str, tuple[Certificate, ...]],
        chains: Mapping[str, Chain],
    ) -> Enforced:
        config = PinConfig()
        player = self._player(self.kinds[name])
        if name != "nothing":
            config = player.from_pinset(pinset_spec(policy, name, keys, authorities, chains))
            refused = player.refuse(config, replace(picture.context, subject=name))
            config = replace(config, rejected=refused) if refused else config
        return Enforced(mechanism=player.id, config=config, source=name, from_file=False)

    def _player(self, kind: Kind) -> Mechanism:
        """Give the client for a kind of pin: one like it where it cannot hold such pins itself."""
        own = self.mechanism
        wanted = PinKind.CERT_SHA256 if kind.pinset.certificates else PinKind.SPKI_SHA256
        can = own.says_certificates if kind.pinset.certificates else own.says_keys
        if can or kind.id == "nothing":
            return own
        known = own.custom if isinstance(own, Custom) else CustomMechanism(like=own.id)
        axes = {**known.axes, "object": str(wanted)}
        return Custom(f"{own.id} comparing {wanted}", replace(known, axes=axes))

    # --- the questions -------------------------------------------------------------------------------------------

    def rows(self) -> Iterator[Threat]:
        """Ask everything."""
        host, leaf, issuer, root = self.host, self.leaf, self.issuer, self.root

        def event(name: str, *parts: str, **options: str) -> Occurrence:
            return Occurrence(id=name, parts=parts, options=tuple(options.items()))

        def action(name: str, *parts: str) -> Occurrence:
            return Occurrence(id=name, parts=parts, action=True)

        everybody = tuple(event("local-root", name) for name in self.kinds)
        yield self._row("today", "nothing happens", maintenance=True)
        yield self._row("root-compromised", "root compromised", event("ca-compromise", root))
        if issuer != root:
            yield self._row("issuer-compromised", "intermediate compromised", event("ca-compromise", issuer))
        yield self._row("backup-ca-compromised", "backup CA compromised", event("ca-compromise", OTHER_ROOT))
        yield self._row("other-ca-compromised", "another CA compromised", event("ca-compromise", UNPINNED))
        yield self._row("issuer-mistake", "issuing CA's mistake", event("mis-issue", host, issuer))
        yield self._row("other-ca-mistake", "another CA's mistake", event("mis-issue", host, ""))
        yield self._row("local-root", "malicious local root", *everybody)
        yield self._row("strip", "TLS stripped", event("strip", host))
        yield self._row("key-stolen", "key stolen", event("key-compromise", leaf))
        stolen = (event("key-compromise", leaf), action("serve", host, NEXT))
        yield self._row("key-stolen-swapped", "key stolen, next served", *stolen)
        yield self._row("hostile-pins", "hostile pins", event("hostile-pins", host))
        for name, label, *done in (
            ("renew-same-key", "renewal, same key", event("renew", host, "same-key")),
            ("renew-new-key", "renewal, new key", event("renew", host, "new-key")),
            ("swap-to-backup", "backup served", action("serve", host, NEXT)),
            ("intermediate-swap", "another intermediate", event("intermediate-swap", host, SECOND)),
            ("ca-change", "another CA, same key", event("ca-change", host, OTHER)),
        ):
            yield self._row(name, label, *done, maintenance=True)

    def _row(self, name: str, label: str, *occurrences: Occurrence, maintenance: bool = False) -> Threat:
        answer = ask(self.picture, Question(occurrences=occurrences, at=self.at), start=self.start)
        rows = {row.connection.cohort.app: row for row in answer.impact.rows}
        cells = []
        for kind in self.kinds:
            row = rows[kind]
            fine = Outcome.WORKS if maintenance else Outcome.PROTECTED
            outcome = {
                (False, False): fine,
                (True, False): Outcome.EXPOSED,
                (False, True): Outcome.BROKEN,
                (True, True): Outcome.LOST,
            }[row.verdict.is_exposed, row.verdict.is_broken]
            cells.append(Cell(kind=kind, outcome=outcome, unsure=row.unsure, why=why(row, answer.inventory)))
        events = tuple(o.text for o in occurrences if o.id != "local-root") or tuple(o.text for o in occurrences[:1])
        return Threat(id=name, label=label, maintenance=maintenance, events=events, cells=tuple(cells))
