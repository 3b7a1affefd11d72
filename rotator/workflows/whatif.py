"""What if: an event with knobs to turn, a response, and the instant looked at, as a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rotator.model.when import show
from rotator.simulate.grammar import EVENTS, Occurrence
from rotator.simulate.inventory import Inventory
from rotator.simulate.question import Answer, Desk, Picture, Question, ask
from rotator.simulate.standard import backups_of
from rotator.simulate.timeline import from_row
from rotator.workflows.possible import NOTHING, SCENARIO, event_names, part_choices, served_keys, usual_events
from rotator.workflows.simulating import calendar

REISSUE = "reissue, same key"
LOOK_HOURS = (0, 1, 2, 3, 6, 12, 18, 24, 48, 72, 168, 336, 720, 1440, 2160, 4320, 8760)
MOST_HOURS = 24 * 3650
DELAY_HOURS = (0, 6, 12, 24, 48, 72, 168, 336, 720)
OPTION_VALUES = {"yes|no": ("no", "yes"), "duration": ("24h", "0h", "5d"), "date": ("",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The state of the knobs.

    Attributes:
        event: an event's id, `scenario NAME`, or `nothing`.
        parts: what it is about; "" for a part that is left out.
        options: the options that are set.
        start: when it happens, in days from now.
        response: what we answer with, one of `responses`.
        delay: hours until we do.
        look: hours after the event that the answer is for; before it where negative.
    """

    event: str = "key-compromise"
    parts: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    start: int = 0
    response: str = NOTHING
    delay: int = 0
    look: int = 0


@dataclass(frozen=True, slots=True)
class Knob:
    """One thing to turn: what it is called, what it stands on, and what that means."""

    id: str
    label: str
    value: str
    about: str = ""


def first(picture: Picture) -> WhatIf:
    """Begin with what people ask first: the primary key stolen today."""
    return settle(WhatIf(), picture)


def playing(happens: Sequence[Occurrence], picture: Picture) -> WhatIf:
    """Turn the knobs to what happens in an answer: its first event, and what we answer with."""
    event = next((o for o in happens if not o.action and o.id != "renew"), None)
    if event is None:
        return settle(WhatIf(event=NOTHING), picture)
    serve = next((o.parts[1] for o in happens if o.id == "serve"), "")
    reissue = any(o.id == "renew" for o in happens)
    response = f"serve {serve}" if serve else REISSUE if reissue else NOTHING
    return settle(WhatIf(event=event.id, parts=event.parts, options=event.options, response=response), picture)


def settle(state: WhatIf, picture: Picture) -> WhatIf:
    """Make every knob stand on something that exists."""
    events = event_names(picture)
    if state.event not in events:
        state = replace(state, event=events[0])
    form = EVENTS.get(state.event)
    kinds = form.parts if form else ()
    parts = []
    for index, kind in enumerate(kinds):
        choices = part_choices(kind, picture)
        old = state.parts[index] if index < len(state.parts) else None
        parts.append(old if old in choices else (choices[0] if choices else ""))
    options = tuple((k, v) for k, v in state.options if form is not None and k in form.options)
    state = replace(state, parts=tuple(parts), options=options)
    if state.response not in responses(state, picture):
        state = replace(state, response=NOTHING)
    return state


def responses(state: WhatIf, picture: Picture) -> tuple[str, ...]:
    """Give the answers that fit an event: nothing, a reissue, a backup or another chain on the hosts it hits."""
    inventory = picture.inventory
    found: dict[str, None] = {NOTHING: None}
    hosts = _hosts_hit(state, picture)
    if state.event == "revoke" and hosts:
        found[REISSUE] = None
    keys = served_keys(inventory)
    for key in [k for k, own in keys.items() if set(own) & set(hosts)]:
        found |= {f"serve {backup}": None for backup in backups_of(inventory, key)}
    if state.event in ("key-compromise", "key-loss"):
        found |= {f"serve {backup}": None for backup in backups_of(inventory, state.parts[0])}
    served = {name for host in hosts for name in picture.policy.hosts[host].serves}
    stolen = inventory.keys.get(state.parts[0]) if state.event in ("key-compromise", "key-loss") else None
    for name, chain in inventory.chains.items():
        if hosts and name not in served and not (stolen and chain.leaf.matches(stolen.pin)):
            found[f"serve {name}"] = None
    return tuple(found)


