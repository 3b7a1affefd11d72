"""No pinning at all: the platform's own path validation and nothing else."""

from __future__ import annotations

from rotator.errors import InputError, Problem
from rotator.mechanisms.base import Context, Facts, Mechanism, Parsed, PinConfig, PinsetSpec
from rotator.model.rules import Rule


class Unpinned(Mechanism):
    """A client that pins nothing, such as a web view beside a pinned connection."""

    id = "none"
    facts = Facts(
        title="no pinning",
        object="-",
        scope="-",
        host_rule="every host",
        expiry="-",
        report_only="-",
        local_roots="trusted like any other",
        update_channel="-",
        bad_config="-",
        sources=("RFC 5280",),
    )

    def parse(self, data: bytes, context: Context) -> Parsed:  # noqa: ARG002 - there is no file
        """There is no file to read."""
        raise InputError(Problem("no file belongs to this mechanism", file=context.subject, value=self.id))

    def render(self, config: PinConfig) -> bytes:  # noqa: ARG002 - there is no file
        """There is no file to write."""
        raise InputError(Problem("no file belongs to this mechanism", value=self.id))

    def edit(self, data: bytes, config: PinConfig, context: Context) -> bytes:  # noqa: ARG002
        """There is no file to change."""
        raise InputError(Problem("no file belongs to this mechanism", file=context.subject, value=self.id))

    def rule(self, config: PinConfig, host: str) -> Rule:  # noqa: ARG002 - every host alike
        """Demand a valid path only."""
        return Rule()

    def from_pinset(self, spec: PinsetSpec) -> PinConfig:  # noqa: ARG002 - pins mean nothing here
        """Pins mean nothing here."""
        return PinConfig()


MECHANISM = Unpinned()
