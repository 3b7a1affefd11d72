"""Where a number comes from: the formula, the inputs, what moves it, and that it agrees."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from rotator.errors import UsageError
from rotator.model.policy import Count
from rotator.report.because import MOST_INPUTS, to_document
from rotator.report.text import render
from rotator.simulate.because import DAILY, PARTS, TOTALS, Because, because
from rotator.simulate.question import Answer
from rotator.workflows.opening import open_policy
from rotator.workflows.simulating import Asked, simulate
from tests.cli.conftest import Run, run
from tests.desk import BASE, NOW, TODAY, Desk, app, ask
from tests.docs.sources import SAMPLES
from tests.docs.test_docs_samples import valid
from tests.minting import instant, mint, root

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


def test_a_value_that_crosses_the_budget_counts_who_of_it_uses_the_host(desk: Desk) -> None:
    """Only a fifth of them use the host that breaks, so the others of them are among those who are well."""
    text = TEXT.replace("{ low = 700, high = 900 }", "400") + "[limits]\nbreak_budget = 0.1\n"
    (move,) = because(desk.ask(text), "broken").moves
    assert (move.path, move.turns_at) == ("apps.both.clients", 100)
    for count, beyond in ((95, False), (106, True)):
        share = desk.ask(text.replace("clients = 400", f"clients = {count}")).impact.broken.share
        assert share is not None
        assert (share > 0.1) is beyond


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
        "days[0].broken",
        "renewals[0].per_year",
        "first_break.verdict",
        "days[0].ok",
        "broken[1]",
        "a\x1b[0m",
    ],
)
def test_a_path_that_leads_nowhere_is_told(desk: Desk, path: str) -> None:
    with pytest.raises(UsageError, match="the answer has no"):
        explained(desk, path, "key-loss:a")


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("brokn", "did you mean broken"),
        ("broken.shares", "did you mean broken.share or"),
        ("cohort[1].verdict", "did you mean cohorts[1].verdict or"),
        ("cohorts.1.verdit", "did you mean cohorts[1].verdict"),
        ("cohorts[99].verdict", "cohorts[0] to cohorts["),
        ("day[2026-12-02].broke", "did you mean days[2026-12-02].broken"),
        ("days[2026-11-01].broken", "a day from 2026-11-20 to 2026-12-24"),
        ("days[40].broken", "days[0] to days[34]"),
        ("xyzzy", "known: population, ok,"),
    ],
)
def test_a_path_that_leads_nowhere_is_told_with_the_nearest_that_lead_somewhere(
    desk: Desk, path: str, hint: str
) -> None:
    picture = open_policy(desk.policy(TEXT), TODAY)
    answer = simulate(
        picture, Asked(events=("key-loss:a",), until=instant("2026-12-24"), at=instant("2026-11-20")), NOW
    )
    with pytest.raises(UsageError) as raised:
        because(answer, path)
    assert hint in str(raised.value)


def test_a_day_is_explained_by_its_number_and_by_its_date(desk: Desk) -> None:
    """Both name the same day; what breaks later that day counts, and what breaks the next does not."""
    picture = open_policy(desk.policy(TEXT.replace(", img = 0.2", "")), TODAY)
    asked = Asked(events=("serve:api:b@2026-12-02T10:00:00Z",), until=instant("2026-12-24"), at=instant("2026-12-01"))
    answer = simulate(picture, asked, NOW)
    assert because(answer, "days[0].broken").value == 0
    for path in ("days[1].broken", "days[2026-12-02].broken", "days[2026-12-24].broken"):
        found = because(answer, path)
        assert found.formula == "broken = 100 of only-a (ours) = 100"
        assert found.checks == (("the rows of the answer, added by cohort, give this total", True),)
    for number, day in enumerate(answer.days):
        for total in DAILY:
            found = because(answer, f"days[{number}].{total}.share")
            assert (found.value, all(agrees for _, agrees in found.checks)) == (day.totals[total].share, True)


def test_the_odds_of_a_renewal_are_explained_by_the_pool(desk: Desk) -> None:
    pool = "issuer_pool = { ica = 0.75, other = 0.25 }\nrenew_days = 90\n"
    text = TEXT.replace('serves = "a-chain"\n', 'serves = "a-chain"\n' + pool, 1)
    desk.file("other.pem", mint("other", root("root"), ca=True, path_length=0).pem)
    text += '[authorities.other]\ncertificate = "other.pem"\n'
    answer = desk.ask(text, "renew:api")
    assert answer.odds
    found = because(answer, "renewals[0].per_year")
    assert found.value == answer.odds[0].per_year
    assert "1 - (1 - " in found.formula
    assert {one.path for one in found.inputs} == {"hosts.api.issuer_pool", "hosts.api.renew_days"}


def test_the_answer_itself_says_where_its_totals_come_from(desk: Desk, run: Run) -> None:
    """`because` of `simulate --json` is what `why` says, for the population and every total."""
    desk.policy(TEXT)
    question = ("key-loss:a", "--serve", "api=b")
    numbers = run("simulate", "policy.toml", *question, "--json", "--no-report").json
    valid(numbers, "simulate")
    for name in ("population", *TOTALS):
        own = {**numbers["because"][name]}
        assert own.pop("left_out") == 0
        told = run("why", "policy.toml", name, *question, "--json").json
        assert own == {key: told[key] for key in own}
    assert numbers["because"]["broken"]["formula"].startswith("broken = 700-900 of both (ours) x 0.2 + 100")


def test_an_answer_says_how_many_inputs_it_leaves_out(desk: Desk, run: Run) -> None:
    desk.policy(BASE + "".join(app(f"app-{number}", clients="10") for number in range(MOST_INPUTS + 3)))
    own = run("simulate", "policy.toml", "--json", "--totals").json["because"]["population"]
    assert (len(own["inputs"]), own["left_out"], own["value"]) == (MOST_INPUTS, 3, 10 * (MOST_INPUTS + 3))


def test_numbers_of_a_check_are_explained_too(desk: Desk, run: Run) -> None:
    """A finding says what it is about and on whose counts it stands; a date says where it was read."""
    desk.policy(TEXT + app("lone", pinset="lone") + '[pinsets.lone]\nprimary = "a"\n')
    checked = run("check", "policy.toml", "--json").json
    for number, finding in enumerate(checked["findings"]):
        answer = run("why", "policy.toml", f"findings[{number}].message", "--json").json
        valid(answer, "why")
        assert answer["value"] == finding["message"]
        assert answer["inputs"][0]["path"] == finding["subject"]
    for number, item in enumerate(checked["calendar"]):
        assert run("why", "policy.toml", f"calendar[{number}]", "--json").json["value"] == item["date"]
    assert "findings[0] to findings[" in run("why", "policy.toml", "findings[999]").err
    assert "did you mean calendar[0].date" in run("why", "policy.toml", "calendar[0].dat").err
    assert run("why", "policy.toml", "days[2026-12-24].broken").code == 0


def test_a_finding_about_some_versions_of_an_app_stands_on_their_counts(desk: Desk, run: Run) -> None:
    """1.1 is not 1.10: only versions that the message names as they are."""
    releases = "releases = [" + ", ".join(
        f'{{ version = "{version}", pinset = "{pinset}", clients = {clients} }}'
        for version, pinset, clients in (("1.10", "p", 900), ("1.1", "gone", 70), ("1.0", "gone", 5))
    )
    text = (
        BASE + '[pinsets.gone]\nprimary = "b"\n[apps.shop]\nmechanism = "okhttp"\ntrust = "ours"\n' + releases + "]\n"
    )
    desk.policy(text)
    findings = run("check", "policy.toml", "--json").json["findings"]
    number = next(i for i, f in enumerate(findings) if f["id"] == "breaks-now")
    inputs = run("why", "policy.toml", f"findings[{number}]", "--json").json["inputs"]
    assert [one["low"] for one in inputs if one["basis"]] == [70, 5]


def test_a_share_is_told_with_the_numbers_that_make_it(desk: Desk) -> None:
    answer = desk.ask(TEXT, "key-loss:a", "serve:api:b")
    assert because(answer, "broken.share").formula.endswith("= 240-280; share = 280 / (280 + 560 others)")
    ok = because(answer, "ok.share")
    assert ok.formula.endswith(f"share = {answer.impact.ok.high} / 1,000")
    assert [agrees for _, agrees in ok.checks] == [True, True]


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
    assert (wrong.code, "did you mean broken" in wrong.err) == (2, True)


MOVING = (
    BASE
    + """[apps.shop]
