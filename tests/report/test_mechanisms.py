"""Client technologies as they are listed, shown one by one and given to programs."""

from __future__ import annotations

import json

import pytest

from rotator.cli.main import main
from rotator.mechanisms.registry import KNOWN_IDS, mechanism
from rotator.report.mechanisms import AXES, axes, pairs


@pytest.mark.parametrize("name", KNOWN_IDS)
def test_the_axis_of_the_end_agrees_with_what_is_said_of_it(name: str) -> None:
    """Lists of browsers and headers end too, although no pinset says when."""
    said = dict(pairs(mechanism(name)))["end of pins"]
    end = axes(mechanism(name))["expiry"]
    assert (f"then {end}" in said) if end != "none" else "then " not in said


def test_every_technology_has_a_row_and_every_axis_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mechanisms", "--json"], {}) == 0
    rows = json.loads(capsys.readouterr().out)["mechanisms"]
    assert [row["id"] for row in rows] == list(KNOWN_IDS)
    assert all(list(row["axes"]) == list(AXES) and all(row["axes"].values()) for row in rows)


def test_one_technology_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mechanisms", "okhttp"], {}) == 0
    shown = capsys.readouterr().out
    assert "CertificatePinner" in shown
    assert "AXES" in shown
    assert "curl" not in shown


def test_a_technology_nobody_knows_is_unusable_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mechanisms", "okhtp"], {}) == 2
    streams = capsys.readouterr()
    assert not streams.out
    assert "okhttp" in streams.err
