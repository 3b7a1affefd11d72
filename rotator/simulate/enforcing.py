"""What releases enforce: the files they ship as their clients read them, or the pinsets of the policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from rotator.errors import InputError, Problem
from rotator.mechanisms.base import ConfigRejectedError, Context, Entry, Mechanism, PinConfig, PinsetSpec
from rotator.mechanisms.custom import Custom
from rotator.mechanisms.registry import mechanism as known_mechanism
from rotator.model.findings import Finding, error
from rotator.model.policy import Policy
from rotator.simulate.certificates import Certificates
from rotator.simulate.inventory import Enforced, Material
from rotator.simulate.pinsets import pinset_spec


@dataclass
class Enforcing:
    """The work in progress; what could not be used is among the problems."""

    policy: Policy
    material: Material
    context: Context
    certificates: Certificates
    problems: list[Problem] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    mechanisms: dict[str, Mechanism] = field(default_factory=dict)
    enforced: dict[tuple[str, int], tuple[Enforced, ...]] = field(default_factory=dict)
    beside: dict[tuple[str, int], tuple[Enforced, ...]] = field(default_factory=dict)
    parsed: dict[tuple[str, str], PinConfig] = field(default_factory=dict)
    specs: dict[str, PinsetSpec] = field(default_factory=dict)

    def gather(self) -> None:
        """Gather it for every release, and for the connections beside the pinned ones."""
        for app_name, app in self.policy.apps.items():
            path = f"apps.{app_name}"
            if not app.releases:
                self.enforced[app_name, -1] = tuple(
                    self._enforced(path, app_name, app.mechanism, app.pinset, app.config)
                )
            for index, release in enumerate(app.releases):
                pinset = app.pinset if release.pinset is None else release.pinset
                config = app.config if release.config is None else release.config
                mechanisms = release.mechanism or app.mechanism
                self.enforced[app_name, index] = tuple(
                    self._enforced(f"{path}.releases[{index}]", app_name, mechanisms, pinset, config)
                )
            for index, beside in enumerate(app.beside):
                self.beside[app_name, index] = tuple(
                    self._enforced(f"{path}.beside[{index}]", app_name, beside.mechanism, beside.pinset, {})
                )

    def _enforced(
        self,
        path: str,
        app: str,
        mechanisms: tuple[str, ...],
        pinset: Mapping[str, str],
        config: Mapping[str, str],
    ) -> Iterator[Enforced]:
        for name in mechanisms:
            mechanism = self._mechanism(name, path)
            if mechanism is None:
                continue
            file = config.get(name, config.get(""))
            if file is not None:
                where = f"{path}.config.{name}" if name in config else f"{path}.config"
                signer = self._signer(pinset.get(name, pinset.get("")))
                shipped = self._shipped(mechanism, file, where, signer)
                yield Enforced(mechanism=name, config=shipped, source=file, from_file=True, where=where)
                continue
            source = pinset.get(name, pinset.get(""))
            published = self._published(name, mechanism, app) if source is None else None
            if published is not None:
                yield published
                continue
            yield Enforced(
                mechanism=name,
                config=self._from_pinset(mechanism, source),
                source=source or "",
                from_file=False,
            )

    def _published(self, name: str, mechanism: Mechanism, app: str) -> Enforced | None:
        """Give what the DNS says of an app's hosts, for a client that asks there and to whom nothing else is given."""
        found = {
            label: own.dane.records
            for label in self.policy.hosts_of(app)
            if mechanism.from_dns and (own := self.policy.hosts[label]).dane is not None
        }
        if not found:
            return None
        entries: list[Entry] = []
        for label, file in found.items():
            entries += self._shipped(mechanism, file, f"hosts.{label}.dane.records").entries
        place = f"hosts.{next(iter(found))}.dane.records"
        return Enforced(
            mechanism=name,
            config=PinConfig(entries=tuple(entries)),
            source=", ".join(dict.fromkeys(found.values())),
            from_file=True,
            where=place,
        )

    def _mechanism(self, name: str, path: str) -> Mechanism | None:
        if name not in self.mechanisms:
            custom = self.policy.mechanisms.get(name)
            try:
                self.mechanisms[name] = Custom(name, custom) if custom else known_mechanism(name)
            except InputError as problem:
                for p in problem.problems:
                    self.report(f"{path}.mechanism", p.message, value=p.value or "", hint=p.hint)
                return None
        return self.mechanisms[name]

    def _signer(self, pinset: str | None) -> str:
        """Give the name of the key that an app's pins are signed with, or ""."""
        return (self.policy.pinsets[pinset].signed_by or "") if pinset is not None else ""

    def _shipped(self, mechanism: Mechanism, file: str, where: str, signer: str = "") -> PinConfig:
        """Read a shipped file; one that its client refuses is a verdict, one that is no such file an error."""
        key = (mechanism.id, f"{file} signed by {signer}" if signer else file)
        if key in self.parsed:
            return self.parsed[key]
        try:
            parsed = mechanism.parse(self.material.shipped[file], self._context(file, where, signer))
            config = parsed.config
            self.findings += parsed.findings
        except ConfigRejectedError as problem:
            first = problem.problems[0]
            config = PinConfig(rejected=f"{first.message} ({first.path})" if first.path else first.message)
            self.findings.append(error("config-rejected", where, str(first), first.hint))
        except InputError as problem:
            for p in problem.problems:
                self.problems.append(
                    Problem(
                        f"{file}: {p.message}" if not p.file else f"{p.file}: {p.message}",
                        file=self.policy.file,
                        path=where,
                        value=p.value,
                        expected=p.expected,
                        hint=p.hint,
                    )
                )
            config = PinConfig()
        self.parsed[key] = config
        return config

    def _context(self, file: str, where: str, signer: str) -> Context:
        """Give what reading one shipped file needs: what is beside it, and the key its pins are signed with."""
        return replace(
            self.context,
            subject=where,
            sibling=lambda ending: self.material.beside.get((file, ending)),
            verify=self.material.verifiers.get(signer),
        )

    def _from_pinset(self, mechanism: Mechanism, name: str | None) -> PinConfig:
        if name is None:
            return PinConfig()
        key = (mechanism.id, f"pinset {name}")
        if key not in self.parsed:
            config = mechanism.from_pinset(self._spec(name))
            refused = mechanism.refuse(config, replace(self.context, subject=f"pinsets.{name}"))
            if refused:
                config = replace(config, rejected=refused)
                self.findings.append(
                    error("config-rejected", f"pinsets.{name}", f"{mechanism.id} refuses this pinset: {refused}")
                )
            self.parsed[key] = config
        return self.parsed[key]

    def _spec(self, name: str) -> PinsetSpec:
        if name not in self.specs:
            self.specs[name] = pinset_spec(
                self.policy, name, self.material.keys, self.certificates.authorities, self.certificates.chains
            )
        return self.specs[name]

    def report(self, path: str, message: str, **more: str) -> None:
        """Record a problem of the policy file."""
        self.problems.append(Problem(message, file=self.policy.file, path=path, **more))
