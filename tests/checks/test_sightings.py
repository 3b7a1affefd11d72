"""What was seen before is remembered by a check, as long as it counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotator.errors import InputError
from rotator.files.sightings import history_of
from rotator.model.findings import Finding
from tests.cli.conftest import Run, run
from tests.desk import BASE, Desk, app
from tests.minting import chain_pem, instant, intermediate, mint, root
from tests.repositories import Repository

__all__ = ["run"]
ICA = intermediate("ica", root("root"))
IDS = ("served-differs", "served-renewed", "refused-as-served", "key-not-reused", "stale-sighting")
TEXT = BASE + app("shop")


def sighting(desk: Desk, day: str, key: str, *, name: str = "api.example.com", more: str = "") -> Path:
    data = chain_pem(mint(key, ICA, names=[name]), ICA)
    return desk.file(f"policy.rotator/sightings/{name}__{day}{more}.pem", data)


def found(desk: Desk, text: str = TEXT, at: str = "2026-11-23T09:00:00") -> dict[str, Finding]:
    return {f.id: f for f in desk.check(text, instant(at)).findings if f.id in IDS}


def test_a_host_that_was_seen_to_serve_what_the_policy_says_gives_nothing(desk: Desk) -> None:
    sighting(desk, "2026-11-20", "a")
    assert found(desk) == {}


def test_a_chain_that_was_seen_and_is_not_in_the_policy_is_an_error_of_the_check(desk: Desk) -> None:
    """With whom it breaks, and from which day it is."""
    sighting(desk, "2026-11-01", "a")
    sighting(desk, "2026-11-20", "zebra")
    told = found(desk)
    assert set(told) == {"served-differs", "refused-as-served", "key-not-reused"}
    assert "(from the sighting of 2026-11-20)" in told["served-differs"].message
    assert "1,000 clients" in told["refused-as-served"].message
    assert str(told["key-not-reused"].severity) == "error"


def test_the_newest_sighting_counts(desk: Desk) -> None:
    sighting(desk, "2026-11-18", "zebra")
    sighting(desk, "2026-11-20", "a")
    assert found(desk) == {}


def test_two_chains_seen_at_once_are_both_looked_at(desk: Desk) -> None:
    sighting(desk, "2026-11-20", "a")
    sighting(desk, "2026-11-20", "b", more="__2")
    assert set(found(desk)) == {"served-differs"}


def test_a_sighting_counts_as_long_as_the_policy_says_and_then_its_age_is_told(desk: Desk) -> None:
    sighting(desk, "2026-11-01", "zebra")
    assert set(found(desk, at="2026-11-15T00:00:00")) == {"served-differs", "refused-as-served"}
    told = found(desk, at="2026-11-16T00:00:00")
    assert set(told) == {"stale-sighting"}
    assert "last seen on 2026-11-01, 15 days ago" in told["stale-sighting"].message
    longer = TEXT + "[limits]\nsighting_days = 40\n"
    assert set(found(desk, longer)) == {"served-differs", "refused-as-served"}


def test_a_later_day_that_somebody_wrote_outdates_what_was_seen(desk: Desk) -> None:
    sighting(desk, "2026-11-18", "zebra")
    for day, told in (("2026-11-19", False), ("2026-11-18", True)):
        text = TEXT.replace('serves = "a-chain"', f'serves = "a-chain"\nobserved = {day}')
        assert ("served-differs" in found(desk, text)) is told


def test_what_lies_ahead_was_not_seen_yet_and_other_hosts_are_not_ours(desk: Desk) -> None:
    sighting(desk, "2026-11-24", "zebra")
    sighting(desk, "2026-11-20", "zebra", name="other.example.org")
    assert found(desk) == {}


def test_a_record_is_read_again_when_a_file_of_it_changes(desk: Desk) -> None:
    assert found(desk) == {}
    sighting(desk, "2026-11-20", "zebra")
    assert "served-differs" in found(desk)
    (path,) = (desk.folder / "policy.rotator/sightings").iterdir()
    path.unlink()
    assert found(desk) == {}


def test_a_broken_record_is_named(desk: Desk) -> None:
    desk.file("policy.rotator/sightings/api.example.com__2026-11-20.pem", b"nothing")
    with pytest.raises(InputError, match=r"2026-11-20\.pem"):
        found(desk)
    assert history_of(str(desk.folder / "other.toml"), ()) == ()


def test_observe_and_check_agree(desk: Desk, run: Run) -> None:
    """What observe says of a pasted chain, check says until it is settled."""
    desk.policy(TEXT)
    assert run("observe", "policy.toml", "api=b.pem").code == 1
    checked = run("check", "policy.toml")
    assert (checked.code, "served-differs" in checked.out) == (1, True)


def test_a_review_judges_both_versions_by_what_was_seen(desk: Desk, run: Run) -> None:
    """A sighting is no change that a policy made: the same record stands for both."""
    repository = Repository(desk.folder / "repo")
    names = [path.name for path in desk.folder.iterdir() if path.is_file()]
    files = {name: (desk.folder / name).read_bytes() for name in names}
    repository.commit({**files, "policy.toml": TEXT}, "2026-11-01T00:00:00Z", "v1")
    policy = desk.folder / "repo/policy.toml"
    desk.file("repo/policy.rotator/sightings/api.example.com__2026-11-20.pem", (desk.folder / "c.pem").read_bytes())
    policy.write_text(TEXT.replace("[pinsets.p]", "# a word\n[pinsets.p]"))
    reviewed = run("review", str(policy), "--base", "v1", "--json")
    assert reviewed.code == 0, reviewed.out
    assert reviewed.json["findings"]["new"] == []
