"""Releases out of git tags and dated folders, at first and again later."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rotator.files.policy_toml import read_policy
from rotator.model.policy import Release
from tests.cli.conftest import Run, run
from tests.desk import Desk
from tests.docs.test_docs_samples import valid
from tests.minting import chain_pem, mint, pin_b64, pin_text, private_pem
from tests.real.data import files as real_files
from tests.real.data import needs_data
from tests.repositories import Repository

__all__ = ["run"]
PLACE = "app/src/main/res/xml/network_security_config.xml"
FROM = ("--from-git", "app", "v*", "--path", "shop=**/network_security_config.xml")


def nsc(*names: str, host: str = "api.example.com") -> str:
    pins = "".join(f'<pin digest="SHA-256">{pin_b64(name)}</pin>' for name in names)
    domains = f'<domain-config><domain>{host}</domain><pin-set expiration="2027-06-30">{pins}</pin-set></domain-config>'
    return f"<network-security-config>{domains}</network-security-config>"


KOTLIN = f"""
package com.example.shop
// .add("old.example.com", "{pin_text("c")}")
private const val HOST = "api.example.com"
val pins = CertificatePinner.Builder()
    .add(HOST, "{pin_text("a")}", "{pin_text("b")}")
    .add("*.img.example.com", "{pin_text("a")}")
    .add(Build.HOST, "{pin_text("b")}")
"""
SWIFT = f"""
let configuration: [String: Any] = [
    kTSKSwizzleNetworkDelegates: false,
    kTSKPinnedDomains: [
        "example.com": [
            kTSKIncludeSubdomains: true,
            kTSKPublicKeyHashes: ["{pin_b64("a")}", "{pin_b64("b")}"],
        ],
    ]]
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Give a repository with three tagged versions of an Android app."""
    made = Repository(tmp_path / "app")
    made.commit({PLACE: nsc("a", "b"), "README.md": "words"}, "2025-03-01T23:30:00-05:00", "v6.9.1")
    made.commit({PLACE: nsc("a", "b", "c")}, "2026-05-04T12:00:00Z", "v7.2.0!", "nightly-7")
    made.commit({}, "2026-06-01T12:00:00Z", "v7.10")
    return made


def releases(policy: str = "p.toml", app: str = "shop") -> tuple[Release, ...]:
    return read_policy(policy)[0].apps[app].releases


def shown(policy: str = "p.toml", app: str = "shop") -> list[tuple[str, str]]:
    return [(release.version, str(release.released)) for release in releases(policy, app)]


@pytest.mark.usefixtures("repository")
def test_every_tag_becomes_a_release_with_the_file_and_the_day_of_its_commit(run: Run, tmp_path: Path) -> None:
    """The day is the commit's in UTC, not the tag's nor the author's; the newest stands first."""
    assert run("new", "p.toml", *FROM).code == 0
    assert shown() == [("7.10", "2026-06-01"), ("7.2.0", "2026-05-04"), ("6.9.1", "2025-03-02")]
    configs = [(release.config or {})[""] for release in releases()]
    assert configs[2] == str(tmp_path / "shipped/shop/6.9.1/network_security_config.xml")
    assert [Path(config).read_text() for config in configs] == [nsc("a", "b", "c")] * 2 + [nsc("a", "b")]
    assert run("simulate", "p.toml").code == 0


