"""The files of pinsets: one for each mechanism that uses one, changed in place where it is there already."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from rotator.errors import InputError, Problem, printable
from rotator.files.store import current
from rotator.mechanisms.base import ConfigRejectedError, Context, Mechanism, PinConfig, PinsetSpec
from rotator.mechanisms.custom import Custom
from rotator.mechanisms.registry import KNOWN_IDS
from rotator.mechanisms.registry import mechanism as known_mechanism
from rotator.model.names import Cover, Reach
from rotator.model.rules import Mode
from rotator.simulate.pinsets import pinset_spec
from rotator.simulate.question import Picture
from rotator.simulate.rotation import next_name
from rotator.workflows.opening import reading


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One file to write.

    Attributes:
        path: where.
        what: what it is, in words.
        home: the folder of the policy.
        old: what it holds now; None where there is no file.
        new: what it will hold.
        losses: what its format cannot say: ids and sentences.
    """

    path: Path
    what: str
    home: Path
    old: bytes | None
    new: bytes
    losses: tuple[tuple[str, str], ...] = ()

    @property
    def shown(self) -> str:
        """Give the path as people read it: from the policy's folder, where it is inside."""
        return str(self.path.relative_to(self.home) if self.path.is_relative_to(self.home) else self.path)

    @property
    def changed(self) -> bool:
        """Say whether anything changes."""
        return self.old != self.new

    @property
    def sign(self) -> str:
        """Give `+` for a new file, `~` for a changed one, `=` for one that stays."""
        return "+" if self.old is None else "~" if self.changed else "="

    def diff(self) -> list[str]:
        """Give the lines of a unified diff; nothing in them can drive a terminal."""
        old = (self.old or b"").decode("utf-8", "replace").splitlines()
        new = self.new.decode("utf-8", "replace").splitlines()
        lines = difflib.unified_diff(old, new, f"a/{self.shown}", f"b/{self.shown}", lineterm="", n=2)
        return [printable(line.expandtabs(4)) for line in lines]


_COMMENT = re.compile(r"<!--|-->|^\s*(#|//)|\s#\s")
_LEAVES_NOTHING = (
    "needs-expiry",
    "no-key-pins",
    "no-certificate-pins",
    "leaf-only",
    "exact-names-only",
    "too-few-pins",
    "unknown-digest",
)
"""Losses that can leave nothing of a pinset."""
_STILL_TO_DO = ("unsigned", "from-a-service")
"""Losses that leave something to do before clients have the pins."""


