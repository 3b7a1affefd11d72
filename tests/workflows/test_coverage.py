"""Who carries a key over the year ahead."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotator.model.progress import CancelledError, heard_by
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


class _Leaving:
    """Somebody who leaves when the second week is begun."""

    def step(self, done: int, of: int, what: str) -> None:  # noqa: ARG002 - as listeners are
        """Hear how far it is."""
        if what == "a week" and done == 1:
            raise CancelledError


def test_it_stops_where_nobody_waits_any_more(tmp_path: Path) -> None:
    picture = open_policy(copy_of("storefront.toml", tmp_path), NOW.date())
    with heard_by(_Leaving()), pytest.raises(CancelledError):
        coverage(picture, "api-2026", NOW)
