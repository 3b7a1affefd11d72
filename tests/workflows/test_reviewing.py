"""What a change to a policy does, held against git or a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, run
from tests.desk import BASE, Desk, app
from tests.docs.test_docs_samples import valid
from tests.minting import chain_pem, intermediate, mint, pin_text, root
from tests.repositories import Repository

__all__ = ["run"]
RELEASES = """\
[apps.shop]
mechanism = "okhttp"
trust = "ours"
releases = [
  { version = "2", released = 2026-05-01, pinset = "p", clients = 74_000 },
  { version = "1", released = 2025-05-01, config = "old.json", clients = 1_000 },
]
"""
TEXT = BASE + RELEASES
OLD = json.dumps({"api.example.com": [pin_text("a"), pin_text("b")]})


class Work:
    """A repository with a policy in a folder of it, committed once."""

    def __init__(self, folder: Path) -> None:
        """Commit the desk's files and the policy."""
        self.desk = Desk(folder)
        self.desk.file("old.json", OLD)
        self.desk.policy(TEXT)
        self.repository = Repository(folder / "elsewhere")
        (folder / "elsewhere" / ".git").rename(folder / ".git")
        self.repository.folder = folder
        self.repository.commit({}, "2026-11-01T00:00:00Z", "before")

    def change(self, *pairs: tuple[str, str]) -> None:
        """Change the policy in the working tree."""
        text = TEXT
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        self.desk.policy(text)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """Give a committed policy."""
    return Work(tmp_path)


def test_numbers_that_stand_on_something_else_are_said(work: Work, run: Run) -> None:
    """Counts that are called measured where they were assumed change no verdict, and what every number stands on."""
    work.change(
        (
            'mechanism = "okhttp"\ntrust',
            'mechanism = "okhttp"\ncounts = { basis = "assumed", source = "a guess" }\ntrust',
        )
    )
    code, out = review(run)
    assert code == 0
    assert "apps.shop.counts: new, source=a guess basis=assumed spread=measured" in out


def review(run: Run, *more: str) -> tuple[int, str]:
    ran = run("review", "policy.toml", "--base", "before", *more)
    assert ran.code in (0, 1), ran.err
    return ran.code, ran.out


@pytest.mark.parametrize("text", [TEXT, "# a word\n" + TEXT.replace("74_000", "74000")], ids=["same", "spelling"])
@pytest.mark.usefixtures("work")
def test_what_means_the_same_is_no_difference(run: Run, work: Work, text: str) -> None:
    work.desk.policy(text)
    code, out = review(run)
    assert code == 0
    assert out.splitlines()[2] == "**No difference: nothing that matters to a verdict changed.**"


def test_a_pin_that_goes_away_is_told_in_users_first_and_fails(run: Run, work: Work) -> None:
    """One line of text that takes the way out from 75,000 people says so in its first line."""
    work.change(('backups = ["b"]\n', ""))
    code, out = review(run)
    assert code == 1
    lines = out.splitlines()
    assert lines[0] == "# Review of policy against before"
    assert lines[2].startswith("**WORSE: 75,000 newly broken if a lost")
    assert "shop 2: removes b" in out
    assert "pinsets.p.backups: b -\\> nothing" in out
    answer = run("review", "policy.toml", "--base", "before", "--json").json
    valid(answer, "review")
    lost = next(row for row in answer["drill"] if row["kind"] == "primary-lost")
    assert (lost["newly"]["broken"]["clients"], lost["who"]) == (75_000, ["shop 2 (ours)", "shop 1 (ours)"])
    assert answer["worse"] is True
    assert {f["id"] for f in answer["findings"]["new"]} >= {"single-pin", "no-usable-backup"}


def test_the_way_back_is_not_worse(run: Run, work: Work) -> None:
    work.change(('backups = ["b"]\n', ""))
    Path("policy.toml").rename("poorer.toml")
    work.desk.policy(TEXT)
    ran = run("review", "policy.toml", "--base", "poorer.toml")
    assert ran.code == 0
    assert "NOT WORSE: nobody is newly broken or exposed" in ran.out
    assert "Findings gone" in ran.out
    assert "adds b" in ran.out


