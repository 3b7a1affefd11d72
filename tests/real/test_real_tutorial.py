"""The tutorial on real histories: what Threema, GOV.UK and GrapheneOS shipped, a handshake, and counts, by commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rotator.files.policy_toml import read_policy
from tests.cli.conftest import Run, run
from tests.files.counts.making import play_bulk, session, sessions
from tests.minting import chain_pem, intermediate, mint, root
from tests.real.data import files, needs_data
from tests.repositories import Repository

__all__ = ["run"]
pytestmark = needs_data
ICA = intermediate("ica", root("root"))
DAY = "2026-11-19"
NSC = "app/src/main/res/xml/network_security_config.xml"
PLIST = "App/Info.plist"
APPS = {
    "Threema": {"android": (NSC, files("android-nsc", "threema-ch__*app-main-*.xml"))},
    "GOV.UK": {
        "android": (NSC, files("android-nsc", "govuk-one-login__*app-production-*.xml")),
        "ios": (PLIST, files("ios-plist", "govuk-one-login__*OneLoginRelease-*.plist")),
    },
    "GrapheneOS": {"android": (NSC, files("android-nsc", "GrapheneOS__*.xml"))},
}


def history(folder: Path, place: str, shipped: list[Path]) -> None:
    """Put what was shipped into a repository: a commit and a tag for each file, on its day."""
    repository = Repository(folder)
    for number, path in enumerate(sorted(shipped, key=day_of), 1):
        repository.commit({place: path.read_bytes()}, f"{day_of(path)}T12:00:00Z", f"v{number}.0")


def day_of(path: Path) -> str:
    found = re.search(r"__(\d{4}-\d{2}-\d{2})_", path.name)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("who", APPS)
def test_a_real_history_becomes_a_policy_that_answers(run: Run, tmp_path: Path, who: str) -> None:
    """In at most eight commands: every release counted, every host with its pins, and who breaks by which version."""
    count = 0
    for app, (place, shipped) in APPS[who].items():
        history(tmp_path / f"app-{app}", place, shipped)
        made = run("new", "p.toml", "--from-git", f"app-{app}", "v*", "--path", f"{app}=**/{Path(place).name}")
        assert made.code == 0, made.err
        count += 1
    policy, _ = read_policy("p.toml")
    assert {name: len(app.releases) for name, app in policy.apps.items()} == {
        app: len(shipped) for app, (_, shipped) in APPS[who].items()
    }
    assert [r.released for r in policy.apps["android"].releases] == sorted(
        (r.released for r in policy.apps["android"].releases if r.released), reverse=True
    )
    versions = [r.version for r in policy.apps["android"].releases]
    rows = [(DAY, 100 + number, 1_000 * (number + 1)) for number in range(len(versions))]
    Path("play.csv").write_bytes(play_bulk(*rows))
    codes = [word for n, version in enumerate(versions) for word in ("--builds", f"{version}={100 + n}")]
    counted = run("fleet", "p.toml", "android=play.csv", *codes, "--write")
    assert counted.code == 0, counted.err
    count += 1
    if "ios" in policy.apps:
        devices = [session("2026-10-01", r.version, "iOS 18.1", 270) for r in policy.apps["ios"].releases]
        Path("sessions.txt").write_bytes(sessions(*devices))
        counted = run("fleet", "p.toml", "sessions.txt", "--opt-in", "0.25-0.30", "--write")
        assert counted.code == 0, counted.err
        count += 1
    host = next(iter(policy.hosts))
    Path("handshake.txt").write_bytes(
        b"CONNECTED(00000003)\n---\n" + chain_pem(mint("theirs", ICA, names=[host]), ICA) + b"---\n"
    )
    seen = run("observe", "p.toml", f"{host}=handshake.txt")
    # Nobody has their keys: what was minted here is a stranger's, and that is exactly what is told.
    assert (seen.code, "served-differs" in seen.out) == (1, True)
    assert run("check", "p.toml").code == 1
    answer = run("simulate", "p.toml", "--json", "--at", DAY).json
    count += 3
    android = sum(1_000 * (number + 1) for number in range(len(versions)))
    apple = sum(270 / 0.25 for _ in policy.apps["ios"].releases) if "ios" in policy.apps else 0
    assert answer["population"] == android + apple
    assert {row["version"] for row in answer["cohorts"] if row["app"] == "android"} == set(versions)
    why = run("why", "p.toml", "population", "--at", DAY, "--json").json
    assert why["value"] == answer["population"]
    assert all(check["agrees"] for check in why["checks"])
    assert count + 1 < 10