@pytest.mark.usefixtures("repository")
def test_again_later_nothing_changes_until_there_is_something_new(run: Run, repository: Repository) -> None:
    run("new", "p.toml", *FROM)
    policy = Path("p.toml")
    text = (
        policy.read_text().replace("[apps.shop]", "# ours, do not touch\n[apps.shop]").replace("[hosts.", "\n[hosts.")
    )
    policy.write_text(text)
    Path("chain.pem").write_bytes(chain_pem(mint("a", names=["api.example.com"])))
    again = run("new", "p.toml", *FROM, "chain.pem", "-")
    assert (again.code, again.out, policy.read_text()) == (0, "", text)
    assert "nothing new" in again.err
    assert "chain.pem: left alone" in again.err
    assert "-: left alone" in again.err
    repository.commit({PLACE: nsc("b", "d")}, "2026-11-01T00:00:00Z", "v8.0")
    repository.git("tag", "v7.0", "v6.9.1")
    more = run("new", "p.toml", *FROM)
    assert more.code == 0
    assert [version for version, _ in shown()] == ["8.0", "7.10", "7.2.0", "7.0", "6.9.1"]
    assert set(text.splitlines()) < set(policy.read_text().splitlines())
    assert pin_text("d") in policy.read_text()
    assert [line for line in more.out.splitlines() if line.startswith("-") and not line.startswith("---")] == []
    (kept,) = Path("p.rotator/replaced").iterdir()
    assert kept.read_text() == text


@pytest.mark.usefixtures("repository")
def test_the_answer_as_json_names_each_release_and_whence_it_came(run: Run) -> None:
    answer = run("new", "p.toml", *FROM, "--json").json
    valid(answer, "new")
    assert answer["releases"][0] == {
        "app": "shop",
        "version": "6.9.1",
        "released": "2025-03-02",
        "file": str(Path("shipped/shop/6.9.1/network_security_config.xml").resolve()),
        "from": f"v6.9.1:{PLACE}",
    }
    again = run("new", "p.toml", *FROM, "--json").json
    valid(again, "new")
    assert again["releases"] == []


@pytest.mark.usefixtures("repository")
def test_a_release_in_between_goes_to_its_place_and_lists_that_rise_go_on_rising(run: Run) -> None:
    for falling in (True, False):
        rows = [f'{{ version = "{v}", released = {d} }},' for v, d in (("9", "2027-01-01"), ("1", "2020-01-01"))]
        body = "\n".join(rows if falling else rows[::-1])
        Path("p.toml").write_text(
            f'schema = 1\n[hosts."api.example.com"]\n[apps.shop]\nmechanism = "android-nsc"\nreleases = [\n{body}\n]\n'
        )
        run("new", "p.toml", *FROM)
        versions = ["9", "7.10", "7.2.0", "6.9.1", "1"]
        assert [version for version, _ in shown()] == (versions if falling else versions[::-1])


def test_tags_are_chosen_by_name_by_pattern_and_by_range(run: Run, repository: Repository) -> None:
    repository.commit({}, "2026-07-01T00:00:00Z", "lib-7.5", "release/8.0-rc1", "release/8.0")
    chosen = {
        "v7.2.0": ["7.2.0"],
        "v6.9.1..v7.2.0": ["7.2.0", "6.9.1"],
        "v7.2.0..v7.10": ["7.10", "7.2.0"],
        "release/*": ["8.0", "8.0-rc1"],
        "v7.2.0,lib-*": ["7.5", "7.2.0"],
    }
    for number, (choice, versions) in enumerate(chosen.items()):
        ran = run("new", f"{number}.toml", "--from-git", "app", choice, "--path", f"s{number}={PLACE}")
        assert ran.code == 0, ran.err
        assert [version for version, _ in shown(f"{number}.toml", f"s{number}")] == versions


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from-git", "app", "v9*", "--path", "*.xml"), "no tag fits"),
        (("--from-git", "app", "v6.9.1..v9", "--path", "*.xml"), "no tag has this name"),
        (("--from-git", "app", "v6.9.1..nightly-7", "--path", "*.xml"), "not of one kind"),
        (("--from-git", "app", "v*"), "which files shipped?"),
        (("--from-git", ".", "v*", "--path", "*.xml"), "git refuses: not a git repository"),
        (("--from-git", "nowhere", "v*", "--path", "*.xml"), "git refuses"),
        (("--from-git", "app", "v7.2.0", "--path", "*.md"), "is no pin file that is known"),
        (("--from-git", "app", "v7.2.0", "--path", "nothing.xml"), "v7.2.0: left out, no file fits nothing.xml"),
        (("--from-git", "app", "v7.2.0", "--path", "*.xml", "--take", "x.example=okhttp"), "no code that was found"),
        (("--from-git", "app", "v7.2.0", "--path", "*.xml", "--take", "x.example=okhtp"), "did you mean okhttp"),
        (("--from-folder", "app/none"), "is not a folder"),
        (("--path", "*.xml"), "--path needs --from-git or --from-folder"),
    ],
)
@pytest.mark.usefixtures("repository")
def test_what_cannot_be_found_is_told_and_nothing_is_written(run: Run, words: tuple[str, ...], said: str) -> None:
    ran = run("new", "p.toml", *words)
    assert ran.code == 2
    assert said in ran.err
    assert not Path("p.toml").exists()
    assert not Path("shipped").exists()


