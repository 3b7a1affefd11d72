"""The real program in a real terminal, from opening to written export; killed and resized on the way."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import pytest

from tests.tui.piloting import copy_of
from tests.tui.terminal import planner

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")


@pytest.fixture
def policy(tmp_path: Path) -> str:
    """Give a copy of the sample policy."""
    return copy_of("storefront.toml", tmp_path)


def test_from_opening_to_the_written_export(policy: str) -> None:
    nsc = Path(policy).parent / "storefront" / "android" / "network_security_config.xml"
    before = nsc.read_bytes()
    with planner(policy) as terminal:
        terminal.wait_for("IF IT HAPPENED", "? keys")
        terminal.send("2")
        terminal.wait_for("key-compromise", "ends no exposure")
        terminal.send("down", "down", "down", "down", "right")
        terminal.wait_for("serve api-2026", "BREAKS 211-221 k")
        terminal.send("p")
        terminal.wait_for("storefront.toml *")
        terminal.send("4")
        terminal.wait_for("promote api-2026, drop api-2025", "network_security_config")
        terminal.send("w")
        terminal.wait_for("Write 3 files?")
        terminal.send("y")
        terminal.wait_for("3 files written")
        terminal.send("q")
        assert terminal.ended() == 0
    assert nsc.read_bytes() != before
    assert 'status = "compromised"' in Path(policy).read_text()
    assert not (Path(policy).parent / "storefront.rotator" / "unsaved").exists()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_edits_come_back_after_a_crash_and_a_cut_line(policy: str, how: signal.Signals) -> None:
    before = Path(policy).read_bytes()
    with planner(policy) as terminal:
        terminal.wait_for("? keys")
        terminal.send("a")
        terminal.wait_for("mark a key as destroyed")
        terminal.send("x")
        terminal.wait_for("ctrl+s: make it")
        terminal.send("right", "enter", "enter")
        terminal.wait_for("storefront.toml *")
        terminal.process.send_signal(how)
        terminal.ended()
    assert Path(policy).read_bytes() == before
    [kept] = (Path(policy).parent / "storefront.rotator" / "unsaved").glob("*.json")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with planner(policy) as terminal:
        terminal.wait_for("Edits were left behind", "mark api-2026 destroyed")
        terminal.send("r")
        terminal.wait_for("storefront.toml *", gone="left behind")
        terminal.send("s")
        terminal.wait_for("saved; what the file held", gone="storefront.toml *")
        terminal.send("q")
        assert terminal.ended() == 0
    assert "since = 2026-11-23" in Path(policy).read_text()


def test_the_terminal_is_resized_while_it_runs_and_an_editor_is_opened(policy: str, tmp_path: Path) -> None:
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\nprintf "# by hand\\n" >> "$1"\n')
    editor.chmod(0o700)
    with planner(policy, EDITOR=str(editor), VISUAL="") as terminal:
        terminal.wait_for("? keys")
        for size in ((60, 15), (160, 48), (30, 8), (80, 24)):
            terminal.resize(*size)
            terminal.send("1")
            terminal.wait_for("PINSETS")
            terminal.send("2")
            terminal.wait_for("key-compromise", gone="PINSETS")
        terminal.send("e")
        terminal.wait_for("storefront.toml *")
        terminal.send("s")
        terminal.wait_for("saved", gone="storefront.toml *")
        terminal.send("q")
        assert terminal.ended() == 0
    assert Path(policy).read_text().endswith("# by hand\n")


@pytest.mark.parametrize("variable", ["", "1"])
def test_under_no_color_nothing_but_greys_is_sent(policy: str, variable: str) -> None:
    """Set but empty is as not set, as no-color.org has it."""
    with planner(policy, NO_COLOR=variable) as terminal:
        terminal.wait_for("? keys")
        terminal.send("2")
        terminal.wait_for("key-compromise")
        terminal.send("q")
        assert terminal.ended() == 0
    triplets = [[int(part) for part in colour.split(";")[2:]] for colour in terminal.colours]
    assert all(len(triplet) == 3 for triplet in triplets)
    grey = all(max(triplet) - min(triplet) <= 4 for triplet in triplets)
    assert grey is bool(variable)


def test_a_policy_that_cannot_be_used_is_an_error_and_no_screen(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text("schema = 1\nkeyz = 3\n")
    with planner(str(file)) as terminal:
        assert terminal.ended() == 2
        terminal.read()
        assert "did you mean keys?" in terminal.text()
