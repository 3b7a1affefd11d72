"""stdout has the result and nothing else, stderr the talk; --ascii is ASCII; options stand anywhere."""

from __future__ import annotations

import itertools

import pytest

from tests.cli.conftest import Run
from tests.desk import BASE, Desk, app

TEXT = BASE.replace("schema = 1\n", 'schema = 1\nname = "Ladefläche 你好"\n') + app("shop")
COMMANDS = [
    ("policy.toml",),
    ("check", "policy.toml"),
    ("check", "policy.toml", "--json"),
    ("simulate", "policy.toml", "key-compromise:a", "serve:api:b"),
    ("simulate", "policy.toml", "key-compromise:a", "--json"),
    ("simulate", "policy.toml", "key-loss:a", "--until", "2026-12-01"),
    ("drill", "policy.toml"),
    ("now", "policy.toml", "--revoked", "api"),
    ("export", "policy.toml", "--promote", "b"),
    ("report", "list", "policy.toml"),
    ("report", "show", "policy.toml", "last"),
    ("report", "show", "policy.toml", "last", "--format", "json"),
    ("new", "new.toml", "a.pem"),
    ("import", "okhttp", "pins.json"),
    ("check", "none.toml"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_ascii_is_pure_ascii_on_both_streams(desk: Desk, run: Run, words: tuple[str, ...]) -> None:
    desk.policy(TEXT)
    desk.file("pins.json", '{"café.example.com": []}')
    run("simulate", "policy.toml", "key-loss:a")
    ran = run(*words, "--ascii")
    assert ran.out.isascii()
    assert ran.err.isascii()
    assert ran.out or ran.err


def test_without_it_text_is_as_people_wrote_it(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    ran = run("simulate", "policy.toml", "key-compromise:a")
    assert "Ladefläche 你好" in ran.out
    assert "▲" in ran.out
    assert "\x1b" not in ran.out


def test_the_summary_is_ascii_80_columns_and_under_50_lines(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    ran = run("policy.toml")
    lines = ran.out.splitlines()
    assert ran.out.isascii()
    assert max(map(len, lines)) <= 80
    assert len(lines) < 50


@pytest.mark.parametrize(
    ("words", "result", "talk"),
    [
        (("check", "policy.toml"), "0 findings", "nothing found"),
        (("simulate", "policy.toml", "key-loss:a"), "1,000", "kept as report"),
        (("simulate", "policy.toml", "key-loss:a"), "1,000", "beyond budget"),
        (("export", "policy.toml"), "FILES", "nothing was written"),
        (("export", "policy.toml", "--promote", "b", "--drop", "b"), "UNSAFE", "refused"),
        (("import", "okhttp", "pins.json"), "schema = 1", "nothing-pinned"),
        (("new", "new.toml", "a.pem"), "schema = 1", "written: new.toml"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_results_and_talk_go_apart(desk: Desk, run: Run, words: tuple[str, ...], result: str, talk: str) -> None:
    desk.policy(BASE + app("shop"))
    desk.file("pins.json", "{}")
    ran = run(*words)
    assert result in ran.out
    assert talk in ran.err
    assert talk not in ran.out


def test_errors_leave_stdout_empty(desk: Desk, run: Run) -> None:
    ran = run("check", desk.policy("schema = 1\nx = 1\n"))
    assert ran.out == ""
    assert ran.err.startswith("error: ")


def test_options_stand_before_between_and_after_what_they_are_about(desk: Desk, run: Run) -> None:
    desk.policy(BASE + app("shop"))
    words = ["policy.toml", "key-compromise:a", "serve:api:b"]
    option = ["--at", "2026-12-01"]
    results = set()
    for place in range(len(words) + 1):
        ran = run("simulate", "--no-report", *words[:place], *option, *words[place:], "--json")
        results.add((ran.code, ran.out))
    assert len(results) == 1
    assert "2026-12-01T00:00:00Z" in results.pop()[1]


def test_every_order_of_several_options_is_the_same(desk: Desk, run: Run) -> None:
    desk.policy(BASE + app("shop"))
    parts = [["key-compromise:a"], ["--totals"], ["--serve", "api=b"], ["policy.toml", "key-loss:b"]]
    results = set()
    for order in itertools.permutations(parts):
        flat = [word for part in order for word in part]
        first = [word for word in flat if not word.endswith(".toml")]
        ran = run("simulate", "policy.toml", "--json", "--no-report", *first)
        results.add(tuple(sorted(ran.json["events"])))
    assert results == {("key-compromise:a", "key-loss:b", "serve:api:b")}


def test_serving_by_option_is_serving_by_action(desk: Desk, run: Run) -> None:
    desk.policy(BASE + app("shop"))
    by_option = run("simulate", "policy.toml", "--serve", "api=b@2026-12-01", "--json", "--no-report")
    by_action = run("simulate", "policy.toml", "serve:api:b@2026-12-01", "--json", "--no-report")
    assert by_option.json == by_action.json


def test_a_policy_alone_is_the_summary(desk: Desk, run: Run) -> None:
    desk.policy(BASE + app("shop"))
    assert run("policy.toml").out == run("open", "policy.toml").out


def test_no_report_keeps_none(desk: Desk, run: Run) -> None:
    desk.policy(BASE + app("shop"))
    run("simulate", "policy.toml", "key-loss:a", "--no-report")
    run("simulate", "policy.toml")
    assert not (desk.folder / "policy.rotator").exists()


def test_a_report_that_cannot_be_kept_does_not_hide_the_answer(desk: Desk, run: Run) -> None:
    desk.policy(BASE + app("shop"))
    desk.file("policy.rotator", b"")
    ran = run("simulate", "policy.toml", "key-loss:b")
    assert ran.code == 0
    assert "Nobody breaks" in ran.out
    assert "no report kept" in ran.err
