"""Make the certificates of a policy: those of its authorities, the chains of its hosts, and its trust stores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from rotator.errors import Problem
from rotator.model.names import did_you_mean
from rotator.model.pins import Pin, spki_pin
from rotator.model.pki import Certificate, Chain, TrustStore, planned_certificate, unique, unknown_key
from rotator.model.policy import Authority, ChainPlan, Policy, Trust
from rotator.model.systems import parse_system
from rotator.model.trusting import Lacking, lacking
from rotator.model.when import BEGINNING, FOREVER, as_instant, plus, start_of
from rotator.simulate.inventory import DEFAULT_TRUST, Material
from rotator.simulate.pinsets import key_identity

DEFAULT_LIFETIME = timedelta(days=90)


@dataclass
class Certificates:
    """The work in progress; what could not be made is among the problems."""

    policy: Policy
    material: Material
    problems: list[Problem] = field(default_factory=list)
    authorities: dict[str, tuple[Certificate, ...]] = field(default_factory=dict)
    chains: dict[str, Chain] = field(default_factory=dict)
    trust: dict[str, TrustStore] = field(default_factory=dict)
    lacking: dict[str, tuple[Lacking, ...]] = field(default_factory=dict)

    def make(self) -> None:
        """Make all of them, in the order in which they need each other."""
        for name in self.policy.authorities:
            self._authority(name)
        self._same_key_twice()
        for name, plan in self.policy.chains.items():
            self._chain(name, plan)
        self._trust_stores()

    def report(self, path: str, message: str, **more: str) -> None:
        """Record a problem of the policy file."""
        self.problems.append(Problem(message, file=self.policy.file, path=path, **more))

    # --- authorities -------------------------------------------------------------------------------------------

    def _authority(self, name: str) -> tuple[Certificate, ...]:
        """Give the certificates of an authority, made once; issuers first."""
        if name in self.authorities:
            return self.authorities[name]
        self.authorities[name] = ()
        authority = self.policy.authorities.get(name)
        if authority is None:
            return ()
        found = self._known_certificates(name, authority)
        for issuer_name in authority.issued_by:
            issuers = self._authority(issuer_name)
            if issuers and not any(c.signer == issuers[0].spki for c in found):
                found = (*found, self._planned_authority(name, authority, found, issuers[0], issuer_name))
        if not found and authority.spki is not None:
            found = (self._planned_authority(name, authority, found, None, ""),)
        self.authorities[name] = found
        return found

    def _known_certificates(self, name: str, authority: Authority) -> tuple[Certificate, ...]:
        if authority.bundled is not None:
            root = self.material.bundle_names.get(authority.bundled)
            if root is None:
                self.report(
                    f"authorities.{name}.bundled",
                    "no root of the Mozilla bundle has this name",
                    value=authority.bundled,
                    hint=did_you_mean(authority.bundled, self.material.bundle_names),
                )
                return ()
            return (root,)
        found = tuple(c for path in authority.certificate for c in self.material.certificates.get(path, ()))
        if len({c.spki for c in found}) > 1:
            self.report(
                f"authorities.{name}.certificate",
                "these certificates are for different keys",
                expected="certificates of one CA key, such as a root and its cross-signs",
            )
        elif found and not any(c.ca for c in found):
            self.report(
                f"authorities.{name}.certificate",
                "this certificate is not a CA's",
                value=found[0].label,
                hint="a key pair of ours belongs under [keys]",
            )
        return found

    def _planned_authority(
        self,
        name: str,
        authority: Authority,
        found: tuple[Certificate, ...],
        issuer: Certificate | None,
        issuer_name: str,
    ) -> Certificate:
        pin = authority.spki
        spki = found[0].spki if found else (pin.digest if pin else unknown_key(name))
        return planned_certificate(
            identity=f"authority {name} by {issuer_name}",
            spki=spki,
            subject=found[0].subject if found else name,
            common_name=found[0].label if found else name,
            subject_id=found[0].subject_id if found else None,
            issuer=issuer,
            not_after=start_of(authority.until) if authority.until else FOREVER,
            ca=True,
            key_type=found[0].key_type if found else "",
        )

    def _same_key_twice(self) -> None:
        seen: dict[Pin, str] = {}
        named = [(f"keys.{name}", facts.pin) for name, facts in self.material.keys.items()]
        named += [(f"authorities.{name}", spki_pin(own[0].spki)) for name, own in self.authorities.items() if own]
        for path, pin in named:
            first = seen.setdefault(pin, path)
            if first != path:
                self.report(path, "this is the key of another name", value=pin.text, hint=f"it is {first}")

    # --- chains ------------------------------------------------------------------------------------------------

    def _chain(self, name: str, plan: ChainPlan) -> None:
        if plan.file is not None:
            sent = self.material.certificates.get(plan.file, ())
            if sent:
                self.chains[name] = Chain(name=name, sent=sent)
            return
        issuers = [self._issuer(plan.issuers, index) for index in range(len(plan.issuers))]
        if any(issuer is None for issuer in issuers):
            return
        whole = [issuer for issuer in issuers if issuer is not None]
        sends = plan.sends if plan.sends is not None else _without_root(plan.issuers, whole)
        facts = self.material.keys.get(plan.leaf or "")
        begin = as_instant(plan.not_before) if plan.not_before else BEGINNING
        life = timedelta(days=plan.lifetime_days) if plan.lifetime_days else DEFAULT_LIFETIME
        names = plan.names if plan.names is not None else self._names_served(name)
        leaf = planned_certificate(
            identity=f"chain {name}",
            **key_identity(facts, f"chain {name}"),
            subject=plan.leaf or f"leaf of {name}",
            issuer=whole[0] if whole else None,
            not_before=begin,
            not_after=plus(begin, life) if plan.not_before else FOREVER,
            dns_names=names,
            common_name=names[0] if plan.common_name and names else None,
        )
        sent_issuers = [c for issuer_name, c in zip(plan.issuers, whole, strict=True) if issuer_name in sends]
        self.chains[name] = Chain(name=name, sent=(leaf, *sent_issuers), planned=True)

    def _issuer(self, issuers: tuple[str, ...], index: int) -> Certificate | None:
        """Choose the certificate of an issuer that the next one up signed."""
        own = self.authorities.get(issuers[index], ())
        if not own:
            return None
        if index + 1 < len(issuers):
            above = {c.spki for c in self.authorities.get(issuers[index + 1], ())}
            return next((c for c in own if c.signer in above), next((c for c in own if not c.self_signed), own[0]))
        return next((c for c in own if c.self_signed), own[0])

    def _names_served(self, chain: str) -> tuple[str, ...]:
        hosts = self.policy.hosts
        serving = [
            label
            for label, host in hosts.items()
            if chain in host.serves or any(chain in edge.serves for edge in host.edges)
        ]
        labels = serving or [label for label, host in hosts.items() if host.control == "ours"]
        return tuple(dict.fromkeys(name for label in labels for name in self.policy.host_names(label)))

    # --- trust stores ------------------------------------------------------------------------------------------

    def _trust_stores(self) -> None:
        self.trust[DEFAULT_TRUST] = TrustStore(name=DEFAULT_TRUST, roots=self.material.bundle)
        for name, trust in self.policy.trust.items():
            self.trust[name] = self._trust_store(name, trust)

    def _trust_store(self, name: str, trust: Trust) -> TrustStore:
        if trust.roots is None:
            roots = self._came_with(name, trust)
        elif isinstance(trust.roots, str):
            roots = self.material.certificates.get(trust.roots, ())
        else:
            roots = self._anchors(trust.roots)
        gone = {c.spki for other in trust.without for c in self.authorities.get(other, ())}
        proxies = self._anchors((trust.intercepted_by,)) if trust.intercepted_by else ()
        return TrustStore(
            name=name,
            roots=tuple(c for c in unique(roots) if c.spki not in gone),
            local_roots=self._anchors(trust.local_roots),
            intercepted_by=proxies[0] if proxies else None,
            accepts_expired_roots=trust.accepts_expired_roots,
            key_types=frozenset(trust.key_types) if trust.key_types else None,
            public=not self._all_ours(trust),
        )

    def _came_with(self, name: str, trust: Trust) -> tuple[Certificate, ...]:
        """Give the Mozilla bundle without the roots that the systems of a trust store came without."""
        systems = [system for system in map(parse_system, trust.os) if system is not None]
        bundle, names = self.material.bundle, self.material.bundle_names
        self.lacking[name] = lacking(self.material.systems, systems, bundle, names) if systems else ()
        gone = {entry.root for entry in self.lacking[name]}
        return tuple(root for root in bundle if root not in gone)

    def _all_ours(self, trust: Trust) -> bool:
        """Say whether every root of a store is held by us, so that no public CA is trusted."""
        names = trust.roots if isinstance(trust.roots, tuple) else ()
        return bool(names) and all(self.policy.authorities[n].holder == "ours" for n in names)

    def _anchors(self, names: Iterable[str]) -> tuple[Certificate, ...]:
        """Give the certificates that stand for authorities in a trust store: self-signed ones where there are any."""
        found: list[Certificate] = []
        for name in names:
            own = self.authorities.get(name, ())
            found += [c for c in own if c.self_signed] or own
        return unique(found)


def _without_root(names: tuple[str, ...], certificates: list[Certificate]) -> tuple[str, ...]:
    return names[:-1] if certificates and certificates[-1].self_signed else names
