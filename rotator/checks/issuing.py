"""What certificates are issued for: keys that should be served no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rotator.checks.base import Subject
from rotator.model.findings import Finding, error


def gone_key_served(subject: Subject) -> Iterator[Finding]:
    """A key that is served although the policy marks it.

    Stolen: after Heartbleed 30,000 certificates were replaced and their keys kept. Lost or destroyed: it cannot be
    served, so that either the mark or what the host is said to serve is wrong.
    """
    for name, key in subject.policy.keys.items():
        if key.status == "active":
            continue
        pin = subject.inventory.keys[name].pin
        hosts = list(dict.fromkeys(host for host, leaf in subject.served() if leaf.matches(pin)))
        if not hosts:
            continue
        if key.status != "compromised":
            later = key.since is not None and key.since > subject.now.date()
            day = f" from {key.since} on" if later else ""
            found = error(
                f"{key.status}-key-served",
                f"keys.{name}",
                f"{name} is {key.status}{day} and {', '.join(hosts)} serves it: nothing can be served with it",
                "serve another key that clients pin, or take the mark back where the key is still there",
            )
            yield replace(found, due=key.since if later else None)
        else:
            yield error(
                "compromised-key-served",
                f"keys.{name}",
                f"{name} is compromised and {', '.join(hosts)} serves it: a new certificate for the key mends nothing",
                "serve another key that clients pin, and ship a release without this one",
            )
