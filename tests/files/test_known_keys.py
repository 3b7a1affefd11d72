"""Names of keys out of PEM bundles and lists of the Common CA Database."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from rotator.errors import InputError
from rotator.files.known_keys import load_known
from rotator.model.pins import b64
from tests.minting import chain_pem, mint, pin, root, values
from tests.real.data import files

TOP = root("Top Root")
LEAF = mint("leaf.example", TOP)


def test_a_bundle_gives_each_certificate_s_name_and_whether_it_is_a_ca(tmp_path: Path) -> None:
    path = tmp_path / "bundle.pem"
    path.write_bytes(chain_pem(TOP, LEAF))
    found = {known.name: known for known in load_known(str(path))}
    own = dict(zip(("Top Root", "leaf.example"), values(TOP, LEAF), strict=True))
    assert set(found) == set(own)
    assert {name: known.spki for name, known in found.items()} == {name: c.spki for name, c in own.items()}
    assert (found["Top Root"].ca, found["leaf.example"].ca) == (True, False)


def test_a_list_with_certificates_gives_the_names_of_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "ccadb.csv"
    pem = TOP.pem.decode()
    path.write_text(f'"Certificate Name","X.509 Certificate (PEM)"\n"A root, of theirs","\'{pem}\'"\n"Empty",""\n')
    (known,) = load_known(str(path))
    assert (known.name, known.spki) == ("A root, of theirs", values(TOP)[0].spki)
    assert known.certificates


def test_a_list_with_digests_alone_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "spki.csv"
    digest = pin("theirs").digest
    path.write_text(
        f"Subject Key Identifier,SHA-256(Subject Public Key Info)\nAB:CD,{b64(digest)}\nno,{b64(digest)[:20]}\n"
    )
    (known,) = load_known(str(path))
    assert known.spki == digest
    assert "AB:CD" in known.name


@pytest.mark.parametrize("text", ["", "Certificate Name,PEM\n", "hello", "a,b\n1,2\n", "\x00\x1b[31m"])
def test_what_names_no_key_is_one_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "names"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_known(str(path))
    (problem,) = caught.value.problems
    assert problem.file == str(path)
    assert "Common CA Database" in (problem.expected or "")


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        load_known(str(tmp_path / "none.pem"))


@pytest.mark.parametrize("path", files("ca-hash-lists", "*.csv"), ids=lambda path: path.name)
def test_real_lists_are_read(path: Path) -> None:
    found = load_known(str(path))
    assert len(found) > 10
    assert all(len(known.spki) == 32 and known.name for known in found)
    assert base64.b64encode(found[0].spki)