def _hosts_hit(state: WhatIf, picture: Picture) -> list[str]:
    """Give the hosts of ours that an event is about."""
    inventory, policy = picture.inventory, picture.policy
    ours = [label for label, host in policy.hosts.items() if host.control == "ours" and host.serves]
    if state.event in ("key-compromise", "key-loss") and state.parts:
        return served_keys(inventory).get(state.parts[0], [])
    if state.event in ("ca-compromise", "ca-distrust", "expire") and state.parts:
        own = inventory.authorities.get(state.parts[0], ())
        keys = {c.spki for c in own}
        chains = {h: [inventory.chains[n] for n in policy.hosts[h].serves if n in inventory.chains] for h in ours}
        return [
            h
            for h, served in chains.items()
            if any(c.name == state.parts[0] or keys & {x.spki for x in c.sent} | (keys & {x.signer for x in c.sent})
                   for c in served)
        ]  # fmt: skip
    named = [policy.host_label(part) for part in state.parts[:1]]
    return [label for label in named if label in ours]


def knobs(state: WhatIf, picture: Picture, now: datetime) -> tuple[Knob, ...]:
    """Give the knobs in the order they are shown."""
    form = EVENTS.get(state.event)
    shown = [Knob("event", "event", state.event, form.about if form else "")]
    for index, kind in enumerate(form.parts if form else ()):
        value = state.parts[index] if index < len(state.parts) else ""
        label = "variant" if "|" in kind else kind.removesuffix("?").partition(" ")[0].partition("/")[0]
        shown.append(
            Knob(f"part{index}", label, value or _left_out(state.event), _about(kind, value, picture.inventory))
        )
    for name, kind in (form.options if form else {}).items():
        if kind != "date":
            shown.append(Knob(f"option:{name}", name, _option(state, name, kind) or "all stores"))
    if state.event != NOTHING:
        if not state.event.startswith(SCENARIO):
            shown.append(Knob("start", "when", _when(now, state.start), "days; pgup and pgdn turn by 30"))
            shown.append(Knob("response", "we answer", state.response, "what our servers do about it"))
        if state.response != NOTHING:
            shown.append(Knob("delay", "after", f"{state.delay} h" if state.delay else "at once"))
    shown.append(
        Knob("look", "look at", _at(begins(state, picture, now) + timedelta(hours=state.look)), _later(state.look))
    )
    return tuple(shown)


def _left_out(event: str) -> str:
    return "a public CA that nobody pins" if event == "mis-issue" else "as the policy says"


def _later(hours: int) -> str:
    if not hours:
        return "as it happens"
    size, word = abs(hours), "after" if hours > 0 else "before"
    days, rest = divmod(size, 24)
    parts = [f"{days} day{'' if days == 1 else 's'}"] if days else []
    parts += [f"{rest} h"] if rest else []
    return f"{' '.join(parts)} {word} the event"


def _at(moment: datetime) -> str:
    return f"{moment:%a} {show(moment)}"


def _when(now: datetime, days: int) -> str:
    return _at(now + timedelta(days=days))


def _option(state: WhatIf, name: str, kind: str) -> str:
    return dict(state.options).get(name, OPTION_VALUES.get(kind, ("",))[0])


def _option_choices(kind: str, picture: Picture) -> Sequence[str]:
    """Give the values of an option; with "" all trust stores are meant."""
    return ("", *picture.inventory.trust) if kind == "stores" else OPTION_VALUES[kind]


def _about(kind: str, value: str, inventory: Inventory) -> str:
    if kind == "key" and value in inventory.policy.keys:
        key = inventory.policy.keys[value]
        hosts = served_keys(inventory).get(value)
        where = f"served by {', '.join(hosts)}" if hosts else "not served"
        return where + ("" if key.status == "active" else f", {key.status}")
    return ""


def choices(state: WhatIf, picture: Picture, knob: str) -> tuple[tuple[str, str], ...]:
    """Give what a knob can stand on, each with what that means; nothing for a knob of numbers."""
    if knob == "event":
        return tuple((name, EVENTS[name].about if name in EVENTS else "") for name in event_names(picture))
    if knob.startswith("part"):
        kind = EVENTS[state.event].parts[int(knob[4:])]
        return tuple(
            (value, _about(kind, value, picture.inventory) or ("" if value else _left_out(state.event)))
            for value in part_choices(kind, picture)
        )
    if knob == "response":
        return tuple((value, "") for value in responses(state, picture))
    return ()


def choose(state: WhatIf, picture: Picture, knob: str, value: str) -> WhatIf:
    """Put a knob on one of its choices; what no longer fits is settled anew."""
    if knob == "event":
        state = replace(state, event=value, parts=(), options=())
    elif knob.startswith("part"):
        index = int(knob[4:])
        state = replace(state, parts=(*state.parts[:index], value, *state.parts[index + 1 :]))
    elif knob == "response":
        state = replace(state, response=value)
    return settle(state, picture)


