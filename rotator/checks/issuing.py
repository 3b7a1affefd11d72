"""What certificates are issued for: keys that should be served no more."""

from __future__ import annotations

from collections.abc import Iterator

from rotator.checks.base import Subject
from rotator.model.findings import Finding, error


def compromised_key_served(subject: Subject) -> Iterator[Finding]:
    """A stolen key that is still served: after Heartbleed 30,000 certificates were replaced and their keys kept."""
    for name, key in subject.policy.keys.items():
        if key.status != "compromised":
            continue
        pin = subject.inventory.keys[name].pin
        hosts = list(dict.fromkeys(host for host, leaf in subject.served() if leaf.matches(pin)))
        if hosts:
            yield error(
                "compromised-key-served",
                f"keys.{name}",
                f"{name} is compromised and {', '.join(hosts)} serves it: a new certificate for the key mends nothing",
                "serve another key that clients pin, and ship a release without this one",
            )
