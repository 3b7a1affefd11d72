"""Starting up is quick: what a command does not need is not loaded. Seen in a fresh process each."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.desk import BASE, Desk, app

PROBE = """
import json, os, sys
from rotator.cli.main import main
sys.argv[1:] = json.loads(os.environ["WORDS"])
try:
    main(sys.argv[1:], os.environ)
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def loaded(folder: Path, *words: str) -> set[str]:
    """Give the modules that a command loads."""
    environ = {**os.environ, "WORDS": json.dumps(words), "ROTATOR_TODAY": "2026-11-23"}
    done = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("check", "policy.toml"),
        ("policy.toml",),
        ("simulate", "policy.toml", "key-loss:a"),
        ("export", "policy.toml"),
        ("import", "okhttp", "pins.json"),
        ("report", "list", "policy.toml"),
    ],
    ids=" ".join,
)
def test_no_command_loads_the_screens_or_numpy(desk: Desk, words: tuple[str, ...]) -> None:
    desk.policy(BASE + app("shop"))
    desk.file("pins.json", "{}")
    modules = loaded(desk.folder, *words)
    assert "rotator.cli.main" in modules
    assert not {"textual", "rich", "numpy", "rotator.tui"} & modules


def test_help_loads_nothing_that_reads_files(desk: Desk) -> None:
    modules = loaded(desk.folder, "--help")
    for heavy in ("cryptography", "certifi", "tomllib", "tomlrt", "rotator.simulate", "rotator.mechanisms", "socket"):
        assert heavy not in modules, heavy


def test_a_policy_without_certificates_is_checked_without_cryptography(desk: Desk) -> None:
    """Reading the kept digests of the bundle needs none."""
    desk.policy('schema = 1\n[authorities]\nx1 = { bundled = "ISRG Root X1" }\n')
    loaded(desk.folder, "check", "policy.toml")
    assert "cryptography" not in loaded(desk.folder, "check", "policy.toml")


@pytest.mark.parametrize(
    "module",
    ["rotator.model.policy", "rotator.mechanisms.registry", "rotator.simulate.question", "rotator.report.simulation"],
)
def test_the_core_is_pure(module: str) -> None:
    code = f"import {module}, sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(json.loads(done.stdout))
    assert not {"cryptography", "textual", "tomlrt", "tomli_w", "certifi", "publicsuffixlist", "socket"} & modules


def users_of(*modules: str) -> set[str]:
    """Give the files of the program that import any of some modules, at the top or later."""
    root = Path(__file__).resolve().parents[2] / "rotator"
    found = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if {name.partition(".")[0] for name in names} & set(modules):
                found.add(path.relative_to(root).as_posix())
    return found


def test_sockets_are_opened_in_one_place_and_programs_started_in_two_others() -> None:
    assert users_of("socket", "ssl", "http", "urllib", "asyncio") == {"files/handshake.py"}
    assert users_of("subprocess", "pty") == {"files/git.py", "files/editor.py"}


def test_numpy_is_used_by_the_fleet_engine_and_the_sampling_of_dates_alone() -> None:
    users = users_of("numpy")
    sampling = {name for name in users if name.startswith("plan/")}
    assert "plan/sampling.py" in sampling
    assert sampling <= {"plan/sampling.py", "plan/chance.py", "plan/ranges.py"}
    assert {name.rpartition("/")[0] for name in users - sampling} == {"simulate/engine"}


@pytest.mark.parametrize(("own", "said"), [(None, "240"), ("30", "30")])
def test_keys_do_not_wait_for_the_slow_clock_of_the_screen_unless_somebody_wants_it(own: str | None, said: str) -> None:
    code = "import rotator.tui.app; from textual import constants; print(constants.MAX_FPS)"
    environ = {name: value for name, value in os.environ.items() if name != "TEXTUAL_FPS"}
    environ |= {"TEXTUAL_FPS": own} if own else {}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == said
