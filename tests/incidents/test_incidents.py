"""Each incident gives the verdict and the reason of history for every cohort, and `check` warns the week before."""

from __future__ import annotations

import tomllib
from datetime import timedelta

import pytest

from rotator.model.findings import Severity
from rotator.model.verdicts import Verdict
from tests.docs.sources import finding_ids
from tests.incidents.replays import HOME, Incident, Moment, Outcome, incidents

EACH = pytest.mark.parametrize("incident", incidents(), ids=lambda i: i.policy)
MOMENTS = pytest.mark.parametrize(
    ("incident", "moment"),
    [pytest.param(i, m, id=f"{i.policy}-{m.scenario}-{m.at:%Y-%m-%d}") for i in incidents() for m in i.moments],
)


def order(rows: list[Outcome]) -> list[Outcome]:
    return sorted(rows, key=lambda row: (row.who, row.host))


@MOMENTS
def test_every_cohort_sees_what_history_says(incident: Incident, moment: Moment) -> None:
    found = [Outcome.of(row) for row in incident.play(moment).impact.rows]
    assert order(found) == order(list(moment.rows))


@EACH
def test_nothing_is_broken_or_exposed_before_the_scenario(incident: Incident) -> None:
    """So that what breaks later is the incident's doing."""
    from rotator.model.when import start_of
    from rotator.workflows.simulating import Asked, simulate

    now = start_of(incident.week_before)
    rows = simulate(incident.picture(incident.week_before), Asked(), now).impact.rows
    assert rows
    assert not [row for row in rows if row.verdict.is_broken or row.verdict.is_exposed]


def test_nobody_who_pins_is_exposed_by_another_ca() -> None:
    """The second positive control, in numbers."""
    (incident,) = [i for i in incidents() if i.policy == "diginotar"]
    for moment in incident.moments:
        impact = incident.play(moment).impact
        assert impact.total(Verdict.EXPOSED, Verdict.LOST, app="browser-with-pins").high == 0
    assert [i.number for i in incidents() if i.control] == [7, 22]


@EACH
def test_check_warns_the_week_before(incident: Incident) -> None:
    findings = incident.findings()
    assert incident.warned or incident.control
    assert set(incident.warned) <= {finding.id for finding in findings} & set(finding_ids())
    assert all(f.severity is not Severity.INFO for f in findings if f.id in incident.warned)


@EACH
def test_the_week_before_is_before_everything(incident: Incident) -> None:
    rows = tomllib.loads(incident.file.read_text(encoding="utf-8"))["scenarios"]
    begin = min(str(row["date"])[:10] for name in rows for row in rows[name])
    assert incident.week_before + timedelta(days=5) <= min(m.at.date() for m in incident.moments)
    assert incident.week_before.isoformat() < begin


@EACH
def test_every_scenario_is_played_and_every_size_says_that_it_is_invented(incident: Incident) -> None:
    whole = tomllib.loads(incident.file.read_text(encoding="utf-8"))
    assert {moment.scenario for moment in incident.moments} == set(whole["scenarios"])
    for app in whole["apps"].values():
        assert app["counts"]["source"].startswith("invented")
        assert app["counts"]["basis"] == "assumed"


def test_every_policy_of_the_folder_is_an_incident() -> None:
    policies = {path.stem for path in HOME.glob("*.toml")} - {"expected"}
    assert {incident.policy for incident in incidents()} == policies


def test_the_incidents_are_those_of_the_list() -> None:
    assert [incident.number for incident in incidents()] == [1, 2, 4, 6, 7, 8, 10, 11, 13, 14, 16, 17, 19, 22]


def test_no_rule_exists_for_one_incident_alone() -> None:
    """A finding that warns of an incident is found in a policy of some other test as well, so it names no incident."""
    from pathlib import Path

    import rotator

    source = "\n".join(p.read_text(encoding="utf-8") for p in Path(rotator.__file__).parent.rglob("*.py"))
    for incident in incidents():
        assert incident.policy not in source
