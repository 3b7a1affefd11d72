"""Write the next pinsets for every platform, the updated policy and the report: first shown, then written."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from rotator.errors import InputError, Problem, UnsafeError, UsageError, printable
from rotator.files.policy_edit import apply
from rotator.files.policy_toml import read_bytes
from rotator.files.policy_write import inline
from rotator.files.store import current, digest, keep_old, locked, write
from rotator.mechanisms.base import Context, Mechanism, PinConfig, PinsetSpec
from rotator.mechanisms.custom import Custom
from rotator.mechanisms.registry import mechanism as known_mechanism
from rotator.model.edits import Change
from rotator.model.names import Cover, Reach
from rotator.report.document import Block, Bullets, Code, Document, Facts, Heading, Paragraph, Table, join
from rotator.simulate.inventory import Inventory
from rotator.simulate.pinsets import pinset_spec
from rotator.simulate.question import Picture
from rotator.simulate.rotation import Rotation, next_name, promote
from rotator.workflows import reports
from rotator.workflows.opening import open_policy, public_suffix


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


@dataclass(frozen=True, kw_only=True)
class Export:
    """Everything an export would do, as shown before it is done.

    Attributes:
        picture: the policy it starts from.
        title: what it is about.
        change: the edits to the policy; None where pinsets are written as they are.
        pinsets: the pinsets that are written.
        files: pinset files first, then the policy.
        notes: what a person should know before shipping.
        unsafe: why it is refused.
        override: the reason given for going on all the same.
        skipped: what is not written, and why.
    """

    picture: Picture
    title: str
    change: Change | None
    pinsets: tuple[str, ...]
    files: tuple[FileChange, ...]
    notes: tuple[str, ...] = ()
    unsafe: tuple[str, ...] = ()
    override: str = ""
    skipped: tuple[str, ...] = ()

    def refuse(self) -> None:
        """Refuse what is unsafe, unless a reason to go on was given.

        Raises:
            UnsafeError: with every reason.
        """
        if self.unsafe and not self.override:
            hint = "--override REASON goes on; the report keeps the reason"
            raise UnsafeError("refused: " + "; ".join(self.unsafe) + f"\n  hint: {hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to export.

    Attributes:
        promote: the backup to make primary.
        drop: keys to take out as compromised.
        into: folders to write into; the policy's own files where there are none.
        override: a written reason to go on against a refusal.
    """

    promote: str | None = None
    drop: tuple[str, ...] = ()
    into: tuple[str, ...] = ()
    override: str = ""


def plan_export(file: str, picture: Picture, asked: Asked, now: datetime) -> Export:
    """Work out what an export writes; nothing is written.

    Raises:
        UsageError: it cannot be understood.
        InputError: a file that exists cannot be changed in place.
    """
    if asked.drop and asked.promote is None:
        raise UsageError(Problem("nothing to promote", expected="--promote KEY beside --drop"))
    text = read_bytes(file)
    if asked.promote is None:
        return plan_changes(file, picture, picture, text, (), now, asked)
    rotation = promote(picture.inventory, asked.promote, today=now.date(), drop=asked.drop)
    text = edited(file, text, [rotation.change])
    after = open_policy(file, now.date(), text.decode("utf-8-sig"))
    return plan_changes(file, picture, after, text, (rotation,), now, asked)


