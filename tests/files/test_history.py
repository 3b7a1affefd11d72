"""Recorded chains: dated PEM files, and JSON cases with the instant they were validated at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rotator.errors import InputError
from rotator.files.history import read_history
from rotator.simulate.backtest import Snapshot
from tests.minting import chain_pem, instant, intermediate, mint, pin, root

ROOT = root("root")
ICA = intermediate("ica", ROOT)
LEAF = mint("leaf", ICA, names=["*.example.com", "api.example.com"])
OTHER = mint("other", ICA, names=["api.example.com"])


def history(folder: Path, **files: bytes | str) -> tuple[Snapshot, ...]:
    """Write files, `__` as they are and `_dot_` for dots, and read them."""
    for name, data in files.items():
        path = folder / name.replace("_dot_", ".").replace("_dash_", "-")
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_history(str(folder))


def case(at: str = "2026-03-01T10:30:00Z", host: str | None = "API.example.com.", **more: object) -> dict[str, object]:
    """Write a case."""
    return {
        "validation_time": at,
        "expected_peer_name": {"kind": "DNS", "value": host} if host else None,
        "peer_certificate": LEAF.pem.decode(),
        "untrusted_intermediates": [ICA.pem.decode()],
        "trusted_certs": [ROOT.pem.decode()],
        **more,
    }


def test_a_dated_pem_file_is_a_snapshot(tmp_path: Path) -> None:
    (only,) = history(tmp_path, api_dot_example_dot_com__2026_dash_03_dash_01_dot_pem=chain_pem(LEAF, ICA))
    assert (only.host, only.at) == ("api.example.com", instant("2026-03-01"))
    assert [c.spki for c in only.sent] == [pin("leaf").digest, pin("ica").digest]
    assert only.sent[0].signer == pin("ica").digest
    assert only.roots == ()


def test_an_hour_in_the_name_counts_and_without_a_date_the_certificate_tells(tmp_path: Path) -> None:
    found = history(
        tmp_path,
        x_dot_test__2026_dash_03_dash_01T1030Z_dot_pem=LEAF.pem,
        undated_dot_pem=LEAF.pem,
    )
    assert {(s.host, s.at) for s in found} == {
        ("x.test", instant("2026-03-01T10:30:00")),
        ("api.example.com", instant("2026-10-01")),
    }


def test_a_case_tells_its_instant_its_host_and_its_roots(tmp_path: Path) -> None:
    (only,) = history(tmp_path, a_dot_json=json.dumps(case()))
    assert (only.host, only.at) == ("api.example.com", instant("2026-03-01T10:30:00"))
    assert len(only.sent) == 2
    assert [c.spki for c in only.roots] == [pin("root").digest]
    assert only.sent[1].signer == pin("root").digest


def test_cases_come_one_or_many_to_a_file_and_repeats_count_once(tmp_path: Path) -> None:
    many = {"version": 1, "testcases": [case(), case(), case("2026-04-01T00:00:00Z")]}
    found = history(tmp_path, a_dot_json=json.dumps(many), b_dot_json=json.dumps(case()))
    assert sorted(s.at.date().isoformat() for s in found) == ["2026-03-01", "2026-04-01"]


def test_folders_in_folders_are_read_and_other_files_are_not(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.json").write_text(json.dumps(case()))
    (tmp_path / "README.md").write_text("words")
    assert len(read_history(str(tmp_path))) == 1


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ("{", "is not JSON"),
        ("{}", "has no peer_certificate"),
        ('{"testcases": [1]}', "has no peer_certificate"),
        ('{"peer_certificate": "x"}', "holds no certificate"),
        (json.dumps(case("soon")), "not a date or an instant"),
    ],
)
def test_a_broken_file_is_told(tmp_path: Path, data: str, word: str) -> None:
    with pytest.raises(InputError, match=word) as caught:
        history(tmp_path, a_dot_json=data, good_dot_json=json.dumps(case()))
    assert caught.value.problems[0].file.endswith("a.json")


def test_all_broken_files_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        history(tmp_path, a_dot_json="{", b_dot_pem=b"words")
    assert len(caught.value.problems) == 2


def test_a_folder_without_records_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no record"):
        read_history(str(tmp_path))
    with pytest.raises(InputError, match="is not a folder"):
        read_history(str(tmp_path / "none"))


@pytest.mark.parametrize("name", ["untrusted_intermediates", "trusted_certs"])
@pytest.mark.parametrize("value", ["abc", 5, [5], {"a": 1}])
def test_a_list_of_something_else_is_an_error_and_no_outage(tmp_path: Path, name: str, value: object) -> None:
    with pytest.raises(InputError) as caught:
        history(tmp_path, one_dot_json=json.dumps({**case(), name: value}))
    assert caught.value.problems[0].path == name