def test_several_files_that_fit_are_never_chosen_among(run: Run, repository: Repository) -> None:
    repository.commit({"app/src/debug/res/xml/network_security_config.xml": nsc("c")}, "2026-07-01T00:00:00Z", "v8")
    ran = run("new", "p.toml", *FROM)
    assert ran.code == 2
    assert "several files fit" in ran.err
    assert "app/src/debug/res/xml/network_security_config.xml" in ran.err
    assert run("new", "p.toml", "--from-git", "app", "v*", "--path", f"shop={PLACE}").code == 0


def test_a_tag_without_a_version_or_a_file_is_left_out_and_named(run: Run, repository: Repository) -> None:
    repository.commit({PLACE: None}, "2026-07-01T00:00:00Z", "v8", "vnext")
    ran = run("new", "p.toml", *FROM)
    assert ran.code == 0
    assert "v8: left out, no file fits" in ran.err
    assert "vnext: left out, there is no version in its name" in ran.err


def test_nothing_of_the_repository_is_run(run: Run, repository: Repository) -> None:
    """Hooks, filters, text conversions and helpers of a repository that was cloned from anybody stay words."""
    touch = f"touch {repository.folder}/ran"
    settings = {
        "core.fsmonitor": touch,
        "diff.x.textconv": touch,
        "filter.x.smudge": touch,
        "core.pager": touch,
        "core.sshCommand": touch,
        "alias.ls-tree": f"!{touch}",
        "uploadpack.packObjectsHook": touch,
    }
    for name, value in settings.items():
        repository.git("config", name, value)
    repository.commit({".gitattributes": "*.xml diff=x\n"}, "2026-07-01T00:00:00Z", "v8")
    (repository.folder / ".git/info/attributes").write_text("*.xml diff=x filter=x\n")
    (repository.folder / "ran").unlink(missing_ok=True)
    assert run("new", "p.toml", *FROM).code == 0
    assert not (repository.folder / "ran").exists()


def test_links_and_private_keys_of_a_repository_are_not_taken(run: Run, repository: Repository) -> None:
    (repository.folder / "linked.xml").symlink_to("/etc/passwd")
    repository.commit({"key.json": private_pem("a")}, "2026-07-01T00:00:00Z", "v8")
    assert "no file fits" in run("new", "p.toml", "--from-git", "app", "v8", "--path", "linked.xml").err
    ran = run("new", "p.toml", "--from-git", "app", "v8", "--path", "key.json")
    assert ran.code == 2
    assert "v8:key.json: holds a private key" in ran.err
    assert not Path("shipped").exists()


def test_a_moved_tag_is_told_and_the_policy_stays(run: Run, repository: Repository) -> None:
    run("new", "p.toml", *FROM)
    before = Path("p.toml").read_text()
    repository.commit({PLACE: nsc("d")}, "2026-07-01T00:00:00Z")
    repository.git("tag", "-f", "v7.10")
    ran = run("new", "p.toml", *FROM)
    assert "shop 7.10: its file in the policy is not the one of v7.10" in ran.err
    assert Path("p.toml").read_text() == before


