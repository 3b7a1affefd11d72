"""The update model against real histories of version shares: a fit to the first half forecasts the second."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from benchmarks.adoption import SERIES, read, results
from rotator.model.adoption import Curve
from tests.real.data import files, needs_data

TRUTH = Curve(fast=0.55, slow=0.4, fast_days=10, slow_days=90)


def months(count: int) -> list[tuple[date, dict[str, float]]]:
    """Make a history by a known curve: a release every quarter, counted in the middle of each month."""
    found = []
    for number in range(count):
        day = date(2020 + number // 12, number % 12 + 1, 15)
        out = [date(2020 + q // 4, q % 4 * 3 + 1, 1) for q in range(number // 3 + 1)]
        marks = [1.0, *(TRUTH.moved((day - one).days) for one in out[1:]), 0.0]
        found.append((day, {str(q + 1): marks[q] - marks[q + 1] for q in range(len(out))}))
    return found


def test_a_history_that_follows_the_model_is_forecast_better_than_by_carrying_on() -> None:
    curve, found = results("made", months(36))
    assert curve is not None
    assert curve.plateau == pytest.approx(0.95, abs=0.03)
    assert [one.months for one in found] == [1, 3, 6, 12]
    for one in found:
        assert one.won
        assert one.fitted < 2.5


def test_a_history_in_which_nobody_moves_is_lost_to_carrying_on_and_says_so() -> None:
    """Half of all went to the second release in the first half of the time, and stand still since."""
    moving = [(date(2020, m, 15), {"1": 1 - 0.08 * m, "2": 0.08 * m}) for m in range(1, 7)]
    still = [(date(2020, m, 15), {"1": 0.52, "2": 0.48}) for m in range(7, 13)]
    _, found = results("made", [*moving, *still])
    assert found
    assert not found[0].won
    assert found[0].naive == 0


def test_months_without_versions_are_left_out(tmp_path: Path) -> None:
    rows = [
        {"month": "2020-01", "share": {"0": 9.0}},
        {"month": "2020-02", "share": {"5.0-5.1": 1.0, "6": 2.0, "0": 0.1}},
    ]
    file = tmp_path / "history.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert read(file) == [(date(2020, 2, 15), {"5.0": 1.0, "6": 2.0})]


@needs_data
@pytest.mark.parametrize("series", ["ios_saf", "samsung"])
def test_real_histories_of_phones_are_forecast_better_than_by_carrying_on(series: str) -> None:
    (file,) = files("adoption", f"caniuse-ww__{series}__*.jsonl")
    _, found = results(SERIES[series], read(file))
    assert [one.months for one in found] == [1, 3, 6, 12]
    assert all(one.won for one in found)