def plan_changes(
    file: str,
    before: Picture,
    after: Picture,
    text: bytes,
    steps: Sequence[Rotation],
    now: datetime,
    asked: Asked,
) -> Export:
    """Work out what writing some edits means: the policy, and the pinsets that they touch.

    Args:
        file: the policy file.
        before: the policy as the file holds it.
        after: the policy with the edits made.
        text: the same as bytes.
        steps: the edits.
        now: the instant of the export.
        asked: the folders to write into, and the reason to go on against a refusal.

    Raises:
        InputError: a file that exists cannot be changed in place.
    """
    folders = [Path(folder) for folder in asked.into]
    writer = _Writer(file, after, folders, now)
    touched = [n for n, pinset in after.policy.pinsets.items() if pinset != before.policy.pinsets.get(n)]
    chosen = tuple(touched) if steps else _pinsets_in_use(after.inventory)
    files = [change for name in chosen for change in writer.pinset(name)]
    target = folders[0] / Path(file).name if folders else _home(file) / Path(file).name
    files.append(FileChange(path=target, what="the updated policy", home=_home(file), old=current(target), new=text))
    edits = tuple(edit for step in steps for edit in step.change.edits)
    title = ", ".join(step.change.title for step in steps) or "export of the pinsets in use"
    return Export(
        picture=before,
        title=title,
        change=Change(title, edits) if steps else None,
        pinsets=chosen,
        files=tuple({change.path: change for change in files}.values()),
        notes=tuple(dict.fromkeys((*(n for step in steps for n in step.notes), *writer.notes))),
        unsafe=tuple(dict.fromkeys((*(u for step in steps for u in step.unsafe), *writer.unsafe))),
        override=asked.override,
        skipped=tuple(writer.skipped),
    )


def _home(file: str) -> Path:
    return Path(os.path.dirname(os.path.abspath(file)))  # noqa: PTH100, PTH120 - links are not followed


def edited(file: str, data: bytes, changes: Sequence[Change]) -> bytes:
    """Give the bytes of a policy with some changes made, its own line endings and comments kept."""
    text = data.decode("utf-8-sig")
    return apply(text, [edit for change in changes for edit in change.edits], file).encode()


def _pinsets_in_use(inventory: Inventory) -> tuple[str, ...]:
    policy = inventory.policy
    used = [e.source for table in inventory.enforced.values() for e in table if not e.from_file and e.source]
    return tuple(dict.fromkeys([*(export.pinset for export in policy.exports), *used]))


class _Writer:
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

    def pinset(self, name: str) -> Iterator[FileChange]:
        """Give the files of one pinset: those of `[[exports]]`, and one for each other mechanism that uses it."""
        inventory = self.inventory
        spec = pinset_spec(inventory.policy, name, inventory.keys, inventory.authorities, inventory.chains)
        done: set[str] = set()
        for export in inventory.policy.exports:
            if export.pinset == name:
                for mechanism, path in export.files.items():
                    done.add(mechanism)
                    yield from self._file(name, spec, mechanism, self._place(path))
        for mechanism in self._users(name):
            if mechanism not in done:
                found = self._mechanism(mechanism)
                if found is not None and found.file_name:
                    home = self.folders[0] if self.folders else Path(self.file).resolve().parent / "pinsets"
                    yield from self._file(name, spec, mechanism, home / name / found.file_name)

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
        relative = os.path.relpath(path, os.path.dirname(os.path.abspath(self.file)))  # noqa: PTH100, PTH120
        parts = [part for part in Path(relative).parts if part not in ("..", os.sep)]
        inside = Path(*parts)
        return next((f / inside for f in self.folders if (f / inside).exists()), self.folders[0] / inside)

    def _file(self, name: str, spec: PinsetSpec, mechanism_name: str, path: Path) -> Iterator[FileChange]:
        mechanism = self._mechanism(mechanism_name)
        if mechanism is None:
            return
        config = mechanism.from_pinset(spec)
        context = Context(subject=str(path), today=self.now.date(), public_suffix=public_suffix)
        refused = mechanism.refuse(config, context)
        if refused:
            self.unsafe.append(f"{mechanism_name} refuses {name}: {refused}; its clients would not start or connect")
        if not config.pinned:
            self.skipped.append(f"{mechanism_name}: {name} holds nothing that it can pin")
            return
        old = current(path)
        new = mechanism.render(config) if not old else mechanism.edit(old, config, context)
        if not refused:
            self._verify(mechanism, config, new, context)
        yield FileChange(
            path=path,
            what=f"{mechanism_name} pins of {name}",
            home=_home(self.file),
            old=old,
            new=new,
            losses=tuple(mechanism.losses(spec)),
        )

    def _verify(self, mechanism: Mechanism, config: PinConfig, data: bytes, context: Context) -> None:
        """Read back what would be written, with the client's own rules, and compare what each name demands.

        Raises:
            InputError: the client would read something else.
        """
        found = mechanism.parse(data, context).config
        for name in (name for entry in config.pinned for cover in entry.covers for name in _tried(cover)):
            wanted = mechanism.rule(config, name)
            # What a file says of local roots is its own affair: a pinset says nothing of them.
            if replace(mechanism.rule(found, name), local_roots=wanted.local_roots) != wanted:
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


