"""A planner that is killed at every single step it asks of the file system: each file is whole, no edit is lost."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from rotator.workflows import journal
from rotator.workflows import session as sessions
from rotator.workflows.opening import open_policy
from tests.desk import BASE, NOW, TODAY, Desk, app

TEXT = "# mine\n" + BASE + app("shop")
DRIVER = """
import os, shutil, signal, sys
from pathlib import Path
from rotator.model.edits import Change, SetValue
from rotator.model.when import parse_instant
from rotator.simulate.rotation import Rotation
from rotator.workflows import exporting, journal
from rotator.workflows import session as sessions

NOW = parse_instant("2026-11-23T09:00Z")
WRITING = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.link", "os.truncate")
base, copies = Path(sys.argv[1]), Path(sys.argv[2])
fsync = os.fsync


def work(folder, said):
    def say(word):
        os.write(said, (word + chr(10)).encode())

    session = sessions.start(str(folder / "policy.toml"), NOW)
    kept = journal.Journal(session.file, NOW)
    for number in (1, 2):
        edit = SetValue(("keys", "a", "custody"), f"safe-{number}")
        session = sessions.make(session, Rotation(change=Change(f"edit {number}", (edit,)), pinsets=()))
        kept.keep(session, NOW)
        say(f"kept-{number}")
    session = sessions.save(session)
    kept.keep(session, NOW)
    say("saved")
    asked = exporting.Asked(promote="b", into=(str(folder / "out"),))
    for _ in range(2):
        found = exporting.plan_export(session.file, session.picture, asked, NOW)
        exporting.write_export(session.file, found, NOW)
        say("exported")
        asked = exporting.Asked(promote="b", drop=("a",), into=(str(folder / "out"),))


def run(moment):
    folder = copies / str(moment)
    shutil.copytree(base, folder)
    (folder / "out").mkdir()
    said = os.open(copies / f"{moment}.said", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    count = 0

    def step():
        nonlocal count
        count += 1
        if count == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def heard(event, args):
        writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if event in WRITING or writes:
            step()

    def synced(handle):
        step()  # what was written may be there in part
        fsync(handle)
        step()

    child = os.fork()
    if not child:
        os.fsync = synced
        sys.addaudithook(heard)
        work(folder, said)
        os._exit(0)
    os.close(said)
    return os.waitpid(child, 0)[1]


moment = 1
while run(moment):
    moment += 1
print(moment)
"""


@dataclass(frozen=True)
class Killed:
    """What was left by one that was killed, and what it had confirmed."""

    folder: Path
    said: list[str]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> list[Killed]:
    """Run it to the end once for every moment, and kill it there; the last one ends by itself."""
    base, copies = tmp_path_factory.mktemp("base"), tmp_path_factory.mktemp("copies")
    Desk(base).policy(TEXT)
    asked = [sys.executable, "-c", DRIVER, str(base), str(copies)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    last = int(done.stdout)
    return [Killed(copies / str(n), (copies / f"{n}.said").read_text().split()) for n in range(1, last + 1)]


def test_there_are_moments_in_every_part_of_it(killed: list[Killed]) -> None:
    assert len(killed) > 40
    assert {len(own.said) for own in killed} == {0, 1, 2, 3, 4, 5}


def test_every_file_is_the_old_or_the_new_one(killed: list[Killed]) -> None:
    """What a policy or an exported file may hold is what it holds where nothing was killed in the middle of it."""
    whole: dict[str, set[bytes]] = {}
    ends = [own for own, after in zip(killed, [*killed[1:], killed[-1]], strict=True) if own.said != after.said]
    for own in (*ends, killed[-1]):
        for path in _files(own.folder):
            whole.setdefault(str(path.relative_to(own.folder)), set()).add(_read(path, own.folder))
    whole["policy.toml"].add(TEXT.encode())
    for own in killed:
        open_policy(str(own.folder / "policy.toml"), TODAY)
        for path in _files(own.folder):
            assert _read(path, own.folder) in whole[str(path.relative_to(own.folder))], (own.folder.name, path.name)


def test_no_confirmed_edit_is_lost(killed: list[Killed]) -> None:
    """It is in the policy, or it is offered again."""
    for own in killed:
        confirmed = "safe-2" if "kept-2" in own.said else "safe-1" if "kept-1" in own.said else ""
        fresh = sessions.start(str(own.folder / "policy.toml"), NOW + timedelta(minutes=1))
        left, problems = journal.left_behind(fresh)
        assert problems == []
        texts = [fresh.text, *(journal.restore(fresh, one).text for one in left)]
        assert any(confirmed in text.decode() or "safe-2" in text.decode() for text in texts), own
        if "saved" in own.said:
            assert b"safe-2" in fresh.text


def _files(folder: Path) -> list[Path]:
    """Give the policy and what was exported; what is half written bears a name of its own, with a dot before it."""
    return [p for p in (folder / "policy.toml", *(folder / "out").rglob("*")) if p.is_file() and p.name[0] != "."]


def _read(path: Path, folder: Path) -> bytes:
    return path.read_bytes().replace(str(folder).encode(), b"FOLDER")


def test_the_driver_goes_on_where_it_is_not_killed(killed: list[Killed]) -> None:
    assert killed[-1].said == ["kept-1", "kept-2", "saved", "exported", "exported"]
    shutil.rmtree(killed[-1].folder)
