"""Who carries a key over the year ahead."""

from __future__ import annotations

from pathlib import Path

from rotator.report.text import render
from rotator.workflows.coverage import WEEKS, coverage, to_document
from rotator.workflows.opening import open_policy
from tests.tui.piloting import NOW, copy_of


def test_people_who_update_come_to_carry_the_backup(tmp_path: Path) -> None:
    found = coverage(open_policy(copy_of("storefront.toml", tmp_path), NOW.date()), "api-2026", NOW)
    shares = [share for share in found.shares if share is not None]
    assert len(shares) == WEEKS
    assert shares[0] < shares[-1] <= 1
    text = render(to_document(found, ascii_only=True))
    assert "assumed" in text, "its speeds of update are presets"
    assert "23Nov" in text


def test_it_stops_where_nobody_waits_any_more(tmp_path: Path) -> None:
    left = iter([True, True, False])
    picture = open_policy(copy_of("storefront.toml", tmp_path), NOW.date())
    assert len(coverage(picture, "api-2026", NOW, lambda: next(left)).shares) == 2
