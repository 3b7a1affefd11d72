"""Events and actions as people write them: `id:SUBJECT[:VARIANT][?option=value&...][@DATE or INSTANT]`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum

from rotator.errors import Problem, UsageError
from rotator.model.names import did_you_mean
from rotator.model.policy import Policy
from rotator.model.when import parse_duration, parse_instant, show
from rotator.simulate.inventory import DEFAULT_TRUST


class Order(IntEnum):
    """Which of two things at one instant comes first."""

    EXPIRY = 0
    TRUST = 1
    REVOCATION = 2
    ATTACK = 3
    ACTION = 4


@dataclass(frozen=True, slots=True)
class Form:
    """How one event or action is written.

    Attributes:
        parts: what stands between the colons, by kind; a kind that ends in `?` may be left out.
        options: option names and what their values are: `yes|no`, `date`, `duration` or `stores`.
        order: its place among things at one instant.
        about: one line on what changes.
    """

    parts: tuple[str, ...]
    about: str
    order: Order = Order.ATTACK
    options: Mapping[str, str] = field(default_factory=dict)


EVENTS: Mapping[str, Form] = {
    "key-compromise": Form(
        ("key",),
        "an attacker holds the private key and every live certificate for it",
        options={"certified": "yes|no"},
    ),
    "key-loss": Form(("key",), "the key can no longer be served or proved"),
    "renew": Form(("host", "same-key|new-key?"), "the host gets a new certificate", Order.ACTION),
    "ca-change": Form(("host", "chain"), "the host serves another chain from then on", Order.ACTION),
    "intermediate-swap": Form(
        ("host", "authority"), "the CA issues from another intermediate at the next renewal", Order.ACTION
    ),
    "ca-compromise": Form(("authority",), "an attacker can issue anything under the authority"),
    "ca-distrust": Form(
        ("authority",),
        "the authority leaves the trust stores",
        Order.TRUST,
        {"issued-after": "date", "trust": "stores"},
    ),
    "revoke": Form(
        ("chain or host",), "the CA revokes at the end of the clock", Order.REVOCATION, {"clock": "duration"}
    ),
    "expire": Form(("chain or authority/issuer",), "nobody renewed; or a CA certificate ends early", Order.EXPIRY),
    "mis-issue": Form(("host", "authority?"), "a CA issues for the host to an attacker"),
    "hostile-pins": Form(("host",), "the attacker writes pins through a channel it controls"),
    "strip": Form(("host",), "TLS is stripped"),
    "local-root": Form(
        ("cohort",),
        "a root installed by a user or an enterprise",
        Order.TRUST,
        {"intercepts": "yes|no"},
    ),
    "pins-expire": Form(("pinset",), "the pinset runs out", Order.EXPIRY),
    "wrong-pin": Form(("pinset",), "a release ships a pin that matches nothing", Order.ACTION),
    "algorithm-change": Form(("host", "algorithm"), "the leaf moves to another key type", Order.ACTION),
}
ACTIONS: Mapping[str, Form] = {
    "serve": Form(("host", "chain or key"), "the host serves a chain, or a key, from then on", Order.ACTION),
    "ship": Form(("app", "version", "pinset"), "a release goes out with a pinset", Order.ACTION),
    "publish": Form(("app", "pinset"), "live pins are published", Order.ACTION),
    "floor": Form(
        ("app", "version"),
        "clients below the version are made to update",
        Order.ACTION,
        {"mode": "hard|soft", "reach": "share", "reach-days": "days"},
    ),
    "revoke": Form(("chain",), "we have the certificate revoked at once", Order.REVOCATION),
    "destroy": Form(("key",), "the private key is destroyed", Order.ACTION),
}
ALGORITHMS = ("rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384", "ec-p521", "ed25519", "ml-dsa-65")
#: A CA must revoke within this time of learning that a key is compromised (Baseline Requirements 4.9.1.1).
REVOCATION_CLOCK = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One event or action, read.

    Attributes:
        id: its name in `EVENTS` or `ACTIONS`.
        parts: what it is about, in the order of its form; optional parts left out are "".
        options: its options.
        at: when, or None where the writer left it to the question asked.
        action: whether it is an action of ours.
    """

    id: str
    parts: tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()
    at: datetime | None = None
    action: bool = False

    @property
    def form(self) -> Form:
        """Give the form it follows."""
        return (ACTIONS if self.action else EVENTS)[self.id]

    @property
    def text(self) -> str:
        """Write it as it is read."""
        text = ":".join((self.id, *(part for part in self.parts if part)))
        if self.options:
            text += "?" + "&".join(f"{name}={value}" for name, value in self.options)
        return text + (f"@{show(self.at)}" if self.at else "")

    def option(self, name: str) -> str | None:
        """Give an option's text, or None."""
        return dict(self.options).get(name)


def parse_event(text: str) -> Occurrence:
    """Read an event.

    Raises:
        UsageError: the text does not follow the grammar.
    """
    return _parse(text, EVENTS, "event", action=False)


def parse_action(text: str) -> Occurrence:
    """Read an action.

    Raises:
        UsageError: the text does not follow the grammar.
    """
    return _parse(text, ACTIONS, "action", action=True)