def test_files_that_the_policy_names_are_those_of_their_time(run: Run, work: Work) -> None:
    """A shipped file or a chain that changed is a difference though the policy's own text is the same."""
    work.desk.file("old.json", json.dumps({"api.example.com": [pin_text("zebra")]}))
    code, out = review(run)
    assert code == 1
    assert "1,000 newly broken today" in out
    assert "shop 1: adds " in out
    work.desk.file("old.json", OLD)
    ica = intermediate("ica", root("root"))
    work.desk.file("a.pem", chain_pem(mint("zebra", ica, names=["api.example.com"]), ica))
    out = review(run)[1]
    assert "1,000 newly broken today" in out
    assert f"shop 2: adds a ({pin_text('zebra')[:18]}" in out.replace("\\", "")


def test_a_host_that_joins_changes_only_what_is_pinned_for_it(run: Run, work: Work) -> None:
    work.desk.file("old.json", json.dumps({**json.loads(OLD), "img.example.com": [pin_text("b"), pin_text("c")]}))
    out = review(run)[1]
    (line,) = [line for line in out.splitlines() if line.startswith("- shop 1")]
    assert line.startswith("- shop 1: adds b for img.example.com, sha256/")
    assert "removes" not in line


def test_a_new_release_on_top_moves_no_finding_and_is_held_against_the_one_before(run: Run, work: Work) -> None:
    """Findings and users are known by the version, not by the place in the list."""
    work.change(
        (
            "releases = [\n",
            'releases = [\n  { version = "3", released = 2026-11-20, pinset = "p", clients = 10_000 },\n',
        ),
        ("clients = 74_000", "clients = 64_000"),
    )
    code, out = review(run)
    assert code == 0, out
    assert "NOT WORSE" in out
    assert "shop 3: new, adds a, b" in out
    assert "New findings" not in out
    assert "shop 3 is released: new, 2026-11-20" in out


def test_a_finding_about_a_release_stays_the_same_when_its_place_moves(run: Run, work: Work) -> None:
    text = TEXT.replace('"okhttp"', '"android-nsc"').replace('config = "old.json"', 'pinset = "p"')
    text = text.replace(
        'backups = ["b"]\n', 'backups = ["b"]\nexpires = 2026-12-30\n[pinsets.q]\nprimary = "a"\nbackups = ["b"]\n'
    )
    work.desk.policy(text, "older.toml")
    work.desk.policy(text.replace("releases = [", 'releases = [\n  { version = "3", pinset = "q", clients = 5 },'))
    ran = run("review", "policy.toml", "--base", "older.toml", "--json")
    ids = {kind: [f["id"] for f in ran.json["findings"][kind]] for kind in ("new", "gone")}
    assert "pins-expire" in {f["id"] for f in run("check", "policy.toml", "--json").json["findings"]}
    assert "pins-expire" not in ids["new"] + ids["gone"]


def test_a_new_release_that_is_worse_than_the_one_before_is_told(run: Run, work: Work) -> None:
    work.change(
        (
            "releases = [\n",
            'releases = [\n  { version = "3", pinset = "q", clients = 10_000 },\n',
        ),
        ("[pinsets.p]", '[pinsets.q]\nprimary = "a"\n[pinsets.p]'),
    )
    code, out = review(run)
    assert code == 1
    assert "10,000 newly broken if a lost" in out


def test_limits_and_overrides_stand_on_top(run: Run, work: Work) -> None:
    work.change(
        ("measured = 2026-11-20\n", "measured = 2026-11-20\n[limits]\nbreak_budget = 0.02\nsafety_days = 5\n"),
        (
            "[apps.shop]",
            '[[allow]]\nfinding = "no-expiry"\nreason = "by hand <b>"\n[apps.shop]',
        ),
    )
    code, out = review(run)
    assert code == 0
    headings = [line for line in out.splitlines() if line.startswith("## ")]
    assert headings[0] == "## Limits and overrides"
    assert "limits.break\\_budget: 0.005 -\\> 0.02 (looser)" in out
    assert "limits.safety\\_days: 3 -\\> 5\n" in out
    assert "allow no-expiry everywhere: by hand \\<b\\>, without an end" in out