def test_a_second_app_joins_a_policy_that_is_there(run: Run, repository: Repository) -> None:
    run("new", "p.toml", *FROM)
    repository.commit({"pins.json": json.dumps({"img.example.com": [pin_text("a")]})}, "2026-07-01T00:00:00Z", "v8")
    ran = run("new", "p.toml", "--from-git", "app", "v8", "--path", "web=pins.json")
    assert ran.code == 0, ran.err
    assert shown(app="web") == [("8", "2026-07-01")]
    assert "web 8 pins img.example.com, which is no host of the policy" in ran.err


# --- pins in code -----------------------------------------------------------------------------------------------------


@pytest.fixture
def code(tmp_path: Path) -> Repository:
    """Give a repository with pins in code only."""
    made = Repository(tmp_path / "app")
    made.commit({"src/Pins.kt": KOTLIN, "ios/Pinning.swift": SWIFT}, "2026-05-04T12:00:00Z", "v7.2.0")
    return made


@pytest.mark.usefixtures("code")
def test_pins_in_code_are_shown_and_nothing_is_written(run: Run) -> None:
    ran = run("new", "p.toml", "--from-git", "app", "v*", "--path", "*.kt")
    assert ran.code == 1
    assert not Path("p.toml").exists()
    for text in (
        "pins in code: 3 to confirm",
        "src/Pins.kt line 6, in 7.2.0: for api.example.com:",
        "api.example.com",
        "Build.HOST",
    ):
        assert text in ran.out
    assert pin_text("c") not in ran.out
    answer = run("new", "p.toml", "--from-git", "app", "v*", "--path", "*.kt", "--json").json
    valid(answer, "new")
    assert answer["toml"] is None
    assert [(one["host"], one["name"], len(one["pins"])) for one in answer["candidates"]] == [
        ("api.example.com", None, 2),
        ("*.img.example.com", None, 1),
        (None, "Build.HOST", 1),
    ]


@pytest.mark.usefixtures("code")
def test_pins_in_code_are_taken_for_the_hosts_that_are_named_and_no_others(run: Run) -> None:
    words = ("--from-git", "app", "v*", "--path", "shop=*.kt", "--take", "api.example.com=okhttp")
    ran = run("new", "p.toml", *words)
    assert ran.code == 0, ran.err
    (release,) = releases()
    assert json.loads(Path((release.config or {})[""]).read_text()) == {
        "api.example.com": [pin_text("a"), pin_text("b")]
    }
    assert "img.example.com" in ran.err
    assert set(read_policy("p.toml")[0].hosts) == {"api.example.com"}
    assert "nothing new" in run("new", "p.toml", *words).err


@pytest.mark.usefixtures("code")
def test_a_dictionary_in_swift_is_taken_with_its_subdomains(run: Run) -> None:
    words = ("--from-git", "app", "v*", "--path", "*.swift", "--take", "example.com=trustkit-ios")
    ran = run("new", "p.toml", *words)
    assert ran.code == 0, ran.err
    (release,) = releases(app="ios-trustkit")
    text = Path((release.config or {})[""]).read_text()
    assert pin_b64("b") in text
    assert "TSKIncludeSubdomains" in text


# --- folders ----------------------------------------------------------------------------------------------------------


