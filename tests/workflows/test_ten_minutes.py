"""Your own app in ten minutes: from a repository of shipped files and a pasted handshake to an answer, by commands."""

from __future__ import annotations

import gzip
import io
import plistlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from rotator.files.policy_toml import read_policy
from tests.cli.conftest import Run, run
from tests.files.counts import making
from tests.minting import chain_pem, csr, intermediate, mint, pin_b64, root
from tests.repositories import Repository

__all__ = ["run"]
ICA = intermediate("ica", root("root"))
PLACE = "src/main/res/xml/network_security_config.xml"


def nsc(*names: str) -> str:
    pins = "".join(f'<pin digest="SHA-256">{pin_b64(name)}</pin>' for name in names)
    inner = f"<domain>api.example.com</domain><pin-set>{pins}</pin-set>"
    return f"<network-security-config><domain-config>{inner}</domain-config></network-security-config>"


def test_a_policy_is_built_by_commands_alone_and_answers(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under ten commands; nobody writes TOML, and what is not known is said."""

    def paste(key: str) -> None:
        chain = chain_pem(mint(key, ICA, names=["api.example.com"]), ICA, root("root"))
        text = b"CONNECTED(00000003)\n---\n" + chain + b"---\nDONE\n"
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text)))

    app = Repository(tmp_path / "app-android")
    app.commit({PLACE: nsc("a", "old")}, "2025-05-01T00:00:00Z", "v8.4")
    app.commit({PLACE: nsc("a", "b")}, "2026-05-01T00:00:00Z", "v9.0")
    Path("next.csr").write_bytes(csr("b"))
    shipped = ("--from-git", "app-android", "v*", "--path", f"bank=**/{PLACE}")

    paste("a")
    assert run("new", "bank.toml", "-", "next.csr", *shipped).code == 0
    text = Path("bank.toml").read_text()
    assert 'next = { csr = "next.csr" }' in text
    assert "assumed" not in text
    lost = run("simulate", "bank.toml", "key-loss:now", "--serve", "api.example.com=next", "--json", "--no-report").json
    # The CA of a test is no public one, so every client finds no path, whatever it pins.
    assert {row["version"]: row["reason"] for row in lost["cohorts"]} == {"9.0": "no-path", "8.4": "no-path"}
    assert lost["broken"]["clients"] is None
    app.commit({PLACE: nsc("b")}, "2026-11-01T00:00:00Z", "v9.1")
    assert run("new", "bank.toml", *shipped).code == 0
    assert [row["version"] for row in run("simulate", "bank.toml", "--json").json["cohorts"]].count("9.1") == 1
    paste("a")
    assert "refused-as-served" in run("observe", "bank.toml", "api.example.com=-").out
    Path("before.toml").write_text(text)
    assert "bank 9.1: new, adds next" in run("review", "bank.toml", "--base", "before.toml").out
    assert "? of bank 9.1" in run("why", "bank.toml", "broken").out


# --- files of the stores, each in its own form with its own traps ---------------------------------------------------

DAY = "2026-11-19"
CODES = ("--builds", "9.0=90000", "--builds", "8.4=80400")
REPLACED = (*making.SESSION_COLUMNS, "Processing Date")
OLD_PLAY = """\
Date,Package Name,App Version Code,Current Device Installs
2026-11-19,com.bank,90000,1000
2026-11-19,com.bank,80400,400
"""
PAGE = making.play_page(
    ["90000 (9.0)", "80400 (8.4)", "All versions"],
    ("Nov 18, 2026", "1,100", "-", "1,600"),
    ("Nov 19, 2026", "1,000", "400", "1,450"),
)
WEB = """\
Name,Bank
Startdatum,10/30/26
Enddatum,10/31/26

Datum,9.0 Aktive Geräte,8.4 Aktive Geräte
10/30/26,990.0,-
10/31/26,1000.0,400.0
"""
FIREBASE = """\
# ----------------------------------------
# Start date: 20261020
# End date: 20261118
# ----------------------------------------
App version,Active users
9.0,1000
8.4,400
(not set),3
"""
MADE_AGAIN = making.sessions(
    making.session("2026-10-01", "9.0", "iOS 18.1", 5, processing_date="2026-11-04"),
    making.session("2026-10-01", "9.0", "iOS 18.1", 270, processing_date="2026-11-08"),
    making.session("2026-10-01", "8.4", "iOS 15.8", 108, processing_date="2026-11-08"),
    making.session("2026-09-01", "9.0", "iOS 18.1", 300, processing_date="2026-10-08"),
    order=REPLACED,
    bom=True,
)
FORMS: dict[str, tuple[str, bytes, tuple[str, ...], tuple[int, int, int, int], str]] = {
    # what: the app, the file, what is said beside it, low and high of 9.0 and of 8.4, and what must be told
    "play, UTF-16, blanks, older days": (
        "android",
        making.play_bulk((DAY, 90000, 1000), (DAY, 80400, 400), (DAY, 70000, ""), ("2026-11-18", 90000, 1_100)),
        CODES,
        (1000, 1000, 400, 400),
        "a blank is not zero",
    ),
    "play, gzip without a mark": (
        "android",
        gzip.compress(making.play_bulk((DAY, 90000, 1000), (DAY, 80400, 400))[2:], mtime=0),
        CODES,
        (1000, 1000, 400, 400),
        "gzip, UTF-16",
    ),
    "play, of long ago": ("android", OLD_PLAY.encode(), CODES, (1000, 1000, 400, 400), "Current Device"),
    "play's page, dates and commas": ("android", PAGE, CODES, (1000, 1000, 400, 400), DAY),
    "app sessions, made again": ("ios", MADE_AGAIN, ("--opt-in", "0.27"), (1000, 1000, 400, 400), "replace"),
    "app store page in German": ("ios", WEB.encode(), (), (1000, 1000, 400, 400), "2026-10-31"),
    "firebase": ("android", FIREBASE.encode(), (), (1000, 1000, 400, 400), "2026-11-18"),
    "our own": (
        "android",
        b"\xef\xbb\xbfapp,version,low,high,date,unit\nandroid,9.0,900,1000,2026-11-19,users\nandroid,8.4,300,400,2026-11-19,users\n",
        (),
        (900, 1000, 300, 400),
        "users",
    ),
    "any other": (
        "android",
        b"Release;Users\n9.0;1000\n8.4;400\n",
        ("--columns", "version=Release,clients=Users"),
        (1000, 1000, 400, 400),
        "1,400",
    ),
}


def shipped_by_both(folder: Path) -> None:
    """Make the repositories of an app for Android and of one for iOS, with the same two versions."""
    pinned = {"api.example.com": {"NSPinnedLeafIdentities": [{"SPKI-SHA256-BASE64": pin_b64(key)} for key in "ab"]}}
    old = {"api.example.com": {"NSPinnedLeafIdentities": [{"SPKI-SHA256-BASE64": pin_b64("a")}]}}

    def plist(domains: object) -> bytes:
        return plistlib.dumps({"NSAppTransportSecurity": {"NSPinnedDomains": domains}})

    app = Repository(folder / "apps")
    app.commit({PLACE: nsc("a", "old"), "ios/Info.plist": plist(old)}, "2025-05-01T00:00:00Z", "v8.4")
    app.commit({PLACE: nsc("a", "b"), "ios/Info.plist": plist(pinned)}, "2026-05-01T00:00:00Z", "v9.0")


@pytest.mark.parametrize("form", FORMS)
def test_counts_come_in_every_form_there_is(run: Run, tmp_path: Path, form: str) -> None:
    """Three commands: the policy, the counts, the answer; twice counted is once counted."""
    app, data, beside, (new_low, new_high, old_low, old_high), told = FORMS[form]
    shipped_by_both(tmp_path)
    Path("chain.pem").write_bytes(chain_pem(mint("a", ICA, names=["api.example.com"]), ICA))
    Path("ca.pem").write_bytes(root("root").pem)
    Path("next.csr").write_bytes(csr("b"))
    where = ("--path", f"android=**/{PLACE}", "--path", "ios=**/Info.plist")
    assert run("new", "bank.toml", "chain.pem", "ca.pem", "next.csr", "--from-git", "apps", "v*", *where).code == 0
    Path("counts").write_bytes(data)
    counted = run("fleet", "bank.toml", f"{app}=counts", *beside, "--write")
    assert counted.code == 0, counted.err
    assert told in " ".join(counted.out.split())
    written = Path("bank.toml").read_bytes()
    assert run("fleet", "bank.toml", f"{app}=counts", *beside, "--write").code == 0
    assert Path("bank.toml").read_bytes() == written
    asked = ("key-loss:now", "--serve", "api.example.com=next", "--json", "--no-report")
    rows = [row for row in run("simulate", "bank.toml", *asked).json["cohorts"] if row["app"] == app]
    found = {row["version"]: (row.get("low", row["clients"]), row["clients"], row["verdict"]) for row in rows}
    assert found["9.0"] == (new_low, new_high, "ok")
    assert found["8.4"] == (old_low, old_high, "breaks")
    hidden = found.get("older, unseen")
    assert hidden == ((50, 50, "breaks") if form.startswith("play's page") else None)


def test_counts_may_be_given_at_once(run: Run, tmp_path: Path) -> None:
    """A newcomer gives everything to `new`; what the file counts stands in the policy, and nothing is kept twice."""
    shipped_by_both(tmp_path)
    Path("chain.pem").write_bytes(chain_pem(mint("a", ICA, names=["api.example.com"]), ICA))
    Path("own.csv").write_text("app,version,clients\nios,9.0,70\nandroid,9.0,100\nandroid,8.4,11\nios,8.4,5\n")
    where = ("--from-git", "apps", "v*", "--path", f"android=**/{PLACE}", "--path", "ios=**/Info.plist")
    made = run("new", "bank.toml", "chain.pem", "own.csv", *where)
    assert made.code == 0
    assert "own.csv" in made.err
    policy, _ = read_policy("bank.toml")
    assert {
        (name, r.version): getattr(r.clients, "high", 0) for name, a in policy.apps.items() for r in a.releases
    } == {
        ("android", "9.0"): 100,
        ("android", "8.4"): 11,
        ("ios", "9.0"): 70,
        ("ios", "8.4"): 5,
    }
    assert made.out == Path("bank.toml").read_text()
    assert not Path("bank.rotator/replaced").exists()
    again = run("new", "bank.toml", "chain.pem", "own.csv", *where)
    assert (again.code, again.out) == (0, "")


def test_counts_that_need_a_person_stop_no_policy(run: Run, tmp_path: Path) -> None:
    """Nobody can know which version a code is: the policy is written, and the command that settles it is shown."""
    shipped_by_both(tmp_path)
    Path("play.csv").write_bytes(making.play_bulk((DAY, 90000, 1000), (DAY, 80400, 400)))
    where = ("--from-git", "apps", "v*", "--path", f"android=**/{PLACE}")
    made = run("new", "bank.toml", "play.csv", *where)
    assert made.code == 1
    assert "not counted: no version of the file is a release of android" in made.err
    (command,) = (line.partition(": ")[2] for line in made.err.splitlines() if line.startswith("to take them all: "))
    assert command == "rotator fleet bank.toml play.csv --builds 9.0=90000 --builds 8.4=80400 --write"
    assert run(*command.split()[1:]).code == 0
    assert run("simulate", "bank.toml", "--json").json["population"] == 1400
    # With its codes known, next month's file needs nothing said: the same command brings releases and counts.
    Path("play.csv").write_bytes(making.play_bulk(("2026-11-20", 90000, 1200), ("2026-11-20", 80400, 300)))
    assert run("new", "bank.toml", "play.csv", *where).code == 0
    assert run("simulate", "bank.toml", "--json").json["population"] == 1500


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"app,version,clients\nandroid,9.0,many\n", "counts.csv"),
        (gzip.compress(b"app,version,clients\nandroid,9.0,5\n", mtime=0)[:-9], "is nothing that a policy is made of"),
        (b"some,other,table\n1,2,3\n", "is nothing that a policy is made of"),
    ],
)
def test_a_broken_file_of_counts_stops_everything(run: Run, tmp_path: Path, data: bytes, told: str) -> None:
    shipped_by_both(tmp_path)
    Path("counts.csv").write_bytes(data)
    made = run("new", "bank.toml", "counts.csv", "--from-git", "apps", "v*", "--path", f"android=**/{PLACE}")
    assert made.code == 2
    assert told in made.err
    assert not Path("bank.toml").exists()
