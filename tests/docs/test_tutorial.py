"""The tutorial, command by command: what it says can be done is done, on files as they come."""

from __future__ import annotations

import gzip
import plistlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotator.files.policy_toml import read_policy
from tests.cli.conftest import Ran, Run, run
from tests.docs.sources import DOCS
from tests.files.counts import making
from tests.files.counts.making import play_bulk, play_overview, session, sessions
from tests.minting import chain_pem, csr, intermediate, mint, pin_b64, root
from tests.repositories import Repository

__all__ = ["run"]
HOST = "api.bank.example"
ROOT = root("corp-root")
ICA = intermediate("corp-ica", ROOT)
NSC = "app/src/main/res/xml/network_security_config.xml"
DAY = "2026-11-19"


def nsc(*keys: str) -> str:
    pins = "".join(f'<pin digest="SHA-256">{pin_b64(key)}</pin>' for key in keys)
    inner = f"<domain>{HOST}</domain><pin-set>{pins}</pin-set>"
    return f"<network-security-config><domain-config>{inner}</domain-config></network-security-config>"


def plist(*keys: str) -> bytes:
    pinned = {HOST: {"NSPinnedLeafIdentities": [{"SPKI-SHA256-BASE64": pin_b64(key)} for key in keys]}}
    return plistlib.dumps({"NSAppTransportSecurity": {"NSPinnedDomains": pinned}})


def handshake() -> bytes:
    """Give what `openssl s_client -showcerts` prints, with its talk around the chain."""
    chain = chain_pem(mint("a", ICA, names=[HOST]), ICA, ROOT)
    return b"CONNECTED(00000003)\ndepth=1 CN = corp-ica\n---\nCertificate chain\n" + chain + b"---\nDONE\n"


@pytest.fixture
def at_hand(tmp_path: Path) -> Path:
    """Lay the files of the tutorial out: keys a (served), b (next) and one of long ago."""
    android, ios = Repository(tmp_path / "app-android"), Repository(tmp_path / "app-ios")
    android.commit({NSC: nsc("a", "old")}, "2025-05-01T00:00:00Z", "v8.4")
    android.commit({NSC: nsc("a", "b")}, "2026-05-01T00:00:00Z", "v9.0")
    ios.commit({"App/Info.plist": plist("a", "old")}, "2026-02-01T00:00:00Z", "11.4")
    ios.commit({"App/Info.plist": plist("a", "b")}, "2026-09-01T00:00:00Z", "12.0")
    files = {
        "handshake.txt": handshake(),
        "next.csr": csr("b"),
        "corp-root.pem": ROOT.pem,
        "installs_com.bank_202611_app_version.csv": play_bulk(
            (DAY, 90000, 700_000), (DAY, 90001, 50_000), (DAY, 80400, 200_000), (DAY, 70000, ""), package="com.bank"
        ),
        # The whole is more than the versions that are shown: the store hides the rest.
        "installs_com.bank_202611_overview.csv": play_overview((DAY, 960_000), package="com.bank"),
        # A month that was made again replaces the one before.
        "AppSessions.txt.gz": gzip.compress(
            sessions(
                session("2026-10-01", "12.0", "iOS 18.1", 54_000),
                session("2026-10-01", "12.0", "iOS 16.2", 6_000),
                session("2026-10-01", "11.4", "iOS 15.8", 10_800),
                bom=True,
            )
        ),
        "OptIn.txt": making.opt_in(("2026-10-01", 100_000, 27_000)),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def commands() -> list[list[str]]:
    """Give every command of the page, as a shell would take it apart."""
    text = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines() if line]
    return [shlex.split(line) for line in lines]


def followed(run: Run) -> Iterator[Ran]:
    for first, *words in commands():
        assert first == "rotator"
        yield run(*words)


def test_there_are_fewer_than_ten_and_every_file_is_named_in_the_table() -> None:
    assert len(commands()) < 10
    table = (DOCS / "tutorial.md").read_text(encoding="utf-8").partition("## 1.")[0]
    named = {
        word.split("=")[-1]
        for words in commands()
        for word in words
        if word.endswith((".txt", ".gz", ".csr", ".pem", ".csv"))
    }
    assert all(f"`{word}`" in table for word in named)


@pytest.mark.usefixtures("at_hand")
def test_the_page_leads_from_files_to_an_answer(run: Run) -> None:
    """Nobody writes TOML; the counts are those of the files, scaled and hidden ones with their ranges."""
    made, more, look, play, apple, checked, lost, why, seen = followed(run)
    assert (made.code, more.code) == (0, 0)
    assert "corp-root.pem and no other CA" in made.err
    assert look.code == 3
    for words in ("--builds 9.0=90000", "--builds 8.4=80400"):
        assert words in look.out + look.err
    assert (play.code, apple.code) == (0, 0)
    policy, _ = read_policy("bank.toml")
    android = {r.version: r.clients for r in policy.apps["android"].releases}
    assert {version: getattr(clients, "high", None) for version, clients in android.items()} == {
        "9.0": 750_000,
        "8.4": 200_000,
    }
    assert policy.apps["android"].unseen is not None
    assert policy.apps["android"].unseen.high == 10_000
    assert policy.apps["android"].releases[0].builds == (90000, 90001)
    counted = policy.apps["ios"].counts
    assert counted is not None
    assert counted.basis == "scaled"
    assert counted.opt_in == pytest.approx(0.27)
    assert checked.code in (0, 1)
    assert "single-pin" not in checked.out
    # Everybody whose release lacks the new key breaks: Android 8.4, iOS 11.4, and those unseen as the worst.
    assert lost.code == 1
    data = run("simulate", "bank.toml", "key-loss:now", "--serve", f"{HOST}=next", "--json", "--no-report").json
    broken = {(row["app"], row["version"]) for row in data["cohorts"] if row["verdict"] == "breaks"}
    assert broken == {("android", "8.4"), ("ios", "11.4"), ("android", "older, unseen")}
    assert data["broken"]["low"] >= 200_000 + 10_800 / 0.30
    assert data["broken"]["high"] <= 210_000 + 10_800 / 0.24
    assert why.code == 0
    assert "200,000 of android 8.4" in why.out
    assert "agrees" in why.out
    assert (seen.code, seen.err.count("kept")) == (0, 1)


@pytest.mark.usefixtures("at_hand")
def test_followed_a_second_time_nothing_changes(run: Run) -> None:
    """A month later the same commands find nothing new in the same files."""
    for _ in followed(run):
        pass
    before = Path("bank.toml").read_bytes()
    kept = sorted(path.read_bytes() for path in Path("bank.rotator/counts").iterdir())
    for words in commands()[:5]:
        run(*words[1:])
    assert Path("bank.toml").read_bytes() == before
    assert sorted(path.read_bytes() for path in Path("bank.rotator/counts").iterdir()) == kept
