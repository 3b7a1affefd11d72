"""What a configuration demands of a host, and the way by which its pins come to a client."""

from __future__ import annotations

from dataclasses import replace

from rotator.mechanisms.base import Channel
from rotator.model.rules import Cleartext, Rule
from rotator.simulate.inventory import Enforced, Inventory
from rotator.simulate.noting import noted


def channel_of(inventory: Inventory, item: Enforced) -> Channel:
    """Give the way by which pins come to a client."""
    own = inventory.mechanisms[item.mechanism].channel
    pinset = None if item.from_file else inventory.policy.pinsets.get(item.source)
    return Channel.LIVE if own is Channel.RELEASE and pinset is not None and pinset.delivery == "live" else own


def rule_of(
    inventory: Inventory,
    item: Enforced,
    host: str,
    name: str,
    rules: dict[tuple[Enforced, str, str], Rule],
    *,
    cleartext: bool | None,
) -> Rule:
    """Give what a configuration demands of a name, each one made once.

    Args:
        inventory: the policy with everything looked up.
        item: the configuration.
        host: the label of the host.
        name: the DNS name.
        rules: those made so far.
        cleartext: what the policy says of the app, for clients whose file does not say it.
    """
    if (item, host, name) not in rules:
        rejected = item.config.rejected
        mechanism = inventory.mechanisms[item.mechanism]
        config = item.config.asked_at(inventory.policy.hosts[host].port)
        config = noted(inventory, config, host) if mechanism.channel is Channel.HEADER else config
        made = Rule(rejected=rejected) if rejected else mechanism.rule(config, name)
        policy = inventory.policy
        signed = (h.dane.dnssec for label, h in policy.hosts.items() if h.dane and name in policy.host_names(label))
        dnssec = next(signed, "secure")
        rules[item, host, name] = mechanism.as_resolved(made, dnssec)
    said = item.config.allows_cleartext(name)
    said = cleartext if said is None else said
    own = inventory.mechanisms[item.mechanism].cleartext if said is None else _CLEARTEXT[said]
    rule = rules[item, host, name]
    return rule if rule.cleartext is own else replace(rule, cleartext=own)


_CLEARTEXT = {True: Cleartext.ALLOWED, False: Cleartext.REFUSED}
