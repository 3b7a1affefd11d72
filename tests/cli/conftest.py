"""The command line, run in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rotator.cli.main import main

ENVIRON = {"ROTATOR_TODAY": "2026-11-23T09:00:00Z"}


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit code, its result and its talk."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Read the result as JSON."""
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a function that runs a command in a folder of its own, on 2026-11-23 unless told otherwise."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str, environ: Mapping[str, str] | None = None) -> Ran:
        capsys.readouterr()
        code = main(words, ENVIRON if environ is None else environ)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return call