class Writer:
    """Makes the files of pinsets."""

    def __init__(self, file: str, picture: Picture, folders: Sequence[Path], now: datetime) -> None:
        self.file = file
        self.picture = picture
        self.inventory = picture.inventory
        self.folders = folders
        self.now = now
        self.notes: list[str] = []
        self.unsafe: list[str] = []
        self.skipped: list[str] = []
        self.planned: dict[Path, FileChange] = {}
        self.checks: dict[Path, list[tuple[Mechanism, PinConfig, Context]]] = {}

    def pinset(self, name: str) -> Iterator[FileChange]:
        """Give the files of one pinset: those of `[[exports]]`, and one for each other mechanism that uses it."""
        inventory = self.inventory
        spec = pinset_spec(inventory.policy, name, inventory.keys, inventory.authorities, inventory.chains)
        done: set[str] = set()
        for export in inventory.policy.exports:
            if export.pinset == name:
                for mechanism, path in export.files.items():
                    done.add(mechanism)
                    yield from self._file(name, spec, mechanism, self._place(path), Path(path))
        users = [mechanism for mechanism in self._users(name) if mechanism not in done]
        for mechanism in users:
            found = self._mechanism(mechanism)
            if found is not None and (found.file_name or not found.ours_to_write):
                home = self.folders[0] if self.folders else Path(self.file).resolve().parent / "pinsets"
                place = home / name / ("" if self._is_first(mechanism, found, users) else mechanism)
                yield from self._file(name, spec, mechanism, place / found.file_name)
            elif found is not None and found.from_pinset(spec).pinned:
                self.skipped.append(f"{mechanism}: it has no file, so the pins of {name} go into its code")

    def _is_first(self, name: str, found: Mechanism, users: Sequence[str]) -> bool:
        """Say whether no other user of the pinset comes first and calls its file the same."""
        order = {known: place for place, known in enumerate(KNOWN_IDS)}
        alike = [
            user
            for user in users
            if (other := self._mechanism(user)) is not None and other.file_name == found.file_name
        ]
        return name == min(alike, key=lambda user: (order.get(user, len(order)), user))

    def _users(self, name: str) -> list[str]:
        """Give the mechanisms that use a pinset, or the one it came from."""
        policy = self.inventory.policy
        names = {name, *(old for old in policy.pinsets if old != name and self._successor(old) == name)}
        found: dict[str, None] = {}
        for app in policy.apps.values():
            rows = [(app.mechanism, app.pinset)]
            rows += [(r.mechanism or app.mechanism, app.pinset if r.pinset is None else r.pinset) for r in app.releases]
            for mechanisms, table in rows:
                found |= {m: None for m in mechanisms if table.get(m, table.get("")) in names}
        return list(found)

    def _successor(self, old: str) -> str:
        return next_name(old, set(self.picture.policy.pinsets) - {self._latest(old)})

    def _latest(self, old: str) -> str:
        taken = set(self.picture.policy.pinsets)
        return next((n for n in taken if n != old and next_name(old, taken - {n}) == n), old)

    def _mechanism(self, name: str) -> Mechanism | None:
        custom = self.inventory.policy.mechanisms.get(name)
        try:
            return Custom(name, custom) if custom else known_mechanism(name)
        except InputError as error:
            self.skipped.append(f"{name}: {error.problems[0].message}")
            return None

    def _place(self, path: str) -> Path:
        """Find where a file of `[[exports]]` goes: the folder that has it already, else the first one given."""
        if not self.folders:
            return Path(path)
        inside = inside_of(Path(path), self.file)
        return next((f / inside for f in self.folders if (f / inside).exists()), self.folders[0] / inside)

    def _file(
        self, name: str, spec: PinsetSpec, mechanism_name: str, path: Path, base: Path | None = None
    ) -> Iterator[FileChange]:
        """Give one file; `base` is the one it begins as where it is not there yet."""
        mechanism = self._mechanism(mechanism_name)
        if mechanism is None:
            return
        losses = tuple(mechanism.losses(spec))
        if not mechanism.ours_to_write:
            self.skipped.append(next(text for loss, text in losses if loss == "not-ours"))
            return
        config = mechanism.from_pinset(spec)
        if not any(entry.pins for entry in config.pinned):
            why = "; ".join(text for loss, text in losses if loss in _LEAVES_NOTHING)
            self.skipped.append(f"{mechanism_name}: {name} holds nothing that it can pin" + (f": {why}" if why else ""))
            return
        context = reading(str(path), self.now.date())
        refused = mechanism.refuse(config, context)
        if refused:
            self.unsafe.append(f"{mechanism_name} refuses {name}: {refused}; its clients would not start or connect")
        self.notes += [f"{name}: {text}" for loss, text in losses if loss in _STILL_TO_DO]
        old = current(path)
        before = self.planned.get(path)
        there = before.new if before is not None else old
        if there is None and base is not None:
            there = current(base)
        was = _parsed(mechanism, there, context) if there else None
        if was is not None:
            config = self._widened(config, was)
        new = mechanism.render(config) if not there else mechanism.edit(there, config, context)
        if was is not None:
            self._others(mechanism, config, spec, was, mechanism.parse(new, context).config, context.subject)
        if there:
            self._comments(path, there, new)
        if not refused:
            self._verify(mechanism, config, new, context)
            for check in self.checks.get(path, ()):
                self._verify(*check[:2], new, check[2])
            self.checks.setdefault(path, []).append((mechanism, config, context))
        what = f"{mechanism_name} pins of {name}"
        self.planned[path] = FileChange(
            path=path,
            what=what if before is None else f"{before.what}, {what}",
            home=home_of(self.file),
            old=old,
            new=new,
            losses=losses if before is None else tuple(dict.fromkeys((*before.losses, *losses))),
        )
        yield self.planned[path]

    @staticmethod
    def _widened(config: PinConfig, there: PinConfig) -> PinConfig:
        """Let names reach what they reach in the file already: a setting of the file, which pins do not change."""
        reaches: dict[str, list[Reach]] = {}
        for entry in there.entries:
            for cover in entry.covers:
                reaches.setdefault(cover.name, []).append(cover.reach)

        def wide(cover: Cover) -> Cover:
            found = reaches.get(cover.name, [cover.reach])
            if cover.reach in found:
                return cover
            wider = {Reach.EXACT: (Reach.ALL, Reach.ONE), Reach.ONE: (Reach.ALL,)}.get(cover.reach, ())
            return Cover(cover.name, next((reach for reach in wider if reach in found), cover.reach))

        entries = (
            replace(entry, covers=tuple(dict.fromkeys(wide(cover) for cover in entry.covers)))
            for entry in config.entries
        )
        return replace(config, entries=tuple(entries))

    def _others(
        self, mechanism: Mechanism, config: PinConfig, spec: PinsetSpec, before: PinConfig, after: PinConfig, file: str
    ) -> None:
        """See that names which the pinset does not cover keep what is demanded of them.

        Raises:
            InputError: something else would be demanded of one.
        """
        covers = [cover for entry in before.entries for cover in entry.covers]
        for name in dict.fromkeys(name for cover in covers for name in (cover.name, *_tried(cover))):
            if any(cover.matches(name) for cover in spec.covers) or not spec.covers:
                if mechanism.rule(before, name).mode is not mechanism.rule(after, name).mode:
                    self.notes.append(f"{file}: {name}: {_mode_note(mechanism.rule(after, name).mode)}")
                continue
            alone = PinConfig(entries=tuple(e for e in before.entries if any(c.name == name for c in e.covers)))
            was, now = (mechanism.rule(mechanism.own(side, alone), name) for side in (before, after))
            if was == now:
                continue
            reached = any(cover.matches(name) for entry in config.entries for cover in entry.covers)
            if not reached:
                raise InputError(
                    Problem(
                        f"something else would be demanded of {name}, which the pinset does not cover",
                        file=file,
                        hint="give the name an entry of its own in the file, or add it to covers of the pinset",
                    )
                )
            self.notes.append(f"{file}: {name} gets the same pins, since the file reaches it too")

    def _comments(self, path: Path, old: bytes, new: bytes) -> None:
        """Ask people to read the comments beside lines that change: they stay as they are."""
        lines, fresh = (data.decode("utf-8", "replace").splitlines() for data in (old, new))
        for tag, begin, end, _, _ in difflib.SequenceMatcher(a=lines, b=fresh, autojunk=False).get_opcodes():
            if tag in ("delete", "replace") and any(
                _COMMENT.search(line) for line in lines[max(0, begin - 1) : end + 1]
            ):
                self.notes.append(
                    f"{path}: comments stand beside pins that change, and stay as they are: read them again"
                )
                return

    def _verify(self, mechanism: Mechanism, config: PinConfig, data: bytes, context: Context) -> None:
        """Read back what would be written, with the client's own rules, and compare what each name demands.

        Raises:
            InputError: the client would read something else.
        """
        found = mechanism.parse(data, context).config
        for name in (name for entry in config.pinned for cover in entry.covers for name in _tried(cover)):
            if not mechanism.agrees(found, config, name):
                raise InputError(
                    Problem(
                        f"its client would demand something else of {name} than the pinset says",
                        file=context.subject,
                        hint="mend the entry of the file that covers this name, or take it out, then export again",
                    )
                )


def _tried(cover: Cover) -> tuple[str, ...]:
    """Give names that stand for all a cover reaches."""
    below = f"any-name-below.{cover.name}"
    return {Reach.EXACT: (cover.name,), Reach.ONLY_ONE: (below,)}.get(cover.reach, (cover.name, below))


def _parsed(mechanism: Mechanism, data: bytes, context: Context) -> PinConfig | None:
    """Read a file that is there; None where its client refuses it, so that nothing is lost by changing it."""
    try:
        return mechanism.parse(data, context).config
    except ConfigRejectedError:
        return None


def _mode_note(mode: Mode) -> str:
    return (
        "pins that only reported are enforced from now on" if mode is Mode.ENFORCE else "pins only report from now on"
    )


def inside_of(path: Path, file: str) -> Path:
    """Give where a file that a policy names goes inside another folder."""
    relative = Path(os.path.relpath(path, home_of(file)))
    return Path(*(part for part in relative.parts if part not in ("..", os.sep)))


def home_of(file: str) -> Path:
    """Give the folder of a policy file."""
    return Path(os.path.dirname(os.path.abspath(file)))  # noqa: PTH100, PTH120 - links are not followed