def title(state: WhatIf) -> str:
    """Say in a few words what the knobs stand on."""
    what = ":".join((state.event, *(part for part in state.parts if part)))
    late = f" after {state.delay} h" if state.delay else ""
    return what if state.response == NOTHING else f"{what}, {state.response}{late}"


def turn(state: WhatIf, picture: Picture, knob: str, by: int) -> WhatIf:
    """Turn a knob; what no longer fits is settled anew. Events that can change nothing are left out."""
    if knob == "event":
        usual = usual_events(picture)
        known = usual if state.event in usual else event_names(picture)
        state = replace(state, event=_next(known, state.event, by), parts=(), options=())
    elif knob.startswith("part"):
        index = int(knob[4:])
        kind = EVENTS[state.event].parts[index]
        parts = list(state.parts)
        parts[index] = _next(part_choices(kind, picture), parts[index], by)
        state = replace(state, parts=tuple(parts))
    elif knob.startswith("option:"):
        name = knob[7:]
        kind = EVENTS[state.event].options[name]
        value = _next(_option_choices(kind, picture), _option(state, name, kind), by)
        options = {**dict(state.options), name: value}
        state = replace(state, options=tuple((name, value) for name, value in options.items() if value))
    elif knob == "start":
        state = replace(state, start=max(0, min(3650, state.start + by)))
    elif knob == "response":
        state = replace(state, response=_next(responses(state, picture), state.response, by))
    elif knob == "delay":
        state = replace(state, delay=_step(DELAY_HOURS, state.delay, by))
    elif knob == "look":
        state = replace(state, look=_next_stop(state.look, by))
    return settle(state, picture)


def _next(choices: Sequence[str], value: str, by: int) -> str:
    if not choices:
        return value
    index = choices.index(value) if value in choices else 0
    return choices[(index + by) % len(choices)]


def _next_stop(hours: int, by: int) -> int:
    """Give the next round number of hours after or before one."""
    if by < 0:
        return max((stop for stop in LOOK_HOURS if stop < hours), default=min(hours, 0))
    return min((stop for stop in LOOK_HOURS if stop > hours), default=hours)


def scrub(state: WhatIf, hours: int) -> WhatIf:
    """Look some hours later, or earlier."""
    return replace(state, look=max(-MOST_HOURS, min(MOST_HOURS, state.look + hours)))


def _step(values: Sequence[int], value: int, by: int) -> int:
    index = values.index(value) if value in values else 0
    return values[max(0, min(len(values) - 1, index + by))]


def occurrences(state: WhatIf, picture: Picture, now: datetime) -> tuple[Occurrence, ...]:
    """Write the knobs as events and actions."""
    at = now + timedelta(days=state.start)
    if state.event == NOTHING:
        return ()
    if state.event.startswith(SCENARIO):
        return tuple(from_row(row) for row in picture.policy.scenarios[state.event.removeprefix(SCENARIO)])
    event = Occurrence(id=state.event, parts=state.parts, options=state.options, at=at)
    later = at + timedelta(hours=state.delay)
    hosts = _hosts_hit(state, picture)
    if state.response.startswith("reissue"):
        return (event, *(Occurrence(id="renew", parts=(host, "same-key"), at=later) for host in hosts))
    if state.response.startswith("serve "):
        what = state.response.removeprefix("serve ")
        return (event, *(Occurrence(id="serve", parts=(host, what), at=later, action=True) for host in hosts))
    return (event,)


def question(state: WhatIf, picture: Picture, now: datetime) -> Question:
    """Write the knobs as a question."""
    events = occurrences(state, picture, now)
    return Question(occurrences=events, at=begins(state, picture, now) + timedelta(hours=state.look), default=now)


def begins(state: WhatIf, picture: Picture, now: datetime) -> datetime:
    """Give the instant from which `look` counts: that of the event, or of the last thing in a scenario."""
    if not state.event.startswith(SCENARIO):
        return now + timedelta(days=state.start)
    return max([o.at for o in occurrences(state, picture, now) if o.at is not None], default=now)


def answer(
    state: WhatIf, picture: Picture, now: datetime, until: datetime | None = None, desk: Desk | None = None
) -> Answer:
    """Answer what the knobs ask; with `until`, day by day as far as that lies ahead."""
    asked = question(state, picture, now)
    if until is not None and until > asked.at:
        asked = replace(asked, until=until)
    return ask(picture, asked, calendar(picture.policy), desk=desk)