def write_export(file: str, export: Export, now: datetime) -> tuple[list[Path], reports.Report]:
    """Write exactly what was shown, and keep the report.

    Raises:
        UnsafeError: it is refused and no reason to go on was given.
        InputError: a file changed since it was shown, or cannot be written; files before it are written then.
    """
    export.refuse()
    report = report_of(export, now)
    written: list[Path] = []
    with locked(file):
        for change in export.files:
            if current(Path(os.path.realpath(change.path))) != change.old:
                raise InputError(Problem("changed since it was shown, so nothing was written", file=str(change.path)))
        for change in export.files:
            if change.changed:
                if change.old is not None:
                    keep_old(file, change.path, change.old)
                write(change.path, change.new, expected=change.old)
                written.append(change.path)
        reports.keep(file, report)
    return written, report


def report_of(export: Export, now: datetime) -> reports.Report:
    """Make the report of an export."""
    policy = {"name": export.picture.policy.name, "sha256": export.picture.digest}
    return reports.make("export", export.title, now, policy, to_document(export), to_json(export), export.override)


def to_json(export: Export) -> dict[str, object]:
    """Give an export as plain JSON values."""
    return {
        "schema": 1,
        "policy": {"name": export.picture.policy.name, "sha256": export.picture.digest},
        "change": export.title if export.change else None,
        "pinsets": list(export.pinsets),
        "files": [
            {
                "path": str(change.path),
                "what": change.what,
                "change": {"+": "new", "~": "changed", "=": "same"}[change.sign],
                "sha256": digest(change.new),
                "cannot_say": [{"id": name, "text": text} for name, text in change.losses],
            }
            for change in export.files
        ],
        "notes": list(export.notes),
        "unsafe": list(export.unsafe),
        "override": export.override or None,
        "skipped": list(export.skipped),
    }


def to_document(export: Export, *, diffs: bool = False) -> Document:
    """Write an export for people: what is refused first, then what changes, counts last."""
    blocks: list[Block] = []
    if export.override:
        blocks.append(Paragraph(f"OVERRIDE: {export.override}", strong=True))
    if export.unsafe:
        blocks += [Heading("unsafe"), Bullets(export.unsafe)]
    if export.notes:
        blocks += [Heading("before you ship"), Bullets(export.notes)]
    blocks += list(_pinset_changes(export))
    rows = tuple((change.sign, change.shown, change.what) for change in export.files)
    blocks += [Heading("files"), Table(("", "path", "what"), rows, wide="path")]
    losses = list(dict.fromkeys(text for change in export.files for _, text in change.losses))
    if losses or export.skipped:
        blocks += [Heading("what formats cannot say"), Bullets((*losses, *export.skipped))]
    if diffs:
        for change in export.files:
            if change.changed:
                blocks += [Heading(change.shown), Code(tuple(change.diff()))]
    counted = {sign: sum(1 for c in export.files if c.sign == sign) for sign in "+~="}
    blocks.append(Paragraph(f"{counted['+']} new, {counted['~']} changed, {counted['=']} unchanged.", strong=True))
    return Document(f"{export.picture.policy.name}: {export.title}", tuple(blocks))


def _pinset_changes(export: Export) -> Iterable[Block]:
    if export.change is None:
        return
    rows = []
    for edit in export.change.edits:
        value = getattr(edit, "value", None)
        shown = join([f"{k} = {inline(v)}" for k, v in value.items()], 9) if isinstance(value, dict) else inline(value)
        rows.append((edit.where, shown))
    yield Heading("changes to the policy")
    yield Facts(tuple(rows))
