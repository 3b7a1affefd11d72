"""Keymaps: the keys of each action, and a file of a person's own that changes them. What is wrong in it is named."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from textual.keys import Keys

from rotator.errors import InputError, Problem
from rotator.files.policy_toml import parse_toml, read_bytes
from rotator.model.names import did_you_mean
from rotator.tui.actions import EVERYWHERE, HELP, KNOBS, LIST, PANES, Action, everything, readable
from rotator.tui.look import SIGN_SETS, THEMES

KEYMAPS: Mapping[str, Mapping[str, str]] = {
    "default": {},
    "vim": {
        "list.page_up": "pageup,ctrl+b,ctrl+u",
        "list.page_down": "pagedown,ctrl+f,ctrl+d",
        "edit.undo": "u",
        "edit.redo": "ctrl+r",
        "pane.next": "tab,ctrl+w",
    },
}
"""What each keymap changes against the keys of the registry."""
_NAMED = {key.value for key in Keys if not key.value.startswith("<")}
_HELD = ("ctrl", "shift", "alt", "super")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a person has set.

    Attributes:
        keymap: the name of a keymap.
        keys: keys of one's own, by the id of the action.
        theme: the theme to begin with, "" for the usual one.
        signs: `auto`, `unicode` or `ascii`.
        mouse: whether the mouse is listened to.
        problems: what is wrong with the file; what was wrong is as if it had not been set.
    """

    keymap: str = "default"
    keys: Mapping[str, str] = field(default_factory=dict)
    theme: str = ""
    signs: str = "auto"
    mouse: bool = True
    problems: tuple[Problem, ...] = ()

    def with_keymap(self, name: str) -> Settings:
        """Give the settings with another keymap."""
        return replace(self, keymap=name)

    def all_keys(self, keymap: str = "") -> dict[str, str]:
        """Give the keys that differ from the registry, by the id of the action, as Textual names them."""
        changed = {**KEYMAPS[keymap or self.keymap], **self.keys}
        return {name: ",".join(_spelt(key) for key in keys.split(",")) for name, keys in changed.items()}


class KeyNames:
    """The keys of actions as people read them, in the keymap that is in use."""

    def __init__(self, changed: Mapping[str, str] | None = None) -> None:
        """Begin with the keys that differ from the registry."""
        self.changed = changed or {}

    def first(self, action: Action) -> str:
        """Give the first key of an action, "" where it has none."""
        keys = self.changed.get(action.id)
        return action.shown_key if keys is None else readable(keys.partition(",")[0])

    def every(self, action: Action) -> str:
        """Give all keys of an action."""
        keys = self.changed.get(action.id, action.keys)
        return " ".join(readable(key) for key in keys.split(",") if key)


def settings_file(environ: Mapping[str, str]) -> str:
    """Give the path of the file with a person's settings."""
    base = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME", ""), ".config")  # noqa: PTH118
    return os.path.join(base, "rotator", "planner.toml")  # noqa: PTH118 - a name, nothing is opened


def read_settings(file: str) -> Settings:
    """Read a person's settings; none where there is no file. A mistake never keeps the planner from opening."""
    if not os.path.exists(file):  # noqa: PTH110 - as a name
        return Settings()
    try:
        document = parse_toml(read_bytes(file), file)
    except InputError as error:
        return Settings(problems=tuple(error.problems))
    return _settings(document, file)


def _settings(document: Mapping[str, object], file: str) -> Settings:
    problems = [
        Problem("not a setting", file=file, path=name, hint=did_you_mean(name, _CHOICES.keys() | {"keys", "mouse"}))
        for name in document
        if name not in _CHOICES and name not in ("keys", "mouse")
    ]
    chosen: dict[str, str] = {}
    for name, choices in _CHOICES.items():
        value = document.get(name, choices[0])
        if value in choices:
            chosen[name] = str(value)
        else:
            problems.append(
                Problem("not known", file=file, path=name, value=value, expected=" or ".join(filter(None, choices)))
            )
    mouse = document.get("mouse", True)
    if not isinstance(mouse, bool):
        problems.append(Problem("not known", file=file, path="mouse", value=mouse, expected="true or false"))
    table = document.get("keys", {})
    keys: dict[str, str] = {}
    if isinstance(table, dict):
        keys, wrong = own_keys(table, file)
        problems += wrong
    else:
        problems.append(Problem("not a table", file=file, path="keys", value=table, expected="[keys]"))
    settings = Settings(**chosen, keys=keys, mouse=mouse is not False)  # type: ignore[arg-type]  # names of fields
    problems += clashes(settings.all_keys(), keys, file)
    return replace(settings, problems=tuple(problems))


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "keymap": tuple(KEYMAPS),
    "theme": ("", *(theme.name for theme in THEMES)),
    "signs": SIGN_SETS,
}


