"""Writing: whole or not at all, never over what changed meanwhile."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from rotator.errors import InputError
from rotator.files.store import current, digest, keep_old, locked, side_folder, write


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.toml"
    write(path, b"one", expected=None)
    assert path.read_bytes() == b"one"
    write(path, b"two", expected=b"one")
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["b.toml"]  # noqa: PTH208 - names only


@pytest.mark.parametrize("expected", [None, b"two"])
def test_a_file_that_changed_is_not_overwritten(tmp_path: Path, expected: bytes | None) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"three")
    with pytest.raises(InputError, match="changed since it was read"):
        write(path, b"new", expected=expected)
    assert path.read_bytes() == b"three"


def test_a_file_that_is_gone_is_not_brought_back(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="changed since it was read"):
        write(tmp_path / "x", b"new", expected=b"old")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("stage", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full) if stage == "fsync" else monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match="no space left on device"):
        write(path, b"new", expected=b"old")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(path, b"new", expected=b"old")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


def test_the_mode_of_a_file_stays_and_a_new_one_follows_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write(path, b"new", expected=b"old")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    old = os.umask(0o027)
    try:
        write(tmp_path / "y", b"new", expected=None)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "y").stat().st_mode) == 0o640


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to("real")
    write(link, b"new", expected=b"old")
    assert link.is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be written or read"):
        write(tmp_path / "file" / "x", b"new", expected=None)
    with pytest.raises(InputError, match="cannot be written or read: is a directory"):
        current(tmp_path)


def test_what_is_replaced_is_kept_once_by_its_digest(tmp_path: Path) -> None:
    policy = str(tmp_path / "shop.toml")
    for _ in range(2):
        kept = keep_old(policy, tmp_path / "pins.json", b"old")
    assert kept == tmp_path / "shop.rotator" / "replaced" / f"{digest(b'old')[:12]}-pins.json"
    assert kept.read_bytes() == b"old"


def test_the_side_folder_bears_the_name_of_the_policy() -> None:
    assert side_folder("a/shop.toml") == Path("a/shop.rotator")


def test_two_programs_do_not_write_at_once(tmp_path: Path) -> None:
    policy = str(tmp_path / "shop.toml")
    with locked(policy), pytest.raises(InputError, match="another Rotator is writing here"), locked(policy):
        raise AssertionError("both hold the lock")
    with locked(policy):
        pass


def test_a_lock_is_let_go_after_an_error(tmp_path: Path) -> None:
    policy = str(tmp_path / "shop.toml")
    with pytest.raises(ZeroDivisionError), locked(policy):
        raise ZeroDivisionError
    with locked(policy):
        pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "shop.rotator").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be written or read"), locked(str(tmp_path / "shop.toml")):
        pass