def _parse(text: str, forms: Mapping[str, Form], noun: str, *, action: bool) -> Occurrence:
    body, at_sign, when = text.rpartition("@")
    if not at_sign:
        body, when = text, ""
    at = parse_instant(when) if at_sign else None
    body, _, query = body.partition("?")
    name, *parts = body.split(":")
    if name not in forms:
        other = EVENTS if action else ACTIONS
        hint = f"{name} is an {'event' if action else 'action'}" if name in other else did_you_mean(name, forms)
        raise UsageError(
            Problem(f"not an {noun}", value=name or text, expected=f"id:SUBJECT, as {noun}s go", hint=hint)
        )
    form = forms[name]
    usage = usage_of(name, form)
    needed = sum(1 for kind in form.parts if not kind.endswith("?"))
    if not needed <= len(parts) <= len(form.parts) or not all(parts):
        raise UsageError(Problem(f"not what {name} is about", value=text, expected=usage))
    parts += [""] * (len(form.parts) - len(parts))
    for kind, part in zip(form.parts, parts, strict=True):
        words = _choices(kind)
        if part and words and part not in words:
            raise UsageError(
                Problem(f"not a variant of {name}", value=part, expected=usage, hint=did_you_mean(part, words))
            )
    return Occurrence(id=name, parts=tuple(parts), options=_options(query, form, usage), at=at, action=action)


def _choices(kind: str) -> tuple[str, ...]:
    if kind == "algorithm":
        return ALGORITHMS
    return tuple(kind.removesuffix("?").split("|")) if "|" in kind else ()


def _options(query: str, form: Form, usage: str) -> tuple[tuple[str, str], ...]:
    options: list[tuple[str, str]] = []
    for item in query.split("&") if query else ():
        name, _, value = item.partition("=")
        kind = form.options.get(name)
        if kind is None:
            raise UsageError(
                Problem("unknown option", value=name, expected=usage, hint=did_you_mean(name, form.options))
            )
        if kind == "date":
            parse_instant(value)
        elif kind == "duration":
            parse_duration(value)
        elif kind in _NUMBERS:
            if not _NUMBERS[kind].fullmatch(value):
                raise UsageError(Problem(f"not a value of {name}", value=value, expected=_EXPECTED[kind]))
        elif kind == "stores":
            if not all(value.split(",")):
                raise UsageError(Problem("not names of trust stores", value=value, expected="NAME, or NAME,NAME"))
        elif value not in kind.split("|"):
            raise UsageError(Problem(f"not a value of {name}", value=value, expected=kind))
        if any(name == known for known, _ in options):
            raise UsageError(Problem("an option given twice", value=name, expected=usage))
        options.append((name, value))
    return tuple(options)


_NUMBERS = {"share": re.compile(r"0(?:\.\d{1,6})?|1(?:\.0{1,6})?"), "days": re.compile(r"[1-9]\d{0,3}(?:\.\d{1,3})?d")}
_EXPECTED = {"share": "a share from 0 to 1, such as 0.82", "days": "days, such as 7d"}


def usage_of(name: str, form: Form) -> str:
    """Show how an event or action is written, as in `renew:HOST[:same-key|new-key]`."""
    text = name
    for kind in form.parts:
        word = kind.removesuffix("?")
        shown = word if "|" in word else word.upper().replace(" OR ", " or ")
        text += f"[:{shown}]" if kind.endswith("?") else f":{shown}"
    if form.options:
        text += "[?" + "&".join(f"{option}={value}" for option, value in form.options.items()) + "]"
    return text + "[@DATE]"


def unknown_names(occurrence: Occurrence, policy: Policy) -> Iterator[Problem]:
    """Report the parts of an occurrence that name nothing in the policy."""
    for kind, part in zip(occurrence.form.parts, occurrence.parts, strict=True):
        kinds = kind.removesuffix("?")
        if not part or _choices(kind) or kinds == "version":
            continue
        wanted = kinds.split(" or ")
        if not any(_known(want, part, policy) for want in wanted):
            names = sorted({name for want in wanted for name in _names(want, policy)})
            yield Problem(
                f"no {kinds} has this name",
                value=part,
                expected=usage_of(occurrence.id, occurrence.form),
                hint=did_you_mean(part, names),
            )

    known = (*policy.trust, DEFAULT_TRUST)
    for name in stores_of(occurrence):
        if name not in known:
            yield Problem(
                "no trust store has this name",
                value=name,
                expected=usage_of(occurrence.id, occurrence.form),
                hint=did_you_mean(name, known),
            )


def stores_of(occurrence: Occurrence) -> tuple[str, ...]:
    """Give the trust stores that an occurrence is about; none of them means all."""
    text = occurrence.option("trust")
    return tuple(text.split(",")) if text else ()


def _known(kind: str, part: str, policy: Policy) -> bool:
    if kind == "host":
        return policy.host_label(part) is not None
    if kind == "cohort":
        return _is_cohort(part, policy)
    if kind == "authority/issuer":
        return all(name in policy.authorities for name in part.split("/"))
    return part in _names(kind, policy)


def _is_cohort(part: str, policy: Policy) -> bool:
    name, *rest = part.split("/")
    app = policy.apps.get(name)
    if app is None or len(rest) > 2:
        return False
    versions = {v for release in app.releases for v in (release.version, *release.also)}
    return (not rest or not rest[0] or rest[0] in versions) and (len(rest) < 2 or rest[1] in policy.trust)


def _names(kind: str, policy: Policy) -> Iterable[str]:
    return {
        "key": policy.keys,
        "authority": policy.authorities,
        "authority/issuer": policy.authorities,
        "host": [*policy.hosts, *(name for label in policy.hosts for name in policy.host_names(label))],
        "chain": policy.chains,
        "pinset": policy.pinsets,
        "app": policy.apps,
        "cohort": policy.apps,
    }[kind]