mechanism = "okhttp"
trust = "ours"
adoption = { never = 0.2, fast = 0.5, fast_days = 1, slow_days = 30 }
rollout = "at-once"
counts = { source = "console", basis = "scaled" }
releases = [
  { version = "2", released = 2026-11-25, pinset = "p" },
  { version = "1", clients = 100_000, pinset = "q" },
]
[pinsets.q]
primary = "a"
"""
)
LEFT = round(100_000 * (0.2 + 0.5 * math.exp(-30) + 0.3 * math.exp(-1)))


def test_a_forecast_says_what_was_counted_and_which_curve_moved_it_to_when(desk: Desk) -> None:
    found = because(desk.ask(MOVING, "serve:api:b", at="2026-12-25"), "broken")
    assert found.value == LEFT
    counts, *curve = found.inputs
    assert (counts.path, counts.basis, counts.source) == ("apps.shop.releases[1].clients", "scaled", "console")
    assert counts.counted == Count(low=100_000, high=100_000)
    assert counts.moved == (
        "counted 100,000 on 2026-11-20; moved by the curve of shop (as the policy states it) to 2026-12-25 "
        f"gives {LEFT:,}"
    )
    assert [(one.path, one.value, one.basis) for one in curve] == [
        ("apps.shop.adoption.never", 0.2, "assumed"),
        ("apps.shop.adoption.fast", 0.5, "assumed"),
        ("apps.shop.adoption.fast_days", 1, "assumed"),
        ("apps.shop.adoption.slow_days", 30, "assumed"),
    ]
    assert all(agrees for _, agrees in found.checks)


def test_numbers_of_a_curve_are_among_what_moves_a_forecast_most(desk: Desk) -> None:
    """A tenth of the count moves a tenth of those left; a tenth of `never` keeps .02 x (1 - 1/e) of all more."""
    moves = {m.path: m.change for m in because(desk.ask(MOVING, "serve:api:b", at="2026-12-25"), "broken").moves}
    assert moves["apps.shop.releases[1].clients"] == pytest.approx(LEFT / 10, abs=1)
    assert moves["apps.shop.adoption (fast)"] == pytest.approx(-100_000 * 0.05 * math.exp(-1), abs=2)
    assert moves["apps.shop.adoption (never)"] == pytest.approx(100_000 * 0.02 * (1 - math.exp(-1)), abs=2)


def test_what_one_count_makes_of_a_forecast_is_told_at_its_own_place(desk: Desk) -> None:
    """Nobody was counted on the release that went out since: who is there now was counted on the one before."""
    found = because(desk.ask(MOVING, "strip:api", "key-compromise:a", at="2026-12-25"), "exposed")
    counts = [m for m in found.moves if m.path.endswith("clients")]
    assert [m.path for m in counts] == ["apps.shop.releases[1].clients"]
    assert counts[0].change == pytest.approx(10_000, abs=1)


def test_counts_of_their_own_day_are_not_called_moved(desk: Desk) -> None:
    found = because(desk.ask(MOVING, "serve:api:b", at="2026-11-20"), "broken")
    assert [(one.path, one.counted, one.moved) for one in found.inputs] == [("apps.shop.releases[1].clients", None, "")]


def test_a_day_of_a_forecast_is_explained_with_its_own_counts(desk: Desk) -> None:
    answer = desk.ask(MOVING, "serve:api:b", until="2026-12-25")
    found = because(answer, "days[2026-12-25].broken")
    assert found.value == LEFT
    assert "to 2026-12-25" in found.inputs[0].moved
    assert all(agrees for _, agrees in found.checks)


def test_people_are_shown_what_was_counted_beside_what_it_has_become(desk: Desk) -> None:
    page = render(to_document(because(desk.ask(MOVING, "serve:api:b", at="2026-12-25"), "broken")))
    assert re.search(r"shop 1 \(ours\) +31,040 +100,000 +scaled +2026-11-20", page)
    assert re.search(r"apps.shop.adoption.never .* 0.2 +assumed", page)
    assert "COUNTED" not in render(to_document(because(desk.ask(MOVING, "serve:api:b", at="2026-11-20"), "broken")))
