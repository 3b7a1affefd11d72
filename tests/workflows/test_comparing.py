"""Two reports side by side, a report at its days, and exports without some of their files."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from rotator.errors import UsageError
from rotator.report.text import render
from rotator.workflows import reports
from rotator.workflows.comparing import at_day, compare, days_of, turns_of
from rotator.workflows.exporting import Asked, left_out, plan_export, staged, to_document
from rotator.workflows.opening import open_policy
from rotator.workflows.whatif import WhatIf, answer, settle
from tests.tui.piloting import NOW, copy_of


def report_of(policy: str, state: WhatIf, *, days: int = 0) -> reports.Report:
    from rotator.report.simulation import to_document as said
    from rotator.report.simulation import to_json

    picture = open_policy(policy, NOW.date())
    found = answer(settle(state, picture), picture, NOW, NOW + timedelta(days=days) if days else None)
    return reports.make("simulate", "x", NOW, {"name": "s", "sha256": picture.digest}, said(found), to_json(found))


@pytest.fixture
def policy(tmp_path: Path) -> str:
    return copy_of("storefront.toml", tmp_path)


def test_totals_and_the_verdicts_that_differ_are_named(policy: str) -> None:
    one = report_of(policy, WhatIf(event="nothing"))
    two = report_of(policy, WhatIf(parts=("api-2025",)))
    text = render(compare(one, two), width=120)
    assert "the same, byte for byte" in text
    assert "+3,072,000" in text
    assert "shop-ios 12.1" in text
    assert "images" not in text, "nothing changes there"


def test_a_report_and_itself_do_not_differ(policy: str) -> None:
    one = report_of(policy, WhatIf())
    assert "Every cohort sees the same in both" in render(compare(one, one))


def test_days_are_those_of_the_answer_and_turns_those_on_which_it_changes(policy: str) -> None:
    report = report_of(policy, WhatIf(parts=("api-2025",), response="serve api-2026"), days=200)
    assert days_of(report)[0] == NOW.date()
    assert len(days_of(report)) > 180
    assert date(2027, 4, 12) in [day - timedelta(days=1) for day in turns_of(report)] + turns_of(report)
    assert "broken" in render(at_day(report, date(2027, 1, 1)))


def test_a_day_that_the_report_does_not_know_is_refused(policy: str) -> None:
    with pytest.raises(UsageError, match="says nothing of this day"):
        at_day(report_of(policy, WhatIf()), date(2027, 1, 1))


def test_a_file_that_is_left_out_stands_among_what_was_skipped(policy: str) -> None:
    export = plan_export(policy, open_policy(policy, NOW.date()), Asked(promote="api-2026", drop=("api-2025",)), NOW)
    one = staged(export, left_out(export, ["network_security_config.xml"]))
    assert not any(change.shown.endswith("network_security_config.xml") for change in one.files)
    assert "left out by choice" in render(to_document(one))
    with pytest.raises(UsageError, match="is none of the files"):
        left_out(export, ["nothing.xml"])
