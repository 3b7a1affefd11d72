"""Write the next pinsets for every platform, the updated policy and the report: first shown, then written."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from rotator.errors import InputError, Problem, UnsafeError, UsageError
from rotator.files import plans
from rotator.files.policy_toml import file_paths, read_bytes
from rotator.files.policy_write import inline
from rotator.files.store import current, digest, keep_old, locked, write
from rotator.model.edits import Change, SetValue
from rotator.model.names import some
from rotator.plan.inputs import changed, digests_of
from rotator.plan.values import Plan, Step
from rotator.report.document import Block, Bullets, Code, Document, Facts, Heading, Paragraph, Table
from rotator.simulate.inventory import Inventory
from rotator.simulate.question import Picture
from rotator.simulate.rotation import Rotation, carried, current_pinsets, name_in, promote
from rotator.workflows import reports
from rotator.workflows.changing import edited
from rotator.workflows.opening import open_policy
from rotator.workflows.pinset_files import FileChange, Writer, home_of, inside_of

POLICY = "the updated policy"
"""What the policy is among the files of an export."""


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
        plan: a plan that is kept, by its id or its file; "" for none.
        step: the number of its step that ships.
        drop: keys to take out as compromised.
        into: folders to write into; the policy's own files where there are none.
        override: a written reason to go on against a refusal.
    """

    promote: str | None = None
    plan: str = ""
    step: int | None = None
    drop: tuple[str, ...] = ()
    into: tuple[str, ...] = ()
    override: str = ""


def plan_export(file: str, picture: Picture, asked: Asked, now: datetime) -> Export:
    """Work out what an export writes; nothing is written.

    Raises:
        UsageError: it cannot be understood.
        InputError: a file that exists cannot be changed in place.
    """
    if asked.plan or asked.step is not None:
        return _planned_step(file, picture, asked, now)
    if asked.drop and asked.promote is None:
        raise UsageError(Problem("nothing to promote", expected="--promote KEY beside --drop"))
    text = read_bytes(file)
    if asked.promote is None:
        return plan_changes(file, picture, picture, text, (), now, asked)
    rotation = promote(picture.inventory, asked.promote, today=now.date(), drop=asked.drop)
    text = edited(file, text, [rotation.change])
    after = open_policy(file, now.date(), text.decode("utf-8-sig"))
    return plan_changes(file, picture, after, text, (rotation,), now, asked)


def _planned_step(file: str, picture: Picture, asked: Asked, now: datetime) -> Export:
    """Work out what writing the pinsets of a planned release means.

    Raises:
        UsageError: there is no such plan or step, or it ships nothing.
    """
    if asked.promote is not None or asked.drop:
        raise UsageError(
            Problem("a plan says itself what is promoted and dropped", expected="--plan FILE --step N alone")
        )
    if not asked.plan or asked.step is None:
        raise UsageError(Problem("a step of a plan is exported", expected="--plan FILE --step N"))
    stored = plans.one(file, asked.plan)
    step = next((own for own in stored.plan.steps if own.number == asked.step), None)
    ships = [own.number for own in stored.plan.steps if own.action in ("ship", "drop")]
    if step is None or step.number not in ships:
        known = ", ".join(map(str, ships)) or "none"
        raise UsageError(Problem("not a step that ships pins", value=str(asked.step), expected=f"one of: {known}"))
    if step.app not in picture.policy.apps:
        raise UsageError(Problem("the policy has no such app any more", value=step.app))
    title = f"step {step.number}: {step.title}"
    rotation = carried(
        picture.inventory,
        step.app,
        adds=step.adds,
        drops=step.drops,
        today=now.date(),
        title=title,
        names=step.names,
    )
    unsafe = list(rotation.unsafe)
    moved = changed(stored.plan.digests, digests_of(picture))
    if moved:
        have = "has" if len(moved) == 1 else "have"
        unsafe.append(f"{some(moved)} {have} changed since {stored.id} was made: plan again")
    if stored.plan.never and not stored.plan.accepted:
        unsafe.append(f"{stored.id} is NEVER: no safe way leads to its goal")
    unsafe += _before(picture, stored.plan, step, now.date())
    rotation = replace(rotation, unsafe=tuple(unsafe))
    text = edited(file, read_bytes(file), [rotation.change])
    after = open_policy(file, now.date(), text.decode("utf-8-sig"))
    return plan_changes(file, picture, after, text, (rotation,), now, asked)


