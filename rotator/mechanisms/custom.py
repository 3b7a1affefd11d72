"""One's own client code: a known mechanism with some axes changed (`[mechanisms.NAME]` of the policy)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from rotator.mechanisms import registry
from rotator.mechanisms.base import Context, Entry, Mechanism, Parsed, PinConfig, PinList, PinsetSpec
from rotator.model import rules
from rotator.model.names import Cover, Reach
from rotator.model.pins import PinKind
from rotator.model.policy import CustomMechanism
from rotator.model.rules import Builder, Clause, Expiry, Fallback, Rule, Scope

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
        ends = custom.axes.get("expiry")
        self.says_expiry = self.inner.says_expiry if ends is None else ends != Fallback.NONE
        self.says_both = custom.axes.get("combine") == rules.Combine.LEAF_AND_CA or self.inner.says_both
        self.says_report_only = self.inner.says_report_only
        given = custom.axes.get("object")
        self.object = PinKind(given) if given is not None else None
        self.says_certificates = self.object.of_certificate if self.object else self.inner.says_certificates
        self.says_keys = not self.object.of_certificate if self.object else self.inner.says_keys
        self.needs_expiry = self.inner.needs_expiry
        self.most_pins = self.inner.most_pins
        self.fewest_pins = self.inner.fewest_pins
        self.channel = self.inner.channel
        self.from_dns = self.inner.from_dns
        self.cleartext = self.inner.cleartext
        # What compares another object is code of one's own: the other mechanism's file has no place for such pins.
        own = self.says_certificates != self.inner.says_certificates and self.object is not None
        self.file_name = "" if own else self.inner.file_name
        self.ours_to_write = self.inner.ours_to_write
        self.names_hosts = self.inner.names_hosts

    def as_resolved(self, rule: Rule, dnssec: str) -> Rule:
        """Take what the DNS says as the client it is like does."""
        return self.inner.as_resolved(rule, dnssec)

    def parse(self, data: bytes, context: Context) -> Parsed:
        """Read a file as the other mechanism does."""
        return self.inner.parse(data, context)

    def render(self, config: PinConfig) -> bytes:
        """Write a file as the other mechanism does."""
        return self.inner.render(config)

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:
        """Change a file as the other mechanism does."""
        return self.inner.edit(data, config, context)

    def own(self, found: PinConfig, wanted: PinConfig) -> PinConfig:
        """Compare what the other mechanism compares."""
        return self.inner.own(found, wanted)

    def refuse(self, config: PinConfig, context: Context) -> str:
        """Refuse what the other mechanism refuses."""
        return self.inner.refuse(config, context)

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:
        """Make the configuration of a pinset, with pins on what is compared here."""
        if self.object is not None:
            spec = spec.as_kind(self.object)
        if self.says_both and (self.object is not None or not self.inner.says_both):
            certificates = spec.certificates if self.object is not None else ()
            lists: tuple[PinList, ...] = (
                PinList(scope=Scope.LEAF, pins=(*spec.keys, *certificates)),
                PinList(scope=Scope.CA, pins=spec.authorities),
            )
        elif self.object is not None:
            pins = (*spec.keys, *spec.authorities, *spec.certificates)[: self.most_pins]
            lists = (PinList(scope=self.inner.scope, pins=pins),)
        else:
            config = self.inner.from_pinset(spec)
            ends = spec.expires if self.says_expiry else None
            return replace(config, entries=tuple(replace(entry, expires=ends) for entry in config.entries))
        entry = Entry(
            covers=spec.covers,
            lists=tuple(pins for pins in lists if pins.pins),
            expires=spec.expires if self.says_expiry else None,
            mode=spec.mode if self.says_report_only else rules.Mode.ENFORCE,
        )
        return PinConfig(entries=(entry,))

    def expiry(self, expires: date | datetime | None) -> Expiry | None:
        """End the pins when the other mechanism does, and then be open or closed as the axis says."""
        ends = self.inner.expiry(expires)
        axis = self.custom.axes.get("expiry")
        if axis is None or ends is None:
            return ends
        return None if axis == Fallback.NONE else replace(ends, closed=axis == Fallback.CLOSED)

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
        return self._changed(config, self.inner.rule(config, host))

    def _changed(self, config: PinConfig, rule: Rule) -> Rule:
        """Change the axes of a rule, and of those that follow from it after an end or on another platform."""
        axes = self.custom.axes
        changes: dict[str, Any] = {name: kind(axes[name]) for name, kind in _AXES.items() if name in axes}
        split = self._split(config, rule) if self.says_both and not self.inner.says_both and rule.clauses else ()
        if split:
            changes["clauses"] = split
        elif "scope" in axes:
            scope = Scope(axes["scope"])
            changes["clauses"] = tuple(replace(clause, scope=scope) for clause in rule.clauses)
        after = rule.after
        if "expiry" in axes:
            changes["expiry"] = ends = self._ends(config, rule)
            dropped = axes["expiry"] == Fallback.CLOSED and rule.clauses and not self.inner.ends_apart
            after = None if ends is None or dropped else after
        if self.custom.runtime == "jvm":
            changes.setdefault("builder", Builder.OKHTTP)
        return replace(
            rule,
            **changes,
            after=self._changed(config, after) if after is not None else None,
            other=self._changed(config, rule.other) if rule.other is not None else None,
        )

    def _ends(self, config: PinConfig, rule: Rule) -> Expiry | None:
        """Give the end of the pins of a rule as the axis says it: the chosen entry's own."""
        axis = self.custom.axes["expiry"]
        ends = rule.expiry
        if ends is None and rule.clauses and not self.inner.says_expiry:
            pins = {pin for clause in rule.clauses for pin in clause.pins}
            own = (e for e in config.entries if e.lists and e.expires and (not pins or pins & set(e.pins)))
            ends = self.inner.expiry(next((entry.expires for entry in own), None))
        return None if ends is None or axis == Fallback.NONE else replace(ends, closed=axis == Fallback.CLOSED)

    @staticmethod
    def _split(config: PinConfig, rule: Rule) -> tuple[Clause, ...]:
        """Give the lists of keys and of authorities as clauses of their own, where the pinset made both."""
        lists = [pins for entry in config.entries for pins in entry.lists if pins.scope in (Scope.LEAF, Scope.CA)]
        held = {pin for clause in rule.clauses for pin in clause.pins}
        return tuple(
            Clause(scope=scope, pins=frozenset(p for own in lists if own.scope is scope for p in own.pins) & held)
            for scope in (Scope.LEAF, Scope.CA)
            if any(pins.scope is scope for pins in lists)
        )

    def losses(self, spec: PinsetSpec) -> Iterator[tuple[str, str]]:
        """Name what the other mechanism's format cannot say, and what is left out of what is compared here."""
        told = dict(self.inner.losses(spec))
        for name, text in told.items():
            if (name, True) not in (("no-certificate-pins", self.says_certificates), ("no-expiry", self.says_expiry)):
                yield name, text
        if self.object is None:
            return
        if self.says_certificates and self.inner.says_keys and (spec.keys or spec.authorities):
            yield "no-key-pins", f"{self.id} compares whole certificates: pins on keys are left out"
        if self.says_keys and self.inner.says_certificates and spec.certificates and "no-certificate-pins" not in told:
            yield "no-certificate-pins", f"{self.id} compares keys: pins on whole certificates are left out"
        said = spec.certificates if self.says_certificates else (*spec.keys, *spec.authorities)
        turned = spec.as_kind(self.object)
        lost = len(said) - len((*turned.keys, *turned.authorities, *turned.certificates))
        if lost:
            what = "1 pin is" if lost == 1 else f"{lost} pins are"
            yield (
                "unknown-digest",
                f"{self.id} compares {self.object}: {what} known by another digest only and left out",
            )
