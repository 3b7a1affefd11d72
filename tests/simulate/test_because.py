"""Where a number comes from: the formula, the inputs, what moves it, and that it agrees."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotator.errors import UsageError
from rotator.simulate.because import PARTS, TOTALS, Because, because
from rotator.simulate.question import Answer
from rotator.workflows.opening import open_policy
from tests.cli.conftest import Run, run
from tests.desk import BASE, TODAY, Desk, app, ask
from tests.docs.sources import SAMPLES
from tests.docs.test_docs_samples import valid

__all__ = ["run"]
TEXT = (
    BASE
    + '[hosts.img]\nserves = "a-chain"\n[pinsets.q]\nprimary = "a"\n'
    + app("both", clients="{ low = 700, high = 900 }", more="hosts = { api = 1.0, img = 0.2 }")
    + app(
        "only-a", pinset="q", clients="100", more='hosts = ["api"]\ncounts = { source = "console", basis = "scaled" }'
    )
    + app("nobody", pinset="q", clients="0", more='hosts = ["api"]')
)


def explained(desk: Desk, path: str, *events: str) -> Because:
    return because(desk.ask(TEXT, *events), path)


def test_a_total_is_the_sum_of_its_cohorts_with_values_filled_in(desk: Desk) -> None:
    found = explained(desk, "broken", "key-loss:a", "serve:api:b")
    assert (found.value, found.low, found.high) == (280, 240, 280)
    assert found.formula == "broken = 700-900 of both (ours) x 0.2 + 100 of only-a (ours) = 240-280"
    assert [(one.path, one.basis, one.source, str(one.date)) for one in found.inputs] == [
        ("apps.both.clients", "measured", "", "2026-11-20"),
        ("apps.only-a.clients", "scaled", "console", "2026-11-20"),
    ]
    assert found.checks == (("the rows of the answer, added by cohort, give this total", True),)


def test_the_value_at_which_an_input_alone_crosses_the_budget(desk: Desk) -> None:
    """With that many clients the share is the budget, with more it is beyond."""
    text = TEXT.replace(", img = 0.2", "") + "[limits]\nbreak_budget = 0.05\n"
    (move,) = (m for m in because(desk.ask(text, "serve:api:b"), "broken").moves if m.path == "apps.only-a.clients")
    assert move.turns_at is not None
    for count, beyond in ((move.turns_at - 1, False), (move.turns_at + 1, True)):
        broken = desk.ask(text.replace("clients = 100", f"clients = {count}"), "serve:api:b").impact.broken
        assert broken.share is not None
        assert (broken.share > 0.05) is beyond


def test_no_value_crosses_the_budget_where_the_others_are_beyond_it(desk: Desk) -> None:
    found = explained(desk, "broken", "key-loss:a", "serve:api:b")
    assert [move.turns_at for move in found.moves] == [None, None]
    assert [move.change for move in found.moves] == [pytest.approx(18), pytest.approx(10)]


def test_a_verdict_names_what_is_enforced_what_was_shown_and_whose_rules(desk: Desk) -> None:
    desk.file("old.json", '{"api.example.com": []}')
    text = TEXT + app("filed", pinset="", more='config = "old.json"\nhosts = ["api"]')
    answer = desk.ask(text, "key-compromise:a")
    number = next(i for i, row in enumerate(answer.impact.rows) if row.connection.cohort.app == "both")
    found = because(answer, f"cohorts[{number}].verdict")
    assert found.value == "exposed"
    assert "pin a matches" in found.formula
    inputs = {one.path: one.what for one in found.inputs}
    assert inputs["hosts.api.serves"] == "the chain a-chain"
    assert inputs["pinsets.p"] == "what okhttp enforces: the pinset p"
    assert any(one.source.startswith("https://square.github.io/okhttp/") for one in found.inputs)
    number = next(i for i, row in enumerate(answer.impact.rows) if row.connection.cohort.app == "filed")
    shipped = because(answer, f"cohorts.{number}.why").inputs[0]
    assert (shipped.path, Path(shipped.file).name) == ("apps.filed.config", "old.json")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "brokn",
        "broken.shares",
        "cohorts",
        "cohorts[99].verdict",
        "cohorts[0].x",
        "ok.ok.ok",
        "broken[1]",
        "a\x1b[0m",
    ],
)
def test_a_path_that_leads_nowhere_is_told(desk: Desk, path: str) -> None:
    with pytest.raises(UsageError, match="the answer has no such"):
        explained(desk, path, "key-loss:a")


def test_a_number_nobody_knows_stays_unknown(desk: Desk) -> None:
    text = TEXT.replace("clients = 100", "")
    found = because(desk.ask(text, "serve:api:b"), "broken")
    assert found.value is None
    assert "? of only-a (ours)" in found.formula
    assert because(desk.ask(text), "population").value is None


def sample_answers() -> list[tuple[str, tuple[str, ...]]]:
    asked = {
        "storefront.toml": [(), ("key-compromise:api-2025",), ("key-loss:api-2025", "serve:api:api-next")],
        "intranet-bank.toml": [(), ("key-loss:core-2026",), ("revoke:core?clock=0h",)],
    }
    return [(path.name, events) for path in SAMPLES for events in asked[path.name]]


@pytest.mark.parametrize(("name", "events"), sample_answers())
def test_every_total_of_the_samples_agrees_when_it_is_added_up_again(name: str, events: tuple[str, ...]) -> None:
    path = next(path for path in SAMPLES if path.name == name)
    answer: Answer = ask(open_policy(str(path), TODAY), *events)
    for total in TOTALS:
        for part in PARTS:
            found = because(answer, f"{total}.{part}")
            assert all(agrees for _, agrees in found.checks), (total, found.formula)
            assert found.value == getattr(getattr(answer.impact, total), "high" if part == "clients" else part)
    assert all(agrees for _, agrees in because(answer, "population").checks)


def test_the_command_answers_the_same_question_as_simulate(desk: Desk, run: Run) -> None:
    desk.policy(TEXT)
    question = ("key-loss:a", "--serve", "api=b", "--at", "2026-12-01")
    numbers = run("simulate", "policy.toml", *question, "--json", "--no-report").json
    for path in ("broken", "exposed.share", "population", "cohorts[0].verdict", "cohorts[0].clients", "first_break"):
        answer = run("why", "policy.toml", path, *question, "--json")
        assert answer.code == 0
        valid(answer.json, "why")
        assert answer.json["path"] == path
    assert run("why", "policy.toml", "broken", *question, "--json").json["value"] == numbers["broken"]["clients"]
    text = run("why", "policy.toml", "broken", *question)
    assert "STANDS ON" in text.out
    assert "agrees" in text.out
    wrong = run("why", "policy.toml", "brokn", *question)
    assert (wrong.code, "did you mean broken?" in wrong.err) == (2, True)
