"""Files brought in on the screen, where numbers come from, and a first policy: by keys alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from rotator.model.policy import Count
from rotator.tui.start import StartApp
from rotator.workflows.opening import open_policy
from tests.repositories import Repository
from tests.tui.piloting import LARGE, NOW, SMALL, copy_of, drive, planner, press, shown, typed

PLAY = (
    "Date,Package Name,App Version Code,Active Device Installs\n"
    "2026-11-20,com.example.shop,70400,900000\n"
    "2026-11-20,com.example.shop,70200,400000\n"
)
OWN = "app,version,os,clients\nshop-android,7.4.0,,1000000\nshop-android,7.2.0,,500000\nshop-android,6.8.0,,100\n"


@pytest.fixture
def policy(tmp_path: Path) -> str:
    return copy_of("storefront.toml", tmp_path)


def choose(name: str) -> str:
    """Give the keys that choose a file by its path from the folder that the picker begins in."""
    return f"slash {typed('./' + name)} enter ."


# --- the picker -------------------------------------------------------------------------------------------------------


def test_files_are_chosen_by_folders_and_marks_and_told_apart_by_content(policy: str) -> None:
    folder, pem, two = drive(planner(policy), "i . o .", "right right .", "space . enter .")
    assert "incidents/" in folder
    assert "a PEM chain of 1 certificate" in pem
    assert "addtrust-cross-sign.pem" in two


def test_a_filter_in_the_picker_keeps_names_with_its_words(policy: str) -> None:
    [screen] = drive(planner(policy), f"i . o . slash {typed('mint')}")
    assert "mint.py" in screen
    assert "intranet-bank.toml" not in screen


def test_leaving_the_picker_brings_nothing(policy: str) -> None:
    [screen] = drive(planner(policy), "i . o . escape .")
    assert "no files yet" in screen


# --- import -----------------------------------------------------------------------------------------------------------


def test_counts_are_shown_before_they_are_written_and_then_are_in_the_policy(policy: str, tmp_path: Path) -> None:
    counts = Path(policy).parent / "counts.csv"
    counts.write_text(OWN)
    before = Path(policy).read_bytes()
    seen, asked = drive(planner(policy), f"i . o . {choose(counts.name)}", "w .", size=LARGE)
    assert "counts.csv" in seen
    assert "1,000,000" in seen
    assert "w writes" in seen
    assert "Write the counts into the policy" in asked
    assert Path(policy).read_bytes() == before
    drive(planner(policy), f"i . o . {choose(counts.name)} w . y .")
    releases = open_policy(policy, NOW.date()).policy.apps["shop-android"].releases
    assert sum(r.clients.high for r in releases if r.version == "7.4.0" and isinstance(r.clients, Count)) == 1_000_000


def test_what_counts_do_not_say_is_stated_in_the_words_of_the_command_line(policy: str, tmp_path: Path) -> None:
    counts = Path(policy).parent / "t.csv"
    counts.write_text("Release,Users\n7.4.0,900\n7.2.0,100\n")
    columns = typed("--columns version=Release,clients=Users")
    before, after = drive(
        planner(policy),
        f"i . o . {choose(counts.name)}",
        f"enter . {typed('shop-android')} enter . t . {columns} enter .",
        size=LARGE,
    )
    assert "no file of user counts that is known" in before
    assert "7.4.0" in after
    assert "900" in after


def test_a_shipped_pin_file_becomes_a_release_once_its_version_is_said(policy: str, tmp_path: Path) -> None:
    shipped = Path(policy).parent / "nsc.xml"
    shipped.write_bytes((Path(policy).parent / "storefront/shipped/android-7.2.0/nsc.xml").read_bytes())
    unsaid, said = drive(
        planner(policy),
        f"i . o . {choose(shipped.name)}",
        f"enter . {typed('shop-android:7.3.0')} enter .",
        size=LARGE,
    )
    assert "a shipped pin file of android-nsc" in unsaid
    assert "nobody said which app and version" in unsaid
    assert "1 new release" in said
    assert "7.3.0" in said
    drive(planner(policy), f"i . o . {choose(shipped.name)} enter . {typed('shop-android:7.3.0')} enter . w . y .")
    releases = [r.version for r in open_policy(policy, NOW.date()).policy.apps["shop-android"].releases]
    assert "7.3.0" in releases


def test_a_chain_is_compared_with_the_host_it_is_for_and_kept(policy: str) -> None:
    seen, written = drive(planner(policy), f"i . o . {choose('storefront/pki/warehouse.pem')}", "w . y .", size=LARGE)
    assert "1 of 1 hosts serve what the policy says" in seen
    assert "no files yet" in written
    assert list((Path(policy).parent / "storefront.rotator").rglob("*.pem"))


def test_a_file_that_is_nothing_says_so_and_is_not_written(policy: str, tmp_path: Path) -> None:
    junk = Path(policy).parent / "x.bin"
    junk.write_bytes(b"\x00\x01\x02junk")
    [screen] = drive(planner(policy), f"i . o . {choose(junk.name)} w .", size=LARGE)
    assert "Cannot be used as it is" in screen


def test_a_private_key_is_refused_and_never_shown(policy: str, tmp_path: Path) -> None:
    key = Path(policy).parent / "k.pem"
    key.write_text("-----BEGIN PRIVATE KEY-----\nc2VjcmV0c2VjcmV0\n-----END PRIVATE KEY-----\n")
    [screen] = drive(planner(policy), f"i . o . {choose(key.name)}", size=LARGE)
    assert "Rotator never reads one" in screen
    assert "c2VjcmV0" not in screen


def test_what_was_pasted_is_compared_too(policy: str) -> None:
    text = (Path(policy).parent / "storefront/pki/warehouse.pem").read_text()
    app = planner(policy)

    async def run() -> str:
        async with app.run_test(size=LARGE) as pilot:
            await press(pilot, ". i . p .")
            app.screen.query_one("TextArea").text = text  # type: ignore[attr-defined]  # the box that is pasted into
            await press(pilot, "ctrl+s .")
            return shown(app)

    assert "1 of 1 hosts serve what the policy says" in asyncio.run(run())


# --- why --------------------------------------------------------------------------------------------------------------


def test_enter_on_a_number_of_the_summary_says_where_it_comes_from(policy: str) -> None:
    [screen] = drive(planner(policy), "0 . down enter .", size=LARGE)
    assert "broken = " in screen
    assert "STANDS ON" in screen
    assert "measured" in screen
    assert "2026-11-20" in screen


def test_left_and_right_go_to_the_other_numbers_of_the_answer(policy: str) -> None:
    broken, other = drive(planner(policy), "0 . down enter .", "left .", size=LARGE)
    assert "broken = " in broken
    assert "population = " in other


def test_a_line_of_the_summary_is_played_in_what_if(policy: str) -> None:
    [screen] = drive(planner(policy), "0 . down down o .")
    assert "key-compromise" in screen
    assert "serve api-2026" in screen


# --- a first policy ---------------------------------------------------------------------------------------------------


def begin(folder: Path, *steps: str, size: tuple[int, int] = SMALL) -> tuple[list[str], StartApp]:
    """Run the guided start in a folder, and give the screen after each step."""
    app = StartApp(str(folder / "my.toml"), NOW, ascii_only=False, no_color=False)
    seen: list[str] = []

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await press(pilot, ".")
            for step in steps:
                await press(pilot, step)
                strips = app.screen._compositor.render_strips()
                seen.append("\n".join("".join(s.text for s in strip).rstrip() for strip in strips))

    asyncio.run(run())
    return seen, app


def test_a_first_policy_is_made_of_a_shipped_file_by_keys_alone(tmp_path: Path) -> None:
    shipped = Path(copy_of("storefront.toml", tmp_path)).parent / "storefront/shipped/android-7.2.0/nsc.xml"
    (tmp_path / "n.xml").write_bytes(shipped.read_bytes())
    seen, app = begin(tmp_path, "", f"o . {choose('n.xml')}", f"enter . {typed('shop:7.2.0')} enter .", "w .", "y .")
    assert "my.toml is not there yet" in seen[0]
    assert "a shipped pin file" in seen[1]
    assert "shop:7.2.0" in seen[2]
    assert "Write " in seen[3]
    assert app.return_value == str(tmp_path / "my.toml")
    assert "shop" in open_policy(str(tmp_path / "my.toml"), NOW.date()).policy.apps


def test_tags_of_a_repository_become_releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    nsc = Path(copy_of("storefront.toml", tmp_path)).parent / "storefront/shipped/android-7.2.0/nsc.xml"
    own = Repository(tmp_path / "repo")
    own.commit({"res/network_security_config.xml": nsc.read_text()}, "2026-01-01T00:00:00Z", "v1.0")
    own.commit({"x": "1"}, "2026-02-01T00:00:00Z", "v1.1")
    keys = f"t . {typed('repo')} enter . enter . enter ."
    seen, app = begin(tmp_path, keys, "w . y .", size=LARGE)
    assert "v1.0:res/network_security_config.xml" in seen[0]
    assert app.return_value
    versions = [r.version for r in open_policy(str(tmp_path / "my.toml"), NOW.date()).policy.apps["android"].releases]
    assert versions == ["1.1", "1.0"]


def test_leaving_the_start_writes_nothing(tmp_path: Path) -> None:
    _, app = begin(tmp_path, "q")
    assert app.return_value == ""
    assert not (tmp_path / "my.toml").exists()
