"""What a policy file says, read into values: short forms, includes, and paths."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from rotator.errors import InputError
from rotator.files.policy_toml import read_policy
from rotator.model.names import Cover, Reach
from rotator.model.policy import Adoption, Count, Policy
from tests.files.examples import EVERYTHING, NEWCOMER
from tests.minting import pin_text


def read(folder: Path, text: str, name: str = "policy.toml", **others: str) -> Policy:
    """Write files and read the first."""
    for other, content in others.items():
        (folder / f"{other}.toml").write_text(content)
    path = folder / name
    path.write_text(text)
    return read_policy(str(path))[0]


def test_what_a_newcomer_writes(tmp_path: Path) -> None:
    policy = read(tmp_path, NEWCOMER, "shop.toml")
    assert policy.name == "shop"
    assert policy.measured == date(2026, 11, 20)
    assert policy.keys["now"].certificate == str(tmp_path / "fullchain.pem")
    assert policy.chains["fullchain.pem"].file == str(tmp_path / "fullchain.pem")
    assert policy.hosts["api.shop.example"].serves == ("fullchain.pem",)
    assert policy.pinsets["first"].keys == ("now", "next")
    assert policy.apps["shop-android"].mechanism == ("okhttp",)
    assert policy.apps["shop-android"].pinset == {"": "first"}
    assert policy.apps["shop-android"].clients == Count(low=1000, high=1000)


def test_everything_by_example(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "pki.toml").write_text("schema = 1\n")
    path = tmp_path / "one" / "policy.toml"
    path.write_text(EVERYTHING)
    policy, data = read_policy(str(path))
    assert data == EVERYTHING.encode()
    assert policy.name == "Storefront"
    assert policy.limits.break_budget == 0.005
    assert policy.authorities["isrg-x2"].certificate == (
        str(tmp_path / "one/pki/x2.pem"),
        str(tmp_path / "one/pki/x2-by-x1.pem"),
    )
    assert policy.authorities["corp-ica"].issued_by == ("corp-root",)
    assert policy.hosts["api"].issuer_pool == {"le-e7": 0.5, "le-e8": 0.5}
    assert policy.hosts["api"].edges[0].serves == ("api-now",)
    assert policy.hosts["broker"].dane is not None
    assert policy.trust["android-14"].roots == str(tmp_path / "one/pki/android-14-roots.pem")
    assert policy.pinsets["mobile-3"].covers == (
        Cover("api.shop.example"),
        Cover("shop.example", Reach.ALL),
    )
    android = policy.apps["shop-android"]
    assert android.hosts == {"api": 1.0, "pay.partner.example": 0.2}
    assert android.adoption == Adoption(preset="typical")
    assert android.releases[1].clients == Count(low=412_000, high=412_000)
    assert android.releases[2].clients == {
        "android-7": Count(low=9_500, high=9_500),
        "android-14": Count(low=29_000, high=29_000),
    }
    assert android.beside[0].note == "WebView"
    ios = policy.apps["shop-ios"]
    assert ios.pinset == {"apple-ats": "mobile-3", "wultra": "live"}
    assert ios.releases[1].mechanism == ("apple-ats",)
    assert policy.mechanisms["ledger-verify"].axes == {"scope": "leaf"}
    assert policy.exports[0].files["okhttp"] == str(tmp_path / "one/app/pins.json")
    assert policy.freeze[0].to == date(2027, 1, 4)
    assert policy.calendar[0].event == "ca-distrust:isrg-x1"
    assert policy.scenarios["friday-leak"][0].event == "key-compromise:api-2025"
    assert policy.allow[0].reason == "..."


def test_paths_start_from_the_file_they_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/pki.toml").write_text('schema = 1\n[keys]\nk = { csr = "k.csr" }\n')
    (tmp_path / "p.toml").write_text('schema = 1\ninclude = ["shared/pki.toml"]\npki = "x.pem"\n')
    monkeypatch.chdir(tmp_path / "shared")
    policy, _ = read_policy("../p.toml")
    assert policy.keys["k"].csr == str(tmp_path / "shared/k.csr")
    assert policy.pki == (str(tmp_path / "x.pem"),)


def test_shared_tables_come_from_included_files_at_any_depth(tmp_path: Path) -> None:
    spki = [f'{{ spki = "{pin_text(name)}" }}' for name in "abc"]
    policy = read(
        tmp_path,
        f'schema = 1\ninclude = "one.toml"\n[keys]\na = {spki[0]}\n[pinsets.p]\nprimary = ["a", "b", "c"]\n',
        one=f'schema = 1\ninclude = ["two.toml"]\n[keys]\nb = {spki[1]}\n',
        two=f'schema = 1\nname = "ignored"\n[keys]\nc = {spki[2]}\n',
    )
    assert set(policy.keys) == {"a", "b", "c"}
    assert policy.name == "policy"
    assert [os.path.basename(file) for file in policy.include] == ["one.toml", "two.toml"]  # noqa: PTH119


def test_loops_of_includes_end(tmp_path: Path) -> None:
    policy = read(
        tmp_path,
        'schema = 1\ninclude = ["one.toml"]\n',
        one='schema = 1\ninclude = ["policy.toml", "one.toml", "two.toml"]\n',
        two='schema = 1\ninclude = ["one.toml"]\n',
    )
    assert len(policy.include) == 2


def test_a_name_in_two_files_is_an_error_at_the_second(tmp_path: Path) -> None:
    key = f'schema = 1\n[keys]\na = {{ spki = "{pin_text("a")}" }}\n'
    with pytest.raises(InputError) as caught:
        read(tmp_path, key.replace("schema = 1\n", 'schema = 1\ninclude = ["one.toml"]\n'), one=key)
    (only,) = caught.value.problems
    assert (only.message, only.path) == ("this name is taken", "keys.a")
    assert only.file.endswith("one.toml")
    assert only.hint.endswith("policy.toml")


def test_mistakes_of_included_files_are_told_with_theirs(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(
            tmp_path,
            'schema = 1\ninclude = ["one.toml", "none.toml", "bad.toml"]\n[pinsets.p]\nprimary = "x"\n',
            one='schema = 1\n[keys]\na = { sky = "x" }\n[apps.x]\nmechanism = "okhttp"\n',
            bad="=",
        )
    told = {(Path(p.file).name, p.path): p.message for p in caught.value.problems}
    assert told["one.toml", "keys.a.sky"] == "unknown key"
    assert told["one.toml", "apps"] == "an included file holds only what can be shared"
    assert told["none.toml", ""].startswith("cannot be read")
    assert told["bad.toml", ""].startswith("is not TOML")
    assert told["policy.toml", "pinsets.p.primary"] == "nothing has this name"


@pytest.mark.parametrize(
    ("line", "covers"),
    [
        ('covers = "a.test"', (Cover("a.test"),)),
        ('covers = ["A.test."]', (Cover("a.test"),)),
        ('covers = [{ name = "a.test", subdomains = true }]', (Cover("a.test", Reach.ALL),)),
        ('covers = [{ name = "a.test", subdomains = false }]', (Cover("a.test"),)),
        ('covers = [{ name = "a.test", subdomains = "one-label" }]', (Cover("a.test", Reach.ONLY_ONE),)),
    ],
)
def test_covers(tmp_path: Path, line: str, covers: tuple[Cover, ...]) -> None:
    assert read(tmp_path, f"schema = 1\n[pinsets.p]\n{line}\n").pinsets["p"].covers == covers


def test_apps_that_name_no_hosts_use_every_host(tmp_path: Path) -> None:
    policy = read(
        tmp_path,
        'schema = 1\n[hosts.a]\n[hosts."b.test"]\n[apps.x]\nmechanism = "curl"\n'
        '[apps.y]\nmechanism = "curl"\nhosts = ["a"]\n',
    )
    assert policy.hosts_of("x") == {"a": 1.0, "b.test": 1.0}
    assert policy.hosts_of("y") == {"a": 1.0}
    assert policy.host_names("b.test") == ("b.test",)
    assert policy.host_label("b.test") == "b.test"
    assert policy.host_label("c.test") is None
