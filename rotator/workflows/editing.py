"""Edits of a policy as forms: what each asks for, what may be answered, and the named edit that the answers make.

The screens show a form as a dialog, the command line takes it as words: both read the same table.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from rotator.errors import InputError, Problem, UsageError
from rotator.files.policy_toml import read_bytes
from rotator.files.store import keep_old, locked, write
from rotator.model.names import did_you_mean
from rotator.model.when import parse_instant
from rotator.simulate import policy_edits
from rotator.simulate.grammar import ACTIONS, EVENTS, parse_action, parse_event, unknown_names
from rotator.simulate.question import Picture
from rotator.simulate.rotation import Rotation, promote
from rotator.workflows.changing import edited
from rotator.workflows.inputs import pin_file_of
from rotator.workflows.opening import open_policy

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
Choices = Callable[[Picture], Sequence[str]]
Values = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that a form asks for.

    Attributes:
        id: its name in the answers and on the command line.
        about: what is meant, in some words.
        kind: `name`, `text`, `date`, `instant`, `number`, `file`, `one` of the choices, or `many` of them.
        needed: whether it must be answered.
        choices: what may be answered, for `one` and `many`; suggestions elsewhere.
        usual: what stands there to begin with.
    """

    id: str
    about: str
    kind: str = "text"
    needed: bool = True
    choices: Choices | None = None
    usual: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One kind of edit.

    Attributes:
        id: `add-key` and the like; the word of the command line.
        key: the letter that opens it from the list of edits.
        about: what it does, in some words.
        fields: what it asks for.
        make: the edit that checked answers make.
    """

    id: str
    key: str
    about: str
    fields: tuple[Field, ...]
    make: Callable[[Picture, Values, datetime], Rotation]


def _keys(picture: Picture) -> Sequence[str]:
    return [name for name, key in picture.policy.keys.items() if key.status == "active"]


def _pinsets(picture: Picture) -> Sequence[str]:
    return list(picture.policy.pinsets)


def _authorities(picture: Picture) -> Sequence[str]:
    return list(picture.policy.authorities)


def _apps(picture: Picture) -> Sequence[str]:
    return list(picture.policy.apps)


def _scenarios(picture: Picture) -> Sequence[str]:
    return list(picture.policy.scenarios)


def _backups(picture: Picture) -> Sequence[str]:
    held = [key for pinset in picture.policy.pinsets.values() for key in pinset.backups]
    return [key for key in dict.fromkeys(held) if key in _keys(picture)]


def _promote(picture: Picture, values: Values, now: datetime) -> Rotation:
    chosen = (values["pinset"],) if values["pinset"] else ()
    return promote(picture.inventory, values["key"], today=now.date(), pinsets=chosen)


def _add_key(picture: Picture, values: Values, now: datetime) -> Rotation:
    source, value = _source_of(picture, values["from"])
    proved = date.fromisoformat(values["proved"]) if values["proved"] else None
    return policy_edits.add_key(
        picture.policy,
        values["name"],
        source,
        value,
        custody=values["custody"],
        proved=proved,
        pinset=values["backup-of"],
        today=now.date(),
    )


def _source_of(picture: Picture, value: str) -> tuple[str, str]:
    """Tell what a key is known from, by the content of its file."""
    if value.startswith(("sha256/", "sha1/")):
        return "spki", value
    base = Path(picture.context.subject).resolve().parent
    path = base / value
    data = read_bytes(str(path), place="from")
    from rotator.files.pem import refuse_private_key

    refuse_private_key(data, str(path))
    if b"CERTIFICATE REQUEST" in data:
        source = "csr"
    elif b"PUBLIC KEY" in data:
        source = "public_key"
    elif b"CERTIFICATE" in data:
        source = "certificate"
    elif pin_file_of(data):
        raise UsageError(Problem("is a shipped pin file", path="from", value=value, hint="rotator import reads it"))
    else:
        expected = "a certificate, a request or a public key in PEM, or sha256/..."
        raise UsageError(Problem("holds no key", path="from", value=value, expected=expected))
    return source, Path(os.path.relpath(path, base)).as_posix() if Path(value).is_absolute() else value


def _retire(picture: Picture, values: Values, now: datetime) -> Rotation:
    return policy_edits.retire_key(picture.inventory, values["key"], values["status"], now.date())


def _role(picture: Picture, values: Values, now: datetime) -> Rotation:
    return policy_edits.set_role(picture.policy, values["pinset"], values["key"], values["role"], now.date())


def _pinset(picture: Picture, values: Values, now: datetime) -> Rotation:
    return policy_edits.add_pinset(
        picture.policy,
        values["name"],
        primary=_list(values["primary"]),
        backups=_list(values["backups"]),
        authorities=_list(values["authorities"]),
        covers=_list(values["covers"]),
        expires=date.fromisoformat(values["expires"]) if values["expires"] else None,
        replaces=values["replaces"],
        today=now.date(),
    )


def _chain(picture: Picture, values: Values, now: datetime) -> Rotation:
    return policy_edits.add_chain(
        picture.policy,
        values["name"],
        leaf=values["leaf"],
        issuers=_list(values["issuers"]),
        not_before=date.fromisoformat(values["not-before"]) if values["not-before"] else now.date(),
        lifetime_days=int(values["days"]),
    )


def _release(picture: Picture, values: Values, now: datetime) -> Rotation:
    return policy_edits.add_release(
        picture.policy,
        values["app"],
        values["version"],
        released=date.fromisoformat(values["released"]) if values["released"] else now.date(),
        pinset=values["pinset"],
        clients=int(values["clients"]) if values["clients"] else None,
    )


def _event(picture: Picture, values: Values, now: datetime) -> Rotation:
    text = values["event"]
    name = text.partition(":")[0]
    action = name in ACTIONS and name not in EVENTS
    occurrence = parse_action(text) if action else parse_event(text)
    if occurrence.at is not None:
        raise UsageError(Problem("the date goes into its own field", path="event", value=text))
    wrong = list(unknown_names(occurrence, picture.policy))
    if wrong:
        raise UsageError(wrong)
    at: date | datetime = now.date()
    if values["date"]:
        at = date.fromisoformat(values["date"]) if len(values["date"]) == 10 else parse_instant(values["date"])
    return policy_edits.add_event(
        picture.policy, text, at, action=action, scenario=values["scenario"], note=values["note"]
    )


def _events(_: Picture) -> Sequence[str]:
    return [f"{name}:" for name in EVENTS]


FORMS: tuple[Form, ...] = (
    Form(
        id="promote",
        key="p",
        about="make a backup the primary",
        fields=(
            Field(id="key", about="the backup", kind="one", choices=_backups),
            Field(id="pinset", about="in this pinset only", kind="one", needed=False, choices=_pinsets),
        ),
        make=_promote,
    ),
    Form(
        id="add-key",
        key="k",
        about="add a key of ours",
        fields=(
            Field(id="name", about="what to call it", kind="name"),
            Field(id="from", about="certificate, request or public key (PEM), or sha256/...", kind="file"),
            Field(id="custody", about="how it is kept, such as hsm-eu", needed=False),
            Field(id="proved", about="the day possession was proved", kind="date", needed=False),
            Field(id="backup-of", about="the pinset that takes it", kind="one", needed=False, choices=_pinsets),
        ),
        make=_add_key,
    ),
    Form(
        id="retire-key",
        key="x",
        about="mark a key as destroyed, lost or compromised",
        fields=(
            Field(id="key", about="the key", kind="one", choices=_keys),
            Field(
                id="status",
                about="what became of it",
                kind="one",
                choices=lambda _: policy_edits.STATUSES,
                usual="destroyed",
            ),
        ),
        make=_retire,
    ),
    Form(
        id="set-role",
        key="r",
        about="give a key another role in a pinset",
        fields=(
            Field(id="pinset", about="the pinset", kind="one", choices=_pinsets),
            Field(id="key", about="the key", kind="one", choices=_keys),
            Field(
                id="role", about="what it is there", kind="one", choices=lambda _: policy_edits.ROLES, usual="backup"
            ),
        ),
        make=_role,
    ),
    Form(
        id="add-pinset",
        key="n",
        about="compose a new pinset",
        fields=(
            Field(id="name", about="what to call it", kind="name"),
            Field(id="primary", about="keys meant to be served", kind="many", choices=_keys, needed=False),
            Field(id="backups", about="keys held ready", kind="many", choices=_keys, needed=False),
            Field(id="authorities", about="CA keys pinned on purpose", kind="many", choices=_authorities, needed=False),
            Field(id="covers", about="DNS names, with commas; else those of its apps", needed=False),
            Field(id="expires", about="its last day", kind="date", needed=False),
            Field(id="replaces", about="the pinset it follows", kind="one", needed=False, choices=_pinsets),
        ),
        make=_pinset,
    ),
    Form(
        id="add-chain",
        key="c",
        about="plan a chain",
        fields=(
            Field(id="name", about="what to call it", kind="name"),
            Field(id="leaf", about="the key it is for", kind="one", choices=_keys, needed=False),
            Field(id="issuers", about="the issuer first, up to the root", kind="many", choices=_authorities),
            Field(id="not-before", about="its first day; today", kind="date", needed=False),
            Field(id="days", about="how many days it lasts", kind="number", usual="90"),
        ),
        make=_chain,
    ),
    Form(
        id="add-release",
        key="l",
        about="add a release of an app",
        fields=(
            Field(id="app", about="the app", kind="one", choices=_apps),
            Field(id="version", about="its version"),
            Field(id="released", about="the day it ships; today", kind="date", needed=False),
            Field(id="pinset", about="what it pins; else as the app", kind="one", needed=False, choices=_pinsets),
            Field(id="clients", about="how many have it, where known", kind="number", needed=False),
        ),
        make=_release,
    ),
    Form(
        id="add-event",
        key="e",
        about="put an event into the calendar or a scenario",
        fields=(
            Field(id="event", about="such as key-compromise:KEY or serve:HOST:CHAIN", choices=_events),
            Field(id="date", about="a day, or an instant such as 2026-11-27T17:30Z", kind="instant", needed=False),
            Field(
                id="scenario",
                about="a scenario, old or new; else the calendar",
                kind="name",
                needed=False,
                choices=_scenarios,
            ),
            Field(id="note", about="why", needed=False),
        ),
        make=_event,
    ),
)
"""Every kind of edit, in the order they are offered."""


def form_of(name: str) -> Form:
    """Find a form.

    Raises:
        UsageError: there is none of this name.
    """
    for form in FORMS:
        if form.id == name:
            return form
    raise UsageError(Problem("no such edit", value=name, hint=did_you_mean(name, [form.id for form in FORMS])))


def check(form: Form, picture: Picture, values: Values) -> list[Problem]:
    """Say what is wrong with answers, each under the id of its field."""
    problems = [
        Problem("not asked for", path=name, value=value, hint=did_you_mean(name, [f.id for f in form.fields]))
        for name, value in values.items()
        if name not in [field.id for field in form.fields]
    ]
    for field in form.fields:
        value = values.get(field.id, field.usual).strip()
        if not value:
            if field.needed:
                problems.append(Problem("is missing", path=field.id, expected=field.about))
            continue
        problems += _wrong(field, value, picture)
    return problems


def _wrong(field: Field, value: str, picture: Picture) -> list[Problem]:
    if field.kind == "name" and not _NAME.fullmatch(value):
        return [Problem("not a name", path=field.id, value=value, expected="letters, digits, . _ -")]
    if field.kind == "number" and not (value.isascii() and value.isdecimal() and 0 < int(value[:12]) < 10**11):
        return [Problem("not a number", path=field.id, value=value, expected="such as 90")]
    if field.kind in ("date", "instant") and not _is_moment(value, field.kind):
        return [Problem("not a date", path=field.id, value=value, expected="such as 2027-03-31")]
    if field.kind in ("one", "many") and field.choices is not None:
        known = field.choices(picture)
        asked = _list(value) if field.kind == "many" else [value]
        return [
            Problem("not known", path=field.id, value=one, hint=did_you_mean(one, known))
            for one in asked
            if one not in known
        ]
    return []


def _is_moment(value: str, kind: str) -> bool:
    try:
        if len(value) == 10:
            date.fromisoformat(value)
        elif kind == "instant":
            parse_instant(value)
        else:
            return False
    except (ValueError, InputError):
        return False
    return True


def _list(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def make(form: Form, picture: Picture, values: Values, now: datetime) -> Rotation:
    """Make the edit that the answers to a form mean.

    Raises:
        InputError: an answer cannot be used; with all that is wrong.
    """
    problems = check(form, picture, values)
    if problems:
        raise UsageError(problems)
    settled = {field.id: values.get(field.id, field.usual).strip() for field in form.fields}
    return form.make(picture, settled, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """A policy with an edit made: the edit, its bytes before and after, and the lines that differ."""

    rotation: Rotation
    before: bytes
    after: bytes
    difference: tuple[str, ...]


def edit(file: str, name: str, values: Values, now: datetime) -> Edited:
    """Work out what an edit does to a policy; nothing is written.

    Raises:
        InputError: the policy or an answer cannot be used.
    """
    before = read_bytes(file)
    picture = open_policy(file, now.date(), before.decode("utf-8-sig"))
    rotation = make(form_of(name), picture, values, now)
    after = edited(file, before, [rotation.change])
    open_policy(file, now.date(), after.decode("utf-8-sig"))
    return Edited(rotation=rotation, before=before, after=after, difference=tuple(difference(before, after, file)))


def write_edit(file: str, done: Edited) -> None:
    """Write an edit as it was shown.

    Raises:
        UnsafeError: it is refused.
        InputError: the policy changed since, or cannot be written.
    """
    done.rotation.refuse()
    with locked(file):
        keep_old(file, Path(file), done.before)
        write(Path(file), done.after, expected=done.before)


def difference(before: bytes, after: bytes, file: str, around: int = 1) -> list[str]:
    """Give the lines that differ, as `diff -u` shows them."""
    old, new = (data.decode("utf-8-sig").splitlines() for data in (before, after))
    return list(difflib.unified_diff(old, new, file, file, lineterm="", n=around))
