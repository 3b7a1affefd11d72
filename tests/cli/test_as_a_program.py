"""The program as people run it: a process of its own, with pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.desk import BASE, Desk, app


def rotator(folder: Path, *words: str, stdin: bytes = b"", **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Run the program."""
    return subprocess.run(
        [sys.executable, "-m", "rotator", *words],
        cwd=folder,
        env={**os.environ, "ROTATOR_TODAY": "2026-11-23T09:00:00Z", **environ},
        input=stdin,
        capture_output=True,
        check=False,
    )


def test_where_stdout_is_no_terminal_a_policy_gives_its_summary(desk: Desk) -> None:
    desk.policy(BASE + app("shop"))
    done = rotator(desk.folder, "policy.toml")
    assert done.returncode == 0
    assert done.stdout.startswith(b"Rotator ")
    assert done.stderr == b""


def test_a_question_and_its_exit_code(desk: Desk) -> None:
    desk.policy(BASE + app("shop"))
    done = rotator(desk.folder, "simulate", "policy.toml", "key-compromise:a", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["exposed"]["clients"] == 1000


def test_mistakes_end_with_2_and_a_refusal_with_3(desk: Desk) -> None:
    desk.policy(BASE + app("shop"))
    assert rotator(desk.folder, "check", "none.toml").returncode == 2
    assert rotator(desk.folder, "export", "policy.toml", "--promote", "b", "--drop", "b").returncode == 3
    assert rotator(desk.folder).returncode == 2
    assert b"usage: rotator" in rotator(desk.folder).stderr


def test_a_pasted_chain_comes_in_on_standard_input(desk: Desk) -> None:
    chain = (desk.folder / "a.pem").read_bytes()
    done = rotator(desk.folder, "new", "fresh.toml", "-", "--app", "shop=okhttp", stdin=b"CONNECTED\n" + chain)
    assert done.returncode == 0, done.stderr
    assert (desk.folder / "fresh-chain.pem").read_bytes().endswith(chain)
    assert rotator(desk.folder, "check", "fresh.toml").returncode in (0, 1)


def test_a_terminal_that_is_not_utf_8_gets_ascii(desk: Desk) -> None:
    desk.policy(BASE + app("shop"))
    done = rotator(desk.folder, "simulate", "policy.toml", "key-compromise:a", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.stdout.isascii()
    assert b"! EXPOSED" in done.stdout


def test_a_reader_that_goes_away_is_no_error(desk: Desk) -> None:
    desk.policy(BASE + app("shop"))
    command = f"{sys.executable} -m rotator check policy.toml --json | head -c 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=desk.folder,
        env={**os.environ, "ROTATOR_TODAY": "2026-11-23"},
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    assert b"Broken pipe" not in done.stderr


def test_there_is_no_traceback_on_odd_arguments(desk: Desk) -> None:
    desk.policy(BASE + app("shop"))
    for words in (
        ["simulate", "policy.toml", "\udcff"],
        ["import", "okhttp", "/"],
        ["check", "\n"],
        ["report", "show"],
    ):
        done = rotator(desk.folder, *words)
        assert done.returncode == 2, words
        assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_told_in_one_line(desk: Desk) -> None:
    desk.policy(BASE + app("shop"))
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sys.executable, "-m", "rotator", "simulate", "policy.toml", "key-compromise:a"],
            cwd=desk.folder,
            env={**os.environ, "ROTATOR_TODAY": "2026-11-23T09:00:00Z"},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"error: the output could not be written" in done.stderr
