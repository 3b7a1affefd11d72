"""One's own client code: a known mechanism with some axes changed (`[mechanisms.NAME]` of the policy)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rotator.mechanisms import registry
from rotator.mechanisms.base import Context, Entry, Mechanism, Parsed, PinConfig, PinList, PinsetSpec
from rotator.model import rules
from rotator.model.names import Cover, Reach
from rotator.model.policy import CustomMechanism
from rotator.model.rules import Builder, Fallback, Rule, Scope

_AXES: dict[str, Any] = {
    "combine": rules.Combine,
    "path": rules.PathUse,
    "builder": rules.Builder,
    "base": rules.Base,
    "no_host": rules.Fallback,
    "local_roots": rules.LocalRoots,
    "revocation": rules.Revocation,
}
_REACH = {"exact": Reach.EXACT, "one-label": Reach.ONE, "all": Reach.ALL}


class Custom(Mechanism):
    """A mechanism that is like another, except for the axes given."""

    def __init__(self, name: str, custom: CustomMechanism) -> None:
        """Look the other mechanism up.

        Raises:
            InputError: the mechanism it is like is not played yet.
        """
        self.id = name
        self.custom = custom
        self.inner = registry.mechanism(custom.like)
        self.facts = replace(self.inner.facts, title=f"like {custom.like}")
        self.file_name = self.inner.file_name
        self.says_expiry = self.inner.says_expiry
        self.says_report_only = self.inner.says_report_only
        self.says_certificates = custom.axes.get("object", "").startswith("cert-") or self.inner.says_certificates
        self.fewest_pins = self.inner.fewest_pins

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read a file as the other mechanism does."""
        return self.inner.parse(data, context)

    def render(self, config: PinConfig) -> bytes:
        """Write a file as the other mechanism does."""
        return self.inner.render(config)

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Change a file as the other mechanism does."""
        return self.inner.edit(data, config, context)

    def refuse(self, config: PinConfig, context: Context) -> str:
        """Refuse what the other mechanism refuses."""
        return self.inner.refuse(config, context)

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Make the configuration of a pinset, with pins on whole certificates where those are compared."""
        if not self.custom.axes.get("object", "").startswith("cert-"):
            return self.inner.from_pinset(spec)
        lists = (PinList(scope=Scope.LEAF, pins=spec.certificates),) if spec.certificates else ()
        return PinConfig(entries=(Entry(covers=spec.covers, lists=lists),))

    def rule(self, config: PinConfig, host: str) -> Rule:
        """Give the other mechanism's rule with the axes changed."""
        if self.custom.host_rule == "any":
            config = replace(config, entries=tuple(replace(e, covers=(Cover(host),)) for e in config.entries))
        elif self.custom.host_rule is not None:
            reach = _REACH[self.custom.host_rule]
            config = replace(
                config,
                entries=tuple(replace(e, covers=tuple(Cover(c.name, reach) for c in e.covers)) for e in config.entries),
            )
        rule = self.inner.rule(config, host)
        axes = self.custom.axes
        changes: dict[str, Any] = {name: kind(axes[name]) for name, kind in _AXES.items() if name in axes}
        if "scope" in axes:
            scope = Scope(axes["scope"])
            changes["clauses"] = tuple(replace(clause, scope=scope) for clause in rule.clauses)
        if "expiry" in axes:
            closed = axes["expiry"] == Fallback.CLOSED
            keep = rule.expiry is not None and axes["expiry"] != Fallback.NONE
            changes["expiry"] = replace(rule.expiry, closed=closed) if keep and rule.expiry else None
        if self.custom.runtime == "jvm":
            changes.setdefault("builder", Builder.OKHTTP)
        return replace(rule, **changes)

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Name what the other mechanism's format cannot say."""
        yield from self.inner.losses(spec)
