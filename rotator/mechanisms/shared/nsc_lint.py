"""What Android's network security configuration hides: blocks that unpin, ends of pins 26 hours apart."""

from __future__ import annotations

from collections.abc import Iterator

from rotator.mechanisms.base import Context, Entry, PinConfig
from rotator.mechanisms.shared.nsc import VENDOR, expiry
from rotator.model.findings import Finding, info, warning
from rotator.model.names import Reach, parents
from rotator.model.when import show, start_of


def lint(config: PinConfig, context: Context) -> Iterator[Finding]:
    """Tell what only this format hides: blocks that unpin, expiry that comes 26 hours apart."""
    pinned = {cover.name: (i, cover) for i, e in enumerate(config.entries) if e.lists for cover in e.covers}
    for entry in config.entries:
        if entry.lists:
            yield from _lint_expiry(entry, context)
            continue
        for cover in entry.covers:
            above = next((p for p in parents(cover.name) if p in pinned), None)
            if above is None or pinned[above][1].reach is not Reach.ALL:
                if entry.unpinned_on_purpose:
                    yield warning(
                        "empty-pin-set",
                        f"{context.subject}: {cover.name}",
                        f"{cover.name} has a pin-set without a pin: it is not pinned",
                        "write its pins, or take the pin-set out",
                        VENDOR,
                    )
                continue
            how = (
                "an empty pin-set takes the pins of the block around it away"
                if entry.unpinned_on_purpose
                else "a block of its own inherits nothing from the block of its parent domain"
            )
            yield warning(
                "unpinned-below",
                f"{context.subject}: {cover.name}",
                f"{cover.name} is not pinned although {above} includes its subdomains: {how}",
                "nest the block in the one of the parent domain, or give it a pin-set",
                VENDOR,
            )


def _lint_expiry(entry: Entry, context: Context) -> Iterator[Finding]:
    end = expiry(entry.expires)
    if end is not None and end.last >= start_of(context.today):
        yield info(
            "expiry-is-local",
            f"{context.subject}: {entry.title}",
            f"the pins end at local midnight: from {show(end.first)} (UTC+14) to {show(end.last)} (UTC-12)",
            "plan with the first for exposure and the last for breakage",
            VENDOR,
        )
