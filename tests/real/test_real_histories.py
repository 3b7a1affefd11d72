"""Real apps over the years: every file they shipped becomes a release, and every pin can be asked about."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from rotator.mechanisms.android_nsc import MECHANISM as NSC
from rotator.model.pins import Pin, junk_reason
from rotator.model.verdicts import Reason, Verdict
from rotator.report.summary import render
from rotator.simulate.question import Picture
from rotator.workflows.checking import check
from rotator.workflows.creating import create
from rotator.workflows.inputs import read_input
from rotator.workflows.opening import open_policy
from rotator.workflows.summarizing import summarize
from tests.desk import ask
from tests.judging import CONTEXT
from tests.minting import instant
from tests.real.data import files, needs_data

pytestmark = needs_data
THREEMA = files("android-nsc", "threema-ch__*.xml")
GRAPHENE = files("android-nsc", "GrapheneOS__*.xml")
APPS = pytest.mark.parametrize("shipped", [THREEMA, GRAPHENE], ids=["Threema", "GrapheneOS"])
TODAY = date(2026, 11, 23)


def made(folder: Path, shipped: list[Path]) -> Picture:
    """Make a policy of everything an app shipped."""
    target = str(folder / "app.toml")
    create(target, [read_input(f"app={path}", None) for path in shipped], TODAY)
    return open_policy(target, TODAY)


def pins_of(shipped: list[Path]) -> set[Pin]:
    """Give every pin of every file."""
    configs = [NSC.parse(path.read_bytes(), CONTEXT).config for path in shipped]
    return {pin for config in configs for entry in config.pinned for pin in entry.pins}


def test_there_are_eleven_and_eight() -> None:
    assert (len(THREEMA), len(GRAPHENE)) == (11, 8)


@APPS
def test_each_file_is_a_release_of_its_day_newest_first(tmp_path: Path, shipped: list[Path]) -> None:
    app = made(tmp_path, shipped).policy.apps["app"]
    days = [release.released for release in app.releases]
    assert len(app.releases) == len(shipped)
    assert days == sorted(days, key=lambda day: day or date.min, reverse=True)
    assert len({release.version for release in app.releases}) == len(shipped)


@APPS
def test_every_pin_has_a_name(tmp_path: Path, shipped: list[Path]) -> None:
    picture = made(tmp_path, shipped)
    named = set(picture.inventory.labels)
    assert {pin for pin in pins_of(shipped) if junk_reason(pin.digest) is None} <= named


@APPS
def test_every_pin_answers_what_its_theft_does(tmp_path: Path, shipped: list[Path]) -> None:
    """While no pin has ended: whoever carries the key accepts the thief, everybody else does not."""
    picture = made(tmp_path, shipped)
    for name, facts in picture.inventory.keys.items():
        answer = ask(picture, f"key-compromise:{name}?certified=yes@2026-11-23", at="2026-11-24")
        for row in answer.impact.rows:
            rules = [rule for own in row.connection.rules.values() for rule in own]
            ended = all(r.expiry is not None and r.expiry.last <= instant("2026-11-24") for r in rules if r.clauses)
            carries = any(facts.pin in rule.pins for rule in rules)
            unpinned = not any(rule.clauses for rule in rules)
            if row.attacker is not None and row.attacker_reason is not Reason.NAME_MISMATCH:
                assert row.verdict.is_exposed == (carries or ended or unpinned), (name, row.connection.cohort.name)


@APPS
def test_every_host_answers_what_a_renewal_does(tmp_path: Path, shipped: list[Path]) -> None:
    picture = made(tmp_path, shipped)
    for host in picture.policy.hosts:
        same = ask(picture, f"renew:{host}:same-key")
        fresh = ask(picture, f"renew:{host}:new-key")
        today = {id(row.connection.cohort): row for row in ask(picture).impact.rows if row.connection.host == host}
        assert today
        verdicts = [
            [row.verdict for row in answer.impact.rows if row.connection.host == host] for answer in (same, fresh)
        ]
        broken_same, broken_fresh = ([v.is_broken for v in found].count(True) for found in verdicts)
        assert broken_same <= broken_fresh
        for row in fresh.impact.rows:
            if row.connection.host == host and row.verdict is Verdict.BREAKS:
                assert row.reason is Reason.PIN_MISMATCH


@APPS
def test_the_page_and_the_checks_take_them(tmp_path: Path, shipped: list[Path]) -> None:
    picture = made(tmp_path, shipped)
    now = instant("2026-11-23T09:00:00")
    assert check(picture, now).findings
    page = render(summarize(picture, now, "app.toml"))
    assert max(map(len, page.splitlines())) <= 80
    assert len(page.splitlines()) < 50


def test_the_pins_of_grapheneos_have_all_ended(tmp_path: Path) -> None:
    """Its updater renews the date in every release; these eight are of 2023 and 2024."""
    picture = made(tmp_path, GRAPHENE)
    answer = ask(picture)
    assert {row.reason for row in answer.impact.rows} == {Reason.PINS_EXPIRED}
    assert {row.verdict for row in answer.impact.rows} == {Verdict.UNPINNED}
    then = ask(picture, at="2023-06-15")
    assert any(row.pin_in_force for row in then.impact.rows)