def own_keys(table: Mapping[str, object], file: str) -> tuple[dict[str, str], list[Problem]]:
    """Check keys of one's own: `"edit.undo" = "ctrl+z, u"`.

    Args:
        table: keys by the id of the action, as the file has them.
        file: its name, for messages.

    Returns:
        The keys that can be used, and what is wrong with the others.
    """
    known = {action.id for action in everything()}
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for name, keys in _flat(table):
        path = f"keys.{name}"
        if name not in known:
            hint = did_you_mean(name, known)
            problems.append(Problem("no action has this id", file=file, path=path, hint=hint))
        elif not isinstance(keys, str) or not keys.strip():
            expected = 'keys with commas between, such as "u, ctrl+z"'
            problems.append(Problem("not keys", file=file, path=path, value=keys, expected=expected))
        else:
            parts = [part.strip() for part in keys.split(",")]
            wrong = [part for part in parts if not _is_key(part)]
            problems += [
                Problem("not a key", file=file, path=path, value=part, expected="such as x, X, ?, f5, ctrl+x, pageup")
                for part in wrong
            ]
            if len(wrong) < len(parts):
                found[name] = ",".join(part for part in parts if part not in wrong)
    return found, problems


def _flat(table: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Give the rows of a table; `edit.undo` without quotes is a table in a table."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", keys) for inner, keys in value.items())
        else:
            yield name, value


def clashes(changed: Mapping[str, str], own: Iterable[str], file: str) -> list[Problem]:
    """Tell where two actions of one screen have the same key, one of them by a file of a person's own.

    Args:
        changed: keys that differ from the registry.
        own: the ids of actions whose keys a person set.
        file: the name of the file, for messages.
    """
    mine = set(own)
    told: dict[tuple[str, ...], Problem] = {}
    groups = [(place, (*actions, *PANES, *EVERYWHERE)) for place, actions in HELP.items()]
    for place, actions in [*groups, ("lists", LIST), ("knobs", KNOBS)]:
        by_key: dict[str, list[str]] = {}
        for action in actions:
            for key in changed.get(action.id, action.keys).split(","):
                by_key.setdefault(_spelt(key), []).append(action.id)
        for key, ids in by_key.items():
            if key and len(ids) > 1 and mine & set(ids):
                first = next(name for name in ids if name in mine)
                others = ", ".join(name for name in ids if name != first)
                problem = Problem(
                    f"{readable(key)} is the key of {others} too, on {place}",
                    file=file,
                    path=f"keys.{first}",
                    hint="give one of them another key",
                )
                told.setdefault((key, *ids), problem)
    return list(told.values())


def _spelt(key: str) -> str:
    """Write a key as Textual names it: `?` is `question_mark`."""
    key = key.strip()
    if len(key) == 1 and not key.isalnum():
        return unicodedata.name(key).lower().replace("-", "_").replace(" ", "_")
    return {"esc": "escape", "pgup": "pageup", "pgdn": "pagedown"}.get(key, key)


def _is_key(key: str) -> bool:
    if len(key) == 1:
        return key.isprintable() and key != " "
    name = _spelt(key)
    *held, last = name.split("+")
    known = _spelt(last) in _NAMED or len(last) == 1 or last in _CHARACTERS
    return name in _NAMED or (bool(last) and known and all(part in _HELD for part in held))


_CHARACTERS = {_spelt(chr(code)) for code in range(33, 127) if not chr(code).isalnum()}
