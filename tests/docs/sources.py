"""Find in the source every finding that the code can give, so that none goes without its section."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SAMPLES = tuple(sorted((ROOT / "policies").glob("*.toml")))
KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAKERS = ("info", "warning", "error", "Finding")
PAIRS = "Iterator[tuple[str, str]]"
#: Ids that are put together at run time, with what stands in the gap.
GAPS = {"{}-pin-shipped": ("compromised", "lost", "destroyed"), "{}-key-served": ("lost", "destroyed")}


@cache
def finding_ids() -> dict[str, str]:
    """Give every finding id with the file it was found in."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "rotator").rglob("*.py")):
        for name in _ids(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(name, path.relative_to(ROOT).as_posix())
    return found


@cache
def severities() -> dict[str, set[str]]:
    """Give the severities of each finding, as far as the call that makes it names them; `check` warns of losses."""
    found: dict[str, set[str]] = {name: {"warning"} for name in loss_ids()}
    for path in sorted((ROOT / "rotator").rglob("*.py")):
        for makers, names in _made(ast.parse(path.read_text(encoding="utf-8"))):
            for name in names:
                found.setdefault(name, set()).update(makers & {"info", "warning", "error"})
    return found


@cache
def loss_ids() -> set[str]:
    """Give every id that a mechanism's `losses` can give; `check` makes a finding of each."""
    return {
        name
        for path in (ROOT / "rotator" / "mechanisms").rglob("*.py")
        for name in _losses(ast.parse(path.read_text(encoding="utf-8")))
    }


def sections(text: str, level: int = 2) -> dict[str, str]:
    """Split Markdown into its sections of one level, by title; backquotes around a title are dropped."""
    parts = re.split(rf"(?m)^{'#' * level} (.+)$", text)
    return {title.strip("` "): body for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def _ids(tree: ast.Module) -> Iterator[str]:
    for _, names in _made(tree):
        yield from names
    yield from _losses(tree)


def _made(tree: ast.Module) -> Iterator[tuple[set[str], list[str]]]:
    """Give the makers and the ids of each call that makes a finding; several where one is chosen."""
    makers = set(MAKERS) & {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "rotator.model.findings"
        for alias in node.names
    }
    chosen: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            chosen.setdefault(node.targets[0].id, []).append(node.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = set(_called(node.func))
            if called == {"make"}:
                called = {name for value in chosen.get("make", ()) for name in _called(value)} or {"warning"}
            given = [*(k.value for k in node.keywords if k.arg == "id"), *node.args][:1]
            if called & makers:
                of_name = [v for g in given if isinstance(g, ast.Name) for v in chosen.get(g.id, ())]
                yield called & makers, [text for value in (*given, *of_name) for text in _texts(value)]


def _called(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.IfExp):
        yield from _called(node.body)
        yield from _called(node.orelse)


def _losses(tree: ast.Module) -> Iterator[str]:
    """Give the ids of losses: of `losses`, and of what helps it, which yields pairs of texts as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.returns and ast.unparse(node.returns) == PAIRS:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Yield) and isinstance(inner.value, ast.Tuple):
                    yield from _texts(inner.value.elts[0])


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and KEBAB.fullmatch(node.value):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        form = "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
        for word in GAPS[form]:
            yield form.replace("{}", word)