def test_dates_that_moved(run: Run, work: Work) -> None:
    work.change(('backups = ["b"]\n', 'backups = ["b"]\nexpires = 2027-06-30\n'), ("2025-05-01", "2025-05-02"))
    _, out = review(run)
    assert "shop 1 is released: 2025-05-01 -\\> 2025-05-02" in out
    assert "pinset p ends: new, 2027-06-30" in out


def test_a_review_stays_under_sixty_lines_and_counts_what_it_leaves_out(run: Run, work: Work) -> None:
    """Fifty versions, each with a pin of its own, and as many keys."""
    names = [f"k{number}" for number in range(50)]
    keys = "".join(f'{name} = {{ spki = "{pin_text(name)}" }}\n' for name in names)
    pinsets = "".join(f'[pinsets.{name}]\nprimary = "{name}"\n' for name in names)
    apps = "".join(app(f"app-{name}", pinset=name) for name in names)
    work.desk.policy(TEXT.replace("[authorities]", keys + "[authorities]") + pinsets + apps)
    code, out = review(run)
    assert code == 1
    assert len(out.splitlines()) < 60
    assert "more" in out
    answer = run("review", "policy.toml", "--base", "before", "--json").json
    assert len(answer["pins"]) == 50


def test_includes_and_folders_above_are_those_of_their_time(run: Run, work: Work) -> None:
    work.desk.file("shared/pki.toml", '[keys]\nz = { spki = "' + pin_text("z") + '", custody = "x" }\n')
    work.desk.file("apps/policy.toml", 'schema = 1\ninclude = ["../shared/pki.toml"]\n')
    work.repository.commit({}, "2026-11-02T00:00:00Z", "now")
    work.desk.file("shared/pki.toml", '[keys]\nz = { spki = "' + pin_text("z") + '", custody = "y" }\n')
    ran = run("review", "apps/policy.toml", "--base", "now")
    assert ran.code == 0, ran.err
    assert "keys.z.custody: x -\\> y" in ran.out


def test_a_file_that_git_does_not_have_is_taken_as_it_is_and_told(run: Run, work: Work) -> None:
    work.repository.git("rm", "-q", "--cached", "old.json")
    work.repository.commit({".gitignore": "old.json\n"}, "2026-11-02T00:00:00Z", "now")
    ran = run("review", "policy.toml", "--base", "now")
    assert (ran.code, "old.json: git did not have it then" in ran.err) == (0, True)


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("nothing", "git knows no commit by this name"),
        ("--output=x", "argument"),
        ("", "not a name that git knows"),
        ("a\nb", "git knows no commit by this name"),
    ],
)
@pytest.mark.usefixtures("work")
def test_a_base_that_is_none_is_told(run: Run, base: str, said: str) -> None:
    ran = run("review", "policy.toml", "--base", base)
    assert ran.code == 2
    assert said in ran.err


def test_a_policy_that_is_new_has_nothing_before_it(run: Run, work: Work) -> None:
    work.desk.policy(TEXT, "fresh.toml")
    ran = run("review", "fresh.toml", "--base", "before")
    assert ran.code == 2
    assert "before:fresh.toml: has no such file" in ran.err


def test_a_broken_base_is_named_as_git_names_it(run: Run, work: Work) -> None:
    work.repository.commit({"policy.toml": "schema = 1\nexpries = 1\n"}, "2026-11-02T00:00:00Z", "broken")
    work.desk.policy(TEXT)
    ran = run("review", "policy.toml", "--base", "broken")
    assert ran.code == 2
    assert "broken:policy.toml: expries: unknown key" in ran.err


def test_outside_of_a_repository_only_files_will_do(run: Run, desk: Desk) -> None:
    desk.file("old.json", OLD)
    desk.policy(TEXT)
    desk.policy(TEXT, "other.toml")
    assert "not a git repository" in run("review", "policy.toml", "--base", "main").err
    assert run("review", "policy.toml", "--base", "other.toml").code == 0
