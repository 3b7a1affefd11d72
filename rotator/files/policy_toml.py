"""Read a policy file and everything it includes into a `Policy`, or say everything that is wrong with it."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rotator.errors import InputError, Problem
from rotator.files.place import Place, SkipError
from rotator.files.policy_rules import cross_check
from rotator.files.policy_tables import POLICY, SCHEMA
from rotator.mechanisms.registry import KNOWN_IDS
from rotator.model.names import did_you_mean
from rotator.model.policy import ChainPlan, Policy

MAX_BYTES = 64 * 1024 * 1024
SHARED_TABLES = ("keys", "authorities", "chains", "hosts", "trust", "pki")
NAMED_TABLES = ("keys", "authorities", "chains", "hosts", "trust", "pinsets", "apps", "mechanisms")
Document = dict[str, Any]


def read_policy(path: str, data: bytes | None = None) -> tuple[Policy, bytes]:
    """Read a policy.

    Args:
        path: the file, as the user named it.
        data: what to read instead of what the file holds, as for edits not yet written.

    Returns:
        The policy, and the bytes of its main file.

    Raises:
        InputError: the file, or one it includes, cannot be used; with all problems found.
    """
    data = read_bytes(path) if data is None else data
    document = parse_toml(data, path)
    policy, problems = _build(document, path)
    if policy is not None:
        problems += cross_check(policy)
    if problems or policy is None:
        raise InputError(problems)
    return policy, data


def file_paths(path: str, data: bytes) -> dict[tuple[str | int, ...], str]:
    """Give every path that a policy's main file names, as it is written, by its keys and indices from the root.

    Args:
        path: the file, as the user named it.
        data: what it holds.
    """
    found: dict[tuple[str | int, ...], str] = {}
    _build(parse_toml(data, path), path, found)
    return found


def read_bytes(path: str, *, place: str = "", limit: int = MAX_BYTES) -> bytes:
    """Read a file whole, or say plainly why not.

    Raises:
        InputError: it is not there, not a file, not readable or larger than `limit` bytes.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(Problem(f"cannot be read: {reason.lower()}", file=path, path=place)) from None
    if len(data) > limit:
        raise InputError(Problem(f"is larger than {limit // 1024 // 1024} MB", file=path, path=place))
    return data


def parse_toml(data: bytes, path: str) -> Document:
    """Parse TOML.

    Raises:
        InputError: it is not TOML; with line and column.
    """
    try:
        return tomllib.loads(data.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(Problem(f"is not UTF-8 text (line {line})", file=path)) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            Problem(f"is not TOML: {_lower(str(error))}", file=path, hint=_toml_hint(data, error))
        ) from None
    except (RecursionError, ValueError) as error:
        raise InputError(Problem(f"is not TOML: {_lower(str(error))}", file=path)) from None


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _toml_hint(data: bytes, error: tomllib.TOMLDecodeError) -> str:
    match = re.search(r"line (\d+)", str(error))
    if match is None:
        return ""
    lines = data.decode("utf-8", "replace").splitlines()
    line = lines[int(match[1]) - 1].strip() if int(match[1]) <= len(lines) else ""
    return f"the line reads: {line}" if line else ""


def _build(
    document: Document, path: str, paths: dict[tuple[str | int, ...], str] | None = None
) -> tuple[Policy | None, list[Problem]]:
    """Read the tables of a document and its includes; everything that could be read is in the policy."""
    problems: list[Problem] = []
    schema = document.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        return None, [
            Problem(
                "is from a newer Rotator",
                file=path,
                path="schema",
                value=schema,
                expected=f"schema = {SCHEMA}",
                hint="install a newer version",
            )
        ]
    if "schema" not in document:
        problems.append(Problem("schema is missing", file=path, expected=f"schema = {SCHEMA}, the first line"))
    parts = [(document, path), *_included(document, path, problems)]
    known = _known_names(parts)
    chain_files: dict[str, str] = {}
    merged: dict[str, Any] = {}
    for part, name in reversed(parts):
        base = os.path.dirname(os.path.abspath(name))  # noqa: PTH100, PTH120 - links are not followed
        own = paths if part is document and paths is not None else {}
        place = Place(name, base, "", problems, known, chain_files, paths=own)
        for key, value in _read_part(part, place, included=part is not document).items():
            merged[key] = _merge(merged.get(key), value)
    merged.pop("include", None)
    chains = {**merged.get("chains", {}), **{n: ChainPlan(file=file) for n, file in chain_files.items()}}
    merged.setdefault("name", Path(path).stem)
    return Policy(**{**merged, "chains": chains, "file": path, "include": tuple(n for _, n in parts[1:])}), problems


def _read_part(part: Document, place: Place, *, included: bool) -> Document:
    """Read one file table by table, so that a bad table does not hide the others."""
    found: Document = {}
    for key, value in part.items():
        kind = POLICY.fields.get(key)
        inside = place.child(key)
        if kind is None:
            inside.report("unknown key", hint=did_you_mean(key, POLICY.fields))
        elif included and key not in (*SHARED_TABLES, "schema", "include", "name"):
            inside.report("an included file holds only what can be shared", expected=", ".join(SHARED_TABLES))
        elif not (included and key in ("schema", "name")):
            try:
                found[key] = kind.read(value, inside)
            except SkipError:
                continue
    return found


def _merge(old: Any, new: Any) -> Any:  # noqa: ANN401 - whatever the tables hold
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **new}
    if isinstance(old, tuple) and isinstance(new, tuple):
        return (*old, *new)
    return new


def _included(document: Document, path: str, problems: list[Problem]) -> list[tuple[Document, str]]:
    """Read the included files, depth first; names that clash and loops are problems."""
    found: list[tuple[Document, str]] = []
    seen = {os.path.realpath(path)}
    owner = {(table, name): path for table in NAMED_TABLES for name in _table(document, table)}
    waiting = [(target, path) for target in _targets(document)]
    while waiting:
        target, source = waiting.pop(0)
        file = os.path.normpath(os.path.join(os.path.dirname(source), target))  # noqa: PTH118, PTH120
        if os.path.realpath(file) in seen:
            continue
        seen.add(os.path.realpath(file))
        try:
            part = parse_toml(read_bytes(file), file)
        except InputError as error:
            problems.extend(error.problems)
            continue
        for table in NAMED_TABLES:
            for name in _table(part, table):
                other = owner.setdefault((table, name), file)
                if other != file:
                    problems.append(
                        Problem(
                            "this name is taken",
                            file=file,
                            path=f"{table}.{name}",
                            hint=f"it is also in {other}",
                        )
                    )
        found.append((part, file))
        waiting += [(nested, file) for nested in _targets(part)]
    return found


def _targets(document: Document) -> list[str]:
    include = document.get("include", [])
    return [t for t in (include if isinstance(include, list) else [include]) if isinstance(t, str)]


def _table(document: Document, name: str) -> Mapping[str, Any]:
    table = document.get(name)
    return table if isinstance(table, dict) else {}


def _known_names(parts: list[tuple[Document, str]]) -> dict[str, frozenset[str]]:
    known = {name: frozenset(key for part, _ in parts for key in _table(part, name)) for name in NAMED_TABLES}
    known["known mechanisms"] = frozenset(KNOWN_IDS)
    known["mechanisms"] = known["mechanisms"] | known["known mechanisms"]
    return known