def test_a_folder_of_dated_files_becomes_releases(run: Run, desk: Desk) -> None:
    desk.file("old/nsc__2025-02-01_0badcafe.xml", nsc("a", "b"))
    desk.file("old/6.9.1/nsc__2026-02-01.xml", nsc("a", "b"))
    desk.file("old/v7.0/nsc.xml", nsc("a", "c"))
    desk.file("old/nsc.xml", nsc("a"))
    ran = run("new", "p.toml", "--from-folder", "old", "--path", "shop=**.xml")
    assert ran.code == 0, ran.err
    assert shown() == [("6.9.1", "2026-02-01"), ("2025-02-01", "2025-02-01"), ("7.0", "None")]
    assert "nsc.xml: left out, neither a date nor a version" in ran.err
    assert not Path("shipped").exists()
    desk.file("old/nsc__2026-05-01.xml", nsc("a", "b"))
    assert run("new", "p.toml", "--from-folder", "old", "--path", "shop=**.xml").code == 0
    assert shown()[0] == ("2026-05-01", "2026-05-01")


def test_two_files_of_one_version_are_not_chosen_among(run: Run, desk: Desk) -> None:
    desk.file("old/a_2025-02-01.xml", nsc("a", "b"))
    desk.file("old/b_2025-02-01.xml", nsc("a", "b"))
    ran = run("new", "p.toml", "--from-folder", "old")
    assert ran.code == 2
    assert "two files are of version 2025-02-01" in ran.err
    words = ("--path", "one=a_*", "--path", "two=b_*")
    assert run("new", "p.toml", "--from-folder", "old", *words).code == 0


@needs_data
@pytest.mark.parametrize(
    ("glob", "count"),
    [
        ("threema-ch__threema-android__app-main-*", 7),
        ("GrapheneOS*", 8),
        ("govuk-one-login__mobile-android*__app-integration-*", 3),
        ("govuk-one-login__mobile-ios*Integration*", 3),
    ],
)
def test_real_histories_become_policies_that_answer(run: Run, glob: str, count: int) -> None:
    """Each file of a real app's history is a release of its day, from a folder and as tags of a repository."""
    paths = real_files("android-nsc", glob) or real_files("ios-plist", glob)
    assert len(paths) >= count
    ran = run("new", "folder.toml", "--from-folder", str(paths[0].parent), "--path", f"app={glob}")
    assert ran.code == 0, ran.err
    assert len(releases("folder.toml", "app")) == len(paths)
    made = Repository(Path("repository").resolve())
    for number, path in enumerate(paths):
        day = next(
            part for part in path.stem.replace("__", "_").split("_") if part.count("-") == 2 and part[:2] == "20"
        )
        made.commit({f"shipped{path.suffix}": path.read_bytes()}, f"{day}T00:00:00Z", f"v1.{number}")
    ran = run("new", "git.toml", "--from-git", "repository", "v*", "--path", f"app=shipped{paths[0].suffix}")
    assert ran.code == 0, ran.err
    days = [release.released for release in releases("git.toml", "app")]
    assert days == [release.released for release in releases("folder.toml", "app")]
    assert run("simulate", "git.toml").code in (0, 1)


@pytest.mark.usefixtures("repository")
def test_a_file_of_another_app_in_the_same_place_is_named_and_stays(run: Run) -> None:
    """Two policies in one folder whose apps have one name: the second is told how to keep them apart."""
    run("new", "p.toml", *FROM)
    shipped = Path("shipped/shop/7.10/network_security_config.xml")
    shipped.write_text("another")
    for there in (False, True):
        if there:
            policy = Path("p.toml")
            rest = [line for line in policy.read_text().splitlines() if 'version = "7.10"' not in line]
            policy.write_text("\n".join(rest) + "\n")
        ran = run("new", "p.toml" if there else "q.toml", *FROM)
        assert ran.code == 2
        assert "is there already and is not the file of v7.10" in ran.err
        assert "--path NAME=GLOB" in ran.err
    assert shipped.read_text() == "another"
    assert not Path("q.toml").exists()


@pytest.mark.usefixtures("repository")
def test_a_policy_that_was_thrown_away_is_made_again_over_the_same_files(run: Run) -> None:
    assert run("new", "p.toml", *FROM).code == 0
    Path("p.toml").unlink()
    assert run("new", "p.toml", *FROM).code == 0
