"""The Mozilla bundle, and its digests kept between runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotator.files import roots
from tests.minting import chain_pem, mint, root

LABELLED = b'# Label: "Old Name"\n' + root("New Name").pem + b"\n# Label: other\n" + root("other").pem


def test_roots_are_known_by_common_name_and_by_label(tmp_path: Path) -> None:
    found, names = roots.bundle(LABELLED, None)
    assert [r.label for r in found] == ["New Name", "other"]
    assert set(names) == {"Old Name", "New Name", "other"}
    assert names["Old Name"] == names["New Name"]
    assert all(r.self_signed for r in found)
    assert list(tmp_path.iterdir()) == []


def test_what_was_kept_is_the_same_as_what_was_read(tmp_path: Path) -> None:
    first, _ = roots.bundle(LABELLED, tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    again, _ = roots.bundle(LABELLED, tmp_path / "cache")
    assert [repr(r) for r in again] == [repr(r) for r in first]
    assert str(roots.FORMAT) in kept.name


def test_another_bundle_is_kept_apart(tmp_path: Path) -> None:
    roots.bundle(LABELLED, tmp_path)
    roots.bundle(LABELLED + mint("third", ca=True).pem, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"{", b"[{}]", b"[1]", b'{"a": 1}'])
def test_a_damaged_cache_costs_time_only(tmp_path: Path, damage: bytes) -> None:
    first, _ = roots.bundle(LABELLED, tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(damage)
    again, _ = roots.bundle(LABELLED, tmp_path)
    assert again == first


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert len(roots.bundle(LABELLED, tmp_path / "file")[0]) == 2


def test_roots_that_cannot_be_read_are_left_out() -> None:
    broken = root("bad").pem.replace(b"MII", b"MIJ", 1)
    assert [r.label for r in roots.bundle(broken + chain_pem(root("good")), None)[0]] == ["good"]


def test_the_real_bundle_has_the_roots_people_name() -> None:
    found, names = roots.mozilla_bundle()
    assert len(found) > 100
    assert names["ISRG Root X1"].self_signed
    assert roots.load_roots([names["ISRG Root X1"]])[0].value == names["ISRG Root X1"]
    assert roots.load_roots([]) == []


@pytest.mark.parametrize(
    ("value", "end"), [("/var/x", "/var/x/rotator"), ("", ".cache/rotator"), ("rel", ".cache/rotator")]
)
def test_the_cache_lies_where_the_system_says(monkeypatch: pytest.MonkeyPatch, value: str, end: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert roots.cache_folder().as_posix().endswith(end)
