"""Plans, kept beside the policy: each in a file of its own that is never rewritten."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from rotator.errors import InputError, Problem, UsageError
from rotator.files.store import current, side_folder, write
from rotator.plan.stored import from_json, to_json
from rotator.plan.values import Plan

FOLDER = "plans"


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A plan that is kept.

    Attributes:
        id: the name of its file: the day, the goal, and the start of its digest.
        path: its file.
        digest: the SHA-256 of that file as hex.
        plan: what it says.
    """

    id: str
    path: Path
    digest: str
    plan: Plan


def folder_of(policy: str) -> Path:
    """Give the folder of a policy's plans."""
    return side_folder(policy) / FOLDER


def keep(policy: str, plan: Plan) -> Stored:
    """Keep a plan, whole or not at all; the same one is kept once.

    Raises:
        InputError: it cannot be written.
    """
    data = json.dumps(to_json(plan), indent=1, ensure_ascii=False).encode() + b"\n"
    digest = hashlib.sha256(data).hexdigest()
    slug = re.sub(r"[^a-z0-9]+", "-", plan.goal.text.lower()).strip("-")[:48].strip("-")
    name = "-".join(part for part in (f"{plan.made:%Y-%m-%d}", slug, digest[:8]) if part)
    path = folder_of(policy) / f"{name}.json"
    if current(path) != data:
        write(path, data, expected=None)
    return Stored(id=name, path=path, digest=digest, plan=plan)


def read(path: Path) -> Stored:
    """Read a plan.

    Raises:
        InputError: there is none, or the file is damaged.
    """
    data = current(path)
    if data is None:
        raise InputError(Problem("there is no such plan", file=str(path), hint="rotator plan POLICY --write keeps one"))
    try:
        plan = from_json(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise InputError(Problem(f"is not a plan: {error}", file=str(path))) from None
    return Stored(id=path.stem, path=path, digest=hashlib.sha256(data).hexdigest(), plan=plan)


def all_plans(policy: str) -> list[Stored]:
    """Give every plan of a policy, the newest first.

    Raises:
        InputError: a file among them is damaged.
    """
    folder = folder_of(policy)
    paths = sorted(path for path in folder.glob("*.json")) if folder.is_dir() else []
    found = [read(path) for path in paths]
    return sorted(found, key=lambda stored: (stored.plan.made, stored.id), reverse=True)


def one(policy: str, name: str = "") -> Stored:
    """Give a plan by its file, its id or the start of that; the newest where none is named.

    Raises:
        UsageError: there is none, or several begin like this.
        InputError: a file is damaged.
    """
    if name and (name.endswith(".json") or "/" in name):
        return read(Path(name))
    plans = all_plans(policy)
    if not plans:
        raise UsageError(Problem("no plan is kept for this policy", hint="rotator plan POLICY ... --write keeps one"))
    if not name:
        return plans[0]
    close = [stored for stored in plans if stored.id == name] or [s for s in plans if s.id.startswith(name)]
    if len(close) != 1:
        known = ", ".join(stored.id for stored in (close or plans))
        word = "several plans begin like this" if close else "no plan has this id"
        raise UsageError(Problem(word, value=name, expected=known))
    return close[0]