def _before(picture: Picture, plan: Plan, step: Step, today: date) -> Iterator[str]:
    """Say which keys an earlier release of a plan brings that are in no pinset of the app yet: they would go again."""
    policy = picture.policy
    own = policy.apps[step.app]
    current = current_pinsets(policy, today)
    held = {key for name, p in policy.pinsets.items() if name in current and name_in(own, name) for key in p.keys}
    for other in plan.steps:
        if other.number < step.number and other.app == step.app and other.action == "ship":
            for key in other.adds:
                if key in policy.keys and key not in held | set(step.adds):
                    yield f"{key}, which step {other.number} ships, is in no pinset of {step.app}: export that first"


def plan_changes(
    file: str,
    before: Picture,
    after: Picture,
    text: bytes,
    steps: Sequence[Rotation],
    now: datetime,
    asked: Asked,
    base: bytes | None = None,
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
        base: what the policy file held when it was read, so that one that changed since is not written over.

    Raises:
        InputError: a file that exists cannot be changed in place.
    """
    folders = [Path(folder) for folder in asked.into]
    writer = Writer(file, after, folders, now)
    touched = [n for n, pinset in after.policy.pinsets.items() if pinset != before.policy.pinsets.get(n)]
    chosen = tuple(touched) if steps else _pinsets_in_use(after.inventory)
    chosen = chosen or tuple(dict.fromkeys(name for step in steps for name in step.pinsets))
    files = [change for name in chosen for change in writer.pinset(name)]
    target = folders[0] / Path(file).name if folders else home_of(file) / Path(file).name
    if folders:
        text = _moved(file, text, folders, {change.path for change in files})
    old = current(target) if folders or base is None else base
    files.append(FileChange(path=target, what=POLICY, home=home_of(file), old=old, new=text))
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
        skipped=tuple(dict.fromkeys(writer.skipped)),
    )


def _moved(file: str, text: bytes, folders: Sequence[Path], written: set[Path]) -> bytes:
    """Let a policy that is written into a folder name the files that it names where it is."""
    home, folder = home_of(file), folders[0]
    if os.path.realpath(folder) == os.path.realpath(home):
        return text
    edits = []
    for parts, old in file_paths(file, text).items():
        if old.startswith(("~", os.sep)):
            continue
        inside = inside_of(home / old, file)
        copies = [f / inside for f in folders if f / inside in written] if parts[0] == "exports" else []
        new = Path(os.path.relpath((copies or [home / old])[0], folder)).as_posix()
        if new != old:
            edits.append(SetValue(parts, new))
    return edited(file, text, [Change("paths", tuple(edits))])


def _pinsets_in_use(inventory: Inventory) -> tuple[str, ...]:
    policy = inventory.policy
    used = [e.source for table in inventory.enforced.values() for e in table if not e.from_file and e.source]
    return tuple(dict.fromkeys([*(export.pinset for export in policy.exports), *used]))


def left_out(export: Export, names: Iterable[str]) -> set[Path]:
    """Find the files of an export that a person names as they are shown, or by the end of that.

    Raises:
        UsageError: a name is that of none of them, or of several.
    """
    found: set[Path] = set()
    for name in names:
        fitting = [c for c in export.files if c.shown == name] or [c for c in export.files if c.shown.endswith(name)]
        if len(fitting) != 1:
            what = "several of the files end like this" if fitting else "is none of the files"
            raise UsageError(Problem(what, value=name, expected=", ".join(c.shown for c in export.files)))
        found.add(fitting[0].path)
    return found


def staged(export: Export, left_out: Collection[Path]) -> Export:
    """Give an export without some of its files; the report then tells that they were left out."""
    if not left_out:
        return export
    kept = tuple(change for change in export.files if change.path not in left_out)
    names = [change.shown for change in export.files if change.path in left_out and change.changed]
    skipped = tuple(f"{name}: left out by choice" for name in names)
    return replace(export, files=kept, skipped=(*export.skipped, *skipped))


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
        shown = some([f"{k} = {inline(v)}" for k, v in value.items()], 9) if isinstance(value, dict) else inline(value)
        rows.append((edit.where, shown))
    yield Heading("changes to the policy")
    yield Facts(tuple(rows))
